"""The C API of Ingot (runtime/c/ingot.h) through ctypes: enough to compile or
load a model and to run it on numpy arrays."""

import ctypes
import pathlib

import numpy as np

DTYPES = {
    1: np.float32, 2: np.float64, 3: np.float16, 5: np.bool_, 6: np.int8, 7: np.int16,
    8: np.int32, 9: np.int64, 10: np.uint8, 11: np.uint16, 12: np.uint32, 13: np.uint64,
}  # fmt: skip
NUMBERS = {np.dtype(kind): number for number, kind in DTYPES.items()}


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("dtype", ctypes.c_int),
        ("rank", ctypes.c_int32),
        ("dims", ctypes.POINTER(ctypes.c_int64)),
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_size_t),
    ]


class _CompileOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("target_cpu", ctypes.c_char_p),
        ("artifact_path", ctypes.c_char_p),
        ("compiler_path", ctypes.c_char_p),
        ("progress", ctypes.c_void_p),
        ("user", ctypes.c_void_p),
        ("generate", ctypes.c_int),
        ("kv_type", ctypes.c_char_p),
    ]


class _Row(ctypes.Structure):
    _fields_ = [
        ("sequence", ctypes.c_void_p),
        ("ids", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
    ]


class _StepOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("time_limit", ctypes.c_double),
        ("cancel", ctypes.c_void_p),
        ("chunk", ctypes.c_uint64),
        ("all_logits", ctypes.c_int32),
    ]


class _SessionOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("threads", ctypes.c_int32),
        ("log", ctypes.c_void_p),
        ("log_user", ctypes.c_void_p),
        ("max_arena_bytes", ctypes.c_uint64),
    ]


class _RunStats(ctypes.Structure):
    _fields_ = [
        ("milliseconds", ctypes.c_double),
        ("wait_milliseconds", ctypes.c_double),
        ("arena_bytes", ctypes.c_uint64),
        ("workers", ctypes.c_int32),
    ]


class IngotError(RuntimeError):
    """A status other than OK, with the library's message."""


class Library:
    """libingot.so, opened from a path."""

    def __init__(self, path):
        self.api = ctypes.CDLL(str(path))
        self.api.ingot_last_error.restype = ctypes.c_char_p
        self.api.ingot_result_output_count.restype = ctypes.c_size_t
        self.api.ingot_sequence_length.restype = ctypes.c_uint64
        for release in ("model", "session", "result", "sequence"):
            getattr(self.api, f"ingot_{release}_free").argtypes = [ctypes.c_void_p]

    def call(self, name, *arguments):
        """Calls a function that returns a status; raises IngotError."""
        if getattr(self.api, name)(*arguments) != 0:
            raise IngotError(self.api.ingot_last_error().decode())

    def compile(self, model, artifact=None, generate=False, kv_type=None):
        """Compiles an ONNX file, keeping the artifact if a path is given. With
        `generate` a decoder's cache becomes state of its sequences."""
        options = _CompileOptions(ctypes.sizeof(_CompileOptions))
        options.generate = generate
        options.kv_type = kv_type.encode() if kv_type else None
        options.artifact_path = str(artifact).encode() if artifact else None
        handle = ctypes.c_void_p()
        path = str(pathlib.Path(model)).encode()
        self.call("ingot_model_compile", path, ctypes.byref(options), ctypes.byref(handle))
        return Model(self, handle)

    def load(self, artifact):
        """Loads an artifact."""
        handle = ctypes.c_void_p()
        self.call("ingot_model_load", str(artifact).encode(), None, ctypes.byref(handle))
        return Model(self, handle)


class Model:
    """A compiled model."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle

    def __del__(self):
        self.library.api.ingot_model_free(self.handle)

    def session(self, threads=0):
        """A session with so many workers (0: what the machine allows)."""
        options = _SessionOptions(ctypes.sizeof(_SessionOptions), threads)
        handle = ctypes.c_void_p()
        self.library.call(
            "ingot_session_create", self.handle, ctypes.byref(options), ctypes.byref(handle)
        )
        return Session(self.library, handle)


class Session:
    """Runs a model; usable from several threads."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle

    def __del__(self):
        self.library.api.ingot_session_free(self.handle)

    def run(self, feeds):
        """{name: array} in, ({name: array}, milliseconds) out."""
        tensors = (_Tensor * len(feeds))()
        kept = []  # what the structs point to
        for tensor, (name, array) in zip(tensors, feeds.items()):
            array = np.ascontiguousarray(array)
            dims = (ctypes.c_int64 * array.ndim)(*array.shape)
            kept += [array, dims]
            tensor.name = name.encode()
            tensor.dtype = NUMBERS[array.dtype]
            tensor.rank = array.ndim
            tensor.dims = dims
            tensor.data = array.ctypes.data
            tensor.bytes = array.nbytes
        result = ctypes.c_void_p()
        self.library.call(
            "ingot_session_run", self.handle, tensors, ctypes.c_size_t(len(feeds)),
            None, ctypes.c_size_t(0), None, ctypes.byref(result),
        )  # fmt: skip
        try:
            return self._outputs(result), self._milliseconds(result)
        finally:
            self.library.api.ingot_result_free(result)

    def sequence(self):
        """An empty sequence of a model that was compiled with `generate`."""
        handle = ctypes.c_void_p()
        self.library.call("ingot_sequence_create", self.handle, None, ctypes.byref(handle))
        return Sequence(self.library, handle)

    def step(self, rows, chunk=0, all_logits=False):
        """Lets each of [(sequence, ids)] read its ids; gives the logits of the
        last one of each, or of every one."""
        kept = [np.ascontiguousarray(ids, np.int64) for _, ids in rows]
        given = (_Row * len(rows))(
            *((sequence.handle, ids.ctypes.data, ids.size) for (sequence, _), ids in zip(rows, kept))
        )
        options = _StepOptions(ctypes.sizeof(_StepOptions), chunk=chunk, all_logits=all_logits)
        result = ctypes.c_void_p()
        self.library.call(
            "ingot_step", given, ctypes.c_size_t(len(rows)), ctypes.byref(options),
            None, ctypes.c_size_t(0), ctypes.byref(result),
        )  # fmt: skip
        try:
            (logits,) = self._outputs(result).values()
            return logits
        finally:
            self.library.api.ingot_result_free(result)

    def _outputs(self, result):
        outputs = {}
        for index in range(self.library.api.ingot_result_output_count(result)):
            tensor = _Tensor()
            self.library.call(
                "ingot_result_output", result, ctypes.c_size_t(index), ctypes.byref(tensor)
            )
            shape = tensor.dims[: tensor.rank]
            data = ctypes.string_at(tensor.data, tensor.bytes) if tensor.bytes else b""
            outputs[tensor.name.decode()] = np.frombuffer(data, DTYPES[tensor.dtype]).reshape(shape)
        return outputs

    def _milliseconds(self, result):
        stats = _RunStats()
        self.library.call("ingot_result_stats", result, ctypes.byref(stats))
        return stats.milliseconds


class Sequence:
    """What a decoder has read so far: tokens, their keys and values."""

    def __init__(self, library, handle):
        self.library, self.handle = library, handle

    def __del__(self):
        self.library.api.ingot_sequence_free(self.handle)

    def __len__(self):
        return self.library.api.ingot_sequence_length(self.handle)
