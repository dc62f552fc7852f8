//! The command as a user runs it: on files, by its exit code and its words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use puna_core::weights::manifest::Manifest;

mod support;

use support::{Manner, Server};

fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/llama-256/llama-256-Q8_0.gguf")
}

fn puna(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_puna"))
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn says(arguments: &[&str], exit: i32, words: &str) -> String {
    let output = puna(arguments);
    let stream = if exit == 0 {
        &output.stdout
    } else {
        &output.stderr
    };
    let text = String::from_utf8_lossy(stream).into_owned();
    assert_eq!(
        output.status.code(),
        Some(exit),
        "puna {arguments:?}: {text}"
    );
    assert!(
        text.contains(words),
        "puna {arguments:?} should say {words:?}, it says: {text}"
    );
    text
}

#[test]
fn shards_join_to_the_file_and_a_second_run_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/b");
    let file = tiny();
    let arguments = [
        "shard",
        file.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        "--shard-bytes",
        "65536",
    ];
    says(&arguments, 0, "0 there already");
    let manifest = Manifest::parse(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    let parts: Vec<_> = manifest.parts().collect();
    assert!(parts.len() > 6, "{} shards", parts.len());
    let joined: Vec<u8> = parts
        .iter()
        .flat_map(|part| fs::read(out.join(&part.url)).unwrap())
        .collect();
    assert!(
        joined == fs::read(tiny()).unwrap(),
        "the shards in order are the file"
    );
    for part in &parts {
        let content = fs::read(out.join(&part.url)).unwrap();
        let sum = puna_core::weights::manifest::Sha256(
            <sha2::Sha256 as sha2::Digest>::digest(&content).into(),
        );
        assert_eq!(
            (sum, format!("{sum}.bin")),
            (part.sha256, part.url.clone()),
            "named by content"
        );
    }
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = names();
    let damaged = out.join(&parts[2].url);
    let mut content = fs::read(&damaged).unwrap();
    content[0] ^= 1;
    fs::write(&damaged, content).unwrap();
    says(&arguments, 0, "(1 written");
    says(&arguments, 0, "(0 written");
    assert_eq!(names(), before, "no other files appear");
    says(
        &["inspect", out.join("manifest.json").to_str().unwrap()],
        0,
        "shards of \"llama-256-Q8_0\"",
    );
}

#[test]
fn inspect_tells_what_a_file_holds() {
    let text = says(&["inspect", tiny().to_str().unwrap()], 0, "GGUF v3");
    for words in [
        "general.architecture",
        "\"llama\"",
        "Q8_0",
        "blk.0.attn_q.weight",
        "tokenizer.ggml.tokens",
        "string[",
    ] {
        assert!(text.contains(words), "{words:?} is missing in: {text}");
    }
}

#[test]
fn wrong_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let whole = fs::read(tiny()).unwrap();
    says(
        &["inspect", &place("page.gguf", b"<!DOCTYPE html>")],
        1,
        "an HTML page",
    );
    says(&["inspect", &place("empty.gguf", b"")], 1, "ends at byte 0");
    says(
        &["inspect", &place("header.gguf", &whole[..5000])],
        1,
        "ends at byte 5000, inside its header",
    );
    says(
        &[
            "inspect",
            &place("short.gguf", &whole[..whole.len() - 4000]),
        ],
        1,
        "cut short or damaged",
    );
    says(
        &["inspect", &place("odd.json", b"{\"a\": 1}")],
        1,
        "\"format\" should be",
    );
    says(&["inspect", "/nowhere/x.gguf"], 1, "can't be opened");
    says(
        &[
            "shard",
            &place("short2.gguf", &whole[..whole.len() - 4000]),
            "-o",
            folder.path().to_str().unwrap(),
        ],
        1,
        "cut short",
    );
    let file = tiny();
    let in_the_way = place("file", b"x");
    says(
        &["shard", file.to_str().unwrap(), "-o", &in_the_way],
        1,
        "can't be made",
    );
}

#[test]
fn wrong_command_lines_are_explained() {
    says(&[], 2, "puna help");
    says(&["dance"], 2, "no command \"dance\"");
    says(&["shard"], 2, "which file?");
    says(&["shard", "x"], 2, "give -o DIR");
    says(
        &["shard", "x", "-o", "y", "--shard-bytes", "many"],
        2,
        "many",
    );
    says(
        &[
            "shard",
            tiny().to_str().unwrap(),
            "-o",
            "y",
            "--shard-bytes",
            "7",
        ],
        1,
        "a chunk of 7 bytes",
    );
    says(&["inspect", "--loud"], 2, "--loud");
    says(&["--help"], 0, "Usage: puna COMMAND");
    says(&["shard", "--help"], 0, "--shard-bytes");
    says(&["help", "inspect"], 0, "puna inspect [--json] FILE_OR_URL");
}

#[test]
fn made_models_are_whole_and_wrong_names_are_told_what_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.gguf");
    let file = path.to_str().unwrap();
    says(
        &["synthesize", "smollm2-135m:q4_k", file],
        1,
        "multiple of 256",
    );
    says(&["synthesize", "smollm2:q4_0", file], 1, "smollm2-135m");
    says(&["synthesize", "smollm2-135m:q4_0"], 2, "where to");
    says(&["synthesize", "--help"], 0, "llama-3.1-8b");
    let gone = folder.path().join("no/such/made.gguf");
    let arguments = ["synthesize", "smollm2-135m:q4_0", gone.to_str().unwrap()];
    says(&arguments, 1, "can't be written");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing yet"
    );
    says(&["synthesize", "smollm2-135m:q4_0", file], 0, "MiB");
    says(&["inspect", file], 0, "272 tensors");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no part is left"
    );
}

#[test]
fn what_is_supported_stands_in_the_readme() {
    let tables = says(&["supports"], 0, "`mixtral`");
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    assert!(
        readme.contains(&tables),
        "put the output of `puna supports` between its marks in README.md"
    );
}

#[test]
fn a_repository_is_shown_by_its_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny/llama3");
    let text = says(&["inspect", folder.to_str().unwrap()], 0, "safetensors in");
    for part in [
        "llama3",
        "blk.2.attn_q.weight",
        "29 tensors",
        "500000",
        "as q8_0",
        "512 tokens",
    ] {
        assert!(text.contains(part), "{part} in: {text}");
    }
    let config = folder.join("config.json");
    says(&["inspect", config.to_str().unwrap()], 0, "safetensors in");

    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().to_str().unwrap();
    says(&["inspect", path], 1, "config.json can't be opened");
    for file in ["config.json", "tokenizer.json"] {
        fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    says(&["inspect", path], 1, "model.safetensors can't be opened");
    fs::write(
        copy.path().join("model.safetensors"),
        [9, 0, 0, 0, 0, 0, 0, 0, 1],
    )
    .unwrap();
    says(
        &["inspect", path],
        1,
        "inside its header, which has at least 17 bytes",
    );
}

#[test]
fn why_a_model_can_not_be_run_is_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tokenizers/vocab");
    let t5 = folder.join("t5.gguf");
    says(
        &["inspect", t5.to_str().unwrap()],
        0,
        "It can't be run: architecture \"t5\" is not supported",
    );
}

#[test]
fn a_split_model_is_shown_whole_by_its_first_part() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tiny/qwen3");
    let part = |no: u32| folder.join(format!("qwen3-F16-split-{no:05}-of-00003.gguf"));
    let path = |no: u32| part(no).to_str().unwrap().to_owned();
    let text = says(&["inspect", &path(1)], 0, "GGUF v3 in 3 files");
    for tensor in [
        "token_embd.weight",
        "blk.0.attn_q.weight",
        "output_norm.weight",
    ] {
        assert!(text.contains(tensor), "{tensor} in: {text}");
    }
    says(
        &["inspect", &path(2)],
        1,
        "part 2 of 3 of a split model; name the first part",
    );
    let alone = tempfile::tempdir().unwrap();
    let copy = alone.path().join("m-00001-of-00003.gguf");
    fs::copy(part(1), &copy).unwrap();
    says(
        &["inspect", copy.to_str().unwrap()],
        1,
        "m-00002-of-00003.gguf can't be opened",
    );
}

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(path)
}

/// A report without its first line, which names the place.
#[track_caller]
fn report(place: &str) -> String {
    let text = says(&["inspect", place], 0, "Tensors");
    text.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn models_on_servers_are_shown_as_those_on_disk() {
    for manner in [Manner::Ranges, Manner::Secretive, Manner::Whole] {
        let server = Server::start(&golden(""), manner);
        for path in [
            "llama-256/llama-256-Q8_0.gguf",
            "tiny/qwen3/qwen3-F16-split-00001-of-00003.gguf",
            "tiny/llama3/",
            "tiny/bert/config.json",
        ] {
            let url = format!("{}/{path}", server.origin);
            assert_eq!(
                report(&url),
                report(golden(path).to_str().unwrap()),
                "{url}"
            );
        }
        let url = format!("{}/nothing.gguf", server.origin);
        says(&["inspect", &url], 1, "expected 206 or 200, got 404");
        let url = format!("{}/tiny/phi3/", server.origin);
        says(
            &["inspect", &url],
            1,
            "config.json: expected 206 or 200, got 404",
        );
    }
    says(
        &["inspect", "http://127.0.0.1:9/m.gguf"],
        1,
        "GET http://127.0.0.1:9/m.gguf: ",
    );
}

/// Of a vocabulary of two megabytes in front of a tensor of 64.
#[test]
fn of_models_on_servers_little_more_than_the_header_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    // One tensor, two pairs.
    file.extend([1_u64, 2].map(u64::to_le_bytes).concat());
    file.extend(text("general.architecture"));
    file.extend(8_u32.to_le_bytes());
    file.extend(text("mamba2"));
    file.extend(text("tokenizer.ggml.tokens"));
    file.extend([9_u32, 8].map(u32::to_le_bytes).concat());
    file.extend(120_000_u64.to_le_bytes());
    for token in 0..120_000 {
        file.extend(text(&format!("token {token}")));
    }
    file.extend(text("blk.0.x.weight"));
    file.extend(2_u32.to_le_bytes());
    file.extend([4096_u64, 4096].map(u64::to_le_bytes).concat());
    file.extend(0_u32.to_le_bytes());
    file.extend(0_u64.to_le_bytes());
    file.resize(file.len().next_multiple_of(32), 0);
    let front = file.len() as u64;
    file.resize(file.len() + (64 << 20), 0);
    fs::write(folder.path().join("large.gguf"), &file).unwrap();
    let server = Server::start(folder.path(), Manner::Ranges);
    let url = format!("{}/large.gguf", server.origin);
    let text = says(
        &["inspect", &url],
        0,
        "architecture \"mamba2\" is not supported",
    );
    assert!(text.contains("string[120000]"), "{text}");
    let sent = server.sent();
    assert!(
        front > 2_000_000 && sent <= front * 3 / 2,
        "{sent} bytes were sent of a header of {front}"
    );

    let json = says(&["inspect", "--json", &url], 0, "unsupported_model");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        report["tensors"][0]["shape"],
        serde_json::json!([4096, 4096])
    );
    assert_eq!(report["parameters"], 1 << 24);
    assert_eq!(report["memory"], serde_json::Value::Null);
}
