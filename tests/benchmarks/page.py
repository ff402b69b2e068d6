"""
Measure the engine, reading, verbs, pictures, files and footprints at three sizes, and make the page of it.

Run ``python tests/benchmarks/page.py``: it writes ``docs/measured.rst`` and ``docs/images/growth.png``. What is compared is
measured in turns in one process, by CPU time; the least of the turns counts. BLAS works on one core, since the time that
its threads wait for each other would count against the product.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import matplotlib
import numpy as np
import pandas as pd
import reading

import aurorax_pandas as ap
from aurorax_pandas.ephemeris.dataset import make_ephemeris

RADIUS = 6371.0
LIMIT = 500.0
DOCS = Path(__file__).parents[2] / "docs"
ELEMENTS = Path(__file__).parents[1] / "data" / "swarm_20200101.tle"
#: What was tried for speed and lost, a line each.
LOST = [
    "Leaving out blocks of epochs by a bound on speed, and k-d trees: three to five times the time of the plain product.",
    "Tracing every second minute and splines between: 100 km wrong at the far ends of long field lines.",
    "Tracing compiled by numba: 3.9 times faster, but 208 MB of packages, and a minute of compiling before the first line.",
    "Names as categories in the frame of events: less memory, but comparing, joining and new values break.",
    "Dictionaries inside the nested columns of a file: plain pandas cannot read it.",
    "Checking a written file by its Arrow tables alone: a tenth faster, but no proof that the reader gives the frame back.",
]
#: Days, spacecraft and stations of the three sizes.
SIZES = [(3, 10, 60), (30, 10, 60), (150, 10, 60)]
LARGE = (365, 20, 100)
SEARCH = {"distance": LIMIT, "ground": {"programs": "camera"}, "space": {"programs": "craft"}}


def made_up(days: int, craft: int, stations: int, seed: int = 1):
    """Footprints of near-polar orbits in the north, with gaps, and stations that stand still."""
    random = np.random.default_rng(seed)
    minutes = np.arange(days * 1440.0)
    lat, lon = np.empty((2, craft + stations, len(minutes)))
    for row in range(craft):
        along = 2 * np.pi * minutes / random.uniform(92, 100) + random.uniform(0, 6.28)
        tilt = np.radians(random.uniform(80, 98))
        lat[row] = np.abs(np.degrees(np.arcsin(np.sin(tilt) * np.sin(along))))
        east = (
            random.uniform(0, 360) + np.degrees(np.arctan2(np.cos(tilt) * np.sin(along), np.cos(along))) - minutes / 4
        )
        lon[row] = (east + 180) % 360 - 180
        for begin in random.integers(0, len(minutes), days // 10 + 1):
            lat[row, begin : begin + 90] = lon[row, begin : begin + 90] = np.nan
    lat[craft:], lon[craft:] = random.uniform(48, 75, (stations, 1)), random.uniform(-160, -50, (stations, 1))
    names = [f"Craft {number}" for number in range(craft)] + [f"Camera {number}" for number in range(stations)]
    table = pd.DataFrame({
        "identifier": np.arange(1, craft + stations + 1),
        "program": ["craft"] * craft + ["camera"] * stations,
        "platform": [name.lower() for name in names],
        "instrument_type": "any",
        "source_type": ["leo"] * craft + ["ground"] * stations,
        "display_name": names,
    })  # fmt: skip
    epochs = np.datetime64("2020-01-01", "us") + np.arange(len(minutes)) * np.timedelta64(60_000_000, "us")
    return make_ephemeris(table, epochs, {"nbtrace_lat": lat, "nbtrace_lon": lon})


def by_hand(lat, lon, craft: int, block: int = 8192):
    """What a NumPy user writes: all pairs by a matrix product, a threshold, distances, runs of minutes."""
    cosine, found = np.cos(LIMIT / RADIUS) - 1e-12, []

    def vectors(phi, theta):
        return np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])

    fixed = vectors(np.radians(lat[craft:, 0]), np.radians(lon[craft:, 0])).T
    for begin in range(0, lat.shape[1], block):
        moving = vectors(np.radians(lat[:craft, begin : begin + block]), np.radians(lon[:craft, begin : begin + block]))
        hit = np.flatnonzero(fixed @ moving.reshape(3, -1) >= cosine)
        station, place = np.divmod(hit, moving[0].size)
        one, epoch = np.divmod(place, moving.shape[2])
        found.append((one, station + craft, epoch + begin))
    one, other, epoch = (np.concatenate(each) for each in zip(*found, strict=True))
    phi, theta = np.radians(lat), np.radians(lon)
    rise, turn = phi[other, epoch] - phi[one, epoch], theta[other, epoch] - theta[one, epoch]
    across = np.cos(phi[one, epoch]) * np.cos(phi[other, epoch])
    distance = 2 * RADIUS * np.arcsin(np.sqrt(np.minimum(np.sin(rise / 2) ** 2 + across * np.sin(turn / 2) ** 2, 1)))
    keep = distance <= LIMIT
    key, epoch, distance = one[keep] * len(lat) + other[keep], epoch[keep], distance[keep]
    order = np.lexsort((epoch, key))
    key, epoch, distance = key[order], epoch[order], distance[order]
    first = np.flatnonzero(np.r_[True, (key[1:] != key[:-1]) | (epoch[1:] != epoch[:-1] + 1)])
    return key[first], epoch[first], np.minimum.reduceat(distance, first), np.maximum.reduceat(distance, first)


def seconds(work) -> float:
    """Measure one run in CPU time."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def beside(ours, theirs, turns: int) -> tuple[float, float]:
    """Measure two works in turns, and give the least of each."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(turns)]
    return min(mine for mine, _ in pairs), min(other for _, other in pairs)


def memory(name: str) -> float:
    """Read how much memory this process holds, or held at most [MB]; Linux tells."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return float(line.split()[1]) / 1e3


def peak_above(size: tuple[int, int, int]) -> tuple[float, float]:
    """Measure the peak memory of a search above the ephemeris, and the ephemeris [MB], in a process of its own."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import page; data = page.made_up{size};"
        "page.ap.find_conjunctions(page.made_up(1, 2, 3), **page.SEARCH); open('/proc/self/clear_refs', 'w').write('5');"
        "before = page.memory('VmRSS'); found = page.ap.find_conjunctions(data, **page.SEARCH);"
        "print(page.memory('VmHWM') - before, data.nbytes / 1e6)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    above, held = map(float, run.stdout.split())
    return above, held


def works(df: pd.DataFrame, data, folder: Path) -> dict:
    """Give what is measured on a frame, by group and name."""
    other = df.iloc[::2].copy()
    other["min_distance"] -= np.arange(len(other)) % 50 == 0
    both = pd.concat([df, df.iloc[::7]])
    lat, lon = (data[f"nbtrace_{part}"].isel(epoch=0) for part in ("lat", "lon"))
    still = np.flatnonzero(data["source_type"].values == "ground")
    places = {str(data["display_name"].values[row]): (float(lat[row]), float(lon[row])) for row in still}
    own = data.assign(geo_lat=data["nbtrace_lat"], geo_lon=data["nbtrace_lon"])
    half = len(df) // 2
    level = pd.Series(np.arange(1200.0), pd.date_range("2020-01-01", periods=1200, freq="3h"), name="kp")
    verbs = {
        "explode_events": lambda: ap.explode_events(df),
        "pair_summary": lambda: ap.pair_summary(df),
        "minutes": lambda: ap.minutes(df),
        "daily_counts": lambda: ap.daily_counts(df, by="pair"),
        "closest": lambda: ap.closest(df, 3, by="pair"),
        "within": lambda: ap.within(df, 200),
        "filter_closest_epoch": lambda: ap.filter_closest_epoch(df, near=df["start"].iloc[::100]),
        "select_sources": lambda: ap.select_sources(df, platform=["camera 1", "camera 2"]),
        "deduplicate": lambda: ap.deduplicate(both),
        "deduplicate by site": lambda: ap.deduplicate(df, by="site"),
        "stitch": lambda: ap.stitch(both),
        "concat": lambda: ap.concat([df.iloc[:half], df.iloc[half:]]),
        "overlaps": lambda: ap.overlaps(df, df),
        "compare": lambda: ap.compare(df, other, on="source"),
        "passes": lambda: ap.passes(df),
        "revisits": lambda: ap.revisits(df),
        "closest_approach": lambda: ap.closest_approach(df, data),
        "image_windows": lambda: ap.image_windows(df, data),
        "overflights": lambda: ap.overflights(df, own),
        "refine": lambda: ap.refine(df, data),
        "spacecraft_windows": lambda: ap.spacecraft_windows(df),
        "sky": lambda: ap.sky(df, stations=places),
        "magnetic": lambda: ap.magnetic(df, stations=places),
        "observable": lambda: ap.observable(df, stations=places),
        "report": lambda: ap.report(df, data, stations=places),
        "at_window_edge": lambda: ap.at_window_edge(df),
        "join_series": lambda: ap.join_series(df, level),
    }
    pictures = {
        "timeline": lambda: df.aurorax.plot.timeline(),
        "plot_distance": lambda: df.aurorax.plot.distance(),
        "plot_histogram": lambda: df.aurorax.plot.histogram(),
        "plot_calendar": lambda: df.aurorax.plot.calendar(),
        "plot_approach": lambda: df.aurorax.plot.approach(data),
        "plot_map": lambda: df.aurorax.plot.map(data),
    }
    files = {
        f"to_{kind}": lambda kind=kind: getattr(ap, f"to_{kind}")(df, folder / f"df.{kind}", overwrite=True)
        for kind in ("parquet", "csv", "json", "netcdf")
    }
    files |= {
        f"load {kind}": lambda kind=kind: ap.load_conjunctions(folder / f"df.{kind}")
        for kind in ("parquet", "csv", "json")
    }
    return {"verbs": verbs, "pictures": pictures, "files": files}


def read_beside_pyaurorax(turns: int) -> list[list[str]]:
    """Measure reading at three sizes, from the body to the events, against PyAuroraX and today's recipe."""
    made, rows = reading.classes(stand_in=False), []
    for count in (1_000, 10_000, 50_000):
        data = reading.body(count)
        reading.ours(data)
        ours, theirs = beside(lambda data=data: reading.ours(data), lambda data=data: reading.theirs(data, made), turns)
        rows.append([f"{count}", f"{theirs / ours:.0f}", f"{ours / count * 1e6:.2f}"])
    return rows


def footprints() -> list[list[str]]:
    """Measure footprints from orbital elements at three numbers of epochs."""
    rows, start = [], pd.Timestamp("2020-01-01")
    ap.footprints_from_elements(ELEMENTS, start, start)
    for hours in (1, 6, 24):
        end = start + pd.Timedelta(hours=hours)
        begin = time.process_time()
        made = ap.footprints_from_elements(ELEMENTS, start, end)
        spent, lines = time.process_time() - begin, 2 * made.sizes["source"] * made.sizes["epoch"]
        rows.append([f"{lines}", f"{spent / lines * 1e6:.0f}"])
    return rows


def by_rows(measured: list[list[str]]) -> tuple[list[int], list[float]]:
    """Give the numbers of rows, and the times a row, of a table's first and last columns."""
    return [int(row[0]) for row in measured], [float(row[-1]) for row in measured]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Write a simple table."""
    widths = [max(len(row[at]) for row in [head, *rows]) for at in range(len(head))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def draw(panels: dict[str, dict[str, tuple[list[int], list[float]]]], path: Path) -> None:
    """Draw the time a row against the rows, a panel for each group, each line by its name beside it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4 * len(panels)), layout="constrained")
    for axes, (title, lines) in zip(figure.subplots(len(panels)), panels.items(), strict=True):
        for number, (name, (rows, times)) in enumerate(lines.items()):
            style = ("-", "--", ":")[number // 10 % 3]
            axes.plot(rows, times, style, color=f"C{number % 10}", marker="o", markersize=3, label=name)
        axes.set(xscale="log", yscale="log", title=title, xlabel="rows", ylabel="CPU time a row [µs]")
        axes.legend(fontsize=7, ncols=2, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    figure.savefig(path, dpi=100)


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument(
        "--without-year", action="store_true", help="leave out the year of 20 spacecraft and 100 stations"
    )
    arguments = parser.parse_args()
    matplotlib.use("Agg")
    engine, held_most = [], []
    grown_else: dict[str, tuple[list[int], list[float]]] = {
        name: ([], [])
        for name in ("find_conjunctions", "as_conjunctions and explode_events", "footprints_from_elements")
    }
    for size in [*SIZES[:2], *([] if arguments.without_year else [LARGE])]:
        data = made_up(*size)
        lat, lon = data["nbtrace_lat"].values, data["nbtrace_lon"].values
        turns = arguments.turns if size != LARGE else min(arguments.turns, 3)
        found = len(ap.find_conjunctions(data, **SEARCH))
        ours, theirs = beside(
            lambda data=data: ap.find_conjunctions(data, **SEARCH),
            lambda lat=lat, lon=lon, size=size: by_hand(lat, lon, size[1]),
            turns,
        )
        name = "{} days, {} spacecraft, {} stations".format(*size)
        grown_else["find_conjunctions"][0].append(found)
        grown_else["find_conjunctions"][1].append(ours / found * 1e6)
        engine.append([name, f"{found}", f"{ours / theirs:.2f}", f"{ours:.2f} s"])
        del data, lat, lon
        above, held = peak_above(size)
        held_most.append([name, f"{above / held:.2f}", f"{above:.0f} MB"])
        print(engine[-1], held_most[-1], flush=True)
    data = made_up(*SIZES[-1])
    whole = ap.find_conjunctions(data, **SEARCH)
    rows = [3_000, 30_000, 300_000]
    grown: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in rows:
            df = whole.head(count)
            last = int(np.searchsorted(data["epoch"].values, df["end"].max().to_datetime64())) + 3
            for group, named in works(df, data.isel(epoch=slice(0, last)), Path(folder)).items():
                for name, work in named.items():
                    work() if count == rows[0] else None
                    least = min(seconds(work) for _ in range(3))
                    grown.setdefault(group, {}).setdefault(name, []).append(least / count * 1e6)
                    matplotlib.pyplot.close("all") if "matplotlib.pyplot" in sys.modules else None
            print(count, "rows", flush=True)
    text = [
        f"Measured with Python {platform.python_version()}, NumPy {np.__version__}, pandas {pd.__version__} on a machine with two",
        "cores of which others used some, BLAS on one; times are CPU times there, and mean little elsewhere. Ratios do.",
        "",
        "The engine, with its checks and its frame, against a matrix product over all pairs, its threshold, distances and runs:",
        "",
        table(["search", "conjunctions", "of the time by hand", "time there"], engine),
        "",
        "Peak memory of a search above the ephemeris, as a part of the ephemeris's own:",
        "",
        table(["search", "of the ephemeris", "there"], held_most),
    ]
    for group, named in grown.items():
        heads = [group, *(f"{count} rows" for count in rows)]
        text += [
            "",
            f"{group.capitalize()}, CPU time a row there [µs]:",
            "",
            table(heads, [[name, *(f"{each:.2f}" for each in times)] for name, times in named.items()]),
        ]
    read, traced = read_beside_pyaurorax(min(arguments.turns, 3)), footprints()
    grown_else["as_conjunctions and explode_events"] = by_rows(read)
    grown_else["footprints_from_elements"] = by_rows(traced)
    text += [
        "",
        "Reading, from the body of a result to a checked frame and its events, against PyAuroraX and today's recipe:",
        "",
        table(["records", "times faster", "CPU time a record there [µs]"], read),
        "",
        "Footprints from orbital elements, Tsyganenko 89:",
        "",
        table(["field lines", "CPU time a line there [µs]"], traced),
        "",
        "What was tried and lost",
        "-----------------------",
        "",
        *(f"- {line}" for line in LOST),
    ]
    text += ["", ".. image:: images/growth.png", "   :alt: CPU time a row of each verb at three numbers of rows"]
    (DOCS / "measured.rst").write_text("Measured\n========\n\n" + "\n".join(text) + "\n")
    panels = {group: {name: (rows, times) for name, times in named.items()} for group, named in grown.items()}
    draw(panels | {"engine, reading, footprints": grown_else}, DOCS / "images" / "growth.png")
    print("\n".join(text))


if __name__ == "__main__":
    main()
