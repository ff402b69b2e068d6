"""Which conjunctions could be seen: a dark sky, the Moon down, high enough, at the right magnetic local time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.analysis.approach import EMISSION_ALTITUDE, approaches_of, rows_of_events, sources_of_sides
from aurorax_pandas.analysis.magnetic import check_times, magnetic_of_places
from aurorax_pandas.analysis.sky import sky_of_places, times_of_events
from aurorax_pandas.analysis.stations import station_places
from aurorax_pandas.checks import as_list, as_number, checked_number, choice, invalid
from aurorax_pandas.ephemeris.coverage import check_spans
from aurorax_pandas.ephemeris.dataset import check_ephemeris
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import as_events

if TYPE_CHECKING:
    import xarray as xr

    from aurorax_pandas.analysis.stations import StationPlaces


@typed
def observable(
    df: pd.DataFrame,
    sun_below: float | None = -12.0,
    moon_below: float | None = None,
    elevation_above: float | None = None,
    mlt: Sequence[float] | None = None,
    ephemeris: xr.Dataset | None = None,
    how: Literal["any", "all"] = "any",
    *,
    stations: StationPlaces | None = None,
) -> pd.DataFrame:
    """
    Keep the conjunctions that could be seen from their stations.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`.
    sun_below : float or None, default -12.0
        Elevation [degrees] that the Sun must be below, as `sky` has it; None for any.
    moon_below : float, optional
        Elevation [degrees] that the Moon must be below: 0 for a sky without the Moon.
    elevation_above : float, optional
        Elevation [degrees] that the closest approach must be above, as `closest_approach` has it, with `ephemeris` or in
        a column ``approach_elevation`` of the frame.
    mlt : (float, float), optional
        Sector of magnetic local time [hours] in which the station must be, both ends included, from the first eastward
        to the second: ``(21, 3)`` is the six hours around midnight.
    ephemeris : xarray.Dataset, optional
        Where the spacecraft were.
    how : {"any", "all"}, default "any"
        Whether one event of a conjunction is enough, or each must satisfy all conditions.
    stations : mapping of str to (float, float), or xarray.Dataset, optional
        Places of stations that the service's table and `ephemeris` lack; see `sky`.

    Returns
    -------
    pandas.DataFrame
        Rows of the frame, in its order. Sun, Moon and local time are taken at the closest epoch of an event, or at its
        start where that is not known. A conjunction without events never stays.

    Raises
    ------
    AuroraxDataError
        If the ephemeris covers no row.
    AuroraxInputError
        If an argument cannot be used, all conditions are None, or `elevation_above` has nothing to go by.

    Warns
    -----
    AuroraxDataWarning
        If rows are left out because something is not known: they have no station, its place is not known, or there is no
        closest approach. One warning counts them.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> ephemeris = aurorax_pandas.load_sample_ephemeris()
    >>> len(df.aurorax.observable()), len(df.aurorax.observable(elevation_above=20, ephemeris=ephemeris))
    (49, 37)
    """
    every = choice("how", how, ("any", "all")) == "all"
    limits = {
        name: checked_number(name, value, lambda angle: -90 <= angle <= 90, "degrees from -90 to 90, or None")
        for name, value in (
            ("sun_below", sun_below),
            ("moon_below", moon_below),
            ("elevation_above", elevation_above),
        )
        if value is not None
    }
    sector = None if mlt is None else _sector(mlt)
    if not limits and sector is None:
        raise AuroraxInputError(
            "sun_below, moon_below, elevation_above, mlt: all are None; give at least one condition"
        )
    if ephemeris is not None:
        # where no condition reads it, it is told all the same
        check_ephemeris(ephemeris)
    events = as_events(df, "observable", "start", "end", "closest_epoch")
    conditions = []
    with warnings.catch_warnings():
        # what is not known is counted below, once
        warnings.simplefilter("ignore", AuroraxDataWarning)
        times = times_of_events(events, "closest_epoch")
        places = station_places(events, stations, "the sky", ephemeris)
        if {"sun_below", "moon_below"} & set(limits):
            seen = sky_of_places(*places, times)
            conditions += [
                _below(seen[f"{body}_elevation"], limits[f"{body}_below"])
                for body in ("sun", "moon")
                if f"{body}_below" in limits
            ]
        if sector is not None:
            check_times(times, "closest_epoch")
            conditions.append(_inside(magnetic_of_places(*places, times)["mlt"], *sector))
        if "elevation_above" in limits:
            conditions.append(_below(-_elevations(events, ephemeris), -limits["elevation_above"]))
    states = np.stack([condition.astype(np.int8) for condition in conditions]).min(axis=0)
    return _kept(df, events, states, every)


def _kept(df: pd.DataFrame, events: pd.DataFrame, states: npt.NDArray[np.int8], every: bool) -> pd.DataFrame:
    """Keep the rows by the states of their events: 1 satisfies, 0 is not known, −1 does not."""
    parents = rows_of_events(df, events)
    count, good, bad = (
        np.bincount(parents[chosen], minlength=len(df)) for chosen in (slice(None), states == 1, states == -1)
    )
    keep = (count > 0) & (good == count) if every else good > 0
    unknown = ~keep & (count > bad) & ((bad == 0) if every else True)
    if unknown.any():
        warnings.warn(
            f"{unknown.sum()} of {len(df)} rows are left out: whether they could be seen is not known, for want of a "
            "station's place (give stations=) or of a closest approach (give an ephemeris that covers them)",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
    return df.iloc[np.flatnonzero(keep)]


def _sector(mlt: Any) -> tuple[float, float]:
    hours = [as_number(hour) for hour in as_list(mlt)]
    # a set has no order
    if isinstance(mlt, set | frozenset) or len(hours) != 2 or not all(0 <= hour <= 24 for hour in hours):
        raise invalid("mlt", mlt, "two hours from 0 to 24, such as (21, 3)")
    return hours[0], hours[1]


def _below(values: Any, limit: float) -> npt.NDArray[np.int8]:
    return _state(values, values < limit)


def _inside(hours: Any, first: float, last: float) -> npt.NDArray[np.int8]:
    """Tell which local times are from one hour eastward to another, over midnight where the second is less."""
    after, before = hours >= first, hours <= last
    return _state(hours, after & before if first <= last else after | before)


def _state(values: Any, holds: Any) -> npt.NDArray[np.int8]:
    return np.where(np.isnan(values), 0, np.where(holds, 1, -1)).astype(np.int8)


def _elevations(events: pd.DataFrame, ephemeris: xr.Dataset | None) -> pd.Series[Any]:
    if ephemeris is not None:
        events = as_events(events, "observable", "conjunction_type")
        rows = rows_of_events(events, events)
        tracks = check_spans("observable", events, rows, ephemeris, sources_of_sides(events))
        return approaches_of(events, tracks, EMISSION_ALTITUDE)["approach_elevation"]
    if "approach_elevation" not in events.columns:
        raise AuroraxInputError(
            "elevation_above: the frame has no column approach_elevation; give an ephemeris, or call closest_approach first"
        )
    return events["approach_elevation"]
