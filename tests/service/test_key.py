"""A key goes to the address that it was set for, and shows nowhere."""

import copy
import pickle
import subprocess
import sys
import threading
import traceback

import pytest

import aurorax_pandas as ap
from aurorax_pandas.options import Secret

KEY = "s3cret-key-0123456789"
OTHER = "another-key-987654321"
HEADER = "x-aurorax-api-key"


@pytest.fixture
def two(faulty_server):
    return faulty_server(), faulty_server()


def ask(**keywords):
    """Ask a service for what it has, which is one request."""
    try:
        ap.read_aurorax_availability("2020-01-01", "2020-01-01", **keywords)
    except ap.AuroraxError as error:
        return error
    return None


def keys_of(server):
    return [asked.headers.get(HEADER) for asked in server.asked]


def by_argument(a, b):
    ask(api_url=a.url, api_key=KEY)
    ask(api_url=b.url)


def by_options_together(a, b):
    ap.set_options(api_url=a.url, api_key=KEY)
    ask()
    ask(api_url=b.url)


def by_options_one_after_the_other(a, b):
    ap.set_options(api_url=a.url)
    ap.set_options(api_key=KEY)
    ask()
    ap.set_options(api_url=b.url)
    ask()


def by_a_block(a, b):
    with ap.set_options(api_url=a.url, api_key=KEY):
        ask()
        ask(api_url=b.url)
        with ap.set_options(api_url=b.url):
            ask()
    ask(api_url=b.url)


def by_an_option_and_a_block(a, b):
    ap.set_options(api_url=a.url, api_key=KEY)
    with ap.set_options(api_url=b.url):
        ask()
    ask()


def by_a_thread(a, b):
    ap.set_options(api_url=a.url, api_key=KEY)
    for keywords in ({}, {"api_url": b.url}):
        thread = threading.Thread(target=ask, kwargs=keywords)
        thread.start()
        thread.join()


WAYS = [
    by_argument, by_options_together, by_options_one_after_the_other, by_a_block, by_an_option_and_a_block, by_a_thread,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_key_is_sent_to_the_address_it_was_set_for_alone(two, way):
    a, b = two
    way(a, b)
    assert set(keys_of(a)) == {KEY}
    assert set(keys_of(b)) == {None}


def test_a_key_of_the_environment_belongs_to_the_address_of_the_environment(two, monkeypatch):
    a, b = two
    monkeypatch.setenv("AURORAX_API_URL", a.url)
    monkeypatch.setenv("AURORAX_API_KEY", KEY)
    ask()
    ask(api_url=b.url)
    with ap.set_options(api_url=b.url):
        ask()
    assert (set(keys_of(a)), set(keys_of(b))) == ({KEY}, {None})


def test_a_key_of_the_environment_without_an_address_belongs_to_the_service_itself(server, monkeypatch):
    monkeypatch.setenv("AURORAX_API_KEY", KEY)
    ask(api_url=server.url)
    assert keys_of(server) == [None]
    assert ap.get_options() == {"api_url": "https://api.aurorax.space", "api_key": "***"}


def test_an_address_is_compared_by_its_values(two):
    a, _ = two
    ap.set_options(api_url=a.url, api_key=KEY)
    ask(api_url=a.url.replace("http", "HTTP") + "/")
    assert keys_of(a) == [KEY]


def test_an_empty_key_means_none(two, monkeypatch):
    a, b = two
    ap.set_options(api_url=a.url, api_key=KEY)
    ask(api_key="")
    monkeypatch.setenv("AURORAX_API_URL", b.url)
    monkeypatch.setenv("AURORAX_API_KEY", KEY)
    with ap.set_options(api_url=b.url, api_key=""):
        ask()
    assert (keys_of(a), keys_of(b)) == ([None], [None])


def test_a_key_given_to_a_call_goes_before_any_other(two):
    a, b = two
    ap.set_options(api_url=a.url, api_key=KEY)
    ask(api_url=b.url, api_key=OTHER)
    ask(api_key=OTHER)
    assert (keys_of(a), keys_of(b)) == ([OTHER], [OTHER])


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_that_a_key_was_held_back(two, status):
    a, b = two
    b.on("GET", "/api/v1/availability/ephemeris", b.Reply(status, {"error_message": "no"}))
    ap.set_options(api_url=a.url, api_key=KEY)
    error = ask(api_url=b.url)
    assert isinstance(error, ap.AuroraxAuthorizationError)
    assert "belongs to another address" in str(error)
    assert KEY not in str(error)


def test_blocks_in_threads_end_as_they_began(two):
    a, b = two
    ap.set_options(api_url="http://before")
    inside, first_ends, both = [], threading.Event(), threading.Barrier(2)

    def first():
        with ap.set_options(api_url=a.url):
            both.wait()
            inside.append(ap.get_options()["api_url"])
        first_ends.set()

    def second():
        with ap.set_options(api_url=b.url):
            both.wait()
            first_ends.wait()
            inside.append(ap.get_options()["api_url"])
        inside.append(ap.get_options()["api_url"])

    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == [a.url, b.url, "http://before"]
    assert ap.get_options()["api_url"] == "http://before"


def test_windows_of_a_search_go_by_the_block_that_it_stands_in(box, recorded_search):
    with ap.set_options(api_url=box.url):
        df = ap.read_aurorax_conjunctions(**recorded_search, chunk="3h")
    assert len(df) == 49


def test_a_key_is_in_no_pickle_and_a_copy_holds_it():
    secret = Secret(KEY)
    with pytest.raises(TypeError, match="not written out"):
        pickle.dumps(secret)
    with pytest.raises(TypeError, match="not written out"):
        pickle.dumps({"key": secret.reveal()})
    assert copy.deepcopy([secret])[0].reveal() == copy.copy(secret).reveal() == KEY
    assert KEY not in repr(copy.deepcopy({"key": secret}))


def shows_locals(error):
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


CALLS = {
    "reader": lambda key, **k: ap.read_aurorax_conjunctions(
        "2020-01-01", "2020-01-02", 500, ground={"programs": "a"}, space={"programs": "b"}, api_key=key, **k
    ),
    "window": lambda key, **k: ap.read_aurorax_conjunctions("2020-01-03", "2020-01-02", 500, api_key=key, **k),
    "ephemeris": lambda key, **k: ap.read_aurorax_ephemeris("2020-01-01", "2020-01-02", programs="x", api_key=key, **k),
    "sources": lambda key, **k: ap.read_aurorax_data_sources(api_key=key, **k),
    "availability": lambda key, **k: ap.read_aurorax_availability("2020-01-01", "2020-01-01", api_key=key, **k),
    "search": lambda key, **k: ap.ConjunctionSearch("2020-01-03", "2020-01-01", 5, api_key=key, **k),
    "options": lambda key, api_url, **_: ap.set_options(api_key=key, api_url=api_url + "?x=1"),
    "accessor": lambda key, **k: ap.load_sample_conjunctions().aurorax.ephemeris(api_key=key, timeout=5, **k),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_key_shows_in_no_traceback_with_locals(closed_port_url, call, monkeypatch):
    from aurorax_pandas.service import transport

    monkeypatch.setattr(transport, "MAX_ATTEMPTS", 1)
    with pytest.raises(ap.AuroraxError) as caught:
        call(KEY, api_url=closed_port_url)
    frames = shows_locals(caught.value).split('  File "')
    ours = [frame for frame in frames if "tests" not in frame.split('"')[0]]
    assert len(ours) > 1
    assert [frame for frame in ours if KEY in frame] == []


VERBOSE = """
import aurorax_pandas as ap
def test_it():
    ap.read_aurorax_data_sources(api_url="http://127.0.0.1:9", api_key=open("key").read(), timeout=1)
"""


def test_pytest_with_locals_shows_no_key(tmp_path):
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "test_it.py").write_text(VERBOSE)
    command = [sys.executable, "-m", "pytest", "-l", "--tb=long", "-p", "no:cacheprovider", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 failed" in done.stdout
    assert KEY not in done.stdout + done.stderr
