//! What an independent implementation says of SmolLM2, for the native tests of every executor; included by path.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The model's file in the folder that `PUNA_MODELS` names, else in `models/`.
pub(crate) fn path(root: &Path) -> PathBuf {
    let folder = std::env::var_os("PUNA_MODELS").map_or_else(|| root.join("models"), PathBuf::from);
    folder.join("SmolLM2-135M-Instruct.Q4_1.gguf")
}

/// A prompt and its exact answer.
pub(crate) struct Prompt {
    pub(crate) name: String,
    pub(crate) ids: Vec<u32>,
    /// The 20 largest logits of the last position.
    top: Vec<(usize, f64)>,
    /// The ids that are chosen greedily, each with the lead of its logit over the next.
    #[allow(dead_code, reason = "says nothing where activations have 8 bits")]
    pub(crate) greedy: Vec<(u32, f64)>,
}

impl Prompt {
    /// How far the farthest of the largest logits is off.
    pub(crate) fn worst(&self, logits: &[f32]) -> f64 {
        let off = |&(id, want): &(usize, f64)| (f64::from(logits[id]) - want).abs();
        self.top.iter().map(off).fold(0.0, f64::max)
    }
}

/// Every recorded prompt.
pub(crate) fn prompts(root: &Path) -> Vec<Prompt> {
    let golden = golden(root, "generation.json");
    let prompts = golden["prompts"].as_object().expect("prompts").iter();
    prompts
        .map(|(name, prompt)| {
            let exact = &prompt["exact"];
            let top = exact["top"].as_array().expect("the 20 largest").iter();
            let margins = exact["greedy_margin"].as_array().expect("margins").iter();
            Prompt {
                name: name.clone(),
                ids: ids(&prompt["ids"]),
                top: top
                    .map(|pair| (id(&pair[0]) as usize, number(&pair[1])))
                    .collect(),
                greedy: ids(&exact["greedy"])
                    .into_iter()
                    .zip(margins.map(number))
                    .collect(),
            }
        })
        .collect()
}

/// A text, and how likely it is.
pub(crate) struct Text {
    pub(crate) ids: Vec<u32>,
    /// Mean negative log likelihood of each next token, in nats.
    pub(crate) mean_nll: f64,
}

/// The recorded text.
pub(crate) fn text(root: &Path) -> Text {
    let golden = golden(root, "perplexity.json");
    Text {
        ids: ids(&golden["ids"]),
        mean_nll: number(&golden["exact"]["mean_nll"]),
    }
}

/// Negative log likelihood of `next`, in nats.
pub(crate) fn nll(logits: &[f32], next: u32) -> f64 {
    let max = f64::from(logits.iter().copied().fold(f32::MIN, f32::max));
    let sum: f64 = logits.iter().map(|&x| (f64::from(x) - max).exp()).sum();
    max + sum.ln() - f64::from(logits[next as usize])
}

fn golden(root: &Path, name: &str) -> Value {
    let path = root
        .join("tests/golden/smollm2-135m-instruct-q4_1")
        .join(name);
    let text = std::fs::read_to_string(&path).expect("the golden file is in the tree");
    serde_json::from_str(&text).expect("JSON")
}

fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .expect("a list of ids")
        .iter()
        .map(id)
        .collect()
}

fn id(value: &Value) -> u32 {
    let id = value.as_u64().expect("an id");
    u32::try_from(id).expect("a small one")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}
