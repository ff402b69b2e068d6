"""Where a frame came from: a small dict of JSON values in ``DataFrame.attrs``."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from types import UnionType
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import as_list, check_frame, shown, whole_text
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.asked import asks_for_half_minutes
from aurorax_pandas.frame.events import require
from aurorax_pandas.frame.model import SCHEMA_VERSION
from aurorax_pandas.options import SWARM_AURORA_KEY
from aurorax_pandas.times import Span, span, to_utc

KEY: Final = "aurorax"
#: The part of a provenance, and of an ephemeris's attributes, that says of data that they are bundled, and what they are.
SAMPLE: Final = "sample"
#: The ``precision`` of spans that begin and end between epochs.
CONTINUOUS: Final = "continuous"
# in microseconds
_HALF_MINUTE: Final = 30_000_000
_BLOCK: Final = 8192


def make_provenance(
    *,
    request_ids: Sequence[str] = (),
    query: dict[str, Any] | list[dict[str, Any]] | None = None,
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


def get_provenance(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """
    Return the provenance of a frame.

    Parameters
    ----------
    attrs : mapping
        The attrs of a frame or Dataset.

    Returns
    -------
    dict
        A copy, which can be changed; empty where there is none.

    Raises
    ------
    AuroraxInputError
        If a part that verbs read is of another kind than this library writes: it is of somebody else.
    """
    found = attrs.get(KEY)
    if not isinstance(found, dict):
        return {}
    for name, is_ours in _PARTS.items():
        if found.get(name) is not None and not is_ours(found[name]):
            raise AuroraxInputError(
                f"attrs['{KEY}'] of the frame is not as this library writes it: {name!r} is {shown(found[name])}; "
                f"del df.attrs['{KEY}'] makes it a frame of unknown origin"
            )
    return copy.deepcopy(found)


def _is_query(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("max_distances") or {}, Mapping)


def _all_of(kind: type | UnionType, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


_PARTS: Final[dict[str, Callable[[Any], bool]]] = {
    "query": lambda value: all(map(_is_query, value if isinstance(value, list) else [value])),
    "request_ids": lambda value: _all_of(str, value),
    "windows": lambda value: _all_of(Mapping, value),
    "step": lambda value: isinstance(value, str) or _all_of(str | None, value),
}


def step_of_query(query: Mapping[str, Any]) -> pd.Timedelta:
    """Return the time between the epochs at which the service looks for what a query asks for."""
    return pd.Timedelta("30s" if asks_for_half_minutes(query) else "1min")


def steps_told(found: Mapping[str, Any]) -> list[str]:
    """Return the steps of a provenance: as it tells them, else of its queries, else the service's own minute."""
    of_queries = [f"{step_of_query(query).seconds}s" for query in queries_of(found)]
    return as_list(found.get("step")) or of_queries or ["1min"]


def step_of(df: pd.DataFrame, step: Span | None) -> pd.Timedelta:
    """
    Return the time between the epochs of a frame: as given, else of the ephemeris that it was found in, else of its query.

    Spans that begin and end between epochs are exact: their step is 0. A frame that has lost its provenance has such
    where they begin or end off the half-minutes that the service knows.

    Raises
    ------
    AuroraxInputError
        If what is given is no span of time, the times cannot be read, or the frame was put together of frames with different steps, or of spans
        that are exact and spans of epochs.
    """
    if step is not None:
        return span("step", step, zero=True)
    found = get_provenance(df.attrs)
    known = as_list(found.get("step"))
    if len({span("step", each, zero=True) for each in known}) > 1:
        raise AuroraxInputError(
            f"step: the frame comes from ephemerides of different steps ({', '.join(map(str, known))}); give step="
        )
    if known:
        return span("step", known[0], zero=True)
    exact = _off_half_minutes(require(df, "the step of epochs", "start", "end"))
    if exact.any() and not exact.all():
        raise AuroraxInputError(
            f"step: {exact.sum()} of {len(exact)} spans begin or end between half-minutes, the others on them; count "
            "conjunctions of epochs and those found by continuous=True apart, or give step= ('0s' for exact spans)"
        )
    if exact.any():
        return pd.Timedelta(0)
    asked = {step_of_query(query) for query in queries_of(found)} or {step_of_query({})}
    if len(asked) > 1:
        raise AuroraxInputError(
            "step: the frame comes from searches every 30 s and from others every minute; give step="
        )
    return asked.pop()


def spans_are_exact(df: pd.DataFrame) -> bool:
    """Tell whether the spans of a frame are exact: as its provenance says, else where one is off the half-minutes."""
    known = as_list(get_provenance(df.attrs).get("step"))
    if known:
        return all(span("step", each, zero=True) == pd.Timedelta(0) for each in known)
    return bool(_off_half_minutes(df).any())


def _off_half_minutes(df: pd.DataFrame) -> npt.NDArray[np.bool_]:
    off = np.zeros(len(df), bool)
    for name in ("start", "end"):
        times = df[name].to_numpy("M8[us]")
        ticks = times.view(np.int64)
        # a remainder takes four times as long, and blocks stay in the processor's own memory
        for begin in range(0, len(ticks), _BLOCK):
            some = ticks[begin : begin + _BLOCK]
            uneven = some // _HALF_MINUTE * _HALF_MINUTE != some
            if uneven.any():
                off[begin : begin + _BLOCK] |= uneven & ~np.isnat(times[begin : begin + _BLOCK])
    return off


def to_text(provenance: dict[str, Any]) -> str:
    """Return a provenance as JSON text, for attributes that take no dict."""
    return json.dumps(provenance)


def swarmaurora_url(df: pd.DataFrame) -> str:
    """
    Return the address that shows the frame's search on Swarm-Aurora's conjunction finder.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions of one search.

    Raises
    ------
    AuroraxInputError
        If the frame does not know its search, or comes from several.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.load_sample_conjunctions().aurorax.swarmaurora_url()
    'https://swarm-aurora.com/conjunctionFinder?aurorax_request_id=8d69dfe3-b865-4507-a0b2-d44c342b5857'
    """
    check_frame(df, "swarmaurora_url")
    request_ids = get_provenance(df.attrs).get("request_ids") or []
    if len(request_ids) != 1:
        known = f"several searches ({', '.join(map(str, request_ids))})" if request_ids else "no search that it knows"
        raise AuroraxInputError(
            f"the frame comes from {known}; Swarm-Aurora shows exactly one, read with one request_id"
        )
    whole_text("the request_id in attrs", str(request_ids[0]))
    return f"https://swarm-aurora.com/conjunctionFinder?{SWARM_AURORA_KEY}={quote(str(request_ids[0]), safe='')}"


def queries_of(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the query in a provenance, or each of the queries."""
    query = found.get("query") or []
    return [one for one in (query if isinstance(query, list) else [query]) if isinstance(one, Mapping)]


def windows_of(found: Mapping[str, Any]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Return the windows of the query, or of each of the queries, in a provenance; none where it does not know them."""
    return [
        (to_utc("start", one["start"]), to_utc("end", one["end"], last=True))
        for one in queries_of(found)
        if one.get("start") and one.get("end")
    ]


def query_windows(df: pd.DataFrame, start: Any, end: Any) -> list[tuple[pd.Timestamp | None, pd.Timestamp | None]]:
    """Return the windows of a frame: the one that is given, else those of the queries that it comes from."""
    known = windows_of(get_provenance(df.attrs))
    if start is None and end is None:
        return list(known)
    first = min((one for one, _ in known), default=None) if start is None else to_utc("start", start)
    last = max((one for _, one in known), default=None) if end is None else to_utc("end", end, last=True)
    return [(first, last)]
