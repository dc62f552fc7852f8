use super::*;
use crate::tokenizer::pre;

/// Parts, and whether they are matches.
type Parts = Vec<(String, bool)>;

fn parts(pattern: &Pattern, text: &str) -> Parts {
    let mut parts = Vec::new();
    pattern
        .cut(text, &Work::of(text.len()), |part, is_match| {
            parts.push((part.to_owned(), is_match));
            Ok(())
        })
        .unwrap();
    parts
}

/// What the engine inside the `tokenizers` crate makes of it.
fn expected(regex: &fancy_regex::Regex, text: &str) -> Parts {
    let mut parts = Vec::new();
    let mut end = 0;
    for matched in regex.find_iter(text) {
        let matched = matched.unwrap();
        parts.push((text[end..matched.start()].to_owned(), false));
        parts.push((matched.as_str().to_owned(), true));
        end = matched.end();
    }
    parts.push((text[end..].to_owned(), false));
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

/// Texts of pieces that expressions tell apart.
pub(in crate::tokenizer) fn texts(count: usize) -> Vec<String> {
    const PIECES: &[&str] = &[
        "a",
        "b",
        "Z",
        "s",
        "\u{17f}",
        "K",
        "é",
        "e\u{301}",
        "ß",
        "中",
        "文",
        "か",
        "カ",
        "한",
        "д",
        "Ж",
        "ǅ",
        "ª",
        "0",
        "1",
        "23",
        "٣",
        "Ⅷ",
        "²",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\u{a0}",
        "\u{3000}",
        "\u{200b}",
        "'s",
        "'LL",
        "'",
        ".",
        ",",
        "!",
        "…",
        "—",
        "$",
        "+",
        "`",
        "_",
        "(",
        ")",
        "\\",
        "/",
        "😀",
        "👩\u{200d}🔬",
        "\u{301}",
        "\u{10400}",
    ];
    let mut state = 1_u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(99);
        usize::try_from(state >> 33).unwrap() % below
    };
    (0..count)
        .map(|_| {
            (0..random(24))
                .map(|_| PIECES[random(PIECES.len())])
                .collect()
        })
        .collect()
}

#[track_caller]
fn check_all(source: &str, texts: &[String]) {
    let pattern = Pattern::expression(source).unwrap();
    let regex = fancy_regex::Regex::new(source).unwrap();
    for text in texts {
        assert_eq!(
            parts(&pattern, text),
            expected(&regex, text),
            "{source} in {text:?}"
        );
    }
}

#[test]
fn the_pre_tokenizers_cut_as_the_librarys_engine_does() {
    let texts = texts(400);
    for source in pre::tests::expressions() {
        check_all(source, &texts);
    }
}

#[test]
fn the_whole_syntax_means_what_it_does_to_the_librarys_engine() {
    let texts = texts(200);
    for source in [
        "",
        "a|",
        "|a",
        "(a|b)*s",
        "(?:a|ab)(?:b|)",
        "(a*)*b",
        "(a*)+",
        "(?:a?){2,3}b",
        "(?:a|b){2}",
        "(?:a|b){2,}?",
        "a*?b",
        "a+?",
        "a??b",
        "a{2}",
        "a{,2}b",
        "a{1,2}?",
        "a*+a",
        "a++b",
        "[ab]?+b",
        "(?:a|ab)++b",
        "(?>a|ab)s",
        "(?>a*)a",
        "(?=a)[ab]+",
        "(?!a)[ab]+",
        "(?<=a)b|(?<!a)s",
        "(?<=a|ab)s",
        "(?<!a|ab)s",
        r"(?<=\s\p{L})\S",
        "(?i)k|S|É|ß|ж",
        "(?i:s)s",
        "(?i:[^s])",
        "(?i)[a-z]+",
        "(?i:a(?-i:b))",
        "(?s).+",
        ".+",
        "(?s:.).",
        "^a|a$",
        "(?m)^.|.$",
        r"\A\s|\s\z",
        r"\b\w|\w\B",
        r"\w+|\W",
        r"\d+|\D",
        r"\s+|\S",
        r"[\w--\d]+",
        r"[\p{L}&&[^a-z]]+",
        r"[a-zа-я~~a-c]+",
        "[[:alpha:]]+|[[:^digit:]]",
        "[]a]|[^]a]",
        r"[\]\[\-a]",
        "[a-]|[-b]",
        r"[\x41-\x5a]|\x{e9}|\u00e9|\u{4e2d}|\U00004e2d",
        r"\p{Lu}|\p{Greek}|\p{Han}|\p{Script=Cyrillic}",
        r"\pL|\PN",
        r"\p{Letter}|\p{Nd}|\p{White_Space}",
        r"\t|\n|\r|\f|\v|\a|\e",
        r"\h\H",
        "(?P<name>a)(?<other>b)?",
        "a{|b{a}|{",
        r"\'\.\-\/\$",
        r"\u{1F600}|😀",
    ] {
        check_all(source, &texts);
    }
}

#[test]
fn parts_cover_the_text() {
    let of = |parts: &[(&str, bool)]| parts.iter().map(|&(t, m)| (t.to_owned(), m)).collect();
    let cases: [(Pattern, &str, Parts); 5] = [
        (
            Pattern::expression(r"\d+").unwrap(),
            "a12b3",
            of(&[("a", false), ("12", true), ("b", false), ("3", true)]),
        ),
        (
            Pattern::Text("1".to_owned()),
            "11",
            of(&[("1", true), ("1", true)]),
        ),
        (Pattern::Text(String::new()), "ab", of(&[("ab", false)])),
        // Empty matches cut and add nothing.
        (
            Pattern::expression("(?=b)").unwrap(),
            "ab",
            of(&[("a", false), ("b", false)]),
        ),
        (
            Pattern::Character(char::is_whitespace),
            "é\u{3000} b",
            of(&[("é", false), ("\u{3000}", true), (" ", true), ("b", false)]),
        ),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(parts(&pattern, text), expected, "{text:?}");
    }
}

#[test]
fn an_expression_that_is_none_or_too_much_is_refused() {
    for (source, reason) in [
        ("(", "without its `)`"),
        (")", "without its `(`"),
        ("[a", "without its `]`"),
        ("[[:alpha]", "`[:`"),
        ("[[:letter:]]", "unknown"),
        ("[b-a]", "range"),
        (r"[a-\d]", "range"),
        ("a{2,1}", "less than its least"),
        ("a{99999999999}", "too large"),
        ("*a", "repetition of nothing"),
        ("(?x)a", "flag"),
        ("(?'n'a)", "flag"),
        (r"(a)\1", "not supported"),
        (r"\p{Nonsense}", "unknown"),
        (r"\p{L", "without its `}`"),
        (r"\p{a b}", "unknown"),
        (r"\", "nothing behind"),
        (r"\x{d800}", "no character"),
        (r"\x4", "fewer digits"),
        (r"(?<=a+)b", "no certain length"),
        (r"((a\p{L}){1000}){1000}", "steps"),
        (&"(".repeat(100), "in each other"),
        (&"a".repeat(100_000), "bytes"),
        (&format!("a{}", "*".repeat(100)), "repetitions"),
        // What the tree of one would take, before it is known to have too many steps.
        (&r"\w".repeat(30_000), "parts"),
        (&format!("[{}]", r"\w".repeat(30_000)), "ranges"),
        (&"x?".repeat(10_001), "parts"),
        (
            &format!("{}a{}", "(".repeat(64), "*+*+)".repeat(64)),
            "in each other",
        ),
        (
            &('A'..='Z')
                .map(|c| format!(r"\p{{L{c}}}"))
                .collect::<String>(),
            "unknown",
        ),
    ] {
        let error = Pattern::expression(source).err().unwrap_or_default();
        assert!(error.contains(reason), "{source:.20}: {error}");
    }
}

#[test]
fn giving_up_is_an_error() {
    for source in ["(a*)*b", "(a|aa)+b"] {
        let pattern = Pattern::expression(source).unwrap();
        let text = "a".repeat(2000);
        let error = pattern.cut(&text, &Work::of(text.len()), |_, _| Ok(()));
        let error = error.expect_err(source);
        assert!(error.message().contains("gave up"), "{error}");
    }
}

#[test]
fn long_texts_are_no_reason_to_give_up() {
    for piece in ["a", " ", "\n", "1", "ab1 .", "中文", "'s", "\u{301}", "!"] {
        for source in pre::tests::expressions() {
            // Some look at all digits of a number from each of its digits.
            let all_digits = source.contains(r"\d{3})") && piece == "1";
            let text = piece.repeat(if all_digits { 3000 } else { 100_000 });
            let pattern = Pattern::expression(source).unwrap();
            let whole: usize = parts(&pattern, &text)
                .iter()
                .map(|(part, _)| part.len())
                .sum();
            assert_eq!(whole, text.len(), "{source} in {piece:?}");
        }
    }
}
