"""Models whose cache has a fixed extent, compiled with --generate, against ONNX
Runtime on the model as it is, step by step."""

import harness
import ingot
import numpy as np
import pytest
import small_llama
import static_llama

TOLERANCE = {"rtol": 1e-4, "atol": 1e-4}
VOCABULARY = small_llama.SmallLlama.vocabulary
CAPACITY = static_llama.Static.capacity


@pytest.fixture(scope="module", params=static_llama.SPELLINGS)
def case(request, tmp_path_factory):
    """A spelling and the path of its model."""
    return request.param, static_llama.write(tmp_path_factory.mktemp(request.param), request.param)


def session_of(path):
    return ingot.Session(harness.compiled(path, "--generate"), threads=2)


def tokens(count, seed=0):
    return np.random.default_rng([seed, count]).integers(0, VOCABULARY, count)


def test_steps(case):
    """A prompt and what follows it token by token: the logits of the model on
    its own buffers, and the same tokens by choosing the likeliest."""
    spelling, path = case
    host, session = static_llama.Host(path, spelling), session_of(path)
    sequence, text = session.sequence(), list(tokens(7))
    done = 0
    for _ in range(9):
        new = text[done:]
        want = host.read(new)
        got = session.step([(sequence, new)])[0]
        np.testing.assert_allclose(got, want[-1], **TOLERANCE)
        assert got.argmax() == want[-1].argmax()
        done = len(text)
        text.append(int(want[-1].argmax()))
    greedy = [int(token) for token in session.generate(text[:7], 9, temperature=0)]
    assert greedy == text[7:]


def test_chunks(case):
    """A prompt in steps of any size, and in company of rows of other lengths:
    the same bits."""
    _, path = case
    session, text = session_of(path), tokens(23)
    whole = session.step([(session.sequence(), text)])[0]
    for sizes in ([5, 18], [1] * 23, [9, 1, 13]):
        sequence, other = session.sequence(), session.sequence()
        for part in np.split(text, np.cumsum(sizes)[:-1]):
            got = session.step([(sequence, part), (other, part[:1])])[0]
        assert np.array_equal(got, whole), sizes


def test_state(case):
    """What explain says: all buffers are caches, and what became of the rest."""
    spelling, path = case
    report = harness.explained(harness.compiled(path, "--generate"))
    assert [value["name"] for value in report["inputs"]] == ["input_ids", "ingot.past", "ingot.count"]
    state = report["state"]
    assert [cache["inputs"] for cache in state["caches"]] == [
        [f"past_key_values.{layer}.{part}" for part in ("key", "value")] for layer in range(2)
    ]
    assert [group["window"] for group in state["groups"]] == [
        static_llama.SPELLINGS[spelling].window
    ]
    replaced = dict(line.split(": ") for line in state["replaced"])
    expected = {
        "cache_position": "the row's past + the token's number",
        "write_indices": "the row's past + the token's number",
        "attention_mask": "all ones",
        "causal_mask": "the keys up to the token's own",
        "position_ids": "the row's past + the token's number",
        "valid": "the row's past + its tokens",
    }
    given = {name for name, *_ in static_llama.inputs(spelling)}
    assert replaced.items() >= {name: expected[name] for name in given}.items()


def test_extent_is_a_limit(case):
    """A number for the extent bounds a sequence, before anything is read; a
    symbol is as long as need be."""
    spelling, path = case
    session, text = session_of(path), tokens(CAPACITY + 1)
    sequence = session.sequence()
    session.step([(sequence, text[:-3])])
    if static_llama.SPELLINGS[spelling].symbol:
        session.step([(sequence, text[-3:])])
        assert len(sequence) == CAPACITY + 1
        return
    with pytest.raises(ingot.Error, match=str(CAPACITY)):
        session.step([(sequence, text[-3:])])
    assert len(sequence) == CAPACITY - 2
    got = session.step([(sequence, text[-3:-1])])[0]
    whole = session.step([(session.sequence(), text[:-1])])[0]
    assert np.array_equal(got, whole)


class Unmasked(static_llama.OneToken):
    """What no mask hides is seen, whether it was written or not."""

    has_mask = False

    def mask_to_add(self):
        return self.g.constant("nothing", 0.0, np.float32)


@pytest.mark.parametrize(
    "spelling, reasons",
    [
        (static_llama.Circular, ["'past_key_values.0.key'", "mode circular"]),
        (Unmasked, ["is not causal from the end of the past on"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_refusals(spelling, reasons, tmp_path):
    """What has another meaning than a cache that grows is refused; without
    --generate it is what its file says."""
    path = static_llama.write(tmp_path, spelling)
    done = harness.ingot("compile", path, "--generate", "-o", tmp_path / "out.ingot")
    assert done.returncode == 1
    assert all(reason in done.stderr for reason in reasons), done.stderr[:2000]
    harness.ingot_ok("compile", path, "-o", tmp_path / "out.ingot")
