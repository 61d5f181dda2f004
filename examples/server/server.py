"""SmolLM2 behind the completion interface of HTTP that many clients speak.

    server.py [--host 127.0.0.1] [--port 8080] [--rows 16] ...

    POST /v1/chat/completions   messages, max_tokens, temperature, top_p, top_k,
                                min_p, seed, stop, stream,
                                stream_options.include_usage
    POST /v1/completions        the same with prompt: a text or token ids
    GET  /v1/models

All clients' answers are generated together, a token of each in every step.
Ctrl-C ends the server. It has neither passwords nor encryption: it is for your
own machine, or to stand behind something that has."""

import argparse
import http
import http.server
import json
import pathlib
import select
import signal
import socket
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "smollm2"))

import api  # noqa: E402
import engine  # noqa: E402
import ingot  # noqa: E402
import smollm2  # noqa: E402

LARGEST_BODY = 1 << 20
# As much of a larger one is read, so that its client comes to read the refusal.
LARGEST_REFUSED = 32 << 20
MODEL = {"id": smollm2.NAME, "object": "model", "created": 0, "owned_by": "ingot"}
GET = {
    "/v1/models": {"object": "list", "data": [MODEL]},
    f"/v1/models/{smollm2.NAME}": MODEL,
}
POST = {"/v1/completions": False, "/v1/chat/completions": True}  # whether it is a chat


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # of a client that neither sends nor reads
    disable_nagle_algorithm = True

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path in GET:
            self._reply(200, GET[path])
        elif path in POST:
            self._reply(405, api.error_body(405, f"{path} wants POST"), Allow="POST")
        else:
            self._reply(404, api.error_body(404, f"there is no {path}"))

    def do_POST(self):
        path = self.path.partition("?")[0]
        try:
            data = self._body()
            if path in GET:
                raise api.Refused(405, f"{path} wants GET")
            if path not in POST:
                raise api.Refused(404, f"there is no {path}")
            try:
                body = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise api.Refused(400, f"the body is not JSON: {error}") from error
            job = api.parse(body, POST[path], self.server.words)
            self._answer(job)
        except api.Refused as refused:
            allow = {"Allow": "GET"} if refused.status == 405 else {}
            self._reply(refused.status, refused.body(), **allow)

    def _body(self):
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise api.Refused(411, "the header Content-Length is missing")
        length = int(length[-18:]) if not length[:-18].strip("0") else sys.maxsize
        if length > LARGEST_BODY:
            self.close_connection = True
            left = length if length <= LARGEST_REFUSED else 0
            while part := self.rfile.read(min(left, 1 << 16)):
                left -= len(part)
            raise api.Refused(413, f"the body has more than {LARGEST_BODY} bytes")
        data = self.rfile.read(length)
        if len(data) < length:
            raise ConnectionAbortedError("the client has gone")
        return data

    def _answer(self, job):
        text, writer = api.Text(job, self.server.words), api.Writer(job)
        try:
            self.server.engine.submit(job.request)
            if job.stream:
                self._stream(job, text, writer)
            else:
                whole = ""
                for part in text:
                    whole += part
                    self._check_client()
                self._reply(200, writer.whole(whole, text.finish, text.usage()))
        except engine.Full as error:
            raise api.Refused(429, str(error), code="rate_limit_exceeded") from error
        except (engine.Stopped, ingot.OutOfMemory) as error:
            raise api.Refused(503, str(error)) from error
        except ingot.Error as error:
            raise api.Refused(500, str(error)) from error
        finally:
            job.request.drop()

    def _check_client(self):
        """Raises if nobody waits for the answer any more. Who streams notices
        when writing."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        if poll.poll(0) and not self.connection.recv(1, socket.MSG_PEEK):
            if not self.server.stopping:
                raise ConnectionAbortedError("the client has gone")

    def _stream(self, job, text, writer):
        """Server-sent events: one a part, [DONE] last."""
        chunked = self.request_version != "HTTP/1.0"
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        self.end_headers()

        def send(event):
            line = event if isinstance(event, str) else json.dumps(event)
            data = f"data: {line}\n\n".encode()
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)

        if (first := writer.first()) is not None:
            send(first)
        try:
            for part in text:
                send(writer.part(part))
            send(writer.last(text.finish))
            if job.with_usage:
                send(writer.counted(text.usage()))
            send("[DONE]")
        except (engine.Stopped, ingot.Error) as error:  # too late for a status
            send(api.error_body(503, str(error)))
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _reply(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def send_error(self, code, message=None, explain=None):
        """What http.server itself refuses."""
        self.close_connection = True
        message = message or http.HTTPStatus(code).phrase
        self._reply(code, api.error_body(code, message))

    def log_message(self, format, *arguments):
        if self.server.verbose:
            super().log_message(format, *arguments)


class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; all of them share one engine."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address, session, words, rows, verbose):
        self._open, self._lock = set(), threading.Lock()
        super().__init__(address, Handler)
        self.words, self.verbose, self.stopping = words, verbose, False
        self.engine = engine.Engine(session, rows)

    def process_request(self, request, client_address):
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # else the client has gone
            super().handle_error(request, client_address)

    def stop(self):
        """Ends all answers, says so to their clients, and joins all threads."""
        self.stopping = True
        self.shutdown()
        self.engine.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RD)  # idle ones read the end
                except OSError:
                    pass  # its client was faster
        self.server_close()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    smollm2.add_model_options(parser)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--rows", type=int, default=16, help="answers that are generated at once")
    parser.add_argument("--verbose", action="store_true", help="print a line for each request")
    options = parser.parse_args()
    if options.rows < 1 or not 0 <= options.port < 1 << 16:
        parser.error("--rows is at least 1, --port from 0 to 65535")
    session = smollm2.session(options.spelling, options.threads, options.artifact)
    words = smollm2.Words(options.spelling)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    address = (options.host, options.port)
    try:
        server = Server(address, session, words, options.rows, options.verbose)
    except OSError as error:
        sys.exit(f"{options.host}:{options.port}: {error.strerror}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    print(f"http://{options.host}:{server.server_address[1]}/v1", flush=True)
    stop.wait()
    server.stop()
    thread.join()


if __name__ == "__main__":
    smollm2.run(main)
