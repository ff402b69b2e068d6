"""A limit on the time of a whole exchange: a server that sends a byte now and then does not prolong it."""

from __future__ import annotations

import contextlib
import functools
import math
import socket
import threading
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection

_watching = threading.local()


class Watch:
    """
    Ends the exchanges of this thread, in a ``with`` block, when their time is over.

    Parameters
    ----------
    seconds : float
        How long they may take in all; infinite for no limit.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = None if math.isinf(seconds) else threading.Timer(max(seconds, 0.0), self._end)

    def __enter__(self) -> Self:
        _watching.watch = self
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _watching.watch = None
        if self._timer is not None:
            self._timer.cancel()

    def over(self, connection: socket.socket) -> None:
        """Take charge of a connection."""
        with self._lock:
            self._sockets.append(connection)
        if self.expired:
            _hang_up(connection)

    def _end(self) -> None:
        self.expired = True
        with self._lock:
            for connection in self._sockets:
                _hang_up(connection)


def _hang_up(connection: socket.socket) -> None:
    # what waits for this connection, in whatever layer, is told at once that it has ended
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    """A connection that the watch of the thread using it can end."""

    handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        # a second handle, since TLS takes over the first
        self.handle = connection.dup()
        self._report()
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._report()
        super().request(*args, **kwargs)

    def close(self) -> None:
        super().close()
        if self.handle is not None:
            self.handle.close()
            self.handle = None

    def _report(self) -> None:
        watch = getattr(_watching, "watch", None)
        if watch is not None and self.handle is not None:
            watch.over(self.handle)


@functools.cache
def _watched(pool: type[Any]) -> type[Any]:
    """Return a pool of connections that a watch can end, plain, with TLS or through SOCKS as those of another."""
    connection = type(f"_Watched{pool.ConnectionCls.__name__}", (_Watched, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


def _watch_pools(manager: Any) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _watched(pool) for scheme, pool in pools.items()}


class WatchedAdapter(HTTPAdapter):
    """An adapter of requests whose connections a `Watch` ends."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools, of connections that a watch can end."""
        super().init_poolmanager(*args, **kwargs)
        _watch_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools that go through a proxy, of connections that a watch can end."""
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            _watch_pools(manager)
        return manager
