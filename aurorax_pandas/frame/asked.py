"""What a query asks for, in one form: clients differ in how they write what is left empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aurorax_pandas.checks import as_list
from aurorax_pandas.sources import DEFAULT_TYPES

_BLOCKS: Final = ("ground", "space", "events", "adhoc")
_FILTERS: Final = "ephemeris_metadata_filters"
_PRECISION: Final = ("subminute_precision", "epoch_search_precision")


def as_asked(query: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what a query asks for, in one form: two that are equal in it have one answer.

    Parameters
    ----------
    query : dict
        As a client has sent it, or the service tells it.

    Returns
    -------
    dict
        The query without its ``request_id`` and without what is empty in its blocks; types and precision that are left
        to the service are those that it takes.
    """
    made = {key: value for key, value in query.items() if key not in ("request_id", *_PRECISION)}
    made |= {kind: [_without_empty(block) for block in as_list(query.get(kind))] for kind in _BLOCKS}
    made["conjunction_types"] = as_list(query.get("conjunction_types")) or list(DEFAULT_TYPES)
    if asks_for_half_minutes(query):
        made["subminute_precision"] = True
    return made


def asks_for_half_minutes(query: Mapping[str, Any]) -> bool:
    """Tell whether a query asks for epochs every 30 s, in either of the two ways in which clients do."""
    return bool(query.get("subminute_precision")) or query.get("epoch_search_precision") == 30


def _without_empty(block: Any) -> Any:
    if not isinstance(block, Mapping):
        return block
    # a filter without conditions is none
    return {
        key: value for key, value in block.items() if as_list(_filter_conditions(value) if key == _FILTERS else value)
    }


def _filter_conditions(filters: Any) -> Any:
    return filters.get("expressions") if isinstance(filters, Mapping) else filters


def differing(query: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """Return the keys by which two queries ask for different things."""
    one, two = as_asked(query), as_asked(other)
    return {key for key in {*one, *two} if one.get(key) != two.get(key)}
