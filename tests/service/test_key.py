"""A key goes to the address that it was set for, and shows nowhere."""

import contextlib
import copy
import io
import os
import pickle
import threading
import traceback

import pytest

import aurorax_pandas as ap
from aurorax_pandas import sandbox
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


LONG = KEY * 20


def verbose_of_ipython(error):
    ultratb = pytest.importorskip("IPython.core.ultratb")
    return ultratb.VerboseTB(include_vars=True).text(type(error), error, error.__traceback__)


def verbose_of_rich(error):
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), width=200)
    rich_traceback = pytest.importorskip("rich.traceback").Traceback
    console.print(
        rich_traceback.from_exception(type(error), error, error.__traceback__, show_locals=True, max_frames=0)
    )
    return console.file.getvalue()


def long_of_pytest(error):
    # what `pytest -l --tb=long` prints of a failure
    return str(pytest.ExceptionInfo.from_exception(error).getrepr(showlocals=True, style="long"))


SHOWN_BY = {"pytest": long_of_pytest, "traceback": shows_locals, "IPython": verbose_of_ipython, "rich": verbose_of_rich}


@pytest.mark.parametrize("shown_by", SHOWN_BY)
@pytest.mark.parametrize("key", [KEY, LONG], ids=["short", "long"])
def test_a_key_shows_in_no_verbose_traceback(closed_port_url, shown_by, key, monkeypatch):
    from aurorax_pandas.service import transport

    monkeypatch.setattr(transport, "MAX_ATTEMPTS", 1)
    caught = []

    def asks():
        # the caller's own variables are the caller's; here it has none
        try:
            ap.read_aurorax_data_sources(api_url=closed_port_url, api_key=os.environ["A_KEY_OF_MINE"], timeout=5)
        except ap.AuroraxError as error:
            caught.append(error)

    monkeypatch.setenv("A_KEY_OF_MINE", key)
    asks()
    trace = caught[0].__traceback__.tb_next
    text = SHOWN_BY[shown_by](caught[0].with_traceback(trace))
    assert "read_aurorax_data_sources" in text
    assert "api_key" in text
    assert KEY[:10] not in text


@pytest.mark.parametrize("where", ["request", "read1"])
def test_a_key_shows_in_no_traceback_of_an_interrupt(server, monkeypatch, where):
    import http.client

    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    if where == "request":
        monkeypatch.setattr(http.client.HTTPConnection, "send", interrupt)
    else:
        monkeypatch.setattr("urllib3.response.HTTPResponse.read1", interrupt)
    server.on("GET", "/api/v1/data_sources", server.Reply(200, []))
    with pytest.raises(KeyboardInterrupt) as caught:
        CALLS["sources"](KEY, api_url=server.url)
    frames = shows_locals(caught.value).split('  File "')
    assert [frame for frame in frames if "tests" not in frame.split('"')[0] and KEY in frame] == []


def all_that_is_held(thing, depth=6):
    """Show the reprs of what an object holds, of what that holds, and so on."""
    if depth == 0 or isinstance(thing, type) or callable(thing):
        return [repr(thing)]
    held = list(vars(thing).values()) if hasattr(thing, "__dict__") else []
    if isinstance(thing, dict):
        held = list(thing.values())
    elif isinstance(thing, list | tuple):
        held = list(thing)
    return [repr(thing), *(text for each in held for text in all_that_is_held(each, depth - 1))]


def test_a_key_is_in_nothing_that_a_search_holds(server, recorded_search):
    ap.set_options(api_url=server.url, api_key=KEY)
    search = ap.ConjunctionSearch(**recorded_search, check_names=False)
    search.execute()
    copies = [search, copy.copy(search)]
    assert KEY not in "".join(text for each in copies for text in all_that_is_held(each))
    assert KEY not in repr([vars(search), search, search._repr_html_()])
    with pytest.raises(TypeError):
        pickle.dumps(search)
    with pytest.raises(TypeError):
        pickle.dumps(search._connection)
    df = search.run()
    assert KEY.encode() not in pickle.dumps(df) + pickle.dumps(search.query) + pickle.dumps(search.status)
    assert {asked.headers.get(HEADER) for asked in server.asked} == {KEY}
    search.close()


def test_a_key_of_the_options_is_in_no_graph_of_dask(server, recorded_search):
    dask = pytest.importorskip("dask")
    cloudpickle = pytest.importorskip("cloudpickle")
    ap.set_options(api_url=server.url, api_key=KEY)
    lazy = dask.delayed(ap.read_aurorax_conjunctions)(**recorded_search, check_names=False)
    assert KEY not in repr(dict(lazy.__dask_graph__()))
    assert KEY.encode() not in cloudpickle.dumps(dict(lazy.__dask_graph__()))
    assert len(lazy.compute(scheduler="synchronous")) == 0
    assert set(keys_of(server)) == {KEY}


# ---- every way to set a key, and every way to name an address ------------------------------------------------------


def in_a_thread(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


@contextlib.contextmanager
def key_by_argument(address, monkeypatch):
    yield {"api_key": KEY}


@contextlib.contextmanager
def key_by_options(address, monkeypatch):
    ap.set_options(api_url=address, api_key=KEY)
    ap.set_options(api_url=None)
    yield {}


@contextlib.contextmanager
def key_by_block(address, monkeypatch):
    with ap.set_options(api_url=address, api_key=KEY):
        yield {}


@contextlib.contextmanager
def key_by_nested_blocks(address, monkeypatch):
    with (
        ap.set_options(api_url="http://elsewhere", api_key=OTHER),
        ap.set_options(api_url=address),
        ap.set_options(api_key=KEY),
    ):
        yield {}


@contextlib.contextmanager
def key_by_environment(address, monkeypatch):
    monkeypatch.setenv("AURORAX_API_URL", address)
    monkeypatch.setenv("AURORAX_API_KEY", KEY)
    yield {}


@contextlib.contextmanager
def key_by_thread(address, monkeypatch):
    # a plain call holds for the process, whichever thread makes it
    in_a_thread(lambda: ap.set_options(api_url=address, api_key=KEY))
    ap.set_options(api_url=None)
    yield {}


def address_by_argument(address, keywords):
    read_all(api_url=address, **keywords)


def address_by_options(address, keywords):
    ap.set_options(api_url=address)
    read_all(**keywords)


def address_by_block(address, keywords):
    with ap.set_options(api_url=address):
        read_all(**keywords)


def address_in_other_letters(address, keywords):
    read_all(api_url=address.replace("http", "HTTP") + "/", **keywords)


def address_in_a_thread(address, keywords):
    in_a_thread(lambda: read_all(api_url=address, **keywords))


def address_of_windows(address, keywords):
    read_all(api_url=address, chunk="1min", **keywords)


def read_all(**keywords):
    ap.read_aurorax_conjunctions(
        "2020-01-01", "2020-01-01T00:01:59", 300, ground={"platforms": "gillam"}, space={"platforms": "swarma"},
        **keywords,
    )  # fmt: skip


KEYS = {
    by.__name__: by
    for by in (
        key_by_argument, key_by_options, key_by_block, key_by_nested_blocks, key_by_environment, key_by_thread
    )
}  # fmt: skip
ADDRESSES = {
    by.__name__: by
    for by in (
        address_by_argument, address_by_options, address_by_block, address_in_other_letters, address_in_a_thread,
        address_of_windows,
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def two_sandboxes():
    one, other = sandbox.serve(), sandbox.serve()
    with one, other:
        yield one, other


BLOCKS = ("key_by_block", "key_by_nested_blocks")
TABLE = [
    (key, address)
    for key in KEYS
    for address in ADDRESSES
    # a block stands before what is set for the process
    if not (key in BLOCKS and address == "address_by_options")
]


@pytest.mark.parametrize(("key", "address"), TABLE)
def test_the_table_of_who_receives_what(two_sandboxes, key, address, monkeypatch):
    home, away = two_sandboxes
    for box in two_sandboxes:
        box.requests.clear()
    with KEYS[key](home.url, monkeypatch) as keywords:
        ADDRESSES[address](home.url, keywords)
        ADDRESSES[address](away.url, keywords)
    received = [
        {
            next((value for name, value in asked.headers.items() if name.lower() == HEADER), None)
            for asked in box.requests
        }
        for box in two_sandboxes
    ]
    # a thread of the caller's own does not stand in the caller's blocks
    at_home = None if key in BLOCKS and address == "address_in_a_thread" else KEY
    # a key given to a call is for the address of that call
    assert received == [{at_home}, {KEY if key == "key_by_argument" else None}]


def test_a_block_stands_before_what_is_set_for_the_process(two):
    a, b = two
    with ap.set_options(api_url=a.url, api_key=KEY):
        ap.set_options(api_url=b.url)
        ask()
    ask()
    assert (keys_of(a), keys_of(b)) == ([KEY], [None])
