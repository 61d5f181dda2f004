"""Sessions: running models on arrays."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Iterable, Mapping, Sequence as Listed
from typing import Any, Optional, Union, overload

import numpy as np

from . import _ingot
from ._arguments import count, interruptible, path_bytes, seconds
from ._errors import InvalidArgument
from ._model import BF16, Model, PathLike, TensorInfo, bfloat16, compile, load

#: As many as the runtime makes.
_MOST_THREADS = 1024

Feeds = Mapping[str, Any]
Arrays = dict[str, np.ndarray]


class Cancel(_ingot.Cancel):
    """Stops runs from another thread: pass it to them, then call `request()`.
    It stops the runs that use it now and refuses later ones until `reset()`."""


@dataclasses.dataclass(frozen=True)
class RunStats:
    """What a run took."""

    #: From the call until the outputs were ready.
    milliseconds: float
    #: The part of it that was spent waiting for the team of threads.
    wait_milliseconds: float
    #: Scratch memory that the run used.
    arena_bytes: int
    workers: int


def _open(model: Union[Model, PathLike]) -> Model:
    """A model, from whatever file it is in."""
    if isinstance(model, Model):
        return model
    path = os.fspath(model)
    if not isinstance(path, str):
        raise TypeError("a model is a Model or the path of a file")
    with_magic = False
    if os.path.isfile(path):
        with open(path, "rb") as file:
            with_magic = file.read(8) == b"INGOTART"
    return load(path) if with_magic or path.endswith(".ingot") else compile(path)


def lower_input(info: Optional[TensorInfo], name: str, value: Any) -> tuple[str, Any, int]:
    """An input for the extension: arrays as they are, lists and numbers as the
    model's element type where no value could change."""
    if not isinstance(value, (np.ndarray, np.generic)):
        if hasattr(value, "__dlpack__"):
            return name, value, 0
        found = np.asarray(value)
        if info is not None and info.number != BF16 and found.dtype != info.dtype:
            if found.size and not np.can_cast(found.dtype, info.dtype, "same_kind"):
                raise InvalidArgument(
                    f"input '{name}' is given as {found.dtype} values and needs {info.dtype}"
                )
            found = np.asarray(value, info.dtype)
        value = found
    elif isinstance(value, np.generic):
        value = np.asarray(value)
    if value.dtype == bfloat16():
        return name, value.view(np.uint16), BF16
    if value.dtype.kind not in "fiub":
        raise InvalidArgument(f"input '{name}' has dtype {value.dtype}, which no model has")
    if not value.dtype.isnative:
        value = value.astype(value.dtype.newbyteorder("="))
    if info is not None and info.number == BF16 and value.dtype == np.uint16:
        return name, value, BF16  # the bits, where ml_dtypes is not installed
    return name, value, 0


class Session:
    """Runs a model on a team of threads. Any number of threads may use one
    session at once; sessions with the same number of threads share one team.

    model: a `Model`, or the path of an artifact or an ONNX file.
    threads: workers, the calling thread included; 0 for what the process's
    affinity and its cgroup allow.
    max_arena_bytes: runs that need more scratch memory are refused; 0: no limit.
    max_cache_bytes: most memory for the caches of all sequences; 0: no limit.

    A session may be used after `os.fork` in the child, and pickled if its model
    is a file. Raises what `load` and `compile` raise."""

    def __init__(
        self,
        model: Union[Model, PathLike],
        threads: int = 0,
        max_arena_bytes: int = 0,
        max_cache_bytes: int = 0,
    ):
        self._model = _open(model)
        arena = count(max_arena_bytes, "max_arena_bytes")
        caches = count(max_cache_bytes, "max_cache_bytes")
        self._options = (count(threads, "threads", _MOST_THREADS), arena, caches)
        self._handle = _ingot.create_session(self._model._handle, *self._options)
        self._inputs = {info.name: info for info in self._model.inputs}
        self._outputs = {info.name: info for info in self._model.outputs}
        self._stats = threading.local()
        self._vocab_size: Optional[int] = None

    @property
    def model(self) -> Model:
        """What it runs."""
        return self._model

    @property
    def threads(self) -> int:
        """How many workers a run has, the calling thread included."""
        return self._handle.threads()

    @property
    def last_run(self) -> Optional[RunStats]:
        """What the calling thread's last run took; None before the first."""
        return getattr(self._stats, "last", None)

    @property
    def vocab_size(self) -> int:
        """Logits of a token. Raises InvalidArgument if the model was not
        compiled for generation."""
        if self._vocab_size is None:
            state = self._model.state
            if state is None:
                raise InvalidArgument("the model was not compiled with generate=True")
            self._vocab_size = state.vocab_size
        return self._vocab_size

    def get_inputs(self) -> list[TensorInfo]:
        """As onnxruntime.InferenceSession: name, shape and type of each."""
        return self._model.inputs

    def get_outputs(self) -> list[TensorInfo]:
        """As onnxruntime.InferenceSession: name, shape and type of each."""
        return self._model.outputs

    @overload
    def run(
        self,
        inputs: Feeds,
        outputs: Union[None, Listed[str], Mapping[str, Any]] = None,
        *,
        time_limit: float = 0,
        cancel: Optional[Cancel] = None,
    ) -> Arrays: ...

    @overload
    def run(
        self,
        inputs: Optional[Listed[str]],
        outputs: Feeds,
        *,
        time_limit: float = 0,
        cancel: Optional[Cancel] = None,
    ) -> list[np.ndarray]: ...

    def run(self, inputs, outputs=None, *, time_limit=0, cancel=None):
        """Runs the model on {name: array} and returns {name: array}.

        Inputs are numpy arrays or anything with `__dlpack__` in this machine's
        memory, of the model's dtype and rank. C-contiguous, aligned ones are
        read where they lie; others are copied. Lists and numbers are converted.

        outputs: None for all; a list of names; or {name: array} with arrays to
        write to (C-contiguous, of the output's dtype and shape, no part of an
        input), None in place of an array for one that the result shall own.
        The returned dict then has these arrays.
        time_limit: seconds from the call; 0 for none. Raises TimeLimit.
        cancel: a `Cancel`; raises Cancelled when it is requested. Ctrl-C in the
        main thread stops the run as well and raises KeyboardInterrupt.

        Also takes onnxruntime's form: `run(names or None, feeds)` returns a
        list. Raises InvalidArgument for wrong inputs, RuntimeCheck for data
        that the model refuses, OutOfMemory."""
        if inputs is None or not isinstance(inputs, Mapping):
            if not isinstance(outputs, Mapping):
                raise TypeError("run takes {name: array}, or names (or None) and {name: array}")
            names = list(self._outputs) if inputs is None else list(inputs)
            made = self._run(outputs, names, time_limit, cancel)
            return [made[name] for name in names]
        return self._run(inputs, outputs, time_limit, cancel)

    def _run(self, feeds, outputs, time_limit, cancel) -> Arrays:
        given = [lower_input(self._inputs.get(name), name, feeds[name]) for name in feeds]
        if isinstance(outputs, Mapping):
            wanted = self._wanted(given, outputs)
        else:
            wanted = [(name, None, 0) for name in dict.fromkeys(outputs or ())]
            # No output at all would mean all of them.
            if outputs is not None and not wanted:
                raise InvalidArgument("no output is asked for")
        result = self._handle.run(given, wanted, seconds(time_limit), cancel, interruptible())
        self._stats.last = RunStats(*result.stats())
        own = {}
        for name, number, array in result.outputs():
            kind = bfloat16() if number == BF16 else None
            own[name] = array if kind is None else array.view(kind)
        if isinstance(outputs, Mapping):
            own.update((name, array) for name, array in outputs.items() if array is not None)
        return own

    def _wanted(self, given, outputs: Mapping[str, Any]) -> list[tuple[str, Any, int]]:
        """Outputs for the extension; what is preallocated has the right dtype
        and shape."""
        if not outputs:
            raise InvalidArgument("no output is asked for")
        shapes: dict[str, list[int]] = {}
        if any(array is not None for array in outputs.values()):
            shapes = dict(self._handle.shapes(given)[0])
        wanted = []
        for name, array in outputs.items():
            info = self._outputs.get(name)
            if array is None or info is None:
                wanted.append((name, None, 0))
                continue
            if isinstance(array, np.ndarray):
                if array.dtype != info.dtype:
                    raise InvalidArgument(
                        f"output '{name}' is of type {info.dtype}, its array is {array.dtype}"
                    )
                if not array.flags.writeable:
                    raise InvalidArgument(f"the array for output '{name}' is read-only")
            if list(array.shape) != shapes[name]:
                raise InvalidArgument(
                    f"output '{name}' has the shape {tuple(shapes[name])}, its array"
                    f" {tuple(array.shape)}"
                )
            bits = info.number == BF16 and isinstance(array, np.ndarray)
            wanted.append((name, array.view(np.uint16) if bits else array, info.number))
        return wanted

    def shapes(self, inputs: Feeds) -> dict[str, tuple[int, ...]]:
        """The shape of every output for inputs of these shapes, without
        running. The inputs' data is not read."""
        given = [lower_input(self._inputs.get(name), name, inputs[name]) for name in inputs]
        return {name: tuple(dims) for name, dims in self._handle.shapes(given)[0]}

    def sequence(self, capacity: int = 0, inputs: Optional[Feeds] = None):
        """An empty `Sequence` of at most `capacity` tokens (0: as many as the
        model and memory admit). Needs a model compiled with `generate=True`.

        inputs: what the model reads besides tokens, see `Sequence.bind`."""
        from ._generate import Sequence

        handle = _ingot.create_sequence(self._handle, count(capacity, "capacity"))
        sequence = Sequence(handle, self)
        if inputs is not None:
            sequence.bind(inputs)
        return sequence

    def restore(self, path: PathLike, capacity: int = 0):
        """The sequence that `Sequence.save` wrote, for a session over the very
        same artifact. Raises CorruptArtifact for a damaged file and
        InvalidArgument for another artifact's."""
        from ._generate import Sequence

        most = count(capacity, "capacity")
        handle = _ingot.restore_sequence(self._handle, path_bytes(path), most)
        return Sequence(handle, self)

    def step(self, rows: Iterable, **options):
        """See `ingot.step`."""
        from ._generate import step

        return step(rows, **options)

    def generate(
        self, ids, max_new_tokens: int = 0, inputs: Optional[Feeds] = None, **options
    ):
        """Generates from a prompt of token ids, in a sequence of its own: see
        `Sequence.generate`. inputs: what the model reads besides tokens, such
        as {"encoder_hidden_states": states}, see `Sequence.bind`."""
        return self.sequence(inputs=inputs).generate(ids, max_new_tokens, **options)

    def start_trace(self) -> None:
        """Notes from now on when each worker of runs, steps and generations
        works on which stage and when it waits; what an earlier trace noted is
        forgotten."""
        self._handle.start_trace()

    def write_trace(self, path: PathLike) -> None:
        """Writes what was noted since `start_trace` to a JSON file of trace
        events, for Perfetto and `ingot explain --trace`, and stops. Raises
        InvalidArgument if no trace was started, IoError."""
        self._handle.write_trace(path_bytes(path))

    def cache_bytes(self) -> dict[str, int]:
        """Bytes of all sequences' caches: "in_use", "reserved" from the system,
        "peak" of in_use. Pages that sequences share count once."""
        return dict(zip(("in_use", "reserved", "peak"), self._handle.cache_stats()))

    def __reduce__(self):
        return Session, (self._model, *self._options)


class InferenceSession(Session):
    """A `Session` with onnxruntime.InferenceSession's arguments, to be swapped
    in for it. `sess_options.intra_op_num_threads` is used, all other options of
    onnxruntime have no meaning here."""

    def __init__(
        self,
        path_or_bytes: Union[Model, PathLike],
        sess_options: Any = None,
        providers: Any = None,
        **_: Any,
    ):
        if isinstance(path_or_bytes, (bytes, bytearray, memoryview)):
            raise TypeError("a model is compiled from a file: give its path")
        super().__init__(path_or_bytes, getattr(sess_options, "intra_op_num_threads", 0))

    def get_providers(self) -> list[str]:
        """What runs the model: the CPU."""
        return ["CPUExecutionProvider"]

    def run(self, output_names=None, input_feed=None, run_options=None, **options):  # type: ignore[override]
        """onnxruntime's form, or `Session.run`'s."""
        return super().run(output_names, input_feed, **options)

    def __reduce__(self):
        return InferenceSession, (self._model,)
