"""Tiles: chosen by the cost model, by hand or by trying, they change no bit of
the results."""

import json
import os
import signal
import threading

import encoder_decoder
import harness
import ingot
import numpy as np
import onnx
import pytest
import small_llama
import small_models
import static_llama

MINILM = harness.MODELS / "minilm-l3.onnx"


def report(artifact):
    """What `ingot explain` says of an artifact, for programs."""
    out = artifact.with_suffix(".json")
    harness.ingot_ok("explain", artifact, "--json", out)
    return json.loads(out.read_text())


def cuts(artifact):
    """The tiles of an artifact by what they are of."""
    return {cut["of"]: cut["tile"] for stage in report(artifact)["stages"]
            for cut in stage.get("cuts", [])}  # fmt: skip


def same_bits(one, other, feeds):
    a, b = harness.run(one, feeds), harness.run(other, feeds)
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def test_every_tile_gives_the_same_bits(tmp_path):
    usual = harness.compiled(MINILM)
    shapes = list(cuts(usual))
    assert {"product 384x1536 of 32 bits", "attention of 32"} <= set(shapes)
    artifact = tmp_path / "other.ingot"
    # Also such as nobody would choose: K in uneven parts, a row at a time.
    for product, rows in [("96x128x100", 24), ("1x16x7", 1), ("7x48x4096", 97)]:
        tiles = [f"--tile={of}={product if of.startswith('product') else rows}" for of in shapes]
        harness.ingot_ok("compile", MINILM, "-o", artifact, *tiles)
        assert set(cuts(artifact).values()) == {product, str(rows)}
        for batch, length in [(1, 1), (3, 61), (2, 130)]:
            feeds = harness.sentence_batch(batch, length, token_types=False)
            assert same_bits(artifact, usual, feeds), (product, batch, length)


@pytest.mark.parametrize("activations", ["f32", "int8", "int24"])
def test_tiles_of_codes_give_the_same_bits(tmp_path, activations):
    path = harness.MODELS / "minilm-l6-int8.onnx"
    usual = harness.compiled(path, "--activations", activations)
    coded = [of for of in cuts(usual) if of.startswith("coded")]
    assert coded
    artifact = tmp_path / "other.ingot"
    feeds = harness.sentence_batch(2, 41, token_types=True)
    for tile in ["24x16", "48x64", "5x32"]:
        tiles = [f"--tile={of}={tile}" for of in coded]
        harness.ingot_ok("compile", path, "-o", artifact, "--activations", activations, *tiles)
        assert same_bits(artifact, usual, feeds), tile


def test_tuning_keeps_the_bits_and_tells_what_it_did(tmp_path):
    artifact = tmp_path / "tuned.ingot"
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    harness.ingot_ok("compile", MINILM, "-o", artifact, "--tune", "8", env=cache)
    # Other compilations would depend on what it measured.
    assert not (tmp_path / "cache").exists()
    said = report(artifact)
    assert said["options"].endswith("tuned")
    tuning, taken = said["tuning"], cuts(artifact)
    known = [f"batch_size={b} sequence_length={n}" for b, n in [(1, 16), (1, 128), (8, 128)]]
    # A busy machine leaves time for few sizes, or none; what was tried is told.
    assert tuning["sizes"] == known[: len(tuning["sizes"])]
    for shape in tuning["shapes"]:
        assert taken[shape["of"]] == shape["tile"]
        tried = {one["tile"]: one["seconds"] for one in shape["tried"]}
        assert shape["tile"] in tried
        assert all(len(seconds) == len(tuning["sizes"]) for seconds in tried.values())
    feeds = harness.sentence_batch(3, 50, token_types=False)
    assert same_bits(artifact, harness.compiled(MINILM), feeds)
    again = tmp_path / "again.ingot"
    harness.ingot_ok("compile", MINILM, "-o", again, "--tune-from", artifact)
    if tuning["shapes"]:
        assert cuts(again) == taken
    assert same_bits(artifact, again, feeds)


def test_python_tunes(tmp_path):
    path = small_models.save(small_models.dense(), tmp_path / "m.onnx")
    x, z = np.ones((3, 4), "f4"), np.ones((3, 8), "f4")
    kept = tmp_path / "m.ingot"
    tuned = ingot.compile(path, tune=0.5, artifact=kept)
    plain = ingot.compile(path, tune_from=kept)
    outputs = [ingot.Session(model).run({"x": x, "z": z})["y"] for model in (tuned, plain)]
    assert outputs[0].tobytes() == outputs[1].tobytes()


@pytest.mark.parametrize("options, message", [
    (["--tune", "1", "--target", "aarch64"], "this machine's CPU does not run its code"),
    (["--tune", "-1"], "positive number of seconds"),
    (["--tune", "soon"], "soon"),
    (["--tile", "product 1x1 of 32 bits=4x16x4"], "no kernel of the model is 'product 1x1 of 32"),
    (["--tile", "product 384x384 of 32 bits=large"], "is not SHAPE=TILE"),
    (["--tune-from", "missing.ingot"], "missing.ingot"),
])  # fmt: skip
def test_refused(tmp_path, options, message):
    done = harness.ingot("compile", MINILM, "-o", tmp_path / "x.ingot", *options, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert message in done.stderr, done.stderr
    assert not (tmp_path / "x.ingot").exists()


def merged_t5(folder):
    onnx.save(encoder_decoder.merged(encoder_decoder.Spelling("t5")), folder / "m.onnx")
    return folder / "m.onnx"


# Decoders; how many tokens their runs go on from, and how many a prompt may have:
# the fewer where time is short.
DECODERS = {
    "Llama": (lambda folder: small_llama.write(folder, "microsoft"), 32, [128, 64]),
    "Window": (lambda folder: static_llama.write(folder, "Window"), 20, [40]),
    "OneToken": (lambda folder: static_llama.write(folder, "OneToken"), 20, []),
    "T5": (merged_t5, 32, [256, 64]),
}


def generated(model):
    """Some ids: of a prompt that fills half of what there is, and one by one."""
    session, rows, width = ingot.Session(model, threads=2), 9, encoder_decoder.WIDTH
    states = np.sin(np.arange(rows * width, dtype="f4")).reshape(1, rows, width)
    inputs = {info.name: states for info in session.model.bound_inputs} or None
    room = min(session.model.state.max_positions or 128, 128)
    prompt = np.arange(room // 2) % session.vocab_size
    return list(session.generate(prompt, 16, temperature=0, inputs=inputs))


@pytest.mark.parametrize("case", DECODERS)
def test_decoders_are_tuned(case, tmp_path):
    write, few, prompts = DECODERS[case]
    path, artifact = write(tmp_path), tmp_path / "tuned.ingot"
    harness.ingot_ok("compile", path, "-o", artifact, "--generate", "--tune", "4")
    said = report(artifact)
    assert said["options"].endswith("for generation, tuned")
    tuning, taken = said["tuning"], cuts(artifact)
    # A busy machine leaves no time for runs of both kinds.
    token = f"token behind {few}"
    possible = [[token, f"prompt of {n}"] for n in prompts] or [[token]]
    assert tuning["sizes"] in [*possible, []]
    for shape in tuning["shapes"]:
        assert taken[shape["of"]] == shape["tile"]
        tried = {one["tile"]: one["seconds"] for one in shape["tried"]}
        assert shape["tile"] in tried
        for seconds in tried.values():
            assert len(seconds) == len(tuning["sizes"]) and all(s >= 0 for s in seconds)
    usual = tmp_path / "usual.ingot"
    harness.ingot_ok("compile", path, "-o", usual, "--generate")
    ids = generated(usual)
    assert generated(artifact) == ids
    if case != "Llama":
        return
    again = tmp_path / "again.ingot"
    harness.ingot_ok("compile", path, "-o", again, "--generate", "--tune-from", artifact)
    if tuning["shapes"]:
        assert cuts(again) == taken
    assert generated(again) == ids


def test_decoders_with_other_tiles_choose_the_same_tokens(tmp_path):
    path, artifact = small_llama.write(tmp_path, "onnx"), tmp_path / "m.ingot"
    harness.ingot_ok("compile", path, "-o", artifact, "--generate")
    shapes, ids = list(cuts(artifact)), generated(artifact)
    assert {"paged attention of 2x16", "coded product 64x96 of 4 by 24 bits"} <= set(shapes)
    for tile in ["24x16", "64x32", "7x48"]:
        rows = tile.split("x")[0]
        tiles = [f"--tile={of}={rows if 'attention' in of else tile}" for of in shapes]
        harness.ingot_ok("compile", path, "-o", artifact, "--generate", *tiles)
        assert set(cuts(artifact).values()) == {tile, rows}
        assert generated(artifact) == ids, tile


def test_python_tunes_a_decoder_until_it_is_interrupted(tmp_path):
    path = small_models.save(small_models.decoder(), tmp_path / "m.onnx")
    tuned = ingot.compile(path, generate=True, tune=0.5, progress=False)
    assert generated(tuned) == generated(ingot.compile(path, generate=True, progress=False))

    def progress(phase, _):
        if phase == "tune":
            threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()

    kept = tmp_path / "m.ingot"
    with pytest.raises(KeyboardInterrupt):
        ingot.compile(path, generate=True, tune=1000, artifact=kept, progress=progress)
    assert not kept.exists()


def test_an_artifact_that_was_not_tuned_has_no_tiles_to_take(tmp_path):
    usual = harness.compiled(MINILM)
    done = harness.ingot("compile", MINILM, "-o", tmp_path / "x.ingot", "--tune-from", usual)
    assert done.returncode == 1 and "was not tuned" in done.stderr


def test_named_targets_do_not_depend_on_the_machine(tmp_path):
    """Nor does compiling measure anything; what was measured, counts."""
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    made = {}
    for when in ("before", "after"):
        for target in ("native", "x86-64-v3"):
            out = tmp_path / f"{when}-{target}.ingot"
            harness.ingot_ok("compile", MINILM, "-o", out, "--target", target, env=cache)
            made[when, target] = out.read_bytes()
        if when == "before":
            assert not (tmp_path / "cache").exists()
            said = harness.ingot_ok("machine", env=cache).stdout
            assert "barrier" in said and str(tmp_path / "cache") in said
            harness.ingot_ok("machine", "--json", tmp_path / "machine.json", env=cache)
            kept = json.loads((tmp_path / "machine.json").read_text())
            assert kept["disturbed"] == ("something else ran" in said)
    assert made["before", "x86-64-v3"] == made["after", "x86-64-v3"]
    assert "as measured" in report(tmp_path / "after-native.ingot")["options"]
    assert "as measured" not in report(tmp_path / "before-native.ingot")["options"]
