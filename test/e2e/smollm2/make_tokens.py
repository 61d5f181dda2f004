"""Writes tokens.json: what SmolLM2 says after a few prompts, by PyTorch.

    make_tokens.py SMOLLM2.gguf TOKENIZER.json

An implementation of its own, in float32: weights dequantized by the gguf
package, rotary embedding on neighbouring pairs (the order in which GGUF keeps
the rows of q and k). Needs the PyPI packages gguf and tokenizers
beside PyTorch (Debian's python3-torch will do; a virtual environment made with
--system-site-packages sees it)."""

import json
import pathlib
import sys

import gguf
import torch
from tokenizers import Tokenizer

PROMPTS = [
    "The capital of France is",
    "Once upon a time there was a small robot who",
    "def fibonacci(n):",
    "Water boils at 100 degrees Celsius because",
    "<|im_start|>user\nWhat is the tallest mountain on Earth?<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nWrite a haiku about autumn.<|im_end|>\n<|im_start|>assistant\n",
    "The three primary colours are",
    "To make a cup of tea, first",
    "In 1969, Neil Armstrong",
    "<|im_start|>user\nTranslate 'good morning' into Spanish.<|im_end|>\n<|im_start|>assistant\n",
    "Photosynthesis is the process by which",
    "for (int i = 0; i < 10; ++i) {",
]
LENGTH = 64


class Llama:
    """The model of a GGUF file, one sequence at a time."""

    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        field = lambda name: reader.fields[name].contents()
        self.layers = field("llama.block_count")
        self.heads = field("llama.attention.head_count")
        self.kv_heads = field("llama.attention.head_count_kv")
        self.depth = field("llama.rope.dimension_count")
        self.epsilon = field("llama.attention.layer_norm_rms_epsilon")
        self.theta = field("llama.rope.freq_base")
        self.w = {
            t.name: torch.from_numpy(gguf.quants.dequantize(t.data, t.tensor_type).copy())
            for t in reader.tensors
        }

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.w[name]

    def rotate(self, x, past):
        """x: tokens x heads x depth, the first at position `past`."""
        frequencies = self.theta ** (-torch.arange(0, self.depth, 2).float() / self.depth)
        angles = torch.arange(past, past + x.shape[0]).float()[:, None] * frequencies
        turn = torch.polar(torch.ones_like(angles), angles)[:, None]
        pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
        return torch.view_as_real(pairs * turn).flatten(-2)

    def logits(self, ids, cache):
        """The last token's. `cache` holds keys and values by layer, and grows."""
        x = self.w["token_embd.weight"][ids]
        count = len(ids)
        past = cache[0][0].shape[0] if cache else 0
        mask = torch.full((count, past + count), float("-inf")).triu(past + 1)
        for layer in range(self.layers):
            w = lambda name: self.w[f"blk.{layer}.{name}.weight"]
            h = self.norm(x, f"blk.{layer}.attn_norm.weight")
            q = self.rotate((h @ w("attn_q").T).view(count, self.heads, self.depth), past)
            k = self.rotate((h @ w("attn_k").T).view(count, self.kv_heads, self.depth), past)
            v = (h @ w("attn_v").T).view(count, self.kv_heads, self.depth)
            if past:
                k, v = (torch.cat(pair) for pair in zip(cache[layer], (k, v)))
            cache[layer] = k, v
            group = self.heads // self.kv_heads
            k, v = (y.repeat_interleave(group, dim=1).transpose(0, 1) for y in (k, v))
            scores = q.transpose(0, 1) @ k.transpose(1, 2) / self.depth**0.5 + mask
            y = (scores.softmax(-1) @ v).transpose(0, 1).reshape(count, -1)
            x = x + y @ w("attn_output").T
            h = self.norm(x, f"blk.{layer}.ffn_norm.weight")
            gate = torch.nn.functional.silu(h @ w("ffn_gate").T)
            x = x + (gate * (h @ w("ffn_up").T)) @ w("ffn_down").T
        return self.norm(x[-1], "output_norm.weight") @ self.w["token_embd.weight"].T


def main():
    model, tokenizer = Llama(sys.argv[1]), Tokenizer.from_file(sys.argv[2])
    cases = []
    with torch.no_grad():
        for prompt in PROMPTS:
            ids = tokenizer.encode(prompt).ids
            case = {"prompt": prompt, "ids": ids, "tokens": [], "gaps": []}
            cache = {}
            for _ in range(LENGTH):
                new = case["tokens"][-1:] or ids
                best = model.logits(torch.tensor(new), cache).topk(2)
                case["tokens"].append(int(best.indices[0]))
                case["gaps"].append(round(float(best.values[0] - best.values[1]), 6))
            cases.append(case)
            print(repr(prompt), repr(tokenizer.decode(case["tokens"])), min(case["gaps"]))
    lines = ",\n".join(json.dumps(case) for case in cases)
    pathlib.Path(__file__).with_name("tokens.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
