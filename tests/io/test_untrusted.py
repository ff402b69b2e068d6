"""Files of strangers: a trap is one error, within seconds and bounded memory."""

import gzip
import json
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import aurorax_pandas as ap
from aurorax_pandas.frame import provenance
from aurorax_pandas.io import files, layout

SUFFIXES = {"parquet": "parquet", "csv": "csv", "json": "json", "netcdf": "nc"}


def strange(df, **changes):
    df = df.copy()
    df.attrs["aurorax"] = {**df.attrs["aurorax"], **changes}
    return df


STRANGE = {
    "a query of 5": {"query": 5},
    "a query of text": {"query": "themis"},
    "a list of numbers": {"query": [5]},
    "9 999 years": {"query": {"start": "0001-01-01", "end": "9999-12-31"}},
    "backwards": {"query": {"start": "2020-01-02", "end": "2020-01-01"}},
    "no instants": {"query": {"start": {"a": 1}, "end": "soon"}},
    "windows of numbers": {"windows": [3]},
    "names that are none": {"request_ids": [[1]]},
    "an address that is none": {"api_url": {"host": 1}},
    "a step that is none": {"step": "soon"},
    "a step of a dict": {"step": {"a": 1}},
}


@pytest.mark.parametrize(
    ("name", "why"), [*((name, "a query of 5") for name in SUFFIXES), *(("json", why) for why in STRANGE)]
)
def test_attrs_that_hold_other_things_are_one_error(sample, tmp_path, monkeypatch, name, why):
    df = strange(sample.head(3), **STRANGE[why])
    path = tmp_path / f"a.{SUFFIXES[name]}"
    with pytest.raises(ap.AuroraxInputError, match="to_"):
        getattr(df.aurorax, f"to_{name}")(path)
    # as a program that does not check would write it, with a sum that is right
    with monkeypatch.context() as patched:
        patched.setattr(layout.limits, "strange_attrs", lambda attrs: "")
        patched.setattr(provenance, "_PARTS", {})
        getattr(df.aurorax, f"to_{name}")(path)
    with pytest.raises(ap.AuroraxDataError):
        ap.load_conjunctions(path)


@pytest.mark.parametrize("name", ["parquet", "csv", "json"])
def test_a_hundred_thousand_columns_are_one_error(sample, tmp_path, monkeypatch, name):
    df = pd.concat([sample.head(1), pd.DataFrame(np.zeros((1, 100_000))).rename(columns=str)], axis=1)
    df.attrs = sample.attrs
    with pytest.raises(ap.AuroraxInputError, match="columns, more than"):
        getattr(df.aurorax, f"to_{name}")(tmp_path / f"a.{name}")
    sample.head(1).aurorax.to_csv(tmp_path / "b.csv")
    block = json.loads((tmp_path / "b.csv").read_text().partition("\n")[0][1:])
    block["frame"]["columns"] += [{"name": str(number), "dtype": "float64"} for number in range(100_000)]
    path = tmp_path / f"c.{name}"
    if name == "csv":
        path.write_text(f"# {json.dumps(block)}\n" + ",".join(map(str, range(100_000))) + "\n")
    elif name == "json":
        path.write_text(json.dumps({"aurorax": block, "result": []}))
    else:
        pq.write_table(pa.table({"a": [1]}, metadata={b"aurorax": json.dumps(block).encode()}), path)
    with pytest.raises(ap.AuroraxDataError, match="columns, more than"):
        ap.load_conjunctions(path)


def test_a_hundred_thousand_variables_are_told_before_they_are_opened(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.nc", "w") as file:
        for number in range(500):
            file[str(number)] = 1
    monkeypatch.setattr(layout.limits, "MOST_COLUMNS", 400)
    with pytest.raises(ap.AuroraxDataError, match="it has 500 columns"):
        ap.load_conjunctions(tmp_path / "a.nc")


def bounded(path):
    """Return the error of loading a file, which takes little memory of Python and Arrow."""
    tracemalloc.start()
    before = pa.total_allocated_bytes()
    with pytest.raises(ap.AuroraxDataError) as caught:
        ap.load_conjunctions(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2**28
    assert pa.total_allocated_bytes() - before < 2**28
    return str(caught.value)


@pytest.mark.parametrize("name", ["csv", "json"])
def test_a_little_text_that_unpacks_to_much_is_one_error(tmp_path, name):
    piece = gzip.compress(b" " * 2**24, 9)
    (tmp_path / f"a.{name}.gz").write_bytes(piece * 20)
    assert "unpacks to more than" in bounded(tmp_path / f"a.{name}.gz")
    with zipfile.ZipFile(tmp_path / f"a.{name}.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(f"a.{name}", b"#" * 2**27)
    assert "unpacks to more than" in bounded(tmp_path / f"a.{name}.zip")


def test_a_little_parquet_that_unpacks_to_much_is_one_error(sample, tmp_path):
    sample.aurorax.to_parquet(tmp_path / "a.parquet")
    metadata = pq.read_schema(tmp_path / "a.parquet").metadata
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000_000, np.int8)), pa.array([1.5]))
    pq.write_table(pa.table({"min_distance": many.cast(pa.float64())}, metadata=metadata), tmp_path / "b.parquet")
    assert (tmp_path / "b.parquet").stat().st_size < 100_000
    assert "unpacks to" in bounded(tmp_path / "b.parquet")
    # one long text, many times
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, np.int32)), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"note": text}, metadata=metadata), tmp_path / "c.parquet", compression="zstd")
    assert (tmp_path / "c.parquet").stat().st_size < 40_000
    assert "unpacks to" in bounded(tmp_path / "c.parquet")


def test_a_little_netcdf_that_unpacks_to_much_is_one_error(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.nc", "w") as file:
        # nothing is written of it
        file.create_dataset("min_distance", (10**10,), "f8", chunks=(10**6,), compression="gzip")
    assert (tmp_path / "a.nc").stat().st_size < 10_000
    assert "unpacks to 80000000000" in bounded(tmp_path / "a.nc")


def test_a_csv_that_tells_of_a_thousand_million_sources_is_one_error(sample, tmp_path):
    sample.head(2).aurorax.to_csv(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text()
    (tmp_path / "a.csv").write_text(text.replace("0,0,2,", "0,0,2000000000,", 1))
    assert "tells of 2000000000 sources" in bounded(tmp_path / "a.csv")


def test_what_is_large_and_true_is_read(tmp_path, sample):
    df = sample.loc[np.zeros(200_000, int)].reset_index(drop=True)
    df.aurorax.to_parquet(tmp_path / "a.parquet")
    assert len(files.load(tmp_path / "a.parquet", "parquet")) == 200_000
