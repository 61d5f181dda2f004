"""How often workers wait in a layer, whatever its wiring: stages form by what
reads what, not by the names of ops."""

import pathlib
import re

import harness
import numpy as np
import pytest
import small_models
import topologies

import ingot

# Waits of one token in a layer: the projections and the append; attention;
# the output projection; gate, up and activation; down. Side by side, gate, up and
# activation share the wait for the pages of attention.
WAITS = {"plain": 5, "separate": 5, "shared": 5, "sandwich": 5, "parallel": 4}


def stages(kind, layers, folder):
    """The program of one token as text, formed from a model of this wiring."""
    model = small_models.save(topologies.decoder(kind, layers), folder / f"{kind}{layers}.onnx")
    dumps = folder / f"dumps{layers}"
    dumps.mkdir()
    artifact = folder / f"{kind}{layers}.ingot"
    harness.ingot_ok("compile", model, "--generate", "-o", artifact, "--dump-dir", dumps)
    text = (dumps / "4-stages.mlir").read_text()
    return next(
        part for part in re.split(r"\n(?=  mega\.program )", text) if "@decode(" in part
    ), artifact


def waits(program):
    return len(re.findall(r"mega\.barrier$", program, re.M))


@pytest.mark.parametrize("kind", topologies.KINDS)
def test_waits(kind, tmp_path):
    (fewer, _), (more, _) = stages(kind, 2, tmp_path), stages(kind, 3, tmp_path)
    assert waits(more) - waits(fewer) == WAITS[kind]


@pytest.mark.parametrize("kind", topologies.KINDS)
def test_logits(kind, tmp_path):
    """The same as ONNX Runtime's, read at once and token by token."""
    model = small_models.save(topologies.decoder(kind, 2), tmp_path / "model.onnx")
    harness.ingot_ok("compile", model, "--generate", "-o", tmp_path / "model.ingot")
    text = np.random.default_rng(4).integers(0, topologies.WORDS, 140)
    feeds = {
        "input_ids": text[None], "attention_mask": np.ones((1, len(text)), np.int64),
        **{
            f"past_key_values.{layer}.{part}":
                np.zeros((1, topologies.GROUPS, 0, topologies.DEPTH), np.float32)
            for layer in range(2) for part in ("key", "value")
        },
    }  # fmt: skip
    want = harness.oracle_run(harness.oracle(model), feeds)["logits"][0, -1]
    found = []
    for threads, parts in ((2, [140]), (1, [137, 1, 1, 1]), (3, [120, 10, 1, 9])):
        session = ingot.Session(tmp_path / "model.ingot", threads=threads)
        sequence, done = session.sequence(), 0
        for part in parts:
            logits = session.step([(sequence, text[done : done + part])])[0]
            done += part
        found.append(logits)
    np.testing.assert_allclose(found[0], want, rtol=1e-4, atol=1e-4)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])


def test_no_op_is_named():
    """Forming stages asks interfaces; whoever names an op cannot be general."""
    folder = harness.ROOT / "lib" / "Transforms"
    allowed = {"Fill", "Copy", "Generic", "Linalg"}
    files = [
        *(folder / f"{name}.cpp" for name in (
            "FormStages", "TileLeader", "TileSizes", "SplitByUse", "SliceViews", "StageInfo",
            "StageLeftovers", "FuseElementwise",
        )),
        *(folder / "Schedule").glob("*.cpp"),
    ]  # fmt: skip
    for path in files:
        text = pathlib.Path(path).read_text()
        named = set(re.findall(r"linalg::(\w+)Op\b", text)) - allowed
        named |= set(re.findall(r"\bingot::(\w+)Op\b|(?<![:\w])(?:Linear|Matmul|Attention|RmsNorm)Op", text))
        assert named <= {"Check"}, f"{path.name} names {named}"
