// Adapters of the tiny model, made on the spot: a GGUF as llama.cpp's converter writes it, and folders as PEFT saves them.
/** Sizes of the tiny model (tests/golden/llama-256). */
const WIDTH = 256;
const HEADS = 4;
const HEAD = 64;

/** Tensors that are changed: their names, rows, and heads whose rows lie otherwise in GGUF. */
const TARGETS = [
  { hub: "self_attn.q_proj", gguf: "attn_q", rows: HEADS * HEAD, heads: HEADS },
  { hub: "self_attn.k_proj", gguf: "attn_k", rows: HEAD, heads: 1 },
  { hub: "self_attn.v_proj", gguf: "attn_v", rows: HEAD, heads: 0 },
  { hub: "mlp.up_proj", gguf: "ffn_up", rows: 256, heads: 0 },
  { hub: "mlp.down_proj", gguf: "ffn_down", rows: WIDTH, heads: 0 },
];

/** Numbers from -`size` to `size`: the same for a seed. */
function noise(seed, count, size) {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * size;
  });
}

/** A (r, K) and B (R, r) of each target, B's rows as a checkpoint has them. */
function changesOf(seed, rank) {
  return TARGETS.map((target, ix) => ({
    ...target,
    rank,
    a: noise(seed + 2 * ix, rank * WIDTH, 0.4),
    b: noise(seed + 2 * ix + 1, target.rows * rank, 0.4),
  }));
}

/** (H, 2, Dh / 2) → (H, Dh / 2, 2): rotation pairs side by side, as GGUF has them. */
function paired({ b, heads, rank }) {
  if (heads === 0) return b;
  const out = new Float32Array(b.length);
  for (let row = 0; row < heads * HEAD; row++) {
    const at = row % HEAD;
    const to = row - at + (at % (HEAD / 2)) * 2 + Math.floor(at / (HEAD / 2));
    out.set(b.subarray(row * rank, (row + 1) * rank), to * rank);
  }
  return out;
}

const bytes = (floats) => Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);

/** A GGUF with these pairs of metadata, each a type and its bytes, and tensors in F32. */
function gguf(metadata, tensors) {
  const number = (value, size) => {
    const out = Buffer.alloc(size);
    if (size === 8) out.writeBigUInt64LE(BigInt(value));
    else out.writeUInt32LE(value);
    return out;
  };
  const text = (value) => Buffer.concat([number(Buffer.byteLength(value), 8), Buffer.from(value)]);
  const padded = (buffer) => Buffer.concat([buffer, Buffer.alloc((32 - (buffer.length % 32)) % 32)]);
  const pairs = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === "string") return Buffer.concat([text(key), number(8, 4), text(value)]);
    return Buffer.concat([text(key), number(6, 4), bytes(Float32Array.of(value))]);
  });
  const data = tensors.map(({ values }) => padded(bytes(values)));
  let offset = 0;
  const infos = tensors.map(({ name, shape }, ix) => {
    const info = [text(name), number(2, 4), ...shape.map((size) => number(size, 8)), number(0, 4), number(offset, 8)];
    offset += data[ix].length;
    return Buffer.concat(info);
  });
  const head = [Buffer.from("GGUF"), number(3, 4), number(tensors.length, 8), number(pairs.length, 8)];
  return Buffer.concat([padded(Buffer.concat([...head, ...pairs, ...infos])), ...data]);
}

function safetensors(tensors) {
  let offset = 0;
  const table = {};
  for (const { name, shape, values } of tensors) {
    table[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const header = Buffer.from(JSON.stringify(table));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...tensors.map(({ values }) => bytes(values))]);
}

function asGguf(seed, rank, alpha, architecture = "llama") {
  const tensors = changesOf(seed, rank).flatMap((change) => {
    const name = `blk.0.${change.gguf}.weight`;
    return [
      { name: `${name}.lora_a`, shape: [WIDTH, rank], values: change.a },
      { name: `${name}.lora_b`, shape: [rank, change.rows], values: paired(change) },
    ];
  });
  const about = { "general.type": "adapter", "general.architecture": architecture, "adapter.type": "lora" };
  return gguf({ ...about, "adapter.lora.alpha": alpha }, tensors);
}

function asFolder(seed, rank, alpha) {
  const tensors = changesOf(seed, rank).flatMap((change) => {
    const name = `base_model.model.model.layers.0.${change.hub}`;
    return [
      { name: `${name}.lora_A.weight`, shape: [rank, WIDTH], values: change.a },
      { name: `${name}.lora_B.weight`, shape: [change.rows, rank], values: change.b },
    ];
  });
  const config = { peft_type: "LORA", r: rank, lora_alpha: alpha, bias: "none", target_modules: ["q_proj"] };
  return {
    "adapter_config.json": Buffer.from(JSON.stringify(config)),
    "adapter_model.safetensors": safetensors(tensors),
  };
}

/** By name: `first.gguf`, the same as `first/`, `second/` of another rank, and `other.gguf` of another architecture. */
export function adapterFiles() {
  const files = { "first.gguf": asGguf(1, 4, 8), "other.gguf": asGguf(1, 4, 8, "qwen2") };
  for (const [name, content] of Object.entries(asFolder(1, 4, 8))) files[`first/${name}`] = content;
  for (const [name, content] of Object.entries(asFolder(50, 10, 10))) files[`second/${name}`] = content;
  return files;
}
