"""Writes perplexity.json: what SmolLM2's tokens of a text cost, by ONNX Runtime
on float32 weights (smollm2_text.py says which text, and how)."""

import hashlib
import json
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent), str(FOLDER.parents[2] / "build" / "python")]

import onnxruntime  # noqa: E402
import smollm2_text as text  # noqa: E402
from smollm2_model import smollm2  # noqa: E402


def main():
    ids, reference, losses = text.windows(), text.Reference(), []
    for window in ids:
        losses.append(round(text.loss(reference.logits(window), window), 6))
        print(len(losses), losses[-1], text.perplexity(losses), flush=True)
    version = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${Version}", "fortunes"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    content = {
        "command": "python test/e2e/smollm2/make_perplexity.py",
        "text": str(text.TEXT),
        "package": version,
        "ids": text.digest(ids),
        "model": f"{smollm2.GGUF.name} {hashlib.sha256(smollm2.GGUF.read_bytes()).hexdigest()}",
        "reference": f"onnxruntime {onnxruntime.__version__}, the spelling primitives",
        "losses": losses,
    }
    text.COMMITTED.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
