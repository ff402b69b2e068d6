"""The station of an event and where it is."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.checks import invalid
from aurorax_pandas.ephemeris.dataset import check_ephemeris, source_table
from aurorax_pandas.ephemeris.tracks import distinct_rows, named_place
from aurorax_pandas.exceptions import AuroraxDataWarning, callers_level
from aurorax_pandas.frame.events import of_one_side, sides_of
from aurorax_pandas.query.blocks import read_location
from aurorax_pandas.sources import bundled_sources

if TYPE_CHECKING:
    import xarray as xr

    #: Places of stations by display name or identifier, or a Dataset of them.
    StationPlaces = Mapping[Any, tuple[float, float]] | xr.Dataset

Floats = npt.NDArray[np.float64]

# a custom location is of no type that the service has a word for
_ON_THE_GROUND: Final = ("ground", "not_applicable")
_SHOWN: Final = 3


def station_sides(events: pd.DataFrame) -> npt.NDArray[np.int8]:
    """
    Tell which source of each event is its station: 0 the first, 1 the second, −1 none.

    A ground source comes before a custom location, and of two alike the one that the pair's label names first.
    """
    types = list(map(_rank_on_ground, sides_of(events, "source_type")))
    side = (types[1] < types[0]).astype(np.int8)
    side[np.minimum(*types) == len(_ON_THE_GROUND)] = -1
    alike = np.flatnonzero((types[0] == types[1]) & (side >= 0))
    if len(alike):
        first, second = (
            names.iloc[alike].fillna("").astype("str").to_numpy(object) for names in sides_of(events, "display_name")
        )
        side[alike] = second < first
    return side


def _rank_on_ground(types: pd.Series[Any]) -> npt.NDArray[np.int8]:
    rank = np.full(len(types), len(_ON_THE_GROUND), np.int8)
    for number, name in enumerate(_ON_THE_GROUND):
        rank[(types == name).fillna(False).to_numpy(bool)] = number
    return rank


def of_side(events: pd.DataFrame, sides: npt.NDArray[np.integer[Any]], field: str) -> pd.Series[Any]:
    """Return a field of the first (0) or second (1) source of each event, missing where that is neither."""
    return of_one_side(events, sides == 0, field).where((sides == 0) | (sides == 1))


def station_places(
    events: pd.DataFrame, stations: StationPlaces | None, what: str, ephemeris: xr.Dataset | None = None
) -> tuple[Floats, Floats]:
    """
    Return the geodetic latitude and longitude [degrees] of the station of each event; NaN where it has none.

    Parameters
    ----------
    events : pandas.DataFrame
        Events of `explode_events`.
    stations : mapping of str or int to (float, float), or xarray.Dataset, optional
        Places by display name or identifier; they come before the service's table.
    what : str
        What is missing where a station's place is not known, for the warning.
    ephemeris : xarray.Dataset, optional
        Where everyone was: it has the places of stations that neither `stations` nor the service's table know.

    Raises
    ------
    AuroraxInputError
        If `stations` is no mapping of places and no ephemeris.
    """
    given = _given_places(stations)
    sides = station_sides(events)
    names = of_side(events, sides, "display_name").astype("str")
    identifiers = of_side(events, sides, "identifier").astype("Int64")
    codes, first = distinct_rows(identifiers.fillna(-1).to_numpy(np.int64), names)
    table = bundled_sources().set_index("identifier")[["geodetic_lat", "geodetic_lon"]]
    keys = zip(identifiers.iloc[first].fillna(-1), names.iloc[first], strict=True)
    places = np.array([_place_of(int(key), name, given, table) for key, name in keys], np.float64).reshape(-1, 2)
    if ephemeris is not None and np.isnan(places).any():
        held = _places_held(ephemeris)
        for row in np.flatnonzero(np.isnan(places[:, 0])):
            places[row] = held.get(names.iloc[first[row]], (np.nan, np.nan))
    lat, lon = np.where(sides >= 0, places[codes].T, np.nan)
    lost = (sides >= 0) & np.isnan(lat)
    if lost.any():
        shown = sorted(set(names[lost]))
        text = ", ".join(shown[:_SHOWN]) + (f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else "")
        warnings.warn(
            f"{what} is missing in {lost.sum()} of {len(events)} events: the place of {text} is not known; "
            f"give stations={{{shown[0]!r}: (latitude, longitude)}}",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
    return lat, lon


def _given_places(stations: StationPlaces | None) -> dict[Any, tuple[float, float]]:
    if stations is None:
        return {}
    import xarray as xr

    if isinstance(stations, xr.Dataset):
        return _places_held(stations)
    if isinstance(stations, Mapping):
        return {key: read_location(place) for key, place in stations.items()}
    raise invalid(
        "stations",
        stations,
        "a dict of names and places such as {'Calgary': (51.05, -114.07)}, or an ephemeris of stations",
    )


def _places_held(ephemeris: xr.Dataset) -> dict[Any, tuple[float, float]]:
    """Return the places of the stations in an ephemeris by their display names; none where it has no own positions."""
    table = source_table(check_ephemeris(ephemeris))
    if not {"geo_lat", "geo_lon"} <= set(ephemeris.data_vars):
        return {}
    # a station does not move, so that its largest latitude is its only one
    lat, lon = (ephemeris[name].max("epoch").values for name in ("geo_lat", "geo_lon"))
    rows = np.flatnonzero(table["source_type"].eq("ground") & ~np.isnan(lat))
    return {table["display_name"][row]: (float(lat[row]), float(lon[row])) for row in rows}


def _place_of(
    identifier: int, name: str, given: Mapping[Any, tuple[float, float]], table: pd.DataFrame
) -> tuple[float, float] | Any:
    if name in given:
        return given[name]
    if identifier in given:
        return given[identifier]
    return table.loc[identifier].to_numpy(np.float64) if identifier in table.index else named_place(name)
