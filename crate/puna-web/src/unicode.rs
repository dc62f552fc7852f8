//! Unicode's tables, which a browser has: its normal forms, and the sets of its regular expressions.

use std::ops::RangeInclusive;

use js_sys::{Array, Function, JsString, Reflect, RegExp, global};
use puna_core::tokenizer::UnicodeTables;
use wasm_bindgen::{JsCast as _, JsValue};

/// Makes the tokenizers use them.
pub(crate) fn supply() {
    let tables = UnicodeTables {
        normalize: |form, text| String::from(JsString::from(text).normalize(form.name())),
        class,
    };
    tables.supply();
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
    let constructor = Reflect::get(&global(), &JsValue::from("RegExp")).ok()?;
    let constructor: Function = constructor.dyn_into().ok()?;
    let arguments = Array::of2(&JsValue::from(source), &JsValue::from("gu"));
    let made = Reflect::construct(&constructor, &arguments).ok()?;
    made.dyn_into().ok()
}
