#!/usr/bin/env python3
"""Makes tests/golden/tiny/gpt-oss: a tiny gpt-oss with seeded random weights, and what transformers says of it.

Weights are normal, of deviations by which every part matters (the script prints how far logits move without it), and
rounded to BF16; the seed is the first by which no greedy choice is closer than 0.05, and no choice of experts closer than
0.05 deviations of their scores: rounding is not to make another choice. The GGUF is written by the names and in
the forms of llama.cpp's converter: experts in MXFP4, other matrices in Q8_0, the rest in F32; its logits are those of
transformers on these weights decoded again.

    pip install torch==2.15.0 transformers==4.57.6 gguf==0.19.0
    python3 tests/golden/make/gpt_oss.py        (writes beside tiny/llama3, whose tokenizer it copies)
"""

import copy
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from transformers import GptOssConfig, GptOssForCausalLM

from writer import Writer

TINY = Path(__file__).resolve().parent.parent / "tiny"
STEPS = 8
MATRIX, EXPERTS = gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.MXFP4


def config():
    return GptOssConfig(
        vocab_size=384,
        hidden_size=64,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        num_local_experts=4,
        num_experts_per_tok=2,
        sliding_window=12,
        max_position_embeddings=512,
        rope_theta=150000.0,
        rope_scaling={
            "rope_type": "yarn",
            "factor": 8.0,
            "beta_fast": 32.0,
            "beta_slow": 1.0,
            "truncate": False,
            "original_max_position_embeddings": 64,
        },
        rms_norm_eps=1e-5,
        bos_token_id=379,
        eos_token_id=380,
        pad_token_id=None,
        tie_word_embeddings=False,
        attn_implementation="eager",
        dtype="float32",
    )


def deviation(name):
    if "norm" in name:
        return 0.1
    if "sinks" in name:
        return 1.0
    if "embed_tokens" in name:
        return 1.0
    if "bias" in name:
        return 0.3
    if "router" in name or "q_proj" in name or "k_proj" in name:
        return 0.2
    if "lm_head" in name:
        return 0.19
    return 0.15


def fill(model, seed):
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            mean = 1.0 if "norm" in name else 0.0
            values = random.normal(mean, deviation(name), tuple(weight.shape))
            weight.copy_(torch.from_numpy(values).to(torch.bfloat16).float())


@torch.no_grad()
def logits(model, ids):
    return model(torch.from_numpy(np.asarray(ids, np.int64))[None]).logits[0].float().numpy()


@torch.no_grad()
def closest_experts(model, ids):
    """The least difference between the last expert that is used and the first that is not, in deviations of all."""
    ids = torch.from_numpy(np.asarray(ids, np.int64))[None]
    scores = []
    hooks = [
        layer.mlp.router.register_forward_hook(
            lambda router, x, _: scores.append(torch.nn.functional.linear(x[0], router.weight, router.bias)))
        for layer in model.model.layers
    ]
    model(ids)
    for hook in hooks:
        hook.remove()
    scores = torch.cat([it.reshape(-1, it.shape[-1]) for it in scores])
    ranked = scores.sort(-1, descending=True).values
    used = model.config.num_experts_per_tok
    return float((ranked[:, used - 1] - ranked[:, used]).min() / scores.std())


def greedy(model, ids):
    ids, chosen, rows, least = list(ids), [], [], np.inf
    row = logits(model, ids)[-1]
    for _ in range(STEPS):
        second, first = np.sort(row)[-2:]
        least = min(least, first - second)
        chosen.append(int(row.argmax()))
        ids.append(chosen[-1])
        row = logits(model, ids)[-1]
        rows.append(row)
    return chosen, np.stack(rows), least


def without(model, name):
    """Takes parameters of that name out, and gives back what was there."""
    kept = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if name in key:
                weight.fill_(-1e9 if name == "sinks" else 0.0)
    return kept


def metadata(out, config):
    out.add_name("tiny gpt-oss")
    out.add_block_count(config.num_hidden_layers)
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_expert_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_head_count_kv(config.num_key_value_heads)
    out.add_key_length(config.head_dim)
    out.add_value_length(config.head_dim)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_rope_freq_base(config.rope_theta)
    out.add_sliding_window(config.sliding_window)
    out.add_expert_count(config.num_local_experts)
    out.add_expert_used_count(config.num_experts_per_tok)
    scaling = config.rope_scaling
    out.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    out.add_rope_scaling_factor(scaling["factor"])
    out.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])


def to_gguf(path, model):
    """Writes it, and puts the decoded weights into the model."""
    state = model.state_dict()
    writer = Writer(path, "gpt-oss", TINY / "llama3" / "llama3-Q5_1.gguf")
    metadata(writer.out, model.config)

    def put(ours, theirs, kind=None):
        writer.put(state, ours, theirs, kind)

    put("token_embd.weight", "model.embed_tokens.weight", MATRIX)
    for layer in range(model.config.num_hidden_layers):
        a, b = f"blk.{layer}.", f"model.layers.{layer}."
        put(a + "attn_norm.weight", b + "input_layernorm.weight")
        put(a + "post_attention_norm.weight", b + "post_attention_layernorm.weight")
        put(a + "attn_sinks.weight", b + "self_attn.sinks")
        for ours, theirs in [("q", "q"), ("k", "k"), ("v", "v"), ("output", "o")]:
            put(f"{a}attn_{ours}.weight", f"{b}self_attn.{theirs}_proj.weight", MATRIX)
            put(f"{a}attn_{ours}.bias", f"{b}self_attn.{theirs}_proj.bias")
        put(a + "ffn_gate_inp.weight", b + "mlp.router.weight")
        put(a + "ffn_gate_inp.bias", b + "mlp.router.bias")
        # (E, D, 2F), gate and up column by column; (E, F, D).
        both, down = (state[f"{b}mlp.experts.{name}_proj"].numpy() for name in ("gate_up", "down"))
        both, down = both.transpose(0, 2, 1).copy(), down.transpose(0, 2, 1).copy()
        bias = state[b + "mlp.experts.gate_up_proj_bias"].numpy()
        for first, name in enumerate(["gate", "up"]):
            both[:, first::2] = writer.tensor(f"{a}ffn_{name}_exps.weight", both[:, first::2], EXPERTS)
            writer.tensor(f"{a}ffn_{name}_exps.bias", bias[:, first::2])
        down = writer.tensor(a + "ffn_down_exps.weight", down, EXPERTS)
        put(a + "ffn_down_exps.bias", b + "mlp.experts.down_proj_bias")
        for name, values in [("gate_up", both), ("down", down)]:
            state[f"{b}mlp.experts.{name}_proj"] = torch.from_numpy(values.transpose(0, 2, 1).copy())
    put("output_norm.weight", "model.norm.weight")
    put("output.weight", "lm_head.weight", MATRIX)
    writer.close()
    model.load_state_dict(state)


def main():
    ids = load_file(TINY / "llama3" / "expected.safetensors")["input_ids"]
    out = TINY / "gpt-oss"
    out.mkdir(exist_ok=True)
    model = GptOssForCausalLM(config()).eval()
    for seed in range(100000):
        fill(model, seed)
        if closest_experts(model, ids) < 0.05:
            continue
        chosen, rows, least = greedy(model, ids)
        if least >= 0.05 and closest_experts(model, [*ids, *chosen]) >= 0.05:
            break
    prompt = logits(model, ids)
    print(f"seed {seed}: deviation {prompt.std():.2f}, least gap {least:.3f}")
    for name in ["sinks", "q_proj.bias", "o_proj.bias", "router.bias", "gate_up_proj_bias", "down_proj_bias"]:
        kept = without(model, name)
        print(f"  without {name}: {np.abs(logits(model, ids) - prompt).max() / prompt.std():.2f} off")
        model.load_state_dict(kept)
    for key, value in [("sliding_window", 512), ("rope_scaling", None)]:
        other = config()
        setattr(other, key, value)
        other = GptOssForCausalLM(other).eval()
        other.load_state_dict(model.state_dict())
        print(f"  with {key} {value}: {np.abs(logits(other, ids) - prompt).max() / prompt.std():.2f} off")

    # A copy: frequencies of the rotation would be rounded as well.
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(out, safe_serialization=True)
    for name in ["tokenizer.json", "tokenizer_config.json"]:
        shutil.copyfile(TINY / "llama3" / name, out / name)
    expected = {
        "input_ids": ids.astype("<i4"),
        "greedy_ids": np.array(chosen, "<i4"),
        "logits": prompt,
        "greedy_logits": rows,
    }
    to_gguf(out / "gpt-oss-MXFP4.gguf", model)
    both = logits(model, [*ids, *chosen])
    expected["MXFP4.logits"], expected["MXFP4.greedy_logits"] = both[: len(ids)], both[len(ids) :]
    save_file(expected, out / "expected.safetensors")


if __name__ == "__main__":
    main()
