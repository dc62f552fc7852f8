//! Files that somebody has tampered with: a few thousand changes of good ones, the same in every run. The
//! long runs are `cargo fuzz`'s (`crate/puna-fuzz`).

mod entry;

use std::path::Path;

use puna_core::random::Random;
use serde_json::{Value, json};

/// `tests/golden/tokenizers/FILE`.
fn golden(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tokenizers");
    std::fs::read(folder.join(file)).expect("the golden file is in the tree")
}

fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.long() % u64::try_from(bound.max(1)).unwrap()).unwrap()
}

/// Changes bytes: one to eight times flips, sets, removes, repeats, inserts.
fn tamper(bytes: &mut Vec<u8>, random: &mut Random) {
    const WORDS: [&[u8]; 12] = [
        b"\xff\xff\xff\xff",
        b"\0\0\0\0\0\0\0\0",
        b"\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"{{",
        b"}}",
        b"{%",
        b"%}",
        b"\"",
        b"(((",
        b"[[",
        b"-1",
        b"\xe2\x96\x81",
    ];
    for _ in 0..=below(random, 8) {
        let at = below(random, bytes.len());
        let end = (at + 1 + below(random, 16)).min(bytes.len());
        match below(random, 6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(random, 8),
            1 if at < bytes.len() => bytes[at] = below(random, 256).to_le_bytes()[0],
            2 if at < end => drop(bytes.drain(at..end)),
            3 if at < end => {
                let part = bytes[at..end].to_vec();
                let to = below(random, bytes.len());
                bytes.splice(to..to, part);
            }
            4 => bytes.truncate(at.max(1)),
            _ => {
                let word = WORDS[below(random, WORDS.len())];
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
}

/// Changes a value somewhere in a tree.
fn tamper_value(value: &mut Value, random: &mut Random) {
    let inner = match value {
        Value::Array(values) if below(random, 4) > 0 => {
            let ix = below(random, values.len());
            values.get_mut(ix)
        }
        Value::Object(map) if below(random, 8) > 0 => {
            let ix = below(random, map.len());
            map.values_mut().nth(ix)
        }
        _ => None,
    };
    if let Some(inner) = inner {
        return tamper_value(inner, random);
    }
    let deep = (0..below(random, 100)).fold(json!(1), |inner, _| json!([inner]));
    let others = [
        Value::Null,
        json!(-1),
        json!(0),
        json!(1_u64 << 40),
        json!(1e300),
        json!(""),
        json!("a"),
        json!("("),
        json!("(a*)*b"),
        json!("<unk>"),
        json!("\u{2581}"),
        json!([]),
        json!({}),
        json!(true),
        json!([["a", "b"]]),
        json!({"type": "Sequence"}),
        deep,
    ];
    *value = others[below(random, others.len())].clone();
}

#[test]
fn a_tampered_header_is_an_error_or_a_tokenizer() {
    let seeds = ["bert", "t5", "phi3", "qwen3"].map(|name| golden(&format!("vocab/{name}.gguf")));
    let mut random = Random(1);
    let mut accepted = 0;
    for round in 0..6000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        if round % 2 == 0 {
            tamper(&mut bytes, &mut random);
        } else {
            // Lengths stay right, so that more of it is read.
            let at = below(&mut random, bytes.len());
            bytes[at] ^= 1 << below(&mut random, 8);
        }
        accepted += u32::from(entry::header(&bytes));
    }
    assert!(
        (500..5500).contains(&accepted),
        "{accepted} of 6000 are still good"
    );
}

#[test]
fn a_tampered_checkpoint_is_an_error_or_a_graph() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny");
    let read =
        |file: &str| std::fs::read(folder.join(file)).expect("the golden file is in the tree");
    let weights = read("smollm3/model.safetensors");
    let length = u64::from_le_bytes(*weights.first_chunk().unwrap());
    let header = weights[..8 + usize::try_from(length).unwrap()].to_vec();
    let seeds = [
        read("smollm3/config.json"),
        read("deepseek-v3/config.json"),
        read("llama3/model.safetensors.index.json"),
        header,
    ];
    let mut random = Random(4);
    let mut accepted = 0;
    for round in 0..3000 {
        let ix = round % seeds.len();
        let mut bytes = seeds[ix].clone();
        if round % 3 > 0 {
            // Behind the length in front of a header.
            let front = if ix == 3 { 8 } else { 0 };
            let mut value = serde_json::from_slice(&bytes[front..]).unwrap();
            tamper_value(&mut value, &mut random);
            bytes = serde_json::to_vec(&value).unwrap();
            if ix == 3 {
                let length = (bytes.len() as u64).to_le_bytes();
                bytes.splice(0..0, length);
            }
        } else {
            tamper(&mut bytes, &mut random);
        }
        accepted += u32::from(entry::checkpoint(&bytes));
    }
    assert!(
        (100..2900).contains(&accepted),
        "{accepted} of 3000 are still good"
    );
}

#[test]
fn a_tampered_json_is_an_error_or_a_tokenizer() {
    let names = ["bert", "t5", "phi3", "deepseek-v3"];
    let seeds = names.map(|name| golden(&format!("vocab/{name}.json")));
    let mut random = Random(2);
    let mut accepted = 0;
    for round in 0..1800 {
        let mut bytes = seeds[round % seeds.len()].clone();
        if round % 3 > 0 {
            let mut value = serde_json::from_slice(&bytes).unwrap();
            for _ in 0..=below(&mut random, 3) {
                tamper_value(&mut value, &mut random);
            }
            bytes = serde_json::to_vec(&value).unwrap();
        } else {
            tamper(&mut bytes, &mut random);
        }
        accepted += u32::from(entry::tokenizer_json(&bytes));
    }
    assert!(
        (150..1650).contains(&accepted),
        "{accepted} of 1800 are still good"
    );
}

#[test]
fn a_tampered_template_is_an_error_or_a_prompt() {
    let jinja: Value = serde_json::from_slice(&golden("jinja.json")).unwrap();
    let cases = jinja["cases"].as_array().unwrap().iter();
    let seeds: Vec<&str> = cases.map(|case| case[0].as_str().unwrap()).collect();
    let mut random = Random(3);
    let mut accepted = 0;
    for _ in 0..12_000 {
        let mut source = String::new();
        for _ in 0..=below(&mut random, 3) {
            source.push_str(seeds[below(&mut random, seeds.len())]);
        }
        let mut bytes = source.into_bytes();
        tamper(&mut bytes, &mut random);
        accepted += u32::from(entry::template(&bytes));
    }
    assert!(
        (1000..11_000).contains(&accepted),
        "{accepted} of 12000 are still good"
    );
}
