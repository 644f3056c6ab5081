"""A server on loopback that answers W&B's questions, or fails in a chosen way."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "k" * 40


class Stub:
    """What the server knows and what it was asked.

    Attributes:
        url: Of the server.
        project: Its one project as GraphQL would give it, None if there is none.
        status: HTTP status of every answer.
        body: Sent instead of an answer.
        silent: Never answer.
        asked: Variables of every question, under the name of its operation.
        keys: API keys that were sent.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.project = {"internalId": "17", "runCount": 4, "allViews": {"edges": []}}
        self.status = 200
        self.body: bytes | None = None
        self.silent = False
        self.asked: dict[str, dict] = {}
        self.keys: set[str] = set()
        self.ended = threading.Event()

    def answer(self, query: str, variables: dict) -> dict:
        operation = query.split()[1].split("(")[0]
        self.asked[operation] = variables
        return {
            "Viewer": lambda: {"viewer": {"entity": "lab", "username": "someone"}},
            "Project": lambda: {"project": self.project},
            "Upsert": lambda: {"upsertView": {"view": {"id": "VmlldzoxMjM="}, "inserted": True}},
        }[operation]()


@contextmanager
def serve() -> Iterator[Stub]:
    """A stub on a free port, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/graphql"
            user, key = base64.b64decode(self.headers["Authorization"].split()[1]).decode().split(":")
            assert user == "api"
            stub.keys.add(key)
            if stub.silent:
                stub.ended.wait(60)
                return
            data = {"data": stub.answer(question["query"], question["variables"])}
            body = json.dumps(data).encode() if stub.body is None else stub.body
            self.send_response(stub.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield stub
    finally:
        stub.ended.set()
        server.shutdown()
        server.server_close()
