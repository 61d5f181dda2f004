"""Times how long compiling takes beside other compilers: IREE on the same ONNX
file, torch.compile on the same weights in a module of PyTorch, on this machine's
CPU. Prints a Markdown table of medians, each compiler a process of its own, in
turns; what a compiler refuses is printed as such.

    python bench/compile_peers.py --iree iree/bin --torch torch/bin/python

SmolLM2 in float32, whole and cut to four layers, without a cache of keys."""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
INGOT = ROOT / "build" / "bin" / "ingot"
LIMIT = 900  # seconds that a compiler may take


def write(folder, layers):
    """SmolLM2's first layers as ONNX and as arrays."""
    import numpy as np

    sys.path[:0] = [str(ROOT / "test" / "e2e"), str(ROOT / "examples" / "smollm2")]
    import convert
    import gguf_llama
    import spellings
    from smollm2_model import smollm2

    model = gguf_llama.Llama(smollm2.GGUF)
    model.layers = min(layers, model.layers)
    folder.mkdir()
    spellings.Primitives(convert.GraphWriter(folder), model).write()
    parts = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    arrays = {"token_embd": model.matrix("token_embd.weight").values()}
    arrays["output_norm"] = model.vector("output_norm.weight")
    for layer in range(model.layers):
        for part in parts:
            arrays[f"{layer}.{part}"] = model.matrix(f"blk.{layer}.{part}.weight").values()
        for norm in ("attn_norm", "ffn_norm"):
            arrays[f"{layer}.{norm}"] = model.vector(f"blk.{layer}.{norm}.weight")
    sizes = [model.layers, model.heads, model.kv_heads]
    floats = np.array([model.epsilon, model.theta], np.float64)
    np.savez(folder / "weights.npz", sizes=np.array(sizes), floats=floats, **arrays)
    return folder


def with_torch(file):
    """Compiles and runs the module in this process; prints the seconds that the
    first run took more than later ones, and the difference from eager mode."""
    import numpy as np
    import torch

    with np.load(file) as loaded:
        data = {name: torch.from_numpy(loaded[name]) for name in loaded.files}
    layers, heads, groups = data["sizes"].tolist()
    epsilon, theta = data["floats"].tolist()
    depth = data["token_embd"].shape[1] // heads

    def norm(x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight

    def rotate(x, cos, sin):
        left, right = x.chunk(2, -1)
        return x * cos + torch.cat([-right, left], -1) * sin

    def forward(ids):
        x = data["token_embd"][ids]
        places = torch.arange(ids.shape[1], dtype=torch.float32)
        angles = places[:, None] * theta ** (-torch.arange(0, depth, 2) / depth)
        angles = torch.cat([angles, angles], -1)
        cos, sin = angles.cos(), angles.sin()
        for i in range(layers):
            w = lambda name, i=i: data[f"{i}.{name}"]
            y = norm(x, w("attn_norm"))
            q, k, v = (
                (y @ w(name).T).unflatten(-1, (-1, depth)).transpose(1, 2)
                for name in ("attn_q", "attn_k", "attn_v")
            )
            q, k = rotate(q, cos, sin), rotate(k, cos, sin)
            y = torch.nn.functional.scaled_dot_product_attention(
                q, k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1),
                is_causal=True,
            )  # fmt: skip
            x = x + y.transpose(1, 2).flatten(2) @ w("attn_output").T
            y = norm(x, w("ffn_norm"))
            y = torch.nn.functional.silu(y @ w("ffn_gate").T) * (y @ w("ffn_up").T)
            x = x + y @ w("ffn_down").T
        return norm(x, data["output_norm"]) @ data["token_embd"].T

    ids = torch.arange(1, 65)[None]
    with torch.no_grad():
        fast, times = torch.compile(forward, dynamic=True), []
        for _ in range(4):
            start = time.perf_counter()
            result = fast(ids)
            times.append(time.perf_counter() - start)
        difference = (result - forward(ids)).abs().max().item()
    print(times[0] - min(times[1:]), difference)


def compile_once(side, folder, options):
    """Seconds of one compilation, or what came instead."""
    scratch = folder / side
    scratch.mkdir(exist_ok=True)
    model, mlir = folder / "model.onnx", scratch / "model.mlir"
    commands = {
        "Ingot": [[INGOT, "compile", model, "-o", scratch / "model.ingot"]],
        "IREE": [
            [f"{options.iree}/iree-import-onnx", model, "-o", mlir],
            [
                f"{options.iree}/iree-compile", mlir, "--iree-hal-target-device=local",
                "--iree-hal-local-target-device-backends=llvm-cpu",
                "--iree-llvmcpu-target-cpu=host", "-o", scratch / "model.vmfb",
            ],
        ],
        "torch.compile": [
            ["env", f"TORCHINDUCTOR_CACHE_DIR={tempfile.mkdtemp(dir=scratch)}",
             options.torch, pathlib.Path(__file__).resolve(), "--as-torch", folder / "weights.npz"],
        ],
    }[side]  # fmt: skip
    start, printed = time.perf_counter(), ""
    for command in commands:
        try:
            done = subprocess.run(
                list(map(str, command)), capture_output=True, text=True, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            return f"more than {LIMIT} s"
        if done.returncode != 0:
            lines = [line for line in done.stderr.split("\n") if "rror" in line]
            return "refused: " + (lines or ["?"])[0][:80]
        printed = done.stdout
    return float(printed.split()[0]) if side == "torch.compile" else time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--iree", help="the folder of IREE's programs")
    parser.add_argument("--torch", help="a Python with PyTorch")
    parser.add_argument("--layers", type=int, nargs="*", default=[4, 30])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as-torch", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_torch:
        return with_torch(options.as_torch)
    sides = ["Ingot"] + ["IREE"] * bool(options.iree) + ["torch.compile"] * bool(options.torch)
    print("| layers |", *(f"{side}, s |" for side in sides))
    print("|---" * (1 + len(sides)) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for layers in options.layers:
            place = write(pathlib.Path(folder) / str(layers), layers)
            turns = {side: [] for side in sides}
            for _ in range(options.rounds):
                for side in sides:
                    if not any(isinstance(turn, str) for turn in turns[side]):
                        turns[side].append(compile_once(side, place, options))
            cells = [
                turns[side][-1] if isinstance(turns[side][-1], str)
                else f"{statistics.median(turns[side]):.1f}"
                for side in sides
            ]  # fmt: skip
            print("|", layers, "|", " | ".join(cells), "|", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
