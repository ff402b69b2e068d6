"""Which sources and epochs of an ephemeris a criteria block asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import suggestion
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.query.blocks import HEMISPHERES
from aurorax_pandas.sources import NAMED_BY, TYPES_OF_BLOCK, known_sources, site_codes

if TYPE_CHECKING:
    import xarray as xr

_Ints = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


def matching_sources(table: pd.DataFrame, block: Mapping[str, Any], kind: str | None = None) -> _Ints:
    """
    Return the positions of the sources that a block names.

    Parameters
    ----------
    table : pandas.DataFrame
        Sources with the six fields of a data source.
    block : mapping
        A criteria block of a query.
    kind : {"ground", "space", "events"}, optional
        Which types of source can fill it; by default any.

    Raises
    ------
    AuroraxInputError
        If a name is not in the table, or no source has all of them.
    """
    refuse_unknown_names(table, block, kind)
    keep = _matches(table, block, kind)[1]
    if not keep.any():
        raise AuroraxInputError(f"{kind or 'data_sources'}: the ephemeris has no source that matches {dict(block)!r}")
    return np.flatnonzero(keep)


def refuse_unknown_names(
    table: pd.DataFrame, block: Mapping[str, Any], kind: str | None = None, holder: str = "the ephemeris"
) -> None:
    """Raise where a block names what no source of a table has; `holder` is whose table it is."""
    able = _matches(table, {}, kind)[0]
    for key, column in NAMED_BY.items():
        known = sorted(set(table[column][able]))
        for name in block.get(key) or ():
            if not _spellings(column, name).intersection(known):
                raise AuroraxInputError(
                    f"{kind or 'data_sources'}: {holder} has no source with {column} {name!r}; "
                    f"{suggestion(name, known)}"
                )


def block_at_hand(table: pd.DataFrame, block: Mapping[str, Any], kind: str | None = None) -> dict[str, Any] | None:
    """Return a block without those of its names that no source of a table has, None where no source matches it."""
    able, keep = _matches(table, block, kind)
    if not keep.any():
        return None
    there = {
        key: [name for name in block[key] if not _spellings(column, name).isdisjoint(table[column][able])]
        for key, column in NAMED_BY.items()
        if block.get(key)
    }
    return {**block, **there}


def named_sources(table: pd.DataFrame, block: Mapping[str, Any], kind: str, holdings: str) -> tuple[_Ints, list[str]]:
    """
    Return the positions of the sources that a block names, and the names that none of these has.

    Parameters
    ----------
    table, block, kind
        As in `matching_sources`.
    holdings : str
        What the ephemeris holds, for an error.

    Raises
    ------
    AuroraxInputError
        If no source matches, and a name is of no source that is known to anyone.
    AuroraxDataError
        If no source matches.
    """
    able, keep = _matches(table, block, kind)
    if not keep.any():
        listed = known_sources()
        listed = listed[listed["source_type"].isin(TYPES_OF_BLOCK[kind])]
        for key, column in NAMED_BY.items():
            known = {*listed[column], *table[column][able]}
            if not all(_spellings(column, name) & known for name in block.get(key) or ()):
                # a name that stands nowhere is misspelt
                matching_sources(table, block, kind)
        raise AuroraxDataError(f"{kind}: the ephemeris has no source that matches {dict(block)!r}: it holds {holdings}")
    unmatched = [
        repr(name)
        for key, column in NAMED_BY.items()
        for name in block.get(key) or ()
        if not table[column][keep].isin(_spellings(column, name)).any()
    ]
    return np.flatnonzero(keep), unmatched


def _matches(table: pd.DataFrame, block: Mapping[str, Any], kind: str | None) -> tuple[_Mask, _Mask]:
    """Tell which sources can fill a block, and which of these have its names."""
    able = np.ones(len(table), bool) if kind is None else table["source_type"].isin(TYPES_OF_BLOCK[kind]).to_numpy()
    keep = able.copy()
    for key, column in NAMED_BY.items():
        wanted = block.get(key) or ()
        if wanted:
            keep &= table[column].isin(set().union(*(_spellings(column, name) for name in wanted))).to_numpy()
    return able, keep


def fills_block(table: pd.DataFrame, block: Mapping[str, Any], kind: str | None) -> _Mask:
    """Tell which sources can fill a block of a kind: ground, space, events, adhoc, or None for any."""
    if kind == "adhoc":
        return (table["source_type"] == "not_applicable").to_numpy(bool, na_value=False)
    return _matches(table, block, kind)[1]


def _spellings(column: str, name: str) -> set[str]:
    """Return a name and, of a platform that is a site, its code: a place of one's own may be named by either."""
    return {name, site_codes().get(name, name)} if column == "platform" else {name}


def block_variables(block: Mapping[str, Any]) -> list[str]:
    """Name the variables that the hemisphere and the metadata filters of a block read."""
    filters = block.get("ephemeris_metadata_filters") or {"expressions": ()}
    own = ["geo_lat", "geo_lon"] if block.get("hemisphere") else []
    return own + [expression["key"] for expression in filters["expressions"]]


def block_mask(ephemeris: xr.Dataset, sources: _Ints, block: Mapping[str, Any]) -> Any:
    """Tell at which epochs the sources are in the block's hemisphere and keep its metadata filters."""
    mask: Any = np.True_
    if block.get("hemisphere"):
        own = values_at(ephemeris, "geo_lat", sources)
        north, south = (name in block["hemisphere"] for name in HEMISPHERES)
        mask = ((own >= 0) & north) | ((own < 0) & south)
    filters = block.get("ephemeris_metadata_filters") or {"expressions": ()}
    held = [keeps(values_at(ephemeris, one["key"], sources), one) for one in filters["expressions"]]
    if held:
        joined = held[0]
        for other in held[1:]:
            joined = joined & other if filters["logical_operator"] == "AND" else joined | other
        mask = mask & joined
    return mask


def values_at(block: xr.Dataset, name: str, sources: _Ints) -> npt.NDArray[Any]:
    """Return a variable as an array that broadcasts to (source, epoch)."""
    variable = block.variables[name]
    values = variable.transpose(*(dim for dim in ("source", "epoch") if dim in variable.dims)).values
    if "source" not in variable.dims:
        return values[None, :]
    return values[sources] if "epoch" in variable.dims else values[sources, None]


def keeps(values: npt.NDArray[Any], expression: Mapping[str, Any]) -> _Mask:
    """Tell where a metadata expression holds; a missing value keeps none."""
    operator, texts = expression["operator"], expression["values"]
    series = pd.Series(values.ravel())
    wanted: list[Any] = list(texts)
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        try:
            wanted = [float(text) for text in texts]
        except ValueError:
            raise AuroraxInputError(
                f"metadata_filters: {expression['key']!r} holds numbers, {texts!r} does not"
            ) from None
    else:
        if pd.api.types.infer_dtype(series, skipna=True) == "boolean":
            # the service writes them small, Python with a capital
            series, wanted = series.map({True: "true", False: "false"}), [text.lower() for text in texts]
        series = series.astype("str")
    held = series.notna()
    if operator in ("=", "in"):
        held &= series.isin(wanted)
    elif operator in ("!=", "not in"):
        held &= ~series.isin(wanted)
    elif operator == "between":
        held &= (series >= wanted[0]) & (series <= wanted[1])
    else:
        held &= {"<": series.lt, "<=": series.le, ">": series.gt, ">=": series.ge}[operator](wanted[0])
    mask: _Mask = held.to_numpy(bool).reshape(values.shape)
    return mask
