use crate::weights::header::{Header, Parsed};
use crate::weights::plan::Plan;
use crate::weights::split::{Part, join, later_files};
use crate::weights::writer::Writer;

/// Part `no` of `count`, with a tensor of that name; and its size, which is no multiple of 4.
fn part(no: u16, count: u16, tensor: &str, all: u64) -> (Header, u64) {
    let bytes = Writer::new()
        .pair("split.no", 2, no.to_le_bytes())
        .pair("split.count", 2, count.to_le_bytes())
        .pair("split.tensors.count", 10, all.to_le_bytes())
        .tensor(tensor, &[16], 0, 0)
        .build();
    let Parsed::Done(header) = Header::from_gguf(&bytes).unwrap() else {
        panic!("cut off")
    };
    let bytes = bytes.len() as u64 + 64 + 5;
    (header, bytes)
}

#[test]
fn parts_are_put_end_to_end_and_cut_apart() {
    let (first, bytes) = part(0, 3, "a", 3);
    let step = bytes.next_multiple_of(4);
    let parts = ["a", "b", "c"].into_iter().enumerate();
    let parts = parts.map(|(no, name)| part(no.try_into().unwrap(), 3, name, 3));
    let (whole, end) = join(parts.collect()).unwrap();
    assert_eq!(whole.starts, [0, step, 2 * step]);
    assert_eq!(end, 2 * step + bytes);
    let at = first.tensors[0].offset;
    let offsets: Vec<_> = whole.tensors.iter().map(|it| it.offset).collect();
    assert_eq!(offsets, [at, at + step, at + 2 * step]);
    let plan = Plan::new(&whole, end, 4 << 20).unwrap();
    let begins: Vec<_> = plan.chunks.iter().map(|chunk| chunk.offset).collect();
    assert_eq!(begins, [0, at, step, 2 * step], "a chunk is of one file");
    assert_eq!(plan.chunks[2].pieces[0].tensor, 1, "its tensor is there");
    let mut cuts: Vec<_> = plan.chunks.iter().map(|it| (it.offset, it.bytes)).collect();
    Plan::from_cuts(&whole, end, cuts.clone()).unwrap();
    let last = cuts.pop().unwrap();
    cuts[2].1 += last.1;
    let error = Plan::from_cuts(&whole, end, cuts).unwrap_err();
    assert!(error.message().contains("no chunk begins at"), "{error}");
}

#[test]
fn what_is_no_split_model_is_refused_by_part() {
    let mut short = part(1, 2, "b", 2);
    short.1 -= 6;
    for (parts, says) in [
        (
            vec![part(1, 2, "b", 2), part(0, 2, "a", 2)],
            "expected part 1 of 2 of a split model; the file is part 2 of 2",
        ),
        (
            vec![part(0, 3, "a", 3), part(1, 3, "b", 3)],
            "the file is part 1 of 3",
        ),
        (
            vec![part(0, 2, "a", 2), part(1, 2, "a", 2)],
            "tensor a: is there twice",
        ),
        (
            vec![part(0, 2, "a", 4), part(1, 2, "b", 4)],
            "2 tensors together; the first one says 4",
        ),
        (vec![part(0, 2, "a", 2), short], "part 2 of 2: tensor b"),
    ] {
        let error = join(parts).unwrap_err();
        assert!(error.message().contains(says), "{error}");
    }
    let (header, bytes) = part(1, 2, "a", 1);
    let error = header.check(bytes).unwrap_err();
    assert!(
        error.message().contains("NAME-00001-of-00002.gguf"),
        "{error}"
    );
    let (header, _) = part(2, 2, "a", 1);
    Part::of(&header).unwrap_err();
}

#[test]
fn others_lie_beside_a_part() {
    let (first, _) = part(0, 3, "a", 3);
    let later = |address| later_files(&first, address).unwrap();
    assert_eq!(
        later("https://a/b/m-00001-of-00003.gguf?download=true#x"),
        [
            "https://a/b/m-00002-of-00003.gguf?download=true#x",
            "https://a/b/m-00003-of-00003.gguf?download=true#x"
        ]
    );
    for other in [
        "m.gguf",
        "m-00002-of-00003.gguf",
        "m-00001-of-00002.gguf",
        "?-00001-of-00003.gguf",
    ] {
        assert!(later(other).is_empty(), "{other}");
    }
    let (second, _) = part(1, 3, "b", 3);
    let behind = later_files(&second, "m-00002-of-00003.gguf").unwrap();
    assert!(behind.is_empty(), "it is not the first");
}
