import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas
from aurorax_pandas import AuroraxInputError


@pytest.fixture
def sample():
    return aurorax_pandas.load_sample_ephemeris()


def test_sample_is_a_day_of_swarm_and_cameras(sample):
    assert dict(sample.sizes) == {"source": 16, "epoch": 1440}
    assert sample["epoch"].dtype == "datetime64[us]"
    assert set(sample["program"].values) == {"swarm", "themis-asi"}
    assert "no archive product" in sample.attrs["caution"]
    assert "geocentric" in sample.attrs["latitudes"]


@pytest.mark.parametrize(("epochs", "step"), [(1, "60s"), (2, "20s"), (3, "20s")])
def test_the_step_is_the_time_between_two_epochs_a_minute_where_there_is_one(sample, epochs, step):
    times = pd.date_range("2020-01-01", periods=epochs, freq="20s", unit="ns")
    few = sample.isel(epoch=slice(epochs)).assign_coords(epoch=times)
    found = aurorax_pandas.find_conjunctions(
        few, distance=20_000, ground={"programs": "themis-asi"}, space={"programs": "swarm"}
    )
    assert found.aurorax.provenance["step"] == step


def test_cameras_have_data_only_while_they_operated(sample):
    gakona = sample["nbtrace_lat"].sel(source=sample["platform"] == "gakona").isel(source=0)
    assert gakona.dropna("epoch")["epoch"].values[0] == np.datetime64("2020-01-01T02:28")


def test_cameras_have_no_southern_trace(sample):
    assert sample["sbtrace_lat"].sel(source=sample["source_type"] == "ground").isnull().all()


def spoiled(sample, what):
    if what == "dimension":
        return sample.rename(epoch="time")
    if what == "coordinate":
        return sample.drop_vars("platform")
    if what == "sorted":
        return sample.isel(epoch=slice(None, None, -1))
    if what == "twice":
        return sample.isel(epoch=[0, 0, 1])
    if what == "irregular":
        return sample.isel(epoch=[0, 1, 3])
    if what == "source":
        return sample.isel(source=[0, 0])
    if what == "pair":
        return sample.drop_vars("geo_lon")
    if what == "shape":
        return sample.assign(geo_lat=sample["geo_lat"].isel(epoch=0, drop=True))
    if what == "numbers":
        return sample.assign_coords(epoch=range(sample.sizes["epoch"]))
    if what == "missing":
        return sample.assign_coords(epoch=sample["epoch"].where(sample["epoch"] != sample["epoch"][3]))
    if what == "none":
        return sample[["radial_distance"]]
    values = sample["nbtrace_lat" if what in ("latitude", "mixed") else "nbtrace_lon"].copy()
    values[0, 7] = {"latitude": 91.0, "longitude": 361.0, "mixed": np.nan}[what]
    return sample.assign({values.name: values})


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("dimension", "'epoch' is missing"),
        ("coordinate", "'platform' along 'source'"),
        ("sorted", "not sorted"),
        ("twice", "duplicates"),
        ("irregular", "irregular steps"),
        ("source", "'Swarm A' stands twice"),
        ("pair", "'geo_lon' is missing"),
        ("shape", r"'geo_lat' has the dimensions \('source',\)"),
        ("numbers", "'epoch' is int64, not datetime64"),
        ("missing", "'epoch' has missing values; drop them"),
        ("none", "no locations"),
        ("latitude", "nbtrace_lat has values outside"),
        ("longitude", "nbtrace_lon has values outside"),
        ("mixed", "not missing at the same epochs"),
    ],
)
def test_unsound_ephemeris_is_refused_by_name(sample, what, says):
    with pytest.raises(AuroraxInputError, match=says):
        aurorax_pandas.check_ephemeris(spoiled(sample, what))


def test_values_of_chunks_are_checked_when_they_are_read(sample):
    pytest.importorskip("dask")
    chunked = spoiled(sample, "latitude").chunk(epoch=100)
    assert aurorax_pandas.check_ephemeris(chunked) is chunked
    with pytest.raises(AuroraxInputError, match="nbtrace_lat has values outside"):
        aurorax_pandas.find_conjunctions(
            chunked, distance=500, ground={"programs": "themis-asi"}, space={"programs": "swarm"}
        )


def test_what_is_no_dataset_is_refused():
    with pytest.raises(AuroraxInputError, match="give an xarray Dataset; as_ephemeris makes one of a table"):
        aurorax_pandas.check_ephemeris(pd.DataFrame())
    with pytest.raises(AuroraxInputError, match=r"give an xarray Dataset; xarray\.open_dataset reads one from a file"):
        aurorax_pandas.check_ephemeris("ephemeris.nc")


def test_table_becomes_a_dataset_with_gaps_as_nan():
    table = pd.DataFrame(
        {
            "epoch": pd.to_datetime(["2020-01-01T00:01", "2020-01-01T00:00", "2020-01-01T00:00"]),
            "identifier": [3, 3, 29],
            "geo_lat": [1.0, 2.0, 3.0],
            "geo_lon": [4.0, 5.0, 6.0],
            "region": ["cusp", "cap", "oval"],
        }
    )
    dataset = aurorax_pandas.as_ephemeris(table)
    np.testing.assert_array_equal(dataset["geo_lat"], [[2.0, 1.0], [3.0, np.nan]])
    assert dataset["display_name"].values.tolist() == ["Swarm A", "Swarm B"]
    assert dataset["region"].values[0].tolist() == ["cap", "cusp"]


def test_aware_epochs_become_utc():
    table = pd.DataFrame(
        {
            "epoch": pd.to_datetime(["2020-01-01T02:00+02:00"]),
            "identifier": [3],
            "geo_lat": [1.0],
            "geo_lon": [4.0],
        }
    )
    assert aurorax_pandas.as_ephemeris(table)["epoch"].values[0] == np.datetime64("2020-01-01")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"identifier": [3, 999]}, "identifier 999"),
        ({"epoch": pd.to_datetime(["2020", "2020"])}, "stands twice"),
        ({"epoch": None}, "'epoch' is missing"),
        ({"epoch": pd.to_datetime(["2020-01-01", None])}, "'epoch' is missing in 1 of 2 rows"),
        ({"identifier": pd.array([None, 3], "Int64")}, "'identifier' is missing in 1 of 2 rows"),
        ({"epoch": [0, 60]}, "'epoch' cannot be read as dates and times"),
        ({"epoch": ["2020-01-01", "soon"]}, "'epoch' cannot be read as dates and times"),
        ({"geo_lat": ["60.0", "north"]}, "'geo_lat' holds '60.0', which is no number"),
        ({"geo_lon": [1.0, "east"]}, "'geo_lon' holds 'east', which is no number"),
    ],
)
def test_bad_tables_are_refused(change, says):
    table = pd.DataFrame(
        {"epoch": pd.to_datetime(["2020-01-01", "2020-01-02"]), "identifier": [3, 3], "geo_lat": 1.0, "geo_lon": 2.0}
    )
    table = table.assign(**change).dropna(axis=1, how="all")
    with pytest.raises(AuroraxInputError, match=says):
        aurorax_pandas.as_ephemeris(table)


def test_numbers_of_any_dtype_are_locations():
    epochs = pd.to_datetime(["2020-01-01T00:00", "2020-01-01T00:01"])
    table = pd.DataFrame({"epoch": epochs, "identifier": 3})
    lat, lon = pd.Series([60, None], dtype="object"), pd.array([-95, None], "Int64")
    dataset = aurorax_pandas.as_ephemeris(table.assign(geo_lat=lat, geo_lon=lon))
    np.testing.assert_array_equal(dataset["geo_lat"], [[60.0, np.nan]])
    assert dataset["geo_lat"].dtype == dataset["geo_lon"].dtype == "float64"


def test_stations_by_program_site_and_place():
    epochs = pd.date_range("2020-01-01", periods=3, freq="1min")
    dataset = aurorax_pandas.stations(
        epochs, programs="rego", platforms=["gillam", "RESU"], locations={"Troll": (-72.0, 2.5)}
    )
    assert dataset["display_name"].values.tolist() == ["REGO GILL", "REGO RESU", "Troll"]
    assert dataset["nbtrace_lat"].notnull().any("epoch").values.tolist() == [True, True, False]
    assert dataset["sbtrace_lat"].notnull().any("epoch").values.tolist() == [False, False, True]
    assert aurorax_pandas.check_ephemeris(dataset) is dataset


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "needs programs="),
        ({"platforms": "gilam"}, "did you mean 'gillam'"),
        ({"programs": "rego", "platforms": "ekati"}, "no station has"),
        ({"locations": {"nowhere": (91.0, 0.0)}}, "off the map"),
        ({"locations": {"a": ("x", 1)}}, "is not .latitude, longitude"),
        ({"locations": {"a": 51}}, "is not .latitude, longitude"),
        (
            {"programs": "rego", "operating": pd.DataFrame({"identifier": [1], "start": ["2020"]})},
            "column 'end' is missing",
        ),
        ({"programs": "rego", "operating": [1]}, "operating: the column"),
        (
            {"programs": "rego", "operating": pd.DataFrame({"identifier": [80], "start": ["soon"], "end": ["2021"]})},
            "operating: start='soon'",
        ),
    ],
)
def test_bad_stations_are_refused(arguments, says):
    with pytest.raises(AuroraxInputError, match=says):
        aurorax_pandas.stations(pd.date_range("2020-01-01", periods=3, freq="1min"), **arguments)


@pytest.mark.parametrize("epochs", ["zzz", [0, 60], pd.to_datetime(["2020-01-01", None]), None])
def test_epochs_of_stations_that_are_none_are_refused(epochs):
    with pytest.raises(AuroraxInputError, match="epochs"):
        aurorax_pandas.stations(epochs, locations={"Calgary": (51.05, -114.07)})


def test_aware_times_of_stations_become_utc():
    zone = "America/Edmonton"
    epochs = pd.date_range("2020-01-01", periods=4, freq="1min")
    operating = pd.DataFrame(
        {
            "identifier": [80],
            "start": [pd.Timestamp("2020-01-01T00:01", tz="UTC").tz_convert(zone)],
            "end": [pd.Timestamp("2020-01-01T00:02", tz="UTC").tz_convert(zone)],
        }
    )
    naive = aurorax_pandas.stations(epochs, programs="rego", operating=operating)
    aware = aurorax_pandas.stations(epochs.tz_localize("UTC").tz_convert(zone), programs="rego", operating=operating)
    xr.testing.assert_identical(naive, aware)
    own = naive["geo_lat"].isel(source=naive["identifier"].values.tolist().index(80))
    assert own.notnull().values.tolist() == [False, True, True, False]


def test_plain_xarray_joins_ephemerides(sample):
    extra = aurorax_pandas.stations(sample["epoch"], locations={"Calgary": (51.05, -114.07)})
    joined = xr.concat(
        [sample, extra], dim="source", join="outer", data_vars="all", coords="different", compat="equals"
    )
    df = aurorax_pandas.find_conjunctions(
        joined, distance=500, ground={"platforms": "Calgary"}, space={"programs": "swarm"}
    )
    assert set(df.aurorax.pair_summary().index) <= {f"Calgary & Swarm {letter}" for letter in "ABC"}
    assert len(df)


def test_half_minutes_need_a_step_that_they_divide_and_leave_finer_ones(sample):
    fine = sample.isel(epoch=slice(0, 30)).assign_coords(
        epoch=sample["epoch"].values[0] + np.arange(30) * np.timedelta64(20, "s")
    )
    blocks = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}, "distance": 3000}
    by_epochs = aurorax_pandas.find_conjunctions(fine, **blocks)
    halves = aurorax_pandas.find_conjunctions(fine, subminute_precision=True, **blocks)
    assert len(halves)
    assert halves.equals(by_epochs)
    odd = fine.assign_coords(epoch=sample["epoch"].values[0] + np.arange(30) * np.timedelta64(50, "s"))
    with pytest.raises(AuroraxInputError, match="step 0 days 00:00:50 is no multiple of 0 days 00:00:30"):
        aurorax_pandas.find_conjunctions(odd, subminute_precision=True, **blocks)


@pytest.mark.parametrize("dtype", [object, str, complex, bool])
def test_locations_that_are_no_numbers_are_refused(sample, dtype):
    strange = sample.assign(nbtrace_lat=sample["nbtrace_lat"].astype(dtype))
    with pytest.raises(AuroraxInputError, match=r"'nbtrace_lat' is .*, not numbers"):
        aurorax_pandas.check_ephemeris(strange)
