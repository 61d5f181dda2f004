"""Products with weights of few bits through the whole compiler, against ONNX
Runtime on the same codes."""

import harness
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

TYPES = {"int8": TensorProto.INT8, "uint8": TensorProto.UINT8}
RANGE = {"int8": (-128, 128), "uint8": (0, 256)}


def model(path, dtype, scale_shape, depth, width, axis, block, zero, transposed):
    """x times DequantizeLinear(codes), which is transposed before if asked."""
    rng = np.random.default_rng(3)
    shape = (width, depth) if transposed else (depth, width)
    codes = rng.integers(*RANGE[dtype], shape)
    tensors = [helper.make_tensor("codes", TYPES[dtype], shape, codes.ravel().tolist())]
    scale = rng.uniform(0.01, 0.02, scale_shape).astype(np.float32)
    tensors.append(numpy_helper.from_array(scale, "scale"))
    if zero:
        points = rng.integers(*RANGE[dtype], scale_shape)
        tensors.append(helper.make_tensor("zero", TYPES[dtype], scale_shape, points.ravel().tolist()))
    inputs = ["codes", "scale"] + ["zero"] * zero
    nodes = [helper.make_node("DequantizeLinear", inputs, ["w"], axis=axis,
                              **({"block_size": block} if block else {}))]  # fmt: skip
    if transposed:
        nodes.append(helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0]))
    nodes.append(helper.make_node("MatMul", ["x", "wt" if transposed else "w"], ["y"]))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "g", [value("x", TensorProto.FLOAT, ["m", depth])],
                              [value("y", TensorProto.FLOAT, ["m", width])], tensors)  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), path)


def plain_oracle(path):
    """ONNX Runtime as the file says: its optimizer would round activations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


FORMS = {
    "blocks": ("uint8", (6, 80), 192, 80, 0, 32, True, False),
    "blocks-transposed": ("int8", (77, 6), 192, 77, 1, 32, False, True),
    "long-blocks": ("int8", (2, 48), 512, 48, 0, 256, True, False),
    "columns": ("int8", (80,), 200, 80, 1, 0, True, False),
    "columns-transposed": ("uint8", (33,), 96, 33, 0, 0, True, True),
    "tensor": ("int8", (), 96, 80, 1, 0, False, False),
}
# Of the row's largest output; int8 activations are another test's.
BOUND = {None: 2e-6, "int16": 1e-4, "f32": 2e-6}


@pytest.mark.parametrize("form", FORMS)
def test_products(form, tmp_path):
    path = tmp_path / "model.onnx"
    model(path, *FORMS[form])
    depth = FORMS[form][2]
    x = np.random.default_rng(4).standard_normal((9, depth)).astype(np.float32)
    want = plain_oracle(path).run(None, {"x": x})[0]
    for activations, bound in BOUND.items():
        options = ["--activations", activations] if activations else []
        artifact = tmp_path / f"{activations}.ingot"
        harness.ingot_ok("compile", path, "-o", artifact, "--dump-dir", tmp_path, *options)
        assert "ingot.quantized_linear" in (tmp_path / "2-structured.mlir").read_text()
        got = harness.run(artifact, {"x": x})["y"]
        assert (np.abs(got - want).max(1) / np.abs(want).max(1)).max() < bound
        alone = harness.run(artifact, {"x": x[2:3]})["y"]
        assert (alone.view("i4") == got[2:3].view("i4")).all()
