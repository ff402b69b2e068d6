"""Files open in tools that never heard of this library."""

import csv
import json
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import aurorax_pandas as ap

PLAIN = """
import sys
sys.modules["nested_pandas"] = None
import pandas as pd
df = pd.read_parquet(sys.argv[1])
print(df["min_distance"].sum(), sum(e["min_distance"] for row in df["events"] for e in row), df.attrs["aurorax"]["request_ids"])
"""  # fmt: skip


@pytest.fixture
def sums(sample):
    return sample["min_distance"].sum(), sample.aurorax.explode_events()["min_distance"].sum()


@pytest.fixture
def parquet(sample, tmp_path):
    sample.aurorax.to_parquet(tmp_path / "a.parquet")
    return str(tmp_path / "a.parquet")


def test_pandas_without_nested_pandas(parquet, sums, sample):
    done = subprocess.run([sys.executable, "-W", "error", "-c", PLAIN, parquet], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second, *rest = done.stdout.split()
    assert [float(first), float(second)] == pytest.approx(sums)
    assert "".join(rest) == str(sample.attrs["aurorax"]["request_ids"])


def test_pyarrow(parquet, sums):
    table = pq.read_table(parquet)
    assert str(table.schema.field("events").type).startswith("list<")
    events = table["events"].combine_chunks().flatten()
    assert (sum(table["min_distance"].to_pylist()), sum(events.field("min_distance").to_pylist())) == pytest.approx(
        sums
    )


def test_duckdb(parquet, sums):
    duckdb = pytest.importorskip("duckdb")
    first = duckdb.sql(f"select sum(min_distance) from '{parquet}'").fetchall()
    second = duckdb.sql(f"select sum(e.min_distance) from (select unnest(events) e from '{parquet}')").fetchall()
    assert (first[0][0], second[0][0]) == pytest.approx(sums)


def test_polars(parquet, sums):
    polars = pytest.importorskip("polars")
    df = polars.read_parquet(parquet)
    events = df.select("events").explode("events").unnest("events")
    assert (df["min_distance"].sum(), events["min_distance"].sum()) == pytest.approx(sums)


def test_plain_xarray(sample, tmp_path, sums):
    import xarray as xr

    sample.aurorax.to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as ds:
        assert (float(ds["min_distance"].sum()), float(ds["event_min_distance"].sum())) == pytest.approx(sums)
        assert (ds["start"].values == sample["start"].to_numpy()).all()
        assert np.isnat(ds["farthest_epoch"].values).sum() == sample["farthest_epoch"].isna().sum()
        assert ds["event_e2_display_name"].values[0] == "Swarm A"


def test_csv_module_and_pandas(sample, tmp_path, sums):
    path = tmp_path / "a.csv"
    sample.aurorax.to_csv(path)
    df = pd.read_csv(path, comment="#", parse_dates=["start", "event_start"])
    assert (df["min_distance"].sum(), df["event_min_distance"].sum()) == pytest.approx(sums)
    assert df["start"].tolist() == sample["start"].tolist()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    assert [float(row["min_distance"]) for row in rows] == sample["min_distance"].tolist()
    assert not any("[" in value or "{" in value for row in rows for value in row.values())


def test_pyauroraxs_own_class(sample, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyaurorax = pytest.importorskip("pyaurorax", exc_type=ImportError)
    sample.aurorax.to_json(tmp_path / "a.json", api=True)
    records = json.loads((tmp_path / "a.json").read_text())["result"]
    made = [pyaurorax.search.Conjunction(**record) for record in records]
    assert [one.min_distance for one in made] == sample["min_distance"].tolist()
    assert ap.as_conjunctions(made)["start"].tolist() == sample["start"].tolist()
