"""SmolLM2 for the end-to-end tests: what the examples make of its GGUF file."""

import sys

import harness

sys.path.insert(0, str(harness.ROOT / "examples" / "smollm2"))

import smollm2  # noqa: E402


def artifact(spelling=smollm2.DEFAULT):
    """Compiled for generation, once in a test run."""
    return harness.compiled(smollm2.onnx_file(spelling), "--generate")
