"""SmolLM2 foretells a text as well as ONNX Runtime says that its weights can.
The first windows only; bench/perplexity.py takes all 20,000 tokens."""

import harness
import ingot
import pytest
import smollm2_text as text
from smollm2_model import smollm2


@pytest.fixture(scope="module")
def ids():
    return text.windows()


def session_of(spelling, *options):
    artifact = harness.compiled(smollm2.onnx_file(spelling), "--generate", *options)
    return ingot.Session(artifact, threads=2)


@pytest.mark.parametrize("spelling", smollm2.SPELLINGS)
def test_spellings(spelling, ids):
    """Within 0.1 %."""
    session, expected = session_of(spelling), text.committed(ids)[:2]
    losses = [text.loss(text.logits_of(session, window), window) for window in ids[:2]]
    assert abs(text.perplexity(losses) / text.perplexity(expected) - 1) < 1e-3


def test_bytes(ids):
    """Activations of eight bits: within 1 % and near in every distribution."""
    session, reference = session_of("microsoft", "--activations", "int8"), text.Reference()
    ours, theirs = text.logits_of(session, ids[0]), reference.logits(ids[0])
    assert text.divergence(theirs, ours) / len(ids[0]) < 0.02
    change = text.perplexity([text.loss(ours, ids[0])]) / text.perplexity(text.committed(ids)[:1])
    assert abs(change - 1) < 0.01
