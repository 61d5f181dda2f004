"""A small Llama with random quantized weights, in the three spellings in which
examples/smollm2 writes SmolLM2."""

import functools
import pathlib
import sys

import harness
import numpy as np

sys.path.insert(0, str(harness.ROOT / "examples" / "smollm2"))

import convert  # noqa: E402
import gguf_llama  # noqa: E402
import spellings  # noqa: E402


class SmallLlama:
    """What the spellings ask of gguf_llama.Llama: 4-bit layers with minima and
    an 8-bit table that the head shares."""

    layers, hidden, heads, kv_heads, depth = 2, 64, 4, 2, 16
    vocabulary, positions, epsilon, theta = 96, 128, 1e-5, 10000.0
    inner = 96

    def _random(self, name):
        return np.random.default_rng(list(name.encode()))

    def vector(self, name):
        return self._random(name).uniform(0.5, 1.5, self.hidden).astype(np.float32)

    def shape(self, name):
        """Rows and columns of a matrix."""
        narrow = self.kv_heads * self.depth
        shapes = {
            "token_embd": (self.vocabulary, self.hidden),
            "attn_q": (self.hidden, self.hidden), "attn_output": (self.hidden, self.hidden),
            "attn_k": (narrow, self.hidden), "attn_v": (narrow, self.hidden),
            "ffn_gate": (self.inner, self.hidden), "ffn_up": (self.inner, self.hidden),
            "ffn_down": (self.hidden, self.inner),
        }  # fmt: skip
        return shapes[name.split(".")[-2]]

    @functools.cache
    def matrix(self, name):
        random, (rows, columns) = self._random(name), self.shape(name)
        blocks = (rows, columns // gguf_llama.BLOCK)
        step = random.uniform(0.5, 1.5, blocks) * columns**-0.5
        if name.startswith("token_embd"):
            codes = random.integers(-127, 128, (rows, columns)).astype(np.int8)
            return gguf_llama.Matrix(codes, (step / 64).astype(np.float16), None)
        codes = random.integers(0, 16, (rows, columns)).astype(np.uint8)
        minima = -step * random.uniform(0.8, 1.2, blocks)
        return gguf_llama.Matrix(codes, (step / 8).astype(np.float16), minima.astype(np.float16))

    rotary_frequencies = gguf_llama.Llama.rotary_frequencies


def write(folder, spelling, model=None):
    """Writes one spelling into `folder`; returns the path of the ONNX file."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    writer = convert.GraphWriter(folder)
    spellings.SPELLINGS[spelling](writer, model or SmallLlama()).write()
    return folder / "model.onnx"


def feeds(spelling, rows, tokens, past, model=None, seed=0):
    """Inputs for `rows` of `tokens` new tokens after a past of `past`."""
    model, random = model or SmallLlama(), np.random.default_rng([seed, rows, tokens, past])
    result = {
        "input_ids": random.integers(0, model.vocabulary, (rows, tokens)),
        "attention_mask": np.ones((rows, past + tokens), np.int64),
    }
    if spellings.SPELLINGS[spelling].has_positions:
        places = np.broadcast_to(np.arange(past, past + tokens), (rows, tokens))
        result["position_ids"] = places.astype(np.int64)
    cache = (rows, model.kv_heads, past, model.depth)
    for layer in range(model.layers):
        for part in ("key", "value"):
            values = random.standard_normal(cache).astype(np.float32)
            result[f"past_key_values.{layer}.{part}"] = values
    return result
