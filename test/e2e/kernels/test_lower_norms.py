"""ingot-lower-norms against numpy in double precision."""

import numpy as np
from kernels import Kernels, guarded


def kernel(name, op, rank, element, vectors=0, attrs="", n="?"):
    x = f"memref<{'?x' * (rank - 1)}{n}x{element}>"
    g = f"memref<{n}x{element}>"
    args = f"%x: {x}" + "".join(f", %g{i}: {g}" for i in range(vectors))
    names = "%x" + "".join(f", %g{i}" for i in range(vectors))
    types = ", ".join([x] + [g] * vectors)
    return f"""
func.func @{name}({args}, %o: {x}) attributes {{llvm.emit_c_interface}} {{
  ingot.{op} ins({names} : {types}) outs(%o : {x}) {{{attrs}}}
  return
}}
"""


EPS = "epsilon = 1.0e-5 : f64"
MODULE = "".join([
    kernel("softmax", "softmax", 2, "f32", attrs="axis = 1 : i64"),
    kernel("softmax3", "softmax", 3, "f32", attrs="axis = 1 : i64"),
    kernel("log_softmax", "softmax", 2, "f32", attrs="axis = 1 : i64, log = true"),
    kernel("softmax_f64", "softmax", 2, "f64", attrs="axis = 1 : i64"),
    kernel("softmax_f16", "softmax", 1, "f16", attrs="axis = 0 : i64"),
    kernel("layer_norm", "layer_norm", 2, "f32", 2, EPS),
    kernel("layer_norm48", "layer_norm", 3, "f32", 2, EPS, n=48),
    kernel("layer_norm_f64", "layer_norm", 2, "f64", 1, EPS),
    kernel("rms_norm", "rms_norm", 2, "f32", 1, EPS),
    kernel("rms_norm_f16", "rms_norm", 2, "f16", 1, EPS),
])


def softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)


def norm(x, g, b=0, center=True):
    x = x.astype("f8")
    if center:
        x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * g + b


def test_norms():
    k = Kernels(MODULE, "ingot-lower-norms,ingot-expand-math")
    rng = np.random.default_rng(2)

    def compare(name, x, *vectors, want, tolerance=2e-6):
        out, check = guarded(x.shape, x.dtype)
        k(name, x, *vectors, out)
        check()
        np.testing.assert_allclose(out, want, rtol=tolerance * 4, atol=tolerance)

    for rows in (0, 1, 3):
        for n in (1, 2, 15, 16, 17, 48, 100, 384):
            x = (rng.standard_normal((rows, n)) * 3 + 1).astype("f4")
            g, b = rng.standard_normal((2, n)).astype("f4")
            wide = x.astype("f8")
            compare("softmax", x, want=softmax(wide))
            compare("log_softmax", x, want=np.log(softmax(wide)), tolerance=1e-5)
            compare("softmax_f64", wide, want=softmax(wide), tolerance=1e-14)
            compare("layer_norm", x, g, b, want=norm(x, g, b), tolerance=1e-5)
            compare("layer_norm_f64", wide, g.astype("f8"), want=norm(x, g), tolerance=1e-11)
            compare("rms_norm", x, g, want=norm(x, g, center=False), tolerance=1e-5)
            h = x.astype("f2")
            compare("rms_norm_f16", h, g.astype("f2"), want=norm(h, g.astype("f2"), center=False), tolerance=2e-3)
            if rows:
                compare("softmax_f16", h[0], want=softmax(h[0].astype("f8")), tolerance=1e-3)
            y = rng.standard_normal((2, rows + 1, n)).astype("f4")
            compare("softmax3", y, want=softmax(y.astype("f8"), 1))
    x = rng.standard_normal((2, 3, 48)).astype("f4")
    g, b = rng.standard_normal((2, 48)).astype("f4")
    compare("layer_norm48", x, g, b, want=norm(x, g, b), tolerance=1e-5)
    x = np.full((1, 20), -np.inf, "f4")
    compare("softmax", x, want=np.full((1, 20), np.nan))
    x[0, 18] = 1000
    compare("softmax", x, want=softmax(x))
    x[0, 3] = np.nan
    compare("softmax", x, want=np.full((1, 20), np.nan))


if __name__ == "__main__":
    test_norms()
