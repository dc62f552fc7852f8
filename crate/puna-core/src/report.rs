//! What a header tells of a model, for people who decide whether to load it: `puna inspect`, and `inspect` in JavaScript.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::graph::Graph;
use crate::prepared::Prepared;
use crate::quant::FORMATS;
use crate::sorted::sorted;
use crate::weights::header::{Header, TensorInfo, type_name};
use crate::{Error, Result, model};

/// The first context whose memory is told, in tokens; each is so many times the one before, up to the model's own limit.
const FIRST_CONTEXT: u32 = 2048;
const CONTEXT_GROWTH: u32 = 4;
/// Bytes of an element of the cache as it is by default, in f16.
const CACHE_ELEMENT_BYTES: u64 = 2;

/// What a model is, from its header alone.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `GGUF v3`, or `safetensors`.
    pub format: String,
    /// Files that it is in.
    pub files: usize,
    /// Their bytes together.
    pub file_bytes: u64,
    /// Bytes in front of the first tensor.
    pub header_bytes: u64,
    /// What its authors call it.
    pub name: Option<String>,
    /// `general.architecture`.
    pub architecture: Option<String>,
    /// Numbers in all its tensors.
    pub parameters: u64,
    /// Most tokens of a conversation, as it was made.
    pub context_length: Option<u32>,
    /// Elements of a text's vector, where it makes such.
    pub embedding_dimensions: Option<u32>,
    /// The metadata by its keys; long arrays by type and length.
    pub metadata: Map<String, Value>,
    /// What types its tensors have.
    pub types: Vec<TypeRow>,
    /// The tensors in the header's order.
    pub tensors: Vec<TensorRow>,
    /// What it takes to run it; none if its architecture or a type of its weights is not known.
    pub memory: Option<MemoryTable>,
    /// Why nothing can run it, as [`Error::to_json`] has it.
    pub problem: Option<Value>,
}

/// The tensors of a type.
#[derive(Clone, Debug, Serialize)]
pub struct TypeRow {
    /// Its name, `Q4_K`.
    pub name: String,
    /// How many tensors have it.
    pub tensors: u64,
    /// Numbers in them.
    pub elements: u64,
    /// Bytes that they have.
    pub bytes: u64,
    /// Bits that a number takes.
    pub bits_per_weight: f64,
}

/// A tensor.
#[derive(Clone, Debug, Serialize)]
pub struct TensorRow {
    /// Its name, as GGUF has it.
    pub name: String,
    /// Its type's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// Outermost first: (R, K).
    pub shape: Vec<u64>,
    /// Where its bytes begin, from the start of the file.
    pub offset: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

/// Memory that a model takes on a GPU, in bytes.
#[derive(Clone, Debug, Serialize)]
pub struct MemoryTable {
    /// Weights as they are.
    pub weights_bytes: u64,
    /// Weights rounded while they come, where that takes less.
    pub rounded: Vec<RoundedRow>,
    /// Conversations of some lengths, besides the weights.
    pub contexts: Vec<ContextRow>,
}

/// Weights that are rounded while they come.
#[derive(Clone, Debug, Serialize)]
pub struct RoundedRow {
    /// The option's value, `q8_0`.
    pub quantize: &'static str,
    /// Bytes of all weights.
    pub weights_bytes: u64,
}

/// A conversation.
#[derive(Clone, Debug, Serialize)]
pub struct ContextRow {
    /// Tokens.
    pub tokens: u32,
    /// Bytes of their keys and values in f16.
    pub bytes: u64,
}

impl Report {
    /// Of a header that was read and checked, of files of that many bytes together, and of what came of preparing it.
    #[must_use]
    pub fn new(header: &Header, file_bytes: u64, prepared: &Result<Prepared>) -> Self {
        let opened = model::open(header).ok();
        let (config, graph) = opened
            .as_ref()
            .map(|(config, graph)| (config, graph))
            .unzip();
        let text = |key: &str| header.metadata.str(key).map(str::to_owned);
        let metadata = header.metadata.keys();
        let metadata =
            metadata.filter_map(|key| Some((key.to_owned(), header.metadata.json(key)?)));
        Self {
            format: header.origin.to_string(),
            files: header.starts.len(),
            file_bytes,
            header_bytes: header.data_offset,
            name: text("general.name"),
            architecture: text("general.architecture"),
            parameters: header
                .tensors
                .iter()
                .map(elements)
                .fold(0, u64::saturating_add),
            context_length: graph.map(|graph| graph.longest_context),
            embedding_dimensions: config.and_then(|it| it.pooling.map(|_| it.hidden_size)),
            metadata: metadata.collect(),
            types: types(&header.tensors),
            tensors: header.tensors.iter().map(tensor).collect(),
            memory: graph.map(memory),
            problem: prepared.as_ref().err().map(Error::to_json),
        }
    }
}

fn elements(tensor: &TensorInfo) -> u64 {
    let dims = tensor.dims.iter();
    dims.fold(1, |product: u64, dim| product.saturating_mul(*dim))
}

fn tensor(tensor: &TensorInfo) -> TensorRow {
    TensorRow {
        name: tensor.name.clone(),
        kind: name_of(tensor.ggml_type),
        shape: tensor.dims.iter().rev().copied().collect(),
        offset: tensor.offset,
        bytes: tensor.bytes,
    }
}

fn name_of(ggml_type: u32) -> String {
    type_name(ggml_type).map_or_else(|| ggml_type.to_string(), str::to_owned)
}

fn types(tensors: &[TensorInfo]) -> Vec<TypeRow> {
    let tensors = sorted(
        tensors.iter().collect(),
        &|a: &&TensorInfo, b: &&TensorInfo| a.ggml_type.cmp(&b.ggml_type),
    );
    let mut rows: Vec<TypeRow> = Vec::new();
    for same in tensors.chunk_by(|a, b| a.ggml_type == b.ggml_type) {
        let sum = |of: fn(&TensorInfo) -> u64| {
            let each = same.iter().map(|tensor| of(tensor));
            each.fold(0, u64::saturating_add)
        };
        rows.extend(same.first().map(|first| TypeRow {
            name: name_of(first.ggml_type),
            tensors: sum(|_| 1),
            elements: sum(elements),
            bytes: sum(|tensor| tensor.bytes),
            bits_per_weight: 0.0,
        }));
    }
    for row in &mut rows {
        #[allow(clippy::cast_precision_loss, reason = "it is read by people")]
        let bits = 8.0 * row.bytes as f64 / row.elements as f64;
        row.bits_per_weight = bits;
    }
    rows
}

fn memory(graph: &Graph) -> MemoryTable {
    let weights_bytes = graph.weights_bytes();
    // Of weights that are rounded already this leaves what they are.
    let rounded = FORMATS.iter().filter_map(|format| {
        let rounded = graph.clone().quantized(format).ok()?;
        Some(RoundedRow {
            quantize: format.name,
            weights_bytes: rounded.weights_bytes(),
        })
    });
    let mut contexts = Vec::new();
    let mut wanted = FIRST_CONTEXT;
    loop {
        let tokens = wanted.min(graph.longest_context);
        let token_bytes = graph.kv.token_bytes(CACHE_ELEMENT_BYTES);
        contexts.push(ContextRow {
            tokens,
            bytes: token_bytes.saturating_mul(tokens.into()),
        });
        if tokens == graph.longest_context {
            break;
        }
        wanted = wanted.saturating_mul(CONTEXT_GROWTH);
    }
    MemoryTable {
        weights_bytes,
        rounded: rounded
            .filter(|row| row.weights_bytes < weights_bytes)
            .collect(),
        contexts,
    }
}
