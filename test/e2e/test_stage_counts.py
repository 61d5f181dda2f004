"""How many stages a layer has and how often workers wait in it, whatever its
wiring: stages form by what reads what, not by the names of ops."""

import pathlib
import re

import harness
import numpy as np
import pytest
import small_models
import topologies
from smollm2_model import smollm2

import ingot

# Waits of one token in a layer: the projections and the append; attention;
# the output projection; gate, up and activation; down. Side by side, gate, up and
# activation share the wait for the pages of attention.
WAITS = {"plain": 5, "separate": 5, "shared": 5, "sandwich": 5, "parallel": 4}
# As many stages, since norms and the join of what pages gave are prologues.
STAGES = WAITS


def program(model, folder, name, *options):
    """A program of a model as text, with the stages that were formed."""
    folder.mkdir()
    harness.ingot_ok("compile", model, "-o", folder / "a.ingot", "--dump-dir", folder, *options)
    text = (folder / "4-stages.mlir").read_text()
    parts = re.split(r"\n(?=  mega\.program )", text)
    return next(part for part in parts if f"@{name}(" in part)


def stages(kind, layers, folder):
    """The program of one token of a model of this wiring."""
    model = small_models.save(topologies.decoder(kind, layers), folder / f"{kind}{layers}.onnx")
    return program(model, folder / f"dumps{layers}", "decode", "--generate")


def loop(text):
    """The loop over layers of a program."""
    return re.search(r"^    mega\.loop .*?^    }", text, re.M | re.S)[0]


def counts(program):
    """(waits, stages) of a program, or of a part of it. Workers wait at a barrier,
    or for the tiles of others in a stage; setting counters to 0 is no stage."""
    barriers = len(re.findall(r"mega\.barrier$", program, re.M))
    texts = re.split(r"^ +mega\.stage ", program, flags=re.M)[1:]
    clearing = [text for text in texts if re.search(r"mega\.access write .* to memref<\?x8xi64>", text)]
    awaiting = [text for text in texts if "mega.await" in text]
    return barriers + len(awaiting), len(texts) - len(clearing)


@pytest.mark.parametrize("kind", topologies.KINDS)
def test_layer(kind, tmp_path):
    fewer, more = (stages(kind, layers, tmp_path) for layers in (2, 3))
    layer = [b - a for a, b in zip(counts(fewer), counts(more))]
    assert layer == [WAITS[kind], STAGES[kind]]
    # What each worker runs for itself stands in a stage that is dealt.
    assert "mega.stage each" not in more and "mega.stage prologue each" in more


def test_smollm2(tmp_path):
    """A layer has as many stages as one of a small model; the quantization of
    what is multiplied with codes is a prologue, too."""
    layers = loop(program(smollm2.onnx_file(smollm2.DEFAULT), tmp_path / "dumps", "decode", "--generate"))
    assert counts(layers) == (5, 5)


def test_encoder(tmp_path):
    """Queries, keys and values; attention; the output projection; the first norm
    and up; down; the second norm, which is the layer's result."""
    layers = loop(program(harness.MODELS / "minilm-l6-int8.onnx", tmp_path / "dumps", "main"))
    assert counts(layers) == (6, 6)
    # The norms, and down behind up, wait for rows only.
    assert layers.count("mega.barrier\n") <= 4 and "mega.await" in layers


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
