"""Times single products of the shapes that the models have, and prints one
Markdown row for each and each number of rows: its share of what `ingot bench`
measures as the FMA peak in the same run (of a row by itself, the share of the
read bandwidth), and how many times as fast it is as in ONNX Runtime. Ends with
the median and the least share of the products of at least 128 rows.

    python bench/gemm.py [--shape 768x3072] [--rows 128] [--bfloat16]

Needs an idle machine."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import peers
import shapes

import harness

# Inputs and outputs of MiniLM's, BERT-base's, rxnmap's and SmolLM2's layers.
SHAPES = [
    (384, 384), (384, 1536), (1536, 384), (768, 768), (768, 3072), (3072, 768),
    (1024, 1024), (1024, 4096), (4096, 1024), (576, 576), (576, 1536), (1536, 576),
]  # fmt: skip
ROWS = [16, 128, 512, 1024]
# Weights that no cache holds, for one row.
LARGE = [(576, 49152), (4096, 8192)]


def measured(artifact, rows, threads, seconds):
    """What `ingot bench` says of a product."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "report.json"
        options = ["--dim", f"rows={rows}", "--threads", threads, "--seconds", seconds]
        command = [harness.INGOT, "bench", artifact, *options, "--json", file]
        subprocess.run([str(word) for word in command], check=True)
        return json.loads(file.read_text())["works"][0]


def compared(model, artifact, inputs, rows, threads, rounds):
    """How many times as fast Ingot is as ONNX Runtime."""
    feeds = {"x": shapes.random_rows(rows, inputs)}
    with peers.Side("Ingot", artifact, threads) as ours:
        with peers.Side("OnnxRuntime", model, threads) as theirs:
            difference = peers.largest_difference([ours.feed(feeds), theirs.feed(feeds)])
            if difference > 1e-4:
                raise SystemExit(f"{model}: results differ by {difference:.0e}")
            return peers.Comparison([ours, theirs], rounds).fastest


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", help="only this one, as inputs x outputs")
    parser.add_argument("--rows", type=int, help="only so many rows")
    parser.add_argument("--bfloat16", action="store_true", help="weights of bf16 and inputs rounded to it")
    parser.add_argument("--target", default="native", help="the CPU to compile for")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each share")
    parser.add_argument("--rounds", type=int, default=7, help="with ONNX Runtime; 0 leaves it out")
    options = parser.parse_args()
    works = [(shape, rows) for shape in SHAPES for rows in ROWS] + [(shape, 1) for shape in LARGE]
    print("| weight | rows | us | GFLOP/s | of FMA peak | of reads | x ONNX Runtime |")
    print("|---|---|---|---|---|---|---|")
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        for (inputs, outputs), rows in works:
            shape = f"{inputs}x{outputs}"
            if options.shape not in (None, shape) or options.rows not in (None, rows):
                continue
            model = pathlib.Path(folder) / f"{shape}.onnx"
            artifact = model.with_suffix(".ingot")
            if not model.exists():
                shapes.write_product(model, inputs, outputs, options.bfloat16)
                harness.ingot_ok("compile", model, "-o", artifact, "--target", options.target)
            work = measured(artifact, rows, options.threads, options.seconds)
            seconds, flops = work["seconds"]["median"], work["flops_per_second"]
            share, reads = work["share_of_fma_peak"], work["share_of_reads"]
            if rows >= 128:
                shares.append(share)
            row = [shape, str(rows), f"{seconds * 1e6:.0f}", f"{flops / 1e9:.0f}", f"{share:.0%}", f"{reads:.0%}"]
            if options.rounds:
                ratio = compared(model, artifact, inputs, rows, options.threads, options.rounds)
                row.append(f"{ratio:.2f}")
            print("| " + " | ".join(row) + " |", flush=True)
    if shares:
        print(f"\nOf {len(shares)} products of at least 128 rows: median {statistics.median(shares):.0%}, least {min(shares):.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
