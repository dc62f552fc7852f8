//! Models of true shapes with random weights, as GGUF: what measures speed needs no download, and peers can load the same
//! file. Their words mean nothing.

use crate::quant::{FORMATS, Format};
use crate::random::Random;
use crate::tokenizer::bytes::to_char;
use crate::weights::writer::{ALIGNMENT, Writer};
use crate::{Error, Result};

/// Sizes of a Llama (each model's `config.json` at Hugging Face).
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// On the command line.
    pub name: &'static str,
    /// Layers.
    pub layers: u32,
    /// `D`.
    pub hidden: u32,
    /// `H`.
    pub heads: u32,
    /// `Hkv`.
    pub kv_heads: u32,
    /// `Dh`.
    pub head_dim: u32,
    /// `F`.
    pub feed_forward: u32,
    /// `V`.
    pub vocab: u32,
    /// Most tokens of the context.
    pub context: u32,
    /// Base of the rotations' frequencies.
    pub rope_theta: f32,
    /// The output reads the table of embeddings.
    pub is_tied: bool,
    /// Pre-tokenizer, as GGUF names it.
    pub pre: &'static str,
}

/// The shapes that there are.
pub static SHAPES: &[Shape] = &[
    Shape {
        name: "smollm2-135m",
        layers: 30,
        hidden: 576,
        heads: 9,
        kv_heads: 3,
        head_dim: 64,
        feed_forward: 1536,
        vocab: 49_152,
        context: 8192,
        rope_theta: 1e5,
        is_tied: true,
        pre: "smollm",
    },
    Shape {
        name: "llama-3.2-1b",
        layers: 16,
        hidden: 2048,
        heads: 32,
        kv_heads: 8,
        head_dim: 64,
        feed_forward: 8192,
        vocab: 128_256,
        context: 131_072,
        rope_theta: 5e5,
        is_tied: true,
        pre: "llama-bpe",
    },
    Shape {
        name: "llama-3.1-8b",
        layers: 32,
        hidden: 4096,
        heads: 32,
        kv_heads: 8,
        head_dim: 128,
        feed_forward: 14_336,
        vocab: 128_256,
        context: 131_072,
        rope_theta: 5e5,
        is_tied: false,
        pre: "llama-bpe",
    },
];

/// Tokens that stand for a byte each.
const BYTES: u32 = 256;
/// Types of metadata in GGUF.
const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
/// Types of tokens in GGUF.
const NORMAL: i32 = 1;
const CONTROL: i32 = 3;

/// A model that can be written.
#[derive(Debug)]
pub struct Synthetic {
    header: Vec<u8>,
    tensors: Vec<Tensor>,
}

#[derive(Clone, Debug)]
struct Tensor {
    name: String,
    /// Of its matrix; `None` for a norm's gain in f32.
    format: Option<&'static Format>,
    /// (1 or R, K).
    rows: u32,
    cols: u32,
}

impl Tensor {
    /// Bytes of a row.
    fn row_bytes(&self) -> usize {
        let cols = self.cols as usize;
        self.format
            .map_or(cols * size_of::<f32>(), |format| format.row_bytes(cols))
    }

    /// Bytes of all of it, without what fills it up.
    fn bytes(&self) -> u64 {
        u64::from(self.rows) * self.row_bytes() as u64
    }

    /// With what fills it up.
    fn padded(&self) -> u64 {
        self.bytes().next_multiple_of(ALIGNMENT as u64)
    }
}

impl Synthetic {
    /// By `SHAPE:FORMAT`, as `llama-3.2-1b:q4_0`: all matrices in that format.
    ///
    /// # Errors
    /// `invalid_request` naming the shapes or the formats that there are, or the rows that are no whole blocks.
    pub fn named(name: &str) -> Result<Self> {
        let wrong = |what: &str, names: Vec<&str>| {
            Error::invalid_request(
                "model",
                format!(
                    "{name:?}: {what}; expected SHAPE:FORMAT with one of {}",
                    names.join(", ")
                ),
            )
        };
        let shapes = || SHAPES.iter().map(|shape| shape.name).collect();
        let formats = || FORMATS.iter().map(|format| format.name).collect();
        let Some((shape, format)) = name.split_once(':') else {
            return Err(wrong("it names no format", formats()));
        };
        let Some(shape) = SHAPES.iter().find(|known| known.name == shape) else {
            return Err(wrong(&format!("there is no shape {shape:?}"), shapes()));
        };
        let Some(format) = FORMATS.iter().find(|known| known.name == format) else {
            return Err(wrong(&format!("there is no format {format:?}"), formats()));
        };
        Self::new(shape, format)
    }

    /// Of a shape, all matrices in a format.
    ///
    /// # Errors
    /// `invalid_request` where a row is no whole number of the format's blocks.
    pub fn new(shape: &Shape, format: &'static Format) -> Result<Self> {
        let tensors = tensors(shape, format);
        for Tensor { name, cols, .. } in tensors.iter().filter(|tensor| tensor.format.is_some()) {
            if !(*cols as usize).is_multiple_of(format.block_len) {
                return Err(Error::invalid_request(
                    "model",
                    format!(
                        "{}: the rows of {name} have {cols} weights, and {} needs a multiple of {}; take a format with smaller blocks",
                        shape.name, format.name, format.block_len
                    ),
                ));
            }
        }
        let mut writer = metadata(shape, format);
        let mut offset = 0;
        for tensor in &tensors {
            let dims = [u64::from(tensor.cols), u64::from(tensor.rows)];
            let (dims, kind) = match tensor.format {
                Some(format) => (&dims[..], format.ggml_type),
                None => (&dims[..1], 0),
            };
            writer = writer.tensor(&tensor.name, dims, kind, offset);
            offset += tensor.padded();
        }
        Ok(Self {
            header: writer.build(),
            tensors,
        })
    }

    /// The file's beginning: all that is known of the model before its weights.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Bytes of the file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        let tensors = self.tensors.iter().map(Tensor::padded);
        self.header.len() as u64 + tensors.sum::<u64>()
    }

    /// Writes the file in pieces, the same bytes every time.
    ///
    /// # Errors
    /// What `sink` fails with.
    pub fn write<E>(
        &self,
        mut sink: impl FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        sink(&self.header)?;
        let mut random = Random(0);
        let mut row = Vec::new();
        for tensor in &self.tensors {
            row.resize(tensor.row_bytes(), 0);
            for _ in 0..tensor.rows {
                tensor.fill(&mut random, &mut row);
                sink(&row)?;
            }
            let padding = usize::try_from(tensor.padded() - tensor.bytes()).unwrap_or(0);
            sink(&[0; ALIGNMENT][..padding])?;
        }
        Ok(())
    }
}

impl Tensor {
    /// Random weights of a row.
    fn fill(&self, random: &mut Random, row: &mut [u8]) {
        match self.format {
            Some(format) => format.sample_row(&mut || random.word(), row),
            // Gains so small that a projection of what is normed has about the size of what went into the norm: weights are
            // larger than a trained model's.
            None => row.as_chunks_mut::<4>().0.iter_mut().for_each(|gain| {
                let unit = (random.word() >> 8) as f32 / 16_777_216.0;
                *gain = (0.02 + 0.04 * unit).to_le_bytes();
            }),
        }
    }
}

/// The tensors of a Llama, in llama.cpp's names and order.
fn tensors(shape: &Shape, format: &'static Format) -> Vec<Tensor> {
    let matrix = |name: String, rows: u32, cols: u32| Tensor {
        name,
        format: Some(format),
        rows,
        cols,
    };
    let gain = |name: String| Tensor {
        name,
        format: None,
        rows: 1,
        cols: shape.hidden,
    };
    let (hidden, queries) = (shape.hidden, shape.heads * shape.head_dim);
    let keys = shape.kv_heads * shape.head_dim;
    let mut all = vec![matrix("token_embd.weight".to_owned(), shape.vocab, hidden)];
    for layer in 0..shape.layers {
        let name = |part: &str| format!("blk.{layer}.{part}.weight");
        all.extend([
            gain(name("attn_norm")),
            matrix(name("attn_q"), queries, hidden),
            matrix(name("attn_k"), keys, hidden),
            matrix(name("attn_v"), keys, hidden),
            matrix(name("attn_output"), hidden, queries),
            gain(name("ffn_norm")),
            matrix(name("ffn_gate"), shape.feed_forward, hidden),
            matrix(name("ffn_up"), shape.feed_forward, hidden),
            matrix(name("ffn_down"), hidden, shape.feed_forward),
        ]);
    }
    all.push(gain("output_norm.weight".to_owned()));
    if !shape.is_tied {
        all.push(matrix("output.weight".to_owned(), shape.vocab, hidden));
    }
    all
}

/// What a Llama's file says of it.
fn metadata(shape: &Shape, format: &Format) -> Writer {
    let number = |value: u32| value.to_le_bytes();
    let mut writer = Writer::new().str("general.architecture", "llama").str(
        "general.name",
        &format!("{} {}, random", shape.name, format.name),
    );
    for (key, value) in [
        ("vocab_size", shape.vocab),
        ("context_length", shape.context),
        ("embedding_length", shape.hidden),
        ("block_count", shape.layers),
        ("feed_forward_length", shape.feed_forward),
        ("attention.head_count", shape.heads),
        ("attention.head_count_kv", shape.kv_heads),
        ("attention.key_length", shape.head_dim),
        ("attention.value_length", shape.head_dim),
        ("rope.dimension_count", shape.head_dim),
    ] {
        writer = writer.pair(&format!("llama.{key}"), U32, number(value));
    }
    let end = BYTES;
    let tokens: Vec<String> = (0..shape.vocab).map(token).collect();
    let kind = |id| if id == end { CONTROL } else { NORMAL };
    let kinds: Vec<u8> = (0..shape.vocab)
        .flat_map(|id| kind(id).to_le_bytes())
        .collect();
    writer
        .pair("llama.rope.freq_base", F32, shape.rope_theta.to_le_bytes())
        .pair(
            "llama.attention.layer_norm_rms_epsilon",
            F32,
            1e-5f32.to_le_bytes(),
        )
        .str("tokenizer.ggml.model", "gpt2")
        .str("tokenizer.ggml.pre", shape.pre)
        .strs("tokenizer.ggml.tokens", &tokens)
        .array(
            "tokenizer.ggml.token_type",
            I32,
            u64::from(shape.vocab),
            kinds,
        )
        // One that merges two bytes: readers want an array of strings.
        .strs("tokenizer.ggml.merges", &["a b"])
        .pair("tokenizer.ggml.bos_token_id", U32, number(end))
        .pair("tokenizer.ggml.eos_token_id", U32, number(end))
}

/// The token of an id: a byte in the alphabet of GPT-2's BPE, the end of a text, the one merged pair, words that occur nowhere.
fn token(id: u32) -> String {
    if let Ok(byte) = u8::try_from(id) {
        return to_char(byte).to_string();
    }
    match id {
        256 => "<|end|>".to_owned(),
        257 => "ab".to_owned(),
        _ => format!("random{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;
    use crate::weights::header::{Header, Parsed};

    fn parsed(synthetic: &Synthetic) -> Header {
        match Header::from_gguf(synthetic.header()) {
            Ok(Parsed::Done(header)) => header,
            other => panic!("expected a whole header, got {other:?}"),
        }
    }

    #[test]
    fn every_shape_is_a_model_in_every_format_that_fits() {
        // What differs by format is the length of blocks and whether rows have scales.
        let mut formats: Vec<&'static Format> = FORMATS.to_vec();
        formats.sort_by_key(|format| (format.block_len, format.head_bytes()));
        formats.dedup_by_key(|format| (format.block_len, format.head_bytes()));
        for shape in SHAPES {
            for &format in &formats {
                let made = Synthetic::new(shape, format);
                let len = format.block_len;
                if !(shape.hidden as usize).is_multiple_of(len) {
                    let error = made.expect_err("no whole blocks").to_string();
                    let names = |number: usize| error.contains(&number.to_string());
                    assert!(names(shape.hidden as usize) && names(len), "{error}");
                    continue;
                }
                let synthetic = made.expect("whole blocks");
                let header = parsed(&synthetic);
                header.check(synthetic.file_bytes()).expect("long enough");
                let (config, graph) = model::open(&header).expect("a model");
                assert_eq!(config.num_hidden_layers, shape.layers, "{}", shape.name);
                assert_eq!(graph.vocab_size, shape.vocab as usize, "{}", shape.name);
            }
        }
    }

    #[test]
    fn what_is_written_is_as_long_as_said_and_the_same_each_time() {
        let tiny = Shape {
            layers: 2,
            hidden: 64,
            heads: 4,
            kv_heads: 2,
            head_dim: 16,
            feed_forward: 96,
            vocab: 300,
            ..SHAPES[0]
        };
        let format = FORMATS.iter().find(|format| format.name == "q4_1");
        let synthetic = Synthetic::new(&tiny, format.expect("a format")).expect("a model");
        let write = || {
            let mut bytes = Vec::new();
            let wrote = synthetic.write(|piece| {
                bytes.extend(piece);
                Ok::<(), ()>(())
            });
            wrote.map(|()| bytes)
        };
        let bytes = write().expect("bytes");
        assert_eq!(bytes.len() as u64, synthetic.file_bytes(), "bytes");
        assert_eq!(write().expect("bytes"), bytes, "again");
        assert_eq!(synthetic.write(|_| Err("full")), Err("full"), "a full disk");
        let header = parsed(&synthetic);
        for tensor in header.tensors.iter().filter(|tensor| tensor.ggml_type == 0) {
            let at = usize::try_from(tensor.offset).expect("small");
            let gains = &bytes[at..][..64 * size_of::<f32>()];
            for gain in gains.as_chunks().0 {
                let gain = f32::from_le_bytes(*gain);
                assert!((0.02..=0.06).contains(&gain), "{}: {gain}", tensor.name);
            }
        }
    }

    #[test]
    fn any_text_can_be_said_in_its_tokens() {
        use crate::tokenizer::{Special, Tokenizer};
        for shape in SHAPES {
            let header = parsed(&Synthetic::new(shape, FORMATS[0]).expect("a model"));
            let tokenizer = Tokenizer::from_gguf(&header.metadata).expect("a tokenizer");
            let text = "abc, é \n\u{1f40d}";
            let ids = tokenizer.encode(text, Special::AsText).expect("ids");
            assert_eq!(ids[0], 257, "the pair of {}", shape.name);
            assert_eq!(tokenizer.decode(&ids), text, "{}", shape.name);
            assert_eq!(tokenizer.end_of_generation(), [256], "{}", shape.name);
        }
    }

    #[test]
    fn bytes_are_all_there_once() {
        let alphabet: std::collections::BTreeSet<String> = (0..BYTES).map(token).collect();
        assert_eq!(alphabet.len(), 256, "of them");
        assert_eq!([token(32), token(65)], ["Ġ", "A"]);
    }

    #[test]
    fn names_that_are_wrong_are_told_what_is_right() {
        for (name, says) in [
            ("llama-3.2-1b", "q4_0"),
            ("gpt:q4_0", "llama-3.1-8b"),
            ("llama-3.2-1b:q9", "q4_k"),
        ] {
            let error = Synthetic::named(name).expect_err(name).to_string();
            assert!(error.contains(says), "{error} should name {says}");
        }
    }
}
