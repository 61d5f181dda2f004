"""Times encoders through Ingot, ONNX Runtime and OpenVINO, with the same number
of threads and taking turns, and prints one Markdown row a size: the median
milliseconds of each, how many times as fast Ingot is (the median over the
rounds; above one is in its favour), and the largest difference of an output,
relative to that output's largest value.

    python bench/encoders.py --peers PYTHON

PYTHON is the interpreter of an environment with onnxruntime, openvino, onnx
and ml_dtypes; what it lacks is left out. Needs an idle machine."""

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time

import peers
import shapes
from test_models import feeds_of

import harness
import ingot

DEFAULT = [
    ("minilm-l3", (1, 16)), ("minilm-l3", (1, 128)), ("minilm-l3", (8, 128)),
    ("minilm-l6-int8", (1, 128)), ("rxnmap", 64), ("rxnmap", 200),
    ("bert-base", (1, 128)), ("bert-base", (1, 512)),
]  # fmt: skip


def file_of(model):
    if model == "bert-base":
        return harness.written_once("bert-base.onnx", shapes.write_bert)
    return harness.MODELS / f"{model}.onnx"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable, help="this one, unless given")
    parser.add_argument("--rounds", type=int, default=9, help="at least 7")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", help="only this model")
    parser.add_argument("--size", help="only this size, as the table writes it")
    options = parser.parse_args()
    found = peers.versions(options.peers)
    print("Peers: " + ", ".join(f"{peers.KINDS[kind].name} {v}" for kind, v in found.items()))
    names = [peers.KINDS[kind].name for kind in found]
    columns = ["model", "size", *(f"{name} ms" for name in ["Ingot", *names])]
    columns += [f"x {name}" for name in names] + ["x the faster", "difference", "compile ms"]
    print("\n| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for model, size in DEFAULT:
        shape = str(size) if isinstance(size, int) else " x ".join(map(str, size))
        if options.model not in (None, model) or options.size not in (None, shape):
            continue
        path = file_of(model)
        feeds = feeds_of("minilm-l6-int8" if model == "bert-base" else model, size)
        with contextlib.ExitStack() as stack:
            artifact = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())) / "a.ingot"
            start = time.perf_counter()
            ingot.compile(path, artifact=artifact, progress=False)
            compile_ms = (time.perf_counter() - start) * 1e3
            sides = [peers.Side("Ingot", artifact, options.threads)]
            sides += [peers.Side(kind, path, options.threads, options.peers) for kind in found]
            for side in sides:
                stack.enter_context(side)
            difference = peers.largest_difference([side.feed(feeds) for side in sides])
            compared = peers.Comparison(sides, max(7, options.rounds))
        row = [model, shape, *(f"{t:.2f}" for t in compared.times)]
        row += [*(f"{r:.2f}" for r in compared.ratios), f"{compared.fastest:.2f}"]
        row += [f"{difference:.0e}", f"{compile_ms:.0f}"]
        print("| " + " | ".join(row) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
