//! The KV cache of a layer in f16, (Hkv, S, Dh) for keys and the same for values, growing by doubling. A row takes whole
//! vectors: zeros fill it up.

use std::ops::Range;

use half::f16;
use puna_core::graph::KvShape;
use puna_core::pool::Copy;

use crate::scatter::Scatter;
use crate::simd::lanes::LANES;

/// Keys and values of one layer.
#[derive(Clone, Debug)]
pub(crate) struct KvLayer {
    shape: KvShape,
    /// (Hkv, capacity, stride): bits of f16.
    keys: Vec<u16>,
    /// The same.
    values: Vec<u16>,
    capacity: usize,
}

impl KvLayer {
    pub(crate) const fn new(shape: KvShape) -> Self {
        Self {
            shape,
            keys: Vec::new(),
            values: Vec::new(),
            capacity: 0,
        }
    }

    /// Bytes of a cache of `capacity` tokens.
    pub(crate) const fn bytes(shape: KvShape, capacity: usize) -> usize {
        shape.planes() * shape.heads * capacity * stride(shape) * size_of::<u16>()
    }

    /// Makes room for `capacity` tokens and keeps what is there; `false` if there is no memory for it, and
    /// then nothing has changed.
    pub(crate) fn grow(&mut self, capacity: usize) -> bool {
        if capacity <= self.capacity {
            return true;
        }
        let row = self.stride();
        let size = self.shape.heads * capacity * row;
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        // Where values are the first dimensions of keys there are none apart.
        let sizes = [size, size * (self.shape.planes() - 1)];
        let room = |plane: &mut Vec<u16>, size| plane.try_reserve_exact(size).is_ok();
        if !room(&mut keys, sizes[0]) || !room(&mut values, sizes[1]) {
            return false;
        }
        let planes = [(&self.keys, &mut keys), (&self.values, &mut values)];
        for ((old, new), size) in planes.into_iter().zip(sizes) {
            new.resize(size, 0);
            let heads = old.chunks_exact((self.capacity * row).max(1));
            for (old, new) in heads.zip(new.chunks_exact_mut(capacity * row)) {
                new[..old.len()].copy_from_slice(old);
            }
        }
        (self.keys, self.values, self.capacity) = (keys, values, capacity);
        true
    }

    /// What is in some rows: (planes, Hkv, rows, Dh), without what fills rows up.
    pub(crate) fn read(&self, rows: Range<usize>) -> Vec<u16> {
        let (stride, dims) = (self.stride(), self.shape.head_dim);
        let mut elements = Vec::new();
        for plane in [&self.keys, &self.values] {
            for head in plane.chunks_exact((self.capacity * stride).max(1)) {
                let rows = head[rows.start * stride..rows.end * stride].chunks_exact(stride);
                rows.for_each(|row| elements.extend_from_slice(&row[..dims]));
            }
        }
        elements
    }

    /// Writes such rows, from one on.
    pub(crate) fn write(&mut self, first_row: usize, elements: &[u16]) {
        let (stride, dims) = (self.stride(), self.shape.head_dim);
        let planes = self.shape.planes() * self.shape.heads;
        let heads = elements.chunks_exact((elements.len() / planes.max(1)).max(1));
        let room = (self.capacity * stride).max(1);
        let own = self.keys.chunks_exact_mut(room);
        let own = own.chain(self.values.chunks_exact_mut(room));
        for (own, rows) in own.zip(heads) {
            let own = own[first_row * stride..].chunks_exact_mut(stride);
            for (own, row) in own.zip(rows.chunks_exact(dims)) {
                own[..dims].copy_from_slice(row);
            }
        }
    }

    /// Copies rows, which may overlap.
    pub(crate) fn copy(&mut self, copy: Copy) {
        let stride = self.stride();
        let plane = (self.capacity * stride).max(1);
        for elements in [&mut self.keys, &mut self.values] {
            for head in elements.chunks_exact_mut(plane) {
                let from = copy.from * stride..(copy.from + copy.rows) * stride;
                head.copy_within(from, copy.to * stride);
            }
        }
    }

    /// For writing from several threads.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer {
            stride: self.stride(),
            capacity: self.capacity,
            planes: [Scatter::new(&mut self.keys), Scatter::new(&mut self.values)],
        }
    }

    /// Elements of a row.
    pub(crate) const fn stride(&self) -> usize {
        stride(self.shape)
    }

    /// Keys of a head, `len` from a row on, (len, stride).
    pub(crate) fn keys(&self, head: usize, first_row: usize, len: usize) -> &[u16] {
        self.rows(&self.keys, head, first_row, len)
    }

    /// Values of a head, `len` from a row on, (len, stride).
    pub(crate) fn values(&self, head: usize, first_row: usize, len: usize) -> &[u16] {
        let plane = match self.shape.planes() {
            1 => &self.keys,
            _ => &self.values,
        };
        self.rows(plane, head, first_row, len)
    }

    fn rows<'a>(&self, plane: &'a [u16], head: usize, first_row: usize, len: usize) -> &'a [u16] {
        let at = (head * self.capacity + first_row) * self.stride();
        &plane[at..at + len * self.stride()]
    }
}

const fn stride(shape: KvShape) -> usize {
    shape.head_dim.next_multiple_of(LANES)
}

/// Writes keys and values, each by one thread.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    stride: usize,
    capacity: usize,
    planes: [Scatter<'a, u16>; 2],
}

impl Writer<'_> {
    /// Two neighbouring elements of a head's key (`which` 0) or value (1) in a row.
    ///
    /// # Safety
    /// No two threads write the same elements.
    pub(crate) unsafe fn put(
        &self,
        which: usize,
        head: usize,
        row: usize,
        d: usize,
        pair: [f32; 2],
    ) {
        let at = (head * self.capacity + row) * self.stride + d;
        // Beyond f16's range the nearest number of it: no infinity gets in.
        let bits = pair.map(|x| f16::from_f32(x.clamp(-65504.0, 65504.0)).to_bits());
        // SAFETY: the caller's promise.
        let to = unsafe { self.planes[which].slice(at..at + 2) };
        to.copy_from_slice(&bits);
    }
}

/// The float that the bits of a finite f16 stand for.
#[inline(always)]
pub(crate) fn float(bits: u16) -> f32 {
    // The exponent is moved by a product, which is right for subnormal numbers too: 2^(127 - 15).
    const EXPONENT: f32 = f32::from_bits((127 + 127 - 15) << 23);
    let magnitude = f32::from_bits(u32::from(bits & 0x7fff) << 13) * EXPONENT;
    f32::from_bits(magnitude.to_bits() | u32::from(bits & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finite_halves_are_converted_exactly() {
        for bits in (0..=u16::MAX).filter(|bits| f16::from_bits(*bits).is_finite()) {
            let expected = f16::from_bits(bits).to_f32();
            assert_eq!(float(bits).to_bits(), expected.to_bits(), "{bits:#06x}");
        }
    }

    #[test]
    fn growing_keeps_every_head() {
        let shape = KvShape {
            layers: 1,
            heads: 2,
            head_dim: 4,
            value_dim: 4,
        };
        let mut layer = KvLayer::new(shape);
        assert!(layer.grow(2), "small");
        for head in 0..2 {
            for position in 0..2 {
                let writer = layer.writer();
                // SAFETY: one thread.
                unsafe {
                    writer.put(0, head, position, 2, [head as f32, position as f32]);
                    writer.put(1, head, position, 0, [position as f32, 9.0]);
                }
            }
        }
        assert!(layer.grow(5), "small");
        for head in 0..2 {
            let keys: Vec<f32> = layer
                .keys(head, 0, 2)
                .iter()
                .map(|&bits| float(bits))
                .collect();
            assert_eq!(
                keys,
                [0.0, 0.0, head as f32, 0.0, 0.0, 0.0, head as f32, 1.0],
                "keys"
            );
            let values: Vec<f32> = layer
                .values(head, 0, 2)
                .iter()
                .map(|&bits| float(bits))
                .collect();
            assert_eq!(values, [0.0, 9.0, 0.0, 0.0, 1.0, 9.0, 0.0, 0.0], "values");
        }
        assert!(layer.grow(3), "it has room for that");
        assert_eq!(layer.keys(0, 0, 5).len(), 20, "and loses none");
        assert!(!layer.grow(usize::MAX / 64), "more than there is");
        assert_eq!(layer.keys(1, 0, 2).len(), 8, "and nothing has changed");
    }
}
