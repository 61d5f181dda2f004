"""What compiling SmolLM2 costs beside the same model cut to a few layers: with
layers rolled, code generation does not grow with depth. Prints a Markdown table
of medians, each model compiled in turn; fails if the ratio is above the limit.

`generate code` is what the compiler does from stages to the linked image, of
programs and weight functions side by side; the other phases read the file,
recognise ops and write weights, and grow with what they read and write."""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

import compile_size  # noqa: E402
import ingot  # noqa: E402
from smollm2_model import smollm2  # noqa: E402

sys.path.insert(0, str(ROOT / "examples" / "smollm2"))

import convert  # noqa: E402
import gguf_llama  # noqa: E402
import spellings  # noqa: E402

PHASE = "generate code"


def write(folder, spelling, layers):
    """SmolLM2 in a spelling, of its first layers; the path of the ONNX file."""
    model = gguf_llama.Llama(smollm2.GGUF)
    model.layers = min(layers or model.layers, model.layers)
    folder.mkdir(parents=True)
    spellings.SPELLINGS[spelling](convert.GraphWriter(folder), model).write()
    return folder / "model.onnx", model.layers


class Phases:
    """Seconds of each phase, from what the compiler reports."""

    def __init__(self):
        self.seconds, self.phase, self.since = {}, None, time.perf_counter()

    def __call__(self, phase, share):
        now = time.perf_counter()
        if self.phase is not None:
            self.seconds[self.phase] = self.seconds.get(self.phase, 0) + now - self.since
        self.phase, self.since = phase, now


def compiled(path):
    """Seconds of the phases of one compilation."""
    phases = Phases()
    ingot.compile(path, generate=True, progress=phases)
    return phases.seconds


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spelling", choices=spellings.SPELLINGS, default=smollm2.DEFAULT)
    parser.add_argument("--layers", type=int, default=4, help="of the cut model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=1.15, help="of the ratio")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        models = [
            write(folder / "cut", options.spelling, options.layers),
            write(folder / "whole", options.spelling, None),
        ]
        sizes = [compile_size.of(path, folder / f"dumps-{n}", "--generate") for path, n in models]
        rounds = [[compiled(path) for path, _ in models] for _ in range(options.rounds)]
    medians = [
        {phase: statistics.median(each[i][phase] for each in rounds) for phase in rounds[0][i]}
        for i in range(len(models))
    ]
    names = [f"{layers} layers" for _, layers in models]
    print(f"| {options.spelling} | {' | '.join(names)} |\n|---|---|---|")
    for phase in medians[0]:
        print(f"| {phase} | {' | '.join(f'{median[phase]:.2f} s' for median in medians)} |")
    for what in sizes[0]:
        print(f"| {what} | {' | '.join(f'{size[what]:,}' for size in sizes)} |")
    ratio = statistics.median(whole[PHASE] / cut[PHASE] for cut, whole in rounds)
    print(f"\n{PHASE}: {ratio:.2f} times that of {names[0]}, limit {options.limit}")
    sys.exit(ratio > options.limit)


if __name__ == "__main__":
    main()
