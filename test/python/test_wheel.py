"""`pip install .` in a fresh environment, as on a machine without LLVM."""

import os
import subprocess

import artifacts
import harness
import pytest

HOST = """
import sys
import ingot, numpy
assert ingot.__file__.startswith(sys.prefix), ingot.__file__
a = numpy.ones((2, 3), numpy.float32)
session = ingot.Session(sys.argv[1], threads=2)
print(session.run({"a": a, "b": a, "mode": [0]})["report"])
decoder = ingot.Session(sys.argv[2])
print(list(decoder.generate([1, 2, 3], 2)))
assert "Signature" in session.model.explain()
try:
    ingot.compile(sys.argv[3])
except ingot.CompilerUnavailable as error:
    print("without:", error)
ingot.compile(sys.argv[3], compiler=sys.argv[4])
print("with the compiler elsewhere")
"""


def ok(*command, **options):
    """Runs a command that must succeed; returns its output."""
    done = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=900, **options,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A fresh virtual environment with the package and nothing else. The
    objects of the last time are used again."""
    folder = tmp_path_factory.mktemp("venv")
    ok("/usr/bin/python3", "-m", "venv", folder)
    ok(
        folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", harness.ROOT,
        f"--config-settings=build-dir={harness.BUILD / 'wheel'}",
        "--config-settings=cmake.define.INGOT_BUILD_COMPILER=OFF",
        # By the name by which CMake finds it: docs/install.md's objects, for ccache.
        env={"CC": "cc", "CXX": "c++", **os.environ},
    )  # fmt: skip
    return folder


def test_runs_artifacts(environment, tmp_path):
    (tmp_path / "host.py").write_text(HOST)
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    said = ok(
        environment / "bin" / "python", "host.py", artifacts.ADD, artifacts.DECODER,
        artifacts.MINILM, harness.BUILD / "lib" / "libIngotCompiler.so", cwd=tmp_path, env=clean,
    )  # fmt: skip
    assert said.splitlines()[0] == "[6]"
    assert said.splitlines()[1] == str(artifacts.greedy([1, 2, 3], 2))
    assert "without:" in said and "with the compiler elsewhere" in said


def test_holds_what_it_should(environment):
    package = next(environment.glob("lib/python*/site-packages/ingot"))
    names = {path.name for path in package.iterdir()}
    assert {"__init__.py", "py.typed", "_ingot.pyi", "bin"} <= names
    assert not (package / "lib").exists()
    listed = ok("ldd", next(package.glob("_ingot.*.so")))
    assert "LLVM" not in listed and "libingot" not in listed
    assert "explain" in ok(environment / "bin" / "ingot", "--help")
