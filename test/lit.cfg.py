"""lit configuration: .mlir files run ingot-opt and FileCheck."""

import os
import sys

import lit.formats

config.name = "ingot"
config.test_format = lit.formats.ShTest(True)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.ingot_build_dir, "test")
config.excludes = ["unit", "Inputs"]
config.environment["PATH"] = os.pathsep.join(
    [
        os.path.join(config.ingot_build_dir, "bin"),
        config.llvm_tools_dir,
        config.environment["PATH"],
    ]
)

# Models in ONNX's textual form need PyPI's onnx, which scripts/setup installs.
venv = os.path.join(config.ingot_source_dir, ".venv", "bin", "python")
python = venv if os.path.exists(venv) else sys.executable
writer = os.path.join(config.test_source_root, "Import", "Onnx", "Inputs", "onnx_text.py")
config.substitutions.append(("%onnx-text", f"{python} {writer}"))
