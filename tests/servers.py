"""A loopback server that answers as told, faults included, and keeps what it was asked."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

REQUEST_ID = "5c0ffee5-0000-4000-8000-000000000001"
SEARCH = "/api/v1/conjunctions/search"
REQUEST = f"/api/v1/conjunctions/requests/{REQUEST_ID}"

_NULLS: dict[str, Any] = {
    "completed_timestamp": None,
    "data_uri": None,
    "error_condition": None,
    "file_size": None,
    "query_duration": None,
    "result_count": None,
    "result_file_deleted_timestamp": None,
}


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Reply(NamedTuple):
    status: int = 200
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()
    fault: str = ""


def status_reply(logs=(), **result: Any) -> Reply:
    request = {"request_id": REQUEST_ID, "query": None}
    return Reply(200, {"search_request": request, "search_result": {**_NULLS, **result}, "logs": list(logs)})


RUNNING = status_reply()
DONE = status_reply(data_uri=f"{REQUEST}/data", completed_timestamp="2024-01-01T00:00:00", error_condition=False)
ACCEPTED = Reply(202, b"", (("location", REQUEST),))
DROPPED = Reply(fault="drop")
CUT_SHORT = Reply(fault="cut")


class FaultyServer:
    """Answers each route with its list of replies in turn, made when asked where they are callable; the last stays."""

    Reply = Reply
    RUNNING, DONE, ACCEPTED, DROPPED, CUT_SHORT = RUNNING, DONE, ACCEPTED, DROPPED, CUT_SHORT
    REQUEST_ID, SEARCH, REQUEST = REQUEST_ID, SEARCH, REQUEST
    status_reply = staticmethod(status_reply)

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.routes: dict[tuple[str, str], list[Reply | Callable[[], Reply]]] = {
            ("POST", SEARCH): [ACCEPTED],
            ("GET", REQUEST): [RUNNING, DONE],
            ("POST", f"{REQUEST}/data"): [Reply(200, {"result": []})],
            ("DELETE", REQUEST): [Reply(200, {})],
        }
        self._used: dict[tuple[str, str], int] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Handler", (_Handler,), {"owner": self}))
        # closing waits for the handlers, so that no socket outlives its test
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, method: str, path: str, *replies: Reply | Callable[[], Reply]) -> None:
        self.routes[method, path] = list(replies)

    def submit(self, *replies: Reply) -> None:
        self.on("POST", SEARCH, *replies)

    def status(self, *replies: Reply) -> None:
        self.on("GET", REQUEST, *replies)

    def data(self, *replies: Reply) -> None:
        self.on("POST", f"{REQUEST}/data", *replies)

    def count(self, method: str, path: str) -> int:
        return sum(asked.method == method and asked.path == path for asked in self.asked)

    def reply(self, method: str, path: str) -> Reply:
        replies = self.routes.get((method, path))
        if replies is None:
            return Reply(404, {"error_code": "NotFound", "error_message": f"nothing at {path}"})
        used = self._used.get((method, path), 0)
        self._used[method, path] = used + 1
        reply = replies[min(used, len(replies) - 1)]
        return reply() if callable(reply) else reply

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: FaultyServer

    def _handle(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.asked.append(Asked(self.command, self.path, headers, json.loads(text) if text else None))
        reply = self.owner.reply(self.command, re.sub(r"\?.*", "", self.path))
        if reply.fault == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        payload = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        given = {name.lower() for name, _ in reply.headers}
        for name, value in reply.headers:
            self.send_header(name, value)
        if "content-type" not in given:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload) + (100 if reply.fault == "cut" else 0)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815

    def log_message(self, *args: Any) -> None:
        pass
