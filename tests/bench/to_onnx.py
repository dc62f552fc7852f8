"""Writes a GGUF of Llama's architecture as the folder that transformers.js loads.

    PYTHONPATH=FOLDER python3 to_onnx.py MODEL.gguf OUT_FOLDER

Two files of the same weights: onnx/model_q4.onnx (MatMulNBits: 4 bits, a scale for 32) and onnx/model_quantized.onnx
(MatMulInteger: 8 bits, a scale for each output, activations rounded as they come), which transformers.js calls q4 and
q8. Needs the packages of to_onnx.requirements.txt.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from gguf import GGUFReader
from gguf.quants import dequantize
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
BLOCK = 32


class Model:
    """The parts of a GGUF that are needed, under short names."""

    def __init__(self, path):
        reader = GGUFReader(path)
        self.meta = {name: field.contents() for name, field in reader.fields.items()}
        self.tensors = {tensor.name: tensor for tensor in reader.tensors}
        if self.meta["general.architecture"] != "llama":
            sys.exit(f"{path}: its architecture is {self.meta['general.architecture']}, only llama can be written")
        self.layers = self["block_count"]
        self.width = self["embedding_length"]
        self.heads = self["attention.head_count"]
        self.kv_heads = self["attention.head_count_kv"]
        self.head_dim = self.width // self.heads
        self.context = self["context_length"]
        self.eps = self["attention.layer_norm_rms_epsilon"]
        self.theta = self["rope.freq_base"]
        self.vocab = self.meta["tokenizer.ggml.tokens"]

    def __getitem__(self, key):
        return self.meta[f"llama.{key}"]

    def weight(self, name):
        """A matrix as (rows, cols), a vector as (len,), in f32."""
        tensor = self.tensors[f"{name}.weight"]
        return dequantize(tensor.data, tensor.tensor_type).astype(np.float32)


def four_bits(w):
    """(N, K) in blocks of 32 around 8: nibbles (N, K/32, 16) and scales (N, K/32); of some scales the one that loses least."""
    blocks = w.reshape(-1, BLOCK)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)
    best_loss = np.full((len(blocks), 1), np.inf, np.float32)
    best_q = np.zeros(blocks.shape, np.uint8)
    best_scale = np.zeros((len(blocks), 1), np.float32)
    for divisor in (-8.0, -7.6, -7.2, 7.0):
        scale = np.where(extreme == 0, 1, extreme / np.float32(divisor))
        q = np.clip(np.rint(blocks / scale), -8, 7)
        loss = ((q * scale - blocks) ** 2).sum(1, keepdims=True)
        better = loss < best_loss
        best_loss = np.where(better, loss, best_loss)
        best_q = np.where(better, q + 8, best_q).astype(np.uint8)
        best_scale = np.where(better, scale, best_scale).astype(np.float32)
    nibbles = best_q[:, 0::2] | best_q[:, 1::2] << 4
    return nibbles.reshape(len(w), -1, BLOCK // 2), best_scale.reshape(len(w), -1)


def eight_bits(w):
    """(N, K): values in i8 and a scale a row (N, 1)."""
    scale = np.maximum(np.abs(w).max(1, keepdims=True), 1e-12) / 127
    return np.rint(w / scale).astype(np.int8), scale.astype(np.float32)


class Graph:
    """A graph as it grows: a node's output is named by the caller and returned."""

    def __init__(self, bits):
        self.bits = bits
        self.nodes, self.tables = [], []

    def table(self, name, values):
        self.tables.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, op, inputs, *outputs, domain="", **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, name, x, w):
        """x·Wᵀ for W (N, K)."""
        rows, cols = w.shape
        if self.bits == 4:
            q, scale = four_bits(w)
            tables = [self.table(f"{name}.q", q), self.table(f"{name}.scale", scale)]
            return self.node("MatMulNBits", [x, *tables], name, domain=MICROSOFT, N=rows, K=cols, bits=4,
                             block_size=BLOCK, accuracy_level=4)
        q, scale = eight_bits(w)
        rounded = self.node("DynamicQuantizeLinear", [x], f"{name}.x", f"{name}.x_scale", f"{name}.x_zero")
        sums = self.node("MatMulInteger", [rounded, self.table(f"{name}.q", q.T), f"{name}.x_zero"], f"{name}.sums")
        real = self.node("Cast", [sums], f"{name}.real", to=TensorProto.FLOAT)
        scales = self.node("Mul", [f"{name}.x_scale", self.table(f"{name}.scale", scale.reshape(-1))], f"{name}.scales")
        return self.node("Mul", [real, scales], name)

    def embedding(self, name, ids, w):
        """Rows of W by id; 8 bits in both forms."""
        q, scale = eight_bits(w)
        rows = self.node("Gather", [self.table(f"{name}.q", q), ids], f"{name}.rows")
        real = self.node("Cast", [rows], f"{name}.real", to=TensorProto.FLOAT)
        scales = self.node("Gather", [self.table(f"{name}.scale", scale), ids], f"{name}.scales")
        return self.node("Mul", [real, scales], name)


def build(model, bits):
    """The whole graph, with the inputs and outputs that transformers.js feeds and reads."""
    g = Graph(bits)
    one = g.table("one", np.array([1], np.int64))

    # The attention's operator counts positions itself: how long each row is, and the longest.
    length = g.node("ReduceSum", ["attention_mask", one], "length", keepdims=0)
    last = g.node("Sub", [length, one], "last")
    seqlens = g.node("Cast", [last], "seqlens", to=TensorProto.INT32)
    shape = g.node("Shape", ["attention_mask"], "mask_shape", start=1, end=2)
    total = g.node("Cast", [g.node("Squeeze", [shape], "mask_length")], "total", to=TensorProto.INT32)
    frequencies = model.theta ** -(np.arange(0, model.head_dim, 2) / model.head_dim)
    angles = np.outer(np.arange(model.context), frequencies)
    cos, sin = (g.table(f.__name__, f(angles).astype(np.float32)) for f in (np.cos, np.sin))

    x = g.embedding("embedding", "input_ids", model.weight("token_embd"))
    gain = g.table("0.gain", model.weight("blk.0.attn_norm"))
    normed = g.node("SimplifiedLayerNormalization", [x, gain], "0.normed", axis=-1, epsilon=model.eps, stash_type=1)
    for layer in range(model.layers):
        def weight(name):
            return model.weight(f"blk.{layer}.{name}")

        def add_and_norm(name, x, more, gain):
            return g.node("SkipSimplifiedLayerNormalization", [x, more, g.table(f"{name}.gain", gain)], f"{name}.normed", "",
                          "", f"{name}.sum", domain=MICROSOFT, epsilon=model.eps), f"{name}.sum"

        at = f"{layer}"
        qkv = g.linear(f"{at}.qkv", normed, np.concatenate([weight(f"attn_{part}") for part in "qkv"]))
        past, present = ([f"{when}.{layer}.{part}" for part in ("key", "value")] for when in ("past_key_values", "present"))
        attended = g.node("GroupQueryAttention", [qkv, "", "", *past, seqlens, total, cos, sin], f"{at}.attended", *present,
                          domain=MICROSOFT, num_heads=model.heads, kv_num_heads=model.kv_heads, do_rotary=1,
                          # A GGUF holds the pairs that turn together side by side.
                          rotary_interleaved=1)
        out = g.linear(f"{at}.out", attended, weight("attn_output"))
        normed, x = add_and_norm(f"{at}.mid", x, out, weight("ffn_norm"))
        gate = g.linear(f"{at}.gate", normed, weight("ffn_gate"))
        up = g.linear(f"{at}.up", normed, weight("ffn_up"))
        silu = g.node("Mul", [gate, g.node("Sigmoid", [gate], f"{at}.sigmoid")], f"{at}.silu")
        down = g.linear(f"{at}.down", g.node("Mul", [silu, up], f"{at}.glu"), weight("ffn_down"))
        is_last = layer + 1 == model.layers
        gain = model.weight("output_norm" if is_last else f"blk.{layer + 1}.attn_norm")
        normed, x = add_and_norm(f"{at}.end", x, down, gain)

    # Logits of the last positions only, as many as are asked for.
    keep = g.node("Reshape", [g.node("Neg", ["num_logits_to_keep"], "from"), one], "from1")
    end = g.table("end", np.array([2**62], np.int64))
    kept = g.node("Slice", [normed, keep, end, one], "kept")
    head = "output" if "output.weight" in model.tensors else "token_embd"
    g.linear("logits", kept, model.weight(head))

    def value(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, shape)

    # transformers.js knows the batch by its name, and takes every other length for 0 in an empty cache.
    def cache(when, length):
        return [value(f"{when}.{layer}.{part}", TensorProto.FLOAT, "batch_size", model.kv_heads, length, model.head_dim)
                for layer in range(model.layers) for part in ("key", "value")]

    inputs = [value("input_ids", TensorProto.INT64, "batch_size", "sequence"),
              value("attention_mask", TensorProto.INT64, "batch_size", "total"),
              value("num_logits_to_keep", TensorProto.INT64), *cache("past_key_values", "past")]
    outputs = [value("logits", TensorProto.FLOAT, "batch_size", "kept", len(model.vocab)), *cache("present", "total")]
    graph = helper.make_graph(g.nodes, "llama", inputs, outputs, g.tables)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def papers(model):
    """The JSON files beside the graph: configs and the tokenizer."""
    token = {name: model.meta[f"tokenizer.ggml.{name}_token_id"] for name in ("bos", "eos")}
    control = [ix for ix, kind in enumerate(model.meta["tokenizer.ggml.token_type"]) if kind == 3]
    ids = {f"{name}_token_id": id for name, id in token.items()} | {"pad_token_id": token["eos"]}
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    yield "generation_config.json", ids
    yield "config.json", ids | dict(
        architectures=["LlamaForCausalLM"], model_type="llama", hidden_size=model.width, num_hidden_layers=model.layers,
        num_attention_heads=model.heads, num_key_value_heads=model.kv_heads, head_dim=model.head_dim,
        vocab_size=len(model.vocab), max_position_embeddings=model.context)
    yield "tokenizer_config.json", dict(
        tokenizer_class="GPT2Tokenizer", add_prefix_space=False, clean_up_tokenization_spaces=False,
        bos_token=model.vocab[token["bos"]], eos_token=model.vocab[token["eos"]], unk_token=model.vocab[0])
    yield "tokenizer.json", dict(
        version="1.0", truncation=None, padding=None, normalizer=None, post_processor=None, decoder=byte_level,
        added_tokens=[dict(id=id, content=model.vocab[id], special=True, single_word=False, lstrip=False, rstrip=False,
                           normalized=False) for id in control],
        # SmolLM2's: digits one by one, then GPT-2's words.
        pre_tokenizer=dict(type="Sequence", pretokenizers=[dict(type="Digits", individual_digits=True), byte_level]),
        model=dict(type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None,
                   fuse_unk=False, byte_fallback=False, vocab={text: ix for ix, text in enumerate(model.vocab)},
                   merges=model.meta["tokenizer.ggml.merges"]))


def main(path, out):
    model, out = Model(path), Path(out)
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    for name, paper in papers(model):
        (out / name).write_text(json.dumps(paper, ensure_ascii=False))
    for bits, name in ((4, "q4"), (8, "quantized")):
        onnx.save(build(model, bits), out / "onnx" / f"model_{name}.onnx")


main(*sys.argv[1:])
