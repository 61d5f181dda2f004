"""Times a model through Ingot and through ONNX Runtime, both with two threads
and alternating in the same process, and prints one Markdown row a size: the
median of each, and the median of the ratios of neighbouring rounds."""

import argparse
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

import harness  # noqa: E402
import ingot  # noqa: E402
from test_models import feeds_of  # noqa: E402

DEFAULT = [
    ("minilm-l3", (1, 16)), ("minilm-l3", (1, 128)), ("minilm-l3", (8, 128)),
    ("minilm-l6-int8", (1, 128)), ("rxnmap", 64),
]  # fmt: skip


def timed(work, repeats):
    """Milliseconds of one call, over `repeats` calls."""
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - start) * 1e3 / repeats


def compare(model, size, rounds, threads):
    """The row of one model at one size."""
    path = harness.MODELS / f"{model}.onnx"
    start = time.perf_counter()
    compiled = ingot.compile(path, progress=False)
    compile_ms = (time.perf_counter() - start) * 1e3
    session, oracle = ingot.Session(compiled, threads), harness.oracle(path, threads)
    feeds = feeds_of(model, size)
    sides = [lambda: session.run(feeds), lambda: oracle.run(None, feeds)]
    for side in sides:
        timed(side, 2)
    # Rounds of about a fifth of a second each.
    repeats = max(1, round(200 / timed(sides[1], 2)))
    pairs = [[timed(side, repeats) for side in sides] for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    ratio = statistics.median(a / b for a, b in pairs)
    shape = size if isinstance(size, int) else " x ".join(map(str, size))
    return f"| {model} | {shape} | {ours:.2f} | {theirs:.2f} | {ratio:.2f} | {compile_ms:.0f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="at least 7")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", help="only this model")
    options = parser.parse_args()
    print("| model | size | Ingot ms | ONNX Runtime ms | ratio | compile ms |")
    print("|---|---|---|---|---|---|")
    for model, size in DEFAULT:
        if options.model in (None, model):
            row = compare(model, size, max(7, options.rounds), options.threads)
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
