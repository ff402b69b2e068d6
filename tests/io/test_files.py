import json
import os
import signal
import subprocess
import sys

import msgspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import as_conjunctions, io
from aurorax_pandas.frame import model
from aurorax_pandas.io import files
from aurorax_pandas.testing import assert_conjunctions_equal

SUFFIXES = {"parquet": ".parquet", "csv": ".csv", "json": ".json", "netcdf": ".nc"}
FORMATS = list(SUFFIXES)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)
FLOATS = st.floats(0, 1e6, allow_nan=False)


def write(df, name, path, **kwargs):
    getattr(df.aurorax, f"to_{name}")(path, **kwargs)
    return path


def round_trip(df, name, folder):
    path = write(df, name, folder / f"conjunctions{SUFFIXES[name]}", overwrite=True)
    assert [one.name for one in folder.iterdir()] == [path.name]
    return ap.load_conjunctions(path)


def with_own_columns(df):
    count = len(df)
    return df.assign(
        kp=np.where(np.arange(count) % 3, 1.1, np.nan),
        number=pd.array([None, *range(count)][:count], "Int64"),
        note=pd.array(["", None, "#1, \"a\"\nb", *["x"] * count][:count], "str"),
        quiet=np.arange(count) % 2 == 0,
        maybe=pd.array([None, *[True] * count][:count], "boolean"),
        received=pd.Timestamp("2020-01-01T00:00:00.123456", tz="UTC"),
        lag=pd.Timedelta("1.5s"),
        phase=pd.Categorical(["growth"] * count, ["expansion", "growth", "not yet"], ordered=True),
    )  # fmt: skip


FRAMES = {
    "sample": lambda df: df,
    "empty": lambda df: df.iloc[:0],
    "reversed": lambda df: df.iloc[::-2],
    "text index": lambda df: df.set_axis(pd.Index([f"row {number}" for number in range(len(df))], name="label")),
    "time index": lambda df: df.set_axis(pd.DatetimeIndex(df["start"])),
    "multi index": lambda df: df.set_axis(pd.MultiIndex.from_arrays([["a"] * len(df), range(len(df))], names=["x", None])),
    "empty multi index": lambda df: FRAMES["multi index"](df).iloc[:0],
    "own columns": with_own_columns,
    "own columns, empty": lambda df: with_own_columns(df).iloc[:0],
    "no epochs": lambda df: df.assign(closest_epoch=pd.Series(pd.NaT, df.index, "M8[us]")),
    "no attrs": lambda df: pd.DataFrame({name: df[name].array for name in df}),
    "more attrs": lambda df: attrs(df, {**df.attrs, "mine": {"a": [1, None, "é"]}}),
    "columns in another order": lambda df: df[df.columns[::-1]],
    "events": lambda df: df.aurorax.explode_events(),
    "events, empty": lambda df: df.iloc[:0].aurorax.explode_events(),
    "events of a text index": lambda df: FRAMES["text index"](df).aurorax.explode_events(),
    "pair summary": lambda df: df.aurorax.pair_summary(),
    "pair summary, empty": lambda df: df.iloc[:0].aurorax.pair_summary(),
}  # fmt: skip


def attrs(df, value):
    df = df.copy()
    df.attrs = value
    return df


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("frame", FRAMES)
def test_a_file_gives_the_frame_back(sample, tmp_path, name, frame):
    df = FRAMES[frame](sample)
    before = df.copy(deep=True)
    assert_conjunctions_equal(round_trip(df, name, tmp_path), df)
    assert_conjunctions_equal(df, before)


@pytest.mark.filterwarnings("ignore:.* data source:aurorax_pandas.AuroraxDataWarning")
@pytest.mark.parametrize("name", FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=4)
@given(data=st.data())
def test_any_frame_comes_back(builders, tmp_path, name, data):
    # a file costs more than the records in it; those without any have a test of their own
    made = data.draw(builders.tagged_records(min_size=4))
    for one in made:
        one["min_distance"], one["max_distance"] = sorted(data.draw(st.tuples(FLOATS, FLOATS)))
        for source in one["data_sources"]:
            source["display_name"] = data.draw(st.none() | TEXTS)
            source["source_type"] = data.draw(st.sampled_from([source["source_type"], None, "new_type", "new type"]))
            source["identifier"] = data.draw(st.none() | st.integers(-(2**63), 2**63 - 1))
    df = as_conjunctions(made)
    df["own"] = data.draw(st.lists(st.floats() if name != "json" else FLOATS, min_size=len(df), max_size=len(df)))
    df["own"] = df["own"].astype("float64")
    df["text"] = pd.array(data.draw(st.lists(st.none() | TEXTS, min_size=len(df), max_size=len(df))), "str")
    assert_conjunctions_equal(round_trip(df, name, tmp_path), df)


@pytest.mark.parametrize("name", FORMATS)
def test_an_event_without_a_type_and_a_conjunction_without_events(builders, tmp_path, name):
    first = builders.record(events=[{**builders.event(builders.ATHA, builders.SWARM_A), "conjunction_type": None}])
    df = as_conjunctions([first, builders.record(3, 4, events=[]), builders.record(6, 7, data_sources=[])])
    assert_conjunctions_equal(round_trip(df, name, tmp_path), df)


def large(count):
    source = {name: model.pa.array([1, 2, 3], kind) if kind == model.pa.int64() else model.pa.array(["a", "b", "c"])
              for name, kind in model.SOURCE_FIELDS.items()}  # fmt: skip
    start = np.datetime64("2020-01-01", "us") + np.arange(count) * np.timedelta64(60_000_000, "us")
    low = np.random.default_rng(0).uniform(0, 500, count)
    one, pair = np.ones(count, np.int64), np.tile([0, 1], count)
    times = {"start": start, "end": start, "min_distance": low, "max_distance": low}
    return model.assemble_conjunctions(
        {
            **times, **{f"event_{name}": values for name, values in times.items()}, "closest_epoch": start,
            "farthest_epoch": start, "conjunction_type": 0 * one.astype(np.int8), "event_type": 0 * one.astype(np.int8),
            "source_count": 2 * one, "event_count": one, "sources": pair, "e1": 0 * one, "e2": one,
        },
        source,
    )  # fmt: skip


def test_parquet_in_many_groups_of_rows_is_loaded(sample, tmp_path):
    df = with_own_columns(sample)
    path = tmp_path / "a.parquet"
    df.aurorax.to_parquet(path)
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=7)
    assert pq.read_metadata(path).num_row_groups == 7
    assert_conjunctions_equal(ap.load_conjunctions(path), df)


def test_300_000_rows(tmp_path):
    df = large(300_000)
    assert_conjunctions_equal(round_trip(df, "parquet", tmp_path), df)


@pytest.mark.parametrize("name", FORMATS)
def test_more_rows_than_a_piece(tmp_path, name):
    df = large(20_001 if name == "csv" else 5_001)
    assert_conjunctions_equal(round_trip(df, name, tmp_path), df)


# the metadata block


def metadata(path, name):
    if name == "parquet":
        return json.loads(pq.read_schema(path).metadata[b"aurorax"])
    if name == "csv":
        return json.loads("".join(line[1:] for line in path.read_text().splitlines() if line.startswith("#")))
    if name == "json":
        return json.loads(path.read_text())["aurorax"]
    import xarray as xr

    with xr.open_dataset(path) as ds:
        return json.loads(ds.attrs["aurorax"])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["sample", "events", "pair summary"])
def test_every_format_carries_the_provenance(sample, tmp_path, name, kind):
    path = write(FRAMES[kind](sample), name, tmp_path / "file")
    block = metadata(path, name)
    assert {key: block[key] for key in sample.attrs["aurorax"]} == sample.attrs["aurorax"]
    assert block["kind"] == {"sample": "conjunctions", "events": "events", "pair summary": "pair_summary"}[kind]


def other_version(path, name):
    old, new = b'"schema_version": 1', b'"schema_version": 7'
    if name != "netcdf":
        body = path.read_bytes()
        if name != "parquet":
            path.write_bytes(body.replace(old, new))
            return
        table = pq.read_table(path)
        block = table.schema.metadata[b"aurorax"].replace(old, new)
        pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"aurorax": block}), path)
        return
    import h5py

    with h5py.File(path, "a") as file:
        file.attrs["aurorax"] = file.attrs["aurorax"].replace(old, new)


@pytest.mark.parametrize("name", FORMATS)
def test_another_schema_version_is_refused_by_name(sample, tmp_path, name):
    path = write(sample, name, tmp_path / f"file{SUFFIXES[name]}")
    other_version(path, name)
    with pytest.raises(ap.AuroraxDataError, match=r"schema_version 7.* reads 1"):
        ap.load_conjunctions(path)


# what a format cannot hold


REFUSED = {
    "objects": (lambda df: df.assign(mine=[{1, 2}] * len(df)), FORMATS),
    "lists": (lambda df: df.assign(mine=[[1]] * len(df)), ["csv", "netcdf"]),
    "nested": (lambda df: df.assign(mine=df["data_sources"]), ["csv", "json", "netcdf"]),
    "intervals": (lambda df: df.assign(mine=pd.cut(df["min_distance"], 3)), FORMATS),
    "infinity": (lambda df: df.assign(mine=np.inf), ["json"]),
    "mixed": (lambda df: df.assign(mine=["a", 1] * 24 + ["a"]), FORMATS),
}


@pytest.mark.parametrize(("why", "name"), [(why, name) for why in REFUSED for name in REFUSED[why][1]])
def test_a_column_that_the_format_cannot_hold_is_named_before_writing(sample, tmp_path, why, name):
    with pytest.raises(ap.AuroraxInputError, match=r"mine"):
        write(REFUSED[why][0](sample), name, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("why", ["lists", "nested"])
def test_parquet_holds_lists(sample, tmp_path, why):
    df = REFUSED[why][0](sample)
    assert_conjunctions_equal(round_trip(df, "parquet", tmp_path), df)


@pytest.mark.parametrize(
    ("name", "taken"),
    [("csv", "event"), ("csv", "source1_program"), ("netcdf", "source_count"), ("netcdf", "conjunction")],
)
def test_a_name_that_the_format_needs_is_refused(sample, tmp_path, name, taken):
    with pytest.raises(ap.AuroraxInputError, match=taken):
        write(sample.assign(**{taken: 1}), name, tmp_path / "file")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "change",
    [
        lambda df: df.set_axis([0, *df.columns[1:]], axis=1),
        lambda df: attrs(df, {"aurorax": {"at": pd.Timestamp(0)}}),
        lambda df: attrs(df, {"tuple": (1, 2)}),
        lambda df: attrs(df, {"nan": np.nan}),
        lambda df: df.rename_axis(index=pd.Timestamp(0)),
        lambda df: df.assign(min_distance=-1.0),
        lambda df: df.drop(columns="events"),
    ],
)
def test_a_frame_that_cannot_be_described_or_breaks_its_schema_is_refused(sample, tmp_path, name, change):
    with pytest.raises((ap.AuroraxInputError, ap.AuroraxSchemaError)):
        write(change(sample), name, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


# what the service's own records say


def test_the_service_shape_has_the_records_alone(sample, tmp_path):
    path = tmp_path / "answer.json"
    sample.aurorax.to_json(path, api=True)
    records = ap.records_from_conjunctions(sample)
    assert json.loads(path.read_text()) == {"result": records}
    # byte by byte what each record is written as
    assert path.read_bytes() == b'{"result": [\n' + b",\n".join(map(msgspec.json.encode, records)) + b"\n]}\n"
    assert_conjunctions_equal(as_conjunctions(path.read_bytes()), sample, check_attrs=False)
    with pytest.raises(ap.AuroraxDataError, match="as_conjunctions"):
        ap.load_conjunctions(path)


def test_the_service_shape_refuses_own_columns_and_other_frames(sample, tmp_path):
    with pytest.raises(ap.AuroraxInputError, match="kp"):
        sample.assign(kp=1).aurorax.to_json(tmp_path / "a.json", api=True)
    with pytest.raises(ap.AuroraxSchemaError):
        sample.aurorax.pair_summary().aurorax.to_json(tmp_path / "a.json", api=True)
    assert list(tmp_path.iterdir()) == []


def test_the_records_of_our_own_json_are_the_services(sample, tmp_path):
    path = write(with_own_columns(sample), "json", tmp_path / "a.json")
    assert_conjunctions_equal(as_conjunctions(path.read_bytes()), sample, check_attrs=False)


# atomicity


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_there_is_not_replaced_unless_asked(sample, tmp_path, name):
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(ap.AuroraxInputError, match=r"overwrite=True"):
        write(sample, name, tmp_path / "file")
    assert contents(tmp_path) == {"file": b"mine"}
    write(sample, name, tmp_path / "file", overwrite=True)
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path / "file", format=name), sample)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(sample, tmp_path, monkeypatch, name, error, step):
    (tmp_path / "file").write_bytes(b"mine")

    def fail(*args):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(error if isinstance(error, type) else OSError):
        write(sample, name, tmp_path / "file", overwrite=True)
    assert contents(tmp_path) == {"file": b"mine"}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_does_not_read_back_is_not_kept(sample, tmp_path, monkeypatch, name):
    module = files.format_module(name)
    written = module.write

    def damage(path, *args):
        written(path, *args)
        os.truncate(path, path.stat().st_size // 2)

    monkeypatch.setattr(module, "write", damage)
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(ap.AuroraxDataError, match="was not kept"):
        write(sample, name, tmp_path / "file", overwrite=True)
    assert contents(tmp_path) == {"file": b"mine"}


INTERRUPTED = """
import os, signal, sys, aurorax_pandas
from aurorax_pandas.io import files
read = files.load
def load(*args, **options):
    print("written", flush=True)
    signal.pause()
files.load = load
aurorax_pandas.to_parquet(aurorax_pandas.load_sample_conjunctions(), sys.argv[1], overwrite=True)
"""


def test_ctrl_c_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    code = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "file")]
    with subprocess.Popen(code, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        assert len(contents(tmp_path)) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    assert contents(tmp_path) == {"file": b"mine"}


def test_a_folder_that_is_not_there_and_one_that_is_the_target(sample, tmp_path):
    with pytest.raises(ap.AuroraxInputError, match="no folder"):
        sample.aurorax.to_csv(tmp_path / "nowhere" / "a.csv")
    with pytest.raises(ap.AuroraxInputError, match="is a folder"):
        sample.aurorax.to_csv(tmp_path, overwrite=True)


def test_a_link_stays_a_link_and_modes_are_as_for_any_file(sample, tmp_path):
    (tmp_path / "link.csv").symlink_to("real.csv")
    sample.aurorax.to_csv(tmp_path / "link.csv")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode


# loading


# h5netcdf closes a file that it could not open once more when it is collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_damage_and_truncation_give_one_error_or_the_frame(sample, tmp_path, name):
    df = sample.head(6)
    path = write(df, name, tmp_path / f"file{SUFFIXES[name]}")
    whole, random = path.read_bytes(), np.random.default_rng(4)
    refused = 0
    for number in range(30):
        body = bytearray(whole)
        if number % 3 == 0:
            body = body[: random.integers(len(body))]
        else:
            for place in random.integers(len(body), size=1 + number % 4):
                body[place] = random.integers(256)
        path.write_bytes(body)
        try:
            back = ap.load_conjunctions(path)
        except ap.AuroraxDataError:
            refused += 1
        else:
            assert_conjunctions_equal(back, df)
    assert refused > 15 if name != "netcdf" else refused > 7


FOREIGN = [b"", b"text", b"{}", b"[]", b"null", b"# {}", b"# 1\na,b\n1,2\n", b'{"aurorax": {}, "result": []}', b"PAR1PAR1",
           b'{"aurorax": {"schema_version": 1, "kind": "conjunctions", "frame": {}}, "result": []}', b"\x89HDF\r\n\x1a\n"]  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("body", FOREIGN)
def test_a_foreign_file_is_one_error(tmp_path, name, body):
    (tmp_path / "file").write_bytes(body)
    with pytest.raises(ap.AuroraxDataError):
        ap.load_conjunctions(tmp_path / "file", format=name)


def test_a_table_of_something_else_is_pointed_to_pandas(sample, tmp_path):
    for number, df in enumerate((sample[["start"]], sample.aurorax.explode_events(), pd.DataFrame({"a": [1]}))):
        df.to_parquet(tmp_path / f"{number}.parquet")
        with pytest.raises(ap.AuroraxDataError, match=r"pandas\.read_parquet"):
            ap.load_conjunctions(tmp_path / f"{number}.parquet")


def test_a_pickle_is_not_loaded(sample, tmp_path):
    sample.to_pickle(tmp_path / "own.pkl")
    for name in FORMATS:
        with pytest.raises(ap.AuroraxDataError):
            ap.load_conjunctions(tmp_path / "own.pkl", format=name)


def test_what_cannot_be_loaded_at_all(tmp_path):
    for path, options in [("a.xyz", {}), ("a.csv", {"format": "xls"}), ("a.csv", {"engine": "spark"}), ("a.csv", {}), (tmp_path, {"format": "csv"})]:  # fmt: skip
        with pytest.raises(ap.AuroraxInputError):
            ap.load_conjunctions(path, **options)


def test_a_value_changed_by_hand_is_noticed(sample, tmp_path):
    path = write(sample, "csv", tmp_path / "a.csv")
    text = path.read_text()
    value = repr(float(sample.loc[0, "min_distance"]))
    assert value in text
    path.write_text(text.replace(value, value + "1", 1))
    with pytest.raises(ap.AuroraxDataError):
        ap.load_conjunctions(path)


def test_netcdf_without_h5netcdf_names_the_extra(sample, tmp_path, monkeypatch):
    from aurorax_pandas.io import netcdf_file

    monkeypatch.setattr(netcdf_file, "find_spec", lambda name: None)
    with pytest.raises(
        ap.AuroraxInputError, match=r"NetCDF needs h5netcdf: pip install .*h5netcdf.*h5py.* \(the extra 'netcdf'\)"
    ):
        sample.aurorax.to_netcdf(tmp_path / "a.nc")
    assert list(tmp_path.iterdir()) == []


def test_the_functions_do_without_the_accessor(sample, tmp_path):
    io.to_parquet(sample, str(tmp_path / "a.pq"))
    assert_conjunctions_equal(io.load_conjunctions(str(tmp_path / "a.pq")), sample)


OWN = {
    "nullable unsigned": lambda count: pd.array([0, 255, None, 1][:count], "UInt8"),
    "object text": lambda count: pd.Series(["a", None, "b", "c"][:count], dtype=object),
    "category of numbers": lambda count: pd.Categorical([1.5, 3.5, 1.5, 2.5][:count]),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", list(OWN))
def test_columns_of_rarer_dtypes_travel(sample, tmp_path, name, kind):
    df = sample.head(4)
    df = df.assign(own=OWN[kind](4)) if kind != "object text" else df.assign(own=OWN[kind](4).set_axis(df.index))
    assert_conjunctions_equal(round_trip(df, name, tmp_path), df)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("values", [[np.int8(1)] * 4, [np.float32(0.1)] * 4, [1, 2.5, 1, 1], [2**70] * 4])
def test_objects_that_would_come_back_as_others_are_refused_before_writing(sample, tmp_path, name, values):
    df = sample.head(4).assign(own=pd.Series(values, dtype=object, index=sample.index[:4]))
    with pytest.raises(ap.AuroraxInputError, match="'own'"):
        write(df, name, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["netcdf", "csv"])
def test_half_floats_are_refused_where_no_reader_knows_them(sample, tmp_path, name):
    with pytest.raises(ap.AuroraxInputError, match=r"'own'.*float16"):
        write(sample.assign(own=sample["min_distance"].astype("float16")), name, tmp_path / "a")


@pytest.mark.parametrize("name", FORMATS)
def test_strange_letters_in_names_and_attrs_travel(sample, tmp_path, name):
    df = attrs(sample.assign(**{"a\u2028b": 1, 'q"\\': 2.5}), {**sample.attrs, "note": "a\x85b\u2029"})
    assert_conjunctions_equal(round_trip(df, name, tmp_path), df)


def test_text_longer_than_a_block_travels_in_csv(sample, tmp_path):
    df = sample.head(3).assign(note=["x" * 3_000_000, "", "y"])
    df["note"] = df["note"].astype("str")
    assert_conjunctions_equal(round_trip(df, "csv", tmp_path), df)


FULL_DISK = """
import resource, sys
from pathlib import Path
import aurorax_pandas as ap
df = ap.load_sample_conjunctions()
df.aurorax.validate()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
for path in map(Path, sys.argv[1:]):
    name, _, limit = path.parent.name.partition("-")
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), most))
    try:
        getattr(df.aurorax, f"to_{name}")(path, overwrite=True)
    except OSError:
        print(name, limit)
"""
LIMITS = [500, 9_000]


@pytest.fixture(scope="module")
def full_disk(tmp_path_factory):
    """Return what one process says of a disk that is full for each format and limit, and where it was to write."""
    folder = tmp_path_factory.mktemp("full")
    paths = {(name, limit): folder / f"{name}-{limit}" / "a" for name in FORMATS for limit in LIMITS}
    for path in paths.values():
        path.parent.mkdir()
        path.write_text("old")
    # -B: no module may be cached by halves
    command = [sys.executable, "-B", "-c", FULL_DISK, *map(str, paths.values())]
    return subprocess.run(command, capture_output=True, text=True, check=False), paths


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_full_disk_is_an_oserror_that_leaves_the_old_file(full_disk, name, limit):
    done, paths = full_disk
    assert done.returncode == 0, done.stderr
    assert f"{name} {limit}" in done.stdout.splitlines()
    assert contents(paths[name, limit].parent) == {"a": b"old"}


def test_a_file_that_comes_while_writing_is_not_replaced(sample, tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    to_disk = files.file_to_disk
    monkeypatch.setattr(files, "file_to_disk", lambda temporary: (path.write_text("other"), to_disk(temporary)))
    with pytest.raises(ap.AuroraxInputError, match="has come to exist"):
        sample.aurorax.to_csv(path)
    assert contents(tmp_path) == {"a.csv": b"other"}


def test_a_pipe_is_not_replaced_by_a_file(sample, tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(ap.AuroraxInputError, match="no regular file"):
        sample.aurorax.to_csv(tmp_path / "a.csv", overwrite=True)


def test_a_file_that_is_replaced_keeps_its_mode(sample, tmp_path):
    path = tmp_path / "a.json"
    path.touch(0o600)
    sample.aurorax.to_json(path, overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_damaged_netcdf_is_refused_before_hdf5_searches_it(sample, tmp_path):
    path = write(sample, "netcdf", tmp_path / "a.nc")
    whole = bytearray(path.read_bytes())
    place = whole.index(b"GCOL") + 16
    whole[place : place + 2] = b"\0\0"
    path.write_bytes(whole)
    with pytest.raises(ap.AuroraxDataError, match="damaged"):
        ap.load_conjunctions(path)


def test_a_dataset_that_xarray_wrote_is_pointed_to_xarray(sample, tmp_path):
    sample.aurorax.to_xarray().to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(ap.AuroraxDataError, match="open_dataset"):
        ap.load_conjunctions(tmp_path / "a.nc")


def test_a_folder_among_files_is_named_as_such(sample, tmp_path):
    sample.aurorax.to_parquet(tmp_path / "a.parquet")
    (tmp_path / "kept").mkdir()
    with pytest.raises(ap.AuroraxInputError, match="is a folder, not one of several files"):
        ap.load_conjunctions([tmp_path / "kept", tmp_path / "a.parquet"])


@pytest.mark.parametrize("verb", ["to_csv", "to_json", "to_netcdf", "to_parquet", "to_xarray"])
def test_cells_of_another_tool_are_refused_in_one_line_with_the_cure(sample, tmp_path, verb):
    sample.aurorax.to_parquet(tmp_path / "a.parquet")
    plain = pd.read_parquet(tmp_path / "a.parquet")
    listed = pd.DataFrame(ap.records_from_conjunctions(sample))
    for df in (plain, listed):
        with pytest.raises(ap.AuroraxInputError, match=r"^to_\w+ needs .* use as_conjunctions\(df\) first$") as caught:
            getattr(df.aurorax, verb)(*([] if verb == "to_xarray" else [tmp_path / "b"]))
        assert len(str(caught.value)) < 200
