"""SmolLM2 in the three spellings of examples/smollm2: what it says is what
PyTorch says from the same dequantized weights (smollm2/make_tokens.py)."""

import functools

import harness
import ingot
import numpy as np
import pytest
import smollm2_model
from smollm2_model import smollm2
from smollm2_tokens import CASES, continued, wrong

@functools.cache
def tokens_of(spelling):
    """What a spelling says, one list for every case."""
    session = ingot.Session(smollm2_model.artifact(spelling), threads=2)
    return continued(session, CASES)


@pytest.mark.parametrize("spelling", smollm2.SPELLINGS)
def test_continuation(spelling):
    assert not wrong(CASES, tokens_of(spelling))


def test_coded_spellings_say_the_same():
    """Both keep the file's codes, and meet them with the same activations."""
    assert tokens_of("microsoft") == tokens_of("onnx")


def test_table_is_stored_once():
    """The codes of the file and their scales and minima, as floats: no second
    copy of the table of tokens, which lookups share with the head."""
    layers = 30 * (2 * 576 * 576 + 2 * 576 * 192 + 3 * 576 * 1536)
    table = 49152 * 576
    expected = layers * (4 / 8 + 8 / 32) + table * (1 + 4 / 32)
    for spelling in ("microsoft", "onnx"):
        weights = harness.explained(smollm2_model.artifact(spelling))["weights_bytes"]
        # Tables of cosines and sines for 8192 positions, norms, alignment.
        assert expected < weights < expected + 8192 * 64 * 4 + (1 << 18)


@pytest.mark.parametrize("spelling", smollm2.SPELLINGS)
def test_cuts_and_company_change_nothing(spelling):
    """A prompt of two pages in passes of any size, token by token, beside other
    rows, and from a file in between: the same bits."""
    session = ingot.Session(smollm2_model.artifact(spelling), threads=2)
    text = [id for case in CASES for id in case["ids"] + case["tokens"]][:150]
    whole = session.sequence().append(text)
    for chunk in (7, 64):
        assert np.array_equal(session.sequence().append(text, chunk=chunk), whole), chunk
    one = session.sequence()
    for id in text:
        last = one.append([id])
    assert np.array_equal(last, whole)
    rows = [(session.sequence(), part) for part in (text[9:40], text, text[:1])]
    assert np.array_equal(session.step(rows, chunk=100)[1], whole)
    assert np.array_equal(session.sequence().append(text, all_logits=True)[-1], whole)


def test_restored(tmp_path):
    """What a saved sequence says next, in a session of its own."""
    artifact, case = smollm2_model.artifact(), CASES[1]
    session = ingot.Session(artifact, threads=2)
    sequence = session.sequence()
    begun = list(sequence.generate(case["ids"], 16))
    sequence.save(tmp_path / "story.state")
    told = list(sequence.generate(begun[-1:], 48))
    restored = ingot.Session(artifact, threads=1).restore(tmp_path / "story.state")
    assert restored.ids.tolist() == case["ids"] + begun[:-1]
    assert list(restored.generate(begun[-1:], 48)) == told
