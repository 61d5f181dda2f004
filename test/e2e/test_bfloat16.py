"""Models of bf16: a Llama whose weights, activations and cache are bf16, on a CPU
that multiplies pairs of bf16 and on those that do not; and single products
against their exact sums."""

import bfloat16_models
import harness
import ml_dtypes
import numpy as np
import onnx
import pytest
import small_llama
import small_models
from bfloat16_models import BFLOAT
from onnx import TensorProto, helper, numpy_helper

PAIRS = "x86-64-v4+avx512vnni+avx512bf16"
HAS_PAIRS = " avx512_bf16 " in open("/proc/cpuinfo").read()
HAS_WIDE = " avx512f " in open("/proc/cpuinfo").read()
TARGETS = ["x86-64-v3"] + ["x86-64-v4"] * HAS_WIDE + [PAIRS] * HAS_PAIRS


def bits(array):
    """Of bf16, which npz files know as two bytes."""
    return array.view(np.uint16)


def run(model, target, feeds, folder, *options):
    artifact = folder / f"{target}.ingot"
    if not artifact.exists():
        harness.ingot_ok("compile", model, "-o", artifact, "--target", target)
    return harness.run(artifact, feeds, *options)


def values(array):
    return array.view(ml_dtypes.bfloat16).astype(np.float32)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return bfloat16_models.write_llama(tmp_path_factory.mktemp("llama"))


# Rows, new tokens, tokens before them.
SIZES = [(1, 1, 0), (1, 1, 9), (2, 5, 3), (1, 33, 0)]


def llama_feeds(size, kind=ml_dtypes.bfloat16):
    feeds = small_llama.feeds("primitives", *size)
    return {
        name: array.astype(ml_dtypes.bfloat16).astype(kind) if array.dtype == np.float32 else array
        for name, array in feeds.items()
    }


def test_llama(llama, tmp_path):
    """Logits are no further from what f32 gives than if every node rounded its
    result; on all CPUs products add in the same order."""
    errors = {name: [] for name in [*TARGETS, "stepwise"]}
    for size in SIZES:
        exact, stepwise = (
            bfloat16_models.evaluated(
                bfloat16_models.floats_of(onnx.load(llama), rounded), llama_feeds(size, np.float32)
            )
            for rounded in (False, True)
        )
        errors["stepwise"].append(stepwise - exact)
        found = {}
        for target in TARGETS:
            found[target] = run(llama, target, llama_feeds(size), tmp_path)["logits"]
            errors[target].append(values(found[target]) - exact)
            alone = run(llama, target, llama_feeds(size), tmp_path, "--threads", "1")["logits"]
            np.testing.assert_array_equal(bits(alone), bits(found[target]))
        if HAS_PAIRS:
            np.testing.assert_array_equal(bits(found[PAIRS]), bits(found["x86-64-v4"]))
    means = {
        name: float(np.sqrt(np.mean(np.concatenate([e.ravel() for e in all_errors]) ** 2)))
        for name, all_errors in errors.items()
    }
    print(means)
    assert max(means.values()) == means["stepwise"]


def product(depth, columns, widened):
    """`y = x w`: all of it bf16, or widened to f32 by the model."""
    weight = np.random.default_rng(depth).standard_normal((depth, columns)).astype(ml_dtypes.bfloat16)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    if widened:
        nodes = [
            helper.make_node("Cast", ["x"], ["x.wide"], to=TensorProto.FLOAT),
            helper.make_node("Cast", ["w"], ["w.wide"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["x.wide", "w.wide"], ["y"]),
        ]
    kind = TensorProto.FLOAT if widened else BFLOAT
    graph = helper.make_graph(
        nodes, "product", [small_models.value("x", ["n", depth], BFLOAT)],
        [small_models.value("y", ["n", columns], kind)], [numpy_helper.from_array(weight, "w")],
    )  # fmt: skip
    imports = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10), weight


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("depth, columns", [(1, 5), (33, 40), (96, 64), (2051, 33)])
def test_products(depth, columns, target, tmp_path):
    model, weight = product(depth, columns, widened=True)
    path = small_models.save(model, tmp_path / "wide.onnx")
    short = small_models.save(product(depth, columns, widened=False)[0], tmp_path / "short.onnx")
    harness.ingot_ok("compile", short, "-o", tmp_path / "short.ingot", "--target", target)
    whole = None
    x = np.random.default_rng(1).standard_normal((40, depth)).astype(ml_dtypes.bfloat16)
    for rows in [40, 1, 2, 16]:
        given = {"x": x[:rows]}
        found = run(path, target, given, tmp_path)["y"]
        exact = given["x"].astype("f8") @ weight.astype("f8")
        sizes = np.abs(given["x"].astype("f8")) @ np.abs(weight.astype("f8"))
        # The products are exact and every sum is rounded once.
        assert (np.abs(found - exact) <= depth * 2.0**-24 * 1.01 * sizes).all()
        # A row has the same bits whatever the others are.
        whole = found if whole is None else whole
        np.testing.assert_array_equal(found, whole[:rows])
        # Results of bf16 are these, rounded once.
        rounded = harness.run(tmp_path / "short.ingot", given)["y"]
        np.testing.assert_array_equal(values(rounded), found.astype(ml_dtypes.bfloat16).astype("f4"))


def test_proved(tmp_path):
    """Products of whole and odd extents stand every proof."""
    path = bfloat16_models.write_products(tmp_path)
    for target in TARGETS:
        done = harness.ingot_ok("compile", path, "-o", tmp_path / "p.ingot", "--target", target, "--prove")
        assert "proved" in done.stderr


def test_weights_stay_short(tmp_path):
    """The artifact holds the weight as the model has it, for every CPU."""
    path = small_models.save(product(768, 1024, widened=False)[0], tmp_path / "model.onnx")
    for target in TARGETS:
        harness.ingot_ok("compile", path, "-o", tmp_path / "model.ingot", "--target", target)
        assert (tmp_path / "model.ingot").stat().st_size < 2 * 768 * 1024 + (1 << 17)
