"""Ops from codes to codes, and tables of 4-bit values, against ONNX Runtime."""

import harness
import numpy as np
import pytest
from onnx import TensorProto, helper
from small_models import model_of, save, value

MICROSOFT = "com.microsoft"
KINDS = {"int8": TensorProto.INT8, "uint8": TensorProto.UINT8}
# Of a code of eight bits that f32 computes in a few steps.
ROUNDING = 2**-14


def codes(kind, *shape, seed=1):
    low, high = (-128, 128) if kind == "int8" else (0, 256)
    return np.random.default_rng([seed, *shape]).integers(low, high, shape).astype(kind)


class Node:
    """A node whose operands are codes with a scale and a zero point each."""

    def __init__(self, op, kind, **attributes):
        self.op, self.kind, self.attributes = op, kind, attributes
        self.names, self.inputs, self.weights = [], [], []

    def parameters(self, scale, zero):
        at = len(self.weights)
        self.weights += [(f"scale{at}", np.float32(scale)), (f"zero{at}", np.array(zero, self.kind))]
        self.names += [f"scale{at}", f"zero{at}"]

    def operand(self, name, shape, scale, zero):
        self.inputs.append(value(name, shape, KINDS[self.kind]))
        self.names.append(name)
        self.parameters(scale, zero)

    def model(self, shape):
        node = helper.make_node(self.op, self.names, ["y"], domain=MICROSOFT, **self.attributes)
        outputs = [value("y", shape, KINDS[self.kind])]
        return model_of([node], self.inputs, outputs, self.weights, 17, [MICROSOFT])


def decoded(codes, scale, zero):
    """What codes stand for, in f64; scales are numbers of f32."""
    return (codes.astype(np.float64) - zero) * np.float64(np.float32(scale))


def compare(path, model, feeds, values, scale, zero):
    """The codes are those nearest to the exact `values`, and ONNX Runtime's but
    at ties: there the last bit of a product in f32 decides, in its kernels and
    in ours."""
    save(model, path)
    got = harness.run(path, feeds)["y"]
    want = harness.oracle_run(harness.oracle(path), feeds)["y"]
    assert got.shape == want.shape == values.shape and got.dtype == want.dtype
    limits = np.iinfo(got.dtype)
    exact = np.clip(values / np.float64(np.float32(scale)) + zero, limits.min, limits.max)
    assert np.abs(got - exact).max() <= 0.5 + ROUNDING
    is_tie = np.abs(exact - np.floor(exact) - 0.5) <= ROUNDING
    assert np.array_equal(got[~is_tie], want[~is_tie])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
def test_binary(op, kind, tmp_path):
    node = Node(op, kind)
    node.operand("a", ["n", 16], 0.031, 5)
    node.operand("b", [16], 0.017, 9)
    scale = 0.043 if op == "QLinearAdd" else 0.071
    node.parameters(scale, 3)
    feeds = {"a": codes(kind, 40, 16), "b": codes(kind, 16)}
    a, b = decoded(feeds["a"], 0.031, 5), decoded(feeds["b"], 0.017, 9)
    values = a + b if op == "QLinearAdd" else a * b
    compare(tmp_path / "m.onnx", node.model(["n", 16]), feeds, values, scale, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("op", ["QLinearSigmoid", "QLinearLeakyRelu"])
def test_unary(op, kind, tmp_path):
    """Every code there is."""
    is_relu = op == "QLinearLeakyRelu"
    node = Node(op, kind, **({"alpha": 0.3} if is_relu else {}))
    node.operand("a", [256], 0.043, 7)
    scale = 0.037 if is_relu else 1 / 256
    node.parameters(scale, 2)
    low = -128 if kind == "int8" else 0
    feeds = {"a": np.arange(low, low + 256).astype(kind)}
    a = decoded(feeds["a"], 0.043, 7)
    values = np.where(a < 0, np.float64(np.float32(0.3)) * a, a) if is_relu else 1 / (1 + np.exp(-a))
    compare(tmp_path / "m.onnx", node.model([256]), feeds, values, scale, 2)


def test_dims_of_parameters_that_are_known_when_run(tmp_path):
    node = Node("QLinearSigmoid", "uint8")
    node.inputs += [value("a", ["n"], KINDS["uint8"]), value("s", ["one"]), value("z", ["ones"], KINDS["uint8"])]
    node.names += ["a", "s", "z"]
    node.parameters(1 / 256, 2)
    feeds = {"a": codes("uint8", 50), "s": np.full(1, 0.043, np.float32), "z": np.full(1, 7, np.uint8)}
    values = 1 / (1 + np.exp(-decoded(feeds["a"], 0.043, 7)))
    compare(tmp_path / "m.onnx", node.model(["n"]), feeds, values, 1 / 256, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis,opset", [(-1, 13), (1, 13), (1, 11)])
def test_softmax(kind, axis, opset, tmp_path):
    """Before opset 13 over all dims from the axis on."""
    zero = -128 if kind == "int8" else 0
    node = Node("QLinearSoftmax", kind, axis=axis, opset=opset)
    node.operand("a", ["n", 3, 8], 0.05, 1)
    node.parameters(1 / 256, zero)
    feeds = {"a": codes(kind, 9, 3, 8)}
    a = np.exp(decoded(feeds["a"], 0.05, 1))
    values = a / a.sum(axis=(1, 2) if opset < 13 else axis, keepdims=True)
    compare(tmp_path / "m.onnx", node.model(["n", 3, 8]), feeds, values, 1 / 256, zero)


@pytest.mark.parametrize("kind", KINDS)
def test_concat(kind, tmp_path):
    node = Node("QLinearConcat", kind, axis=1)
    node.parameters(0.05, 4)
    node.operand("a", ["n", 3], 0.031, 5)
    node.operand("b", ["n", 5], 0.017, 9)
    feeds = {"a": codes(kind, 20, 3), "b": codes(kind, 20, 5)}
    values = np.concatenate([decoded(feeds["a"], 0.031, 5), decoded(feeds["b"], 0.017, 9)], 1)
    compare(tmp_path / "m.onnx", node.model(["n", 8]), feeds, values, 0.05, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_where(kind, tmp_path):
    node = Node("QLinearWhere", kind)
    node.inputs.append(value("c", ["n", 6], TensorProto.BOOL))
    node.names.append("c")
    node.operand("a", ["n", 6], 0.031, 5)
    node.operand("b", ["n", 6], 0.017, 9)
    node.parameters(0.04, 3)
    choice = np.random.default_rng(3).random((20, 6)) < 0.5
    feeds = {"c": choice, "a": codes(kind, 20, 6), "b": codes(kind, 20, 6, seed=2)}
    values = np.where(choice, decoded(feeds["a"], 0.031, 5), decoded(feeds["b"], 0.017, 9))
    compare(tmp_path / "m.onnx", node.model(["n", 6]), feeds, values, 0.04, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("last", [0, 1])
def test_global_average(kind, last, tmp_path):
    shape = ["n", 4, 6, 3] if last else ["n", 3, 4, 6]
    node = Node("QLinearGlobalAveragePool", kind, channels_last=last)
    node.operand("a", shape, 0.031, 5)
    node.parameters(0.011, 3)
    out = ["n", 1, 1, 3] if last else ["n", 3, 1, 1]
    feeds = {"a": codes(kind, 30, *shape[1:])}
    values = decoded(feeds["a"], 0.031, 5).mean((1, 2) if last else (2, 3), keepdims=True)
    compare(tmp_path / "m.onnx", node.model(out), feeds, values, 0.011, 3)


@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("floats", [False, True])
@pytest.mark.parametrize("turned", [0, 1])
def test_gemm(columns, floats, turned, tmp_path):
    random = np.random.default_rng(5)
    scale = (random.random(7) * 0.01 + 0.01).astype(np.float32) if columns else np.float32(0.013)
    zero = np.zeros(7 if columns else (), np.int8)
    weight = codes("int8", *((7, 24) if turned else (24, 7)))
    bias = random.integers(-3000, 3000, 7).astype(np.int32)
    weights = [
        ("sa", np.float32(0.02)), ("za", np.uint8(120)), ("b", weight), ("sb", scale), ("zb", zero),
        ("c", bias),
    ]  # fmt: skip
    names = ["a", "sa", "za", "b", "sb", "zb", "c"]
    if not floats:
        weights += [("sy", np.float32(0.3)), ("zy", np.uint8(128))]
        names += ["sy", "zy"]
    node = helper.make_node("QGemm", names, ["y"], domain=MICROSOFT, alpha=1.0, transB=turned)
    dtype = TensorProto.FLOAT if floats else TensorProto.UINT8
    model = model_of(
        [node], [value("a", ["n", 24], TensorProto.UINT8)], [value("y", ["n", 7], dtype)], weights, 17, [MICROSOFT]
    )
    path = tmp_path / "m.onnx"
    feeds = {"a": codes("uint8", 20, 24)}
    if not floats:
        sums = decoded(feeds["a"], 0.02, 120) @ decoded(weight.T if turned else weight, scale, 0)
        sums += decoded(bias, 0.02, 0) * scale
        return compare(path, model, feeds, sums, 0.3, 128)
    save(model, path)
    want = harness.oracle_run(harness.oracle(path), feeds)["y"]
    assert np.abs(harness.run(path, feeds)["y"] - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("depth,width,block", [(64, 32, 64), (96, 33, 64), (48, 20, 16)])
def test_matmul_of_a_table_of_values(kind, depth, width, block, tmp_path):
    """FP4 and NF4; blocks run over the ends of rows, the last one may be short."""
    random = np.random.default_rng(7)
    count = depth * width
    node = helper.make_node(
        "MatMulBnb4", ["x", "b", "absmax"], ["y"], domain=MICROSOFT,
        K=depth, N=width, block_size=block, quant_type=kind,
    )  # fmt: skip
    weights = [
        ("b", random.integers(0, 256, (count + 1) // 2).astype(np.uint8)),
        ("absmax", random.random(-(-count // block)).astype(np.float32)),
    ]
    model = model_of(
        [node], [value("x", ["n", depth])], [value("y", ["n", width])], weights, 17, [MICROSOFT]
    )
    path = save(model, tmp_path / "m.onnx")
    feeds = {"x": random.standard_normal((5, depth)).astype(np.float32)}
    want = harness.oracle_run(harness.oracle(path), feeds)["y"]
    assert np.abs(harness.run(path, feeds)["y"] - want).max() <= 2e-6 * np.abs(want).max()


@pytest.mark.parametrize(
    "op, attributes, message",
    [
        ("MatMulBnb4", {"K": 32, "N": 4, "block_size": 20, "quant_type": 1}, "'block_size' is 20"),
        ("MatMulBnb4", {"K": 32, "N": 4, "block_size": 32, "quant_type": 2}, "quant_type"),
        ("MatMulBnb4", {"K": 32, "N": 5, "block_size": 32, "quant_type": 1}, "'b' has the shape 64"),
    ],
)
def test_refusals(op, attributes, message, tmp_path):
    node = helper.make_node(op, ["x", "b", "absmax"], ["y"], "the_product", domain=MICROSOFT, **attributes)
    weights = [("b", np.zeros(64, np.uint8)), ("absmax", np.zeros(4, np.float32))]
    model = model_of([node], [value("x", ["n", 32])], [value("y", None)], weights, 17, [MICROSOFT])
    done = harness.ingot("compile", save(model, tmp_path / "m.onnx"), "-o", tmp_path / "m.ingot")
    assert done.returncode == 1 and message in done.stderr and "the_product" in done.stderr


def test_refusals_of_codes(tmp_path):
    def refusal(node):
        done = harness.ingot("compile", save(node.model(None), tmp_path / "m.onnx"), "-o", tmp_path / "m.ingot")
        assert done.returncode == 1
        return done.stderr

    pool = Node("QLinearGlobalAveragePool", "int8")
    pool.operand("a", ["n", 3], 0.05, 1)
    pool.parameters(0.05, 1)
    assert "rank 2" in refusal(pool)
    floats = Node("QLinearSigmoid", "int8")
    floats.inputs.append(value("a", ["n"]))
    floats.names.append("a")
    floats.parameters(0.05, 1)
    floats.parameters(1 / 256, -128)
    assert "unsupported dtype: f32 in QLinearSigmoid" in refusal(floats)
    product = Node("QGemm", "int8")
    product.operand("a", ["n", 3], 0.05, 1)
    product.operand("b", [3, 4], 0.05, 1)
    product.names[4] = ""
    assert "it lacks input 4" in refusal(product)
