//! Unicode's normal forms by the browser's own tables.

use js_sys::JsString;
use puna_core::tokenizer::NormalForm;

/// Makes the tokenizers use them.
pub(crate) fn supply() {
    NormalForm::supply(|form, text| String::from(JsString::from(text).normalize(form.name())));
}
