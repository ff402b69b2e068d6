import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal


def test_dimensions_counts_and_parents_are_contiguous_ragged_arrays(sample):
    ds = sample.aurorax.to_xarray()
    assert dict(ds.sizes) == {"conjunction": 49, "source": 98, "event": 49}
    for entry in ("source", "event"):
        assert ds[f"{entry}_count"].attrs["sample_dimension"] == entry
        assert int(ds[f"{entry}_count"].sum()) == ds.sizes[entry]
        parents = np.repeat(np.arange(49), ds[f"{entry}_count"].values)
        assert ds[f"{entry}_conjunction"].values.tolist() == parents.tolist()


def test_attributes_follow_the_conventions(sample):
    ds = sample.aurorax.to_xarray()
    assert ds.attrs["Conventions"] == "CF-1.11"
    assert all(variable.attrs.get("long_name") for variable in ds.variables.values())
    assert ds["event_min_distance"].attrs["units"] == ds["min_distance"].attrs["units"] == "km"
    assert ds["start"].attrs["standard_name"] == "time"
    flags = ds["conjunction_type"]
    assert flags.dtype == np.int8
    assert len(flags.attrs["flag_values"]) == len(flags.attrs["flag_meanings"].split()) == 4


@pytest.mark.parametrize("kind", ["text", "duplicate", "times", "multi"])
def test_the_index_is_a_coordinate(sample, kind):
    index = {
        "text": [f"row {number}" for number in range(49)],
        "duplicate": [0] * 49,
        "times": pd.DatetimeIndex(sample["start"], name="start"),
        "multi": pd.MultiIndex.from_arrays([["a"] * 49, range(49)], names=["x", "y"]),
    }[kind]
    df = sample.set_axis(index)
    ds = df.aurorax.to_xarray()
    assert_conjunctions_equal(ds.aurorax.to_dataframe(), df)
    if kind != "multi":
        assert ds.indexes["conjunction"].tolist() == df.index.tolist()


def test_a_dataset_of_dask_arrays_and_a_decoded_file_give_the_frame(sample, tmp_path):
    assert_conjunctions_equal(sample.aurorax.to_xarray().chunk(10).aurorax.to_dataframe(), sample)
    sample.aurorax.to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc", chunks={}) as ds:
        assert_conjunctions_equal(ds.aurorax.to_dataframe(), sample, check_attrs=True)


def test_selections_keep_the_dimensions_together(sample):
    ds = sample.aurorax.to_xarray()
    for chosen, expected in [
        (ds.aurorax.closest(3), sample.aurorax.closest(3)),
        (ds.aurorax.closest(1, by="pair"), sample.aurorax.closest(1, by="pair")),
        (ds.aurorax.within(200), sample.aurorax.within(200)),
        (ds.aurorax.select_sources(site="GILL"), sample.aurorax.select_sources(site="GILL")),
        (ds.aurorax.filter_closest_epoch("2020-01-01T01"), sample.aurorax.filter_closest_epoch("2020-01-01T01")),
        (ds.aurorax.deduplicate(), sample.aurorax.deduplicate()),
        (ds.aurorax.explode_events(), sample.aurorax.explode_events()),
        (ds.aurorax.pair_summary(), sample.aurorax.pair_summary()),
    ]:
        assert_conjunctions_equal(chosen.aurorax.to_dataframe(), expected)


def test_pictures_checks_and_files_of_a_dataset(sample, tmp_path):
    ds = sample.aurorax.to_xarray()
    assert ds.aurorax.validate() is ds
    assert ds.aurorax.plot.timeline().get_xlabel() == "Time [UTC]"
    for name in ("parquet", "csv", "json", "netcdf"):
        getattr(ds.aurorax, f"to_{name}")(tmp_path / name)
        assert_conjunctions_equal(ap.load_conjunctions(tmp_path / name, format=name), sample)
    broken = ds.assign(min_distance=-ds["min_distance"])
    with pytest.raises(ap.AuroraxSchemaError):
        broken.aurorax.validate()


def test_a_variable_that_was_added_is_a_column(sample):
    ds = sample.aurorax.to_xarray().assign(kp=("conjunction", np.arange(49.0)), text=("conjunction", ["a"] * 49))
    assert_conjunctions_equal(ds.aurorax.to_dataframe(), sample.assign(kp=np.arange(49.0), text="a"))


def test_what_is_no_dataset_of_ours_is_refused(sample):
    ds = sample.aurorax.to_xarray()
    for broken in (
        xr.Dataset(),
        ds.drop_attrs(),
        ds.drop_vars("start"),
        ds.isel(event=slice(3)),
        ds.isel(event=[1, 0, *range(3, 49)]),
        ds.isel(conjunction=0),
        ds.where(ds["min_distance"] < 200),
        ds.where(ds["min_distance"] < 200, drop=True),
        ds.rename(conjunction="c"),
        ds.assign(conjunction_type=ds["conjunction_type"] + 90),
        ds.assign(conjunction_type=ds["conjunction_type"].drop_attrs()),
    ):
        with pytest.raises(ap.AuroraxDataError):
            broken.aurorax.to_dataframe()
    with pytest.raises(ap.AuroraxInputError, match="events"):
        sample.drop(columns="events").aurorax.to_xarray()


CHOSEN = {
    "some": lambda ds: ds.isel(conjunction=[5, 0, 7]),
    "turned": lambda ds: ds.isel(conjunction=slice(None, None, -1)),
    "twice": lambda ds: ds.isel(conjunction=[0, 0, 2]),
    "sorted": lambda ds: ds.sortby("min_distance"),
    "near": lambda ds: ds.isel(conjunction=np.flatnonzero(ds["min_distance"].values < 200)),
    "events sorted": lambda ds: ds.sortby("event_min_distance"),
    "events turned": lambda ds: ds.isel(event=slice(None, None, -1), source=slice(None, None, -1)),
}


@pytest.mark.parametrize("name", list(CHOSEN))
def test_xarrays_own_ways_to_choose_and_sort_keep_each_conjunction_whole(sample, name):
    ds = CHOSEN[name](sample.aurorax.to_xarray())
    df = ds.aurorax.to_dataframe()
    places = ds["conjunction_position"].values
    assert df["min_distance"].tolist() == sample["min_distance"].iloc[places].tolist()
    events = df.aurorax.explode_events()
    assert events["min_distance"].tolist() == df["min_distance"].tolist()
    names = [set(cell["display_name"]) for cell in df["data_sources"]]
    assert names == [set(cell["display_name"]) for cell in sample["data_sources"].iloc[places]]
    assert ds.aurorax.validate() is ds


def test_identifiers_that_a_float_cannot_hold_are_refused_not_changed(builders, tmp_path):
    sources = [{**builders.ATHA, "identifier": None}, {**builders.SWARM_A, "identifier": 2**53 + 1}]
    df = ap.as_conjunctions([builders.record(sources=tuple(sources))])
    df.aurorax.to_netcdf(tmp_path / "a.nc")
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path / "a.nc"), df)
    with xr.open_dataset(tmp_path / "a.nc") as ds, pytest.raises(ap.AuroraxDataError, match="mask_and_scale=False"):
        ds.aurorax.to_dataframe()
