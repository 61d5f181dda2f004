"""Encoder-decoder models: every file against ONNX Runtime as it is, and decoders
compiled with --generate, whose cross-attention is bound before the first token,
against a loop of ONNX Runtime on the same file."""

import encoder_decoder as models
import harness
import numpy as np
import onnx
import pytest
from encoder_decoder import Spelling

import ingot

TOLERANCE = 2e-5
SIZES = [
    {"batch_size": 1, "encoder": 5, "decoder_sequence_length": 1, "past": 0},
    {"batch_size": 2, "encoder": 1, "decoder_sequence_length": 4, "past": 3},
    {"batch_size": 3, "encoder": 9, "decoder_sequence_length": 2, "past": 60},
]
# What optimum writes for a decoder with a past, and others.
WITH_PAST = {
    "optimum": {"cross": "past", "tokens": 1},
    "any_tokens": {"cross": "past"},
    "states": {"cross": "states"},
    "older": {"cross": "past", "cut_bias": True, "slice_positions": True},
    "older_optimum": {"cross": "past", "tokens": 1, "cut_bias": True, "slice_positions": True},
    "no_mask": {"cross": "states", "encoder_mask": False},
}
# Both branches in one file, with the choice left to the compiler, and made.
MERGED = {
    "merged": {},
    "merged_passes": {"passes": True},
    "merged_set": {},
}
KINDS = ["t5", "whisper"]


def file_of(model, name):
    """The model's file, written once."""
    harness.WORK.mkdir(parents=True, exist_ok=True)
    path = harness.WORK / f"{name}.onnx"
    content = model.SerializeToString()
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)
    return path


def sizes_of(size):
    size = dict(size)
    encoder, past = size.pop("encoder"), size.pop("past")
    return {
        **size, "encoder_sequence_length": encoder, "encoder_sequence_length_out": encoder,
        "past_decoder_sequence_length": past,
    }  # fmt: skip


def compare(path, model, options=(), given=()):
    artifact = harness.compiled(path, *options)
    oracle = harness.oracle(path)
    for seed, size in enumerate(SIZES):
        feeds = {**models.feeds(model, seed, **sizes_of(size)), **dict(given)}
        want = harness.oracle_run(oracle, feeds)
        for setting in options[1:]:
            del feeds[setting.split("=")[0]]
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE
    return harness.explained(artifact)["recognised"]


@pytest.mark.parametrize("kind", KINDS)
def test_files_without_past(kind):
    encoder = models.encoder(kind)
    counts = compare(file_of(encoder, f"{kind}_encoder"), encoder)
    assert counts["attention"] == 2 and "softmax" not in counts
    decoder = models.decoder(Spelling(kind, past=False))
    counts = compare(file_of(decoder, f"{kind}_decoder"), decoder)
    assert counts["attention"] == 4 and "softmax" not in counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", WITH_PAST)
def test_files_with_past(kind, case):
    model = models.decoder(Spelling(kind, **WITH_PAST[case]))
    compare(file_of(model, f"{kind}_{case}"), model)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("use", [True, False])
@pytest.mark.parametrize("passes", [False, True])
def test_merged_file(kind, use, passes):
    """With the input as ONNX Runtime has it, and set while compiling."""
    model = models.merged(Spelling(kind), passes)
    path = file_of(model, f"{kind}_merged{'_passes' if passes else ''}")
    given = {"use_cache_branch": np.array([use])}
    assert compare(path, model, given=given)["attention"] == 4
    if not passes:
        compare(path, model, ("--set", f"use_cache_branch={str(use).lower()}"), given)


@pytest.mark.parametrize("kind", KINDS)
def test_merged_file_as_hosts_run_it(kind):
    """Pasts that the branch without one does not read have any batch and
    length: a host has none yet."""
    model = models.merged(Spelling(kind))
    path = file_of(model, f"{kind}_merged")
    artifact, oracle = harness.compiled(path), harness.oracle(path)
    for length in (0, 1):
        feeds = models.feeds(model, length, **sizes_of(SIZES[1]))
        feeds["use_cache_branch"] = np.array([False])
        for name in feeds:
            if name.startswith("past"):
                feeds[name] = np.zeros((1, models.HEADS, length, models.DEPTH), np.float32)
        want = harness.oracle_run(oracle, feeds)
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE
        # The step after it: states that are not read may be left out likewise.
        for name in feeds:
            if name.startswith("past"):
                feeds[name] = want[name.replace("past_key_values", "present")]
        feeds["use_cache_branch"] = np.array([True])
        feeds["encoder_hidden_states"] = np.zeros((1, 2, models.WIDTH), np.float32)
        want = harness.oracle_run(oracle, feeds)
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE


# -- Generation


class Case:
    """A decoder with a past, compiled with --generate, and what ONNX Runtime
    says about the same file."""

    def __init__(self, kind, case):
        if case in MERGED:
            self.spelling = Spelling(kind, cross="past")
            model = models.merged(self.spelling, **MERGED[case])
        else:
            self.spelling = Spelling(kind, **WITH_PAST[case])
            model = models.decoder(self.spelling)
        # The branch without a past says what keys and values the encoder's
        # states become; only it does.
        self.binds_states = self.spelling.cross == "states" or case in ("merged", "merged_passes")
        self.path = file_of(model, f"{kind}_{case.removesuffix('_set')}")
        self.oracle = harness.oracle(self.path)
        first = models.decoder(Spelling(kind, past=False))
        self.first = harness.oracle(file_of(first, f"{kind}_decoder"))
        self.encoder = harness.oracle(file_of(models.encoder(kind), f"{kind}_encoder"))
        settings = ("--set", "use_cache_branch=true") if case == "merged_set" else ()
        self.artifact = harness.compiled(self.path, "--generate", *settings)

    def session(self, threads=2):
        return ingot.Session(self.artifact, threads=threads)

    def states(self, length, seed=0):
        """What an encoder makes of a text."""
        ids = np.random.default_rng([seed, length]).integers(0, models.VOCABULARY, (1, length))
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        return self.encoder.run(None, feeds)[0]

    def inputs(self, states):
        """What a sequence is bound to."""
        if self.binds_states:
            return {"encoder_hidden_states": states}
        return self.cross_inputs(states)

    def cross_inputs(self, states):
        """What the model's own inputs have of the encoder."""
        if self.spelling.cross == "states":
            return {"encoder_hidden_states": states}
        feeds = {
            "encoder_attention_mask": np.ones(states.shape[:2], np.int64),
            "input_ids": np.zeros((1, 1), np.int64), "encoder_hidden_states": states,
        }  # fmt: skip
        presents = harness.oracle_run(self.first, feeds)
        return {
            name.replace("present", "past_key_values"): array
            for name, array in presents.items()
            if ".encoder." in name
        }

    def logits(self, ids, states):
        """Of every token, by a loop that hands presents back as pasts."""
        feeds = self.cross_inputs(states)
        if self.spelling.encoder_mask:
            feeds["encoder_attention_mask"] = np.ones(states.shape[:2], np.int64)
        if "use_cache_branch" in [v.name for v in self.oracle.get_inputs()]:
            feeds["use_cache_branch"] = np.array([True])
            feeds["encoder_hidden_states"] = states
        pasts = [v.name for v in self.oracle.get_inputs() if ".decoder." in v.name]
        for name in pasts:
            feeds[name] = np.zeros((1, models.HEADS, 0, models.DEPTH), np.float32)
        found = []
        for token in ids:
            feeds["input_ids"] = np.array([[token]], np.int64)
            outputs = harness.oracle_run(self.oracle, feeds)
            found.append(outputs["logits"][0, 0])
            for name in pasts:
                feeds[name] = outputs[name.replace("past_key_values", "present")]
        return np.array(found)


def tokens(count, seed=0):
    return np.random.default_rng([seed, count]).integers(0, models.VOCABULARY, count)


every_case = pytest.mark.parametrize("case", [*WITH_PAST, *MERGED])
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@every_case
def test_state(kind, case):
    made = Case(kind, case)
    report = harness.explained(made.artifact)
    bound = sum(group["bound"] for group in report["state"]["groups"])
    assert bound == 1 and len(report["state"]["caches"]) == 2 * models.LAYERS
    assert [value["name"] for value in report["inputs"]] == [
        "input_ids", "ingot.past", "ingot.count", "ingot.bound",
    ]  # fmt: skip
    session = made.session()
    assert {info.name for info in session.model.bound_inputs} == set(made.inputs(made.states(3)))
    # Relative positions have no end, learned ones do.
    assert session.model.state.max_positions == (65536 if kind == "t5" else models.POSITIONS)


@every_kind
@every_case
def test_steps_of_rows(kind, case):
    """Rows with encoders' states of different lengths, read together; one leaves,
    another one joins."""
    made = Case(kind, case)
    session = made.session()
    states = [made.states(length, length) for length in (1, 7, 150)]
    sequences = [session.sequence(inputs=made.inputs(each)) for each in states]
    assert [each.bound_length for each in sequences] == [1, 7, 150]
    texts = [tokens(40, seed) for seed in range(3)]
    wants = [made.logits(*each) for each in zip(texts, states)]
    done = [0, 0, 0]
    for counts in [[1, 5, 9], [1, 1, 1], [4, 0, 1], [0, 25, 2], [1, 1, 1]]:
        rows = [row for row in range(3) if counts[row]]
        given = [(sequences[row], texts[row][done[row] :][: counts[row]]) for row in rows]
        for row, got in zip(rows, session.step(given)):
            done[row] += counts[row]
            np.testing.assert_allclose(got, wants[row][done[row] - 1], rtol=1e-4, atol=1e-4)


@every_kind
@every_case
def test_tokens(kind, case):
    """Greedy generation, over several pages of what T5's biases are for."""
    made = Case(kind, case)
    states = made.states(11)
    session = made.session()
    generation = session.generate([3], 150, inputs=made.inputs(states))
    ids = list(generation)
    wants = made.logits([3, *ids[:-1]], states)
    for chosen, want in zip(ids, wants):
        best = np.argmax(want)
        # Where two are as good as equal either may be chosen.
        assert chosen == best or want[best] - want[chosen] < 1e-4


@every_kind
@pytest.mark.parametrize("case", ["optimum", "states"])
def test_bits(kind, case, tmp_path):
    """The same bits however a prompt is cut, in any company, in forks and behind
    a file."""
    made = Case(kind, case)
    session = made.session()
    text, inputs = tokens(140), made.inputs(made.states(130))
    whole = session.sequence(inputs=inputs).append(text)
    one = session.sequence(inputs=inputs)
    for part in np.array_split(text, 9):
        got = one.append(part)
    assert np.array_equal(got, whole)
    other = session.sequence(inputs=made.inputs(made.states(2)))
    beside = session.step([(other, text[:3]), (session.sequence(inputs=inputs), text)])
    assert np.array_equal(beside[1], whole)
    alone = made.session(threads=1).sequence(inputs=inputs)
    assert np.array_equal(alone.append(text), whole)

    part = session.sequence(inputs=inputs)
    part.append(text[:50])
    before = session.cache_bytes()["in_use"]
    copy = part.fork()
    assert session.cache_bytes()["in_use"] == before and copy.bound_length == 130
    copy.append(tokens(9, 1))
    part.save(tmp_path / "state")
    restored = session.restore(tmp_path / "state")
    assert restored.bound_length == 130
    for sequence in (part, restored):
        assert np.array_equal(sequence.append(text[50:]), whole)
    copy.truncate(50)
    assert np.array_equal(copy.append(text[50:]), whole)
    # All logits, and a sequence for another text.
    everything = session.sequence(inputs=inputs).append(text[:20], all_logits=True)
    want = made.logits(text[:20], made.states(130))
    np.testing.assert_allclose(everything, want, rtol=1e-4, atol=1e-4)
    copy.truncate(0)
    copy.bind(made.inputs(made.states(4)))
    want = made.logits(text[:5], made.states(4))
    np.testing.assert_allclose(copy.append(text[:5]), want[-1], rtol=1e-4, atol=1e-4)


@every_kind
def test_half_caches(kind):
    made = Case(kind, "states")
    session = ingot.Session(harness.compiled(made.path, "--generate", "--kv-type", "f16"))
    states, text = made.states(20), tokens(30)
    got = session.sequence(inputs={"encoder_hidden_states": states}).append(text)
    np.testing.assert_allclose(got, made.logits(text, states)[-1], rtol=5e-3, atol=5e-3)


def test_wrong_bindings():
    made = Case("t5", "states")
    session = made.session()
    states = made.states(6)
    sequence = session.sequence()
    with pytest.raises(ingot.InvalidArgument, match="has no 'encoder_hidden_states' yet"):
        sequence.append([1])
    for inputs, message in [
        ({}, "'encoder_hidden_states' .* is missing"),
        ({"states": states}, "no input 'states'"),
        ({"encoder_hidden_states": states[0]}, "rank 2, expected 3"),
        ({"encoder_hidden_states": states[:, :, :5]}, "is 5, expected 32"),
        ({"encoder_hidden_states": np.repeat(states, 2, 0)}, "two values: "),
        ({"encoder_hidden_states": states[:, :0]}, "nothing to bind"),
        ({"encoder_hidden_states": states.astype(np.float64)}, "dtype f64"),
    ]:
        with pytest.raises(ingot.InvalidArgument, match=message):
            sequence.bind(inputs)
    assert session.cache_bytes()["in_use"] == 0 and sequence.bound_length == 0
    sequence.bind({"encoder_hidden_states": states})
    sequence.append([1, 2])
    with pytest.raises(ingot.InvalidArgument, match="has read 2 tokens"):
        sequence.bind({"encoder_hidden_states": states})
    small = ingot.Session(made.artifact, max_cache_bytes=1000)
    with pytest.raises(ingot.OutOfMemory):
        small.sequence(inputs={"encoder_hidden_states": states})


def test_nothing_to_bind():
    import small_models

    path = file_of(small_models.decoder(), "decoder")
    session = ingot.Session(harness.compiled(path, "--generate"))
    assert session.model.bound_inputs == []
    with pytest.raises(ingot.InvalidArgument, match="no inputs to bind"):
        session.sequence().bind({})


def test_without_past_there_is_no_state(tmp_path):
    model = models.decoder(Spelling("t5", past=False))
    done = harness.ingot(
        "compile", file_of(model, "t5_decoder"), "--generate", "-o", tmp_path / "a.ingot"
    )
    assert done.returncode == 1 and "no cache was found" in done.stderr


def test_models_are_valid():
    for kind in KINDS:
        onnx.checker.check_model(models.encoder(kind), full_check=True)
        onnx.checker.check_model(models.merged(Spelling(kind)))
