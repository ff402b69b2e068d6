"""
What this library computes, against what others recorded or computed.

Run ``python tests/benchmarks/truth.py``: it writes ``docs/tables/truth.txt``, a part of the page on trust. Needs sgp4 and, for the
Sun and the Moon, astropy, which are in the extra ``test``.
"""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import aurorax_pandas as ap
from aurorax_pandas.geometry import great_circle_distance
from aurorax_pandas.sources import bundled_sources

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "tables" / "truth.txt"
DATA = ROOT / "tests" / "data"
HEAD = ["what", "against", "how many", "median", "worst"]
RECORDED = {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"}}


def row(what: str, against: str, differences: object, unit: str = "\u00a0km") -> list[str]:
    """Give a row of the table, of differences of either sign."""
    sizes = np.abs(np.asarray(differences, np.float64))
    return [what, against, f"{len(sizes)}", f"{np.median(sizes):.3g}{unit}", f"{sizes.max():.3g}{unit}"]


def searches() -> list[list[str]]:
    """Compare the local engine's rows with the recorded ones."""
    ephemeris, recorded = ap.load_sample_ephemeris(), ap.load_sample_conjunctions()
    found = ap.find_conjunctions(ephemeris, "2020-01-01", "2020-01-01T06:59:59", 500, **RECORDED)
    both = [df.aurorax.explode_events()[["pair", "start", "end", "min_distance"]] for df in (recorded, found)]
    same = both[0].merge(both[1], on=["pair", "start", "end"], suffixes=("", "_found"))
    north = recorded.aurorax.overflights(ephemeris).aurorax.explode_events()[["pair", "start"]]
    near = same.merge(north, on=["pair", "start"], how="left", indicator=True)["_merge"] == "both"
    differences = (same["min_distance_found"] - same["min_distance"]).to_numpy()
    said = f"{len(same)} of {len(recorded)}"
    return [
        ["pair, start and end of the local engine's rows", "the service's recorded search", said, "equal", "equal"],
        row("``min_distance`` of the local engine, overflights", "the same rows as recorded", differences[near]),
        row("``min_distance`` of the local engine, conjugate", "the same rows as recorded", differences[~near]),
    ]


def orbits() -> list[list[str]]:
    """Compare distances of computed footprints with recorded ones, and footprints with those of a computation apart."""
    elements = (DATA / "swarm_20200101.tle").read_text()
    swarm = ap.footprints_from_elements(elements, "2020-01-01", "2020-01-01T07:00")
    stations = bundled_sources().set_index("display_name")
    sample = ap.load_sample_conjunctions()
    events = sample.aurorax.explode_events().assign(farthest_epoch=sample["farthest_epoch"].to_numpy())
    errors: dict[bool, list[float]] = {True: [], False: []}
    for event in events.itertuples():
        craft = swarm.isel(source=swarm["display_name"].values.tolist().index(event.e2_display_name))
        place = stations.loc[event.e1_display_name, ["geodetic_lat", "geodetic_lon"]]
        for epoch, recorded in (
            (event.closest_epoch, event.min_distance),
            (event.farthest_epoch, event.max_distance),
        ):
            here = craft.sel(epoch=epoch)
            computed = great_circle_distance(*place, here["nbtrace_lat"].item(), here["nbtrace_lon"].item())
            errors[here["geo_lat"].item() > 0].append(computed - recorded)
    apart = pd.read_csv(DATA / "swarm_a_level_3.csv", parse_dates=["epoch"])
    one = "\n".join(elements.splitlines()[:3])
    mine = ap.footprints_from_elements(one, apart["epoch"].min(), apart["epoch"].max(), "2min", kp=2)
    own: dict[bool, list[np.ndarray]] = {True: [], False: []}
    for prefix, northern in (("nbtrace", True), ("sbtrace", False)):
        lat, lon = (mine[f"{prefix}_{part}"].values[0] for part in ("lat", "lon"))
        distance = great_circle_distance(lat, lon, apart[f"{prefix}_lat"], apart[f"{prefix}_lon"])
        there = (apart["geo_lat"] > 0) == northern
        own[True].append(distance[there & distance.notna()])
        own[False].append(distance[~there & distance.notna()])
    return [
        row("distance from elements, own hemisphere", "recorded distances", errors[True]),
        row("distance from elements, other end", "recorded distances", errors[False]),
        row("footprint, own hemisphere, ``kp=2``", "a computation apart", np.concatenate(own[True])),
        row("footprint, other end, ``kp=2``", "a computation apart", np.concatenate(own[False])),
    ]


def minutes() -> list[list[str]]:
    """Compare the minute's minimum with the approach between the minutes."""
    near = ap.load_sample_conjunctions().aurorax.closest_approach(ap.load_sample_ephemeris()).aurorax.overflights()
    return [
        row("``min_distance``, overflights", "``approach_distance``", near["min_distance"] - near["approach_distance"])
    ]


def sky() -> list[list[str]]:
    """Compare the elevations of the Sun and the Moon with astropy's."""
    from astropy import coordinates, time, units
    from astropy.utils import iers

    events = ap.load_sample_conjunctions().aurorax.sky()
    stations = bundled_sources().set_index("display_name").loc[events["e1_display_name"]]
    made = []
    with iers.conf.set_temp("auto_download", False), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        when = time.Time(np.datetime_as_string(events["closest_epoch"].fillna(events["start"]).to_numpy()), scale="utc")
        where = coordinates.EarthLocation.from_geodetic(
            stations["geodetic_lon"].to_numpy() * units.deg, stations["geodetic_lat"].to_numpy() * units.deg
        )
        frame = coordinates.AltAz(obstime=when, location=where)
        for body in ("sun", "moon"):
            theirs = coordinates.get_body(body, when, where).transform_to(frame).alt.deg
            made.append(row(f"``{body}_elevation``", "astropy", events[f"{body}_elevation"] - theirs, "°"))
    return made


def table(found: list[list[str]]) -> str:
    """Write the rows as a table of reStructuredText."""
    text = ".. made by tests/benchmarks/truth.py\n\n.. list-table::\n   :header-rows: 1\n\n"
    for cells in [HEAD, *found]:
        text += "".join(f"   {'*' if not number else ' '} - {cell}\n" for number, cell in enumerate(cells))
    return text


if __name__ == "__main__":
    text = table([*searches(), *orbits(), *minutes(), *sky()])
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text, encoding="utf-8")
    print(text)
