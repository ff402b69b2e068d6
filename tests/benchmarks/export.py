"""Files of 100 000 conjunctions: against pandas' own Parquet of lists of dicts, and what the check costs."""

import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import aurorax_pandas as ap
from aurorax_pandas.frame import model
from aurorax_pandas.io import files, layout, parquet_file

RUNS = 5
ROWS = 100_000
EVENTS = 350_000


def conjunctions(rows: int = ROWS, events: int = EVENTS, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    sources = {
        name: model.pa.array(
            [f"{name} {number}" if kind == model.pa.string() else number for number in range(60)], kind
        )
        for name, kind in model.SOURCE_FIELDS.items()
    }
    sources["source_type"] = model.pa.array(["ground", "leo", "heo"] * 20)
    counts = np.bincount(np.r_[np.arange(rows), random.integers(0, rows, events - rows)], minlength=rows)
    parent = np.repeat(np.arange(rows), counts)
    minute = np.timedelta64(60_000_000, "us")
    start = np.datetime64("2015-01-01", "us") + np.sort(random.integers(0, 5_000_000, rows)) * minute
    end = start + random.integers(0, 10, rows) * minute
    low = random.uniform(0, 500, rows)
    column = {
        "conjunction_type": np.zeros(rows, np.int8), "start": start, "end": end, "min_distance": low,
        "max_distance": low + 50, "closest_epoch": start, "farthest_epoch": end, "source_count": np.full(rows, 3),
        "event_count": counts, "sources": random.integers(0, 60, 3 * rows), "event_type": np.zeros(events, np.int8),
        "e1": random.integers(0, 30, events), "e2": random.integers(30, 60, events), "event_start": start[parent],
        "event_end": end[parent], "event_min_distance": low[parent] + random.uniform(0, 10, events),
        "event_max_distance": low[parent] + 40,
    }  # fmt: skip
    return model.assemble_conjunctions(column, sources)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    df = conjunctions()
    records = ap.records_from_conjunctions(df)
    dicts = pd.DataFrame(records)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs, text = (Path(folder) / name for name in ("ours.parquet", "theirs.parquet", "records.json"))
        text.write_text(json.dumps({"result": records}))
        del records
        figures: dict[str, list[float]] = {}
        for _ in range(RUNS):
            write = seconds(lambda: ap.to_parquet(df, ours, overwrite=True))
            load = seconds(lambda: ap.load_conjunctions(ours))
            block, parts = layout.describe(df, "to_parquet"), layout.take_apart(df)
            bare = seconds(lambda: parquet_file.write(ours.with_suffix(".bare"), df, block, parts))  # noqa: B023
            check = seconds(lambda: files.assert_conjunctions_equal(df, files.load(ours, "parquet")))
            plain = seconds(lambda: dicts.to_parquet(theirs)) + seconds(lambda: pd.read_parquet(theirs))
            for name, value in {
                "write, checked [s]": write,
                "load [s]": load,
                "write alone [s]": bare,
                "read back and compare [s]": check,
                "dicts by pandas, write + read [s]": plain,
                "times faster": plain / (write + load),
                "times faster, without the check": plain / (write - check + load),
            }.items():
                figures.setdefault(name, []).append(value)
        for name, values in figures.items():
            print(
                f"{name:36} median {statistics.median(values):8.2f}   of {', '.join(f'{value:.2f}' for value in values)}"
            )
        print(f"file / JSON                          {ours.stat().st_size / text.stat().st_size:.3f}")


if __name__ == "__main__":
    main()
