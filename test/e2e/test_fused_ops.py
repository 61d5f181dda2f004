"""Ops that ONNX Runtime's optimizers make of others, each against ONNX Runtime."""

import harness
import numpy as np
import pytest
from onnx import TensorProto, helper
from small_models import model_of, save, value

MICROSOFT = "com.microsoft"
INT32 = TensorProto.INT32


def random(*shape, seed=1):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def compare(path, model, runs, tolerance=1e-5):
    """The largest difference over runs of one compiled model; its ops."""
    artifact = harness.compiled(save(model, path))
    oracle = harness.oracle(path)
    for feeds in runs:
        want = harness.oracle_run(oracle, feeds)
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= tolerance
    return harness.explained(artifact)["recognised"]


ACTIVATIONS = {
    "Relu": {}, "Tanh": {}, "Sigmoid": {}, "LeakyRelu": {"alpha": 0.2}, "Elu": {"alpha": 0.7},
    "HardSigmoid": {"alpha": 0.3, "beta": 0.4}, "ThresholdedRelu": {"alpha": 0.5}, "Softsign": {},
    "Softplus": {},
}  # fmt: skip


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_fused_gemm(activation, tmp_path):
    given = {f"activation_{name}": number for name, number in ACTIVATIONS[activation].items()}
    node = helper.make_node(
        "FusedGemm", ["x", "w", "b"], ["y"], domain=MICROSOFT, activation=activation,
        alpha=0.5, beta=2.0, transB=1, **given,
    )  # fmt: skip
    model = model_of(
        [node], [value("x", ["n", 6])], [value("y", ["n", 5])],
        [("w", random(5, 6)), ("b", random(5))], domains=[MICROSOFT],
    )  # fmt: skip
    counts = compare(tmp_path / "m.onnx", model, [{"x": random(n, 6)} for n in (1, 7)])
    assert counts["linear"] == 1


def test_second_parameter_alone(tmp_path):
    """ONNX Runtime wants both: the first is what the activation's own op has."""
    node = helper.make_node(
        "FusedGemm", ["x", "w"], ["y"], domain=MICROSOFT, activation="HardSigmoid", activation_beta=0.25
    )
    model = model_of([node], [value("x", ["n", 4])], [value("y", ["n", 3])], [("w", random(4, 3))], domains=[MICROSOFT])
    x = random(6, 4)
    got = harness.run(save(model, tmp_path / "m.onnx"), {"x": x})["y"]
    assert np.abs(got - np.clip(0.2 * (x @ random(4, 3)) + 0.25, 0, 1)).max() <= 1e-6


@pytest.mark.parametrize("activation", [None, "Relu", "Tanh", "LeakyRelu", "Clip", "HardSigmoid"])
@pytest.mark.parametrize("residual", [False, True])
def test_fused_conv(activation, residual, tmp_path):
    attributes = {"activation": activation} if activation else {}
    parameters = {"LeakyRelu": [0.3], "Clip": [-0.5, 0.75], "HardSigmoid": [0.3, 0.4]}
    if activation in parameters:
        attributes["activation_params"] = parameters[activation]
    names = ["x", "w", "b", *(["z"] if residual else [])]
    node = helper.make_node(
        "FusedConv", names, ["y"], domain=MICROSOFT, kernel_shape=[3, 3], pads=[1, 1, 1, 1], **attributes
    )
    inputs = [value("x", ["n", 3, 8, 8]), *([value("z", ["n", 4, 8, 8])] if residual else [])]
    model = model_of(
        [node], inputs, [value("y", ["n", 4, 8, 8])],
        [("w", random(4, 3, 3, 3)), ("b", random(4))], domains=[MICROSOFT],
    )  # fmt: skip
    feeds = {"x": random(2, 3, 8, 8), **({"z": random(2, 4, 8, 8)} if residual else {})}
    compare(tmp_path / "m.onnx", model, [feeds])


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize("positions", [False, True])
def test_embed_layer_normalization(mask, segments, positions, tmp_path):
    names = [
        "ids", "types" if segments else "", "words", "places", "kinds" if segments else "",
        "gamma", "beta", "mask" if mask else "", "at" if positions else "",
    ]  # fmt: skip
    inputs = [value("ids", ["b", "s"], INT32)]
    weights = [("words", random(11, 8)), ("places", random(9, 8)), ("gamma", random(8)), ("beta", random(8))]
    if segments:
        inputs.append(value("types", ["b", "s"], INT32))
        weights.append(("kinds", random(2, 8)))
    inputs += [value(name, ["b", "s"], INT32) for name in ("mask", "at") if name in names]
    node = helper.make_node(
        "EmbedLayerNormalization", names, ["y", "lengths", "sum"], domain=MICROSOFT, epsilon=1e-5
    )
    outputs = [value("y", ["b", "s", 8]), value("lengths", ["b"], INT32), value("sum", ["b", "s", 8])]
    model = model_of([node], inputs, outputs, weights, domains=[MICROSOFT])
    runs = []
    for b, s in [(1, 1), (3, 5), (2, 9)]:
        integers = np.random.default_rng(s).integers
        feeds = {
            "ids": integers(0, 11, (b, s)), "types": integers(0, 2, (b, s)),
            "mask": np.arange(s) < integers(1, s + 1, (b, 1)), "at": integers(0, 9, (b, s)),
        }  # fmt: skip
        runs.append({name: array.astype(np.int32) for name, array in feeds.items() if name in names or name == "ids"})
    counts = compare(tmp_path / "m.onnx", model, runs)
    assert counts["layer_norm"] == 1 and counts["embedding"] == 1 + 1 + segments


@pytest.mark.parametrize(
    "op, attributes",
    [
        ("FusedGemm", {"activation": "Swish"}),
        ("FusedConv", {"activation": "Gelu"}),
    ],
)
def test_unknown_activations(op, attributes, tmp_path):
    shape = ["n", 3, 4, 4] if op == "FusedConv" else ["n", 3]
    weight = random(2, 3, 1, 1) if op == "FusedConv" else random(3, 2)
    node = helper.make_node(op, ["x", "w"], ["y"], "fused_one", domain=MICROSOFT, **attributes)
    model = model_of([node], [value("x", shape)], [value("y", None)], [("w", weight)], domains=[MICROSOFT])
    done = harness.ingot("compile", save(model, tmp_path / "m.onnx"), "-o", tmp_path / "m.ingot")
    assert done.returncode == 1 and "activation" in done.stderr and "fused_one" in done.stderr
    assert attributes["activation"] in done.stderr, done.stderr


def test_tables_of_other_ranks(tmp_path):
    names = ["ids", "", "words", "places", "", "gamma", "beta"]
    node = helper.make_node("EmbedLayerNormalization", names, ["y", "lengths"], "embed_it", domain=MICROSOFT)
    weights = [("words", random(11)), ("places", random(9, 8)), ("gamma", random(8)), ("beta", random(8))]
    outputs = [value("y", None), value("lengths", ["b"], INT32)]
    model = model_of([node], [value("ids", ["b", "s"], INT32)], outputs, weights, domains=[MICROSOFT])
    done = harness.ingot("compile", save(model, tmp_path / "m.onnx"), "-o", tmp_path / "m.ingot")
    assert done.returncode == 1 and "'words', a table, has rank 1" in done.stderr and "embed_it" in done.stderr


@pytest.mark.parametrize(
    "op, names, message",
    [
        ("FusedMatMul", ["x"], "FusedMatMul: it lacks input 1 "),
        ("SkipLayerNormalization", ["x", "", "w"], "it lacks input 1 "),
        ("FusedConv", ["x"], "it lacks one of the inputs 1, 2"),
    ],
)
def test_missing_operands(op, names, message, tmp_path):
    node = helper.make_node(op, names, ["y"], "the_node", domain=MICROSOFT)
    model = model_of([node], [value("x", ["n", 3, 4])], [value("y", None)], [("w", random(4))], domains=[MICROSOFT])
    done = harness.ingot("compile", save(model, tmp_path / "m.onnx"), "-o", tmp_path / "m.ingot")
    assert done.returncode == 1 and message in done.stderr and "the_node" in done.stderr, done.stderr
