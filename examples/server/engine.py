"""Many generations at once: one thread that lets all of them read their next
tokens in one step. They join and leave between steps; what each gets does not
depend on the others."""

import queue
import threading

import ingot
import numpy as np

# Longer prompts are read over several steps, so that nobody waits long.
CHUNK = 256


class Full(Exception):
    """Too many requests are waiting."""


class Stopped(Exception):
    """The engine has been closed."""


class Request:
    """One generation. Iterating yields its ids as they are chosen and raises
    what went wrong; `finish` is "stop" or "length" then."""

    def __init__(self, ids, max_tokens, sampling, stop):
        self.ids, self.prompt_tokens = list(ids), len(ids)
        self.max_tokens, self.sampling, self.stop = max_tokens, sampling, stop
        self.finish = None
        self.dropped = False
        self._events = queue.SimpleQueue()

    def drop(self):
        """Nobody wants the rest."""
        self.dropped = True

    def emit(self, event):
        """An id; None at the end; an exception."""
        self._events.put(event)

    def __iter__(self):
        while (event := self._events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event


class Engine:
    """Runs requests on a session, at most `rows` of them together."""

    def __init__(self, session, rows=16, waiting=256):
        self._session, self._rows, self._most_waiting = session, rows, waiting
        self._waiting, self._closed = [], False
        self._changed = threading.Condition()
        self._cancel = ingot.Cancel()
        self._thread = threading.Thread(target=self._run, name="engine")
        self._thread.start()

    def submit(self, request):
        """Begins a request as soon as there is room. Raises Full or Stopped."""
        with self._changed:
            if self._closed:
                raise Stopped("the server is stopping")
            if len(self._waiting) >= self._most_waiting:
                raise Full("too many requests are waiting")
            self._waiting.append(request)
            self._changed.notify()

    def close(self):
        """Ends all requests and the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._cancel.request()
        self._thread.join()

    def _run(self):
        active = []  # (request, sequence)
        try:
            while self._join(active):
                self._step(active)
                active[:] = [row for row in active if row[0].finish is None]
        finally:
            with self._changed:
                self._closed = True
            for request in [row[0] for row in active] + self._waiting:
                request.emit(Stopped("the server is stopping"))

    def _join(self, active):
        """Lets those who wait in, and those out whom nobody listens to; waits
        for one if there is none. False when the engine is closed."""
        active[:] = [row for row in active if not row[0].dropped]
        with self._changed:
            while not (self._closed or self._waiting or active):
                self._changed.wait()
            self._waiting = [request for request in self._waiting if not request.dropped]
            room = self._rows - len(active)
            joining, self._waiting = self._waiting[:room], self._waiting[room:]
            active += [(request, self._session.sequence()) for request in joining]
            return not self._closed

    def _step(self, rows):
        given = [(sequence, r.ids[len(sequence) :][:CHUNK]) for r, sequence in rows]
        try:
            logits = ingot.step(given, cancel=self._cancel)
        except ingot.Cancelled:
            return
        except ingot.Error as error:
            if len(rows) > 1:  # It may be the fault of one of them.
                for request, sequence in rows:
                    # What has been read, but not answered, is read again.
                    sequence.truncate(min(len(sequence), len(request.ids) - 1))
                    self._step([(request, sequence)])
                return
            rows[0][0].finish = "error"
            rows[0][0].emit(error)
            return
        for (request, sequence), row in zip(rows, logits):
            if len(sequence) == len(request.ids):
                self._choose(request, sequence, row)

    @staticmethod
    def _choose(request, sequence, logits):
        try:
            chosen = request.sampling.choose(
                sequence.session, np.ascontiguousarray(logits), position=len(sequence)
            )
        except ingot.Error as error:
            request.finish = "error"
            request.emit(error)
            return
        if chosen in request.stop:
            request.finish = "stop"
        else:
            request.ids.append(chosen)
            request.emit(chosen)
            if len(request.ids) == request.prompt_tokens + request.max_tokens:
                request.finish = "length"
        if request.finish is not None:
            request.emit(None)
