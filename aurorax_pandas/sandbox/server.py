"""The sandbox's HTTP: routes, answers, and faults on demand."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import re
import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pandas as pd

from aurorax_pandas.checks import suggestion
from aurorax_pandas.ephemeris.dataset import check_ephemeris, source_table
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.model import SOURCE_FIELDS
from aurorax_pandas.query.query import Query, describe_query
from aurorax_pandas.samples import load_sample_ephemeris
from aurorax_pandas.sandbox.jobs import DEMONSTRATION, Job, availability, conjunction_work, ephemeris_work
from aurorax_pandas.sources import bundled_sources

if TYPE_CHECKING:
    import xarray as xr

logger = logging.getLogger("aurorax_pandas.sandbox")

#: Steps that can go wrong on demand: a request of the client, or the search itself.
STEPS: Final = ("submit", "status", "data", "cancel", "describe", "data_sources", "availability", "search")
FAULTS: Final = ("drop", "half", "garbage", "html", "damaged_gzip", "charset", "unknown_state")
SEARCH_FAULTS: Final = ("fail", "stall")


class LoggedRequest(NamedTuple):
    """A request that the sandbox received."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


class _Reply(NamedTuple):
    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


class _RefusalError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = _Reply(status, {"error_code": code, "error_message": message})


class Sandbox:
    """
    A server of the AuroraX search API on this machine; use it as ``with serve() as url``.

    Parameters
    ----------
    host, port, ephemeris, faults
        As in `serve`.

    Attributes
    ----------
    requests : list of LoggedRequest
        What has been asked, in order.
    url : str
        Address to give as ``api_url``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        ephemeris: xr.Dataset | None = None,
        faults: Mapping[str, Iterable[Any]] | None = None,
    ) -> None:
        self._faults = _checked_faults(faults or {})
        self._ephemeris = load_sample_ephemeris() if ephemeris is None else check_ephemeris(ephemeris)
        self.requests: list[LoggedRequest] = []
        self._jobs: dict[tuple[str, str], Job] = {}
        self._lock = threading.Lock()
        self._server = _Server((host, port), type("_BoundHandler", (_Handler,), {"sandbox": self}))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address to give as ``api_url``."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> str:
        logger.info("%s: %s", DEMONSTRATION, self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self.url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._lock:
                # requests that come in meanwhile may add more
                jobs = list(self._jobs.values())
            for job in jobs:
                if job.stalled:
                    job.cancel()
        finally:
            self._server.shutdown()
            self._server.server_close()
            self.join()

    def join(self) -> None:
        """Wait until the server stops."""
        if self._thread is not None:
            self._thread.join()

    def fault(self, step: str) -> Any:
        """Take the next fault of a step, None where all is to go well."""
        with self._lock:
            waiting = self._faults.get(step)
            return waiting.pop(0) if waiting else None

    def answer(self, method: str, target: str, body: Any, headers: dict[str, str]) -> tuple[_Reply, Any]:
        """Answer one request; the second item is what is to go wrong with the answer."""
        parts = urlsplit(target)
        self.requests.append(LoggedRequest(method, parts.path, body, headers))
        allowed = [route for route in _ROUTES if re.fullmatch(route.pattern, parts.path)]
        if not allowed:
            return _Reply(404, {"error_code": "NotFound", "error_message": f"nothing at {parts.path}"}), None
        route = next((route for route in allowed if route.method == method), None)
        if route is None:
            return _Reply(
                405, {"error_code": "ApplicationError", "error_message": f"{method} is not allowed here"}
            ), None
        fault = self.fault(route.step)
        if isinstance(fault, int):
            return _failure(fault), None
        if isinstance(fault, str) and fault.startswith("redirect:"):
            return _Reply(307, None, (("location", fault.removeprefix("redirect:") + target),)), None
        match = re.fullmatch(route.pattern, parts.path)
        values = {**parse_qs(parts.query), **(match.groupdict() if match else {})}
        try:
            reply: _Reply = getattr(self, route.name)(body, values)
        except _RefusalError as refusal:
            reply = refusal.reply
        if fault == "unknown_state" and isinstance(reply.body, dict):
            reply = reply._replace(body={**reply.body, "search_result": {"state": "mislaid"}})
        return reply, fault

    def _submit(self, body: Any, values: dict[str, Any]) -> _Reply:
        path = values["kind"]
        try:
            if path == "conjunctions":
                job = Job("conjunction", body, conjunction_work(self._ephemeris, Query.parse(body).payload))
            elif path == "ephemeris":
                job = Job("ephemeris", body, ephemeris_work(self._ephemeris, body))
            else:
                raise AuroraxInputError("the sandbox is a demonstration and has no data products")
        except AuroraxInputError as error:
            raise _RefusalError(400, "ApplicationError", str(error)) from None
        with self._lock:
            if (path, job.request_id) in self._jobs:
                raise _RefusalError(409, "Duplicate", f"request {job.request_id} exists already")
            self._jobs[path, job.request_id] = job
        trouble = self.fault("search")
        job.start(
            fail="Search failed: the sandbox was told to" if trouble == "fail" else None, stall=trouble == "stall"
        )
        logger.info("search %s taken", job.request_id)
        return _Reply(202, None, (("location", f"{self.url}/api/v1/{path}/requests/{job.request_id}"),))

    def _job(self, values: dict[str, Any]) -> Job:
        job = self._jobs.get((values["kind"], values["request_id"]))
        if job is None:
            raise _RefusalError(404, "NotFound", f"request {values['request_id']} is not known")
        return job

    def _status(self, _: Any, values: dict[str, Any]) -> _Reply:
        return _Reply(200, self._job(values).status())

    def _cancel(self, _: Any, values: dict[str, Any]) -> _Reply:
        job = self._job(values)
        if job.is_done:
            job.delete_data()
            return _Reply(204)
        job.cancel()
        return _Reply(200, job.status())

    def _data(self, response_format: Any, values: dict[str, Any]) -> _Reply:
        records = self._job(values).records
        if records is None:
            raise _RefusalError(404, "NotFound", f"request {values['request_id']} has no data")
        if values.get("data_source_record_format") == ["identifier_only"]:
            only = {"identifier": True}
            records = [{**record, "data_sources": _trim(record["data_sources"], only)} for record in records]
        return _Reply(200, {"result": records if response_format is None else _trim(records, response_format)})

    def _delete_data(self, _: Any, values: dict[str, Any]) -> _Reply:
        self._job(values).delete_data()
        return _Reply(204)

    def _describe(self, body: Any, _: dict[str, Any]) -> _Reply:
        try:
            return _Reply(200, describe_query(Query.parse(body).payload))
        except AuroraxInputError as error:
            raise _RefusalError(400, "ApplicationError", str(error)) from None

    def _data_sources(self, body: Any, values: dict[str, Any]) -> _Reply:
        body = {} if body is None else body
        if not isinstance(body, dict) or not all(isinstance(names, list | str | None) for names in body.values()):
            raise _RefusalError(400, "ApplicationError", "the body must be an object whose values are lists of names")
        wanted = {**values, **{name.removesuffix("s"): names for name, names in body.items()}}
        tables = [bundled_sources()[list(SOURCE_FIELDS)], source_table(self._ephemeris)]
        sources = pd.concat(tables).drop_duplicates(["identifier", "display_name"]).to_dict("records")
        return _Reply(200, [source for source in sources if _is_wanted(source, wanted)])

    def _availability(self, _: Any, values: dict[str, Any]) -> _Reply:
        try:
            counts = availability(self._ephemeris, values["start"][0], values["end"][0])
            return _Reply(200, [count for count in counts if _is_wanted(count["data_source"], values)])
        except (KeyError, ValueError):
            raise _RefusalError(400, "ApplicationError", "start and end are days, YYYY-MM-DD") from None


class _Route(NamedTuple):
    method: str
    pattern: str
    name: str
    step: str


_KIND: Final = r"/api/v1/(?P<kind>conjunctions|ephemeris|data_products)"
_REQUEST: Final = _KIND + r"/requests/(?P<request_id>[^/]+)"
_ROUTES: Final = (
    _Route("POST", _KIND + "/search", "_submit", "submit"),
    _Route("GET", _REQUEST, "_status", "status"),
    _Route("DELETE", _REQUEST, "_cancel", "cancel"),
    _Route("GET", _REQUEST + "/data", "_data", "data"),
    _Route("POST", _REQUEST + "/data", "_data", "data"),
    _Route("DELETE", _REQUEST + "/data", "_delete_data", "cancel"),
    _Route("POST", r"/api/v1/utils/describe/query/conjunction", "_describe", "describe"),
    _Route("GET", r"/api/v1/data_sources", "_data_sources", "data_sources"),
    _Route("POST", r"/api/v1/data_sources/search", "_data_sources", "data_sources"),
    _Route("GET", r"/api/v1/availability/ephemeris", "_availability", "availability"),
)


def _checked_faults(faults: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    checked = {}
    for step, wanted in faults.items():
        if step not in STEPS:
            raise AuroraxInputError(f"faults: no step {step!r}; {suggestion(step, STEPS)}")
        checked[step] = list(wanted)
        known = SEARCH_FAULTS if step == "search" else FAULTS
        for fault in checked[step]:
            status = step != "search" and isinstance(fault, int) and 100 <= fault <= 599
            if not (fault is None or status or fault in known or str(fault).startswith("redirect:")):
                raise AuroraxInputError(f"faults: {fault!r} of {step!r} is not known; {suggestion(fault, known)}")
    return checked


def _failure(status: int) -> _Reply:
    if status in (502, 504):
        return _Reply(status, f"<html><body>{status} Bad Gateway</body></html>".encode())
    code = {401: "NotAuthenticated", 403: "NotPermitted", 404: "NotFound", 429: "ToManyRequests", 503: "Unavailable"}
    headers = (("Retry-After", "1"),) if status == 429 else ()
    body = {
        "error_code": code.get(status, "ApplicationError"),
        "error_message": f"the sandbox was told to answer {status}",
    }
    return _Reply(status, body, headers)


def _is_wanted(source: Mapping[Any, Any], wanted: Mapping[str, Any]) -> bool:
    filters = ("program", "platform", "instrument_type", "source_type")
    return all(source[name] in wanted[name] for name in filters if wanted.get(name))


def _trim(value: Any, wanted: Any) -> Any:
    """Keep the fields that a response format names."""
    if isinstance(value, list):
        return [_trim(item, wanted) for item in value]
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: _trim(item, wanted[name]) for name, item in value.items() if wanted.get(name)}
    return value


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        # a client may keep its connection open; no thread is to wait for it
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        # a client that goes away in the middle is its own affair
        logger.debug("connection of %s ended early", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    sandbox: Sandbox
    protocol_version = "HTTP/1.1"
    timeout = 60
    # head and body go out in two pieces; the second must not wait for an acknowledgement of the first
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        length = self.headers.get("Content-Length", "0")
        text = self.rfile.read(int(length)) if length.isdigit() else b""
        fault = None
        try:
            body = json.loads(text) if text else None
        except ValueError:
            reply = _Reply(400, {"error_code": "ApplicationError", "error_message": "the body is not JSON"})
        else:
            # clients may send an empty object where they have nothing to say
            body = body if self.command == "POST" else None
            reply, fault = self.sandbox.answer(self.command, self.path, body, dict(self.headers.items()))
        self._send(reply, fault)

    def _send(self, reply: _Reply, fault: Any) -> None:
        kind = "application/json"
        payload = (
            b""
            if reply.body is None
            else json.dumps(reply.body).encode()
            if not isinstance(reply.body, bytes)
            else reply.body
        )
        headers = list(reply.headers)
        if isinstance(reply.body, bytes) or fault == "html":
            kind = "text/html"
            payload = b"<html><body>nothing to see</body></html>" if fault == "html" else payload
        if fault == "charset":
            kind += "; charset=utf-8"
        if fault == "garbage":
            payload = b'{"result": [{"start": "2020-\xff'
        if fault == "damaged_gzip":
            payload = gzip.compress(payload)[:-12] + b"damaged bytes"
            headers.append(("Content-Encoding", "gzip"))
        if fault == "drop":
            self._reset()
            return
        self.send_response(reply.status)
        for name, value in headers:
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload[: len(payload) // 2] if fault == "half" else payload)
        if fault == "half":
            self._reset()

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.debug(format, *args)


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    ephemeris: xr.Dataset | None = None,
    faults: Mapping[str, Iterable[Any]] | None = None,
) -> Sandbox:
    """
    Serve the AuroraX search API on this machine for the time of a ``with`` block.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address to listen on.
    port : int, default 0
        Port to listen on; 0 for a free one.
    ephemeris : xarray.Dataset, optional
        What to search in; by default `load_sample_ephemeris`. A search outside its epochs is refused.
    faults : mapping of str to sequence, optional
        What is to go wrong, for tests of your own. By step (``"submit"``, ``"status"``, ``"data"``, ``"cancel"``,
        ``"describe"``, ``"data_sources"``, ``"availability"``) the faults of its next requests in turn: an HTTP
        status, ``"drop"`` (connection reset), ``"half"`` (half a body, then reset), ``"garbage"`` (no JSON),
        ``"html"``, ``"damaged_gzip"``, ``"charset"`` (in the content type), ``"unknown_state"``,
        ``"redirect:http://…"``, or None for none. By ``"search"`` those of the next searches: ``"fail"``,
        ``"stall"`` (runs until it is cancelled).

    Returns
    -------
    Sandbox
        A context manager that gives the address; its ``requests`` hold what was asked.

    Raises
    ------
    AuroraxInputError
        If a fault is not known, or the ephemeris is not sound.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> query = {"start": "2020-01-01T12:00:00", "end": "2020-01-01T18:00:00", "max_distances": {"ground1-space1": 300},
    ...          "ground": [{"programs": ["themis-asi"]}], "space": [{"platforms": ["swarmb"]}]}
    >>> with sandbox.serve(faults={"search": ["fail"]}) as url, aurorax_pandas.set_options(api_url=url):
    ...     try:
    ...         aurorax_pandas.read_aurorax_conjunctions(query=query)
    ...     except aurorax_pandas.AuroraxSearchError:
    ...         print("failed, as it was told to")
    ...     df = aurorax_pandas.read_aurorax_conjunctions(query=query)
    failed, as it was told to
    >>> len(df)
    4
    """
    return Sandbox(host, port, ephemeris=ephemeris, faults=faults)
