"""The instant by which a series of steps must be done."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from aurorax_pandas.exceptions import AuroraxTimeoutError
from aurorax_pandas.times import seconds_of

#: How long before a deadline something is asked for at the latest [s].
LAST_QUESTION: Final = 1.0


class Deadline:
    """
    The instant by which a series of steps must be done.

    Parameters
    ----------
    timeout : float, str, datetime.timedelta, pandas.Timedelta or None
        Seconds, or a span of time; None for no deadline.
    clock : callable, optional
        Gives the time in seconds.
    """

    def __init__(self, timeout: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout: float | None = seconds_of("timeout", timeout, none="no deadline")
        self._clock = clock
        self._end = math.inf if self.timeout is None else clock() + self.timeout

    def remaining(self) -> float:
        """Return the seconds that are left; infinite without a deadline, negative once it has passed."""
        return self._end - self._clock()

    def clip(self, pause: float) -> float:
        """Return a pause, or as much of it as leaves time for one more question; near the end, all that is left."""
        left = self.remaining()
        if pause < left:
            return pause
        return left - LAST_QUESTION if left > LAST_QUESTION else left

    def now(self) -> float:
        """Return the time that it is measured by [s]."""
        return self._clock()

    def share(self, part: float, most: float) -> Deadline:
        """Return an earlier deadline: after a part of the time that is left, and after `most` seconds at the latest."""
        return Deadline(max(min(most, part * self.remaining()), 0.1), self._clock)

    def passed(self, request_id: str | None, reason: str = "") -> AuroraxTimeoutError:
        """Return the error of a request that was not done in time, with what last stood in its way."""
        what = f"search {request_id}" if request_id else "the request"
        said = f"; last: {reason}" if reason else ""
        return AuroraxTimeoutError(
            f"no result of {what} within timeout={self.timeout} s{said}",
            request_id=request_id,
            retryable=True,
            reason=reason,
        )


#: What a limit of time can be given as: seconds, a span of time, or a deadline that has begun; None for no limit.
Timeout = float | str | datetime.timedelta | pd.Timedelta | Deadline | None


def deadline_of(timeout: Timeout, clock: Callable[[], float] = time.monotonic) -> Deadline:
    """Return the deadline of a limit of time that begins now, or the one that has begun."""
    return timeout if isinstance(timeout, Deadline) else Deadline(timeout, clock)
