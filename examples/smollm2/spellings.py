"""The three ways in which convert.py writes a Llama model as ONNX."""

import numpy as np
from onnx import TensorProto, helper

from gguf_llama import BLOCK

MICROSOFT = "com.microsoft"


def pack_nibbles(codes):
    """4-bit codes, two to a byte, the first in the low half."""
    return codes[..., 0::2] | codes[..., 1::2] << 4


def zero_points(scales, minima):
    """Scales and zero points that say the same as scales and minima. A block
    with a scale of zero gets another one, beside which codes do not count."""
    alone = np.abs(minima) > np.abs(scales) * 2**40
    scales = np.where(alone, np.abs(minima) * np.float32(2**-40), scales)
    return scales, np.divide(-minima, scales, out=np.zeros_like(minima), where=minima != 0)


class Spelling:
    """What the spellings share: the order of the layers. Values are named by
    the tensors of the graph."""

    opsets = [("", 18)]
    has_positions = True

    def __init__(self, graph, model):
        self.g, self.m = graph, model
        self.presents = []

    def write(self):
        m = self.m
        self.prepare()
        x, residual = self.embedding(), None
        for layer in range(m.layers):
            block = f"blk.{layer}"
            h, residual = self.norm(x, residual, f"{block}.attn_norm")
            h = self.attention(h, layer)
            x = self.linear(h, f"{block}.attn_output")
            h, residual = self.norm(x, residual, f"{block}.ffn_norm")
            gate = self.linear(h, f"{block}.ffn_gate")
            up = self.linear(h, f"{block}.ffn_up")
            sigmoid = self.g.node("Sigmoid", [gate], f"{block}.sigmoid")
            silu = self.g.node("Mul", [gate, sigmoid], f"{block}.silu")
            product = self.g.node("Mul", [silu, up], f"{block}.product")
            x = self.linear(product, f"{block}.ffn_down")
        h, _ = self.norm(x, residual, "output_norm")
        self.head(h)
        self.finish()

    def finish(self):
        m = self.m
        info = helper.make_tensor_value_info
        inputs = [info("input_ids", TensorProto.INT64, ["batch", "sequence"])]
        inputs.append(info("attention_mask", TensorProto.INT64, ["batch", "total_sequence"]))
        if self.has_positions:
            inputs.append(info("position_ids", TensorProto.INT64, ["batch", "sequence"]))
        outputs = [info("logits", TensorProto.FLOAT, ["batch", "sequence", m.vocabulary])]
        cache = lambda length: ["batch", m.kv_heads, length, m.depth]
        for layer in range(m.layers):
            for part in ("key", "value"):
                inputs.append(
                    info(f"past_key_values.{layer}.{part}", TensorProto.FLOAT, cache("past_sequence"))
                )
                outputs.append(
                    info(f"present.{layer}.{part}", TensorProto.FLOAT, cache("total_sequence"))
                )
        self.g.finish(inputs, outputs, self.opsets)

    # What every spelling defines.

    def prepare(self):
        """Adds what the layers share."""

    def linear(self, x, name):
        """x times the transposed matrix."""
        raise NotImplementedError

    def norm(self, x, residual, name):
        """(norm(x + residual), x + residual)"""
        raise NotImplementedError

    # What primitives and opset 23 share.

    def add_residual(self, x, residual, name):
        return x if residual is None else self.g.node("Add", [residual, x], f"{name}.sum")

    def split_heads(self, x, count, name):
        shape = self.g.constant(f"heads.{count}", [0, 0, count, self.m.depth])
        x = self.g.node("Reshape", [x, shape], f"{name}.split")
        return self.g.node("Transpose", [x], f"{name}.heads", perm=[0, 2, 1, 3])

    def merge_heads(self, x, name):
        x = self.g.node("Transpose", [x], f"{name}.tokens", perm=[0, 2, 1, 3])
        shape = self.g.constant("merged", [0, 0, self.m.hidden])
        return self.g.node("Reshape", [x, shape], f"{name}.merged")

    def angles(self):
        """Angles of the positions: batch x sequence x depth / 2."""
        g = self.g
        positions = g.node("Unsqueeze", ["position_ids", g.constant("axis.2", [2])], "positions")
        positions = g.node("Cast", [positions], "positions.float", to=TensorProto.FLOAT)
        frequencies = g.weight("frequencies", self.m.rotary_frequencies())
        return g.node("Mul", [positions, frequencies], "angles")

    def dims(self):
        """Scalars: sequence, past and total length."""
        g = self.g
        sequence = g.node("Shape", ["input_ids"], "sequence.1", start=1, end=2)
        past = g.node("Shape", ["past_key_values.0.key"], "past.1", start=2, end=3)
        total = g.node("Add", [past, sequence], "total.1")
        squeeze = lambda x: g.node("Squeeze", [x], x[:-2])
        return squeeze(sequence), squeeze(past), squeeze(total)

    def visible(self):
        """Which keys a query sees: batch x 1 x sequence x total, bool."""
        g = self.g
        sequence, past, total = self.dims()
        zero, one = g.constant("zero", 0), g.constant("one", 1)
        keys = g.node("Range", [zero, total, one], "keys")
        queries = g.node("Range", [zero, sequence, one], "queries")
        queries = g.node("Add", [queries, past], "queries.absolute")
        queries = g.node("Unsqueeze", [queries, g.constant("axis.1", [1])], "queries.column")
        causal = g.node("LessOrEqual", [keys, queries], "causal")
        mask = g.node("Cast", ["attention_mask"], "mask.bool", to=TensorProto.BOOL)
        mask = g.node("Unsqueeze", [mask, g.constant("axes.1.2", [1, 2])], "mask.keys")
        return g.node("And", [causal, mask], "visible")


class Microsoft(Spelling):
    """The ops of onnxruntime-genai's models."""

    opsets = [("", 21), (MICROSOFT, 1)]
    has_positions = False

    def prepare(self):
        g, m = self.g, self.m
        one = g.constant("one.vector", [1])
        count = g.node("ReduceSum", ["attention_mask", one], "mask.count", keepdims=0)
        last = g.node("Sub", [count, one], "mask.last")
        self.lengths = g.node("Cast", [last], "seqlens_k", to=TensorProto.INT32)
        total = g.node("Shape", ["attention_mask"], "total.1", start=1, end=2)
        total = g.node("Squeeze", [total], "total")
        self.total = g.node("Cast", [total], "total_sequence_length", to=TensorProto.INT32)
        positions = np.arange(m.positions, dtype=np.float32)[:, None]
        angles = positions * m.rotary_frequencies()
        self.cosines = g.weight("cos_cache", np.cos(angles))
        self.sines = g.weight("sin_cache", np.sin(angles))

    def quantized(self, name):
        """Names of codes, scales and zero points of a matrix; its bits."""
        g, matrix = self.g, self.m.matrix(f"{name}.weight")
        rows, columns = matrix.codes.shape
        scales = matrix.scales.astype(np.float32)
        if matrix.codes.dtype == np.int8:  # stored with an offset of 128
            codes = (matrix.codes.astype(np.int16) + 128).astype(np.uint8)
            return [g.weight(f"{name}.codes", codes), g.weight(f"{name}.scales", scales)], 8
        scales, zeros = zero_points(scales, matrix.minima.astype(np.float32))
        codes = pack_nibbles(matrix.codes).reshape(rows, columns // BLOCK, BLOCK // 2)
        return [
            g.weight(f"{name}.codes", codes),
            g.weight(f"{name}.scales", scales),
            g.weight(f"{name}.zeros", zeros),
        ], 4

    def embedding(self):
        (codes, scales), bits = self.quantized("token_embd")
        return self.g.node(
            "GatherBlockQuantized", [codes, "input_ids", scales], "embedding",
            domain=MICROSOFT, bits=bits, block_size=BLOCK, gather_axis=0, quantize_axis=1,
        )  # fmt: skip

    def matmul(self, x, name, output):
        parameters, bits = self.quantized(name)
        columns = self.m.matrix(f"{name}.weight").codes.shape
        if bits == 8:  # three dims here, two in the embedding
            blocks = [columns[0], columns[1] // BLOCK, BLOCK]
            shape = self.g.constant(f"{name}.blocks", blocks)
            parameters[0] = self.g.node("Reshape", [parameters[0], shape], f"{name}.blocked")
        return self.g.node(
            "MatMulNBits", [x, *parameters], output,
            domain=MICROSOFT, bits=bits, block_size=BLOCK, K=columns[1], N=columns[0],
        )  # fmt: skip

    def linear(self, x, name):
        return self.matmul(x, name, f"{name}.out")

    def norm(self, x, residual, name):
        weight = self.g.weight(f"{name}.weight", self.m.vector(f"{name}.weight"))
        if residual is None:
            y = self.g.node(
                "SimplifiedLayerNormalization", [x, weight], name, axis=-1, epsilon=self.m.epsilon
            )
            return y, x
        outputs = [name, "", "", f"{name}.sum"]
        self.g.nodes.append(
            helper.make_node(
                "SkipSimplifiedLayerNormalization", [residual, x, weight], outputs,
                name=name, domain=MICROSOFT, epsilon=self.m.epsilon,
            )
        )  # fmt: skip
        return outputs[0], outputs[3]

    def attention(self, x, layer):
        name, m = f"blk.{layer}.attention", self.m
        q, k, v = (self.linear(x, f"blk.{layer}.attn_{part}") for part in "qkv")
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        outputs = [name, f"present.{layer}.key", f"present.{layer}.value"]
        inputs = [q, k, v, *past, self.lengths, self.total, self.cosines, self.sines]
        self.g.nodes.append(
            helper.make_node(
                "GroupQueryAttention", inputs, outputs, name=name, domain=MICROSOFT,
                num_heads=m.heads, kv_num_heads=m.kv_heads, scale=m.depth**-0.5,
                do_rotary=1, rotary_interleaved=0,
            )
        )  # fmt: skip
        return name

    def head(self, x):
        self.matmul(x, "token_embd", "logits")


class Onnx(Spelling):
    """The transformer ops of opset 23."""

    opsets = [("", 23)]

    def prepare(self):
        angles = self.angles()
        self.cosines = self.g.node("Cos", [angles], "cosines")
        self.sines = self.g.node("Sin", [angles], "sines")
        self.mask = self.visible()

    def values(self, name):
        """The float matrix [outputs, inputs], dequantized in the graph."""
        g, matrix = self.g, self.m.matrix(f"{name}.weight")
        rows, columns = matrix.codes.shape
        scales = g.weight(f"{name}.scales", matrix.scales.astype(np.float32))
        if matrix.codes.dtype == np.int8:
            codes = g.weight(f"{name}.codes", matrix.codes)
        else:
            packed = pack_nibbles(matrix.codes)
            codes = g.weight(f"{name}.codes", packed, TensorProto.UINT4, [rows, columns])
        y = g.node("DequantizeLinear", [codes, scales], f"{name}.scaled", axis=1, block_size=BLOCK)
        if matrix.minima is None:
            return y
        # DequantizeLinear knows integer zero points only: minima are added.
        minima = g.weight(f"{name}.minima", matrix.minima.astype(np.float32)[..., None])
        blocks = g.constant(f"blocks.{rows}.{columns}", [rows, columns // BLOCK, BLOCK])
        whole = g.constant(f"whole.{rows}.{columns}", [rows, columns])
        minima = g.node("Expand", [minima, blocks], f"{name}.minima.blocks")
        minima = g.node("Reshape", [minima, whole], f"{name}.minima.whole")
        return g.node("Add", [y, minima], f"{name}.values")

    def embedding(self):
        self.table = self.values("token_embd")
        return self.g.node("Gather", [self.table, "input_ids"], "embedding", axis=0)

    def linear(self, x, name):
        turned = self.g.node("Transpose", [self.values(name)], f"{name}.turned", perm=[1, 0])
        return self.g.node("MatMul", [x, turned], f"{name}.out")

    def norm(self, x, residual, name):
        total = self.add_residual(x, residual, name)
        weight = self.g.weight(f"{name}.weight", self.m.vector(f"{name}.weight"))
        y = self.g.node("RMSNormalization", [total, weight], name, axis=-1, epsilon=self.m.epsilon)
        return y, total

    def attention(self, x, layer):
        name, m = f"blk.{layer}", self.m
        q, k, v = (
            self.split_heads(self.linear(x, f"{name}.attn_{part}"), count, f"{name}.{part}")
            for part, count in (("q", m.heads), ("k", m.kv_heads), ("v", m.kv_heads))
        )
        rotate = lambda x, part: self.g.node(
            "RotaryEmbedding", [x, self.cosines, self.sines], f"{name}.{part}.rotated"
        )
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        outputs = [f"{name}.attention", f"present.{layer}.key", f"present.{layer}.value"]
        self.g.nodes.append(
            helper.make_node(
                "Attention", [rotate(q, "q"), rotate(k, "k"), v, self.mask, *past], outputs,
                name=f"{name}.attention", scale=m.depth**-0.5,
            )
        )  # fmt: skip
        return self.merge_heads(outputs[0], name)

    def head(self, x):
        turned = self.g.node("Transpose", [self.table], "head.turned", perm=[1, 0])
        self.g.node("MatMul", [x, turned], "logits")


class Primitives(Spelling):
    """Float weights and the ops of older opsets."""

    opsets = [("", 18)]

    def prepare(self):
        g = self.g
        angles = self.angles()
        both = g.node("Concat", [angles, angles], "angles.both", axis=-1)
        axis = g.constant("axis.1", [1])
        self.cosines = g.node("Unsqueeze", [g.node("Cos", [both], "cos"), axis], "cosines")
        self.sines = g.node("Unsqueeze", [g.node("Sin", [both], "sin"), axis], "sines")
        self.mask = self.mask_to_add()

    def mask_to_add(self):
        """Zero where a query sees a key."""
        g = self.g
        lowest = g.constant("lowest", np.finfo(np.float32).min, np.float32)
        none = g.constant("none", 0.0, np.float32)
        return g.node("Where", [self.visible(), none, lowest], "mask.added")

    def weights(self, name):
        return self.m.matrix(f"{name}.weight").values()

    def embedding(self):
        self.table = self.g.weight("token_embd.weight", self.weights("token_embd"))
        return self.g.node("Gather", [self.table, "input_ids"], "embedding", axis=0)

    def linear(self, x, name):
        weight = self.g.weight(f"{name}.weight", self.weights(name).T)
        return self.g.node("MatMul", [x, weight], f"{name}.out")

    def norm(self, x, residual, name):
        g = self.g
        total = self.add_residual(x, residual, name)
        square = g.node("Pow", [total, g.constant("two", 2.0, np.float32)], f"{name}.square")
        mean = g.node("ReduceMean", [square, g.constant("last", [-1])], f"{name}.mean")
        epsilon = g.constant("epsilon", self.m.epsilon, np.float32)
        root = g.node("Sqrt", [g.node("Add", [mean, epsilon], f"{name}.shifted")], f"{name}.root")
        inverse = g.node("Reciprocal", [root], f"{name}.inverse")
        scaled = g.node("Mul", [total, inverse], f"{name}.scaled")
        weight = g.weight(f"{name}.weight", self.m.vector(f"{name}.weight"))
        return g.node("Mul", [weight, scaled], name), total

    def rotate(self, x, name):
        g, half = self.g, self.m.depth // 2
        axis = g.constant("axis.3", [3])
        cut = lambda first, last, part: g.node(
            "Slice",
            [x, g.constant(f"at.{first}", [first]), g.constant(f"at.{last}", [last]), axis],
            f"{name}.{part}",
        )
        turned = g.node("Neg", [cut(half, 2 * half, "right")], f"{name}.negated")
        turned = g.node("Concat", [turned, cut(0, half, "left")], f"{name}.turned", axis=-1)
        a = g.node("Mul", [x, self.cosines], f"{name}.a")
        b = g.node("Mul", [turned, self.sines], f"{name}.b")
        return g.node("Add", [a, b], f"{name}.rotated")

    def repeat(self, x, name):
        """Every key head once for each query head that reads it."""
        g, m = self.g, self.m
        group = m.heads // m.kv_heads
        x = g.node("Unsqueeze", [x, g.constant("axis.2", [2])], f"{name}.alone")
        shape = g.constant("repeats", [1, 1, group, 1, 1])
        x = g.node("Expand", [x, shape], f"{name}.expanded")
        whole = g.constant("repeated", [0, m.heads, -1, m.depth])
        return g.node("Reshape", [x, whole], f"{name}.repeated")

    def append(self, new, name):
        """The past keys or values with the new ones behind them."""
        return self.g.node("Concat", [f"past_key_values.{name}", new], f"present.{name}", axis=2)

    def attention(self, x, layer):
        g, m, name = self.g, self.m, f"blk.{layer}"
        q, k, v = (
            self.split_heads(self.linear(x, f"{name}.attn_{part}"), count, f"{name}.{part}")
            for part, count in (("q", m.heads), ("k", m.kv_heads), ("v", m.kv_heads))
        )
        q, k = self.rotate(q, f"{name}.q"), self.rotate(k, f"{name}.k")
        k, v = self.append(k, f"{layer}.key"), self.append(v, f"{layer}.value")
        k, v = self.repeat(k, f"{name}.k"), self.repeat(v, f"{name}.v")
        k = g.node("Transpose", [k], f"{name}.keys", perm=[0, 1, 3, 2])
        scores = g.node("MatMul", [q, k], f"{name}.scores")
        scale = g.constant("scale", m.depth**-0.5, np.float32)
        scores = g.node("Mul", [scores, scale], f"{name}.scores.scaled")
        scores = g.node("Add", [scores, self.mask], f"{name}.scores.masked")
        weights = g.node("Softmax", [scores], f"{name}.weights", axis=-1)
        y = g.node("MatMul", [weights, v], f"{name}.attention")
        return self.merge_heads(y, name)

    def head(self, x):
        turned = self.g.node("Transpose", [self.table], "head.turned", perm=[1, 0])
        self.g.node("MatMul", [x, turned], "logits")


SPELLINGS = {"microsoft": Microsoft, "onnx": Onnx, "primitives": Primitives}
