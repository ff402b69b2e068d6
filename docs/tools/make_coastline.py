"""
Make the coastline that maps draw, ``aurorax_pandas/data/coastline.npz``, of Natural Earth's land polygons.

Natural Earth (naturalearthdata.com, 1:50 m, physical, land) is in the public domain. The package ``world-atlas`` of npm holds
it as TopoJSON::

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python docs/tools/make_coastline.py package/land-50m.json aurorax_pandas/data/coastline.npz
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

#: How far a simplified line may be from the coast, and the size of the least island [degrees].
TOLERANCE = 0.25
#: Units of the file's whole numbers a degree.
SCALE = 100
SOURCE = "Natural Earth 1:50 m land (public domain), by way of npm's world-atlas 2.0.2, simplified to 0.25 degrees"


def read_arcs(topology: dict[str, Any]) -> list[np.ndarray]:
    """Return the arcs of a topology as longitudes and latitudes [degrees], shape (points, 2)."""
    transform = topology["transform"]
    return [np.cumsum(arc, axis=0) * transform["scale"] + transform["translate"] for arc in topology["arcs"]]


def rings(topology: dict[str, Any], arcs: list[np.ndarray]) -> list[np.ndarray]:
    """Return the rings of all land; a negative number means an arc in reverse."""
    found = []
    for shape in topology["objects"]["land"]["geometries"]:
        for polygon in shape["arcs"]:
            for ring in polygon:
                parts = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in ring]
                found.append(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
    return found


def without_seams(ring: np.ndarray) -> list[np.ndarray]:
    """Cut out what is no coast: the seam at ±180 degrees, and the line that closes Antarctica at the pole."""
    on_seam = np.abs(ring[:, 0]) >= 179.99
    at_pole = ring[:, 1] <= -89.9
    around = np.abs(np.diff(ring[:, 0])) > 180
    seam = (on_seam[:-1] & on_seam[1:]) | at_pole[:-1] | at_pole[1:] | around
    kept = np.flatnonzero(~seam)
    runs = np.split(kept, np.flatnonzero(np.diff(kept) > 1) + 1)
    lines = [ring[run[0] : run[-1] + 2] for run in runs if len(run)]
    # a ring that a seam has cut begins where it was written, which may be in the middle of a coast
    if len(lines) > 1 and np.array_equal(lines[0][0], lines[-1][-1]):
        lines[0] = np.concatenate([lines.pop(), lines[0][1:]])
    return lines


def simplified(line: np.ndarray) -> np.ndarray:
    """Leave out points that are within the tolerance; D. H. Douglas and T. K. Peucker, Cartographica 10, 112 (1973)."""
    flat = line * [np.cos(np.radians(np.clip(line[:, 1].mean(), -80, 80))), 1.0]
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    stack = [(0, len(line) - 1)]
    while stack:
        first, last = stack.pop()
        if last - first < 2:
            continue
        along = flat[last] - flat[first]
        offset = flat[first + 1 : last] - flat[first]
        length = np.hypot(*along)
        # a closed line has no chord, so that its farthest point counts
        apart = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]) / length if length else np.hypot(*offset.T)
        farthest = int(apart.argmax())
        if apart[farthest] > TOLERANCE:
            keep[first + 1 + farthest] = True
            stack += [(first, first + 1 + farthest), (first + 1 + farthest, last)]
    return line[keep]


def main(source: str, target: str) -> None:
    """Read the land of one file and write the coastline into another."""
    topology = json.loads(Path(source).read_text(encoding="utf-8"))
    lines = [line for ring in rings(topology, read_arcs(topology)) for line in without_seams(ring)]
    lines = [simplified(line) for line in lines if np.ptp(line, axis=0).max() > TOLERANCE]
    # what lay between two points on the seam may be gone
    lines = [part for line in lines for part in without_seams(line)]
    lines = [line for line in lines if len(line) > 2 or np.ptp(line, axis=0).max() > 2 * TOLERANCE]
    points = np.round(np.concatenate(lines) * SCALE).astype(np.int16)
    lengths = np.array([len(line) for line in lines], np.int16)
    np.savez_compressed(target, points=points, lengths=lengths, source=np.array(SOURCE))
    print(
        f"{len(lines)} lines, {len(points)} points, {points.nbytes} bytes as int16, {Path(target).stat().st_size} bytes written"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
