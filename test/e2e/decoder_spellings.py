"""Small decoder layers in the spellings of attention with a cache for which no
file is at hand, with random weights: each is a model and inputs of many sizes.
ONNX Runtime, or onnx's reference evaluator, says what they mean."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT32, INT64 = TensorProto.FLOAT, TensorProto.INT32, TensorProto.INT64
MICROSOFT = "com.microsoft"


def _value(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def _model(nodes, inputs, outputs, weights=(), opset=18):
    graph = helper.make_graph(
        nodes, "decoder", inputs, outputs, [numpy_helper.from_array(a, n) for n, a in weights]
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def _random(seed, *shape):
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def tables(positions, pairs):
    """Cosines and sines of a rotary embedding."""
    angles = np.arange(positions)[:, None] * 10.0 ** (-np.arange(pairs) / max(pairs, 1))
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


# -- GroupQueryAttention


def group_query(packed=True, pairs=0, heads=4, groups=2, depth=16, positions=32, **attributes):
    """One GroupQueryAttention; `pairs` > 0 turns so many pairs of features."""
    names = ["q", "", ""] if packed else ["q", "k", "v"]
    widths = [(heads + 2 * groups) * depth] if packed else [heads * depth, *[groups * depth] * 2]
    inputs = [_value(n, ["b", "s", w]) for n, w in zip(filter(None, names), widths)]
    inputs += [_value(n, ["b", groups, "p", depth]) for n in ("past_k", "past_v")]
    # The mask is there for its extents and its count of ones, as in the files
    # of onnxruntime-genai.
    inputs += [_value("mask", ["b", "t"], INT64)]
    weights = [("one", np.array([1], np.int64)), ("at1", np.array(1, np.int64))]
    nodes = [
        helper.make_node("ReduceSum", ["mask", "one"], ["count"], keepdims=0),
        helper.make_node("Sub", ["count", "one"], ["last"]),
        helper.make_node("Cast", ["last"], ["lengths"], to=INT32),
        helper.make_node("Shape", ["mask"], ["shape"]),
        helper.make_node("Gather", ["shape", "at1"], ["length"]),
        helper.make_node("Cast", ["length"], ["total"], to=INT32),
    ]
    operands = [*names, "past_k", "past_v", "lengths", "total"]
    if pairs:
        cosines, sines = tables(positions, pairs)
        weights += [("cos", cosines), ("sin", sines)]
        operands += ["cos", "sin"]
        attributes["do_rotary"] = 1
    nodes.append(
        helper.make_node(
            "GroupQueryAttention", operands, ["y", "present_k", "present_v"], "gqa",
            domain=MICROSOFT, num_heads=heads, kv_num_heads=groups, **attributes,
        )  # fmt: skip
    )
    outputs = [_value("y", ["b", "s", heads * depth])]
    outputs += [_value(n, ["b", groups, "l", depth]) for n in ("present_k", "present_v")]
    return _model(nodes, inputs, outputs, weights)


def group_query_feeds(model, tokens, counts, buffer, seed=0):
    """Inputs for rows that have `counts` positions when the `tokens` new ones
    are among them; `buffer` is the extent of the past."""
    sizes = {"b": len(counts), "s": tokens, "p": buffer}
    feeds = {}
    for i, info in enumerate(model.graph.input):
        dims = info.type.tensor_type.shape.dim
        if info.name == "mask":
            mask = np.zeros((len(counts), max(counts)), np.int64)
            for row, count in zip(mask, counts):
                row[:count] = 1
            feeds["mask"] = mask
        else:
            shape = [d.dim_value or sizes[d.dim_param] for d in dims]
            feeds[info.name] = _random(seed + i, *shape)
    return feeds


# -- MultiHeadAttention and Attention of com.microsoft


def multi_head(
    past=False, bias=False, mask=None, added=False, heads=4, depth=8, rows="b", **attributes
):
    """One MultiHeadAttention; `mask` is the rank of its key_padding_mask, `rows`
    what the dim of one of rank 1 is called."""
    width = heads * depth
    inputs = [_value(n, ["b", n == "q" and "s" or "n", width]) for n in "qkv"]
    operands = ["q", "k", "v", "", "", "", "", ""]
    weights = []
    if bias:
        weights.append(("bias", _random(7, 3 * width)))
        operands[3] = "bias"
    if mask:
        shape = [None, [rows], ["b", "t"], ["b", "s", "t"]][mask]
        inputs.append(_value("mask", shape, INT32))
        operands[4] = "mask"
    if added:
        inputs.append(_value("added", [1, heads, "s", "t"]))
        operands[5] = "added"
    outputs = ["y"]
    if past:
        inputs += [_value(n, ["b", heads, "p", depth]) for n in ("past_k", "past_v")]
        operands[6:8] = ["past_k", "past_v"]
        outputs += ["present_k", "present_v"]
    node = helper.make_node(
        "MultiHeadAttention", operands, outputs, "mha", domain=MICROSOFT, num_heads=heads,
        **attributes,
    )  # fmt: skip
    results = [_value("y", ["b", "s", width])]
    results += [_value(n, ["b", heads, "l", depth]) for n in outputs[1:]]
    return _model([node], inputs, results, weights)


def fused(past=False, mask=None, heads=4, depth=8, rows="b", **attributes):
    """One Attention of com.microsoft with its weights; `mask` is the rank of
    mask_index."""
    width = heads * depth
    weights = [("w", _random(3, 24, 3 * width) / 5), ("bias", _random(4, 3 * width))]
    inputs = [_value("x", ["b", "s", 24])]
    operands = ["x", "w", "bias", "", ""]
    if mask:
        shape = [None, [rows], ["b", "t"], ["b", "s", "t"]][mask]
        inputs.append(_value("mask", shape, INT32))
        operands[3] = "mask"
    outputs, results = ["y"], [_value("y", ["b", "s", width])]
    if past:
        inputs.append(_value("past", [2, "b", heads, "p", depth]))
        operands[4] = "past"
        outputs.append("present")
        results.append(_value("present", [2, "b", heads, "l", depth]))
    node = helper.make_node(
        "Attention", operands, outputs, "attention", domain=MICROSOFT, num_heads=heads,
        **attributes,
    )  # fmt: skip
    return _model([node], inputs, results, weights)


def rotary(interleaved=0, rank=3, offset=False, heads=3, depth=8, pairs=4, positions=20):
    """One RotaryEmbedding of com.microsoft, over part of the features where
    pairs is less than half of them."""
    cosines, sines = tables(positions, pairs)
    shape = ["b", "s", heads * depth] if rank == 3 else ["b", heads, "s", depth]
    inputs = [_value("x", shape), _value("at", [1] if offset else ["b", "s"], INT64)]
    part = {"rotary_embedding_dim": 2 * pairs} if 2 * pairs < depth else {}
    node = helper.make_node(
        "RotaryEmbedding", ["x", "at", "cos", "sin"], ["y"], "rotary", domain=MICROSOFT,
        interleaved=interleaved, num_heads=heads if part or rank == 3 else 0, **part,
    )  # fmt: skip
    return _model([node], inputs, [_value("y", shape)], [("cos", cosines), ("sin", sines)])


# -- ONNX's own ops


def concat_cache(heads=4, groups=2, depth=8, **attributes):
    """Attention of opset 23 with its past and present."""
    inputs = [
        _value("q", ["b", "s", heads * depth]),
        *[_value(n, ["b", "s", groups * depth]) for n in "kv"],
        *[_value(n, ["b", groups, "p", depth]) for n in ("past_k", "past_v")],
    ]
    node = helper.make_node(
        "Attention", ["q", "k", "v", "", "past_k", "past_v"], ["y", "present_k", "present_v"],
        "attention", q_num_heads=heads, kv_num_heads=groups, is_causal=1, **attributes,
    )  # fmt: skip
    results = [_value("y", ["b", "s", heads * depth])]
    results += [_value(n, ["b", groups, "l", depth]) for n in ("present_k", "present_v")]
    return _model([node], inputs, results, opset=23)


def static_cache(writer, heads=4, groups=2, depth=8):
    """A buffer of fixed extent: new keys and values are written at a position,
    by TensorScatter (one of each row) or ScatterND (one for all rows); a mask
    hides what lies behind."""
    inputs = [
        _value("q", ["b", heads, "s", depth]),
        *[_value(n, ["b", groups, "s", depth]) for n in "kv"],
        *[_value(n, ["b", groups, "c", depth]) for n in ("cache_k", "cache_v")],
    ]
    nodes, weights, opset = [], [], 24
    if writer == "TensorScatter":
        inputs += [_value("at", ["b"], INT64), _value("valid", ["b"], INT64)]
        for n in "kv":
            nodes.append(helper.make_node("TensorScatter", [f"cache_{n}", n, "at"], [f"new_{n}"]))
        attention = ["q", "new_k", "new_v", "", "", "", "valid"]
    else:
        # Positions first: cache[:, :, at] = new, as exporters write it.
        inputs += [_value("at", ["s"], INT64), _value("mask", ["b", 1, "s", "c"], TensorProto.BOOL)]
        weights.append(("last", np.array([-1], np.int64)))
        nodes.append(helper.make_node("Unsqueeze", ["at", "last"], ["index"]))
        for n in "kv":
            turn = {"perm": [2, 0, 1, 3]}
            nodes += [
                helper.make_node("Transpose", [f"cache_{n}"], [f"old_{n}"], **turn),
                helper.make_node("Transpose", [n], [f"turned_{n}"], **turn),
                helper.make_node(
                    "ScatterND", [f"old_{n}", "index", f"turned_{n}"], [f"written_{n}"]
                ),
                helper.make_node("Transpose", [f"written_{n}"], [f"new_{n}"], perm=[1, 2, 0, 3]),
            ]
        attention = ["q", "new_k", "new_v", "mask"]
    nodes.append(helper.make_node("Attention", attention, ["y"], "attention"))
    results = [_value("y", ["b", heads, "s", depth])]
    results += [_value(n, ["b", groups, "c", depth]) for n in ("new_k", "new_v")]
    return _model(nodes, inputs, results, weights, opset)


def merged(same_shapes, heads=2, depth=8):
    """Attention in the branches of an If: with the past where use_cache is
    true. `same_shapes`: a past that is masked instead of left out, so that both
    branches give results of the same shapes."""
    shape = ["b", heads, "s", depth]
    inputs = [_value(n, shape) for n in "qkv"]
    inputs += [_value(n, ["b", heads, "p", depth]) for n in ("past_k", "past_v")]
    inputs.append(_value("use_cache", [1], TensorProto.BOOL))

    def branch(name, cached):
        nodes, keys = [], ["k", "v"]
        if cached or same_shapes:
            keys = [f"{name}_k", f"{name}_v"]
            for new, past, result in zip("kv", ("past_k", "past_v"), keys):
                nodes.append(helper.make_node("Concat", [past, new], [result], axis=2))
        elif not cached:
            keys = [f"{name}_k", f"{name}_v"]
            nodes += [helper.make_node("Identity", [n], [r]) for n, r in zip("kv", keys)]
        factor = np.array(0.25 if cached else 0.5, np.float32)
        nodes += [
            helper.make_node("Constant", [], [f"{name}_c"], value=numpy_helper.from_array(factor)),
            helper.make_node("Transpose", [keys[0]], [f"{name}_t"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["q", f"{name}_t"], [f"{name}_d"]),
            helper.make_node("Mul", [f"{name}_d", f"{name}_c"], [f"{name}_s"]),
            helper.make_node("Softmax", [f"{name}_s"], [f"{name}_p"], axis=-1),
            helper.make_node("MatMul", [f"{name}_p", keys[1]], [f"{name}_y"]),
        ]
        results = [_value(n, None) for n in (f"{name}_y", *keys)]
        return helper.make_graph(nodes, name, [], results)

    node = helper.make_node(
        "If", ["use_cache"], ["y", "present_k", "present_v"], "merged",
        then_branch=branch("then", True), else_branch=branch("else", False),
    )  # fmt: skip
    results = [_value("y", shape)]
    results += [_value(n, ["b", heads, "l", depth]) for n in ("present_k", "present_v")]
    return _model([node], inputs, results)


def feeds(model, seed=0, given=(), **sizes):
    """Random inputs of the given sizes; `given` holds arrays by name."""
    given = dict(given)
    result = {}
    for i, info in enumerate(model.graph.input):
        dims = info.type.tensor_type.shape.dim
        shape = [d.dim_value or sizes[d.dim_param] for d in dims]
        result[info.name] = given.get(info.name, _random(seed + i, *shape))
    return result


def save(model, path):
    """The path of the model, written there."""
    onnx.save(model, path)
    return path
