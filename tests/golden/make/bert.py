#!/usr/bin/env python3
"""Makes tests/golden/tiny/bert: a tiny BERT with seeded random weights, and what transformers says of it.

Weights are normal, of deviations by which every part matters (the script prints how far vectors move without it), and
rounded to BF16. The GGUF is written by the names and in the forms of llama.cpp's converter, matrices in Q8_0, the rest in
F32; its vectors are those of transformers on these weights decoded again. Of the tokens, `hidden` (T, D); of the text,
their mean, divided by its length, `pooled` (D,).

    pip install torch==2.15.0 transformers==4.57.6 gguf==0.19.0
    python3 tests/golden/make/bert.py        (writes beside tiny/llama3; its vocabulary is tokenizers/vocab/bert)
"""

import copy
import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import BertConfig, BertModel

GOLDEN = Path(__file__).resolve().parent.parent
VOCAB = GOLDEN / "tokenizers" / "vocab"
TOKENS = 40
MATRIX = gguf.GGMLQuantizationType.Q8_0


def config(vocab_size):
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=48,
        attn_implementation="eager",
        dtype="float32",
    )


def fill(model, seed):
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            mean = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            size = 0.3 if "LayerNorm" in name or "bias" in name else 0.25
            if "embeddings" in name and "LayerNorm" not in name:
                size = 0.7
            if "query" in name or "key" in name:
                size = 0.5
            values = torch.from_numpy(random.normal(mean, size, tuple(weight.shape)))
            weight.copy_(values.to(torch.bfloat16).float())


@torch.no_grad()
def hidden(model, ids):
    return model(torch.from_numpy(np.asarray(ids, np.int64))[None]).last_hidden_state[0].numpy()


def pooled(rows):
    mean = rows.astype(np.float64).mean(0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def to_gguf(path, model):
    """Writes it, and puts the decoded weights into the model."""
    config, state = model.config, model.state_dict()
    out = gguf.GGUFWriter(path, "bert")
    out.add_name("tiny BERT")
    out.add_block_count(config.num_hidden_layers)
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_layer_norm_eps(config.layer_norm_eps)
    out.add_causal_attention(False)
    out.add_pooling_type(gguf.PoolingType.MEAN)
    for field in gguf.GGUFReader(VOCAB / "bert.gguf").fields.values():
        if field.name.startswith("tokenizer."):
            kind = field.types[0]
            sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            out.add_key_value(field.name, field.contents(), kind, sub)

    def put(ours, theirs, kind=None):
        values = np.ascontiguousarray(state[theirs].numpy(), np.float32)
        if kind is None:
            out.add_tensor(ours, values)
            return
        quantized = gguf.quantize(values, kind)
        out.add_tensor(ours, quantized, raw_dtype=kind)
        state[theirs] = torch.from_numpy(gguf.dequantize(quantized, kind).reshape(values.shape))

    put("token_embd.weight", "embeddings.word_embeddings.weight", MATRIX)
    put("position_embd.weight", "embeddings.position_embeddings.weight")
    put("token_types.weight", "embeddings.token_type_embeddings.weight")
    for end in ["weight", "bias"]:
        put(f"token_embd_norm.{end}", f"embeddings.LayerNorm.{end}")
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
            put(f"blk.{layer}.{ours}.weight", f"{of}.weight", None if "norm" in ours else MATRIX)
            put(f"blk.{layer}.{ours}.bias", f"{of}.bias")
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    model.load_state_dict(state)


def main():
    out = GOLDEN / "tiny" / "bert"
    out.mkdir(exist_ok=True)
    vocab_size = len(json.loads((VOCAB / "bert.json").read_text())["model"]["vocab"])
    model = BertModel(config(vocab_size), add_pooling_layer=False).eval()
    fill(model, 0)
    ids = np.random.default_rng(1).integers(0, vocab_size, TOKENS)
    rows = hidden(model, ids)
    print(f"deviation {rows.std():.2f}")
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for name in ["position_emb", "token_type", "query.bias", "attention.output.dense.bias",
                 "intermediate.dense.bias", "output.LayerNorm.bias", "attention.self.key.weight"]:
        with torch.no_grad():
            for key, weight in model.named_parameters():
                if name in key:
                    weight.zero_()
        print(f"  without {name}: {np.abs(hidden(model, ids) - rows).max() / rows.std():.2f} off")
        model.load_state_dict(state)
    first = hidden(model, ids[:30])
    print(f"  without what is behind: {np.abs(first - rows[:30]).max() / rows.std():.2f} off")
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(out, safe_serialization=True)
    shutil.copyfile(VOCAB / "bert.json", out / "tokenizer.json")
    expected = {"input_ids": ids.astype("<i4"), "hidden": rows, "pooled": pooled(rows)}
    to_gguf(out / "bert-Q8_0.gguf", model)
    rows = hidden(model, ids)
    expected |= {"Q8_0.hidden": rows, "Q8_0.pooled": pooled(rows)}
    save_file(expected, out / "expected.safetensors")
    for file in out.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    main()
