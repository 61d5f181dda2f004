"""SmolLM2 for the end-to-end tests: what the examples make of its GGUF file."""

import os
import signal
import subprocess
import sys

import harness

sys.path.insert(0, str(harness.ROOT / "examples" / "smollm2"))

import smollm2  # noqa: E402


def artifact(spelling=smollm2.DEFAULT):
    """Compiled for generation, once in a test run."""
    return harness.compiled(smollm2.onnx_file(spelling), "--generate")


def start(artifact, script, *options):
    """An example with SmolLM2 in a process of its own."""
    return example(script, "--artifact", artifact, "--threads", "2", *options)


def example(script, *options):
    """An example in a process of its own."""
    return subprocess.Popen(
        [sys.executable, harness.ROOT / "examples" / script, *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", errors="surrogateescape",
        # Whoever runs the tests in the background has Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def say(process, text):
    """Everything that an example answers to a text and the end of its input."""
    out, err = process.communicate(text, timeout=300)
    assert process.returncode == 0, out + err
    return out
