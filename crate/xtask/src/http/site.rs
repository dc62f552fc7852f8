//! Which file a URL path means: folders and single files mounted at paths.

use std::path::{Path, PathBuf};

/// Folders and files by the path they are served at.
#[derive(Debug, Default)]
pub(crate) struct Site {
    /// Longest path first.
    mounts: Vec<(String, PathBuf)>,
}

impl Site {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Serves `target` at `path`: a folder with all that is in it, or one file. The longest path wins.
    pub(crate) fn mount(mut self, path: &str, target: PathBuf) -> Self {
        self.mounts.push((path.to_owned(), target));
        self.mounts
            .sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        self
    }

    /// The file that a request's target means; nothing where there is none.
    pub(super) fn file(&self, target: &str) -> Option<PathBuf> {
        let path = decode(target.split(['?', '#']).next()?)?;
        let (mount, place) = self.mounts.iter().find(|(mount, _)| covers(mount, &path))?;
        let rest = path.get(mount.len()..)?.trim_start_matches('/');
        let file = if rest.is_empty() {
            place.clone()
        } else {
            inside(place, rest)?
        };
        let file = if file.is_dir() {
            file.join("index.html")
        } else {
            file
        };
        file.is_file().then_some(file)
    }
}

/// Whether `path` is `mount` or lies below it.
fn covers(mount: &str, path: &str) -> bool {
    path.strip_prefix(mount)
        .is_some_and(|rest| rest.is_empty() || mount.ends_with('/') || rest.starts_with('/'))
}

/// `rest` below `folder`, unless a part of it could lead elsewhere or is hidden.
fn inside(folder: &Path, rest: &str) -> Option<PathBuf> {
    let mut path = folder.to_path_buf();
    for segment in rest.trim_end_matches('/').split('/') {
        let odd =
            segment.is_empty() || segment.starts_with('.') || segment.contains(['\\', ':', '\0']);
        if odd {
            return None;
        }
        path.push(segment);
    }
    Some(path)
}

/// Percent-decodes a path; nothing when it is malformed.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let byte = if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

/// A file name as a segment of a URL, also inside a query.
pub(crate) fn encode_segment(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_name_decodes_to_itself() {
        let name = "a b+ü%.gguf";
        assert_eq!(
            decode(&encode_segment(name)).as_deref(),
            Some(name),
            "round trip"
        );
    }

    #[test]
    fn mount_covers_itself_and_what_is_below() {
        for (mount, path, expected) in [
            ("/", "/x", true),
            ("/models", "/models", true),
            ("/models", "/models/x", true),
            ("/models", "/models2", false),
        ] {
            assert_eq!(covers(mount, path), expected, "{mount} {path}");
        }
    }
}
