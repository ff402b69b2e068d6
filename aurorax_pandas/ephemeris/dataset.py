"""Ephemeris Datasets: their form, their check, and how to make one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas import geometry
from aurorax_pandas.checks import as_number
from aurorax_pandas.ephemeris.extents import Extents, measure_extents
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.model import DATETIME, SOURCE_FIELDS
from aurorax_pandas.frame.provenance import SAMPLE
from aurorax_pandas.sources import bundled_sources

if TYPE_CHECKING:
    import xarray as xr

#: Prefix of the variables that hold the locations of each conjunction type.
LOCATIONS: Final = {"nbtrace": "nbtrace", "sbtrace": "sbtrace", "geographic": "geo"}
#: Identifier of a place of the user's own; the service, too, gives these negative ones.
NO_IDENTIFIER: Final = -1

_DIMS: Final = ("source", "epoch")
_MINUTE: Final = np.timedelta64(1, "m")
_TEXT_FIELDS: Final = tuple(name for name in SOURCE_FIELDS if name != "identifier")
_PAIRS: Final = tuple((f"{prefix}_lat", f"{prefix}_lon") for prefix in LOCATIONS.values())
_LATITUDES: Final = (
    "spacecraft positions and footprints: geocentric degrees; stations: geodetic degrees; both as the service has them"
)
_LONG_NAMES: Final = {
    "geo": "own position",
    "nbtrace": "magnetic footprint in the northern hemisphere",
    "sbtrace": "magnetic footprint in the southern hemisphere",
}
# words and units of the CF conventions, by which other tools know a variable
_DEGREES: Final = {"lat": ("latitude", "degrees_north"), "lon": ("longitude", "degrees_east")}
_ATTRIBUTES: Final[dict[str, dict[str, str]]] = (
    {
        "epoch": {"long_name": "epoch (UTC)", "standard_name": "time", "axis": "T"},
        "geo_alt": {
            "long_name": "altitude above the WGS84 ellipsoid",
            "standard_name": "height_above_reference_ellipsoid",
            "units": "km",
        },
        "radial_distance": {"long_name": "distance from the centre of the Earth", "units": "km"},
        # xarray would read "days" back as spans of time
        "elements_age": {"long_name": "time to the instant of the orbital elements", "units": "day"},
    }
    | {
        f"{prefix}_{part}": {"long_name": f"{word} of {words}", "standard_name": word, "units": unit}
        for prefix, words in _LONG_NAMES.items()
        for part, (word, unit) in _DEGREES.items()
    }
    | {
        f"{prefix}_uncertainty": {"long_name": f"uncertainty of {words}", "units": "km"}
        for prefix, words in _LONG_NAMES.items()
    }
)


def check_ephemeris(ephemeris: xr.Dataset) -> xr.Dataset:
    """
    Check that a Dataset is an ephemeris, and give it back; values of a chunked one are not computed.

    Parameters
    ----------
    ephemeris : xarray.Dataset
        Dimensions ``source`` and ``epoch``; variables ``geo_lat``, ``geo_lon``, ``nbtrace_lat``, ``nbtrace_lon``,
        ``sbtrace_lat``, ``sbtrace_lon`` [degrees], at least one pair of them, NaN where a source has no data;
        coordinates ``identifier``, ``program``, ``platform``, ``instrument_type``, ``source_type`` and
        ``display_name`` along ``source``. ``geo_alt`` [km above the WGS84 ellipsoid] or ``radial_distance`` [km] where
        the heights of spacecraft are known; other variables are metadata to filter by.

    Raises
    ------
    AuroraxInputError
        If something is missing or wrong: the message names it.

    Examples
    --------
    >>> import aurorax_pandas
    >>> dict(aurorax_pandas.check_ephemeris(aurorax_pandas.load_sample_ephemeris()).sizes)
    {'source': 16, 'epoch': 1440}
    """
    measured_ephemeris(ephemeris)
    return ephemeris


def measured_ephemeris(ephemeris: xr.Dataset) -> dict[str, Extents]:
    """Check that a Dataset is an ephemeris; return how far locations reach, by prefix, of those that are not chunked."""
    import xarray as xr

    if not isinstance(ephemeris, xr.Dataset):
        ways = {str: "; xarray.open_dataset reads one from a file", pd.DataFrame: "; as_ephemeris makes one of a table"}
        way = next((said for kind, said in ways.items() if isinstance(ephemeris, kind)), "")
        raise AuroraxInputError(f"ephemeris is a {type(ephemeris).__name__}; give an xarray Dataset{way}")
    for name in _DIMS:
        if name not in ephemeris.dims:
            raise AuroraxInputError(
                f"ephemeris: the dimension {name!r} is missing; it has {', '.join(map(str, ephemeris.dims))}"
            )
    for name in SOURCE_FIELDS:
        if name not in ephemeris.coords or ephemeris[name].dims != ("source",):
            raise AuroraxInputError(f"ephemeris: the coordinate {name!r} along 'source' is missing")
    _check_epochs(ephemeris)
    _check_sources(ephemeris)
    present = [pair for pair in _PAIRS if pair[0] in ephemeris or pair[1] in ephemeris]
    if not present:
        raise AuroraxInputError("ephemeris: there are no locations; give geo_lat and geo_lon, or the traces [degrees]")
    extents = {}
    for pair in present:
        for name in pair:
            if name not in ephemeris:
                raise AuroraxInputError(f"ephemeris: the variable {name!r} is missing")
            if set(ephemeris[name].dims) != set(_DIMS):
                raise AuroraxInputError(f"ephemeris: {name!r} has the dimensions {ephemeris[name].dims}, not {_DIMS}")
            if ephemeris[name].dtype.kind not in "iuf":
                raise AuroraxInputError(
                    f"ephemeris: {name!r} is {ephemeris[name].dtype}, not numbers; convert it by astype('float64')"
                )
        if not ephemeris[pair[0]].chunks:
            prefix = pair[0].removesuffix("_lat")
            extents[prefix] = measure_extents(*locations_of(ephemeris, prefix), prefix)
    return extents


def locations_of(ephemeris: xr.Dataset, prefix: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return latitudes and longitudes [degrees] of shape (source, epoch), without a copy."""
    lat, lon = (ephemeris.variables[f"{prefix}_{part}"].transpose(*_DIMS).values for part in ("lat", "lon"))
    return lat, lon


def _check_epochs(ephemeris: xr.Dataset) -> None:
    epochs = ephemeris["epoch"].values
    if epochs.dtype.kind != "M":
        raise AuroraxInputError(f"ephemeris: 'epoch' is {epochs.dtype}, not datetime64 (UTC)")
    if np.isnat(epochs).any():
        raise AuroraxInputError("ephemeris: 'epoch' has missing values; drop them")
    steps = np.diff(epochs)
    if not len(steps):
        return
    least, greatest = steps.min(), steps.max()
    if least <= np.timedelta64(0, "us"):
        raise AuroraxInputError(
            "ephemeris: 'epoch' is not sorted or has duplicates; ds.sortby('epoch').drop_duplicates('epoch')"
        )
    if least != greatest:
        shown = f"{pd.Timedelta(least)} to {pd.Timedelta(greatest)}"
        raise AuroraxInputError(
            f"ephemeris: 'epoch' has irregular steps ({shown}); fill the gaps with NaN: ds.reindex(epoch=...)"
        )


def _check_sources(ephemeris: xr.Dataset) -> None:
    table = source_table(ephemeris)
    twice = table[["identifier", "platform", "display_name"]].astype(str).duplicated()
    twice |= table["identifier"].duplicated() & (table["identifier"] != NO_IDENTIFIER)
    if twice.any():
        raise AuroraxInputError(f"ephemeris: the source {table['display_name'][twice].iloc[0]!r} stands twice")


def source_table(ephemeris: xr.Dataset) -> pd.DataFrame:
    """Return the sources of an ephemeris as a frame of the six fields of a data source."""
    return pd.DataFrame({name: ephemeris[name].values for name in SOURCE_FIELDS})


def step_of_epochs(epochs: npt.NDArray[np.datetime64]) -> np.timedelta64:
    """Return the time between epochs, a minute where there is one alone."""
    step: np.timedelta64 = (epochs[1] - epochs[0] if len(epochs) > 1 else _MINUTE).astype("m8[us]")
    return step


def ephemeris_provenance(ephemeris: xr.Dataset, window: slice, step: np.timedelta64) -> dict[str, Any]:
    """
    Return what a frame that is found in an ephemeris keeps of it, as JSON values.

    Parameters
    ----------
    ephemeris : xarray.Dataset
        The ephemeris.
    window : slice of numpy.datetime64
        The window of the search.
    step : numpy.timedelta64
        Time between the instants that were searched, zero for all instants.

    Returns
    -------
    dict
        ``step``, a span of time as text; ``elements_age``, the greatest in the window [days]; ``field`` and ``kp``;
        ``sample`` of a bundled one; those that the ephemeris has.
    """
    kept: dict[str, Any] = {"step": f"{pd.Timedelta(step).total_seconds():g}s"}
    if "elements_age" in ephemeris:
        ages = ephemeris["elements_age"].sel(epoch=window).values
        if not np.isnan(ages).all():
            kept["elements_age"] = round(float(np.nanmax(ages)), 3)
    return kept | {name: ephemeris.attrs[name] for name in ("field", "kp", SAMPLE) if name in ephemeris.attrs}


def make_ephemeris(sources: pd.DataFrame, epochs: Any, variables: Mapping[str, Any]) -> xr.Dataset:
    """Make a Dataset of a table of sources, epochs and arrays of shape (source, epoch)."""
    import xarray as xr

    coords: dict[str, Any] = {"epoch": np.asarray(epochs, DATETIME)}
    coords["identifier"] = ("source", sources["identifier"].to_numpy(np.int64))
    coords |= {name: ("source", sources[name].to_numpy(object)) for name in _TEXT_FIELDS}
    dataset = xr.Dataset({name: (_DIMS, values) for name, values in variables.items()}, coords)
    for name, attributes in _ATTRIBUTES.items():
        if name in dataset.variables:
            dataset[name].attrs = dict(attributes)
    dataset.attrs["latitudes"] = _LATITUDES
    return dataset


def ephemeris_of_table(df: pd.DataFrame) -> xr.Dataset:
    """Make an ephemeris of a table with one row per source and epoch; see `as_ephemeris`."""
    for name in ("epoch", "identifier"):
        if name not in df.columns:
            raise AuroraxInputError(f"df: the column {name!r} is missing; there are {', '.join(map(str, df.columns))}")
        if missing := int(df[name].isna().sum()):
            raise AuroraxInputError(
                f"df: {name!r} is missing in {missing} of {len(df)} rows; df.dropna(subset=[{name!r}])"
            )
    if df.duplicated(["identifier", "epoch"]).any():
        raise AuroraxInputError("df: an epoch of a source stands twice; df.drop_duplicates(['identifier', 'epoch'])")
    rows, identifiers = pd.factorize(df["identifier"], sort=True)
    columns, times = pd.factorize(read_epochs("df: 'epoch'", df["epoch"]), sort=True)
    variables = {}
    for name in df.columns:
        if name in ("epoch", *SOURCE_FIELDS):
            continue
        values = _degrees_of_column(name, df[name]) if name in itertools.chain(*_PAIRS) else df[name]
        numeric = pd.api.types.is_numeric_dtype(values)
        grid = np.full((len(identifiers), len(times)), np.nan, "float64" if numeric else object)
        grid[rows, columns] = values.astype("float64") if numeric else values.astype(object)
        variables[str(name)] = grid
    return check_ephemeris(make_ephemeris(_sources_in_table(df, identifiers), times, variables))


def _degrees_of_column(name: Any, column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of locations as numbers; what is no number is refused, text too."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    wrong = [value for value in column[column.notna()] if np.isnan(as_number(value))]
    if wrong:
        raise AuroraxInputError(f"df: {name!r} holds {wrong[0]!r}, which is no number; give degrees")
    return column.map(as_number, na_action="ignore").astype("float64")


def read_epochs(argument: str, given: Any) -> npt.NDArray[np.datetime64]:
    """Read epochs as naive UTC, or raise where they are none."""
    values = given if isinstance(given, pd.Series | pd.Index) else np.atleast_1d(np.asarray(given))
    try:
        if values.dtype.kind in "biufc":
            raise TypeError("they are numbers")
        read = pd.DatetimeIndex(pd.to_datetime(values))
    except (TypeError, ValueError, OverflowError) as error:
        raise AuroraxInputError(f"{argument} cannot be read as dates and times, UTC: {error}") from None
    if read.hasnans:
        raise AuroraxInputError(f"{argument} has missing values; drop them")
    times: npt.NDArray[np.datetime64] = (read if read.tz is None else read.tz_convert(None)).to_numpy(DATETIME)
    return times


def _sources_in_table(df: pd.DataFrame, identifiers: Any) -> pd.DataFrame:
    table = bundled_sources().set_index("identifier")[list(_TEXT_FIELDS)].reindex(identifiers)
    for name in _TEXT_FIELDS:
        if name in df.columns:
            table[name] = df.drop_duplicates("identifier").set_index("identifier")[name].reindex(identifiers)
    unknown = table.index[table.isna().any(axis=1)]
    if len(unknown):
        raise AuroraxInputError(
            f"df: identifier {unknown[0]} is not in the service's table; give the columns {', '.join(_TEXT_FIELDS)}"
        )
    return table.reset_index(names="identifier")


def concat_sources(parts: Iterable[xr.Dataset]) -> xr.Dataset:
    """Join ephemerides with the same epochs along ``source``; a variable that one lacks is NaN there."""
    import xarray as xr

    return xr.concat(
        list(parts),
        dim="source",
        data_vars="all",
        coords="different",
        compat="equals",
        join="outer",
        combine_attrs="override",
    )


def densify(ephemeris: xr.Dataset, step: np.timedelta64) -> xr.Dataset:
    """
    Interpolate locations on the sphere to a finer step that divides the Dataset's own.

    A location exists between two epochs that both have one. Metadata keep the value of the epoch before.
    """
    epochs = ephemeris["epoch"].values
    if len(epochs) < 2 or epochs[1] - epochs[0] <= step:
        return ephemeris
    own = epochs[1] - epochs[0]
    count = int(own / step)
    if own != count * step:
        raise AuroraxInputError(f"ephemeris: its step {pd.Timedelta(own)} is no multiple of {pd.Timedelta(step)}")
    times = np.arange(epochs[0], epochs[-1] + step, step)
    at = np.arange(len(times)) // count
    dense = ephemeris.isel(epoch=at).assign_coords(epoch=times)
    after = np.minimum(at + 1, len(epochs) - 1)
    fraction = (np.arange(len(times)) % count) / count
    for lat_name, lon_name in _PAIRS:
        if lat_name not in ephemeris or lon_name not in ephemeris:
            continue
        vectors = geometry.unit_vectors(*(ephemeris[name].transpose(*_DIMS).values for name in (lat_name, lon_name)))
        lat, lon = geometry.degrees(geometry.interpolate(vectors[..., at], vectors[..., after], fraction))
        on_epoch = fraction == 0
        for name, values in ((lat_name, lat), (lon_name, lon)):
            values[:, on_epoch] = ephemeris[name].transpose(*_DIMS).values
            dense[name] = (_DIMS, values, ephemeris[name].attrs)
    return dense
