//! Stop strings: an answer ends where one of them begins, and shows nothing of it.

/// Looks for stop strings in text that arrives in parts. Text that may be the beginning of one is held
/// back until it is clear whether it is.
#[derive(Clone, Debug)]
pub struct StopStrings {
    /// None is empty.
    strings: Vec<String>,
    held: String,
    found: Option<String>,
}

impl StopStrings {
    /// Looks for these strings; empty ones are ignored.
    #[must_use]
    pub fn new(mut strings: Vec<String>) -> Self {
        strings.retain(|string| !string.is_empty());
        Self {
            strings,
            held: String::new(),
            found: None,
        }
    }

    /// The one at which the answer ended.
    #[must_use]
    pub fn found(&self) -> Option<&str> {
        self.found.as_deref()
    }

    /// The text that can be shown now, and whether the answer ends here. Of several stop strings the one
    /// that is complete first counts, so that it does not matter how the text is cut into parts.
    pub fn push(&mut self, text: &str) -> (String, bool) {
        if self.strings.is_empty() {
            return (text.to_owned(), false);
        }
        self.held.push_str(text);
        if let Some((start, string)) = self.first() {
            self.found = Some(string.to_owned());
            self.held.truncate(start);
            return (std::mem::take(&mut self.held), true);
        }
        let rest = self.held.split_off(self.undecided());
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// What was held back, at the end of the text: it was no stop string.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// Where the stop string begins that ends first; of those that end together, the longest.
    fn first(&self) -> Option<(usize, &str)> {
        let found = self.strings.iter().filter_map(|string| {
            let start = self.held.find(string.as_str())?;
            Some((start.saturating_add(string.len()), start, string))
        });
        found
            .min()
            .map(|(_, start, string)| (start, string.as_str()))
    }

    /// Where the longest end of the held text begins that a stop string begins with.
    fn undecided(&self) -> usize {
        let longest = self.strings.iter().map(String::len).max().unwrap_or(0);
        let from = self.held.len().saturating_sub(longest.saturating_sub(1));
        let mut starts = (from..self.held.len()).filter(|ix| self.held.is_char_boundary(*ix));
        let is_beginning = |start: &usize| {
            let end = self.held.get(*start..).unwrap_or_default();
            self.strings.iter().any(|string| string.starts_with(end))
        };
        starts.find(is_beginning).unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the parts, the same text is shown, the same end is found, and nothing is held back that
    /// could be shown.
    #[track_caller]
    fn check(strings: &[&str], text: &str, shown: &str, ends: bool) {
        let characters: Vec<String> = text.chars().map(String::from).collect();
        for size in 1..=characters.len().max(1) {
            let mut stops =
                StopStrings::new(strings.iter().map(|&string| string.to_owned()).collect());
            let mut got = String::new();
            let mut ended = false;
            for part in characters.chunks(size) {
                let (text, end) = stops.push(&part.concat());
                got.push_str(&text);
                let longest = strings.iter().map(|string| string.len()).max().unwrap_or(0);
                assert!(
                    end || stops.held.len() < longest.max(1),
                    "held back: {:?}",
                    stops.held
                );
                if end {
                    ended = true;
                    break;
                }
            }
            got.push_str(&stops.finish());
            assert_eq!(
                (got.as_str(), ended),
                (shown, ends),
                "{text:?} in parts of {size} for {strings:?}"
            );
        }
    }

    #[test]
    fn an_answer_ends_before_the_stop_string() {
        check(&["\n\n"], "one\ntwo\n\nthree", "one\ntwo", true);
        check(&["STOP"], "STOP", "", true);
        check(&["STOP"], "STSTOPS", "ST", true);
        check(&["aab"], "aaab", "a", true);
        check(&["→→"], "a→b→→c", "a→b", true);
    }

    #[test]
    fn what_only_looks_like_one_is_shown() {
        check(&["STOP"], "STO", "STO", false);
        check(&["STOP"], "STO P S", "STO P S", false);
        check(&["aab"], "aaaa", "aaaa", false);
        check(&["→→"], "→é→", "→é→", false);
        check(&["", "x"], "", "", false);
        check(&[], "text", "text", false);
        check(&[""], "text", "text", false);
    }

    #[test]
    fn the_one_that_is_complete_first_counts() {
        check(&["abcd", "c"], "xabcd", "xab", true);
        check(&["c", "abc"], "xabc", "x", true);
        check(&["b", "abc"], "abc", "a", true);
    }

    #[test]
    fn text_is_held_back_no_longer_than_needed() {
        let mut stops = StopStrings::new(vec!["</s>".to_owned()]);
        assert_eq!(stops.push("a <"), ("a ".to_owned(), false), "might be one");
        assert_eq!(stops.push("b"), ("<b".to_owned(), false), "is none");
        assert_eq!(stops.push("</"), (String::new(), false), "might be one");
        assert_eq!(stops.finish(), "</", "never came");
    }
}
