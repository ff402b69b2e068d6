"""Satellites of element sets: which source each is, where SGP4 has it, and whether that can be."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.ephemeris.dataset import NO_IDENTIFIER
from aurorax_pandas.ephemeris.elements import DAY, Elements, ElementSet, read_elements
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame.model import DATETIME, SOURCE_FIELDS
from aurorax_pandas.sources import bundled_sources
from aurorax_pandas.times import Times, nearest

#: Apogee altitude above which a satellite that the service does not know is ``heo`` [km].
HEO_APOGEE: Final = 3000.0
#: How far drag and the flattening of the Earth may take a radius from the perigee and apogee of its elements [km].
_MARGIN: Final = 200.0
#: What is lower than this above the equator's radius does not come round again [km].
_LOWEST: Final = 80.0
# the Moon's and the Sun's gravity over the cube of their distance [1/s²]
_TIDES: Final = 4902.8 / 384_400.0**3 + 1.327_124e11 / 149_597_871.0**3
# the Sun's pull goes to and fro in half a year, which is 2π times as long [days]
_TO_AND_FRO: Final = 30.0
# between instants on the way no decay can hide: it lasts as long again as the way to it
_RATIO: Final = 1.25
_NEAREST: Final = 0.1
_PHASES: Final = 8

_Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Satellite:
    """A satellite: the six fields of its data source, and its element sets in the order of their instants."""

    source: tuple[Any, ...]
    label: str
    sets: list[ElementSet]
    instants: Times

    def nearest(self, epochs: Times) -> npt.NDArray[np.int64]:
        """Return which element set serves each epoch."""
        return nearest(self.instants, epochs)

    def age(self, epochs: Times) -> _Array:
        """Return how far each epoch is from the elements that serve it [days]."""
        apart: _Array = np.abs(epochs - self.instants[self.nearest(epochs)]) / np.timedelta64(1, "D")
        return apart

    def describe(self, epochs: Times) -> str:
        """Say of when the elements are and how far an epoch is from them."""
        instants = ", ".join(str(one.astype("M8[m]")) for one in self.instants)
        return f"{self.label} of {instants} UTC, at most {self.age(epochs).max():.1f} days from an epoch"

    def warn_of_age(self, epochs: Times, longest: pd.Timedelta) -> None:
        """Warn where elements are used farther from their instant than wanted."""
        age = self.age(epochs)
        count = int((age > longest / pd.Timedelta("1D")).sum())
        if count:
            warnings.warn(
                f"{count} of {len(epochs)} epochs of {self.source[-1]} are more than {longest / pd.Timedelta('1D'):g} days "
                f"from the instant of its elements, at most {age.max():.1f} days: its orbit may be far off; give elements "
                "nearer in time, or max_age=None",
                AuroraxDataWarning,
                stacklevel=callers_level(),
            )

    def inertial(self, epochs: Times) -> _Array:
        """
        Return positions [km], shape (epoch, 3), in the frame of SGP4 (TEME).

        Raises
        ------
        AuroraxInputError
            If the satellite had not been launched, or its elements do not allow where SGP4 has it.
        """
        serves = self.nearest(epochs)
        positions = np.empty((len(epochs), 3))
        for index, one in enumerate(self.sets):
            mine = serves == index
            if mine.any():
                self._check_launch(one, epochs[mine][0])
                way = _on_the_way(one, epochs[mine])
                self._check_radii(one, way, *_sgp4(one.orbit, way))
                errors, positions[mine] = _sgp4(one.orbit, epochs[mine])
                self._check_radii(one, epochs[mine], errors, positions[mine])
        return positions

    def _check_launch(self, one: ElementSet, first: np.datetime64) -> None:
        if one.launch_year is not None and first < np.datetime64(f"{one.launch_year}-01-01"):
            raise AuroraxInputError(
                f"start: {first} is before the launch of {self.source[-1]} in {one.launch_year} "
                f"({one.designator}); give a later start"
            )

    def _check_radii(self, one: ElementSet, epochs: Times, errors: npt.NDArray[Any], positions: _Array) -> None:
        from sgp4.api import SGP4_ERRORS

        # past decay the numbers grow without bound
        with np.errstate(all="ignore"):
            radius = np.sqrt((positions**2).sum(axis=1))
            low, high = _allowed(one, epochs)
            wrong = np.flatnonzero((errors != 0) | ~((radius >= low) & (radius <= high)))
        if not len(wrong):
            return
        at = wrong[np.argmin(np.abs(epochs[wrong] - one.instant))]
        where = f"{radius[at]:.0f} km from the centre of the Earth" if np.isfinite(radius[at]) else "nowhere"
        said = f"SGP4: {SGP4_ERRORS.get(int(errors[at]), 'unknown error')}; " if errors[at] else ""
        raise AuroraxInputError(
            f"elements: those of {self.source[-1]} of {one.instant.astype('M8[m]')} put it {where} at {epochs[at]} "
            f"({said}they allow {low[at]:.0f} to {high[at]:.0f} km): it has decayed by then, or they are too old for it; "
            "give elements nearer in time"
        )


def _sgp4(orbit: Any, epochs: Times) -> tuple[npt.NDArray[Any], _Array]:
    """Return SGP4's error codes and positions [km]."""
    since = (epochs - np.datetime64("1970-01-01", "us")).astype(np.int64)
    days, micros = np.divmod(since, DAY)
    errors, positions, _ = orbit.sgp4_array(days + 2440587.5, micros / DAY)
    return errors, positions


def _allowed(one: ElementSet, epochs: Times) -> tuple[_Array, _Array]:
    """
    Return the least and greatest radius [km] that elements allow at epochs.

    Drag takes a satellite down, or backwards in time up, by 30 km in 42 days (GRACE 2 at 350 km) to 140 km in 118; the
    flattening of the Earth moves radii by 10 km at most. The Moon and the Sun change the eccentricity e of mean motion n
    by at most 15/4 · K/n · e √(1 − e²) a second, K the sum of their gravity over the cube of their distance (M. L. Lidov,
    Planetary and Space Science 9, 719, 1962), so a perigee by 15/8 · a K/n: 0.1 km a day in low orbits, 4 in Molniya's,
    50 in Cluster's.
    """
    orbit = one.orbit
    earth = orbit.radiusearthkm
    tides = orbit.a * earth * 15 / 8 * _TIDES / (orbit.no_kozai / 60.0) * 86400.0
    days = np.abs(epochs - one.instant) / np.timedelta64(1, "D")
    margin = _MARGIN + tides * (days + _TO_AND_FRO)
    low = np.maximum((orbit.altp + 1) * earth - margin, geometry.EQUATORIAL_RADIUS + _LOWEST)
    return low, (orbit.alta + 1) * earth + margin


def _on_the_way(one: ElementSet, epochs: Times) -> Times:
    """Return instants between that of the elements and the epochs, denser near the elements, some to a revolution."""
    period = 2 * np.pi / one.orbit.no_kozai / 1440.0
    ways = []
    for end in (epochs[0], epochs[-1]):
        days = (end - one.instant) / np.timedelta64(1, "D")
        count = int(np.log(max(abs(days), _NEAREST) / _NEAREST) / np.log(_RATIO)) + 1
        offsets = abs(days) / _RATIO ** np.arange(1, count + 1)
        phases = offsets[:, None] + period * np.arange(_PHASES) / _PHASES
        ways.append(np.sign(days) * phases[phases <= abs(days)])
    micros = np.round(np.concatenate(ways) * DAY).astype("m8[us]")
    return one.instant + micros


def read_satellites(elements: Elements) -> list[Satellite]:
    """
    Read the satellites of element sets, in the order in which they first stand.

    Raises
    ------
    AuroraxInputError
        If elements cannot be read, or two satellites would be one of the service's.
    """
    by_satellite: dict[int | str, dict[np.datetime64, ElementSet]] = {}
    for one in read_elements(elements):
        sets = by_satellite.setdefault(one.satellite, {})
        # of two sets of one instant the later made one counts
        if one.instant not in sets or one.revision >= sets[one.instant].revision:
            sets[one.instant] = one
    ordered = [[sets[instant] for instant in sorted(sets)] for sets in by_satellite.values()]
    sources = _sources_of_satellites(ordered)
    return [
        Satellite(source, str(sets[0].satellite), sets, np.array([one.instant for one in sets], DATETIME))
        for source, sets in zip(sources, ordered, strict=True)
    ]


def _sources_of_satellites(satellites: list[list[ElementSet]]) -> list[tuple[Any, ...]]:
    names = [_name_of_satellite(sets) for sets in satellites]
    found: list[tuple[Any, ...]] = []
    for sets, name in zip(satellites, names, strict=True):
        known = _known_satellite(sets[0].number, name)
        if known is not None and known in found:
            raise AuroraxInputError(f"elements: two satellites are named {known[-1]!r}; give them names of their own")
        if known is None:
            same = [other.casefold() for other in names].count(name.casefold()) > 1
            platform = f"{name.lower()} {sets[0].satellite}" if same else name.lower()
            apogee = sets[-1].orbit.alta * sets[-1].orbit.radiusearthkm
            kind = "heo" if apogee > HEO_APOGEE else "leo"
            known = (NO_IDENTIFIER, "custom", platform, "footprint", kind, name)
        found.append(known)
    return found


def _name_of_satellite(sets: list[ElementSet]) -> str:
    return next((one.name for one in sets if one.name), f"NORAD {sets[0].satellite}")


def _known_satellite(number: int | None, name: str) -> tuple[Any, ...] | None:
    """Return the source of the service that a satellite is: by its number, by its name where that has none there."""
    table = bundled_sources()
    table = table[table["source_type"].isin(["leo", "heo"])]
    if number is not None:
        same = table["catalogue_number"].eq(number).fillna(False)
        if same.any():
            return tuple(table[same].iloc[0][list(SOURCE_FIELDS)])
        table = table[table["catalogue_number"].isna()]
    keys = table["display_name"].map(_name_key)
    same = keys.eq(_name_key(name))
    return tuple(table[same].iloc[0][list(SOURCE_FIELDS)]) if same.any() else None


def _name_key(name: str) -> str:
    # catalogues write SWARM A, THEMIS-A, GOES 8, ARASE (ERG)
    bare = re.sub(r"\(.*?\)|\[.*?\]|[\W_]", "", name.casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", bare)
