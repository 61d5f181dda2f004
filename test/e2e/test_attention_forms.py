"""Forms of attention that other tests have not, against ONNX Runtime."""

import attention_forms as forms
import decoder_spellings as spell
import harness
import numpy as np
import pytest

TOLERANCE = 2e-5
SIZES = [(1, 5, 5), (2, 1, 6), (3, 4, 3), (1, 50, 70)]


@pytest.mark.parametrize("form", ["every_two", "expand", "pairs", "complex"])
def test_woven_rotary(form, tmp_path):
    model = forms.woven_rotary(form)
    path = spell.save(model, tmp_path / "rotary.onnx")
    artifact, oracle = harness.compiled(path), harness.oracle(path)
    for batch, tokens in [(1, 1), (2, 5), (3, 7)]:
        at = np.random.default_rng(batch).integers(0, 20, (batch, tokens))
        feeds = spell.feeds(model, given={"at": at}, b=batch, s=tokens)
        want = harness.oracle_run(oracle, feeds)
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE
    counts = harness.explained(artifact)["recognised"]
    assert counts["rope"] == 1 and "mul" not in counts


@pytest.mark.parametrize("which", ["qkv", "kv", "apart"])
@pytest.mark.parametrize("options", [{}, {"unidirectional": 1}, {"scale": 0.3}], ids=str)
def test_packed_multi_head(which, options, tmp_path):
    model = forms.packed_multi_head(which, **options)
    plain = spell.save(spell.multi_head(**options), tmp_path / "plain.onnx")
    oracle = harness.oracle(plain)
    artifact = harness.compiled(spell.save(model, tmp_path / "packed.onnx"))
    for batch, tokens, keys in SIZES:
        if which == "qkv" or options.get("unidirectional"):
            keys = tokens
        feeds = spell.feeds(model, b=batch, s=tokens, n=keys)
        want = harness.oracle_run(oracle, forms.unpacked(feeds))
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE
    counts = harness.explained(artifact)["recognised"]
    assert counts["attention"] == 1 and "softmax" not in counts


def test_keys_between_two_ends(tmp_path):
    """A mask_index of ends and begins, as keys padded on both sides have."""
    model = forms.two_sided()
    plain = spell.fused(mask=3)
    oracle = harness.oracle(spell.save(plain, tmp_path / "plain.onnx"))
    artifact = harness.compiled(spell.save(model, tmp_path / "two.onnx"))
    for batch, tokens, _ in SIZES:
        random = np.random.default_rng(batch)
        ends = random.integers(1, tokens + 1, batch)
        begins = np.array([random.integers(0, end) for end in ends])
        given = {"mask": np.concatenate([ends, begins]).astype(np.int32)}
        feeds = spell.feeds(model, given=given, b=batch, s=tokens, **{"2 * b": 2 * batch})
        places = np.arange(tokens)
        shown = (places >= begins[:, None]) & (places < ends[:, None])
        mask = np.repeat(shown[:, None], tokens, 1).astype(np.int32)
        want = harness.oracle_run(oracle, {"x": feeds["x"], "mask": mask})
        assert harness.largest_difference(harness.run(artifact, feeds), want) <= TOLERANCE


# Tokens, positions of each row with them, extent of the past.
STEPS = [(5, [5], 0), (4, [4, 4, 4], 0), (1, [6], 5), (1, [6, 3, 1], 5), (3, [8], 11), (70, [70, 51], 0)]


@pytest.mark.parametrize(
    "options",
    [
        {"bias": True},
        {"bias": True, "packed": False, "softcap": 2.0},
        {"positions": True, "pairs": 8},
        {"positions": True, "pairs": 8, "packed": False, "rotary_interleaved": 1},
        {"lengths": True, "pairs": 8},
        {"lengths": True, "packed": False, "local_window_size": 3, "softcap": 3.0},
        {"bias": True, "lengths": True, "pairs": 8, "scale": 0.3},
    ],
    ids=str,
)
def test_group_query_inputs(options, tmp_path):
    model = forms.group_query_with(**options, rows=128)
    path = spell.save(model, tmp_path / "gqa.onnx")
    artifact, oracle = harness.compiled(path), harness.oracle(path)
    for tokens, counts, buffer in STEPS:
        batch, total = len(counts), max(counts)
        # With lengths that are data the buffer is given as long as it must be.
        buffer = max(buffer, total) if options.get("lengths") else buffer
        given = {
            "mask": (np.arange(total) < np.array(counts)[:, None]).astype(np.int64),
            "last": np.array(counts, np.int32) - 1, "total": np.array([total], np.int32),
            "at": np.array([[2 + max(c - tokens, 0) + i for i in range(tokens)] for c in counts]),
        }  # fmt: skip
        feeds = spell.feeds(model, given=given, b=batch, s=tokens, p=buffer, t=total)
        want, got = harness.oracle_run(oracle, feeds), harness.run(artifact, feeds)
        for outputs in (want, got):
            for row, count in enumerate(counts):
                outputs["y"][row, count:] = 0
                for name in ("present_k", "present_v"):
                    outputs[name][row, :, max(count, tokens) :] = 0
        assert harness.largest_difference(got, want) <= TOLERANCE, (tokens, counts, buffer)


def test_lengths_beyond_the_buffer(tmp_path):
    """How long a buffer has to become is data, which no extent can be."""
    model = forms.group_query_with(lengths=True)
    path = spell.save(model, tmp_path / "gqa.onnx")
    given = {"last": np.array([3], np.int32), "total": np.array([4], np.int32)}
    inputs = tmp_path / "in.npz"
    np.savez(inputs, **spell.feeds(model, given=given, b=1, s=4, p=2))
    done = harness.ingot("run", path, "--inputs", inputs)
    assert done.returncode == 1 and "out of range" in done.stderr and "gqa" in done.stderr


def test_head_sinks_are_refused(tmp_path):
    path = spell.save(forms.group_query_with(sink=True), tmp_path / "gqa.onnx")
    done = harness.ingot("compile", path, "-o", tmp_path / "gqa.ingot")
    assert done.returncode == 1 and "input 11" in done.stderr and "gqa" in done.stderr
