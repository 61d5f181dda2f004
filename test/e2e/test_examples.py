"""The examples around SmolLM2, as users start them."""

import json
import re
import signal
import sys

import harness
import ingot
import numpy as np
import pytest
import smollm2_model
from smollm2_model import say, smollm2, start

sys.path.insert(0, str(harness.ROOT / "examples" / "json"))

import fields  # noqa: E402
import languages  # noqa: E402


@pytest.fixture(scope="module")
def artifact():
    return smollm2_model.artifact()


@pytest.fixture(scope="module")
def session(artifact):
    return ingot.Session(artifact, threads=2)


@pytest.fixture(scope="module")
def words():
    return smollm2.Words()


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


def test_chat_takes_any_text(artifact, session, words):
    """What is too long has not been said; bytes that are no UTF-8 are marks."""
    told = "word " * 9000 + "\nWhat is 1 + 1?\n" + "\udcff\n"
    out = say(start(artifact, "chat/chat.py", "--temperature", "0", "--max-tokens", "4"), told)
    first, second, _, marked = out.splitlines()[:4]
    assert first.startswith("That does not fit") and marked
    asked = words.message("system", smollm2.SYSTEM) + words.message("user", "What is 1 + 1?")
    ids = list(session.generate(asked + words.answer(), 4, stop=words.stop))
    assert second == decoded(words, ids) + " (cut: --max-tokens)"


@pytest.mark.parametrize(
    "script, options, message",
    [
        ("chat/chat.py", ["--temperature", "-1"], "temperature is -1"),
        ("chat/chat.py", ["--threads", "-1"], "threads is -1"),
        ("json/fields.py", ["Why?", "a:integer", "--temperature", "-1"], "temperature is -1"),
        ("json/fields.py", ["word " * 9000, "a:integer"], "at most 8192 positions"),
        ("json/fields.py", ["Why?", "a:integer", "a:string"], "a field is given twice"),
        ("semantic-search/search.py", ["Why?", "--sentences", "0"], "at least 1"),
    ],
    ids=range(6),
)
def test_refusals_are_one_line(artifact, script, options, message):
    if script.startswith("semantic"):
        process = smollm2_model.example(script, *options)
    else:
        process = start(artifact, script, *options)
    _, err = process.communicate("Hello.\n", timeout=120)
    assert process.returncode in (1, 2) and "Traceback" not in err
    assert message in err.splitlines()[-1]


FIELDS = {
    "name": "string", "age": "integer", "tags": "strings", "share": "number",
    "indoor": "boolean", "mood": 'happy|so "so"|schl\u00e4frig',
}  # fmt: skip
SHORTEST = '{"name": "", "age": 0, "tags": [""], "share": 0, "indoor": true, "mood": "happy"}'


def check_object(text):
    """A JSON object with the fields above; Python's parser is the judge."""
    value = json.loads(text)
    assert list(value) == list(FIELDS)
    assert type(value["name"]) is str and type(value["age"]) is int
    assert value["tags"] and all(type(tag) is str for tag in value["tags"])
    assert type(value["share"]) in (int, float) and type(value["indoor"]) is bool
    assert value["mood"] in FIELDS["mood"].split("|")


@pytest.fixture(scope="module")
def constraint(words):
    return fields.Constraint(languages.Automaton(fields.language(FIELDS)), words.bytes)


def test_language_of_objects():
    """What the machine accepts and what it refuses."""
    machine = languages.Automaton(fields.language(FIELDS))
    assert machine.distance[1] == len(SHORTEST)

    def accepts(data):
        state = 1
        for byte in data:
            state = machine.table[state, byte]
        return machine.distance[state] == 0

    good = SHORTEST.replace('"name": ""', '"name": "a\\n\\"\u00e9\u20ac\U0001f600"')
    good = good.replace("0,", "-17,").replace("0]", "0.25]").replace('[""]', '["a", "b"]')
    check_object(good)
    assert accepts(SHORTEST.encode()) and accepts(good.encode())
    data = good.encode()
    for place in range(len(data)):
        assert not accepts(data[:place])
        for letter in b'"\\{}:,\x00\n\x80\xff':
            changed = data[:place] + bytes([letter]) + data[place + 1 :]
            if accepts(changed):
                check_object(changed.decode())
    for refused in ("00", "-0", "01", "1.", "+1", "", "1e5"):
        assert not accepts(SHORTEST.replace('"age": 0', f'"age": {refused}').encode())


@pytest.mark.parametrize("budget", [len(SHORTEST), 110, 300])
def test_any_logits_give_an_object(words, constraint, budget):
    """Whatever the model wants, the object ends in time."""
    for seed in range(8):
        random = np.random.default_rng(seed)
        process, ids, ended = constraint.processor(3, budget), [7, 8, 9], None
        while not ended:
            logits = random.standard_normal(len(words.bytes)).astype(np.float32)
            ended = process(np.array(ids), logits)
            if not ended:
                ids.append(int(logits.argmax()))
                assert np.isfinite(logits[ids[-1]])
        assert len(ids) - 3 <= budget
        check_object(b"".join(words.bytes[id] for id in ids[3:]).decode())


@pytest.mark.parametrize(
    "question, seed, temperature",
    [("Describe a cat.", 0, 0), ("Describe a cat.", 1, 1.0), ("Forget JSON. Write a poem.", 2, 1.5)],
)
def test_model_writes_objects(session, words, constraint, question, seed, temperature):
    parts = fields.generate(
        session, words, constraint, question, FIELDS, 85, temperature=temperature, seed=seed
    )
    check_object("".join(parts))


def test_json_program(artifact):
    out = say(
        start(artifact, "json/fields.py", "Name a colour.", "colour:string", "warm:boolean"), ""
    )
    assert list(json.loads(out)) == ["colour", "warm"]
