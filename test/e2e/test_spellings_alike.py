"""The spellings in which examples/smollm2 writes a model become the same ops,
and say the same tokens at the same accuracy."""

import re
import subprocess

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
    tools = harness.BUILD / "bin"
    imported = subprocess.run([tools / "ingot-translate", "--onnx-to-ingot", path], capture_output=True, check=True)
    done = subprocess.run([tools / "ingot-opt", "--ingot-decoder"], input=imported.stdout, capture_output=True, check=True)
    return graph_text.functions(done.stdout.decode())


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


@pytest.mark.parametrize("activations", ["int8", "int16"])
def test_same_tokens(activations, tmp_path):
    """Both coded spellings, with activations of the same accuracy; the tables
    of the rotary embedding differ in their last bits."""
    logits, tokens = {}, {}
    for spelling in CODED:
        path = small_llama.write(tmp_path / spelling, spelling)
        artifact = harness.compiled(path, "--generate", "--activations", activations)
        session = ingot.Session(artifact, threads=2)
        rows = [(session.sequence(), [5, 17, 3, 80]), (session.sequence(), [40])]
        logits[spelling], tokens[spelling] = [], []
        for _ in range(64):
            step = session.step(rows).copy()
            logits[spelling].append(step)
            tokens[spelling].append(step.argmax(1))
            rows = [(row, [int(choice)]) for (row, _), choice in zip(rows, tokens[spelling][-1])]
    assert np.array_equal(tokens["microsoft"], tokens["onnx"])
    a, b = (np.array(logits[spelling]) for spelling in CODED)
    # A code of eight bits may fall on the other side of a half.
    bound = 2e-2 if activations == "int8" else 1e-4
    assert np.abs(a - b).max() <= bound * np.abs(b).max()
