"""
Draw a contact sheet of each picture: with few and many events, in a column and on a page, in four styles.

::

    python docs/tools/contact_sheets.py FOLDER [PICTURE ...]
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import made_up
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import image

import aurorax_pandas

COUNTS = (0, 1, 49, 1000, 20_000)
SIZES = ((3.3, 2.8), (7.0, 4.6))
STYLES = ("default", "dark_background", "seaborn-v0_8-poster", "grayscale")
DPI = 100
GAP = 8


def pictures() -> dict[str, Callable[[int, Any], Any]]:
    """Return what draws each picture, of a number of events into a new figure of a size."""
    ephemeris = aurorax_pandas.load_sample_ephemeris()

    def events(count: int, days: int) -> Any:
        return made_up.events(count, days if count > 49 else 0)

    def near(count: int) -> Any:
        return made_up.events(count).aurorax.closest_approach(ephemeris)

    return {
        "timeline": lambda n, size: events(n, 30).aurorax.plot.timeline(markers=True, figsize=size, title="Timeline"),
        "timeline_near": lambda n, size: near(n).aurorax.plot.timeline(by="station", figsize=size),
        "timeline_long": lambda n, size: events(n, 4000).aurorax.plot.timeline(by="site", figsize=size),
        "timeline_names": lambda n, size: events(n, 30).aurorax.plot.timeline(by="station", color="pair", figsize=size),
        "timeline_by_day": lambda n, size: events(n, 3).aurorax.plot.timeline(
            by="spacecraft", by_day=True, figsize=size
        ),
        "distance": lambda n, size: events(n, 30).aurorax.plot.distance(
            figsize=size, emission_altitude=110, title="Km"
        ),
        "distance_pairs": lambda n, size: near(n).aurorax.plot.distance("pair", figsize=size),
        "calendar": lambda n, size: (e := events(n, 60)).aurorax.plot.calendar(
            "station", availability=made_up.availability(e), figsize=size
        ),
        "calendar_long": lambda n, size: events(n, 4000).aurorax.plot.calendar(values="distance", figsize=size),
        "histogram": lambda n, size: events(n, 30).aurorax.plot.histogram(
            by="spacecraft", figsize=size, title="Counts"
        ),
        "histogram_pairs": lambda n, size: events(n, 30).aurorax.plot.histogram(by="pair", figsize=size),
        "map": lambda n, size: made_up.events(n).aurorax.plot.map(ephemeris, figsize=size, title="Map"),
        "map_counts": lambda n, size: events(n, 30).aurorax.plot.map(figsize=size),
        "approach": lambda n, size: made_up.events(n).aurorax.plot.approach(ephemeris, figsize=size),
        "dial": lambda n, size: events(n, 30).aurorax.plot.dial(figsize=size, title="Dial"),
        "dial_distance": lambda n, size: events(n, 30).aurorax.plot.dial("min_distance", figsize=size),
        "rate": lambda n, size: (e := events(n, 60)).aurorax.plot.rate(
            made_up.availability(e), by="spacecraft", figsize=size
        ),
    }


def drawn(draw: Callable[[int, Any], Any], count: int, size: tuple[float, float], style: str) -> np.ndarray:
    """Return the pixels of one picture."""
    with plt.style.context(style):
        axes = draw(count, size)
        kept = io.BytesIO()
        axes.figure.savefig(kept, dpi=DPI)
        plt.close("all")
    kept.seek(0)
    return image.imread(kept)[..., :3]


def sheet(draw: Callable[[int, Any], Any]) -> np.ndarray:
    """Return all pictures of one kind side by side, a row for each number of events."""
    rows = []
    for count in COUNTS:
        cells = []
        for size in SIZES:
            for style in STYLES:
                pixels = drawn(draw, count, size, style)
                cell = np.full((int(SIZES[-1][1] * DPI) + GAP, pixels.shape[1] + GAP, 3), (1.0, 0.75, 0.8))
                cell[: pixels.shape[0], : pixels.shape[1]] = pixels
                cells.append(cell)
        rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows)


def main(folder: str, *names: str) -> None:
    """Write the sheets of some pictures, or of all, into a folder."""
    # a warning while a picture is drawn is a fault of the picture
    warnings.simplefilter("error")
    known = pictures()
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names or known:
        image.imsave(Path(folder) / f"{name}.png", sheet(known[name]))
        print(name, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
