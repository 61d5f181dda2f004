"""The cache's memory under a real model: what a token touches, and what forks
share. bench/cache.py shows the same with times."""

import ingot
import memory_use
import numpy as np
import pytest
import smollm2_model

MIB = 1 << 20
# Keys and values of 30 layers, three heads, 64 floats each.
POSITION = 30 * 2 * 3 * 64 * 4
PAGE = 128 * POSITION


@pytest.fixture(scope="module")
def artifact():
    return smollm2_model.artifact()


def tokens(count):
    return np.random.default_rng(count).integers(100, 40000, count)


@pytest.mark.skipif(not memory_use.tells_touched(), reason="the kernel does not say what is touched")
def test_capacity_is_not_moved(artifact):
    """A token after the same prompt touches the same memory whether there is
    room for 512 positions or for 16 times as many: the weights and the pages
    that hold something."""
    session, found, logits = ingot.Session(artifact, threads=2), [], []
    for capacity in (512, 16 * 512):
        before = session.cache_bytes()["in_use"]
        sequence = session.sequence(capacity)
        sequence.append(tokens(300))
        assert session.cache_bytes()["in_use"] - before == 3 * PAGE
        sequence.append([7])
        found.append(memory_use.touched(lambda: logits.append(sequence.append([11]))))
        del sequence
    assert np.array_equal(*logits)
    # Stacks and the interpreter come and go.
    assert abs(found[0] - found[1]) < 8 * MIB
    assert max(found) < artifact.stat().st_size + 3 * PAGE + 16 * MIB


def test_forks_share_a_prompt(artifact):
    """64 forks take no memory; each that goes on takes the one page that it
    writes to."""
    session = ingot.Session(artifact, threads=2)
    prompt = session.sequence()
    prompt.append(tokens(640))
    held = session.cache_bytes()["in_use"]
    assert held == 5 * PAGE
    before = memory_use.resident()
    forks = [prompt.fork() for _ in range(64)]
    assert session.cache_bytes()["in_use"] == held
    assert memory_use.resident() - before < 8 * MIB
    logits = session.step([(fork, [100 + place]) for place, fork in enumerate(forks)])
    assert session.cache_bytes()["in_use"] == held + 64 * PAGE
    for place in (0, 17, 63):
        again = prompt.fork()
        assert np.array_equal(again.append([100 + place]), logits[place])
