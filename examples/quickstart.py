"""The main job, end to end and without a network: search, look, sum up, draw."""

import pandas as pd

import aurorax_pandas
from aurorax_pandas import sandbox

with sandbox.serve() as url, aurorax_pandas.set_options(api_url=url):
    df = pd.read_aurorax_conjunctions(
        "2020-01-01T00:00:00",
        "2020-01-01T06:59:59",
        distance=500,
        ground=[{"programs": ["themis-asi"]}],
        space=[{"programs": ["swarm"]}],
    )

print(f"{len(df)} conjunctions of THEMIS-ASI and Swarm, from the recorded search in the sandbox\n")

print("The first five; distances in km, times in UTC")
print(df.head().drop(columns=["data_sources", "events"]).to_string(float_format="%.1f"))

print("\nEach pair of data sources")
columns = ["count", "minutes", "min_distance", "closest_epoch", "first_start", "last_end"]
print(df.aurorax.pair_summary()[columns].to_string(float_format="%.1f"))

df.aurorax.plot.timeline().figure.savefig("aurorax_timeline.png", dpi=110)
print("\nThe timeline is in aurorax_timeline.png")
