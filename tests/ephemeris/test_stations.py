"""Stations of one's own in any form, and the conjugate points of stations."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap
from aurorax_pandas.geometry import great_circle_distance

EPOCHS = pd.date_range("2020-01-01", periods=3, freq="1min")
PLACES = [("Calgary", 51.05, -114.07), ("Kiruna", 67.84, 20.41)]


def geo_frame(crs=None):
    geopandas = pytest.importorskip("geopandas")
    points = geopandas.points_from_xy([lon for _, _, lon in PLACES], [lat for _, lat, _ in PLACES], crs="EPSG:4326")
    frame = geopandas.GeoDataFrame({"name": [name for name, _, _ in PLACES]}, geometry=points)
    return frame if crs is None else frame.to_crs(crs)


def expected():
    return ap.stations(EPOCHS, locations={name: (lat, lon) for name, lat, lon in PLACES})


@pytest.mark.parametrize(
    "locations",
    [
        PLACES,
        [list(place) for place in PLACES],
        {name: {"lat": lat, "lon": lon} for name, lat, lon in PLACES},
        pd.DataFrame(PLACES, columns=["name", "lat", "lon"]),
        pd.DataFrame(PLACES, columns=["station", "Latitude", "Longitude"]),
        pd.DataFrame(PLACES, columns=["x", "geodetic_lat", "geodetic_lon"]).set_index("x"),
    ],
)
def test_places_in_any_form(locations):
    xr.testing.assert_identical(ap.stations(EPOCHS, locations=locations), expected())


@pytest.mark.parametrize("crs", [None, "EPSG:3857"])
def test_points_of_a_geodataframe(crs):
    xr.testing.assert_allclose(ap.stations(EPOCHS, locations=geo_frame(crs)), expected())


def test_shapes_that_are_no_points_are_refused():
    frame = geo_frame()
    with pytest.raises(ap.AuroraxInputError, match="other shapes than points"):
        ap.stations(EPOCHS, locations=frame.to_crs("EPSG:3857").buffer(1).to_frame("geometry"))


@pytest.mark.parametrize(
    "locations",
    [
        [("Peak", 50.0, -115.0, 2.3), ("Sea", 49.0, -123.0)],
        {"Peak": (50.0, -115.0, 2.3), "Sea": (49.0, -123.0)},
        {"Peak": {"lat": 50.0, "lon": -115.0, "alt": 2.3}, "Sea": (49.0, -123.0)},
        pd.DataFrame({"name": ["Peak", "Sea"], "lat": [50.0, 49.0], "lon": [-115.0, -123.0], "alt": [2.3, np.nan]}),
    ],
)
def test_altitudes_are_kept_in_kilometres(locations):
    found = ap.stations(EPOCHS, locations=locations)
    np.testing.assert_array_equal(found["geo_alt"], [[2.3] * 3, [np.nan] * 3])
    assert found["geo_alt"].attrs["units"] == "km"
    assert "geo_alt" not in expected()


@pytest.mark.parametrize(
    ("locations", "says"),
    [
        ([("Peak", 50.0, -115.0, 2300.0)], "altitude of 'Peak'=2300.0 is not valid; give kilometres"),
        ([("Peak", 50.0)], "is not .name, latitude, longitude."),
        ([("Peak", 95.0, 0.0)], "off the map"),
        ([("A", 1.0, 2.0), ("A", 3.0, 4.0)], "'A' stands twice"),
        (pd.DataFrame({"name": ["A"], "lat": [1.0]}), "no column 'lon'; the frame has name, lat"),
        (pd.DataFrame({"lat": [1.0], "lon": [1.0]}), "0 is not a name"),
        ("Calgary", "locations is a str"),
    ],
)
def test_places_that_are_none_are_refused(locations, says):
    with pytest.raises(ap.AuroraxInputError, match=says):
        ap.stations(EPOCHS, locations=locations)


@pytest.fixture(scope="module")
def gillam():
    return ap.stations(EPOCHS, programs="themis-asi", platforms="GILL", conjugate=True)


def test_a_conjugate_point_is_the_other_end_of_the_line(gillam):
    place = {"lat": float(gillam["sbtrace_lat"][0, 0]), "lon": float(gillam["sbtrace_lon"][0, 0])}
    assert place["lat"] < -60
    back = ap.stations(EPOCHS[:1], locations={"There": place}, conjugate=True)
    own = float(gillam["geo_lat"][0, 0]), float(gillam["geo_lon"][0, 0])
    again = great_circle_distance(*own, float(back["nbtrace_lat"][0, 0]), float(back["nbtrace_lon"][0, 0]))
    assert again < 1


def test_a_conjugate_point_moves_and_the_own_trace_stands(gillam):
    assert len(np.unique(gillam["sbtrace_lat"])) == 3
    assert len(np.unique(gillam["nbtrace_lat"])) == 1
    assert gillam.attrs["field"]
    assert gillam.attrs["kp"] == 3.0


def test_a_camera_that_does_not_operate_has_no_conjugate_point_either():
    operating = pd.DataFrame({"identifier": [40], "start": [EPOCHS[1]], "end": [EPOCHS[1]]})
    table = ap.stations(EPOCHS, programs="themis-asi", platforms="GILL")
    operating["identifier"] = table["identifier"].item()
    found = ap.stations(EPOCHS, programs="themis-asi", platforms="GILL", conjugate=True, operating=operating)
    assert found["sbtrace_lat"].notnull().values.tolist() == [[False, True, False]]


def test_places_of_ones_own_operate_together():
    operating = pd.DataFrame({"identifier": [-1], "start": [EPOCHS[1]], "end": [EPOCHS[1]]})
    found = ap.stations(EPOCHS, locations={"one": (50, 0), "other": (51, 0)}, operating=operating)
    assert found["geo_lat"].notnull().values.tolist() == [[False, True, False]] * 2


def test_without_epochs_there_are_no_conjugate_points():
    found = ap.stations(EPOCHS[:0], locations={"one": (50, 0)}, conjugate=True)
    assert (found["sbtrace_lat"].shape, found["sbtrace_lat"].dtype) == ((1, 0), np.dtype("float64"))


def test_cameras_are_searched_in_both_hemispheres():
    sample = ap.load_sample_ephemeris().isel(source=[0])
    cameras = ap.stations(sample["epoch"][:420:1], programs="themis-asi", platforms=["GILL", "RANK"], conjugate=True)
    both = xr.concat([sample.isel(epoch=slice(420)), cameras], dim="source")
    df = ap.find_conjunctions(
        both,
        distance=500,
        ground={"programs": "themis-asi"},
        space={"programs": "swarm"},
        conjunction_types=["nbtrace", "sbtrace"],
    )
    assert set(df["conjunction_type"]) == {"nbtrace", "sbtrace"}
    near = df.aurorax.closest_approach(both)
    # both ends of a line are one place: what is near at one is near at the other
    assert near["approach_distance"].notna().all()
    south = near[near["conjunction_type"] == "sbtrace"]
    assert (south["approach_distance"] < south["min_distance"] + 60).all()
