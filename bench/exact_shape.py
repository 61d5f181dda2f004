"""What it costs that a program serves every size: times the artifact of a model
with open dims beside one that was compiled for exactly the size at hand
(`ingot compile --dim`), taking turns in one process, and prints one Markdown row
a size: median milliseconds, and the median over the rounds of the open one's
time divided by the exact one's. Outputs must be equal to the bit.

    python bench/exact_shape.py

Needs an idle machine."""

import argparse
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

import encoders  # noqa: E402
import harness  # noqa: E402
import ingot  # noqa: E402


def fixed_dims(path, feeds):
    """{name: extent} of the open dims of a model's inputs."""
    names = {}
    for value in harness.oracle(path).get_inputs():
        for name, extent in zip(value.shape, feeds[value.name].shape):
            if isinstance(name, str):
                names[name] = extent
    return names


def sessions_of(path, feeds, folder, threads):
    """The open and the exact program of a model."""
    made = []
    for name, dims in (("open", {}), ("exact", fixed_dims(path, feeds))):
        model = ingot.compile(path, artifact=folder / f"{name}.ingot", dims=dims, progress=False)
        made.append(ingot.Session(model, threads=threads))
    return made


def turns(sessions, feeds, rounds, seconds):
    """Milliseconds of each session in each round, of a few runs each."""
    once = time.perf_counter()
    sessions[0].run(feeds)
    repeat = max(3, int(seconds / (time.perf_counter() - once)))
    times = []
    for turn in range(rounds):
        row = {}
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            runs = []
            for _ in range(repeat):
                start = time.perf_counter()
                sessions[which].run(feeds)
                runs.append((time.perf_counter() - start) * 1e3)
            row[which] = statistics.median(runs)
        times.append((row[0], row[1]))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="at least 7")
    parser.add_argument("--seconds", type=float, default=0.2, help="of a model in a round")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", help="only this model")
    options = parser.parse_args()
    print("| model | size | open dims ms | exact ms | open / exact |\n|---|---|---|---|---|")
    for model, size in encoders.DEFAULT:
        if options.model not in (None, model):
            continue
        path = encoders.file_of(model)
        feeds = encoders.feeds_of("minilm-l6-int8" if model == "bert-base" else model, size)
        with tempfile.TemporaryDirectory() as folder:
            sessions = sessions_of(path, feeds, pathlib.Path(folder), options.threads)
            outputs = [session.run(feeds) for session in sessions]
            assert all(outputs[0][n].tobytes() == outputs[1][n].tobytes() for n in outputs[0])
            times = turns(sessions, feeds, max(7, options.rounds), options.seconds)
        of = [statistics.median(row[which] for row in times) for which in (0, 1)]
        ratio = statistics.median(row[0] / row[1] for row in times)
        shape = str(size) if isinstance(size, int) else " x ".join(map(str, size))
        print(f"| {model} | {shape} | {of[0]:.2f} | {of[1]:.2f} | {ratio:.3f} |", flush=True)


if __name__ == "__main__":
    main()
