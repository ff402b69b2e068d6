"""Closest approaches between epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.checks import checked_number
from aurorax_pandas.ephemeris.arc_parts import least_fraction
from aurorax_pandas.ephemeris.arcs import Way, apart, longest_step
from aurorax_pandas.ephemeris.coverage import check_spans, telling_of_gaps
from aurorax_pandas.ephemeris.tracks import TRACKED, Floats, Ints, Tracks
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import as_events, is_events, sides_of
from aurorax_pandas.frame.intervals import closest_positions
from aurorax_pandas.sources import CONJUNCTION_TYPES, HEMISPHERE

if TYPE_CHECKING:
    import xarray as xr

#: Altitude of the green and blue emissions [km]; the red line is at about 230 km.
EMISSION_ALTITUDE: Final = 110.0

# whose elevation it is
_ELEVATION_OF: Final = pd.CategoricalDtype(["footprint", "spacecraft"])
_APPROACH_COLUMNS: Final[dict[str, Any]] = {
    "approach_time": model.DATETIME,
    "approach_distance": "float64",
    "approach_elevation": "float64",
    "elevation_of": _ELEVATION_OF,
    "approach_at_edge": "boolean",
    "spacecraft_hemisphere": HEMISPHERE,
}
#: Column for the uncertainty of footprints, where an ephemeris tells it.
UNCERTAINTY_COLUMN: Final = "footprint_uncertainty"
_MINUTE: Final = np.timedelta64(1, "m")


@typed
@telling_of_gaps
def closest_approach(
    df: pd.DataFrame, ephemeris: xr.Dataset, emission_altitude: float = EMISSION_ALTITUDE
) -> pd.DataFrame:
    """
    Add the closest approach between epochs, found by interpolation on the sphere.

    ``min_distance`` is the least distance at whole minutes, so that it is an upper bound: the footprint of a low-orbit
    spacecraft moves about 7 km in a second.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Of a conjunction of several pairs the pair that comes closest
        counts; explode the events first to have each.
    ephemeris : xarray.Dataset
        Where the spacecraft were; see `check_ephemeris`. Stations that it lacks are taken from the service's table.
    emission_altitude : float, default 110.0
        Altitude at which the station looks at the footprint [km]; 230 for the red line.

    Returns
    -------
    pandas.DataFrame
        The frame with six columns more; the service's own columns never change. ``approach_time`` (UTC),
        ``approach_distance`` [km], ``approach_elevation`` (above the station's horizon) [degrees], ``elevation_of``
        ("footprint": of the point at the emission altitude over the footprint of a trace; "spacecraft": of a
        ``geographic`` row, where the spacecraft's altitude is known), ``approach_at_edge`` (whether the least distance
        is that at the first or last epoch with both places, no interpolated minimum), ``spacecraft_hemisphere``
        ("northern" or "southern", of the spacecraft itself). NaT or missing where the ephemeris lacks a source or an
        epoch. Where the ephemeris says how uncertain footprints are (``nbtrace_uncertainty``, ``sbtrace_uncertainty``,
        as `footprints_from_elements` makes them with ``uncertainty=True``), ``footprint_uncertainty`` [km] is a seventh:
        the greatest of both locations at the epochs on both sides of the closest approach. It is informative, not a
        bound.

    Raises
    ------
    AuroraxInputError
        If the Dataset is no ephemeris, the altitude is none, or the frame has no events.

    Notes
    -----
    Both locations are interpolated along great circles [1]_ from one epoch of the ephemeris to the next, over the span
    of the event and one step (at least a minute) before and after it; the least distance is found where the derivative
    of their cosine, a sum of two waves, is zero. There is no way over a gap, nor over a step of more than 900 km a
    minute, which is a field line that jumps: the epochs on both sides count for themselves.

    Against an ephemeris computed every second, one of every minute gives overflights of Swarm to 0.4 km and 0.3 s;
    conjugate conjunctions, at the far ends of long field lines, to 1.3 km in the median, and to 116 km at worst among the
    few whose field line opens before the next minute.

    Distances are great circles on a sphere of 6371 km, like the service's, but between geodetic latitudes: those of
    spacecraft and their footprints are converted on the WGS84 ellipsoid first. In the recorded search that moves
    distances by −19 to +20 km, so that a closest approach can lie a little above the minute's minimum.

    Where the ephemeris has no footprint at the closest minute, because its field line does not return while the
    service's does, the approach is at the edge of what there is (``approach_at_edge``). It is then no upper bound and
    can exceed the minute's minimum: in the recorded search by 56 km in one of four such rows, with footprints traced at
    Kp 2; in none with those of the bundled sample, traced as the service does.

    The footprint ends 100 km above the ellipsoid. Its field line is taken as vertical from there to the emission
    altitude: where it dips by 80 degrees that is wrong by 2 km for 110 km and by 23 km for 230 km.

    References
    ----------
    .. [1] K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH Computer Graphics 19, 245 (1985).

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.select_sources(site="GILL").head(2)
    >>> near = df.aurorax.closest_approach(aurorax_pandas.load_sample_ephemeris())
    >>> near["approach_time"].dt.strftime("%H:%M:%S").tolist()
    ['00:12:06', '00:12:15']
    """
    altitude = read_emission_altitude(emission_altitude)
    events = as_events(df, "closest_approach", "conjunction_type", "start", "end")
    parents = rows_of_events(df, events)
    tracks = check_spans("closest_approach", events, parents, ephemeris, sources_of_sides(events))
    found = approaches_of(events, tracks, altitude)
    if not is_events(df):
        ranked = found.assign(min_distance=found["approach_distance"], start=found["approach_time"])
        nearest = closest_positions(ranked, parents)
        found = found.iloc[nearest].set_axis(parents[nearest]).reindex(range(len(df)))
    return df.assign(**columns_of_approaches(found))


def columns_of_approaches(found: pd.DataFrame) -> dict[str, Any]:
    """Return the columns that `closest_approach` adds."""
    return {name: found[name].array for name in (*_APPROACH_COLUMNS, UNCERTAINTY_COLUMN) if name in found.columns}


def read_emission_altitude(value: Any) -> float:
    """Return an altitude of aurora [km], or raise."""
    return checked_number(
        "emission_altitude", value, lambda km: 0 < km < 2000, "an altitude of aurora such as 110 [km]"
    )


def approaches_of(events: pd.DataFrame, tracks: Tracks, altitude: float) -> pd.DataFrame:
    """Return the closest approach of each event, with the place of its spacecraft's location; NaN where unknown."""
    count = len(events)
    time = np.full(count, np.datetime64("NaT", "us"), model.DATETIME)
    distance = np.full(count, np.nan)
    uncertainty = np.full(count, np.nan)
    places = np.full((2, 2, count), np.nan)
    heights = np.full((2, count), np.nan)
    edge = np.zeros(count, bool)
    types = model.category_codes(events["conjunction_type"], model.CONJUNCTION_TYPE)
    # however dense the ephemeris is, the service looked at minutes
    beyond = max(tracks.step, _MINUTE)
    start, end = events["start"].to_numpy() - beyond, events["end"].to_numpy() + beyond
    for number, kind in enumerate(CONJUNCTION_TYPES):
        rows = np.flatnonzero((types == number) & ~np.isnat(start) & ~np.isnat(end))
        if not len(rows):
            continue
        event, at, sides = _places_at_epochs(tracks, kind, rows, count, start, end)
        found, offset, at, where, edge_found = _least(event, at, sides, longest_step(tracks.step))
        time[found] = tracks.epochs[at] + (np.round(offset * (tracks.step / np.timedelta64(1, "ms")))).astype("m8[ms]")
        places[:, :, found] = [geometry.degrees(side) for side in where]
        distance[found] = apart(*where)
        edge[found] = edge_found
        if kind == "geographic":
            heights[:, found] = [_height_between(tracks, found + side * count, at, offset) for side in (0, 1)]
        for side in (0, 1):
            for epoch in (at, at + (offset > 0)):
                beside = tracks.uncertainty(kind, found + side * count, epoch)
                uncertainty[found] = np.fmax(uncertainty[found], beside)
    first, second = spacecraft_sides(events)
    ground = first != second
    craft, station = (np.where(first, places[one], places[two]) for one, two in ((0, 1), (1, 0)))
    own = types == CONJUNCTION_TYPES.index("geographic")
    height = np.where(own, np.where(first, *heights), altitude)
    sight = np.where(ground, geometry.elevation(station[0], station[1], craft[0], craft[1], height), np.nan)
    seen = pd.Categorical.from_codes(np.where(np.isnan(sight), -1, own), dtype=_ELEVATION_OF)
    made = pd.DataFrame(
        {
            "approach_time": time,
            "approach_distance": distance,
            "approach_elevation": sight,
            "elevation_of": seen,
            "approach_at_edge": pd.arrays.BooleanArray(edge, np.isnat(time)),
            "spacecraft_hemisphere": pd.Categorical.from_codes(
                _hemispheres_at(tracks, time, first, second), dtype=HEMISPHERE
            ),
            "footprint_lat": craft[0],
            "footprint_lon": craft[1],
        }
    )
    return made.assign(**{UNCERTAINTY_COLUMN: uncertainty}) if tracks.uncertain else made


def rows_of_events(df: pd.DataFrame, events: pd.DataFrame) -> Ints:
    """Return the row of a frame that each of its events is of."""
    rows: Ints = np.arange(len(df)) if is_events(df) else events["conjunction"].to_numpy()
    return rows


def sources_of_sides(events: pd.DataFrame) -> pd.DataFrame:
    """Return the sources of events in a frame: first those of all first sides, then those of all second sides."""
    return pd.DataFrame({name: pd.concat(sides_of(events, name), ignore_index=True) for name in TRACKED})


def _places_at_epochs(
    tracks: Tracks, kind: str, rows: Ints, count: int, start: Any, end: Any
) -> tuple[Ints, Ints, tuple[Floats, Floats]]:
    """Return for each event all epochs at which both of its sources are known, and their unit vectors there."""
    first, stop = tracks.window(start[rows], end[rows])
    lengths = np.maximum(stop - first, 0)
    event = np.repeat(rows, lengths)
    at = model.ranges(first, lengths)
    one, two = (tracks.geodetic_vectors(kind, event + side * count, at) for side in (0, 1))
    # a place that is missing is so in all of its parts
    missing = np.isnan(one[0]) | np.isnan(two[0])
    if not missing.any():
        return event, at, (one, two)
    known = np.flatnonzero(~missing)
    return event[known], at[known], (one.take(known, axis=1), two.take(known, axis=1))


def _height_between(tracks: Tracks, source: Ints, at: Ints, fraction: Floats) -> Floats:
    """Return altitudes [km] of sources a fraction of a step after an epoch."""
    before = tracks.altitudes(source, at)
    after = tracks.altitudes(source, np.minimum(at + 1, len(tracks.epochs) - 1))
    return np.where(fraction > 0, before + fraction * (after - before), before)


def _least(
    event: Ints, at: Ints, sides: tuple[Floats, Floats], longest: float
) -> tuple[Ints, Floats, Ints, tuple[Floats, Floats], npt.NDArray[np.bool_]]:
    """
    Return the events found, and of each the least distance: its fraction of a step after an epoch, and both places.

    Last comes whether it is at the first or last of epochs that follow each other.
    """
    count = len(event)
    travelled = np.zeros((2, count))
    for side, moved in zip(sides, travelled, strict=True):
        moved[:-1] = apart(side[:, :-1], side[:, 1:])
    # from each epoch to the next of its event; there is no way over a gap, nor where a field line jumps
    follows = np.zeros(count, bool)
    follows[:-1] = (event[1:] == event[:-1]) & (at[1:] == at[:-1] + 1) & (np.maximum(*travelled)[:-1] <= longest)
    after = np.arange(count) + follows
    here = apart(*sides)
    bound = np.where(follows, (here + here[after] - (travelled[0] + travelled[1])) / 2, here)
    first = np.flatnonzero(np.diff(event, prepend=-1))
    least = np.repeat(np.minimum.reduceat(here, first), np.diff(first, append=count)) if count else here
    tried = np.flatnonzero(bound <= least)
    beyond = after[tried]
    first_way, second_way = (
        Way.to(side.take(tried, axis=1), side.take(beyond, axis=1), np.where(follows[tried], length[tried], 0.0))
        for side, length in zip(sides, travelled, strict=True)
    )
    step, fraction, one, two, _ = least_fraction(first_way, second_way, event[tried])
    before = tried[step]
    begins = np.ones(count, bool)
    begins[1:] = ~follows[:-1]
    edge = np.where(fraction == 0, begins[before] | ~follows[before], (fraction == 1) & ~follows[after[before]])
    return event[before], fraction, at[before], (one, two), edge


def _hemispheres_at(
    tracks: Tracks, time: npt.NDArray[np.datetime64], first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int8]:
    count = len(time)
    one, two = (tracks.hemispheres(np.arange(count) + side * count, time) for side in (0, 1))
    # two spacecraft have a hemisphere where it is the same
    codes = np.where(first & second, np.where(one == two, one, -1), np.where(first, one, two))
    return np.where(np.isnat(time), -1, codes).astype(np.int8)
