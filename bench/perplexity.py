"""The perplexity of SmolLM2 on 20,000 tokens of a text, beside ONNX Runtime's
on float32 weights (committed; --kl runs it again and compares distributions).
Prints one Markdown row a spelling."""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

import harness  # noqa: E402
import ingot  # noqa: E402
import smollm2_text as text  # noqa: E402
from smollm2_model import smollm2  # noqa: E402


class Candidate:
    """One spelling and what is found of it, window after window."""

    def __init__(self, spelling, options, threads):
        artifact = harness.compiled(smollm2.onnx_file(spelling), "--generate", *options)
        self._session = ingot.Session(artifact, threads)
        self._title = f"| {spelling} | {options[1] if options else 'default'} |"
        self._losses, self._apart = [], []

    def read(self, window, reference):
        """`reference`: the logits to compare with, or None."""
        logits = text.logits_of(self._session, window)
        self._losses.append(text.loss(logits, window))
        if reference is not None:
            self._apart.append(text.divergence(reference, logits) / len(window))

    def row(self, expected):
        """`expected`: the reference's losses."""
        ours, theirs = text.perplexity(self._losses), text.perplexity(expected)
        apart = f"{sum(self._apart) / len(self._apart):.2g}" if self._apart else ""
        return (
            f"{self._title} {len(expected) * text.WINDOW} | {ours:.5f} | {theirs:.5f}"
            f" | {100 * (ours / theirs - 1):+.5f} % | {apart} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spelling", choices=smollm2.SPELLINGS, help="only this one")
    parser.add_argument("--activations", help="as of `ingot compile`")
    parser.add_argument("--windows", type=int, default=text.WINDOWS, help="of 1,000 tokens each")
    parser.add_argument("--kl", action="store_true", help="run ONNX Runtime as well")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    ids = text.windows()
    expected = text.committed(ids)[: options.windows]
    reference = text.Reference(options.threads) if options.kl else None
    given = ["--activations", options.activations] if options.activations else []
    spellings = [options.spelling] if options.spelling else smollm2.SPELLINGS
    candidates = [Candidate(spelling, given, options.threads) for spelling in spellings]
    for window in ids[: options.windows]:
        wanted = reference.logits(window) if reference else None
        for candidate in candidates:
            candidate.read(window, wanted)
    print("| spelling | activations | tokens | perplexity | reference | difference | KL |")
    print("|---|---|---|---|---|---|---|")
    for candidate in candidates:
        print(candidate.row(expected))
    return 0


if __name__ == "__main__":
    sys.exit(main())
