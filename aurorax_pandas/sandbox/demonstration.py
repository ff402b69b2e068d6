"""What the sandbox's own day carries beside its ephemeris, made up for demonstrations: labels and a list of events."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.ephemeris.dataset import concat_sources, make_ephemeris, source_table

if TYPE_CHECKING:
    import xarray as xr

#: The list of made-up events, as a data source.
EVENT_LIST: Final = {
    "identifier": 990_001,
    "program": "events",
    "platform": "sandbox",
    "instrument_type": "demonstration events",
    "source_type": "event_list",
    "display_name": "Demonstration events",
}
_CLOUDS: Final = ["classified as cloudy", "classified as not cloudy", "not classified"]
_PULSATING: Final = ["classified as APA", "classified as not APA", "not classified"]
#: Regions by the absolute latitude of a footprint from which they count [degrees]: made up, not the service's.
_REGIONS: Final = (("mid-latitude", 0.0), ("auroral oval", 60.0), ("polar cap", 70.0))


def _regions(side: str) -> list[str]:
    return [f"{side} {name}" for name, _ in _REGIONS]


#: Made-up metadata by name: what it is, and its values where only some are allowed.
FIELDS: Final[dict[str, tuple[str, list[str]]]] = {
    "calgary_cloud_ml_v1": ("clouds in the camera's view (made up)", _CLOUDS),
    "calgary_cloud_ml_v1_confidence": ("confidence of that label [%] (made up)", []),
    "calgary_apa_ml_v1": ("amorphous pulsating aurora in the camera's view (made up)", _PULSATING),
    "calgary_apa_ml_v1_confidence": ("confidence of that label [%] (made up)", []),
    "nbtrace_region": ("region of the northern footprint, by its latitude (made up)", _regions("north")),
    "sbtrace_region": ("region of the southern footprint, by its latitude (made up)", _regions("south")),
    "event_kind": ("kind of event (made up)", ["interval", "onset"]),
}


def with_demonstration(ephemeris: xr.Dataset) -> xr.Dataset:
    """Return the bundled ephemeris with made-up metadata of its sources, and with the list of made-up events."""
    labelled = ephemeris.assign(
        {name: (("source", "epoch"), values) for name, values in (_labels(ephemeris) | _traced(ephemeris)).items()}
    )
    return concat_sources([labelled, _events(ephemeris["epoch"].values)]).assign_attrs(
        demonstration="labels, regions and the list of events are made up"
    )


def _labels(ephemeris: xr.Dataset) -> dict[str, npt.NDArray[Any]]:
    """Spread the labels over the minutes at which each camera operates."""
    table = _read_demonstration("labels", ["start", "end"])
    operates = ephemeris["geo_lat"].transpose("source", "epoch").notnull().values
    epochs, identifiers = ephemeris["epoch"].values, source_table(ephemeris)["identifier"].to_numpy()
    names = [name for name in table if name in FIELDS]
    grids = {
        name: np.full(operates.shape, np.nan, object if FIELDS[name][1] else np.float64) for name in map(str, names)
    }
    for row in table.to_dict("records"):
        during = (epochs >= row["start"].to_datetime64()) & (epochs <= row["end"].to_datetime64())
        there = operates & during & (identifiers == row["identifier"])[:, None]
        for name, grid in grids.items():
            grid[there] = row[name]
    return grids


def _traced(ephemeris: xr.Dataset) -> dict[str, npt.NDArray[Any]]:
    """Name the regions of the footprints of spacecraft."""
    craft = (ephemeris["source_type"].values != "ground")[:, None]
    grids = {}
    for prefix, side in (("nbtrace", "north"), ("sbtrace", "south")):
        lat = np.abs(ephemeris[f"{prefix}_lat"].transpose("source", "epoch").values)
        grid = np.full(lat.shape, np.nan, object)
        for name, (_, least) in zip(_regions(side), _REGIONS, strict=True):
            grid[craft & (lat >= least)] = name
        grids[f"{prefix}_region"] = grid
    return grids


def _events(epochs: npt.NDArray[np.datetime64]) -> xr.Dataset:
    table = _read_demonstration("events", ["epoch"])
    at = np.searchsorted(epochs, table["epoch"].to_numpy())
    variables: dict[str, npt.NDArray[Any]] = {"event_kind": np.full((1, len(epochs)), np.nan, object)}
    variables["event_kind"][0, at] = table["event_kind"].to_numpy(object)
    for part in ("lat", "lon"):
        place = np.full((1, len(epochs)), np.nan)
        place[0, at] = table[part].to_numpy()
        variables |= {f"geo_{part}": place, f"nbtrace_{part}": place}
    return make_ephemeris(pd.DataFrame([EVENT_LIST]), epochs, variables)


def _read_demonstration(name: str, times: list[str]) -> pd.DataFrame:
    with resources.files("aurorax_pandas").joinpath(f"data/demonstration_{name}.csv").open("rb") as file:
        return pd.read_csv(file, comment="#", parse_dates=times)
