"""The spellings in which examples/smollm2 writes a model become the same ops,
and say the same tokens at the same accuracy."""

import re

import graph_text
import harness
import ingot
import numpy as np
import pytest
import small_llama
from smollm2_model import smollm2

SPELLINGS = ("microsoft", "onnx", "primitives")
CODED = ("microsoft", "onnx")


def recognised(path):
    """The ops of each entry of a model that is compiled for generation."""
    return graph_text.recognised(path, "--ingot-decoder")


def coded_weights(ops):
    """How many weights of each shape, bits and kind of blocks there are."""
    text = "\n".join(op.text for op in ops if op.name == "ingot.dequantize")
    forms = re.findall(r"(\{[^}]*\})? : \(tensor<([0-9x]+)x[su]*i(\d+)>", text)
    return sorted(forms)


def assert_alike(paths):
    entries = {spelling: recognised(path) for spelling, path in paths.items()}
    reference = entries["onnx"]
    assert set(reference) == {"main", "all", "decode"}
    for spelling, functions in entries.items():
        for name, ops in functions.items():
            assert graph_text.canonical(ops) == graph_text.canonical(reference[name]), (spelling, name)
            if spelling in CODED:
                assert coded_weights(ops) == coded_weights(reference[name]), (spelling, name)
    return graph_text.canonical(reference["main"]), coded_weights(reference["main"])


def test_small_model_has_the_same_ops(tmp_path):
    paths = {s: small_llama.write(tmp_path / s, s) for s in SPELLINGS}
    lines, coded = assert_alike(paths)
    kinds = [line.split("(")[0] for line in lines]
    model = small_llama.SmallLlama
    assert kinds.count("ingot.linear") == len(coded) == 7 * model.layers + 1
    assert kinds.count("ingot.paged_attention") == model.layers


def test_smollm2_has_the_same_ops():
    assert_alike({s: smollm2.onnx_file(s) for s in SPELLINGS})


def test_what_differs_is_seen(tmp_path):
    """A model with another epsilon is not the same."""
    model = small_llama.SmallLlama()
    one = recognised(small_llama.write(tmp_path / "one", "onnx", model))
    model.epsilon = 1e-6
    other = recognised(small_llama.write(tmp_path / "other", "onnx", model))
    assert graph_text.canonical(one["main"]) != graph_text.canonical(other["main"])


class UnturnedLlama(small_llama.SmallLlama):
    """Every position has the angles of the first: the tables of cosines and
    sines, which one spelling brings and the other computes, are the same bits."""

    def rotary_frequencies(self):
        return np.zeros_like(super().rotary_frequencies())


def told(model, activations, folder):
    """What both coded spellings say with activations of the same accuracy:
    {spelling: logits of 64 steps of two rows}."""
    logits = {}
    for spelling in CODED:
        path = small_llama.write(folder / spelling, spelling, model)
        artifact = harness.compiled(path, "--generate", "--activations", activations)
        session = ingot.Session(artifact, threads=2)
        rows = [(session.sequence(), [5, 17, 3, 80]), (session.sequence(), [40])]
        steps = []
        for _ in range(64):
            steps.append(session.step(rows).copy())
            rows = [(row, [int(choice)]) for (row, _), choice in zip(rows, steps[-1].argmax(1))]
        logits[spelling] = np.array(steps)
    return logits["microsoft"], logits["onnx"]


@pytest.mark.parametrize("activations", ["int8", "int16", "f32"])
def test_same_bits(activations, tmp_path):
    a, b = told(UnturnedLlama(), activations, tmp_path)
    assert np.array_equal(a, b)


@pytest.mark.parametrize("activations", ["int8", "int16", "f32"])
def test_same_tokens(activations, tmp_path):
    """Where tables of the rotary embedding differ in their last bits."""
    a, b = told(small_llama.SmallLlama(), activations, tmp_path)
    assert np.array_equal(a.argmax(2), b.argmax(2))
    # Rounding to bytes is not continuous: of its logits the bits above tell.
    if activations != "int8":
        assert np.abs(a - b).max() <= 1e-4 * np.abs(b).max()
