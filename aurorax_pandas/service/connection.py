"""The way to a service: its address, the key for it, and how it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aurorax_pandas.checks import flag
from aurorax_pandas.options import Secret, hidden, service_in_force
from aurorax_pandas.service.transport import Transport
from aurorax_pandas.times import seconds_of


@dataclass(frozen=True)
class Connection:
    """
    How a service is reached and asked; the key shows nowhere.

    Parameters
    ----------
    api_url : str
        Address of the service, checked.
    api_key : Secret, optional
        The key that is sent to it.
    key_held_back : bool
        Whether there is a key that is not sent, since it was set for another address.
    poll_interval : float
        Seconds between questions for the status of a search.
    check_names : bool
        Whether names are looked up among the service's data sources before a search is submitted.
    clock, sleep : callable
        Sources of time.
    """

    api_url: str
    api_key: Secret | None = field(default=None, repr=False)
    key_held_back: bool = False
    poll_interval: float = 1.0
    check_names: bool = True
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def from_arguments(
        cls,
        api_url: str | None = None,
        api_key: str | None = None,
        *,
        poll_interval: float = 1.0,
        check_names: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Connection:
        """
        Return the connection of what a caller gave, with the options of the session for what was not.

        Raises
        ------
        AuroraxInputError
            If the address, the key or the interval is not valid.
        """
        api_key = hidden(api_key)
        service = service_in_force(api_url, api_key)
        return cls(
            service.api_url,
            service.api_key,
            service.key_held_back,
            seconds_of("poll_interval", poll_interval) or 1.0,
            flag("check_names", check_names),
            clock,
            sleep,
        )

    def transport(self) -> Transport:
        """Return a transport to the service, to be closed after use."""
        key = None if self.api_key is None else self.api_key.reveal()
        return Transport(self.api_url, key, key_held_back=self.key_held_back, sleep=self.sleep)

    @contextmanager
    def opened(self) -> Iterator[Transport]:
        """Open a transport to the service for the time of a ``with`` block."""
        transport = self.transport()
        try:
            yield transport
        finally:
            transport.close()
