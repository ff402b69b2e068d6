"""The identifiers of searches, and the addresses that hold them."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from aurorax_pandas.exceptions import AuroraxInputError

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def id_in(address: str) -> str | None:
    """Give the identifier of a search in its address: what follows ``requests``, else what stands last."""
    try:
        parts = [part for part in urlsplit(address.strip()).path.strip().split("/") if part]
    except ValueError:
        return None
    after = parts[parts.index("requests") + 1 :] if "requests" in parts else parts[-1:]
    return after[0] if after and _REQUEST_ID.fullmatch(after[0]) else None


def check_request_id(request_id: object, api_url: str) -> str:
    """Give the identifier of a search, from itself or its address at this service."""
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
