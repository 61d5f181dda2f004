"""How much memory this process holds and touches, as the kernel counts it."""

import pathlib
import re

PROCESS = pathlib.Path("/proc/self")


def _status(field):
    return 1024 * int(re.search(rf"{field}:\s*(\d+)", (PROCESS / "status").read_text())[1])


def resident():
    """Bytes of memory that the process holds."""
    return _status("VmRSS")


def peak():
    """The most that it held. Not getrusage's: that counts what a parent held
    when it forked."""
    return _status("VmHWM")


def tells_touched():
    """Whether the kernel says which pages are used."""
    return (PROCESS / "clear_refs").exists() and (PROCESS / "smaps").exists()


def touched(work):
    """Bytes of the pages that `work()` reads or writes, those of the process
    itself included. The kernel marks a page when a CPU first translates its
    address."""
    (PROCESS / "clear_refs").write_text("1")
    work()
    found = re.findall(r"^Referenced:\s*(\d+)", (PROCESS / "smaps").read_text(), re.MULTILINE)
    return 1024 * sum(map(int, found))
