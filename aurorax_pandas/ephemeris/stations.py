"""Ephemerides of places that do not move: the service's instruments on the ground, and places of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.checks import as_list, checked_number, choice, shown, suggestion
from aurorax_pandas.ephemeris.dataset import NO_IDENTIFIER, make_ephemeris, read_epochs
from aurorax_pandas.ephemeris.field import DEFAULT_KP, EXTERNAL_FIELD, MAIN_FIELD, check_main_field_covers, t89_levels
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.model import SOURCE_FIELDS
from aurorax_pandas.query.blocks import read_location
from aurorax_pandas.sources import bundled_sources, platform_named
from aurorax_pandas.times import Times, to_utc

if TYPE_CHECKING:
    import xarray as xr

# the words that tables of stations have for their columns
_COLUMNS: Final = {
    "name": ("name", "station", "site", "display_name"),
    "lat": ("lat", "latitude", "geodetic_lat"),
    "lon": ("lon", "longitude", "geodetic_lon"),
    "alt": ("alt", "altitude", "geo_alt"),
}
# a line starts just above where lines end [km]
_START: Final = geometry.FOOTPRINT_ALTITUDE + 0.01


def stations(
    epochs: Any,
    *,
    programs: str | Sequence[str] | None = None,
    platforms: str | Sequence[str] | None = None,
    locations: Mapping[str, Any] | Sequence[Any] | pd.DataFrame | None = None,
    operating: pd.DataFrame | None = None,
    conjugate: bool = False,
    external: str | None = "t89",
    kp: float | pd.Series[Any] = DEFAULT_KP,
) -> xr.Dataset:
    """
    Make an ephemeris of places that do not move.

    Parameters
    ----------
    epochs : array of datetime64 or DatetimeIndex
        The epochs (UTC), usually those of the spacecraft: ``swarm["epoch"]``.
    programs, platforms : str or sequence of str, optional
        Ground-based instruments of the service's table to take: those of any of the programs, at any of the
        platforms (a site code such as ``"GILL"`` works too).
    locations : mapping, pandas.DataFrame, geopandas.GeoDataFrame or sequence, optional
        Places of your own, geodetic latitude and longitude [degrees] and, where it is known, altitude above the WGS84
        ellipsoid [km]: a dict of names to ``(lat, lon)`` or ``(lat, lon, alt)``; a list of ``(name, lat, lon)`` or
        ``(name, lat, lon, alt)``; a frame with the columns ``name`` (else the index), ``lat``, ``lon`` and perhaps
        ``alt``; or a GeoDataFrame of points. They have the program ``"custom"`` and their name for a platform.
    operating : pandas.DataFrame, optional
        When they had data: ``identifier``, ``start``, ``end`` (UTC, inclusive), one row per span; a source that is
        not listed had none. By default they always have.
    conjugate : bool, default False
        Whether to trace the field line of each place to the other hemisphere, at every epoch, so that its conjugate
        point can be searched too.
    external : {"t89", None}, default "t89"
        External field of the conjugate traces; see `footprints_from_elements`.
    kp : float or pandas.Series, optional
        Kp of the external field, as in `footprints_from_elements`.

    Returns
    -------
    xarray.Dataset
        The ephemeris, geodetic [degrees]: own positions, and the trace of their own hemisphere at the same place;
        with `conjugate` the other trace too, the end 100 km above the ellipsoid of the line that goes through the point
        100 km above the place, NaN where it does not return. ``geo_alt`` [km] where an altitude is given. Join it with
        others by ``xarray.concat([swarm, cameras], dim="source")``.

    Raises
    ------
    AuroraxInputError
        If a name is not known, a place is off the map or given twice, an instant is none, or the field models do not
        cover the epochs of conjugate traces.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> epochs = pd.date_range("2020-01-01", periods=60, freq="1min")
    >>> aurorax_pandas.stations(epochs, locations={"Calgary": (51.05, -114.07)})["display_name"].item()
    'Calgary'
    >>> gillam = aurorax_pandas.stations(epochs[:1], programs="themis-asi", platforms="GILL", conjugate=True)
    >>> gillam[["sbtrace_lat", "sbtrace_lon"]].round(0).to_array().values.ravel().tolist()
    [-72.0, -137.0]
    """
    choice("external", external, ("t89", None))
    times = read_epochs("epochs", epochs)
    chosen = [_known_stations(programs, platforms)] if programs is not None or platforms is not None else []
    if locations is not None and len(locations):
        chosen.append(_custom_stations(locations))
    if not chosen:
        raise AuroraxInputError("stations needs programs=, platforms= or locations=")
    table = pd.concat(chosen, ignore_index=True)
    lat, lon = (table[name].to_numpy(np.float64)[:, None] for name in ("geodetic_lat", "geodetic_lon"))
    shape = (len(table), len(times))
    present = np.broadcast_to(True, shape) if operating is None else _operates(table, times, operating)
    north = lat >= 0
    traced, said = _conjugate_traces(lat, lon, times, external, kp) if conjugate else ({}, {})
    variables = {}
    for prefix, where in (("geo", np.True_), ("nbtrace", north), ("sbtrace", ~north)):
        for part, values in (("lat", lat), ("lon", lon)):
            name = f"{prefix}_{part}"
            still = np.where(where, values, traced.get(name, np.nan))
            variables[name] = np.broadcast_to(still, shape) if operating is None else np.where(present, still, np.nan)
    if "geo_alt" in table and table["geo_alt"].notna().any():
        variables["geo_alt"] = np.broadcast_to(table["geo_alt"].to_numpy(np.float64)[:, None], shape)
    made = make_ephemeris(table, times, variables)
    made.attrs |= said
    return made


def _known_stations(programs: Any, platforms: Any) -> pd.DataFrame:
    table = bundled_sources()
    table = table[table["source_type"] == "ground"].dropna(subset=["geodetic_lat", "geodetic_lon"])
    keep = pd.Series(data=True, index=table.index)
    for argument, given, column in (("programs", programs, "program"), ("platforms", platforms, "platform")):
        wanted = [platform_named(name) if column == "platform" else name for name in as_list(given)]
        for name in wanted:
            if not table[column].eq(name).any():
                raise AuroraxInputError(
                    f"{argument}: no station {name!r}; {suggestion(name, sorted(set(table[column])))}"
                )
        if wanted:
            keep &= table[column].isin(wanted)
    if not keep.any():
        raise AuroraxInputError(f"no station has programs={programs!r} and platforms={platforms!r}")
    return table[keep]


def _custom_stations(locations: Any) -> pd.DataFrame:
    rows = []
    for name, lat, lon, alt in _places_in_any_form(locations):
        if not isinstance(name, str) or not name.strip():
            raise AuroraxInputError(f"locations: {name!r} is not a name; give each place one, as text")
        height = np.nan
        if alt is not None and not pd.isna(alt):
            height = checked_number(
                f"locations: altitude of {name!r}", alt, lambda km: -1 <= km <= 9, "kilometres above the ellipsoid"
            )
        rows.append(
            (NO_IDENTIFIER, "custom", name, "custom location", "ground", name, *read_location((lat, lon)), height)
        )
    made = pd.DataFrame(rows, columns=[*SOURCE_FIELDS, "geodetic_lat", "geodetic_lon", "geo_alt"])
    if (twice := made["display_name"].duplicated()).any():
        raise AuroraxInputError(f"locations: {made['display_name'][twice].iloc[0]!r} stands twice; give other names")
    return made


def _places_in_any_form(locations: Any) -> list[tuple[Any, Any, Any, Any]]:
    """Return the names, latitudes, longitudes and altitudes, None where there is none, of places in any form."""
    if isinstance(locations, pd.DataFrame):
        return _places_of_frame(locations)
    if isinstance(locations, Mapping):
        return [(name, *_place_with_altitude(place)) for name, place in locations.items()]
    if isinstance(locations, Sequence) and not isinstance(locations, str):
        places = []
        for place in locations:
            parts = as_list(place)
            if not 3 <= len(parts) <= 4:
                raise AuroraxInputError(
                    f"locations: {shown(place)} is not (name, latitude, longitude) with or without altitude"
                )
            places.append((parts[0], *_place_with_altitude(parts[1:])))
        return places
    raise AuroraxInputError(
        f"locations is a {type(locations).__name__}; give a dict of names, a list of (name, lat, lon) or a frame"
    )


def _place_with_altitude(place: Any) -> tuple[Any, Any, Any]:
    if isinstance(place, Mapping) and "alt" in place:
        rest = {key: value for key, value in place.items() if key != "alt"}
        return (*read_location(rest), place["alt"])
    parts = as_list(place)
    if len(parts) == 3:
        return parts[0], parts[1], parts[2]
    return (*read_location(place), None)


def _places_of_frame(locations: pd.DataFrame) -> list[tuple[Any, Any, Any, Any]]:
    named = {str(column).lower(): column for column in locations.columns}
    found: dict[str, Any] = {
        part: next((locations[named[word]] for word in words if word in named), None)
        for part, words in _COLUMNS.items()
    }
    if hasattr(locations, "geom_type"):
        if not (locations.geom_type == "Point").all():
            raise AuroraxInputError("locations: the GeoDataFrame holds other shapes than points; give frame.centroid")
        points: Any = locations.geometry
        points = points if points.crs is None else points.to_crs("EPSG:4326")
        found |= {"lat": points.y, "lon": points.x}
    for part in ("lat", "lon"):
        if found[part] is None:
            shown = ", ".join(map(str, locations.columns))
            raise AuroraxInputError(f"locations: there is no column {part!r}; the frame has {shown}")
    names = locations.index if found["name"] is None else found["name"]
    altitudes = [None] * len(locations) if found["alt"] is None else found["alt"]
    return list(zip(names, found["lat"], found["lon"], altitudes, strict=True))


def _operates(table: pd.DataFrame, times: npt.NDArray[Any], operating: pd.DataFrame) -> npt.NDArray[np.bool_]:
    missing = {"identifier", "start", "end"}.difference(getattr(operating, "columns", ()))
    if missing:
        raise AuroraxInputError(
            f"operating: the column {min(missing)!r} is missing; give identifier, start and end (UTC)"
        )
    present = np.zeros((len(table), len(times)), bool)
    for identifier, start, end in operating[["identifier", "start", "end"]].itertuples(index=False):
        # places of one's own have one identifier
        mine = (table["identifier"] == identifier).to_numpy(bool)
        if mine.any():
            first = to_utc("operating: start", start).to_datetime64()
            last = to_utc("operating: end", end, last=True).to_datetime64()
            present[mine] |= (times >= first) & (times <= last)
    return present


def _conjugate_traces(
    lat: npt.NDArray[np.float64], lon: npt.NDArray[np.float64], times: Times, external: str | None, kp: Any
) -> tuple[dict[str, npt.NDArray[np.float64]], dict[str, Any]]:
    """Return geodetic traces [degrees] of places of shape (place, 1) by variable, and what the field was."""
    from aurorax_pandas.ephemeris.tracing import trace_footprints

    levels, given_kp = t89_levels(kp, times)
    if len(times):
        check_main_field_covers(times)
    above = np.moveaxis(geometry.earth_fixed(lat, lon, _START), 0, 2)
    positions = np.broadcast_to(above, (len(lat), len(times), 3))
    traced = trace_footprints(positions, times, levels if external else None)
    for name in ("nbtrace_lat", "sbtrace_lat"):
        traced[name] = geometry.geodetic_latitude(traced[name])
    field = MAIN_FIELD + (f" and {EXTERNAL_FIELD}" if external else "")
    return traced, {"field": field, **({"kp": given_kp} if external else {})}
