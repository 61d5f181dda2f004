"""A chat with SmolLM2 in the terminal.

    chat.py [--spelling microsoft|onnx|primitives] [--temperature T] ...

The first start converts and compiles the model. Every turn reads only what is
new: the conversation stays in the cache. Ctrl-C stops an answer, /reset begins
a new conversation, Ctrl-D ends."""

import argparse
import pathlib
import sys
import time

import ingot

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "smollm2"))

import smollm2  # noqa: E402


class Chat:
    """A conversation: its ids, and the sequence that has read most of them."""

    def __init__(self, session, words, system):
        self._session, self._words, self._system = session, words, system
        self.reset()

    def reset(self):
        """Forgets everything but the system's message."""
        self._sequence = self._session.sequence(smollm2.CONTEXT)
        self._ids = self._words.message("system", self._system)
        self._open = False

    def ask(self, text, **options):
        """Yields the answer's text as it comes. Afterwards `read`, `written` and
        `seconds` say what it took; `finish` says why it ended."""
        words, began = self._words, time.perf_counter()
        before = len(self._ids), self._open
        if self._open:  # The answer before was stopped, or ended by itself.
            self._ids += [] if self._ids[-1] == words.end else [words.end]
            self._ids += words.encode("\n")
        self._ids += words.message("user", text) + words.answer()
        self._open = True
        # The last token of the answer before is chosen, but not read yet; and
        # what Ctrl-C kept from being read is read now.
        unread = self._ids[len(self._sequence) :]
        self.read, self.written, self.seconds = len(unread), 0, 0.0
        generation = self._sequence.generate(unread, stop=words.stop, **options)
        decode = words.stream()
        try:
            for id in generation:
                self._ids.append(id)
                self.written += 1
                if self.written == 1:
                    began = time.perf_counter()
                self.seconds = time.perf_counter() - began
                yield decode(id)
        except ingot.SequenceFull:  # Nothing was read: it has not been said.
            del self._ids[before[0] :]
            self._open = before[1]
            raise
        yield decode(None)
        self.finish = generation.finish

    def speed(self):
        """What the last answer took, for people."""
        text = f"{self.read} tokens read, {self.written} written"
        if self.written > 1:
            text += f", {(self.written - 1) / self.seconds:.1f} tokens/s"
        return f"[{text}]"


def answer(chat, text, options):
    """Prints the answer to one message."""
    try:
        for part in chat.ask(text, **options):
            print(part, end="", flush=True)
        note = {"length": " (cut: --max-tokens)", "full": " (the conversation is full: /reset)"}
        print(note.get(chat.finish, ""))
    except KeyboardInterrupt:
        print(" (stopped)")
    except ingot.SequenceFull:
        print("That does not fit into the conversation: say less, or /reset begins a new one.")
        return
    print(chat.speed(), flush=True)


def lines():
    """What the user says, line by line."""
    terminal = sys.stdin.isatty()
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="replace")
    if terminal:
        import readline  # noqa: F401  lines can be edited and come back
    while True:
        try:
            yield input("> " if terminal else "")
        except (EOFError, KeyboardInterrupt):
            if terminal:
                print()
            return


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    smollm2.add_model_options(parser)
    parser.add_argument("--system", default=smollm2.SYSTEM, help="the system's message")
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--top-p", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-tokens", type=int, default=512, help="of an answer")
    options = parser.parse_args()
    session = smollm2.session(options.spelling, options.threads, options.artifact)
    chat = Chat(session, smollm2.Words(options.spelling), options.system)
    sampling = {
        "max_new_tokens": options.max_tokens, "temperature": options.temperature,
        "top_p": options.top_p, "seed": options.seed,
    }  # fmt: skip
    if sys.stdin.isatty():
        print("Ctrl-C stops an answer, /reset begins a new conversation, Ctrl-D ends.")
    for line in lines():
        text = line.strip()
        if text == "/reset":
            chat.reset()
        elif text.startswith("/"):
            print(f"there is no {text.split()[0]}, only /reset")
        elif text:
            answer(chat, text, sampling)


if __name__ == "__main__":
    smollm2.run(main)
