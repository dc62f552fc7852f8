#!/usr/bin/env python3
"""Writes tests/golden/all-minilm-l6-v2/embeddings.json: what transformers makes of texts with all-MiniLM-L6-v2.

Of each text its token ids, and the mean of its tokens' vectors, divided by its length, as the model's authors use it. The
model is fetched by `cargo xtask model all-minilm-l6-v2`.

    pip install torch==2.15.0 transformers==4.57.6
    python3 tests/golden/make/minilm.py
"""

import json
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "models" / "all-MiniLM-L6-v2"
TEXTS = [
    "That is a happy person",
    "That is a very happy person",
    "Today is a sunny day",
    "Grüße aus Zürich: ÉCLAIR, naïve café — 50 % günstiger!",
    "日本語の文章と한국어 문장, русский текст и عربى",
    "x",
    "fn main() { println!(\"{}\", 1 << 20); } // 0xFF 😀",
    " ".join(f"Sentence number {i} tells of rivers, bridges and the people who cross them." for i in range(30)),
]


@torch.no_grad()
def main():
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    model = AutoModel.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager").eval()
    cases = []
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        mean = model(ids).last_hidden_state[0].double().mean(0)
        vector = (mean / mean.norm()).tolist()
        cases.append({"text": text, "ids": ids[0].tolist(), "vector": [round(x, 6) for x in vector]})
        print(len(ids[0]), text[:50])
    out = ROOT / "tests" / "golden" / "all-minilm-l6-v2" / "embeddings.json"
    out.write_text("\n".join(["[", ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases), "]", ""]))


if __name__ == "__main__":
    main()
