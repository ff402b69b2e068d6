"""Where the sources of a frame were, in geodetic latitude, read out of an ephemeris."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.ephemeris.dataset import LOCATIONS, measured_ephemeris, source_table, step_of_epochs
from aurorax_pandas.sources import SPACECRAFT, bundled_sources
from aurorax_pandas.times import Times, nearest

if TYPE_CHECKING:
    import xarray as xr


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# a table of all numbers is faster than sorting, where the numbers are not much fewer
_SPARSE: Final = 32
# products of so many distinct values by those of another column fit into 64 bits
_MANY: Final = 2**31

#: What tells the sources of `Tracks` from each other.
TRACKED = ("identifier", "platform", "source_type", "display_name")


class Tracks:
    """
    Positions of sources by number and epoch.

    Parameters
    ----------
    ephemeris : xarray.Dataset
        An ephemeris, which is checked.
    sources : pandas.DataFrame
        The sources asked for, one a row: ``identifier``, ``platform``, ``source_type``, ``display_name``. Their row
        numbers stand for them below.
    """

    def __init__(self, ephemeris: xr.Dataset, sources: pd.DataFrame) -> None:
        self._ephemeris, self._extents = ephemeris, measured_ephemeris(ephemeris)
        self._codes, self._first = distinct_rows(
            *(sources[name] for name in ("identifier", "platform", "display_name", "source_type"))
        )
        self._sources = sources.iloc[self._first].reset_index(drop=True)
        own = pd.Index(_keys(source_table(ephemeris)), dtype=object)
        self._rows = own.get_indexer(pd.Index(_keys(self._sources), dtype=object)).astype(np.int64)
        self._incomplete = bool((self._rows < 0).any())
        self.epochs: Times = ephemeris["epoch"].values.astype("M8[us]")
        self.step: np.timedelta64 = step_of_epochs(self.epochs)
        self._places: dict[str, Floats] = {}
        self._read: dict[str, Floats] = {}
        types = self._sources["source_type"]
        self.moves: npt.NDArray[np.bool_] = types.isin(SPACECRAFT).to_numpy(bool)[self._codes]
        #: Which sources are lists of events.
        self.listed: npt.NDArray[np.bool_] = (types == "event_list").to_numpy(bool, na_value=False)[self._codes]
        #: Whether the ephemeris has own positions at all.
        self.has_positions: bool = "geo_lat" in ephemeris

    def window(self, start: Times, end: Times) -> tuple[Ints, Ints]:
        """Return the first epoch at or after each start and the one past the last at or before each end."""
        first = np.searchsorted(self.epochs, start, side="left")
        return first.astype(np.int64), np.searchsorted(self.epochs, end, side="right").astype(np.int64)

    def around(self, start: Times, end: Times) -> tuple[Ints, Ints]:
        """Return the last epoch at or before each start and the one past the first at or after each end; there is one."""
        first = np.searchsorted(self.epochs, start, side="right") - 1
        stop = np.searchsorted(self.epochs, end, side="left") + 1
        return np.maximum(first, 0).astype(np.int64), np.minimum(stop, len(self.epochs)).astype(np.int64)

    def stands(self, conjunction_type: str, source: Ints) -> npt.NDArray[np.bool_]:
        """Tell which sources have the location that a conjunction type compares at all epochs, since they stand still."""
        known: npt.NDArray[np.bool_] = ~np.isnan(self._still_places(conjunction_type)[0])
        return known[self._codes[source]] & ~self.listed[source]

    def geodetic(self, conjunction_type: str, source: Ints, at: Ints) -> tuple[Floats, Floats]:
        """
        Return geodetic latitudes and longitudes [degrees] of the locations that a conjunction type compares.

        Parameters
        ----------
        conjunction_type : {"nbtrace", "sbtrace", "geographic"}
            Which locations.
        source, at : ndarray of int64
            The sources, and the epochs by position. A station does not move, so that it has a position at all
            epochs: the ephemeris's, or the service's table's where the ephemeris lacks the station, or that in the
            name of a custom location. An event of a list has a position of its own, at its epoch alone. Without
            ``geo_alt`` and ``radial_distance`` a spacecraft's own position is converted as if it were 100 km high.
        """
        prefix = LOCATIONS[conjunction_type]
        rows = self.rows(source)
        lat, lon = (self._values_of_rows(f"{prefix}_{part}", rows, at) for part in ("lat", "lon"))
        moving = self.moves[source]
        altitude: Any = geometry.FOOTPRINT_ALTITUDE
        if conjunction_type == "geographic":
            own = self.altitudes(source[moving], at[moving])
            altitude = np.where(np.isnan(own), altitude, own)
        lat[moving] = geometry.geodetic_latitude(lat[moving], altitude)
        # the conjugate point of a station does move
        here = moving | self.listed[source] | ~np.isnan(lat)
        still, code = self._still_places(conjunction_type), self._codes[source]
        return np.where(here, lat, still[0, code]), np.where(here, lon, still[1, code])

    def compared(
        self, conjunction_type: str, source: Ints, at: Ints, *, geodetic: bool = False
    ) -> tuple[Floats, Floats]:
        """
        Return latitudes and longitudes [degrees] as a search compares them.

        Parameters
        ----------
        conjunction_type : {"nbtrace", "sbtrace", "geographic"}
            Which locations.
        source, at : ndarray of int64
            The sources, and the epochs by position. A source that the ephemeris holds is where that says, or nowhere;
            a station that it lacks is at its place in the service's table.
        geodetic : bool, default False
            Whether to return geodetic latitudes, in place of those that the service has.
        """
        prefix = LOCATIONS[conjunction_type]
        rows = self.rows(source)
        lat, lon = (self._values_of_rows(f"{prefix}_{part}", rows, at) for part in ("lat", "lon"))
        if geodetic:
            lat = np.where(np.isnan(lat), np.nan, self.geodetic(conjunction_type, source, at)[0])
        if not self._incomplete:
            return lat, lon
        lacks, still = rows < 0, self._still_places(conjunction_type)[:, self._codes[source]]
        return np.where(lacks, still[0], lat), np.where(lacks, still[1], lon)

    def geodetic_vectors(self, conjunction_type: str, source: Ints, at: Ints) -> Floats:
        """Return the unit vectors, shape (3, n), of what `geodetic` returns."""

        def places(source: Ints, at: Ints) -> tuple[Floats, Floats]:
            return self.geodetic(conjunction_type, source, at)

        return self._once(places, source, at, self._fixed(conjunction_type))

    def compared_vectors(self, conjunction_type: str, source: Ints, at: Ints, *, geodetic: bool = False) -> Floats:
        """Return the unit vectors, shape (3, n), of what `compared` returns."""

        def places(source: Ints, at: Ints) -> tuple[Floats, Floats]:
            return self.compared(conjunction_type, source, at, geodetic=geodetic)

        return self._once(places, source, at, self._fixed(conjunction_type, gaps=False))

    def _once(
        self,
        places: Callable[[Ints, Ints], tuple[Floats, Floats]],
        source: Ints,
        at: Ints,
        fixed: npt.NDArray[np.bool_],
    ) -> Floats:
        """Return unit vectors of places, each made once, for events of one time share those of their spacecraft."""
        code = self._codes[source]
        distinct, which = _distinct_numbers(code * len(self.epochs) + np.where(fixed[code], 0, at))
        codes, epochs = np.divmod(distinct, max(len(self.epochs), 1))
        return geometry.unit_vectors(*places(self._first[codes], epochs)).take(which, axis=1)

    def _fixed(self, conjunction_type: str, *, gaps: bool = True) -> npt.NDArray[np.bool_]:
        """Tell which distinct sources have one location at all epochs, or where `gaps` may be, none at some."""
        prefix = LOCATIONS[conjunction_type]
        found = ~(self.moves | self.listed)[self._first]
        held = self._rows >= 0
        if prefix in self._extents:
            extents, rows = self._extents[prefix], self._rows[held]
            found[held] &= extents.fixed[rows] & (gaps | ~extents.gaps[rows])
        elif f"{prefix}_lat" in self._ephemeris:
            # chunked, and not measured
            found[held] = False
        return found

    def distinct(self, source: Ints) -> Ints:
        """Return the numbers of the distinct sources that sources are: rows of one source have one."""
        return self._codes[source]

    def rows(self, source: Ints) -> Ints:
        """Return the positions of sources in the ephemeris, −1 for those that it lacks."""
        rows: Ints = self._rows[self._codes[source]]
        return rows

    def altitudes(self, source: Ints, at: Ints) -> Floats:
        """Return altitudes above the ellipsoid [km] at epochs by position, NaN where they are not known."""
        altitude = self._values("geo_alt", source, at)
        distance = self._values("radial_distance", source, at)
        computed = geometry.altitude_of(self._values("geo_lat", source, at), distance)
        return np.where(np.isnan(altitude), computed, altitude)

    def lacks(self, source: Ints) -> npt.NDArray[np.bool_]:
        """Tell which sources the ephemeris lacks, and which have no place of their own elsewhere."""
        code = self._codes[source]
        lacking: npt.NDArray[np.bool_] = (self._rows[code] < 0) & np.isnan(self._still_places("geographic")[0, code])
        return lacking

    def known(self, conjunction_type: str, source: Ints, at: Ints) -> npt.NDArray[np.bool_]:
        """Tell at which epochs, by position, sources have the locations that a conjunction type compares."""
        own = self._values(f"{LOCATIONS[conjunction_type]}_lat", source, at)
        found: npt.NDArray[np.bool_] = ~np.isnan(own) | self.stands(conjunction_type, source)
        return found

    def complete(self, conjunction_type: str, source: Ints, first: Ints, stop: Ints) -> npt.NDArray[np.bool_]:
        """Tell which sources the ephemeris has a location of, as a conjunction type compares, at all epochs of a range."""
        rows, name = self.rows(source), f"{LOCATIONS[conjunction_type]}_lat"
        found = rows >= 0
        if name not in self._ephemeris or not found.any():
            return np.zeros(len(rows), bool)
        begin, end = int(first.min()), int(max(stop.max(), first.max()))
        held = np.flatnonzero(np.bincount(rows[found]))
        place = np.zeros(int(held[-1]) + 2, np.int64)
        place[held] = np.arange(len(held))
        missing = np.zeros((len(held), end - begin + 1), np.int64)
        np.cumsum(np.isnan(self._variable(name)[held, begin:end]), axis=1, out=missing[:, 1:])
        so_far = missing.ravel()
        line = place[rows] * missing.shape[1] - begin
        found &= so_far.take(line + np.maximum(stop, first)) == so_far.take(line + first)
        return found

    def _still_places(self, conjunction_type: str) -> Floats:
        if conjunction_type not in self._places:
            self._places[conjunction_type] = self._still(conjunction_type)
        return self._places[conjunction_type]

    def geodetic_between(self, conjunction_type: str, source: Ints, times: Times) -> tuple[Floats, Floats]:
        """
        Return geodetic latitudes and longitudes (−180 to 180) [degrees] at any times, by interpolation on the sphere.

        A place exists between two epochs that both have one; outside the epochs it is NaN.
        """
        inside, before, after = self._beside(times)
        found = np.full((2, len(times)), np.nan)
        one, two = (self.geodetic_vectors(conjunction_type, source[inside], at) for at in (before, after))
        fraction = (times[inside] - self.epochs[before]) / self.step
        found[:, inside] = geometry.degrees(geometry.interpolate(one, two, fraction))
        return found[0], found[1]

    def covers(self, source: Ints, times: Times) -> npt.NDArray[np.bool_]:
        """Tell where the ephemeris has a location of a source, of whatever kind, at the epochs beside a time."""
        inside, before, after = self._beside(times)
        found = np.zeros(len(times), bool)
        for at in (before, after):
            values = [self._values(f"{prefix}_lat", source[inside], at) for prefix in LOCATIONS.values()]
            known = ~np.isnan(values).all(axis=0)
            found[inside] = known if at is before else found[inside] & known
        return found

    def _beside(self, times: Times) -> tuple[Ints, Ints, Ints]:
        """Return which times lie among the epochs, and for these the epochs before and after, alike on an epoch."""
        after = np.searchsorted(self.epochs, times, side="left").astype(np.int64)
        following = np.searchsorted(self.epochs, times, side="right")
        inside = np.flatnonzero((after < len(self.epochs)) & (following > 0))
        return inside, following[inside] - 1, after[inside]

    @property
    def uncertain(self) -> bool:
        """Whether the ephemeris says how uncertain footprints are."""
        return any(f"{prefix}_uncertainty" in self._ephemeris for prefix in LOCATIONS.values())

    def uncertainty(self, conjunction_type: str, source: Ints, at: Ints) -> Floats:
        """Return how uncertain the footprints that a conjunction type compares are [km], NaN where that is not known."""
        return self._values(f"{LOCATIONS[conjunction_type]}_uncertainty", source, at)

    def hemispheres(self, source: Ints, times: Times) -> npt.NDArray[np.int8]:
        """Tell in which hemisphere spacecraft are: codes of `HEMISPHERE`, −1 where that is not known."""
        codes = np.full(len(source), -1, np.int8)
        if not len(self.epochs):
            return codes
        at, near = self.at(times)
        lat = self._values("geo_lat", source, at)
        known = near & self.moves[source] & ~np.isnan(lat)
        codes[known] = lat[known] < 0
        return codes

    def at(self, times: Times) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Return the epoch nearest to each time, and whether it is at most a step away; there is at least one."""
        at = nearest(self.epochs, times)
        return at, np.abs(self.epochs[at] - times) <= self.step

    def _values(self, name: str, source: Ints, at: Ints) -> Floats:
        return self._values_of_rows(name, self.rows(source), at)

    def _values_of_rows(self, name: str, rows: Ints, at: Ints) -> Floats:
        if name not in self._ephemeris or not self._ephemeris[name].size:
            return np.full(len(rows), np.nan)
        values = self._variable(name)[rows, at]
        return np.where(rows >= 0, values, np.nan) if self._incomplete else values

    def _variable(self, name: str) -> Floats:
        if name not in self._read:
            self._read[name] = self._ephemeris[name].transpose("source", "epoch").values
        return self._read[name]

    def _still(self, conjunction_type: str) -> Floats:
        """Return the positions of the distinct sources that do not move, shape (2, source)."""
        found = np.full((2, len(self._sources)), np.nan)
        table = bundled_sources().set_index("identifier")[["geodetic_lat", "geodetic_lon"]]
        for number in np.flatnonzero(~self._sources["source_type"].isin(SPACECRAFT)):
            row = self._rows[number]
            if row >= 0:
                prefix = LOCATIONS[conjunction_type]
                for part, name in enumerate((f"{prefix}_lat", f"{prefix}_lon")):
                    if name in self._ephemeris:
                        values = self._variable(name)[row]
                        # most have it from the first epoch on
                        known = values[:1] if len(values) and not np.isnan(values[0]) else values[~np.isnan(values)]
                        found[part, number] = known[0] if len(known) else np.nan
            else:
                identifier, name = self._sources["identifier"][number], self._sources["display_name"][number]
                listed = identifier in table.index
                place = table.loc[identifier].to_numpy(np.float64) if listed else named_place(name)
                own = {"nbtrace": place[0] >= 0, "sbtrace": place[0] < 0, "geographic": True}[conjunction_type]
                found[:, number] = place if own else np.nan
        return found


def named_place(name: Any) -> Floats:
    """Return the latitude and longitude [degrees] that a custom location is named by, NaN where it is not."""
    found = re.fullmatch(r"\((-?[\d.]+), (-?[\d.]+)\)", str(name))
    return np.array([float(part) for part in found.groups()] if found else [np.nan, np.nan])


def distinct_rows(*columns: Any) -> tuple[Ints, Ints]:
    """Number the distinct rows of some columns, and give the first row of each."""
    codes, count = np.zeros(len(columns[0]), np.int64), 1
    for column in columns:
        part, values = pd.factorize(column, use_na_sentinel=False)
        codes, count = codes * len(values) + part, count * max(len(values), 1)
        if count > _MANY:
            codes, distinct = pd.factorize(codes)
            count = len(distinct)
    codes = pd.factorize(codes)[0].astype(np.int64)
    # they are numbered as they appear, so that each first one is above all before it
    highest = np.maximum.accumulate(codes)
    return codes, np.flatnonzero(np.diff(highest, prepend=-1)).astype(np.int64)


def _distinct_numbers(numbers: Ints) -> tuple[Ints, Ints]:
    """Return the distinct ones of numbers from 0 on, in order, and which of them each is."""
    total = int(numbers.max(initial=-1)) + 1
    if total > _SPARSE * len(numbers):
        distinct, which = np.unique(numbers, return_inverse=True)
        return distinct, which
    there = np.zeros(total, bool)
    there[numbers] = True
    distinct = np.flatnonzero(there)
    place = np.empty(total, np.int64)
    place[distinct] = np.arange(len(distinct))
    return distinct, place.take(numbers)


def _keys(sources: pd.DataFrame) -> list[Any]:
    # places and satellites of one's own have no identifier of the service, so their names tell them apart
    identifiers = pd.to_numeric(sources["identifier"]).astype("Int64").fillna(-1)
    return [
        f"{platform}\n{name}" if identifier < 0 else int(identifier)
        for identifier, platform, name in zip(identifiers, sources["platform"], sources["display_name"], strict=True)
    ]
