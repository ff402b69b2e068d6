"""The service's address and the API key: defaults of the session, and the identifiers of searches at an address."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
from types import TracebackType
from typing import Final, TypedDict, Unpack
from urllib.parse import SplitResult, urlsplit

from aurorax_pandas.exceptions import AuroraxInputError

DEFAULT_API_URL = "https://api.aurorax.space"

_ENVIRONMENT = {"api_url": "AURORAX_API_URL", "api_key": "AURORAX_API_KEY"}
_options: dict[str, str | None] = {"api_url": None, "api_key": None}


class _Hidden(str):
    """A text whose repr does not show it: tracebacks with locals, of libraries below too, print reprs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class Secret:
    """A text that shows in no repr, log or traceback; ``reveal`` gives it out where it is sent."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = _Hidden(text)

    def __repr__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text


def _split(address: object) -> SplitResult | None:
    if not isinstance(address, str) or any(map(str.isspace, address)):
        return None
    try:
        parts = urlsplit(address)
        # a port that is no number shows only when it is asked for
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def check_api_url(api_url: object) -> str:
    """
    Check the address of a service and give it without a trailing slash.

    Raises
    ------
    AuroraxInputError
        If it is no http or https address, or carries a user name or password.
    """
    parts = _split(api_url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise AuroraxInputError(
            f"api_url={api_url!r} is not an address of a service; give one such as {DEFAULT_API_URL!r}"
        )
    if parts.username or parts.password:
        raise AuroraxInputError("api_url must not hold a user name or password; give an API key as api_key=")
    return str(api_url).rstrip("/")


def _check_api_key(api_key: object) -> str:
    # the value is a secret: the message must not repeat it
    if not isinstance(api_key, str) or not api_key.isascii() or not api_key.isprintable() or api_key.strip() != api_key:
        raise AuroraxInputError("api_key must be printable ASCII text without surrounding spaces")
    return api_key


_CHECKS = {"api_url": check_api_url, "api_key": _check_api_key}


def get_option(name: str, value: str | None = None) -> str | None:
    """Give `value` if it is set, else the session's option, else the environment's, checked."""
    chosen = value or _options[name] or os.environ.get(_ENVIRONMENT[name]) or None
    return None if chosen is None else _CHECKS[name](chosen)


class Options(TypedDict, total=False):
    """The options that `set_options` takes."""

    api_url: str | None
    api_key: str | None


class set_options:  # noqa: N801  (read as a function, as in xarray)
    """
    Set defaults for the session, or for a ``with`` block.

    Parameters
    ----------
    api_url : str, optional
        Address of the service; None returns to the environment's ``AURORAX_API_URL``, and without one to
        ``https://api.aurorax.space``.
    api_key : str, optional
        Key that is sent to that address, and nowhere else; None returns to the environment's
        ``AURORAX_API_KEY``.

    Raises
    ------
    AuroraxInputError
        If a name or a value is not valid. Nothing is set then.

    Examples
    --------
    >>> import aurorax_pandas
    >>> with aurorax_pandas.set_options(api_url="http://localhost:8000"):
    ...     aurorax_pandas.get_options()["api_url"]
    'http://localhost:8000'
    """

    def __init__(self, **options: Unpack[Options]) -> None:
        unknown = sorted(options.keys() - _options.keys())
        if unknown:
            raise AuroraxInputError(f"unknown option {unknown[0]!r}; the options are {', '.join(sorted(_options))}")
        checked = {name: None if value is None else _CHECKS[name](value) for name, value in options.items()}
        self._before = {name: _options[name] for name in checked}
        _options.update(checked)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _options.update(self._before)


def get_options() -> dict[str, str | None]:
    """
    Return the defaults in force, from `set_options` or the environment.

    Returns
    -------
    dict
        ``api_url`` and ``api_key``; a key that is set shows as ``"***"``.

    Examples
    --------
    >>> import aurorax_pandas
    >>> sorted(aurorax_pandas.get_options())
    ['api_key', 'api_url']
    """
    return {
        "api_url": get_option("api_url") or DEFAULT_API_URL,
        "api_key": None if get_option("api_key") is None else "***",
    }


_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def id_in(address: str) -> str | None:
    """Return the identifier of a search in its address: what follows ``requests``, else what stands last."""
    try:
        parts = [part for part in urlsplit(address.strip()).path.strip().split("/") if part]
    except ValueError:
        return None
    after = parts[parts.index("requests") + 1 :] if "requests" in parts else parts[-1:]
    return after[0] if after and _REQUEST_ID.fullmatch(after[0]) else None


def check_request_id(request_id: object, api_url: str) -> str:
    """Return the identifier of a search, from itself, its address at this service, or a search that has been submitted."""
    if not isinstance(request_id, str) and isinstance(found := getattr(request_id, "request_id", None), str):
        if not found:
            raise AuroraxInputError("request_id= is a search that has not been submitted; call its execute() first")
        request_id = found
    text = request_id.strip() if isinstance(request_id, str) else ""
    found = id_in(text) if "/" in text else _REQUEST_ID.fullmatch(text) and text
    if "://" in text and "/requests/" not in text:
        found = None
    if not found:
        raise AuroraxInputError(
            f"request_id={request_id!r} is not valid; give the identifier of a search, or its address"
        )
    if "://" in text and _place(text) != _place(api_url):
        raise AuroraxInputError(
            f"request_id={request_id!r} is at another service than api_url={api_url!r}; give its own as api_url="
        )
    return found


def service_of(api_url: str) -> str:
    """Name the service at an address by its host; those on this machine are one, whatever their port."""
    host = urlsplit(api_url).hostname or api_url
    with contextlib.suppress(ValueError):
        return "this machine" if host == "localhost" or ipaddress.ip_address(host).is_loopback else host
    return host


def _place(address: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(address)
        return parts.hostname, None if parts.port in (80, 443) else parts.port
    except ValueError:
        # a port that is no number
        return None, None
