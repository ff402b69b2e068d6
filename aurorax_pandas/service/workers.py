"""Searches side by side in threads, which an interrupt or an error stops."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from aurorax_pandas.exceptions import AuroraxError, AuroraxStateError
from aurorax_pandas.service.job import Search

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Workers:
    """
    Threads that search, for the time of a ``with`` block; one that is left by an error stops them.

    A thread that waits for the service stops at once. One that is in the middle of an exchange is left behind: it
    stops when that ends, and keeps neither the call nor the interpreter waiting.

    Parameters
    ----------
    cancel_on_interrupt : bool, default False
        Whether stopping cancels the searches that run on the service; by default they go on, and their ids are logged.
    """

    def __init__(self, cancel_on_interrupt: bool = False) -> None:
        self._cancel = cancel_on_interrupt
        self._running: list[tuple[Search[Any], str | None]] = []
        self._submitting: set[str] = set()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.stop()
            return
        for thread in self._threads:
            thread.join()

    @property
    def stopped(self) -> bool:
        """Whether no further search shall begin."""
        return self._stopped.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait, as `Search` does; raise where the workers are stopped meanwhile."""
        if self._stopped.wait(seconds):
            raise AuroraxStateError("the searches were stopped")

    @contextmanager
    def watching(self, search: Search[Any], chosen: str | None = None) -> Iterator[None]:
        """Take charge of a search while it runs, and of the identifier chosen for it while it is submitted."""
        self._running.append((search, chosen))
        try:
            yield
        except AuroraxError:
            if self._cancel and chosen in self._submitting:
                # the service may have taken it after it was told to cancel it
                with suppress(AuroraxError):
                    search.cancel(timeout=10)
            raise
        finally:
            self._running.remove((search, chosen))

    def map(
        self, function: Callable[[_Item], _Result], items: Sequence[_Item], count: int
    ) -> Iterator[tuple[_Item, _Result | AuroraxError]]:
        """
        Call a function with each item, some at a time, and yield each with its result, or its error, as they end.

        Parameters
        ----------
        function : callable
            Takes an item.
        items : sequence
            The items; they are begun in this order.
        count : int
            How many at a time.
        """
        waiting: SimpleQueue[_Item] = SimpleQueue()
        done: SimpleQueue[tuple[_Item, _Result | BaseException]] = SimpleQueue()
        for item in items:
            waiting.put(item)

        def work() -> None:
            while not self.stopped:
                try:
                    item = waiting.get_nowait()
                except Empty:
                    return
                try:
                    done.put((item, function(item)))
                except BaseException as error:
                    done.put((item, error))

        # daemons, so that the interpreter can end while an exchange stalls
        self._threads = [
            # each works in the context of the caller, whose options it has
            threading.Thread(target=copy_context().run, args=(work,), name=f"aurorax {number}", daemon=True)
            for number in range(min(count, len(items)))
        ]
        for thread in self._threads:
            thread.start()
        for _ in items:
            item, result = done.get()
            if isinstance(result, BaseException) and not isinstance(result, AuroraxError):
                raise result
            yield item, result

    def stop(self) -> None:
        """Begin nothing more; say how to read what runs, or cancel it where that is wanted."""
        self._stopped.set()
        for search, chosen in list(self._running):
            if chosen is not None and not search.executed:
                # the service may have it, though its answer is not here yet
                self._submitting.add(chosen)
                search.request_id, search.executed = chosen, True
            search.interrupted(self._cancel)
