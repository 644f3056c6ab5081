"""A server on loopback that answers the queries of W&B's public API."""

import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "k" * 40
_LAST_PAGE = {"endCursor": None, "hasNextPage": False}


class Stub:
    """The state of the server, and what it was sent.

    Attributes:
        url: Address of the server.
        runs: Number of runs in each project of the team `lab`; None: there is no project.
        reports: Title to id of the reports in each project.
        status: HTTP status of all answers.
        silent: Never answer.
        sent: Variables of each query, under the name of its operation.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.runs: int | None = 4
        self.reports: dict[str, str] = {}
        self.status = 200
        self.silent = threading.Event()
        self.sent: dict[str, dict] = {}

    def answer(self, operation: str, variables: dict) -> dict:
        self.sent[operation] = variables
        if operation in ("Viewer", "GetDefaultEntity"):
            return {"viewer": {"id": "V", "entity": "lab", "username": "someone"}}
        if operation == "GetProjects":
            named = ("smears", "mds_lightning")
            other = {"id": "P", "entityName": "lab", "createdAt": "", "isBenchmark": False, "user": None}
            edges = [{"cursor": "", "node": {"name": name, **other}} for name in named]
            return {"models": {"edges": edges, "pageInfo": _LAST_PAGE}}
        if operation == "upsertView":
            project = {"id": "P", "name": "smears", "entityName": "lab"}
            told = {"displayName": variables["displayName"], "description": "", "project": project}
            view = {"id": variables["id"] or "new", "type": "runs", "name": "n", "spec": variables["spec"]}
            return {"upsertView": {"view": view | told, "inserted": True}}
        if self.runs is None:
            return {"project": None}
        nodes = [{"id": id_, "displayName": title, "spec": "{}"} for title, id_ in self.reports.items()]
        views = {"edges": [{"cursor": "", "node": node} for node in nodes], "pageInfo": _LAST_PAGE}
        runs = {"edges": [], "pageInfo": _LAST_PAGE}
        return {"project": {"internalId": "17", "runCount": self.runs, "runs": runs, "allViews": views}}


@contextmanager
def serve() -> Iterator[Stub]:
    """A stub on a free port, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = b"{}"
            if self.path == "/graphql":
                if stub.silent.is_set():
                    ended.wait(60)
                asked = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
                operation = re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])[1]
                body = json.dumps({"data": stub.answer(operation, asked.get("variables") or {})}).encode()
            self.send_response(stub.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    ended = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub = Stub(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield stub
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
