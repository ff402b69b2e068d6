"""Made-up conjunctions of any number, for pictures and measurements: the recorded search at other times."""

from __future__ import annotations

import numpy as np
import pandas as pd

import aurorax_pandas


def events(count: int, days: int = 0, seed: int = 1) -> pd.DataFrame:
    """
    Return events of the recorded search, drawn at random and moved in time.

    Parameters
    ----------
    count : int
        How many.
    days : int, default 0
        Over how many days they are spread; 0 leaves them on their own day, for which there is an ephemeris.
    seed : int, default 1
        Start of the random numbers.
    """
    random = np.random.default_rng(seed)
    recorded = aurorax_pandas.load_sample_conjunctions().aurorax.explode_events()
    made = recorded.iloc[random.integers(0, len(recorded), count)].reset_index(drop=True)
    shift = pd.to_timedelta(random.integers(0, max(days * 1440, 1), count), unit="min").as_unit("us")
    for name in ("start", "end", "closest_epoch"):
        made[name] = made[name] + shift
    if days:
        made["min_distance"] = random.uniform(0, 500, count)
        made["max_distance"] = np.minimum(made["min_distance"] + random.uniform(0, 200, count), 500.0)
    made["conjunction"] = made["conjunction_label"] = np.arange(count)
    made["mlat"] = random.normal(67, 4, count)
    made["mlt"] = random.normal(23, 3, count) % 24
    return made.sort_values("start", ignore_index=True)


def availability(events: pd.DataFrame, seed: int = 2) -> pd.DataFrame:
    """Return when the stations of events operated, with idle days."""
    random = np.random.default_rng(seed)
    days = pd.date_range(
        "2020-01-01", max(events["end"].max(), pd.Timestamp("2020-01-01")) if len(events) else "2020-01-01"
    )
    stations = aurorax_pandas.load_sample_conjunctions().aurorax.explode_events()["e1_identifier"].unique()
    grid = pd.MultiIndex.from_product([stations, days], names=["identifier", "day"]).to_frame(index=False)
    records = random.integers(60, 720, len(grid)) * (random.random(len(grid)) < 0.7)
    return grid.assign(source_type="ground", records=records)
