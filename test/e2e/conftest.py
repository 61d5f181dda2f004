"""pytest's view of the end-to-end tests: this folder and the examples' binding
of the C API are importable."""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "examples" / "common")]
