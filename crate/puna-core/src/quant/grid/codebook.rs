//! A codebook that is kept as steps from each point to the next, and unpacked when it is first wanted: compressed, they are
//! half of what the points are.

use std::sync::OnceLock;

/// Points, ascending.
pub(in crate::quant) struct Codebook<const N: usize> {
    /// 7 bits, and a second byte behind those that have the eighth.
    steps: &'static [u8],
    points: OnceLock<[u16; N]>,
}

impl<const N: usize> Codebook<N> {
    /// A codebook of what [`steps`] made.
    pub(super) const fn new(steps: &'static [u8]) -> Self {
        Self {
            steps,
            points: OnceLock::new(),
        }
    }

    /// The points. Whoever has threads that allocate nothing and wait for nobody asks for them before these do.
    pub(in crate::quant) fn points(&self) -> &[u16; N] {
        self.points.get_or_init(|| {
            let mut points = [0; N];
            let (mut bytes, mut last) = (self.steps.iter(), 0);
            for point in &mut points {
                let mut next = || bytes.next().copied().map_or(0, u16::from);
                let low = next();
                last += match low & 128 {
                    0 => low,
                    _ => low & 127 | next() << 7,
                };
                *point = last;
            }
            points
        })
    }
}

/// Bytes that [`steps`] makes of points.
pub(super) const fn steps_len(points: &[u16]) -> usize {
    let (mut length, mut last, mut i) = (0, 0, 0);
    while i < points.len() {
        length += if points[i] - last < 128 { 1 } else { 2 };
        last = points[i];
        i += 1;
    }
    length
}

/// Points as a codebook keeps them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "bytes of the number are meant"
)]
pub(super) const fn steps<const N: usize, const BYTES: usize>(points: &[u16; N]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let (mut at, mut last, mut i) = (0, 0, 0);
    while i < N {
        let step = points[i] - last;
        assert!(step >> 15 == 0, "two bytes hold 15 bits");
        if step < 128 {
            bytes[at] = step as u8;
            at += 1;
        } else {
            bytes[at] = step as u8 | 128;
            bytes[at + 1] = (step >> 7) as u8;
            at += 2;
        }
        last = points[i];
        i += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_back_whatever_lies_between_them() {
        const POINTS: [u16; 8] = [0, 0, 1, 128, 256, 383, 33_000, u16::MAX];
        const LENGTH: usize = steps_len(&POINTS);
        static STEPS: [u8; LENGTH] = steps(&POINTS);
        let codebook = Codebook::<8>::new(&STEPS);
        assert_eq!(codebook.points(), &POINTS);
        assert_eq!(codebook.points(), &POINTS, "asked again");
        assert_eq!(LENGTH, 11, "three steps are long");
    }
}
