"""pytest's view of the Python package: the one in the build folder."""

import os
import pathlib
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("INGOT_BUILD", ROOT / "build")).resolve()
sys.path[:0] = [str(BUILD / "python"), str(ROOT / "test" / "e2e")]

# In the background a shell lets programs ignore Ctrl-C, which tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)
