//! The one tag of chat templates that Jinja does not have.

use std::borrow::Cow;

/// Replaces `{% generation %}` and `{% endgeneration %}`, which mark the model's own words for training
/// and print nothing, by an `if` that holds. Line numbers and whitespace control stay.
pub(super) fn without_generation(source: &str) -> Cow<'_, str> {
    if !source.contains("generation") {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, tag, after)) = next_tag(rest) {
        out.push_str(before);
        let inner = tag.trim_matches(['-', '+']);
        let replaced = match inner.trim() {
            "generation" => tag.replacen("generation", "if true", 1),
            "endgeneration" => tag.replacen("endgeneration", "endif", 1),
            _ => tag.to_owned(),
        };
        out.push_str("{%");
        out.push_str(&replaced);
        out.push_str("%}");
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What is before the next `{% … %}`, inside it, and behind it.
fn next_tag(source: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = source.split_once("{%")?;
    let (tag, after) = rest.split_once("%}")?;
    Some((before, tag, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_that_tag_is_replaced() {
        let cases = [
            (
                "{% generation %}x{% endgeneration %}",
                "{% if true %}x{% endif %}",
            ),
            (
                "a{%- generation -%}x{%+endgeneration%}b",
                "a{%- if true -%}x{%+endif%}b",
            ),
            (
                "{% if add_generation_prompt %}y{% endif %}",
                "{% if add_generation_prompt %}y{% endif %}",
            ),
            (
                "{{ 'generation' }} {% generation",
                "{{ 'generation' }} {% generation",
            ),
            ("generation", "generation"),
        ];
        for (source, expected) in cases {
            assert_eq!(without_generation(source), expected, "{source}");
        }
    }
}
