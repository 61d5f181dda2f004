"""Small ONNX models made on the spot: good ones for the runtime's tests and
bad ones that the importer must refuse."""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name, shape, dtype=FLOAT):
    """A graph input or output."""
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(nodes, inputs, outputs, weights=(), opset=18, domains=()):
    """A model proto; `weights` are (name, array)."""
    graph = helper.make_graph(
        nodes, "small", inputs, outputs, [numpy_helper.from_array(a, n) for n, a in weights]
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def save(model, path):
    """Writes the bytes without ONNX's checker, which the bad ones would fail."""
    pathlib.Path(path).write_bytes(model.SerializeToString())
    return path


def dense(width=8):
    """y = relu(x w + b) + z: two inputs that share the symbol n."""
    random = np.random.default_rng(1)
    return model_of(
        [
            helper.make_node("MatMul", ["x", "w"], ["h"], "times"),
            helper.make_node("Add", ["h", "b"], ["a"], "plus"),
            helper.make_node("Relu", ["a"], ["r"], "act"),
            helper.make_node("Add", ["r", "z"], ["y"], "join"),
        ],
        [value("x", ["n", 4]), value("z", ["n", width])],
        [value("y", ["n", width])],
        [
            ("w", random.standard_normal((4, width), np.float32)),
            ("b", random.standard_normal(width, np.float32)),
        ],
    )

def decoder(vocabulary=32, width=8, heads=2, positions=200):
    """A decoder of one layer in the spelling of exporters: past and present,
    a mask, positions of a table."""
    random = np.random.default_rng(2)
    make, depth = helper.make_node, width // heads
    weight = lambda *shape: random.standard_normal(shape, np.float32) / width**0.5  # noqa: E731
    weights = [
        ("wte", weight(vocabulary, width)), ("wpe", weight(positions, width)),
        ("head", weight(width, vocabulary)), *((f"w{x}", weight(width, width)) for x in "qkv"),
        ("scale", np.float32(depth**-0.5)), ("none", np.float32(0)), ("hide", np.float32("-inf")),
        ("split", np.array([0, 0, heads, depth])), ("merge", np.array([0, 0, width])),
        *((f"at_{i}", np.array(i)) for i in range(3)), ("row", np.array([1, 2])),
    ]  # fmt: skip
    nodes = [
        make("Gather", ["wte", "input_ids"], ["e"], "tokens"),
        make("Gather", ["wpe", "position_ids"], ["p"], "places"),
        make("Add", ["e", "p"], ["x"], "embed"),
    ]
    for x in "qkv":
        nodes += [
            make("MatMul", ["x", f"w{x}"], [f"{x}1"], f"project_{x}"),
            make("Reshape", [f"{x}1", "split"], [f"{x}2"], f"split_{x}"),
            make("Transpose", [f"{x}2"], [f"{x}3"], f"heads_{x}", perm=[0, 2, 1, 3]),
        ]
    nodes += [
        make("Concat", ["past.key", "k3"], ["present.key"], "append_k", axis=2),
        make("Concat", ["past.value", "v3"], ["present.value"], "append_v", axis=2),
        make("Shape", ["past.key"], ["past_shape"]),
        make("Gather", ["past_shape", "at_2"], ["past_length"]),
        make("Shape", ["present.key"], ["present_shape"]),
        make("Gather", ["present_shape", "at_2"], ["total_length"]),
        make("Range", ["at_0", "total_length", "at_1"], ["keys"]),
        make("Range", ["past_length", "total_length", "at_1"], ["queries"]),
        make("Unsqueeze", ["queries", "at_1"], ["column"]),
        make("LessOrEqual", ["keys", "column"], ["causal"]),
        make("Cast", ["attention_mask"], ["shown"], to=TensorProto.BOOL),
        make("Unsqueeze", ["shown", "row"], ["padding"]),
        make("And", ["causal", "padding"], ["visible"]),
        make("Where", ["visible", "none", "hide"], ["mask"]),
        make("Transpose", ["present.key"], ["kt"], perm=[0, 1, 3, 2]),
        make("MatMul", ["q3", "kt"], ["s1"]),
        make("Mul", ["s1", "scale"], ["s2"]),
        make("Add", ["s2", "mask"], ["s3"]),
        make("Softmax", ["s3"], ["s4"]),
        make("MatMul", ["s4", "present.value"], ["a1"], "attend"),
        make("Transpose", ["a1"], ["a2"], perm=[0, 2, 1, 3]),
        make("Reshape", ["a2", "merge"], ["a3"]),
        make("Add", ["x", "a3"], ["y"]),
        make("MatMul", ["y", "head"], ["logits"], "head"),
    ]
    ids, past, present = ["batch", "seq"], ["batch", heads, "past", depth], ["batch", heads, "all", depth]
    inputs = [
        value("input_ids", ids, INT64), value("attention_mask", ["batch", "total"], INT64),
        value("position_ids", ids, INT64), value("past.key", past), value("past.value", past),
    ]  # fmt: skip
    outputs = [
        value("logits", [*ids, vocabulary]), value("present.key", present),
        value("present.value", present),
    ]  # fmt: skip
    return model_of(nodes, inputs, outputs, weights)


def unary(op, domain="", opset=18, domains=(), dtype=FLOAT, **attributes):
    """y = op(x), the node named `the_node`."""
    node = helper.make_node(op, ["x"], ["y"], "the_node", domain=domain, **attributes)
    return model_of(
        [node], [value("x", ["n", 4], dtype)], [value("y", ["n", 4], dtype)], (), opset, domains
    )


def cyclic():
    """Two nodes that wait for each other."""
    return model_of(
        [
            helper.make_node("Add", ["x", "b"], ["a"], "first"),
            helper.make_node("Relu", ["a"], ["b"], "second"),
        ],
        [value("x", ["n", 4])],
        [value("b", ["n", 4])],
    )


def contradicting():
    """An Add whose operands cannot be broadcast together."""
    return model_of(
        [helper.make_node("Add", ["x", "z"], ["y"], "the_node")],
        [value("x", [3, 4]), value("z", [3, 5])],
        [value("y", [3, 4])],
    )


def wrong_output_shape():
    """A MatMul whose declared result contradicts its operands."""
    model = dense()
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 9
    return model


def dangling():
    """A node that reads a value nobody makes."""
    return model_of(
        [helper.make_node("Add", ["x", "ghost"], ["y"], "the_node")],
        [value("x", ["n", 4])],
        [value("y", ["n", 4])],
    )


def twice_made():
    """Two nodes that make the same value: not single assignment."""
    return model_of(
        [
            helper.make_node("Relu", ["x"], ["y"], "first"),
            helper.make_node("Neg", ["x"], ["y"], "the_node"),
        ],
        [value("x", ["n", 4])],
        [value("y", ["n", 4])],
    )


def missing_input():
    """A MatMul with one operand."""
    return model_of(
        [helper.make_node("MatMul", ["x"], ["y"], "the_node")],
        [value("x", ["n", 4])],
        [value("y", ["n", 4])],
    )


def short_weight():
    """A weight whose raw bytes are fewer than its shape needs."""
    model = dense()
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-5]
    return model


def huge_weight():
    """A weight whose shape promises far more than any file holds."""
    model = dense()
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([1 << 40, 1 << 40])
    return model


def negative_dim():
    """A weight with a negative dimension."""
    model = dense()
    model.graph.initializer[0].dims[0] = -4
    return model


def external(location, length=None, offset=0):
    """`dense` whose first weight lies in another file."""
    model = dense()
    weight = model.graph.initializer[0]
    size = len(weight.raw_data) if length is None else length
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, text in (("location", location), ("offset", offset), ("length", size)):
        weight.external_data.add(key=key, value=str(text))
    return model


def several_unknown():
    """Three unknown ops of two kinds beside a known one."""
    make = helper.make_node
    return model_of(
        [
            make("Frobnicate", ["x"], ["a"], "odd_one"),
            make("Relu", ["a"], ["b"], "fine"),
            make("Frobnicate", ["b"], ["c"], "odd_two"),
            make("Mystery", ["c"], ["y"], "odd_three", domain="org.example"),
        ],
        [value("x", ["n", 4])],
        [value("y", ["n", 4])],
        domains=["org.example"],
    )


def with_positions(source, target, count):
    """A copy of a BERT-like model whose tables of 512 positions have `count`
    rows: numbered ones go on counting, the others repeat."""
    model = onnx.load(str(source))
    constants = [
        attribute.t
        for node in model.graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    ]
    for tensor in [*model.graph.initializer, *constants]:
        if 512 not in tensor.dims:
            continue
        array = numpy_helper.to_array(tensor)
        axis = list(array.shape).index(512)
        times = [1] * array.ndim
        times[axis] = -(-count // 512)
        longer = np.tile(array, times)
        if array.size == 512 and np.array_equal(array.ravel(), np.arange(512)):
            longer = np.arange(longer.size, dtype=array.dtype).reshape(longer.shape)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(longer), tensor.name))
    return save(model, target)
