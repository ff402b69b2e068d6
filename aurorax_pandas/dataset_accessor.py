"""The `.aurorax` accessor of xarray: one-line delegations to the public functions of the same names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from aurorax_pandas import dataset, functions
from aurorax_pandas.accessors import AuroraxPlotAccessor
from aurorax_pandas.query.blocks import CustomLocationsBlocks, EventsBlocks, GroundBlocks, SpaceBlocks

if TYPE_CHECKING:
    import xarray as xr

    from aurorax_pandas.frame.events import PairBy
    from aurorax_pandas.times import Span
    from aurorax_pandas.transforms.selection import How


class AuroraxDatasetAccessor:
    """
    What an xarray Dataset can do: ``ds.aurorax``.

    Parameters
    ----------
    ds : xarray.Dataset
        An ephemeris, or a Dataset of `to_xarray`.
    """

    __slots__ = ("_ds",)

    def __init__(self, ds: xr.Dataset) -> None:
        # xarray turns an AttributeError here into another error, so every method checks for itself
        self._ds = ds

    def to_dataframe(self) -> pd.DataFrame:
        """Give the frame that the Dataset was made from; see `aurorax_pandas.to_dataframe`."""
        return functions.to_dataframe(self._ds)

    @property
    def plot(self) -> AuroraxPlotAccessor:
        """Pictures; ``plot()`` is ``plot.timeline()``."""
        return AuroraxPlotAccessor(self.to_dataframe())

    def validate(self) -> xr.Dataset:
        """Check the frame in the Dataset against its schema and give the Dataset; see `aurorax_pandas.validate`."""
        functions.validate(self.to_dataframe())
        return self._ds

    def explode_events(self) -> xr.Dataset:
        """Give one entry per pair event; see `aurorax_pandas.explode_events`."""
        return dataset.keep_together(self._ds, functions.explode_events)

    def pair_summary(self, by: PairBy = "pair", step: Span = "1min") -> xr.Dataset:
        """Sum up each pair of data sources; see `aurorax_pandas.pair_summary`."""
        return dataset.keep_together(self._ds, functions.pair_summary, by, step)

    def closest(self, n: int = 1, by: str | Sequence[str] | None = None) -> xr.Dataset:
        """Keep the conjunctions of least distance; see `aurorax_pandas.closest`."""
        return dataset.keep_together(self._ds, functions.closest, n, by)

    def filter_closest_epoch(
        self,
        start: Any = None,
        end: Any = None,
        near: Any = None,
        tolerance: Span = "5min",
        max_distance: float | None = None,
    ) -> xr.Dataset:
        """Keep the conjunctions by their closest epoch; see `aurorax_pandas.filter_closest_epoch`."""
        return dataset.keep_together(
            self._ds, functions.filter_closest_epoch, start, end, near, tolerance, max_distance
        )

    def within(self, distance: float, how: How = "all") -> xr.Dataset:
        """Keep the conjunctions whose pairs come within a distance [km]; see `aurorax_pandas.within`."""
        return dataset.keep_together(self._ds, functions.within, distance, how)

    def select_sources(
        self,
        *,
        program: str | Sequence[str] | None = None,
        platform: str | Sequence[str] | None = None,
        source_type: str | Sequence[str] | None = None,
        display_name: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        how: How = "any",
    ) -> xr.Dataset:
        """Keep the conjunctions of some data sources; see `aurorax_pandas.select_sources`."""
        return dataset.keep_together(
            self._ds,
            functions.select_sources,
            program=program,
            platform=platform,
            source_type=source_type,
            display_name=display_name,
            site=site,
            how=how,
        )

    def deduplicate(self, by: Literal["source", "site"] = "source") -> xr.Dataset:
        """Keep each conjunction once; see `aurorax_pandas.deduplicate`."""
        return dataset.keep_together(self._ds, functions.deduplicate, by)

    def to_parquet(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write Parquet that any reader opens; see `aurorax_pandas.to_parquet`."""
        functions.to_parquet(self.to_dataframe(), path, overwrite=overwrite)

    def to_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write CSV, one row per event; see `aurorax_pandas.to_csv`."""
        functions.to_csv(self.to_dataframe(), path, overwrite=overwrite)

    def to_json(self, path: str | os.PathLike[str], *, api: bool = False, overwrite: bool = False) -> None:
        """Write JSON, the service's records; see `aurorax_pandas.to_json`."""
        functions.to_json(self.to_dataframe(), path, api=api, overwrite=overwrite)

    def to_netcdf(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write NetCDF by the CF conventions; see `aurorax_pandas.to_netcdf`."""
        functions.to_netcdf(self.to_dataframe(), path, overwrite=overwrite)

    def find_conjunctions(
        self,
        start: Any = None,
        end: Any = None,
        distance: float | Mapping[str, float | None] | None = None,
        *,
        ground: GroundBlocks = (),
        space: SpaceBlocks = (),
        events: EventsBlocks = (),
        custom_locations: CustomLocationsBlocks = (),
        conjunction_types: str | Sequence[str] | None = None,
        subminute_precision: bool | None = None,
        query: Mapping[str, Any] | str | Path | None = None,
    ) -> pd.DataFrame:
        """Find conjunctions in this ephemeris; see `aurorax_pandas.find_conjunctions`."""
        return functions.find_conjunctions(
            self._ds,
            start,
            end,
            distance,
            ground=ground,
            space=space,
            events=events,
            custom_locations=custom_locations,
            conjunction_types=conjunction_types,
            subminute_precision=subminute_precision,
            query=query,
        )
