"""Wrong inputs, damaged artifacts and wrong command lines: a clear message and
exit status 1 (2 for the command line)."""

import numpy as np
import harness
import pytest
import small_models as small
from test_bad_models import assert_refused

X = np.ones((3, 4), np.float32)
Z = np.ones((3, 8), np.float32)


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """The artifact of small_models.dense."""
    folder = tmp_path_factory.mktemp("dense")
    model = small.save(small.dense(), folder / "dense.onnx")
    harness.ingot_ok("compile", model, "-o", folder / "dense.ingot")
    return folder / "dense.ingot"


def attempt(artifact, feeds, folder):
    """`ingot run` on these inputs, its output file must not appear."""
    np.savez(folder / "in.npz", **feeds)
    out = folder / "out.npz"
    done = harness.ingot("run", artifact, "--inputs", folder / "in.npz", "--outputs", out)
    assert not out.exists(), "an output file is left"
    return done


BAD_FEEDS = [
    ("wrong-name", {"x": X, "zebra": Z}, ["zebra"]),
    ("missing", {"x": X}, ["z"]),
    ("extra", {"x": X, "z": Z, "more": X}, ["more"]),
    ("rank", {"x": X[0], "z": Z}, ["x", "rank"]),
    ("dtype", {"x": X.astype(np.float64), "z": Z}, ["x", "f"]),
    ("integer", {"x": X.astype(np.int32), "z": Z}, ["x"]),
    ("fixed-dim", {"x": np.ones((3, 5), np.float32), "z": Z}, ["x", "5", "4"]),
    ("symbol-conflict", {"x": X, "z": np.ones((2, 8), np.float32)}, ["n", "3", "2"]),
]


@pytest.mark.parametrize("name,feeds,words", BAD_FEEDS, ids=[case[0] for case in BAD_FEEDS])
def test_bad_feed(name, feeds, words, dense, tmp_path):
    assert_refused(attempt(dense, feeds, tmp_path), words)


def test_good_feed(dense):
    got = harness.run(dense, {"x": X, "z": Z})
    assert got["y"].shape == (3, 8)


def test_no_rows(dense):
    got = harness.run(dense, {"x": X[:0], "z": Z[:0]})
    assert got["y"].shape == (0, 8)


DAMAGE = {
    "empty": lambda data: b"",
    "magic": lambda data: b"X" + data[1:],
    "foreign-elf": lambda data: b"\x7fELF" + data[4:],
    "text": lambda data: b"not an artifact\n" * 10,
    "newer-version": lambda data: data[:8] + b"\xff\x00\x00\x00" + data[12:],
    "header-only": lambda data: data[:40],
    "half": lambda data: data[: len(data) // 2],
    "one-byte-short": lambda data: data[:-1],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_artifact(name, dense, tmp_path):
    broken = tmp_path / "broken.ingot"
    broken.write_bytes(DAMAGE[name](dense.read_bytes()))
    assert_refused(attempt(broken, {"x": X, "z": Z}, tmp_path), ["broken.ingot"])


@pytest.mark.parametrize("part", range(0, 24))
def test_flipped_byte_in_artifact(part, dense, tmp_path):
    """A flipped byte anywhere that matters is noticed; padding between the
    sections may differ without meaning anything."""
    data = bytearray(dense.read_bytes())
    place = (len(data) - 1) * part // 23
    while data[place] == 0 and place:  # padding is zeros: take what carries data
        place -= 1
    data[place] ^= 0x40
    broken = tmp_path / "broken.ingot"
    broken.write_bytes(bytes(data))
    assert_refused(attempt(broken, {"x": X, "z": Z}, tmp_path), ["broken.ingot"])


def test_needs_a_cpu_feature_that_is_not_there(dense, tmp_path):
    """AVX-512 code on a machine without it is refused, never tried."""
    if "avx512f" in open("/proc/cpuinfo").read():
        pytest.skip("this machine has AVX-512")
    model = small.save(small.dense(), tmp_path / "wide.onnx")
    harness.ingot_ok("compile", model, "-o", tmp_path / "wide.ingot", "--target", "x86-64-v4")
    done = attempt(tmp_path / "wide.ingot", {"x": X, "z": Z}, tmp_path)
    assert_refused(done, ["avx512"])


def test_a_generator_is_not_run_once(tmp_path):
    """An artifact with state, made without the compiler (MakeArtifact.cpp)."""
    decoder = harness.BUILD / "test" / "unit" / "runtime" / "images" / "decoder.ingot"
    done = attempt(decoder, {"x": X}, tmp_path)
    assert_refused(done, ["decoder.ingot", "compiled for generation", "embed.md"])


@pytest.mark.parametrize(
    "line",
    [[], ["frobnicate"], ["run"], ["compile", "--no-such-option"], ["run", "x", "--threads", "many"]],
    ids=str,
)
def test_wrong_command_line(line):
    done = harness.ingot(*line)
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip() or done.stdout.strip()


@pytest.mark.parametrize("command", ["compile", "run", "check", "bench", "explain"])
def test_help(command):
    done = harness.ingot_ok(command, "--help")
    assert "Usage" in done.stdout or "USAGE" in done.stdout or "usage" in done.stdout


def test_unwritable_output(tmp_path):
    model = small.save(small.dense(), tmp_path / "dense.onnx")
    done = harness.ingot("compile", model, "-o", tmp_path / "no" / "such" / "folder.ingot")
    assert_refused(done, ["folder.ingot"])


def test_bad_npz(dense, tmp_path):
    (tmp_path / "in.npz").write_bytes(b"PK\x03\x04 not really")
    done = harness.ingot("run", dense, "--inputs", tmp_path / "in.npz")
    assert_refused(done, ["in.npz"])
