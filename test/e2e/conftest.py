"""pytest's view of the end-to-end tests: this folder and the build folder's
Python package are importable, and what Ingot keeps in the user's cache is kept
in the build folder instead."""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import harness  # noqa: E402

sys.path.insert(0, str(harness.BUILD / "python"))
os.environ["XDG_CACHE_HOME"] = str(harness.WORK / "cache")
