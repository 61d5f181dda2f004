"""`ingot explain` with what was measured, and its page for browsers."""

import itertools
import json
import re
import statistics

import harness
import ingot
import pytest
import small_models as small
from test_bad_models import assert_refused

MINILM = harness.MODELS / "minilm-l3.onnx"
SIZES = ["--dim", "batch_size=1", "--dim", "sequence_length=32"]


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """(artifact, trace of five runs of it at SIZES on two threads)"""
    artifact = harness.compiled(MINILM)
    file = tmp_path_factory.mktemp("explain") / "trace.json"
    session = ingot.Session(artifact, threads=2)
    session.start_trace()
    for _ in range(5):
        session.run(harness.sentence_batch(1, 32))
    session.write_trace(file)
    return artifact, file


def report(artifact, folder, *options):
    harness.ingot_ok("explain", artifact, "--json", folder / "report.json", *options)
    return json.loads((folder / "report.json").read_text())


def times_of_a_run(trace, run):
    """({stage: seconds}, seconds waited before it), the mean of the workers."""
    workers = run["args"]["workers"]
    busy, waited = {}, {}
    for worker in range(workers):
        wait = 0.0
        inside = [
            event
            for event in trace["traceEvents"]
            if event.get("cat") in ("stage", "wait")
            and event["tid"] == worker + 1
            and run["ts"] - 1e-3 <= event["ts"] <= run["ts"] + run["dur"]
        ]
        for event in sorted(inside, key=lambda event: event["ts"]):
            if event["cat"] == "wait":
                wait += event["dur"] * 1e-6 / workers
                continue
            stage = event["args"]["stage"]
            busy[stage] = busy.get(stage, 0) + event["dur"] * 1e-6 / workers
            waited[stage] = waited.get(stage, 0) + wait
            wait = 0.0
    return busy, waited


def test_times_are_those_of_the_median_run(traced, tmp_path):
    artifact, file = traced
    found = report(artifact, tmp_path, *SIZES, "--trace", file)
    trace = json.loads(file.read_text())
    runs = [event for event in trace["traceEvents"] if event.get("cat") == "run"]
    median = statistics.median(run["dur"] for run in runs)
    assert found["measured"]["runs"] == 5 and found["measured"]["threads"] == 2
    assert found["measured"]["seconds"] == pytest.approx(median * 1e-6)
    busy, waited = times_of_a_run(trace, next(run for run in runs if run["dur"] == median))
    for number, stage in enumerate(found["stages"]):
        # Starts are rounded to nanoseconds, and so are sums of them.
        assert stage["seconds"] == pytest.approx(busy[number], abs=1e-8)
        assert stage["seconds_waited"] == pytest.approx(waited[number], abs=1e-8)
    text = harness.ingot_ok("explain", artifact, *SIZES, "--trace", file).stdout
    assert re.search(r"took .* on 2 threads \(the median of 5 traced\), of which .* waiting", text)


def test_roofline(traced, tmp_path):
    """Time at the peaks grows with the work, whatever the machine is."""
    artifact, file = traced
    found = report(artifact, tmp_path, *SIZES, "--trace", file, "--roofline")
    known = [stage for stage in found["stages"] if "seconds_at_peak" in stage]
    assert len(known) > 20
    for one, other in itertools.combinations(known, 2):
        if one["flops_value"] >= other["flops_value"] and one["bytes_value"] >= other["bytes_value"]:
            assert one["seconds_at_peak"] >= other["seconds_at_peak"]
    done = harness.ingot_ok("explain", artifact, "--trace", file, "--roofline", *SIZES)
    assert "of peak" in done.stdout


@pytest.mark.parametrize("name", ["minilm-l3.onnx", "rxnmap.onnx"])
def test_buffers_are_where_the_plan_puts_them(name, tmp_path):
    """What explain tells of the arena is a plan: buffers that stages use at
    the same time do not overlap, and all of them are inside of it."""
    artifact = harness.compiled(harness.MODELS / name)
    symbols = report(artifact, tmp_path)["symbols"]
    sizes = [f"{symbol['name']}={3 if 'batch' in symbol['name'] else 40}" for symbol in symbols]
    found = report(artifact, tmp_path, *itertools.chain(*(("--dim", size) for size in sizes)))
    uses = [[] for _ in found["buffers"]]
    for number, stage in enumerate(found["stages"]):
        for buffer in stage["reads"] + stage["writes"]:
            uses[buffer].append(number)
    names = [buffer["name"] for buffer in found["buffers"] if "name" in buffer]
    assert set(names) >= {tensor["name"] for tensor in found["outputs"]}
    parts = [
        (buffer["offset_value"], buffer["offset_value"] + buffer["bytes_value"], min(use), max(use))
        for buffer, use in zip(found["buffers"], uses)
        if "offset_value" in buffer and "bytes_value" in buffer and not buffer["each"]
    ]
    assert len(parts) > 20
    for begin, end, *_ in parts:
        assert 0 <= begin <= end <= found["arena_bytes"]
    for (b1, e1, f1, l1), (b2, e2, f2, l2) in itertools.combinations(parts, 2):
        if max(f1, f2) <= min(l1, l2):
            assert e1 <= b2 or e2 <= b1


def test_page_needs_nothing_else(traced, tmp_path):
    artifact, file = traced
    harness.ingot_ok("explain", artifact, *SIZES, "--trace", file, "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert not re.search(r"(src|href)\s*=|https?://|@import|url\(", page)
    data = json.loads(re.search(r'id="report">(.*?)</script>', page, re.S).group(1))
    assert len(data["stages"]) == len(report(artifact, tmp_path)["stages"])
    assert len(data["timeline"]) == 2
    for line in data["timeline"]:
        assert [s for s, *_ in line if s >= 0] == list(range(len(data["stages"])))


def test_names_cannot_break_the_page(tmp_path):
    """A model's own words stay words."""
    model = small.dense()
    model.graph.node[1].name = "</script><script>alert('x')//"
    small.save(model, tmp_path / "model.onnx")
    harness.ingot_ok("explain", tmp_path / "model.onnx", "--html", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<script") == 2 and page.count("</script>") == 2
    data = json.loads(re.search(r'id="report">(.*?)</script>', page, re.S).group(1))
    assert any("alert('x')" in stage["nodes"] for stage in data["stages"])


def test_programs_of_a_decoder(tmp_path):
    small.save(small.decoder(), tmp_path / "decoder.onnx")
    harness.ingot_ok(
        "compile", tmp_path / "decoder.onnx", "-o", tmp_path / "decoder.ingot", "--generate"
    )
    artifact = tmp_path / "decoder.ingot"
    options = ["--prompt", "4", "--tokens", "3", "--seconds", "0"]
    harness.ingot_ok("bench", artifact, *options, "--trace", tmp_path / "trace.json")
    trace = ["--trace", tmp_path / "trace.json"]
    found = report(artifact, tmp_path, "--entry", "decode", *trace)
    assert found["program"] == "decode" and found["measured"]["runs"] == 3
    assert report(artifact, tmp_path, *trace)["measured"]["runs"] == 1
    assert_refused(
        harness.ingot("explain", artifact, "--entry", "all", *trace),
        ["has no run of the program 'all'"],
    )
    assert_refused(
        harness.ingot("explain", artifact, "--entry", "nothing"),
        ["has no program 'nothing', only 'main'"],
    )


def test_refusals(traced, tmp_path):
    artifact, file = traced
    for text in ["", "[]", "{}", '{"traceEvents": 3}', '{"traceEvents": [{"cat": "run"}]}']:
        (tmp_path / "bad.json").write_text(text)
        assert_refused(
            harness.ingot("explain", artifact, "--trace", tmp_path / "bad.json"),
            ["bad.json' is not a trace that Ingot wrote"],
        )
    assert_refused(
        harness.ingot("explain", artifact, "--trace", tmp_path / "none.json"), ["cannot read"]
    )
    small.save(small.dense(), tmp_path / "dense.onnx")
    assert_refused(
        harness.ingot("explain", tmp_path / "dense.onnx", "--trace", file),
        ["is of another artifact"],
    )
