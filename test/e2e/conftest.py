"""pytest's view of the end-to-end tests: the folder itself is importable."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
