"""`--dim NAME=NUMBER`: programs for one size, and names that cannot be fixed."""

import harness
import ingot
import numpy as np
import pytest
import small_models
from onnx import helper


def test_agrees_with_onnx_runtime(tmp_path):
    path = harness.MODELS / "minilm-l3.onnx"
    feeds = harness.sentence_batch(3, 21, token_types=False)
    shape = next(iter(feeds.values())).shape
    names = harness.oracle(path).get_inputs()[0].shape
    fixed = [f"--dim={name}={extent}" for name, extent in zip(names, shape)]
    artifact = tmp_path / "fixed.ingot"
    harness.ingot_ok("compile", path, "-o", artifact, *fixed)
    got = harness.run(artifact, feeds)
    assert harness.largest_difference(got, harness.oracle_run(harness.oracle(path), feeds)) <= 1e-4
    # The order of every sum is the same for all sizes.
    any_size = harness.run(harness.compiled(path), feeds)
    assert all(got[name].tobytes() == any_size[name].tobytes() for name in got)


def test_other_sizes_are_refused(tmp_path):
    path = small_models.save(small_models.dense(), tmp_path / "m.onnx")
    model = ingot.compile(path, dims={"n": 3})
    x, z = np.ones((3, 4), "f4"), np.ones((3, 8), "f4")
    assert ingot.Session(model).run({"x": x, "z": z})["y"].shape == (3, 8)
    with pytest.raises(ValueError, match="dim 0 .* 3"):
        ingot.Session(model).run({"x": x[:2], "z": z[:2]})


def test_expressions_and_dims_without_names(tmp_path):
    """`n + 1` follows n; a dim without a name is called after its input."""
    proto = small_models.model_of(
        [helper.make_node("Concat", ["x", "z"], ["c"], axis=0),
         helper.make_node("Concat", ["c", "w"], ["y"], axis=0)],
        [small_models.value("x", ["n", 2]), small_models.value("z", ["n + 1", 2]),
         small_models.value("w", [None, 2])],
        [small_models.value("y", ["out", 2])],
    )  # fmt: skip
    path = small_models.save(proto, tmp_path / "m.onnx")
    artifact = tmp_path / "m.ingot"
    harness.ingot_ok("compile", path, "-o", artifact, "--dim", "n=2", "--dim", "w_d0=4")
    feeds = {name: np.full((rows, 2), rows, "f4") for name, rows in zip("xzw", (2, 3, 4))}
    got = harness.run(artifact, feeds)["y"]
    assert np.array_equal(got, np.concatenate([feeds[name] for name in "xzw"]))


@pytest.mark.parametrize(
    "dim, message",
    [
        ("m=3", "no input has a dim 'm' that is open; open are 'n'"),
        ("n", "the dim 'n' is not of the form NAME=NUMBER"),
        ("n=many", "the dim 'n' cannot be 'many': it is no integer from 0 to"),
        ("n=-1", "the dim 'n' cannot be '-1'"),
        (f"n={10**20}", "the dim 'n' cannot be '1000"),
    ],
)
def test_dims_that_cannot_be(dim, message, tmp_path):
    path = small_models.save(small_models.dense(), tmp_path / "m.onnx")
    done = harness.ingot("compile", path, "-o", tmp_path / "m.ingot", "--dim", dim)
    assert done.returncode == 1 and message in done.stderr
    assert not (tmp_path / "m.ingot").exists()


def test_a_dim_is_given_once(tmp_path):
    path = small_models.save(small_models.dense(), tmp_path / "m.onnx")
    twice = ["--dim", "n=1", "--dim", "n=2"]
    done = harness.ingot("compile", path, "-o", tmp_path / "m.ingot", *twice)
    assert done.returncode == 1 and "the dim 'n' is given twice" in done.stderr
    both = ["--dim", "n=1", "--erase-dims"]
    done = harness.ingot("compile", path, "-o", tmp_path / "m.ingot", *both)
    assert done.returncode == 1 and "taken as unknown and given as numbers" in done.stderr
