"""The main field is ppigrf's, the external one geopack's, and Kp chooses the level."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurorax_pandas.ephemeris import field
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.geometry import geodetic_latitude

MINUTES = np.datetime64("2020-01-01", "us") + np.arange(360) * np.timedelta64(60_000_000, "us")


def places_of(inverse, lat, lon):
    phi, theta = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)]) / inverse


def reference_main_field(inverse, lat, lon, when):
    ppigrf = pytest.importorskip("ppigrf.ppigrf")
    found = ppigrf.igrf_gc(6371.2 / inverse, 90 - lat, lon, when.to_pydatetime(), coeff_fn=ppigrf.shc_fn_igrf14)
    radial, south, east = (part[0] for part in found)
    phi, theta = np.radians(lon), np.radians(90 - lat)
    across = radial * np.sin(theta) + south * np.cos(theta)
    along = radial * np.cos(theta) - south * np.sin(theta)
    return np.stack([across * np.cos(phi) - east * np.sin(phi), across * np.sin(phi) + east * np.cos(phi), along])


@pytest.mark.parametrize("when", ["1900-01-01", "1987-06-05T04:03:02", "2020-10-01", "2025-01-01", "2029-12-31"])
def test_the_main_field_is_that_of_ppigrf(when):
    when = pd.Timestamp(when)
    random = np.random.default_rng(1)
    inverse, lat, lon = random.uniform(0.03, 1.0, 600), random.uniform(-90, 90, 600), random.uniform(-180, 180, 600)
    lat[:4] = [89.9999, -89.9999, 87.6, -87.6]
    expected = reference_main_field(inverse, lat, lon, when)
    own = field.Field(np.full(600, when.to_datetime64().astype("M8[us]")))
    found = own.at(places_of(inverse, lat, lon), np.arange(600))
    assert (np.abs(found - expected) / np.linalg.norm(expected, axis=0)).max() < 1e-10


def test_the_main_field_is_finite_at_the_poles_and_far_away():
    own = field.Field(np.full(3, np.datetime64("2020-01-01", "us")))
    found = own.at(np.array([[0.0, 0.0, 1e6], [0.0, 0.0, 0.0], [1.0, -1.0, 0.0]]), np.arange(3))
    assert np.isfinite(found).all()
    # down in the north and up, away from the Earth, in the south: both towards geographic south
    assert (found[2, :2] < -50_000).all()
    # the dipole alone is left
    assert np.linalg.norm(found[:, 2]) == pytest.approx(29_000e-18, rel=0.1)


def test_epochs_of_several_generations_share_a_block():
    epochs = np.array(["1999-12-31T23:59", "2000-01-01", "2019-06-01"], "M8[us]")
    place = np.tile(np.array([[0.3], [0.9], [0.8]]), 3)
    together = field.Field(epochs).at(place, np.arange(3))
    apart = [field.Field(epochs[[row]]).at(place[:, [row]], np.arange(1))[:, 0] for row in range(3)]
    np.testing.assert_allclose(together, np.transpose(apart), rtol=1e-12)
    # lines are left out as they end
    np.testing.assert_allclose(field.Field(epochs).at(place[:, 1:], np.array([1, 2])), together[:, 1:], rtol=1e-12)


@pytest.mark.parametrize("level", range(1, 8))
def test_the_external_field_is_that_of_geopack_at_all_levels(level):
    t89 = pytest.importorskip("geopack.t89").t89
    random = np.random.default_rng(level)
    places, tilt = random.uniform(-15, 15, (3, 40)), random.uniform(-0.6, 0.6, 40)
    expected = np.transpose([t89(level, *arguments) for arguments in zip(tilt, *places, strict=True)])
    np.testing.assert_allclose(field.t89(level, tilt, places), expected, rtol=1e-10, atol=1e-10)


def test_the_external_field_takes_a_level_for_each_point():
    random = np.random.default_rng(8)
    places, tilt, levels = random.uniform(-15, 15, (3, 50)), random.uniform(-0.6, 0.6, 50), random.integers(1, 8, 50)
    found = field.t89(levels, tilt, places)
    for row, level in enumerate(levels):
        one = slice(row, row + 1)
        np.testing.assert_allclose(found[:, one], field.t89(int(level), tilt[one], places[:, one]), rtol=1e-12)


coordinates = st.floats(-12, 12)


@given(st.tuples(coordinates, coordinates, coordinates), st.floats(-0.6, 0.6), st.integers(1, 7))
def test_the_external_field_has_no_divergence_and_mirrors(place, tilt, level):
    step = 1e-4
    around = np.array(place)[:, None] + step * np.concatenate([np.eye(3), -np.eye(3)], axis=1)
    found = field.t89(level, np.full(6, tilt), around)
    divergence = sum(found[axis, axis] - found[axis, axis + 3] for axis in range(3)) / (2 * step)
    assert abs(divergence) < 1e-6 * (1 + np.abs(found).max())
    x, y, z = place
    one = field.t89(level, np.array([tilt]), np.array([[x], [y], [z]]))[:, 0]
    # dawn and dusk are alike, and so are the hemispheres under the opposite tilt
    across = field.t89(level, np.array([tilt]), np.array([[x], [-y], [z]]))[:, 0]
    below = field.t89(level, np.array([-tilt]), np.array([[x], [y], [-z]]))[:, 0]
    np.testing.assert_allclose(across, one * [1, -1, 1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(below, one * [-1, -1, 1], rtol=1e-9, atol=1e-9)


def test_a_point_on_the_axis_gives_no_warning():
    assert np.isfinite(field.t89(4, np.zeros(2), np.array([[0.0, 0.0], [0.0, 0.0], [-40.0, 40.0]]))).all()


def test_the_dipole_axis_is_that_of_the_published_pole():
    # published: 80.65 N (geodetic), 72.68 W in 2020
    x, y, z = field.dipole_axis(np.array(["2020-01-01"], "M8[us]"))[:, 0]
    assert geodetic_latitude(np.degrees(np.arcsin(z)), 0.0) == pytest.approx(80.65, abs=0.01)
    assert np.degrees(np.arctan2(y, x)) == pytest.approx(-72.68, abs=0.01)


def test_the_dipole_tilts_towards_the_sun_in_june_and_away_in_december():
    epochs = np.array(["2020-06-21T16:50", "2020-12-21T04:50"], "M8[us]")
    tilt = field.Field(epochs, np.array([4, 4])).tilt
    np.testing.assert_allclose(np.degrees(tilt), [32.8, -32.8], atol=0.3)


def test_sidereal_time_is_that_of_sgp4():
    gstime = pytest.importorskip("sgp4.propagation").gstime
    epochs = np.array(["1999-12-31T12:00", "2020-01-01T03:04:05", "2029-06-01"], "M8[us]")
    days = (epochs - np.datetime64("1970-01-01", "us")) / np.timedelta64(1, "D") + 2440587.5
    np.testing.assert_allclose(field.sidereal_angle(epochs), [gstime(day) for day in days], atol=1e-8)


# ---- Kp ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kp", "level"), [(0, 1), (1 / 3, 1), (2 / 3, 2), (2.0, 3), (2 + 2 / 3, 4), (3, 4), (10 / 3, 4), (5.7, 7), (9, 7)]
)
def test_kp_chooses_the_level(kp, level):
    levels, written = field.t89_levels(kp, MINUTES[:3])
    assert levels.tolist() == [level] * 3
    assert written == kp


@given(st.lists(st.floats(0, 9), min_size=2, max_size=8), st.booleans())
def test_each_value_of_a_series_holds_to_the_next(values, aware):
    times = pd.date_range("2020-01-01", periods=len(values), freq="7min")
    series = pd.Series(values, times.tz_localize("UTC").tz_convert("America/Edmonton") if aware else times)
    epochs = MINUTES[: 7 * len(values)]
    levels, _ = field.t89_levels(series, epochs)
    assert levels.tolist() == [min(round(values[minute // 7]) + 1, 7) for minute in range(len(epochs))]


def test_one_value_holds_for_the_three_hours_that_kp_is_given_for():
    series = pd.Series([4.0], pd.DatetimeIndex(["2020-01-01"]))
    levels, written = field.t89_levels(series, MINUTES[:180])
    assert set(levels.tolist()) == {5}
    assert written == "4.00 to 4.00, over time"
    with pytest.raises(AuroraxInputError, match=r"to before 2020-01-01T03:00:00\.000000, not 2020-01-01T03:00"):
        field.t89_levels(series, MINUTES[:181])


HOURLY = pd.date_range("2020-01-01T00:01", periods=3, freq="1h")


@pytest.mark.parametrize(
    ("kp", "message"),
    [
        (-0.1, "kp=-0.1 is not valid; give a number from 0 to 9"),
        (9.1, "kp=9.1 is not valid"),
        (float("nan"), "kp=nan is not valid"),
        ("3", "kp='3' is not valid"),
        (None, "kp=None is not valid"),
        (True, "kp=True is not valid"),
        ([3, 3], r"kp=\[3, 3\] is not valid"),
        (pd.Series([3.0]), "kp: the index of the Series must be times"),
        (pd.Series([], pd.DatetimeIndex([]), dtype=float), "kp: the index of the Series must be times"),
        (pd.Series([1.0, 2.0, 3.0], HOURLY[::-1]), "not in order, or one stands twice"),
        (pd.Series([1.0, 2.0], HOURLY[[0, 0]]), "not in order, or one stands twice"),
        (pd.Series([1.0, 10.0, 3.0], HOURLY), "kp at 2020-01-01 01:01:00=10.0 is not valid"),
        (pd.Series([1.0, None, 3.0], HOURLY), "kp at 2020-01-01 01:01:00=nan is not valid"),
        (pd.Series([1.0, 2.0, 3.0], HOURLY), "kp: the Series covers .*00:01.* not 2020-01-01T00:00:00"),
    ],
)
def test_what_is_no_kp_is_refused(kp, message):
    with pytest.raises(AuroraxInputError, match=message):
        field.t89_levels(kp, MINUTES)
