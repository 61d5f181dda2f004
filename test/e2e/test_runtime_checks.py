"""Sizes that only a run can tell to be wrong end in an error before anything
is read by them, however far off they are."""

import harness
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper


def model_of(path, op, constant=None):
    """One op on f32 inputs of unknown sizes (and a constant shape)."""
    names = ["x"] if constant else ["x", "p"]
    inputs = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [f"{n}0", f"{n}1"]) for n in names
    ]
    shape = [helper.make_tensor("s", TensorProto.INT64, [2], constant)] if constant else []
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, constant or ["m", "n"])
    node = helper.make_node(op, names + ["s"] * len(shape), ["y"], name="it")
    graph = helper.make_graph([node], "g", inputs, [output], shape)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.mark.parametrize("op", ["Reshape", "Add", "MatMul"])
def test_sizes_that_do_not_fit(op, tmp_path):
    model = model_of(tmp_path / "m.onnx", op, [1000, 1000] if op == "Reshape" else None)
    feeds = {"x": np.ones((2, 3), np.float32)}
    if op != "Reshape":
        feeds["p"] = np.ones((4000, 500), np.float32)
    np.savez(tmp_path / "in.npz", **feeds)
    done = harness.ingot("run", model, "--inputs", tmp_path / "in.npz")
    assert done.returncode == 1, done.stderr
    assert "in 'it'" in done.stderr
