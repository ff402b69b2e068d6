"""Magnetic coordinates against aacgmv2 where it can be built, and by what must hold of them."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.analysis.aacgm import magnetic_local_time, station_coordinates, traced_coordinates

ADDED = ["mlat", "mlon", "mlt", "dipole_l"]


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def found(ephemeris):
    return ap.magnetic(ap.load_sample_conjunctions(), ephemeris)


def turned(difference, period):
    return (difference + period / 2) % period - period / 2


def reference(lat, lon, times):
    """AACGM-v2 by tracing of the reference implementation: latitude, longitude [degrees], local time [hours]."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aacgmv2 = pytest.importorskip("aacgmv2", exc_type=ImportError)
        when = [time.astype("M8[us]").astype(datetime.datetime) for time in times]
        rows = [
            aacgmv2.get_aacgm_coord(one, other, 110.0, time, method="TRACE")
            for one, other, time in zip(lat, lon, when, strict=True)
        ]
    return np.array(rows, np.float64).T


def polar_places(count):
    random = np.random.default_rng(20)
    lat = np.degrees(np.arcsin(random.uniform(np.sin(np.radians(50)), 1, count))) * random.choice([-1, 1], count)
    days = np.sort(random.uniform(0, 29 * 365.25, count))
    times = np.datetime64("1995-01-01", "us") + (days * 86400e6).astype(np.int64).astype("m8[us]")
    return lat, random.uniform(-180, 180, count), times


@pytest.mark.parametrize("coordinates", [traced_coordinates, station_coordinates])
def test_poleward_of_50_degrees_all_is_as_the_reference_has_it(coordinates):
    lat, lon, times = polar_places(500)
    mine = coordinates(lat, lon, times)
    assert np.isfinite(mine).all()
    mlat, mlon, mlt = reference(lat, lon, times)
    assert np.abs(mine.mlat - mlat).max() < 0.02
    assert np.abs(turned(mine.mlon - mlon, 360) * np.cos(np.radians(mlat))).max() < 0.02
    assert np.abs(turned(magnetic_local_time(mine.mlon, times) - mlt, 24)).max() < 0.02


def test_the_recording_is_as_the_reference_has_it(found):
    assert (round(found["mlt"].min(), 2), round(found["mlt"].max(), 2)) == (14.93, 21.51)
    assert found[ADDED].notna().all(axis=None)
    table = ap.stations(["2020-01-01"], programs="themis-asi")
    row = {name: number for number, name in enumerate(table["display_name"].values)}
    at = [row[name] for name in found["e1_display_name"]]
    times = found["closest_epoch"].fillna(found["start"]).to_numpy()
    wanted = reference(*(table[name].values[at, 0] for name in ("geo_lat", "geo_lon")), times)
    for name, values, period in zip(ADDED, wanted, (360, 360, 24), strict=False):
        assert np.abs(turned(found[name] - values, period)).max() < 0.02


def test_a_footprint_near_its_station_has_coordinates_near_its(sample, ephemeris, found):
    near = found[found["min_distance"] < 150]
    assert len(near) > 5
    assert (near["footprint_mlat"] - near["mlat"]).abs().max() < 2
    assert turned(near["footprint_mlt"] - near["mlt"], 24).abs().max() < 0.6
    events = sample.aurorax.closest_approach(ephemeris).aurorax.magnetic(ephemeris, "approach_time")
    track = sample.aurorax.image_windows(ephemeris)
    traced = traced_coordinates(
        track["footprint_lat"].to_numpy(), track["footprint_lon"].to_numpy(), track["epoch"].to_numpy()
    )
    assert events["footprint_mlat"].to_numpy() == pytest.approx(traced.mlat, abs=0.01)


@given(
    lat=st.floats(50, 90), lon=st.floats(-180, 180), south=st.booleans(), days=st.floats(0, 12000),
)  # fmt: skip
def test_l_is_that_of_the_latitude_and_a_day_has_24_hours(lat, lon, south, days):
    lats, lons = np.array([-lat if south else lat]), np.array([lon])
    times = np.datetime64("1995-01-01", "us") + np.array([days * 86400e6]).astype(np.int64).astype("m8[us]")
    mine = traced_coordinates(lats, lons, times)
    assert mine.dipole_l == pytest.approx(1 / np.cos(np.radians(mine.mlat)) ** 2, rel=1e-6)
    assert (mine.mlat > 0) == (not south)
    a_day = times + np.arange(0, 24 * 60, 10).astype("m8[m]")
    clock = magnetic_local_time(np.repeat(mine.mlon, len(a_day)), a_day)
    assert ((clock >= 0) & (clock < 24)).all()
    # the point below the Sun moves unevenly about the magnetic pole, but always on
    steps = np.diff(clock) % 24
    assert ((steps > 0.05) & (steps < 0.4)).all()


def test_near_the_equator_the_coordinates_are_not_defined():
    times = np.full(2, np.datetime64("2020-01-01", "us"))
    mine = traced_coordinates(np.array([9.0, np.nan]), np.array([-90.0, 0.0]), times)
    assert np.isfinite(mine.mlat[:1]).all() or np.isnan(mine.mlat[0])
    assert np.isnan(traced_coordinates(np.array([8.0]), np.array([20.0]), times[:1]).mlat).all()
    assert np.isnan(mine.mlat[1])
    assert np.isnan(station_coordinates(np.array([np.nan]), np.array([0.0]), times[:1])).all()


def test_without_an_ephemeris_there_are_no_columns_of_footprints(sample, found):
    alone = sample.aurorax.magnetic()
    pd.testing.assert_frame_equal(alone, found[alone.columns])
    assert [name for name in found if name not in alone] == [f"footprint_{name}" for name in ADDED]
    assert alone.attrs == sample.attrs
    empty = sample.iloc[:0].aurorax.magnetic(ap.load_sample_ephemeris())
    assert empty.empty
    assert list(empty.columns) == list(found.columns)


def test_what_has_no_station_or_footprint_is_missing(builders, ephemeris):
    pairs = [(builders.SWARM_A, builders.SWARM_B), (builders.GILL, builders.ATHA), (builders.GILL, builders.SWARM_A)]
    df = ap.as_conjunctions(
        [builders.record(11, 12 + row, sources=pair) for row, pair in enumerate(pairs)]
        + [builders.record(11, 20, sources=pairs[2], conjunction_type="geographic",
                           events=[builders.event(*pairs[2], 11, 20) | {"conjunction_type": "geographic"}])]
    )  # fmt: skip
    made = df.aurorax.magnetic(ephemeris, "start")
    spaced, grounded = made["pair"] == "Swarm A & Swarm B", made["pair"] == "THEMIS-ASI ATHA & THEMIS-ASI GILL"
    assert made["mlat"].isna().equals(spaced)
    assert made["footprint_mlat"].isna().equals(spaced | grounded | (made["conjunction_type"] == "geographic"))
    assert made.loc[made["mlat"].isna(), ADDED].isna().all(axis=None)


def test_a_time_outside_the_field_is_refused(sample):
    events = sample.aurorax.explode_events()
    with pytest.raises(ap.AuroraxInputError, match="the times of 'late': IGRF covers"):
        events.assign(late=pd.Timestamp("2041-01-01")).aurorax.magnetic(at="late")
    lost = events.assign(never=pd.NaT).astype({"never": "M8[us]"}).aurorax.magnetic(at="never")
    assert lost[ADDED].isna().all(axis=None)
