"""`Sampling.choose` against Hugging Face's order and definitions in numpy: a
repetition penalty, temperature, top-k, top-p, min-p, each masking what it drops."""

import itertools

import ingot
import numpy as np
import pytest

MASK = (1 << 64) - 1


def penalized(scores, history, penalty):
    seen = np.unique(history)
    scores = scores.copy()
    scores[seen] = np.where(scores[seen] < 0, scores[seen] * penalty, scores[seen] / penalty)
    return scores.astype(np.float32).astype(np.float64)


def softmax(scores):
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def without_low_ranks(scores, k):
    least = np.sort(scores)[-min(k, len(scores))]
    return np.where(scores < least, -np.inf, scores)


def without_the_tail(scores, top_p):
    """From the least probable on, those whose sum stays within 1 - top_p."""
    order = np.argsort(scores)
    dropped = np.cumsum(softmax(scores)[order]) <= 1 - top_p
    dropped[-1] = False
    scores = scores.copy()
    scores[order[dropped]] = -np.inf
    return scores


def without_the_unlikely(scores, min_p):
    p = softmax(scores)
    return np.where(p < min_p * p.max(), -np.inf, scores)


def distribution(logits, history, sampling):
    """The probability of every id."""
    scores = penalized(logits.astype(np.float64), history, sampling.repetition_penalty)
    scores /= sampling.temperature
    if sampling.top_k:
        scores = without_low_ranks(scores, sampling.top_k)
    if sampling.top_p < 1:
        scores = without_the_tail(scores, sampling.top_p)
    if sampling.min_p > 0:
        scores = without_the_unlikely(scores, sampling.min_p)
    return softmax(scores)


def mix(x):
    """SplitMix64's finalizer."""
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def uniform(seed, position):
    """The random number of a position: the first 53 bits of a counter's hash."""
    golden = 0x9E3779B97F4A7C15
    bits = mix((mix((seed + golden) & MASK) + golden * (position + 1)) & MASK)
    return (bits >> 11) / 2**53


CASES = list(
    itertools.product((0.3, 1.0, 2.5), (0, 1, 50), (1.0, 0.9, 0.3), (0.0, 0.02, 0.4), (1.0, 1.3))
)


@pytest.mark.parametrize("vocabulary", [7, 1000, 49152])
def test_choices(vocabulary):
    """The same id by the same random number, unless the number falls on an
    edge between two."""
    random = np.random.default_rng(vocabulary)
    logits = (3 * random.standard_normal(vocabulary)).astype(np.float32)
    history = random.integers(0, vocabulary, 30)
    undecided = 0
    for number, (temperature, top_k, top_p, min_p, penalty) in enumerate(CASES):
        sampling = ingot.Sampling(temperature, top_k, top_p, min_p, penalty, seed=number)
        edges = np.cumsum(distribution(logits, history, sampling))
        u = uniform(number, 3 * number)
        got = sampling.choose(logits.copy(), history, 3 * number)
        if np.abs(edges - u).min() < 1e-9:
            undecided += 1
        else:
            assert got == np.searchsorted(edges, u, side="right"), sampling
    assert undecided <= 2


def test_everything_that_is_left_comes_up():
    """Over many positions: what the masks leave, each as often as it should."""
    random = np.random.default_rng(1)
    logits = (2 * random.standard_normal(40)).astype(np.float32)
    sampling = ingot.Sampling(0.9, 12, 0.95, 0.03, 1.2, seed=8)
    history, draws = np.array([3, 5, 5]), 20000
    want = distribution(logits, history, sampling)
    chosen = [sampling.choose(logits.copy(), history, place) for place in range(draws)]
    share = np.bincount(chosen, minlength=40) / draws
    assert 3 < np.count_nonzero(want) < 12
    assert ((share > 0) == (want > 0)).all()
    # Five standard deviations; the numbers are fixed by the seed.
    assert (np.abs(share - want) <= 5 * np.sqrt(want * (1 - want) / draws)).all()


def test_greedy_takes_the_penalty_into_account():
    logits = np.array([4, 3, -1, -1.5], np.float32)
    greedy = ingot.Sampling(repetition_penalty=2)
    assert greedy.choose(logits.copy()) == 0
    assert greedy.choose(logits.copy(), np.array([0])) == 1
    assert greedy.choose(logits[2:].copy(), np.array([0, 0])) == 1
