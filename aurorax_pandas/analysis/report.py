"""The table for a paper: one row per event with all that is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.approach import (
    EMISSION_ALTITUDE,
    UNCERTAINTY_COLUMN,
    approaches_of,
    columns_of_approaches,
    read_emission_altitude,
    rows_of_events,
    sources_of_sides,
)
from aurorax_pandas.analysis.magnetic import check_times, footprints_at, magnetic_of_places
from aurorax_pandas.analysis.pairs import style_pair_summary
from aurorax_pandas.analysis.sky import sky_of_places, times_of_events
from aurorax_pandas.analysis.stations import station_places
from aurorax_pandas.analysis.tables import styled_table
from aurorax_pandas.checks import check_frame
from aurorax_pandas.ephemeris.coverage import check_spans, telling_of_gaps
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import as_events
from aurorax_pandas.sources import CONJUNCTION_TYPES

if TYPE_CHECKING:
    import xarray as xr
    from pandas.io.formats.style import Styler

    from aurorax_pandas.analysis.stations import StationPlaces

#: Columns of a report, each with its unit, or with none.
REPORT_COLUMNS: Final[dict[str, str]] = {
    "pair": "",
    "conjunction_type": "",
    "start": "UTC",
    "end": "UTC",
    "min_distance": "km",
    "approach_time": "UTC",
    "approach_distance": "km",
    "approach_elevation": "deg",
    "approach_azimuth": "deg",
    "spacecraft_hemisphere": "",
    UNCERTAINTY_COLUMN: "km",
    "sun_elevation": "deg",
    "moon_elevation": "deg",
    "moon_illumination": "",
    "mlat": "deg",
    "mlt": "h",
}
_REPORT_FORMATS: Final[dict[str, str]] = {
    **dict.fromkeys(("start", "end"), "{:%Y-%m-%d %H:%M}"),
    "approach_time": "{:%H:%M:%S}",
    **dict.fromkeys((name for name, unit in REPORT_COLUMNS.items() if unit in ("km", "deg")), "{:.1f}"),
    "moon_illumination": "{:.2f}",
    "mlt": "{:.2f}",
}


@typed
@telling_of_gaps
def report(
    df: pd.DataFrame,
    ephemeris: xr.Dataset,
    emission_altitude: float = EMISSION_ALTITUDE,
    *,
    stations: StationPlaces | None = None,
) -> pd.DataFrame:
    """
    Return a table for a paper: one row per event, with what `closest_approach`, `sky` and `magnetic` say of it.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    ephemeris : xarray.Dataset
        Where the spacecraft were; see `check_ephemeris`.
    emission_altitude : float, default 110.0
        Altitude at which the station looks at the footprint [km]; 230 for the red line.
    stations : mapping of str to (float, float), or xarray.Dataset, optional
        Places of stations that the service's table and `ephemeris` lack; see `sky`.

    Returns
    -------
    pandas.DataFrame
        ``pair``, ``conjunction_type``, ``start``, ``end`` (UTC), ``min_distance`` [km], ``approach_time`` (UTC),
        ``approach_distance`` [km], ``approach_elevation``, ``approach_azimuth`` (from north over east) [degrees],
        ``spacecraft_hemisphere``, ``footprint_uncertainty`` [km] (NaN where the ephemeris does not tell it),
        ``sun_elevation``, ``moon_elevation`` [degrees], ``moon_illumination`` [0–1], ``mlat`` [degrees] and ``mlt``
        [hours] of the station; then the columns of your own. Dtypes are the same for any rows, and ``pair`` is text, so
        that reports can be put together by `pandas.concat`. Sun, Moon and magnetic place are taken at the approach,
        where it is not known at the closest epoch, or else at the start. In the order of the frame, with a fresh index:
        ``report.to_csv(path, index=False)`` is the table as a file, ``report.aurorax.style()`` the one for notebooks and
        LaTeX.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used, or the frame has no events.

    Warns
    -----
    AuroraxDataWarning
        If the place of a station is not known.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(2)
    >>> table = df.aurorax.report(aurorax_pandas.load_sample_ephemeris())
    >>> table[["pair", "approach_elevation", "approach_azimuth", "sun_elevation", "mlt"]].round(1).values.tolist()
    [['THEMIS-ASI GILL & Swarm C', 65.5, 86.8, -17.8, 17.3], ['THEMIS-ASI GILL & Swarm A', 74.3, 267.8, -17.8, 17.3]]
    """
    events = as_events(df, "report", "pair", "conjunction_type", "start", "end", "min_distance", "closest_epoch")
    own = [name for name in events.columns if name not in (*model.EVENT_COLUMNS, *REPORT_COLUMNS)]
    altitude = read_emission_altitude(emission_altitude)
    rows = rows_of_events(events, events)
    tracks = check_spans("report", events, rows, ephemeris, sources_of_sides(events))
    columns = columns_of_approaches(approaches_of(events, tracks, altitude))
    approach = columns["approach_time"].to_numpy().astype("M8[us]")
    times = np.where(np.isnat(approach), times_of_events(events, "closest_epoch"), approach)
    lat, lon = station_places(events, stations, "what a table says of the station", ephemeris)
    check_times(times, "approach_time")
    if UNCERTAINTY_COLUMN not in (*columns, *events.columns):
        columns[UNCERTAINTY_COLUMN] = np.nan
    columns |= {**sky_of_places(lat, lon, times), **magnetic_of_places(lat, lon, times)}
    place = footprints_at(events, tracks, approach, CONJUNCTION_TYPES)
    columns["approach_azimuth"] = geometry.horizontal(lat, lon, geometry.earth_fixed(*place, altitude))[0]
    # categories would be those of the rows at hand, so that reports of several frames had no dtype in common
    columns["pair"] = events["pair"].astype("str")
    return events.assign(**columns)[[*REPORT_COLUMNS, *own]].reset_index(drop=True)


def style(frame: pd.DataFrame) -> Styler:
    r"""
    Return a report or a pair summary as a compact table: rounded, with units in the headings, bars in the distances.

    Parameters
    ----------
    frame : pandas.DataFrame
        The frame of `report` or of `pair_summary`; columns of your own are shown as they are.

    Returns
    -------
    pandas.io.formats.style.Styler
        The table, which a notebook shows; ``to_html()`` gives its text, ``to_latex()`` that of a plain table for LaTeX,
        which needs no package.

    Raises
    ------
    AuroraxInputError
        If the frame is neither of the two.
    AuroraxMissingExtraError
        If jinja2, which tables stand on, is not installed.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1)
    >>> table = df.aurorax.report(aurorax_pandas.load_sample_ephemeris()).aurorax.style()
    >>> print(table.hide(["start", "end"], axis="columns").to_latex().split(" & ")[2:5])
    ['min\\_distance [km]', 'approach\\_time [UTC]', 'approach\\_distance [km]']
    """
    check_frame(frame, "style")
    if set(REPORT_COLUMNS) <= set(frame.columns):
        return styled_table(frame, _REPORT_FORMATS, REPORT_COLUMNS, index=False, bars="approach_distance")
    if set(model.PAIR_SUMMARY_COLUMNS) <= set(frame.columns):
        return style_pair_summary(frame)
    raise AuroraxInputError("frame: only the frames of report and pair_summary have a style; give one of these")
