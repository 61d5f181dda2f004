"""The completion server of the examples, by a client of its own."""

import concurrent.futures
import contextlib
import http.client
import json
import signal
import socket
import sys

import harness
import ingot
import pytest
import smollm2_model
from smollm2_model import smollm2

sys.path += [str(harness.ROOT / "examples" / "server"), str(harness.ROOT / "test" / "python")]

import artifacts  # noqa: E402
import engine  # noqa: E402

CHAT, COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@contextlib.contextmanager
def serving(artifact, *options):
    """A server on a free port: (process, port). Ends by Ctrl-C, in silence."""
    process = smollm2_model.start(artifact, "server/server.py", "--port", "0", *options)
    try:
        address = process.stdout.readline()
        assert address, process.stderr.read()
        yield process, int(address.rsplit(":", 1)[1].split("/")[0])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def artifact():
    return smollm2_model.artifact()


@pytest.fixture(scope="module")
def port(artifact):
    with serving(artifact) as (_, port):
        yield port


@pytest.fixture(scope="module")
def words():
    return smollm2.Words()


def ask(port, method, path, body=None, **headers):
    """A status and the reply's JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
    connection.request(method, path, data, {"Content-Type": "application/json", **headers})
    reply = connection.getresponse()
    assert reply.getheader("Content-Type") == "application/json"
    value = json.loads(reply.read())
    connection.close()
    return reply.status, value


def events(reply):
    """The events of a stream as they come, without the last."""
    while line := reply.readline():
        if line.startswith(b"data: "):
            if line == b"data: [DONE]\n":
                return
            yield json.loads(line[6:])


def stream(port, path, body):
    """All events of a stream."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", path, json.dumps({**body, "stream": True}))
    reply = connection.getresponse()
    assert reply.status == 200
    assert reply.getheader("Content-Type").startswith("text/event-stream")
    found = list(events(reply))
    assert reply.read().strip() == b""
    connection.close()
    return found


def text_of(words, ids):
    return b"".join(words.bytes[id] for id in ids).decode("utf-8", "replace")


def test_models(port):
    status, listed = ask(port, "GET", MODELS)
    assert status == 200 and [model["id"] for model in listed["data"]] == [smollm2.NAME]
    assert ask(port, "GET", f"{MODELS}/{smollm2.NAME}") == (200, listed["data"][0])


def test_chat(port):
    status, reply = ask(port, "POST", CHAT, {"messages": QUESTION, "temperature": 0})
    assert status == 200 and reply["object"] == "chat.completion"
    (choice,) = reply["choices"]
    assert choice["message"]["role"] == "assistant" and choice["finish_reason"] == "stop"
    assert "Paris" in choice["message"]["content"]
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    # The default message of the system; text in parts.
    parts = [{"type": "text", "text": text} for text in ("What is the capital", " of France?")]
    messages = [{"role": "system", "content": smollm2.SYSTEM}, {"role": "user", "content": parts}]
    _, other = ask(port, "POST", CHAT, {"messages": messages, "temperature": 0})
    assert other["choices"] == reply["choices"] and other["usage"] == usage


def test_clients_do_not_disturb_each_other(port, artifact, words):
    """Six at once, with prompts of all lengths: each gets what the session
    alone generates from the same seed."""
    session = ingot.Session(artifact, threads=2)
    jobs = [
        {
            "prompt": prompt, "max_tokens": 10 + 2 * seed, "temperature": 0.8, "top_p": 0.9,
            "seed": seed,
        }
        for seed, prompt in enumerate(
            ["Once upon", "1, 2, 3, 4,", "The quick brown fox " * 80, "def f(x):", "A", "Snow"]
        )
    ]  # fmt: skip
    wants = []
    for job in jobs:
        job["prompt"] = prompt = words.encode(job["prompt"])
        options = {name: job[name] for name in ("temperature", "top_p", "seed")}
        ids = list(session.generate(prompt, job["max_tokens"], stop=words.stop, **options))
        finish = "stop" if ids[-1] in words.stop else "length"
        ids = [id for id in ids if id not in words.stop]
        wants.append((text_of(words, ids), finish, len(prompt), len(ids)))
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        replies = list(pool.map(lambda job: ask(port, "POST", COMPLETIONS, job), jobs))
    for (status, reply), want in zip(replies, wants):
        assert status == 200 and reply["object"] == "text_completion"
        (choice,), usage = reply["choices"], reply["usage"]
        got = (choice["text"], choice["finish_reason"])
        assert (*got, usage["prompt_tokens"], usage["completion_tokens"]) == want


def test_stream(port):
    body = {"messages": QUESTION, "max_tokens": 6, "seed": 3}
    _, whole = ask(port, "POST", CHAT, body)
    found = stream(port, CHAT, {**body, "stream_options": {"include_usage": True}})
    assert {event["object"] for event in found} == {"chat.completion.chunk"}
    assert len({event["id"] for event in found}) == 1
    assert found[-1]["choices"] == [] and found[-1]["usage"] == whole["usage"]
    deltas = [event["choices"][0] for event in found[:-1]]
    assert deltas[0]["delta"]["role"] == "assistant"
    text = "".join(delta["delta"].get("content", "") for delta in deltas)
    (choice,) = whole["choices"]
    assert text == choice["message"]["content"] and len(deltas) > 4
    finishes = [delta["finish_reason"] for delta in deltas]
    assert finishes == [None] * (len(deltas) - 1) + [choice["finish_reason"]]


def test_stop_strings(port):
    """They end an answer, are not part of it, and may lie across tokens."""
    body = {"prompt": "The capital of France is", "max_tokens": 12, "temperature": 0}
    _, reply = ask(port, "POST", COMPLETIONS, body)
    text = reply["choices"][0]["text"]
    assert len(text) > 12
    for stop in (text[3:9], [text[8:10], "never"], text[-2:]):
        first = stop if isinstance(stop, str) else stop[0]
        want = text[: text.index(first)]
        _, reply = ask(port, "POST", COMPLETIONS, {**body, "stop": stop})
        assert (reply["choices"][0]["text"], reply["choices"][0]["finish_reason"]) == (want, "stop")
        found = stream(port, COMPLETIONS, {**body, "stop": stop})
        assert "".join(event["choices"][0]["text"] for event in found) == want


WRONG = [
    ("GET", "/v1/nothing", None, 404, "there is no /v1/nothing"),
    ("GET", CHAT, None, 405, "wants POST"),
    ("POST", MODELS, {}, 405, "wants GET"),
    ("POST", "/v1/nothing", "{", 404, "there is no /v1/nothing"),
    ("PUT", CHAT, {}, 501, "Unsupported method"),
    ("POST", CHAT, "{", 400, "not JSON"),
    ("POST", CHAT, "[" * 100000, 400, "not JSON"),
    ("POST", CHAT, "[]", 400, "must be a JSON object"),
    ("POST", CHAT, b" " * (20 << 20), 413, "more than"),
    ("POST", CHAT, {}, 400, "'messages' must be"),
    ("POST", CHAT, {"messages": [{"role": "nobody", "content": ""}]}, 400, "'messages[0]'"),
    ("POST", CHAT, {"messages": [{"role": "user", "content": 3}]}, 400, "'messages[0].content'"),
    ("POST", CHAT, {"messages": QUESTION, "model": "larger"}, 404, "'larger' does not exist"),
    ("POST", CHAT, {"messages": QUESTION, "temperature": "hot"}, 400, "'temperature' must be"),
    ("POST", CHAT, {"messages": QUESTION, "temperature": 2.5}, 400, "a number from 0 to 2"),
    ("POST", CHAT, {"messages": QUESTION, "top_p": float("nan")}, 400, "'top_p' must be"),
    ("POST", CHAT, {"messages": QUESTION, "top_p": 0}, 400, "top_p is 0"),
    ("POST", CHAT, {"messages": QUESTION, "top_k": -2}, 400, "'top_k' must be"),
    ("POST", CHAT, {"messages": QUESTION, "min_p": 2}, 400, "'min_p' must be"),
    ("POST", CHAT, {"messages": QUESTION, "max_tokens": 0}, 400, "an integer from 1"),
    ("POST", CHAT, {"messages": QUESTION, "max_tokens": True}, 400, "an integer from 1"),
    ("POST", CHAT, {"messages": QUESTION, "seed": 1.5}, 400, "'seed' must be an integer"),
    ("POST", CHAT, {"messages": QUESTION, "stop": [""]}, 400, "'stop' must be"),
    ("POST", CHAT, {"messages": QUESTION, "stream": "yes"}, 400, "'stream' must be"),
    ("POST", CHAT, {"messages": QUESTION, "stream": 1}, 400, "'stream' must be"),
    ("POST", CHAT, {"messages": QUESTION, "n": 2}, 400, "'n' is not supported"),
    ("POST", COMPLETIONS, {"prompt": "1", "logprobs": 0}, 400, "'logprobs' is not supported"),
    ("POST", COMPLETIONS, {"prompt": "1", "repetition_penalty": 2}, 400, "is not supported"),
    ("POST", COMPLETIONS, {"prompt": ""}, 400, "'prompt' must be"),
    ("POST", COMPLETIONS, {"prompt": [1, 49152]}, 400, "'prompt' must be"),
    ("POST", COMPLETIONS, {"prompt": "\ud800"}, 400, "surrogates"),
    ("POST", COMPLETIONS, {"prompt": [5] * 8192}, 400, "at most 8192 tokens"),
]  # fmt: skip


@pytest.mark.parametrize("method, path, body, status, message", WRONG, ids=range(len(WRONG)))
def test_refusals(port, method, path, body, status, message):
    found, reply = ask(port, method, path, body)
    assert found == status
    assert message in reply["error"]["message"] and set(reply["error"]) == {
        "message", "type", "param", "code",
    }  # fmt: skip


def test_what_changes_nothing(port):
    """Parameters that are null or have their neutral values, and unknown ones."""
    body = {"messages": QUESTION, "max_tokens": 4, "temperature": 0}
    _, plain = ask(port, "POST", CHAT, body)
    neutral = {
        "model": None, "n": 1.0, "stop": [], "stream": False, "logprobs": False, "seed": None,
        "max_completion_tokens": None, "top_k": -1, "min_p": 0, "user": "me", "frequency_penalty": 0,
    }  # fmt: skip
    status, reply = ask(port, "POST", CHAT, {**body, **neutral})
    assert status == 200 and reply["choices"] == plain["choices"]
    _, reply = ask(port, "POST", CHAT, {**body, "temperature": 2, "top_k": 1})
    assert reply["choices"] == plain["choices"], "only the likeliest may come"


def test_length_of_many_digits(port):
    found, reply = ask(port, "POST", CHAT, "{}", **{"Content-Length": "9" * 5000})
    assert found == 413 and "more than" in reply["error"]["message"]


def test_one_request_fails_alone():
    """A bad token that comes when others have read theirs already."""
    session = ingot.Session(artifacts.DECODER, threads=1)
    running = engine.Engine(session)
    try:
        jobs = [[5, 9, 33, 2], [7, 8] * 30, [3] * 250 + [1000], [4]]
        jobs = [engine.Request(ids, 3, ingot.Sampling(), ()) for ids in jobs]
        with running._changed:  # so that all of them begin in one step
            for job in jobs:
                running.submit(job)
        for job in jobs:
            if 1000 in job.ids:
                with pytest.raises(ingot.RuntimeCheck):
                    list(job)
            else:
                prompt = job.ids[: job.prompt_tokens]
                assert list(job) == artifacts.greedy(prompt, 3)
    finally:
        running.close()


def test_connection_is_kept_and_length_is_needed(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    for _ in range(2):  # over one connection
        connection.request("POST", CHAT, "{}")
        assert connection.getresponse().read()
    connection.putrequest("POST", CHAT)
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()


@pytest.mark.parametrize("option", [("--rows", "0"), ("--port", "65536")])
def test_wrong_options(artifact, option):
    process = smollm2_model.start(artifact, "server/server.py", *option)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "--rows is at least 1" in err


def test_port_in_use(artifact):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = smollm2_model.start(artifact, "server/server.py", "--port", port)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(f"127.0.0.1:{port}: ") and err.count("\n") == 1


def test_client_that_does_not_wait(artifact):
    """One that leaves before its answer comes frees its row, too."""
    with serving(artifact, "--rows", "1") as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        endless = {"prompt": "1, 2, 3,", "max_tokens": 8000, "temperature": 0}
        connection.request("POST", COMPLETIONS, json.dumps(endless))
        connection.close()
        assert ask(port, "POST", COMPLETIONS, {"prompt": "A", "max_tokens": 1})[0] == 200


def test_client_that_leaves(artifact):
    """One that goes away frees its row, of which there is only one here; then
    Ctrl-C ends an answer in the middle, and its client is told."""
    with serving(artifact, "--rows", "1") as (process, port):
        endless = {"prompt": "1, 2, 3,", "max_tokens": 4000, "stream": True, "temperature": 0}
        connections = []
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("POST", COMPLETIONS, json.dumps(endless))
            reply = connection.getresponse()
            assert next(events(reply))["choices"][0]["text"]
            connections.append((connection, reply))
            if len(connections) == 1:
                reply.close()
                connection.close()
        process.send_signal(signal.SIGINT)
        rest = list(events(connections[1][1]))
        process.wait(60)
        assert "stopping" in rest[-1]["error"]["message"]
