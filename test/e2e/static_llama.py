"""The small Llama with a cache of fixed extent, in the spellings in which
exporters write new keys and values into one and hide what lies behind."""

import pathlib

import harness  # noqa: F401 - finds examples/smollm2
import numpy as np
import small_llama
from onnx import TensorProto, helper

import convert
import spellings


class Static(spellings.Primitives):
    """Positions of the new tokens are an input; keys up to a query's own are
    seen. Subclasses say how the buffer is written."""

    capacity = 40
    # What the buffer's dim is called in the file; None for the number.
    symbol = None
    has_mask = False
    rows, sequence = "batch", "sequence"
    # What the dim of positions is called, if not as that of the tokens.
    places = None
    # How many keys a query sees; 0 for all.
    window = 0

    def prepare(self):
        self.place()
        super().prepare()

    def place(self):
        """Makes `position_ids`, rows x sequence, of the input."""
        g = self.g
        g.node("Unsqueeze", ["cache_position", g.constant("axis.0", [0])], "position_ids")

    def keys(self):
        """The numbers of the buffer's positions."""
        g = self.g
        if self.symbol is None:
            return g.constant("keys", np.arange(self.capacity))
        length = g.node("Shape", ["past_key_values.0.key"], "capacity.1", start=2, end=3)
        length = g.node("Squeeze", [length], "capacity")
        return g.node("Range", [g.constant("zero", 0), length, g.constant("one", 1)], "keys")

    def visible(self):
        g = self.g
        queries = g.node("Unsqueeze", ["cache_position", g.constant("axis.1", [1])], "queries")
        causal = g.node("LessOrEqual", [self.keys(), queries], "causal")
        if not self.has_mask:
            return causal
        mask = g.node("Cast", ["attention_mask"], "mask.bool", to=TensorProto.BOOL)
        mask = g.node("Unsqueeze", [mask, g.constant("axes.1.2", [1, 2])], "mask.keys")
        return g.node("And", [causal, mask], "visible")

    @classmethod
    def inputs(cls):
        """Names, types and dims of what is given besides tokens and pasts."""
        extent = cls.symbol or cls.capacity
        mask = [("attention_mask", TensorProto.INT64, [cls.rows, extent])]
        place = [("cache_position", TensorProto.INT64, [cls.places or cls.sequence])]
        return place + (mask if cls.has_mask else [])

    def finish(self):
        m, info = self.m, helper.make_tensor_value_info
        tokens = [self.rows, self.sequence]
        inputs = [info("input_ids", TensorProto.INT64, tokens)]
        inputs += [info(*given) for given in self.inputs()]
        outputs = [info("logits", TensorProto.FLOAT, [*tokens, m.vocabulary])]
        cache = [self.rows, m.kv_heads, self.symbol or self.capacity, m.depth]
        for layer in range(m.layers):
            for part in ("key", "value"):
                inputs.append(info(f"past_key_values.{layer}.{part}", TensorProto.FLOAT, cache))
                outputs.append(info(f"present.{layer}.{part}", TensorProto.FLOAT, cache))
        self.g.finish(inputs, outputs, self.opsets)

    @classmethod
    def feeds(cls, past, rows, tokens):
        """The inputs besides tokens and pasts after `past` positions."""
        feeds = {"cache_position": np.arange(past, past + tokens)}
        if cls.has_mask:
            feeds["attention_mask"] = np.ones((rows, cls.capacity), np.int64)
        return feeds


class IndexPut(Static):
    """cache[:, :, positions] = new, as torch's exporter writes it: ScatterND on
    a view with the positions first."""

    has_mask = True

    def append(self, new, name):
        g, turn = self.g, [2, 0, 1, 3]
        index = g.node("Unsqueeze", ["cache_position", g.constant("last", [-1])], f"{name}.index")
        old = g.node("Transpose", [f"past_key_values.{name}"], f"{name}.old", perm=turn)
        new = g.node("Transpose", [new], f"{name}.new", perm=turn)
        written = g.node("ScatterND", [old, index, new], f"{name}.written")
        return g.node("Transpose", [written], f"present.{name}", perm=[1, 2, 0, 3])


class IndexCopy(Static):
    """cache.index_copy_(2, positions, new), as TorchScript's exporter writes it:
    ScatterElements with an index for every element."""

    symbol, places = "capacity", "places"
    has_mask = True

    def append(self, new, name):
        g = self.g
        index = g.constant("along.2", [1, 1, -1, 1])
        index = g.node("Reshape", ["cache_position", index], f"{name}.column")
        shape = g.node("Shape", [new], f"{name}.shape")
        index = g.node("Expand", [index, shape], f"{name}.index")
        inputs = [f"past_key_values.{name}", index, new]
        return g.node("ScatterElements", inputs, f"present.{name}", axis=2)


class Ranges(Static):
    """cache[:, :, positions] = new as TorchScript's exporter writes it: ScatterND
    with an index for every row, head and position."""

    def append(self, new, name):
        g = self.g
        zero, one = g.constant("zero", 0), g.constant("one", 1)
        shape = g.node("Shape", [new], f"{name}.shape", end=3)
        whole = g.node("Concat", [shape, g.constant("one.1", [1])], f"{name}.whole", axis=0)
        parts = []
        for axis, dims in enumerate(([-1, 1, 1, 1], [-1, 1, 1], [-1, 1])):
            numbers = "cache_position"
            if axis < 2:
                at = g.constant(f"at.{axis}", axis)
                extent = g.node("Gather", [shape, at], f"{name}.extent.{axis}")
                numbers = g.node("Range", [zero, extent, one], f"{name}.numbers.{axis}")
            dims = g.constant(f"dims.{axis}", dims)
            numbers = g.node("Reshape", [numbers, dims], f"{name}.part.{axis}")
            parts.append(g.node("Expand", [numbers, whole], f"{name}.parts.{axis}"))
        index = g.node("Concat", parts, f"{name}.index", axis=-1)
        inputs = [f"past_key_values.{name}", index, new]
        return g.node("ScatterND", inputs, f"present.{name}")


class Table(IndexPut):
    """As models of torch that were not made for export do: rows of a lower
    triangle and of a table of angles, chosen by the positions."""

    has_mask = False

    def visible(self):
        triangle = np.tril(np.ones((self.capacity, self.capacity), bool))
        return self.g.node("Gather", [self.g.weight("triangle", triangle), "cache_position"], "seen")

    def angles(self):
        places = np.arange(self.capacity, dtype=np.float32)[:, None]
        table = self.g.weight("angles.table", places * self.m.rotary_frequencies())
        return self.g.node("Gather", [table, "position_ids"], "angles")


class Product(IndexPut):
    """The mask is the lowest number above the diagonal, times where keys lie
    behind the query."""

    has_mask = False

    def mask_to_add(self):
        g = self.g
        lowest = g.constant("lowest", np.finfo(np.float32).min, np.float32)
        length = g.node("Shape", ["cache_position"], "length")
        shape = g.node("Concat", [length, g.constant("room", [self.capacity])], "whole", axis=0)
        full = g.node("Expand", [lowest, shape], "full")
        above = g.node("Trilu", [full, g.constant("diagonal", 1)], "above", upper=1)
        queries = g.node("Unsqueeze", ["cache_position", g.constant("axis.1", [1])], "queries")
        behind = g.node("Greater", [self.keys(), queries], "behind")
        behind = g.node("Cast", [behind], "behind.float", to=TensorProto.FLOAT)
        return g.node("Mul", [above, behind], "mask.added")


class Scatter(Static):
    """TensorScatter of opset 24: every row is written at a position of its own."""

    opsets = [("", 24)]

    @classmethod
    def inputs(cls):
        return [("write_indices", TensorProto.INT64, ["batch"])]

    def place(self):
        g = self.g
        length = g.node("Shape", ["input_ids"], "length.1", start=1, end=2)
        length = g.node("Squeeze", [length], "length")
        zero, one = g.constant("zero", 0), g.constant("one", 1)
        numbers = g.node("Range", [zero, length, one], "numbers")
        first = g.node("Unsqueeze", ["write_indices", g.constant("axis.1", [1])], "first")
        g.node("Add", [first, numbers], "position_ids")

    def visible(self):
        g = self.g
        queries = g.node("Unsqueeze", ["position_ids", g.constant("axes.1.3", [1, 3])], "queries")
        return g.node("LessOrEqual", [self.keys(), queries], "causal")

    def append(self, new, name):
        inputs = [f"past_key_values.{name}", new, "write_indices"]
        return self.g.node("TensorScatter", inputs, f"present.{name}")

    @classmethod
    def feeds(cls, past, rows, tokens):
        return {"write_indices": np.full(rows, past)}


class Counted(Scatter):
    """As Scatter, and told how many positions of a row hold something."""

    @classmethod
    def inputs(cls):
        return [*super().inputs(), ("valid", TensorProto.INT64, ["batch"])]

    def visible(self):
        g = self.g
        valid = g.node("Unsqueeze", ["valid", g.constant("axes.1.2.3", [1, 2, 3])], "valid.rows")
        there = g.node("Less", [self.keys(), valid], "there")
        return g.node("And", [there, super().visible()], "visible")

    @classmethod
    def feeds(cls, past, rows, tokens):
        return super().feeds(past, rows, tokens) | {"valid": np.full(rows, past + tokens)}


class Given(IndexPut):
    """The mask over queries and keys is an input, added to scores, and positions
    are another one."""

    has_mask = False

    @classmethod
    def inputs(cls):
        mask = ("causal_mask", TensorProto.FLOAT, [1, 1, cls.sequence, cls.capacity])
        places = ("position_ids", TensorProto.INT64, [cls.rows, cls.sequence])
        return [*super().inputs(), places, mask]

    def place(self):
        pass

    def mask_to_add(self):
        # Cut to as many keys as there are, which is all of them.
        g = self.g
        length = g.node("Shape", ["past_key_values.0.key"], "length", start=2, end=3)
        bounds = [g.constant("zero.1", [0]), length, g.constant("last", [-1])]
        return g.node("Slice", ["causal_mask", *bounds], "causal_mask.cut")

    @classmethod
    def feeds(cls, past, rows, tokens):
        places = np.arange(past, past + tokens)
        seen = np.arange(cls.capacity) <= places[:, None]
        return super().feeds(past, rows, tokens) | {
            "position_ids": np.tile(places, (rows, 1)),
            "causal_mask": np.where(seen, 0, -np.inf).astype(np.float32)[None, None],
        }


class OneToken(IndexPut):
    """A program for one token, which needs no causal mask: the keys that are
    there are seen."""

    sequence = 1

    def visible(self):
        g = self.g
        mask = g.node("Cast", ["attention_mask"], "mask.bool", to=TensorProto.BOOL)
        return g.node("Unsqueeze", [mask, g.constant("axes.1.2", [1, 2])], "mask.keys")

    @classmethod
    def feeds(cls, past, rows, tokens):
        there = np.tile(np.arange(cls.capacity) <= past, (rows, 1))
        return super().feeds(past, rows, tokens) | {"attention_mask": there.astype(np.int64)}


class OneRow(IndexPut):
    """A batch of one, which is a number in the file, and another name for the
    number of positions."""

    rows, places = 1, "places"


class Window(IndexPut):
    """A query sees the last five keys."""

    window = 5

    def visible(self):
        g = self.g
        queries = g.node("Unsqueeze", ["cache_position", g.constant("axis.1", [1])], "window.queries")
        behind = g.node("Sub", [queries, g.constant("window", self.window)], "window.behind")
        near = g.node("Greater", [self.keys(), behind], "window.near")
        return g.node("And", [super().visible(), near], "window.visible")


class Circular(Scatter):
    """The buffer is written from its beginning on once it is full."""

    def append(self, new, name):
        inputs = [f"past_key_values.{name}", new, "write_indices"]
        return self.g.node("TensorScatter", inputs, f"present.{name}", mode="circular")


SPELLINGS = {
    s.__name__: s
    for s in (
        IndexPut, IndexCopy, Ranges, Table, Product, Scatter, Counted, Given, OneToken, OneRow,
        Window,
    )
}


def write(folder, spelling):
    """Writes one spelling, given by its name or class, into `folder`; returns
    the path of the ONNX file."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    SPELLINGS.get(spelling, spelling)(convert.GraphWriter(folder), small_llama.SmallLlama()).write()
    return folder / "model.onnx"


def inputs(spelling):
    """Names, types and dims of what is given besides tokens and pasts."""
    return SPELLINGS[spelling].inputs()


class Host:
    """Runs a model step by step with ONNX Runtime, as its file says it."""

    def __init__(self, path, spelling, rows=1):
        self.session, self.spelling = harness.oracle(path), SPELLINGS[spelling]
        m, self.past = small_llama.SmallLlama, 0
        buffer = np.zeros((rows, m.kv_heads, self.spelling.capacity, m.depth), np.float32)
        self.caches = {
            f"{layer}.{part}": buffer for layer in range(m.layers) for part in ("key", "value")
        }

    def read(self, ids):
        """The logits of every token of one row."""
        return self.step(np.asarray(ids, np.int64)[None])[0]

    def step(self, ids):
        """The logits of every token of all rows."""
        if self.spelling.sequence == 1 and ids.shape[1] > 1:
            steps = [self.step(ids[:, i : i + 1]) for i in range(ids.shape[1])]
            return np.concatenate(steps, axis=1)
        feeds = {f"past_key_values.{n}": a for n, a in self.caches.items()}
        feeds |= {"input_ids": ids, **self.spelling.feeds(self.past, *ids.shape)}
        got = harness.oracle_run(self.session, feeds)
        self.caches = {n: got[f"present.{n}"] for n in self.caches}
        self.past += ids.shape[1]
        return got["logits"]
