"""How much code a model becomes: counts that are the same on every machine."""

import re

import harness


def of(model, folder, *options):
    """Compiles `model` with dumps into `folder`; ops and functions of the
    programs, and of the weight functions, as they are before they become
    LLVM's, and the bytes of the image."""
    folder.mkdir(parents=True, exist_ok=True)
    artifact = folder / "model.ingot"
    harness.ingot_ok("compile", model, "-o", artifact, "--dump-dir", folder, *options, timeout=600)
    sizes = {"image bytes": harness.explained(artifact)["image_bytes"]}
    for name, prefix in (("programs", ""), ("weight functions", "weights-")):
        dump = folder / f"{prefix}5-cpu.mlir"
        text = dump.read_text() if dump.exists() else ""
        sizes[f"functions of the {name}"] = len(re.findall(r"^\s*func\.func ", text, re.M))
        sizes[f"ops of the {name}"] = len(re.findall(r"^\s+(?:%\S+(?:, %\S+)* = )?\w+\.\w+", text, re.M))
    return sizes
