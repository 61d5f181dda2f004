"""ingot-lower-cache and ingot-lower-cache-handles against a plain softmax in
double precision, on pages whose unused memory is NaN."""

import dataclasses
import functools
import pathlib

import numpy as np
from kernels import Kernels, guarded

PAGE = 128
V3, V4 = "x86-64-v3", "x86-64-v4"


@dataclasses.dataclass(frozen=True)
class Shape:
    """The static part of one attention: a kernel of the module."""

    name: str
    heads: int
    key_heads: int
    depth: int
    value_depth: int
    window: int = 0
    softcap: float = 0.0
    cache: str = "f32"
    element: str = "f32"
    seq: str = "?"
    kept: int = 0  # the window of the cache
    last: str = "1"  # the last stride, as the kernel knows it

    def text(self):
        cache = (
            f"!ingot.cache<heads = {self.key_heads}, key_depth = {self.depth}, "
            f"value_depth = {self.value_depth}, type = {self.cache}, window = {self.kept}>"
        )

        def memref(seq, heads, depth):
            return f"memref<?x{seq}x{heads}x{depth}x{self.element}, strided<[?, ?, ?, {self.last}]>>"

        q, o = (memref(self.seq, self.heads, d) for d in (self.depth, self.value_depth))
        k, v = (
            f"memref<?x{self.key_heads}x{d}x{self.element}, strided<[?, ?, {self.last}]>>"
            for d in (self.depth, self.value_depth)
        )
        rows = "%past: memref<?xi64>, %count: memref<?xi64>, %first: index"
        counts = "past(%past : memref<?xi64>) count(%count : memref<?xi64>)"
        common, store = f"{counts} first(%first)", f"rows(%first of %tokens) {counts}"
        return f"""
func.func @{self.name}_append(%k: {k}, %v: {v}, {rows}, %tokens: index, %c: {cache}) attributes {{llvm.emit_c_interface}} {{
  ingot.cache_store <keys> ins(%k : {k}) {store} into(%c : {cache})
  ingot.cache_store <values> ins(%v : {v}) {store} into(%c : {cache})
  return
}}
{self.by_pages(cache, counts) if self.seq == "1" else ""}
func.func @{self.name}(%q: {q}, {rows}, %c: {cache}, %o: {o}) attributes {{llvm.emit_c_interface}} {{
  ingot.paged_attention ins(%q : {q}) {common} cache(%c : {cache}) outs(%o : {o})
      {{scale = 0.25 : f64, window = {self.window} : i64, softcap = {self.softcap} : f64}}
  return
}}
"""


    def by_pages(self, cache, counts):
        """Attention of one query, page by page and then together."""
        q, o = (f"memref<?x{self.heads}x{d}x{self.element}>" for d in (self.depth, self.value_depth))
        parts = f"memref<?x?x{self.heads}x{self.value_depth + 2}xf32>"
        options = f"scale = 0.25 : f64, window = {self.window} : i64, softcap = {self.softcap} : f64"
        return f"""
func.func @{self.name}_pages(%q: {q}, %past: memref<?xi64>, %count: memref<?xi64>, %first: index, %pages: index,
    %c: {cache}, %p: {parts}) attributes {{llvm.emit_c_interface}} {{
  ingot.page_attention ins(%q : {q}) {counts} pages(%pages from %first) cache(%c : {cache})
      outs(%p : {parts}) {{{options}}}
  return
}}
func.func @{self.name}_merge(%p: {parts}, %past: memref<?xi64>, %count: memref<?xi64>, %o: {o})
    attributes {{llvm.emit_c_interface}} {{
  ingot.merge_pages ins(%p : {parts}) {counts} outs(%o : {o}) {{window = {self.window} : i64}}
  return
}}
"""


SHAPES = {
    shape.name: shape
    for shape in [
        Shape("group3", 9, 3, 64, 64),
        Shape("token3", 9, 3, 64, 64, seq="1"),
        Shape("group2", 6, 3, 24, 16),
        Shape("single", 4, 4, 16, 80),
        Shape("many", 8, 1, 80, 24),
        Shape("token8", 8, 1, 80, 24, seq="1"),
        Shape("token_wide", 2, 1, 24, 136, seq="1", cache="f16"),
        Shape("token_small", 3, 1, 5, 7, seq="1", softcap=2.0),
        Shape("token_window", 3, 1, 16, 40, seq="1", window=200, kept=300),
        Shape("token_half", 6, 3, 24, 16, seq="1", cache="f16", element="f16"),
        Shape("small", 3, 1, 5, 7),
        Shape("deep", 2, 1, 520, 264),
        Shape("window", 6, 3, 24, 16, window=40),
        Shape("window_long", 3, 1, 16, 40, window=200, kept=300),
        Shape("softcap", 8, 1, 80, 24, softcap=2.0),
        Shape("half_cache", 9, 3, 64, 80, cache="f16"),
        Shape("half_small", 4, 4, 16, 9, cache="f16"),
        Shape("strided", 2, 1, 20, 24, last="?"),
        Shape("half", 6, 3, 24, 16, cache="f16", element="f16"),
    ]
}


def has_v4():
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return all(f in flags for f in ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"))


@functools.cache
def built(cpu):
    passes = f"ingot-lower-cache{{target={cpu}}},ingot-lower-cache-handles,ingot-expand-math"
    return Kernels("".join(shape.text() for shape in SHAPES.values()), passes, cpu)


CPUS = [V3, V4] if has_v4() else [V3]


def dtype_of(name):
    return {"f32": np.float32, "f16": np.float16}[name]


class Cache:
    """Pages in memory that begins as NaN, between margins, and their table."""

    def __init__(self, shape, rows, positions, extra=64):
        self.shape = shape
        self.dtype = dtype_of(shape.cache)
        self.keys_at = extra // self.dtype().itemsize
        keys = shape.key_heads * shape.depth * PAGE
        values = shape.key_heads * shape.value_depth * PAGE
        # Values stand some way behind the keys, as those of another cache might.
        self.values_at = self.keys_at + keys + self.keys_at
        self.pages_per_row = -(-positions // PAGE) + 1
        size = self.values_at + values
        self.pages = [
            [guarded((size,), self.dtype) for _ in range(self.pages_per_row)] for _ in range(rows)
        ]
        self.table = np.zeros((rows, self.pages_per_row), np.int64)
        for row, pages in enumerate(self.pages):
            for i, (page, _) in enumerate(pages):
                page[:] = np.nan
                self.table[row, i] = page.ctypes.data

    def handle(self):
        size = self.dtype().itemsize
        return (
            int(self.table.ctypes.data),
            self.pages_per_row,
            self.keys_at * size,
            self.values_at * size,
        )

    def forget(self, row, pages):
        """Takes the row's first pages away."""
        self.table[row, :pages] = 0

    def check(self):
        for pages in self.pages:
            for page, intact in pages:
                intact()
                assert np.isnan(page[: self.keys_at]).all(), "wrote before the keys"

    def content(self, row, positions):
        """Keys and values of a row as positions x heads x depth."""
        s = self.shape
        keys, values = [], []
        for page, _ in self.pages[row]:
            k = page[self.keys_at :][: s.key_heads * s.depth * PAGE]
            v = page[self.values_at :]
            keys.append(k.reshape(s.key_heads, s.depth, PAGE).transpose(2, 0, 1))
            values.append(v.reshape(s.key_heads, PAGE, s.value_depth).transpose(1, 0, 2))
        return np.concatenate(keys)[:positions], np.concatenate(values)[:positions]


class Run:
    """One batch of rows with `past` positions of their own."""

    def __init__(self, cpu, shape, past, seed=5):
        self.kernels, self.shape = built(cpu), shape
        self.past = np.array(past, np.int64)
        self.rng = np.random.default_rng(seed)
        self.kept = [self.random(p) for p in past]

    def random(self, tokens):
        s = self.shape
        make = lambda *size: self.rng.standard_normal(size).astype(dtype_of(s.element))  # noqa: E731
        return (
            make(tokens, s.heads, s.depth),
            make(tokens, s.key_heads, s.depth),
            make(tokens, s.key_heads, s.value_depth),
        )

    def begin(self, tokens):
        """A cache with the past in it."""
        rows = len(self.past)
        self.cache = Cache(self.shape, rows, int(self.past.max(initial=0)) + tokens)
        longest = int(self.past.max(initial=0))
        k, v = (np.zeros((rows, longest) + part[0].shape[1:], part[0].dtype)
                for part in zip(*((k, v) for _, k, v in self.kept)))  # fmt: skip
        for row, (_, keys, values) in enumerate(self.kept):
            k[row, : len(keys)], v[row, : len(keys)] = keys, values
        self.append(k, v, np.zeros(rows, np.int64), self.past)

    def append(self, k, v, past, count, first=0, end=None):
        """Stores the tokens of all rows, or those from number `first` to `end` of
        all, row after row."""
        tokens = k.shape[1]
        k, v = (part.reshape(-1, *part.shape[2:])[first:end] for part in (k, v))
        name = f"{self.shape.name}_append"
        self.kernels(name, k, v, past, count, first, tokens, *self.cache.handle())

    def attend(self, q, past, count, first=0):
        out, check = guarded(q.shape[:3] + (self.shape.value_depth,), q.dtype)
        out[:] = 55
        self.kernels(self.shape.name, q, past, count, first, *self.cache.handle(), out)
        check()
        return out

    def step(self, tokens, count):
        """New tokens for all rows: appends, attends, compares."""
        parts = [self.random(tokens) for _ in self.past]
        q, k, v = (np.stack(part) for part in zip(*parts))
        count = np.array(count, np.int64)
        for row, n in enumerate(count):
            k[row, n:], v[row, n:], q[row, n:] = np.nan, np.nan, np.nan
        self.append(k, v, self.past, count)
        out = self.attend(q, self.past, count)
        self.cache.check()
        for row, n in enumerate(count):
            want = self.expected(row, q[row, :n], k[row, :n], v[row, :n])
            tolerance = 2e-3 if self.shape.element == "f16" else 3e-5
            np.testing.assert_allclose(out[row, :n], want, rtol=tolerance, atol=tolerance)
            assert (out[row, n:] == 0).all()
        return q, k, v, out

    def expected(self, row, q, k, v):
        s = self.shape
        past = int(self.past[row])
        keys, values = self.cache.content(row, past + len(q))
        _, old_keys, old_values = self.kept[row]
        stored = dtype_of(s.cache)
        np.testing.assert_array_equal(keys, np.concatenate([old_keys, k]).astype(stored))
        np.testing.assert_array_equal(values, np.concatenate([old_values, v]).astype(stored))
        q, keys, values = (a.astype(np.float64) for a in (q, keys, values))
        group = s.heads // s.key_heads
        keys, values = np.repeat(keys, group, 1), np.repeat(values, group, 1)
        scores = np.einsum("shd,thd->hst", q, keys) * 0.25
        if s.softcap:
            scores = s.softcap * np.tanh(scores / s.softcap)
        at = past + np.arange(len(q))[:, None]
        t = np.arange(past + len(q))
        seen = t <= at
        if s.window:
            seen &= t > at - s.window
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True, initial=-np.inf))
        weights /= weights.sum(-1, keepdims=True)
        return np.einsum("hst,thd->shd", weights, values)


def check(cpu, name, past, tokens, count):
    run = Run(cpu, SHAPES[name], past)
    run.begin(tokens)
    run.step(tokens, count)


def test_shapes():
    for cpu in CPUS:
        for name, shape in SHAPES.items():
            if shape.seq == "1":
                check(cpu, name, [0, 127, 128, 300, 3], 1, [1, 1, 1, 1, 0])
                continue
            check(cpu, name, [0, 127, 128, 300, 5], 20, [20, 3, 1, 0, 17])
            check(cpu, name, [0], 200, [200])
            check(cpu, name, [130, 0], 1, [1, 1])
        check(cpu, "group3", [7], 0, [0])
        check(cpu, "group3", [0], 300, [290])


def test_forgotten_pages():
    for cpu in CPUS:
        run = Run(cpu, SHAPES["window"], [300, 10])
        run.begin(30)
        run.cache.forget(0, 2)  # positions below 256; 300 - 39 is the first seen
        q, k, v = (np.stack(part) for part in zip(*(run.random(30) for _ in run.past)))
        count = np.array([30, 30], np.int64)
        run.append(k, v, run.past, count)
        out = run.attend(q, run.past, count)
        assert np.isfinite(out).all()
        np.testing.assert_allclose(out[0], run.expected(0, q[0], k[0], v[0]), rtol=3e-5, atol=3e-5)


def test_rows_do_not_depend_on_cuts():
    for cpu in CPUS:
        for name in ("group3", "group2", "single", "many", "window", "window_long", "softcap", "half_cache", "half"):
            shape, tokens = SHAPES[name], 150
            run = Run(cpu, shape, [110, 0, 128])
            run.begin(tokens)
            count = [150, 141, 1]
            q, k, v, whole = run.step(tokens, count)
            for chunk in (1, 3, 7, 50):
                for rows in ([0, 1, 2], [1]):
                    other = Run(cpu, shape, run.past[rows])
                    other.kept = [run.kept[row] for row in rows]
                    other.begin(tokens)
                    for at in range(0, tokens, chunk):
                        part = slice(at, min(at + chunk, tokens))
                        here = np.array([np.clip(count[row] - at, 0, chunk) for row in rows], np.int64)
                        other.append(k[rows, part], v[rows, part], other.past + at, here)
                        out = other.attend(q[rows, part], other.past + at, here)
                        np.testing.assert_array_equal(out.view(f"u{out.itemsize}"),
                                                      whole[rows, part].view(f"u{out.itemsize}"),
                                                      f"{cpu} {name} {chunk} {rows} {at}")  # fmt: skip
            # Tiles of one call, as stages cut them.
            count = np.array(count, np.int64)
            for at, end in ((0, 16), (16, 150), (149, 150)):
                out = run.attend(q[:, at:end], run.past, count, at)
                np.testing.assert_array_equal(out, whole[:, at:end])


def test_stores_in_parts():
    for cpu in CPUS:
        run = Run(cpu, SHAPES["group2"], [120, 0, 7])
        run.begin(20)
        q, k, v, whole = run.step(20, [20, 3, 12])
        run.begin(20)
        count = np.array([20, 3, 12], np.int64)
        for first in range(0, 60, 24):
            run.append(k, v, run.past, count, first, first + 24)
        np.testing.assert_array_equal(run.attend(q, run.past, count), whole)


def test_later_tokens_do_not_leak():
    for cpu in CPUS:
        for name in ("group3", "half_cache", "window"):
            run = Run(cpu, SHAPES[name], [120])
            run.begin(20)
            q, k, v, whole = run.step(20, [20])
            k[0, 5:], v[0, 5:] = np.inf, np.nan
            run.append(k, v, run.past, np.array([20]))
            out = run.attend(q, run.past, np.array([20]))
            np.testing.assert_array_equal(out[0, :5], whole[0, :5])


def test_token_kernel_gives_the_same_bits():
    for cpu in CPUS:
        run = Run(cpu, SHAPES["group3"], [200])
        run.begin(1)
        q, k, v, whole = run.step(1, [1])
        run.shape = SHAPES["token3"]
        np.testing.assert_array_equal(run.attend(q, run.past, np.array([1])), whole)


def test_pages_by_themselves_give_the_same_bits():
    for cpu in CPUS:
        for name, shape in SHAPES.items():
            if shape.seq != "1":
                continue
            run = Run(cpu, shape, [0, 127, 128, 700, 3])
            run.begin(1)
            count = np.array([1, 1, 1, 1, 0], np.int64)
            q, _, _, whole = run.step(1, count)
            pages, handle = 6, run.cache.handle()
            parts = np.full((5, pages, shape.heads, shape.value_depth + 2), np.nan, np.float32)
            for first, end in ((3, 6), (0, 1), (1, 3)):
                part = np.ascontiguousarray(parts[:, first:end])
                run.kernels(f"{name}_pages", q[:, 0], run.past, count, first, end - first, *handle, part)
                parts[:, first:end] = part
            out, check = guarded(whole[:, 0].shape, whole.dtype)
            run.kernels(f"{name}_merge", parts, run.past, count, out)
            check()
            np.testing.assert_array_equal(out.view(f"u{out.itemsize}"), whole[:, 0].view(f"u{out.itemsize}"), name)
