"""`Sampling.choose`, which is code of the artifact, against Hugging Face's order
and definitions in numpy: a repetition penalty, temperature, top-k, top-p, min-p,
each masking what it drops. And to the bit against its own definition."""

import itertools

import ingot
import numpy as np
import pytest
import small_models

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


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    """Of one artifact, by their numbers of threads."""
    path = tmp_path_factory.mktemp("sampling") / "decoder.onnx"
    small_models.save(small_models.decoder(), path)
    model = ingot.compile(path, generate=True)
    return {threads: ingot.Session(model, threads=threads) for threads in (1, 2, 3)}


@pytest.fixture
def session(sessions):
    return sessions[2]


CASES = list(
    itertools.product((0.3, 1.0, 2.5), (0, 1, 50), (1.0, 0.9, 0.3), (0.0, 0.02, 0.4), (1.0, 1.3))
)


@pytest.mark.parametrize("vocabulary", [7, 1000, 49152])
def test_choices(session, vocabulary):
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
        got = sampling.choose(session, logits, history, 3 * number)
        if np.abs(edges - u).min() < 1e-9:
            undecided += 1
        else:
            assert got == np.searchsorted(edges, u, side="right"), sampling
    assert undecided <= 2


def test_everything_that_is_left_comes_up(sessions):
    """Over many positions: what the masks leave, each as often as it should."""
    random = np.random.default_rng(1)
    logits = (2 * random.standard_normal(40)).astype(np.float32)
    sampling = ingot.Sampling(0.9, 12, 0.95, 0.03, 1.2, seed=8)
    history, draws = np.array([3, 5, 5]), 20000
    want = distribution(logits, history, sampling)
    chosen = [sampling.choose(sessions[1], logits, history, place) for place in range(draws)]
    share = np.bincount(chosen, minlength=40) / draws
    assert 3 < np.count_nonzero(want) < 12
    assert ((share > 0) == (want > 0)).all()
    # Five standard deviations; the numbers are fixed by the seed.
    assert (np.abs(share - want) <= 5 * np.sqrt(want * (1 - want) / draws)).all()


def test_greedy_takes_the_penalty_into_account(session):
    logits = np.array([4, 3, -1, -1.5], np.float32)
    greedy = ingot.Sampling(repetition_penalty=2)
    assert greedy.choose(session, logits) == 0
    assert greedy.choose(session, logits, np.array([0])) == 1
    assert greedy.choose(session, logits[2:], np.array([0, 0])) == 1
    # Ids that there are not.
    assert greedy.choose(session, logits, np.array([7, -3, 2**40])) == 0


def decay(x):
    """e^x for x <= 0, by the series that is part of the definition."""
    k = np.trunc(x * float.fromhex("0x1.71547652b82fep0") - 0.5)
    r = (x - k * float.fromhex("0x1.62e42feep-1")) - k * float.fromhex("0x1.a39ef35793c76p-33")
    total = np.ones_like(x)
    for n in range(13, 0, -1):
        total = 1 + total * r / n
    raised = np.where(k >= -1022, k, k + 64).astype(np.int64)
    power = total * ((raised + 1023) << 52).view(np.float64)
    return np.where(x > -745.2, np.where(k >= -1022, power, power * 2.0**-64), 0.0)


def running(values):
    """Sums in order, each rounded."""
    return np.add.accumulate(values)


def defined(logits, history, sampling, position):
    """The token, each number computed as it is defined."""
    logits = logits.copy()
    seen = np.unique(history[(history >= 0) & (history < len(logits))])
    wide = logits[seen].astype(np.float64)
    penalty = sampling.repetition_penalty
    logits[seen] = np.where(wide > 0, wide / penalty, wide * penalty).astype(np.float32)
    if sampling.temperature == 0:
        return int(np.argmax(logits))
    ids = np.flatnonzero(logits > -np.inf)
    if sampling.top_k and sampling.top_k < len(ids):
        first = np.lexsort((ids, -logits[ids].astype(np.float64)))[: sampling.top_k]
        ids = np.sort(ids[first])
    wide = logits[ids].astype(np.float64)
    p = decay((wide - wide.max()) / sampling.temperature)
    p /= running(p)[-1]
    if sampling.top_p < 1:
        order = np.lexsort((ids, -p))
        enough = np.flatnonzero(running(p[order]) >= sampling.top_p)
        kept = np.sort(order[: enough[0] + 1 if len(enough) else len(order)])
        ids, p = ids[kept], p[kept]
    if sampling.min_p > 0:
        kept = p >= sampling.min_p * p.max()
        ids, p = ids[kept], p[kept]
    sums = running(p)
    above = np.flatnonzero(sums > uniform(sampling.seed, position) * sums[-1])
    return int(ids[above[0]] if len(above) else ids[-1])


def logits_of(vocabulary, kind, random):
    """Spread, all but one hopeless, many equal ones, or partly forbidden."""
    logits = (4 * random.standard_normal(vocabulary)).astype(np.float32)
    if kind == "steep":
        return logits * 200
    if kind == "ties":
        return np.round(logits)
    if kind == "forbidden":
        logits[random.random(vocabulary) < 0.7] = -np.inf
        logits[vocabulary // 2] = -0.0
    return logits


@pytest.mark.parametrize("kind", ["spread", "steep", "ties", "forbidden"])
@pytest.mark.parametrize("vocabulary", [1, 64, 4096, 4097, 9000])
def test_to_the_bit(sessions, vocabulary, kind):
    """On any number of threads; the vocabulary has parts of 4096."""
    random = np.random.default_rng([vocabulary, len(kind)])
    options = list(
        itertools.product(
            (0.0, 0.05, 1.0, 4.0), (0, 1, 40, 5000), (1.0, 0.9, 1e-9), (0.0, 0.1, 1.0), (1.0, 0.7)
        )
    )
    for number in map(int, random.choice(len(options), 40, replace=False)):
        sampling = ingot.Sampling(*options[number], seed=(number << 60) % MASK)
        logits = logits_of(vocabulary, kind, random)
        history = random.integers(-1, vocabulary + 1, 9)
        want = defined(logits, history, sampling, number)
        session = sessions[1 + number % 2 + number % 5 // 4]
        assert sampling.choose(session, logits, history, number) == want, (number, sampling)


def test_random_numbers_stay():
    """The committed numbers: no build may change them."""
    assert uniform(0, 0) == float.fromhex("0x1.4e0dba5e9a32fp-1")
    assert uniform(42, 1000) == float.fromhex("0x1.63f919049aa49p-1")


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_no_distribution(session, temperature):
    sampling = ingot.Sampling(temperature)
    logits = np.zeros(5000, np.float32)
    for place, value, message in (
        (4500, np.nan, "token id 4500 is not a number"),
        (4200, np.inf, "token id 4200 is infinite"),
        (3, -np.nan, "token id 3 is not a number"),
    ):
        logits[place] = value
        with pytest.raises(ingot.RuntimeCheck, match=message):
            sampling.choose(session, logits)
    logits[:] = -np.inf
    with pytest.raises(ingot.RuntimeCheck, match="no token is allowed"):
        sampling.choose(session, logits)
    logits[4999] = -5
    assert sampling.choose(session, logits) == 4999
