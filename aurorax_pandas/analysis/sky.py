"""Whether it was dark: the Sun and the Moon in the sky of a station."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.stations import station_places
from aurorax_pandas.analysis.sun_and_moon import illuminated_fraction, moon_position, sun_position
from aurorax_pandas.checks import invalid, one_name
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import as_events

if TYPE_CHECKING:
    from aurorax_pandas.analysis.stations import StationPlaces


Floats = npt.NDArray[np.float64]


@typed
def sky(df: pd.DataFrame, at: str = "closest_epoch", *, stations: StationPlaces | None = None) -> pd.DataFrame:
    """
    Add where the Sun and the Moon were in the sky of each event's station.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    at : str, default "closest_epoch"
        When: ``"closest_epoch"`` (where it is not known `start`), ``"start"``, ``"end"``, or a column of times, UTC,
        such as ``"approach_time"`` of `closest_approach`.
    stations : mapping of str to (float, float), or xarray.Dataset, optional
        Geodetic latitudes and longitudes [degrees] of stations that the service's table lacks, by display name or
        identifier, or the Dataset of `aurorax_pandas.stations`.

    Returns
    -------
    pandas.DataFrame
        The events with three columns more: ``sun_elevation``, ``moon_elevation`` (of the centres, geometric: without
        refraction, seen from the station) [degrees] and ``moon_illumination`` (the lit part of its disc, 0 to 1). The
        station is the pair's ground source, else its custom location; of two the first of the pair's label. NaN where
        there is none, or where the time is missing.

    Raises
    ------
    AuroraxInputError
        If `at` is no column of times, `stations` no places, or the frame has no events.

    Warns
    -----
    AuroraxDataWarning
        If the place of a station is not known: the events of it have NaN.

    Notes
    -----
    The Sun by chapter 25 of [1]_ with the four largest periodic terms of the planets and the Moon, the Moon by chapter
    47, its illumination by the angle at the Moon between the Earth and the Sun. Nothing is read from the network. UT1
    is taken as UTC. Against astropy, 1990 to 2035 at random places: the Sun within 0.007 degrees, the Moon within
    0.004 degrees, its illumination within 0.0001.

    References
    ----------
    .. [1] J. Meeus, "Astronomical Algorithms", 2nd ed., Willmann-Bell (1998).

    Examples
    --------
    >>> import aurorax_pandas
    >>> events = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1).aurorax.sky()
    >>> events[["sun_elevation", "moon_elevation", "moon_illumination"]].round(2).values.tolist()
    [[-17.74, 20.95, 0.3]]
    """
    events = as_events(df, "sky", "closest_epoch", "start", "end")
    times = times_of_events(events, at)
    return events.assign(**sky_of_places(*station_places(events, stations, "the sky"), times))


def sky_of_places(lat: Floats, lon: Floats, times: npt.NDArray[np.datetime64]) -> dict[str, Floats]:
    """Return the columns of `sky` for places [degrees] at times, UTC."""
    distinct, at_time = np.unique(times, return_inverse=True)
    sun, moon = sun_position(distinct), moon_position(distinct)
    return {
        "sun_elevation": geometry.horizontal(lat, lon, sun.take(at_time, axis=1))[1],
        "moon_elevation": geometry.horizontal(lat, lon, moon.take(at_time, axis=1))[1],
        "moon_illumination": np.where(np.isnan(lat), np.nan, illuminated_fraction(sun, moon)[at_time]),
    }


def times_of_events(events: pd.DataFrame, at: str) -> npt.NDArray[np.datetime64]:
    """
    Return the time of each event, UTC: its closest epoch or else `start`, or that of a column.

    Raises
    ------
    AuroraxInputError
        If `at` is no column of times.
    """
    if one_name("at", at) not in events.columns or not pd.api.types.is_datetime64_any_dtype(events[at]):
        raise invalid("at", at, "'closest_epoch', 'start', 'end' or a column of times (UTC)")
    times: Any = events[at]
    if times.dt.tz is not None:
        times = times.dt.tz_convert(None)
    if at == "closest_epoch":
        times = times.fillna(events["start"])
    return cast("npt.NDArray[np.datetime64]", times.to_numpy("M8[us]"))
