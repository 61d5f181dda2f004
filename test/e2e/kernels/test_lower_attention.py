"""ingot-lower-attention against a plain softmax in double precision."""

import functools
import sys
import time

import numpy as np
from kernels import Kernels, guarded


def kernel(name, d="?", dv=None, element="f32", mask=None, bias=None, attrs="", offset=False, past=False):
    dv = dv or d
    q, k = f"memref<?x?x?x{d}x{element}, strided<[?, ?, ?, 1]>>", f"memref<?x?x?x{d}x{element}, strided<[?, ?, ?, 1]>>"
    v = f"memref<?x?x?x{dv}x{element}, strided<[?, ?, ?, 1]>>"
    args = f"%q: {q}, %k: {k}, %v: {v}"
    rest = ""
    if mask:
        args += f", %m: {mask}"
        rest += f" key_mask(%m : {mask})"
    if bias:
        args += f", %b: {bias}"
        rest += f" bias(%b : {bias})"
    if offset:
        args += ", %off: index"
        rest += " offset(%off)"
    if past:
        args += ", %past: memref<?xi64>"
        rest += " past(%past : memref<?xi64>)"
    return f"""
func.func @{name}({args}, %o: {v}) attributes {{llvm.emit_c_interface}} {{
  ingot.attention ins(%q, %k, %v : {q}, {k}, {v}){rest} outs(%o : {v}) {{scale = 0.25 : f64{attrs}}}
  return
}}
"""


MASK = "memref<?x?xi8>"
BIAS = "memref<?x?x?x?xf32>"
MODULE = "".join([
    kernel("plain32", 32),
    kernel("plain64", 64),
    kernel("odd", 20, 9),
    kernel("unknown"),
    kernel("masked", 16, mask=MASK),
    kernel("uniform", 16, mask=MASK, attrs=", dead_row = #ingot.dead_row<uniform>"),
    kernel("dead_nan", 16, mask=MASK, attrs=", dead_row = #ingot.dead_row<nan>"),
    kernel("causal", 16, attrs=", causal = true"),
    kernel("window", 16, attrs=", causal = true, window = 5 : i64"),
    kernel("window_only", 16, attrs=", window = 60 : i64"),
    kernel("offset", 16, attrs=", causal = true", offset=True),
    kernel("rows", 16, attrs=", causal = true", past=True),
    kernel("rows_window", 16, attrs=", causal = true, window = 5 : i64", offset=True, past=True),
    kernel("rows_half", 16, element="f16", attrs=", causal = true", past=True),
    kernel("biased", 16, mask=MASK, bias=BIAS, attrs=", softcap = 2.0 : f64"),
    kernel("row_bias", 16, bias="memref<?x1x1x?xf32>"),
    kernel("plain_masked", mask=MASK, bias=BIAS, attrs=", causal = true, dead_row = #ingot.dead_row<uniform>"),
    kernel("double", 16, element="f64", mask=MASK),
    kernel("half", 16, element="f16"),
    kernel("large", 320),
])


def expected(q, k, v, mask=None, bias=None, causal=False, window=0, softcap=0, dead="zero", offset=None,
             past=None):
    q, k, v = (a.astype(np.float64) for a in (q, k, v))
    _, s, h, _ = q.shape
    t, g = k.shape[1], k.shape[2]
    k, v = np.repeat(k, h // g, 2), np.repeat(v, h // g, 2)
    scores = np.einsum("bshd,bthd->bhst", q, k) * 0.25
    if softcap:
        scores = softcap * np.tanh(scores / softcap)
    if bias is not None:
        scores = scores + bias
    seen = np.ones_like(scores, bool)
    at = np.arange(s)[:, None] + (t - s if offset is None else offset)
    if past is not None:
        at = np.arange(s)[:, None] + np.reshape(past, (-1, 1, 1, 1)) + (offset or 0)
    if mask is not None:
        seen &= (mask != 0)[:, None, None, :]
    if causal:
        seen &= np.arange(t) <= at
    if window:
        seen &= np.arange(t) > at - window
    scores = np.where(seen, scores, -np.inf)
    with np.errstate(all="ignore"):
        top = scores.max(-1, keepdims=True, initial=-np.inf)
        weights = np.exp(scores - np.where(np.isinf(top), 0, top))
        weights /= weights.sum(-1, keepdims=True)
    if dead != "nan":
        hidden = ~seen.any(-1, keepdims=True) if t else np.ones(top.shape, bool)
        with np.errstate(all="ignore"):
            weights = np.where(hidden, 0.0 if dead == "zero" else np.divide(1.0, t), weights)
    return np.einsum("bhst,bthd->bshd", weights, v)


@functools.cache
def built():
    return Kernels(MODULE, "ingot-lower-attention,ingot-expand-math")


rng = np.random.default_rng(11)


def inputs(b, s, t, h, g, d, dv=None, dtype=np.float32):
    make = lambda *shape: rng.standard_normal(shape).astype(dtype)  # noqa: E731
    return make(b, s, h, d), make(b, t, g, d), make(b, t, g, dv or d)


def compare(k, name, arrays, extra=(), tolerance=2e-5, **options):
    q, keys, v = arrays
    out, check = guarded(q.shape[:3] + v.shape[3:], q.dtype)
    k(name, q, keys, v, *extra, out)
    check()
    want = expected(q, keys, v, **options)
    np.testing.assert_allclose(out, want, rtol=tolerance, atol=tolerance, err_msg=f"{name} {q.shape} {keys.shape}")
    return out


SHAPES = [(1, 1, 1), (1, 3, 7), (2, 16, 48), (1, 48, 49), (2, 50, 97), (1, 7, 200), (1, 100, 13)]


def test_shapes():
    k = built()
    for b, s, t in SHAPES:
        for h, g in [(1, 1), (4, 2), (6, 1)]:
            compare(k, "plain32", inputs(b, s, t, h, g, 32))
            compare(k, "plain64", inputs(b, s, t, h, g, 64))
            compare(k, "odd", inputs(b, s, t, h, g, 20, 9))
        compare(k, "unknown", inputs(b, s, t, 4, 2, 5))
        compare(k, "large", inputs(b, s, t, 2, 1, 320), tolerance=1e-4)
        compare(k, "double", inputs(b, s, t, 2, 1, 16, dtype=np.float64), [np.ones((b, t), np.int8)], 1e-12)
        compare(k, "half", inputs(b, s, t, 2, 1, 16, dtype=np.float16), tolerance=4e-3)
    compare(k, "plain32", inputs(1, 0, 5, 2, 2, 32))
    compare(k, "plain32", inputs(1, 5, 0, 2, 2, 32))


def test_rows_with_positions_of_their_own():
    k = built()
    for b, s, t in [(1, 1, 1), (3, 1, 60), (2, 5, 130), (2, 50, 97), (3, 16, 20)]:
        past = rng.integers(0, t - s + 1, b).astype(np.int64)
        arrays = inputs(b, s, t, 4, 2, 16)
        compare(k, "rows", arrays, [past], past=past, causal=True)
        half = inputs(b, s, t, 2, 1, 16, dtype=np.float16)
        compare(k, "rows_half", half, [past], 4e-3, past=past, causal=True)
        for offset in (0, 3):
            compare(k, "rows_window", arrays, [offset, past], past=past, offset=offset,
                    causal=True, window=5)


def test_strides():
    k = built()
    q, keys, v = (a.transpose(0, 2, 1, 3) for a in inputs(2, 4, 4, 19, 19, 32))
    q, keys, v = (np.ascontiguousarray(a) for a in (q, keys, v))
    packed = np.concatenate([q, keys, v], -1)
    compare(k, "plain32", (packed[..., :32], packed[..., 32:64], packed[..., 64:]))


def test_masks():
    k = built()
    for b, s, t in SHAPES + [(1, 200, 200), (2, 5, 64)]:
        arrays = inputs(b, s, t, 4, 2, 16)
        for share in (0.3, 0.9):
            mask = (rng.random((b, t)) < share).astype(np.int8)
            mask[-1] *= rng.integers(0, 2)
            for name, dead in (("masked", "zero"), ("uniform", "uniform"), ("dead_nan", "nan")):
                compare(k, name, arrays, [mask], mask=mask, dead=dead)
        compare(k, "causal", arrays, causal=True)
        compare(k, "window", arrays, causal=True, window=5)
        compare(k, "window_only", arrays, window=60)
        compare(k, "offset", arrays, [3], causal=True, offset=3)
        for shape in [(b, 4, s, t), (1, 4, s, t), (1, 1, s, t), (b, 1, 1, t)]:
            bias = rng.standard_normal(shape).astype(np.float32)
            mask = np.ones((b, t), np.int8)
            mask[:, t // 2 + 1 :] = 0
            compare(k, "biased", arrays, [mask, bias], mask=mask, bias=bias, softcap=2.0)
        bias = np.where(rng.random((b, 1, 1, t)) < 0.5, 0, np.finfo("f4").min).astype("f4")
        compare(k, "row_bias", arrays, [bias], bias=bias)
        if t > 1:
            bias = np.where(np.arange(t) < t // 2, -np.inf, 0).astype("f4") * np.ones((b, 1, 1, 1), "f4")
            compare(k, "row_bias", arrays, [bias], bias=bias)
        bias = rng.standard_normal((b, 4, s, t)).astype(np.float32)
        mask = (rng.random((b, t)) < 0.8).astype(np.int8)
        compare(k, "plain_masked", arrays, [mask, bias], mask=mask, bias=bias, causal=True, dead="uniform")


def test_rows_do_not_depend_on_others():
    k = built()
    q, keys, v = inputs(1, 130, 130, 2, 2, 16)
    whole = compare(k, "causal", (q, keys, v), causal=True)
    for start, stop in [(0, 1), (5, 60), (129, 130), (64, 128)]:
        part = np.zeros((1, stop - start, 2, 16), np.float32)
        k("offset", q[:, start:stop], keys, v, start, part)
        np.testing.assert_array_equal(part, whole[:, start:stop])


def test_extremes():
    k = built()
    q, keys, v = inputs(1, 20, 70, 1, 1, 32)
    compare(k, "plain32", (q * 100, keys * 10, v), tolerance=1e-3)
    v[0, 60, 0, 3] = np.nan
    out = np.zeros_like(q)
    k("plain32", q, keys, v, out)
    assert np.isnan(out[..., 3]).all() and not np.isnan(out[..., 4]).any()
    q[0, 3, 0, 0] = np.nan
    k("plain32", q, keys, v, out)
    assert np.isnan(out[0, 3]).all() and not np.isnan(out[0, 4, 0, 5])


def speed():
    kernels = built()
    for name, d in (("plain32", 32), ("plain64", 64)):
        for s, t in ((32, 128), (48, 128), (128, 128), (48, 1024), (240, 1024), (1, 1024)):
            q, keys, v = inputs(1, s, t, 1, 1, d)
            out = np.zeros_like(q)

            def run():
                start = time.perf_counter()
                kernels(name, q, keys, v, out)
                return time.perf_counter() - start

            best = min(run() for _ in range(30))
            print(f"D{d} S{s} T{t}: {4e-9 * s * t * d / best:.1f} GFLOP/s")


if __name__ == "__main__":
    if "--speed" in sys.argv:
        speed()
    else:
        for test in (test_shapes, test_strides, test_masks, test_rows_do_not_depend_on_others, test_extremes):
            test()
