"""ingot-expand-math against 30-digit values over the range of every function.

numpy's own functions in extended precision (80 bits) are the oracle where they
have them; angles are first reduced by a pi of 1300 bits in Python's integers.
"""

import itertools
import math

import numpy as np
from kernels import Kernels

ID = "affine_map<(i) -> (i)>"
UNARY = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh "
    "tanh asinh acosh atanh erf erfc sqrt rsqrt cbrt floor ceil trunc round "
    "roundeven absf"
).split()
BINARY = {"pow": "math.powf", "atan2": "math.atan2", "fmod": "arith.remf"}


def kernel(name, op, element, operands):
    ins = ", ".join(f"%a{i}" for i in range(operands))
    args = "".join(f"%a{i}: memref<?x{element}>, " for i in range(operands))
    types = ", ".join([f"memref<?x{element}>"] * operands)
    block = "".join(f"%x{i}: {element}, " for i in range(operands))
    used = ", ".join(f"%x{i}" for i in range(operands))
    maps = ", ".join([ID] * (operands + 1))
    return f"""
func.func @{name}({args}%c: memref<?x{element}>) attributes {{llvm.emit_c_interface}} {{
  linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}}
    ins({ins} : {types}) outs(%c : memref<?x{element}>) {{
  ^bb0({block}%z: {element}):
    %0 = {op} {used} : {element}
    linalg.yield %0 : {element}
  }}
  return
}}
"""


def module(elements):
    text = ""
    for element in elements:
        for name in UNARY:
            text += kernel(f"{name}_{element}", f"math.{name}", element, 1)
        for name, op in BINARY.items():
            text += kernel(f"{name}_{element}", op, element, 2)
    return text


def slow_erf(values):
    return np.array([math.erf(float(v)) for v in values], np.longdouble)


def slow_erfc(values):
    return np.array([math.erfc(float(v)) for v in values], np.longdouble)


def inverse_tangent(denominator, bits):
    """arctan(1 / denominator) * 2**bits by its series."""
    power = total = (1 << bits) // denominator
    for k in itertools.count(1):
        power //= denominator**2
        if power == 0:
            return total
        total += (-1) ** k * (power // (2 * k + 1))


PI_BITS = 1300
# Machin's formula, with 64 bits for its rounding.
HALF_PI = (
    8 * inverse_tangent(5, PI_BITS + 64) - 2 * inverse_tangent(239, PI_BITS + 64)
) >> 64


def angles(values):
    """Quarter turns and what is left of them, exact until the last rounding."""
    turns, rest = [], np.empty(len(values), np.longdouble)
    for i, value in enumerate(values):
        if not np.isfinite(value):
            turns.append(0)
            rest[i] = np.nan
            continue
        top, bottom = float(value).as_integer_ratio()
        # A denominator is a power of two; that of a denormal is beyond pi's.
        if bottom.bit_length() > PI_BITS // 2:
            turns.append(0)
            rest[i] = value
            continue
        scaled = top * (1 << PI_BITS) // bottom
        n = (2 * scaled + HALF_PI) // (2 * HALF_PI)
        left = scaled - n * HALF_PI
        drop = max(left.bit_length() - 64, 0)
        turns.append(n % 4)
        rest[i] = np.ldexp(np.longdouble(left >> drop), drop - PI_BITS)
    return np.array(turns), rest


def slow_sin(values, ahead=0):
    turns, rest = angles(values)
    turns = (turns + ahead) % 4
    size = np.where(turns % 2 == 1, np.cos(rest), np.sin(rest))
    return np.where(turns >= 2, -size, size)


def slow_cos(values):
    return slow_sin(values, 1)


def slow_tan(values):
    turns, rest = angles(values)
    return np.where(turns % 2 == 1, -np.cos(rest) / np.sin(rest), np.tan(rest))


ORACLE = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log,
    "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sin": slow_sin,
    "cos": slow_cos, "tan": slow_tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "erf": slow_erf, "erfc": slow_erfc, "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "cbrt": np.cbrt, "floor": np.floor,
    "ceil": np.ceil, "trunc": np.trunc,
    "round": lambda x: np.copysign(np.floor(np.abs(x) + np.longdouble(0.5)), x),
    "roundeven": np.rint, "absf": np.abs,
}  # fmt: skip
# Units in the last place of the result; the default is 1.
ULP_F32 = {"exp": 1.1, "tanh": 2, "erf": 1.2, "log": 1.5, "rsqrt": 1.5}
ULP_F64 = {"tan": 3, "acosh": 4, "atanh": 4, "asinh": 4, "log1p": 3, "pow": 1.5,
           "exp2": 1.5, "cbrt": 3, "sinh": 4, "cosh": 4, "tanh": 4, "erfc": 4,
           "expm1": 2, "acos": 4, "asin": 4, "log2": 2, "log10": 2, "erf": 1.5,
           "rsqrt": 1.5, "log": 1.5, "exp": 1.5, "sin": 1.5, "cos": 1.5,
           "atan": 2.5, "atan2": 3}  # fmt: skip


def samples(dtype, rng):
    info = np.finfo(dtype)
    everywhere = rng.integers(
        0, 2 ** (info.bits - 1) - 1, 20000, dtype=f"u{info.bits // 8}"
    ).view(dtype)
    with np.errstate(all="ignore"):
        return mixture(info, everywhere, dtype, rng)


def mixture(info, everywhere, dtype, rng):
    """Values from everywhere, and more where functions bend."""
    spread = np.concatenate([
        everywhere,
        rng.uniform(-1, 1, 20000),
        rng.uniform(-12, 12, 20000),
        rng.uniform(-110, 100, 20000),
        10.0 ** rng.uniform(-8, 8, 20000),
        1 + rng.uniform(-1e-3, 1e-3, 5000),
        np.arange(-40, 41) / 4,
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, info.max, -info.max,
         info.tiny, info.smallest_subnormal, -info.smallest_subnormal],
    ]).astype(dtype)  # fmt: skip
    return np.concatenate([spread, -spread])


def hard_angles(dtype, rng):
    """Angles of every size, and those nearest to multiples of pi/2."""
    info = np.finfo(dtype)
    large = np.ldexp(rng.uniform(0.5, 1, 20000), rng.integers(0, info.maxexp + 1, 20000))
    quarters = rng.integers(1, 2 ** (info.nmant + 1), 5000) << rng.integers(0, info.maxexp - 62, 5000).astype(object)
    multiples = [float(n * HALF_PI >> PI_BITS) for n in quarters]
    edges = [2.0**27, np.nextafter(2.0**27, 0), 2.0**50, 2.0**53]
    # The f64 that is nearest of all to a multiple of pi/2.
    nearest = [float(6381956970095103 << 797)] if dtype == np.float64 else []
    v = np.concatenate([large, multiples, edges, nearest]).astype(dtype)
    return np.concatenate([v, -v, np.nextafter(v, dtype(0))])


def ulps(got, want, dtype):
    """Distance from the exact value in the result's last places."""
    rounded = want.astype(dtype)
    same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
    special = ~np.isfinite(got) | ~np.isfinite(rounded)
    unit = np.spacing(np.maximum(np.abs(rounded), np.finfo(dtype).tiny))
    distance = np.abs(got.astype(np.longdouble) - want) / unit
    # Next to the largest number the exact value may round either way.
    edge = special & (np.abs(want) > np.finfo(dtype).max * 0.99999)
    distance = np.where(special, np.where(same | edge, 0, np.inf), distance)
    return np.where(same, np.minimum(distance, 0.5), distance)


def check(k, element, dtype, limits, report):
    rng = np.random.default_rng(3)
    x = samples(dtype, rng)
    failures = []
    with np.errstate(all="ignore"):
        for name in UNARY:
            v = x
            if name in ("sin", "cos", "tan"):
                v = np.concatenate([x[::5], hard_angles(dtype, rng)])
            if name in ("erf", "erfc"):
                v = x[::7].copy()
            want = ORACLE[name](v.astype(np.longdouble))
            if name in ("floor", "ceil", "trunc", "round", "roundeven", "absf"):
                want = ORACLE[name](v.astype(np.longdouble)).astype(dtype)
            got = np.empty_like(v)
            k(f"{name}_{element}", v, got)
            error = ulps(got, want, dtype)
            at = int(np.argmax(error))
            if report:
                print(f"{element} {name:10} {float(error[at]):8.2f} at {v[at]!r}")
            limit = limits.get(name, 1.0)
            if not error[at] <= limit:
                failures.append((name, v[at], got[at], want[at], error[at]))
        y = rng.permutation(x)
        for a, b, names in (
            (x, y, ("atan2", "fmod")),
            (np.abs(x), rng.uniform(-20, 20, x.size).astype(dtype), ("pow",)),
            (x, np.round(rng.uniform(-6, 6, x.size)).astype(dtype), ("pow",)),
        ):
            for name in names:
                wide = a.astype(np.longdouble), b.astype(np.longdouble)
                want = {"pow": np.power, "atan2": np.arctan2, "fmod": np.fmod}[name](*wide)
                got = np.empty_like(a)
                k(f"{name}_{element}", a, b, got)
                error = ulps(got, want, dtype)
                at = int(np.argmax(error))
                if report:
                    print(f"{element} {name:10} {float(error[at]):8.2f} at {a[at]!r} {b[at]!r}")
                limit = 0.5 if name == "fmod" else limits.get(name, 1.5)
                if not error[at] <= limit:
                    failures.append((name, a[at], b[at], got[at], want[at], error[at]))
    return failures


def corner_cases(k):
    inf, nan = np.inf, np.nan
    table = [  # pow, as C has it
        (0, 0, 1), (nan, 0, 1), (1, nan, 1), (-1, inf, 1), (-1, -inf, 1),
        (0, -1, inf), (-0.0, -1, -inf), (-0.0, 3, -0.0), (-8, 1 / 3, nan),
        (-inf, 3, -inf), (-inf, -3, -0.0), (-inf, 2.5, inf), (2, inf, inf),
        (0.5, inf, 0), (2, -inf, 0), (-2, 3, -8), (-2, 2, 4), (inf, -1, 0),
    ]  # fmt: skip
    a = np.array([row[0] for row in table], np.float32)
    b = np.array([row[1] for row in table], np.float32)
    want = np.array([row[2] for row in table], np.float32)
    got = np.empty_like(a)
    k("pow_f32", a, b, got)
    assert np.array_equal(got, want, equal_nan=True), (a, b, got, want)
    assert (np.signbit(got) == np.signbit(want))[~np.isnan(want)].all()
    with np.errstate(all="ignore"):
        for y in (0.0, -0.0, 1, -1, inf, -inf):
            for x in (0.0, -0.0, 1, -1, inf, -inf):
                got = np.empty(1, np.float32)
                k("atan2_f32", np.full(1, y, "f4"), np.full(1, x, "f4"), got)
                np.testing.assert_allclose(got[0], np.arctan2(y, x), rtol=1e-6)
                assert np.signbit(got[0]) == np.signbit(np.arctan2(y, x))


NARROW = """
func.func @to_bf16(%a: memref<?xf64>, %c: memref<?xbf16>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%a : memref<?xf64>) outs(%c : memref<?xbf16>) {
  ^bb0(%x: f64, %z: bf16):
    %0 = arith.truncf %x : f64 to bf16
    linalg.yield %0 : bf16
  }
  return
}
func.func @to_f16(%a: memref<?xf64>, %c: memref<?xf16>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%a : memref<?xf64>) outs(%c : memref<?xf16>) {
  ^bb0(%x: f64, %z: f16):
    %0 = arith.truncf %x : f64 to f16
    linalg.yield %0 : f16
  }
  return
}
func.func @bf16_sum(%a: memref<?xbf16>, %b: memref<?xbf16>, %c: memref<?xbf16>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%a, %b : memref<?xbf16>, memref<?xbf16>) outs(%c : memref<?xbf16>) {
  ^bb0(%x: bf16, %y: bf16, %z: bf16):
    %0 = arith.addf %x, %y : bf16
    linalg.yield %0 : bf16
  }
  return
}
func.func @exp_f16(%a: memref<?xf16>, %c: memref<?xf16>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%a : memref<?xf16>) outs(%c : memref<?xf16>) {
  ^bb0(%x: f16, %z: f16):
    %0 = math.exp %x : f16
    linalg.yield %0 : f16
  }
  return
}
func.func @ipow(%a: memref<?xi64>, %b: memref<?xi64>, %c: memref<?xi64>) attributes {llvm.emit_c_interface} {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%a, %b : memref<?xi64>, memref<?xi64>) outs(%c : memref<?xi64>) {
  ^bb0(%x: i64, %y: i64, %z: i64):
    %0 = math.ipowi %x, %y : i64
    linalg.yield %0 : i64
  }
  return
}
"""


def bf16_of(x):
    """Round to nearest even, from exact doubles."""
    x = np.asarray(x, np.float64)
    m, e = np.frexp(x)
    return np.ldexp(np.rint(np.ldexp(m, 8)), e - 8)


def bf16_value(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def test_narrow():
    k = Kernels(NARROW, "ingot-vectorize-generic,ingot-expand-math")
    rng = np.random.default_rng(5)
    x = rng.standard_normal(1000)
    # Values next to a tie, which rounding twice would get wrong.
    ties = (1 + (2 * rng.integers(0, 60, 200) + 1) / 256) * (1 + rng.choice([-1e-12, 1e-12], 200))
    halves = (1 + (2 * rng.integers(0, 500, 200) + 1) / 2048) * (1 + rng.choice([-1e-12, 1e-12], 200))
    x = np.concatenate([x, ties, halves, -ties, [0, -0.0, np.inf, -np.inf]])
    out = np.zeros(x.size, np.uint16)
    k("to_bf16", x, out)
    np.testing.assert_array_equal(bf16_value(out), bf16_of(x))
    half = np.zeros(x.size, np.float16)
    k("to_f16", x, half)
    np.testing.assert_array_equal(half, x.astype(np.float16))
    bits = (rng.standard_normal(500).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    other = bits[::-1].copy()
    out = np.zeros(500, np.uint16)
    k("bf16_sum", bits, other, out)
    want = bf16_of(bf16_value(bits).astype("f8") + bf16_value(other))
    np.testing.assert_array_equal(bf16_value(out), want)
    h = rng.standard_normal(999).astype(np.float16)
    out = np.zeros_like(h)
    k("exp_f16", h, out)
    np.testing.assert_allclose(out, np.exp(h.astype("f8")), rtol=2**-10)
    a = rng.integers(-6, 7, 300)
    b = rng.integers(-3, 20, 300)
    a[a == 0] = 1
    out = np.zeros_like(a)
    k("ipow", a, b, out)
    want = [int(np.trunc(float(p) ** int(q))) if q < 0 else int(p) ** int(q) for p, q in zip(a, b)]
    np.testing.assert_array_equal(out, want)


def test_f32_and_f64(report=False):
    k = Kernels(module(["f32", "f64"]), "ingot-vectorize-generic,ingot-expand-math")
    failures = check(k, "f32", np.float32, ULP_F32, report)
    failures += check(k, "f64", np.float64, ULP_F64, report)
    corner_cases(k)
    assert not failures, failures


if __name__ == "__main__":
    test_narrow()
    test_f32_and_f64(report=True)
