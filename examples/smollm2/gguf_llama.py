"""Reads a Llama-like model from a GGUF file: sizes, norm weights, and quantized
matrices as codes, scales and minima, exactly as the file holds them."""

import dataclasses
import json

import gguf
import numpy as np

BLOCK = 32


@dataclasses.dataclass
class Matrix:
    """A matrix of N rows: value = scale * code + minimum, per block of 32 codes
    along a row.

    codes: uint8 [N, K] (4-bit codes 0..15) or int8 [N, K] (8-bit codes)
    scales: float16 [N, K / 32]
    minima: float16 [N, K / 32], or None where they are zero
    """

    codes: np.ndarray
    scales: np.ndarray
    minima: np.ndarray | None

    def values(self):
        """The matrix in float32."""
        rows, columns = self.codes.shape
        blocks = self.codes.reshape(rows, -1, BLOCK).astype(np.float32)
        blocks = blocks * self.scales.astype(np.float32)[..., None]
        if self.minima is not None:
            blocks += self.minima.astype(np.float32)[..., None]
        return blocks.reshape(rows, columns)

    def rows(self, order):
        """The same matrix with its rows in another order."""
        minima = None if self.minima is None else self.minima[order]
        return Matrix(self.codes[order], self.scales[order], minima)


def _half(blocks, first):
    """The float16 at byte `first` of every block."""
    return np.ascontiguousarray(blocks[..., first : first + 2]).view(np.float16)[..., 0]


def _q4_1(data):
    # A block: scale, minimum, then 16 bytes with the codes 0-15 in their low
    # and 16-31 in their high halves.
    blocks = data.reshape(data.shape[0], -1, 20)
    packed = blocks[..., 4:]
    codes = np.concatenate([packed & 15, packed >> 4], axis=-1)
    return Matrix(codes.reshape(data.shape[0], -1), _half(blocks, 0), _half(blocks, 2))


def _q8_0(data):
    blocks = data.reshape(data.shape[0], -1, 34)
    codes = np.ascontiguousarray(blocks[..., 2:]).view(np.int8)
    return Matrix(codes.reshape(data.shape[0], -1), _half(blocks, 0), None)


_DECODERS = {"Q4_1": _q4_1, "Q8_0": _q8_0}


class Llama:
    """The model in a GGUF file."""

    def __init__(self, path):
        reader = gguf.GGUFReader(path)
        self._tensors = {tensor.name: tensor for tensor in reader.tensors}
        self._fields = reader.fields
        if self.field("general.architecture") != "llama":
            raise SystemExit(f"{path}: architecture '{self.field('general.architecture')}', not llama")
        self.layers = self.field("llama.block_count")
        self.hidden = self.field("llama.embedding_length")
        self.heads = self.field("llama.attention.head_count")
        self.kv_heads = self.field("llama.attention.head_count_kv")
        self.depth = self.hidden // self.heads
        self.vocabulary = self.field("llama.vocab_size")
        self.positions = self.field("llama.context_length")
        self.epsilon = self.field("llama.attention.layer_norm_rms_epsilon")
        self.theta = self.field("llama.rope.freq_base")

    def field(self, name):
        """A metadata value."""
        return self._fields[name].contents()

    def vector(self, name):
        """A float32 vector, such as a norm's weight."""
        return np.array(self._tensors[name].data, dtype=np.float32)

    def matrix(self, name):
        """A quantized matrix, [outputs, inputs]. The rows of q and k, which GGUF
        orders in pairs for its rotary embedding, come back in halves."""
        tensor = self._tensors[name]
        kind = tensor.tensor_type.name
        if kind not in _DECODERS:
            raise SystemExit(f"tensor '{name}' is {kind}; known are {', '.join(_DECODERS)}")
        matrix = _DECODERS[kind](np.array(tensor.data))
        if name.endswith(("attn_q.weight", "attn_k.weight")):
            order = np.arange(matrix.codes.shape[0]).reshape(-1, self.depth // 2, 2)
            matrix = matrix.rows(order.swapaxes(1, 2).reshape(-1))
        return matrix

    def rotary_frequencies(self):
        """float32 [depth / 2]: the angle that one position adds to each pair."""
        exponents = np.arange(0, self.depth, 2, dtype=np.float32) / np.float32(self.depth)
        return (1.0 / np.float32(self.theta) ** exponents).astype(np.float32)

    def tokenizer(self):
        """The tokenizer in the format of the PyPI package `tokenizers`, as JSON."""
        tokens = self.field("tokenizer.ggml.tokens")
        kinds = self.field("tokenizer.ggml.token_type")
        control = 3
        added = [
            {
                "id": index, "content": token, "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False, "special": True,
            }
            for index, (token, kind) in enumerate(zip(tokens, kinds))
            if kind == control
        ]  # fmt: skip
        bytes_ = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        return json.dumps({
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [{"type": "Digits", "individual_digits": True}, bytes_],
            },
            "post_processor": None,
            "decoder": {**bytes_, "add_prefix_space": True},
            "model": {
                "type": "BPE", "dropout": None, "unk_token": None,
                "continuing_subword_prefix": None, "end_of_word_suffix": None,
                "fuse_unk": False, "byte_fallback": False,
                "vocab": {token: index for index, token in enumerate(tokens)},
                "merges": self.field("tokenizer.ggml.merges"),
            },
        }, ensure_ascii=False)  # fmt: skip
