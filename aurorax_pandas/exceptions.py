"""Everything that this library raises or warns with; one root, with fields to branch on."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

if TYPE_CHECKING:
    import pandas as pd


class _Fields(TypedDict, total=False):
    status_code: int | None
    error_code: str | None
    request_id: str | None
    retryable: bool


class AuroraxError(Exception):
    """
    Root of all errors of this library.

    Parameters
    ----------
    message : str
        What went wrong and what to do next.
    status_code : int, optional
        HTTP status of the answer that caused the error.
    error_code : str, optional
        The service's own code, for example ``"NotFound"``.
    request_id : str, optional
        Identifier of the search on the service, where one was assigned.
    retryable : bool, default False
        Whether the same call may succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        error_code: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.error_code = error_code
        self.request_id = request_id
        self.retryable = retryable


class AuroraxInputError(AuroraxError, ValueError):
    """An argument cannot be used; nothing has been sent, written or changed."""


def _packages_of(extra: str) -> list[str]:
    """Return the packages of an extra, each as pip takes it: they are to be had wherever this library came from."""
    from importlib.metadata import requires

    found = [each.split(";") for each in requires("aurorax-pandas") or () if ";" in each]
    return [
        f'"{name.strip()}"' for name, when in found if re.fullmatch(rf"""\s*extra\s*==\s*['"]{extra}['"]\s*""", when)
    ]


class AuroraxMissingExtraError(AuroraxInputError, ImportError):
    """A package is not installed that only a part of this library needs; the message says how to install it."""

    @classmethod
    def of(cls, what: str, package: str, extra: str) -> Self:
        """Return the error of what needs a package, which one of our extras brings."""
        return cls(
            f"{what} needs {package}: pip install {' '.join(_packages_of(extra) or [package])} (the extra {extra!r})"
        )


class AuroraxStateError(AuroraxError, RuntimeError):
    """A step of a search was asked for before the step that it needs."""


class AuroraxDataError(AuroraxError, ValueError):
    """Records or a file do not hold what they should; nothing partial is returned."""


class AuroraxFileError(AuroraxError, OSError):
    """A file or a folder cannot be written: the disk is full, or it may not be; ``errno`` tells why."""

    def __init__(self, message: str, *, errno: int | None = None, **fields: Unpack[_Fields]) -> None:
        super().__init__(message, **fields)
        self.errno = errno


class AuroraxSchemaError(AuroraxDataError):
    """
    A frame breaks its schema.

    Parameters
    ----------
    message : str
        All failing checks, one a line.
    failures : pandas.DataFrame
        One row per failing check: ``column`` (empty for a rule across columns), ``check``, ``says``, ``rows``
        (how many fail, 0 where the check is of the whole column) and ``first`` (index label of the first).
    """

    def __init__(self, message: str, failures: pd.DataFrame) -> None:
        super().__init__(message)
        self.failures = failures

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception is made again of its args alone, and these hold the message only
        return type(self), (*self.args, self.failures), self.__dict__


class AuroraxAPIError(AuroraxError):
    """
    The service answered with an error, or did not answer.

    Parameters
    ----------
    message : str
        What went wrong and what to do next.
    sent : bool, default True
        Whether the request may have reached the service.
    retry_after : float, optional
        How long the service asks to wait before the next request [s].
    **fields
        Those of `AuroraxError`.
    """

    def __init__(
        self, message: str, *, sent: bool = True, retry_after: float | None = None, **fields: Unpack[_Fields]
    ) -> None:
        super().__init__(message, **fields)
        self.sent = sent
        self.retry_after = retry_after


class AuroraxAuthorizationError(AuroraxAPIError):
    """The service refused the API key, or asks for one (401, 403)."""


class AuroraxNotFoundError(AuroraxAPIError):
    """
    The service does not know the request, or its result has been deleted (404).

    Attributes
    ----------
    query : dict or None
        The query of the search, where it is known, so that it can be run again.
    """

    query: dict[str, Any] | None = None


class AuroraxRateLimitError(AuroraxAPIError):
    """The service asks for fewer requests (429)."""


class AuroraxUnavailableError(AuroraxAPIError):
    """The service or the way to it is down (500, 502 to 504, maintenance, no connection)."""


class AuroraxSearchError(AuroraxError):
    """The search ran and failed on the service; the message holds the service's own error lines."""


class AuroraxBulkError(AuroraxSearchError):
    """
    Some windows of a long search failed for good.

    Parameters
    ----------
    message : str
        How many, why, and what to do next.
    windows : pandas.DataFrame
        One row per failed window: ``start``, ``end``, ``request_id``, ``error``.
    data : pandas.DataFrame
        The conjunctions of the windows that did not fail.
    """

    def __init__(self, message: str, windows: pd.DataFrame, data: pd.DataFrame) -> None:
        super().__init__(message, retryable=True)
        self.windows = windows
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.windows, self.data), self.__dict__


class AuroraxTimeoutError(AuroraxError, TimeoutError):
    """
    The deadline passed; the search may still be running and can be read later by its ``request_id``.

    Parameters
    ----------
    message : str
        What was not done in time, and what to do next.
    reason : str, optional
        What last stood in the way.
    **fields
        Those of `AuroraxError`.
    """

    def __init__(self, message: str, *, reason: str = "", **fields: Unpack[_Fields]) -> None:
        super().__init__(message, **fields)
        self.reason = reason


class AuroraxDataWarning(UserWarning):
    """Some data were left out or changed on the way, as the caller allowed."""


def callers_level() -> int:
    """Return the ``stacklevel`` of a warning of the function that asks, by which it tells the line of the user."""
    frame = inspect.currentframe()
    level = 0
    # pandas calls our functions for the user, by pipe and apply
    ours = (__name__.partition(".")[0], "pandas")
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ours:
        frame = frame.f_back
        level += 1
    return level
