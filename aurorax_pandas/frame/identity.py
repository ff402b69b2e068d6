"""Which data sources are the same, as integer codes."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import source_names

Codes = npt.NDArray[np.int64]


def source_set_codes(df: pd.DataFrame, by: Literal["source", "site"] = "source") -> Codes:
    """Number each row by its type and its set of sources, or of sites, in whatever order these stand."""
    flat = model.flatten(df["data_sources"])
    kinds = model.category_codes(df["conjunction_type"], model.CONJUNCTION_TYPE)
    sources = _site_codes(flat.fields) if by == "site" else _source_codes([flat.fields])
    if by == "site":
        # two cameras of one site in one conjunction are one
        entries = pd.DataFrame({"row": flat.row, "source": sources}).drop_duplicates()
        rows, sources = entries["row"].to_numpy(), entries["source"].to_numpy()
        flat = model.Flat({}, np.bincount(rows, minlength=len(df)))
    matrix = model.sorted_rows(flat, sources)
    # what is missing in a row of few sources is the lowest number
    return joint_codes([kinds + 1, *(np.maximum(row, -1) + 1 for row in matrix)])


def joint_codes(parts: list[Codes]) -> Codes:
    """Number the rows of several columns of numbers from 0 on: rows that are equal in all of them have one number."""
    joint, count = parts[0], int(parts[0].max(initial=0)) + 1
    for part in parts[1:]:
        size = int(part.max(initial=0)) + 1
        if count > np.iinfo(np.int64).max // size:
            joint, distinct = pd.factorize(joint)
            count = len(distinct)
        joint, count = joint * size + part, count * size
    return pd.factorize(joint)[0].astype(np.int64)


def event_pair_codes(fields: dict[str, pa.Array]) -> Codes:
    """Number the pair of sources of each event, whichever comes first."""
    sides = [{name: fields[f"{side}_{name}"] for name in model.SOURCE_FIELDS} for side in ("e1", "e2")]
    both = _source_codes(sides)
    first, second = np.split(both, 2)
    count = int(both.max(initial=0)) + 1
    return pd.factorize(np.minimum(first, second) * count + np.maximum(first, second))[0].astype(np.int64)


def _source_codes(parts: list[dict[str, pa.Array]]) -> Codes:
    # places and satellites of one's own have no identifier of the service, so names tell them apart
    names = _codes([_own_names(part) for part in parts])
    identifiers = _codes([part["identifier"] for part in parts])
    return names * (int(identifiers.max(initial=0)) + 1) + identifiers


def _own_names(source: dict[str, pa.Array]) -> pa.Array:
    names = source_names(source)
    own = model.compute.less(source["identifier"], 0).fill_null(False)
    if not model.compute.any(own).as_py():
        return names
    # two satellites can have one name, and then differ in their platform
    platforms = source["platform"].fill_null("")
    return model.compute.if_else(own, model.compute.binary_join_element_wise(names, platforms, "\n"), names)


def _site_codes(fields: dict[str, pa.Array]) -> Codes:
    return _codes([source_names(fields, "site")])


def _codes(columns: list[pa.Array]) -> Codes:
    encoded = pa.chunked_array(columns).combine_chunks().dictionary_encode(null_encoding="encode")
    codes: Codes = encoded.indices.to_numpy().astype(np.int64)
    return codes
