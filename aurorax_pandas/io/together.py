"""Verbs on a Dataset of `to_xarray`: its dimensions stay together, and what the user added stays with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.io import one_dimension
from aurorax_pandas.io.variables import DIMS, block_of
from aurorax_pandas.io.xarray import added, all_names, as_made, entry_places, to_dataframe, to_xarray

if TYPE_CHECKING:
    import xarray as xr

_ROW: Final = "aurorax row"


def keep_together(ds: xr.Dataset, verb: Callable[..., pd.DataFrame], *args: Any, **kwargs: Any) -> xr.Dataset:
    """
    Call a verb for frames with the frame in a Dataset, and return a Dataset of the frame that it gives.

    Attributes of the user, and variables and coordinates along the rows, the sources and the events, go where their
    rows go.
    """
    made = as_made(ds)
    block = block_of(made)
    # a level of an index does not go without the others
    stacked = [name for name, index in made.indexes.items() if isinstance(index, pd.MultiIndex) and name in made.dims]
    own = made.reset_index(stacked).drop_vars(all_names(block), errors="ignore")
    df = to_dataframe(made)
    given = verb(df.assign(**{_ROW: np.arange(len(df))}), *args, **kwargs)
    # events tell their conjunction themselves
    named = next((name for name in (_ROW, "conjunction") if name in given.columns), None)
    rows = given[named].to_numpy() if named else None
    # what is in the Dataset is taken from there, in the form that it has there
    result = to_xarray(given.drop(columns=[_ROW, *added(made, block)], errors="ignore"))
    result.attrs = {**ds.attrs, **result.attrs}
    if rows is None:
        return result
    result = _with_own(result, _own_of(made, own, rows, block["kind"], block_of(result)["kind"]))
    if block_of(result)["kind"] != block["kind"]:
        return result
    if one_dimension.is_along_conjunction(ds):
        return along_conjunction(result)
    dim = DIMS[block["kind"]]
    swapped = ds[dim].dims[0] if dim in ds.coords else dim
    return result if swapped == dim else result.swap_dims({dim: swapped})


def along_conjunction(ds: xr.Dataset) -> xr.Dataset:
    """
    Return conjunctions along their one dimension, their sources and events as JSON, so that xarray can combine several.

    Parameters
    ----------
    ds : xarray.Dataset
        Conjunctions of `to_xarray`, in memory or from a file.

    Returns
    -------
    xarray.Dataset
        The dimension ``conjunction``; ``start``, ``min_distance`` [km] and the other columns keep their names, and
        ``data_sources`` and ``events`` are texts. ``.aurorax`` and `to_dataframe` take this form too, of one Dataset
        or of several that xarray has combined along ``conjunction``. Where these come from several searches, the
        frame has no provenance.

    Raises
    ------
    AuroraxDataError
        If the Dataset is none of `to_xarray`, or its variables no longer belong together.
    AuroraxInputError
        If it holds no conjunctions, or what has no place along ``conjunction``.

    Examples
    --------
    >>> import aurorax_pandas, xarray
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> for name, rows in (("first", df[:20]), ("second", df[20:])):
    ...     rows.aurorax.to_netcdf(f"day-{name}.nc", overwrite=True)
    >>> with xarray.open_mfdataset(
    ...     ["day-first.nc", "day-second.nc"], preprocess=aurorax_pandas.along_conjunction,
    ...     combine="nested", concat_dim="conjunction",
    ... ) as ds:
    ...     print(dict(ds.sizes), len(ds.aurorax.to_dataframe()), len(ds.aurorax.within(200)["start"]))
    {'conjunction': 49} 49 19
    """
    made = as_made(ds)
    if block_of(made)["kind"] != "conjunctions":
        raise AuroraxInputError(
            f"along_conjunction takes conjunctions, not {block_of(made)['kind']}, which have one dimension"
        )
    return one_dimension.flatten_dataset(made, to_dataframe(made))


def _own_of(made: xr.Dataset, own: xr.Dataset, rows: Any, before: str, after: str) -> xr.Dataset:
    """Return what the user added, where the rows that a verb gave came from."""
    if before != "conjunctions":
        return _chosen(own, {DIMS[before]: rows})
    if after == "conjunctions":
        return _chosen(
            own, {"conjunction": rows, **{entry: _entry_positions(made, entry, rows) for entry in ("source", "event")}}
        )
    events = own.drop_dims("source", errors="ignore")
    chosen = _chosen(
        events, {"conjunction": rows, "event": _entry_positions(made, "event", np.arange(made.sizes["conjunction"]))}
    )
    # an event has the values of its conjunction
    both = [name for name, variable in chosen.variables.items() if {"conjunction", "event"} <= set(variable.dims)]
    if both:
        raise AuroraxInputError(
            f"events have no place for the variable {both[0]!r} of conjunctions and events; drop it"
        )
    of_events = chosen.drop_dims("conjunction", errors="ignore")
    of_conjunctions = chosen.drop_dims("event", errors="ignore")
    if "conjunction" in of_conjunctions.dims:
        of_conjunctions = of_conjunctions.rename_dims(conjunction="event")
    return of_conjunctions.merge(of_events)


def _with_own(result: xr.Dataset, own: xr.Dataset) -> xr.Dataset:
    coordinates = {name: own[name].variable for name in own.coords if name not in result.dims}
    return result.assign({name: own[name].variable for name in own.data_vars}).assign_coords(coordinates)


def _chosen(own: xr.Dataset, places: dict[str, Any]) -> xr.Dataset:
    return own.isel({dim: chosen for dim, chosen in places.items() if dim in own.dims})


def _entry_positions(ds: xr.Dataset, entry: str, rows: Any) -> Any:
    """Return where the sources or events of some conjunctions stand in a Dataset, in the order of these."""
    lengths, places = entry_places(ds, entry)
    return places[model.entries_of(lengths, rows)]
