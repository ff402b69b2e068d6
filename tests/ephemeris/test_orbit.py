"""Footprints from orbital elements: like the sample, by the libraries' own models, and refused where they must be."""

import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas
from aurorax_pandas.ephemeris import field_lines, orbit
from aurorax_pandas.ephemeris.orbit import footprints_from_tle
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.geometry import great_circle_distance

for _package in ("geopack", "ppigrf", "scipy", "sgp4"):
    pytest.importorskip(_package)

SWARM_A = """\
Swarm A
1 39452U 13067B   20003.12464490  .00000864  00000-0  17790-4 0  9991
2 39452  87.3638 191.1461 0002404  77.9900 282.1627 15.44245183343550
"""
SWARM_B = """\
Swarm B
1 39451U 13067A   20002.89059617 +.00000268 +00000-0 +10255-4 0  9991
2 39451 087.7514 329.7560 0003939 100.8851 259.2837 15.21658680324631
"""
START, END = "2020-01-01T00:00", "2020-01-01T03:00"


def signed(line: str) -> str:
    """Put the right checksum at the end of a line of elements."""
    total = sum(int(one) if one.isdigit() else one == "-" for one in line[:68])
    return line[:68] + str(total % 10)


def changed(elements: str, name: str | None = None, *, first: dict | None = None, second: dict | None = None) -> str:
    """Give elements with another name or other text at columns of the two lines."""
    rows = elements.splitlines()
    for row, edits in ((1, first), (2, second)):
        for column, text in (edits or {}).items():
            rows[row] = rows[row][:column] + text + rows[row][column + len(text) :]
        rows[row] = signed(rows[row])
    return "\n".join([rows[0] if name is None else name, *rows[1:]])


def apart(one: xr.Dataset, other: xr.Dataset, prefix: str) -> np.ndarray:
    return great_circle_distance(*(ds[f"{prefix}_{part}"].values for ds in (one, other) for part in ("lat", "lon")))


@pytest.fixture(scope="module")
def swarm():
    return footprints_from_tle(SWARM_A, START, END, "2min")


@pytest.fixture(scope="module")
def truth():
    return aurorax_pandas.load_sample_ephemeris().isel(source=[0]).sel(epoch=slice(START, END, 2))


def test_positions_are_those_of_the_sample(swarm, truth):
    assert apart(swarm, truth, "geo").max() < 0.01
    np.testing.assert_allclose(swarm["radial_distance"], truth["radial_distance"], atol=0.01)


@pytest.mark.parametrize(("prefix", "northern"), [("nbtrace", True), ("sbtrace", False)])
def test_footprints_of_the_own_hemisphere_are_those_of_the_sample(swarm, truth, prefix, northern):
    own = (truth["geo_lat"].values > 0) == northern
    distance = apart(swarm, truth, prefix)[own]
    assert np.isfinite(distance).all()
    assert np.median(distance) < 0.1
    assert distance.max() < 2


@pytest.mark.parametrize(("prefix", "northern"), [("nbtrace", False), ("sbtrace", True)])
def test_footprints_of_the_other_hemisphere_are_those_of_the_sample(swarm, truth, prefix, northern):
    distance = apart(swarm, truth, prefix)[(truth["geo_lat"].values > 0) == northern]
    assert np.nanmedian(distance) < 1
    assert np.nanmax(distance) < 10


@pytest.mark.parametrize("prefix", ["nbtrace", "sbtrace"])
def test_lines_that_do_not_return_are_those_of_the_sample(swarm, truth, prefix):
    missing = swarm[f"{prefix}_lat"].isnull()
    assert missing.any()
    np.testing.assert_array_equal(missing, truth[f"{prefix}_lat"].isnull())


def test_a_forecast_finds_the_recorded_conjunctions(recorded_search):
    sample = aurorax_pandas.load_sample_ephemeris()
    start, end = "2020-01-01T00:00", "2020-01-01T01:00"
    forecast = footprints_from_tle(SWARM_A, start, end)
    cameras = sample.isel(source=slice(3, None)).sel(epoch=forecast["epoch"])
    search = recorded_search | {"start": start, "end": end}
    found = aurorax_pandas.find_conjunctions(xr.concat([forecast, cameras], dim="source"), **search)
    search["space"] = [{"programs": ["swarm"], "platforms": ["swarma"]}]
    expected = aurorax_pandas.find_conjunctions(sample, **search)
    assert len(expected) > 5
    np.testing.assert_array_equal(found[["start", "end"]], expected[["start", "end"]])
    np.testing.assert_allclose(found["min_distance"], expected["min_distance"], atol=2)


def test_the_dataset_is_an_ephemeris_that_says_how_it_was_made(swarm):
    aurorax_pandas.check_ephemeris(swarm)
    assert swarm["epoch"].dtype == "datetime64[us]"
    assert swarm["radial_distance"].attrs["units"] == "km"
    assert "Tsyganenko 89 (parameter 3)" in swarm.attrs["method"]
    assert swarm.attrs["elements"] == "39452 of 2020-01-03T02:59 UTC, at most 2.1 days from an epoch"


def test_footprints_lie_100_km_above_the_ellipsoid():
    epochs = np.datetime64("2020-01-01", "us") + np.arange(90) * np.timedelta64(60_000_000, "us")
    places = orbit._orbit_positions(orbit._satellites(SWARM_A)[0], epochs).T / 6371.2
    models = field_lines.FieldModels(epochs, external=True)
    for sign in (1.0, -1.0):
        altitude = field_lines._height(field_lines.trace(places, sign, models))
        assert np.nanmax(np.abs(altitude - 100)) < 1e-3


def test_altitude_is_the_height_above_the_ellipsoid():
    lat, height, flattening = np.radians(np.linspace(-90, 90, 19)), 100.0, 1 / 298.257223563
    square = flattening * (2 - flattening)
    normal = 6378.137 / np.sqrt(1 - square * np.sin(lat) ** 2)
    places = [(normal + height) * np.cos(lat), 0 * lat, (normal * (1 - square) + height) * np.sin(lat)]
    np.testing.assert_allclose(field_lines._height(np.stack(places) / 6371.2), height, atol=1e-3)


def test_the_main_field_is_that_of_ppigrf():
    import ppigrf

    when = pd.Timestamp("2020-10-01")
    random = np.random.default_rng(1)
    inverse, lat, lon = random.uniform(0.03, 0.99, 500), random.uniform(-90, 90, 500), random.uniform(-180, 180, 500)
    lat[:4] = [89.9999, -89.9999, 87.6, -87.6]
    phi, theta = np.radians(lon), np.radians(90 - lat)
    radial, south, east = (part[0] for part in ppigrf.igrf_gc(6371.2 / inverse, 90 - lat, lon, when.to_pydatetime()))
    across = radial * np.sin(theta) + south * np.cos(theta)
    along = radial * np.cos(theta) - south * np.sin(theta)
    field = np.stack([across * np.cos(phi) - east * np.sin(phi), across * np.sin(phi) + east * np.cos(phi), along])
    models = field_lines.FieldModels(np.full(500, when.to_datetime64().astype("M8[us]")), external=False)
    places = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]) / inverse
    found = models.direction(places, np.arange(500))
    np.testing.assert_allclose(found, field / np.linalg.norm(field, axis=0), atol=5e-6)


def test_the_external_field_is_that_of_geopack():
    from geopack import t89

    random = np.random.default_rng(1)
    places, tilt = random.uniform(-12, 12, (3, 40)), random.uniform(-0.5, 0.5, 40)
    expected = np.transpose([t89.t89(3, *arguments) for arguments in zip(tilt, *places, strict=True)])
    np.testing.assert_allclose(field_lines._t89(tilt, places), expected, rtol=1e-12)


def test_the_dipole_tilts_towards_the_sun_in_june_and_away_in_december():
    epochs = np.array(["2020-06-21T16:50", "2020-12-21T04:50"], "M8[us]")
    np.testing.assert_allclose(
        np.degrees(field_lines.FieldModels(epochs, external=True)._tilt), [32.8, -32.8], atol=0.3
    )


def test_sidereal_time_is_that_of_sgp4():
    from sgp4.propagation import gstime

    epochs = np.array(["1999-12-31T12:00", "2020-01-01T03:04:05", "2029-06-01"], "M8[us]")
    days = (epochs - np.datetime64("1970-01-01", "us")) / np.timedelta64(1, "D") + 2440587.5
    np.testing.assert_allclose(field_lines.sidereal_angle(epochs), [gstime(day) for day in days], atol=1e-8)


def test_without_an_external_field_more_lines_return():
    window = (START, "2020-01-01T00:10")
    alone, both = (footprints_from_tle(SWARM_A, *window, external=external) for external in (None, "t89"))
    assert alone["sbtrace_lat"].notnull().sum() > both["sbtrace_lat"].notnull().sum() > 0
    assert "IGRF alone" in alone.attrs["method"]


def test_several_satellites_are_several_sources():
    found = footprints_from_tle([*SWARM_A.splitlines(), SWARM_B], START, START)
    assert found["identifier"].values.tolist() == [3, 29]
    assert found["platform"].values.tolist() == ["swarma", "swarmb"]


@pytest.mark.parametrize("name", ["SWARM A", "0 SWARM A", "swarm-a", "Swarm A (2013-067B)"])
def test_a_name_that_the_service_knows_gets_its_identifier(name):
    found = footprints_from_tle(changed(SWARM_A, name), START, START)
    assert (found["identifier"].item(), found["display_name"].item()) == (3, "Swarm A")


def test_an_unknown_satellite_is_custom():
    found = footprints_from_tle(changed(SWARM_A, "MyCube 1"), START, START)
    fields = ("identifier", "program", "platform", "instrument_type", "source_type", "display_name")
    assert [found[name].item() for name in fields] == [-1, "custom", "mycube 1", "footprint", "leo", "MyCube 1"]


def test_a_satellite_without_a_name_goes_by_its_number():
    found = footprints_from_tle(SWARM_A.splitlines()[1:], START, START)
    assert found["display_name"].item() == "NORAD 39452"


def test_a_satellite_with_a_high_apogee_is_heo_and_has_footprints():
    high = changed(SWARM_A, "MyMolniya", second={26: "7000000", 52: " 2.00600000"})
    found = footprints_from_tle(high, START, "2020-01-01T06:00", "30min")
    assert found["source_type"].item() == "heo"
    assert found["radial_distance"].max() > 30_000
    assert found["nbtrace_lat"].notnull().any()


def test_each_epoch_takes_the_elements_nearest_in_time():
    later = changed(SWARM_A, first={18: "20005.12464490"}, second={17: "200.0000"})
    both = footprints_from_tle([SWARM_A, later], "2020-01-04T00:00", "2020-01-04T06:00", "6h")
    for epoch, elements in ((0, SWARM_A), (1, later)):
        when = both["epoch"].values[epoch]
        assert both["geo_lon"].values[0, epoch] == footprints_from_tle(elements, when, when)["geo_lon"].item()


def test_an_epoch_midway_between_two_elements_takes_the_earlier():
    earlier = changed(SWARM_A, first={18: "20003.00000000"})
    later = changed(SWARM_A, first={18: "20005.00000000"}, second={17: "200.0000"})
    midway = "2020-01-04T00:00"
    both, alone = (footprints_from_tle(each, midway, midway, external=None) for each in ([earlier, later], earlier))
    np.testing.assert_array_equal(both["geo_lon"], alone["geo_lon"])


def test_blocks_do_not_show(monkeypatch):
    window = (START, "2020-01-01T00:20")
    whole = footprints_from_tle(SWARM_A, *window)
    monkeypatch.setattr(orbit, "_BLOCK", 3)
    xr.testing.assert_allclose(whole, footprints_from_tle(SWARM_A, *window), atol=1e-6)


def test_the_turn_of_the_year_does_not_show():
    found = footprints_from_tle(SWARM_A, "2019-12-31T23:59:59.999999", "2020-01-01T00:00", "1us")
    before, after = (found.isel(epoch=[at]) for at in (0, 1))
    for prefix in ("nbtrace", "sbtrace"):
        assert apart(before, after, prefix).item() < 1e-3


def test_a_satellite_below_the_footprints_has_none():
    models = field_lines.FieldModels(np.array(["2020-01-01"], "M8[us]"), external=False)
    assert np.isnan(field_lines.trace(np.array([[0.3], [0.0], [0.96]]), 1.0, models)).all()


def test_an_aware_window_is_converted_and_a_day_means_all_of_it():
    found = footprints_from_tle(SWARM_A, "2020-01-01T01:00+01:00", "2020-01-01", "12h", external=None)
    np.testing.assert_array_equal(found["epoch"], np.array(["2020-01-01T00", "2020-01-01T12"], "M8[us]"))


def _broken(row: int, text: str) -> str:
    rows = SWARM_A.splitlines()
    rows[row] = text
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "the two lines of elements are missing"),
        ("Swarm A", "missing after 'Swarm A'"),
        ("\n".join(SWARM_A.splitlines()[:2]), "missing after '1 39452U"),
        (SWARM_A.replace("87.3638", "87.3639"), "checksum of '2 39452  87.3639"),
        (SWARM_A.replace("  9991", " 9991"), "has 68 characters"),
        (_broken(2, SWARM_B.splitlines()[2]), "is of another satellite than '1 39452U"),
        (_broken(2, SWARM_A.splitlines()[1]), "stands where line 2"),
        (SWARM_A.splitlines()[2], "stands where line 1"),
        ("Swarm A\n" + SWARM_A, "follows the name 'Swarm A'"),
        (changed(SWARM_A, second={9: "eighty"}), "cannot be read|SGP4 gives no position"),
        (SWARM_A + changed(SWARM_B, "SWARM-A"), "two satellites are named 'Swarm A'"),
        (3, "lines is a int"),
        ([SWARM_A, None], "lines is a list"),
    ],
)
def test_elements_that_cannot_be_read_are_refused(lines, message):
    with pytest.raises(AuroraxInputError, match=message):
        footprints_from_tle(lines, START, END)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": END, "end": START}, "start=.* is after end="),
        ({"start": "soon"}, "start='soon'"),
        ({"step": "0s"}, "step='0s' is not a span of time above zero"),
        ({"step": "-1min"}, "step='-1min' is not a span of time above zero"),
        ({"step": "often"}, "step='often' is not a span"),
        ({"step": None}, "step=None is not a span"),
        ({"step": "1ns"}, "step='1ns' is shorter than a microsecond"),
        # pandas takes a bare number for nanoseconds
        ({"step": 60}, "step=60 .* give a span with its unit, such as '5min'"),
        ({"step": "60"}, "step='60' .* give a span with its unit"),
        ({"external": "t96"}, "external='t96' is not known; valid: 't89', None"),
        ({"start": "2040-01-01", "end": "2040-01-01T00:01"}, "IGRF covers 1900-01-01 to 20"),
    ],
)
def test_other_arguments_that_cannot_be_used_are_refused(arguments, message):
    with pytest.raises(AuroraxInputError, match=message):
        footprints_from_tle(SWARM_A, **({"start": START, "end": END} | arguments))


def test_a_decayed_satellite_is_refused_before_any_line_is_traced(monkeypatch):
    monkeypatch.setattr(orbit, "trace", lambda *_: pytest.fail("traced"))
    falling = changed(SWARM_A, first={33: " .09000000", 53: " 99990-1"}, second={52: "16.40000000"})
    with pytest.raises(AuroraxInputError, match="SGP4 gives no position of Swarm A at 2020-"):
        footprints_from_tle(falling, "2020-01-03", "2020-06-01", "1D")


@pytest.mark.parametrize("name", ["sgp4.api", "ppigrf", "geopack.t89", "scipy.interpolate"])
def test_a_missing_package_is_named_with_what_to_install(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf'needs {name.split(".")[0]}: pip install "aurorax-pandas\[orbit\]"'):
        footprints_from_tle(SWARM_A, START, END)
