"""Models of bf16, made of models of f32, and what ONNX Runtime says of them."""

import ml_dtypes
import numpy as np
import onnx
import small_llama
from onnx import TensorProto, helper, numpy_helper

BFLOAT = TensorProto.BFLOAT16


def in_bfloats(model):
    """The same graph with bf16 for every float."""
    graph = model.graph
    for weight in graph.initializer:
        if weight.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(weight).astype(ml_dtypes.bfloat16)
            weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    for value in [*graph.input, *graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = BFLOAT
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = BFLOAT
    return model


def floats_of(model, rounded):
    """The f32 model of a bf16 one, for ONNX Runtime, which has no bf16
    arithmetic: with the values of the weights and, if `rounded`, with the result
    of every node rounded to bf16."""
    graph, nodes = model.graph, []
    for weight in graph.initializer:
        if weight.data_type == BFLOAT:
            values = numpy_helper.to_array(weight).astype(np.float32)
            weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    for value in [*graph.input, *graph.output]:
        if value.type.tensor_type.elem_type == BFLOAT:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    kinds = {}
    inferred = onnx.shape_inference.infer_shapes(model).graph
    for value in [*inferred.value_info, *inferred.output]:
        kinds[value.name] = value.type.tensor_type.elem_type
    for node in graph.node:
        nodes.append(node)
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == BFLOAT:
                attribute.i = TensorProto.FLOAT
        for i, name in enumerate(node.output):
            if not rounded or kinds.get(name) not in (None, TensorProto.FLOAT, BFLOAT):
                continue
            node.output[i] = f"{name}.exact"
            nodes.append(helper.make_node("Cast", [f"{name}.exact"], [f"{name}.short"], to=BFLOAT))
            nodes.append(helper.make_node("Cast", [f"{name}.short"], [name], to=TensorProto.FLOAT))
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def evaluated(model, feeds):
    """What ONNX Runtime makes of the nodes as they stand."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(["logits"], feeds)[0]


def write_llama(folder):
    """The small Llama in primitives; returns the path of the ONNX file."""
    model = in_bfloats(onnx.load(small_llama.write(folder, "primitives")))
    onnx.save(model, folder / "bfloat16.onnx")
    return folder / "bfloat16.onnx"


def write_products(folder):
    """Products of whole and of odd extents one after the other."""
    extents, random = [64, 128, 33, 40], np.random.default_rng(0)
    nodes, weights = [], []
    for i, shape in enumerate(zip(extents, extents[1:])):
        weight = random.standard_normal(shape).astype(ml_dtypes.bfloat16)
        weights.append(numpy_helper.from_array(weight, f"w{i}"))
        nodes.append(helper.make_node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"]))
    value = helper.make_tensor_value_info
    given = value("x0", BFLOAT, ["n", extents[0]])
    result = value(f"x{len(nodes)}", BFLOAT, ["n", extents[-1]])
    graph = helper.make_graph(nodes, "products", [given], [result], weights)
    imports = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=10), folder / "products.onnx")
    return folder / "products.onnx"
