"""Checks the ceilings of `ingot bench` against measurements that are not ours.

    python bench/ceilings.py [--threads N] [--rounds N]

- The FMA peak is a whole number of vector products a cycle, the cycles being
  counted by additions that wait for each other.
- The FMA peak and the read bandwidth are those of likwid-bench (Debian's
  likwid) where it is installed.
- OpenBLAS, through numpy, neither computes nor reads faster.

Sides take turns, and the best of each counts: a disturbance only ever slows.
Needs an idle machine; ends with status 1 if something is off by more than 5 %."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

# One BLAS thread each: the threads are ours.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

INGOT = pathlib.Path(__file__).resolve().parents[1] / "build" / "bin" / "ingot"
TOLERANCE = 0.05
# Debian keeps likwid's helper where only root looks.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])


def ours(threads):
    """The ceilings of one short run."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "machine.json"
        options = ["--threads", str(threads), "--seconds", "0.5", "--json", file]
        subprocess.run([INGOT, "bench", *options], check=True)
        return json.loads(file.read_text())


class Likwid:
    """likwid-bench's loops, in large pages as ours."""

    name = "likwid-bench"

    def __init__(self, threads, machine):
        width = "avx512" if "avx512f" in machine["machine"]["cpu_features"] else "avx"
        self._threads = threads
        self._fma = f"peakflops_sp_{width}_fma"
        # Which one is fastest differs from CPU to CPU.
        self._loads = {f"load_{width}", "load_avx", "load_mem"}
        self._environment = {
            **os.environ, "PATH": PATH, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
        }  # fmt: skip

    def _run(self, test, size, unit):
        # All threads of the first domain, which `N` names, share the memory.
        group = f"N:{size}:{self._threads}"
        done = subprocess.run(
            ["likwid-bench", "-t", test, "-s", "1", "-W", group],
            capture_output=True, text=True, check=True, env=self._environment,
        )  # fmt: skip
        return float(re.search(rf"{unit}/s:\s+([\d.]+)", done.stdout)[1]) * 1e6

    def fma(self):
        return self._run(self._fma, f"{16 * self._threads}kB", "MFlops")

    def reads(self):
        return max(self._run(load, "512MB", "MByte") for load in self._loads)


class Blas:
    """OpenBLAS: a product of matrices, and of long vectors with each other."""

    name = "OpenBLAS"

    def __init__(self, threads, machine):
        size, words = 768, (256 << 20) // 4 // threads
        self._pool = concurrent.futures.ThreadPoolExecutor(threads)
        self._square = [np.ones((size, size), np.float32) for _ in range(threads)]
        self._long = [np.ones(words, np.float32) for _ in range(threads)]

    def _rate(self, jobs, function, amount):
        start = time.perf_counter()
        list(self._pool.map(function, jobs))
        return amount * len(jobs) / (time.perf_counter() - start)

    def fma(self):
        size = len(self._square[0])
        return self._rate(self._square, lambda a: a @ a, 2 * size**3)

    def reads(self):
        half = len(self._long[0]) // 2
        return self._rate(self._long, lambda x: x[:half] @ x[half:], 8 * half)


def off(what, ratio, is_limit):
    """Prints a comparison; whether it is bad. A limit may not be exceeded, but
    need not be reached."""
    bad = ratio > 1 + TOLERANCE if is_limit else abs(ratio - 1) > TOLERANCE
    print(f"{'off' if bad else 'ok ':4}{what}: {ratio:.3f}{' at most 1.05' if is_limit else ''}")
    return bad


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    machine = ours(options.threads)
    print(f"{machine['machine']['cpu']}, {options.threads} threads")
    sides = [Blas(options.threads, machine)]
    if shutil.which("likwid-bench", path=PATH):
        sides.append(Likwid(options.threads, machine))
    else:
        print("likwid-bench is not installed: left out")

    best = {}
    def keep(key, value):
        best[key] = max(best.get(key, 0), value)

    for _ in range(options.rounds):
        for name, ceiling in ours(options.threads)["ceilings"].items():
            if name != "threads":
                keep(("Ingot", name), ceiling["rate"]["most"])
        for side in sides:
            keep((side.name, "fma"), side.fma())
            keep((side.name, "reads"), side.reads())

    for (side, name), value in best.items():
        print(f"    {side:14} {name:6} {value * 1e-9:9.2f} G/s")
    lanes = machine["ceilings"]["fma"]["lanes"]
    cycles = best["Ingot", "clock"] * options.threads
    rate = best["Ingot", "fma"] / (2 * lanes * cycles)
    units = max(round(rate), 1)
    bad = off(f"vector products a cycle, of {units}", rate / units, is_limit=False)
    for side in sides:
        for name in ("fma", "reads"):
            ratio = best[side.name, name] / best["Ingot", name]
            bad |= off(f"{side.name} {name} / Ingot", ratio, is_limit=isinstance(side, Blas))
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
