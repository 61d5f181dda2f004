"""bench/gpu without a GPU: its kernels become PTX, its host builds and says what
is missing."""

import ctypes
import pathlib
import re
import subprocess
import sys

import pytest

GPU = pathlib.Path(__file__).resolve().parents[2] / "bench" / "gpu"
LAYERS = "layers-w4096-r32-c{}-s8-b{}-p8-a99-f99-n0-l0-t{}.ptx"


def has_driver():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    "source, name",
    [("memory", "memory.ptx"), ("sync", "sync.ptx"), ("matrix", "matrix.ptx"),
     ("layers", LAYERS.format(256, 16, 0)), ("layers", LAYERS.format(1024, 4, 1))],
)  # fmt: skip
def test_kernels_become_ptx(source, name, tmp_path):
    subprocess.run([sys.executable, GPU / "emit.py", tmp_path, name], check=True)
    ptx = (tmp_path / name).read_text()
    assert ".target sm_90a" in ptx
    kernels = re.findall(r"^KERNEL (\w+)\(", (GPU / "kernels" / f"{source}.c").read_text(), re.M)
    entries = re.findall(r"\.entry (\w+)\(", ptx)
    assert kernels and set(kernels) <= set(entries)
    # What has no place in registers is slow, and nothing here should need it.
    assert ".local" not in ptx


@pytest.mark.skipif(has_driver(), reason="this machine may have a GPU")
def test_host_without_gpu(tmp_path):
    program = tmp_path / "gpu-bench"
    sources = sorted((GPU / "host").glob("*.cpp"))
    subprocess.run(
        ["clang++-22", "-std=c++20", "-Wall", "-Wextra", "-Werror", *sources, "-o", program,
         "-pthread", "-ldl"],
        check=True,
    )  # fmt: skip
    for step, message in [("memory", "no CUDA driver"), ("nothing", "nothing: no such step")]:
        done = subprocess.run([program, tmp_path, step], capture_output=True, text=True)
        assert done.returncode == 1
        assert message in done.stderr
    assert subprocess.run([program], capture_output=True).returncode == 2
