"""Where a frame came from: a small dict of JSON values in ``DataFrame.attrs``."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from aurorax_pandas.model import SCHEMA_VERSION

KEY: Final = "aurorax"


def make_provenance(
    *,
    request_ids: Sequence[str] = (),
    query: dict[str, Any] | None = None,
    api_url: str | None = None,
    retrieved_at: str | None = None,
) -> dict[str, Any]:
    """
    Make the provenance of a frame that has just been read.

    Returns
    -------
    dict
        ``schema_version``, ``request_ids``, ``query``, ``api_url``, ``retrieved_at`` (UTC) and
        ``package_version``: JSON values only, never the API key.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "request_ids": list(request_ids),
        "query": query,
        "api_url": api_url,
        "retrieved_at": retrieved_at or _now(),
        "package_version": version("aurorax-pandas"),
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def get_provenance(attrs: dict[Any, Any]) -> dict[str, Any]:
    """Give the provenance in the attrs of a frame, empty where there is none."""
    found = attrs.get(KEY)
    return copy.deepcopy(found) if isinstance(found, dict) else {}


def to_text(provenance: dict[str, Any]) -> str:
    """Give a provenance as JSON text, for attributes that take no dict."""
    return json.dumps(provenance)
