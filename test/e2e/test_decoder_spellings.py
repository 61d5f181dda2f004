"""Every spelling of attention with a cache against ONNX Runtime, or onnx's
reference evaluator where ONNX Runtime has no kernel."""

import decoder_spellings as spell
import harness
import numpy as np
import onnx.reference
import pytest

import ingot

TOLERANCE = 2e-5


def compare(model, path, all_feeds, keep=lambda outputs, feeds: outputs, reference=False):
    """The largest difference over runs of one compiled model."""
    spell.save(model, path)
    artifact = harness.compiled(path)
    oracle = onnx.reference.ReferenceEvaluator(model) if reference else harness.oracle(path)
    for feeds in all_feeds:
        if reference:
            names = [o.name for o in model.graph.output]
            want = dict(zip(names, oracle.run(None, feeds)))
        else:
            want = harness.oracle_run(oracle, feeds)
        got = harness.run(artifact, feeds)
        worst = harness.largest_difference(keep(got, feeds), keep(want, feeds))
        assert worst <= TOLERANCE, {n: a.shape for n, a in feeds.items()}
    return harness.explained(artifact)["recognised"]


GROUP_QUERY = {
    "packed": {},
    "separate": {"packed": False},
    "rotary": {"pairs": 8},
    "interleaved": {"pairs": 8, "rotary_interleaved": 1},
    "partial": {"pairs": 8, "depth": 32},
    "window": {"pairs": 8, "local_window_size": 3},
    "softcap": {"softcap": 2.0},
    "scale": {"scale": 0.4, "packed": False},
    "one_group": {"groups": 1},
    "all_groups": {"groups": 4, "packed": False, "pairs": 8},
}
# Tokens, positions of each row with them, extent of the past.
STEPS = {
    "prompt": (5, [5], 0),
    "prompts": (4, [4, 4, 4], 0),
    "padded": (4, [4, 2, 1], 0),
    "padded_in_buffer": (4, [2, 4], 9),
    "step": (1, [6], 5),
    "ragged": (1, [6, 3, 1], 5),
    "ragged_in_buffer": (1, [4, 7], 12),
    "chunk": (3, [8], 5),
    "chunk_in_buffer": (3, [8], 11),
    "long": (70, [70, 51], 0),
}


def defined(outputs, feeds):
    """What has a meaning: tokens that are there, and the positions of a row."""
    counts = feeds["mask"].sum(axis=1)
    tokens = feeds["q"].shape[1]
    result = {}
    for name, array in outputs.items():
        array = array.copy()
        for row, count in zip(array, counts):
            if name != "y":
                row[:, max(count, tokens) :] = 0
            elif count < tokens:
                row[count:] = 0
        result[name] = array
    return result


@pytest.mark.parametrize("case", GROUP_QUERY)
def test_group_query(case, tmp_path):
    model = spell.group_query(positions=128, **GROUP_QUERY[case])
    runs = [spell.group_query_feeds(model, *step) for step in STEPS.values()]
    counts = compare(model, tmp_path / "gqa.onnx", runs, defined)
    assert counts["attention"] == 1 and counts["write_rows"] == 2
    assert counts.get("rope", 0) == (2 if "pairs" in GROUP_QUERY[case] else 0)
    assert "softmax" not in counts


def test_group_query_keeps_the_rest_of_the_buffer(tmp_path):
    model = spell.group_query()
    feeds = spell.group_query_feeds(model, 1, [4, 7], 12)
    got = harness.run(spell.save(model, tmp_path / "gqa.onnx"), feeds)
    for name in ("k", "v"):
        past, present = feeds[f"past_{name}"], got[f"present_{name}"]
        for row, position in enumerate([3, 6]):
            unwritten = np.arange(12) != position
            assert np.array_equal(present[row][:, unwritten], past[row][:, unwritten])


def test_group_query_refuses_positions_without_a_table_row(tmp_path):
    model = spell.group_query(pairs=8, positions=8)
    path = spell.save(model, tmp_path / "gqa.onnx")
    harness.run(path, spell.group_query_feeds(model, 1, [8], 7))
    inputs = tmp_path / "in.npz"
    np.savez(inputs, **spell.group_query_feeds(model, 1, [9], 8))
    done = harness.ingot("run", path, "--inputs", inputs)
    assert done.returncode == 1 and "out of range" in done.stderr and "gqa" in done.stderr


@pytest.mark.parametrize(
    "attributes, message",
    [
        ({"smooth_softmax": 1}, "smooth_softmax"),
        ({"local_window_size": 0}, "local_window_size"),
        ({"k_quant_type": "PER_TENSOR"}, "k_quant_type"),
        ({"heads": 5}, "num_heads = 5"),
        ({"pairs": 9}, "9 pairs for 16 features"),
    ],
)
def test_group_query_refusals(attributes, message, tmp_path):
    path = spell.save(spell.group_query(**attributes), tmp_path / "gqa.onnx")
    done = harness.ingot("compile", path, "-o", tmp_path / "gqa.ingot")
    assert done.returncode == 1 and message in done.stderr and "gqa" in done.stderr


def masks(rank, batch, tokens, total, seed=5):
    """A mask of each rank that hides some keys, but never all of a row."""
    random = np.random.default_rng(seed)
    if rank == 1:
        return random.integers(1, total + 1, batch).astype(np.int32)
    shape = [batch, total] if rank == 2 else [batch, tokens, total]
    mask = (random.random(shape) < 0.7).astype(np.int32)
    mask[..., 0] = 1
    return mask


SIZES = [(1, 5, 0), (2, 1, 6), (3, 4, 3), (2, 7, 0), (1, 50, 20)]


def feeds_of_sizes(model, options):
    """Inputs for each of SIZES, with the past and the mask that the options ask
    for."""
    for batch, tokens, past in SIZES:
        if not options.get("past"):
            past = 0
        total = tokens + past
        given = {}
        if options.get("mask"):
            given["mask"] = masks(options["mask"], batch, tokens, total)
        yield spell.feeds(model, given=given, b=batch, s=tokens, n=tokens, p=past, t=total, m=batch)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"past": True},
        {"past": True, "unidirectional": 1},
        {"bias": True, "unidirectional": 1},
        {"bias": True, "mask": 2},
        {"mask": 1},
        {"mask": 1, "rows": "m"},
        {"mask": 3},
        {"mask": 2, "past": True, "added": True, "scale": 0.3},
        {"mask": 2, "mask_filter_value": -1e9, "past": True},
    ],
    ids=str,
)
def test_multi_head(options, tmp_path):
    model = spell.multi_head(**options)
    counts = compare(model, tmp_path / "mha.onnx", feeds_of_sizes(model, options))
    assert counts["attention"] == 1 and "softmax" not in counts


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"unidirectional": 1},
        {"past": True, "unidirectional": 1},
        {"mask": 1},
        {"mask": 1, "rows": "m"},
        {"mask": 2, "past": True, "unidirectional": 1},
        {"mask": 3, "scale": 0.2},
    ],
    ids=str,
)
def test_fused(options, tmp_path):
    model = spell.fused(**options)
    counts = compare(model, tmp_path / "attention.onnx", feeds_of_sizes(model, options))
    assert counts["attention"] == 1 and counts["linear"] == 1 and "softmax" not in counts


@pytest.mark.parametrize("make", [spell.multi_head, spell.fused])
def test_lengths_that_do_not_fit(make, tmp_path):
    """A mask of another length than the batch is seen when the program runs."""
    model = make(mask=1, rows="m")
    artifact = harness.compiled(spell.save(model, tmp_path / "model.onnx"))
    session = ingot.Session(artifact, threads=1)
    for length in (1, 2, 4, 8):
        given = {"mask": np.ones(length, np.int32)}
        feeds = spell.feeds(model, given=given, b=2, s=3, n=3, t=3, m=length)
        if length == 2:
            session.run(feeds)
            continue
        with pytest.raises(ingot.Error, match="shapes of different sizes"):
            session.run(feeds)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"interleaved": 1},
        {"pairs": 2},
        {"pairs": 3, "interleaved": 1},
        {"rank": 4},
        {"rank": 4, "pairs": 2},
        {"offset": True},
    ],
    ids=str,
)
def test_rotary(options, tmp_path):
    model = spell.rotary(**options)
    runs = []
    for batch, tokens in [(1, 1), (2, 5), (3, 7)]:
        at = np.random.default_rng(batch).integers(0, 20, (batch, tokens))
        if options.get("offset"):
            at = np.array([4])
        runs.append(spell.feeds(model, given={"at": at.astype(np.int64)}, b=batch, s=tokens))
    assert compare(model, tmp_path / "rotary.onnx", runs)["rope"] == 1


@pytest.mark.parametrize("options", [{}, {"softcap": 3.0}, {"scale": 0.3, "groups": 4}], ids=str)
def test_concat_cache(options, tmp_path):
    model = spell.concat_cache(**options)
    runs = [spell.feeds(model, b=b, s=s, p=p) for b, s, p in SIZES]
    counts = compare(model, tmp_path / "attention.onnx", runs, reference=True)
    assert counts["attention"] == 1 and "softmax" not in counts


@pytest.mark.parametrize("writer", ["TensorScatter", "ScatterND"])
def test_static_cache(writer, tmp_path):
    model = spell.static_cache(writer)
    runs = []
    for batch, tokens, past in SIZES[:4]:
        extent = 16
        if writer == "TensorScatter":
            at = np.arange(batch) % (past + 1)
            given = {"at": at, "valid": at + tokens}
        else:
            at = past + np.arange(tokens)
            seen = np.arange(extent) <= at[:, None]
            given = {"at": at, "mask": np.broadcast_to(seen, (batch, 1, tokens, extent)).copy()}
        runs.append(spell.feeds(model, given=given, b=batch, s=tokens, c=extent))
    # The reference evaluator refuses valid lengths of more than one row.
    counts = compare(model, tmp_path / "static.onnx", runs, reference=writer == "ScatterND")
    assert counts["attention"] == 1 and "softmax" not in counts


def test_merged(tmp_path):
    """Results of the same shapes: each branch has a program all the same."""
    model = spell.merged(same_shapes=True)
    runs = [
        spell.feeds(model, given={"use_cache": np.array([use])}, b=b, s=s, p=p)
        for b, s, p in SIZES[:3]
        for use in (True, False)
    ]
    assert compare(model, tmp_path / "merged.onnx", runs)["attention"] == 1


def test_merged_of_different_shapes(tmp_path):
    path = spell.save(spell.merged(same_shapes=False), tmp_path / "merged.onnx")
    session, both = harness.oracle(path), harness.compiled(path)
    for use in (True, False):
        artifact = harness.compiled(path, "--set", f"use_cache={str(use).lower()}")
        for batch, tokens, past in SIZES[:3]:
            feeds = spell.feeds(
                spell.merged(same_shapes=False), given={"use_cache": np.array([use])},
                b=batch, s=tokens, p=past,
            )  # fmt: skip
            want = harness.oracle_run(session, feeds)
            assert harness.largest_difference(harness.run(both, feeds), want) <= TOLERANCE
            del feeds["use_cache"]
            assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE


@pytest.mark.parametrize(
    "setting, message",
    [
        ("nothing=1", "no input 'nothing' to set; the model's inputs are 'q', 'k', 'v', 'past_k'"),
        ("use_cache", "the setting 'use_cache' is not of the form NAME=VALUE"),
        (
            "use_cache=maybe",
            "'use_cache' cannot be set to 'maybe': it is neither an integer nor true or false",
        ),
        ("use_cache=", "'use_cache' cannot be set to '': it is neither an integer"),
        ("use_cache=2", "'use_cache' cannot be set to '2': its elements are from 0 to 1"),
        ("use_cache=-1", "'use_cache' cannot be set to '-1': its elements are from 0 to 1"),
        (f"use_cache={10**20}", "it does not fit into 64 bits"),
        ("q=1", "'q' cannot be set to '1': it is not of integers or booleans, but of float"),
    ],
)
def test_settings_that_cannot_be(setting, message, tmp_path):
    path = spell.save(spell.merged(same_shapes=False), tmp_path / "merged.onnx")
    done = harness.ingot("compile", path, "-o", tmp_path / "merged.ingot", "--set", setting)
    assert done.returncode == 1 and message in done.stderr
