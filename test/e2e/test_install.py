"""An installed Ingot: the example hosts build against it with CMake projects of
their own and run an artifact; nothing in it needs LLVM."""

import os
import subprocess
import sys

import harness
import pytest

sys.path.insert(0, str(harness.ROOT / "test" / "python"))

import artifacts  # noqa: E402

# Made by the build without the compiler (test/unit/runtime/MakeArtifact.cpp).
ARTIFACT = harness.BUILD / "test" / "unit" / "runtime" / "images" / "test.ingot"


def ok(*command, text="", **kwargs):
    """Runs a command that must succeed; returns its standard output."""
    done = subprocess.run(
        [str(part) for part in command],
        input=text, capture_output=True, text=True, timeout=300, **kwargs,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """A folder with what a host needs; the compiler is not a part of it."""
    folder = tmp_path_factory.mktemp("prefix")
    ok("cmake", "--install", harness.BUILD, "--prefix", folder, "--component", "Runtime")
    return folder


def host(prefix, folder, name):
    """Builds an example outside the source tree; returns its build folder."""
    ok(
        "cmake", "-S", harness.ROOT / "examples" / name, "-B", folder,
        f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release",
        env={**os.environ, "CC": "clang-22", "CXX": "clang++-22"},
    )  # fmt: skip
    ok("cmake", "--build", folder)
    return folder


def test_host_in_c(prefix, tmp_path):
    """Shared and static, both print the signature and run."""
    folder = host(prefix, tmp_path, "c")
    for program in ("describe-and-run", "describe-and-run-static"):
        text = ok(folder / program, ARTIFACT, "3")
        assert "input a: f32 [batch, n]" in text
        assert "output sum: f32 [batch, n]\n  36 bytes, first 12\n" in text
        assert " workers, arena " in text
    libraries = ok("ldd", folder / "describe-and-run-static")
    assert "libingot" not in libraries


def test_host_in_cpp(prefix, tmp_path):
    """Several threads, one session."""
    folder = host(prefix, tmp_path, "cpp")
    text = ok(folder / "serve", ARTIFACT, "3")
    assert text.count("ms a run") == 3


def test_generating_host_in_cpp(prefix, tmp_path):
    """Rows of different lengths in one batch; one of them stops early."""
    program = host(prefix, tmp_path, "generate-cpp") / "continue"
    rows = [[5, 9, 33, 2], [7], list(range(60)) * 3]
    wants = [artifacts.greedy(row, 8) for row in rows]
    stop = wants[1][3]
    wants = [want[: want.index(stop) + 1] if stop in want else want for want in wants]
    assert len(wants[1]) < 8
    lines = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    text = ok(program, artifacts.DECODER, 8, stop, text=lines)
    assert [[int(id) for id in line.split()] for line in text.splitlines()] == wants
    for wrong, message in (("5 x\n", "line 1 is not a row of ids"), ("5\n64\n", "")):
        done = subprocess.run(
            [program, artifacts.DECODER, "8"], input=wrong, capture_output=True, text=True
        )
        assert done.returncode == 1 and done.stderr and message in done.stderr
    for wrong in (["x"], ["-1"], ["8", "7.5"], ["9" * 30]):
        done = subprocess.run(
            [program, artifacts.DECODER, *wrong], input="5\n", capture_output=True, text=True
        )
        assert done.returncode == 1 and f"'{wrong[-1]}' is not a number" in done.stderr


def test_hosts_report_errors(prefix, tmp_path):
    """A host gets a message and a status, not a crash."""
    folder = host(prefix, tmp_path, "cpp")
    wrong = tmp_path / "wrong.ingot"
    wrong.write_bytes(ARTIFACT.read_bytes()[:-1])
    done = subprocess.run([folder / "serve", wrong], capture_output=True, text=True)
    assert done.returncode == 1
    assert "wrong.ingot" in done.stderr and "its header says" in done.stderr


def test_library_needs_no_llvm(prefix):
    """libingot.so depends on the C and C++ libraries alone and exports its C
    API alone."""
    library = next(prefix.rglob("libingot.so"))
    needed = {line.split()[0].split(".so")[0] for line in ok("ldd", library).splitlines()}
    allowed = {"linux-vdso", "libstdc++", "libm", "libgcc_s", "libc", "/lib64/ld-linux-x86-64"}
    assert needed <= allowed, needed
    symbols = [line.split()[-1] for line in ok("nm", "-D", "--defined-only", library).splitlines()]
    assert symbols and all(symbol.startswith("ingot_") for symbol in symbols), symbols
