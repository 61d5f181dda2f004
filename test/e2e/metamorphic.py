"""Spells an ONNX model differently without changing what it computes: other
names, another topological order, commuted operands, Identities in between.
As a program: metamorphic.py IN.onnx OUT.onnx [SEED]."""

import random
import sys

import onnx

COMMUTATIVE = {"Add", "Mul", "And", "Or", "Xor", "Max", "Min", "Equal", "Sum", "Mean"}


def producers(graph):
    """Which node makes each value."""
    return {name: node for node in graph.node for name in node.output if name}


def rename(graph, rng):
    """New names for everything but the graph's inputs and outputs."""
    kept = {value.name for value in [*graph.input, *graph.output]} | {""}
    names = {}

    def fresh(name):
        if name in kept:
            return name
        if name not in names:
            names[name] = f"v{rng.getrandbits(32):08x}_{len(names)}"
        return names[name]

    for tensor in graph.initializer:
        tensor.name = fresh(tensor.name)
    for node in graph.node:
        node.input[:] = [fresh(name) for name in node.input]
        node.output[:] = [fresh(name) for name in node.output]
        node.name = f"n{rng.getrandbits(32):08x}"
        node.ClearField("doc_string")
        del node.metadata_props[:]
    del graph.value_info[:]


def commute(graph, rng):
    """Operands of commutative ops in another order."""
    for node in graph.node:
        if node.op_type in COMMUTATIVE and node.domain in ("", "ai.onnx"):
            order = list(node.input)
            rng.shuffle(order)
            node.input[:] = order


def insert_identities(graph, rng, share=0.2):
    """An Identity on some of the edges between nodes."""
    made = producers(graph)
    inserted = []
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in made and rng.random() < share:
                through = f"through_{len(inserted)}"
                inserted.append(
                    onnx.helper.make_node("Identity", [name], [through], f"identity_{len(inserted)}")
                )
                node.input[place] = through
    graph.node.extend(inserted)


def reorder(graph, rng):
    """A random topological order."""
    made = producers(graph)
    nodes = list(graph.node)
    index = {id(node): place for place, node in enumerate(nodes)}
    waits = {
        place: {index[id(made[name])] for name in node.input if name in made}
        for place, node in enumerate(nodes)
    }
    users = {place: [] for place in waits}
    for place, needed in waits.items():
        for other in needed:
            users[other].append(place)
    ready = [place for place, needed in waits.items() if not needed]
    order = []
    while ready:
        place = ready.pop(rng.randrange(len(ready)))
        order.append(place)
        for user in users[place]:
            waits[user].discard(place)
            if not waits[user]:
                ready.append(user)
    copies = [onnx.NodeProto.FromString(nodes[place].SerializeToString()) for place in order]
    del graph.node[:]
    graph.node.extend(copies)


def respell(model, seed=0):
    """A differently spelt copy of a model without subgraphs."""
    rng = random.Random(seed)
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    commute(copy.graph, rng)
    insert_identities(copy.graph, rng)
    reorder(copy.graph, rng)
    rename(copy.graph, rng)
    return copy


if __name__ == "__main__":
    source, target, *seed = sys.argv[1:]
    onnx.save(respell(onnx.load(source), int(seed[0]) if seed else 0), target)
