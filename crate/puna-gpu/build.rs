//! Embeds `shaders/` as a table of (path, text), without comments and indentation: they are a third of it, and as lines stay
//! lines, compilers' messages still point at something that can be read.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root =
        Path::new(&env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../shaders");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut table = String::from("static FILES: &[(&str, &str)] = &[\n");
    for folder in ["kernel", "lib", "quant"] {
        let entries = fs::read_dir(root.join(folder)).expect("shaders/ has this folder");
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.expect("a readable folder").path())
            .collect();
        files.sort();
        for file in files
            .iter()
            .filter(|file| file.extension().is_some_and(|ext| ext == "wgsl"))
        {
            let stem = file
                .file_stem()
                .expect("a file")
                .to_str()
                .expect("an ASCII name");
            let text = fs::read_to_string(file).expect("a readable file");
            assert!(
                !text.contains("/*"),
                "{}: write comments behind //",
                file.display()
            );
            let text: String = text
                .lines()
                .map(code)
                .filter(|line| !line.is_empty())
                .flat_map(|line| [line, "\n"])
                .collect();
            writeln!(table, "({:?}, {text:?}),", format!("{folder}/{stem}"))
                .expect("a string grows");
        }
    }
    table.push_str("];\n");
    let out = Path::new(&env::var("OUT_DIR").expect("set by cargo")).join("shaders.rs");
    fs::write(out, table).expect("the output folder is writable");
}

/// What of a line is no comment and no indentation. WGSL has no texts in which a comment could only seem to begin.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code).trim()
}
