"""Data sources that a response format trimmed, filled by their identifiers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame import columns, model
from aurorax_pandas.sources import bundled_sources

_TEXTS: Final = tuple(name for name in model.SOURCE_FIELDS if name != "identifier")
_SHOWN: Final = 10


class KnownSources:
    """
    What is known of data sources, by identifier: a table of the caller's before the bundled one.

    Parameters
    ----------
    data_sources : pandas.DataFrame or iterable, optional
        Rows, dicts or objects with ``identifier`` and any of the five texts of a source.

    Raises
    ------
    AuroraxInputError
        If this is no table of data sources.
    """

    def __init__(self, data_sources: Any = None) -> None:
        parts = [bundled_sources()]
        if data_sources is not None:
            parts.insert(0, _table_of_sources(data_sources))
        table = pd.concat([part.reindex(columns=list(model.SOURCE_FIELDS)) for part in parts], ignore_index=True)
        merged = table.dropna(subset="identifier").groupby("identifier", sort=False).first()
        self._identifiers = pa.array(merged.index.to_numpy(np.int64))
        self._texts = {name: model.pandas_to_arrow(merged[name], pa.string()) for name in _TEXTS}
        self._unknown: dict[str, set[str]] = {}

    def fill(self, fields: Mapping[str, pa.Array], prefix: str = "") -> dict[str, pa.Array]:
        """Return the fields of sources with the texts that are missing filled in, and remember what stays unknown."""
        if not any(fields[f"{prefix}{name}"].null_count for name in _TEXTS):
            return dict(fields)
        identifiers = fields[f"{prefix}identifier"]
        places = model.compute.index_in(identifiers, self._identifiers)
        made = dict(fields)
        for name in _TEXTS:
            given = fields[f"{prefix}{name}"]
            if given.null_count:
                made[f"{prefix}{name}"] = model.compute.coalesce(given, model.compute.take(self._texts[name], places))
        self._remember(made, prefix)
        return made

    def _remember(self, fields: Mapping[str, pa.Array], prefix: str) -> None:
        is_null = {name: fields[f"{prefix}{name}"].is_null().to_numpy(zero_copy_only=False) for name in _TEXTS}
        # what verbs cannot do without: a kind of source, and something to call it by
        nameless = is_null["display_name"] & (is_null["program"] | is_null["platform"])
        incomplete = is_null["source_type"] | nameless
        if not incomplete.any():
            return
        rows = pa.array(np.flatnonzero(incomplete))
        names = ("identifier", "display_name", *_TEXTS)
        distinct = pd.DataFrame(
            {name: fields[f"{prefix}{name}"].take(rows).to_pandas() for name in names}, dtype=object
        )
        for source in distinct.drop_duplicates().to_dict("records"):
            known = {name: value for name, value in source.items() if not pd.isna(value)}
            label = next((str(known[name]) for name in ("identifier", "display_name") if name in known), "")
            # the numbers of a column with gaps are floats
            label = label.removesuffix(".0") or (f"one of {', '.join(map(str, known.values()))}" if known else "")
            lacking = self._unknown.setdefault(label or "one without identifier", set())
            lacking |= {name for name in _TEXTS if name not in known}

    def warn(self) -> None:
        """Warn once of the sources that stay unknown."""
        if not self._unknown:
            return
        named = sorted(self._unknown, key=lambda name: (len(name), name))
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        lacking = sorted(set().union(*self._unknown.values()))
        warnings.warn(
            f"{len(named)} data source(s) lack {', '.join(lacking)} and are not in the table of sources: "
            f"{', '.join(named[:_SHOWN])}{more}; verbs that look at these leave them out, unless you give a table as "
            "data_sources=, such as that of read_aurorax_data_sources",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )


def _table_of_sources(data_sources: Any) -> pd.DataFrame:
    if isinstance(data_sources, pd.DataFrame):
        table = data_sources
    else:
        if isinstance(data_sources, str | bytes | Mapping) or not isinstance(data_sources, Iterable):
            raise AuroraxInputError(
                f"data_sources={shown(data_sources)} is no table of data sources; give a DataFrame, or a list of dicts"
            )
        rows = [_fields_of_source(one) for one in data_sources]
        table = pd.DataFrame(rows, columns=list(model.SOURCE_FIELDS), dtype=object)
    if "identifier" not in table.columns:
        raise AuroraxInputError("data_sources: the column 'identifier' is missing; sources are found by it")
    taken = table[[name for name in model.SOURCE_FIELDS if name in table.columns]]
    wanted = {name: "Int64" if name == "identifier" else "str" for name in model.SOURCE_FIELDS}
    made, wrong = columns.in_model_dtypes(taken, wanted)
    for name, says in wrong.items():
        raise AuroraxInputError(f"data_sources: column {name!r} cannot be read: {says}")
    return made


def _fields_of_source(source: Any) -> dict[str, Any]:
    if isinstance(source, Mapping):
        return {name: source.get(name) for name in model.SOURCE_FIELDS}
    return {name: getattr(source, name, None) for name in model.SOURCE_FIELDS}
