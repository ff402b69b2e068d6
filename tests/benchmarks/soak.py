"""
Many searches against a sandbox that fails a fifth of its answers at random.

``python tests/benchmarks/soak.py --searches 2000`` counts how they end: in the right frame, or in which error. The clock is
that of the search, so that no wait is real.
"""

import argparse
import collections
import logging
import random
import threading
import time

import aurorax_pandas
from aurorax_pandas import sandbox

FAULTS = (429, 500, 502, 503, 504, "drop", "half", "garbage", "html", "damaged_gzip")
SEARCH = {
    "start": "2020-01-01", "end": "2020-01-01T06:59:59", "distance": 500,
    "ground": {"programs": "themis-asi"}, "space": {"programs": "swarm"},
}  # fmt: skip


class Clock:
    """Time that passes only where somebody sleeps."""

    now = 0.0

    def time(self) -> float:
        """Give the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def main() -> None:
    """Run and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    chance = random.Random(arguments.seed)

    def some(count: int) -> list[object]:
        return [chance.choice(FAULTS) if chance.random() < 0.2 else None for _ in range(count)]

    ends: collections.Counter[str] = collections.Counter()
    before, begun = threading.active_count(), time.perf_counter()
    count = arguments.searches
    faults = {"submit": some(3 * count), "status": some(8 * count), "data": some(4 * count)}
    with sandbox.serve(faults=faults) as url:
        for _ in range(count):
            clock = Clock()
            with aurorax_pandas.ConjunctionSearch(
                api_url=url, clock=clock.time, sleep=clock.sleep, check_names=False, **SEARCH
            ) as search:
                try:
                    rows = len(search.run(timeout=3600))
                except aurorax_pandas.AuroraxError as error:
                    ends[f"{type(error).__name__}, status {error.status_code}"] += 1
                else:
                    ends["the right frame" if rows == 49 else f"WRONG: {rows} rows"] += 1
    for end, number in ends.most_common():
        print(f"{number:6} {end}")
    print(f"{threading.active_count() - before} threads left over, {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
