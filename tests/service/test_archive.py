"""The folder of a long search: one true data set, which grows and outlives crashes."""

import io
import json
import os
import re
import stat
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap
from aurorax_pandas import AuroraxFileError, AuroraxInputError, sandbox
from aurorax_pandas.testing import assert_conjunctions_equal

DAY = np.datetime64("2020-01-01")


def of_days(*days, stations=("GILL", "ATHA", "RANK")):
    """Return the bundled day as if it were of other days, of a few stations."""
    whole = ap.load_sample_ephemeris()
    names = whole["display_name"].values
    kept = [i for i, name in enumerate(names) if name.startswith("Swarm") or name.endswith(stations)]
    few = whole.isel(source=kept)
    pieces = [few.assign_coords(epoch=few["epoch"] + (np.datetime64(day) - DAY)) for day in days]
    joined = xr.concat(pieces, "epoch", data_vars="minimal", coords="minimal", compat="override", join="override")
    epochs = pd.date_range(joined["epoch"].values[0], joined["epoch"].values[-1], freq="1min")
    return joined.reindex(epoch=epochs)


ONE = of_days("2020-01-01")
SEARCH = {
    "start": "2020-01-01T00:00:00",
    "end": "2020-01-01T23:59:59",
    "distance": 800,
    "ground": {"programs": "themis-asi"},
    "space": {"programs": "swarm"},
}
WHOLE = ap.find_conjunctions(ONE, **SEARCH)


@pytest.fixture(scope="module")
def url():
    with sandbox.serve(ephemeris=ONE) as address:
        yield address


def read(url, folder, **changes):
    arguments = {**SEARCH, "chunk": "6h", **changes}
    return ap.read_aurorax_conjunctions(**arguments, checkpoint=folder, api_url=url, poll_interval=0.01)


def submits(box):
    return [request.body for request in box.requests if request.path.endswith("/search")]


def parts(folder, suffix="parquet"):
    return sorted((folder / "parts").glob(f"*.{suffix}"))


# ---- one data set for all ----------------------------------------------------------------------------------------

SEVEN = {
    "days": ([f"2020-01-0{n}" for n in range(1, 8)], "1D", {}),
    "six hours": (["2020-01-01", "2020-01-02"], "6h", {"end": "2020-01-02T17:59:59"}),
    "three hours": (["2020-01-01"], "3h", {"end": "2020-01-01T20:59:59"}),
    "months": (["2019-11-30", "2019-12-31", "2020-01-01", "2020-05-31"], "MS", {}),
}


@pytest.mark.filterwarnings("ignore:find_conjunctions. the ephemeris covers:aurorax_pandas.AuroraxDataWarning")
@pytest.mark.parametrize("windows", SEVEN)
def test_seven_windows_are_in_any_hands_what_one_read_gives(tmp_path, windows):
    days, chunk, changes = SEVEN[windows]
    ephemeris = of_days(*days, stations=("GILL", "ATHA"))
    search = {**SEARCH, "start": days[0], "end": days[-1], **changes}
    whole = ap.find_conjunctions(ephemeris, **search)
    with sandbox.serve(ephemeris=ephemeris) as url:
        df = read(url, tmp_path, **search, chunk=chunk)
    assert len(parts(tmp_path)) == 7
    assert_conjunctions_equal(df, whole, check_attrs=False)
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path), df)
    minutes, pairs = int(whole.aurorax.minutes().sum()), whole.aurorax.pair_summary()
    pattern = f"{tmp_path}/conjunctions/**/*.parquet"
    counted = 'count(*), sum(epoch("end") - epoch(start)) / 60 + count(*)'
    duckdb = pytest.importorskip("duckdb")
    assert duckdb.sql(f"select {counted} from '{pattern}'").fetchall()[0] == (len(whole), minutes)
    polars = pytest.importorskip("polars")
    rows = polars.read_parquet(pattern)
    assert (len(rows), int((rows["end"] - rows["start"]).dt.total_minutes().sum()) + len(rows)) == (len(whole), minutes)
    pytest.importorskip("dask.dataframe")
    lazy = ap.load_conjunctions(tmp_path, engine="dask")
    assert (len(lazy), int(lazy.aurorax.minutes().sum().compute())) == (len(whole), minutes)
    assert_conjunctions_equal(lazy.aurorax.pair_summary().compute(), pairs, check_attrs=False)


def test_rows_cut_over_two_edges_are_whole(tmp_path):
    # a distance that all are always within
    search = {"distance": 30_000, "ground": {"platforms": "gillam"}, "space": {"platforms": "swarma"}}
    with sandbox.serve(ephemeris=ONE) as url:
        df = read(url, tmp_path, **search)
    whole = ap.find_conjunctions(ONE, **{**SEARCH, **search})
    assert whole["end"].max() - whole["start"].min() > pd.Timedelta("13h")
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path), whole, check_attrs=False)
    assert_conjunctions_equal(df, whole, check_attrs=False)


def test_what_is_sure_is_there_while_windows_are_missing(tmp_path):
    with sandbox.serve(ephemeris=ONE, faults={"search": [None, *["fail"] * 3]}) as url:
        with pytest.raises(ap.AuroraxBulkError, match="the same call asks for what is missing"):
            read(url, tmp_path, max_workers=1)
        with pytest.warns(ap.AuroraxDataWarning, match=r"1 of 4 windows .*T06:00:00 to 2020-01-01T12:59:59") as caught:
            df = ap.load_conjunctions(tmp_path)
        assert caught[0].filename == __file__
        missing = (pd.Timestamp("2020-01-01T06:00") - pd.Timedelta("1min"), pd.Timestamp("2020-01-01T13:00"))
        sure = WHOLE[(WHOLE["end"] < missing[0]) | (WHOLE["start"] > missing[1])].reset_index(drop=True)
        assert 0 < len(sure) < len(WHOLE)
        assert_conjunctions_equal(df, sure, check_attrs=False)
        read(url, tmp_path)
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path), WHOLE, check_attrs=False)


def test_half_minutes_are_told_apart_by_their_own_step(tmp_path, url):
    df = read(url, tmp_path, subminute_precision=True)
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path), df)


# ---- it grows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chunk", "steps"),
    [
        ("6h", [("01T05:00", "01T09:59:59"), ("01T05:00", "02T03:59:59"), ("01T00:00", "02T12:00")]),
        ("1D", [("01T12:00", "02T12:00"), ("01T00:00", "02T23:59:59")]),
        ("MS", [("01T12:00", "01T20:30"), ("01T12:00", "02T00:30"), ("01T00:00", "02T23:59:59")]),
    ],
)
def test_a_search_grows_at_either_end_and_asks_for_what_is_new(tmp_path, chunk, steps):
    ephemeris = of_days("2020-01-01", "2020-01-02")
    box = sandbox.serve(ephemeris=ephemeris)
    with box as url:
        for start, end in steps:
            before = {path: path.stat().st_mtime_ns for path in parts(tmp_path)}
            search = {**SEARCH, "start": f"2020-01-{start}", "end": f"2020-01-{end}"}
            df = read(url, tmp_path, **search, chunk=chunk)
            whole = ap.find_conjunctions(ephemeris, **search)
            assert_conjunctions_equal(df, whole, check_attrs=False)
            assert_conjunctions_equal(ap.load_conjunctions(tmp_path), df, check_attrs=False)
            assert df.aurorax.provenance["query"] == ap.load_conjunctions(tmp_path).aurorax.provenance["query"]
            # nothing that was read is read again
            assert {path: path.stat().st_mtime_ns for path in before} == before
        assert len(submits(box)) == len(parts(tmp_path))
        asked = len(submits(box))
        again = read(url, tmp_path, **search, chunk=chunk)
        assert len(submits(box)) == asked
        assert_conjunctions_equal(again, df, check_attrs=False)


def test_a_search_of_three_sources_grows_too(tmp_path):
    search = {"space": [{"programs": "swarm"}, {"programs": "swarm"}], "distance": 900}
    with sandbox.serve(ephemeris=ONE) as url:
        read(url, tmp_path, **search, start="2020-01-01T04:03", end="2020-01-01T12:10:10", chunk="4h")
        df = read(url, tmp_path, **search, chunk="4h")
    whole = ap.find_conjunctions(ONE, **{**SEARCH, **search})
    assert len(whole) > 10
    assert_conjunctions_equal(df, whole, check_attrs=False)
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path), whole, check_attrs=False)


def test_what_would_shrink_a_search_or_change_it_is_refused(tmp_path, url):
    read(url, tmp_path, start="2020-01-01T06:00")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for changes, says in (
        ({"start": "2020-01-01T12:00"}, "it can only grow.*load_conjunctions"),
        ({"end": "2020-01-01T12:00", "start": "2020-01-01"}, "which 2020-01-01T00:00:00 to .* does not cover"),
        ({"distance": 300}, "holds another search"),
        ({"chunk": "3h"}, "chunk is"),
        ({"chunk": "MS"}, "chunk is 'P0DT6H0M0S' there, 'MS' here"),
    ):
        with pytest.raises(AuroraxInputError, match=says):
            read("http://127.0.0.1:9", tmp_path, **{"start": "2020-01-01T06:00", **changes})
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_months_and_years_of_the_calendar_are_windows(url):
    for chunk in ("MS", "YS", "QS", pd.offsets.MonthBegin(2)):
        df = ap.read_aurorax_conjunctions(**SEARCH, chunk=chunk, api_url=url, poll_interval=0.01)
        assert_conjunctions_equal(df, WHOLE, check_attrs=False)
    for chunk in ("ME", "W", "ms", pd.offsets.MonthEnd()):
        with pytest.raises(AuroraxInputError, match=r"chunk=.*'30D', or 'MS', 'QS' or 'YS'"):
            ap.read_aurorax_conjunctions(**SEARCH, chunk=chunk, api_url=url)


# ---- it survives -------------------------------------------------------------------------------------------------


def place_folder(path):
    path.unlink()
    path.mkdir()
    (path / "mine").write_text("precious")


HARM = {
    "search.json is empty": lambda folder: (folder / "parts" / "search.json").write_text(""),
    "search.json is deep": lambda folder: (folder / "parts" / "search.json").write_text('{"a":' * 100_000),
    "search.json is of something else": lambda folder: (folder / "parts" / "search.json").write_text('{"spans": 5}'),
    "search.json is gone": lambda folder: (folder / "parts" / "search.json").unlink(),
    "search.json is a folder": lambda folder: place_folder(folder / "parts" / "search.json"),
    "an index that is no JSON": lambda folder: (folder / "parts" / "data-set.json").write_text("null"),
    "an index that is a folder": lambda folder: place_folder(folder / "parts" / "data-set.json"),
    "no data set": lambda folder: [path.unlink() for path in folder.glob("conjunctions/*/*")],
    "what was being written": lambda folder: (folder / "parts" / f".{parts(folder)[0].name}.0123.part").write_text("x"),
    "what was being written beside": lambda folder: (folder / "search.json.0f3a").write_text("{"),
}


@pytest.mark.parametrize("harm", HARM)
def test_the_same_call_goes_on_and_no_finished_part_is_lost(tmp_path, harm):
    box = sandbox.serve(ephemeris=ONE)
    with box as url:
        df = read(url, tmp_path, chunk="12h")
        HARM[harm](tmp_path)
        again = read(url, tmp_path, chunk="12h")
        assert len(submits(box)) == 2
    assert_conjunctions_equal(again, df, check_attrs=False)
    assert_conjunctions_equal(ap.load_conjunctions(tmp_path), df, check_attrs=False)
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.glob("search.json*"))
    assert len(list(tmp_path.rglob("mine"))) == harm.endswith("folder")
    # another search is refused all the same
    if harm.startswith("search.json"):
        HARM["search.json is gone"](tmp_path)
        with pytest.raises(AuroraxInputError, match="holds another search"):
            read("http://127.0.0.1:9", tmp_path, chunk="12h", distance=20)


def test_a_grown_search_is_known_by_its_parts_alone(tmp_path):
    box = sandbox.serve(ephemeris=ONE)
    with box as url:
        read(url, tmp_path, chunk="12h", end="2020-01-01T13:30")
        read(url, tmp_path, chunk="12h")
        asked = len(submits(box))
        (tmp_path / "parts" / "search.json").unlink()
        read(url, tmp_path, chunk="12h")
        assert len(submits(box)) == asked


def test_a_lone_left_over_is_a_new_folder(tmp_path, url):
    (tmp_path / "search.json.89abcdef").write_text("")
    (tmp_path / "parts").mkdir()
    assert_conjunctions_equal(read(url, tmp_path, chunk="12h"), WHOLE, check_attrs=False)


def test_a_folder_in_the_place_of_a_part_is_moved_aside(tmp_path, caplog):
    box = sandbox.serve(ephemeris=ONE)
    with box as url:
        read(url, tmp_path, chunk="12h")
        place_folder(parts(tmp_path)[0])
        assert_conjunctions_equal(read(url, tmp_path, chunk="12h"), WHOLE, check_attrs=False)
        assert len(submits(box)) == 3
    (aside,) = (tmp_path / "parts").glob("*.aside-*")
    assert (aside / "mine").read_text() == "precious"
    assert aside.name in caplog.text


def test_an_older_form_says_what_to_do(tmp_path):
    (tmp_path / "search.json").write_text("{}")
    (tmp_path / "part-00000.parquet").write_text("")
    with pytest.raises(AuroraxInputError, match=r"older form.* give another directory"):
        read("http://127.0.0.1:9", tmp_path)


def test_a_disk_that_is_full_at_any_write_leaves_a_folder_that_goes_on(tmp_path, url, monkeypatch):
    to_disk, failed, number = os.fsync, set(), 0
    done = False
    while not done:
        number += 1
        left = [number]

        def full(handle, left=left):
            # that names of a folder are on the disk is not always to be had
            left[0] -= stat.S_ISREG(os.fstat(handle).st_mode)
            if left[0] == 0:
                left[0] = -1
                raise OSError(28, "No space left on device")
            to_disk(handle)

        folder = tmp_path / str(number)
        error = None
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            try:
                read(url, folder, chunk="12h", max_workers=1)
            except AuroraxFileError as caught:
                error = caught
            done = left[0] > 0
        assert done == (error is None)
        if error is not None:
            said = str(error)
            assert error.errno == 28
            assert str(folder) in said
            assert re.search(r"No space left on device \(\d+ MB are free there\)", said)
            assert said.endswith("make room there or mend it, then the same call goes on with what is missing")
            failed.add(Path(said.split("'")[1]).suffix)
        if number % 5 == 0 or done:
            assert_conjunctions_equal(read(url, folder, chunk="12h"), WHOLE, check_attrs=False)
            assert_conjunctions_equal(ap.load_conjunctions(folder), WHOLE, check_attrs=False)
            assert not list(folder.rglob("*.part"))
    # the search, the index and ids; parts and files of the data set
    assert failed >= {".json", ".parquet"}


def test_two_calls_on_one_folder_take_turns(tmp_path, caplog):
    box = sandbox.serve(ephemeris=ONE)
    with box as url, ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: read(url, tmp_path, chunk="12h"), range(2)))
        assert len(submits(box)) == 2
    for df in both:
        assert_conjunctions_equal(df, WHOLE, check_attrs=False)
    # its number is not there yet where the other has just begun
    assert re.search(rf"process ({os.getpid()}|of another program) works in this folder; waiting", caplog.text)


def test_a_call_waits_no_longer_than_its_deadline_for_another(tmp_path, url):
    from aurorax_pandas.service.deadline import Deadline
    from aurorax_pandas.service.lock import Lock

    read(url, tmp_path, chunk="12h")
    lock = Lock(tmp_path / "parts" / "lock")
    lock.acquire(Deadline(1), lambda _: None)
    try:
        with pytest.raises(ap.AuroraxTimeoutError, match=r"works in this folder .* the same call goes on after it"):
            read(url, tmp_path, chunk="12h", timeout=0.1)
    finally:
        lock.release()
    read(url, tmp_path, chunk="12h", timeout=10)


# Children of one process, which has all modules; each dies at one of the instants at which it touches the folder.
KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
import aurorax_pandas as ap
import aurorax_pandas.service.windows, aurorax_pandas.io.loading, aurorax_pandas.io.parquet_file, pandera.pandas, pyarrow.parquet
from aurorax_pandas.frame.schema import ConjunctionSchema

url, folder, kills = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
random = np.random.default_rng(5)

def read(folder):
    return ap.read_aurorax_conjunctions("2020-01-01", "2020-01-01", 800, ground={"programs": "themis-asi"},
        space={"programs": "swarm"}, api_url=url, poll_interval=0.01, chunk="12h", max_workers=2, checkpoint=folder,
        check_names=False)

def die_at(left):
    def hook(event, arguments):
        if event in ("open", "os.rename", "os.remove", "os.link", "os.mkdir") and str(folder) in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

killed = number = 0
while killed < kills:
    place = folder / str(number)
    instant = int(random.integers(1, 60))
    child = os.fork()
    if child == 0:
        die_at([instant])
        read(place)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        killed += 1
    elif status:
        raise SystemExit(f"call {number} failed: {status}")
    else:
        number += 1
print("folders", number + 1)
"""


def test_a_lock_whose_holder_cannot_be_read_is_of_somebody():
    from aurorax_pandas.service.lock import _holder

    class Held(io.StringIO):
        def read(self, *_):
            raise PermissionError

    assert _holder(Held()) == "of another program"


def test_thirty_kills_at_random_instants(tmp_path, url):
    command = [sys.executable, "-B", "-c", KILLED, url, str(tmp_path), "30"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folders = [path for path in tmp_path.iterdir() if (path / "parts").is_dir()]
    assert done.stdout.splitlines()[-1] == f"folders {len(folders)}"
    for folder in folders:
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            sure = ap.load_conjunctions(folder)
        assert set(zip(sure["start"], sure["end"], sure["min_distance"], strict=True)) <= {
            *zip(WHOLE["start"], WHOLE["end"], WHOLE["min_distance"], strict=True)
        }
        assert_conjunctions_equal(read(url, folder, chunk="12h"), WHOLE, check_attrs=False)
        assert_conjunctions_equal(ap.load_conjunctions(folder), WHOLE, check_attrs=False)
        assert not list(folder.rglob("*.part"))


def test_parts_know_their_search_and_the_data_set_does_not_tell_of_it(tmp_path, url):
    read(url, tmp_path, chunk="12h")
    held = json.loads((tmp_path / "parts" / "search.json").read_text())
    for path in parts(tmp_path):
        assert ap.load_conjunctions(path).attrs["aurorax"]["search"] == held
    assert "search" not in ap.load_conjunctions(tmp_path).attrs["aurorax"]


def test_a_home_is_meant_by_its_sign(tmp_path, url, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    read(url, "~/kept", chunk="12h")
    assert len(ap.load_conjunctions("~/kept")) == len(WHOLE)
    assert Path.home() == tmp_path
    assert threading.active_count() < 50
