"""How much a file may hold: bounds that no table of conjunctions reaches, so that a trap is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.times import span

#: More columns than any frame of ours has, with those that formats add.
MOST_COLUMNS: Final = 10_000
_FREE: Final = 2**26
_RATIO: Final = 200
_LONGEST_QUERY: Final = pd.Timedelta("73000D")
_TEXTS: Final = ("api_url", "retrieved_at", "package_version", "precision")


def most_bytes(path: Path) -> int:
    """Return how many bytes a file may become when it is unpacked: 200 times its own, and 64 MB in any case."""
    return _FREE + _RATIO * path.stat().st_size


def check_columns(count: int) -> None:
    """
    Raise where a file has more columns than any frame of ours.

    Raises
    ------
    AuroraxDataError
        If it has.
    """
    if count > MOST_COLUMNS:
        raise AuroraxDataError(f"it has {count} columns, more than the {MOST_COLUMNS} that are read")


def check_bytes(count: int, path: Path) -> None:
    """
    Raise where what a file holds takes far more memory than the file could need.

    Raises
    ------
    AuroraxDataError
        If it does.
    """
    if count > most_bytes(path):
        raise AuroraxDataError(
            f"it has {path.stat().st_size} bytes and unpacks to {count}, which no table of conjunctions does; use the tool "
            "that wrote it if you trust it"
        )


def bytes_of_texts(array: pa.Array | pa.ChunkedArray) -> int:
    """Return how many bytes the texts of a column take that stand for numbers of distinct ones, once they are written out."""
    if isinstance(array, pa.ChunkedArray):
        return sum(bytes_of_texts(chunk) for chunk in array.chunks)
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return bytes_of_texts(array.flatten())
    if pa.types.is_struct(kind):
        return sum(bytes_of_texts(field) for field in array.flatten())
    if not pa.types.is_dictionary(kind) or not len(array.dictionary):
        return 0
    lengths = model.compute.binary_length(array.dictionary)
    longest = model.compute.max(lengths).as_py() or 0
    if longest * len(array) <= _FREE:
        return int(longest) * len(array)
    # 64 bits, for a sum may be larger than the lengths
    return int(model.compute.sum(lengths.cast(pa.int64()).take(array.indices)).as_py() or 0)


def strange_attrs(attrs: Mapping[Any, Any]) -> str:
    """Say what is wrong with the provenance in the attrs of a frame; empty where it is as verbs read it."""
    found = attrs.get(provenance.KEY, {})
    if not isinstance(found, dict):
        return f"attrs['aurorax'] is a {type(found).__name__}, not a provenance"
    query = found.get("query")
    queries = query if isinstance(query, list) else [] if query is None else [query]
    windows = found.get("windows") or []
    if not all(isinstance(one, dict) for one in queries):
        return f"its query is {str(query)[:40]!r}, not a query"
    if not isinstance(windows, list) or not all(isinstance(one, dict) for one in windows):
        return "its windows are no list of windows"
    names = found.get("request_ids") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return "its request_ids are no list of texts"
    other = [name for name in _TEXTS if not isinstance(found.get(name), str | None)]
    if other:
        return f"its {other[0]} is no text"
    try:
        for first, last in provenance.windows_of({"query": [*queries, *windows]}):
            if not pd.Timedelta(0) <= last - first <= _LONGEST_QUERY:
                return f"its query is from {first} to {last}, which is no window of 200 years or less"
        steps = found.get("step", [])
        for step in steps if isinstance(steps, list) else [steps]:
            span("step", step, zero=True)
    except (AuroraxInputError, OverflowError, TypeError, ValueError) as error:
        return f"its times cannot be read: {error}"
    return ""
