"""The vocabulary of data sources, and the bundled table of them: identifiers, names, site codes, station positions."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable
from importlib import resources
from typing import Final

import pandas as pd

from aurorax_pandas.checks import nearest_name
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level

CONJUNCTION_TYPES: Final = ("nbtrace", "sbtrace", "geographic")
#: What the service searches for where a query names no types.
DEFAULT_TYPES: Final = ("nbtrace",)
SOURCE_TYPES: Final = ("ground", "leo", "heo", "lunar", "event_list", "not_applicable")
#: Types of source that move.
SPACECRAFT: Final = ("leo", "heo", "lunar")
#: What names data sources in a search, and what a source calls it.
NAMED_BY: Final = {"programs": "program", "platforms": "platform", "instrument_types": "instrument_type"}
#: Types of source that can fill a block, by its kind.
TYPES_OF_BLOCK: Final = {"ground": ("ground",), "space": SPACECRAFT, "events": ("event_list",)}
#: Where a spacecraft is, by the sign of its own latitude.
HEMISPHERE: Final = pd.CategoricalDtype(["northern", "southern"])


def tell_of_unknown(argument: str, name: str, known: Iterable[str], who: str) -> None:
    """
    Raise where a name of data sources is misspelt, and warn where none of them has it.

    Parameters
    ----------
    argument : str
        What it was given by.
    name : str
        The name.
    known : iterable of str
        The names that there are.
    who : str
        Who has them, for the warning.
    """
    near = nearest_name(name, sorted(known))
    if near is not None:
        raise AuroraxInputError(f"{argument}: no source has {name!r}; did you mean {near!r}?")
    warnings.warn(
        f"{argument}: {who} has {name!r}, so that no row has it", AuroraxDataWarning, stacklevel=callers_level()
    )


@functools.cache
def bundled_sources() -> pd.DataFrame:
    """
    Return the bundled snapshot of the service's data sources; do not change it, it is shared.

    Returns
    -------
    pandas.DataFrame
        ``identifier``, ``program``, ``platform``, ``instrument_type``, ``source_type``, ``display_name``,
        ``site_code`` (missing where a site has none), ``geodetic_lat`` and ``geodetic_lon`` [degrees] (missing
        for spacecraft), ``note``, which says what is not as published, and ``catalogue_number`` of spacecraft (Int64,
        missing where it is not known for certain).
    """
    with resources.files("aurorax_pandas").joinpath("data/data_sources.csv").open("rb") as file:
        return pd.read_csv(file, dtype={"catalogue_number": "Int64"})


@functools.cache
def site_codes() -> dict[str, str]:
    """Return the four-letter code of each site that has one, by its platform name."""
    table = bundled_sources().dropna(subset="site_code")
    return dict(zip(table["platform"], table["site_code"], strict=True))


@functools.cache
def site_platforms() -> dict[str, str]:
    """Return the platform name of each site that has a four-letter code, by its code."""
    return {code: platform for platform, code in site_codes().items()}


def platform_named(name: str) -> str:
    """Return the platform that is meant by its own name or, for a site, by its four-letter code (``"GILL"``)."""
    return site_platforms().get(name, name)


def platform_meant(name: str) -> str | None:
    """Return the platform that a site's code in any case or a display name may mean, None where there is no such."""
    folded = name.strip().casefold()
    for code, platform in site_platforms().items():
        if code.casefold() == folded:
            return platform
    sources = known_sources()
    hit = sources.loc[sources["display_name"].str.casefold() == folded, "platform"].dropna()
    return str(hit.iloc[0]) if len(hit) else None


_NAMES: Final = ["program", "platform", "instrument_type", "source_type", "display_name"]
_read_in_session: list[pd.DataFrame] = []


def remember_sources(sources: pd.DataFrame) -> None:
    """Remember data sources that a service has listed, for as long as this process runs."""
    # a process may read them every hour for a year
    _read_in_session[:] = [pd.concat([*_read_in_session, sources[_NAMES].astype(object)]).drop_duplicates()]


def forget_sources() -> None:
    """Forget the data sources of `remember_sources`."""
    _read_in_session.clear()


def known_sources() -> pd.DataFrame:
    """Return the names of the data sources in the bundled table and in the lists that were read in this session."""
    return pd.concat([bundled_sources()[_NAMES].astype(object), *_read_in_session], ignore_index=True)
