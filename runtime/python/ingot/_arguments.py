"""Checks of arguments that the extension takes as numbers and names."""

from __future__ import annotations

import math
import operator
import os
import signal
import threading
from typing import Any, Union

from ._errors import InvalidArgument

_MOST = (1 << 64) - 1


def interruptible() -> bool:
    """Whether Ctrl-C should stop a call: in the main thread, unless the host
    handles it in its own way."""
    return (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )


def count(value: Any, name: str, most: int = _MOST) -> int:
    """A number from 0 to `most`, which has 64 bits at most."""
    try:
        number = operator.index(value)
    except TypeError:
        raise InvalidArgument(f"{name} is {value!r}, not an integer") from None
    if not 0 <= number <= most:
        wanted = "0 or more, and 64 bits" if most == _MOST else f"0 to {most}"
        raise InvalidArgument(f"{name} is {number}, expected {wanted}")
    return number


def real(value: Any, name: str) -> float:
    """A number, not a text of one."""
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise InvalidArgument(f"{name} is {value!r}, not a number")


def seconds(value: Any) -> float:
    """A time limit; 0 for none."""
    limit = real(value, "time_limit")
    if math.isnan(limit) or limit < 0:
        raise InvalidArgument(f"the time limit is {limit} seconds")
    return limit


def path_bytes(path: Union[str, bytes, "os.PathLike[Any]"]) -> bytes:
    """A file's name as the system wants it."""
    name = os.fsencode(path)
    if b"\0" in name:
        raise InvalidArgument(f"{name!r} is no file's name: it has a null byte")
    return name
