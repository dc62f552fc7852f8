//! `adapter_config.json`, as the `peft` package writes it (<https://huggingface.co/docs/peft/package_reference/lora>).

use serde_json::Value;

use super::names::Half;
use crate::Result;
use crate::checkpoint::Settings;

/// The settings of an adapter.
pub const ADAPTER_CONFIG: &str = "adapter_config.json";
/// Its weights.
pub const ADAPTER_WEIGHTS: &str = "adapter_model.safetensors";
/// What stands in front of the names of the model's modules.
const PREFIX: &str = "base_model.model.";

/// What would be other arithmetic, and what of it is done.
const EXPECTED: [(&str, &[&str]); 7] = [
    ("peft_type", &["\"LORA\""]),
    // Directions with lengths of their own.
    ("use_dora", &["false"]),
    ("lora_bias", &["false"]),
    ("bias", &["\"none\""]),
    // What was trained as a whole belongs into the model.
    ("modules_to_save", &["[]"]),
    ("layer_replication", &["[]"]),
    // Adapters that begin within a prompt.
    ("alora_invocation_tokens", &["[]"]),
];

/// What B·A is multiplied by, module by module.
#[derive(Clone, Debug)]
pub(crate) struct Scaling {
    alpha: f32,
    /// Ends of modules' names that have an alpha of their own.
    own: Vec<(String, f32)>,
    /// Whether the square root of the rank divides it (Kalajdzievski 2023, arXiv 2312.03732).
    by_root: bool,
    /// By tensor of the model.
    of: Vec<(String, f32)>,
}

impl Scaling {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let settings = Settings::of(ADAPTER_CONFIG, bytes)?;
        for (key, known) in EXPECTED {
            settings.expect(key, known)?;
        }
        let alpha = settings.f64("lora_alpha")?;
        let mut own = Vec::new();
        if let Some(Value::Object(pattern)) = settings.get("alpha_pattern") {
            for (name, alpha) in pattern {
                let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
                let alpha = alpha.as_f64().filter(|_| name.chars().all(plain));
                let expected = "names of modules, not expressions, and numbers";
                let alpha = alpha.ok_or_else(|| settings.unsupported("alpha_pattern", expected));
                own.push((name.clone(), narrowed(alpha?)));
            }
        }
        Ok(Self {
            alpha: narrowed(alpha.ok_or_else(|| settings.bad("lora_alpha", "a number"))?),
            own,
            by_root: settings.bool("use_rslora")? == Some(true),
            of: Vec::new(),
        })
    }

    /// That a tensor of the model is of that module.
    pub(super) fn learn(&mut self, target: &str, module: &str) {
        let is_of = |name: &str| {
            let front = module.strip_suffix(name);
            front.is_some_and(|front| front.is_empty() || front.ends_with('.'))
        };
        let own = self.own.iter().find(|(name, _)| is_of(name));
        let alpha = own.map_or(self.alpha, |(_, alpha)| *alpha);
        self.of.push((target.to_owned(), alpha));
    }

    pub(super) fn scale(&self, target: &str, rank: usize) -> f32 {
        let of = self.of.iter().find(|(of, _)| of == target);
        let alpha = of.map_or(self.alpha, |(_, alpha)| *alpha);
        match self.by_root {
            true => alpha / (rank as f32).sqrt(),
            false => alpha / rank as f32,
        }
    }
}

/// The module that a tensor is for, and which half it is; `None` if it is neither A nor B. An adapter's name may stand in it.
pub(super) fn module(tensor: &str) -> Option<(&str, Half)> {
    let inner = tensor.strip_prefix(PREFIX).unwrap_or(tensor);
    let inner = inner.strip_suffix(".weight")?;
    let inner = inner.strip_suffix(".default").unwrap_or(inner);
    let (module, half) = inner.rsplit_once('.')?;
    match half {
        "lora_A" => Some((module, Half::Down)),
        "lora_B" => Some((module, Half::Up)),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "f32 is what weights are")]
const fn narrowed(number: f64) -> f32 {
    number as f32
}
