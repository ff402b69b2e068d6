"""Queries as the service shows them: with all their keys in the status document, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from aurorax_pandas.query.query import Query
from aurorax_pandas.sources import NAMED_BY

#: What the filters of each kind of records are called in a query.
FILTERS: Final = {"ephemeris": "ephemeris_metadata_filters", "data_products": "data_product_metadata_filters"}


def full_query(query: Query, request_id: object) -> dict[str, Any]:
    """Return a query of conjunctions with all its keys."""
    payload = query.payload
    blocks = {kind: [_full_block(block, kind) for block in payload[kind]] for kind in ("ground", "space", "events")}
    return {
        **{name: payload[name] for name in ("adhoc", "conjunction_types", "start", "end", "max_distances")},
        **blocks,
        "epoch_search_precision": 30 if query.subminute_precision else 60,
        "request_id": request_id,
    }


def _full_block(block: Mapping[str, Any], kind: str) -> dict[str, Any]:
    full = {"ephemeris_metadata_filters": None, **{name: [] for name in NAMED_BY}, **block}
    return {"hemisphere": [], **full} if kind == "space" else full


def full_records_query(
    path: str, block: Mapping[str, Any], start: str, end: str, types: Sequence[str], request_id: object
) -> dict[str, Any]:
    """Return a query of ephemeris or data products with all its keys."""
    filters = block.get("ephemeris_metadata_filters") or {"expressions": [], "logical_operator": "AND"}
    query = {
        "data_sources": {FILTERS[path]: filters, **{name: block.get(name, []) for name in NAMED_BY}},
        "start": start,
        "end": end,
        "request_id": request_id,
    }
    return query if path == "ephemeris" else {**query, "data_product_type_filters": list(types)}


def describe_records_query(path: str, query: Mapping[str, Any]) -> str:
    """Say a query of ephemeris or data products, with all its keys, in the service's words."""
    block = query["data_sources"]
    names = [f"{word} in ({', '.join(block[key])})" for key, word in NAMED_BY.items() if block[key]]
    filters = block[FILTERS[path]]
    held = f" {filters['logical_operator']} ".join(
        f"{one['key']} {one['operator']} {', '.join(one['values'])}" for one in filters["expressions"]
    )
    types = query.get("data_product_type_filters")
    wanted = f" AND data_product_type in ({', '.join(types)})" if types else ""
    return (
        f"Find {path} for (({' AND '.join(names) or 'any'} filtered by metadata ({held})) AND  {FILTERS[path]} [])"
        f"{wanted}  AND epoch between {_said(query['start'])} and {_said(query['end'])} UTC"
    )


def _said(time: str) -> str:
    # the service leaves out seconds that are 0
    instant = pd.Timestamp(time)
    return instant.strftime("%Y-%m-%dT%H:%M:%S" if instant.second else "%Y-%m-%dT%H:%M")
