//! JSON that arrives in pieces, up to where its value ends.

/// Follows an object of JSON, and leaves out the white space between its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    /// Brackets that are open.
    depth: usize,
    in_string: bool,
    /// A backslash was the last character.
    is_escaped: bool,
}

impl Pieces {
    /// More of it: what is to be told of that, how many bytes are the object's, and whether it is complete.
    pub(super) fn push(&mut self, text: &str) -> (String, usize, bool) {
        let mut told = String::new();
        for (at, c) in text.char_indices() {
            match c {
                _ if self.is_escaped => self.is_escaped = false,
                '\\' if self.in_string => self.is_escaped = true,
                '"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                '{' | '[' => self.depth = self.depth.saturating_add(1),
                '}' | ']' => self.depth = self.depth.saturating_sub(1),
                _ if c.is_whitespace() => continue,
                _ => {}
            }
            told.push(c);
            if self.depth == 0 && !self.in_string {
                return (told, at.saturating_add(c.len_utf8()), true);
            }
        }
        (told, text.len(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_ends_where_it_does_however_it_is_cut() {
        let text = r#" {"a" : [1, {}], "b\"}": "\\ } é"} and more}"#;
        let expected = r#"{"a":[1,{}],"b\"}":"\\ } é"}"#;
        for size in 1..text.chars().count() {
            let mut pieces = Pieces::default();
            let (mut told, mut used) = (String::new(), 0);
            let characters: Vec<char> = text.chars().collect();
            for piece in characters.chunks(size) {
                let piece: String = piece.iter().collect();
                let (more, bytes, is_complete) = pieces.push(&piece);
                told.push_str(&more);
                used += bytes;
                if is_complete {
                    break;
                }
            }
            assert_eq!(
                (told.as_str(), text.get(used..)),
                (expected, Some(" and more}"))
            );
        }
    }
}
