"""Sequences, steps and generation with models compiled with `generate=True`."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

import numpy as np

from . import _ingot
from ._arguments import count, interruptible, path_bytes, real, seconds
from ._errors import InvalidArgument, SequenceFull, TimeLimit
from ._session import Cancel, Feeds, lower_input

if TYPE_CHECKING:
    from ._session import Session

Ids = Union[np.ndarray, Iterable[int]]
#: Gets the ids read so far and the logits; changes these in place, or returns
#: others. True ends the generation.
LogitsProcessor = Callable[[np.ndarray, np.ndarray], Union[None, bool, np.ndarray]]

_NO_IDS = np.empty(0, np.int64)


def _ids(ids: Any, what: str = "ids") -> np.ndarray:
    """Token ids as the library wants them."""
    array = np.asarray(ids if hasattr(ids, "__array__") else list(ids))
    if array.size and array.dtype.kind not in "iu":
        raise InvalidArgument(f"{what} are of type {array.dtype}, not integers")
    if array.ndim != 1:
        raise InvalidArgument(f"{what} have {array.ndim} dims, not one")
    return np.ascontiguousarray(array, np.int64)


def _stops(stop: Any) -> list[list[int]]:
    """What ends a generation, each as a list of ids."""
    if isinstance(stop, str) or not isinstance(stop, Iterable):
        raise InvalidArgument("stop is no list of ids and sequences of ids")
    stops = []
    for part in stop:
        listed = part if isinstance(part, Iterable) else [part]
        stops.append(_ids(listed, "the ids of stop").tolist())
    if not all(stops):
        raise InvalidArgument("a stop sequence has no ids")
    return stops


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How a token is chosen by logits. In this order: `repetition_penalty` r
    for each id read so far (l / r if l > 0, else l * r); `temperature` (0 takes
    the largest, and the rest does not apply); the `top_k` largest (0: all);
    `top_p`: the shortest beginning, from the largest probability on, whose sum
    is at least that (1: all); `min_p`: probabilities of at least that share of
    the largest (0: all); then one of what is left by its probability. The
    random number is a function of `seed` and the token's position alone.

    Raises InvalidArgument for numbers out of range."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self):
        for name in ("top_k", "seed"):
            object.__setattr__(self, name, count(getattr(self, name), name))
        for name in ("temperature", "top_p", "min_p", "repetition_penalty"):
            object.__setattr__(self, name, real(getattr(self, name), name))
        # The library checks the ranges.
        _ingot.check_sampling(*dataclasses.astuple(self))

    def choose(
        self, session: "Session", logits: np.ndarray, history: Ids = _NO_IDS, position: int = 0
    ) -> int:
        """The token for `position` by logits, float32 of shape [vocab_size]: the
        code of the session's model chooses it. `history` are the ids that
        repetition_penalty is about. Raises RuntimeCheck for NaN or nothing but
        -inf."""
        if not isinstance(logits, np.ndarray) or logits.dtype != np.float32 or logits.ndim != 1:
            raise InvalidArgument("logits are no float32 array of one dim")
        return _ingot.sample(
            session._handle, np.ascontiguousarray(logits), _ids(history, "the history's ids"),
            count(position, "position"), *dataclasses.astuple(self),
        )  # fmt: skip


class Completion(NamedTuple):
    """What `Sequence.complete` returns."""

    #: The generated ids, those of a stop included.
    ids: list[int]
    #: Why it ended: "length", "stop", "callback" or "full".
    finish: str
    #: How many of the last ids are the stop.
    stop_tokens: int


#: By the numbers of ingot_finish.
_FINISHES = ("length", "stop", "stop", "callback", "full")


def step(
    rows: Iterable[tuple["Sequence", Ids]],
    *,
    all_logits: bool = False,
    chunk: int = 0,
    time_limit: float = 0,
    cancel: Optional[Cancel] = None,
) -> np.ndarray:
    """Lets each row's sequence read its tokens, all rows together: (sequence,
    ids) each, of one session, at least one id. Others may join from step to
    step. Returns float32 logits [rows, vocab_size] of each row's last token, or
    of every token, row after row, [tokens, vocab_size] with `all_logits`.

    chunk: long prompts are read in passes of at most so many tokens, all rows
    together (0: 512). Raises SequenceFull with nothing changed; after
    OutOfMemory, TimeLimit, Cancelled or KeyboardInterrupt `len(sequence)` says
    what was read."""
    given = [(sequence, _ids(ids)) for sequence, ids in rows]
    if not given:
        raise InvalidArgument("a step needs a row")
    count = sum(len(ids) for _, ids in given) if all_logits else len(given)
    logits = np.empty((count, given[0][0].session.vocab_size), np.float32)
    _step(given, logits.reshape(-1), all_logits, chunk, time_limit, cancel)
    return logits


def _step(given, logits, all_logits, chunk, time_limit, cancel) -> None:
    lowered = [(sequence._handle, ids) for sequence, ids in given]
    _ingot.step(
        lowered, logits, all_logits, count(chunk, "chunk"), seconds(time_limit), cancel,
        interruptible(),
    )  # fmt: skip


class Sequence:
    """What a model has read so far: token ids and their keys and values. Made by
    `Session.sequence`, `Session.restore` and `fork`. Different sequences may be
    used from several threads at once, one of them by one call at a time."""

    def __init__(self, handle: _ingot.Sequence, session: "Session"):
        self._handle = handle
        self._session = session

    @property
    def session(self) -> "Session":
        """Where it lives."""
        return self._session

    def __len__(self) -> int:
        """How many tokens have been read."""
        return self._handle.length()

    @property
    def length(self) -> int:
        """How many tokens have been read."""
        return self._handle.length()

    @property
    def limit(self) -> int:
        """The most that it may come to hold; 0 for no limit."""
        return self._handle.limit()

    @property
    def ids(self) -> np.ndarray:
        """The tokens that have been read: int64 [length]."""
        ids = np.empty(self.length, np.int64)
        self._handle.read_ids(ids)
        return ids

    def bind(
        self, inputs: Feeds, *, time_limit: float = 0, cancel: Optional[Cancel] = None
    ) -> None:
        """Gives it what the model reads besides tokens and what no token changes,
        such as an encoder's states: {name: array} of `Model.bound_inputs`, each
        with a batch of one. What follows from them alone (the keys and values of
        cross-attention) is computed here, once; forks share it. Before the first
        token; raises InvalidArgument, and changes nothing, later and for wrong
        inputs."""
        infos = {info.name: info for info in self._session.model.bound_inputs}
        given = [lower_input(infos.get(name), name, inputs[name]) for name in inputs]
        _ingot.bind_sequence(self._handle, given, float(time_limit), cancel, interruptible())

    @property
    def bound_length(self) -> int:
        """How many positions of what was bound attention sees; 0 before."""
        return self._handle.bound_length()

    def append(self, ids: Ids, *, all_logits: bool = False, **options) -> np.ndarray:
        """Reads tokens; returns the last one's logits, float32 [vocab_size], or
        [tokens, vocab_size] with `all_logits`. Options and errors of `step`."""
        logits = step([(self, ids)], all_logits=all_logits, **options)
        return logits if all_logits else logits[0]

    def truncate(self, length: int) -> None:
        """Forgets all tokens but the first `length`. Raises InvalidArgument, and
        changes nothing, where a sliding window has let go of what they need."""
        self._handle.truncate(count(length, "length"))

    def fork(self) -> "Sequence":
        """A sequence that goes on from where this one is. The two share memory
        up to here."""
        return Sequence(self._handle.fork(), self._session)

    def save(self, path: Union[str, "os.PathLike[str]"]) -> None:
        """Writes it to a file for `Session.restore`."""
        self._handle.save(path_bytes(path))

    def generate(
        self,
        ids: Ids,
        max_new_tokens: int = 0,
        *,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repetition_penalty: float = 1.0,
        seed: int = 0,
        stop: Iterable[Union[int, Iterable[int]]] = (),
        logits_processor: Optional[LogitsProcessor] = None,
        time_limit: float = 0,
        cancel: Optional[Cancel] = None,
        chunk: int = 0,
    ) -> "Generation":
        """An iterator over generated ids, each as soon as it is chosen. Reads
        the prompt `ids`, at least one, first.

        max_new_tokens: 0 for as many as the sequence has room for.
        temperature ... seed: see `Sampling`; the default takes the likeliest.
        stop: ids, and sequences of ids, after which to end; they are yielded.
        logits_processor: called before each choice with the ids read so far
        (int64) and the logits (float32 [vocab_size]), which it may change in
        place or return anew; True ends the generation.
        time_limit: seconds of the whole generation. cancel, Ctrl-C: as in
        `Session.run`.

        The last generated token has been chosen but not read: to go on, begin
        the next prompt with it. Leaving the loop early leaves nothing behind
        but a sequence of what was read. With one artifact, greedy generation
        and the same seed give the same ids on every machine, however the caller
        iterates."""
        prompt = _ids(ids, "the prompt's ids")
        if not len(prompt):
            raise InvalidArgument("the prompt is empty: there is no token to begin with")
        max_new_tokens = count(max_new_tokens, "max_new_tokens")
        if not max_new_tokens and not self.limit:
            raise InvalidArgument(
                "nothing limits the generation: neither max_new_tokens nor the sequence's"
                " capacity is given"
            )
        # Wrong options are refused here and not in the middle of the loop.
        sampling = Sampling(temperature, top_k, top_p, min_p, repetition_penalty, seed)
        return Generation(
            self, prompt, max_new_tokens, sampling, _stops(stop), logits_processor,
            seconds(time_limit), cancel, count(chunk, "chunk"),
        )  # fmt: skip

    def complete(
        self,
        ids: Ids,
        max_new_tokens: int = 0,
        *,
        stop: Iterable[Union[int, Iterable[int]]] = (),
        on_token: Optional[Callable[[int], Optional[bool]]] = None,
        time_limit: float = 0,
        cancel: Optional[Cancel] = None,
        chunk: int = 0,
        **sampling,
    ) -> Completion:
        """The ids of `generate`, all in one call: after the prompt, token after
        token is one run of the model's program. Options are those of
        `generate`, but for `logits_processor`.

        on_token: called with each id as soon as it is chosen, while the program
        waits: a run of a model that it starts has one thread, and it must not
        wait for runs of other threads. True ends the generation, and so does
        what it raises."""
        options = Sampling(**sampling)
        found, finish, stop_tokens = _ingot.complete(
            self._handle, _ids(ids, "the prompt's ids"), count(max_new_tokens, "max_new_tokens"),
            _stops(stop), on_token, count(chunk, "chunk"), seconds(time_limit), cancel,
            interruptible(), *dataclasses.astuple(options),
        )  # fmt: skip
        return Completion(found, _FINISHES[finish], stop_tokens)

    def __repr__(self) -> str:
        return f"<ingot.Sequence of {self.length} tokens>"


class Generation(Iterator[int]):
    """Generated ids, one at a time; see `Sequence.generate`."""

    def __init__(
        self, sequence, prompt, max_new_tokens, sampling, stops, processor, time_limit, cancel, chunk
    ):  # fmt: skip
        #: What reads the tokens.
        self.sequence: Sequence = sequence
        #: The ids generated so far, those of a stop included.
        self.ids: list[int] = []
        #: Why it ended: "length", "stop", "processor", "full" or "closed" (by
        #: `close`, or by what the processor or the choice raised); None while it
        #: goes on.
        self.finish: Optional[str] = None
        #: How many of the last ids are the stop.
        self.stop_tokens = 0
        self._next = prompt
        self._limit = max_new_tokens
        self._sampling = sampling
        self._stops = stops
        self._processor = processor
        self._deadline = time.monotonic() + time_limit if time_limit else None
        self._cancel = cancel
        self._chunk = chunk
        self._logits = np.empty(sequence.session.vocab_size, np.float32)

    def close(self) -> None:
        """Ends it; the sequence can be used for something else."""
        if self.finish is None:
            self.finish = "closed"

    def __iter__(self) -> "Generation":
        return self

    def __next__(self) -> int:
        if self.finish is not None:
            raise StopIteration
        if len(self._next):
            self._read()
        try:
            chosen = self._choose()
        except BaseException:
            # Nobody knows what the logits are now: there is no going on.
            self.finish = "closed"
            raise
        if chosen is None:
            self.finish = "processor"
            raise StopIteration
        self.ids.append(chosen)
        self._next = np.array([chosen], np.int64)
        self.finish = self._ending()
        return chosen

    def _read(self) -> None:
        """The prompt, later the last token."""
        left = 0.0
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeLimit("the time limit has passed")
        before = self.sequence.length
        try:
            _step(
                [(self.sequence, self._next)], self._logits, False, self._chunk, left, self._cancel
            )
        finally:
            # What was read is not read again, if a long prompt was interrupted.
            self._next = self._next[self.sequence.length - before :]

    def _choose(self) -> Optional[int]:
        """A token by the logits; None to end."""
        logits = self._processed()
        if logits is None:
            return None
        history = self.sequence.ids if self._sampling.repetition_penalty != 1 else _NO_IDS
        return self._sampling.choose(
            self.sequence.session, logits, history, self.sequence.length
        )

    def _processed(self) -> Optional[np.ndarray]:
        """The logits to choose by; None to end."""
        if self._processor is None:
            return self._logits
        answer = self._processor(self.sequence.ids, self._logits)
        if answer is None or answer is False:
            return self._logits
        if answer is True:
            return None
        answer = np.array(answer, np.float32)
        if answer.shape != self._logits.shape:
            raise InvalidArgument(
                f"the logits processor returned the shape {answer.shape}, not {self._logits.shape}"
            )
        return answer

    def _ending(self) -> Optional[str]:
        """Why the token just generated is the last; None if it is not."""
        ends = [len(stop) for stop in self._stops if self.ids[-len(stop) :] == stop]
        if ends:
            self.stop_tokens = max(ends)
            return "stop"
        if len(self.ids) == self._limit:
            return "length"
        limit = self.sequence.limit
        return "full" if limit and self.sequence.length >= limit else None


__all__ = ["Completion", "Generation", "Sampling", "Sequence", "SequenceFull", "step"]
