"""Footprints from orbital elements: like the sample, by the libraries' own models, and refused where they must be."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas
from aurorax_pandas.ephemeris import orbit, tracing
from aurorax_pandas.ephemeris.orbit import footprints_from_elements
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.geometry import great_circle_distance
from aurorax_pandas.sources import bundled_sources

pytest.importorskip("sgp4")

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
TESTS = Path(__file__).parents[1]
#: A catalogue number that the service does not know, in both lines.
CUBE = {2: "88001"}
CUBES = {"first": {2: "88002"}, "second": {2: "88002"}}
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
    return footprints_from_elements(SWARM_A, START, END, "2min")


@pytest.fixture(scope="module")
def at_level_3():
    return footprints_from_elements(SWARM_A, START, END, "2min", kp=2)


@pytest.fixture(scope="module")
def truth():
    """Swarm A as a computation apart from this library's has it: Runge-Kutta of order 4, level 3 of Tsyganenko 89."""
    table = pd.read_csv(TESTS / "data" / "swarm_a_level_3.csv", parse_dates=["epoch"])
    return aurorax_pandas.as_ephemeris(table.assign(identifier=3))


def test_positions_are_those_of_a_computation_apart(at_level_3, truth):
    assert apart(at_level_3, truth, "geo").max() < 0.01
    np.testing.assert_allclose(at_level_3["radial_distance"], truth["radial_distance"], atol=0.01)


@pytest.mark.parametrize(("prefix", "northern"), [("nbtrace", True), ("sbtrace", False)])
def test_footprints_of_the_own_hemisphere_are_those_of_a_computation_apart(at_level_3, truth, prefix, northern):
    own = (truth["geo_lat"].values > 0) == northern
    distance = apart(at_level_3, truth, prefix)[own]
    assert np.isfinite(distance).all()
    assert np.median(distance) < 0.1
    assert distance.max() < 2


@pytest.mark.parametrize(("prefix", "northern"), [("nbtrace", False), ("sbtrace", True)])
def test_footprints_of_the_other_hemisphere_are_those_of_a_computation_apart(at_level_3, truth, prefix, northern):
    distance = apart(at_level_3, truth, prefix)[(truth["geo_lat"].values > 0) == northern]
    assert np.nanmedian(distance) < 1
    assert np.nanmax(distance) < 10


@pytest.mark.parametrize("prefix", ["nbtrace", "sbtrace"])
def test_lines_that_do_not_return_are_those_of_a_computation_apart(at_level_3, truth, prefix):
    missing = at_level_3[f"{prefix}_lat"].isnull()
    assert missing.any()
    np.testing.assert_array_equal(missing, truth[f"{prefix}_lat"].isnull())


def test_a_forecast_finds_the_recorded_conjunctions(recorded_search):
    sample = aurorax_pandas.load_sample_ephemeris()
    start, end = "2020-01-01T00:00", "2020-01-01T01:00"
    forecast = footprints_from_elements(SWARM_A, start, end)
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
    assert swarm.attrs["field"] == "IGRF-14 and Tsyganenko 89"
    assert swarm.attrs["field"] in swarm.attrs["method"]
    assert swarm.attrs["kp"] == 3.0
    assert swarm.attrs["elements"] == "39452 of 2020-01-03T02:59 UTC, at most 2.1 days from an epoch"


def test_without_an_external_field_more_lines_return():
    window = (START, "2020-01-01T00:10")
    alone, both = (footprints_from_elements(SWARM_A, *window, external=external) for external in (None, "t89"))
    assert alone["sbtrace_lat"].notnull().sum() > both["sbtrace_lat"].notnull().sum() > 0
    assert alone.attrs["field"] == "IGRF-14"
    assert "kp" not in alone.attrs


def test_several_satellites_are_several_sources():
    found = footprints_from_elements([*SWARM_A.splitlines(), SWARM_B], START, START)
    assert found["identifier"].values.tolist() == [3, 29]
    assert found["platform"].values.tolist() == ["swarma", "swarmb"]


@pytest.mark.parametrize("name", ["SWARM A", "0 SWARM A", "swarm-a", "Swarm A (2013-067B)"])
def test_a_name_that_the_service_knows_gets_its_identifier(name):
    found = footprints_from_elements(changed(SWARM_A, name), START, START)
    assert (found["identifier"].item(), found["display_name"].item()) == (3, "Swarm A")


def test_an_unknown_satellite_is_custom():
    found = footprints_from_elements(changed(SWARM_A, "MyCube 1", first=CUBE, second=CUBE), START, START)
    fields = ("identifier", "program", "platform", "instrument_type", "source_type", "display_name")
    assert [found[name].item() for name in fields] == [-1, "custom", "mycube 1", "footprint", "leo", "MyCube 1"]


def test_a_satellite_without_a_name_goes_by_its_number():
    lines = changed(SWARM_A, first=CUBE, second=CUBE).splitlines()[1:]
    assert footprints_from_elements(lines, START, START)["display_name"].item() == "NORAD 88001"


def test_a_satellite_with_a_high_apogee_is_heo_and_has_footprints():
    high = changed(SWARM_A, "MyMolniya", first=CUBE, second=CUBE | {26: "7000000", 52: " 2.00600000"})
    found = footprints_from_elements(high, START, "2020-01-01T06:00", "30min")
    assert found["source_type"].item() == "heo"
    assert found["radial_distance"].max() > 30_000
    assert found["nbtrace_lat"].notnull().any()


def test_each_epoch_takes_the_elements_nearest_in_time():
    later = changed(SWARM_A, first={18: "20005.12464490"}, second={17: "200.0000"})
    both = footprints_from_elements([SWARM_A, later], "2020-01-04T00:00", "2020-01-04T06:00", "6h")
    for epoch, elements in ((0, SWARM_A), (1, later)):
        when = both["epoch"].values[epoch]
        assert both["geo_lon"].values[0, epoch] == footprints_from_elements(elements, when, when)["geo_lon"].item()


def test_an_epoch_midway_between_two_elements_takes_the_earlier():
    earlier = changed(SWARM_A, first={18: "20003.00000000"})
    later = changed(SWARM_A, first={18: "20005.00000000"}, second={17: "200.0000"})
    midway = "2020-01-04T00:00"
    both, alone = (
        footprints_from_elements(each, midway, midway, external=None) for each in ([earlier, later], earlier)
    )
    np.testing.assert_array_equal(both["geo_lon"], alone["geo_lon"])


def test_blocks_do_not_show(monkeypatch):
    window = (START, "2020-01-01T00:20")
    whole = footprints_from_elements(SWARM_A, *window)
    monkeypatch.setattr(tracing, "_BLOCK", 3)
    xr.testing.assert_allclose(whole, footprints_from_elements(SWARM_A, *window), atol=1e-6)


def test_the_turn_of_the_year_does_not_show():
    found = footprints_from_elements(SWARM_A, "2019-12-31T23:59:59.999999", "2020-01-01T00:00", "1us")
    before, after = (found.isel(epoch=[at]) for at in (0, 1))
    for prefix in ("nbtrace", "sbtrace"):
        assert apart(before, after, prefix).item() < 1e-3


def test_an_aware_window_is_converted_and_a_day_means_all_of_it():
    found = footprints_from_elements(SWARM_A, "2020-01-01T01:00+01:00", "2020-01-01", "12h", external=None)
    np.testing.assert_array_equal(found["epoch"], np.array(["2020-01-01T00", "2020-01-01T12"], "M8[us]"))


def _broken(row: int, text: str) -> str:
    rows = SWARM_A.splitlines()
    rows[row] = text
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("", "there are no element sets"),
        ("https://example.org/gp.txt", "is an address; give the text that is there, or a file of it"),
        ("Swarm A", "elements='Swarm A' is neither the text of element sets nor a file"),
        ("\n".join(SWARM_A.splitlines()[:2]), "missing after '1 39452U"),
        (SWARM_A.replace("87.3638", "87.3639"), "checksum of '2 39452  87.3639"),
        (SWARM_A.replace("  9991", " 9991"), "has 68 characters"),
        (_broken(2, SWARM_B.splitlines()[2]), "is of another satellite than '1 39452U"),
        (_broken(2, SWARM_A.splitlines()[1]), "stands where line 2"),
        (SWARM_A.splitlines()[2], "stands where line 1"),
        (changed(SWARM_A, second={9: "eighty"}), "cannot be read"),
        (
            changed(SWARM_A, "THEMIS-A", first=CUBE, second=CUBE) + "\n" + changed(SWARM_B, "THEMIS A", **CUBES),
            "two satellites are named 'THEMIS-A'",
        ),
        (3, "elements is a int"),
        ([SWARM_A, None], "elements is a list"),
    ],
)
def test_elements_that_cannot_be_read_are_refused(lines, message):
    with pytest.raises(AuroraxInputError, match=message):
        footprints_from_elements(lines, START, END)


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
        ({"external": "t96"}, "external='t96' is not valid; give 't89' or None"),
        ({"kp": 10}, "kp=10 is not valid; give a number from 0 to 9"),
        ({"uncertainty": True, "external": None}, "external=None is none; leave one out"),
        ({"max_workers": 0}, "max_workers=0 is not valid; give a whole number above 0"),
        ({"start": "2040-01-01", "end": "2040-01-01T00:01"}, "IGRF covers 1900-01-01 to 20"),
    ],
)
def test_other_arguments_that_cannot_be_used_are_refused(arguments, message):
    with pytest.raises(AuroraxInputError, match=message):
        footprints_from_elements(SWARM_A, **({"start": START, "end": END} | arguments))


def test_a_decayed_satellite_is_refused_before_any_line_is_traced(monkeypatch):
    monkeypatch.setattr(orbit, "trace_footprints", lambda *_, **__: pytest.fail("traced"))
    falling = changed(SWARM_A, first={33: " .09000000", 53: " 99990-1"}, second={52: "16.40000000"})
    with pytest.raises(
        AuroraxInputError, match=r"those of Swarm A of .* put it \d+ km from the centre of the Earth at 2020-.*decayed"
    ):
        footprints_from_elements(falling, "2020-01-03", "2020-06-01", "1D")


def test_a_missing_package_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sgp4.api", None)
    with pytest.raises(ImportError, match=r"needs sgp4: pip install .*sgp4.* \(the extra 'orbit'\)"):
        footprints_from_elements(SWARM_A, START, END)


# ---- the field that is traced with --------------------------------------------------------------------------------


def test_kp_over_time_changes_the_level_from_one_epoch_to_the_next():
    window = (START, "2020-01-01T00:10")
    kp = pd.Series([1.0, 5.0], pd.DatetimeIndex([START, "2020-01-01T00:06"]))
    quiet, active = (footprints_from_elements(SWARM_A, *window, kp=number) for number in (1, 5))
    both = footprints_from_elements(SWARM_A, *window, kp=kp)
    for name in ("nbtrace_lat", "nbtrace_lon"):
        expected = np.concatenate([quiet[name].values[0, :6], active[name].values[0, 6:]])
        np.testing.assert_allclose(both[name].values[0], expected, atol=1e-9)
    assert both.attrs["kp"] == "1.00 to 5.00, over time"


def test_an_epoch_outside_the_series_of_kp_is_refused():
    kp = pd.Series([1.0, 5.0], pd.DatetimeIndex(["2020-01-01T00:03", "2020-01-01T00:06"]))
    with pytest.raises(AuroraxInputError, match="kp: the Series covers 2020-01-01T00:03"):
        footprints_from_elements(SWARM_A, START, "2020-01-01T00:08", kp=kp)
    with pytest.raises(AuroraxInputError, match=r"to before 2020-01-01T00:09.*, not 2020-01-01T00:09:00"):
        footprints_from_elements(SWARM_A, "2020-01-01T00:03", "2020-01-01T00:09", kp=kp)


def test_uncertainty_is_added_where_it_is_asked_for(swarm):
    found = footprints_from_elements(SWARM_A, START, "2020-01-01T00:20", "2min", uncertainty=True)
    aurorax_pandas.check_ephemeris(found)
    two, four = (footprints_from_elements(SWARM_A, START, "2020-01-01T00:20", "2min", kp=kp) for kp in (1, 3))
    for prefix in ("nbtrace", "sbtrace"):
        uncertainty = found[f"{prefix}_uncertainty"]
        assert uncertainty.attrs["units"] == "km"
        known = np.isfinite(uncertainty.values)
        assert known.any()
        np.testing.assert_allclose(uncertainty.values[known], apart(two, four, prefix)[known], atol=1e-6)
        xr.testing.assert_allclose(found[f"{prefix}_lat"], swarm[f"{prefix}_lat"].isel(epoch=slice(11)))
    assert "nbtrace_uncertainty" not in four


# ---- published facts: what the service recorded, and what its users published ---------------------------------------


@pytest.fixture(scope="module")
def three():
    elements = (TESTS / "data" / "swarm_20200101.tle").read_text()
    return footprints_from_elements(elements, "2020-01-01", "2020-01-01T07:00", uncertainty=True)


def distance_to(ephemeris, station, craft, epoch):
    table = bundled_sources().set_index("display_name").loc[station]
    here = ephemeris.isel(source=int(np.flatnonzero(ephemeris["display_name"] == craft)[0])).sel(epoch=epoch)
    place = (here["nbtrace_lat"].item(), here["nbtrace_lon"].item())
    return float(great_circle_distance(table["geodetic_lat"], table["geodetic_lon"], *place)), here


def test_from_elements_47_of_49_recorded_conjunctions_have_their_span(three, recorded_search, sample):
    """Published: THEMIS-ASI and Swarm, 2020-01-01."""
    cameras = aurorax_pandas.load_sample_ephemeris().isel(source=slice(3, None)).sel(epoch=three["epoch"])
    both = xr.concat([three, cameras], dim="source", data_vars="all", coords="different", compat="equals", join="outer")
    found = aurorax_pandas.find_conjunctions(both, **recorded_search)

    def spans(df):
        return {(event.pair, event.start, event.end) for event in df.aurorax.explode_events().itertuples()}

    assert len(found) == len(sample) == 49
    assert len(spans(found) & spans(sample)) == 47


def test_from_elements_the_recorded_distances_are_met(three, sample):
    """Published distances: near end within 1.6 km, far end 3.5 km in the median."""
    near, far = [], []
    events = sample.aurorax.explode_events().assign(farthest_epoch=sample["farthest_epoch"].to_numpy())
    for event in events.itertuples():
        sides = sorted([event.e1_display_name, event.e2_display_name], key=lambda name: name.startswith("Swarm"))
        for epoch, recorded in (
            (event.closest_epoch, event.min_distance),
            (event.farthest_epoch, event.max_distance),
        ):
            distance, here = distance_to(three, *sides, epoch)
            error = abs(distance - recorded)
            (near if here["geo_lat"] > 0 else far).append((error, here["nbtrace_uncertainty"].item()))
    near, far = np.array(near), np.array(far)
    assert (len(near), len(far)) == (40, 58)
    assert near[:, 0].max() < 1.6
    assert np.median(far[:, 0]) < 3.5
    assert far[:, 0].max() < 86
    # the uncertainty is informative, not a bound
    both = np.concatenate([near, far])
    assert (both[:, 1] < 1).sum() == 40
    assert np.median(both[both[:, 1] < 1, 0]) < 0.5
    assert 0.92 < (both[:, 0] <= both[:, 1] + 2).mean() < 0.94


def test_four_distances_of_other_days_are_met():
    """Published: REGO at Gillam and Swarm B, 2020-01-02 and 03, in no way used to choose the field."""
    elements = (TESTS / "data" / "swarm_20200101.tle").read_text()
    swarm_b = "\n".join(elements.splitlines()[3:6])
    errors = []
    for start, published in (
        ("2020-01-02T13:00", (440.461162, 384.347496)),
        ("2020-01-03T12:40", (476.507384, 255.883772)),
    ):
        epochs = pd.date_range(start, periods=2, freq="1min")
        ephemeris = footprints_from_elements(swarm_b, *epochs)
        errors += [
            distance_to(ephemeris, "REGO GILL", "Swarm B", epoch)[0] - value
            for epoch, value in zip(epochs, published, strict=True)
        ]
    assert np.sqrt(np.mean(np.square(errors))) < 4


def test_the_bundled_ephemeris_is_what_its_script_makes():
    path = TESTS / "tools" / "make_sample_ephemeris.py"
    made = runpy.run_path(str(path))["sample"]("2020-01-01T00:40", "2020-01-01T00:55")
    bundled = pd.read_parquet(Path(aurorax_pandas.__file__).parent / "data" / "ephemeris_swarm_20200101.parquet")
    expected = bundled[bundled["epoch"].between("2020-01-01T00:40", "2020-01-01T00:55")].reset_index(drop=True)
    # the last digit may round otherwise on another machine
    pd.testing.assert_frame_equal(made, expected, check_exact=False, rtol=0, atol=2e-5)
