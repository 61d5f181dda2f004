"""lit configuration: .mlir files run ingot-opt and FileCheck."""

import os

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
