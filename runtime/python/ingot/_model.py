"""Models: compiling, loading, and what they say of themselves."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Mapping
from typing import BinaryIO, Optional, Union

import numpy as np

from . import _command as command
from . import _ingot
from ._arguments import interruptible, path_bytes, real
from ._errors import NotFound
from ._progress import Bar

PathLike = Union[str, "os.PathLike[str]"]
Progress = Callable[[str, float], object]

BF16 = 4
# Numbers of ingot_dtype; bf16 is numpy's only where ml_dtypes is installed.
_NAMES = {
    1: "float32", 2: "float64", 3: "float16", 5: "bool", 6: "int8", 7: "int16", 8: "int32",
    9: "int64", 10: "uint8", 11: "uint16", 12: "uint32", 13: "uint64",
}  # fmt: skip
# How onnxruntime spells them.
_SPELLINGS = {"float32": "float", "float64": "double"}


def bfloat16() -> Optional[np.dtype]:
    """ml_dtypes' dtype, if that package is installed."""
    try:
        import ml_dtypes
    except ImportError:
        return None
    return np.dtype(ml_dtypes.bfloat16)


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input or an output as the model declares it."""

    #: The model's own name for it.
    name: str
    #: Extents: a number, or a text such as "batch" or "2 * seq" where symbolic.
    shape: list[Union[int, str]]
    #: The element type as onnxruntime spells it, such as "tensor(float)".
    type: str
    #: The number of ingot_dtype.
    number: int

    @property
    def dtype(self) -> np.dtype:
        """The element type; bf16 is ml_dtypes' where that is installed, else
        uint16, the bits."""
        if self.number == BF16:
            return bfloat16() or np.dtype(np.uint16)
        return np.dtype(_NAMES[self.number])


@dataclasses.dataclass(frozen=True)
class CacheInfo:
    """Keys and values of one attention, kept between the steps of a sequence."""

    name: str
    #: "f32" or "f16".
    dtype: str
    heads: int
    key_depth: int
    value_depth: int
    #: Positions that are kept; 0 for all.
    window: int
    #: The model's inputs and outputs that it replaced; "" where none.
    key_input: str
    value_input: str
    key_output: str
    value_output: str


@dataclasses.dataclass(frozen=True)
class State:
    """What a model that was compiled for generation keeps."""

    #: Logits of a token.
    vocab_size: int
    #: Longest sequence that the model itself admits; 0 for no limit.
    max_positions: int
    #: Positions of a page, the unit in which caches grow and are shared.
    page_positions: int
    #: Bytes of all caches for one position.
    bytes_per_position: int
    #: Whether the logits of all tokens can be asked of a step.
    has_all_logits: bool
    caches: list[CacheInfo]
    #: What became of the model's other inputs and outputs, for people.
    replaced: list[str]


def _infos(raw: list) -> list[TensorInfo]:
    infos = []
    for name, number, dims, texts in raw:
        kind = _NAMES.get(number, "bfloat16")
        shape = [text if dim < 0 else dim for dim, text in zip(dims, texts)]
        infos.append(TensorInfo(name, shape, f"tensor({_SPELLINGS.get(kind, kind)})", number))
    return infos


class Model:
    """A compiled model: code, weights and signature. Made by `compile` and
    `load`; `Session` runs it. Can be pickled if it was loaded from, or compiled
    to, a file."""

    def __init__(
        self, handle: _ingot.Model, path: Optional[str], unnamed: Optional[BinaryIO] = None
    ):
        self._handle = handle
        self._path = path
        self._unnamed = unnamed
        self._inputs = _infos(handle.inputs())
        self._outputs = _infos(handle.outputs())

    @property
    def path(self) -> Optional[str]:
        """The artifact's file; None if the model was compiled in memory."""
        return self._path

    @property
    def inputs(self) -> list[TensorInfo]:
        """What a run needs, in the model's order."""
        return list(self._inputs)

    @property
    def outputs(self) -> list[TensorInfo]:
        """What a run gives, in the model's order."""
        return list(self._outputs)

    @property
    def bound_inputs(self) -> list[TensorInfo]:
        """What a sequence needs before its first token, see `Sequence.bind`."""
        return _infos(self._handle.bound_inputs())

    @property
    def state(self) -> Optional[State]:
        """The caches of a model that was compiled with `generate=True`, and
        what they replaced; None for other models."""
        raw = self._handle.state()
        if raw is None:
            return None
        return State(**{**raw, "caches": [CacheInfo(**cache) for cache in raw["caches"]]})

    def explain(self, *, width: int = 0, **dims: int) -> str:
        """What was recognised and fused, and where time and memory go: the
        report of `ingot explain`, for people. Sizes for symbolic dims show
        amounts instead of expressions: `model.explain(batch=1, seq=128)`, or
        `**{"odd name": 3}`. Lines are cut at `width` columns, 0: never.

        Raises InvalidArgument for a dim that the model does not have."""
        sizes = [part for name, size in dims.items() for part in ("--dim", f"{name}={int(size)}")]
        path, opened = self._path, ()
        if path is None:
            assert self._unnamed is not None
            opened = (self._unnamed.fileno(),)
            path = f"/proc/self/fd/{opened[0]}"
        text = command.run("explain", path, "--full", *sizes, pass_fds=opened)
        if self._path is None:
            text = text.replace(path, "a model in memory", 1)
        if width <= 0:
            return text
        return "".join(line[:width] + "\n" for line in text.splitlines())

    def __reduce__(self):
        if self._path is None:
            raise TypeError("a model that was compiled in memory cannot be pickled")
        return load, (self._path,)

    def __repr__(self) -> str:
        names = ", ".join(info.name for info in self._inputs)
        return f"<ingot.Model of {self._path or 'memory'}: {names}>"


def load(path: PathLike, *, verify: bool = True) -> Model:
    """Loads an artifact, which is mapped and must not be truncated while the
    model lives. An artifact contains code: load only what you trust.

    `verify=False` does not compare the weights with their checksum, which would
    read them. Raises NotFound (a FileNotFoundError), CorruptArtifact,
    UnsupportedVersion, UnsupportedCpu."""
    name = os.fsdecode(path)
    return Model(_ingot.load(path_bytes(name), verify), os.path.abspath(name))


#: Bits of the codes, by the name of a way to meet weights of few bits.
ACTIVATION_BITS = {None: 0, "f32": 32, "int24": 24, "int16": 16, "int8": 8}


def compile(
    path: PathLike,
    *,
    target: Optional[str] = None,
    artifact: Optional[PathLike] = None,
    generate: bool = False,
    kv_type: Optional[str] = None,
    activations: Optional[str] = None,
    constants: Optional[Mapping[str, int]] = None,
    dims: Optional[Mapping[str, int]] = None,
    tune: float = 0,
    tune_from: Optional[PathLike] = None,
    progress: Union[None, bool, Progress] = None,
    compiler: Optional[PathLike] = None,
) -> Model:
    """Compiles an ONNX file and loads the result.

    target: "native" (also None), "x86-64-v3", "x86-64-v4" or "aarch64".
    artifact: where to keep the result; None keeps it while the model lives.
    generate: keep a decoder's cache as state, for `Session.generate`.
    kv_type: element type of that cache: "f32", "f16", or None for the model's.
    activations: how they meet weights of few bits: "f32", "int24", "int16",
    "int8", or None for what the model asks (docs/compile.md).
    constants: inputs that become constants, and what each of their elements is.
    dims: dims of inputs that become numbers; the program serves these alone.
    tune: seconds in which other tiles are tried by running the model, beside
    those of compiling; results stay the same to the bit.
    tune_from: a tuned artifact whose tiles are taken.
    progress: None shows a bar if standard error is a terminal, False shows
    nothing; a function is called with the phase and the share done (0 to 1).
    compiler: the compiler library, if it is not in this package.

    Raises NotFound (a FileNotFoundError), CompileFailed with one reason a line,
    CompilerUnavailable if the package was built without the compiler. Ctrl-C
    takes effect when the compiler has returned, or tries tiles."""
    name = os.fsdecode(path)
    source = path_bytes(name)
    if not os.path.exists(name):
        raise NotFound(f"{name}: no such file")
    if kv_type is not None and not generate:
        raise ValueError("kv_type is about the cache of a model compiled with generate=True")
    if activations not in ACTIVATION_BITS:
        raise ValueError(f"activations is {activations!r}, not one of {list(ACTIVATION_BITS)}")
    settings = [f"{key}={int(value)}" for key, value in (constants or {}).items()]
    fixed = [f"{key}={int(value)}" for key, value in (dims or {}).items()]
    tuned = path_bytes(os.fsdecode(tune_from)) if tune_from is not None else None
    bits = ACTIVATION_BITS[activations]
    seconds = real(tune, "tune")
    options = (generate, kv_type, bits, settings, fixed, seconds, tuned)
    watched = seconds > 0 and interruptible()
    library = compiler if compiler is not None else command.compiler()

    def made(kept: str, report: Optional[Progress]) -> _ingot.Model:
        found = path_bytes(library) if library is not None else None
        return _ingot.compile(source, target, path_bytes(kept), found, *options, watched, report)

    def work(report: Optional[Progress]) -> Model:
        if artifact is not None:
            kept = os.path.abspath(os.fsdecode(artifact))
            return Model(made(kept, report), kept)
        # Kept open, it can still be explained when its name is gone.
        with tempfile.TemporaryDirectory(prefix="ingot-") as folder:
            kept = os.path.join(folder, "model.ingot")
            return Model(made(kept, report), None, open(kept, "rb"))

    if callable(progress):
        return work(progress)
    bar = Bar.on_terminal(f"compiling {os.path.basename(name)}", progress)
    if bar is None:
        return work(None)
    with bar:
        return work(bar)
