"""ingot-lower-linear against numpy, over shapes around the tile sizes."""

import sys
import time

import numpy as np
from kernels import Kernels, guarded

MODULE = """
func.func @packed(%x: memref<?x?xf32, strided<[?, 1]>>, %w: memref<?x?x16xf32>, %c: memref<?x?xf32, strided<[?, 1]>>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w : memref<?x?xf32, strided<[?, 1]>>, memref<?x?x16xf32>) outs(%c : memref<?x?xf32, strided<[?, 1]>>)
  return
}
func.func @biased(%x: memref<?x?xf32>, %w: memref<?x?x16xf32>, %b: memref<?xf32>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w, %b : memref<?x?xf32>, memref<?x?x16xf32>, memref<?xf32>) outs(%c : memref<?x?xf32>)
  return
}
func.func @blocks(%x: memref<?x1100xf32>, %w: memref<?x1100x16xf32>, %b: memref<?xf32>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w, %b : memref<?x1100xf32>, memref<?x1100x16xf32>, memref<?xf32>) outs(%c : memref<?x?xf32>)
  return
}
func.func @wide(%x: memref<?x1100xf32>, %w: memref<4x1100x16xf32>, %b: memref<64xf32>, %c: memref<?x64xf32>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w, %b : memref<?x1100xf32>, memref<4x1100x16xf32>, memref<64xf32>) outs(%c : memref<?x64xf32>)
  return
}
func.func @uneven(%x: memref<?x1103xf32>, %w: memref<4x1103x16xf32>, %b: memref<64xf32>, %c: memref<?x64xf32>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w, %b : memref<?x1103xf32>, memref<4x1103x16xf32>, memref<64xf32>) outs(%c : memref<?x64xf32>)
  return
}
func.func @codes(%x: memref<?x?xf32>, %w: memref<?x?x16xi8>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w : memref<?x?xf32>, memref<?x?x16xi8>) outs(%c : memref<?x?xf32>)
  return
}
func.func @plain(%x: memref<?x?x?xf32>, %w: memref<?x?xf32>, %c: memref<?x?x?xf32>) attributes {llvm.emit_c_interface} {
  ingot.linear ins(%x, %w : memref<?x?x?xf32>, memref<?x?xf32>) outs(%c : memref<?x?x?xf32>)
  return
}
func.func @matmul_f64(%a: memref<?x?x?xf64>, %b: memref<?x?x?xf64>, %c: memref<?x?x?xf64>) attributes {llvm.emit_c_interface} {
  ingot.matmul ins(%a, %b : memref<?x?x?xf64>, memref<?x?x?xf64>) outs(%c : memref<?x?x?xf64>)
  return
}
func.func @matmul_i32(%a: memref<?x?x?xi32>, %b: memref<?x?x?xi32>, %c: memref<?x?x?xi32>) attributes {llvm.emit_c_interface} {
  ingot.matmul ins(%a, %b : memref<?x?x?xi32>, memref<?x?x?xi32>) outs(%c : memref<?x?x?xi32>)
  return
}
func.func @matmul_f16(%a: memref<?x?x?xf16>, %b: memref<?x?x?xf16>, %c: memref<?x?x?xf16>) attributes {llvm.emit_c_interface} {
  ingot.matmul ins(%a, %b : memref<?x?x?xf16>, memref<?x?x?xf16>) outs(%c : memref<?x?x?xf16>)
  return
}
func.func @transposed(%a: memref<?x?x?xf32>, %b: memref<?x?x?xf32, strided<[?, 1, ?]>>, %c: memref<?x?x?xf32>) attributes {llvm.emit_c_interface} {
  ingot.matmul ins(%a, %b : memref<?x?x?xf32>, memref<?x?x?xf32, strided<[?, 1, ?]>>) outs(%c : memref<?x?x?xf32>)
  return
}
"""


def pack(w):
    k, n = w.shape
    panels = -(-n // 16)
    padded = np.zeros((k, panels * 16), w.dtype)
    padded[:, :n] = w
    return np.ascontiguousarray(padded.reshape(k, panels, 16).transpose(1, 0, 2))


def kernels(cpu):
    return Kernels(MODULE, f"ingot-lower-linear{{target={cpu}}},ingot-expand-math", cpu)


def avx512():
    return " avx512f " in open("/proc/cpuinfo").read()


def test_shapes():
    for cpu in ["x86-64-v3"] + (["x86-64-v4"] if avx512() else []):
        shapes(kernels(cpu))


def shapes(k):
    rng = np.random.default_rng(1)

    def real(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    for m in [0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 24, 29]:
        for n in [1, 8, 15, 16, 17, 32, 40, 48]:
            for depth in [0, 1, 5, 33]:
                x, w, bias = real(m, depth + 2)[:, 1:-1], real(depth, n), real(n)
                want = x.astype("f8") @ w
                out, check = guarded((m, n), np.float32)
                k("packed", x, pack(w), out)
                check()
                np.testing.assert_allclose(out, want, rtol=1e-4, atol=1e-5)
                dense = np.ascontiguousarray(x)
                first = out.copy()
                if m > 3 and depth:
                    # A row's bits do not depend on the other rows.
                    k("packed", x[2:3], pack(w), out[:1])
                    np.testing.assert_array_equal(out[0], first[2])
                out, check = guarded((m, n), np.float32)
                k("biased", dense, pack(w), bias, out)
                check()
                np.testing.assert_allclose(out, want + bias, rtol=1e-4, atol=1e-5)
                out, check = guarded((2, m, n), np.float32)
                k("plain", np.stack([dense, dense * 2]), w, out)
                check()
                np.testing.assert_array_equal(out[0], first)
                codes = rng.integers(-128, 128, (depth, n)).astype(np.int8)
                out, check = guarded((m, n), np.float32)
                k("codes", dense, pack(codes), out)
                check()
                np.testing.assert_allclose(out, dense.astype("f8") @ codes, rtol=1e-4, atol=1e-3)

                a = rng.standard_normal((2, m, depth))
                b = rng.standard_normal((2, depth, n))
                out, check = guarded((2, m, n), np.float64)
                k("matmul_f64", a, b, out)
                check()
                np.testing.assert_allclose(out, a @ b, rtol=1e-12, atol=1e-12)
                i, j = rng.integers(-9, 9, a.shape), rng.integers(-9, 9, b.shape)
                out, check = guarded((2, m, n), np.int32)
                k("matmul_i32", i.astype(np.int32), j.astype(np.int32), out)
                check()
                np.testing.assert_array_equal(out, i @ j)
                out, check = guarded((2, m, n), np.float32)
                columns = np.ascontiguousarray(b.astype("f4").transpose(0, 2, 1)).transpose(0, 2, 1)
                k("transposed", a.astype("f4"), columns, out)
                check()
                np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-5)
                out, check = guarded((2, m, n), np.float16)
                k("matmul_f16", a.astype("f2"), b.astype("f2"), out)
                check()
                np.testing.assert_allclose(out, a @ b, rtol=2e-2, atol=2e-2)


def test_blocks():
    for cpu in ["x86-64-v3"] + (["x86-64-v4"] if avx512() else []):
        blocks(kernels(cpu))


def blocks(k):
    """K of two blocks: the same bits as of all of it at once."""
    rng = np.random.default_rng(2)
    for m in [1, 2, 6, 11, 12, 13]:
        for name, depth, n in [("blocks", 1100, 5), ("blocks", 1100, 40), ("wide", 1100, 64), ("uneven", 1103, 64)]:
            x = rng.standard_normal((m, depth), np.float32)
            w, bias = rng.standard_normal((depth, n), np.float32), rng.standard_normal(n, np.float32)
            out, check = guarded((m, n), np.float32)
            k(name, x, pack(w), bias, out)
            check()
            np.testing.assert_allclose(out, x.astype("f8") @ w + bias, rtol=1e-4, atol=1e-3)
            whole = np.empty_like(out)
            k("biased", x, pack(w), bias, whole)
            np.testing.assert_array_equal(out, whole)
            if m > 1:
                k(name, x[1:2], pack(w), bias, whole[:1])
                np.testing.assert_array_equal(out[1], whole[0])


# Depth and columns of products with pairs of bf16. More than the 1,024 rows that
# a block has are taken in two.
PAIRS = [(1, 1), (2, 16), (7, 40), (32, 64), (33, 33), (1100, 40), (1101, 64)]


def pairs_module(x):
    functions = [
        f"""
func.func @pairs_{depth}_{columns}(%x: memref<?x{depth}x{x}>, %w: memref<?x{-(-depth // 2)}x16x2xbf16>, %b: memref<?xf32>, %c: memref<?x{columns}xf32>) attributes {{llvm.emit_c_interface}} {{
  ingot.linear ins(%x, %w, %b : memref<?x{depth}x{x}>, memref<?x{-(-depth // 2)}x16x2xbf16>, memref<?xf32>) outs(%c : memref<?x{columns}xf32>)
  return
}}"""
        for depth, columns in PAIRS
    ]
    return "".join(functions)


def bfloats(array):
    """The bits of the nearest bf16, and their values."""
    bits = array.astype(np.float32).view(np.uint32)
    bits = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return bits, (bits.astype(np.uint32) << 16).view(np.float32)


def pack_pairs(bits):
    k, n = bits.shape
    padded = np.zeros((-(-k // 2) * 2, -(-n // 16) * 16), np.uint16)
    padded[:k, :n] = bits
    return np.ascontiguousarray(padded.reshape(-(-k // 2), 2, -1, 16).transpose(2, 0, 3, 1))


def added_in_pairs(x, w, bias):
    """The sums over K as they are added, each step rounded once: products of
    bf16 are exact in f64, and so are most sums."""
    sums = np.zeros((len(x), w.shape[1]), np.float32)
    depth = x.shape[1]
    order = [k for k in np.arange(depth + depth % 2).reshape(-1, 2)[:, ::-1].flat if k < depth]
    for k in order:
        product = x[:, k : k + 1].astype("f8") * w[k].astype("f8")
        sums = (sums + product).astype(np.float32)
    return sums + bias


def pair_targets():
    """CPUs and the types of what is multiplied with pairs."""
    info = open("/proc/cpuinfo").read()
    yield "x86-64-v3", "f32"
    yield "x86-64-v3", "bf16"
    if avx512():
        yield "x86-64-v4", "f32"
    if " avx512_bf16 " in info:
        yield "x86-64-v4+avx512vnni+avx512bf16", "bf16"
        yield "x86-64-v4+avx512vnni+avx512bf16", "f32"


def test_pairs():
    for cpu, given in pair_targets():
        k = Kernels(pairs_module(given), f"ingot-lower-linear{{target={cpu}}},ingot-expand-math", cpu)
        pairs(k, given)
        if given == "bf16":
            extremes(k, flushes="bf16" in cpu)


def pairs(k, given):
    rng = np.random.default_rng(3)
    for depth, columns in PAIRS:
        w_bits, w = bfloats(rng.standard_normal((depth, columns)))
        bias = rng.standard_normal(columns).astype(np.float32)
        for m in [0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 24, 29]:
            x_bits, x = bfloats(rng.standard_normal((m, depth)))
            rows = x_bits if given == "bf16" else x
            out, check = guarded((m, columns), np.float32)
            k(f"pairs_{depth}_{columns}", rows, pack_pairs(w_bits), bias, out)
            check()
            # Every sum is rounded once for each product and for the bias.
            exact = x.astype("f8") @ w + bias
            sizes = np.abs(x).astype("f8") @ np.abs(w) + np.abs(bias)
            assert (np.abs(out - exact) <= (depth + 1) * 2.0**-24 * 1.01 * sizes).all()
            np.testing.assert_array_equal(out, added_in_pairs(x, w, bias))
            if m > 3:
                first = np.empty_like(out[:1])
                k(f"pairs_{depth}_{columns}", rows[2:3], pack_pairs(w_bits), bias, first)
                np.testing.assert_array_equal(first[0], out[2])


def extremes(k, flushes):
    """Numbers below the normal ones count as zero where pairs are multiplied by
    the instruction, nowhere else; infinities stay in their column and row."""
    tiny = np.uint16(0x0040)  # 2**-127
    w = np.full((7, 40), 0x3F80, np.uint16)  # ones
    x = np.zeros((2, 7), np.uint16)
    x[0, 2], x[1, 6] = tiny, 0x7F80
    out, bias = np.empty((2, 40), np.float32), np.zeros(40, np.float32)
    k("pairs_7_40", x, pack_pairs(w), bias, out)
    np.testing.assert_array_equal(out[0], 0.0 if flushes else 2.0**-127)
    np.testing.assert_array_equal(out[1], np.inf)
    # What lies behind the last row is not multiplied with what pads the weight.
    both = np.full((2, 7), 0x3F80, np.uint16)
    both[1] = 0x7FC0
    k("pairs_7_40", both[:1], pack_pairs(w), bias, out[:1])
    np.testing.assert_array_equal(out[0], 7.0)


def speed(cpu):
    k = kernels(cpu)
    for m, n, depth in [(48, 512, 512), (96, 512, 512), (126, 1536, 384), (126, 384, 1536),
                        (128, 384, 384), (1, 1536, 384), (4, 384, 384), (5, 384, 384)]:
        x = np.ones((m, depth), np.float32)
        out = np.zeros((m, n), np.float32)
        w = np.ones((depth, n), np.float32)
        for name, weights in (("packed", pack(w)), ("codes", pack(w.astype(np.int8)))):
            best = min(timed(lambda: k(name, x, weights, out)) for _ in range(30))
            print(f"{name:7} M{m} N{n} K{depth}: {2e-9 * m * n * depth / best:.1f} GFLOP/s")


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    if "--speed" in sys.argv:
        speed("x86-64-v4" if avx512() else "x86-64-v3")
    else:
        test_shapes()
