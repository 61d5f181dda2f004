"""How well SmolLM2 foretells a real text: its perplexity, and how far two
distributions are apart."""

import hashlib
import json
import pathlib

import harness
import numpy as np
from smollm2_model import smollm2

#: Aphorisms and jokes, from Debian's package `fortunes`.
TEXT = pathlib.Path("/usr/share/games/fortunes/science")
#: Tokens that a window starts afresh with; within it all earlier ones count.
WINDOW = 1000
WINDOWS = 20
#: What ONNX Runtime says of each window (smollm2/make_perplexity.py).
COMMITTED = harness.ROOT / "test" / "e2e" / "smollm2" / "perplexity.json"


def windows():
    """The text's ids, WINDOWS rows of WINDOW."""
    ids = smollm2.Words().encode(TEXT.read_text())[: WINDOWS * WINDOW]
    return np.array(ids, np.int64).reshape(WINDOWS, WINDOW)


def digest(ids):
    """Names these very ids."""
    return hashlib.sha256(np.ascontiguousarray(ids, "<i8").tobytes()).hexdigest()


def committed(ids):
    """The reference's losses of all windows; `ids` are those of this machine."""
    reference = json.loads(COMMITTED.read_text())
    if digest(ids) != reference["ids"]:
        raise SystemExit(f"{TEXT} is not the text of {reference['package']}")
    return np.array(reference["losses"])


def log_probabilities(logits):
    """In f64, row by row."""
    rows = logits.astype(np.float64)
    rows -= rows.max(-1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(-1, keepdims=True))


def _parts(count):
    """Ranges of rows: a window's logits in f64 would be large."""
    return (slice(start, min(start + 100, count)) for start in range(0, count, 100))


def loss(logits, ids):
    """The sum over a window's tokens, but for the first, of -log of the
    probability that the logits of the token before gave them."""
    total = 0.0
    for part in _parts(len(ids) - 1):
        found = log_probabilities(logits[part])
        total -= np.take_along_axis(found, ids[1:][part][:, None], 1).sum()
    return float(total)


def divergence(reference, logits):
    """The sum over tokens of KL(reference || logits)."""
    total = 0.0
    for part in _parts(len(logits)):
        p, q = log_probabilities(reference[part]), log_probabilities(logits[part])
        total += (np.exp(p) * (p - q)).sum()
    return float(total)


def perplexity(losses):
    """Of windows whose losses these are."""
    return float(np.exp(np.sum(losses) / (len(losses) * (WINDOW - 1))))


def logits_of(session, ids):
    """Of every token of a window, by an ingot session."""
    return session.step([(session.sequence(), ids)], all_logits=True)


class Reference:
    """ONNX Runtime on the spelling in float32 primitives, whose weights are the
    values that the codes stand for."""

    def __init__(self, threads=2):
        self._session = harness.oracle(smollm2.onnx_file("primitives"), threads)

    def logits(self, ids):
        """Of every token of a window."""
        feeds = {
            "input_ids": ids[None],
            "position_ids": np.arange(len(ids))[None],
            "attention_mask": np.ones((1, len(ids)), np.int64),
        }
        for value in self._session.get_inputs():
            if value.name not in feeds:
                _, heads, _, depth = value.shape
                feeds[value.name] = np.zeros((1, heads, 0, depth), np.float32)
        return self._session.run(["logits"], feeds)[0][0]
