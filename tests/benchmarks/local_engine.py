"""
How the local engine compares with the bare arithmetic: one year, 3 spacecraft, 25 stations, one minute.

Run ``python tests/benchmarks/local_engine.py``. Ratios are medians of paired runs in one process.
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
    swarm = aurorax_pandas.ephemeris_from_dataframe(pd.concat(frames, ignore_index=True))
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


if __name__ == "__main__":
    main()
