"""Overflights told from conjugate conjunctions: in which hemisphere the spacecraft itself was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.approach import UNCERTAINTY_COLUMN, sources_of_sides
from aurorax_pandas.ephemeris.coverage import check_instants, telling_of_hemispheres, warn_of_unknown_types
from aurorax_pandas.ephemeris.tracks import TRACKED, Tracks
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import is_events, require
from aurorax_pandas.sources import CONJUNCTION_TYPES, HEMISPHERE, SPACECRAFT

if TYPE_CHECKING:
    import xarray as xr

# the hemisphere in which the compared locations of a type lie; a spacecraft's own position is in its own
_OWN_HEMISPHERE: Final = {"nbtrace": "northern", "sbtrace": "southern"}


@typed
@telling_of_hemispheres
def overflights(df: pd.DataFrame, ephemeris: xr.Dataset | None = None) -> pd.DataFrame:
    """
    Keep the conjunctions whose spacecraft is in the footprint's own hemisphere.

    ``nbtrace`` and ``sbtrace`` say where a field line ends, not where the spacecraft is: the others are conjugate
    conjunctions, at the far end of the line.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were; the hemisphere is that of ``geo_lat`` at the closest epoch, or at `start` where there
        is none. By default the column ``spacecraft_hemisphere``, as `closest_approach` adds it, is read.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order. All spacecraft of a row must be in the footprint's hemisphere; a row of which
        that is not known is left out, a ``geographic`` one always stays. Where the ephemeris says how uncertain
        footprints are, as in `closest_approach`, they have a column ``footprint_uncertainty`` [km]: the greatest of the
        row's spacecraft at that epoch.

    Raises
    ------
    AuroraxInputError
        If there is neither an ephemeris nor the column, or the frame lacks another that is read, such as
        ``closest_epoch``.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> len(df.aurorax.overflights(aurorax_pandas.load_sample_ephemeris()))
    20
    """
    df = require(df, "overflights", "conjunction_type")
    own = np.asarray(pd.Categorical(df["conjunction_type"].astype("str").map(_OWN_HEMISPHERE), dtype=HEMISPHERE).codes)
    always: npt.NDArray[np.bool_] = (df["conjunction_type"] == "geographic").to_numpy(bool)
    if ephemeris is None:
        if "spacecraft_hemisphere" not in df.columns:
            raise AuroraxInputError(
                "ephemeris: the frame has no column spacecraft_hemisphere; give an ephemeris, or call closest_approach first"
            )
        known = model.category_codes(df["spacecraft_hemisphere"], HEMISPHERE)
        return _taken_rows(df, always | ((known == own) & (own >= 0)))
    df = require(df, "overflights", "start", "closest_epoch")
    if is_events(df):
        sources, row = sources_of_sides(df), np.tile(np.arange(len(df)), 2)
    else:
        df = require(df, "overflights", "data_sources")
        flat = model.flatten(df["data_sources"])
        sources = pd.DataFrame({name: flat.column(name) for name in TRACKED})
        row = flat.row
    warn_of_unknown_types("overflights", sources)
    craft = sources["source_type"].isin(SPACECRAFT).to_numpy(bool)
    sources, row = sources[craft], row[craft]
    times = df["closest_epoch"].fillna(df["start"]).to_numpy()
    tracks = Tracks(ephemeris, sources)
    codes = tracks.hemispheres(np.arange(len(sources)), times[row])
    asked = ~always[row]
    check_instants("overflights", sources[asked], row[asked], times[row][asked], ephemeris, codes[asked])
    there = np.bincount(row, minlength=len(df))
    agree = np.bincount(row[(codes == own[row]) & (codes >= 0)], minlength=len(df))
    if tracks.uncertain:
        df = df.assign(**{UNCERTAINTY_COLUMN: _uncertainty_of_rows(df, tracks, row, times)})
    return _taken_rows(df, always | ((there > 0) & (agree == there)))


def _uncertainty_of_rows(
    df: pd.DataFrame, tracks: Tracks, row: npt.NDArray[np.int64], times: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.float64]:
    """Return the greatest uncertainty [km] of the footprints of each row's spacecraft; `row` has the row of each track."""
    greatest = np.full(len(df), np.nan)
    if not len(tracks.epochs):
        return greatest
    at, near = tracks.at(times[row])
    kinds = df["conjunction_type"].astype("str").to_numpy()[row]
    for kind in CONJUNCTION_TYPES:
        mine = np.flatnonzero((kinds == kind) & near)
        np.fmax.at(greatest, row[mine], tracks.uncertainty(kind, mine, at[mine]))
    return greatest


def _taken_rows(df: pd.DataFrame, keep: Any) -> pd.DataFrame:
    return df.iloc[np.flatnonzero(keep)]
