//! Where a model's chat templates are written down.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::weights::header::Metadata;
use crate::{Error, Result};

/// Bytes of a template; the longest known have some 20 thousand.
const MAX_BYTES: usize = 1 << 20;
/// Named templates of a model; Command R has three.
const MAX_NAMED: usize = 64;
/// Bytes of a `tokenizer_config.json`; Gemma 3's has 1.1 million.
const MAX_CONFIG_BYTES: usize = 64 << 20;

/// The templates of a model, as text.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) default: Option<String>,
    /// For prompts with tools, if the model has one of its own for them.
    pub(super) tool_use: Option<String>,
}

impl Sources {
    /// `tokenizer.chat_template` and `tokenizer.chat_template.tool_use`.
    pub(super) fn from_gguf(metadata: &Metadata) -> Self {
        let text = |key| metadata.str(key).map(str::to_owned);
        Self {
            default: text("tokenizer.chat_template"),
            tool_use: text("tokenizer.chat_template.tool_use"),
        }
    }

    /// `chat_template` of a `tokenizer_config.json`; a `chat_template.jinja` takes the place of its default.
    pub(super) fn from_json(config: &[u8], jinja: Option<&str>) -> Result<Self> {
        if config.len() > MAX_CONFIG_BYTES {
            return Err(Error::bad_model_file(format!(
                "tokenizer_config.json has {} bytes; at most {MAX_CONFIG_BYTES} are possible",
                config.len()
            )));
        }
        let config: Config = serde_json::from_slice(config)
            .map_err(|error| Error::bad_model_file(format!("tokenizer_config.json: {error}")))?;
        let mut sources = config.chat_template.unwrap_or_default();
        if let Some(jinja) = jinja {
            sources.default = Some(jinja.to_owned());
        }
        Ok(sources)
    }

    /// An error if one is too long.
    pub(super) fn check(&self) -> Result<()> {
        for source in [&self.default, &self.tool_use].into_iter().flatten() {
            if source.len() > MAX_BYTES {
                return Err(Error::unsupported_model(format!(
                    "the chat template has {} bytes; at most {MAX_BYTES} are supported",
                    source.len()
                )));
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, template: String) {
        match name {
            "default" => self.default = Some(template),
            "tool_use" => self.tool_use = Some(template),
            // Others are for protocols of their own.
            _ => {}
        }
    }
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    chat_template: Option<Sources>,
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
            template: String,
        }

        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Sources;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a chat template, or an array of objects with name and template")
            }

            fn visit_str<E>(self, template: &str) -> Result<Sources, E> {
                let mut sources = Sources::default();
                sources.set("default", template.to_owned());
                Ok(sources)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Sources, A::Error> {
                let mut sources = Sources::default();
                let mut count = 0;
                while let Some(Named { name, template }) = seq.next_element()? {
                    sources.set(&name, template);
                    count += 1;
                    if count > MAX_NAMED {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_NAMED} chat templates"
                        )));
                    }
                }
                Ok(sources)
            }
        }
        deserializer.deserialize_any(Visit)
    }
}
