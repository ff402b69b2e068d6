"""
How reading compares with PyAuroraX and today's recipe, on the same bodies, in the same run.

``python tests/benchmarks/reading.py`` prints the table; with ``--gate`` a fast part of it, against a hand-written copy of
today's recipe in place of PyAuroraX, fails where a ratio is below 60 % of its reach. Ratios are medians of paired,
interleaved runs; memory is the peak of resident memory above the body, each in a process of its own.
"""

import argparse
import contextlib
import datetime
import gc
import http.server
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

REQUEST_ID = "5c0ffee5-0000-4000-8000-000000000001"
QUERY = {
    "start": "2020-01-01", "end": "2020-12-31", "distance": 500,
    "ground": [{"programs": ["themis-asi"]}], "space": [{"programs": ["swarm"]}],
}  # fmt: skip
GATE = 0.6


# ---- bodies ------------------------------------------------------------------------------------------------------


def source(number, ground, fat):
    """A data source as the service writes it; a fat one carries its metadata schemas."""
    record = {
        "identifier": number,
        "program": "themis-asi" if ground else "swarm",
        "platform": f"site {number}" if ground else f"swarm{number}",
        "instrument_type": "panchromatic ASI" if ground else "footprint",
        "source_type": "ground" if ground else "leo",
        "display_name": f"THEMIS-ASI S{number:03d}" if ground else f"Swarm {number}",
    }
    if fat:
        field = {
            "field_name": "nbtrace_region",
            "description": "region of the northern footprint",
            "data_type": "string",
            "allowed_values": [
                "north polar cap",
                "north cusp",
                "north cleft",
                "north auroral oval",
                "north mid-latitude",
            ],
        }
        record |= {
            "ephemeris_metadata_schema": [{**field, "field_name": f"field_{index}"} for index in range(6)],
            "data_product_metadata_schema": [field], "owner": "owner@example.com", "maintainers": [], "metadata": {},
        }  # fmt: skip
    return record


def body(count, fat=False, seed=7):
    """A result of the service with that many pair conjunctions, the same each time."""
    chance = np.random.default_rng(seed)
    cameras = [json.dumps(source(100 + number, True, fat)) for number in range(25)]
    craft = [json.dumps(source(number, False, fat)) for number in range(8)]
    begin = np.datetime64("2020-01-01") + np.sort(chance.integers(0, 525_000, count)).astype("m8[m]")
    length = chance.integers(0, 4, count).astype("m8[m]")
    low = chance.uniform(5, 480, count).round(6)
    high = (low + chance.uniform(0, 20, count)).round(6)
    texts = [np.datetime_as_string(times, unit="s").tolist() for times in (begin, begin + length)]
    who = zip(chance.integers(0, 25, count).tolist(), chance.integers(0, 8, count).tolist(), strict=True)
    parts = []
    for (camera, craft_number), start, end, least, most in zip(who, *texts, low.tolist(), high.tolist(), strict=True):
        one, two = cameras[camera], craft[craft_number]
        span = f'"start": "{start}", "end": "{end}", "min_distance": {least}, "max_distance": {most}'
        event = f'{{"conjunction_type": "nbtrace", "e1_source": {one}, "e2_source": {two}, {span}}}'
        parts.append(
            f'{{"conjunction_type": "nbtrace", {span}, "data_sources": [{one}, {two}], "events": [{event}], '
            f'"closest_epoch": "{start}", "farthest_epoch": "{end}"}}'
        )
    return ('{"result": [' + ", ".join(parts) + "]}").encode()


# ---- the two sides -----------------------------------------------------------------------------------------------


class Plain:
    """Stands in for PyAuroraX's classes in the gate."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


def parse_time(text):
    """Read a time as PyAuroraX does."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S")


def cast(records, conjunction, data_source):
    """Make objects of parsed records, as PyAuroraX does."""
    for record in records:
        for name in ("farthest_epoch", "closest_epoch", "start", "end"):
            record[name] = parse_time(record[name])
        for event in record["events"]:
            event["start"], event["end"] = parse_time(event["start"]), parse_time(event["end"])
        record["data_sources"] = [data_source(**each) for each in record["data_sources"]]
    return [conjunction(**record) for record in records]


def recipe(objects):
    """Today's way on: a frame of objects, then flat events."""
    df = pd.DataFrame([each.__dict__ for each in objects]).sort_values("start")
    events = df[["events"]].explode("events")
    return df, pd.json_normalize(events["events"].tolist()).set_index(events.index)


def classes(stand_in):
    """Give the classes of the other side."""
    if stand_in:
        return Plain, Plain
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyaurorax.search import Conjunction, DataSource
    return Conjunction, DataSource


def theirs(data, made):
    """Body to flat events, their way."""
    return recipe(cast(json.loads(data)["result"], *made))


def ours(data, _=None):
    """Body to flat events, our way."""
    import aurorax_pandas

    df = aurorax_pandas.as_conjunctions(data)
    return df, aurorax_pandas.explode_events(df)


# ---- over HTTP ---------------------------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one search at once; GET on the data gives the fat body, POST with a format the slim one."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bodies: dict[str, bytes]
    count = 0
    sent = 0

    def do(self):
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = f"/api/v1/conjunctions/requests/{REQUEST_ID}"
        status, payload = 200, b"[]"
        if self.path.endswith("/search"):
            status, payload = 202, b""
        elif self.path.endswith("/data"):
            payload = self.bodies["fat" if self.command == "GET" else "slim"]
            type(self).sent = len(payload)
        elif self.path == path:
            result = {"data_uri": f"{path}/data", "error_condition": False, "result_count": self.count, "file_size": 1}
            payload = json.dumps({"search_request": {}, "search_result": result, "logs": []}).encode()
        self.send_response(status)
        self.send_header("location", f"http://{self.headers['Host']}{path}")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do  # noqa: N815

    def log_message(self, *_):
        """Say nothing."""


@contextlib.contextmanager
def served(count, fat, slim):
    """Serve the bodies on loopback."""
    handler = type("Bound", (Handler,), {"bodies": {"fat": fat, "slim": slim}, "count": count})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", handler
    finally:
        server.shutdown()
        server.server_close()


def call_theirs(url):
    """Their whole call."""
    import pyaurorax

    client = pyaurorax.PyAuroraX(api_base_url=url, api_timeout=120)
    begin, end = (datetime.datetime.fromisoformat(QUERY[name]) for name in ("start", "end"))
    search = client.search.conjunctions.search(
        begin, end, QUERY["distance"], ground=QUERY["ground"], space=QUERY["space"], poll_interval=0.01
    )
    return recipe(search.data)


def call_ours(url):
    """Our whole call."""
    import aurorax_pandas

    df = aurorax_pandas.read_aurorax_conjunctions(**QUERY, api_url=url, poll_interval=0.01)
    return df, aurorax_pandas.explode_events(df)


# ---- measuring ---------------------------------------------------------------------------------------------------


def seconds(work, *arguments):
    """Time one run, garbage collected before."""
    gc.collect()
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin


def paired(slow, fast, runs):
    """Median ratio of interleaved runs."""
    return statistics.median([seconds(*slow) / seconds(*fast) for _ in range(runs)])


def peak(side, count):
    """Peak resident memory above the body [MB], in a process of its own."""
    # making the body in the process would leave free memory behind, which hides what is taken later
    with tempfile.NamedTemporaryFile() as file:
        file.write(body(count))
        file.flush()
        done = subprocess.run(
            [sys.executable, __file__, "--peak", side, file.name], capture_output=True, text=True, check=True
        )
    return float(done.stdout)


def measure_peak(side, path):
    """Print the peak of resident memory above what is there with the body in memory."""
    made = classes(stand_in=False) if side == "pyaurorax" else None
    work = theirs if side == "pyaurorax" else ours
    work(body(100), made)
    data = Path(path).read_bytes()
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:  # noqa: PTH123
        file.write("5")
    before = _status("VmRSS")
    kept = work(data, made)
    print((_status("VmHWM") - before) / 1000 if kept else 0)


def _status(name):
    with open("/proc/self/status") as file:  # noqa: PTH123
        return next(int(line.split()[1]) for line in file if line.startswith(name))


class Table:
    """Prints rows and remembers whether all reached."""

    def __init__(self, share):
        self.share, self.reached = share, True

    def row(self, name, value, reach, at_least=True, unit="x"):
        """Print one row."""
        wanted = reach * self.share if at_least else reach / self.share
        good = value >= wanted if at_least else value <= wanted
        self.reached &= good
        sign = ">=" if at_least else "<="
        print(f"{name:<66} {value:8.2f}{unit}  {sign} {wanted:.2f}  {'pass' if good else 'FAIL'}", flush=True)


def analysis(table, runs, events_count, many):
    """Explode, summarise and choose, against the recipes for these."""
    import aurorax_pandas

    df = aurorax_pandas.as_conjunctions(body(events_count))
    events_of = pd.DataFrame({"events": [record["events"] for record in json.loads(body(events_count))["result"]]})

    def explode_plain():
        flat = events_of.explode("events")
        return pd.json_normalize(flat["events"].tolist())

    ratio = paired((explode_plain,), (aurorax_pandas.explode_events, df), runs)
    table.row(f"explode_events() on {events_count:,} events against explode + json_normalize", ratio, 20)
    events = pd.concat([aurorax_pandas.explode_events(df)] * (many // events_count), ignore_index=True)
    keys = ["e1_program", "e1_platform", "e2_program", "e2_platform"]

    def group_plain():
        grouped = events.assign(minutes=(events["end"] - events["start"]) / pd.Timedelta("1min") + 1).groupby(keys)
        found = grouped.agg(
            count=("min_distance", "size"), minutes=("minutes", "sum"), least=("min_distance", "min"),
            median=("min_distance", "median"), first=("start", "min"), last=("end", "max"),
        )  # fmt: skip
        return found.assign(epoch=events["closest_epoch"].loc[grouped["min_distance"].idxmin()].to_numpy())

    def closest_plain():
        return events.sort_values("min_distance").drop_duplicates(keys)

    ratio = paired((group_plain,), (aurorax_pandas.pair_summary, events), runs)
    table.row(f"pair_summary() on {len(events):,} events against groupby on four text columns", ratio, 3)
    ratio = paired((closest_plain,), (lambda: aurorax_pandas.closest(events, 1, by="pair"),), runs)
    table.row(f'closest(1, by="pair") on {len(events):,} events against sort + drop_duplicates', ratio, 3)


def checks(table, runs, count):
    """What the schema check costs of the read that it belongs to."""
    import aurorax_pandas
    from aurorax_pandas.frame.validation import validate

    data = body(count)
    df = aurorax_pandas.as_conjunctions(data)
    share = 1 / paired((aurorax_pandas.as_conjunctions, data), (validate, df), runs)
    table.row(f"schema check, share of the read of {count:,} records", 100 * share, 10, at_least=False, unit="%")
    small = df.iloc[:1]
    fixed = statistics.median(seconds(validate, small) for _ in range(20))
    print(f"{'schema check, fixed part':<66} {1000 * fixed:8.2f} ms")


def growth(table, runs, few, many):
    """Time and memory per record of short and long results."""
    data = {count: body(count) for count in (few, many)}
    repeat = max(1, many // few // 3)
    short = statistics.median(sum(seconds(ours, data[few]) for _ in range(repeat)) / repeat for _ in range(runs))
    long = statistics.median(seconds(ours, data[many]) for _ in range(runs))
    table.row(f"time per record, {many:,} against {few:,}", (long / many) / (short / few), 1.3, at_least=False)


def full(runs):
    """Print the whole table, against PyAuroraX."""
    table = Table(1.0)
    made = classes(stand_in=False)
    slim, fat = body(10_000), body(10_000, fat=True)
    print(f"bodies of 10,000 records: slim {len(slim) / 1e6:.1f} MB, fat {len(fat) / 1e6:.1f} MB")
    table.row("body to checked frame and events, slim", paired((theirs, slim, made), (ours, slim), runs), 12)
    table.row("body to checked frame and events, fat", paired((theirs, fat, made), (ours, fat), runs), 12)
    with served(10_000, slim, slim) as (url, _):
        call_ours(url), call_theirs(url)
        table.row("whole call over loopback, same body", paired((call_theirs, url), (call_ours, url), runs), 8)
    with served(10_000, fat, slim) as (url, handler):
        table.row("whole call as both do it by default", paired((call_theirs, url), (call_ours, url), runs), 15)
        call_theirs(url)
        bytes_theirs = handler.sent
        call_ours(url)
        table.row("bytes of the result as both ask by default", handler.sent / bytes_theirs, 1 / 3, at_least=False)
    for count, reach in ((10_000, 8), (300_000, 15)):
        mine = peak("ours", count)
        other = peak("pyaurorax", count)
        print(f"peak above the body, {count:,} slim records: ours {mine:.0f} MB, theirs {other:.0f} MB")
        table.row(f"peak memory above the body, {count:,} records", other / mine, reach)
        if count == 10_000:
            few = mine
    table.row("memory per record, 300,000 against 10,000", (mine / 300_000) / (few / 10_000), 1.15, at_least=False)
    analysis(table, runs, 100_000, 1_000_000)
    checks(table, runs, 10_000)
    growth(table, runs, 10_000, 300_000)
    return table.reached


def gate(runs):
    """Print a fast part of the table, against the hand-written recipe, at a share of each reach."""
    table = Table(GATE)
    made = classes(stand_in=True)
    slim, fat = body(10_000), body(3_000, fat=True)
    ours(slim)
    table.row("body to checked frame and events, slim", paired((theirs, slim, made), (ours, slim), runs), 12)
    table.row("body to checked frame and events, fat", paired((theirs, fat, made), (ours, fat), runs), 12)
    analysis(table, runs, 20_000, 400_000)
    checks(table, runs, 10_000)
    growth(table, runs, 10_000, 60_000)
    return table.reached


def main():
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", action="store_true", help="the fast part, which fails where a ratio is too low")
    parser.add_argument("--runs", type=int, default=5, help="paired runs of each row (default: %(default)s)")
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    os.environ.setdefault("MPLBACKEND", "Agg")
    warnings.simplefilter("ignore")
    if arguments.peak:
        measure_peak(*arguments.peak)
        return
    if arguments.gate:
        # a machine that is busy for a moment slows one side; a slow-down of ours shows each time
        sys.exit(not any(gate(arguments.runs) for _ in range(3)))
    sys.exit(not full(arguments.runs))


if __name__ == "__main__":
    main()
