"""What an operation of xarray did to an ephemeris, and the call that undoes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from aurorax_pandas.frame.model import SOURCE_FIELDS

if TYPE_CHECKING:
    import xarray as xr


def cure_of_dimension(dataset: xr.Dataset, name: str) -> str:
    """Return what gives a Dataset the dimension back that it lacks, ``"source"`` or ``"epoch"``; else what it has."""
    for other, index in dataset.indexes.items():
        if isinstance(index, pd.MultiIndex) and name in index.names and other in dataset.dims:
            return (
                f"{other!r} is stacked; as_ephemeris(ds.reset_index({other!r}).drop_vars('source', errors='ignore')"
                ".to_dataframe()) makes an ephemeris of it"
            )
    marks = SOURCE_FIELDS if name == "source" else ("epoch",)
    for held in (dataset[mark] for mark in marks if mark in dataset.variables):
        if held.ndim == 1 and held.dims[0] not in ("source", "epoch"):
            return f"swap it back by ds.swap_dims({{{str(held.dims[0])!r}: {name!r}}})"
        if held.ndim == 0:
            return f"choose by a list, which keeps it: ds.isel({name}=[0])"
    times = [str(other) for other, index in dataset.indexes.items() if isinstance(index, pd.DatetimeIndex)]
    if name == "epoch" and len(times) == 1:
        return f"rename it by ds.rename({{{times[0]!r}: 'epoch'}})"
    return f"it has {', '.join(map(str, dataset.dims))}; as_ephemeris makes an ephemeris of a table"


def cure_of_coordinate(dataset: xr.Dataset, name: str) -> str:
    """Return what gives a Dataset a coordinate along ``source`` back that it lacks."""
    index = dataset.indexes.get("source")
    if name not in dataset.variables:
        lost = [field for field in SOURCE_FIELDS if field not in dataset.variables]
        if index is not None and not isinstance(index, pd.MultiIndex) and lost == [name]:
            return f"it is the index; ds.rename(source={name!r}).swap_dims({name}='source') makes it a coordinate again"
        return f"add it by ds.assign_coords({name}=('source', [...])), one value for each source"
    if dataset[name].dims == ("source",):
        return f"make it a coordinate by ds.set_coords({name!r})"
    if set(dataset[name].dims) == {"source", "epoch"}:
        return (
            "it has values for each epoch; as_ephemeris(ds.to_dataframe().reset_index().drop(columns='source')) makes one "
            "for each source"
        )
    return f"it has the dimensions {dataset[name].dims}; give one value for each source"


def cure_of_variable(dataset: xr.Dataset, name: str) -> str:
    """Return what gives a variable the dimensions ``source`` and ``epoch`` alone."""
    beyond = [str(other) for other in dataset[name].dims if other not in ("source", "epoch")]
    if not beyond:
        return "give it values for each source and epoch"
    chosen = ", ".join(f"{other!r}: 0" for other in beyond)
    return f"choose one of the others, for example by ds.isel({{{chosen}}}, drop=True)"
