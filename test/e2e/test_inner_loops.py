"""Every kernel, compiled for every CPU of the capability table: the loops that
multiply keep what they add up in registers, but for known ones. The code is
taken from the artifact and disassembled; a spill is a store to a fixed place of
the stack frame."""

import re
import subprocess

import bfloat16_models
import harness
import pytest
import small_llama

# All but this machine's own, which is one of them.
TARGETS = re.search(r"--target TEXT:\{native,([^}]*)\}", harness.ingot_ok("compile", "--help").stdout)[1]
PRODUCT = re.compile(r"vf(n?m)(add|sub)\d|vpdp|vdpbf|vpmadd|fml[as]\s|smull|mul\s+v|mla\s+v")
# What is indexed is scratch memory, not a spilled register.
SPILL = re.compile(
    r"v?mov\S*\s+%\w+, -?(0x[0-9a-f]+)?\(%r[sb]p\)|st[rp]\s+[qdxw]\d+,.*\[(sp|x29)(, #-?\w+)?\]$"
)
JUMP = re.compile(r"(?:j\w+|b|b\.\w+|t?cbn?z\s.*,|tbn?z\s.*,)\s+0x([0-9a-f]+)")

# Stores in loops whose kernels still spill: they may only become fewer. They are
# where pages of attention are joined (once a page, in scalars) and, on Arm, in
# paged attention with a cache of halves.
KNOWN_SPILLS = {
    ("llama", "x86-64-v3"): 3,
    ("llama", "x86-64-v3+avxvnni"): 3,
    ("llama", "aarch64"): 50,
}


class Line:
    def __init__(self, text):
        address, code = text.split(":", 1)
        self.address, self.code = int(address, 16), code.strip()
        jump = JUMP.match(self.code)
        self.target = int(jump[1], 16) if jump else None


def disassembled(artifact, folder):
    data = artifact.read_bytes()
    image = folder / "image.so"
    image.write_bytes(data[data.rindex(b"\x7fELF\2\1\1") :])
    command = [harness.LLVM_BIN / "llvm-objdump", "-d", "--no-show-raw-insn", image]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [Line(line) for line in text.splitlines() if re.match(r"\s*[0-9a-f]+:\s", line)]


def inner_loops(code):
    """The lines of each loop that holds no other loop."""
    position = {line.address: i for i, line in enumerate(code)}
    loops = []
    for end, line in enumerate(code):
        begin = position.get(line.target)
        if begin is not None and begin <= end and not any(begin <= other[0] for other in loops[-1:]):
            loops.append((begin, end))
    return [code[begin : end + 1] for begin, end in loops]


def model(name, folder):
    """The file and the options."""
    if name == "llama":
        return small_llama.write(folder, "microsoft"), ["--generate", "--kv-type", "f16"]
    if name == "bf16":
        return bfloat16_models.write_products(folder), []
    if name == "minilm-l3":
        return harness.MODELS / "minilm-l3.onnx", []
    return harness.MODELS / "minilm-l6-int8.onnx", ["--activations", name]


@pytest.mark.parametrize("target", TARGETS.split(","))
@pytest.mark.parametrize("name", ["minilm-l3", "llama", "bf16", "f32", "int24", "int16", "int8"])
def test_no_spills(name, target, tmp_path):
    path, options = model(name, tmp_path)
    artifact = tmp_path / "model.ingot"
    harness.ingot_ok("compile", path, "-o", artifact, "--target", target, *options)
    found, spills = 0, []
    for loop in inner_loops(disassembled(artifact, tmp_path)):
        if sum(bool(PRODUCT.match(line.code)) for line in loop) >= 4:
            found += 1
            spills += [f"{line.address:#x} {line.code}" for line in loop if SPILL.match(line.code)]
    print(name, target, found, len(spills))
    assert found >= 3
    assert len(spills) <= KNOWN_SPILLS.get((name, target), 0), spills
