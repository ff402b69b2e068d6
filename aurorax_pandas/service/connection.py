"""The way to a service: its address, the key for it, and how it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aurorax_pandas.checks import flag
from aurorax_pandas.options import Service
from aurorax_pandas.service.transport import Transport
from aurorax_pandas.times import seconds_of


@dataclass(frozen=True)
class Connection:
    """
    How a service is reached and asked; the key shows nowhere.

    Parameters
    ----------
    service : Service
        Address of the service and the key for it, as `service_in_force` gives them.
    poll_interval : float, default 1.0
        Seconds between questions for the status of a search.
    check_names : bool, default True
        Whether names are looked up among the service's data sources before a search is submitted.
    clock, sleep : callable, optional
        Sources of time.

    Raises
    ------
    AuroraxInputError
        If `poll_interval` or `check_names` is not valid.
    """

    service: Service
    poll_interval: float = 1.0
    check_names: bool = True
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        # the way of a frozen dataclass to set its own fields
        object.__setattr__(self, "poll_interval", seconds_of("poll_interval", self.poll_interval) or 1.0)
        flag("check_names", self.check_names)

    @property
    def api_url(self) -> str:
        """Address of the service."""
        return self.service.api_url

    def transport(self) -> Transport:
        """Return a transport to the service, to be closed after use."""
        key = None if self.service.api_key is None else self.service.api_key.reveal()
        return Transport(self.api_url, key, key_held_back=self.service.key_held_back, sleep=self.sleep)

    @contextmanager
    def opened(self) -> Iterator[Transport]:
        """Open a transport to the service for the time of a ``with`` block."""
        transport = self.transport()
        try:
            yield transport
        finally:
            transport.close()
