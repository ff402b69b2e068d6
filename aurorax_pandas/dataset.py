"""Conjunctions as an xarray Dataset."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd

from aurorax_pandas import model, provenance
from aurorax_pandas.transforms.events import SEPARATOR, require, source_names

if TYPE_CHECKING:
    import xarray as xr


def to_xarray(df: pd.DataFrame) -> xr.Dataset:
    """
    Give the conjunctions as an xarray Dataset along the dimension ``conjunction``.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions.

    Returns
    -------
    xarray.Dataset
        ``conjunction_type``, ``start``, ``end``, ``min_distance`` [km], ``max_distance`` [km],
        ``closest_epoch``, ``farthest_epoch`` (times in UTC), and ``sources``: the display names of the data sources,
        joined by ``&``. The frame's index is the coordinate.

    Examples
    --------
    >>> import aurorax_pandas
    >>> ds = aurorax_pandas.load_sample_conjunctions().aurorax.to_xarray()
    >>> ds.sizes["conjunction"], float(ds["min_distance"].min())
    (49, 53.391843)
    """
    require(df, "to_xarray", *model.CONJUNCTION_COLUMNS)
    flat = model.flatten(df["data_sources"])
    names = pd.Series(source_names(flat.fields).to_pylist(), dtype=object).groupby(flat.row).agg(SEPARATOR.join)
    columns = df[[name for name in model.CONJUNCTION_COLUMNS if name not in ("data_sources", "events")]]
    columns = columns.astype({"conjunction_type": object}).assign(
        sources=names.reindex(range(len(df)), fill_value="").to_numpy(dtype=object)
    )
    dataset = columns.rename_axis(index="conjunction").to_xarray()
    for name, unit in model.UNITS.items():
        if name in dataset:
            dataset[name].attrs["units"] = unit
    found = provenance.get_provenance(df.attrs)
    if found:
        dataset.attrs[provenance.KEY] = json.dumps(found)
    return dataset
