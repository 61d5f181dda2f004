"""`ingot bench`: what its report says, never how fast anything was."""

import json
import pathlib
import signal
import statistics
import subprocess
import sys
import time

import harness
import numpy as np
import pytest
import small_models as small
from onnx import helper
from test_bad_models import assert_refused


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    small.save(small.dense(), folder / "dense.onnx")
    small.save(small.decoder(), folder / "decoder.onnx")
    plain = folder / "dense.ingot", folder / "dense.onnx"
    state = folder / "decoder.ingot", folder / "decoder.onnx"
    harness.ingot_ok("compile", plain[1], "-o", plain[0])
    harness.ingot_ok("compile", state[1], "-o", state[0], "--generate")
    return folder


def report(model, *options):
    """The JSON of a short run."""
    file = model.parent / "report.json"
    harness.ingot_ok("bench", model, "--seconds", "0", "--threads", "2", "--json", file, *options)
    return json.loads(file.read_text())


def check_work(work, ceilings):
    """Numbers that belong together do."""
    times = [seconds for a_round in work["rounds"] for seconds in a_round]
    assert len(work["rounds"]) >= 3 and min(times) > 0
    assert work["seconds"]["count"] == len(times)
    assert work["seconds"]["median"] == pytest.approx(statistics.median(times))
    assert work["seconds"]["least"] == min(times) and work["seconds"]["most"] == max(times)
    for amount in ("flops", "bytes", "tokens"):
        if amount in work:
            rate = work[amount] / work["seconds"]["median"]
            assert work[f"{amount}_per_second"] == pytest.approx(rate)
    # Far from what is thinkable in either direction.
    assert 0 < work["share_of_fma_peak"] < 100 and 0 < work["share_of_reads"] < 100
    assert work["bound_by"] in ("arithmetic", "memory")
    for name in ("fma", "reads"):
        assert len(ceilings[name]["rates"]) == len(work["rounds"]) + 1
        assert min(ceilings[name]["rates"]) > 0


def test_plain_model(models):
    found = report(models / "dense.ingot", "--dim", "n=3")
    assert found["dims"] == {"n": 3} and found["defaults"] == [] and found["threads"] == 2
    assert found["inputs"] == [
        {"name": "x", "dtype": "f32", "dims": [3, 4]},
        {"name": "z", "dtype": "f32", "dims": [3, 8]},
    ]
    assert found["model"]["source"] == "dense.onnx" and found["machine"]["cpu_features"]
    (work,) = found["works"]
    check_work(work, found["ceilings"])
    assert work["name"] == "run" and "tokens" not in work
    # Whatever has no known cost is no node of the model.
    assert [stage["nodes"] for stage in work["unknown_stages"] if stage["nodes"]] == []
    # The product, and for each of its elements a bias, a comparison and a sum;
    # x, z, w and b are read, y is written.
    assert work["flops"] == 3 * 8 * (2 * 4 + 3)
    assert work["bytes"] >= 4 * (3 * 4 + 3 * 8 + 4 * 8 + 8 + 3 * 8)


def test_costs_are_those_of_explain(models):
    file = models / "explained.json"
    harness.ingot_ok("explain", models / "dense.ingot", "--dim", "n=50", "--json", file)
    stages = json.loads(file.read_text())["stages"]
    (work,) = report(models / "dense.ingot", "--dim", "n=50")["works"]
    for amount in ("flops", "bytes"):
        assert work[amount] == sum(stage.get(f"{amount}_value", 0) for stage in stages)


def test_sizes_by_default(models):
    found = report(models / "dense.onnx")
    assert found["dims"] == {"n": 1} and found["defaults"] == ["n"]
    shown = harness.ingot_ok("bench", models / "dense.ingot", "--seconds", "0").stdout
    assert "n=1" in shown and "sizes that were not given: n" in shown
    for part in ("Time", "of FMA peak", "of reads", "bound by", "Ceilings"):
        assert part in shown


def test_derived_sizes(models):
    """A decoder that keeps its cache as inputs: dims that follow from others."""
    found = report(models / "decoder.onnx", "--dim", "seq=3", "--dim", "past=10")
    assert found["dims"] == {"batch": 1, "past": 10, "seq": 3} and found["defaults"] == ["batch"]
    dims = {made["name"]: made["dims"] for made in found["inputs"]}
    assert dims["attention_mask"] == [1, 13] and dims["past.key"] == [1, 2, 10, 4]
    assert found["works"][0]["tokens"] == 3


def test_ones_are_not_for_all_models(tmp_path):
    """A table of one row has no row 1."""
    table = ("table", np.ones((1, 4), np.float32))
    node = helper.make_node("Gather", ["table", "ids"], ["y"], "look_up")
    inputs, outputs = [small.value("ids", ["n"], small.INT64)], [small.value("y", ["n", 4])]
    small.save(small.model_of([node], inputs, outputs, [table]), tmp_path / "table.onnx")
    assert report(tmp_path / "table.onnx", "--dim", "n=5")["works"][0]["bytes"] > 0


def test_generator(models):
    options = ["--prompt", "5", "--tokens", "4"]
    found = report(models / "decoder.ingot", *options)
    assert (found["prompt"], found["tokens"], found["defaults"]) == (5, 4, [])
    prefill, decode = found["works"]
    for work in (prefill, decode):
        check_work(work, found["ceilings"])
    assert prefill["name"] == "prefill" and prefill["tokens"] == 5
    assert decode["name"] == "decode" and decode["tokens"] == 1
    for prompts, tokens in zip(prefill["rounds"], decode["rounds"]):
        assert len(tokens) == 4 * len(prompts)
    # A token reads keys and values, of 8 floats each, of all tokens before it.
    later = report(models / "decoder.ingot", "--prompt", "105", "--tokens", "4")["works"][1]
    assert later["bytes"] - decode["bytes"] == 100 * 2 * 8 * 4
    assert later["flops"] == decode["flops"]
    compiled = report(models / "decoder.onnx", "--generate", *options)["works"]
    assert [work["flops"] for work in compiled] == [prefill["flops"], decode["flops"]]


def test_generator_sizes_by_default(models):
    """The model has 200 positions: fewer than the usual prompt."""
    found = report(models / "decoder.ingot")
    assert found["defaults"] == ["prompt", "tokens"]
    assert found["prompt"] + found["tokens"] <= 200 and found["prompt"] > 100


REFUSED = {
    "unknown-dim": ("dense.ingot", ["--dim", "seq=3"], ["'seq'", "it has n"]),
    "dim-of-a-generator": ("decoder.ingot", ["--dim", "batch=2"], ["--prompt", "--tokens"]),
    "prompt-of-a-plain-model": ("dense.ingot", ["--prompt", "3"], ["--prompt", "--generate"]),
    "long-prompt": ("decoder.ingot", ["--prompt", "199", "--tokens", "8"], ["200 positions", "199"]),
    "not-a-generator": ("dense.ingot", ["--generate"], ["not compiled with --generate"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, models):
    model, options, words = REFUSED[name]
    done = harness.ingot("bench", models / model, "--seconds", "0", *options)
    assert_refused(done, words)


def test_machine_alone(tmp_path):
    harness.ingot_ok("bench", "--seconds", "0", "--threads", "1", "--json", tmp_path / "m.json")
    found = json.loads((tmp_path / "m.json").read_text())
    assert found["ceilings"]["threads"] == 1 and "works" not in found
    assert found["ceilings"]["fma"]["per_cycle"] > 0


def test_cores(models):
    """bench/cores.py lets artifacts take turns and puts their works side by side."""
    sides = [f"{name}={models / 'decoder.ingot'}" for name in ("old", "new")]
    options = ["--prompt", "4", "--threads", "1", "--rounds", "1", "--seconds", "0"]
    done = subprocess.run(
        [sys.executable, harness.ROOT / "bench" / "cores.py", *sides, *options],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    _, _, head, _, row, *_ = done.stdout.splitlines()
    works = [f"{side}, {work} ms" for side in ("old", "new") for work in ("prefill", "decode")]
    assert [cell.strip() for cell in head.split("|")[2:6]] == works
    cells = row.split("|")[1:6]
    # A turn of so small a model may take less than is shown.
    assert cells[0].strip() == "1" and all(0 <= float(cell) < 1000 for cell in cells[1:])


def test_interrupt(models):
    """Ctrl-C ends it as it ends other programs, and leaves no file behind."""
    file = models / "interrupted.json"
    process = subprocess.Popen(
        [harness.INGOT, "bench", models / "dense.ingot", "--seconds", "600", "--json", file]
    )
    status = pathlib.Path(f"/proc/{process.pid}/status")
    caught = lambda: int(status.read_text().split("SigCgt:")[1].split()[0], 16)
    deadline = time.monotonic() + 60
    while not caught() >> (signal.SIGINT - 1) & 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == -signal.SIGINT
    assert not file.exists()
