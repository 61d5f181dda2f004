"""Runtimes that read the same ONNX file: Ingot, ONNX Runtime and OpenVINO, each
in a process of its own, taking turns.

As a program it is one of these processes: `peers.py KIND MODEL THREADS PIPE`."""

import multiprocessing
import multiprocessing.connection
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "build" / "python"), str(ROOT / "test" / "e2e")]

# Seconds that a side computes in a turn.
TURN = 0.15


class Ingot:
    name, package = "Ingot", "ingot"

    def __init__(self, path, threads):
        import ingot

        self._session = ingot.Session(path, threads)

    def run(self, feeds):
        return list(self._session.run(feeds).values())


class OnnxRuntime:
    name, package = "ONNX Runtime", "onnxruntime"

    def __init__(self, path, threads):
        import harness

        self._session = harness.oracle(path, threads)

    def run(self, feeds):
        return self._session.run(None, feeds)


class OpenVino:
    name, package = "OpenVINO", "openvino"

    def __init__(self, path, threads):
        import openvino

        # By itself it rounds to bf16 where the CPU has it, and activations
        # beside weights of 8 bits to as many.
        settings = {
            "INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
        }  # fmt: skip
        self._request = openvino.compile_model(path, "CPU", settings).create_infer_request()

    def run(self, feeds):
        return list(self._request.infer(feeds).values())


KINDS = {kind.__name__: kind for kind in (Ingot, OnnxRuntime, OpenVino)}


def versions(python):
    """The versions of the peers that an interpreter has, by kind."""
    program = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    found = {}
    for name in ("OnnxRuntime", "OpenVino"):
        command = [python, "-c", program, KINDS[name].package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[name] = done.stdout.strip()
    return found


class Side:
    """A model in a process of its own."""

    def __init__(self, kind, path, threads, python=sys.executable):
        self._pipe, theirs = multiprocessing.Pipe()
        with theirs:
            command = [python, __file__, kind, str(path), str(threads), str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pipe.close()
        self._process.wait()

    def feed(self, feeds):
        """Sets the inputs; returns the outputs."""
        self._pipe.send(feeds)
        return self._pipe.recv()

    def turn(self):
        """Milliseconds of one call, the median over a turn."""
        self._pipe.send(None)
        return self._pipe.recv()


def settle():
    """Waits until no thread of this process computes: the workers of ONNX
    Runtime spin for some 50 ms behind a run, and would take a core from who is
    next."""
    for _ in range(100):
        before = time.process_time()
        time.sleep(0.02)
        if time.process_time() - before < 0.002:
            return


def timed(work):
    """The median of some calls, behind one that brings caches and clocks to
    where they are in a row of calls."""
    work()
    times, end = [], time.perf_counter() + TURN
    while len(times) < 2 or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    settle()
    return statistics.median(times)


def serve(kind, path, threads, pipe):
    """Answers inputs with outputs, and None with the time of a turn."""
    side, feeds = KINDS[kind](path, int(threads)), None
    with multiprocessing.connection.Connection(int(pipe)) as pipe:
        while True:
            try:
                asked = pipe.recv()
            except EOFError:
                return
            if asked is None:
                pipe.send(timed(lambda: side.run(feeds)))
                continue
            feeds = asked
            pipe.send([np.array(out) for out in side.run(feeds)])
            settle()


def largest_difference(outputs):
    """The largest difference of a float output of the first side from that of
    a later one, relative to the largest value of that output."""
    worst = 0.0
    for theirs in outputs[1:]:
        for a, b in zip(outputs[0], theirs):
            if b.dtype.kind == "f":
                worst = max(worst, float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30)))
    return worst


class Comparison:
    """Medians over rounds in which every side takes its turn: milliseconds of
    each, and how many times as fast the first is as each other and as the
    fastest of them."""

    def __init__(self, sides, rounds):
        taken = [[side.turn() for side in sides] for _ in range(rounds)]
        self.times = [statistics.median(column) for column in zip(*taken)]
        self.ratios = [
            statistics.median(row[i] / row[0] for row in taken) for i in range(1, len(sides))
        ]
        self.fastest = statistics.median(min(row[1:]) / row[0] for row in taken)


if __name__ == "__main__":
    serve(*sys.argv[1:])
