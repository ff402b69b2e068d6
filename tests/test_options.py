import re

import pytest

import aurorax_pandas as ap
from aurorax_pandas.options import api_url_in_force

KEY = "s3cret-key-0123456789"
DEFAULT = {"api_url": "https://api.aurorax.space", "api_key": None}


def test_defaults():
    assert ap.get_options() == DEFAULT


def test_environment_sets_defaults(monkeypatch):
    monkeypatch.setenv("AURORAX_API_URL", "http://localhost:1234/")
    monkeypatch.setenv("AURORAX_API_KEY", KEY)
    assert ap.get_options() == {"api_url": "http://localhost:1234", "api_key": "***"}


def test_options_stand_before_the_environment_and_arguments_before_both(monkeypatch):
    monkeypatch.setenv("AURORAX_API_URL", "http://environment")
    ap.set_options(api_url="http://option")
    assert api_url_in_force() == "http://option"
    assert api_url_in_force("http://argument") == "http://argument"
    ap.set_options(api_url=None)
    assert api_url_in_force() == "http://environment"


def test_an_empty_environment_is_none(monkeypatch):
    monkeypatch.setenv("AURORAX_API_URL", "")
    monkeypatch.setenv("AURORAX_API_KEY", "")
    assert ap.get_options() == DEFAULT


def test_options_of_a_with_block_end_with_it():
    ap.set_options(api_url="http://outer")
    inside = []

    def fail():
        with ap.set_options(api_url="http://inner", api_key=KEY):
            inside.append(ap.get_options())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside == [{"api_url": "http://inner", "api_key": "***"}]
    assert ap.get_options() == {"api_url": "http://outer", "api_key": None}


@pytest.mark.parametrize(
    "bad",
    [
        "api.aurorax.space", "", "http://", "ftp://host", "http://host?x=1", "http://host#x", "http://[broken",
        "http://host:port", "http://host:99999", "http://host name", "http://host\n", 5, b"http://host", ["http://host"],
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(bad):
    with pytest.raises(ap.AuroraxInputError, match="api_url"):
        ap.set_options(api_url=bad)
    assert ap.get_options() == DEFAULT


@pytest.mark.parametrize("bad", ["a b", "http://[broken", "file:///etc"])
def test_a_bad_address_in_the_environment_is_refused_where_it_is_used(monkeypatch, recorded_search, bad):
    monkeypatch.setenv("AURORAX_API_URL", bad)
    with pytest.raises(ap.AuroraxInputError, match="api_url"):
        ap.ConjunctionSearch(**recorded_search)


def test_a_password_in_the_address_is_refused_and_not_repeated():
    with pytest.raises(ap.AuroraxInputError, match="password") as caught:
        ap.set_options(api_url=f"https://user:{KEY}@host")
    assert KEY not in str(caught.value)


WRONG_ADDRESSES = {
    "127.0.0.1:8000": "it must begin with http:// or https://",
    "localhost:8000": "it must begin with http:// or https://",
    "//host": "it must begin with http:// or https://",
    "https:/host": "it must begin with http:// or https://",
    f"me:{KEY}@host:8000": "it must begin with http:// or https://",
    "http://": "there is no host in it",
    "http://host:99999": "its host or its port cannot be read",
    f"http://host?token={KEY}": "it must hold nothing from a ? or # on",
    f"http://me:{KEY}@host#there": "it must hold nothing from a ? or # on",
    "http://host name": "it holds a space",
}


@pytest.mark.parametrize("place", ["argument", "option", "environment"])
@pytest.mark.parametrize("bad", WRONG_ADDRESSES)
def test_an_address_that_is_none_tells_what_is_wrong_and_no_secret(monkeypatch, recorded_search, bad, place):
    if place == "environment":
        monkeypatch.setenv("AURORAX_API_URL", bad)
    calls = {
        "argument": lambda: ap.read_aurorax_conjunctions(**recorded_search, api_url=bad),
        "option": lambda: ap.set_options(api_url=bad),
        "environment": lambda: ap.read_aurorax_conjunctions(**recorded_search),
    }
    with pytest.raises(ap.AuroraxInputError, match=re.escape(f"service: {WRONG_ADDRESSES[bad]}")) as caught:
        calls[place]()
    said = str(caught.value)
    assert said.startswith("api_url of AURORAX_API_URL is not" if place == "environment" else "api_url=")
    assert (repr(bad) in said) == (place != "environment" and not set("@?#") & set(bad))
    assert KEY not in said


@pytest.mark.parametrize("bad", [KEY + "\n", KEY + "é", " " + KEY, KEY.encode(), 5])
def test_a_bad_key_is_refused_and_not_repeated(bad):
    with pytest.raises(ap.AuroraxInputError, match="api_key") as caught:
        ap.set_options(api_key=bad)
    assert KEY not in str(caught.value)


def test_all_options_are_checked_before_any_is_set():
    with pytest.raises(ap.AuroraxInputError):
        ap.set_options(api_url="http://fine", api_key="not\nfine")
    with pytest.raises(ap.AuroraxInputError, match="unknown option 'apikey'"):
        ap.set_options(api_url="http://fine", apikey=KEY)
    assert ap.get_options() == DEFAULT


def test_options_reach_a_search(box, recorded_search):
    with ap.set_options(api_url=box.url + "/"), ap.ConjunctionSearch(**recorded_search) as search:
        search.execute()
    assert search.request_url.startswith(f"{box.url}/api/v1/")
    assert box.requests[-1].path.endswith("/search")


def test_a_key_set_as_option_is_sent_and_not_shown(server, recorded_search, clock):
    with (
        ap.set_options(api_url=server.url, api_key=KEY) as shown,
        ap.ConjunctionSearch(**recorded_search, clock=clock.time, sleep=clock.sleep) as search,
    ):
        df = search.run()
        assert KEY not in repr([shown, ap.get_options(), search, df.attrs])
    assert {asked.headers["x-aurorax-api-key"] for asked in server.asked} == {KEY}
