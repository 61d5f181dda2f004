"""What the end-to-end tests share: where things lie, the `ingot` program, ONNX
Runtime as the oracle, and inputs for the real models."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("INGOT_BUILD", ROOT / "build")).resolve()
INGOT = BUILD / "bin" / "ingot"
MODELS = ROOT / "models"
# Reference models of the project's team: beside the clone, absent elsewhere.
SHARED = ROOT.parent / "shared" / "models"
LLVM_BIN = pathlib.Path("/usr/lib/llvm-22/bin")
WORK = BUILD / "e2e"


def ingot(*args, timeout=300, env=None, cwd=None):
    """Runs `ingot ARGS` and returns the completed process; never raises for
    its exit status."""
    return subprocess.run(
        [str(INGOT), *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )


def ingot_ok(*args, **kwargs):
    """Runs `ingot ARGS`; anything but success is a test failure with its
    output."""
    done = ingot(*args, **kwargs)
    assert done.returncode == 0, f"ingot {args}: {done.returncode}\n{done.stderr}"
    return done


def compiled(model, *options):
    """The artifact of `model`, compiled once in a test run: its name carries
    the content of the model, the options and the state of the compiler."""
    model = pathlib.Path(model)
    digest = hashlib.sha256()
    for part in (str(model.resolve()), model.stat().st_size, model.stat().st_mtime_ns, options):
        digest.update(repr(part).encode())
    for library in sorted((BUILD / "lib").glob("libIngotCompiler.so")):
        digest.update(repr(library.stat().st_mtime_ns).encode())
    WORK.mkdir(parents=True, exist_ok=True)
    artifact = WORK / f"{model.parent.name}-{model.stem}-{digest.hexdigest()[:12]}.ingot"
    if not artifact.exists():
        ingot_ok("compile", model, "-o", artifact, *options)
    return artifact


def written_once(name, write):
    """The file `name` of the work folder, written by `write(path)` if it is not
    there; others that run beside this see it complete or not at all."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / name
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            part = pathlib.Path(folder) / name
            write(part)
            part.rename(path)
    return path


def run(model, feeds, *options, timeout=300):
    """Runs a model or an artifact on {name: array}; returns {name: array}."""
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        inputs, outputs = f"{folder}/in.npz", f"{folder}/out.npz"
        np.savez(inputs, **feeds)
        ingot_ok("run", model, "--inputs", inputs, "--outputs", outputs, *options, timeout=timeout)
        with np.load(outputs) as loaded:
            return {name: loaded[name] for name in loaded.files}


def has_vnni():
    """Whether the CPU adds products of codes in 32 bits."""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return " avx512_vnni " in flags or " avx_vnni " in flags


def adds_codes(model):
    """Whether a file has ops that quantize what they compute or multiply codes."""
    import onnx

    def has_any(nodes):
        return any(
            node.op_type.startswith(("Q", "DynamicQuantize"))
            or "Integer" in node.op_type
            or any(has_any(attribute.g.node) for attribute in node.attribute)
            for node in nodes
        )

    loaded = onnx.load(str(model), load_external_data=False)
    return any(has_any(part.node) for part in [loaded.graph, *loaded.functions])


def oracle_options(model):
    """For sessions of ONNX Runtime that are to be right."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Where the CPU has no VNNI it adds products of codes in pairs of 16 bits,
    # which saturate, unless it is asked to be exact. It then fails on codes of
    # a table that a head shares, which are multiplied by floats and exact anyway.
    if adds_codes(model):
        options.add_session_config_entry("session.x64quantprecision", "1")
    return options


def oracle(model, threads=2):
    """An ONNX Runtime session on the CPU."""
    import onnxruntime

    options = oracle_options(model)
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )


def oracle_run(session, feeds):
    """What ONNX Runtime computes, as {name: array}."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def largest_difference(got, want):
    """The largest absolute difference over all outputs; integers and NaN
    patterns must agree exactly."""
    assert set(got) == set(want), f"outputs {sorted(got)} instead of {sorted(want)}"
    worst = 0.0
    for name, expected in want.items():
        actual = got[name]
        assert actual.shape == expected.shape, f"{name}: {actual.shape} != {expected.shape}"
        assert actual.dtype == expected.dtype, f"{name}: {actual.dtype} != {expected.dtype}"
        if expected.dtype.kind != "f":
            assert np.array_equal(actual, expected), name
            continue
        assert np.array_equal(np.isnan(actual), np.isnan(expected)), f"{name}: NaN differ"
        if expected.size:
            delta = np.abs(actual.astype(np.float64) - expected)
            worst = max(worst, float(np.nanmax(delta, initial=0.0)))
    return worst


# Token ids below the vocabulary of both MiniLM files.
VOCABULARY = 30522


def sentence_batch(batch, length, seed=0, token_types=False):
    """Input of a BERT-like encoder: random ids, row 0 full, the other rows
    padded on the right to random lengths."""
    random = np.random.default_rng([seed, batch, length])
    ids = random.integers(0, VOCABULARY, (batch, length), dtype=np.int64)
    used = random.integers(1, length + 1, (batch, 1))
    used[0] = length
    mask = (np.arange(length)[None, :] < used).astype(np.int64)
    feeds = {"input_ids": ids * mask, "attention_mask": mask}
    if token_types:
        feeds["token_type_ids"] = (np.arange(length)[None, :] * 2 >= used).astype(np.int64)
    return feeds


def reaction(length, seed=0):
    """Input of rxnmap: atoms, their neighbours, distances between them and
    their roles (the first position is never masked)."""
    random = np.random.default_rng([seed, length])
    distances = random.integers(0, 13, (length, length), dtype=np.int64)
    roles = random.integers(0, 4, (1, length), dtype=np.int64)
    roles[0, 0] = 1
    return {
        "atoms": random.integers(0, 121, (1, length), dtype=np.int64),
        "neighbors": random.integers(0, 17, (1, length), dtype=np.int64),
        "distances": np.minimum(distances, distances.T)[None],
        "roles": roles,
    }


def explained(model, **dims):
    """`ingot explain --json` of a model or artifact as a dict, with the given
    sizes filled in."""
    with tempfile.TemporaryDirectory() as folder:
        report = f"{folder}/explain.json"
        options = [part for name, size in dims.items() for part in ("--dim", f"{name}={size}")]
        ingot_ok("explain", model, "--json", report, *options)
        return json.loads(pathlib.Path(report).read_text())


# A process inherits the peak of the one that forks it, and tests have large
# ones: a small interpreter in between starts the process to be measured.
MEASURE = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss * 1024)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


def peak_memory(*args, timeout=600):
    """Runs `ingot ARGS` and returns the largest resident size in bytes."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(INGOT), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
