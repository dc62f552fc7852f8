//! Adapters made on the spot, and the same models with them merged into their weights; included by path, behind `tiny.rs`.

use std::path::Path;

use puna_core::adapter::{Adapter, Gathering};
use puna_core::checkpoint::{self, Companions, Shard};
use puna_core::graph::{Factors, Graph};
use puna_core::quant::Format;
use puna_core::random::Random;
use puna_core::weights::header::{Header, Parsed, TensorInfo};
use puna_core::weights::safetensors;
use puna_core::{model, reference};

/// A file's bytes and its header.
pub(crate) type File = (Vec<u8>, Header);

/// Numbers from -`size` to `size`.
fn floats(random: &mut Random, count: usize, size: f32) -> Vec<f32> {
    let unit = |word: u32| f64::from(word) / f64::from(u32::MAX);
    (0..count)
        .map(|_| (unit(random.word()) as f32 * 2.0 - 1.0) * size)
        .collect()
}

/// A tensor of the model that is changed: A (r, K), B (R, r).
pub(crate) struct Change {
    pub(crate) module: String,
    pub(crate) rank: usize,
    pub(crate) a: Vec<f32>,
    pub(crate) b: Vec<f32>,
}

/// As safetensors have them.
fn safetensors_of(tensors: &[(String, [usize; 2], &[f32])]) -> Vec<u8> {
    let mut table = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]
        });
        table.insert(name.clone(), entry);
    }
    let table = serde_json::Value::Object(table).to_string();
    let mut bytes = (table.len() as u64).to_le_bytes().to_vec();
    bytes.extend(table.as_bytes());
    bytes.extend(data);
    bytes
}

/// A folder as PEFT saves it.
pub(crate) fn peft(changes: &[Change], config: &str) -> puna_core::Result<File> {
    let mut tensors = Vec::new();
    for Change { module, rank, a, b } in changes {
        let name = |half: &str| format!("base_model.model.{module}.{half}.weight");
        tensors.push((name("lora_A"), [*rank, a.len() / rank], a.as_slice()));
        tensors.push((name("lora_B"), [b.len() / rank, *rank], b.as_slice()));
    }
    let weights = safetensors_of(&tensors);
    let mut companions = Companions::default();
    companions.push("adapter_config.json", config.as_bytes().to_vec())?;
    let Parsed::Done(table) = safetensors::parse(&weights)? else {
        panic!("all of it is there");
    };
    let shard = Shard {
        header: table,
        bytes: weights.len() as u64,
    };
    let (header, _) = checkpoint::header(companions, vec![shard])?;
    let mut bytes = config.as_bytes().to_vec();
    bytes.resize(usize::try_from(header.starts[1]).expect("small"), 0);
    bytes.extend(weights);
    Ok((bytes, header))
}

/// The same as llama.cpp's converter writes it, with the names that GGUF has.
pub(crate) fn gguf(architecture: &str, alpha: f32, changes: &[Change]) -> File {
    let mut pairs = Vec::new();
    let string = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    for (key, kind, value) in [
        ("general.type", 8_u32, string("adapter")),
        ("general.architecture", 8, string(architecture)),
        ("adapter.type", 8, string("lora")),
        ("adapter.lora.alpha", 6, alpha.to_le_bytes().to_vec()),
    ] {
        pairs.extend(string(key));
        pairs.extend(kind.to_le_bytes());
        pairs.extend(value);
    }
    let (mut infos, mut data) = (Vec::new(), Vec::new());
    for Change { module, rank, a, b } in changes {
        for (half, values, shape) in [
            ("lora_a", a, [a.len() / rank, *rank]),
            ("lora_b", b, [*rank, b.len() / rank]),
        ] {
            data.resize(data.len().next_multiple_of(32), 0_u8);
            infos.extend(string(&format!("{module}.weight.{half}")));
            infos.extend(2_u32.to_le_bytes());
            infos.extend(shape.iter().flat_map(|size| (*size as u64).to_le_bytes()));
            infos.extend(0_u32.to_le_bytes());
            infos.extend((data.len() as u64).to_le_bytes());
            data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend((2 * changes.len() as u64).to_le_bytes());
    bytes.extend(4_u64.to_le_bytes());
    bytes.extend(pairs);
    bytes.extend(infos);
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes.extend(data);
    let Parsed::Done(header) = Header::from_gguf(&bytes).expect("a good header") else {
        panic!("all of it is there");
    };
    (bytes, header)
}

/// For each tensor of a checkpoint whose name ends like one of these, of rank 1, 2 … 5 in turn.
pub(crate) fn changes(folder: &Path, ends: &[&str], seed: u64) -> Vec<Change> {
    let mut random = Random(seed);
    let mut changes = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the golden folder")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|it| it == "safetensors"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|it| it != "expected.safetensors")
        })
        .collect();
    files.sort();
    for path in files {
        let bytes = std::fs::read(path).expect("the golden file is in the tree");
        let Parsed::Done(table) = safetensors::parse(&bytes).expect("a good header") else {
            panic!("all of it is there");
        };
        for entry in table.tensors {
            let module = entry.name.strip_suffix(".weight").unwrap_or_default();
            let &[rows, cols] = entry.shape.as_slice() else {
                continue;
            };
            if !ends.iter().any(|end| module.ends_with(end)) {
                continue;
            }
            let [rows, cols] = [rows, cols].map(|it| usize::try_from(it).expect("small"));
            let rank = 1 + changes.len() % 5;
            changes.push(Change {
                module: module.to_owned(),
                rank,
                a: floats(&mut random, rank * cols, 0.3),
                b: floats(&mut random, rows * rank, 0.3),
            });
        }
    }
    assert!(!changes.is_empty(), "nothing ends in {ends:?}");
    changes
}

/// A model's tensors as floats, in its own order of rows, with `scale · B · A` added to those that are changed. `target` is
/// the name of a change's tensor in the model.
pub(crate) fn merged(
    (bytes, header): &File,
    changes: &[Change],
    target: impl Fn(&Change) -> String,
    scale: impl Fn(&Change) -> f32,
) -> File {
    let (mut bytes, mut header) = (bytes.clone(), header.clone());
    for change in changes {
        let name = target(change);
        let found = header.tensors.iter_mut().find(|tensor| tensor.name == name);
        let tensor: &mut TensorInfo = found.unwrap_or_else(|| panic!("the model has no {name}"));
        let [at, size] =
            [tensor.offset, tensor.bytes].map(|it| usize::try_from(it).expect("small"));
        let format = Format::of(&name, tensor.ggml_type).expect("a format");
        let cols = change.a.len() / change.rank;
        let mut values = format.dequantize_rows(&bytes[at..at + size], cols);
        let scale = scale(change);
        for (row, b) in change.b.chunks_exact(change.rank).enumerate() {
            for (b, a) in b.iter().zip(change.a.chunks_exact(cols)) {
                for (value, a) in values[row * cols..(row + 1) * cols].iter_mut().zip(a) {
                    *value += scale * b * a;
                }
            }
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        tensor.offset = bytes.len() as u64;
        tensor.bytes = 4 * values.len() as u64;
        tensor.ggml_type = 0;
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    (bytes, header)
}

/// The bytes of a tensor.
pub(crate) fn tensor_bytes((bytes, header): &File, ix: usize) -> &[u8] {
    let TensorInfo {
        offset,
        bytes: size,
        ..
    } = &header.tensors[ix];
    let start = usize::try_from(*offset).expect("small");
    &bytes[start..start + usize::try_from(*size).expect("small")]
}

/// What an adapter adds to each matrix, its tensors taken whole.
pub(crate) fn factors(
    (adapter, ix): (&Adapter, usize),
    graph: &Graph,
    file: &File,
) -> Vec<Factors> {
    let mut gathering = Gathering::new(adapter, ix, &graph.low_ranks);
    let mut take = |tensor| gathering.take(tensor, 0, tensor_bytes(file, tensor));
    let tensors = 0..file.1.tensors.len();
    let factors = tensors.filter_map(|tensor| take(tensor).expect("its own"));
    let factors = factors.collect();
    gathering.finish().expect("all came");
    factors
}

/// Logits of a model with the products of two adapters, of that alpha, merged into its weights.
pub(crate) fn merged_logits(
    file: &File,
    sets: &[Vec<Change>; 2],
    scales: [f32; 2],
    alpha: f32,
    ids: &[u32],
) -> Vec<f32> {
    let mut want = file.clone();
    for (set, scale) in sets.iter().zip(scales) {
        let scale = |change: &Change| scale * alpha / change.rank as f32;
        want = merged(&want, set, Model::target, scale);
    }
    let (_, plain) = model::open(&want.1).expect("a graph");
    let twin = reference::Executor::new(plain, 64, |ix| tensor_bytes(&want, ix));
    twin.expect("good").forward(0, ids)
}

/// A model that is there as a checkpoint and as a GGUF.
pub(crate) struct Model {
    /// In `tests/golden`.
    pub(crate) folder: &'static str,
    pub(crate) architecture: &'static str,
    /// The type of the GGUF's weights.
    pub(crate) file: &'static str,
}

/// What tensors of layers are called at Hugging Face, and in GGUF.
const NAMES: [(&str, &str); 9] = [
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.qkv_proj", "attn_qkv"),
    ("self_attn.o_proj", "attn_output"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.gate_up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
];

impl Model {
    pub(crate) const ALL: [Self; 4] = [
        // Rows of Q and K lie otherwise in GGUF.
        Self::of("tiny/llama3", "llama", "Q5_1"),
        Self::of("tiny/qwen2", "qwen2", "Q5_0"),
        // Norms of queries and keys, and of outputs.
        Self::of("tiny/gemma3", "gemma3", "Q5_0"),
        // All rows that are read together in one tensor.
        Self::of("tiny/phi3-longrope", "phi3", "F16"),
    ];

    const fn of(folder: &'static str, architecture: &'static str, file: &'static str) -> Self {
        Self {
            folder,
            architecture,
            file,
        }
    }

    fn tiny(&self, of_gguf: bool) -> &'static crate::tiny::Tiny {
        let format = if of_gguf { self.file } else { "safetensors" };
        let name = format!("{} {format}", self.folder);
        let found = crate::tiny::all().find(|tiny| tiny.name() == name);
        found.unwrap_or_else(|| panic!("there is no {name}"))
    }

    pub(crate) fn read(&self, root: &Path, of_gguf: bool) -> File {
        self.tiny(of_gguf).read(root)
    }

    pub(crate) fn ids(&self, root: &Path) -> Vec<u32> {
        self.tiny(false).golden(root).ids
    }

    /// Of all its projections, some in each layer.
    pub(crate) fn changes(&self, root: &Path) -> Vec<Change> {
        let all = NAMES.map(|(name, _)| name);
        let mut changes = self.changes_of(root, &all, 1);
        // Not all of them, so that some have no adapter beside others that have.
        let mut ix = 0;
        changes.retain(|_| {
            ix += 1;
            ix % 6 != 0
        });
        changes
    }

    pub(crate) fn changes_of(&self, root: &Path, ends: &[&str], seed: u64) -> Vec<Change> {
        changes(&root.join("tests/golden").join(self.folder), ends, seed)
    }

    /// The name in GGUF of what is changed.
    pub(crate) fn target(change: &Change) -> String {
        let inner = change.module.split("layers.").nth(1).unwrap_or_default();
        let (layer, part) = inner.split_once('.').expect("a layer's");
        let found = NAMES.iter().find(|(theirs, _)| *theirs == part);
        let Some((_, ours)) = found else {
            panic!("{part} has no name");
        };
        format!("blk.{layer}.{ours}.weight")
    }

    /// The same changes with rows as the model's file has them.
    pub(crate) fn held(&self, changes: &[Change], of_gguf: bool) -> Vec<Change> {
        let permuted = of_gguf && self.architecture == "llama";
        let held = |change: &Change| {
            let mut b = change.b.clone();
            if permuted
                && ["q_proj", "k_proj"]
                    .iter()
                    .any(|end| change.module.ends_with(end))
            {
                // (H, 2, Dh / 2) → (H, Dh / 2, 2), as llama.cpp's converter does it.
                let half = self.head_dim() / 2;
                let rows = change.b.chunks_exact(change.rank);
                for (row, from) in rows.enumerate() {
                    let (head, at) = (row / (2 * half), row % (2 * half));
                    let to = head * 2 * half + at % half * 2 + at / half;
                    b[to * change.rank..(to + 1) * change.rank].copy_from_slice(from);
                }
            }
            Change {
                module: change.module.clone(),
                rank: change.rank,
                a: change.a.clone(),
                b,
            }
        };
        changes.iter().map(held).collect()
    }

    /// The same as an adapter in GGUF has them.
    pub(crate) fn named(&self, changes: &[Change]) -> Vec<Change> {
        let mut changes = self.held(changes, true);
        for change in &mut changes {
            let target = Self::target(change);
            change.module = target.trim_end_matches(".weight").to_owned();
        }
        changes
    }

    /// Of the one model whose rows lie otherwise.
    const fn head_dim(&self) -> usize {
        16
    }
}

impl Model {
    /// Rows of a tensor.
    pub(crate) fn rows(&self, header: &Header, name: &str) -> usize {
        self.size(header, name, 1)
    }

    /// Its columns.
    pub(crate) fn cols(&self, header: &Header, name: &str) -> usize {
        self.size(header, name, 0)
    }

    fn size(&self, header: &Header, name: &str, dim: usize) -> usize {
        let tensor = header.tensor(name);
        let tensor = tensor.unwrap_or_else(|| panic!("{} has no {name}", self.folder));
        usize::try_from(tensor.dims[dim]).expect("small")
    }
}
