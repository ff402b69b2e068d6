"""Spacecraft on circular polar orbits that precess, as an ephemeris: geometry without field lines."""

import numpy as np
import pandas as pd
import xarray as xr

import aurorax_pandas


def polar_orbits(days: int, start: str = "2020-12-01", step: str = "1min") -> xr.Dataset:
    """Three spacecraft and the THEMIS-ASI cameras, which operate from 00:00 to 15:59 but for every fifth day."""
    epochs = pd.date_range(start, periods=int(days * pd.Timedelta("1D") / pd.Timedelta(step)), freq=step)
    minute = ((epochs - epochs[0]) / pd.Timedelta("1min")).to_numpy()
    frames = []
    for identifier, period, node in ((3, 93.6, 0.0), (29, 95.2, 77.0), (30, 93.6, 1.4)):
        along = 2 * np.pi * minute / period
        lat = np.degrees(np.arcsin(np.sin(np.radians(87.4)) * np.sin(along)))
        lon = node + np.degrees(np.arctan2(np.cos(np.radians(87.4)) * np.sin(along), np.cos(along))) - minute / 4
        lon = (lon + 180) % 360 - 180
        frames.append(
            pd.DataFrame(
                {"epoch": epochs, "identifier": identifier, "geo_lat": lat, "geo_lon": lon, "nbtrace_lat": np.abs(lat),
                 "nbtrace_lon": lon}
            )
        )  # fmt: skip
    craft = aurorax_pandas.as_ephemeris(pd.concat(frames, ignore_index=True))
    chosen = {"programs": "themis-asi", "platforms": ["GILL", "RANK", "FSIM", "ATHA"]}
    identifiers = aurorax_pandas.stations(epochs[:1], **chosen)["identifier"].values
    nights = [day for number, day in enumerate(pd.date_range(start, periods=days)) if number % 5 != 4]
    operating = pd.DataFrame(
        [(identifier, night, night + pd.Timedelta("15h59min")) for identifier in identifiers for night in nights],
        columns=["identifier", "start", "end"],
    )
    cameras = aurorax_pandas.stations(epochs, operating=operating, **chosen)
    return xr.concat([craft, cameras], dim="source", data_vars="all", coords="different", compat="equals", join="outer")


def availability(days: int, start: str = "2020-12-01") -> pd.DataFrame:
    """What `read_aurorax_availability` would say of these cameras."""
    cameras = polar_orbits(1, start).isel(source=slice(3, None))
    rows = [
        (identifier, "ground", day, 0 if number % 5 == 4 else 960)
        for identifier in cameras["identifier"].values
        for number, day in enumerate(pd.date_range(start, periods=days, unit="us"))
    ]
    return pd.DataFrame(rows, columns=["identifier", "source_type", "day", "records"])
