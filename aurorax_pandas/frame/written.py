"""Conjunctions written as the service's records."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import islice, starmap
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import write_times
from aurorax_pandas.frame.events import require


def records_from_conjunctions(df: pd.DataFrame) -> list[dict[str, Any]]:
    """
    Return conjunctions as the service's records: what `as_conjunctions` takes back.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.

    Returns
    -------
    list of dict
        JSON values only: times as ``YYYY-MM-DDTHH:MM:SS`` (UTC), distances in [km], sources and events as lists.

    Raises
    ------
    AuroraxInputError
        If the frame lacks a column of conjunctions, or one cannot be read.

    Examples
    --------
    >>> import aurorax_pandas
    >>> records = aurorax_pandas.records_from_conjunctions(aurorax_pandas.load_sample_conjunctions())
    >>> records[0]["start"], records[0]["data_sources"][1]["display_name"]
    ('2020-01-01T00:08:00', 'Swarm A')
    """
    return _records(df, encoded=False)


def records_to_encode(df: pd.DataFrame) -> list[msgspec.Struct]:
    """Return conjunctions as structs that msgspec writes as the service's records, each distinct source written once."""
    return _records(df, encoded=True)


def _records(df: pd.DataFrame, *, encoded: bool) -> list[Any]:
    df = require(df, "records_from_conjunctions", *model.CONJUNCTION_COLUMNS)
    sources, events = model.flatten(df["data_sources"]), model.flatten(df["events"])
    columns = {
        name: write_times(df[name].to_numpy()) if df[name].dtype == model.DATETIME else df[name].tolist()
        for name in model.CONJUNCTION_COLUMNS
        if name not in ("data_sources", "events")
    }
    columns["data_sources"] = _grouped(_source_records(sources.fields, "", encoded=encoded), sources.lengths)
    event_columns = {
        "conjunction_type": events.fields["conjunction_type"].to_pylist(),
        **{f"{side}_source": _source_records(events.fields, f"{side}_", encoded=encoded) for side in ("e1", "e2")},
        **{name: write_times(events.values(name)) for name in ("start", "end")},
        **{name: events.fields[name].to_pylist() for name in ("min_distance", "max_distance")},
    }
    # structs are made and written in half the time of dicts
    entries = _structs if encoded else _dicts
    columns["events"] = _grouped(entries(event_columns), events.lengths)
    return entries({name: columns[name] for name in model.CONJUNCTION_COLUMNS})


def _dicts(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _structs(columns: Mapping[str, list[Any]]) -> list[msgspec.Struct]:
    return list(starmap(_struct_of(tuple(columns)), zip(*columns.values(), strict=True)))


@functools.cache
def _struct_of(names: tuple[str, ...]) -> type[msgspec.Struct]:
    return msgspec.defstruct("Entry", list(names), gc=False)


def _source_records(fields: Mapping[str, pa.Array], prefix: str, *, encoded: bool) -> list[Any]:
    """Return a dict for each source, or its JSON; those that are equal are made once, and dicts are copied."""
    codes = np.zeros(len(fields[f"{prefix}identifier"]), np.int64)
    for name in model.SOURCE_FIELDS:
        values = model.compute.dictionary_encode(fields[f"{prefix}{name}"], null_encoding="encode")
        codes = pd.factorize(codes * len(values.dictionary) + values.indices.to_numpy())[0]
    first = np.unique(codes, return_index=True)[1]
    columns = {name: fields[f"{prefix}{name}"].take(pa.array(first)).to_pylist() for name in model.SOURCE_FIELDS}
    distinct = _dicts(columns)
    if encoded:
        texts = [msgspec.Raw(msgspec.json.encode(source)) for source in distinct]
        return [texts[code] for code in codes.tolist()]
    return [distinct[code].copy() for code in codes.tolist()]


def _grouped(entries: list[Any], lengths: npt.NDArray[np.int64]) -> list[list[Any]]:
    entry = iter(entries)
    return [list(islice(entry, length)) for length in lengths.tolist()]
