"""What tools for all-sky images ask for: times, places and tracks of spacecraft over a station."""

from __future__ import annotations

import copy
import functools
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from aurorax_pandas import geometry
from aurorax_pandas.analysis.approach import (
    EMISSION_ALTITUDE,
    approaches_of,
    read_emission_altitude,
    rows_of_events,
    sources_of_sides,
)
from aurorax_pandas.analysis.labels import spacecraft_sides
from aurorax_pandas.analysis.stations import of_side, station_sides
from aurorax_pandas.checks import invalid, shown
from aurorax_pandas.ephemeris.coverage import check_spans, telling_of_gaps
from aurorax_pandas.ephemeris.tracks import distinct_rows
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.frame.events import as_events, of_one_side, sides_of, source_sites
from aurorax_pandas.frame.intervals import refuse_broken_spans
from aurorax_pandas.sources import CONJUNCTION_TYPES
from aurorax_pandas.times import Span, span

if TYPE_CHECKING:
    import xarray as xr

#: Some gigabytes of places.
_MOST_POINTS: Final = 10_000_000
_IMAGE_COLUMNS: Final[dict[str, Any]] = {
    "conjunction": "int64",
    "program": "str",
    "instrument_type": "str",
    "site_code": "str",
    "dataset_name": "str",
    "skymap_dataset_name": "str",
    "site_uid": "str",
    "asilib_array": "str",
    "location_code": "str",
    "spacecraft": "str",
    "start": model.DATETIME,
    "end": model.DATETIME,
    "epoch": model.DATETIME,
    "footprint_lat": "float64",
    "footprint_lon": "float64",
    "altitude": "float64",
}


@telling_of_gaps
def image_windows(
    df: pd.DataFrame,
    ephemeris: xr.Dataset | None = None,
    pad: Span = "1min",
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
    pad : str or pandas.Timedelta, default "1min"
        How much to add before `start` and after `end`; as `read_ephemeris_of` and `tracks` have it, so that each image
        has a place.
    emission_altitude : float, default 110.0
        Altitude to map the images to [km]; 230 for the red line.

    Returns
    -------
    pandas.DataFrame
        One row per event, in the frame's order: ``conjunction`` (row position in `df`), ``program``,
        ``instrument_type``, ``site_code`` (the platform where the site has no code), ``dataset_name``,
        ``skymap_dataset_name`` and ``site_uid`` as PyAuroraX's ``data.ucalgary`` has them, ``asilib_array`` (the
        function of ``asilib.asi``) and its ``location_code``, ``spacecraft``, ``start`` and ``end`` with the pad (UTC),
        ``epoch``: the time of the closest approach, without an ephemeris the closest epoch (UTC); ``footprint_lat``,
        ``footprint_lon``: the spacecraft's location then, geodetic [degrees]; ``altitude`` [km]. Names are missing where
        a package has no such data, or cannot read them.

    Raises
    ------
    AuroraxInputError
        If `pad` is no span of time, `emission_altitude` no altitude, or the frame lacks a column of events.

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
    on_ground, other_on_ground = ((types == "ground").to_numpy(bool) for types in sides_of(events, "source_type"))
    on_first = on_ground & second
    kept = np.flatnonzero(on_first | (other_on_ground & first))
    events, mine = events.iloc[kept], on_first[kept]
    found = None
    if ephemeris is not None:
        tracks = check_spans("image_windows", events, parents[kept], ephemeris, sources_of_sides(events))
        found = approaches_of(events, tracks, altitude)
    epoch = events["closest_epoch"].to_numpy()
    columns: dict[str, Any] = {
        "conjunction": parents[kept],
        "program": of_one_side(events, mine, "program").array,
        "instrument_type": of_one_side(events, mine, "instrument_type").array,
        "site_code": image_sites(events, mine).array,
        "spacecraft": of_one_side(events, ~mine, "display_name").array,
        "start": (events["start"] - wide).array,
        "end": (events["end"] + wide).array,
        "epoch": epoch if found is None else found["approach_time"].fillna(pd.Series(epoch)),
        "footprint_lat": np.nan if found is None else found["footprint_lat"],
        "footprint_lon": np.nan if found is None else found["footprint_lon"],
        "altitude": altitude,
    }
    columns |= _image_names(columns["program"], columns["instrument_type"], columns["site_code"])
    made = pd.DataFrame(columns, pd.RangeIndex(len(kept)), list(_IMAGE_COLUMNS)).astype(_IMAGE_COLUMNS)
    made.attrs = copy.deepcopy(df.attrs)
    return made


def _image_names(program: Any, instrument_type: Any, site_code: Any) -> dict[str, pd.Series[Any]]:
    """Return what packages for images call the data of some cameras, missing where they have none."""
    # events are many, cameras few
    row, first = distinct_rows(program, instrument_type, site_code)
    known = _image_table().reindex(pd.MultiIndex.from_arrays([program.take(first), instrument_type.take(first)]))
    known = known.reset_index(drop=True)
    codes = pd.Series(site_code.take(first), dtype="str")
    read = pd.Series(
        [
            isinstance(locations, str) and code in locations.split()
            for locations, code in zip(known["asilib_locations"], codes, strict=True)
        ],
        dtype=bool,
    )
    names = {
        "dataset_name": known["dataset_name"],
        "skymap_dataset_name": known["skymap_dataset_name"],
        "site_uid": codes.str.lower().where(known["dataset_name"].notna()),
        "asilib_array": known["asilib_array"].where(read),
        "location_code": codes.where(read),
    }
    return {name: values.take(row).reset_index(drop=True) for name, values in names.items()}


@functools.cache
def _image_table() -> pd.DataFrame:
    """Return what PyAuroraX 1.27 and asilib 0.21 call the images of each program and type of instrument."""
    with resources.files("aurorax_pandas").joinpath("data/images.csv").open("rb") as file:
        return pd.read_csv(file, index_col=["program", "instrument_type"], dtype="str")


#: What can be said of a place of a track.
TRACK_STATES: Final = ("in view", "below horizon", "no footprint", "no ephemeris")
_TRACK_STATE: Final = pd.CategoricalDtype(list(TRACK_STATES))


@typed
def tracks(
    df: pd.DataFrame,
    ephemeris: xr.Dataset,
    cadence: Span = "3s",
    emission_altitude: float = EMISSION_ALTITUDE,
    pad: Span = "1min",
) -> pd.DataFrame:
    """
    Return where spacecraft passed over stations, at the cadence of images.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, or events of `explode_events`. Pairs of a spacecraft and a ground source or a custom location give
        rows.
    ephemeris : xarray.Dataset
        Where the spacecraft were; see `check_ephemeris`. Stations that it lacks are taken from the service's table.
    cadence : str or pandas.Timedelta, default "3s"
        Time between two places, usually that of the images.
    emission_altitude : float, default 110.0
        Altitude of the aurora [km]; 230 for the red line.
    pad : str or pandas.Timedelta, default "1min"
        How much to add before `start` and after `end`; as `read_ephemeris_of` and `image_windows` have it.

    Returns
    -------
    pandas.DataFrame
        One row per event and instant, indexed by ``event`` (row position among the events) and ``time`` (UTC, ascending):
        ``lat``, ``lon`` (geodetic, longitude −180 to 180) [degrees] and ``alt`` [km] of the point at the emission
        altitude over the footprint, or over the spacecraft for a ``geographic`` conjunction; ``azimuth`` (from north over
        east) and ``elevation`` [degrees] and ``distance`` [km] at which the station sees it; ``spacecraft``,
        ``station``; ``state``: "in view", "below horizon", "no footprint" (the field line does not return at an epoch
        beside it) or "no ephemeris" (the Dataset has no place of the spacecraft there). Where there is no place it is
        NaN.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be used, they make more than 10 million points, or the frame has no events.
    AuroraxDataError
        If the ephemeris covers no row.

    Warns
    -----
    AuroraxDataWarning
        If the ephemeris covers some rows only; ``state`` says where and why.

    Notes
    -----
    Places are interpolated along great circles from one epoch of the ephemeris to the next; `closest_approach` says how
    good that is, and what is left out between the footprint, 100 km high, and the emission.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions().aurorax.closest(1)
    >>> track = df.aurorax.tracks(aurorax_pandas.load_sample_ephemeris()).loc[0]
    >>> track.loc["2020-01-01T00:12:06", ["lat", "lon", "alt", "elevation"]].round(1).tolist()
    [56.4, -93.9, 110.0, 65.5]
    """
    altitude, wide = read_emission_altitude(emission_altitude), span("pad", pad, zero=True)
    every = int(span("cadence", cadence) / pd.Timedelta("1us"))
    if every < 1000:
        raise invalid("cadence", cadence, "a millisecond or more, such as '3s'")
    events = as_events(df, "tracks", "conjunction_type", "start", "end")
    refuse_broken_spans(events, "tracks")
    sides = station_sides(events)
    kept = np.flatnonzero((sides >= 0) & np.logical_xor(*spacecraft_sides(events)))
    # wide enough to number the sources of many events
    chosen, side = events.iloc[kept], sides[kept].astype(np.int64)
    found = check_spans("tracks", chosen, rows_of_events(df, events)[kept], ephemeris, sources_of_sides(chosen))
    first = (chosen["start"] - wide).to_numpy("M8[us]")
    last = (chosen["end"] + wide).to_numpy("M8[us]")
    # the last instant is that of the end, whatever the cadence, so that no image has none after it
    counts = -(-(last - first).view(np.int64) // every) + 1
    # floats, for the sum of such numbers may be beyond all integers
    if (points := counts.sum(dtype=np.float64)) > _MOST_POINTS:
        raise AuroraxInputError(
            f"tracks: cadence={shown(cadence)} and pad={shown(pad)} make {points:.0f} points of {len(kept)} events, more than "
            f"{_MOST_POINTS}; give a longer cadence, a shorter pad, or fewer rows"
        )
    row = np.repeat(np.arange(len(kept)), counts)
    instants = np.minimum(first[row] + (model.ranges(0, counts) * every).view("m8[us]"), last[row])
    craft, station = row + (1 - side[row]) * len(kept), row + side[row] * len(kept)
    places = np.full((4, len(row)), np.nan)
    types = model.category_codes(chosen["conjunction_type"], model.CONJUNCTION_TYPE)[row]
    for number, kind in enumerate(CONJUNCTION_TYPES):
        of_kind = np.flatnonzero(types == number)
        places[:2, of_kind] = found.geodetic_between(kind, craft[of_kind], instants[of_kind])
        places[2:, of_kind] = found.geodetic(kind, station[of_kind], np.zeros(len(of_kind), np.int64))
    lat, lon = places[:2]
    azimuth, elevation, distance = geometry.horizontal(places[2], places[3], geometry.earth_fixed(lat, lon, altitude))
    states = (elevation < 0).astype(np.int8)
    lost = np.isnan(lat)
    ends = found.covers(craft[lost], instants[lost]) & (types[lost] != CONJUNCTION_TYPES.index("geographic"))
    states[lost] = np.where(ends, 2, 3)
    made = pd.DataFrame(
        {
            "lat": lat,
            "lon": lon,
            "alt": np.where(lost, np.nan, altitude),
            "azimuth": azimuth,
            "elevation": elevation,
            "distance": distance,
            "spacecraft": of_side(chosen, 1 - side, "display_name").array.take(row),
            "station": of_side(chosen, side, "display_name").array.take(row),
            "state": pd.Categorical.from_codes(states, dtype=_TRACK_STATE),
        },
        pd.MultiIndex.from_arrays([kept[row], instants], names=["event", "time"]),
    )
    made.attrs = copy.deepcopy(df.attrs)
    return made


def image_sites(events: pd.DataFrame, on_first: npt.NDArray[np.bool_]) -> pd.Series[str]:
    """Return the site code of the station of each event, its platform where the site has no code."""
    station = {
        name: model.pandas_to_arrow(of_one_side(events, on_first, name), pa.string())
        for name in ("platform", "source_type")
    }
    return model.arrow_to_pandas(model.compute.coalesce(source_sites(station), station["platform"]))
