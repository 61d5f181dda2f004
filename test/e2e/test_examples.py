"""The examples around SmolLM2, as users start them."""

import os
import re
import signal
import subprocess
import sys

import harness
import ingot
import pytest
import smollm2_model
from smollm2_model import smollm2

EXAMPLES = harness.ROOT / "examples"


@pytest.fixture(scope="module")
def artifact():
    return smollm2_model.artifact()


@pytest.fixture(scope="module")
def session(artifact):
    return ingot.Session(artifact, threads=2)


@pytest.fixture(scope="module")
def words():
    return smollm2.Words()


def start(artifact, script, *options):
    """An example in a process of its own."""
    return subprocess.Popen(
        [sys.executable, EXAMPLES / script, "--artifact", artifact, "--threads", "2", *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Whoever runs the tests in the background has Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def say(process, text):
    """Everything that an example answers to a text and the end of its input."""
    out, err = process.communicate(text, timeout=300)
    assert process.returncode == 0, out + err
    return out


def decoded(words, ids):
    return b"".join(words.bytes[id] for id in ids).decode("utf-8", "replace")


def test_chat_keeps_the_conversation(artifact, session, words):
    """Each turn reads what is new alone, and answers as if it had read all."""
    turns = ["What is the capital of France?", "And of Italy?"]
    told = "\n".join([*turns, "/nonsense", "/reset", turns[0]])
    out = say(start(artifact, "chat/chat.py", "--temperature", "0", "--max-tokens", "12"), told)
    found = re.findall(r"(.*)\n\[(\d+) tokens read, (\d+) written.*\]\n", out)
    assert len(found) == 3 and "there is no /nonsense" in out
    history, read = words.message("system", smollm2.SYSTEM), 0
    for turn, (answer, count, written) in zip(turns, found):
        history += words.message("user", turn) + words.answer()
        assert int(count) == len(history) - read
        generation = session.generate(history, 12, stop=words.stop)
        ids = list(generation)
        assert len(ids) == int(written)
        cut = " (cut: --max-tokens)" if generation.finish == "length" else ""
        assert answer == decoded(words, ids) + cut
        history += ids
        read = len(history) - 1
        history += [] if ids[-1] == words.end else [words.end]
        history += words.encode("\n")
    assert found[2] == found[0], "after /reset the conversation begins anew"


def test_chat_can_be_interrupted(artifact):
    """Ctrl-C ends an answer and not the chat."""
    chat = start(artifact, "chat/chat.py", "--max-tokens", "150")
    chat.stdin.write("Count from one to one thousand.\n")
    chat.stdin.flush()
    assert chat.stdout.read(5)
    chat.send_signal(signal.SIGINT)
    out = say(chat, "Thank you.\n/reset\n")
    assert out.count("(stopped)") == 1 and out.count(" tokens read, ") == 2
