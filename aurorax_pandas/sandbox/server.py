"""The sandbox's HTTP: one server on this machine, its bounds, and answers that are spoiled on demand."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.sandbox.api import Api
from aurorax_pandas.sandbox.faults import Faults
from aurorax_pandas.sandbox.holdings import Holdings
from aurorax_pandas.sandbox.jobs import DEMONSTRATION, Jobs
from aurorax_pandas.sandbox.replies import RefusalError, Reply, failure

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

logger = logging.getLogger("aurorax_pandas.sandbox")

#: The largest body of a request [bytes], and how deep it may be nested.
MOST_BYTES: Final = 2**20
MOST_DEPTH: Final = 50
#: As many requests are kept in a sandbox's `requests`.
MOST_REQUESTS: Final = 1_000
#: As long is waited for answers that are being made when the server ends [s].
_GRACE: Final = 2.0
#: How long one wait for the end lasts [s].
_WAIT: Final = 0.5


class LoggedRequest(NamedTuple):
    """A request that the sandbox received."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


class Sandbox:
    """
    A server of the AuroraX search API on this machine; use it as ``with serve() as url``.

    Parameters
    ----------
    host, port, ephemeris, data_products, strict, faults
        As in `serve`.

    Attributes
    ----------
    requests : list of LoggedRequest
        What has been asked, in order: the newest 1 000.
    url : str
        Address to give as ``api_url``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        ephemeris: xr.Dataset | None = None,
        data_products: pd.DataFrame | None = None,
        strict: bool = True,
        faults: Mapping[str, Iterable[Any]] | None = None,
    ) -> None:
        if not _is_this_machine(host):
            raise AuroraxInputError(
                f"host={host!r} is not valid; the sandbox serves this machine alone: give '127.0.0.1', '::1' or 'localhost'"
            )
        self._jobs = Jobs()
        self._api = Api(Holdings.from_arguments(ephemeris, data_products, strict), Faults(faults or {}), self._jobs)
        self.requests: list[LoggedRequest] = []
        kind = _ServerOfSix if ":" in host else _Server
        self._server = kind((host, port), type("_BoundHandler", (_Handler,), {"sandbox": self}))
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Address to give as ``api_url``."""
        host, port = self._server.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def __enter__(self) -> str:
        logger.info("%s: %s", DEMONSTRATION, self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self.url

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._jobs.stop()
        finally:
            self._server.shutdown()
            self._server.server_close()
            self.join()

    def join(self) -> None:
        """Wait until the server stops."""
        # an interrupt that comes just as a wait begins does not end it, so that none is without an end
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(_WAIT)

    def answer(self, method: str, target: str, body: Any, headers: dict[str, str]) -> tuple[Reply, Any]:
        """Answer one request; the second item is what is to go wrong with the answer."""
        self.requests.append(LoggedRequest(method, urlsplit(target).path, body, headers))
        del self.requests[:-MOST_REQUESTS]
        return self._api.answer(method, target, body, self.url)


def _is_this_machine(host: object) -> bool:
    if not isinstance(host, str):
        return False
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host.lower() in ("localhost", "localhost.")


class _Server(ThreadingHTTPServer):
    # whatever an answer still computes, it keeps nobody from leaving
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        self._answering: set[threading.Thread] = set()
        super().__init__(*arguments)

    def server_bind(self) -> None:
        # the name of this machine, which HTTPServer looks up, may take seconds and is of no use
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._answering.add(threading.current_thread())
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._answering.discard(threading.current_thread())

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        # a client may keep its connection open; no thread is to wait for it
        for request in list(self._open):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        super().server_close()
        deadline = time.monotonic() + _GRACE
        for thread in list(self._answering):
            thread.join(max(deadline - time.monotonic(), 0))

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        # a client that goes away in the middle is its own affair
        logger.debug("connection of %s ended early", client_address, exc_info=True)


class _ServerOfSix(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    sandbox: Sandbox
    protocol_version = "HTTP/1.1"
    timeout = 60
    # head and body go out in two pieces; the second must not wait for an acknowledgement of the first
    disable_nagle_algorithm = True

    def _handle(self) -> None:
        fault = None
        try:
            self._check_host()
            text = self._read_body()
            # clients may send an empty object where they have nothing to say
            body = _json_of_body(text) if self.command == "POST" else None
            reply, fault = self.sandbox.answer(self.command, self.path, body, dict(self.headers.items()))
        except RefusalError as refusal:
            reply = refusal.reply
        except Exception as error:
            logger.exception("the answer to %s failed", self.command)
            reply = failure(500, "ApplicationError", f"the answer failed: {type(error).__name__}: {error}")
        self._send(reply, fault)

    def _check_host(self) -> None:
        """Refuse what was sent to another name: a page in a browser may have had its own name point here."""
        with contextlib.suppress(ValueError):
            target = urlsplit(self.path)
            asked = [f"//{self.headers.get('Host', '')}", *([self.path] if target.netloc else [])]
            if all(_is_this_machine(urlsplit(each).hostname) for each in asked):
                return
        self.close_connection = True
        raise RefusalError(421, "NotPermitted", "it answers at addresses of this machine alone")

    def _read_body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self.close_connection = True
            raise RefusalError(411, "ApplicationError", "the length of the body must be given")
        if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            self.close_connection = True
            raise RefusalError(413, "ApplicationError", f"the body is larger than {MOST_BYTES // 2**20} MB")
        return self.rfile.read(int(length))

    def _send(self, reply: Reply, fault: Any) -> None:
        is_html = isinstance(reply.body, bytes) and not reply.is_json
        kind = "text/html" if is_html or fault == "html" else "application/json"
        payload = b"" if reply.body is None else reply.body
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        headers = list(reply.headers)
        if fault == "html":
            payload = b"<html><body>nothing to see</body></html>"
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
        if self.close_connection:
            self.send_header("Connection", "close")
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

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.debug(format, *args)


def _json_of_body(text: bytes) -> Any:
    """Read the body of a request, which may be missing; refuse what is no JSON, or nested too deep to be a query."""
    too_deep = RefusalError(400, "ApplicationError", f"the body is nested deeper than {MOST_DEPTH}")
    try:
        body = json.loads(text) if text else None
    except RecursionError:
        raise too_deep from None
    except ValueError:
        raise RefusalError(400, "ApplicationError", "the body is not JSON") from None
    level = [body]
    for _ in range(MOST_DEPTH + 1):
        nested = [each for each in level if isinstance(each, list | dict)]
        if not nested:
            return body
        level = [item for each in nested for item in (each.values() if isinstance(each, dict) else each)]
    raise too_deep


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    ephemeris: xr.Dataset | None = None,
    data_products: pd.DataFrame | None = None,
    strict: bool = True,
    faults: Mapping[str, Iterable[Any]] | None = None,
) -> Sandbox:
    """
    Serve the AuroraX search API on this machine for the time of a ``with`` block.

    Parameters
    ----------
    host : str, default "127.0.0.1"
        Address of this machine to listen on: a loopback address or ``"localhost"``. Requests that were sent to another
        name are refused.
    port : int, default 0
        Port to listen on; 0 for a free one.
    ephemeris : xarray.Dataset, optional
        What to search in; by default `~aurorax_pandas.load_sample_ephemeris`, with metadata and a list of events that are made up, and
        with the recorded rows in every window of the recorded search.
    data_products : pandas.DataFrame, optional
        The data products to search in, as from `~aurorax_pandas.read_aurorax_data_products`; their metadata may be dicts. By default
        there are none.
    strict : bool, default True
        Whether a search outside the epochs of the ephemeris is refused; otherwise it finds nothing there.
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
        A context manager that gives the address; its ``requests`` hold what was asked. It keeps the newest 200
        searches, and no more than 64 MB of results; an older one is not found.

    Raises
    ------
    AuroraxInputError
        If a fault is not known, the ephemeris or the data products are not sound, or the host is not this machine.

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
    return Sandbox(host, port, ephemeris=ephemeris, data_products=data_products, strict=strict, faults=faults)
