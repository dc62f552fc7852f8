#!/usr/bin/env python3
"""Makes tests/golden/tiny/smollm3: a tiny SmolLM3 with seeded random weights, and what it answers.

SmolLM3 is Llama's block without rotation in every fourth layer (its config.json: no_rope_layers; arXiv 2501.18795). The
reference is written here, in numpy and float32, after the papers; before it is used it must reproduce the logits that
transformers recorded for tiny/llama3 to 1e-4 of their standard deviation. Weights have the standard deviations of
tiny/llama3's, are rounded to BF16, and the seed is the first by which no greedy choice is closer than 0.05.

    python3 tests/golden/make/smollm3.py        (numpy; writes beside tiny/llama3, whose tokenizer it copies)
"""

import json
import shutil
import struct
from pathlib import Path

import numpy as np

TINY = Path(__file__).resolve().parent.parent / "tiny"
PERIOD = 4
LAYERS = 5


def read(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, info in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + length + at for at in info["data_offsets"])
        raw = data[start:end]
        if info["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, {"F32": "<f4", "I32": "<i4"}[info["dtype"]])
        tensors[name] = values.reshape(info["shape"])
    return tensors


def write(path, tensors):
    table, at, parts = {}, 0, []
    for name, (dtype, values) in tensors.items():
        raw = values.tobytes()
        table[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        parts.append(raw)
    header = json.dumps(table, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"".join(parts))


def to_bf16(values):
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def frequencies(config):
    pairs = np.arange(0, config["head_dim"], 2, dtype=np.float64)
    plain = config["rope_theta"] ** (-pairs / config["head_dim"])
    scaling = config.get("rope_scaling")
    if not scaling:
        return plain
    original = scaling["original_max_position_embeddings"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    turns = original * plain / (2 * np.pi)
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return plain * kept + plain / scaling["factor"] * (1 - kept)


def norm(x, gain, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(eps)) * gain


def rotate(x, angles):
    half = x.shape[-1] // 2
    cos, sin = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def logits(config, weights, ids):
    """(T, V), of all tokens at once, without a cache."""
    heads, kv_heads, size = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    eps, count = config["rms_norm_eps"], len(ids)
    angles = np.arange(count)[:, None] * frequencies(config)[None, :]
    x = weights["model.embed_tokens.weight"][ids]
    hidden = np.triu(np.full((count, count), -np.inf, np.float32), 1)
    for layer in range(config["num_hidden_layers"]):
        part = lambda name: weights[f"model.layers.{layer}.{name}.weight"]
        y = norm(x, part("input_layernorm"), eps)
        q = (y @ part("self_attn.q_proj").T).reshape(count, heads, size).transpose(1, 0, 2)
        k = (y @ part("self_attn.k_proj").T).reshape(count, kv_heads, size).transpose(1, 0, 2)
        v = (y @ part("self_attn.v_proj").T).reshape(count, kv_heads, size).transpose(1, 0, 2)
        if config.get("no_rope_layers", [1] * LAYERS)[layer]:
            q, k = rotate(q, angles), rotate(k, angles)
        k, v = (np.repeat(it, heads // kv_heads, axis=0) for it in (k, v))
        scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(size)) + hidden
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        attended = (scores @ v).transpose(1, 0, 2).reshape(count, heads * size)
        x = x + attended @ part("self_attn.o_proj").T
        y = norm(x, part("post_attention_layernorm"), eps)
        gate = y @ part("mlp.gate_proj").T
        x = x + (gate / (1 + np.exp(-gate)) * (y @ part("mlp.up_proj").T)) @ part("mlp.down_proj").T
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return norm(x, weights["model.norm.weight"], eps) @ head.T


def greedy(config, weights, ids, steps=8):
    ids, chosen, rows, least = list(ids), [], [], np.inf
    row = logits(config, weights, ids)[-1]
    for _ in range(steps):
        second, first = np.sort(row)[-2:]
        least = min(least, first - second)
        chosen.append(int(row.argmax()))
        ids.append(chosen[-1])
        row = logits(config, weights, ids)[-1]
        rows.append(row)
    return chosen, np.stack(rows), least


def main():
    llama = TINY / "llama3"
    config = json.loads((llama / "config.json").read_text())
    weights = {}
    for file in sorted(llama.glob("model*.safetensors")):
        weights.update(read(file))
    recorded = read(llama / "expected.safetensors")
    ids = recorded["input_ids"]
    off = np.abs(logits(config, weights, ids) - recorded["logits"]).max() / recorded["logits"].std()
    assert off < 1e-4, f"the reference is {off} standard deviations off transformers' Llama"

    config |= {
        "architectures": ["SmolLM3ForCausalLM"],
        "model_type": "smollm3",
        "num_hidden_layers": LAYERS,
        "no_rope_layer_interval": PERIOD,
        "no_rope_layers": [int((layer + 1) % PERIOD != 0) for layer in range(LAYERS)],
        "layer_types": ["full_attention"] * LAYERS,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "use_sliding_window": False,
        "sliding_window": None,
        "dtype": "bfloat16",
        "transformers_version": "4.57.6",
    }
    names = [name for name in weights if ".layers." not in name or ".layers.0." in name]
    for seed in range(1000):
        random = np.random.default_rng(seed)
        made = {}
        for name in names:
            like = weights[name]
            layers = range(LAYERS) if ".layers." in name else [None]
            for layer in layers:
                values = random.normal(like.mean(), like.std(), like.shape)
                made[name.replace(".layers.0.", f".layers.{layer}.")] = to_bf16(values)
        exact = {name: (bits.astype(np.uint32) << 16).view(np.float32) for name, bits in made.items()}
        chosen, rows, least = greedy(config, exact, ids)
        if least >= 0.05:
            break
    prompt = logits(config, exact, ids)
    turned = logits(config | {"no_rope_layers": [1] * LAYERS}, exact, ids)
    print(f"seed {seed}: deviation {prompt.std():.2f}, least gap {least:.3f}, "
          f"with rotation everywhere {np.abs(prompt - turned).max() / prompt.std():.2f} off")
    out = TINY / "smollm3"
    out.mkdir(exist_ok=True)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copyfile(llama / name, out / name)
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write(out / "model.safetensors", {name: ("BF16", bits) for name, bits in made.items()})
    write(out / "expected.safetensors", {
        "input_ids": ("I32", ids.astype("<i4")),
        "greedy_ids": ("I32", np.array(chosen, "<i4")),
        "logits": ("F32", prompt.astype("<f4")),
        "greedy_logits": ("F32", rows.astype("<f4")),
    })


if __name__ == "__main__":
    main()
