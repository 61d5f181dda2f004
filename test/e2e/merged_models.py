"""Decoders merged by an If: one branch reads pasts, the other has none, as
optimum's decoder_model_merged.onnx; and small models around such an If."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from small_models import INT64, decoder, model_of, value

BOOL = TensorProto.BOOL
#: How the condition comes from the input: nodes from `use_cache_branch` to
#: `condition`; of "not" the branches change places.
CONDITIONS = {
    "plain": [("Identity", {})],
    "not": [("Not", {})],
    "cast": [("Cast", {"to": INT64}), ("Cast", {"to": BOOL})],
    "reshape": [("Reshape", {"shape": []}), ("Identity", {})],
    "squeeze": [("Squeeze", {}), ("Not", {}), ("Unsqueeze", {"shape": [0]}), ("Not", {})],
    "and": [("And", {"other": [True]}), ("Or", {"other": [False]})],
}


def condition(kind, shape=(1,)):
    """The nodes, weights and input of a condition, and its name."""
    nodes, weights, last = [], [], "use_cache_branch"
    for i, (op, how) in enumerate(CONDITIONS[kind]):
        names, attributes = [last], {}
        for key, given in how.items():
            if key == "to":
                attributes["to"] = given
                continue
            dtype = np.int64 if key == "shape" else bool
            weights.append((f"condition_{i}_{key}", np.array(given, dtype)))
            names.append(weights[-1][0])
        last = f"condition_{i}"
        nodes.append(helper.make_node(op, names, [last], **attributes))
    return nodes, weights, value("use_cache_branch", list(shape), BOOL), last


def _branch(model, name, pasts):
    """The model's nodes with results of its own; `pasts` are read instead of its
    inputs."""
    own = {out for node in model.graph.node for out in node.output}
    names = {**{out: f"{name}.{out}" for out in own}, **pasts}
    nodes = []
    for node in model.graph.node:
        copy = type(node)()
        copy.CopyFrom(node)
        copy.name = f"{name}/{node.name or node.output[0]}"
        copy.input[:] = [names.get(x, x) for x in node.input]
        copy.output[:] = [names[x] for x in node.output]
        nodes.append(copy)
    return nodes, [value(names[x.name], None) for x in model.graph.output]


def merged_decoder(kind="plain", shape=(1,)):
    """small_models.decoder() with its pasts where use_cache_branch is true, with
    pasts of no positions where it is false."""
    model = decoder()
    pasts = [x for x in model.graph.input if x.name.startswith("past.")]
    with_past = helper.make_graph(*_named(_branch(model, "with", {}), "with"))
    empty = []
    for past in pasts:
        dims = [d.dim_value for d in past.type.tensor_type.shape.dim]
        rest = numpy_helper.from_array(np.array([dims[1], 0, dims[3]]))
        name = f"without.{past.name}"
        empty += [
            helper.make_node("Shape", ["input_ids"], [f"{name}_batch"], start=0, end=1),
            helper.make_node("Constant", [], [f"{name}_rest"], value=rest),
            helper.make_node("Concat", [f"{name}_batch", f"{name}_rest"], [f"{name}_dims"], axis=0),
            helper.make_node("ConstantOfShape", [f"{name}_dims"], [name]),
        ]
    nodes, results = _branch(model, "without", {p.name: f"without.{p.name}" for p in pasts})
    without = helper.make_graph(*_named((empty + nodes, results), "without"))
    branches = [with_past, without][:: -1 if kind == "not" else 1]
    nodes, weights, decider, last = condition(kind, shape)
    nodes.append(
        helper.make_node(
            "If", [last], [x.name for x in model.graph.output], "merged",
            then_branch=branches[0], else_branch=branches[1],
        )  # fmt: skip
    )
    # As optimum declares it: true of runs with a past, and of no others.
    inputs = [
        value(x.name, ["batch", "past + seq"], INT64) if x.name == "attention_mask" else x
        for x in model.graph.input
    ]
    result = model_of(nodes, [*inputs, decider], list(model.graph.output), weights)
    result.graph.initializer.extend(model.graph.initializer)
    return result


def _named(made, name):
    nodes, results = made
    return nodes, name, [], results


def choice(then, other, kind="plain", shape=(1,), inputs=(("x", ["n", 3]),), outputs=("y",)):
    """An If whose branches are lists of nodes over `inputs`; results are named
    as the outputs are, with the branch's name behind."""
    branches = [
        helper.make_graph(nodes, name, [], [value(f"{x}_{name}", None) for x in outputs])
        for name, nodes in (("then", then), ("else", other))
    ]
    nodes, weights, decider, last = condition(kind, shape)
    nodes.append(
        helper.make_node("If", [last], outputs, "choice", then_branch=branches[0], else_branch=branches[1])
    )
    results = [helper.make_tensor_value_info(x, TensorProto.FLOAT, None) for x in outputs]
    return model_of(nodes, [*(value(*x) for x in inputs), decider], results, weights)


def feeds(use, tokens, past, batch=1, unread=None, seed=0):
    """Inputs of a merged decoder; where pasts are not read they may have another
    batch and length, `unread`."""
    random = np.random.default_rng(seed)
    rows, length = (batch, past) if use or unread is None else unread
    total = past + tokens if use else tokens
    first = past if use else 0
    return {
        "input_ids": random.integers(0, 32, (batch, tokens)),
        "attention_mask": np.ones((batch, total), np.int64),
        "position_ids": np.tile(np.arange(first, total), (batch, 1)),
        "past.key": random.standard_normal((rows, 2, length, 4)).astype(np.float32),
        "past.value": random.standard_normal((rows, 2, length, 4)).astype(np.float32),
        "use_cache_branch": np.array([use]),
    }
