"""The service's address and the API key: defaults of the session, and the identifiers of searches at an address."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from types import ModuleType, TracebackType
from typing import Any, Final, NamedTuple, NoReturn, TypedDict, Unpack
from urllib.parse import SplitResult, parse_qs, urlsplit, urlunsplit

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxInputError

DEFAULT_API_URL = "https://api.aurorax.space"

_ENVIRONMENT: Final = {"api_url": "AURORAX_API_URL", "api_key": "AURORAX_API_KEY"}


class _State(ModuleType):
    """What is set, oldest first: for the process, and in blocks of the context at hand."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.process: list[dict[str, Any]] = []
        self.blocks: ContextVar[tuple[dict[str, Any], ...]] = ContextVar(name, default=())
        self.lock = threading.Lock()


# a package that is purged and imported again finds its options here
_state: Any = sys.modules.setdefault("_aurorax_pandas_options", _State("_aurorax_pandas_options"))


class _Hidden(str):
    """A text whose repr does not show it: tracebacks with locals, of libraries below too, print reprs."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"

    def __getitem__(self, key: Any) -> str:
        # what shows long texts takes a piece of them
        return _Hidden(super().__getitem__(key))

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is not written out")


class Secret:
    """A text that shows in no repr, log, copy or file; ``reveal`` gives it out where it is sent."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = _Hidden(text)

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "an API key is not written out; set it anew where it is needed, by set_options or AURORAX_API_KEY"
        )

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text


def hidden(api_key: Any) -> Any:
    """Return a key as it was given, but so that it shows in no traceback with locals."""
    return _Hidden(api_key) if isinstance(api_key, str) else api_key


def _split_address(address: object) -> SplitResult | None:
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
        If it is no http or https address, or carries a user name or password. The message tells what is wrong, and no
        part of the address that may be secret.
    """
    wrong = _wrong_with_address(api_url)
    if wrong:
        told = "api_url of AURORAX_API_URL" if isinstance(api_url, _Hidden) else f"api_url={_shown_address(api_url)}"
        raise AuroraxInputError(f"{told} is not an address of a service: {wrong}; give one such as {DEFAULT_API_URL!r}")
    parts = urlsplit(str(api_url))
    if parts.username or parts.password:
        raise AuroraxInputError("api_url must not hold a user name or password; give an API key as api_key=")
    return str(api_url).rstrip("/")


def _wrong_with_address(address: object) -> str:
    """Return what keeps an address from being one of a service; empty where nothing does."""
    if not isinstance(address, str):
        return "it is no text"
    if any(map(str.isspace, address)):
        return "it holds a space or the end of a line"
    if not address.lower().startswith(("http://", "https://")):
        return "it must begin with http:// or https://"
    parts = _split_address(address)
    if parts is None:
        return "its host or its port cannot be read"
    if not parts.hostname:
        return "there is no host in it"
    return "it must hold nothing from a ? or # on" if parts.query or parts.fragment else ""


def _shown_address(address: object) -> str:
    """Return an address as it stands in a message: not at all where it holds more than a host, which may be secret."""
    return "***" if isinstance(address, str) and set("@?#") & set(address) else shown(address)


def _check_api_key(api_key: object) -> str:
    # the value is a secret: the message must not repeat it
    if not isinstance(api_key, str) or not api_key.isascii() or not api_key.isprintable() or api_key.strip() != api_key:
        raise AuroraxInputError("api_key must be printable ASCII text without surrounding spaces")
    return api_key


def public_address(address: object) -> str | None:
    """Return the address of a service as it may be written down, without a user, query or fragment; None for what is none."""
    parts = _split_address(address)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


class Service(NamedTuple):
    """A service and the key that is sent to it; whether there is a key that belongs to another address."""

    api_url: str
    api_key: Secret | None
    key_held_back: bool


def service_in_force(api_url: str | None = None, api_key: str | None = None) -> Service:
    """
    Return the service that arguments, options and environment name, in this order, and the key for it.

    Parameters
    ----------
    api_url, api_key : str, optional
        As given to a call. An empty `api_key` means none; one that is set elsewhere is sent to its own address alone.

    Raises
    ------
    AuroraxInputError
        If an address or a key is not valid.
    """
    url = api_url_in_force(api_url)
    if api_key is not None:
        given = _check_api_key(api_key)
        return Service(url, Secret(given) if given else None, False)
    layer = next((layer for layer in _layers() if "api_key" in layer), {})
    key, of = (layer["api_key"], layer["of"]) if layer.get("api_key") is not None else _key_of_environment()
    if key is None or not key.reveal():
        return Service(url, None, False)
    mine = origin(url) == of
    return Service(url, key if mine else None, not mine)


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address, as values: what a key belongs to."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _key_of_environment() -> tuple[Secret | None, Any]:
    text = hidden(os.environ.get(_ENVIRONMENT["api_key"]))
    if not text:
        return None, None
    return Secret(_check_api_key(text)), origin(_url_without_options())


def _url_without_options() -> str:
    text = hidden(os.environ.get(_ENVIRONMENT["api_url"]))
    return check_api_url(text) if text else DEFAULT_API_URL


def _layers() -> Iterator[dict[str, Any]]:
    yield from reversed(_state.blocks.get())
    yield from reversed(list(_state.process))


def api_url_in_force(api_url: str | None = None) -> str:
    """Return the address that is given, else the one that is set, else the environment's, else the service's own."""
    if api_url is not None and not (isinstance(api_url, str) and not api_url):
        return check_api_url(api_url)
    chosen: str | None = next((layer["api_url"] for layer in _layers() if "api_url" in layer), None)
    return chosen or _url_without_options()


class Options(TypedDict, total=False):
    """The options that `set_options` takes."""

    api_url: str | None
    api_key: str | None


class set_options:  # noqa: N801  (read as a function, as in xarray)
    """
    Set defaults for the process, or for a ``with`` block.

    A plain call holds for all threads, until the next. A block holds for its own thread or task, and for the threads
    that a search in it starts; it stands before what is set for the process, and ends by itself, whatever other
    threads do.

    Parameters
    ----------
    api_url : str, optional
        Address of the service; None returns to the environment's ``AURORAX_API_URL``, and without one to
        ``https://api.aurorax.space``.
    api_key : str, optional
        Key that is sent to the address in force at this call (scheme, host and port), and nowhere else. None returns
        to the environment's ``AURORAX_API_KEY``, which belongs to the address there, else to the service's own; an
        empty text means that no key is sent.

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
        if "api_key" in options:
            options = {**options, "api_key": hidden(options["api_key"])}
        unknown = sorted(options.keys() - _ENVIRONMENT.keys())
        if unknown:
            raise AuroraxInputError(f"unknown option {unknown[0]!r}; the options are {', '.join(sorted(_ENVIRONMENT))}")
        self._layer: dict[str, Any] = {}
        if "api_url" in options:
            url = options["api_url"]
            self._layer["api_url"] = None if url is None else check_api_url(url)
        if "api_key" in options:
            key = options["api_key"]
            # an empty key is set, and means that none is sent
            self._layer["api_key"] = None if key is None else Secret(_check_api_key(key))
            own = self._layer["api_url"] or _url_without_options() if "api_url" in options else api_url_in_force()
            self._layer["of"] = origin(own)
        with _state.lock:
            _state.process.append(self._layer)

    def __enter__(self) -> None:
        self._leave_process()
        _state.blocks.set((*_state.blocks.get(), self._layer))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _state.blocks.set(tuple(layer for layer in _state.blocks.get() if layer is not self._layer))

    def _leave_process(self) -> None:
        with _state.lock:
            _state.process[:] = [layer for layer in _state.process if layer is not self._layer]


def get_options() -> dict[str, str | None]:
    """
    Return the defaults in force, from `set_options` or the environment.

    Returns
    -------
    dict
        ``api_url`` and ``api_key``; a key that is sent to that address shows as ``"***"``.

    Examples
    --------
    >>> import aurorax_pandas
    >>> sorted(aurorax_pandas.get_options())
    ['api_key', 'api_url']
    """
    service = service_in_force()
    return {"api_url": service.api_url, "api_key": None if service.api_key is None else "***"}


_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
#: What a page of Swarm-Aurora is told of the search that it shows.
SWARM_AURORA_KEY: Final = "aurorax_request_id"


def id_on_page(address: str) -> str | None:
    """Return the identifier of the search that a page of Swarm-Aurora shows, None where the address is no such page."""
    try:
        told = parse_qs(urlsplit(address.strip()).query).get(SWARM_AURORA_KEY)
    except ValueError:
        return None
    return told[-1] if told and _REQUEST_ID.fullmatch(told[-1]) else None


def names_search(text: str) -> bool:
    """Tell whether a text can only be the address or the identifier of a search, as the service makes these."""
    return (
        "://" in text or re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text.strip()) is not None
    )


def id_in(address: str) -> str | None:
    """Return the identifier of a search in its address: what follows ``requests``, else what stands last."""
    try:
        parts = [part for part in urlsplit(address.strip()).path.strip().split("/") if part]
    except ValueError:
        return None
    after = parts[parts.index("requests") + 1 :] if "requests" in parts else parts[-1:]
    return after[0] if after and _REQUEST_ID.fullmatch(after[0]) else None


def check_request_id(request_id: object, api_url: str) -> str:
    """
    Return the identifier of a search.

    It is given by itself, by its address at this service, by the page of Swarm-Aurora that shows it, or as a search
    that has been submitted.
    """
    if not isinstance(request_id, str) and isinstance(found := getattr(request_id, "request_id", None), str):
        if not found:
            raise AuroraxInputError("request_id= is a search that has not been submitted; call its execute() first")
        request_id = found
    text = request_id.strip() if isinstance(request_id, str) else ""
    if (on_page := id_on_page(text)) is not None:
        return on_page
    found = id_in(text) if "/" in text else _REQUEST_ID.fullmatch(text) and text
    if "://" in text and "/requests/" not in text:
        found = None
    if isinstance(request_id, list) and len(request_id) == 1 and isinstance(request_id[0], str):
        raise AuroraxInputError(f"request_id= is a list; write request_id={shown(request_id[0])}")
    if not found:
        raise AuroraxInputError(
            f"request_id={shown(request_id)} is not valid; give the identifier of a search, or its address"
        )
    if "://" in text and _host_and_port(text) != _host_and_port(api_url):
        raise AuroraxInputError(
            f"request_id={request_id!r} is at another service than api_url={api_url!r}; give its own as api_url="
        )
    return found


def service_of(api_url: str) -> str:
    """Name the service at an address by its host; those on this machine are one, whatever their port."""
    return "this machine" if is_this_machine(api_url) else urlsplit(api_url).hostname or api_url


def is_this_machine(address: str) -> bool:
    """Tell whether an address is on this machine, by its name or number."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _host_and_port(address: str) -> tuple[str | None, int | None]:
    parts = _split_address(address)
    return (None, None) if parts is None else (parts.hostname, None if parts.port in (80, 443) else parts.port)
