"""Writes the GGUF of a tiny model, for the scripts beside it."""

import gguf
import numpy as np
import torch


class Writer:
    """A GGUF with the tokenizer of another, and the weights as whoever reads it will decode them."""

    def __init__(self, path, architecture, tokenizer_of):
        self.out = gguf.GGUFWriter(path, architecture)
        for field in gguf.GGUFReader(tokenizer_of).fields.values():
            if field.name.startswith("tokenizer."):
                kind = field.types[0]
                sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
                self.out.add_key_value(field.name, field.contents(), kind, sub)

    def tensor(self, name, values, kind=None):
        """Adds it in that type, or in F32; the values that are read again."""
        values = np.ascontiguousarray(values, np.float32)
        if kind is None:
            self.out.add_tensor(name, values)
            return values
        quantized = gguf.quantize(values, kind)
        self.out.add_tensor(name, quantized, raw_dtype=kind)
        return gguf.dequantize(quantized, kind).reshape(values.shape)

    def put(self, state, ours, theirs, kind=None):
        """Adds a parameter, and puts what is read again in its place."""
        state[theirs] = torch.from_numpy(self.tensor(ours, state[theirs].numpy(), kind))

    def close(self):
        self.out.write_header_to_file()
        self.out.write_kv_data_to_file()
        self.out.write_tensors_to_file()
        self.out.close()
