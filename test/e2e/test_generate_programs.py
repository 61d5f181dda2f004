"""Decoders compiled with --generate: the logits of sequences that read their
tokens in steps of any size, in any company, are those of ONNX Runtime for the
whole sequence at once."""

import json
import pathlib

import harness
import metamorphic
import numpy as np
import onnx
import pytest
import small_models
from onnx import helper

import ingot

# Vocabulary, caches, windows of the groups of caches.
DECODERS = {
    "small": (32, 1, [0]),
    "llama": (613, 3, [0]),
    "llama_ts": (613, 3, [0]),
    "llama_o23": (613, 3, [0]),
    "llama_f16": (613, 3, [0]),
    "gpt2": (517, 3, [0]),
    "gpt2_ts": (517, 3, [0]),
    "mistral": (613, 3, [6]),
    "qwen3": (613, 3, [0]),
    "gemma2": (613, 2, [6, 0]),
    # Two layers read one cache; in the naive export both keep their own copy.
    "cla2": (523, 2, [0]),
    "cla2_naive": (523, 2, [0]),
    # GroupQueryAttention: lengths of rows are data.
    "genai_llama_fp32": (1003, 2, [0]),
}


def model_of(case):
    """The model file; skips where the shared models are absent."""
    if case == "small":
        return harness.written_once(
            "decoder.onnx", lambda path: small_models.save(small_models.decoder(), path)
        )
    if not harness.SHARED.exists():
        pytest.skip("the shared models are not beside this clone")
    return harness.SHARED / case / "model.onnx"


def load(artifact, threads=2):
    return ingot.Session(artifact, threads=threads)


def session_of(case, *options, threads=2):
    return load(harness.compiled(model_of(case), "--generate", *options), threads)


class Oracle:
    """ONNX Runtime on whole sequences, from an empty past."""

    def __init__(self, case):
        self.session = harness.oracle(model_of(case))
        self.tolerance = {"rtol": 1e-4, "atol": 1e-4}
        if case != "small":
            meta = json.loads((harness.SHARED / case / "meta.json").read_text())
            self.tolerance = {"rtol": meta["rtol"], "atol": meta["atol"]}

    def logits(self, ids):
        """Of every token."""
        ids = np.asarray(ids, np.int64)[None]
        feeds = {}
        for value in self.session.get_inputs():
            if value.name == "input_ids":
                feeds[value.name] = ids
            elif value.name == "position_ids":
                feeds[value.name] = np.arange(ids.shape[1])[None]
            elif value.name == "attention_mask":
                feeds[value.name] = np.ones_like(ids)
            else:
                _, heads, _, depth = value.shape
                depth = depth if isinstance(depth, int) else 16
                kind = np.float16 if "16" in value.type else np.float32
                feeds[value.name] = np.zeros((1, heads, 0, depth), kind)
        return harness.oracle_run(self.session, feeds)["logits"][0].astype(np.float32)


def tokens(case, count, seed=0):
    return np.random.default_rng([seed, count]).integers(0, DECODERS[case][0], count)


@pytest.mark.parametrize("case", DECODERS)
def test_state(case):
    """Every past and present is a cache; nothing else is left."""
    _, caches, windows = DECODERS[case]
    report = harness.explained(harness.compiled(model_of(case), "--generate"))
    assert [value["name"] for value in report["inputs"]] == [
        "input_ids", "ingot.past", "ingot.count",
    ]  # fmt: skip
    assert [value["name"] for value in report["outputs"]] == ["logits"]
    state = report["state"]
    assert len(state["caches"]) == caches
    assert [group["window"] for group in state["groups"]] == windows
    replaced = {line.split(": ")[0] for line in state["replaced"]}
    given = {value.name for value in harness.oracle(model_of(case)).get_inputs()}
    assert {"attention_mask", "position_ids"} & given <= replaced
    names = {name for cache in state["caches"] for name in cache["inputs"]}
    graph = onnx.load(str(model_of(case)), load_external_data=False).graph
    pasts = {value.name for value in graph.input if value.name.startswith("past")}
    assert names | replaced >= pasts


@pytest.mark.parametrize("case", DECODERS)
def test_ragged_steps(case):
    """Rows of different lengths read together; one leaves, another one joins."""
    session, oracle = session_of(case), Oracle(case)
    steps = [[1, 5, 9], [1, 1, 1], [1, 1, 1], [4, 0, 1], [0, 3, 2], [1, 1, 1]]
    sequences = [session.sequence() for _ in range(3)]
    texts = [tokens(case, 20, seed) for seed in range(3)]
    done = [0, 0, 0]
    for counts in steps:
        rows = [row for row in range(3) if counts[row]]
        given = [
            (sequences[row], texts[row][done[row] : done[row] + counts[row]]) for row in rows
        ]
        logits = session.step(given)
        for row, got in zip(rows, logits):
            done[row] += counts[row]
            want = oracle.logits(texts[row][: done[row]])[-1]
            np.testing.assert_allclose(got, want, **oracle.tolerance)
    assert [len(sequence) for sequence in sequences] == done


@pytest.mark.parametrize("case", DECODERS)
def test_pages(case):
    """Sequences longer than a page, read in chunks of any size: the same bits,
    also in a batch and on one thread."""
    longest = {"gpt2": 128, "gpt2_ts": 128, "small": 200, "genai_llama_fp32": 256}.get(case, 300)
    text = tokens(case, longest)
    session = session_of(case)
    whole = session.step([(session.sequence(), text)])
    oracle = Oracle(case)
    np.testing.assert_allclose(whole[0], oracle.logits(text)[-1], **oracle.tolerance)
    for chunk in (7, 64):
        got = session.step([(session.sequence(), text)], chunk=chunk)
        assert np.array_equal(got, whole), chunk
    other = tokens(case, 11, seed=5)
    got = session.step([(session.sequence(), other), (session.sequence(), text)])
    assert np.array_equal(got[1], whole[0])
    alone = session_of(case, threads=1)
    sequence = alone.sequence()
    for part in np.array_split(text, 5):
        got = alone.step([(sequence, part)])
    assert np.array_equal(got, whole)


@pytest.mark.parametrize("case", DECODERS)
def test_all_logits(case):
    """Of every token, as ONNX Runtime has them and as steps that end at the
    token do: the same bits, in chunks and in company."""
    text, other = tokens(case, 12), tokens(case, 5, seed=5)
    session, oracle = session_of(case), Oracle(case)
    got = session.step([(session.sequence(), text)], all_logits=True)
    np.testing.assert_allclose(got, oracle.logits(text), **oracle.tolerance)
    for count in range(1, len(text) + 1):
        last = session.step([(session.sequence(), text[:count])])[0]
        assert np.array_equal(got[count - 1], last), count
    rows = [(session.sequence(), other), (session.sequence(), text)]
    both = session.step(rows, all_logits=True, chunk=8)
    assert np.array_equal(both[len(other) :], got)


@pytest.mark.parametrize("case", DECODERS)
def test_decode(case):
    """One token at a time, by the program made for that, and more tokens at
    once, by the main one: the same bits, in any company. A row with one token
    beside one with more is read by the main program."""
    text, other = tokens(case, 12), tokens(case, 20, seed=5)
    session = session_of(case)
    one, several, company = (session.sequence() for _ in range(3))
    for count, token in enumerate(text, 1):
        alone = session.step([(one, [token])])[0]
        whole = session.step([(session.sequence(), text[:count])])[0]
        assert np.array_equal(alone, whole), count
        beside = session.step([(several, [token]), (company, other[:2])])[0]
        assert np.array_equal(alone, beside), count
        company.truncate(0)


@pytest.mark.parametrize("case", DECODERS)
def test_threads(case):
    """More threads than there are tiles generate the same tokens."""
    text = tokens(case, 9)
    answers = [
        session_of(case, threads=count).sequence().complete(text, 12) for count in (1, 2, 24)
    ]
    assert answers[1:] == answers[:1] * 2


def test_entries():
    """What an artifact holds."""
    report = harness.explained(harness.compiled(model_of("small"), "--generate"))
    entries = {entry["name"]: entry for entry in report["entries"]}
    assert [value["dims"] for value in entries["all"]["inputs"]] == [
        value["dims"] for value in report["inputs"]
    ]
    assert entries["all"]["outputs"][0]["dims"] == ["batch", "seq", 32]
    assert [value["dims"] for value in entries["decode"]["inputs"]] == [
        ["batch", 1], ["batch"], ["batch"],
    ]  # fmt: skip
    assert entries["decode"]["outputs"] == report["outputs"]


@pytest.mark.parametrize("case", DECODERS)
def test_weights_are_stored_once(case):
    """For all programs together what the model as it is needs."""
    plain = harness.explained(harness.compiled(model_of(case)))
    report = harness.explained(harness.compiled(model_of(case), "--generate"))
    assert {entry["name"] for entry in report["entries"]} == {"all", "decode", "generate", "sample"}
    assert report["weights_bytes"] == plain["weights_bytes"]


@pytest.mark.parametrize("case", ["llama", "gemma2"])
def test_half_cache(case):
    """Keys and values rounded to f16."""
    session, oracle = session_of(case, "--kv-type", "f16"), Oracle(case)
    text = tokens(case, 40)
    got = session.step([(session.sequence(), text)])[0]
    want = oracle.logits(text)[-1]
    # 2^-11 of what keys and values add to a logit.
    np.testing.assert_allclose(got, want, rtol=5e-3, atol=5e-3)
    assert not np.allclose(got, want, rtol=1e-7, atol=0)
    state = harness.explained(harness.compiled(model_of(case), "--generate", "--kv-type", "f16"))
    full = harness.explained(harness.compiled(model_of(case), "--generate"))
    assert 2 * state["state"]["bytes_per_token"] == full["state"]["bytes_per_token"]


def count_positions(model):
    """The model without an input for positions: it counts them from the length
    of the past, once for all rows."""
    graph = model.graph
    graph.input.remove(next(value for value in graph.input if value.name == "position_ids"))
    past = next(value.name for value in graph.input if value.name.startswith("past"))
    for name, value in {"counted.at_2": 2, "counted.at_1": 1, "counted.axes": [0]}.items():
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.int64), name))
    made = [
        helper.make_node("Shape", [past], ["counted.past_shape"]),
        helper.make_node("Gather", ["counted.past_shape", "counted.at_2"], ["counted.past_length"]),
        helper.make_node("Shape", ["input_ids"], ["counted.ids_shape"]),
        helper.make_node("Gather", ["counted.ids_shape", "counted.at_1"], ["counted.ids_length"]),
        helper.make_node("Add", ["counted.past_length", "counted.ids_length"], ["counted.total_length"]),
        helper.make_node("Range", ["counted.past_length", "counted.total_length", "counted.at_1"], ["counted.positions"]),
        helper.make_node("Unsqueeze", ["counted.positions", "counted.axes"], ["position_ids"]),
    ]
    nodes = [*made, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def rename_signature(model):
    """Respelt, with inputs and outputs in another order and under names that
    say nothing."""
    model = metamorphic.respell(model, seed=3)
    graph = model.graph
    for values, prefix in ((graph.input, "in"), (graph.output, "out")):
        order = sorted(values, key=lambda value: value.name[::-1])
        del values[:]
        values.extend(order)
        names = {value.name: f"{prefix}{place}" for place, value in enumerate(values)}
        for value in values:
            value.name = names[value.name]
        for node in graph.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]
    return model


def test_compiles_to_the_same_bytes(tmp_path):
    """Programs are worked on side by side, whose constants are of one module."""
    made = []
    for number in range(12):
        artifact = tmp_path / f"{number}.ingot"
        harness.ingot_ok("compile", model_of("small"), "--generate", "-o", artifact)
        made.append(artifact.read_bytes())
    assert all(content == made[0] for content in made)


@pytest.mark.parametrize("spell", [count_positions, rename_signature])
@pytest.mark.parametrize("case", ["small", "llama", "gpt2_ts", "gemma2", "cla2_naive"])
def test_spelling_does_not_matter(case, spell, tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(spell(onnx.load(str(model_of(case)))), path)
    session, oracle = load(harness.compiled(path, "--generate")), Oracle(case)
    sequences = [session.sequence() for _ in range(2)]
    texts = [tokens(case, 12, seed) for seed in range(2)]
    session.step([(sequences[0], texts[0][:2]), (sequences[1], texts[1][:7])])
    logits = session.step([(sequences[0], texts[0][2:]), (sequences[1], texts[1][7:9])])
    wants = (oracle.logits(texts[0])[-1], oracle.logits(texts[1][:9])[-1])
    for got, want in zip(logits, wants):
        np.testing.assert_allclose(got, want, **oracle.tolerance)
    state = harness.explained(harness.compiled(path, "--generate"))["state"]
    assert len(state["caches"]) == DECODERS[case][1]


def test_encoder_is_refused(tmp_path):
    """What has no cache says so."""
    model = small_models.save(small_models.dense(), tmp_path / "dense.onnx")
    done = harness.ingot("compile", model, "--generate", "-o", tmp_path / "out.ingot")
    assert done.returncode == 1
    assert "no cache was found" in done.stderr
    assert not pathlib.Path(tmp_path / "out.ingot").exists()
