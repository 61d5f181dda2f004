"""Weights with a scale and a minimum for each block, in the spellings that
exporters have for them: all stay codes, and mean what the file says."""

import harness
import numpy as np
import pytest
from onnx import TensorProto, helper
from small_models import model_of, save, value
from test_quantized_formats import data, plain

ROWS, COLUMNS, BLOCK = 24, 128, 32
BLOCKS = COLUMNS // BLOCK


def parameters(odd):
    """Codes, scales and minima; `odd` blocks are constant, or nearly."""
    random = np.random.default_rng(8)
    codes = random.integers(0, 16, (ROWS, COLUMNS), np.uint8)
    scales = random.uniform(0.01, 0.02, (ROWS, BLOCKS)).astype(np.float32)
    minima = (-scales * random.uniform(4, 12, scales.shape)).astype(np.float32)
    if odd:
        scales[0, :], minima[0, :] = 0, 0
        scales[1, :], minima[1, :] = 0, [0.3, -0.2, 1e-3, 2.0]
        scales[2, :], minima[2, :] = [1e-38, 1e-30, 1e-20, 1e-9], [0.5, -0.5, 0.5, -0.5]
        scales[3, :], minima[3, :] = 0, [1e-20, -1e-25, 0, 1e-30]
        scales[4, :] *= -1
        minima[5, :] = 0
    return codes, scales, minima


class Weight:
    """Builds the graph of one spelling."""

    def __init__(self, odd=False):
        self.nodes, self.weights, self.packed = [], [], []
        self.codes, self.scales, self.minima = parameters(odd)

    def node(self, op, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def constant(self, array, name=None):
        name = name or f"c{len(self.weights)}"
        self.weights.append((name, np.asarray(array)))
        return name

    def four_bits(self, dims, codes=None):
        codes = self.codes if codes is None else codes
        self.packed.append(helper.make_tensor("codes", TensorProto.UINT4, dims, codes.ravel()))
        return "codes"

    def scaled(self, scales=None):
        """DequantizeLinear of a matrix of codes."""
        scales = self.constant(self.scales if scales is None else scales)
        codes = self.four_bits([ROWS, COLUMNS])
        return self.node("DequantizeLinear", codes, scales, axis=1, block_size=BLOCK)

    def matrix(self, x):
        return self.node("Reshape", x, self.constant([ROWS, COLUMNS]))

    # The spellings.

    def expanded(self):
        minima = self.constant(self.minima[..., None])
        minima = self.node("Expand", minima, self.constant([ROWS, BLOCKS, BLOCK]))
        return self.node("Add", self.scaled(), self.matrix(minima))

    def subtracted(self):
        minima = self.constant(-self.minima.T)
        minima = self.node("Transpose", minima, perm=[1, 0])
        minima = self.node("Unsqueeze", minima, self.constant([2]))
        minima = self.node("Tile", minima, self.constant([1, 1, BLOCK]))
        return self.node("Sub", self.scaled(), self.matrix(minima))

    def grouped(self):
        """Blocks as a dim of their own, and broadcasting."""
        y = self.node("Reshape", self.scaled(), self.constant([ROWS, BLOCKS, BLOCK]))
        y = self.node("Add", self.constant(self.minima[..., None]), y)
        return self.matrix(y)

    def cast(self):
        """No DequantizeLinear at all."""
        codes = self.constant(self.codes.reshape(ROWS, BLOCKS, BLOCK))
        y = self.node("Cast", codes, to=TensorProto.FLOAT)
        y = self.node("Mul", self.constant(self.scales[..., None]), y)
        y = self.node("Add", y, self.constant(self.minima[..., None]))
        return self.matrix(y)

    def shifted(self):
        """A float zero point, subtracted before the scale."""
        points = -self.minima / self.scales
        codes = self.constant(self.codes.reshape(ROWS, BLOCKS, BLOCK))
        y = self.node("Cast", codes, to=TensorProto.FLOAT)
        y = self.node("Sub", y, self.constant(points[..., None]))
        return self.matrix(self.node("Mul", y, self.constant(self.scales[..., None])))


# A zero point cannot say what a block without a scale is.
CASES = [
    *((spelling, odd) for spelling in ("expanded", "subtracted", "grouped", "cast") for odd in (False, True)),
    ("shifted", False),
]


def values(weight):
    """The matrix that the file means, in float64."""
    scales, minima = (np.repeat(p.astype(np.float64), BLOCK, 1) for p in (weight.scales, weight.minima))
    return weight.codes * scales + minima


def build(path, spelling, odd, consumer):
    weight = Weight(odd)
    w = getattr(weight, spelling)()
    if consumer == "Gather":
        y, x = weight.node("Gather", w, "x"), value("x", ["n"], TensorProto.INT64)
        outputs = [value(y, ["n", COLUMNS])]
    else:
        y, x = weight.node("MatMul", "x", weight.node("Transpose", w, perm=[1, 0])), value("x", ["n", COLUMNS])
        outputs = [value(y, ["n", ROWS])]
    model = model_of(weight.nodes, [x], outputs, weight.weights, 21)
    model.graph.initializer.extend(weight.packed)
    save(model, path)
    return weight, y


@pytest.mark.parametrize("spelling,odd", CASES)
def test_values(spelling, odd, tmp_path):
    """Each value to the rounding of a sum of the block's size."""
    path = tmp_path / "m.onnx"
    weight, name = build(path, spelling, odd, "Gather")
    feeds = {"x": np.arange(ROWS)}
    got = harness.run(path, feeds)[name]
    assert harness.explained(path)["recognised"]["embedding"] == 1
    size = 15 * np.abs(weight.scales.astype(np.float64)) + np.abs(weight.minima)
    for want in (values(weight), harness.oracle_run(plain(path), feeds)[name]):
        assert np.isfinite(got).all()
        assert (np.abs(got - want) <= 4 * 2.0**-24 * np.repeat(size, BLOCK, 1)).all()


@pytest.mark.parametrize("spelling,odd", CASES)
def test_products(spelling, odd, tmp_path):
    path, artifact = tmp_path / "m.onnx", tmp_path / "m.ingot"
    weight, name = build(path, spelling, odd, "MatMul")
    harness.ingot_ok("compile", path, "-o", artifact, "--dump-dir", tmp_path)
    assert "ingot.quantized_linear" in (tmp_path / "2-structured.mlir").read_text()
    x = data((5, COLUMNS))
    got = harness.run(artifact, {"x": x})[name]
    want = x.astype(np.float64) @ values(weight).T
    # Constant rows: their sums cancel, so that they are measured by what is summed.
    summed = np.abs(x).astype(np.float64) @ np.abs(values(weight)).T
    assert np.isfinite(got).all()
    assert (np.abs(got - want) <= 2e-6 * summed + 2e-6 * np.abs(want).max(1, keepdims=True)).all()
