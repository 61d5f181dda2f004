"""Traces: what they tell of a real program, and that they change nothing."""

import collections
import json

import harness
import ingot
import numpy as np
import pytest

MINILM = harness.MODELS / "minilm-l3.onnx"


def spans(trace, worker):
    """(start, end, name, stage or None) of a worker, in order of time."""
    found = [
        (event["ts"], event["ts"] + event["dur"], event["name"], event.get("args", {}).get("stage"))
        for event in trace["traceEvents"]
        if event["ph"] == "X" and event["tid"] == worker + 1
    ]
    return sorted(found, key=lambda span: span[:2])


def runs(trace):
    return [event for event in trace["traceEvents"] if event.get("cat") == "run"]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_each_worker_is_seen_all_the_time(threads, tmp_path):
    """Every worker comes to every stage once a run, in the program's order,
    and is at work or waiting from its start to its end."""
    artifact = harness.compiled(MINILM)
    stages = harness.explained(artifact, batch_size=1, sequence_length=16)["stages"]
    session = ingot.Session(artifact, threads=threads)
    feeds = harness.sentence_batch(1, 16)
    plain = session.run(feeds)
    session.start_trace()
    for _ in range(3):
        traced = session.run(feeds)
    session.write_trace(tmp_path / "trace.json")
    for name, array in plain.items():
        np.testing.assert_array_equal(array, traced[name])

    trace = json.loads((tmp_path / "trace.json").read_text())
    assert len(runs(trace)) == 3 and trace["otherData"] == {"runs": 3, "runs_left_out": 0}
    for run in runs(trace):
        assert run["name"] == "main" and run["args"]["workers"] == threads
    for worker in range(threads):
        found = spans(trace, worker)
        order = [stage for *_, stage in found if stage is not None]
        assert order == list(range(len(stages))) * 3
        for _, _, name, stage in found:
            assert name == ("wait" if stage is None else stages[stage]["ops"])
        # Without a gap inside of a run; times have three digits.
        gaps = [start - end for (_, end, *_), (start, *_) in zip(found, found[1:])]
        assert min(gaps) > -0.01
        assert sum(gap > 0.01 for gap in gaps) <= 2


def test_loops_are_seen(tmp_path):
    """A stage in a loop over layers is noted each time that it runs, the layers
    one after the other."""
    artifact = harness.compiled(harness.MODELS / "minilm-l6-int8.onnx")
    times = [s["times"] for s in harness.explained(artifact)["stages"]]
    assert max(times) == 6
    first, last = times.index(6), len(times) - times[::-1].index(6)
    order = [*range(first), *list(range(first, last)) * 6, *range(last, len(times))]
    session = ingot.Session(artifact, threads=2)
    session.start_trace()
    session.run(harness.sentence_batch(1, 16, token_types=True))
    session.write_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    for worker in range(2):
        assert [stage for *_, stage in spans(trace, worker) if stage is not None] == order


def test_barriers_are_seen(tmp_path):
    """Nobody leaves a barrier before the last has come: the waits for one
    overlap at the time of the last arrival."""
    artifact = harness.compiled(MINILM)
    session = ingot.Session(artifact, threads=2)
    session.start_trace()
    session.run(harness.sentence_batch(1, 64))
    session.write_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    waits = [[s for s in spans(trace, worker) if s[2] == "wait"] for worker in range(2)]
    assert len(waits[0]) == len(waits[1]) > 10
    for one, other in zip(*waits):
        assert max(one[0], other[0]) <= min(one[1], other[1]) + 0.01


def test_of_the_command(tmp_path):
    np.savez(tmp_path / "in.npz", **harness.sentence_batch(2, 8))
    harness.ingot_ok(
        "run", MINILM, "--inputs", tmp_path / "in.npz", "--trace", tmp_path / "run.json"
    )
    assert len(runs(json.loads((tmp_path / "run.json").read_text()))) == 1
    harness.ingot_ok("bench", MINILM, "--seconds", "0", "--trace", tmp_path / "bench.json")
    names = collections.Counter(
        run["name"] for run in runs(json.loads((tmp_path / "bench.json").read_text()))
    )
    assert names == {"main": 5}


def test_refusals(tmp_path):
    session = ingot.Session(harness.compiled(MINILM))
    with pytest.raises(ingot.InvalidArgument, match="no trace was started"):
        session.write_trace(tmp_path / "trace.json")
    session.start_trace()
    with pytest.raises(ingot.IoError, match="nowhere"):
        session.write_trace(tmp_path / "nowhere" / "trace.json")
    assert list(tmp_path.iterdir()) == []
