//! Unicode's tables, which a browser has: its normal forms, the sets of its regular expressions, and where user-perceived
//! characters end.

use std::ops::RangeInclusive;

use js_sys::{Array, Function, JsString, Object, Reflect, RegExp, global};
use puna_core::tokenizer::UnicodeTables;
use wasm_bindgen::{JsCast as _, JsValue};

/// Makes the tokenizers use them.
pub(crate) fn supply() {
    let tables = UnicodeTables {
        normalize: |form, text| String::from(JsString::from(text).normalize(form.name())),
        class,
        graphemes,
    };
    tables.supply();
}

/// Where each user-perceived character ends, in bytes; none where the browser has no `Intl.Segmenter`.
pub(crate) fn graphemes(text: &str) -> Option<Vec<usize>> {
    let intl = get(&global(), "Intl")?;
    // Graphemes are what it finds unless it is told otherwise.
    let segmenter = construct(&intl, "Segmenter", &Array::of1(&JsValue::from("en")))?;
    let segment: Function = get(&segmenter, "segment")?.dyn_into().ok()?;
    let segments = segment.call1(&segmenter, &JsValue::from(text)).ok()?;
    let mut end = 0;
    let mut ends = Vec::new();
    for found in Array::from(&segments).iter() {
        end += get(&found, "segment")?.as_string()?.len();
        ends.push(end);
    }
    Some(ends)
}

/// The characters of `\p{name}`.
pub(crate) fn class(name: &str) -> Option<Vec<RangeInclusive<char>>> {
    // Scripts have their names behind `Script=` alone.
    let runs = [format!("\\p{{{name}}}+"), format!("\\p{{Script={name}}}+")];
    let runs = runs.iter().find_map(|source| expression(source))?;
    let mut ranges = Vec::new();
    // A text of all characters, in parts that end at a code point that is a surrogate, or at the end of a plane.
    let planes = (1..=16_u32).map(|plane| (plane << 16, plane << 16 | 0xFFFF));
    for (first, last) in [(0, 0xD7FF), (0xE000, 0xFFFF)].into_iter().chain(planes) {
        let all: String = (first..=last).filter_map(char::from_u32).collect();
        let Some(found) = JsString::from(all).match_(&runs) else {
            continue;
        };
        for run in Array::from(&found).iter() {
            let run = run.as_string()?;
            ranges.push(run.chars().next()?..=run.chars().next_back()?);
        }
    }
    Some(ranges)
}

/// An expression with the flags `g` and `u`, if the browser takes it.
fn expression(source: &str) -> Option<RegExp> {
    let arguments = Array::of2(&JsValue::from(source), &JsValue::from("gu"));
    construct(&global(), "RegExp", &arguments)?.dyn_into().ok()
}

fn get(of: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(of, &JsValue::from(name)).ok()
}

/// A new object of the class of that name, unless it throws or there is none.
fn construct(of: &JsValue, name: &str, arguments: &Array) -> Option<Object> {
    let constructor: Function = get(of, name)?.dyn_into().ok()?;
    let made = Reflect::construct(&constructor, arguments).ok()?;
    made.dyn_into().ok()
}
