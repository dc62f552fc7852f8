//! What an independent implementation says of real models, for the native tests of every executor; included by path.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A real model.
#[derive(Clone, Copy)]
pub(crate) struct Real {
    /// The folder in `tests/golden`.
    folder: &'static str,
    file: &'static str,
    /// What its recorded answers allow more than SmolLM2's: llama.cpp, whose they are, reads GELU from a table of f16.
    #[allow(dead_code, reason = "says nothing where activations have 8 bits")]
    pub(crate) slack: f64,
}

/// Plain, and small enough to be always there.
pub(crate) const SMOLLM2: Real = Real {
    folder: "smollm2-135m-instruct-q4_1",
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    slack: 1.0,
};

/// Windows, norms of queries and keys, a large vocabulary, several types; biases and a head of its own. For full tests.
#[allow(dead_code, reason = "not every test file asks for them")]
pub(crate) const OTHERS: [Real; 2] = [
    Real {
        folder: "gemma3-270m-q4_k_m",
        file: "gemma-3-270m-q4_k_m.gguf",
        slack: 10.0,
    },
    Real {
        folder: "qwen2.5-coder-0.5b-q4",
        file: "qwen2.5-coder-0.5b-instruct-q4.gguf",
        slack: 1.0,
    },
];

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

impl Real {
    /// For messages.
    #[allow(dead_code, reason = "not every test file asks")]
    pub(crate) const fn name(&self) -> &'static str {
        self.folder
    }

    /// Its file in the folder that `PUNA_MODELS` names, else in `models/`.
    pub(crate) fn path(&self, root: &Path) -> PathBuf {
        folder(root).join(self.file)
    }

    /// Every recorded prompt.
    pub(crate) fn prompts(&self, root: &Path) -> Vec<Prompt> {
        prompts(&self.golden(root, "generation.json"))
    }

    /// The recorded text.
    pub(crate) fn text(&self, root: &Path) -> Text {
        let golden = self.golden(root, "perplexity.json");
        Text {
            ids: ids(&golden["ids"]),
            mean_nll: number(&golden["exact"]["mean_nll"]),
        }
    }

    fn golden(&self, root: &Path, name: &str) -> Value {
        let path = root.join("tests/golden").join(self.folder).join(name);
        let text = std::fs::read_to_string(&path).expect("the golden file is in the tree");
        serde_json::from_str(&text).expect("JSON")
    }
}

/// Where real models are.
pub(crate) fn folder(root: &Path) -> PathBuf {
    std::env::var_os("PUNA_MODELS").map_or_else(|| root.join("models"), PathBuf::from)
}

fn prompts(golden: &Value) -> Vec<Prompt> {
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

/// Negative log likelihood of `next`, in nats.
pub(crate) fn nll(logits: &[f32], next: u32) -> f64 {
    let max = f64::from(logits.iter().copied().fold(f32::MIN, f32::max));
    let sum: f64 = logits.iter().map(|&x| (f64::from(x) - max).exp()).sum();
    max + sum.ln() - f64::from(logits[next as usize])
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
