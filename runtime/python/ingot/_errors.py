"""Exceptions: one class for each status of the C API, with its message.

Each is an `Error` and, where Python has a class of that meaning, that too."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """Why a call failed (ingot_status of ingot.h)."""

    INVALID_ARGUMENT = 1
    NOT_FOUND = 2
    IO_ERROR = 3
    CORRUPT_ARTIFACT = 4
    UNSUPPORTED_VERSION = 5
    UNSUPPORTED_CPU = 6
    OUT_OF_MEMORY = 7
    CANCELLED = 8
    TIME_LIMIT = 9
    RUNTIME_CHECK = 10
    COMPILER_UNAVAILABLE = 11
    COMPILE_FAILED = 12
    INTERNAL = 13
    SEQUENCE_FULL = 14


class Error(Exception):
    """What every function of this package raises when the library refuses."""

    #: Why, as a number that does not depend on the message.
    status: Status = Status.INTERNAL


class InvalidArgument(Error, ValueError):
    """An argument, or an input's name, dtype, rank or dims, is wrong."""

    status = Status.INVALID_ARGUMENT


class NotFound(Error, FileNotFoundError):
    """A file does not exist."""

    status = Status.NOT_FOUND


class IoError(Error, OSError):
    """A file cannot be read or written."""

    status = Status.IO_ERROR


class CorruptArtifact(Error, ValueError):
    """Not an artifact, or a damaged one."""

    status = Status.CORRUPT_ARTIFACT


class UnsupportedVersion(Error, ValueError):
    """The artifact is of another format version."""

    status = Status.UNSUPPORTED_VERSION


class UnsupportedCpu(Error, RuntimeError):
    """This machine's CPU lacks what the artifact was compiled for."""

    status = Status.UNSUPPORTED_CPU


class OutOfMemory(Error, MemoryError):
    """Memory, or what `max_arena_bytes` allows of it, does not suffice."""

    status = Status.OUT_OF_MEMORY


class Cancelled(Error, RuntimeError):
    """A `Cancel` stopped the run; preallocated outputs are undefined."""

    status = Status.CANCELLED


class TimeLimit(Error, TimeoutError):
    """The run's time limit passed; preallocated outputs are undefined."""

    status = Status.TIME_LIMIT


class RuntimeCheck(Error, ValueError):
    """The model refused the input's data, such as an index out of range."""

    status = Status.RUNTIME_CHECK


class CompilerUnavailable(Error, RuntimeError):
    """This installation has no compiler library: it runs artifacts only."""

    status = Status.COMPILER_UNAVAILABLE


class CompileFailed(Error, RuntimeError):
    """The model cannot be compiled; the message has one reason a line."""

    status = Status.COMPILE_FAILED


class Internal(Error, RuntimeError):
    """A fault of Ingot's own."""

    status = Status.INTERNAL


class SequenceFull(Error, OverflowError):
    """A sequence has no room for the tokens; nothing was changed."""

    status = Status.SEQUENCE_FULL


_CLASSES = {kind.status: kind for kind in Error.__subclasses__()}


def of_status(status: int, message: str) -> Error:
    """The exception of a status; called by the extension."""
    return _CLASSES.get(status, Internal)(message)  # type: ignore[call-overload]
