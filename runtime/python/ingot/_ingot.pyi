"""The extension: ingot.h with handles that free themselves. See the package's
own modules for what is promised."""

from typing import Any, Callable, Optional

import numpy as np

class Model:
    def inputs(self) -> list[tuple[str, int, list[int], list[str]]]: ...
    def outputs(self) -> list[tuple[str, int, list[int], list[str]]]: ...
    def bound_inputs(self) -> list[tuple[str, int, list[int], list[str]]]: ...
    def state(self) -> Optional[dict[str, Any]]: ...

class Cancel:
    def __init__(self) -> None: ...
    def request(self) -> None: ...
    def reset(self) -> None: ...
    def requested(self) -> bool: ...

class RunResult:
    def outputs(self) -> list[tuple[str, int, np.ndarray]]: ...
    def stats(self) -> tuple[float, float, int, int]: ...

class Session:
    def threads(self) -> int: ...
    def run(
        self,
        inputs: list[tuple[str, Any, int]],
        outputs: list[tuple[str, Any, int]],
        time_limit: float,
        cancel: Optional[Cancel],
        interruptible: bool,
    ) -> RunResult: ...
    def shapes(
        self, inputs: list[tuple[str, Any, int]], /
    ) -> tuple[list[tuple[str, list[int]]], int]: ...
    def start_trace(self) -> None: ...
    def write_trace(self, path: bytes, /) -> None: ...
    def cache_stats(self) -> tuple[int, int, int]: ...

class Sequence:
    def length(self) -> int: ...
    def limit(self) -> int: ...
    def bound_length(self) -> int: ...
    def truncate(self, length: int, /) -> None: ...
    def read_ids(self, ids: np.ndarray, /) -> None: ...
    def fork(self) -> Sequence: ...
    def save(self, path: bytes, /) -> None: ...

def load(path: bytes, verify: bool, /) -> Model: ...
def compile(
    path: bytes,
    target: Optional[str],
    artifact: Optional[bytes],
    compiler: Optional[bytes],
    generate: bool,
    kv_type: Optional[str],
    activation_bits: int,
    settings: list[str],
    dims: list[str],
    tune_seconds: float,
    tune_from: Optional[bytes],
    interruptible: bool,
    progress: Optional[Callable[[str, float], object]],
) -> Model: ...
def create_session(
    model: Model, threads: int, max_arena_bytes: int, max_cache_bytes: int, /
) -> Session: ...
def create_sequence(session: Session, capacity: int, /) -> Sequence: ...
def bind_sequence(
    sequence: Sequence,
    inputs: list[tuple[str, Any, int]],
    time_limit: float,
    cancel: Optional[Cancel],
    interruptible: bool,
) -> None: ...
def restore_sequence(session: Session, path: bytes, capacity: int, /) -> Sequence: ...
def step(
    rows: list[tuple[Sequence, np.ndarray]],
    logits: Optional[np.ndarray],
    all_logits: bool,
    chunk: int,
    time_limit: float,
    cancel: Optional[Cancel],
    interruptible: bool,
) -> None: ...
def check_sampling(
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    repetition_penalty: float,
    seed: int,
    /,
) -> None: ...
def sample(
    session: Session,
    logits: np.ndarray,
    history: np.ndarray,
    position: int,
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    repetition_penalty: float,
    seed: int,
    /,
) -> int: ...
def complete(
    sequence: Sequence,
    prompt: np.ndarray,
    max_new_tokens: int,
    stops: list[list[int]],
    on_token: Optional[Callable[[int], Optional[bool]]],
    chunk: int,
    time_limit: float,
    cancel: Optional[Cancel],
    interruptible: bool,
    temperature: float,
    top_k: int,
    top_p: float,
    min_p: float,
    repetition_penalty: float,
    seed: int,
) -> tuple[list[int], int, int]: ...
def version() -> str: ...
def live_handles() -> dict[str, int]: ...
