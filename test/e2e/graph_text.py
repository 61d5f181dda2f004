"""What a model is recognised as, without making code of it: how many ops of each
kind, and the ops of a decoder in a form that does not depend on names, on the
order of independent ops, or on how weights are stored."""

import collections
import re
import subprocess

import harness

LINE = re.compile(r"^ *(?:%(\w+)(?::\d+)? = )?\"?([a-z_]+\.[a-z_]+)\"?(.*)$")
VALUE = re.compile(r"%(\w+)")


class Op:
    def __init__(self, name, operands, text):
        self.name, self.operands, self.text = name, operands, text


def recognised(path, pipeline="--ingot-recognize"):
    """The ops of each function of an ONNX file after a pipeline."""
    tools = harness.BUILD / "bin"
    imported = subprocess.run([tools / "ingot-translate", "--onnx-to-ingot", path], capture_output=True, check=True)
    done = subprocess.run([tools / "ingot-opt", pipeline], input=imported.stdout, capture_output=True, check=True)
    return functions(done.stdout.decode())


def counts(path):
    """How many ops of each kind a model is recognised as."""
    ops = recognised(path)["main"]
    return collections.Counter(op.name.removeprefix("ingot.") for op in ops)


def functions(text):
    """{name: [ops]} of a module; each op's `text` is its line without values."""
    found, ops = {}, []
    for line in text.splitlines():
        if match := re.match(r" *func\.func @(\w+)\(", line):
            ops = found.setdefault(match[1], [])
        elif match := LINE.match(line.replace("return ", "func.return ")):
            result, name, rest = match.groups()
            op = Op(name, VALUE.findall(rest), VALUE.sub("%", rest))
            op.result = result
            ops.append(op)
    return found


def is_weight(op, ops):
    if op.name in ("ingot.weight_ref", "ingot.constant"):
        return True
    return bool(op.operands) and all(x in ops and ops[x].weight for x in op.operands)


def canonical(ops):
    """One line for every op that computes with what a run brings, in the order
    in which the appended caches and the results need them. Weights are their
    type, and what differs by definition is cut off: how an id outside of the
    vocabulary is looked up, and where the angles of positions come from."""
    made = {}
    for op in ops:
        op.weight = is_weight(op, made)
        if op.result:
            made[op.result] = op
    numbers, lines = {}, []

    def operand(name, cut=False):
        if name not in made:
            return name
        op = made[name]
        if op.weight:
            return f"weight {op.text.rsplit('->', 1)[-1].rsplit(':', 1)[-1].strip()}"
        if op.name == "ingot.size" or op.name == "tensor.empty":
            return op.text.rsplit(":", 1)[-1].strip()
        if cut:
            return "table"
        if op.name == "ingot.where" and made.get(op.operands[1], op).name == "ingot.embedding":
            name, op = op.operands[1], made[op.operands[1]]
        return numbers[name] if name in numbers else add(name, op)

    def add(name, op):
        if op.name == "ingot.embedding":
            operands = ["table", "ids"]
        else:
            operands = [operand(x, op.name == "ingot.rope" and at > 0) for at, x in enumerate(op.operands)]
        text = re.sub(r"tensor<[^>]*>", "tensor", op.text) if op.weight else op.text
        if op.name == "ingot.embedding":
            text = text.rsplit("->", 1)[-1]
        lines.append(f"{op.name}({', '.join(map(str, operands))}){text}")
        numbers[name] = len(lines)
        return len(lines)

    for op in ops:
        if op.name in ("ingot.kv_append", "func.return"):
            add(f"{op.name}.{len(lines)}", op)
    return lines
