"""The Sun and the Moon over stations, against astropy where it is installed."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import geometry
from aurorax_pandas.analysis.sun_and_moon import illuminated_fraction, moon_position, sun_position

ADDED = ["sun_elevation", "moon_elevation", "moon_illumination"]


@pytest.fixture
def events(sample):
    return sample.aurorax.sky()


def test_all_of_the_recording_was_dark_under_a_crescent_moon(events):
    assert events["sun_elevation"].between(-46.95, -12.55).all()
    assert (events["moon_elevation"] > 0).sum() == 45
    assert events["moon_illumination"].between(0.295, 0.325).all()


def astropy_sky(times, lat, lon):
    """Elevations of the Sun and the Moon [degrees] and its illumination, by astropy without the network."""
    coordinates, time = pytest.importorskip("astropy.coordinates"), pytest.importorskip("astropy.time")
    from astropy import units
    from astropy.utils import iers

    with iers.conf.set_temp("auto_download", False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        when = time.Time(np.datetime_as_string(times), scale="utc")
        where = coordinates.EarthLocation.from_geodetic(lon * units.deg, lat * units.deg)
        frame = coordinates.AltAz(obstime=when, location=where)
        sun, moon = (coordinates.get_body(body, when, where).transform_to(frame) for body in ("sun", "moon"))
        centre = [coordinates.get_body(body, when) for body in ("sun", "moon")]
        apart = centre[0].separation(centre[1]).rad
        far, near = (body.distance.to_value("km") for body in centre)
    phase = np.arctan2(far * np.sin(apart), near - far * np.cos(apart))
    return sun.alt.deg, moon.alt.deg, (1 + np.cos(phase)) / 2


def test_the_recording_is_as_astropy_has_it(sample, events):
    table = ap.stations(["2020-01-01"], programs="themis-asi")
    row = {name: number for number, name in enumerate(table["display_name"].values)}
    at = [row[name] for name in events["e1_display_name"]]
    lat, lon = (table[name].values[at, 0] for name in ("geo_lat", "geo_lon"))
    times = events["closest_epoch"].fillna(events["start"]).to_numpy()
    for name, wanted, bar in zip(ADDED, astropy_sky(times, lat, lon), (0.01, 0.05, 0.001), strict=True):
        assert np.abs(events[name] - wanted).max() < bar


def test_any_place_and_time_since_1990_is_as_astropy_has_it():
    random = np.random.default_rng(20)
    seconds = random.uniform(0, (pd.Timestamp("2024-06-01") - pd.Timestamp("1990-01-01")).total_seconds(), 1000)
    times = (np.datetime64("1990-01-01", "us") + (seconds * 1e6).astype("m8[us]")).astype("M8[us]")
    lat, lon = np.degrees(np.arcsin(random.uniform(-1, 1, 1000))), random.uniform(-180, 180, 1000)
    sun, moon = sun_position(times), moon_position(times)
    found = (
        geometry.horizontal(lat, lon, sun)[1], geometry.horizontal(lat, lon, moon)[1], illuminated_fraction(sun, moon)
    )  # fmt: skip
    for mine, wanted, bar in zip(found, astropy_sky(times, lat, lon), (0.01, 0.005, 0.0002), strict=True):
        assert np.abs(mine - wanted).max() < bar


@given(
    seconds=st.lists(st.integers(-(2**30), 2**30), min_size=1, max_size=5),
    place=st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
)
def test_the_sun_and_moon_stay_where_they_can_be(seconds, place):
    times = np.datetime64("2000-01-01", "us") + np.array(seconds).astype("m8[s]").astype("m8[us]")
    sun, moon = sun_position(times), moon_position(times)
    assert (np.abs(np.degrees(np.arcsin(sun[2] / np.linalg.norm(sun, axis=0)))) < 23.5).all()
    assert np.linalg.norm(sun, axis=0) == pytest.approx(149.6e6, rel=0.02)
    assert ((np.linalg.norm(moon, axis=0) > 356_000) & (np.linalg.norm(moon, axis=0) < 407_000)).all()
    lit = illuminated_fraction(sun, moon)
    assert ((lit >= 0) & (lit <= 1)).all()
    azimuth, elevation, distance = geometry.horizontal(*place, moon)
    assert ((azimuth >= 0) & (azimuth <= 360) & (np.abs(elevation) <= 90)).all()
    assert np.abs(distance - np.linalg.norm(moon, axis=0)).max() < 6400


def test_the_time_is_that_of_a_column(sample, events):
    plain = sample.aurorax.explode_events()
    moved = plain.assign(noon=plain["start"].dt.normalize() + pd.Timedelta("18h")).aurorax.sky("noon")
    assert (moved["sun_elevation"] > events["sun_elevation"]).all()
    aware = plain.assign(noon=(plain["start"].dt.normalize() + pd.Timedelta("18h")).dt.tz_localize("UTC"))
    local = aware.assign(noon=aware["noon"].dt.tz_convert("America/Winnipeg"))
    for frame in (aware, local):
        pd.testing.assert_frame_equal(frame.aurorax.sky("noon")[ADDED], moved[ADDED])
    where = plain.assign(start=plain["closest_epoch"].fillna(plain["start"])).aurorax.sky("start")
    pd.testing.assert_frame_equal(where[ADDED], events[ADDED])
    unknown = plain.assign(when=pd.NaT).astype({"when": "M8[us]"}).aurorax.sky("when")
    assert unknown[ADDED].isna().all(axis=None)


@pytest.mark.parametrize("at", ["noon", "pair", "min_distance", None, 3])
def test_a_time_that_is_none_is_refused(sample, at):
    with pytest.raises(ap.AuroraxInputError, match="at="):
        sample.aurorax.sky(at)


def test_of_two_stations_the_first_of_the_pair_counts(builders):
    one, other = builders.ATHA, builders.GILL
    df = ap.as_conjunctions([
        builders.record(0, 1, sources=(other, one), events=[builders.event(other, one)]),
        builders.record(0, 2, sources=(one, builders.SWARM_A), events=[builders.event(one, builders.SWARM_A)]),
    ])  # fmt: skip
    found = df.aurorax.sky("start")
    assert sorted(found["pair"]) == ["THEMIS-ASI ATHA & Swarm A", "THEMIS-ASI ATHA & THEMIS-ASI GILL"]
    assert found["sun_elevation"].nunique() == 1


def test_without_a_station_there_is_no_sky(builders):
    spaced = ap.as_conjunctions([builders.record(0, sources=(builders.SWARM_A, builders.SWARM_B))])
    assert spaced.aurorax.sky()[ADDED].isna().all(axis=None)


def test_a_custom_location_is_where_its_name_says(builders):
    location = builders.source(-1, "(56.376723, -94.643664)", "not_applicable", "custom")
    events = [builders.event(builders.SWARM_A, location), builders.event(builders.GILL, builders.SWARM_A)]
    df = ap.as_conjunctions([builders.record(0, sources=(location, builders.GILL), events=events)])
    assert df.aurorax.sky("start")["sun_elevation"].nunique() == 1


def test_places_that_are_not_known_are_missing_unless_they_are_given(builders):
    mine = builders.source(9000, "My camera", "ground", "mine")
    df = ap.as_conjunctions([
        builders.record(0, 1, sources=(mine, builders.SWARM_A)),
        builders.record(0, 2, sources=(builders.GILL, builders.SWARM_A), closest=None),
    ])  # fmt: skip
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 2 events: the place of My camera is not known") as caught:
        found = df.aurorax.sky("start")
    assert [each.filename for each in caught] == [__file__]
    assert found["sun_elevation"].isna().tolist() == [True, False]
    place = (56.376723, -94.643664)
    cameras = ap.stations(pd.date_range("2020-01-01", periods=2, freq="1min"), locations={"My camera": place})
    for stations in ({"My camera": place}, {9000: place}, cameras):
        given = df.aurorax.sky("start", stations=stations)
        assert given.loc[0, "sun_elevation"] == pytest.approx(found.loc[1, "sun_elevation"])
        assert given.loc[1, ADDED].equals(found.loc[1, ADDED])


@pytest.mark.parametrize("stations", [{"My camera": "here"}, {"My camera": (91, 0)}, "GILL", [(50, 100)]])
def test_places_that_are_none_are_refused(sample, stations):
    with pytest.raises(ap.AuroraxInputError):
        sample.aurorax.sky(stations=stations)


def test_sky_takes_any_frame_of_conjunctions_or_events(sample, events):
    pd.testing.assert_frame_equal(sample.aurorax.explode_events().aurorax.sky(), events)
    assert events.attrs == sample.attrs
    turned = sample.iloc[::-1].aurorax.sky()
    assert turned["moon_elevation"].tolist() == events["moon_elevation"].tolist()[::-1]
    empty = sample.iloc[:0].aurorax.sky()
    assert empty[ADDED].dtypes.eq("float64").all()
    assert list(empty.columns) == list(events.columns)
