import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurorax_pandas import geometry

LATITUDES = st.floats(-90, 90)


def geocentric(lat, altitude):
    return geometry.degrees(geometry.earth_fixed(lat, 0.0, altitude))[0]


@given(LATITUDES, st.floats(0, 60_000))
def test_latitudes_go_there_and_back(lat, altitude):
    back = geometry.geodetic_latitude(geocentric(lat, altitude), altitude)
    assert back == pytest.approx(lat, abs=1e-9)


def test_known_latitudes():
    # on the ellipsoid tan(geocentric) = (1 - e2) tan(geodetic); the greatest difference is 0.1924 degrees near 45
    assert 45 - geocentric(45.0, 0.0) == pytest.approx(0.19242, abs=1e-5)
    assert geometry.geodetic_latitude([0.0, 90.0, -90.0]).tolist() == pytest.approx([0, 90, -90])


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(50, 1000))
def test_a_point_overhead_is_at_the_zenith(lat, lon, altitude):
    assert geometry.elevation(lat, lon, lat, lon, altitude) == pytest.approx(90, abs=1e-4)


@given(st.floats(0, 89), st.floats(80, 500))
def test_viewing_radius_gives_its_elevation_back(elevation, altitude):
    # along the equator the ellipsoid is a circle, whose radius is 0.1 per cent larger than the sphere's
    radius = geometry.viewing_radius(elevation, altitude)
    seen = geometry.elevation(0.0, 0.0, 0.0, np.degrees(radius / 6371.0), altitude)
    assert seen == pytest.approx(elevation, abs=0.05)


def test_altitude_of_a_place_on_the_ellipsoid_is_zero():
    lat = geocentric(60.0, 0.0)
    radius = np.hypot(*geometry.earth_fixed(60.0, 0.0, 0.0)[[0, 2]])
    assert geometry.altitude_of(lat, radius) == pytest.approx(0, abs=1e-6)
