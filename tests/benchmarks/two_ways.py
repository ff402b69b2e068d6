"""
What a frame of 100 000 conjunctions costs on its ways out and in, against `to_parquet` of the same frame, in CPU time.

``python tests/benchmarks/two_ways.py`` prints the table; with ``--before CHECKOUT`` verbs, reading, checks and files are
also measured by the code of another checkout, in turns, each turn in two processes of their own.
"""

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pandas as pd

ROWS, EVENTS = 100_000, 350_000
#: What must hold, as a share of `to_parquet`, or in seconds.
REACH = {"to_arrow": 0.1, "as_conjunctions of Arrow": 0.2, "as_conjunctions of polars": 0.2}
CELLS, CELLS_REACH = "as_conjunctions of object cells", 1.5


def seconds(work) -> float:
    """Return the least CPU time of three calls, the first of which also loads what is imported late."""
    took = []
    for _ in range(3):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return min(took)


def works(ap, df, body, folder):
    """Name what any checkout can do."""
    few = df.iloc[:10_000].reset_index(drop=True)
    events = ap.explode_events(df)
    read = getattr(ap, "as_conjunctions", None) or ap.conjunctions_from_records
    return {
        "to_parquet": lambda: ap.to_parquet(df, folder / "a.parquet", overwrite=True),
        "load_conjunctions": lambda: ap.load_conjunctions(folder / "a.parquet"),
        "to_csv, 10 000 rows": lambda: ap.to_csv(few, folder / "a.csv", overwrite=True),
        "to_json, 10 000 rows": lambda: ap.to_json(few, folder / "a.json", overwrite=True),
        "to_netcdf, 10 000 rows": lambda: ap.to_netcdf(few, folder / "a.nc", overwrite=True),
        "reading 10 000 records": lambda: read(body),
        "explode_events": lambda: ap.explode_events(df),
        "pair_summary": lambda: ap.pair_summary(events),
        "closest": lambda: ap.closest(df, 3),
        "closest by pair": lambda: ap.closest(events, by="pair"),
        "validate": lambda: ap.validate(df),
        "ConjunctionSchema.validate": lambda: ap.ConjunctionSchema.validate(df),
    }


def ways(ap, df):
    """Name the ways out and in."""
    import polars

    table = ap.to_arrow(df)
    cells, frame = table.to_pandas(), polars.from_arrow(table)
    return {
        "to_arrow": lambda: ap.to_arrow(df),
        "as_conjunctions of Arrow": lambda: ap.as_conjunctions(table),
        "as_conjunctions of polars": lambda: ap.as_conjunctions(frame),
        CELLS: lambda: ap.as_conjunctions(cells),
    }


def measure(folder: Path) -> None:
    """Print the times of the checkout that is imported."""
    import aurorax_pandas as ap

    warnings.simplefilter("ignore")
    df = pickle.loads((folder / "frame.pickle").read_bytes())
    named = works(ap, df, (folder / "records.json").read_bytes(), folder)
    if hasattr(ap, "to_arrow"):
        named |= ways(ap, df)
    print(json.dumps({name: seconds(work) for name, work in named.items()}))


def run(checkout: Path, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--measure", str(folder)],
        env={**os.environ, "PYTHONPATH": str(checkout)}, cwd=checkout, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure)
        return
    from export import conjunctions
    from reading import body

    here = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "frame.pickle").write_bytes(pickle.dumps(conjunctions(ROWS, EVENTS)))
        (folder / "records.json").write_bytes(body(10_000))
        checkouts = [here, *([arguments.before.resolve()] if arguments.before else [])]
        turns = [[run(checkout, folder) for checkout in checkouts] for _ in range(arguments.turns)]
    other = len(checkouts) - 1
    print(pd.DataFrame(_rows(turns, other)).to_string(index=False, na_rep=""))


def _rows(turns, other):
    for name in turns[0][0]:
        row = {"": name, "CPU [s]": round(statistics.median(turn[0][name] for turn in turns), 3)}
        if other and name in turns[0][other]:
            row |= _ratios("of before", [turn[0][name] / turn[other][name] for turn in turns])
        if name in REACH:
            ratios = [turn[0][name] / turn[other]["to_parquet"] for turn in turns]
            row |= _ratios("of to_parquet", ratios, REACH[name])
        if name == CELLS:
            row["reach"] = f"<= {CELLS_REACH} s"
        yield row


def _ratios(name, ratios, reach=None):
    told = {name: f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"}
    return told | ({"reach": f"<= {reach}"} if reach else {})


if __name__ == "__main__":
    main()
