"""Make the bundled ephemeris of Swarm anew, from its element sets: python tests/tools/make_sample_ephemeris.py."""

from pathlib import Path

import pandas as pd

import aurorax_pandas

ROOT = Path(__file__).parents[2]
ELEMENTS = ROOT / "tests/data/swarm_20200101.tle"
BUNDLED = ROOT / "aurorax_pandas/data/ephemeris_swarm_20200101.parquet"
LOCATIONS = ["geo_lat", "geo_lon", "radial_distance", "nbtrace_lat", "nbtrace_lon", "sbtrace_lat", "sbtrace_lon"]
# a metre of a footprint, ten of a distance
DECIMALS = dict.fromkeys(LOCATIONS, 5) | {"radial_distance": 2}


def sample(start: str, end: str) -> pd.DataFrame:
    """Return one row per satellite and minute, as they are bundled."""
    ephemeris = aurorax_pandas.footprints_from_elements(ELEMENTS.read_text(), start, end)
    table = ephemeris[LOCATIONS].to_dataframe().reset_index()
    return table[["epoch", "identifier", *LOCATIONS]].round(DECIMALS)


if __name__ == "__main__":
    sample("2020-01-01", "2020-01-01").to_parquet(BUNDLED, compression="zstd", index=False)
