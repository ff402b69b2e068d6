"""The bundled table of the service's data sources: identifiers, names, site codes and station positions."""

from __future__ import annotations

import functools
from importlib import resources

import pandas as pd


@functools.cache
def bundled_sources() -> pd.DataFrame:
    """
    Give the bundled snapshot of the service's data sources; do not change it, it is shared.

    Returns
    -------
    pandas.DataFrame
        ``identifier``, ``program``, ``platform``, ``instrument_type``, ``source_type``, ``display_name``,
        ``site_code`` (missing where a site has none), ``geodetic_lat`` and ``geodetic_lon`` [degrees] (missing
        for spacecraft) and ``note``, which says what is not as published.
    """
    with resources.files("aurorax_pandas").joinpath("data/data_sources.csv").open("rb") as file:
        return pd.read_csv(file)


@functools.cache
def site_codes() -> dict[str, str]:
    """Give the four-letter code of each site that has one, by its platform name."""
    table = bundled_sources().dropna(subset="site_code")
    return dict(zip(table["platform"], table["site_code"], strict=True))
