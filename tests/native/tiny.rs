//! Tiny models of every architecture, and what an independent implementation says of them; included by path.

use std::path::{Path, PathBuf};

use puna_core::checkpoint::{self, COMPANIONS, Companions, Shard};
use puna_core::quant::Format;
use puna_core::weights::header::{Header, Parsed, TensorInfo};
use puna_core::weights::safetensors::{self, Safetensors};

/// A model file and its logits.
#[derive(Clone, Copy)]
pub(crate) struct Tiny {
    /// The folder in `tests/golden`.
    folder: &'static str,
    /// The type of its weights.
    pub(crate) format: &'static str,
    /// What logits of float32 arithmetic may be off, in standard deviations of the logits.
    pub(crate) tolerance: f32,
    /// Most tokens of the context to ask for.
    pub(crate) context_length: Option<u32>,
    /// Tensors with this in their names are as floats, which have the same values.
    floats: Option<&'static str>,
}

const fn tiny(folder: &'static str, format: &'static str) -> Tiny {
    Tiny {
        folder,
        format,
        tolerance: 1e-3,
        context_length: None,
        floats: None,
    }
}

const fn mixed(tiny: Tiny, floats: &'static str) -> Tiny {
    Tiny {
        floats: Some(floats),
        ..tiny
    }
}

/// llama.cpp, whose logits these are, reads GELU from a table of f16.
const fn gelu(folder: &'static str, format: &'static str) -> Tiny {
    Tiny {
        tolerance: 5e-3,
        ..tiny(folder, format)
    }
}

/// A plain Llama in the usual types.
pub(crate) const LLAMAS: &[Tiny] = &[
    tiny("llama-256", "Q4_1"),
    tiny("llama-256", "Q8_0"),
    tiny("llama-256", "Q4_K"),
    tiny("llama-256", "Q6_K"),
];

/// The same in a type of each other kind.
pub(crate) const FORMATS: &[Tiny] = &[
    tiny("llama-256", "IQ2_S"),
    tiny("llama-256", "IQ4_XS"),
    tiny("llama-256", "IQ1_M"),
    tiny("llama-256", "TQ1_0"),
    tiny("llama-256", "IQ2_KL"),
    tiny("llama-256", "IQ4_KS"),
];

/// One file of each architecture, and what is special about some.
pub(crate) const ARCHITECTURES: &[Tiny] = &[
    // As many key heads as query heads.
    tiny("tiny/llama-mha", "Q4_0"),
    // Scaled rotation, tied head.
    tiny("tiny/llama3", "Q5_1"),
    tiny("tiny/mistral", "Q4_1"),
    tiny("tiny/mixtral", "Q8_0"),
    tiny("tiny/llama4", "Q8_0"),
    tiny("tiny/qwen2", "Q5_0"),
    tiny("tiny/qwen3", "Q8_0"),
    tiny("tiny/qwen3-moe", "Q4_0"),
    gelu("tiny/gemma2", "Q8_0"),
    gelu("tiny/gemma3", "Q5_0"),
    tiny("tiny/phi3", "Q4_1"),
    tiny("tiny/phi3-longrope", "F16"),
    tiny("tiny/olmo2", "Q8_0"),
    tiny("tiny/deepseek-v2-lite", "F16"),
    tiny("tiny/deepseek-v2", "F16"),
    tiny("tiny/deepseek-v3", "Q8_0"),
    tiny("tiny/gpt-oss", "MXFP4"),
];

/// Gates and what comes through them in two formats.
pub(crate) const MIXED: &[Tiny] = &[
    mixed(tiny("llama-256", "Q8_0"), "ffn_up"),
    mixed(gelu("tiny/gemma3", "Q5_0"), "ffn_gate"),
    // Of shared experts; those that are chosen share one.
    mixed(tiny("tiny/deepseek-v3", "Q8_0"), "ffn_up_shexp"),
];

/// A model in several files, of which `path` is none.
pub(crate) const SPLIT: Tiny = tiny("tiny/qwen3", "F16-split");

/// What is in safetensors.
const SAFETENSORS: &str = "safetensors";

/// Checkpoints as transformers writes them.
pub(crate) const CHECKPOINTS: &[Tiny] = &[
    // Scaled rotation, tied head; in three files.
    tiny("tiny/llama3", SAFETENSORS),
    // With a window, which GGUF has not.
    tiny("tiny/mistral", SAFETENSORS),
    // A tensor an expert, in BF16.
    tiny("tiny/mixtral", SAFETENSORS),
    tiny("tiny/qwen2", SAFETENSORS),
    tiny("tiny/qwen3-moe", SAFETENSORS),
    // Gains less 1, two rotations, in BF16.
    tiny("tiny/gemma3", SAFETENSORS),
    tiny("tiny/olmo2", SAFETENSORS),
    tiny("tiny/phi3-longrope", SAFETENSORS),
    // Chunks and temperatures that a prompt of 40 tokens reaches; experts with columns as rows.
    tiny("tiny/llama4-chunked", SAFETENSORS),
    // Keys and values of all heads in one tensor.
    tiny("tiny/deepseek-v2", SAFETENSORS),
    tiny("tiny/deepseek-v3", SAFETENSORS),
    // A layer in four that does not rotate.
    tiny("tiny/smollm3", SAFETENSORS),
    // Biases, sinks, gates and what they let through row by row.
    tiny("tiny/gpt-oss", SAFETENSORS),
];

/// Models that make vectors of texts.
pub(crate) const ENCODERS: &[Tiny] = &[
    tiny("tiny/bert", "Q8_0"),
    tiny("tiny/bert", SAFETENSORS),
    // Rotation, gates.
    tiny("tiny/nomic-bert", "Q8_0"),
    tiny("tiny/nomic-bert", SAFETENSORS),
];

/// All that write texts.
pub(crate) fn all() -> impl Iterator<Item = &'static Tiny> {
    let others = ARCHITECTURES.iter().chain(CHECKPOINTS).chain(MIXED);
    LLAMAS.iter().chain(FORMATS).chain(others)
}

/// What the other implementation says.
pub(crate) struct Golden {
    /// (40,): a prompt.
    pub(crate) ids: Vec<u32>,
    /// (8,): the answer that is chosen greedily.
    pub(crate) greedy: Vec<u32>,
    /// (40, V).
    pub(crate) logits: Vec<f32>,
    /// (8, V): row i after `greedy[i]`.
    pub(crate) greedy_logits: Vec<f32>,
}

/// What it says of an encoder.
pub(crate) struct Vectors {
    /// (40,): a text.
    pub(crate) ids: Vec<u32>,
    /// (40, D).
    pub(crate) hidden: Vec<f32>,
    /// (D,): their mean, divided by its length.
    pub(crate) pooled: Vec<f32>,
}

impl Golden {
    /// `V`.
    pub(crate) fn vocab(&self) -> usize {
        self.logits.len() / self.ids.len()
    }
}

impl Tiny {
    /// For messages.
    pub(crate) fn name(&self) -> String {
        let floats = self.floats.map(|name| format!(" but for {name}"));
        format!(
            "{} {}{}",
            self.folder,
            self.format,
            floats.unwrap_or_default()
        )
    }

    /// The model's bytes, its files put end to end, and its header.
    pub(crate) fn read(&self, root: &Path) -> (Vec<u8>, Header) {
        if self.format == SAFETENSORS {
            return read_checkpoint(&root.join("tests/golden").join(self.folder));
        }
        let mut bytes = std::fs::read(self.path(root)).expect("the golden file is in the tree");
        let Parsed::Done(mut header) = Header::from_gguf(&bytes).expect("a good header") else {
            panic!("{} ends inside its header", self.name());
        };
        let as_floats = |tensor: &&mut TensorInfo| {
            let name = self.floats;
            name.is_some_and(|name| tensor.name.contains(name))
        };
        for tensor in header.tensors.iter_mut().filter(as_floats) {
            let [at, size] =
                [tensor.offset, tensor.bytes].map(|it| usize::try_from(it).expect("small"));
            let format = Format::of(&tensor.name, tensor.ggml_type).expect("a format");
            let cols = usize::try_from(tensor.dims[0]).expect("small");
            let values = format.dequantize_rows(&bytes[at..at + size], cols);
            bytes.resize(bytes.len().next_multiple_of(32), 0);
            tensor.offset = bytes.len() as u64;
            tensor.bytes = 4 * values.len() as u64;
            tensor.ggml_type = 0;
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        (bytes, header)
    }

    /// The model's file.
    pub(crate) fn path(&self, root: &Path) -> PathBuf {
        let stem = self.folder.rsplit('/').next().unwrap_or_default();
        let file = format!("{stem}-{}.gguf", self.format);
        root.join("tests/golden").join(self.folder).join(file)
    }

    /// The first of the model's files, if it was split.
    pub(crate) fn first_of(&self, root: &Path, count: u32) -> PathBuf {
        let stem = self.path(root).with_extension("");
        PathBuf::from(format!("{}-00001-of-{count:05}.gguf", stem.display()))
    }

    /// What must come out of it.
    pub(crate) fn golden(&self, root: &Path) -> Golden {
        let expected = self.expected(root);
        let floats = |name: &str| expected.floats(self, name);
        Golden {
            ids: expected.words("input_ids"),
            greedy: expected.words("greedy_ids"),
            logits: floats("logits"),
            greedy_logits: floats("greedy_logits"),
        }
    }

    /// What must come out of an encoder.
    pub(crate) fn vectors(&self, root: &Path) -> Vectors {
        let expected = self.expected(root);
        Vectors {
            ids: expected.words("input_ids"),
            hidden: expected.floats(self, "hidden"),
            pooled: expected.floats(self, "pooled"),
        }
    }

    fn expected(&self, root: &Path) -> Expected {
        let path = root.join("tests/golden").join(self.folder);
        let bytes = std::fs::read(path.join("expected.safetensors"));
        let bytes = bytes.expect("the golden file is in the tree");
        let table = safetensors_table(&bytes);
        Expected { bytes, table }
    }
}

/// Tensors of 32 bits.
struct Expected {
    bytes: Vec<u8>,
    table: Safetensors,
}

impl Expected {
    fn words(&self, name: &str) -> Vec<u32> {
        let mut entries = self.table.tensors.iter();
        let entry = entries.find(|entry| entry.name == name);
        let entry = entry.unwrap_or_else(|| panic!("{name} is not in the golden file"));
        let start = usize::try_from(entry.offset).expect("small");
        let end = start + usize::try_from(entry.bytes).expect("small");
        let words = self.bytes[start..end].as_chunks().0.iter();
        words.map(|&word| u32::from_le_bytes(word)).collect()
    }

    /// Those of a type; those of the checkpoint that the others were made of have none in front.
    fn floats(&self, tiny: &Tiny, name: &str) -> Vec<f32> {
        let name = match tiny.format {
            SAFETENSORS => name.to_owned(),
            format => format!("{format}.{name}"),
        };
        self.words(&name).into_iter().map(f32::from_bits).collect()
    }
}

/// The header of a whole safetensors file.
fn safetensors_table(bytes: &[u8]) -> Safetensors {
    match safetensors::parse(bytes).expect("a good header") {
        Parsed::Done(table) => table,
        Parsed::NeedMore { .. } => panic!("it ends inside its header"),
    }
}

/// A checkpoint's files, put end to end.
fn read_checkpoint(folder: &Path) -> (Vec<u8>, Header) {
    let mut companions = Companions::default();
    let mut files = Vec::new();
    for name in COMPANIONS {
        if let Ok(bytes) = std::fs::read(folder.join(name)) {
            companions.push(name, bytes.clone()).expect("in its order");
            files.push(bytes);
        }
    }
    let mut shards = Vec::new();
    for name in companions.shards().expect("a good index") {
        let bytes = std::fs::read(folder.join(name)).expect("the golden file is in the tree");
        shards.push(Shard {
            header: safetensors_table(&bytes),
            bytes: bytes.len() as u64,
        });
        files.push(bytes);
    }
    let (header, end) = checkpoint::header(companions, shards).expect("a good checkpoint");
    let mut whole = Vec::new();
    for (bytes, start) in files.iter().zip(&header.starts) {
        whole.resize(usize::try_from(*start).expect("small"), 0);
        whole.extend(bytes);
    }
    assert_eq!(whole.len() as u64, end, "all of it");
    (whole, header)
}

/// The largest difference, in standard deviations of `want`.
pub(crate) fn worst(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len(), "as many logits as the golden ones");
    let mean = want.iter().sum::<f32>() / want.len() as f32;
    let squares = want.iter().map(|x| (x - mean) * (x - mean));
    let deviation = (squares.sum::<f32>() / want.len() as f32).sqrt();
    let differences = got.iter().zip(want).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max) / deviation
}
