"""`Sequence.complete`: the ids of `generate`, with token after token in one run of
the model's program."""

import collections
import json
import os
import signal
import threading

import ingot
import numpy as np
import pytest
import small_models

PROMPT = [5, 9, 3, 2]
SAMPLINGS = [
    {},
    {"repetition_penalty": 1.3},
    {"temperature": 0.9, "top_k": 7, "seed": 3},
    {"temperature": 1.5, "top_p": 0.8, "min_p": 0.01, "repetition_penalty": 1.1, "seed": 4},
]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Of one artifact, by their numbers of threads."""
    path = tmp_path_factory.mktemp("complete") / "decoder.onnx"
    small_models.save(small_models.decoder(positions=1000), path)
    model = ingot.compile(path, generate=True)
    return {threads: ingot.Session(model, threads=threads) for threads in (1, 2)}


@pytest.fixture
def session(sessions):
    return sessions[2]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_ids_of_the_steps(sessions, sampling):
    want = list(sessions[2].generate(PROMPT, 150, **sampling))
    for session in sessions.values():
        sequence = session.sequence()
        found = sequence.complete(PROMPT, 150, **sampling)
        assert found == (want, "length", 0)
        assert sequence.ids.tolist() == PROMPT + want[:-1]


def test_goes_on_after_more_tokens_than_a_run_has(session):
    """Logits at the end are the same, too: nothing was left out of the caches."""
    steps, loop = session.sequence(), session.sequence()
    want = list(steps.generate(PROMPT, 700, temperature=1.0))
    assert loop.complete(PROMPT, 700, temperature=1.0).ids == want
    assert np.array_equal(steps.append(want[-1:]), loop.append(want[-1:]))


def test_ends(session):
    want = list(session.generate(PROMPT, 40, temperature=1.0))
    for stop in ([want[11]], [want[5:8]], [want[7:8], want[6:8], [want[8]]]):
        generation = session.generate(PROMPT, 40, temperature=1.0, stop=stop)
        ids = list(generation)
        found = session.sequence().complete(PROMPT, 40, temperature=1.0, stop=stop)
        assert found == (ids, "stop", generation.stop_tokens)
    full = session.sequence(capacity=20)
    assert full.complete(PROMPT, temperature=1.0) == (want[:17], "full", 0)
    with pytest.raises(ingot.SequenceFull):
        full.complete([1], 1)


def test_hands_out_each_token(session):
    want = list(session.generate(PROMPT, 30, temperature=1.0))
    seen, lengths, sequence = [], [], session.sequence()

    def take(token):
        seen.append(token)
        lengths.append(len(sequence))
        return len(seen) == 9

    found = sequence.complete(PROMPT, 30, temperature=1.0, on_token=take)
    assert found == (want[:9], "callback", 0) and seen == want[:9]
    # All tokens but the last have been read.
    assert lengths == list(range(4, 13)) and len(sequence) == 12


def test_what_it_raises_comes_out(session):
    sequence = session.sequence()

    def fail(token):
        raise ZeroDivisionError(token)

    with pytest.raises(ZeroDivisionError):
        sequence.complete(PROMPT, 30, on_token=fail)
    assert len(sequence) == 4


def test_runs_models_meanwhile(session):
    want = session.sequence().append(PROMPT)
    found = []
    session.sequence().complete(
        PROMPT, 2, on_token=lambda _: found.append(session.sequence().append(PROMPT))
    )
    assert len(found) == 2 and all(np.array_equal(logits, want) for logits in found)


def test_interrupt_of_a_run_in_a_call(session):
    """Ctrl-C ends the run that goes on in the callback, and so the call; it
    works as before afterwards."""
    sequence = session.sequence()

    def interrupted(token):
        timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
        timer.start()
        try:
            session.sequence().append([62])  # Waits for ever.
        finally:
            timer.join()

    before = signal.getsignal(signal.SIGINT)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            sequence.complete(PROMPT, 30, on_token=interrupted)
    assert signal.getsignal(signal.SIGINT) is before


def test_is_stopped(session):
    cancel = ingot.Cancel()
    seen = []

    def take(token):
        seen.append(token)
        if len(seen) == 5:
            cancel.request()

    sequence = session.sequence()
    with pytest.raises(ingot.Cancelled):
        sequence.complete(PROMPT, 200, on_token=take, cancel=cancel)
    assert len(seen) == 5 and len(sequence) == 8
    with pytest.raises(ingot.InvalidArgument):
        sequence.complete([])
    with pytest.raises(ingot.InvalidArgument):
        sequence.complete(PROMPT, 3, temperature=-1)


@pytest.mark.parametrize("count", [2, 100])
def test_one_entry_call(session, tmp_path, count):
    """However many tokens: a run for the prompt, and one for all of them, in
    which the trace shows a call of each program a turn."""
    session.start_trace()
    session.sequence().complete(PROMPT, count)
    session.write_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    events = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    runs = {event["name"]: event for event in events if event["cat"] == "run"}
    assert set(runs) == {"main", "generate"} and trace["otherData"]["runs"] == 2
    run = runs["generate"]
    calls = [event for event in events if event["cat"] == "call"]
    assert collections.Counter(event["name"] for event in calls) == {
        "sample": count,
        "decode": count - 1,
    }
    for call in calls:
        assert run["ts"] <= call["ts"] + 0.01
        assert call["ts"] + call["dur"] <= run["ts"] + run["dur"] + 0.01
