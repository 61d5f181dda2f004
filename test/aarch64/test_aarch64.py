"""Artifacts for 64-bit Arm CPUs, compiled here and run in an emulator by a host
that was cross-compiled with the runtime (preset aarch64)."""

import pathlib
import subprocess
import sys

import ingot
import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx import numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness  # noqa: E402
import small_llama  # noqa: E402
import test_low_bits  # noqa: E402

HOST = harness.ROOT / "build-aarch64" / "bin" / "ingot-host"
DTYPES = {"f32": "f4", "f64": "f8", "f16": "f2", "bool": "?", "i8": "i1", "i16": "i2", "i32": "i4",
          "i64": "i8", "u8": "u1", "u16": "u2", "u32": "u4", "u64": "u8"}  # fmt: skip
NODE_TESTS = pathlib.Path(onnx.backend.test.__file__).parent / "data" / "node"
PASSING = (harness.ROOT / "test" / "conformance" / "passing.txt").read_text().split()


def host(artifact, threads, *args):
    """What the emulated host prints, line by line."""
    done = subprocess.run(["qemu-aarch64", HOST, artifact, str(threads), *map(str, args)],
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.splitlines()


def compiled(model, folder, *options):
    artifact = folder / "arm.ingot"
    harness.ingot_ok("compile", model, "-o", artifact, "--target", "aarch64", *options)
    return artifact


def run(artifact, feeds, folder, threads=2):
    """{name: array} of what the artifact computes from {name: array}."""
    args = []
    for i, (name, array) in enumerate(feeds.items()):
        path = folder / f"input-{i}"
        path.write_bytes(np.ascontiguousarray(array).tobytes())
        args.append(f"{name}={path}:{','.join(map(str, array.shape))}")
    outputs = {}
    for i, line in enumerate(host(artifact, threads, "run", *args)):
        name, dtype, *extents = line.split("\t")
        data = pathlib.Path(f"{path}.{i}").read_bytes()
        outputs[name] = np.frombuffer(data, DTYPES[dtype]).reshape([int(e) for e in extents])
    return outputs


@pytest.mark.parametrize("model", ["minilm-l3", "minilm-l6-int8"])
def test_encoders(model, tmp_path):
    path = harness.MODELS / f"{model}.onnx"
    artifact = compiled(path, tmp_path)
    feeds = harness.sentence_batch(2, 19, token_types=model == "minilm-l6-int8")
    got = run(artifact, feeds, tmp_path)
    assert harness.largest_difference(got, harness.oracle_run(harness.oracle(path), feeds)) <= 1e-4
    alone = run(artifact, feeds, tmp_path, threads=1)
    assert all(alone[name].tobytes() == got[name].tobytes() for name in got)


@pytest.mark.parametrize("form", test_low_bits.FORMS)
def test_products_of_codes(form, tmp_path):
    path = tmp_path / "model.onnx"
    test_low_bits.model(path, *test_low_bits.FORMS[form])
    x = np.random.default_rng(4).standard_normal((9, test_low_bits.FORMS[form][2])).astype("f4")
    want = test_low_bits.plain_oracle(path).run(None, {"x": x})[0]
    for activations, bound in test_low_bits.BOUND.items():
        options = ["--activations", activations] if activations else []
        got = run(compiled(path, tmp_path, *options), {"x": x}, tmp_path)["y"]
        assert (np.abs(got - want).max(1) / np.abs(want).max(1)).max() < bound


@pytest.mark.parametrize("activations", ["int8", "int16", "int24", "f32"])
def test_generation(activations, tmp_path):
    path = small_llama.write(tmp_path, "microsoft")
    options = ["--generate", "--activations", activations]
    prompt, count = [3, 1, 4, 1, 5], 12
    here = tmp_path / "here.ingot"
    harness.ingot_ok("compile", path, "-o", here, *options)
    want = list(ingot.Session(str(here)).generate(prompt, count))
    got = host(compiled(path, tmp_path, *options), 2, "generate", count, *prompt)
    assert [int(line) for line in got] == want


def cases():
    """Every so many of the node tests that pass, of the dtypes that the host
    knows."""
    for name in PASSING[::9]:
        folder = NODE_TESTS / name
        model = onnx.load(folder / "model.onnx")
        types = {
            value.type.tensor_type.elem_type
            for value in [*model.graph.input, *model.graph.output]
            if value.type.HasField("tensor_type")
        }
        if types <= {1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13} and model.graph.input:
            yield name


def tensors(folder, kind, values):
    """{name: array} of a node test's inputs or outputs."""
    read = {}
    for i, value in enumerate(values):
        tensor = onnx.load_tensor(folder / "test_data_set_0" / f"{kind}_{i}.pb")
        read[value.name] = numpy_helper.to_array(tensor)
    return read


@pytest.mark.parametrize("name", cases())
def test_nodes(name, tmp_path):
    folder = NODE_TESTS / name
    graph = onnx.load(folder / "model.onnx").graph
    feeds, want = tensors(folder, "input", graph.input), tensors(folder, "output", graph.output)
    got = run(compiled(folder / "model.onnx", tmp_path), feeds, tmp_path)
    for output, expected in want.items():
        assert got[output].dtype == expected.dtype
        np.testing.assert_allclose(got[output], expected, rtol=1e-3, atol=1e-7)


def test_runs_only_where_it_can(tmp_path):
    path = NODE_TESTS / "test_relu" / "model.onnx"
    done = harness.ingot("run", compiled(path, tmp_path))
    assert done.returncode == 1 and "this machine is x86_64" in done.stderr
    here = tmp_path / "here.ingot"
    harness.ingot_ok("compile", path, "-o", here, "--target", "x86-64-v3")
    done = subprocess.run(["qemu-aarch64", HOST, here, "1", "run", "x=/dev/null:0"],
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 1 and "this machine is aarch64" in done.stderr
