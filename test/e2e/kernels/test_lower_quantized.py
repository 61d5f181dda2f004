"""ingot-lower-quantized against f64 products of the dequantized matrices.

Bounds are on the largest error of a row over the row's largest output. Codes of
8 and 16 bits are compared with a product of identically rounded activations;
those of 24 bits, which are what is used by default, with the exact product.
"""

import itertools

import numpy as np
import pytest
from kernels import Kernels, guarded, inner_loops
from quantized import pack_codes, pack_parameter, rounded, spread

TYPES = {None: "", "int": "i8", "f32": "f32", "f16": "f16"}


def function(name, activations, weights, block, scale, zero, scale_blocks, point):
    words = block * weights // 32
    x = f"memref<?x?x{block * activations // 32 + 2}xi32>"
    codes = f"memref<?x?x{words}x16xi32>"
    scales = f"memref<?x{scale_blocks}x16x{scale}>"
    zeros = f"memref<?x{scale_blocks}x16x{TYPES[zero]}>" if zero else ""
    used = ", %z" if zero else ""
    return f"""
func.func @{name}(%in: memref<?x?xf32>, %x: {x}, %w: {codes}, %s: {scales}, {"%z: " + zeros + ", " if zero else ""}%y: memref<?x?xf32>) attributes {{llvm.emit_c_interface}} {{
  ingot.quantize_rows ins(%in : memref<?x?xf32>) outs(%x : {x})
    {{activation_bits = {activations}, weight_bits = {weights}, block = {block}}}
  ingot.quantized_linear ins(%x, %w, %s{used} : {x}, {codes}, {scales}{", " + zeros if zero else ""}) outs(%y : memref<?x?xf32>)
    {{activation_bits = {activations}, weight_bits = {weights}, block = {block}, zero_point = {0 if zero else point}}}
  return
}}
"""


# With the flag of a CPU that runs it.
TARGETS = {"x86-64-v3": "avx2", "x86-64-v3+avxvnni": "avx_vnni",
           "x86-64-v4": "avx512bw", "x86-64-v4+avx512vnni": "avx512_vnni"}  # fmt: skip


def targets():
    flags = open("/proc/cpuinfo").read().split("flags", 1)[1].split("\n", 1)[0].split()
    return [target for target, flag in TARGETS.items() if flag in flags]


class Case:
    """One form of quantized weight; `name` is that of its function."""

    def __init__(self, activations, weights, block, scale, zero, per_column):
        self.activations, self.weights, self.block = activations, weights, block
        self.scale, self.zero, self.per_column = scale, zero, per_column
        self.point = 1 << weights - 1
        self.name = f"a{activations}w{weights}b{block}{scale}{zero}{int(per_column)}"

    def text(self):
        return function(self.name, self.activations, self.weights, self.block, self.scale,
                        self.zero, 1 if self.per_column else "?", self.point)  # fmt: skip

    def weight(self, depth, width, rng):
        """Packed operands, the matrix that they stand for, and the magnitudes
        of the terms that are added for it."""
        blocks = 1 if self.per_column else -(-depth // self.block)
        codes = rng.integers(0, 1 << self.weights, (depth, width))
        scale = rng.uniform(0.5, 2, (blocks, width)).astype("f2" if self.scale == "f16" else "f4")
        operands = [pack_codes(codes, self.weights, self.block), pack_parameter(scale)]
        zero = np.full((blocks, width), float(self.point))
        if self.zero == "int":
            zero = rng.integers(0, 1 << self.weights, (blocks, width)).astype("u1")
        elif self.zero:
            zero = (self.point + rng.uniform(-2, 2, (blocks, width))).astype(self.zero.replace("f32", "f4").replace("f16", "f2"))
        if self.zero:
            operands.append(pack_parameter(zero))
        zeros = spread(zero.astype("f8"), depth, self.block)
        scales = spread(scale.astype("f8"), depth, self.block)
        return operands, (codes - zeros) * scales, (codes + zeros) * scales

    def run(self, kernels, x, operands, width):
        blocks = -(-x.shape[1] // self.block)
        words, check_words = guarded(
            (len(x), blocks, self.block * self.activations // 32 + 2), np.int32)  # fmt: skip
        out, check = guarded((len(x), width), np.float32)
        kernels(self.name, x, words, *operands, out)
        check()
        check_words()
        return out


def worst(got, want):
    """The largest error of a row as a part of the row's largest output."""
    return float((np.abs(got - want).max(1) / np.abs(want).max(1)).max())


CASES = [
    Case(*form)
    for form in itertools.chain(
        itertools.product([8, 16, 24, 32], [2, 4, 8], [32], ["f32"], [None], [False]),
        itertools.product([8, 24], [4], [16, 64, 128], ["f16"], ["int"], [False]),
        itertools.product([24], [2, 8], [16, 64, 128], ["f16"], [None], [False]),
        itertools.product([8, 16, 24, 32], [2, 4, 8], [64], ["f32"], ["int"], [True]),
        itertools.product([8, 24, 32], [4], [32], ["f32"], ["f32", "f16"], [False]),
    )
]


@pytest.mark.parametrize("target", targets())
def test_products(target):
    kernels = Kernels("".join(case.text() for case in CASES),
                      f"ingot-lower-quantized{{target={target}}},ingot-expand-math", target)  # fmt: skip
    rng = np.random.default_rng(7)
    for case in CASES:
        for depth, width in [(case.block, 16), (3 * case.block, 48), (2 * case.block - 5, 37), (7, 1)]:
            operands, matrix, terms = case.weight(depth, width, rng)
            x = rng.standard_normal((9, depth)).astype(np.float32)
            x[3, : depth // 2] = 0
            x[4] *= np.float32(1e-20)
            x[5] *= np.float32(1e20)
            x[6, 0] = 1000
            exact = x.astype("f8") @ matrix
            whole = case.run(kernels, x, operands, width)
            size = (np.abs(x).astype("f8") @ terms).max(1, keepdims=True)
            if case.activations == 32:
                error = np.abs(whole - exact) / size
            else:
                error = np.abs(whole - rounded(x, case.activations, case.block) @ matrix) / size
            assert error.max() < 3e-7, (case.name, depth, width)
            # A row has the same bits in any number of rows.
            for first, rows in [(0, 1), (1, 2), (2, 3), (3, 4), (1, 5), (0, 7), (8, 1)]:
                part = case.run(kernels, x[first : first + rows], operands, width)
                assert (part.view("i4") == whole[first : first + rows].view("i4")).all(), case.name


def panels(name, depth, weights, block):
    """A product of floats as they are with weights of one scale a column."""
    operands = [
        f"memref<?x{depth}xf32>", f"memref<?x{depth // block}x{block * weights // 32}x16xi32>",
        "memref<?x1x16xf32>", "memref<?x1x16xi8>",
    ]  # fmt: skip
    return f"""
func.func @{name}(%x: {operands[0]}, %w: {operands[1]}, %s: {operands[2]}, %z: {operands[3]}, %y: memref<?x?xf32>) attributes {{llvm.emit_c_interface}} {{
  ingot.quantized_linear ins(%x, %w, %s, %z : {", ".join(operands)}) outs(%y : memref<?x?xf32>)
    {{activation_bits = 32, weight_bits = {weights}, block = {block}, zero_point = 0}}
  return
}}
"""


@pytest.mark.parametrize("target", targets())
def test_panels(target):
    """Many rows of floats go another way than few: to the same bits."""
    forms = [(depth, weights, block) for weights in (2, 4, 8)
             for depth, block in [(32, 32), (384, 128), (1536, 128), (592, 16)]]  # fmt: skip
    names = ["p" + "_".join(map(str, form)) for form in forms]
    kernels = Kernels("".join(panels(name, *form) for name, form in zip(names, forms)),
                      f"ingot-lower-quantized{{target={target}}},ingot-expand-math", target)  # fmt: skip
    rng = np.random.default_rng(11)
    for name, (depth, weights, block) in zip(names, forms):
        for width in (1, 16, 32, 45, 96):
            operands, matrix, terms = Case(32, weights, block, "f32", "int", True).weight(
                depth, width, rng)  # fmt: skip

            def product(x):
                out, check = guarded((len(x), width), np.float32)
                kernels(name, x, *operands, out)
                check()
                return out

            x = rng.standard_normal((29, depth)).astype(np.float32)
            x[4] *= np.float32(1e-20)
            whole = product(x)
            size = (np.abs(x).astype("f8") @ terms).max(1, keepdims=True)
            assert (np.abs(whole - x.astype("f8") @ matrix) / size).max() < 1e-6, (name, width)
            for first, rows in [(0, 1), (1, 3), (3, 7), (2, 8), (5, 9), (16, 13)]:
                part = product(x[first : first + rows])
                assert (part.view("i4") == whole[first : first + rows].view("i4")).all(), (name, rows)


@pytest.mark.parametrize("target", targets())
def test_default_is_nearly_exact(target):
    """24 bits keep 2e-5 of the row's largest output with room, whatever the
    activations are like."""
    cases = [Case(24, bits, 32, "f16", None, False) for bits in (2, 4, 8)]
    kernels = Kernels("".join(case.text() for case in cases),
                      f"ingot-lower-quantized{{target={target}}},ingot-expand-math", target)  # fmt: skip
    rng = np.random.default_rng(8)
    for case in cases:
        operands, matrix, _ = case.weight(576, 576, rng)
        for draw in (rng.standard_normal, lambda size: rng.standard_t(2, size), rng.random,
                     lambda size: np.exp(3 * rng.standard_normal(size))):  # fmt: skip
            x = draw((16, 576)).astype(np.float32)
            got = case.run(kernels, x, operands, 576)
            assert worst(got, x.astype("f8") @ matrix) < 2e-6


def test_values_that_are_not_finite():
    case = Case(24, 4, 32, "f32", None, False)
    kernels = Kernels(case.text(), "ingot-lower-quantized,ingot-expand-math")
    rng = np.random.default_rng(9)
    operands, matrix, _ = case.weight(64, 16, rng)
    x = rng.standard_normal((3, 64)).astype(np.float32)
    x[0, 40], x[1, 3] = np.nan, np.inf
    got = case.run(kernels, x, operands, 16)
    assert np.isnan(got[0]).all() and not np.isfinite(got[1]).any()
    assert worst(got[2:], x[2:].astype("f8") @ matrix) < 2e-6


@pytest.mark.parametrize("target", [target for target in TARGETS if "v4" in target])
def test_sums_stay_in_registers(target):
    """No vector goes to or comes from the stack in an innermost loop, on CPUs
    with 32 registers."""
    cases = [Case(activations, weights, 32, "f16", None, False)
             for activations in (8, 16, 24, 32) for weights in (2, 4)]  # fmt: skip
    for case in cases:
        loops = inner_loops(
            case.text(), f"ingot-lower-quantized{{target={target}}},ingot-expand-math", target)  # fmt: skip
        kernels = [
            loop for loop in loops
            if any(name in line for line in loop for name in ("vpmadd", "vpdp", "vfmadd"))
        ]  # fmt: skip
        assert kernels, case.name
        for line in itertools.chain(*kernels):
            assert not ("(%rsp)" in line and "mm" in line), (case.name, line)
