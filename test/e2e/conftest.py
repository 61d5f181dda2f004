"""pytest's view of the end-to-end tests: this folder and the build folder's
Python package are importable."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import harness  # noqa: E402

sys.path.insert(0, str(harness.BUILD / "python"))
