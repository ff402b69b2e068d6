"""Files in the hands of other tools, where these are there: ncdump, the CF checker, R, DuckDB, polars."""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal

FRAMES = {
    "conjunctions": lambda df: df.aurorax.closest_approach(ap.load_sample_ephemeris()).assign(kp=2.3, quiet=True),
    "events": lambda df: df.aurorax.explode_events(),
    "summary": lambda df: df.aurorax.pair_summary(),
    "passes": lambda df: df.aurorax.passes(),
    "empty": lambda df: df.iloc[:0],
}


def tool(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def ran(*command):
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
    return done.stdout, done.stderr, done.returncode


@pytest.fixture(params=FRAMES)
def frame(request, sample):
    return FRAMES[request.param](sample)


# ---- NetCDF ------------------------------------------------------------------------------------------------------


def test_ncdump_shows_times(sample, tmp_path):
    ncdump = tool("ncdump")
    df = FRAMES["conjunctions"](sample)
    df.aurorax.to_netcdf(tmp_path / "a.nc")
    shown, said, _ = ran(ncdump, "-t", "-v", "start,closest_epoch,farthest_epoch,approach_time", tmp_path / "a.nc")
    assert said == ""
    assert ' start = "2020-01-01 00:08", "2020-01-01 00:08"' in shown
    assert '"2020-01-01 00:08:45.' in shown
    # as many gaps as epochs that are missing
    of_epochs = shown.partition(" farthest_epoch =")[2].partition(";")[0]
    assert of_epochs.count("_") == df["farthest_epoch"].isna().sum()


def test_the_attributes_of_a_netcdf_are_characters_that_say_what_each_variable_is(frame, tmp_path):
    h5py = pytest.importorskip("h5py")
    frame.aurorax.to_netcdf(tmp_path / "a.nc")
    with h5py.File(tmp_path / "a.nc") as file:
        assert {"history", "title", "source", "Conventions"} <= set(file.attrs)
        for name, variable in file.items():
            for attribute in variable.attrs:
                kind = variable.attrs.get_id(attribute).dtype
                # HDF5 has no characters of length 0
                apart = attribute in ("DIMENSION_LIST", "REFERENCE_LIST") or not str(variable.attrs[attribute])
                assert apart or kind.kind in "Sif", (name, attribute)
            if variable.attrs.get("CLASS") == b"DIMENSION_SCALE" and "long_name" not in variable.attrs:
                # a dimension without a variable
                continue
            assert variable.attrs["long_name"]
            if variable.dtype.kind in "if" and "flag_meanings" not in variable.attrs:
                assert variable.attrs["units"], name
    df = FRAMES["conjunctions"](ap.load_sample_conjunctions())
    told = df.aurorax.to_xarray()
    assert [told[f"approach_{name}"].attrs.get("units") for name in ("distance", "elevation")] == ["km", "degree"]


def test_the_cf_checker_finds_nothing_missing(frame, tmp_path):
    checker = tool("compliance-checker")
    frame.aurorax.to_netcdf(tmp_path / "a.nc")
    shown, _, _ = ran(checker, "-t", "cf:1.11", tmp_path / "a.nc")
    assert "All tests passed!" in shown, shown


@pytest.mark.parametrize(
    ("times", "dtype"),
    [
        (["2020-01-01T00:00:01", "1900-01-01"], "int64"),
        (["2020-01-01T00:00:01", None], "float64"),
        (["2020-01-01T00:00:00.123457", None], "float64"),
        (["1900-01-01T00:00:00.000001", "2199-12-31T23:59:59.999999"], "float64"),
        (["1600-01-01T00:00:00.000001", "2199-12-31T23:59:59.999999"], "int64"),
        (["2999-12-31T23:59:59.999999", None], "int64"),
    ],
)
def test_times_are_exact_whatever_they_are_written_as(sample, tmp_path, times, dtype):
    h5py = pytest.importorskip("h5py")
    df = sample.head(2).assign(mine=np.array([np.datetime64(one or "NaT", "us") for one in times]))
    df.aurorax.to_netcdf(tmp_path / "a.nc")
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path / "a.nc"), df)
    with h5py.File(tmp_path / "a.nc") as file:
        assert str(file["mine"].dtype) == dtype
        assert file["start"].attrs["units"] == b"seconds since 1970-01-01T00:00:00Z"


# ---- CSV ---------------------------------------------------------------------------------------------------------


def test_a_csv_has_one_line_of_comment(frame, tmp_path):
    frame.aurorax.to_csv(tmp_path / "a.csv")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert [line[0] == "#" for line in lines[:2]] == [True, False]
    assert json.loads(lines[0][1:])["request_ids"] == frame.aurorax.provenance["request_ids"]


def test_the_csv_of_a_pair_summary_names_its_pairs(sample, tmp_path):
    df = sample.aurorax.pair_summary()
    df.aurorax.to_csv(tmp_path / "a.csv")
    rows = pd.read_csv(tmp_path / "a.csv", comment="#")
    assert (rows.columns[0], rows["pair"].tolist()) == ("pair", df.index.tolist())
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path / "a.csv"), df)
    both = df.assign(pair=df.index.astype("str"))
    both.aurorax.to_csv(tmp_path / "b.csv")
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path / "b.csv"), both)


def test_r_reads_a_csv_in_utc(sample, tmp_path):
    rscript = tool("Rscript")
    sample.aurorax.to_csv(tmp_path / "a.csv")
    code = (
        f'd <- read.csv("{tmp_path / "a.csv"}", comment.char = "#"); '
        'd$start <- as.POSIXct(d$start, format = "%Y-%m-%d %H:%M:%S", tz = "UTC"); '
        "cat(nrow(d), as.numeric(d$start[1]), sum(d$event_min_distance))"
    )
    shown, said, status = ran(rscript, "-e", code)
    assert status == 0, said
    rows, first, total = map(float, shown.split())
    assert (rows, first) == (49, sample["start"][0].timestamp())
    assert total == pytest.approx(sample.aurorax.explode_events()["min_distance"].sum())


def test_duckdb_and_polars_read_every_kind_of_file(frame, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    polars = pytest.importorskip("polars")
    for name in ("parquet", "csv", "json"):
        getattr(frame.aurorax, f"to_{name}")(tmp_path / f"a.{name}")
    path = str(tmp_path / "a.csv")
    expected = pd.read_csv(path, comment="#")["min_distance"]
    assert polars.read_csv(path, comment_prefix="#")["min_distance"].to_list() == expected.tolist()
    # of a table without rows DuckDB guesses no columns
    if len(frame):
        query = f"select count(*), sum(min_distance) from read_csv('{path}', comment='#', header=true)"
        assert duckdb.sql(query).fetchall()[0] == (len(expected), pytest.approx(expected.sum()))
    rows = polars.read_parquet(tmp_path / "a.parquet")
    assert rows["min_distance"].to_list() == frame["min_distance"].tolist()
    parquet = str(tmp_path / "a.parquet")
    assert duckdb.sql(f"select min_distance from '{parquet}'").fetchall() == [(one,) for one in frame["min_distance"]]
    records = polars.read_json((tmp_path / "a.json").read_bytes())["result"][0]
    assert len(records) == len(frame)


# ---- JSON --------------------------------------------------------------------------------------------------------


def test_a_json_with_a_key_twice_is_refused(sample, tmp_path):
    sample.assign(note='"result"').aurorax.to_json(tmp_path / "a.json")
    assert len(ap.load_conjunctions(tmp_path / "a.json")) == 49
    body = (tmp_path / "a.json").read_text()
    for name in ("result", "aurorax"):
        held = json.dumps(json.loads(body)[name])
        (tmp_path / "b.json").write_text(f'{{"{name}": {held}, {body[1:]}')
        with pytest.raises(ap.AuroraxDataError, match=f"{name}.* is there 2 times"):
            ap.load_conjunctions(tmp_path / "b.json")
    with pytest.raises(ap.AuroraxDataError, match="there 2 times"):
        ap.as_conjunctions('{"result": [], "result": []}')
