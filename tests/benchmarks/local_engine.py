"""
How the local engine compares with the bare arithmetic: one year, 3 spacecraft, 25 stations, one minute.

Run ``python tests/benchmarks/local_engine.py``. Ratios are medians of paired runs in one process. Where asilib is
installed, its search stands beside ours for what both do: one imager and one spacecraft.
"""

import argparse
import statistics
import time
import tracemalloc

import numpy as np
import pandas as pd

import aurorax_pandas

LIMIT = 500.0
RADIUS = 6371.0
AURORA = 110.0


def polar_orbits(days: int):
    """Three circular orbits that precess, as an ephemeris."""
    epochs = pd.date_range("2020-01-01", periods=days * 1440, freq="1min")
    minute = np.arange(len(epochs))
    frames = []
    for identifier, period, node in ((3, 93.6, 0.0), (29, 95.2, 77.0), (30, 93.6, 1.4)):
        along = 2 * np.pi * minute / period
        lat = np.degrees(np.arcsin(np.sin(np.radians(87.4)) * np.sin(along)))
        lon = node + np.degrees(np.arctan2(np.cos(np.radians(87.4)) * np.sin(along), np.cos(along))) - minute / 4
        lon = (lon + 180) % 360 - 180
        frames.append(
            pd.DataFrame({"epoch": epochs, "identifier": identifier, "nbtrace_lat": np.abs(lat), "nbtrace_lon": lon})
        )
    swarm = aurorax_pandas.as_ephemeris(pd.concat(frames, ignore_index=True))
    cameras = aurorax_pandas.stations(epochs, programs=["themis-asi", "rego"]).isel(source=slice(0, 25))
    cameras = cameras[["nbtrace_lat", "nbtrace_lon"]]
    import xarray as xr

    return xr.concat([swarm, cameras], dim="source", data_vars="all", coords="different", compat="equals", join="outer")


def bare(dataset) -> int:
    """Unit vectors, one matrix product, one comparison, `flatnonzero`: what cannot be spared."""
    lat, lon = np.radians(dataset["nbtrace_lat"].values), np.radians(dataset["nbtrace_lon"].values)

    def vectors(phi, theta):
        return np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])

    moving = vectors(lat[:3].ravel(), lon[:3].ravel())
    fixed = vectors(lat[3:, 0], lon[3:, 0])
    return len(np.flatnonzero(fixed.T @ moving >= np.cos(LIMIT / RADIUS)))


def ours(dataset) -> pd.DataFrame:
    """The whole call: from Dataset to checked frame."""
    return aurorax_pandas.find_conjunctions(
        dataset, distance=LIMIT, ground={"programs": ["themis-asi", "rego"]}, space={"programs": "swarm"}
    )


def seconds(work, *arguments) -> float:
    """Time one run."""
    begin = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begin


def imager(asilib, lat: float, lon: float):
    """An asilib imager of 256 x 256 pixels from arrays alone, whose skymap reaches past the limit."""
    lons, lats = np.meshgrid(lon + np.linspace(10, -10, 256), lat + np.linspace(-5, 5, 256))
    here, there = np.radians(lat), np.radians(lats)
    cosine = np.sin(here) * np.sin(there) + np.cos(here) * np.cos(there) * np.cos(np.radians(lons - lon))
    skymap = {"lat": lats, "lon": lons, "el": elevation(np.arccos(np.minimum(cosine, 1))), "alt": AURORA}
    return asilib.Imager({}, {"lat": lat, "lon": lon, "alt": 0.0, "resolution": lats.shape}, skymap)


def elevation(arc):
    """Elevation [degrees] of aurora seen from the ground, for the arc [radians] between the two."""
    return np.degrees(np.arctan2(np.cos(arc) - RADIUS / (RADIUS + AURORA), np.sin(arc)))


def beside_asilib(dataset, runs: int) -> None:
    """Measure Swarm A over Gillam in asilib and here, each from its own kind of input, and print."""
    try:
        import asilib
    except ImportError:
        print("asilib is not installed: its row is left out")
        return
    pair = dataset.isel(source=[0, 5])
    lat, lon = pair["nbtrace_lat"].values, pair["nbtrace_lon"].values
    track = pd.DataFrame({"lat": lat[0], "lon": lon[0], "alt": AURORA}, index=pd.DatetimeIndex(pair["epoch"].values))
    camera, least = imager(asilib, lat[1, 0], lon[1, 0]), float(elevation(LIMIT / RADIUS))

    def theirs() -> pd.DataFrame:
        return asilib.Conjunction(camera, track).find(min_elevation=least)

    def mine() -> pd.DataFrame:
        return aurorax_pandas.find_conjunctions(
            pair, distance=LIMIT, ground={"programs": "themis-asi"}, space={"programs": "swarm"}
        )

    # Counts differ: asilib searches the box of latitudes and longitudes around its pixels, not the circle.
    print(f"1 imager x 1 spacecraft, {LIMIT:.0f} km = elevation {least:.2f} degrees at {AURORA:.0f} km:", end=" ")
    print(f"asilib {len(theirs())} intervals in its box, find_conjunctions {len(mine())} conjunctions in the circle")
    pairs = [(seconds(theirs), seconds(mine)) for _ in range(runs)]
    ratio = statistics.median(own / other for other, own in pairs)
    print(f"asilib {asilib.__version__} {statistics.median(other for other, _ in pairs):.4f} s,", end=" ")
    print(f"find_conjunctions {statistics.median(own for _, own in pairs):.4f} s, ratio {ratio:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    dataset = polar_orbits(arguments.days)
    ours(dataset.isel(epoch=slice(0, 1440)))
    pairs = [(seconds(bare, dataset), seconds(ours, dataset)) for _ in range(arguments.runs)]
    ratio = statistics.median(mine / bound for bound, mine in pairs)
    tracemalloc.start()
    found = ours(dataset)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"{arguments.days} days, {bare(dataset)} pair-minutes in range, {len(found)} conjunctions")
    print(f"bare NumPy bound {statistics.median(bound for bound, _ in pairs):.3f} s")
    print(f"find_conjunctions {statistics.median(mine for _, mine in pairs):.3f} s, ratio {ratio:.2f} (reach: 3)")
    print(f"peak memory above the Dataset {peak:.0f} MB (reach: 500)")
    beside_asilib(dataset, arguments.runs)


if __name__ == "__main__":
    main()
