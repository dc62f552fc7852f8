//! Rows of the KV cache as bytes, by its type: elements of all rows, then what they are multiplied by.

use half::f16;

use crate::shader::variant::{KvType, kv_block};

/// Steps of an element of [`KvType::Q8`] on either side of 0.
const STEPS: f32 = 127.0;

/// Elements, bits of f16 (rows, Dh), as bytes.
#[must_use]
pub fn pack(kv: KvType, head_dim: usize, elements: &[u16]) -> Vec<u8> {
    let floats = || elements.iter().map(|bits| f16::from_bits(*bits).to_f32());
    match kv {
        KvType::F16 => bytemuck::cast_slice(elements).to_vec(),
        KvType::F32 => floats().flat_map(f32::to_le_bytes).collect(),
        KvType::Q8 => {
            let floats: Vec<f32> = floats().collect();
            let blocks = floats.chunks(kv_block(head_dim));
            let largest = blocks
                .clone()
                .map(|block| block.iter().fold(0.0_f32, |most, x| most.max(x.abs())));
            let rounded = blocks.zip(largest.clone()).flat_map(|(block, largest)| {
                #[expect(clippy::cast_possible_truncation, reason = "at most 127")]
                let step = move |x: &f32| match largest > 0.0 {
                    true => (x / largest * STEPS).round() as i8,
                    false => 0,
                };
                block.iter().map(step)
            });
            let mut bytes: Vec<u8> = rounded.map(i8::cast_unsigned).collect();
            bytes.extend(largest.flat_map(f32::to_le_bytes));
            bytes
        }
    }
}

/// What [`pack`] was given.
#[must_use]
pub fn unpack(kv: KvType, head_dim: usize, bytes: &[u8]) -> Vec<u16> {
    let half = |x: f32| f16::from_f32(x.clamp(-65504.0, 65504.0)).to_bits();
    let floats = |bytes: &[u8]| -> Vec<f32> {
        let words = bytes.as_chunks::<4>().0.iter();
        words.map(|word| f32::from_le_bytes(*word)).collect()
    };
    match kv {
        KvType::F16 => {
            let halves = bytes.as_chunks::<2>().0.iter();
            halves.map(|bits| u16::from_le_bytes(*bits)).collect()
        }
        KvType::F32 => floats(bytes).into_iter().map(half).collect(),
        KvType::Q8 => {
            let block = kv_block(head_dim);
            // A byte an element, and four a block.
            let elements = bytes.len() / (block + 4) * block;
            let (steps, largest) = bytes.split_at(elements);
            let blocks = steps.chunks(block).zip(floats(largest));
            let floats = blocks.flat_map(|(steps, largest)| {
                let steps = steps.iter().map(|step| f32::from(step.cast_signed()));
                steps.map(move |step| largest * (step / STEPS))
            });
            floats.map(half).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_near_as_their_type_allows() {
        for (head_dim, rows) in [(64, 3), (80, 2), (100, 1), (68, 2), (12, 5), (576, 1)] {
            let value = |ix: usize| ((ix * 37 % 101) as f32 - 50.0) * 0.3;
            let floats: Vec<f32> = (0..head_dim * rows).map(value).collect();
            let elements: Vec<u16> = floats.iter().map(|x| f16::from_f32(*x).to_bits()).collect();
            for (kv, allowed) in [
                (KvType::F16, 0.0),
                (KvType::F32, 0.0),
                (KvType::Q8, 0.5 * 15.0 / 127.0 + 0.01),
            ] {
                let bytes = pack(kv, head_dim, &elements);
                let expected = rows as u64 * kv.row_bytes(head_dim);
                assert_eq!(bytes.len() as u64, expected, "{kv:?} of {head_dim}");
                let back = unpack(kv, head_dim, &bytes);
                assert_eq!(back.len(), elements.len(), "{kv:?} of {head_dim}");
                for (got, wanted) in back.iter().zip(&elements) {
                    let [got, wanted] = [*got, *wanted].map(|bits| f16::from_bits(bits).to_f32());
                    assert!(
                        (got - wanted).abs() <= allowed,
                        "{kv:?}: {got} for {wanted}"
                    );
                }
                // Once more they are the same: saving and restoring adds up to nothing.
                assert_eq!(unpack(kv, head_dim, &pack(kv, head_dim, &back)), back);
            }
        }
    }

    #[test]
    fn a_block_is_as_long_as_it_can_be() {
        for (head_dim, expected) in [
            (64, 32),
            (128, 32),
            (576, 32),
            (80, 20),
            (100, 20),
            (12, 12),
            (68, 4),
        ] {
            assert_eq!(kv_block(head_dim), expected, "{head_dim}");
        }
    }

    #[test]
    fn zeros_and_what_f16_has_no_number_for_stay_finite() {
        let zeros = pack(KvType::Q8, 32, &[0; 32]);
        assert_eq!(unpack(KvType::Q8, 32, &zeros), [0; 32], "no division by 0");
        let mut bytes = vec![127_u8; 32];
        bytes.extend(1e9_f32.to_le_bytes());
        let most = f16::from_bits(unpack(KvType::Q8, 32, &bytes)[0]).to_f32();
        assert!(most == 65504.0, "{most}");
    }
}
