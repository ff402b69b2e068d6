"""
Compare a search on the live service with the recording that the library brings.

Run it where the service can be reached; it takes some seconds, and at most five minutes::

    python examples/compare_live.py

It ends with 0 where all agrees, with 1 where something differs, and with 2 where no answer was to be had.
AURORAX_API_URL asks another address.
"""

import sys

import pandas as pd

import aurorax_pandas

VALUES = ["start", "end", "min_distance", "max_distance", "closest_epoch", "farthest_epoch"]


def differences(changed: pd.DataFrame) -> list[str]:
    """Return a line for each value that differs in some rows, with how much at most."""
    lines = []
    for name in VALUES:
        mine, other = changed[name], changed[f"{name}_other"]
        differs = (mine != other) & ~(mine.isna() & other.isna())
        if differs.any():
            most = (mine - other).abs()[differs].max()
            told = f"by {most:.6f} km at most" if name.endswith("distance") else f"by {most} at most"
            lines.append(f"  {name}: in {differs.sum()} of them, {'where one has none' if pd.isna(most) else told}")
    return lines


def report(recorded: pd.DataFrame, live: pd.DataFrame) -> tuple[str, bool]:
    """Return what agrees and what differs, in words, and whether all agrees."""
    gained, lost, changed = recorded.aurorax.compare(live)
    same = len(recorded) - len(lost) - len(changed)
    lines = [
        f"{len(recorded)} conjunctions were recorded, {len(live)} were read now",
        f"{same} agree in all values: who took part, spans, distances and their epochs",
    ]
    if len(changed):
        lines += [f"{len(changed)} are in both with other values", *differences(changed)]
    for name, frame in (("only in the recording", lost), ("only in what was read now", gained)):
        if len(frame):
            pairs = frame.aurorax.explode_events()["pair"].astype("str").value_counts()
            lines += [f"{len(frame)} are {name}:", *(f"  {count} x {pair}" for pair, count in pairs.items())]
    if len(lost) and len(gained):
        lines.append(
            "(the spacecraft of the recording were inferred: the same camera and minutes with another one is such a case)"
        )
    agrees = same == len(recorded) == len(live)
    return "\n".join(lines), agrees


def main() -> int:
    """Run the recorded search anew and tell what agrees."""
    recorded = aurorax_pandas.load_sample_conjunctions()
    origin = recorded.aurorax.provenance
    try:
        live = pd.read_aurorax_conjunctions(query=origin["query"], timeout=300, progress=sys.stderr.isatty())
    except aurorax_pandas.AuroraxError as error:
        print(f"No answer to compare: {error}")
        return 2
    now = live.aurorax.provenance
    print(
        f"aurorax_pandas {now['package_version']} asked {now['api_url']} at {now['retrieved_at']}, request {now['request_ids'][0]}"
    )
    if "sandbox" in live.aurorax.citation().table["name"].tolist():
        print("That is an address of this machine: the sandbox, not the service")
    print(f"The recording is of {origin['retrieved_at']}, request {origin['request_ids'][0]}")
    words, agrees = report(recorded, live)
    print(words)
    print(
        "All agrees."
        if agrees
        else "Something differs: a new version of the service's data or orbits, or a fault to report."
    )
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
