"""Makes the golden files of a tiny encoder, for the scripts beside it.

Weights are normal, of deviations by which every part matters (it prints how far vectors move without it), and rounded to
BF16. The GGUF is written by the names and in the forms of llama.cpp's converter, matrices in Q8_0, the rest in F32; its
vectors are those of transformers on these weights decoded again. Of the tokens, `hidden` (T, D); of the text, their mean,
divided by its length, `pooled` (D,).
"""

import copy
import json
import shutil
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file

from writer import Writer

GOLDEN = Path(__file__).resolve().parent.parent
VOCAB = GOLDEN / "tokenizers" / "vocab"
TOKENS = 40
MATRIX = gguf.GGMLQuantizationType.Q8_0


def settings():
    """Those that the tiny models share."""
    return {
        "vocab_size": len(json.loads((VOCAB / "bert.json").read_text())["model"]["vocab"]),
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 48,
        "attn_implementation": "eager",
        "dtype": "float32",
    }


def fill(model, seed, scores):
    random = np.random.default_rng(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            is_norm = "norm" in name.lower()
            mean = 1.0 if is_norm and name.endswith("weight") else 0.0
            size = 0.3 if is_norm or "bias" in name else 0.25
            if "embeddings" in name and not is_norm:
                size = 0.7
            if any(part in name for part in ["query", "key", "q_proj", "k_proj"]):
                size = scores
            values = torch.from_numpy(random.normal(mean, size, tuple(weight.shape)))
            weight.copy_(values.to(torch.bfloat16).float())


@torch.no_grad()
def hidden(model, ids):
    return model(torch.from_numpy(np.asarray(ids, np.int64))[None]).last_hidden_state[0].numpy()


def pooled(rows):
    mean = rows.astype(np.float64).mean(0)
    return (mean / np.linalg.norm(mean)).astype(np.float32)


def writer(path, architecture, name, config):
    """With what the GGUFs of all encoders say."""
    to = Writer(path, architecture, VOCAB / "bert.gguf")
    out = to.out
    out.add_name(name)
    out.add_block_count(config.num_hidden_layers)
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_layer_norm_eps(config.layer_norm_eps)
    out.add_causal_attention(False)
    out.add_pooling_type(gguf.PoolingType.MEAN)
    return to


def make(name, model, scores, parts, to_gguf):
    """The folder of that name; projections to queries and keys have the deviation `scores`;
    `to_gguf(path, config, state)` writes the file, and leaves the weights that are read again."""
    out = GOLDEN / "tiny" / name
    out.mkdir(exist_ok=True)
    fill(model, 0, scores)
    ids = np.random.default_rng(1).integers(0, settings()["vocab_size"], TOKENS)
    rows = hidden(model, ids)
    print(f"deviation {rows.std():.2f}")
    state = {key: value.clone() for key, value in model.state_dict().items()}
    for part in parts:
        with torch.no_grad():
            for key, weight in model.named_parameters():
                if part in key:
                    weight.zero_()
        print(f"  without {part}: {np.abs(hidden(model, ids) - rows).max() / rows.std():.2f} off")
        model.load_state_dict(state)
    first = hidden(model, ids[:30])
    print(f"  without what is behind: {np.abs(first - rows[:30]).max() / rows.std():.2f} off")
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(out, safe_serialization=True)
    shutil.copyfile(VOCAB / "bert.json", out / "tokenizer.json")
    expected = {"input_ids": ids.astype("<i4"), "hidden": rows, "pooled": pooled(rows)}
    to_gguf(out / f"{name}-Q8_0.gguf", model.config, state)
    model.load_state_dict(state)
    rows = hidden(model, ids)
    expected |= {"Q8_0.hidden": rows, "Q8_0.pooled": pooled(rows)}
    save_file(expected, out / "expected.safetensors")
    for file in out.iterdir():
        file.chmod(0o644)
