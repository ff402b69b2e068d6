"""Compare one small search of the live service with its recording: needs a network, a minute, and nothing else."""

import sys

import pandas as pd

import aurorax_pandas

recorded = aurorax_pandas.load_sample_conjunctions()
print(f"asking {aurorax_pandas.get_options()['api_url']} for the search of 2020-01-01 that is recorded in this package")
try:
    live = pd.read_aurorax_conjunctions(query=recorded.aurorax.provenance["query"], timeout=600)
except aurorax_pandas.AuroraxError as error:
    sys.exit(f"no answer to compare, {type(error).__name__}: {error}")

gained, lost, changed = recorded.aurorax.compare(live)
print(
    f"{len(live)} rows live, {len(recorded)} recorded: {len(gained)} gained, {len(lost)} lost, {len(changed)} changed"
)
for title, rows in (("gained", gained), ("lost", lost)):
    if len(rows):
        print(f"\n{title}:\n{rows.aurorax.explode_events()[['pair', 'start', 'min_distance']].to_string()}")
if len(changed):
    moved = (changed["min_distance_other"] - changed["min_distance"]).abs()
    print(f"\nmin_distance of the changed rows: {moved.median():.3g} km in the median, {moved.max():.3g} km at most")
    print(changed.to_string())
    print(
        "\nThe spacecraft of the recording, and six rows' closest and farthest epochs, were inferred: these may differ."
    )
sys.exit(0 if not len(gained) + len(lost) + len(changed) else "the live service differs from the recording")
