"""Models with an If that a boolean input decides, run as ONNX Runtime runs them:
with the input, whatever it is."""

import harness
import merged_models as models
import numpy as np
import pytest
import small_models
from onnx import helper

import ingot

TOLERANCE = 2e-6
# Tokens, past, batch, and what pasts are that nobody reads.
SIZES = [(1, 0, 1, None), (3, 0, 2, (1, 1)), (4, 5, 2, (2, 0)), (1, 70, 3, (1, 7))]


def saved(model, folder):
    return small_models.save(model, folder / "merged.onnx")


def node(op, names, result, **attributes):
    return helper.make_node(op, names, [result], f"{op}_node", **attributes)


@pytest.mark.parametrize("kind", models.CONDITIONS)
def test_decoder(kind, tmp_path):
    path = saved(models.merged_decoder(kind), tmp_path)
    oracle, artifact = harness.oracle(path), harness.compiled(path)
    for use in (True, False):
        for seed, (tokens, past, batch, unread) in enumerate(SIZES):
            feeds = models.feeds(use, tokens, past, batch, unread, seed)
            want = harness.oracle_run(oracle, feeds)
            got = harness.run(artifact, feeds)
            assert harness.largest_difference(got, want) <= TOLERANCE, (use, seed)


def test_signature(tmp_path):
    path = saved(models.merged_decoder(), tmp_path)
    report = harness.explained(harness.compiled(path))
    assert report["decider"] == {"input": "use_cache_branch", "otherwise": "otherwise"}
    outputs = {x["name"]: x["dims"] for x in report["outputs"]}
    assert outputs["logits"] == ["batch", "seq", 32]
    assert outputs["present.key"][2] == "past + seq or seq"
    # Both programs read the same bytes.
    one = harness.explained(harness.compiled(path, "--set", "use_cache_branch=true"))
    assert report["weights_bytes"] == one["weights_bytes"]
    assert [x["name"] for x in report["entries"]] == ["otherwise"]
    assert "decider" not in one and "entries" not in one
    assert report["recognised"]["attention"] == 1


def test_session(tmp_path):
    path = saved(models.merged_decoder(), tmp_path)
    session = ingot.Session(harness.compiled(path), threads=2)
    oracle = harness.oracle(path)
    feeds = {use: models.feeds(use, 3, 4) for use in (True, False)}
    for use in (True, False, True):
        want = harness.oracle_run(oracle, feeds[use])
        got = session.run(feeds[use])
        assert harness.largest_difference(got, want) <= TOLERANCE
        kept = np.zeros_like(want["present.key"])
        session.run(feeds[use], outputs={"present.key": kept})
        assert np.array_equal(kept, got["present.key"])
    shapes = [session.shapes(feeds[use])["present.key"][2] for use in (True, False)]
    assert shapes == [7, 3]
    given = dict(feeds[True])
    for wrong, message in [
        (None, "'use_cache_branch' .* is missing"),
        (np.array([1]), "dtype i64, expected bool"),
        (np.array(True), "rank 0, expected 1"),
        (np.array([], bool), "no data|is 0, expected 1"),
        (np.array([True, False]), "is 2, expected 1"),
        (np.array([False, True]), "is 2, expected 1"),
    ]:
        given.pop("use_cache_branch", None)
        if wrong is not None:
            given["use_cache_branch"] = wrong
        with pytest.raises(ingot.InvalidArgument, match=message):
            session.run(given)
    # With a past the mask must be as long as the file says.
    with pytest.raises(ingot.InvalidArgument, match="attention_mask"):
        session.run({**feeds[True], "attention_mask": np.ones((1, 3), np.int64)})


@pytest.mark.parametrize("shape", [(1,), (), ("one",)], ids=str)
def test_ranks_of_the_input(shape, tmp_path):
    model = models.choice(
        [node("Concat", ["x", "x"], "y_then", axis=0)], [node("Neg", ["x"], "y_else")],
        "cast", shape,
    )  # fmt: skip
    path = saved(model, tmp_path)
    oracle, artifact = harness.oracle(path), harness.compiled(path)
    for use in (True, False):
        for rows in (0, 1, 5):
            x = np.random.default_rng(rows).standard_normal((rows, 3)).astype(np.float32)
            feeds = {"x": x, "use_cache_branch": np.full([1] * len(shape), use)}
            want = harness.oracle_run(oracle, feeds)
            assert harness.largest_difference(harness.run(artifact, feeds), want) == 0


def test_only_one_branch_runs(tmp_path):
    """What fails in the branch that is not chosen is no failure."""
    sizes = small_models.numpy_helper.from_array(np.array([2, -1]), "sizes")
    then = [
        node("Constant", [], "sizes", value=sizes),
        node("Reshape", ["x", "sizes"], "y_then"),
    ]
    model = models.choice(then, [node("Neg", ["x"], "y_else")])
    path = saved(model, tmp_path)
    session = ingot.Session(harness.compiled(path), threads=1)
    x = np.ones((1, 3), np.float32)
    assert session.run({"x": x, "use_cache_branch": np.array([False])})["y"].shape == (1, 3)
    with pytest.raises(ingot.Error):
        session.run({"x": x, "use_cache_branch": np.array([True])})


@pytest.mark.parametrize("kind", models.CONDITIONS)
def test_generation(kind, tmp_path):
    """Of the two branches the one with a past: the bits are those of the decoder
    that was merged."""
    path = saved(models.merged_decoder(kind), tmp_path)
    artifact = harness.compiled(path, "--generate")
    assert "use_cache_branch: is true" in harness.explained(artifact)["state"]["replaced"]
    plain = small_models.save(small_models.decoder(), tmp_path / "plain.onnx")
    sessions = [ingot.Session(x, threads=2) for x in (artifact, harness.compiled(plain, "--generate"))]
    text = np.random.default_rng(3).integers(0, 32, 150)
    rows = [[session.sequence().append(part) for part in (text[:7], text)] for session in sessions]
    assert np.array_equal(*rows)
    # What the branch without a past says of a prompt.
    want = harness.oracle_run(harness.oracle(path), {
        **models.feeds(False, 150, 0), "input_ids": text[None],
    })  # fmt: skip
    np.testing.assert_allclose(rows[0][1], want["logits"][0, -1], rtol=1e-4, atol=1e-4)


def compile_error(model, folder, *options):
    done = harness.ingot("compile", saved(model, folder), "-o", folder / "m.ingot", *options)
    assert done.returncode == 1
    return done.stderr


def test_what_is_refused(tmp_path):
    neg = [node("Neg", ["x"], "y_else")]
    text = compile_error(models.choice([node("ReduceSum", ["x"], "y_then", keepdims=0)], neg), tmp_path)
    assert "output 'y' has 0 dims of f32 where input 'use_cache_branch' is true, 2 dims of f32" in text
    # Reasons of both branches at once.
    text = compile_error(
        models.choice([node("Unheard", ["x"], "y_then")], [node("Unknown", ["x"], "y_else")]), tmp_path
    )
    assert "Unheard" in text and "Unknown" in text


def test_computed_conditions(tmp_path):
    """What depends on data cannot choose dims."""
    then = [node("Concat", ["x", "x"], "y_then", axis=0)]
    model = models.choice(then, [node("Neg", ["x"], "y_else")])
    del model.graph.node[0]
    zero = small_models.numpy_helper.from_array(np.zeros(1, np.float32), "zero")
    model.graph.initializer.append(zero)
    nodes = [
        node("ReduceSum", ["x"], "sum"),
        node("Reshape", ["sum", "shape"], "total"),
        node("Greater", ["total", "zero"], "is_positive"),
        node("And", ["is_positive", "use_cache_branch"], "condition_0"),
    ]
    model.graph.initializer.append(small_models.numpy_helper.from_array(np.array([1]), "shape"))
    for i, each in enumerate(nodes):
        model.graph.node.insert(i, each)
    text = compile_error(model, tmp_path)
    assert "results of different shapes" in text and "choice" in text


def test_caches_in_both_branches(tmp_path):
    import decoder_spellings as spell

    text = compile_error(spell.merged(same_shapes=True), tmp_path, "--generate")
    assert "whether input 'use_cache' is true or false; choose with --set use_cache=true" in text
