"""What SmolLM2's cache costs: a token after the same prompt with room for few
and for many positions, and forks of a long prompt. Prints Markdown tables."""

import argparse
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

import ingot  # noqa: E402
import memory_use  # noqa: E402
import numpy as np  # noqa: E402
import smollm2_model  # noqa: E402
from smollm2_model import smollm2  # noqa: E402

CAPACITY, PROMPT = 512, 400
FORKS, LONG_PROMPT = 64, 2000
MB = 1e6


def tokens(count):
    return np.random.default_rng(count).integers(100, 40000, count)


def milliseconds(work):
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def capacities(session, rounds):
    """Both sequences read the same tokens, in turn."""
    sequences = [session.sequence(capacity) for capacity in (CAPACITY, 16 * CAPACITY)]
    times, moved = [[], []], []
    for sequence in sequences:
        sequence.append(tokens(PROMPT))
        sequence.append([7])
        moved.append(memory_use.touched(lambda: sequence.append([11])))
    for number in range(rounds):
        for sequence, measured in zip(sequences, times):
            measured.append(milliseconds(lambda: sequence.append([100 + number])))
    print("| room for | touched by a token | ms a token |")
    print("|---|---|---|")
    for sequence, measured, size in zip(sequences, times, moved):
        print(f"| {sequence.limit} | {size / MB:.1f} MB | {statistics.median(measured):.2f} |")
    ratio = statistics.median(large / small for small, large in zip(*times))
    print(f"\nAfter {PROMPT} tokens; median of the ratios: {ratio:.3f}.\n")


def forks(session):
    """Memory after each of a few events."""
    print("| | pages in use | resident |")
    print("|---|---|---|")

    def show(event):
        used = session.cache_bytes()["in_use"]
        print(f"| {event} | {used / MB:.1f} MB | {memory_use.resident() / MB:.1f} MB |")

    show("before")
    prompt = session.sequence()
    prompt.append(tokens(LONG_PROMPT))
    show(f"a prompt of {LONG_PROMPT} tokens")
    copies = [prompt.fork() for _ in range(FORKS)]
    show(f"{FORKS} forks of it")
    session.step([(copy, [100 + place]) for place, copy in enumerate(copies)])
    show("each has read a token of its own")
    del copies
    show("the forks are gone")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spelling", choices=smollm2.SPELLINGS, default=smollm2.DEFAULT)
    parser.add_argument("--rounds", type=int, default=51)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    artifact = smollm2_model.artifact(options.spelling)
    capacities(ingot.Session(artifact, options.threads), options.rounds)
    forks(ingot.Session(artifact, options.threads))
    return 0


if __name__ == "__main__":
    sys.exit(main())
