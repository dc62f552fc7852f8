//! Embeds `shaders/` as a table of (path, text), without lines that are comments alone: they are a fifth of it.

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
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            let text: String = text
                .lines()
                .filter(is_code)
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
