//! The options of `load`, as the worker passes them on.

use puna_core::Error;
use puna_core::prepared::Wishes;
use puna_core::quant::Format;
use puna_gpu::shader::variant::KvType;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::loader::CacheMode;

/// Reads an enum by the names of its values. What serde derives for one is compiled for each, a kilobyte of wasm every time.
macro_rules! named {
    ($of:ident: $($name:literal => $value:ident),+) => {
        impl<'de> Deserialize<'de> for $of {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const VALUES: &[$of] = &[$($of::$value),+];
                let at = which(deserializer, &[$($name),+])?;
                VALUES.get(at).copied().ok_or_else(|| D::Error::custom("no value"))
            }
        }
    };
}

/// Which of some names a text is.
fn which<'de, D: Deserializer<'de>>(deserializer: D, names: &[&str]) -> Result<usize, D::Error> {
    let name = String::deserialize(deserializer)?;
    let found = names.iter().position(|it| *it == name);
    found.ok_or_else(|| {
        let names = names.join(", ");
        D::Error::custom(format!("unknown value {name:?}, expected one of {names}"))
    })
}

/// `null` and an absent field are the same. Unknown fields are refused by name.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Most tokens of the context.
    pub(crate) context_length: Option<u32>,
    /// In place of the model's own.
    chat_template: Option<String>,
    /// What runs the model: the worker has chosen.
    device: Option<Device>,
    /// Why it was chosen, for the description of the device.
    device_reason: Option<String>,
    cache: Option<Cache>,
    /// Whether the server is asked if a cached file has changed.
    revalidate: Option<bool>,
    kv_cache: Option<KvCache>,
    /// What weights that the file has as floats are rounded to as they come.
    quantize: Option<String>,
    variant: Option<Variant>,
    precision: Option<Precision>,
    poke: Option<Poke>,
    /// Whether shaders are timed on the device, to take the fastest.
    tune: Option<bool>,
    /// Threads of the CPU's executor; a measurement says where none are given.
    threads: Option<u32>,
    /// The build of the CPU's module; the best that the browser can run where none is given.
    simd: Option<SimdBuild>,
    /// Most bytes of the CPU's memory.
    memory_bytes: Option<u64>,
    /// Adapters, whose sources are given apart.
    pub(crate) adapters: Vec<AdapterOption>,
}

/// An adapter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdapterOption {
    /// What requests call it; as its file is called where none is given.
    pub(crate) name: Option<String>,
    /// What it is multiplied by where a request says nothing.
    pub(crate) scale: f32,
}

/// What runs the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// The GPU.
    Webgpu,
    /// The CPU.
    Cpu,
}

named!(Device: "webgpu" => Webgpu, "cpu" => Cpu);

impl Device {
    /// As options and reports call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Webgpu => "webgpu",
            Self::Cpu => "cpu",
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum SimdBuild {
    Simd128,
    Relaxed,
}

named!(SimdBuild: "simd128" => Simd128, "relaxed" => Relaxed);

#[derive(Clone, Copy, Debug)]
enum Cache {
    Opfs,
    None,
}

named!(Cache: "opfs" => Opfs, "none" => None);

#[derive(Clone, Copy, Debug)]
enum KvCache {
    F16,
    F32,
    Q8,
}

named!(KvCache: "f16" => F16, "f32" => F32, "q8" => Q8);

/// The family of shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The best that the device can do.
    Auto,
    /// Sums by subgroup operations.
    Subgroup,
    /// Sums through workgroup memory.
    Shared,
    /// Without barriers.
    Serial,
}

named!(Variant: "auto" => Auto, "subgroup" => Subgroup, "shared" => Shared, "serial" => Serial);

/// Arithmetic of the shaders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// f16 where the device has it and is no software adapter.
    Auto,
    /// f32.
    F32,
    /// f16.
    F16,
}

named!(Precision: "auto" => Auto, "f32" => F32, "f16" => F16);

/// Whether pending read-backs are poked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poke {
    /// Where a measurement says that it helps.
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

named!(Poke: "auto" => Auto, "on" => On, "off" => Off);

impl Options {
    /// Reads the JSON of the options.
    ///
    /// # Errors
    /// `invalid_request` naming the field.
    pub(crate) fn parse(json: &str) -> puna_core::Result<Self> {
        puna_core::json::read(json)
            .map_err(|error| Error::invalid_request("options", format!("options: {error}")))
    }

    pub(crate) fn device(&self) -> Device {
        self.device.unwrap_or(Device::Webgpu)
    }

    pub(crate) fn device_reason(&self) -> &str {
        self.device_reason.as_deref().unwrap_or("asked for")
    }

    pub(crate) const fn threads(&self) -> Option<u32> {
        self.threads
    }

    pub(crate) fn simd(&self) -> Option<&'static str> {
        self.simd.map(|build| match build {
            SimdBuild::Simd128 => "simd128",
            SimdBuild::Relaxed => "relaxed",
        })
    }

    pub(crate) const fn memory_bytes(&self) -> Option<u64> {
        self.memory_bytes
    }

    pub(crate) fn cache(&self) -> CacheMode {
        match self.cache {
            None => CacheMode::Auto,
            Some(Cache::Opfs) => CacheMode::Required,
            Some(Cache::None) => CacheMode::Off,
        }
    }

    pub(crate) fn revalidate(&self) -> bool {
        self.revalidate.unwrap_or(false)
    }

    /// What is asked for of the model.
    ///
    /// # Errors
    /// `invalid_request` for a name of nothing.
    pub(crate) fn wishes(&self) -> puna_core::Result<Wishes<'_>> {
        let quantize = self.quantize.as_deref().map(|name| {
            Format::named(name).ok_or_else(|| {
                let message = format!("there is no format {name:?}; expected q8_0 or q4_0");
                Error::invalid_request("quantize", message)
            })
        });
        Ok(Wishes {
            context_length: self.context_length,
            quantize: quantize.transpose()?,
            chat_template: self.chat_template.as_deref(),
        })
    }

    pub(crate) fn kv(&self) -> KvType {
        match self.kv_cache {
            Some(KvCache::F32) => KvType::F32,
            Some(KvCache::Q8) => KvType::Q8,
            Some(KvCache::F16) | None => KvType::F16,
        }
    }

    pub(crate) fn variant(&self) -> Variant {
        self.variant.unwrap_or(Variant::Auto)
    }

    /// Whether shaders are timed on the device; yes by default.
    pub(crate) fn tune(&self) -> bool {
        self.tune.unwrap_or(true)
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision.unwrap_or(Precision::Auto)
    }

    pub(crate) fn poke(&self) -> Poke {
        self.poke.unwrap_or(Poke::Auto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_refused_by_name() {
        let error = Options::parse(r#"{"kv_cahce": "f16"}"#).unwrap_err();
        assert!(error.message().contains("kv_cahce"), "{error}");
        let error = Options::parse(r#"{"kv_cache": "f8"}"#).unwrap_err();
        let message = error.message();
        assert!(
            message.contains("\"f8\", expected one of f16, f32, q8"),
            "{error}"
        );
    }

    #[test]
    fn values_are_read_by_their_names() {
        let json = r#"{"device": "cpu", "cache": "none", "kv_cache": "f32", "variant": "serial", "precision": "f16",
            "poke": "off", "simd": "relaxed", "tune": null}"#;
        let options = Options::parse(json).unwrap();
        assert_eq!(options.device(), Device::Cpu);
        assert_eq!(options.cache(), CacheMode::Off);
        assert_eq!(options.kv(), KvType::F32);
        assert_eq!(options.variant(), Variant::Serial);
        assert_eq!(options.precision(), Precision::F16);
        assert_eq!(options.poke(), Poke::Off);
        assert_eq!(options.simd(), Some("relaxed"));
    }

    #[test]
    fn absent_options_are_the_defaults() {
        let options = Options::parse("{}").unwrap();
        assert_eq!(
            (
                options.cache(),
                options.kv(),
                options.variant(),
                options.precision(),
                options.poke()
            ),
            (
                CacheMode::Auto,
                KvType::F16,
                Variant::Auto,
                Precision::Auto,
                Poke::Auto
            ),
            "nothing given"
        );
    }
}
