"""ingot-vectorize-generic against numpy, over shapes around the vector size."""

import numpy as np
from kernels import Kernels, guarded

MODULE = """
#id1 = affine_map<(i) -> (i)>
#id2 = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
#col = affine_map<(i, j) -> (j)>
#tr = affine_map<(i, j) -> (j, i)>
#none = affine_map<(i) -> ()>

func.func @add(%a: memref<?x?xf32>, %b: memref<?xf32>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id2, #col, #id2], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : memref<?x?xf32>, memref<?xf32>) outs(%c : memref<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %0, %x : f32
    linalg.yield %1 : f32
  }
  return
}

func.func @rowsum(%a: memref<?x?xf32>, %c: memref<?xf32>) attributes {llvm.emit_c_interface} {
  %z = arith.constant 0.0 : f32
  linalg.fill ins(%z : f32) outs(%c : memref<?xf32>)
  linalg.generic {indexing_maps = [#id2, #row], iterator_types = ["parallel", "reduction"]}
    ins(%a : memref<?x?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%x: f32, %z0: f32):
    %0 = arith.mulf %x, %x : f32
    %1 = arith.addf %0, %z0 : f32
    linalg.yield %1 : f32
  }
  return
}

func.func @colmax(%a: memref<?x?xf32>, %c: memref<?xf32>) attributes {llvm.emit_c_interface} {
  %z = arith.constant 0xFF800000 : f32
  linalg.fill ins(%z : f32) outs(%c : memref<?xf32>)
  linalg.generic {indexing_maps = [#id2, #col], iterator_types = ["reduction", "parallel"]}
    ins(%a : memref<?x?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%x: f32, %z0: f32):
    %1 = arith.maximumf %x, %z0 : f32
    linalg.yield %1 : f32
  }
  return
}

func.func @total(%a: memref<?x?xi64>, %c: memref<i64>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id2, affine_map<(i, j) -> ()>], iterator_types = ["reduction", "reduction"]}
    ins(%a : memref<?x?xi64>) outs(%c : memref<i64>) {
  ^bb0(%x: i64, %z0: i64):
    %1 = arith.addi %x, %z0 : i64
    linalg.yield %1 : i64
  }
  return
}

func.func @argmax(%a: memref<?x?xf32>, %v: memref<?xf32>, %p: memref<?xi64>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id2, #row, #row], iterator_types = ["parallel", "reduction"]}
    ins(%a : memref<?x?xf32>) outs(%v, %p : memref<?xf32>, memref<?xi64>) {
  ^bb0(%x: f32, %best: f32, %at: i64):
    %j = linalg.index 1 : index
    %ji = arith.index_cast %j : index to i64
    %g = arith.cmpf ogt, %x, %best : f32
    %0 = arith.select %g, %x, %best : f32
    %1 = arith.select %g, %ji, %at : i64
    linalg.yield %0, %1 : f32, i64
  }
  return
}

func.func @transpose(%a: memref<?x?xf32>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#tr, #id2], iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<?x?xf32>) outs(%c : memref<?x?xf32>) {
  ^bb0(%x: f32, %z: f32):
    %d = arith.divf %x, %x : f32
    %1 = arith.addf %x, %d : f32
    linalg.yield %1 : f32
  }
  return
}

func.func @less(%a: memref<?xf32>, %b: memref<f32>, %c: memref<?xi8>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id1, #none, #id1], iterator_types = ["parallel"]}
    ins(%a, %b : memref<?xf32>, memref<f32>) outs(%c : memref<?xi8>) {
  ^bb0(%x: f32, %y: f32, %z: i8):
    %0 = arith.cmpf olt, %x, %y : f32
    %1 = arith.extui %0 : i1 to i8
    linalg.yield %1 : i8
  }
  return
}

func.func @embed(%t: memref<?x?xf32>, %ids: memref<?xi64>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#row, #id2], iterator_types = ["parallel", "parallel"]}
    ins(%ids : memref<?xi64>) outs(%c : memref<?x?xf32>) {
  ^bb0(%id: i64, %z: f32):
    %r = arith.index_cast %id : i64 to index
    %j = linalg.index 1 : index
    %v = memref.load %t[%r, %j] : memref<?x?xf32>
    linalg.yield %v : f32
  }
  return
}

func.func @reverse_sqrt(%t: memref<?xf32>, %c: memref<?xf32>) attributes {llvm.emit_c_interface} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %t, %c0 : memref<?xf32>
  %last = arith.subi %n, %c1 : index
  linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]}
    outs(%c : memref<?xf32>) {
  ^bb0(%z: f32):
    %j = linalg.index 0 : index
    %r = arith.subi %last, %j : index
    %v = memref.load %t[%r] : memref<?xf32>
    %even = arith.remui %j, %c1 : index
    %is = arith.cmpi eq, %even, %c0 : index
    %w = scf.if %is -> f32 {
      %s = math.sqrt %v : f32
      scf.yield %s : f32
    } else {
      scf.yield %v : f32
    }
    linalg.yield %w : f32
  }
  return
}

func.func @copy(%a: memref<?x?xf16, strided<[?, 1]>>, %c: memref<?x?xf16>) attributes {llvm.emit_c_interface} {
  memref.copy %a, %c : memref<?x?xf16, strided<[?, 1]>> to memref<?x?xf16>
  return
}

func.func @half(%a: memref<?xf16>, %c: memref<?xf16>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
    ins(%a : memref<?xf16>) outs(%c : memref<?xf16>) {
  ^bb0(%x: f16, %z: f16):
    %0 = arith.mulf %x, %x : f16
    %1 = arith.addf %0, %x : f16
    linalg.yield %1 : f16
  }
  return
}

func.func @strided(%a: memref<?x?xf64, strided<[?, ?]>>, %c: memref<?x?xf64, strided<[?, ?]>>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<?x?xf64, strided<[?, ?]>>) outs(%c : memref<?x?xf64, strided<[?, ?]>>) {
  ^bb0(%x: f64, %z: f64):
    %0 = arith.negf %x : f64
    linalg.yield %0 : f64
  }
  return
}

func.func @conv(%a: memref<?xf32>, %w: memref<?xf32>, %c: memref<?xf32>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [affine_map<(i, k) -> (i * 2 + k)>, affine_map<(i, k) -> (k)>, affine_map<(i, k) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%a, %w : memref<?xf32>, memref<?xf32>) outs(%c : memref<?xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %z, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

func.func @matmul(%a: memref<?x?xf32>, %w: memref<?x?xf32>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  linalg.matmul ins(%a, %w : memref<?x?xf32>, memref<?x?xf32>) outs(%c : memref<?x?xf32>)
  return
}

func.func @cumsum(%a: memref<?x?xf32>, %c: memref<?x?xf32>) attributes {llvm.emit_c_interface} {
  %c1 = arith.constant 1 : index
  %c0 = arith.constant 0 : index
  linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "reduction"]}
    ins(%a : memref<?x?xf32>) outs(%c : memref<?x?xf32>) {
  ^bb0(%x: f32, %z: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %p = arith.subi %j, %c1 : index
    %q = arith.maxsi %p, %c0 : index
    %before = memref.load %c[%i, %q] : memref<?x?xf32>
    %first = arith.cmpi eq, %j, %c0 : index
    %s = arith.addf %before, %x : f32
    %r = arith.select %first, %x, %s : f32
    linalg.yield %r : f32
  }
  return
}

func.func @static12(%a: memref<?x12xf32>, %c: memref<?x12xf32>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<?x12xf32>) outs(%c : memref<?x12xf32>) {
  ^bb0(%x: f32, %z: f32):
    %j = linalg.index 1 : index
    %ji = arith.index_cast %j : index to i32
    %jf = arith.sitofp %ji : i32 to f32
    %0 = arith.addf %x, %jf : f32
    linalg.yield %0 : f32
  }
  return
}

func.func @column1(%a: memref<?x1xf32>, %c: memref<?x1xf32>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [#id2, #id2], iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<?x1xf32>) outs(%c : memref<?x1xf32>) {
  ^bb0(%x: f32, %z: f32):
    %0 = arith.addf %x, %x : f32
    linalg.yield %0 : f32
  }
  return
}
"""

rng = np.random.default_rng(7)


def real(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def same(got, want, check):
    check()
    np.testing.assert_array_equal(got, want)


def test_vectorize_generic():
    k = Kernels(MODULE, "ingot-vectorize-generic")
    for n in [0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 100]:
        for m in [0, 1, 2, 5, 16, 19]:
            a, bias = real(m, n), real(n)
            out, check = guarded((m, n), np.float32)
            k("add", a, bias, out)
            same(out, a * bias + a, check)

            out, check = guarded((m,), np.float32)
            k("rowsum", a, out)
            check()
            np.testing.assert_allclose(out, (a.astype("f8") ** 2).sum(1), rtol=1e-5)

            if n and m:
                out, check = guarded((n,), np.float32)
                k("colmax", a, out)
                same(out, a.max(0), check)
                v, p = np.full(m, -np.inf, np.float32), np.zeros(m, np.int64)
                k("argmax", a, v, p)
                np.testing.assert_array_equal(p, a.argmax(1))
                ids = rng.integers(0, m, 9)
                out, check = guarded((9, n), np.float32)
                k("embed", a, ids, out)
                same(out, a[ids], check)
                out, check = guarded((m, n), np.float32)
                k("cumsum", a, out)
                check()
                np.testing.assert_array_equal(out, np.cumsum(a, 1, dtype=np.float32))

            i = rng.integers(-9, 9, (m, n))
            out = np.array(5, np.int64)
            k("total", i, out)
            assert out == 5 + i.sum()

            out, check = guarded((n, m), np.float32)
            k("transpose", a, out)
            same(out, a.T + 1, check)

            wide = rng.standard_normal((m, n + 3)).astype(np.float16)
            out, check = guarded((m, n), np.float16)
            k("copy", wide[:, 1 : n + 1], out)
            same(out, wide[:, 1 : n + 1], check)

            d = rng.standard_normal((n, m))
            out = np.zeros((n, m))
            k("strided", d.T, out.T)
            np.testing.assert_array_equal(out, -d)

            b, c = real(n, 7), real(m, 7)
            want = c + a @ b
            k("matmul", a, b, c)
            np.testing.assert_allclose(c, want, rtol=1e-4, atol=1e-5)

        x = real(n)
        out, check = guarded((n,), np.int8)
        k("less", x, np.array(0.1, np.float32), out)
        same(out, (x < 0.1).astype(np.int8), check)

        out, check = guarded((n,), np.float32)
        k("reverse_sqrt", np.abs(x), out)
        same(out, np.sqrt(np.abs(x))[::-1], check)

        h = rng.standard_normal(n).astype(np.float16)
        out, check = guarded((n,), np.float16)
        k("half", h, out)
        same(out, h * h + h, check)

        w, x, out = real(3), real(2 * n + 1), np.zeros(n, np.float32)
        k("conv", x, w, out)
        want = [sum(x[2 * i + j] * w[j] for j in range(3)) for i in range(n)]
        np.testing.assert_allclose(out, want, rtol=1e-4, atol=1e-5)

        x = real(n, 12)
        out, check = guarded((n, 12), np.float32)
        k("static12", x, out)
        same(out, x + np.arange(12, dtype=np.float32), check)
        x = real(n, 1)
        out, check = guarded((n, 1), np.float32)
        k("column1", x, out)
        same(out, x + x, check)


if __name__ == "__main__":
    test_vectorize_generic()
