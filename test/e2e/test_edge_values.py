"""Values and sizes at the edge, against ONNX Runtime: tensors of nothing, the
order of NaN, angles of any size. With dims that are known and that are not."""

import harness
import numpy as np
import onnx
import onnx.reference
import pytest
import small_models
from onnx import TensorProto, helper
from small_models import value

INT64 = TensorProto.INT64


def check(folder, nodes, feeds, weights, outputs, shapes, options):
    model = small_models.model_of(
        nodes,
        [value(n, a.shape, helper.np_dtype_to_tensor_dtype(a.dtype)) for n, a in feeds.items()],
        [value(n, shapes[n], t) for n, t in outputs.items()],
        weights,
    )
    path = folder / "m.onnx"
    onnx.save(model, path)
    harness.ingot_ok("compile", path, "-o", folder / "m.ingot", *options)
    got = harness.run(folder / "m.ingot", feeds)
    want = harness.oracle_run(harness.oracle(path), feeds)
    assert harness.largest_difference(got, want) <= 1e-5


def ints(*values):
    return np.array(values, np.int64)


def node(op, inputs, outputs="y", **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


EMPTY = {
    "tile": ([node("Tile", "x r")], [2, 0], (6, 0)),
    "outer": ([node("Tile", "x r")], [0, 1], (0, 5)),
    "reshape": ([node("Tile", "x r", "t"), node("Reshape", "t s", allowzero=1)], [2, 0], (0, 7)),
    "sum": ([node("Tile", "x r", "t"), node("ReduceSum", "t one")], [2, 0], (6, 1)),
    "exp_of_sum": (
        [node("Tile", "x r", "t"), node("ReduceSum", "t one", "u"), node("Exp", "u")],
        [2, 0],
        (6, 1),
    ),
    "product": (
        [node("Tile", "x r", "t"), node("Transpose", "t", "u"), node("MatMul", "t u")],
        [2, 0],
        (6, 6),
    ),
}


@pytest.mark.parametrize("options", [(), ("--erase-dims",)], ids=["known", "erased"])
@pytest.mark.parametrize("name", EMPTY)
def test_nothing(name, options, tmp_path):
    nodes, repeats, shape = EMPTY[name]
    used = {i for n in nodes for i in n.input}
    weights = [("r", ints(*repeats)), ("s", ints(0, 7)), ("one", ints(1))]
    weights = [w for w in weights if w[0] in used]
    feeds = {"x": np.ones((3, 5), np.float32)}
    check(tmp_path, nodes, feeds, weights, {"y": TensorProto.FLOAT}, {"y": shape}, options)


@pytest.mark.parametrize("largest", [0, 1])
def test_top_k_takes_nan_for_the_largest(largest, tmp_path):
    nan = np.nan
    x = np.array([[1, nan, 3, -2, nan, 5], [nan] * 4 + [0, nan]], np.float32)
    nodes = [node("TopK", "x k", "v i", largest=largest)]
    outputs = {"v": TensorProto.FLOAT, "i": INT64}
    shapes = {"v": (2, 4), "i": (2, 4)}
    check(tmp_path, nodes, {"x": x}, [("k", ints(4))], outputs, shapes, ())


@pytest.mark.parametrize("op", ["Sin", "Cos"])
def test_large_angles(op, tmp_path):
    rng = np.random.default_rng(2)
    x = np.ldexp(rng.uniform(-1, 1, (9, 21)), rng.integers(-5, 128, (9, 21))).astype(np.float32)
    x[0, :3] = np.inf, -np.inf, np.nan
    outputs, shapes = {"y": TensorProto.FLOAT}, {"y": x.shape}
    check(tmp_path, [node(op, "x")], {"x": x}, [], outputs, shapes, ("--erase-dims",))


@pytest.mark.parametrize("options", [(), ("--erase-dims",)], ids=["known", "erased"])
def test_rows_that_a_bias_hides(options, tmp_path):
    """A float mask of -inf all along a row leaves NaN, as the softmax does."""
    nodes = [
        node("Transpose", "k", "kt", perm=[0, 1, 3, 2]),
        node("MatMul", "q kt", "s"),
        node("Add", "s m", "a"),
        node("Softmax", "a", "p", axis=-1),
        node("MatMul", "p v"),
    ]
    rng = np.random.default_rng(3)
    feeds = {n: rng.standard_normal((1, 2, 5, 16)).astype(np.float32) for n in "qkv"}
    feeds["m"] = np.zeros((1, 1, 5, 5), np.float32)
    feeds["m"][0, 0, 1] = -np.inf
    feeds["m"][0, 0, 2, 1:] = -np.inf
    shapes = {"y": (1, 2, 5, 16)}
    check(tmp_path, nodes, feeds, [], {"y": TensorProto.FLOAT}, shapes, options)


@pytest.mark.parametrize("options", [(), ("--erase-dims",)], ids=["known", "erased"])
@pytest.mark.parametrize("queries", [1, 5], ids=["keys", "scores"])
@pytest.mark.parametrize("groups", [2, 4])
def test_rows_that_attention_hides(groups, queries, options, tmp_path):
    """Where the bool mask of opset 23's Attention hides every key, the op is by
    its definition a softmax over nothing but -inf: NaN, as onnx's reference
    evaluator has it. (ONNX Runtime gives zeros.)"""
    rng = np.random.default_rng(4)
    heads = {"q": 4, "k": groups, "v": groups}
    feeds = {n: rng.standard_normal((2, h, 5, 8)).astype(np.float32) for n, h in heads.items()}
    mask = np.tril(np.ones((2, 1, queries, 5), bool), 4 if queries == 1 else 0)
    mask[0, 0, -1] = False
    mask[1, 0, :, 1] = False
    feeds["m"] = mask
    model = small_models.model_of(
        [node("Attention", "q k v m")],
        [value(n, a.shape, helper.np_dtype_to_tensor_dtype(a.dtype)) for n, a in feeds.items()],
        [value("y", (2, 4, 5, 8))],
        opset=23,
    )
    onnx.save(model, tmp_path / "m.onnx")
    harness.ingot_ok("compile", tmp_path / "m.onnx", "-o", tmp_path / "m.ingot", *options)
    got = harness.run(tmp_path / "m.ingot", feeds)
    (want,) = onnx.reference.ReferenceEvaluator(model).run(None, feeds)
    assert np.isnan(want[0]).any() and not np.isnan(want[1]).any()
    assert harness.largest_difference(got, {"y": want}) <= 1e-5


def test_more_elements_than_can_be_counted(tmp_path):
    model = small_models.model_of(
        [node("Tile", "x r")],
        [value("x", (3, 5), TensorProto.FLOAT)],
        [value("y", ("a", "b"), TensorProto.FLOAT)],
        [("r", ints(2**62, 4))],
    )
    onnx.save(model, tmp_path / "m.onnx")
    done = harness.ingot("compile", tmp_path / "m.onnx", "-o", tmp_path / "m.ingot")
    assert done.returncode == 1 and "more elements than can be counted" in done.stderr, done.stderr
    assert not (tmp_path / "m.ingot").exists()
