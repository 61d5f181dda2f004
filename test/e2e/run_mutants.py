"""What mutants do when they run: each is compiled in place of the program that
it was made of and run by several numbers of workers on inputs of several sizes,
and its outputs are compared with those of the right program, bit by bit.

    python test/e2e/run_mutants.py MODEL.onnx... [--count N] [--seed N] [--out FILE]

prints a line for each mutant that verifies: whether the checkers refuse it, and
whether a run shows it to be wrong. `--generate` compiles decoders with state.
"""

import argparse
import collections
import json
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

import harness
import mutate
import numpy as np

sys.path.insert(0, str(harness.BUILD / "python"))

THREADS, ROUNDS = (2, 5, 8), 2
# What a mutant may take: it may ask for any memory and never end.
ADDRESSES, SECONDS, FILE_BYTES = 6 << 30, 150, 64 << 20


def feeds_of(model):
    """The inputs in the folders beside a model."""
    import onnx
    from onnx import numpy_helper

    names = [value.name for value in onnx.load(model, load_external_data=False).graph.input]
    sets = []
    for folder in sorted(model.parent.glob("test_data_set_*")):
        files = sorted(folder.glob("input_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
        arrays = [numpy_helper.to_array(onnx.load_tensor(str(path))) for path in files]
        sets.append(dict(zip(names, arrays)))
    return sets


def results(artifact, sets, threads):
    """All outputs of a session that runs the inputs one after the other."""
    import ingot

    session = ingot.Session(artifact, threads=threads)
    found = []
    if session.model.state is None:
        for feeds in sets:
            outputs = session.run(feeds)
            found += [np.array(outputs[name]) for name in sorted(outputs)]
        return found
    random = np.random.default_rng(0)
    for length in (1, 70, 7):
        sequence = session.sequence()
        ids = random.integers(0, session.vocab_size, length)
        found.append(np.array(sequence.append(ids, all_logits=True)))
        for _ in range(3):
            found.append(np.array(sequence.append(random.integers(0, session.vocab_size, 1))))
    return found


def child(artifact, given, wanted):
    """Runs an artifact; prints how its outputs differ from what is wanted."""
    sets = np.load(given, allow_pickle=True)["sets"].tolist()
    with np.load(wanted) as loaded:
        right = [loaded[name] for name in loaded.files]
    wrong = []
    for number in range(ROUNDS):
        for threads in THREADS:
            found = results(artifact, sets, threads)
            same = all(a.tobytes() == b.tobytes() for a, b in zip(found, right, strict=True))
            wrong.append(not same)
    print("same" if not any(wrong) else "wrong" if all(wrong) else "sometimes wrong")


def limit():
    """Bounds what this process and those it starts take of the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bounded(command, folder):
    """Runs a command within limits: its exit status, None if it does not end,
    and what it printed, the last line of it that is an error."""
    out, err = folder / "stdout", folder / "stderr"
    with out.open("w") as stdout, err.open("w") as stderr:
        try:
            status = subprocess.run(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                cwd=folder, timeout=SECONDS, preexec_fn=limit,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            status = None
    errors = err.read_text(errors="replace").strip().split("\n")
    return status, out.read_text(errors="replace").strip(), errors[-1][:100]


def shown(artifact, given, wanted):
    """What a run of an artifact shows."""
    command = [sys.executable, pathlib.Path(__file__).resolve(), "--child", artifact, given, wanted]
    status, printed, error = bounded(command, artifact.parent)
    if status is None or status == -signal.SIGXCPU:
        return "does not end"
    if status != 0:
        return "crashes" if status < 0 else "fails: " + error
    return printed


class Subject:
    """A model, its planned program and what it computes."""

    def __init__(self, model, folder, options):
        self.model, self.folder, self.options = model.resolve(), folder, options
        self.artifact = folder / "right.ingot"
        harness.ingot_ok("compile", model, "-o", self.artifact, "--dump-dir", folder, *options)
        self.program = (folder / "4-stages.mlir").read_text()
        self.given, self.wanted = folder / "given.npz", folder / "wanted.npz"
        sets = feeds_of(model)
        np.savez(self.given, sets=np.array(sets, dtype=object))
        np.savez(self.wanted, *results(self.artifact, sets, 1))

    def judge(self, mutant):
        """(refused, error, what a run shows), or None if it does not verify."""
        judgement = mutate.judged(mutant, self.folder)
        if judgement is None:
            return None
        path, artifact = self.folder / "mutant.mlir", self.folder / "mutant.ingot"
        command = [harness.INGOT, "compile", self.model, "-o", artifact, "--stages-from", path]
        status, _, error = bounded([*command, *self.options], self.folder)
        if status != 0:
            return *judgement, f"does not compile: {error or status}"
        return *judgement, shown(artifact, self.given, self.wanted)


def main():
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:5])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--generate", action="store_true")
    parser.add_argument("--out", help="a file for a line of JSON for each mutant")
    parser.add_argument("--keep", help="a folder for the mutants that were not refused")
    options = parser.parse_args()
    flags = ["--generate"] if options.generate else []
    totals = collections.Counter()
    for model in options.models:
        with tempfile.TemporaryDirectory() as folder:
            subject = Subject(model, pathlib.Path(folder), flags)
            run = shown(subject.artifact, subject.given, subject.wanted)
            assert run == "same", f"{model}: the right program is '{run}'"
            refusal = mutate.judged(subject.program, folder)
            assert refusal == (False, ""), f"{model}: the right program is refused: {refusal}"
            made = mutate.mutants(subject.program, options.count, options.seed)
            for number, (name, mutant) in enumerate(made):
                judgement = subject.judge(mutant)
                if judgement is None:
                    continue
                refused, error, run = judgement
                totals["refused" if refused else "not refused", run.split(":")[0]] += 1
                verdict = error[:90] if refused else "NOT REFUSED"
                print(f"{model.parent.name} {number} {name}: {run}; {verdict}", flush=True)
                if options.out:
                    line = {"model": model.parent.name, "number": number, "name": name}
                    line |= {"refused": refused, "error": error, "run": run}
                    with open(options.out, "a") as out:
                        out.write(json.dumps(line) + "\n")
                if options.keep and not refused:
                    kept = f"{model.parent.name}-{number}.mlir"
                    pathlib.Path(options.keep, kept).write_text(mutant)
    for (verdict, run), count in sorted(totals.items()):
        print(f"{count} {verdict}, {run}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
