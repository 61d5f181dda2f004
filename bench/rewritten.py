"""SmolLM2 in each spelling, as written and after ONNX Runtime's optimizers and
onnxsim have rewritten it: compiled for generation, does it keep the file's
codes, and does it say what PyTorch says? Prints a Markdown table; fails if a
token is wrong or weights have grown."""

import argparse
import contextlib
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

import harness  # noqa: E402
import ingot  # noqa: E402
import rewriters  # noqa: E402
import smollm2_tokens as tokens  # noqa: E402
from smollm2_model import smollm2  # noqa: E402

MB = 1e6
# How weights may grow: the constants that a rewriter folded.
SLACK = 1 * MB


class Form:
    """One file: what was compiled of it, and what it says."""

    def __init__(self, path, folder, cases, threads):
        artifact = folder / "model.ingot"
        harness.ingot_ok("compile", path, "-o", artifact, "--generate", timeout=600)
        report = harness.explained(artifact)
        self.weights = report["weights_bytes"]
        self.linear, self.coded = (report["recognised"].get(op, 0) for op in ("linear", "dequantize"))
        found = tokens.continued(ingot.Session(artifact, threads), cases)
        self.wrong = tokens.wrong(cases, found)
        self.same = sum(found_one == case["tokens"] for found_one, case in zip(found, cases))


def forms(spelling, chosen):
    """Each name of a form of one spelling, and its file, in a folder that is
    there until the next one is asked for."""
    source = smollm2.onnx_file(spelling)
    for name in chosen:
        with tempfile.TemporaryDirectory(dir=harness.WORK) as folder:
            folder = pathlib.Path(folder)
            path = source
            if name != "as written":
                # What they have to say belongs in no table.
                with contextlib.redirect_stdout(sys.stderr):
                    path = rewriters.rewrite(name, source, folder)
            yield name, path, folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spelling", choices=smollm2.SPELLINGS, help="only this one")
    names = ["runtime", "transformers", "simplifier"]
    parser.add_argument("--rewriter", choices=names, help="only this one, beside the file as written")
    parser.add_argument("--prompts", type=int, default=len(tokens.CASES), help="of the committed ones")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    cases = tokens.CASES[: options.prompts]
    chosen = ["as written", *([options.rewriter] if options.rewriter else names)]
    harness.WORK.mkdir(parents=True, exist_ok=True)
    failures = []
    print("| spelling | rewritten by | matrices of codes | weights | same continuations |")
    print("|---|---|---|---|---|")
    for spelling in [options.spelling] if options.spelling else smollm2.SPELLINGS:
        written = None
        for name, path, folder in forms(spelling, chosen):
            form = Form(path, folder, cases, options.threads)
            written = written or form
            print(
                f"| {spelling} | {name} | {form.coded} of {form.linear} | {form.weights / MB:.1f} MB"
                f" | {form.same} of {len(cases)} |",
                flush=True,
            )
            failures += [f"{spelling}, {name}: {line}" for line in form.wrong]
            if form.weights > written.weights + SLACK or form.coded != written.coded:
                failures.append(f"{spelling}, {name}: other weights than as written")
    for line in failures:
        print(line, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
