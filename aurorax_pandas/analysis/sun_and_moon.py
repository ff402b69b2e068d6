"""Where the Sun and the Moon are, fixed to the turning Earth."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.ephemeris.field import J2000, sidereal_angle
from aurorax_pandas.times import Times

Floats = npt.NDArray[np.float64]

#: The astronomical unit [km] (IAU 2012, resolution B2).
ASTRONOMICAL_UNIT: Final = 149_597_870.7

# after each of these UTC lags International Atomic Time by a second more; the first one is of 10 seconds (IERS, Bulletin C)
_LEAP_SECONDS: Final = np.array(
    [
        *("1972-01-01", "1972-07-01", "1973-01-01", "1974-01-01", "1975-01-01", "1976-01-01", "1977-01-01"),
        *("1978-01-01", "1979-01-01", "1980-01-01", "1981-07-01", "1982-07-01", "1983-07-01", "1985-07-01"),
        *("1988-01-01", "1990-01-01", "1991-01-01", "1992-07-01", "1993-07-01", "1994-07-01", "1996-01-01"),
        *("1997-07-01", "1999-01-01", "2006-01-01", "2009-01-01", "2012-07-01", "2015-07-01", "2017-01-01"),
    ],
    "M8[us]",
)
# as many instants at once as the sines of 120 terms of fit into a processor's cache
_BLOCK: Final = 2_048


def sun_position(times: Times) -> Floats:
    """
    Return Earth-fixed positions of the Sun [km], shape (3, time), for the mean equinox's own rotation of the Earth.

    References
    ----------
    J. Meeus, "Astronomical Algorithms", 2nd ed., Willmann-Bell (1998), chapter 25, and the four largest periodic terms
    of the planets and the Moon from "Astronomical Formulae for Calculators", 4th ed. (1988), chapter 18. Within 0.007
    degrees of the ephemerides of the Jet Propulsion Laboratory from 1990 to 2035.
    """
    century = _centuries(times)
    mean = 280.46646 + (36000.76983 + 0.0003032 * century) * century
    anomaly = _sun_anomaly(century)
    centre = (
        (1.914602 - (0.004817 + 0.000014 * century) * century) * np.sin(anomaly)
        + (0.019993 - 0.000101 * century) * np.sin(2 * anomaly)
        + 0.000289 * np.sin(3 * anomaly)
    )
    # these count from 1900
    since = century + 1.0
    perturbed = (
        0.00134 * np.cos(np.radians(153.23 + 22518.7541 * since))
        + 0.00154 * np.cos(np.radians(216.57 + 45037.5082 * since))
        + 0.00200 * np.cos(np.radians(312.69 + 32964.3577 * since))
        + 0.00179 * np.sin(np.radians(350.74 + (445267.1142 - 0.00144 * since) * since))
    )
    eccentricity = 0.016708634 - (0.000042037 + 0.0000001267 * century) * century
    distance = (
        1.000001018 * (1 - eccentricity**2) / (1 + eccentricity * np.cos(anomaly + np.radians(centre)))
    ) * ASTRONOMICAL_UNIT
    aberration = -20.4898 / 3600 * ASTRONOMICAL_UNIT / distance
    longitude = np.radians(mean + centre + perturbed + aberration)
    return _earth_fixed_place(times, century, longitude, np.zeros_like(longitude), distance)


def moon_position(times: Times) -> Floats:
    """
    Return Earth-fixed positions of the Moon's centre [km], shape (3, time).

    References
    ----------
    J. Meeus, "Astronomical Algorithms", 2nd ed., Willmann-Bell (1998), chapter 47, all of its periodic terms. Within
    0.004 degrees of the ephemerides of the Jet Propulsion Laboratory from 1990 to 2035.
    """
    blocks = [_moon_block(times[first : first + _BLOCK]) for first in range(0, len(times), _BLOCK)]
    return np.concatenate(blocks, axis=1) if blocks else np.empty((3, 0))


def illuminated_fraction(sun: Floats, moon: Floats) -> Floats:
    """Return which part of the Moon's disc the Sun lights, 0 to 1, of positions of both [km], shape (3, time)."""
    to_sun = sun - moon
    cosine = -(moon * to_sun).sum(axis=0) / np.linalg.norm(moon, axis=0) / np.linalg.norm(to_sun, axis=0)
    return np.asarray((1 + cosine) / 2, np.float64)


def _moon_block(times: Times) -> Floats:
    terms = _moon_terms()
    century = _centuries(times)
    mean = np.radians((218.3164477 + (481267.88123421 - 0.0015786 * century) * century) % 360)
    elongation = np.radians((297.8501921 + (445267.1114034 - 0.0018819 * century) * century) % 360)
    moon_anomaly = np.radians((134.9633964 + (477198.8675055 + 0.0087414 * century) * century) % 360)
    argument = np.radians((93.2720950 + (483202.0175233 - 0.0036539 * century) * century) % 360)
    arguments = terms.multipliers @ np.stack([elongation, _sun_anomaly(century), moon_anomaly, argument])
    sines, cosines = np.sin(arguments), np.zeros_like(arguments)
    # most terms do not change the distance
    cosines[terms.of_distance] = np.cos(arguments[terms.of_distance])
    longitude, latitude, distance = np.zeros((3, len(times)))
    # the eccentricity of the Earth's orbit, which decreases, is a factor for each time that the Sun's anomaly counts
    eccentricity = 1 - (0.002516 + 0.0000074 * century) * century
    for power, rows in enumerate(terms.rows_by_power):
        factor = eccentricity**power
        longitude += factor * (terms.longitude[rows] @ sines[rows])
        latitude += factor * (terms.latitude[rows] @ sines[rows])
        distance += factor * (terms.distance[rows] @ cosines[rows])
    venus = np.radians(119.75 + 131.849 * century)
    jupiter = np.radians(53.09 + 479264.290 * century)
    third = np.radians(313.45 + 481266.484 * century)
    longitude += 3958 * np.sin(venus) + 1962 * np.sin(mean - argument) + 318 * np.sin(jupiter)
    latitude += (
        -2235 * np.sin(mean)
        + 382 * np.sin(third)
        + 175 * (np.sin(venus - argument) + np.sin(venus + argument))
        + 127 * np.sin(mean - moon_anomaly)
        - 115 * np.sin(mean + moon_anomaly)
    )
    return _earth_fixed_place(
        times,
        century,
        mean + np.radians(longitude * 1e-6),
        np.radians(latitude * 1e-6),
        385000.56 + distance * 1e-3,
    )


class _MoonTerms:
    """The periodic terms of the Moon: how often each argument counts, and amplitudes [1e-6 degrees, m]."""

    def __init__(self) -> None:
        with resources.files("aurorax_pandas").joinpath("data/moon.csv").open("rb") as file:
            table = pd.read_csv(file).to_numpy(np.float64)
        self.multipliers, (self.longitude, self.distance, self.latitude) = table[:, :4], table[:, 4:].T
        self.of_distance = np.flatnonzero(self.distance)
        powers = np.abs(table[:, 1])
        self.rows_by_power = [np.flatnonzero(powers == power) for power in range(int(powers.max()) + 1)]


_moon_terms: Final = functools.cache(_MoonTerms)


def _earth_fixed_place(times: Times, century: Floats, longitude: Floats, latitude: Floats, distance: Floats) -> Floats:
    """Turn ecliptic places [rad, km] of the mean equinox of date to the Earth, with nutation (Meeus, chapter 22)."""
    node = np.radians(125.04452 - 1934.136261 * century)
    sun, moon = np.radians(280.4665 + 36000.7698 * century), np.radians(218.3165 + 481267.8813 * century)
    nutation = np.radians(
        (-17.20 * np.sin(node) - 1.32 * np.sin(2 * sun) - 0.23 * np.sin(2 * moon) + 0.21 * np.sin(2 * node)) / 3600
    )
    wobble = 9.20 * np.cos(node) + 0.57 * np.cos(2 * sun) + 0.10 * np.cos(2 * moon) - 0.09 * np.cos(2 * node)
    obliquity = np.radians(23.4392911 - 0.0130042 * century + wobble / 3600)
    lon = longitude + nutation
    along = np.cos(latitude) * np.sin(lon)
    x = np.cos(latitude) * np.cos(lon)
    y = along * np.cos(obliquity) - np.sin(latitude) * np.sin(obliquity)
    z = along * np.sin(obliquity) + np.sin(latitude) * np.cos(obliquity)
    angle = sidereal_angle(times) + nutation * np.cos(obliquity)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.asarray(np.stack([cos * x + sin * y, cos * y - sin * x, z]) * distance, np.float64)


def _sun_anomaly(century: Floats) -> Floats:
    anomaly: Floats = np.radians((357.5291092 + (35999.0502909 - 0.0001536 * century) * century) % 360)
    return anomaly


def _centuries(times: Times) -> Floats:
    """Return Julian centuries of Terrestrial Time since J2000 of UTC."""
    behind = 32.184 + 9.0 + np.maximum(np.searchsorted(_LEAP_SECONDS, times, side="right"), 1)
    centuries: Floats = ((times - J2000) / np.timedelta64(1, "s") + behind) / 86400.0 / 36525.0
    return centuries
