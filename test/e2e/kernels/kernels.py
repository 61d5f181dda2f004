"""Builds MLIR kernels with Ingot's passes and calls them on numpy arrays.

The object is linked with --no-undefined: a kernel that needs libm or any
other library fails to build.
"""

import ctypes
import os
import pathlib
import subprocess
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = os.pathsep.join([str(ROOT / "build" / "bin"), "/usr/lib/llvm-22/bin"])
LOWER = (
    "convert-vector-to-scf{full-unroll=true target-rank=1},canonicalize,cse,"
    "convert-scf-to-cf,expand-strided-metadata,lower-affine,"
    "convert-vector-to-llvm,finalize-memref-to-llvm,"
    "convert-func-to-llvm,convert-to-llvm,reconcile-unrealized-casts,"
    "canonicalize,cse"
)


def run(args, text):
    path = TOOLS + os.pathsep + os.environ["PATH"]
    done = subprocess.run(
        args, input=text, capture_output=True, env={**os.environ, "PATH": path}
    )
    if done.returncode:
        raise RuntimeError(
            " ".join(args) + "\n" + done.stderr.decode(errors="replace")[-4000:]
        )
    return done.stdout


def descriptor(array):
    """What an MLIR C interface takes for a memref argument."""
    rank = array.ndim

    class Memref(ctypes.Structure):
        _fields_ = [
            ("allocated", ctypes.c_void_p),
            ("aligned", ctypes.c_void_p),
            ("offset", ctypes.c_int64),
            ("sizes", ctypes.c_int64 * max(rank, 1)),
            ("strides", ctypes.c_int64 * max(rank, 1)),
        ]

    address = array.ctypes.data
    strides = [s // array.itemsize for s in array.strides]
    return Memref(
        address,
        address,
        0,
        (ctypes.c_int64 * max(rank, 1))(*array.shape),
        (ctypes.c_int64 * max(rank, 1))(*strides),
    )


def generate(text, passes, cpu, *options):
    """What llc makes of a module after the given Ingot passes."""
    pipeline = f"builtin.module({passes},{LOWER})"
    llvm = run(["ingot-opt", f"--pass-pipeline={pipeline}", "-"], text.encode())
    ir = run(["mlir-translate", "--mlir-to-llvmir"], llvm)
    base, _, extension = cpu.partition("+")
    attributes = ["-mattr=+" + extension.replace("+", ",+")] if extension else []
    return run(
        ["llc", f"-mcpu={base}", *attributes, "-O2", "-relocation-model=pic", *options, "-"], ir)


def inner_loops(text, passes, cpu):
    """The innermost loops of a module's assembly, each a list of lines."""
    lines = generate(text, passes, cpu, "-filetype=asm", "-o", "-").decode().splitlines()
    labels = {line.split(":")[0]: at for at, line in enumerate(lines) if line.startswith(".L")}
    loops = []
    for at, line in enumerate(lines):
        words = line.split()
        start = labels.get(words[1], at) if len(words) == 2 and words[0][0] == "j" else at
        # Whatever ends after it begins is around it, unless a loop is within.
        if start < at and not any(start <= first for first, _ in loops):
            loops.append((start, at))
    return [lines[start:end] for start, end in loops]


class Kernels:
    """The functions of one module, compiled by the given Ingot passes."""

    def __init__(self, text, passes, cpu="x86-64-v3"):
        self.folder = tempfile.TemporaryDirectory()
        obj = os.path.join(self.folder.name, "kernel.o")
        image = os.path.join(self.folder.name, "kernel.so")
        generate(text, passes, cpu, "-filetype=obj", "-o", obj)
        run(
            ["ld.lld", "-shared", "-Bsymbolic", "-nostdlib", "--no-undefined", "-z", "text",
             "-o", image, obj], b"")
        self.library = ctypes.CDLL(image)

    def __call__(self, name, *args):
        """Arrays go as memrefs, Python ints as index, numpy scalars by type."""
        function = getattr(self.library, "_mlir_ciface_" + name)
        held, passed = [], []
        for arg in args:
            if isinstance(arg, np.ndarray):
                held.append(descriptor(arg))
                passed.append(ctypes.byref(held[-1]))
            elif isinstance(arg, np.float32):
                passed.append(ctypes.c_float(arg))
            else:
                passed.append(ctypes.c_int64(arg))
        function(*passed)


def guarded(shape, dtype, pad=64):
    """An array between two filled margins, and a check that they are intact."""
    count = int(np.prod(shape))
    whole = np.full(count + 2 * pad, 77, dtype=dtype)
    inner = whole[pad : pad + count].reshape(shape)

    def check():
        margins = np.concatenate([whole[:pad], whole[pad + count :]])
        assert (margins == np.array(77, dtype)).all(), "wrote out of bounds"

    return inner, check
