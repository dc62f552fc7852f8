//! What an answer over HTTP means, and whether to ask again. Pure: it sees status and headers as plain values.

use std::ops::Range;

use puna_core::{Error, ErrorCode, Result};

/// Attempts without any progress before giving up.
pub(crate) const TRIES: u32 = 4;
/// Wait after the first failed attempt; it doubles.
const FIRST_DELAY_MS: u32 = 250;
/// No wait is longer, whatever the server asks for.
const MAX_DELAY_MS: u32 = 20_000;

/// What of an answer is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) content_range: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_length: Option<String>,
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    /// Whether a header that isn't there might be there and hidden: an answer from another origin.
    pub(crate) may_hide: bool,
}

/// What a body holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The range that was asked for, cut at the end of the file. `total` is the size of the file.
    Range { total: Option<u64> },
    /// The whole file: the server does not know ranges.
    Whole { total: Option<u64> },
}

/// What the answer to a request for `asked` holds (`None`: for the whole file), or why it is of no use.
pub(crate) fn judge(asked: Option<&Range<u64>>, head: &Head, url: &str) -> Result<Answer> {
    let encoded = head
        .content_encoding
        .as_deref()
        .is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match (head.status, asked) {
        (206, Some(asked)) => {
            if encoded {
                let encoding = head.content_encoding.as_deref().unwrap_or_default();
                return Err(failed(
                    head,
                    url,
                    &format!(
                        "it sent a part of the {encoding}-compressed file; switch compression off for it"
                    ),
                ));
            }
            let total = match &head.content_range {
                Some(text) => check_range(asked, text, head, url)?,
                None if head.may_hide => None,
                None => return Err(failed(head, url, "it sent no Content-Range")),
            };
            Ok(Answer::Range { total })
        }
        (200, _) => {
            let length = head
                .content_length
                .as_deref()
                .and_then(|text| text.trim().parse().ok());
            // The length of a compressed body is not the file's, and the encoding may be hidden.
            let total = length.filter(|_| !encoded && !head.may_hide);
            Ok(Answer::Whole { total })
        }
        (416, Some(asked)) if asked.start == 0 => {
            Err(Error::bad_model_file(format!("GET {url}: the file is empty")).detail("url", url))
        }
        (416, Some(asked)) => Err(failed(
            head,
            url,
            &format!("the file ends before byte {}", asked.start),
        )),
        _ => Err(failed(head, url, meaning(head.status))),
    }
}

/// The size of the file. Fails unless the range is the one asked for, or as much of it as the file has.
fn check_range(asked: &Range<u64>, text: &str, head: &Head, url: &str) -> Result<Option<u64>> {
    let got = parse_content_range(text);
    if let Some((range, total)) = &got
        && range.start == asked.start
        && range.end == total.map_or(range.end.min(asked.end), |total| total.min(asked.end))
    {
        return Ok(*total);
    }
    let expected = format!("bytes {}-{}", asked.start, asked.end.saturating_sub(1));
    let error = failed(
        head,
        url,
        &format!("it sent another range: expected {expected}, got {text:?}"),
    );
    Err(error.detail("expected", expected).detail("got", text))
}

/// `bytes 0-99/1000` → `(0..100, Some(1000))`; the total may be `*`.
fn parse_content_range(text: &str) -> Option<(Range<u64>, Option<u64>)> {
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, total) = rest.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, end) = (number(first)?, number(last)?.checked_add(1)?);
    let total = if total == "*" {
        None
    } else {
        Some(number(total)?)
    };
    let sound =
        unit.eq_ignore_ascii_case("bytes") && first < end && total.is_none_or(|total| end <= total);
    sound.then_some((first..end, total))
}

fn failed(head: &Head, url: &str, why: &str) -> Error {
    Error::new(
        ErrorCode::Network,
        format!("GET {url}: the server answered {}: {why}", head.status),
    )
    .detail("status", head.status)
    .detail("url", url)
}

fn meaning(status: u16) -> &'static str {
    match status {
        401 | 403 => "access is refused; is the model public, the link still valid?",
        404 | 410 => "there is no such file",
        429 => "too many requests",
        500.. => "the server has failed",
        _ => "expected 206 or 200",
    }
}

/// Whether the same request may well succeed later.
pub(crate) fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 502 | 503 | 504)
}

/// How long to wait before the next attempt, after `failed` of them without progress. `None`: give up.
pub(crate) fn delay_ms(failed: u32, asked_for_ms: Option<u32>) -> Option<u32> {
    if failed >= TRIES {
        return None;
    }
    let own = FIRST_DELAY_MS.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
    Some(asked_for_ms.unwrap_or(0).max(own).min(MAX_DELAY_MS))
}

/// What `Retry-After` asks for: seconds, or a date that `parse_date` turns into milliseconds.
pub(crate) fn retry_after_ms(
    text: &str,
    now_ms: f64,
    parse_date: impl Fn(&str) -> f64,
) -> Option<u32> {
    let ms = match text.trim().parse::<u32>() {
        Ok(seconds) => f64::from(seconds) * 1000.0,
        Err(_) => parse_date(text) - now_ms,
    };
    // Casts of floats saturate; a date that isn't one is NaN.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates"
    )]
    (!ms.is_nan()).then_some(ms as u32)
}

/// What tells one version of a file from another, as kept in the cache's index.
pub(crate) fn validator(head: &Head) -> Option<String> {
    match (&head.etag, &head.last_modified) {
        (Some(etag), _) => Some(format!("etag {}", etag.trim_start_matches("W/"))),
        (None, Some(date)) => Some(format!("modified {date}")),
        (None, None) => None,
    }
}

/// Whether two validators show that the file has changed. Nothing is shown by one that is missing or of another kind.
pub(crate) fn changed(before: Option<&str>, after: Option<&str>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    let kind = |text: &str| text.split(' ').next().map(str::to_owned);
    kind(before) == kind(after) && before != after
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]
mod tests {
    use super::*;

    const URL: &str = "https://a.b/m.gguf";

    fn head(status: u16, range: Option<&str>) -> Head {
        Head {
            status,
            content_range: range.map(str::to_owned),
            ..Head::default()
        }
    }

    #[track_caller]
    fn refused(asked: Range<u64>, head: &Head, says: &str) -> Error {
        let error = judge(Some(&asked), head, URL).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Network, "{error}");
        assert!(
            error.message().contains(says),
            "{error} should say {says:?}"
        );
        assert_eq!(
            (&error.details()["status"], &error.details()["url"]),
            (&head.status.into(), &URL.into()),
            "{error}"
        );
        error
    }

    #[test]
    fn content_ranges_are_read_strictly() {
        assert_eq!(
            parse_content_range("bytes 0-99/1000"),
            Some((0..100, Some(1000))),
            "plain"
        );
        assert_eq!(
            parse_content_range("bytes 5-5/*"),
            Some((5..6, None)),
            "unknown total"
        );
        for wrong in [
            "",
            "bytes",
            "bytes */1000",
            "bytes 9-5/10",
            "bytes 0-10/10",
            "items 0-1/2",
            "bytes 0-+1/2",
            "bytes -1/2",
            "bytes 0-18446744073709551615/*",
            "bytes 0-1",
            "bytes 0-1/x",
            "bytes 0-1/",
        ] {
            assert_eq!(parse_content_range(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_range_must_be_the_one_asked_for() {
        let range = |text| judge(Some(&(100..200)), &head(206, Some(text)), URL);
        assert_eq!(
            range("bytes 100-199/1000").unwrap(),
            Answer::Range { total: Some(1000) },
            "as asked"
        );
        assert_eq!(
            range("bytes 100-149/150").unwrap(),
            Answer::Range { total: Some(150) },
            "cut at the end"
        );
        assert_eq!(
            range("bytes 100-199/*").unwrap(),
            Answer::Range { total: None },
            "total unknown"
        );
        for wrong in [
            "bytes 0-99/1000",
            "bytes 101-200/1000",
            "bytes 100-149/1000",
            "bytes 100-299/1000",
            "nonsense",
        ] {
            let error = refused(100..200, &head(206, Some(wrong)), "another range");
            assert_eq!(error.details()["expected"], "bytes 100-199", "{error}");
            assert_eq!(error.details()["got"], wrong, "{error}");
        }
    }

    #[test]
    fn a_hidden_content_range_is_accepted_from_another_origin_only() {
        refused(0..10, &head(206, None), "no Content-Range");
        let hidden = Head {
            may_hide: true,
            ..head(206, None)
        };
        assert_eq!(
            judge(Some(&(0..10)), &hidden, URL).unwrap(),
            Answer::Range { total: None },
            "CORS hides it"
        );
    }

    #[test]
    fn compressed_answers_are_not_taken_for_the_file() {
        let gzip = |status| Head {
            content_encoding: Some("gzip".to_owned()),
            content_length: Some("77".to_owned()),
            ..head(status, Some("bytes 0-9/77"))
        };
        refused(0..10, &gzip(206), "gzip-compressed");
        assert_eq!(
            judge(Some(&(0..10)), &gzip(200), URL).unwrap(),
            Answer::Whole { total: None },
            "decoded by the browser"
        );
        let plain = Head {
            content_encoding: None,
            ..gzip(200)
        };
        assert_eq!(
            judge(None, &plain, URL).unwrap(),
            Answer::Whole { total: Some(77) },
            "its own length"
        );
        let hidden = Head {
            may_hide: true,
            ..plain
        };
        assert_eq!(
            judge(None, &hidden, URL).unwrap(),
            Answer::Whole { total: None },
            "the encoding may be hidden"
        );
    }

    #[test]
    fn other_answers_are_errors_with_status_and_url() {
        refused(0..10, &head(404, None), "no such file");
        refused(0..10, &head(500, None), "the server has failed");
        refused(0..10, &head(403, None), "access is refused");
        refused(
            50..60,
            &head(416, Some("bytes */40")),
            "ends before byte 50",
        );
        let empty = judge(Some(&(0..10)), &head(416, Some("bytes */0")), URL).unwrap_err();
        assert_eq!(empty.code(), ErrorCode::BadModelFile, "{empty}");
        refused(0..10, &head(204, None), "expected 206 or 200");
        assert!(
            judge(None, &head(206, Some("bytes 0-9/10")), URL).is_err(),
            "nobody asked for a part"
        );
    }

    #[test]
    fn waits_double_are_bounded_and_end() {
        let waits: Vec<_> = (1..=5).map(|failed| delay_ms(failed, None)).collect();
        assert_eq!(
            waits,
            [Some(250), Some(500), Some(1000), None, None],
            "four tries in all"
        );
        assert_eq!(delay_ms(1, Some(3000)), Some(3000), "the server's wish");
        assert_eq!(delay_ms(1, Some(10_000_000)), Some(20_000), "within bounds");
        assert_eq!(delay_ms(4, Some(1)), None, "but no more tries");
        assert!(
            is_transient(503) && is_transient(429) && !is_transient(500) && !is_transient(404),
            "which may pass"
        );
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = |text: &str| if text == "soon" { 5000.0 } else { f64::NAN };
        assert_eq!(retry_after_ms("2", 0.0, date), Some(2000), "seconds");
        assert_eq!(retry_after_ms("soon", 4000.0, date), Some(1000), "a date");
        assert_eq!(retry_after_ms("soon", 9000.0, date), Some(0), "in the past");
        assert_eq!(retry_after_ms("whenever", 0.0, date), None, "neither");
    }

    #[test]
    fn a_changed_file_is_seen() {
        let with = |etag: Option<&str>, date: Option<&str>| {
            validator(&Head {
                etag: etag.map(str::to_owned),
                last_modified: date.map(str::to_owned),
                ..Head::default()
            })
        };
        let (a, b, weak) = (
            with(Some("\"a\""), Some("x")),
            with(Some("\"b\""), Some("x")),
            with(Some("W/\"a\""), None),
        );
        assert!(changed(a.as_deref(), b.as_deref()), "another ETag");
        assert!(
            !changed(a.as_deref(), weak.as_deref()),
            "weak and strong forms of one"
        );
        assert!(
            !changed(a.as_deref(), with(None, Some("y")).as_deref()),
            "of different kinds"
        );
        assert!(
            changed(
                with(None, Some("x")).as_deref(),
                with(None, Some("y")).as_deref()
            ),
            "another date"
        );
        assert!(
            !changed(None, a.as_deref()) && with(None, None).is_none(),
            "nothing to compare"
        );
    }
}
