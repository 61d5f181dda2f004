"""Layers that differ in their weights alone become one loop: a deeper model is
no more code, and computes what it computes with each layer written out."""

import compile_size
import harness
import numpy as np
import onnx
import pytest
import small_llama

import ingot

SPELLINGS = ("microsoft", "onnx", "primitives")


def model_of(layers):
    """Wide enough that its norms have weights, and not constants in the code."""
    model = small_llama.SmallLlama()
    model.layers, model.hidden, model.heads = layers, 288, 18
    return model


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_code_does_not_grow(spelling, tmp_path):
    sizes = []
    # Where one token is asked for, the last two layers are not as the others.
    for layers in (6, 11):
        folder = tmp_path / str(layers)
        path = small_llama.write(folder, spelling, model_of(layers))
        sizes.append(compile_size.of(path, folder / "dumps", "--generate"))
    for what, less in sizes[0].items():
        # Other numbers are other constants, which may be one or two.
        slack = 0 if what.startswith("functions") else less // 200
        assert abs(sizes[1][what] - less) <= slack, (what, sizes)


def logits_of(artifact, ids):
    """Of a prompt read at once and of single tokens after it, as bits."""
    sequence = ingot.Session(artifact, threads=2).sequence()
    found = [sequence.append(ids[:11])]
    found += [sequence.append(ids[i : i + 1]) for i in range(11, len(ids))]
    return [np.asarray(one) for one in found]


def test_bits_of_unrolled(tmp_path):
    """What goes from the third layer to the next is doubled and halved: it keeps
    its bits, and the layers around it do not become a loop."""
    layers = 6
    paths = [
        small_llama.write(tmp_path / name, "primitives", model_of(layers))
        for name in ("rolled", "unrolled")
    ]
    model = onnx.load(paths[1])
    between, make = "blk.3.attn_norm.sum", onnx.helper.make_node
    for node in model.graph.node:
        node.input[:] = ["same" if name == between else name for name in node.input]
    place = next(i for i, node in enumerate(model.graph.node) if between in node.output)
    for name, factor in (("test.two", 2), ("test.half", 0.5)):
        values = np.array(factor, np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    model.graph.node.insert(place + 1, make("Mul", [between, "test.two"], ["doubled"]))
    model.graph.node.insert(place + 2, make("Mul", ["doubled", "test.half"], ["same"]))
    onnx.save(model, paths[1])
    artifacts = [harness.compiled(path, "--generate") for path in paths]
    times = [
        {stage["times"] for stage in harness.explained(artifact)["stages"]}
        for artifact in artifacts
    ]
    assert times == [{1, layers - 2}, {1}]
    ids = np.random.default_rng(3).integers(0, 96, 17)
    for rolled, unrolled in zip(*(logits_of(artifact, ids) for artifact in artifacts)):
        np.testing.assert_array_equal(rolled, unrolled)
