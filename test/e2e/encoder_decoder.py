"""Small encoder-decoder models with random weights, in the files that people
have of them: the encoder, a decoder without a past, one with a past, both merged
by an If, and one that computes its cross-attention from the encoder's states at
every step. Of two kinds: as T5 (relative positions, RMS norms) and as Whisper
(learned positions, layer norms)."""

import dataclasses

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
LAYERS, HEADS, DEPTH, VOCABULARY, POSITIONS = 2, 4, 8, 61, 200
WIDTH = HEADS * DEPTH
BUCKETS, MAX_DISTANCE = 8, 20
LOWEST = float(np.finfo(np.float32).min)


def _value(name, shape, dtype=FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def _weight(name, *shape, scale=None):
    """Random numbers that depend on the name alone: every file has the same."""
    random = np.random.default_rng(list(name.encode()))
    scale = scale or shape[0] ** -0.5
    return (random.standard_normal(shape) * scale).astype(np.float32)


class _Graph:
    """Nodes and weights of one graph."""

    def __init__(self, prefix=""):
        self.nodes, self.weights, self.prefix = [], {}, prefix

    def op(self, kind, *operands, to=None, **attributes):
        """Adds a node; operands are names, or arrays and numbers (int64)."""
        names = [x if isinstance(x, str) else self.constant(np.asarray(x)) for x in operands]
        result = to or f"{self.prefix}{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [result], f"{result}_node", **attributes))
        return result

    def constant(self, array, name=None):
        name = name or f"{self.prefix}c{len(self.weights)}"
        self.weights[name] = array
        return name

    def weight(self, name, *shape, scale=None):
        return self.constant(_weight(name, *shape, scale=scale), name)

    def ones(self, name, size):
        return self.constant(1 + _weight(name, size, scale=0.1), name)

    def size(self, x, axis):
        """A dim as a scalar."""
        return self.op("Gather", self.op("Shape", x), np.int64(axis))

    def product(self, x, name, rows, columns):
        return self.op("MatMul", x, self.weight(name, rows, columns))

    def split(self, x):
        """Batch x heads x tokens x depth."""
        shaped = self.op("Reshape", x, np.array([0, 0, HEADS, DEPTH]))
        return self.op("Transpose", shaped, perm=[0, 2, 1, 3])

    def attend(self, q, k, v, bias):
        scores = self.op("MatMul", q, self.op("Transpose", k, perm=[0, 1, 3, 2]))
        if bias:
            scores = self.op("Add", scores, bias)
        found = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        joined = self.op("Transpose", found, perm=[0, 2, 1, 3])
        return self.op("Reshape", joined, np.array([0, 0, WIDTH]))

    def hidden(self, mask):
        """What the zeros of a mask of keys add to scores."""
        shown = self.cast(self.op("Unsqueeze", mask, np.array([1, 2])), FLOAT)
        return self.op("Mul", self.op("Sub", np.float32(1), shown), np.float32(LOWEST))

    def cast(self, x, dtype):
        result = f"{self.prefix}Cast_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Cast", [x], [result], f"{result}_node", to=dtype))
        return result


@dataclasses.dataclass(frozen=True)
class Spelling:
    """How a file says what it computes."""

    kind: str = "t5"
    #: Where keys and values of cross-attention come from: "states" or "past".
    cross: str = "states"
    #: Whether there is a past of the decoder's own keys and values.
    past: bool = True
    #: The dim of new tokens: a name or 1.
    tokens: object = "decoder_sequence_length"
    #: Whether relative positions are computed for all tokens and then cut, as
    #: older exports do, or begin with the past.
    cut_bias: bool = False
    #: Whether learned positions are a slice of their table.
    slice_positions: bool = False
    #: Whether the encoder's mask is an input.
    encoder_mask: bool = True


def _norm(g, spelling, x, name):
    if spelling.kind == "t5":
        square = g.op("Pow", x, np.float32(2))
        mean = g.op("ReduceMean", square, np.array([-1]))
        root = g.op("Sqrt", g.op("Add", mean, np.float32(1e-6)))
        return g.op("Mul", g.ones(f"{name}.weight", WIDTH), g.op("Div", x, root))
    return g.op(
        "LayerNormalization", x, g.ones(f"{name}.weight", WIDTH),
        g.weight(f"{name}.bias", WIDTH, scale=0.1), axis=-1, epsilon=1e-5,
    )  # fmt: skip


def _linear(g, spelling, x, name, rows=WIDTH, columns=WIDTH, bias=True):
    y = g.product(x, f"{name}.weight", rows, columns)
    if spelling.kind == "t5" or not bias:
        return y
    return g.op("Add", y, g.weight(f"{name}.bias", columns, scale=0.1))


def _query(g, spelling, x, name):
    q = _linear(g, spelling, x, name)
    if spelling.kind != "t5":
        q = g.op("Mul", q, np.float32(DEPTH**-0.5))
    return g.split(q)


def _feed_forward(g, spelling, x, name):
    h = _linear(g, spelling, _norm(g, spelling, x, f"{name}.norm"), f"{name}.in", WIDTH, 2 * WIDTH)
    if spelling.kind == "t5":
        h = g.op("Relu", h)
    else:
        error = g.op("Erf", g.op("Div", h, np.float32(2**0.5)))
        h = g.op("Mul", g.op("Mul", h, g.op("Add", error, np.float32(1))), np.float32(0.5))
    return g.op("Add", x, _linear(g, spelling, h, f"{name}.out", 2 * WIDTH, WIDTH))


def _bucket(g, relative, bidirectional):
    """The bucket of key position minus query position, as T5 has it."""
    buckets, offset = BUCKETS, None
    if bidirectional:
        buckets //= 2
        offset = g.op("Mul", g.cast(g.op("Greater", relative, np.int64(0)), INT64), np.int64(buckets))
        distance = g.op("Abs", relative)
    else:
        distance = g.op("Neg", g.op("Min", relative, np.int64(0)))
    exact = buckets // 2
    far = g.op("Log", g.op("Div", g.cast(distance, FLOAT), np.float32(exact)))
    far = g.op("Div", far, np.float32(np.log(MAX_DISTANCE / exact)))
    far = g.op("Mul", far, np.float32(buckets - exact))
    far = g.op("Min", g.op("Add", g.cast(far, INT64), np.int64(exact)), np.int64(buckets - 1))
    bucket = g.op("Where", g.op("Less", distance, np.int64(exact)), distance, far)
    return g.op("Add", bucket, offset) if offset else bucket


def _relative_bias(g, name, queries, keys, bidirectional):
    """1 x heads x queries x keys, from vectors of positions."""
    column = g.op("Unsqueeze", queries, np.array([1]))
    row = g.op("Unsqueeze", keys, np.array([0]))
    bucket = _bucket(g, g.op("Sub", row, column), bidirectional)
    bias = g.op("Gather", g.weight(name, BUCKETS, HEADS, scale=1.0), bucket)
    return g.op("Unsqueeze", g.op("Transpose", bias, perm=[2, 0, 1]), np.array([0]))


def _range(g, begin, end):
    return g.op("Range", begin, end, np.int64(1))


def encoder(kind="t5"):
    """input_ids and attention_mask to last_hidden_state."""
    spelling, g = Spelling(kind), _Graph()
    x = g.op("Gather", g.weight("shared", VOCABULARY, WIDTH, scale=1.0), "input_ids")
    bias = g.hidden("attention_mask")
    if kind == "t5":
        places = _range(g, np.int64(0), g.size("input_ids", 1))
        bias = g.op("Add", _relative_bias(g, "encoder.bias", places, places, True), bias)
    else:
        places = _range(g, np.int64(0), g.size("input_ids", 1))
        x = g.op("Add", x, g.op("Gather", g.weight("encoder.positions", POSITIONS, WIDTH), places))
    for i in range(LAYERS):
        name = f"encoder.{i}"
        normed = _norm(g, spelling, x, f"{name}.self.norm")
        q = _query(g, spelling, normed, f"{name}.self.q")
        k = g.split(_linear(g, spelling, normed, f"{name}.self.k", bias=False))
        v = g.split(_linear(g, spelling, normed, f"{name}.self.v"))
        found = g.attend(q, k, v, bias)
        x = g.op("Add", x, _linear(g, spelling, found, f"{name}.self.o"))
        x = _feed_forward(g, spelling, x, f"{name}.feed")
    g.nodes.append(helper.make_node("Identity", [_norm(g, spelling, x, "encoder.norm")], ["last_hidden_state"]))
    ids = ["batch_size", "encoder_sequence_length"]
    return _model(
        g, [_value("input_ids", ids, INT64), _value("attention_mask", ids, INT64)],
        [_value("last_hidden_state", [*ids, WIDTH])],
    )  # fmt: skip


def _positions(g, spelling, x, past, total):
    """Learned positions of the new tokens."""
    table = g.weight("decoder.positions", POSITIONS, WIDTH)
    if spelling.slice_positions:
        ends = [g.op("Unsqueeze", end, np.array([0])) for end in (past, total)]
        found = g.op("Slice", table, *ends, np.array([0]))
    else:
        found = g.op("Gather", table, g.op("Unsqueeze", _range(g, past, total), np.array([0])))
    return g.op("Add", x, found)


def _self_bias(g, spelling, past, total):
    """Causality, with T5 also relative positions."""
    queries, keys = _range(g, past, total), _range(g, np.int64(0), total)
    seen = g.op("LessOrEqual", keys, g.op("Unsqueeze", queries, np.array([1])))
    bias = g.op("Where", seen, np.float32(0), np.float32(LOWEST))
    bias = g.op("Unsqueeze", bias, np.array([0, 1]))
    if spelling.kind != "t5":
        # One query at the end sees everything: traced with one token, no mask is
        # left.
        return None if spelling.tokens == 1 else bias
    if not spelling.cut_bias:
        return g.op("Add", _relative_bias(g, "decoder.bias", queries, keys, False), bias)
    whole = _relative_bias(g, "decoder.bias", keys, keys, False)
    tokens = g.op("Neg", g.op("Unsqueeze", g.op("Sub", total, past), np.array([0])))
    cut = g.op("Slice", whole, tokens, np.array([2**63 - 1]), np.array([2]))
    return g.op("Add", cut, bias)


def _decode(g, spelling, to=""):
    """The nodes of a decoder. Results end in `to`: logits, the self-attention's
    presents by layer, and the cross-attention's keys and values."""
    x = g.op("Gather", g.weight("shared", VOCABULARY, WIDTH, scale=1.0), "input_ids")
    past = np.int64(0)
    if spelling.past:
        past = g.size("past_key_values.0.decoder.key", 2)
    total = g.op("Add", g.size("input_ids", 1), past)
    if spelling.kind != "t5":
        x = _positions(g, spelling, x, past, total)
    bias = _self_bias(g, spelling, past, total)
    shown = g.hidden("encoder_attention_mask") if spelling.encoder_mask else None
    presents, cross = [], []
    for i in range(LAYERS):
        name = f"decoder.{i}"
        normed = _norm(g, spelling, x, f"{name}.self.norm")
        q = _query(g, spelling, normed, f"{name}.self.q")
        kept = []
        for part in ("key", "value"):
            new = g.split(_linear(g, spelling, normed, f"{name}.self.{part[0]}", bias=part == "value"))
            result = f"present.{i}.decoder.{part}{to}"
            if spelling.past:
                g.op("Concat", f"past_key_values.{i}.decoder.{part}", new, to=result, axis=2)
            else:
                g.op("Identity", new, to=result)
            kept.append(result)
        presents += kept
        x = g.op("Add", x, _linear(g, spelling, g.attend(q, *kept, bias), f"{name}.self.o"))

        q = _query(g, spelling, _norm(g, spelling, x, f"{name}.cross.norm"), f"{name}.cross.q")
        kept = []
        for part in ("key", "value"):
            if spelling.cross == "past":
                kept.append(f"past_key_values.{i}.encoder.{part}")
                continue
            states = _linear(g, spelling, "encoder_hidden_states", f"{name}.cross.{part[0]}", bias=part == "value")
            result = f"present.{i}.encoder.{part}{to}"
            kept.append(g.op("Identity", g.split(states), to=result))
        cross += kept
        x = g.op("Add", x, _linear(g, spelling, g.attend(q, *kept, shown), f"{name}.cross.o"))
        x = _feed_forward(g, spelling, x, f"{name}.feed")
    x = _norm(g, spelling, x, "decoder.norm")
    if spelling.kind == "t5":
        x = g.op("Mul", x, np.float32(WIDTH**-0.5))
    turned = g.op("Transpose", g.weight("shared", VOCABULARY, WIDTH, scale=1.0), perm=[1, 0])
    return g.op("MatMul", x, turned, to=f"logits{to}"), presents, cross


def _state(spelling, side, prefix, length):
    shape = ["batch_size", HEADS, length, DEPTH]
    return [
        _value(f"{prefix}.{i}.{side}.{part}", shape) for i in range(LAYERS) for part in ("key", "value")
    ]


def _inputs(spelling):
    inputs = []
    if spelling.encoder_mask:
        inputs.append(_value("encoder_attention_mask", ["batch_size", "encoder_sequence_length"], INT64))
    inputs.append(_value("input_ids", ["batch_size", spelling.tokens], INT64))
    if spelling.cross == "states":
        states = ["batch_size", "encoder_sequence_length", WIDTH]
        inputs.append(_value("encoder_hidden_states", states))
    if spelling.past:
        inputs += _state(spelling, "decoder", "past_key_values", "past_decoder_sequence_length")
    if spelling.cross == "past":
        inputs += _state(spelling, "encoder", "past_key_values", "encoder_sequence_length_out")
    return inputs


def _logits(spelling):
    return _value("logits", ["batch_size", spelling.tokens, VOCABULARY])


def _model(g, inputs, outputs, opset=18):
    weights = [numpy_helper.from_array(array, name) for name, array in g.weights.items()]
    graph = helper.make_graph(g.nodes, "model", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def decoder(spelling):
    """A decoder file: of optimum's for cross "states" without a past and cross
    "past" with one."""
    g = _Graph()
    _decode(g, spelling)
    length = "present_length" if spelling.past else spelling.tokens
    outputs = [_logits(spelling), *_state(spelling, "decoder", "present", length)]
    if spelling.cross == "states" and not spelling.past:
        outputs += _state(spelling, "encoder", "present", "encoder_sequence_length")
    return _model(g, _inputs(spelling), outputs)


def merged(spelling, passes=False):
    """decoder_model_merged.onnx: the decoder without a past where
    use_cache_branch is false, the one with a past where it is true. The latter
    gives empty constants for keys and values of the encoder or, if it `passes`
    them on, those it is given."""
    without = dataclasses.replace(spelling, cross="states", past=False)
    with_past = dataclasses.replace(spelling, cross="past", past=True)
    weights, branches = {}, {}
    for name, part in (("no_past", without), ("with_past", with_past)):
        g = _Graph(f"{name}.")
        logits, presents, cross = _decode(g, part, to=f".{name}")
        if part.past:
            empty = numpy_helper.from_array(np.zeros((0, HEADS, 1, DEPTH), np.float32))
            cross = [f"present.{i}.encoder.{x}.{name}" for i in range(LAYERS) for x in ("key", "value")]
            given = [value.name for value in _state(part, "encoder", "past_key_values", None)]
            for result, name_given in zip(cross, given):
                if passes:
                    g.op("Identity", name_given, to=result)
                else:
                    g.nodes.append(helper.make_node("Constant", [], [result], f"{result}_node", value=empty))
        results = [_value(result, None) for result in (logits, *presents, *cross)]
        branches[name] = helper.make_graph(g.nodes, name, [], results)
        weights.update(g.weights)
    inputs = {value.name: value for part in (without, with_past) for value in _inputs(part)}
    outputs = [
        _logits(spelling), *_state(spelling, "decoder", "present", "present_length"),
        *_state(spelling, "encoder", "present", "encoder_sequence_length_out"),
    ]  # fmt: skip
    g = _Graph()
    g.weights = weights
    g.nodes.append(
        helper.make_node(
            "If", ["use_cache_branch"], [value.name for value in outputs], "optimum::if",
            then_branch=branches["with_past"], else_branch=branches["no_past"],
        )  # fmt: skip
    )
    return _model(g, [*inputs.values(), _value("use_cache_branch", [1], BOOL)], outputs)


def feeds(model, seed=0, **sizes):
    """Inputs of the given sizes: random, masks of ones."""
    random = np.random.default_rng(seed)
    result = {}
    for info in model.graph.input:
        shape = [d.dim_value or sizes[d.dim_param] for d in info.type.tensor_type.shape.dim]
        if "mask" in info.name:
            result[info.name] = np.ones(shape, np.int64)
        elif info.name == "input_ids":
            result[info.name] = random.integers(0, VOCABULARY, shape)
        elif info.name == "use_cache_branch":
            result[info.name] = np.array([True])
        else:
            result[info.name] = random.standard_normal(shape).astype(np.float32)
    return result
