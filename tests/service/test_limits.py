"""What a server does to take time or memory ends within the limits, as an error of ours."""

import gzip
import json
import socket
import sys
import threading
import time
import tracemalloc
import types
import zlib
from pathlib import Path

import pytest
import requests

import aurorax_pandas as ap
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.html_table import search_table
from aurorax_pandas.service.transport import Transport

PATH = "/api/v1/data_sources"


@pytest.fixture
def dripping():
    """Start a server that sends the first text at once, and of the second a byte every tenth of a second."""
    over = threading.Event()
    listening = []

    def serve(connection, first, drops):
        with connection:
            connection.recv(65536)
            try:
                connection.sendall(first)
                while drops and not over.wait(0.1):
                    connection.sendall(drops[:1])
                    drops = drops[1:] or drops
            except OSError:
                return

    def start(first, drops):
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def accept():
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection, first, drops), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    yield start
    over.set()
    for server in listening:
        server.close()


PACKED = gzip.compress(b"x" * 100_000, mtime=0)
HEAD = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "head": (b"", HEAD + b"X-Long: " + b"a" * 5000),
    "status": (b"H", b"TTP/1.1 200 OK                                            "),
    "chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0000000000000000000000000000000000000000"),
    "body": (HEAD + b"Content-Length: 100000\r\n\r\n", b"[1, 2, 3, "),
    "gzip": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n" + PACKED[:20], PACKED[20:]),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_timeout_holds_however_slowly_the_server_sends(dripping, drip):
    transport = Transport(dripping(*DRIPS[drip]))
    began = time.monotonic()
    with pytest.raises(ap.AuroraxTimeoutError, match=r"timeout=0.6 s"):
        transport.call("GET", PATH, deadline=Deadline(0.6))
    assert time.monotonic() - began < 1.6
    transport.close()


def test_a_timeout_holds_while_tls_is_agreed_on(dripping):
    url = dripping(b"", b"\x16\x03\x03\x40\x00" + b"\x02" * 1000).replace("http://", "https://")
    transport = Transport(url)
    began = time.monotonic()
    with pytest.raises((ap.AuroraxTimeoutError, ap.AuroraxUnavailableError)):
        transport.call("GET", PATH, deadline=Deadline(0.6))
    assert time.monotonic() - began < 1.6
    transport.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", ""])
def test_a_body_that_is_too_large_is_an_error_in_bounded_memory(server, encoding):
    size = 200 * 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    packed = b"".join(packer.compress(b"\0" * 2**20) for _ in range(size // 2**20)) + packer.flush()
    if encoding:
        server.on("GET", PATH, server.Reply(200, packed, (("Content-Encoding", encoding),)))
    else:
        server.on("GET", PATH, server.Reply(200, bytes(70 * 2**20)))
    transport = Transport(server.url)
    tracemalloc.start()
    with pytest.raises(ap.AuroraxDataError, match="larger than 64 MB"):
        transport.call("GET", PATH, deadline=Deadline(60))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    transport.close()
    if encoding:
        assert peak < 2 * 64 * 2**20


@pytest.mark.parametrize("file_size", [None, 0, 10**15, True])
def test_a_size_that_says_nothing_bounds_nothing(server, recorded_search, file_size, monkeypatch):
    from aurorax_pandas.service import download

    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    server.status(server.status_reply(
        data_uri=f"{server.REQUEST}/data", completed_timestamp="2024-01-01T00:00:00", error_condition=False,
        file_size=file_size,
    ))  # fmt: skip
    server.data(server.Reply(200, b'{"result": [' + b" " * 2000 + b"]}"))
    with pytest.raises(ap.AuroraxDataError, match="larger than"):
        ap.read_aurorax_conjunctions(**recorded_search, api_url=server.url, check_names=False)


def test_a_result_may_be_four_times_as_large_as_its_file(server, recorded_search, monkeypatch):
    from aurorax_pandas.service import download

    monkeypatch.setattr(download, "MOST_BYTES", 1000)
    server.status(server.status_reply(
        data_uri=f"{server.REQUEST}/data", completed_timestamp="2024-01-01T00:00:00", error_condition=False,
        file_size=600,
    ))  # fmt: skip
    server.data(server.Reply(200, b'{"result": [' + b" " * 2000 + b"]}"))
    assert ap.read_aurorax_conjunctions(**recorded_search, api_url=server.url, check_names=False).empty


def test_a_query_nested_too_deep_in_a_status_is_an_error_of_ours(server, recorded_search):
    deep = "[" * 900 + "]" * 900
    status = f'{{"search_request": {{"query": {deep}}}, "search_result": {{}}, "logs": []}}'
    server.status(server.Reply(200, status.encode()))
    with pytest.raises(ap.AuroraxError):
        ap.read_aurorax_conjunctions(**recorded_search, api_url=server.url, check_names=False)


@pytest.mark.parametrize("text", ["red \x1b[31m", "bell \x07", "back\x08space", "line\u2028", "nul \0"])
def test_control_characters_of_a_server_do_not_reach_a_terminal(server, text):
    server.on("GET", PATH, server.Reply(400, json.dumps({"error_code": text, "error_message": text}).encode()))
    with pytest.raises(ap.AuroraxAPIError) as caught:
        Transport(server.url).call("GET", PATH, deadline=Deadline(10))
    assert str(caught.value).isprintable()
    assert caught.value.error_code.isprintable()


@pytest.mark.parametrize("header", ["9" * 5000, "99999999999", " 12 "])
def test_a_huge_retry_after_is_told_as_such(server, clock, header):
    server.on("GET", PATH, server.Reply(429, b"", (("Retry-After", header),)))
    with pytest.raises(ap.AuroraxTimeoutError, match="asks to be left alone for"):
        Transport(server.url, sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))
    assert clock.now == 0


def test_a_date_of_retry_after_is_measured_by_the_clock_of_the_service(dripping, clock):
    head = (
        b"HTTP/1.1 503 Busy\r\nDate: Wed, 01 Jan 2020 00:00:00 GMT\r\n"
        b"Retry-After: Wed, 01 Jan 2020 00:00:30 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    with pytest.raises(ap.AuroraxError):
        Transport(dripping(head, b""), sleep=clock.sleep).call("GET", PATH, deadline=Deadline(100, clock.time))
    assert 30 <= clock.sleeps[0] <= 60


def test_what_is_on_this_machine_is_not_asked_through_a_proxy(server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.on("GET", PATH, server.Reply(200, b"here"))
    assert Transport(server.url).call("GET", PATH, deadline=Deadline(10)).body == b"here"


def test_a_failing_proxy_is_named_without_its_password(monkeypatch, closed_port_url, clock):
    monkeypatch.setenv("http_proxy", closed_port_url.replace("http://", "http://user:s3cret@"))
    with pytest.raises(ap.AuroraxError, match=r"the proxy http://127.0.0.1:\d+ \(http_proxy\)") as caught:
        Transport("http://example.invalid", sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("user", ["first_last", "me@example.org", "user"])
def test_the_password_of_a_proxy_without_a_scheme_is_not_told(user, monkeypatch, closed_port_url, clock, caplog):
    monkeypatch.setenv("http_proxy", closed_port_url.replace("http://", f"{user}:s3cret@"))
    with pytest.raises(ap.AuroraxError, match=r"the proxy 127.0.0.1:\d+ \(http_proxy\)") as caught:
        Transport("http://example.invalid", sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))
    assert "s3cret" not in str(caught.value) + caplog.text


def test_a_proxy_that_is_no_address_is_an_error_of_ours(monkeypatch, clock):
    monkeypatch.setenv("http_proxy", "http://[none")
    with pytest.raises(ap.AuroraxUnavailableError):
        Transport("http://example.invalid", sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))


def test_a_socks_proxy_without_its_package_says_which(monkeypatch):
    def missing(*args, **kwargs):
        # what requests puts in its place where PySocks is not installed
        raise requests.exceptions.InvalidSchema("Missing dependencies for SOCKS support.")

    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", missing)
    with pytest.raises(ap.AuroraxUnavailableError, match="pip install pysocks"):
        Transport("http://example.invalid").call("GET", PATH, deadline=Deadline(10))


def test_a_socks_proxy_that_is_away_is_named(monkeypatch, closed_port_url, clock):
    pytest.importorskip("socks")
    monkeypatch.setenv("http_proxy", closed_port_url.replace("http", "socks5h"))
    with pytest.raises(ap.AuroraxError, match=r"the proxy socks5h://127.0.0.1:\d+ \(http_proxy\)"):
        Transport("http://example.invalid", sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))


def test_credentials_of_a_netrc_are_not_sent(server, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password s3cret\ndefault login me password s3cret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    server.on("GET", PATH, server.Reply(200, b"here"))
    Transport(server.url).call("GET", PATH, deadline=Deadline(10))
    assert "authorization" not in {name.lower() for name in server.asked[0].headers}


def test_http_behind_https_is_told(server, clock):
    with pytest.raises(ap.AuroraxUnavailableError, match="http or https"):
        Transport(server.url.replace("http://", "https://"), sleep=clock.sleep).call(
            "GET", PATH, deadline=Deadline(10, clock.time)
        )
    assert clock.sleeps == []


def test_certificates_that_are_not_there_are_told(monkeypatch, tmp_path, clock):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(ap.AuroraxUnavailableError, match="REQUESTS_CA_BUNDLE"):
        Transport("https://127.0.0.1:9", sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))


def test_certificates_that_nothing_uses_are_not_blamed(monkeypatch, tmp_path, clock):
    there = tmp_path / "there.pem"
    there.write_bytes(Path(requests.certs.where()).read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(there))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(ap.AuroraxUnavailableError, match="nothing listens there"):
        Transport("https://127.0.0.1:9", sleep=clock.sleep).call("GET", PATH, deadline=Deadline(10, clock.time))


def test_the_last_reason_is_in_the_message_of_a_timeout(server, clock):
    server.on("GET", PATH, server.Reply(502, {"error_message": "upstream is down"}))
    with pytest.raises(ap.AuroraxTimeoutError, match="upstream is down"):
        Transport(server.url, sleep=clock.sleep).call("GET", PATH, deadline=Deadline(5, clock.time))


def test_a_search_is_submitted_once_by_however_many_threads(server, recorded_search):
    search = ap.ConjunctionSearch(**recorded_search, api_url=server.url, check_names=False)
    together, refused = threading.Barrier(8), []

    def execute():
        together.wait()
        try:
            search.execute()
        except ap.AuroraxStateError as error:
            refused.append(error)

    threads = [threading.Thread(target=execute) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.count("POST", server.SEARCH) == 1
    assert len(refused) == 7
    search.close()


def test_an_interrupted_submit_is_cancelled_by_the_id_that_was_chosen_for_it(server, recorded_search, clock):
    def interrupt(seconds):
        raise KeyboardInterrupt

    server.submit(server.Reply(503, b""))
    search = ap.ConjunctionSearch(
        **recorded_search, api_url=server.url, check_names=False, clock=clock.time, sleep=interrupt
    )
    with pytest.raises(KeyboardInterrupt):
        search.run(cancel_on_interrupt=True)
    sent = server.asked[0].body["request_id"]
    assert [asked.path for asked in server.asked if asked.method == "DELETE"] == [
        f"/api/v1/conjunctions/requests/{sent}"
    ]


def test_the_html_of_a_search_takes_no_name_for_html(recorded_search):
    bad = '"><script>alert(1)</script>'
    search = ap.ConjunctionSearch(**recorded_search, api_url="http://127.0.0.1:9")
    search.status = {"logs": [{"level": "info", "summary": bad}]}
    assert "<script>" not in search._repr_html_()


def test_an_address_in_html_is_a_link_that_quotes_do_not_leave():
    bad = 'http://x/"onmouseover="alert(1)\'<b>'
    query = {"start": "it's <b>", "end": "", "max_distances": "javascript:alert(1)"}
    made = search_table(types.SimpleNamespace(executed=True, completed=False, request_url=bad, query=query, logs=[]))
    assert made.count("<a href=") == 1
    assert 'href="http://x/&quot;onmouseover=&quot;alert(1)&#x27;&lt;b&gt;"' in made
    assert "<b>" not in made


def test_a_search_shows_itself_in_a_notebook_without_jinja2(recorded_search, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    made = ap.ConjunctionSearch(**recorded_search, api_url="http://127.0.0.1:9")._repr_html_()
    assert "2020-01-01T06:59:59" in made


def test_a_body_without_an_end_is_an_error_in_bounded_memory(dripping):
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    url = dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + piece * 100, b"")
    transport = Transport(url)
    tracemalloc.start()
    with pytest.raises(ap.AuroraxDataError, match="larger than 2 MB"):
        transport.call("GET", PATH, deadline=Deadline(60), most=2 * 2**20)
    # beside what the server of this test holds
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    transport.close()
    assert peak < 2 * 2 * 2**20
