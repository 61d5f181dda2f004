"""The bodies of the completion interface: what a request asks for, and what is
answered. No sockets here."""

import dataclasses
import secrets
import time

import ingot
import smollm2
from engine import Request

# What would change the answer and is not there: only the values that change
# nothing are accepted.
NEUTRAL = {
    "n": (1,), "best_of": (1,), "echo": (False,), "logprobs": (None, False), "suffix": (None, ""),
    "top_logprobs": (None, 0), "logit_bias": (None, {}), "frequency_penalty": (0,),
    "presence_penalty": (0,), "repetition_penalty": (1,), "tools": (None, []),
    "functions": (None, []),
    "response_format": (None, {"type": "text"}),
}  # fmt: skip
DEFAULT_TOKENS = 256
ROLES = ("system", "user", "assistant")


class Refused(Exception):
    """A request that cannot be served: an HTTP status and an error's fields."""

    def __init__(self, status, message, param=None, code=None):
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def body(self):
        """The error as clients expect it."""
        return error_body(self.status, str(self), self.param, self.code)


def error_body(status, message, param=None, code=None):
    """An error as clients expect it."""
    kind = "invalid_request_error" if status < 500 and status != 429 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _wrong(param, what):
    return Refused(400, f"'{param}' must be {what}", param)


def _is_same(value, other):
    """Whether two values of JSON are equal; Python's 0 is equal to false, too."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _number(body, name, default, low, high, kind=(int, float)):
    """A number of the body within its bounds."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        what = "an integer" if kind is int else "a number"
        raise _wrong(name, f"{what} from {low} to {high}")
    return value


def _flag(body, name):
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "true or false")
    return bool(value)


@dataclasses.dataclass
class Job:
    """What a request's body asks for."""

    request: Request
    chat: bool
    stops: list[str]
    stream: bool
    with_usage: bool


def parse(body, chat, words):
    """The job of a body. Raises Refused."""
    if not isinstance(body, dict):
        raise Refused(400, "the body must be a JSON object")
    if body.get("model") not in (None, smollm2.NAME):
        message = f"the model '{body['model']}' does not exist; there is {smollm2.NAME}"
        raise Refused(404, message, "model", "model_not_found")
    for name, allowed in NEUTRAL.items():
        if not any(_is_same(body.get(name), value) for value in (None, *allowed)):
            raise Refused(400, f"'{name}' is not supported", name, "unsupported_parameter")
    ids = _conversation(body, words) if chat else _prompt(body, words)
    limit = "max_tokens"
    if chat and body.get("max_completion_tokens") is not None:
        limit = "max_completion_tokens"
    tokens = _number(body, limit, None, 1, smollm2.CONTEXT, int)
    room = smollm2.CONTEXT - len(ids)
    if room < (tokens or 1):
        message = (
            f"the model reads at most {smollm2.CONTEXT} tokens; the prompt has {len(ids)}"
            f" and {tokens or 1} are to be written"
        )
        raise Refused(400, message, limit, "context_length_exceeded")
    options = {
        "temperature": _number(body, "temperature", 1.0, 0, 2),
        "top_p": _number(body, "top_p", 1.0, 0, 1),
        "top_k": max(0, _number(body, "top_k", 0, -1, 2**31 - 1, int)),  # -1: all, as 0
        "min_p": _number(body, "min_p", 0.0, 0, 1),
        "seed": _number(body, "seed", secrets.randbits(63), 0, 2**63 - 1, int),
    }
    try:
        sampling = ingot.Sampling(**options)
    except ingot.Error as error:
        raise Refused(400, str(error)) from error
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise _wrong("stream_options", "an object")
    return Job(
        Request(ids, tokens or min(DEFAULT_TOKENS, room), sampling, words.stop),
        chat,
        _stops(body),
        _flag(body, "stream"),
        _flag(options or {}, "include_usage"),
    )


def _stops(body):
    stops = body.get("stop")
    stops = [] if stops is None else [stops] if isinstance(stops, str) else stops
    good = isinstance(stops, list) and all(isinstance(stop, str) and stop for stop in stops)
    if not good or len(stops) > 4:
        raise _wrong("stop", "a string or at most four, none of them empty")
    return stops


def _prompt(body, words):
    prompt = body.get("prompt")
    if isinstance(prompt, str):
        prompt = words.encode(_letters(prompt, "prompt"))
    good = isinstance(prompt, list) and all(
        type(id) is int and 0 <= id < len(words.bytes) for id in prompt
    )
    if not good or not prompt:
        raise _wrong("prompt", "a string or a list of token ids, and not empty")
    return prompt


def _conversation(body, words):
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _wrong("messages", "a list of messages, and not empty")
    ids = []
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _wrong(where, "an object with a role: " + ", ".join(ROLES))
        if number == 0 and message["role"] != "system":
            ids += words.message("system", smollm2.SYSTEM)
        ids += words.message(message["role"], _content(message.get("content"), where))
    return ids + words.answer()


def _content(content, where):
    if isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
        for part in content
    ):
        content = "".join(part["text"] for part in content)
    if not isinstance(content, str):
        raise _wrong(f"{where}.content", "a string, or a list of parts of type text")
    return _letters(content, f"{where}.content")


def _letters(text, where):
    """The text, if all of it has a meaning."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _wrong(where, "valid Unicode: it has half of a pair of surrogates") from error
    return text


class Text:
    """A job's answer: iterating yields its text in parts, up to a stop string.
    Afterwards `finish` says why it ended."""

    def __init__(self, job, words):
        self._job, self._decode, self._held = job, words.stream(), ""
        self.finish, self.tokens = None, 0

    def __iter__(self):
        request = self._job.request
        for id in request:
            self.tokens += 1
            part = self._release(self._decode(id))
            if part:
                yield part
            if self.finish is not None:
                request.drop()
                return
        part = self._release(self._decode(None), last=True)
        if part:
            yield part
        self.finish = self.finish or request.finish

    def _release(self, text, last=False):
        """What may be shown: not a stop string, nor what may become one."""
        self._held += text
        stops = self._job.stops
        ends = [place for stop in stops if (place := self._held.find(stop)) >= 0]
        shown = len(self._held)
        if ends:
            self.finish, shown = "stop", min(ends)
        elif not last:
            shown -= max((_overlap(self._held, stop) for stop in stops), default=0)
        part, self._held = self._held[:shown], self._held[shown:]
        return part

    def usage(self):
        """Tokens read and written."""
        read = self._job.request.prompt_tokens
        return {
            "prompt_tokens": read, "completion_tokens": self.tokens,
            "total_tokens": read + self.tokens,
        }  # fmt: skip


def _overlap(text, stop):
    """How many of the last letters of the text begin the stop string."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)


class Writer:
    """The bodies that answer one job."""

    def __init__(self, job):
        self._chat = job.chat
        kind = "chat.completion" if job.chat else "text_completion"
        self._head = {
            "id": ("chatcmpl-" if job.chat else "cmpl-") + secrets.token_hex(12),
            "object": kind, "created": int(time.time()), "model": smollm2.NAME,
        }  # fmt: skip

    def whole(self, text, finish, usage):
        """The answer in one piece."""
        said = {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        return {**self._head, "choices": [self._choice(said, finish)], "usage": usage}

    def first(self):
        """What comes before all parts; None if nothing does."""
        return self._chunk({"delta": {"role": "assistant", "content": ""}}) if self._chat else None

    def part(self, text):
        """A part of the text."""
        return self._chunk({"delta": {"content": text}} if self._chat else {"text": text})

    def last(self, finish):
        """What comes after all parts."""
        return self._chunk({"delta": {}} if self._chat else {"text": ""}, finish)

    def counted(self, usage):
        """How many tokens it was, for those who asked."""
        return {**self._chunk({}), "choices": [], "usage": usage}

    def _choice(self, said, finish):
        return {"index": 0, **said, "logprobs": None, "finish_reason": finish}

    def _chunk(self, said, finish=None):
        kind = "chat.completion.chunk" if self._chat else "text_completion"
        return {**self._head, "object": kind, "choices": [self._choice(said, finish)]}
