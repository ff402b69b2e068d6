"""
A server on this machine that speaks the AuroraX search API, for demonstrations and tests without a network.

It answers from the recorded search that is bundled with the package, and refuses what it holds no recording for.
Run it with ``python -m aurorax_pandas.sandbox --port 8000``, or in a ``with`` block by `serve`.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from aurorax_pandas import criteria
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.model import SOURCE_FIELDS
from aurorax_pandas.samples import recorded_data, recorded_query, recorded_status
from aurorax_pandas.sources import bundled_sources

logger = logging.getLogger("aurorax_pandas.sandbox")

DEMONSTRATION: Final = (
    "This is the aurorax_pandas sandbox, a demonstration on this machine: answers come from a recorded search"
)

_RUNNING: Final[dict[str, Any]] = dict.fromkeys(
    ("completed_timestamp", "data_uri", "error_condition", "file_size", "query_duration", "result_count",
     "result_file_deleted_timestamp")
)  # fmt: skip


class LoggedRequest(NamedTuple):
    """A request that the sandbox received: its method, path and JSON body."""

    method: str
    path: str
    body: Any


class _Reply(NamedTuple):
    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class _RefusalError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = _Reply(status, {"error_code": code, "error_message": message})


class _Job:
    """One search on the server; every look at its status takes it a step further."""

    def __init__(self, request_id: str, query: dict[str, Any]) -> None:
        recorded = recorded_status()
        self.request_id = request_id
        self._request = {**recorded["search_request"], "request_id": request_id, "query": query}
        self._logs = [{**recorded["logs"][0], "level": "info", "summary": DEMONSTRATION}, *recorded["logs"]]
        self._finished = {**recorded["search_result"], "data_uri": f"/api/v1/conjunctions/requests/{request_id}/data"}
        self._looks = 0
        self.deleted = False
        self.cancelled = False

    @property
    def done(self) -> bool:
        return self._looks >= 2 and not self.cancelled

    def status(self) -> dict[str, Any]:
        self._looks += 1
        if self.cancelled:
            line = {**self._logs[-1], "level": "error", "summary": "Search was cancelled"}
            result = {**_RUNNING, "error_condition": True, "completed_timestamp": line["timestamp"]}
            return {"search_request": self._request, "search_result": result, "logs": [*self._logs[:2], line]}
        if not self.done:
            return {"search_request": self._request, "search_result": _RUNNING, "logs": self._logs[:4]}
        result = dict(self._finished)
        if self.deleted:
            result |= {"data_uri": None, "result_file_deleted_timestamp": result["completed_timestamp"]}
        return {"search_request": self._request, "search_result": result, "logs": self._logs}


class Sandbox:
    """
    A server of the AuroraX search API on this machine; use it as ``with serve() as url``.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address to listen on.
    port : int, default 0
        Port to listen on; 0 for a free one.

    Attributes
    ----------
    requests : list of LoggedRequest
        What has been asked, in order.
    url : str
        Address to give as ``api_url``.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[LoggedRequest] = []
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer((host, port), type("_Handler", (_Handler,), {"sandbox": self}))
        self._server.daemon_threads = True
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address to give as ``api_url``."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> str:
        logger.info("%s (%s)", DEMONSTRATION, self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self.url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        if self._thread is not None:
            self._thread.join()

    def serve_forever(self) -> None:
        """Answer until interrupted."""
        logger.info("%s (%s)", DEMONSTRATION, self.url)
        with self._server:
            self._server.serve_forever()

    def answer(self, method: str, target: str, body: Any) -> _Reply:
        """Answer one request."""
        parts = urlsplit(target)
        self.requests.append(LoggedRequest(method, parts.path, body))
        path_known = False
        for wanted, pattern, name in _ROUTES:
            match = re.fullmatch(pattern, parts.path)
            if match is None:
                continue
            path_known = True
            if wanted == method:
                try:
                    with self._lock:
                        reply: _Reply = getattr(self, name)(body, {**parse_qs(parts.query), **match.groupdict()})
                        return reply
                except _RefusalError as refusal:
                    return refusal.reply
        if path_known:
            return _Reply(405, {"error_code": "ApplicationError", "error_message": f"{method} is not allowed here"})
        return _Reply(404, {"error_code": "NotFound", "error_message": f"nothing at {parts.path}"})

    def _submit(self, body: Any, _: dict[str, Any]) -> _Reply:
        query = _query(body)
        if query != recorded_query():
            raise _RefusalError(
                400,
                "ApplicationError",
                "the sandbox is a demonstration and holds no recording of this search; it holds: "
                + criteria.describe_query(recorded_query()),
            )
        request_id = str(uuid.uuid4())
        self._jobs[request_id] = _Job(request_id, body)
        logger.info("search %s: answered from the recording", request_id)
        return _Reply(202, None, (("location", f"{self.url}/api/v1/conjunctions/requests/{request_id}"),))

    def _job(self, values: dict[str, Any]) -> _Job:
        job = self._jobs.get(values["request_id"])
        if job is None:
            raise _RefusalError(404, "NotFound", f"request {values['request_id']} is not known")
        return job

    def _status(self, _: Any, values: dict[str, Any]) -> _Reply:
        return _Reply(200, self._job(values).status())

    def _cancel(self, _: Any, values: dict[str, Any]) -> _Reply:
        job = self._job(values)
        if job.done:
            job.deleted = True
            return _Reply(204)
        job.cancelled = True
        return _Reply(200, job.status())

    def _data(self, response_format: Any, values: dict[str, Any]) -> _Reply:
        job = self._job(values)
        if not job.done or job.deleted:
            raise _RefusalError(404, "NotFound", f"request {job.request_id} has no data")
        result = json.loads(recorded_data())["result"]
        if values.get("data_source_record_format") == ["identifier_only"]:
            only = {"identifier": True}
            result = [{**record, "data_sources": _trim(record["data_sources"], only)} for record in result]
        return _Reply(200, {"result": result if response_format is None else _trim(result, response_format)})

    def _delete_data(self, _: Any, values: dict[str, Any]) -> _Reply:
        self._job(values).deleted = True
        return _Reply(204)

    def _describe(self, body: Any, _: dict[str, Any]) -> _Reply:
        return _Reply(200, criteria.describe_query(_query(body)))

    def _data_sources(self, _: Any, values: dict[str, Any]) -> _Reply:
        sources = bundled_sources()
        for name in ("program", "platform", "instrument_type", "source_type"):
            if name in values:
                sources = sources[sources[name].isin(values[name])]
        return _Reply(200, sources[list(SOURCE_FIELDS)].to_dict("records"))


def _query(body: Any) -> dict[str, Any]:
    try:
        return criteria.parse_query(body)
    except AuroraxInputError as error:
        raise _RefusalError(400, "ApplicationError", str(error)) from None


def _trim(value: Any, wanted: Any) -> Any:
    """Keep the fields that a response format names."""
    if isinstance(value, list):
        return [_trim(item, wanted) for item in value]
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: _trim(item, wanted[name]) for name, item in value.items() if wanted.get(name)}
    return value


_REQUEST: Final = r"/api/v1/conjunctions/requests/(?P<request_id>[^/]+)"
_ROUTES: Final[tuple[tuple[str, str, str], ...]] = (
    ("POST", r"/api/v1/conjunctions/search", "_submit"),
    ("GET", _REQUEST, "_status"),
    ("DELETE", _REQUEST, "_cancel"),
    ("GET", _REQUEST + "/data", "_data"),
    ("POST", _REQUEST + "/data", "_data"),
    ("DELETE", _REQUEST + "/data", "_delete_data"),
    ("POST", r"/api/v1/utils/describe/query/conjunction", "_describe"),
    ("GET", r"/api/v1/data_sources", "_data_sources"),
)


class _Handler(BaseHTTPRequestHandler):
    sandbox: Sandbox
    protocol_version = "HTTP/1.1"
    timeout = 60

    def _handle(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(text) if text else None
        except ValueError:
            reply = _Reply(400, {"error_code": "ApplicationError", "error_message": "the body is not JSON"})
        else:
            # a client may send an empty object where it has nothing to say
            reply = self.sandbox.answer(self.command, self.path, body if self.command == "POST" else None)
        payload = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.debug(format, *args)


def serve(host: str = "127.0.0.1", port: int = 0) -> Sandbox:
    """
    Serve the AuroraX search API on this machine for the time of a ``with`` block.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address to listen on.
    port : int, default 0
        Port to listen on; 0 for a free one.

    Returns
    -------
    Sandbox
        A context manager that gives the address; its ``requests`` hold what was asked.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url, aurorax_pandas.set_options(api_url=url):
    ...     df = aurorax_pandas.read_aurorax_conjunctions(
    ...         "2020-01-01", "2020-01-01T06:59:59", 500, ground={"programs": "themis-asi"}, space={"programs": "swarm"})
    >>> len(df)
    49
    """
    return Sandbox(host, port)


def main() -> None:
    """Serve until interrupted: ``python -m aurorax_pandas.sandbox --port 8000``."""
    parser = argparse.ArgumentParser(prog="python -m aurorax_pandas.sandbox", description=DEMONSTRATION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port", type=int, default=8000, help="port to listen on, 0 for a free one (default: %(default)s)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        Sandbox(arguments.host, arguments.port).serve_forever()
    except KeyboardInterrupt:
        logger.info("stopped")


if __name__ == "__main__":
    main()
