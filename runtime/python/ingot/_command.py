"""The program `ingot`, which is a part of the package."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Optional

from ._errors import InvalidArgument, IoError

_FOLDER = pathlib.Path(__file__).parent
# In a build folder the modules are links and the rest lies beside the links.
PROGRAM = _FOLDER / "bin" / "ingot"


def compiler() -> Optional[str]:
    """The compiler library, if the package has one."""
    library = _FOLDER / "lib" / "libIngotCompiler.so"
    return str(library) if library.exists() else None


def run(*arguments: str, pass_fds: tuple[int, ...] = ()) -> str:
    """What `ingot ARGUMENTS` prints. Raises InvalidArgument with its message
    if it refuses them."""
    try:
        done = subprocess.run(
            [str(PROGRAM), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", pass_fds=pass_fds, check=False,
        )  # fmt: skip
    except OSError as error:
        raise IoError(f"{PROGRAM} cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        said = done.stderr.partition("\nRun with --help")[0].strip()
        raise InvalidArgument(said.removeprefix("ingot: ").removeprefix("error: "))
    return done.stdout


def main() -> None:
    """Becomes the program; the command `ingot` of an environment."""
    os.execv(PROGRAM, [str(PROGRAM), *sys.argv[1:]])
