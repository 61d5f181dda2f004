"""ONNX files of given shapes with random weights."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A graph that grows node by node; constants are made where they are used."""

    def __init__(self, seed=0):
        self._random = np.random.default_rng(seed)
        self._nodes, self._weights = [], []

    def constant(self, array):
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def normal(self, *shape, scale=0.02, mean=0.0):
        values = self._random.standard_normal(shape, dtype=np.float32)
        return self.constant(values * np.float32(scale) + np.float32(mean))

    def node(self, op, *inputs, **attributes):
        name = f"v{len(self._nodes)}"
        given = [value if isinstance(value, str) else self.constant(np.asarray(value)) for value in inputs]
        self._nodes.append(helper.make_node(op, given, [name], **attributes))
        return name

    def linear(self, x, inputs, outputs):
        return self.node("Add", self.node("MatMul", x, self.normal(inputs, outputs)), self.normal(outputs))

    def save(self, path, inputs, output, shape):
        """Writes the graph; `inputs` are (name, element type, shape)."""
        self._nodes.append(helper.make_node("Identity", [output], ["output"]))
        graph = helper.make_graph(
            self._nodes, "graph",
            [helper.make_tensor_value_info(*each) for each in inputs],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)], self._weights,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(model, path)


def random_rows(rows, columns, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)


def write_product(path, inputs, outputs, bfloat16=False):
    """`output = x * w` with a weight of inputs x outputs; if `bfloat16`, that is
    of bf16 and `x` is rounded to it."""
    graph = Graph()
    x, weight = "x", graph.normal(inputs, outputs)
    if bfloat16:
        x, weight = (graph.node("Cast", value, to=TensorProto.BFLOAT16) for value in (x, weight))
        x, weight = (graph.node("Cast", value, to=TensorProto.FLOAT) for value in (x, weight))
    product = graph.node("MatMul", x, weight)
    x = ("x", TensorProto.FLOAT, ["rows", inputs])
    graph.save(path, [x], product, ["rows", outputs])


def write_bert(path, layers=12, hidden=768, heads=12, inner=3072, vocabulary=30522, positions=512):
    """An encoder of BERT's shape, spelled as torch's exporters spell it."""
    graph = Graph()
    node, f32 = graph.node, np.float32

    def norm(x):
        scale, shift = graph.normal(hidden, mean=1.0), graph.normal(hidden)
        return node("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    def split(x):
        x = node("Reshape", x, np.array([0, 0, heads, hidden // heads]))
        return node("Transpose", x, perm=[0, 2, 1, 3])

    def attention(x, bias):
        q, k, v = (split(graph.linear(x, hidden, hidden)) for _ in range(3))
        scores = node("MatMul", q, node("Transpose", k, perm=[0, 1, 3, 2]))
        scores = node("Div", scores, f32((hidden // heads) ** 0.5))
        mixed = node("MatMul", node("Softmax", node("Add", scores, bias), axis=-1), v)
        mixed = node("Transpose", mixed, perm=[0, 2, 1, 3])
        return graph.linear(node("Reshape", mixed, np.array([0, 0, hidden])), hidden, hidden)

    def gelu(x):
        erf = node("Erf", node("Div", x, f32(2**0.5)))
        return node("Mul", node("Mul", x, node("Add", erf, f32(1))), f32(0.5))

    embedded = node("Gather", graph.normal(vocabulary, hidden), "input_ids")
    embedded = node("Add", embedded, node("Gather", graph.normal(2, hidden), "token_type_ids"))
    length = node("Slice", node("Shape", "input_ids"), np.array([1]), np.array([2]))
    first = node("Slice", graph.normal(positions, hidden), np.array([0]), length, np.array([0]))
    x = norm(node("Add", embedded, first))
    mask = node("Cast", node("Unsqueeze", "attention_mask", np.array([1, 2])), to=TensorProto.FLOAT)
    bias = node("Mul", node("Sub", f32(1), mask), f32(-1e4))
    for _ in range(layers):
        x = norm(node("Add", attention(x, bias), x))
        inside = gelu(graph.linear(x, hidden, inner))
        x = norm(node("Add", graph.linear(inside, inner, hidden), x))
    ids = [(name, TensorProto.INT64, ["batch", "length"]) for name in
           ("input_ids", "attention_mask", "token_type_ids")]  # fmt: skip
    graph.save(path, ids, x, ["batch", "length", hidden])
