"""Ingot: transformer models compiled from ONNX to native code.

    model = ingot.compile("model.onnx", artifact="model.ingot")
    session = ingot.Session(model)           # or ingot.Session("model.ingot")
    outputs = session.run({"input_ids": ids, "attention_mask": mask})

    session = ingot.Session(ingot.compile("decoder.onnx", generate=True))
    for id in session.generate(prompt_ids, max_new_tokens=64):
        ...
"""

from . import _ingot
from ._errors import (
    Cancelled,
    CompileFailed,
    CompilerUnavailable,
    CorruptArtifact,
    Error,
    Internal,
    InvalidArgument,
    IoError,
    NotFound,
    OutOfMemory,
    RuntimeCheck,
    SequenceFull,
    Status,
    TimeLimit,
    UnsupportedCpu,
    UnsupportedVersion,
)
from ._generate import Completion, Generation, Sampling, Sequence, step
from ._model import CacheInfo, Model, State, TensorInfo, compile, load
from ._session import Cancel, InferenceSession, RunStats, Session

__version__ = _ingot.version()

__all__ = [
    "CacheInfo",
    "Cancel",
    "Cancelled",
    "CompileFailed",
    "CompilerUnavailable",
    "Completion",
    "CorruptArtifact",
    "Error",
    "Generation",
    "InferenceSession",
    "Internal",
    "InvalidArgument",
    "IoError",
    "Model",
    "NotFound",
    "OutOfMemory",
    "RunStats",
    "RuntimeCheck",
    "Sampling",
    "Sequence",
    "SequenceFull",
    "Session",
    "State",
    "Status",
    "TensorInfo",
    "TimeLimit",
    "UnsupportedCpu",
    "UnsupportedVersion",
    "compile",
    "load",
    "step",
]
