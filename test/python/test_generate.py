"""Generation with a decoder whose answers are known by a formula."""

import os
import signal
import threading

import artifacts
import ingot
import numpy as np
import pytest

PROMPT = [5, 9, 33, 2]


def no_spin(_, logits):
    """A logits processor: id 62 would make the program wait for ever."""
    logits[62] = -np.inf


@pytest.fixture(scope="module")
def session():
    return ingot.Session(artifacts.DECODER, threads=2)


def test_state(session):
    state = session.model.state
    assert state.vocab_size == 64 and state.page_positions == 128
    assert [cache.window for cache in state.caches] == [0, 0, 200]
    assert state.caches[0].key_input == "past.0.key" and state.caches[2].dtype == "f16"
    assert state.replaced == ["attention_mask: all ones"]


def test_greedy(session):
    assert list(session.generate(PROMPT, 20)) == artifacts.greedy(PROMPT, 20)


def test_streams_and_stops_early(session):
    """Ids come one by one; leaving the loop leaves what was read."""
    want = artifacts.greedy(PROMPT, 5)
    sequence = session.sequence()
    for number, token in enumerate(sequence.generate(PROMPT, 50)):
        assert token == want[number]
        if number == 2:
            break
    assert sequence.ids.tolist() == PROMPT + want[:2]
    assert list(sequence.generate(want[2:3], 2)) == want[3:]
    generation = sequence.generate([1], 5)
    generation.close()
    assert list(generation) == [] and generation.finish == "closed"


@pytest.mark.parametrize("chunk", [1, 3, 0])
def test_chunks_change_nothing(session, chunk):
    ids = [(7 * i) % 60 for i in range(300)]
    sequence = session.sequence()
    assert np.array_equal(sequence.append(ids, chunk=chunk), artifacts.decoder_logits(ids))
    assert len(sequence) == 300


def test_all_logits(session):
    logits = session.sequence().append(PROMPT, all_logits=True)
    for row, length in zip(logits, range(1, 5), strict=True):
        assert np.array_equal(row, artifacts.decoder_logits(PROMPT[:length]))


def test_finishes(session):
    want = artifacts.greedy(PROMPT, 8)
    by_id = session.generate(PROMPT, 50, stop=[want[3]])
    assert list(by_id) == want[: want.index(want[3]) + 1] and by_id.finish == "stop"
    assert by_id.stop_tokens == 1
    by_two = session.generate(PROMPT, 50, stop=[[61, 61, 61], want[4:6]])
    assert list(by_two) == want[:6] and by_two.stop_tokens == 2
    full = session.sequence(capacity=6).generate(PROMPT)
    assert list(full) == want[:3] and full.finish == "full"
    length = session.generate(PROMPT, 2)
    assert list(length) == want[:2] and length.finish == "length"


def test_sampling(session):
    options = {"temperature": 1.2, "top_k": 20, "top_p": 0.95, "min_p": 0.01, "seed": 3}
    options["logits_processor"] = no_spin
    first = list(session.generate(PROMPT, 30, **options))
    assert list(session.generate(PROMPT, 30, **options)) == first
    assert list(session.generate(PROMPT, 30, **{**options, "seed": 4})) != first
    assert list(session.generate(PROMPT, 9, temperature=1, top_k=1)) == artifacts.greedy(PROMPT, 9)


def test_repetition_penalty(session):
    """The formula by hand, greedy."""
    ids = list(PROMPT)
    for _ in range(12):
        logits = artifacts.decoder_logits(ids).astype(np.float64)
        no_spin(ids, logits)
        for token in set(ids):
            logits[token] = logits[token] / 1.5 if logits[token] > 0 else logits[token] * 1.5
        ids.append(int(np.argmax(logits)))
    got = session.generate(PROMPT, 12, repetition_penalty=1.5, logits_processor=no_spin)
    assert list(got) == ids[len(PROMPT) :]


def test_logits_processor(session):
    """Only even ids; it sees what has been read."""
    seen = []

    def even(ids, logits):
        seen.append(ids.tolist())
        logits[1::2] = -np.inf
        no_spin(ids, logits)

    ids = list(PROMPT)
    for _ in range(6):
        logits = artifacts.decoder_logits(ids)
        no_spin(ids, logits)
        ids.append(2 * int(np.argmax(logits[::2])))
    assert list(session.generate(PROMPT, 6, logits_processor=even)) == ids[4:]
    assert seen[0] == PROMPT and seen[-1] == ids[:-1]
    fixed = session.generate(PROMPT, 3, logits_processor=lambda _, logits: np.arange(64) == 7)
    assert list(fixed) == [7, 7, 7]
    ended = session.generate(PROMPT, 3, logits_processor=lambda *_: True)
    assert list(ended) == [] and ended.finish == "processor"
    with pytest.raises(ZeroDivisionError):
        list(session.generate(PROMPT, 3, logits_processor=lambda *_: 1 / 0))


def test_sequences(session, tmp_path):
    sequence = session.sequence()
    sequence.append(PROMPT)
    other = sequence.fork()
    other.append([11])
    assert other.ids.tolist() == PROMPT + [11] and len(sequence) == 4
    sequence.truncate(2)
    assert np.array_equal(sequence.append([8]), artifacts.decoder_logits(PROMPT[:2] + [8]))
    other.save(tmp_path / "other.state")
    back = session.restore(tmp_path / "other.state")
    assert np.array_equal(back.append([1]), artifacts.decoder_logits(PROMPT + [11, 1]))
    assert session.cache_bytes()["in_use"] > 0
    (tmp_path / "other.state").write_bytes(b"INGOT")
    with pytest.raises(ingot.CorruptArtifact):
        session.restore(tmp_path / "other.state")


def test_batches(session):
    """Rows of different lengths, joining and leaving."""
    rows = [session.sequence() for _ in range(3)]
    logits = session.step([(rows[0], [1, 2, 3]), (rows[1], [4])])
    assert np.array_equal(logits[1], artifacts.decoder_logits([4]))
    logits = session.step([(rows[2], [6, 6]), (rows[0], [9])])
    assert np.array_equal(logits[0], artifacts.decoder_logits([6, 6]))
    assert np.array_equal(logits[1], artifacts.decoder_logits([1, 2, 3, 9]))


def test_refusals(session):
    for options in ({"temperature": -1}, {"top_p": 2}, {"stop": [[]]}, {"max_new_tokens": 0}):
        with pytest.raises(ingot.InvalidArgument):
            session.generate(PROMPT, **{"max_new_tokens": 3, **options})
    for ids in ([], [1.5], [[1, 2]]):
        with pytest.raises(ingot.InvalidArgument):
            session.generate(ids, 3)
    with pytest.raises(ingot.SequenceFull):
        session.sequence(capacity=3).append(PROMPT)
    with pytest.raises(ingot.InvalidArgument):
        session.run({"input_ids": np.zeros((1, 1), np.int64)})
    with pytest.raises(ingot.InvalidArgument):
        ingot.Session(artifacts.ADD).generate(PROMPT, 3)
    with pytest.raises(ingot.RuntimeCheck):
        list(session.generate([1000], 3))


def test_interrupt(session):
    """Id 62 makes the program wait for ever: a limit and Ctrl-C end it, and the
    sequence goes on."""
    sequence = session.sequence()
    sequence.append(PROMPT)
    with pytest.raises(ingot.TimeLimit):
        list(sequence.generate([62], 3, time_limit=0.1))
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sequence.append([62])
    timer.join()
    assert sequence.ids.tolist() == PROMPT
    assert np.array_equal(sequence.append([8]), artifacts.decoder_logits(PROMPT + [8]))
