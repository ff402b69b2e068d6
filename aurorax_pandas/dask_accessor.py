"""The `.aurorax` accessor of Dask: one-line delegations to the functions that work on partitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from aurorax_pandas import dask_frames, functions

if TYPE_CHECKING:
    import dask.dataframe as dd

    from aurorax_pandas.frame.events import PairBy
    from aurorax_pandas.times import Span
    from aurorax_pandas.transforms.selection import How


class AuroraxDaskAccessor:
    """
    What a Dask frame of conjunctions or events can do, lazily: ``ddf.aurorax``.

    Parameters
    ----------
    ddf : dask.dataframe.DataFrame
        The frame.
    """

    __slots__ = ("_ddf",)

    def __init__(self, ddf: dd.DataFrame) -> None:
        self._ddf = ddf

    def filter_closest_epoch(
        self,
        start: Any = None,
        end: Any = None,
        near: Any = None,
        tolerance: Span = "5min",
        max_distance: float | None = None,
    ) -> dd.DataFrame:
        """Keep the conjunctions by their closest epoch; see `aurorax_pandas.filter_closest_epoch`."""
        return dask_frames.map_rows(
            self._ddf, functions.filter_closest_epoch, start, end, near, tolerance, max_distance
        )

    def within(self, distance: float, how: How = "all") -> dd.DataFrame:
        """Keep the conjunctions whose pairs come within a distance [km]; see `aurorax_pandas.within`."""
        return dask_frames.map_rows(self._ddf, functions.within, distance, how)

    def select_sources(
        self,
        *,
        program: str | Sequence[str] | None = None,
        platform: str | Sequence[str] | None = None,
        source_type: str | Sequence[str] | None = None,
        display_name: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        how: How = "any",
    ) -> dd.DataFrame:
        """Keep the conjunctions of some data sources; see `aurorax_pandas.select_sources`."""
        return dask_frames.map_rows(
            self._ddf,
            functions.select_sources,
            program=program,
            platform=platform,
            source_type=source_type,
            display_name=display_name,
            site=site,
            how=how,
        )

    def minutes(self, step: Span = "1min") -> dd.Series:
        """Count the minutes in conjunction of each row [min]; see `aurorax_pandas.minutes`."""
        return dask_frames.map_rows(self._ddf, functions.minutes, step)

    def explode_events(self) -> dd.DataFrame:
        """Give one row per pair event; see `aurorax_pandas.explode_events`."""
        return dask_frames.explode_events(self._ddf)

    def groupby_pair(self, by: PairBy = "pair") -> Any:
        """Group the events by pair of data sources; see `aurorax_pandas.groupby_pair`."""
        return dask_frames.groupby_pair(self._ddf, by)

    def pair_summary(self, by: PairBy = "pair", step: Span = "1min") -> dd.DataFrame:
        """Sum up each pair of data sources, shuffled by pair; see `aurorax_pandas.pair_summary`."""
        return dask_frames.pair_summary(self._ddf, by, step)

    def closest(self, n: int = 1, by: str | Sequence[str] | None = None) -> dd.DataFrame:
        """Keep the conjunctions of least distance; see `aurorax_pandas.closest`."""
        return dask_frames.closest(self._ddf, n, by)

    def deduplicate(self, by: Literal["source", "site"] = "source") -> dd.DataFrame:
        """Keep each conjunction once, shuffled by sources; see `aurorax_pandas.deduplicate`."""
        return dask_frames.deduplicate(self._ddf, by)
