"""Where files are: compressed, in a home, behind a URL, and what is no place for one."""

import io as stdlib_io
import os
import warnings

import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal

TEXT = {"csv": "to_csv", "json": "to_json"}
PACKED = [".gz", ".bz2", ".xz", ".zip", ".tar", ".tar.gz"]


def write(df, name, path, **options):
    getattr(df.aurorax, f"to_{name}")(path, **options)
    return path


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("name", TEXT)
def test_text_is_compressed_as_its_name_tells_and_loads_again(sample, tmp_path, name, packed):
    path = write(sample, name, tmp_path / f"a.{name}{packed}")
    plain = write(sample, name, tmp_path / f"b.{name}")
    assert_conjunctions_equal(ap.load_conjunctions(path), sample)
    if packed != ".tar":
        assert path.stat().st_size < plain.stat().st_size / 2
    with pd.io.common.get_handle(path, "rb", compression="infer", is_text=False) as handles:
        assert handles.handle.read() == plain.read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def test_pandas_reads_a_compressed_file_by_its_name(sample, tmp_path):
    path = write(sample, "csv", tmp_path / "a.csv.gz")
    assert len(pd.read_csv(path, comment="#")) == 49
    write(sample, "json", tmp_path / "a.JSON.GZ", api=True)
    assert_conjunctions_equal(
        ap.as_conjunctions(pd.read_json(tmp_path / "a.JSON.GZ")["result"]), sample, check_attrs=False
    )


@pytest.mark.parametrize("name", TEXT)
def test_a_mark_of_byte_order_is_read(sample, tmp_path, name):
    path = write(sample, name, tmp_path / f"a.{name}")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert_conjunctions_equal(ap.load_conjunctions(path), sample)
    empty = ap.load_conjunctions(path, engine="dask") if name == "csv" else None
    assert empty is None or len(empty) == 49


@pytest.mark.parametrize("name", ["parquet", "csv", "json", "netcdf"])
def test_a_home_is_meant_by_its_sign(sample, tmp_path, monkeypatch, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(sample, name, "~/a", overwrite=False)
    assert_conjunctions_equal(ap.load_conjunctions("~/a", format=name), sample)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


WRONG = {
    "parquet": {"a.csv": "use to_csv", "a.parquet.gz": "compressed inside", "a.xlsx": "another format"},
    "csv": {"a.parquet": "use to_parquet", "a.json.gz": "use to_json", "a.feather": "end it with '.csv'"},
    "json": {"a.nc": "use to_netcdf", "a.pkl": "another format"},
    "netcdf": {"a.pq": "use to_parquet", "a.nc.gz": "compressed inside", "a.h5": "another format"},
}


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, paths in WRONG.items() for path in paths])
def test_a_suffix_of_another_format_is_refused(sample, tmp_path, name, path):
    with pytest.raises(ap.AuroraxInputError, match=WRONG[name][path]) as caught:
        write(sample, name, str(tmp_path / path))
    assert str(tmp_path / path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["a\0.csv", "", "  ", b"a.csv", 5, None, "x" * 300 + ".csv", stdlib_io.BytesIO()])
def test_what_is_no_path_is_one_clear_error(sample, path):
    for call in (lambda: sample.aurorax.to_csv(path), lambda: ap.load_conjunctions(path)):
        with pytest.raises(ap.AuroraxError, match="path") as caught:
            call()
        assert isinstance(caught.value, ap.AuroraxInputError | ap.AuroraxFileError)


def test_a_file_object_is_refused_by_name(sample, tmp_path):
    with (tmp_path / "a.csv").open("w") as file:
        with pytest.raises(ap.AuroraxInputError, match=r"file object \(TextIOWrapper\)"):
            sample.aurorax.to_csv(file)
        with pytest.raises(ap.AuroraxInputError, match=r"file object \(TextIOWrapper\)"):
            ap.load_conjunctions(file, format="csv")


@pytest.mark.parametrize("name", ["parquet", "csv", "json", "netcdf"])
def test_a_place_that_may_not_be_written_names_the_users_path(sample, tmp_path, monkeypatch, name):
    path = tmp_path / f"a.{'nc' if name == 'netcdf' else name}"

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ap.AuroraxFileError, match="cannot be written: Permission denied; what was there") as caught:
        write(sample, name, path)
    assert caught.value.errno == 13
    assert repr(str(path)) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


# ---- URLs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory():
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    yield system
    for path in system.find("/"):
        system.rm_file(path)


@pytest.mark.parametrize("name", ["parquet", "csv", "csv.gz", "json", "nc"])
def test_a_url_is_written_read_back_and_loaded(sample, memory, name):
    url = f"memory://kept/a.{name}"
    verb = {"nc": "netcdf", "csv.gz": "csv"}.get(name, name)
    write(sample, verb, url)
    assert_conjunctions_equal(ap.load_conjunctions(url), sample)
    assert memory.find("/kept") == [f"/kept/a.{name}"]
    with pytest.raises(ap.AuroraxInputError, match="exists; give overwrite=True"):
        write(sample, verb, url)
    write(sample.head(3), verb, url, overwrite=True)
    assert len(ap.load_conjunctions(url)) == 3


def test_urls_are_taken_by_pattern_in_a_list_and_with_dask(sample, memory):
    sample.head(30).aurorax.to_parquet("memory://kept/a.parquet")
    sample.tail(19).aurorax.to_parquet("memory://kept/b.parquet")
    for several in ("memory://kept/*.parquet", ["memory://kept/a.parquet", "memory://kept/b.parquet"]):
        assert_conjunctions_equal(ap.load_conjunctions(several), sample, check_attrs=False)
    pytest.importorskip("dask.dataframe")
    assert len(ap.load_conjunctions("memory://kept/*.parquet", engine="dask", columns="start")) == 49
    assert len(pd.read_parquet("memory://kept/a.parquet")) == 30
    for url in ("memory://kept/none.parquet", "memory://kept/none*.parquet", "nonsense://a/b.csv"):
        with pytest.raises(ap.AuroraxInputError, match="path="):
            ap.load_conjunctions(url)


def test_what_does_not_come_back_from_a_url_is_not_kept(sample, memory, monkeypatch):
    put = type(memory).put_file

    def damage(self, local, remote, **options):
        put(self, local, remote, **options)
        self.pipe_file(remote, b"other")

    monkeypatch.setattr(type(memory), "put_file", damage)
    with pytest.raises(ap.AuroraxDataError, match=r"memory://kept/a\.csv.*was not kept"):
        sample.aurorax.to_csv("memory://kept/a.csv")
    assert memory.find("/kept") == []


def test_a_url_of_a_file_is_a_path(sample, tmp_path):
    sample.aurorax.to_csv(f"file://{tmp_path}/a%20b.csv")
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path / "a b.csv"), sample)


# ---- files of other tools ----------------------------------------------------------------------------------------


def foreign(writer, df, path):
    if writer == "pandas":
        df.to_parquet(path)
    elif writer == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        kept = df.aurorax.to_arrow()
        assert kept.num_rows
        duckdb.sql("from kept").write_parquet(str(path))
    else:
        polars = pytest.importorskip("polars")
        polars.from_arrow(df.aurorax.to_arrow()).write_parquet(path)


@pytest.mark.parametrize("writer", ["pandas", "duckdb", "polars"])
def test_parquet_of_other_tools_is_opened_without_a_provenance(sample, tmp_path, writer):
    path = tmp_path / "a.parquet"
    foreign(writer, sample, path)
    df = ap.load_conjunctions(path)
    assert_conjunctions_equal(df, sample, check_attrs=False)
    assert df.aurorax.provenance == {}
    chosen = ap.load_conjunctions(path, columns=["start"], end="2020-01-01T01")
    assert chosen["start"].tolist() == sample["start"][sample["start"] <= "2020-01-01T01"].tolist()
    pytest.importorskip("dask.dataframe")
    with warnings.catch_warnings():
        assert len(ap.load_conjunctions(path, engine="dask").aurorax.explode_events()) == 49
