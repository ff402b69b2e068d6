import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import aurorax_pandas
from aurorax_pandas import AuroraxBulkError, AuroraxInputError, AuroraxTimeoutError, sandbox
from aurorax_pandas.query.windows import windows_of
from aurorax_pandas.testing import assert_conjunctions_equal

pytest.importorskip("pyarrow")

SEARCH = {
    "start": "2020-01-01T00:00:00",
    "end": "2020-01-01T23:59:59",
    "distance": 800,
    "ground": {"programs": "themis-asi"},
    "space": {"programs": "swarm"},
}
TRIPLE = SEARCH | {"space": [{"programs": "swarm"}, {"programs": "swarm"}]}
EPHEMERIS = aurorax_pandas.load_sample_ephemeris()
WHOLE = {
    name: aurorax_pandas.find_conjunctions(EPHEMERIS, **search)
    for name, search in (("pair", SEARCH), ("triple", TRIPLE))
}


@pytest.fixture(scope="module")
def url():
    with sandbox.serve() as address:
        yield address


def read(url, search=SEARCH, **arguments):
    return aurorax_pandas.read_aurorax_conjunctions(api_url=url, poll_interval=0.01, **{**search, **arguments})


def submits(box):
    return [request.body for request in box.requests if request.path.endswith("/search")]


# ---- windows -----------------------------------------------------------------------------------------------------


@given(
    st.datetimes(pd.Timestamp("2019-01-01"), pd.Timestamp("2020-01-01")),
    st.integers(0, 10_000_000),
    st.integers(60, 3_000_000),
    st.integers(0, 7200),
)
def test_windows_cover_the_whole_once_but_for_the_overlap(start, length, chunk, overlap):
    first = pd.Timestamp(start).floor("s")
    last = first + pd.Timedelta(seconds=length)
    chunk, overlap = pd.Timedelta(seconds=max(chunk, length // 200 + 1)), pd.Timedelta(seconds=overlap)
    parts = windows_of([(first.isoformat(), last.isoformat())], chunk, overlap)
    starts, ends = ([pd.Timestamp(getattr(part, name)) for part in parts] for name in ("start", "end"))
    assert (starts[0], ends[-1]) == (first, last)
    for end, following in zip(ends, starts[1:], strict=False):
        assert end == min(following - pd.Timedelta("1s") + overlap, last)


# ---- chunked equals unchunked ------------------------------------------------------------------------------------


@settings(max_examples=5)
@example("triple", 90, "17min", 4)
@given(
    st.sampled_from(["pair", "triple"]),
    st.integers(90, 1440),
    st.sampled_from(["0s", "1min", "17min", "1h"]),
    st.integers(1, 4),
)
def test_windows_of_any_width_give_what_one_search_gives(url, name, chunk, overlap, workers):
    search = {"pair": SEARCH, "triple": TRIPLE}[name]
    df = read(url, search, chunk=f"{chunk}min", overlap=overlap, max_workers=workers)
    assert_conjunctions_equal(df, WHOLE[name], check_attrs=False)


def test_half_minutes_are_stitched_by_their_own_step(url):
    expected = aurorax_pandas.find_conjunctions(EPHEMERIS, **SEARCH, subminute_precision=True)
    df = read(url, chunk="5h", overlap="0s", subminute_precision=True)
    assert_conjunctions_equal(df, expected, check_attrs=False)


def test_provenance_lists_every_search_with_its_window(url):
    df = read(url, chunk="6h", overlap="30min")
    found = df.aurorax.provenance
    assert found["query"]["end"] == "2020-01-01T23:59:59"
    assert [window["start"][11:13] for window in found["windows"]] == ["00", "06", "12", "18"]
    assert [window["end"][11:16] for window in found["windows"]] == ["06:29", "12:29", "18:29", "23:59"]
    assert found["request_ids"] == [window["request_id"] for window in found["windows"]]
    assert json.loads(json.dumps(found)) == found


def test_nothing_found_is_an_empty_typed_frame(url):
    df = read(url, distance=0, chunk="12h")
    assert df.empty
    assert df.dtypes.equals(WHOLE["pair"].dtypes)


# ---- checkpoint --------------------------------------------------------------------------------------------------


def test_finished_windows_are_not_asked_again(tmp_path):
    box = sandbox.serve()
    with box as url:
        first = read(url, chunk="6h", checkpoint=tmp_path / "kept")
        assert len(submits(box)) == 4
        again = read(url, chunk="6h", checkpoint=tmp_path / "kept")
        assert len(submits(box)) == 4
    assert_conjunctions_equal(first, again, check_attrs=False)
    assert first.aurorax.provenance["request_ids"] == again.aurorax.provenance["request_ids"]


def test_failed_windows_are_reported_together_and_the_others_kept(tmp_path):
    box = sandbox.serve(faults={"search": ["fail"] * 3})
    with box as url:
        with pytest.raises(AuroraxBulkError, match="1 of 4 windows failed") as caught:
            read(url, chunk="6h", max_workers=1, checkpoint=tmp_path / "kept")
        assert caught.value.windows["start"].tolist() == ["2020-01-01T00:00:00"]
        assert len(caught.value.data)
        before = len(submits(box))
        df = read(url, chunk="6h", checkpoint=tmp_path / "kept")
        assert len(submits(box)) == before + 1
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


@pytest.mark.parametrize("kept", [False, True])
def test_a_search_whose_status_is_refused_once_is_not_submitted_again(tmp_path, kept):
    box = sandbox.serve(faults={"status": [400]})
    with box as url:
        df = read(url, chunk="24h", checkpoint=tmp_path if kept else None)
        assert len(submits(box)) == 1
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


def test_a_window_that_fails_once_is_searched_again(tmp_path):
    with sandbox.serve(faults={"search": [None, "fail"]}) as url:
        assert_conjunctions_equal(read(url, chunk="6h", max_workers=1), WHOLE["pair"], check_attrs=False)


def test_a_damaged_part_is_searched_again(tmp_path):
    box = sandbox.serve()
    with box as url:
        read(url, chunk="6h", checkpoint=tmp_path)
        part = sorted((tmp_path / "parts").glob("*.parquet"))[1]
        part.write_bytes(part.read_bytes()[:-100])
        df = read(url, chunk="6h", checkpoint=tmp_path)
        assert len(submits(box)) == 5
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


def test_a_search_that_still_runs_is_waited_for(tmp_path):
    box = sandbox.serve()
    with box as url:
        read(url, chunk="6h", checkpoint=tmp_path)
        # as if the process had died after the submit of the second window
        submitted = submits(box)[1]["request_id"]
        part = next(
            path for path in sorted((tmp_path / "parts").glob("*.parquet"))
            if submitted in aurorax_pandas.load_conjunctions(path).aurorax.provenance["request_ids"]
        )  # fmt: skip
        part.unlink()
        part.with_suffix(".json").write_text(json.dumps({"request_id": submitted}))
        df = read(url, chunk="6h", checkpoint=tmp_path)
        assert len(submits(box)) == 4
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


def test_a_search_that_is_gone_is_run_again(tmp_path):
    with sandbox.serve() as url:
        read(url, chunk="6h", checkpoint=tmp_path)
    part = sorted((tmp_path / "parts").glob("*.parquet"))[0]
    part.unlink()
    part.with_suffix(".json").write_text(json.dumps({"request_id": "lost-with-the-server"}))
    with sandbox.serve() as url:
        assert_conjunctions_equal(read(url, chunk="6h", checkpoint=tmp_path), WHOLE["pair"], check_attrs=False)


def test_another_search_in_the_checkpoint_is_refused_before_anything_is_sent(tmp_path):
    box = sandbox.serve()
    with box as url:
        read(url, chunk="12h", checkpoint=tmp_path)
        before = len(box.requests)
        for change, says in (
            ({"distance": 300}, "query 'max_distances' is {'ground1-space1': 800} there, {'ground1-space1': 300} here"),
            ({"chunk": "6h"}, "chunk is 'P0DT12H0M0S' there, 'P0DT6H0M0S' here"),
            ({"overlap": "2h"}, "overlap is 'P0DT1H0M0S' there"),
            ({"api_url": "http://192.0.2.1"}, "service is 'this machine' there, '192.0.2.1' here"),
        ):
            with pytest.raises(AuroraxInputError, match=re.escape(says)) as caught:
                read(**{"url": url, "chunk": "12h", "checkpoint": tmp_path} | _renamed(change))
            assert "holds another search" in str(caught.value)
        assert len(box.requests) == before


def test_parts_that_lost_records_are_not_taken_where_none_may_be_lost(tmp_path):
    with sandbox.serve() as url:
        read(url, chunk="12h", checkpoint=tmp_path)
        read(url, chunk="12h", checkpoint=tmp_path, on_bad_records="drop")
        with pytest.raises(AuroraxInputError, match="on_bad_records is 'drop' there, 'raise' here"):
            read(url, chunk="12h", checkpoint=tmp_path)


def test_a_server_of_this_machine_may_come_back_at_another_port(tmp_path):
    with sandbox.serve() as url:
        read(url, chunk="6h", checkpoint=tmp_path)
    next(iter(sorted((tmp_path / "parts").glob("*.parquet")))).unlink()
    box = sandbox.serve()
    with box as other:
        assert other != url
        found = read(other, chunk="6h", checkpoint=tmp_path)
    assert_conjunctions_equal(found, WHOLE["pair"], check_attrs=False)
    assert len([each for each in box.requests if each.path.endswith("/search")]) == 1


def _renamed(change):
    return {"url" if name == "api_url" else name: value for name, value in change.items()}


def test_a_directory_with_other_things_is_no_checkpoint(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(AuroraxInputError, match="no checkpoint"):
        read("http://127.0.0.1:9", chunk="12h", checkpoint=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.tex"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"chunk": "soon"}, "chunk="),
        ({"chunk": "0s"}, "chunk="),
        ({"chunk": 3600}, "chunk=3600 .*with its unit"),
        ({"chunk": "29s"}, "chunk='29s' is shorter than 30 s"),
        ({"chunk": "30s", "start": "2010-01-01"}, "chunk=.* makes more than 10000 windows"),
        ({"chunk": "6h", "overlap": "-1h"}, "overlap="),
        ({"chunk": "6h", "max_workers": 0}, "max_workers="),
        ({"chunk": "6h", "request_id": "abc"}, "request_id="),
        ({"max_workers": 2}, "max_workers= is for a search in windows"),
        ({"overlap": "2h"}, "overlap= is for a search in windows"),
    ],
)
def test_bad_arguments_are_refused(arguments, says):
    with pytest.raises(AuroraxInputError, match=says):
        read("http://127.0.0.1:9", **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"timeout": 0},
        {"timeout": "soon"},
        {"on_bad_records": "ignore"},
        {"api_url": "ftp://nowhere"},
        {"api_key": "two\nlines"},
        {"poll_interval": -1},
        {"max_workers": 0},
        {"overlap": -1},
        {"chunk": "1s"},
        {"space": {"programs": "swram"}},
    ],
)
def test_nothing_is_written_for_what_is_refused(url, tmp_path, arguments):
    arguments = {"api_url": url, "chunk": "12h", "checkpoint": tmp_path / "kept", **SEARCH} | arguments
    with pytest.raises(AuroraxInputError):
        aurorax_pandas.read_aurorax_conjunctions(**arguments)
    assert not (tmp_path / "kept").exists()


def test_what_cannot_be_a_checkpoint_is_refused(tmp_path):
    file = tmp_path / "results.csv"
    file.write_text("precious")
    for path in (file, str(file), file / "below", "/dev/null", tmp_path / ("x" * 300), "a\0b", 5, b"kept"):
        with pytest.raises(AuroraxInputError, match="checkpoint="):
            read("http://127.0.0.1:9", chunk="12h", checkpoint=path)
    assert file.read_text() == "precious"


@pytest.mark.parametrize("wrong", ["another window", "events"])
def test_a_part_that_is_of_something_else_is_searched_again(tmp_path, wrong):
    box = sandbox.serve()
    with box as url:
        read(url, chunk="6h", checkpoint=tmp_path)
        first, second = sorted((tmp_path / "parts").glob("*.parquet"))[:2]
        if wrong == "events":
            df = aurorax_pandas.load_conjunctions(second)
            aurorax_pandas.to_parquet(df.aurorax.explode_events(), second, overwrite=True)
        else:
            second.write_bytes(first.read_bytes())
        df = read(url, chunk="6h", checkpoint=tmp_path)
        assert len(submits(box)) == 5
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


def test_a_bad_record_is_not_searched_for_again(server, builders):
    server.data(server.Reply(200, {"result": [builders.record(low=-5.0)]}))
    with pytest.raises(AuroraxBulkError, match="a distance is negative"):
        read(server.url, chunk="24h", check_names=False)
    assert server.count("POST", server.SEARCH) == 1


# ---- deadlines and interrupts ------------------------------------------------------------------------------------


def test_a_deadline_that_passes_is_a_timeout_and_what_is_finished_is_kept(tmp_path):
    box = sandbox.serve(faults={"search": [None] * 4 + ["stall"] * 2})
    with box as url:
        read(url, chunk="6h", checkpoint=tmp_path)
        for part in sorted((tmp_path / "parts").glob("*.parquet"))[:2]:
            part.unlink()
        with pytest.raises(
            AuroraxTimeoutError, match=r"2 of 4 windows had no result .* the same call goes on"
        ) as caught:
            read(url, chunk="6h", checkpoint=tmp_path, timeout=2)
        assert len(caught.value.__cause__.data)
        assert len(list((tmp_path / "parts").glob("*.parquet"))) == 2
        for job in list(box._jobs.values()):
            job.cancel()
        df = read(url, chunk="6h", checkpoint=tmp_path)
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


class Stalled:
    """A service that takes a request and does not answer, but interrupts the caller; what is cancelled, it answers."""

    def __init__(self):
        stalled = self
        self.seen, self.end = [], threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stalled.seen.append(("POST", body.get("request_id")))
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                stalled.end.wait(60)
                self.send_response(202)
                self.send_header("Location", f"/requests/{body.get('request_id')}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_DELETE(self):
                stalled.seen.append(("DELETE", self.path.rpartition("/")[2]))
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}).start()

    def answer(self):
        """Answer at last, and wait until the threads that asked have ended."""
        self.end.set()
        for thread in threading.enumerate():
            if thread.name.startswith("aurorax"):
                thread.join(60)

    def close(self):
        self.answer()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stalled():
    service = Stalled()
    yield service
    service.close()


@pytest.mark.parametrize("cancel", [False, True])
def test_an_interrupt_ends_the_call_while_a_submit_stalls(stalled, cancel, caplog):
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        read(stalled.url, chunk="24h", check_names=False, cancel_on_interrupt=cancel)
    assert time.monotonic() - began < 20
    method, chosen = stalled.seen[0]
    assert method == "POST"
    assert f"interrupted; search {chosen} {'is cancelled' if cancel else 'goes on'}" in caplog.text
    assert stalled.seen[1:] == ([("DELETE", chosen)] if cancel else [])
    # a service that takes the search after all is told again
    stalled.answer()
    assert stalled.seen[1:] == ([("DELETE", chosen)] * 2 if cancel else [])


@pytest.mark.parametrize("cancel", [False, True])
def test_an_interrupt_ends_the_wait_for_all_windows(tmp_path, cancel, caplog):
    box = sandbox.serve(faults={"search": ["stall"] * 4})
    with box as url:
        watcher = threading.Thread(target=_interrupt_at_status, args=(box, 2))
        watcher.start()
        with pytest.raises(KeyboardInterrupt):
            read(url, chunk="6h", max_workers=2, checkpoint=tmp_path, cancel_on_interrupt=cancel)
        watcher.join()
        assert len(box._jobs.values()) == 2
        for job in box._jobs.values():
            assert f"interrupted; search {job.request_id} {'is cancelled' if cancel else 'goes on'}" in caplog.text
            job.cancel()


def test_an_interrupt_ends_the_reading_of_ephemeris(stalled):
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        aurorax_pandas.read_ephemeris_of(WHOLE["pair"], api_url=stalled.url)
    assert time.monotonic() - began < 20


def test_an_interrupt_ends_the_wait_for_ephemeris_and_says_the_ids(caplog):
    box = sandbox.serve(faults={"search": ["stall"]})
    with box as url:
        watcher = threading.Thread(target=_interrupt_at_status, args=(box, 1))
        watcher.start()
        with pytest.raises(KeyboardInterrupt):
            aurorax_pandas.read_ephemeris_of(WHOLE["pair"], api_url=url, poll_interval=0.01)
        watcher.join()
        (job,) = box._jobs.values()
        assert f"interrupted; search {job.request_id} goes on: read it later with" in caplog.text
        job.cancel()


def _interrupt_at_status(box, searches):
    waiting = threading.Event()
    for _ in range(6000):
        asked = {request.path for request in list(box.requests) if "/requests/" in request.path}
        if len(asked) == searches:
            break
        waiting.wait(0.01)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


# ---- kill --------------------------------------------------------------------------------------------------------


KILLED = """
import sys, aurorax_pandas
aurorax_pandas.read_aurorax_conjunctions(
    "2020-01-01", "2020-01-01", 800, ground={"programs": "themis-asi"}, space={"programs": "swarm"},
    api_url=sys.argv[1], poll_interval=0.01, chunk="2h", max_workers=2, checkpoint=sys.argv[2])
"""


def test_kill_in_the_middle_and_run_again(tmp_path):
    # the 6th search stalls, so that the kill comes in the middle
    box = sandbox.serve(faults={"search": [None] * 5 + ["stall"]})
    with box as url:
        child = subprocess.Popen([sys.executable, "-c", KILLED, url, str(tmp_path)])
        reached = threading.Event()
        watcher = threading.Thread(target=_wait_for_files, args=(tmp_path, 5, reached))
        watcher.start()
        assert reached.wait(120)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        watcher.join()
        kept = {path.stem: path.stat().st_mtime_ns for path in (tmp_path / "parts").glob("*.parquet")}
        assert 5 <= len(kept) < 12
        for job in list(box._jobs.values()):
            if job.stalled:
                job.cancel()
        already = len(submits(box))
        df = read(url, chunk="2h", max_workers=2, checkpoint=tmp_path)
        asked = {body["start"] for body in submits(box)[already:]}
    assert len(asked) <= 12 - len(kept)
    assert {stem: (tmp_path / "parts" / f"{stem}.parquet").stat().st_mtime_ns for stem in kept} == kept
    assert_conjunctions_equal(df, WHOLE["pair"], check_attrs=False)


def _wait_for_files(directory, count, reached):
    end = time.monotonic() + 120
    while time.monotonic() < end and not reached.is_set():
        if len(list((directory / "parts").glob("*.parquet"))) >= count:
            reached.set()
        reached.wait(0.02)
