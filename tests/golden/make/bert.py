#!/usr/bin/env python3
"""Makes tests/golden/tiny/bert: a tiny BERT with seeded random weights, and what transformers says of it (encoder.py).

    pip install torch==2.15.0 transformers==4.57.6 gguf==0.19.0
    python3 tests/golden/make/bert.py        (writes beside tiny/llama3; its vocabulary is tokenizers/vocab/bert)
"""

from transformers import BertConfig, BertModel

import encoder


def config():
    return BertConfig(**encoder.settings())


def to_gguf(path, config, state):
    out = encoder.writer(path, "bert", "tiny BERT", config)
    out.put(state, "token_embd.weight", "embeddings.word_embeddings.weight", encoder.MATRIX)
    out.put(state, "position_embd.weight", "embeddings.position_embeddings.weight")
    out.put(state, "token_types.weight", "embeddings.token_type_embeddings.weight")
    for end in ["weight", "bias"]:
        out.put(state, f"token_embd_norm.{end}", f"embeddings.LayerNorm.{end}")
    for layer in range(config.num_hidden_layers):
        for ours, theirs in [
            ("attn_q", "attention.self.query"),
            ("attn_k", "attention.self.key"),
            ("attn_v", "attention.self.value"),
            ("attn_output", "attention.output.dense"),
            ("attn_output_norm", "attention.output.LayerNorm"),
            ("ffn_up", "intermediate.dense"),
            ("ffn_down", "output.dense"),
            ("layer_output_norm", "output.LayerNorm"),
        ]:
            of = f"encoder.layer.{layer}.{theirs}"
            kind = None if "norm" in ours else encoder.MATRIX
            out.put(state, f"blk.{layer}.{ours}.weight", f"{of}.weight", kind)
            out.put(state, f"blk.{layer}.{ours}.bias", f"{of}.bias")
    out.close()


def main():
    parts = ["position_emb", "token_type", "query.bias", "attention.output.dense.bias", "intermediate.dense.bias",
             "output.LayerNorm.bias", "attention.self.key.weight"]
    model = BertModel(config(), add_pooling_layer=False).eval()
    encoder.make("bert", model, 0.5, parts, to_gguf)


if __name__ == "__main__":
    main()
