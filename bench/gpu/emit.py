"""Writes the kernels of this folder as PTX, by clang's NVPTX backend.

    python bench/gpu/emit.py FOLDER

The small model (kernels/layers.c) comes in variants, whose files name what they
were compiled with, a letter for each."""

import argparse
import itertools
import pathlib
import shutil
import subprocess
import sys

KERNELS = pathlib.Path(__file__).resolve().parent / "kernels"
CHIP, PTX = "sm_90a", "ptx88"
FLAGS = [
    "--target=nvptx64-nvidia-cuda", f"-march={CHIP}", "-Xclang", "-target-feature",
    "-Xclang", f"+{PTX}", "-O3", "-S", "-ffreestanding", "-nostdinc", "-std=gnu23", "-Wall",
    "-Wextra", "-Werror", "-Wno-unused-parameter",
]  # fmt: skip
# A block's shared memory, less what lies behind the ring.
MOST_RING = 200 << 10


# What the letters in the names of files stand for.
LETTERS = {
    "w": "WIDTH", "r": "ROWS", "c": "COLUMNS", "s": "SLOTS", "b": "BITS", "p": "WARPS",
    "a": "AHEAD", "f": "FLIGHT", "n": "NAKED", "l": "LAZY", "t": "CORES",
}  # fmt: skip
PLAIN = {"w": 4096, "r": 32, "c": 256, "s": 8, "b": 16, "p": 8, "a": 99, "f": 99, "n": 0, "l": 0, "t": 0}


def variants():
    """Each small model, as numbers by letter."""
    chunks = [(16, 256), (32, 256), (32, 512)]
    yield from ({"r": rows, "c": columns, "s": slots}
                for (rows, columns), slots in itertools.product(chunks, [2, 4, 6, 8, 12])
                if rows * columns * 2 * slots <= MOST_RING)  # fmt: skip
    yield from ({"a": ahead} for ahead in (0, 1, 2, 4, 6))
    yield from ({"s": slots, "f": flight} for slots, flight in [(8, 2), (8, 3), (8, 4), (12, 2), (12, 3), (12, 4)])
    yield from ({"r": 16, "s": 24, "f": flight} for flight in (4, 6, 8))
    yield from ({"p": 16, "s": 12, "f": flight} for flight in (2, 3))
    yield from ({"b": 4, "r": 16, "c": 1024, "s": 16, "f": flight} for flight in (3, 5))
    for slots, flight, naked in [(8, 99, 0), (12, 3, 0), (12, 99, 0), (8, 99, 1)]:
        yield {"s": slots, "f": flight, "n": naked, "t": 1}
    for slots, flight, naked in [(8, 99, 0), (8, 2, 0), (10, 3, 0), (8, 99, 1)]:
        yield {"b": 4, "c": 1024, "s": slots, "f": flight, "n": naked, "t": 1}
    yield from ({"w": 2048, "r": 16, "s": 16, "f": flight} for flight in (3, 4, 6, 99))
    yield from ({"b": 4, "c": 1024, "s": slots, "f": flight} for slots, flight in [(8, 1), (8, 2), (10, 2), (10, 3)])
    yield from ({"n": naked, "l": lazy} for naked, lazy in [(0, 1), (1, 0), (1, 1)])
    yield from ({"a": 0, "l": 1}, {"a": 2, "l": 1})
    yield from ({"p": 16, "s": slots, "a": ahead} for slots, ahead in [(4, 99), (8, 99), (8, 2)])
    for rows, ahead, naked in [(16, 99, 0), (32, 99, 0), (16, 0, 0), (16, 4, 0), (16, 99, 1)]:
        yield {"w": 2048, "r": rows, "a": ahead, "n": naked}
    for warps, slots, ahead, naked, lazy in [
        (8, 8, 99, 0, 0), (16, 8, 99, 0, 0), (8, 4, 99, 0, 0), (8, 8, 2, 0, 0), (8, 8, 99, 1, 0),
        (16, 8, 99, 1, 0), (8, 8, 99, 1, 1), (8, 8, 99, 0, 1),
    ]:  # fmt: skip
        yield {"b": 4, "c": 1024, "p": warps, "s": slots, "a": ahead, "n": naked, "l": lazy}


def compilations():
    """(source, output, definitions) of each file."""
    for name in ("memory", "sync", "matrix"):
        yield f"{name}.c", f"{name}.ptx", {}
    for numbers in dict.fromkeys(tuple({**PLAIN, **chosen}.items()) for chosen in variants()):
        name = "layers-" + "-".join(f"{letter}{number}" for letter, number in numbers)
        yield "layers.c", f"{name}.ptx", {LETTERS[letter]: number for letter, number in numbers}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="only these files")
    parser.add_argument("--clang", default=shutil.which("clang-22") or "clang")
    parser.add_argument("--ptxas", help="an assembler that tries each file")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for source, name, definitions in compilations():
        if options.names and name not in options.names:
            continue
        output = options.folder / name
        subprocess.run(
            [options.clang, *FLAGS, *(f"-D{key}={value}" for key, value in definitions.items()),
             KERNELS / source, "-o", output],
            check=True,
        )  # fmt: skip
        if options.ptxas:
            subprocess.run([options.ptxas, f"-arch={CHIP}", output, "-o", "/dev/null"], check=True)


if __name__ == "__main__":
    sys.exit(main())
