"""The one door in: everything that holds conjunctions comes back as the frame that it was."""

import io
import json
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import dask
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
import zarr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.frame import columns, layouts, model
from aurorax_pandas.frame.ordering import in_order
from aurorax_pandas.testing import assert_conjunctions_equal


def parquet_of_pandas(df):
    file = io.BytesIO()
    df.to_parquet(file)
    return pd.read_parquet(io.BytesIO(file.getvalue()))


PHASES = [Phase.generate]


def feather(df):
    file = io.BytesIO()
    df.to_feather(file)
    return pd.read_feather(io.BytesIO(file.getvalue()))


def parquet_of_pyarrow(df):
    file = io.BytesIO()
    pq.write_table(df.aurorax.to_arrow(), file)
    return pq.read_table(io.BytesIO(file.getvalue()))


def duckdb_relation(df):
    return duckdb.connect().from_arrow(df.aurorax.to_arrow())


def through_dask(df):
    # else Dask gives texts of one's own another dtype
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_pandas(df, npartitions=2, sort=False).compute()


def through_file(df, path, write):
    getattr(df.aurorax, write)(path, overwrite=True)
    return ap.load_conjunctions(path)


def file_of(suffix, write):
    def way(df):
        with tempfile.TemporaryDirectory() as folder:
            return through_file(df, Path(folder) / f"a.{suffix}", write)

    return way


def netcdf_of_xarray(df):
    with tempfile.TemporaryDirectory() as folder:
        df.aurorax.to_netcdf(Path(folder) / "a.nc")
        with xr.open_dataset(Path(folder) / "a.nc") as ds:
            return ds.load()


def zarr_of_xarray(df):
    store = zarr.storage.MemoryStore()
    # Zarr warns that its third format does not know consolidated metadata
    df.aurorax.to_xarray().to_zarr(store, consolidated=False)
    return xr.open_zarr(store, consolidated=False)


#: Ways out of a frame that keep its provenance and its index, and those that lose them.
KEEPING = {
    "itself": lambda df: df,
    "pyarrow": lambda df: df.aurorax.to_arrow(),
    "pandas of pyarrow": lambda df: df.aurorax.to_arrow().to_pandas(),
    "parquet of pandas": parquet_of_pandas,
    "parquet of pyarrow": parquet_of_pyarrow,
    "feather of pandas": feather,
    "Dataset": lambda df: df.aurorax.to_xarray(),
    "Dask": through_dask,
}
FILES = {
    "our Parquet": file_of("parquet", "to_parquet"),
    "CSV": file_of("csv", "to_csv"),
    "JSON": file_of("json", "to_json"),
    "NetCDF": file_of("nc", "to_netcdf"),
    "NetCDF of xarray": netcdf_of_xarray,
    "Zarr of xarray": zarr_of_xarray,
}
#: Ways that keep no difference between a row without events and one whose events are missing.
WITHOUT_MISSING_ROWS = ("Dataset", *FILES)
#: Ways whose format has no place for this letter, which is refused.
WITHOUT_NULL_LETTERS = ("NetCDF", "NetCDF of xarray")
LOSING = {
    "polars": lambda df: pl.from_arrow(df.aurorax.to_arrow()),
    "pandas of polars": lambda df: pl.from_arrow(df.aurorax.to_arrow()).to_pandas(),
    "duckdb": duckdb_relation,
    "pandas of duckdb": lambda df: duckdb_relation(df).df().astype({"text": "str"}),
    "polars of duckdb": lambda df: duckdb_relation(df).pl(),
    "dicts of pandas": lambda df: pd.DataFrame(df.to_dict("records"), columns=df.columns).astype(
        {"own": df["own"].dtype, "text": "str"}
    ),
    "dicts of pyarrow": lambda df: pd.DataFrame(df.aurorax.to_arrow().to_pylist(), columns=df.columns).astype(
        {"own": df["own"].dtype, "text": "str"}
    ),
}


@st.composite
def frames(draw, builders, letters="é\u2028\x00"):
    """Frames with nulls, empty lists, null rows and columns of one's own, as a user may hold them."""
    records = draw(st.lists(builders.records(), min_size=1, max_size=6))
    for one in records:
        for source in one["data_sources"]:
            source["display_name"] = draw(st.sampled_from([source["display_name"], "", letters]))
    df = ap.as_conjunctions(records)
    flat = model.flatten(df["events"])
    missing = np.array(draw(st.lists(st.booleans(), min_size=len(df), max_size=len(df)))) & (flat.lengths == 0)
    df["events"] = layouts.nested_column(flat, missing)
    df["own"] = np.array(draw(st.lists(st.floats(allow_nan=False), min_size=len(df), max_size=len(df))), np.float64)
    df["text"] = pd.Series(
        draw(
            st.lists(
                st.none() | st.text(st.characters(exclude_characters={"\x00"} - {*letters}, codec="utf-8"), max_size=3),
                min_size=len(df),
                max_size=len(df),
            )
        ),
        dtype="str",
    )
    df["text"] = df["text"].where(df["text"] != "\x00")
    return df


def is_missing(df):
    return [df[name].isna().tolist() for name in ("events", "data_sources")]


def check_way(data, builders, way):
    letters = "é\u2028" if way in WITHOUT_NULL_LETTERS else "é\u2028\x00"
    df = data.draw(frames(builders, letters)).sort_values("max_distance")
    df.attrs = {"aurorax": {"request_ids": ["a"], "query": None}}
    if way == "JSON":
        # it has no word for infinity, and says so
        df["own"] = df["own"].where(np.isfinite(df["own"]), 0.5)
    if way != "Dask" and data.draw(st.booleans()):
        df = df.set_axis(pd.Index([f"row {n}" for n in range(len(df))], name="label"))
    back = ap.as_conjunctions({**KEEPING, **FILES}[way](df))
    assert_conjunctions_equal(back, df)
    if way not in WITHOUT_MISSING_ROWS:
        assert is_missing(back) == is_missing(df)


@pytest.mark.parametrize("way", KEEPING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, phases=PHASES)
@given(data=st.data())
def test_a_frame_comes_back_with_provenance_and_index(builders, way, data):
    check_way(data, builders, way)


@pytest.mark.parametrize("way", FILES)
# a file costs more than what is in it
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=3, phases=PHASES)
@given(data=st.data())
def test_a_frame_comes_back_from_files_with_provenance_and_index(builders, way, data):
    check_way(data, builders, way)


@pytest.mark.parametrize("way", LOSING)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, phases=PHASES)
@given(data=st.data())
def test_a_frame_comes_back_from_tools_that_know_no_attrs(builders, way, data):
    df = data.draw(frames(builders))
    back = ap.as_conjunctions(LOSING[way](df))
    assert_conjunctions_equal(back, df, check_attrs=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=6, phases=PHASES)
@given(data=st.data())
def test_a_frame_comes_back_from_objects_of_pyaurorax(builders, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = pytest.importorskip("pyaurorax.search", exc_type=ImportError)
    df = data.draw(frames(builders))
    made = [
        search.Conjunction(**{**one, "data_sources": [search.DataSource(**source) for source in one["data_sources"]]})
        for one in ap.records_from_conjunctions(df.drop(columns=["own", "text"]))
    ]
    expected = in_order(df.drop(columns=["own", "text"]))
    assert_conjunctions_equal(ap.as_conjunctions(made), expected, check_attrs=False)
    # and in the cells that a notebook makes of them, whose rows keep their order and take columns of one's own
    cells = pd.DataFrame([vars(one) for one in made]).assign(own=df["own"], text=df["text"])
    assert_conjunctions_equal(ap.as_conjunctions(cells), df, check_attrs=False)


@pytest.mark.parametrize(
    ("suffix", "write"), [("csv", "to_csv"), ("json", "to_json"), ("nc", "to_netcdf"), ("parquet", "to_parquet")]
)
def test_files_of_ours_come_back_through_the_door(sample, tmp_path, suffix, write):
    assert_conjunctions_equal(ap.as_conjunctions(through_file(sample, tmp_path / f"a.{suffix}", write)), sample)


def test_our_parquet_read_by_pandas_polars_pyarrow_and_duckdb_is_taken(sample, tmp_path):
    path = str(tmp_path / "a.parquet")
    sample.aurorax.to_parquet(path)
    assert_conjunctions_equal(ap.as_conjunctions(pd.read_parquet(path)), sample)
    assert_conjunctions_equal(ap.as_conjunctions(pq.read_table(path)), sample)
    for read in (pl.read_parquet(path), duckdb.connect().sql(f"select * from '{path}'")):
        assert_conjunctions_equal(ap.as_conjunctions(read), sample, check_attrs=False)


# layouts of Arrow


def views(lists):
    """The same lists as a view whose entries stand in another order."""
    offsets, sizes = lists.offsets.to_numpy()[:-1], lists.value_lengths().fill_null(0).to_numpy()
    order = np.concatenate([np.arange(a, a + n) for a, n in list(zip(offsets, sizes, strict=True))[::-1]]).astype(
        np.int64
    )
    starts = np.r_[0, np.cumsum(sizes[::-1])][:-1][::-1].astype(np.int32)
    return pa.ListViewArray.from_arrays(
        pa.array(starts), pa.array(sizes.astype(np.int32)), lists.values.take(pa.array(order))
    )


LAYOUTS = {
    "list_view": views,
    "large_list": lambda lists: lists.cast(pa.large_list(lists.type.value_type)),
    "string_view": lambda lists: with_texts(lists, lambda text: text.cast(pa.string_view())),
    "dictionary": lambda lists: with_texts(lists, lambda text: text.dictionary_encode()),
    "dictionary of string_view": lambda lists: with_texts(
        lists,
        lambda text: pa.DictionaryArray.from_arrays(
            (code := text.dictionary_encode()).indices, code.dictionary.cast(pa.string_view())
        ),
    ),
    "struct of lists": lambda lists: pa.StructArray.from_arrays(
        [pa.ListArray.from_arrays(lists.offsets, column) for column in lists.values.flatten()],
        [field.name for field in lists.type.value_type],
    ),
    "slice": lambda lists: pa.concat_arrays([lists.slice(0, 3), lists]).slice(3),
    "fields in another order": lambda lists: pa.ListArray.from_arrays(
        lists.offsets,
        pa.StructArray.from_arrays(lists.values.flatten()[::-1], [field.name for field in lists.type.value_type][::-1]),
    ),
}


def with_texts(lists, change):
    fields = [change(column) if pa.types.is_string(column.type) else column for column in lists.values.flatten()]
    entries = pa.StructArray.from_arrays(fields, [field.name for field in lists.type.value_type])
    return pa.ListArray.from_arrays(lists.offsets, entries)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lists_of_every_layout_are_read(sample, layout):
    table = sample.aurorax.to_arrow()
    for name in ("data_sources", "events"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, LAYOUTS[layout](table[name].combine_chunks()))
    assert_conjunctions_equal(ap.as_conjunctions(table), sample)


def test_fixed_size_lists_and_run_ends_are_read(sample):
    table = sample.aurorax.to_arrow()
    lists = table["data_sources"].combine_chunks()
    fixed = pa.FixedSizeListArray.from_arrays(lists.values, 2)
    kinds = pa.compute.run_end_encode(table["conjunction_type"].combine_chunks())
    table = table.set_column(table.column_names.index("data_sources"), "data_sources", fixed)
    table = table.set_column(0, "conjunction_type", kinds)
    assert_conjunctions_equal(ap.as_conjunctions(table), sample)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/Edmonton"])
def test_times_of_every_unit_and_zone_are_utc(sample, unit, zone):
    table = sample.aurorax.to_arrow()
    for name in ("start", "end", "closest_epoch", "farthest_epoch"):
        column = table[name].cast(pa.timestamp(unit))
        column = column if zone is None else column.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
        table = table.set_column(table.column_names.index(name), name, column)
    assert_conjunctions_equal(ap.as_conjunctions(table), sample)


def test_times_as_text_enums_and_decimals_of_duckdb_are_read(sample):
    plain = sample.aurorax.to_arrow()  # noqa: F841  (DuckDB finds it by its name)
    relation = duckdb.sql(
        "select cast(conjunction_type as enum('sbtrace', 'nbtrace')) conjunction_type, cast(start as varchar) start, "
        'strftime("end", \'%Y-%m-%dT%H:%M:%SZ\') "end", data_sources, cast(min_distance as decimal(18, 6)) min_distance, '
        "cast(max_distance as decimal(18, 6)) max_distance, events, closest_epoch, farthest_epoch from plain"
    )
    back = ap.as_conjunctions(relation)
    np.testing.assert_allclose(back["min_distance"], sample["min_distance"], atol=1e-6)
    same = {name: sample[name] for name in ("min_distance", "max_distance")}
    assert_conjunctions_equal(back.assign(**same), sample, check_attrs=False)


# cells of Python


def test_the_frame_of_a_notebook_of_pyauroraxs_objects_is_taken(sample):
    objects = [
        SimpleNamespace(
            **{
                **record,
                "start": pd.Timestamp(record["start"]).to_pydatetime(),
                "end": pd.Timestamp(record["end"]).to_pydatetime(),
            },
        )
        for record in ap.records_from_conjunctions(sample)
    ]
    for one in objects:
        one.data_sources = [SimpleNamespace(**source) for source in one.data_sources]
    df = ap.as_conjunctions(pd.DataFrame([vars(one) for one in objects]))
    assert_conjunctions_equal(df, sample, check_attrs=False)
    assert_conjunctions_equal(ap.as_conjunctions(pd.Series(objects)), sample, check_attrs=False)


@pytest.mark.parametrize(
    "change",
    [
        list,
        tuple,
        np.array,
        json.dumps,
        lambda cell: pd.DataFrame(cell),
        lambda cell: [SimpleNamespace(**one) for one in cell],
    ],
    ids=["lists", "tuples", "arrays", "JSON", "frames", "objects"],
)
def test_cells_of_python_are_read(sample, change):
    df = sample.aurorax.to_arrow().to_pandas()
    for name in ("data_sources", "events"):
        cells = [
            change(
                [
                    {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in one.items()}
                    for one in cell
                ]
            )
            for cell in df[name]
        ]
        df[name] = pd.Series([*cells, None], dtype=object).iloc[:-1]
    assert_conjunctions_equal(ap.as_conjunctions(df), sample)


@pytest.mark.parametrize("number", [1577836800000, np.int64(1577836800000), 1577836800.0])
def test_numbers_are_no_times_in_cells_either(sample, number):
    df = sample.aurorax.to_arrow().to_pandas()
    df["events"] = [[{**one, "start": number} for one in cell] for cell in df["events"]]
    with pytest.raises(ap.AuroraxDataError, match=r"column 'events' cannot be read: a time is a number"):
        ap.as_conjunctions(df)


def test_records_whose_events_are_ours_are_taken(sample):
    rows = [
        {key: value.isoformat() if hasattr(value, "isoformat") else value for key, value in row.items()}
        for row in sample.aurorax.to_arrow().to_pylist()
    ]
    assert_conjunctions_equal(ap.as_conjunctions(rows), sample, check_attrs=False)


# trimmed records


def trimmed(sample, names=("identifier",)):
    records = ap.records_from_conjunctions(sample)
    for one in records:
        sources = [
            *one["data_sources"],
            *(event[side] for event in one["events"] for side in ("e1_source", "e2_source")),
        ]
        for source in sources:
            for name in set(source) - set(names):
                del source[name]
    return records


def test_trimmed_sources_are_filled_by_identifier(sample):
    df = ap.as_conjunctions(trimmed(sample))
    assert_conjunctions_equal(df, sample, check_attrs=False)
    assert len(df.aurorax.overflights(ap.load_sample_ephemeris())) == 20
    cells = pd.DataFrame(trimmed(sample))
    assert_conjunctions_equal(ap.as_conjunctions(cells), sample, check_attrs=False)


def test_a_table_of_ones_own_goes_first_and_what_stays_unknown_is_named_once(sample, builders):
    mine = builders.source(900_001, "MY CAMERA", "ground", "mine", "here")
    record = builders.record(sources=({"identifier": 900_001}, {"identifier": 3}))
    other = builders.record(5, 6, sources=({"identifier": 900_002}, {"identifier": 900_001}))
    for table in ([mine], pd.DataFrame([mine]), [SimpleNamespace(**mine)]):
        df = ap.as_conjunctions([record], data_sources=table)
        assert df.aurorax.explode_events()["pair"].tolist() == ["MY CAMERA & Swarm A"]
    with pytest.warns(ap.AuroraxDataWarning) as caught:
        ap.as_conjunctions([record, other], data_sources=[mine])
    assert [str(one.message).count("900002") for one in caught] == [1]
    assert "900001" not in str(caught[0].message)
    with pytest.raises(ap.AuroraxInputError, match="data_sources"):
        ap.as_conjunctions([record], data_sources=5)


def test_distances_that_are_trimmed_come_from_the_single_event(sample, builders):
    records = [{**one, "min_distance": None} for one in ap.records_from_conjunctions(sample)]
    for one in records:
        del one["max_distance"]
    assert_conjunctions_equal(ap.as_conjunctions(records), sample, check_attrs=False)
    assert_conjunctions_equal(
        ap.as_conjunctions(
            sample.drop(columns=["min_distance", "max_distance"])[
                ["start", *[n for n in sample if n not in ("start", "min_distance", "max_distance")]]
            ]
        )[list(sample)],
        sample,
    )
    pair = builders.event(builders.ATHA, builders.SWARM_A)
    with pytest.raises(ap.AuroraxDataError, match="min_distance"):
        ap.as_conjunctions([{**builders.record(events=[pair, pair]), "min_distance": None}])


# what it is not


def test_frames_of_other_kinds_say_which_they_are(sample):
    for made, says in [
        (sample.aurorax.explode_events(), "a frame of events"),
        (sample.aurorax.pair_summary(), "a pair summary"),
        (sample.aurorax.pair_summary().reset_index(), "a pair summary"),
        (sample.aurorax.passes(), "a frame of passes"),
        (sample.aurorax.explode_events().aurorax.to_arrow(), "a frame of events"),
    ]:
        with pytest.raises(ap.AuroraxInputError, match=says):
            ap.as_conjunctions(made)


def test_what_has_first_to_be_computed_says_how(sample):
    with pytest.raises(ap.AuroraxInputError, match=r"LazyFrame.*\.collect\(\)"):
        ap.as_conjunctions(pl.from_arrow(sample.aurorax.to_arrow()).lazy())
    with pytest.raises(ap.AuroraxInputError, match=r"\.compute\(\)"):
        ap.as_conjunctions(dd.from_pandas(sample, npartitions=1))
    with pytest.raises(ap.AuroraxInputError, match=r"get_data\(\)"):
        ap.as_conjunctions(ap.ConjunctionSearch(request_id="abc"))


@pytest.mark.parametrize(
    "data", [None, 5, b"", "x", {}, pd.DataFrame({"a": [1]}), pd.Series([1.0]), pa.table({"a": [1]}), pl.Series([1])]
)
def test_what_holds_no_conjunctions_is_refused_in_a_line(data):
    with pytest.raises(ap.AuroraxDataError) as caught:
        ap.as_conjunctions(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_bad_rows_of_a_table_can_be_dropped_with_one_warning(sample):
    broken = sample.assign(end=sample["end"].where(sample.index != 3, pd.Timestamp("1999-01-01"))).aurorax.to_arrow()
    with pytest.raises(ap.AuroraxDataError, match="end is before start"):
        ap.as_conjunctions(broken)
    with pytest.warns(ap.AuroraxDataWarning, match="1 of 49 records left out: .*end is before start") as caught:
        df = ap.as_conjunctions(broken, on_bad_records="drop")
    assert [each.filename for each in caught] == [__file__]
    assert_conjunctions_equal(in_order(df), in_order(sample.drop(index=3)))


def test_a_typed_frame_is_returned_itself(sample):
    assert ap.as_conjunctions(sample) is sample


# out


def test_a_table_of_a_frame_is_plain(sample):
    table = sample.assign(kp=1.0).aurorax.to_arrow()
    kinds = {field.name: str(field.type) for field in table.schema}
    assert {kinds["conjunction_type"], kinds["start"], kinds["kp"]} == {"string", "timestamp[us]", "double"}
    assert kinds["events"].startswith("list<")
    told = {column["name"]: column["numpy_type"] for column in table.schema.pandas_metadata["columns"]}
    assert (told["conjunction_type"], told["min_distance"]) == ("str", "float64")
    assert json.loads(table.schema.metadata[b"aurorax"]) == sample.aurorax.provenance
    assert table.to_pandas().attrs == sample.attrs
    zoned = sample.assign(start=sample["start"].dt.tz_localize("UTC"))
    assert zoned.aurorax.to_arrow().schema.field("start").type == pa.timestamp("us")
    relation = duckdb.connect().from_arrow(table)
    assert relation.aggregate("max(len(events))").fetchall() == [(1,)]


def test_events_and_pair_summaries_go_out_too(sample):
    events = sample.aurorax.explode_events()
    assert events.aurorax.to_arrow().schema.field("pair").type == pa.string()
    summary = sample.aurorax.pair_summary()
    pd.testing.assert_frame_equal(summary.aurorax.to_arrow().to_pandas(), summary)


def test_what_arrow_cannot_hold_is_named(sample):
    with pytest.raises(ap.AuroraxInputError, match="column 'odd'"):
        sample.assign(odd=[object()] * len(sample)).aurorax.to_arrow()


class Search:
    """A search of PyAuroraX, as far as its result goes."""

    completed = True
    request_id = "5c0ffee5-0000-4000-8000-000000000001"

    def __init__(self, data, count=None):
        self.data, self.query = data, {"start": "2020-01-01"}
        self.status = None if count is None else {"search_result": {"result_count": count}}


def test_a_search_gives_its_result_with_its_request_and_query(sample):
    df = ap.as_conjunctions(Search(ap.records_from_conjunctions(sample)))
    assert_conjunctions_equal(df, sample, check_attrs=False)
    assert df.aurorax.provenance["request_ids"] == [Search.request_id]
    assert df.aurorax.provenance["query"] == {"start": "2020-01-01"}
    assert ap.as_conjunctions(Search(sample)) is sample
    assert ap.as_conjunctions(Search([], 0)).empty


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("https://api.aurorax.space", "https://api.aurorax.space"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("https://me:a-secret@api.example:8443/aurorax?token=a-secret#x", "https://api.example:8443/aurorax"),
        ("no address", None),
        (None, None),
    ],
)
def test_a_search_tells_the_address_of_its_client_without_what_is_secret(sample, address, known):
    search = Search(ap.records_from_conjunctions(sample))
    search._client = SimpleNamespace(api_base_url=address, api_key="a-secret")
    df = ap.as_conjunctions(search)
    assert df.aurorax.provenance["api_url"] == known
    assert "a-secret" not in str(df.attrs)


def test_a_search_without_its_client_tells_the_address_of_its_request(sample):
    search = Search(ap.records_from_conjunctions(sample))
    search.request_url = f"http://127.0.0.1:8000/api/v1/conjunctions/requests/{Search.request_id}"
    assert ap.as_conjunctions(search).aurorax.provenance["api_url"] == "http://127.0.0.1:8000"
    search.request_url = f"/api/v1/conjunctions/requests/{Search.request_id}"
    assert ap.as_conjunctions(search).aurorax.provenance["api_url"] is None


@pytest.mark.parametrize(("data", "count"), [(None, None), ([], 7)])
def test_a_search_without_its_result_says_how_to_get_it(data, count):
    with pytest.raises(ap.AuroraxInputError, match=r"call its wait\(\) and get_data\(\) first"):
        ap.as_conjunctions(Search(data, count))


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pd.DataFrame({"program": ["a"]}), "'identifier' is missing; sources are found by it"),
        (pd.DataFrame({"identifier": [1.5], "program": ["a"]}), "column 'identifier' cannot be read"),
        (pd.DataFrame({"identifier": [1], "program": [7]}), "column 'program' cannot be read"),
    ],
)
def test_a_table_of_sources_that_cannot_be_read_is_refused(sample, table, says):
    with pytest.raises(ap.AuroraxInputError, match=says):
        ap.as_conjunctions(trimmed(sample), data_sources=table)


def test_cells_of_every_kind_in_records_are_json(sample):
    records = sample.head(3).to_dict("records")
    records[1]["closest_epoch"], records[2]["closest_epoch"] = np.datetime64("NaT", "us"), pd.NA
    records[0]["farthest_epoch"] = pd.NaT
    records[1]["min_distance"] = np.float32(records[1]["min_distance"])
    records[2]["events"] = np.array(records[2]["events"].to_dict("records"))
    found = ap.as_conjunctions(records)
    assert found["closest_epoch"].isna().tolist() == [False, True, True]
    assert found["farthest_epoch"].isna().tolist() == [True, False, False]
    same = ["closest_epoch", "farthest_epoch", "min_distance"]
    assert_conjunctions_equal(found.assign(**sample[same]), sample.head(3), check_attrs=False)


def test_what_json_does_not_hold_twice_or_at_all_is_refused():
    with pytest.raises(ap.AuroraxDataError, match="'result' is there 2 times; join what they hold"):
        ap.as_conjunctions(b'{"result": [], "result": []}')
    with pytest.raises(ap.AuroraxDataError, match="object is neither JSON nor an object with fields of a conjunction"):
        ap.as_conjunctions([object()])


def test_attrs_that_are_no_json_stay_behind_and_provenance_goes_along(sample):
    odd = sample.copy(deep=False)
    odd.attrs = {**sample.attrs, "mine": {1, 2}}
    back = ap.as_conjunctions(odd.aurorax.to_arrow())
    assert back.attrs == sample.attrs
    odd.attrs["mine"] = {1: "a key that comes back as text"}
    assert ap.as_conjunctions(odd.aurorax.to_arrow()).attrs == sample.attrs
    bare = sample.aurorax.to_arrow()
    of_pandas_alone = {name: value for name, value in bare.schema.metadata.items() if name != b"pandas"}
    assert ap.as_conjunctions(bare.replace_schema_metadata(of_pandas_alone)).attrs == sample.attrs


@pytest.mark.parametrize("rows", [slice(10, 14), slice(0, 8, 2)])
def test_the_labels_of_a_part_of_a_frame_come_back(sample, rows):
    part = sample.iloc[rows]
    assert ap.as_conjunctions(part.aurorax.to_arrow()).index.equals(part.index)


def test_an_index_comes_back_without_what_pandas_wrote_of_it(sample):
    labelled = sample.head(3).set_axis(["x", "y", "z"]).assign(kp=1.0)
    table = labelled.aurorax.to_arrow()
    assert ap.as_conjunctions(table.replace_schema_metadata(None)).index.tolist() == ["x", "y", "z"]


def test_whole_numbers_that_floats_do_not_hold_stay_whole():
    big = columns.in_dtype(pd.Series([2**53 + 1, 3], dtype="uint64"), "Int64")
    assert big.tolist() == [2**53 + 1, 3]
    with pytest.raises(ValueError, match="no whole number that a float holds"):
        columns.in_dtype(pd.Series([2.0**54, 3.0]), "Int64")
    with pytest.raises(ValueError, match="no whole number that a float holds"):
        columns.in_dtype(pd.Series([1.5, 3.0]), "Int64")


@pytest.mark.parametrize("make", [lambda df: df, ap.explode_events, ap.pair_summary, ap.passes])
def test_a_frame_in_its_dtypes_is_not_made_again(sample, make):
    df = make(sample)
    assert columns.in_model_dtypes(df, columns.columns_of_kind(df))[0] is df


@pytest.mark.parametrize("name", [5, "min_distance"])
def test_columns_of_a_table_have_names_of_text_each_once(sample, name):
    odd = sample.assign(own=1).rename(columns={"own": name})
    with pytest.raises(ap.AuroraxInputError, match="columns"):
        odd.aurorax.to_arrow()
