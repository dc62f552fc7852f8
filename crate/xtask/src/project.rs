//! Where things are in the checkout.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::outcome::{Explain, Result};

/// The root of the checkout that `cargo xtask` runs in. Asked at run time: checkouts may share a target folder.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package
        .ancestors()
        .nth(2)
        .map_or_else(|| package.clone(), Path::to_path_buf)
}

/// `path` as people know it: from the root, with slashes.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .to_string_lossy()
        .replace('\\', "/")
}

/// All files under `folder` in a fixed order, without those whose name `skip` holds.
pub(crate) fn files_under(folder: &Path, skip: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, skip, &mut found)?;
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, skip: &[&str], found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).explain(|| format!("cannot list {}", folder.display()))? {
        let entry = entry.explain(|| format!("cannot list {}", folder.display()))?;
        if skip.iter().any(|&name| entry.file_name() == name) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, skip, found)?;
        } else if path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (ix, digit) in digits.chars().enumerate() {
        if ix > 0 && (digits.len() - ix).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text, "{number}");
        }
    }
}
