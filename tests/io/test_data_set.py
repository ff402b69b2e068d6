"""The data set of a long search: each conjunction once, and only those that no missing window can change."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions, stitch
from aurorax_pandas.io.archive import Manifest
from aurorax_pandas.io.data_set import DataSet
from aurorax_pandas.io.durable import write_json
from aurorax_pandas.testing import assert_conjunctions_equal

MINUTE = pd.Timedelta("1min")
# six windows of nine hours over the end of a year, each an hour into the next
SPAN = ("2019-12-30T20:00:00", "2020-01-01T23:59:59")
ORIGIN = pd.Timestamp("2020-01-01")


def manifest(chunk="P0DT9H0M0S", spans=(SPAN,)):
    search = {"query": {"max_distances": {"ground1-space1": 500}}, "chunk": chunk, "overlap": "P0DT1H0M0S"}
    return Manifest(search, spans)


def of_window(builders, part, spans):
    """Return what a search of one window finds of spans of time, each of a spacecraft of its own: what lies inside."""
    begin, end = part.ends
    made = []
    for number, first, last in spans:
        start, stop = max(ORIGIN + first * MINUTE, begin), min(ORIGIN + last * MINUTE, end.floor("min"))
        if start <= stop:
            craft = builders.source(100 + number, f"Craft {number}")
            first_minute, last_minute = (int((one - ORIGIN) / MINUTE) for one in (start, stop))
            low = 100.0 + first_minute % 7
            made.append(builders.record(first_minute, last_minute, sources=(builders.ATHA, craft), low=low))
    df = as_conjunctions(made)
    window = {"request_id": part.name, "start": part.start, "end": part.end}
    df.attrs["aurorax"] = {"request_ids": [part.name], "query": {}, "windows": [window], "retrieved_at": "now"}
    return df


def expected(frames, windows):
    """Return the rows of finished windows, joined, that no missing window touches."""
    rows = pd.concat([as_conjunctions([]), *(frame for frame in frames.values() if len(frame))], ignore_index=True)
    rows.attrs = {}
    whole = stitch(rows, MINUTE)
    touched = np.zeros(len(whole), bool)
    for part in windows:
        if part not in frames:
            begin, end = part.ends
            touched |= ((whole["start"] - MINUTE <= end) & (whole["end"] + MINUTE >= begin)).to_numpy()
    return whole[~touched].reset_index(drop=True)


def loaded(folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        df = ap.load_conjunctions(folder)
    return df, [str(one.message) for one in caught]


def opened(folder, told):
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    write_json(folder / "parts" / "search.json", told.as_json())
    return DataSet(folder, told, MINUTE)


@settings(max_examples=3)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-1680, 1430), st.integers(0, 900)), min_size=4, max_size=14),
    st.permutations(range(6)),
)
def test_what_is_there_is_sure_at_each_step(tmp_path_factory, builders, spans, order):
    folder = tmp_path_factory.mktemp("kept")
    spans = [(number, first, min(first + length, 1439)) for number, first, length in spans]
    told = manifest()
    windows = told.windows()
    data_set = opened(folder, told)
    data_set.begin({})
    data_set.commit()
    frames = {}
    for number in order:
        part = windows[number]
        frames[part] = of_window(builders, part, spans)
        data_set.add(part, frames[part])
        if len(frames) % 2:
            continue
        df, said = loaded(folder)
        assert_conjunctions_equal(df, expected(frames, windows), check_attrs=False)
        missing = len(windows) - len(frames)
        assert [one.split(" of ")[0] for one in said] == [str(missing)] * (missing > 0)
    whole = of_window(builders, type(windows[0])(0, *SPAN), spans)
    whole = stitch(whole, MINUTE)
    assert df[["start", "end"]].equals(whole[["start", "end"]])
    assert df.attrs["aurorax"]["request_ids"] == [part.name for part in windows]
    assert df.attrs["aurorax"]["query"] == told.query
    # nothing is written again for what is there
    before = {path: path.stat().st_mtime_ns for path in folder.glob("conjunctions/*/*")}
    again = opened(folder, told)
    again.begin(frames)
    again.commit()
    assert {path: path.stat().st_mtime_ns for path in folder.glob("conjunctions/*/*")} == before
    assert {path.parent.name for path in before} == {"year=2019", "year=2020"}


LONG = [(0, -1600, -1500), (1, -700, 500), (0, -5, 5), (2, 1400, 1439), (0, 700, 760)]


def filled(folder, builders, told, spans=LONG):
    windows = told.windows()
    frames = {part: of_window(builders, part, spans) for part in windows}
    data_set = opened(folder, told)
    data_set.begin(frames)
    data_set.commit()
    return frames


@pytest.mark.parametrize("harm", ["gone", "cut", "index", "a folder"])
def test_what_is_damaged_is_made_again(tmp_path, builders, harm):
    told = manifest()
    frames = filled(tmp_path, builders, told)
    whole, said = loaded(tmp_path)
    assert (len(whole), said) == (len(LONG), [])
    path = sorted(tmp_path.glob("conjunctions/*/*.parquet"))[1]
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    elif harm == "index":
        (tmp_path / "parts" / "data-set.json").write_text("[" * 10_000)
    else:
        path.unlink()
    if harm == "a folder":
        path.mkdir()
        (path / "notes").write_text("mine")
    data_set = opened(tmp_path, told)
    data_set.begin(frames)
    data_set.commit()
    assert_conjunctions_equal(loaded(tmp_path)[0], whole)
    assert len(list(tmp_path.glob("conjunctions/*/*.aside-*/notes"))) == (harm == "a folder")


def test_a_row_at_the_edge_waits_for_the_windows_that_are_added(tmp_path, builders):
    told = manifest()
    frames = filled(tmp_path, builders, told, [(2, 1400, 1500), (0, 10, 20)])
    assert len(loaded(tmp_path)[0]) == 2
    longer = manifest(spans=(SPAN, ("2020-01-02T00:00:00", "2020-01-02T12:00:00")))
    data_set = DataSet(tmp_path, longer, MINUTE)
    data_set.begin(frames)
    # whatever the search is said to be so far, what is there is sure
    df, _ = loaded(tmp_path)
    assert df["start"].tolist() == [ORIGIN + 10 * MINUTE]
    write_json(tmp_path / "parts" / "search.json", longer.as_json())
    data_set.commit()
    assert "2 of 8 windows" in loaded(tmp_path)[1][0]
    for part in longer.windows()[6:]:
        data_set.add(part, of_window(builders, part, [(2, 1400, 1500)]))
    df, said = loaded(tmp_path)
    assert (df["end"].max(), said) == (ORIGIN + 1500 * MINUTE, [])


def test_files_are_of_months_where_windows_are_longer_than_a_day(tmp_path, builders):
    filled(tmp_path, builders, manifest("P1DT0H0M0S"))
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("conjunctions/**/*.parquet"))
    assert names == ["conjunctions/year=2019/2019-12.parquet", "conjunctions/year=2020/2020-01.parquet"]
    assert len(loaded(tmp_path)[0]) == len(LONG)


# ---- read by others ----------------------------------------------------------------------------------------------


def test_any_engine_reads_it_by_its_glob(tmp_path, builders):
    filled(tmp_path, builders, manifest())
    df, _ = loaded(tmp_path)
    pattern = str(tmp_path / "conjunctions" / "**" / "*.parquet")
    duckdb = pytest.importorskip("duckdb")
    rows = duckdb.sql(f"select start, \"end\", year from '{pattern}'").fetchall()
    assert [row[0] for row in rows] == df["start"].tolist()
    assert [row[2] for row in rows] == df["start"].dt.year.tolist()
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(pattern)["start"].to_list() == df["start"].tolist()
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(tmp_path / "conjunctions", partitioning="hive").to_table()
    assert sorted(table["start"].to_pylist()) == df["start"].tolist()
    assert_conjunctions_equal(ap.load_conjunctions(pattern), df, check_attrs=False)


def test_dask_reads_it(tmp_path, builders):
    pytest.importorskip("dask.dataframe")
    filled(tmp_path, builders, manifest())
    df, _ = loaded(tmp_path)
    lazy = ap.load_conjunctions(tmp_path, engine="dask", start="2020-01-01")
    assert lazy.npartitions == 3
    later = df[df["end"] >= "2020-01-01"].reset_index(drop=True)
    assert_conjunctions_equal(lazy.compute().reset_index(drop=True), later, check_attrs=False)
    chosen = ap.load_conjunctions(tmp_path, engine="dask", columns="end", end="2019-12-31")
    assert chosen.compute()["end"].tolist() == df["end"][df["start"] < "2020-01-01"].tolist()


def test_columns_and_times_can_be_chosen(tmp_path, builders):
    filled(tmp_path, builders, manifest())
    df, _ = loaded(tmp_path)
    chosen = ap.load_conjunctions(
        tmp_path, columns=["min_distance", "start"], start="2020-01-01", end="2020-01-01T01:00"
    )
    wanted = df[(df["end"] >= "2020-01-01") & (df["start"] <= "2020-01-01T01:00")]
    assert len(wanted) == 2
    pd.testing.assert_frame_equal(chosen, wanted[["min_distance", "start"]].reset_index(drop=True))
    assert list(ap.load_conjunctions(tmp_path, columns="events", start="2021").columns) == ["events"]
    for arguments, says in (
        ({"columns": "mindistance"}, "no 'mindistance' .*'min_distance'"),
        ({"columns": [3]}, "columns: 3 is no name"),
        ({"start": "2021", "end": "2020"}, "swap"),
        ({"start": "soon"}, "start="),
    ):
        with pytest.raises(ap.AuroraxInputError, match=says):
            ap.load_conjunctions(tmp_path, **arguments)


def test_a_choice_is_made_of_files_too(sample, tmp_path):
    for name in ("parquet", "csv", "json", "nc"):
        path = tmp_path / f"a.{name}"
        getattr(sample.aurorax, "to_netcdf" if name == "nc" else f"to_{name}")(path)
        df = ap.load_conjunctions(path, columns=["events", "start"], start="2020-01-01T06")
        wanted = sample[sample["end"] >= "2020-01-01T06"][["events", "start"]].reset_index(drop=True)
        assert_conjunctions_equal(df, wanted)


def test_several_files_give_each_conjunction_once(sample, tmp_path):
    sample.iloc[:30].aurorax.to_parquet(tmp_path / "a.parquet")
    sample.iloc[20:].aurorax.to_csv(tmp_path / "b.csv")
    for several in ([tmp_path / "a.parquet", str(tmp_path / "b.csv")], str(tmp_path / "[ab].*")):
        df = ap.load_conjunctions(several)
        assert_conjunctions_equal(df, sample, check_attrs=False)
        assert df.aurorax.provenance["request_ids"] == sample.aurorax.provenance["request_ids"]
    with pytest.raises(ap.AuroraxInputError, match="names no file"):
        ap.load_conjunctions([])
    events = sample.aurorax.explode_events()
    for number in range(2):
        sample.iloc[number::2].aurorax.explode_events().aurorax.to_json(tmp_path / f"{number}.json")
    both = ap.load_conjunctions(tmp_path / "?.json")
    assert sorted(both["min_distance"]) == sorted(events["min_distance"])
    assert ap.validate(both).dtypes.equals(events.dtypes)
    with pytest.raises(ap.AuroraxDataError, match="conjunctions and events"):
        ap.load_conjunctions([tmp_path / "a.parquet", tmp_path / "0.json"])


def test_a_folder_that_is_none_says_what_to_give(sample, tmp_path):
    with pytest.raises(ap.AuroraxInputError, match=r"is a folder, but none .* '.*\*\.parquet'"):
        ap.load_conjunctions(tmp_path)
    sample.aurorax.to_parquet(tmp_path / "part-00000.parquet")
    with pytest.raises(ap.AuroraxInputError, match=r"older form.*load_conjunctions of the pattern"):
        ap.load_conjunctions(tmp_path)


def test_a_data_set_that_was_moved_alone_says_that_nothing_tells(tmp_path, builders):
    filled(tmp_path, builders, manifest())
    (tmp_path / "parts").rename(tmp_path.parent / f"{tmp_path.name} parts")
    df, said = loaded(tmp_path)
    assert len(df) == len(LONG)
    assert "nothing in" in said[0]
