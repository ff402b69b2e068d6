import decimal

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

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


def test_what_a_verb_adds_has_its_units(sample):
    ds = sample.head(2).aurorax.magnetic(ap.load_sample_ephemeris()).aurorax.to_xarray()
    told = {f"{side}{name}": unit for side in ("", "footprint_") for name, unit in
            (("mlat", "degree"), ("mlon", "degree"), ("mlt", "hour"))}  # fmt: skip
    assert {name: ds[name].attrs["units"] for name in told} == told


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


COMBINE = {"combine": "nested", "concat_dim": "conjunction"}
NEW_DEFAULTS = {"data_vars": "minimal", "coords": "minimal", "compat": "override"}


@pytest.fixture
def files(sample, tmp_path):
    paths = []
    for number, rows in enumerate((slice(0, 20), slice(20, 40), slice(40, 49))):
        paths.append(tmp_path / f"{number}.nc")
        sample.iloc[rows].reset_index(drop=True).aurorax.to_netcdf(paths[-1])
    return paths


@pytest.mark.parametrize("options", [{}, NEW_DEFAULTS])
def test_rows_of_several_files_are_never_those_of_one(files, options):
    # two files of as many events, which xarray takes to be the same
    with xr.open_mfdataset(files[:2], **COMBINE, **NEW_DEFAULTS, join="override") as ds:
        for verb in (lambda: ds.aurorax.to_dataframe(), lambda: ds.aurorax.closest(1)):
            with pytest.raises(ap.AuroraxDataError, match="along_conjunction"):
                verb()
        # nor are rows of both whose positions differ
        chosen = ds.isel(conjunction=[0, 1, 22, 23])
        with pytest.raises(ap.AuroraxDataError, match="along_conjunction"):
            chosen.aurorax.to_dataframe()


@pytest.mark.parametrize("options", [{}, NEW_DEFAULTS])
def test_several_files_open_together_along_one_dimension(sample, files, options):
    with xr.open_mfdataset(files, preprocess=ap.along_conjunction, **COMBINE, **options) as ds:
        assert dict(ds.sizes) == {"conjunction": 49}
        expected = sample.set_axis([*range(20), *range(20), *range(9)])
        assert_conjunctions_equal(ds.aurorax.to_dataframe(), expected, check_attrs=True)
        assert ds["min_distance"].values.tolist() == sample["min_distance"].tolist()
        near = ds.aurorax.within(200)
        assert set(near.sizes) == {"conjunction"}
        assert_conjunctions_equal(near.aurorax.to_dataframe(), expected.aurorax.within(200))
        assert_conjunctions_equal(ds.aurorax.pair_summary().aurorax.to_dataframe(), sample.aurorax.pair_summary())
        assert_conjunctions_equal(ds.isel(conjunction=[30, 2]).aurorax.to_dataframe(), expected.iloc[[30, 2]])


@given(data=st.data())
def test_frames_along_one_dimension_come_back(builders, data):
    made = data.draw(st.lists(st.lists(builders.records(), max_size=4), min_size=1, max_size=3))
    frames = [ap.as_conjunctions(records) for records in made]
    for frame in frames:
        count = len(frame)
        numbers = data.draw(st.lists(st.none() | st.integers(-3, 3), min_size=count, max_size=count))
        texts = data.draw(st.lists(st.none() | st.sampled_from(["", "?", "a"]), min_size=count, max_size=count))
        frame["number"], frame["text"] = pd.array(numbers, "Int64"), pd.array(texts, "str")
        frame["flag"], frame["byte"] = pd.array([None if n is None else n > 0 for n in numbers], "boolean"), 1
    parts = [frame.aurorax.to_xarray().aurorax.along_conjunction() for frame in frames]
    for frame, part in zip(frames, parts, strict=True):
        assert_conjunctions_equal(part.aurorax.to_dataframe(), frame, check_attrs=True)
    together = xr.concat(parts, "conjunction", **NEW_DEFAULTS, join="override", combine_attrs="override")
    back = together.aurorax.to_dataframe().reset_index(drop=True)
    assert_conjunctions_equal(back, pd.concat(frames, ignore_index=True), check_attrs=False)


def test_rows_of_several_searches_have_no_provenance(sample):
    other = sample.copy()
    other.attrs["aurorax"] = {**sample.attrs["aurorax"], "request_ids": ["another"]}
    parts = [df.aurorax.to_xarray().aurorax.along_conjunction() for df in (sample, other)]
    together = xr.concat(parts, "conjunction", combine_attrs="override", **NEW_DEFAULTS, join="override")
    assert together.aurorax.provenance == {}
    assert together.isel(conjunction=slice(49)).aurorax.provenance == sample.attrs["aurorax"]


def test_what_has_no_place_along_one_dimension_is_refused(sample):
    ds = sample.aurorax.to_xarray()
    with pytest.raises(ap.AuroraxInputError, match="quality"):
        ds.assign(quality=("event", np.arange(49))).aurorax.along_conjunction()
    with pytest.raises(ap.AuroraxInputError, match="events"):
        ds.aurorax.explode_events().aurorax.along_conjunction()
    with pytest.raises(ap.AuroraxInputError, match="<missing>"):
        sample.assign(text="<missing>").aurorax.to_xarray().aurorax.along_conjunction()
    flat = ds.aurorax.along_conjunction()
    with pytest.raises(ap.AuroraxDataError, match="JSON"):
        flat.assign(events=flat["start"]).aurorax.to_dataframe()


@pytest.fixture
def extended(sample):
    """A Dataset with all that users add."""
    ds = sample.aurorax.to_xarray().assign_attrs(station="mine")
    ds = ds.assign_coords(mlt=("conjunction", np.arange(49.0), {"units": "h"}), version=3)
    ds = ds.assign(kp=("conjunction", np.arange(49)), image=(("conjunction", "pixel"), np.arange(98).reshape(49, 2)))
    return ds.assign(quality=("event", np.arange(49)), weight=("source", np.arange(98)), level=("pixel", [1.0, 2.0]))


def test_verbs_keep_what_the_user_added_where_it_belongs(sample, extended):
    for made, expected in [
        (extended.aurorax.closest(5), sample.aurorax.closest(5)),
        (extended.aurorax.within(200), sample.aurorax.within(200)),
        (extended.aurorax.closest(1, by="pair"), sample.aurorax.closest(1, by="pair")),
        (extended.sortby("min_distance").aurorax.within(200), sample.sort_values("min_distance").aurorax.within(200)),
    ]:
        rows = sample["min_distance"].tolist()
        rows = [rows.index(value) for value in expected["min_distance"]]
        assert made.attrs["station"] == "mine"
        assert made.coords["mlt"].attrs == {"units": "h"}
        assert int(made.coords["version"]) == 3
        for name in ("mlt", "kp", "quality"):
            assert made[name].values.tolist() == rows
        assert made["image"].values.tolist() == [[2 * row, 2 * row + 1] for row in rows]
        assert made["weight"].values.tolist() == [one for row in rows for one in (2 * row, 2 * row + 1)]
        assert made["level"].values.tolist() == [1.0, 2.0]
        bare = made.aurorax.to_dataframe().drop(columns=["mlt", "kp"])
        assert_conjunctions_equal(bare, expected)


def test_events_have_what_was_added_to_their_conjunctions(sample, extended):
    events = extended.isel(conjunction=[7, 3]).aurorax.explode_events()
    assert dict(events.sizes) == {"event": 2, "pixel": 2}
    assert events.attrs["station"] == "mine"
    for name in ("mlt", "kp", "quality"):
        assert events[name].values.tolist() == [7, 3]
    assert events["image"].values.tolist() == [[14, 15], [6, 7]]
    near = events.aurorax.closest(1)
    assert near.sizes["event"] == 1
    assert near["quality"].values.tolist() in ([7], [3])
    assert extended.aurorax.pair_summary().attrs["station"] == "mine"


def test_a_verb_takes_a_coordinate_as_it_takes_a_column(sample, extended):
    groups = extended.assign_coords(half=("conjunction", np.arange(49) % 2))
    expected = sample.assign(half=np.arange(49) % 2).aurorax.closest(1, by="half")
    made = groups.aurorax.closest(1, by="half")
    assert made["min_distance"].values.tolist() == expected["min_distance"].tolist()
    assert "half" in made.coords


def test_dimensions_may_be_swapped(sample, extended):
    for ds in (sample.aurorax.to_xarray().swap_dims(conjunction="start"), extended.swap_dims(conjunction="mlt")):
        df = ds.aurorax.to_dataframe()
        assert_conjunctions_equal(df[list(sample.columns)], sample)
        dim = ds["min_distance"].dims[0]
        near = ds.aurorax.within(200)
        assert near["min_distance"].dims == (dim,)
        assert near.indexes[dim].tolist() == ds.indexes[dim][ds["min_distance"].values <= 200].tolist()
        assert_conjunctions_equal(near.aurorax.to_dataframe()[list(sample.columns)], sample.aurorax.within(200))


def test_a_dataset_may_be_written_to_and_the_frame_stays(sample):
    ds = sample.aurorax.to_xarray()
    before = sample.copy()
    for name, variable in ds.variables.items():
        assert name in ds.indexes or variable.values.flags.writeable
        if name.endswith(("distance", "epoch", "type", "name")):
            variable[0] = variable.values[1]
    assert float(ds["min_distance"][0]) == sample["min_distance"][1]
    assert_conjunctions_equal(sample, before)
    assert ds.aurorax.to_dataframe()["min_distance"].tolist()[0] == sample["min_distance"][1]


def test_a_dataset_that_xarray_wrote_itself_is_read(sample, extended, tmp_path):
    extended.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "a.nc") as ds:
        assert_conjunctions_equal(ds.aurorax.to_dataframe()[list(sample.columns)], sample)
        assert ds.aurorax.within(200)["kp"].values.tolist() == extended.aurorax.within(200)["kp"].values.tolist()


def test_nodes_of_a_tree_have_the_methods_of_a_dataset(sample):
    tree = xr.DataTree.from_dict({"/2020": sample.aurorax.to_xarray()})
    assert_conjunctions_equal(tree["2020"].aurorax.to_dataframe(), sample)
    assert_conjunctions_equal(ap.to_dataframe(tree["2020"]), sample)
    assert_conjunctions_equal(tree["2020"].aurorax.within(200).aurorax.to_dataframe(), sample.aurorax.within(200))
    with pytest.raises(ap.AuroraxDataError, match="to_xarray"):
        tree.aurorax.to_dataframe()


@pytest.mark.parametrize("drop", [True, False])
def test_what_where_leaves_is_refused_with_the_cure(sample, drop):
    ds = sample.aurorax.to_xarray()
    with pytest.raises(ap.AuroraxDataError, match="flatnonzero"):
        ds.where(ds["min_distance"] < 200, drop=drop).aurorax.to_dataframe()
    cured = ds.isel(conjunction=np.flatnonzero(ds["min_distance"] < 200))
    assert_conjunctions_equal(cured.aurorax.to_dataframe(), sample[sample["min_distance"] < 200])


def test_a_dataset_has_the_verbs_of_a_frame(sample):
    ds = sample.aurorax.to_xarray()
    names = {name for name in dir(sample.aurorax) if not name.startswith("_")}
    assert names - set(dir(ds.aurorax)) == {"to_xarray"}
    pd.testing.assert_series_equal(ds.aurorax.minutes(), sample.aurorax.minutes())
    pd.testing.assert_frame_equal(ds.aurorax.revisits(), sample.aurorax.revisits())
    pd.testing.assert_frame_equal(ds.aurorax.daily_counts(), sample.aurorax.daily_counts())
    assert len(ds.aurorax.passes()) == len(sample.aurorax.passes())
    assert ds.aurorax.swarmaurora_url() == sample.aurorax.swarmaurora_url()
    assert ds.aurorax.provenance == sample.aurorax.provenance
    ephemeris = ap.load_sample_ephemeris()
    for name in ("closest_approach", "overflights"):
        made = getattr(ds.aurorax, name)(ephemeris).aurorax.to_dataframe()
        assert_conjunctions_equal(made, getattr(sample.aurorax, name)(ephemeris))


def test_two_datasets_are_put_side_by_side(sample):
    ds = sample.aurorax.to_xarray()
    for other in (ds, sample):
        pd.testing.assert_frame_equal(ds.aurorax.overlaps(other), sample.aurorax.overlaps(sample))
        assert len(ds.aurorax.compare(other).changed) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda df: df.assign(min_distance=df["min_distance"].astype(object)),
        lambda df: df.assign(min_distance=[decimal.Decimal(repr(each)) for each in df["min_distance"]]),
        lambda df: df.assign(min_distance=pd.arrays.SparseArray(df["min_distance"].to_numpy())),
        lambda df: df.assign(start=df["start"].astype(str)),
        lambda df: df.assign(start=pd.Series(df["start"].dt.to_pydatetime(), df.index, dtype=object)),
        lambda df: df.assign(start=df["start"].dt.tz_localize("UTC").dt.tz_convert("Asia/Kolkata").astype(object)),
    ],
    ids=["objects", "decimals", "sparse", "text", "datetimes", "zones"],
)
def test_columns_that_netcdf_has_no_dtype_for_are_written_as_verbs_read_them(sample, change):
    ds = change(sample).aurorax.to_xarray()
    assert (ds["start"].dtype.kind, ds["min_distance"].dtype) == ("M", np.float64)
    assert_conjunctions_equal(sample, ap.to_dataframe(ds))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("min_distance", 1j),
        ("min_distance", b"near"),
        ("start", "soon"),
        ("start", 1.5e9),
        ("conjunction_type", "\ud800"),
    ],
)
def test_a_column_that_cannot_be_read_is_named(sample, name, values):
    with pytest.raises(ap.AuroraxInputError, match=f"to_xarray cannot hold column '{name}'"):
        ap.to_xarray(sample.assign(**{name: pd.Series([values] * len(sample), dtype=object)}))


def test_text_with_nul_is_told_by_its_column(sample, tmp_path):
    for frame, named in (
        (sample.assign(mine="a\0b"), "the column 'mine'"),
        (sample.set_index(pd.Index(["a\0b"] * len(sample))), "the index"),
        (sample.aurorax.explode_events().assign(e1_display_name="a\0b"), "the column 'e1_display_name'"),
    ):
        with pytest.raises(ap.AuroraxInputError, match=f"to_netcdf: {named} has text with a NUL character"):
            ap.to_netcdf(frame, tmp_path / "a.nc")
        ap.to_parquet(frame, tmp_path / "a.parquet", overwrite=True)
        assert_conjunctions_equal(frame, ap.load_conjunctions(tmp_path / "a.parquet"))
    assert not (tmp_path / "a.nc").exists()


def test_a_dataset_along_a_stacked_dimension_keeps_its_verbs(sample):
    stacked = ap.to_xarray(sample).stack(z=("conjunction",))
    assert (
        ap.to_dataframe(stacked.aurorax.within(100))["min_distance"].tolist()
        == sample.aurorax.within(100)["min_distance"].tolist()
    )


def test_what_was_done_to_a_dataset_is_told_in_its_own_dimension(sample):
    summary = ap.to_xarray(sample.aurorax.pair_summary())
    for made, says in (
        (summary.isel(pair=0), r"but none; .* isel\(pair=\[0\]\)"),
        (summary.expand_dims("run"), r"isel\(pair=numpy\.flatnonzero\(condition\)\)"),
        (summary.rename(minutes="mine"), "lacks the variable 'minutes'; give it back"),
        (summary.astype("float64"), "too far from 1970"),
    ):
        with pytest.raises(ap.AuroraxDataError, match=says):
            ap.to_dataframe(made)
