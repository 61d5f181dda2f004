"""Times programs on 1, 2, 4, 8, 16 threads: artifacts of Ingot, and ONNX files
in ONNX Runtime where it is installed, in turns.

    python bench/cores.py new=NEW.ingot old=OLD.ingot MODEL.onnx --dim batch_size=1
    python bench/cores.py DECODER.ingot --prompt 512

A side is a file, or NAME=FILE. Every measurement is a process of its own, kept
on as many CPUs as it has threads: one CPU a core, and the second ones of cores
only where there are more threads than cores. Prints one Markdown row a number
of threads: the median over the rounds of each side's median, in milliseconds,
and what this machine's arithmetic and memory did at most meanwhile.

Needs Python alone, `ingot` and the files, so that they can be carried to
another machine."""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

INGOT = pathlib.Path(__file__).resolve().parents[1] / "build" / "bin" / "ingot"


def cpus():
    """The CPUs, first those on different cores."""
    listed = subprocess.run(
        ["lscpu", "-p=CPU,CORE,SOCKET"], capture_output=True, text=True, check=True
    ).stdout
    first, rest, seen = [], [], set()
    for line in listed.splitlines():
        if line.startswith("#"):
            continue
        cpu, *core = line.split(",")
        (rest if tuple(core) in seen else first).append(cpu)
        seen.add(tuple(core))
    return first, rest


class Artifact:
    """Ingot on an artifact; a decoder has two works, prefill and decode."""

    def __init__(self, options):
        self._ingot = options.ingot
        self._options = [part for dim in options.dim for part in ("--dim", dim)]
        if options.prompt:
            self._options += ["--prompt", options.prompt, "--tokens", "48"]
        self._options += ["--seconds", str(options.seconds)]

    def turn(self, file, pinned, threads):
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.json"
            command = [*pinned, self._ingot, "bench", file, "--threads", str(threads)]
            subprocess.run(
                [*command, *self._options, "--json", report],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            found = json.loads(report.read_text())
        times = {work["name"]: work["seconds"]["median"] for work in found["works"]}
        ceilings = {
            kind: found["ceilings"][kind]["rate"]["median"]
            for kind in ("fma", "int8", "reads", "clock")
            if kind in found["ceilings"]
        }
        return times, ceilings


class OnnxRuntime:
    """ONNX Runtime on an ONNX file."""

    def __init__(self, options):
        self._options = [part for dim in options.dim for part in ("--dim", dim)]
        self._options += ["--seconds", str(options.seconds)]

    def turn(self, file, pinned, threads):
        command = [*pinned, sys.executable, __file__, file, "--as-peer", str(threads)]
        done = subprocess.run(
            [*command, *self._options], check=True, capture_output=True, text=True
        )
        return {"run": float(done.stdout)}, {}


def peer(file, options):
    """A turn of ONNX Runtime in this process: prints the median of its runs."""
    import numpy as np
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.as_peer
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
    sizes = dict(dim.split("=") for dim in options.dim)
    feeds = {
        value.name: np.ones([int(sizes.get(dim, dim)) for dim in value.shape], np.int64)
        for value in session.get_inputs()
    }
    times, begin = [], time.perf_counter()
    while len(times) < 25 or time.perf_counter() - begin < options.seconds:
        start = time.perf_counter()
        session.run(None, feeds)
        times.append(time.perf_counter() - start)
    print(statistics.median(times[len(times) // 5 :]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("sides", nargs="+", metavar="[NAME=]FILE")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=N")
    parser.add_argument("--prompt", help="of a decoder: tokens to read before the timed ones")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a turn")
    parser.add_argument("--ingot", default=INGOT)
    parser.add_argument("--json", type=pathlib.Path, help="write every turn to this file")
    parser.add_argument("--as-peer", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sides = {}
    for side in options.sides:
        name, _, file = side.rpartition("=")
        sides[name or pathlib.Path(file).stem] = file
    if options.as_peer:
        return peer(next(iter(sides.values())), options)

    first, rest = cpus()
    threads = [count for count in options.threads if count <= len(first + rest)]
    kinds = {".onnx": OnnxRuntime(options), ".ingot": Artifact(options)}
    turns = []
    for _ in range(options.rounds):
        for count in threads:
            pinned = ["taskset", "-c", ",".join((first + rest)[:count])]
            for name, file in sides.items():
                times, ceilings = kinds[pathlib.Path(file).suffix].turn(file, pinned, count)
                turns.append({"side": name, "threads": count, "ms": times, "ceilings": ceilings})
    if options.json:
        options.json.write_text(json.dumps({"cores": len(first), "turns": turns}))
    table(turns, threads, len(first))


def table(turns, threads, cores):
    """Prints a row a number of threads."""

    def median(count, kind, key, side=None):
        values = [
            turn[kind][key] for turn in turns
            if turn["threads"] == count and key in turn[kind] and side in (None, turn["side"])
        ]  # fmt: skip
        return statistics.median(values) if values else None

    columns = list(dict.fromkeys((turn["side"], work) for turn in turns for work in turn["ms"]))
    names = [side if work == "run" else f"{side}, {work}" for side, work in columns]
    limits = {"fma": "GFLOP/s", "int8": "int8 Gop/s", "reads": "GB/s", "clock": "GHz"}
    print(f"{cores} cores\n")
    print("| threads |", *(f"{name} ms |" for name in names), *(f"{v} |" for v in limits.values()))
    print("|---" * (1 + len(names) + len(limits)) + "|")
    for count in threads:
        cells = [f"{median(count, 'ms', work, side) * 1e3:.3f}" for side, work in columns]
        rates = [median(count, "ceilings", limit) for limit in limits]
        cells += [f"{rate * 1e-9:.1f}" if rate else "" for rate in rates]
        print("|", count, "|", " | ".join(cells), "|")
    print(flush=True)


if __name__ == "__main__":
    main()
