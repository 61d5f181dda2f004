"""Further forms of attention and rotary embeddings, each a small model; ONNX
Runtime says what they mean, of a packed form by the same operands unpacked."""

import decoder_spellings as spell
import numpy as np
from decoder_spellings import FLOAT, INT32, INT64, MICROSOFT, _model, _value, tables
from onnx import helper


def woven_rotary(form, heads=3, depth=8, positions=20):
    """Interleaved rotary embedding in primitives. "every_two": slices of every
    second feature, negated and stacked, with tables that repeat each angle by a
    stack, "expand" by an Expand; "pairs": features reshaped to pairs, each
    member computed apart; "complex": the same with members that keep a last dim
    of one, as complex numbers are exported."""
    pairs = depth // 2
    cosines, sines = tables(positions, pairs)
    shape = ["b", heads, "s", depth]
    inputs = [_value("x", shape), _value("at", ["b", "s"], INT64)]
    make, nodes = helper.make_node, []
    weights = [
        ("cos", cosines), ("sin", sines), ("one", np.array([1])), ("last", np.array([-1])),
        ("zero", np.array([0])), ("two", np.array([2])), ("end", np.array([2**63 - 1])),
        ("halves", np.array([1, 1])), ("twice", np.array([0, 0, 0, pairs, 2])),
        ("whole", np.array([0, 0, 0, depth])), ("table", np.array([0, 0, depth])),
        ("repeated", np.array([1, 1, 1, 2])),
    ]  # fmt: skip
    for n in ("cos", "sin"):
        nodes.append(make("Gather", [n, "at"], [f"{n}_at"]))

    def stack(a, b, to, shape):
        for n in {a, b}:
            nodes.append(make("Unsqueeze", [n, "last"], [f"{n}.{to}"]))
        nodes.append(make("Concat", [f"{a}.{to}", f"{b}.{to}"], [f"{to}.stacked"], axis=-1))
        nodes.append(make("Reshape", [f"{to}.stacked", shape], [to]))

    if form in ("every_two", "expand"):
        for n in ("cos", "sin"):
            if form == "expand":
                nodes.append(make("Unsqueeze", [f"{n}_at", "last"], [f"{n}_apart"]))
                nodes.append(make("Expand", [f"{n}_apart", "repeated"], [f"{n}_both"]))
                nodes.append(make("Reshape", [f"{n}_both", "table"], [f"{n}_twice"]))
            else:
                stack(f"{n}_at", f"{n}_at", f"{n}_twice", "table")
            nodes.append(make("Unsqueeze", [f"{n}_twice", "one"], [f"{n}_all"]))
        nodes += [
            make("Slice", ["x", "zero", "end", "last", "two"], ["even"]),
            make("Slice", ["x", "one", "end", "last", "two"], ["odd"]),
            make("Neg", ["odd"], ["negated"]),
        ]
        stack("negated", "even", "turned", "whole")
        nodes += [
            make("Mul", ["x", "cos_all"], ["straight"]),
            make("Mul", ["turned", "sin_all"], ["across"]),
            make("Add", ["straight", "across"], ["y"]),
        ]
    else:
        apart = form == "pairs"
        nodes.append(make("Reshape", ["x", "twice"], ["split"]))
        nodes.append(make("Split", ["split", "halves"], ["even1", "odd1"], axis=-1))
        for n in ("even", "odd"):
            kind = "Squeeze" if apart else "Identity"
            nodes.append(make(kind, [f"{n}1", "last"] if apart else [f"{n}1"], [n]))
        for n in ("cos", "sin"):
            nodes.append(make("Unsqueeze", [f"{n}_at", "one"], [f"{n}_all" if apart else f"{n}_h"]))
            if not apart:
                nodes.append(make("Unsqueeze", [f"{n}_h", "last"], [f"{n}_all"]))
        nodes += [
            make("Mul", ["even", "cos_all"], ["ec"]),
            make("Mul", ["odd", "sin_all"], ["os"]),
            make("Mul", ["even", "sin_all"], ["es"]),
            make("Mul", ["odd", "cos_all"], ["oc"]),
            make("Sub", ["ec", "os"], ["first"]),
            make("Add", ["es", "oc"], ["second"]),
        ]
        if apart:
            stack("first", "second", "y", "whole")
        else:
            nodes.append(make("Concat", ["first", "second"], ["both"], axis=-1))
            nodes.append(make("Reshape", ["both", "whole"], ["y"]))
    used = {name for node in nodes for name in node.input}
    weights = [(n, np.asarray(a)) for n, a in weights if n in used]
    return _model(nodes, inputs, [_value("y", shape)], weights)


def packed_multi_head(which, heads=4, depth=8, past=False, **attributes):
    """MultiHeadAttention with operands in one tensor: "qkv", "kv", or "apart":
    keys and values with their heads apart, as those of cross-attention."""
    width = heads * depth
    if which == "qkv":
        inputs = [_value("qkv", ["b", "s", heads, 3, depth])]
        operands = ["qkv"]
    elif which == "kv":
        inputs = [_value("q", ["b", "s", width]), _value("kv", ["b", "n", heads, 2, depth])]
        operands = ["q", "kv"]
    else:
        inputs = [_value("q", ["b", "s", width])]
        inputs += [_value(n, ["b", heads, "n", depth]) for n in "kv"]
        operands = ["q", "k", "v"]
    node = helper.make_node(
        "MultiHeadAttention", operands, ["y"], "mha", domain=MICROSOFT, num_heads=heads,
        **attributes,
    )  # fmt: skip
    return _model([node], inputs, [_value("y", ["b", "s", width])])


def unpacked(feeds):
    """The operands of packed_multi_head as spell.multi_head takes them."""
    def flat(x):
        return np.ascontiguousarray(x.reshape(*x.shape[:2], -1))

    if "qkv" in feeds:
        return {n: flat(feeds["qkv"][:, :, :, i]) for i, n in enumerate("qkv")}
    if "kv" in feeds:
        parts = {n: flat(feeds["kv"][:, :, :, i]) for i, n in enumerate("kv")}
        return {"q": feeds["q"], **parts}
    return {"q": feeds["q"], **{n: flat(feeds[n].transpose(0, 2, 1, 3)) for n in "kv"}}


def group_query_with(bias=False, positions=False, lengths=False, sink=False, rows=32, **options):
    """spell.group_query with tables of `rows` rows and further inputs: a bias of
    the scores, positions of the rotation, and the lengths themselves instead of
    a mask."""
    model = spell.group_query(positions=rows, **options)
    graph = model.graph
    node = next(n for n in graph.node if n.op_type == "GroupQueryAttention")
    names = [*node.input] + [""] * (12 - len(node.input))
    heads = options.get("heads", 4)
    if positions:
        names[9] = "at"
        graph.input.append(_value("at", ["b", "s"], INT64))
    if bias:
        names[10] = "bias"
        graph.input.append(_value("bias", ["b", heads, "s", "t"], FLOAT))
    if sink:
        names[11] = "sink"
        graph.input.append(_value("sink", [heads], FLOAT))
    while not names[-1]:
        names.pop()
    if lengths:
        # seqlens_k and the total length, as they are.
        names[5:7] = ["last", "total"]
        del graph.node[:-1]
        kept = [v for v in graph.input if v.name != "mask"]
        del graph.input[:]
        graph.input.extend([*kept, _value("last", ["b"], INT32), _value("total", [1], INT32)])
        weights = [w for w in graph.initializer if w.name in ("cos", "sin")]
        del graph.initializer[:]
        graph.initializer.extend(weights)
    node.input[:] = names
    return model


def two_sided(heads=4, depth=8):
    """Attention of com.microsoft whose mask_index says where the keys of each
    row end, and then where they begin."""
    model = spell.fused(mask=1, heads=heads, depth=depth)
    for value in model.graph.input:
        if value.name == "mask":
            value.CopyFrom(_value("mask", ["2 * b"], INT32))
    return model

