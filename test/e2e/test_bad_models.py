"""Model files that cannot be compiled: a message that names file, node or
tensor, exit status 1, nothing left behind."""

import harness
import onnx
import pytest
import small_models as small


def file_of(make):
    """A writer for a model proto that `make` builds."""
    return lambda folder: small.save(make(), folder / "model.onnx")


def bytes_of(data):
    """A writer for raw bytes."""

    def write(folder):
        (folder / "model.onnx").write_bytes(data)
        return folder / "model.onnx"

    return write


def external(location, data=None, **where):
    """A writer for a model whose weight lies in `location` with `data`."""

    def write(folder):
        inner = folder / "inner"
        inner.mkdir()
        if data is not None:
            (inner / location).write_bytes(data)
        return small.save(small.external(location, **where), inner / "model.onnx")

    return write


def symlinked(folder):
    """External data reached through a link that leaves the model's folder."""
    inner = folder / "inner"
    inner.mkdir()
    (folder / "secret.bin").write_bytes(bytes(128))
    (inner / "link.bin").symlink_to(folder / "secret.bin")
    return small.save(small.external("link.bin"), inner / "model.onnx")


DENSE = small.dense().SerializeToString()
DEEP = b"\x3a\xff\xff\xff\xff\x0f"  # a graph field longer than the file

# name, writer, what standard error must say (any letter case)
CASES = [
    ("missing-file", lambda folder: folder / "absent.onnx", ["absent.onnx"]),
    ("a-folder", lambda folder: folder, []),
    ("empty", bytes_of(b""), ["model.onnx"]),
    ("text", bytes_of(b"this is not a model\n" * 9), ["model.onnx"]),
    ("png", bytes_of(b"\x89PNG\r\n\x1a\n" + bytes(100)), ["model.onnx"]),
    ("truncated-half", bytes_of(DENSE[: len(DENSE) // 2]), ["model.onnx"]),
    ("truncated-by-one", bytes_of(DENSE[:-1]), ["model.onnx"]),
    ("length-past-end", bytes_of(DEEP), ["model.onnx"]),
    ("no-graph", bytes_of(onnx.ModelProto(ir_version=10).SerializeToString()), ["model.onnx"]),
    ("unknown-op", file_of(lambda: small.unary("Frobnicate")), ["Frobnicate", "the_node"]),
    ("unknown-domain",
     file_of(lambda: small.unary("Relu", domain="org.example", domains=["org.example"])),
     ["org.example", "the_node"]),
    ("all-unknown-at-once", file_of(small.several_unknown),
     ["Frobnicate", "Mystery", "org.example", "odd_one", "2"]),
    ("domain-not-imported", file_of(lambda: small.unary("Relu", domain="org.example")),
     ["org.example"]),
    ("opset-from-the-future", file_of(lambda: small.unary("Relu", opset=999)), ["999"]),
    ("bad-attribute-type", file_of(lambda: small.unary("LeakyRelu", alpha="much")),
     ["alpha", "the_node"]),
    ("cycle", file_of(small.cyclic), ["first"]),
    ("dangling-value", file_of(small.dangling), ["ghost", "the_node"]),
    ("value-made-twice", file_of(small.twice_made), ["y"]),
    ("missing-operand", file_of(small.missing_input), ["MatMul", "the_node"]),
    ("contradicting-shapes", file_of(small.contradicting), ["the_node"]),
    ("contradicting-output", file_of(small.wrong_output_shape), ["y"]),
    ("short-weight", file_of(small.short_weight), ["w"]),
    ("huge-weight", file_of(small.huge_weight), ["w"]),
    ("negative-dim", file_of(small.negative_dim), ["w"]),
    ("string-input",
     file_of(lambda: small.unary("Identity", dtype=onnx.TensorProto.STRING)), ["string"]),
    ("external-missing", external("weights.bin"), ["weights.bin"]),
    ("external-short", external("weights.bin", bytes(100)), ["weights.bin", "w"]),
    ("external-offset-past-end", external("weights.bin", bytes(128), offset=1 << 62), ["weights.bin"]),
    ("external-wrong-length", external("weights.bin", bytes(128), length=4), ["w"]),
    ("external-negative", external("weights.bin", bytes(128), offset=-8), ["w"]),
    ("external-parent", external("../secret.bin"), ["../secret.bin"]),
    ("external-absolute", external("/etc/hostname"), ["/etc/hostname"]),
    ("external-link-outside", symlinked, ["link.bin"]),
]  # fmt: skip


def assert_refused(done, words):
    """Exit status 1 and a message of ours, not a crash."""
    assert done.returncode == 1, f"exit {done.returncode}\n{done.stderr}"
    for crash in ("Stack dump", "PLEASE submit a bug report", "Assertion", "terminate called"):
        assert crash not in done.stderr, done.stderr
    assert done.stderr.strip(), "no message"
    for word in words:
        assert word.lower() in done.stderr.lower(), f"{word!r} is not in:\n{done.stderr}"


@pytest.mark.parametrize("name,write,words", CASES, ids=[case[0] for case in CASES])
def test_refused(name, write, words, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    model = write(tmp_path / "in")
    if name == "external-parent":
        (tmp_path / "in" / "secret.bin").write_bytes(bytes(128))
    done = harness.ingot("compile", model, "-o", tmp_path / "out" / "model.ingot", timeout=60)
    assert_refused(done, words)
    assert not list((tmp_path / "out").iterdir()), "something half-written is left"


def test_bit_flips_never_crash(tmp_path):
    """Every byte of a small model damaged in turn: refused or compiled, never
    a crash (a seeded sample, so that the test stays short)."""
    import random

    chosen = random.Random(7).sample(range(len(DENSE)), 40)
    for place in chosen:
        data = bytearray(DENSE)
        data[place] ^= 0x81
        model = bytes_of(bytes(data))(tmp_path)
        done = harness.ingot("compile", model, "-o", tmp_path / "model.ingot", timeout=60)
        assert done.returncode in (0, 1), f"byte {place}: {done.returncode}\n{done.stderr}"
