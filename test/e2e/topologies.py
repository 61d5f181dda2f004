"""Decoders of a few small layers, wired in ways in which people wire them."""

import numpy as np
import small_models
from onnx import TensorProto, helper

MICROSOFT = "com.microsoft"
WIDTH, HEADS, GROUPS, DEPTH, INNER, WORDS, POSITIONS = 64, 4, 2, 16, 96, 40, 256


class _Graph:
    def __init__(self, shared):
        self.nodes, self.weights, self.shared = [], {}, shared
        self.random = np.random.default_rng(3)

    def op(self, kind, *inputs, domain="", outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(
            helper.make_node(kind, list(inputs), names, names[0], domain=domain, **attributes)
        )
        return names[0] if outputs == 1 else names

    def weight(self, layer, name, *shape):
        """A weight of the layer, or of all layers where they share theirs."""
        name = name if self.shared else f"{layer}.{name}"
        if name not in self.weights:
            scale = 1 if len(shape) == 1 else shape[0] ** -0.5
            self.weights[name] = self.random.standard_normal(shape, np.float32) * np.float32(scale)
        return name

    def linear(self, x, layer, name, rows, columns):
        return self.op("MatMul", x, self.weight(layer, name, rows, columns))

    def norm(self, x, layer, name):
        gamma = self.weight(layer, name, WIDTH)
        return self.op("SimplifiedLayerNormalization", x, gamma, epsilon=1e-5, axis=-1)


def _attention(g, x, layer, packed):
    narrow = GROUPS * DEPTH
    if packed:
        given = [g.linear(x, layer, "qkv", WIDTH, WIDTH + 2 * narrow), "", ""]
    else:
        given = [
            g.linear(x, layer, name, WIDTH, columns)
            for name, columns in (("q", WIDTH), ("k", narrow), ("v", narrow))
        ]
    past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
    present = [f"present.{layer}.{part}" for part in ("key", "value")]
    name = f"attention{layer}"
    g.nodes.append(
        helper.make_node(
            "GroupQueryAttention", [*given, *past, "lengths", "total", "cos", "sin"],
            [name, *present], name, domain=MICROSOFT, num_heads=HEADS, kv_num_heads=GROUPS,
            do_rotary=1,
        )  # fmt: skip
    )
    return g.linear(name, layer, "o", WIDTH, WIDTH)


def _feed_forward(g, x, layer):
    gate, up = (g.linear(x, layer, name, WIDTH, INNER) for name in ("gate", "up"))
    act = g.op("Mul", g.op("Mul", gate, g.op("Sigmoid", gate)), up)
    return g.linear(act, layer, "down", INNER, WIDTH)


def _layer(g, x, layer, kind):
    attend = lambda y: _attention(g, y, layer, packed=kind != "separate")  # noqa: E731
    if kind == "parallel":
        y = g.norm(x, layer, "norm")
        return g.op("Add", g.op("Add", x, attend(y)), _feed_forward(g, y, layer))
    a = attend(g.norm(x, layer, "before_attention"))
    if kind == "sandwich":
        a = g.norm(a, layer, "after_attention")
    x = g.op("Add", x, a)
    f = _feed_forward(g, g.norm(x, layer, "before_mlp"), layer)
    if kind == "sandwich":
        f = g.norm(f, layer, "after_mlp")
    return g.op("Add", x, f)


KINDS = ["plain", "separate", "parallel", "sandwich", "shared"]


def decoder(kind, layers):
    """`kind` is one of KINDS."""
    g = _Graph(shared=kind == "shared")
    angles = np.outer(np.arange(POSITIONS), 1e4 ** (-np.arange(DEPTH // 2) * 2 / DEPTH))
    g.weights["cos"], g.weights["sin"] = (f(angles).astype(np.float32) for f in (np.cos, np.sin))
    g.weights["one"], g.weights["at1"] = np.array([1], np.int64), np.array(1, np.int64)
    count = g.op("ReduceSum", "attention_mask", "one", keepdims=0)
    g.nodes.append(
        helper.make_node("Cast", [g.op("Sub", count, "one")], ["lengths"], to=TensorProto.INT32)
    )
    length = g.op("Gather", g.op("Shape", "attention_mask"), "at1")
    g.nodes.append(helper.make_node("Cast", [length], ["total"], to=TensorProto.INT32))
    x = g.op("Gather", g.weight("", "embedding", WORDS, WIDTH), "input_ids")
    for layer in range(layers):
        x = _layer(g, x, layer, kind)
    logits = g.linear(g.norm(x, "", "last"), "", "head", WIDTH, WORDS)
    g.nodes.append(helper.make_node("Identity", [logits], ["logits"]))
    cache = ["batch", GROUPS, "past", DEPTH], ["batch", GROUPS, "all", DEPTH]
    names = [f"{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
    inputs = [
        small_models.value("input_ids", ["batch", "seq"], TensorProto.INT64),
        small_models.value("attention_mask", ["batch", "total"], TensorProto.INT64),
        *(small_models.value(f"past_key_values.{name}", cache[0]) for name in names),
    ]
    outputs = [
        small_models.value("logits", ["batch", "seq", WORDS]),
        *(small_models.value(f"present.{name}", cache[1]) for name in names),
    ]
    return small_models.model_of(
        g.nodes, inputs, outputs, list(g.weights.items()), domains=[MICROSOFT]
    )
