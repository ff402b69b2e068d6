"""What tools for all-sky images ask for: times, places and tracks of spacecraft over a station."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas.analysis.approach import (
    EMISSION_ALTITUDE,
    approaches_of,
    read_emission_altitude,
    rows_of_events,
    sources_of_sides,
)
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.ephemeris.coverage import check_spans
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import as_events, source_sites
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr

_IMAGE_COLUMNS: Final[dict[str, Any]] = {
    "conjunction": "int64",
    "program": "str",
    "site_code": "str",
    "spacecraft": "str",
    "start": model.DATETIME,
    "end": model.DATETIME,
    "epoch": model.DATETIME,
    "footprint_lat": "float64",
    "footprint_lon": "float64",
    "altitude": "float64",
}


def image_windows(
    df: pd.DataFrame,
    ephemeris: xr.Dataset | None = None,
    pad: Span = "2min",
    emission_altitude: float = EMISSION_ALTITUDE,
) -> pd.DataFrame:
    """
    Return the times and places that tools for all-sky images ask for.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Only pairs of a ground source and a spacecraft give a row.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were; without it there are no places.
    pad : str or pandas.Timedelta, default "2min"
        How much to add before `start` and after `end`.
    emission_altitude : float, default 110.0
        Altitude to map the images to [km]; 230 for the red line.

    Returns
    -------
    pandas.DataFrame
        One row per event, in the frame's order: ``conjunction`` (row position in `df`), ``program``, ``site_code`` (the
        platform where the site has no code), ``spacecraft``, ``start`` and ``end`` with the pad (UTC), ``epoch``: the
        time of the closest approach, without an ephemeris the closest epoch (UTC); ``footprint_lat``,
        ``footprint_lon``: the spacecraft's location then, geodetic [degrees]; ``altitude`` [km].

    Raises
    ------
    AuroraxInputError
        If `pad` is no span of time, `emission_altitude` no altitude, or the frame lacks a column of events.
    AuroraxDataError
        If the ephemeris covers no row.

    Warns
    -----
    AuroraxDataWarning
        If the ephemeris covers some rows only: how many it does not, and why.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1)
    >>> windows = df.aurorax.image_windows(aurorax_pandas.load_sample_ephemeris())
    >>> windows.loc[0, ["program", "site_code", "spacecraft"]].tolist()
    ['themis-asi', 'GILL', 'Swarm C']
    """
    altitude, wide = read_emission_altitude(emission_altitude), span("pad", pad, zero=True)
    events = as_events(df, "image_windows", "conjunction_type", "start", "end", "closest_epoch")
    parents = rows_of_events(df, events)
    first, second = spacecraft_sides(events)
    on_first = (events["e1_source_type"] == "ground").to_numpy(bool) & second
    kept = np.flatnonzero(on_first | ((events["e2_source_type"] == "ground").to_numpy(bool) & first))
    events, mine = events.iloc[kept], on_first[kept]
    found = None
    if ephemeris is not None:
        tracks = check_spans("image_windows", events, parents[kept], ephemeris, sources_of_sides(events))
        found = approaches_of(events, tracks, altitude)
    epoch = events["closest_epoch"].to_numpy()
    columns: dict[str, Any] = {
        "conjunction": parents[kept],
        "program": events["e1_program"].where(mine, events["e2_program"]).array,
        "site_code": image_sites(events, mine).array,
        "spacecraft": events["e2_display_name"].where(mine, events["e1_display_name"]).array,
        "start": (events["start"] - wide).array,
        "end": (events["end"] + wide).array,
        "epoch": epoch if found is None else found["approach_time"].fillna(pd.Series(epoch)),
        "footprint_lat": np.nan if found is None else found["footprint_lat"],
        "footprint_lon": np.nan if found is None else found["footprint_lon"],
        "altitude": altitude,
    }
    made = pd.DataFrame(columns, index=pd.RangeIndex(len(kept))).astype(_IMAGE_COLUMNS)
    made.attrs = copy.deepcopy(df.attrs)
    return made


def image_sites(events: pd.DataFrame, on_first: npt.NDArray[np.bool_]) -> pd.Series[str]:
    """Return the site code of the station of each event, its platform where the site has no code."""
    station = {
        name: model.pandas_to_arrow(events[f"e1_{name}"].where(on_first, events[f"e2_{name}"]), pa.string())
        for name in ("platform", "source_type")
    }
    return model.arrow_to_pandas(model.compute.coalesce(source_sites(station), station["platform"]))
