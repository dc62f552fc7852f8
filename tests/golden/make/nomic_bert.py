#!/usr/bin/env python3
"""Makes tests/golden/tiny/nomic-bert: a tiny Nomic Embed with seeded random weights, and what transformers says of it
(encoder.py).

    pip install torch==2.15.0 transformers==5.24.0 gguf==0.19.0
    python3 tests/golden/make/nomic_bert.py        (writes beside tiny/llama3; its vocabulary is tokenizers/vocab/bert)
"""

import numpy as np
import torch
from transformers import NomicBertConfig, NomicBertModel

import encoder


def config():
    return NomicBertConfig(**encoder.settings())


def to_gguf(path, config, state):
    out = encoder.writer(path, "nomic-bert", "tiny Nomic Embed", config)
    out.out.add_rope_freq_base(config.rope_parameters["rope_theta"])
    out.put(state, "token_embd.weight", "embeddings.word_embeddings.weight", encoder.MATRIX)
    out.put(state, "token_types.weight", "embeddings.token_type_embeddings.weight")
    for end in ["weight", "bias"]:
        out.put(state, f"token_embd_norm.{end}", f"embeddings.LayerNorm.{end}")
    for layer in range(config.num_hidden_layers):
        of = f"layers.{layer}"
        names = [f"{of}.self_attn.{part}_proj.weight" for part in "qkv"]
        fused = np.concatenate([state[name].numpy() for name in names])
        fused = out.tensor(f"blk.{layer}.attn_qkv.weight", fused, encoder.MATRIX)
        for name, rows in zip(names, np.split(fused, 3)):
            state[name] = torch.from_numpy(rows.copy())
        for ours, theirs in [
            ("attn_output", "self_attn.o_proj"),
            ("ffn_up", "mlp.up_proj"),
            ("ffn_gate", "mlp.gate_proj"),
            ("ffn_down", "mlp.down_proj"),
        ]:
            out.put(state, f"blk.{layer}.{ours}.weight", f"{of}.{theirs}.weight", encoder.MATRIX)
        for ours, theirs in [
            ("attn_output_norm", "post_attention_layernorm"),
            ("layer_output_norm", "post_mlp_layernorm"),
        ]:
            for end in ["weight", "bias"]:
                out.put(state, f"blk.{layer}.{ours}.{end}", f"{of}.{theirs}.{end}")
    out.close()


def main():
    parts = ["token_type", "k_proj", "gate_proj", "post_mlp_layernorm.bias"]
    model = NomicBertModel(config()).eval()
    encoder.make("nomic-bert", model, 0.25, parts, to_gguf)


if __name__ == "__main__":
    main()
