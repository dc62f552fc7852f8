use super::super::FORMATS;
use super::together::together;
use super::*;
use crate::random::Random;

/// Bits of a group that a bit of a row is made of, as a list.
fn listed(source: u32) -> Vec<u32> {
    [source & 0xffff, source >> 16]
        .into_iter()
        .filter(|&bit| bit != NONE)
        .collect()
}

fn interleaving(format: &Format) -> Interleaving {
    format.interleaving.expect("of the list of them")
}

/// Every bit of a group is the first source of one bit of one row; only where signs are stored as differences has a bit two.
#[test]
fn every_bit_of_a_group_goes_to_one_row() {
    for format in INTERLEAVED {
        let it = interleaving(format);
        let sources = it.sources();
        let bits = it.rows * it.plain.block_bytes * 8;
        let mut seen = vec![0; bits];
        let mut twice = 0;
        for (at, &source) in sources.iter().enumerate() {
            let from = listed(source);
            assert!(!from.is_empty(), "{format:?}: bit {at} comes from nowhere");
            twice += from.len() - 1;
            from.iter().for_each(|&bit| seen[bit as usize] += 1);
        }
        let lost = seen.iter().position(|&times| times == 0);
        assert_eq!(lost, None, "{format:?}: a bit of the group is lost");
        let signs = match format.name {
            "iq2_xxs_r4" | "iq2_xs_r4" | "iq3_xxs_r4" => 4 * 32 * 6,
            _ => 0,
        };
        assert_eq!(twice, signs, "{format:?}: sums of two bits");
    }
}

/// Random bytes of a group of rows.
struct Group<'a> {
    format: &'a Format,
    bytes: Vec<u8>,
    cols: usize,
}

impl Group<'_> {
    fn block(&self, block: usize) -> &[u8] {
        let it = interleaving(self.format);
        let bytes = it.rows * it.plain.block_bytes;
        &self.bytes[it.rows * it.plain.head_bytes() + block * bytes..][..bytes]
    }
}

/// Random rows that stand alone are put together from the layout, and taken apart again.
#[test]
fn rows_that_were_put_together_are_taken_apart() {
    for format in INTERLEAVED {
        let it = interleaving(format);
        let alone = random(format, 2 * format.block_len);
        let rows: Vec<_> = alone
            .bytes
            .chunks_exact(format.row_bytes(alone.cols))
            .collect();
        let head = it.plain.head_bytes();
        let mut group: Vec<u8> = rows.iter().flat_map(|row| &row[..head]).copied().collect();
        for block in 0..2 {
            let bytes = it.plain.block_bytes;
            let blocks: Vec<_> = rows
                .iter()
                .map(|row| &row[head + block * bytes..][..bytes])
                .collect();
            group.extend(together(format.name, &blocks));
        }
        assert!(group != alone.bytes, "{format:?}: they do stand together");
        let again = it.put_together(&alone.bytes, alone.cols);
        assert!(again == group, "{format:?}: by the table of sources");
        let got = format.plain_rows(&group, alone.cols);
        let wrong = got.iter().zip(&alone.bytes).position(|(a, b)| a != b);
        assert_eq!(wrong, None, "{format:?}: a byte of the rows is another one");
    }
}

fn random(format: &'static Format, cols: usize) -> Group<'static> {
    let it = interleaving(format);
    let mut random = Random(u64::from(format.ggml_type));
    let mut bytes = vec![0; it.rows * format.row_bytes(cols)];
    bytes
        .chunks_mut(4)
        .for_each(|four| four.copy_from_slice(&random.word().to_le_bytes()[..four.len()]));
    Group {
        format,
        bytes,
        cols,
    }
}

/// The planes of the blocks are cut up again by a table of sources: what a shader does.
#[test]
fn rows_by_their_sources_are_those_that_are_taken() {
    for format in INTERLEAVED {
        let it = interleaving(format);
        let group = random(format, 3 * format.block_len);
        let want = format.plain_rows(&group.bytes, group.cols);
        let sources = it.sources();
        let (head, bytes) = (it.plain.head_bytes(), it.plain.block_bytes);
        let row_bytes = format.row_bytes(group.cols);
        for (row, want) in want.chunks_exact(row_bytes).enumerate() {
            let scales = &group.bytes[row * head..][..head];
            assert_eq!(scales, &want[..head], "{format:?}: the scale of row {row}");
            for (block, want) in want[head..].chunks_exact(bytes).enumerate() {
                let from = group.block(block);
                for (at, byte) in want.iter().enumerate() {
                    for bit in 0..8 {
                        let source = sources[(row * bytes + at) * 8 + bit];
                        let set = listed(source)
                            .into_iter()
                            .fold(0, |set, bit| set ^ from[bit as usize / 8] >> (bit % 8) & 1);
                        assert_eq!(
                            byte >> bit & 1,
                            set,
                            "{format:?}: bit {bit} of byte {at} of block {block} of row {row}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn plain_formats_have_rows_that_stand_alone() {
    for format in FORMATS {
        assert_eq!(format.plain(), *format);
        assert_eq!(format.rows_together(), 1, "{format:?}");
        let bytes = vec![7; format.row_bytes(format.block_len)];
        assert_eq!(*format.plain_rows(&bytes, format.block_len), bytes[..]);
    }
}
