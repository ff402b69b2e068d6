"""What a sandbox has: an ephemeris, data products, and the data sources of both."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from aurorax_pandas.engine.matching import block_at_hand, refuse_unknown_names
from aurorax_pandas.ephemeris.coverage import holdings
from aurorax_pandas.ephemeris.dataset import LOCATIONS, check_ephemeris, source_table, step_of_epochs
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame.model import SOURCE_FIELDS
from aurorax_pandas.frame.products import as_products, empty_products
from aurorax_pandas.samples import load_sample_ephemeris
from aurorax_pandas.sandbox.demonstration import FIELDS, with_demonstration
from aurorax_pandas.sources import bundled_sources

if TYPE_CHECKING:
    import xarray as xr

#: Who owns the sources of a sandbox.
OWNER: Final = "sandbox"
#: The forms of a data source, and the fields of each beside the statistics.
FORMATS: Final = {
    "identifier_only": ("identifier",),
    "basic_info": tuple(SOURCE_FIELDS),
    "with_metadata": (*SOURCE_FIELDS, "metadata"),
    "full_record": (
        *SOURCE_FIELDS,
        "owner",
        "maintainers",
        "metadata",
        "ephemeris_metadata_schema",
        "data_product_metadata_schema",
    ),
}


@dataclass(frozen=True)
class Holdings:
    """
    What a sandbox has.

    Parameters
    ----------
    ephemeris : xarray.Dataset
        Who was where.
    products : pandas.DataFrame
        The data products.
    bundled : bool
        Whether the ephemeris is the bundled day, so that the recorded search belongs to it.
    strict : bool
        Whether times outside the ephemeris are refused.
    """

    ephemeris: xr.Dataset
    products: pd.DataFrame
    bundled: bool
    strict: bool

    @classmethod
    def from_arguments(cls, ephemeris: xr.Dataset | None, data_products: pd.DataFrame | None, strict: bool) -> Holdings:
        """Return what the arguments of `serve` give, checked."""
        if not isinstance(strict, bool):
            raise AuroraxInputError(f"strict={strict!r} is not valid; give True or False")
        held = bundled_day() if ephemeris is None else check_ephemeris(ephemeris)
        products = empty_products() if data_products is None else as_products(data_products)
        return cls(held, products, ephemeris is None, strict)

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """The sources of the ephemeris."""
        return source_table(self.ephemeris)

    @functools.cached_property
    def known(self) -> pd.DataFrame:
        """All sources that are known here: the service's, and those of the ephemeris and the products."""
        fields = list(SOURCE_FIELDS)
        tables = [self.table, self.products[fields], bundled_sources()[fields]]
        joined = pd.concat([table.astype(object) for table in tables])
        joined = joined.drop_duplicates(["identifier", "display_name"])
        return joined.sort_values("identifier", kind="stable", ignore_index=True)

    def block(self, block: Mapping[str, Any], kind: str | None = None) -> dict[str, Any] | None:
        """Return a block with the names that the ephemeris has, None where it has no source of it; refuse unknown names."""
        refuse_unknown_names(self.known, block, kind, "the service")
        return block_at_hand(self.table, block, kind)

    def check_window(self, start: str, end: str) -> None:
        """Raise where a window is not inside the ephemeris, so that no answer is made up, unless other times are empty."""
        epochs = self.ephemeris["epoch"].values
        step = step_of_epochs(epochs)
        if self.strict and (np.datetime64(start) < epochs[0] or np.datetime64(end) >= epochs[-1] + step):
            first, last = (np.datetime_as_string(epoch, "s") for epoch in epochs[[0, -1]])
            raise AuroraxInputError(
                f"it is a demonstration and has ephemeris from {first} to {last} only, no recording of {start} to {end}; "
                f"it holds {holdings(self.ephemeris)}. serve(strict=False) has nothing at other times"
            )

    def has_epochs(self, start: str, end: str, subminute: bool | None) -> bool:
        """Tell whether the ephemeris has anything in a window, half-minutes too where these are searched."""
        epochs = self.ephemeris["epoch"].values
        wide = np.timedelta64(30 if subminute else 0, "s")
        first, last = np.datetime64(start, "us") - wide, np.datetime64(end, "us")
        return bool(np.searchsorted(epochs, first) < np.searchsorted(epochs, last, side="right"))

    @functools.cached_property
    def metadata(self) -> list[list[str]]:
        """The names of the metadata that each source of the ephemeris has."""
        names: list[list[str]] = [[] for _ in range(self.ephemeris.sizes["source"])]
        for name, variable in self.ephemeris.data_vars.items():
            if not str(name).endswith(("_lat", "_lon")):
                there = variable.notnull().any([dim for dim in variable.dims if dim != "source"])
                for place in np.flatnonzero(np.broadcast_to(there.values, len(names))):
                    names[place].append(str(name))
        return names

    @functools.cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Whether there is a record, of shape (source, epoch): of events also those without a place."""
        present = np.zeros((self.ephemeris.sizes["source"], self.ephemeris.sizes["epoch"]), bool)
        for prefix in LOCATIONS.values():
            if f"{prefix}_lat" in self.ephemeris:
                present |= self.ephemeris[f"{prefix}_lat"].transpose("source", "epoch").notnull().values
        lists = np.flatnonzero(self.table["source_type"] == "event_list")
        for name, variable in self.ephemeris.data_vars.items():
            if len(lists) and {"source", "epoch"} == set(variable.dims) and not str(name).endswith(("_lat", "_lon")):
                present[lists] |= variable.transpose("source", "epoch").isel(source=lists).notnull().values
        return present

    @functools.cached_property
    def records(self) -> list[dict[str, Any]]:
        """Full records of all sources, each with its statistics."""
        at = {identifier: place for place, identifier in enumerate(self.table["identifier"])}
        products = dict(iter(self.products.groupby("identifier")))
        found: list[dict[str, Any]] = []
        for source in self.known.to_dict("records"):
            place, made = at.get(source["identifier"]), products.get(source["identifier"])
            stats = self._ephemeris_stats(place) | _product_stats(made)
            found.append(
                {
                    **{str(name): value for name, value in source.items()},
                    "identifier": int(source["identifier"]),
                    "owner": OWNER,
                    "maintainers": [],
                    "metadata": {},
                    "ephemeris_metadata_schema": [] if place is None else list(map(self._field, self.metadata[place])),
                    "data_product_metadata_schema": [] if made is None else _product_fields(made),
                    "stats": stats,
                }
            )
        return found

    def _field(self, name: str) -> dict[str, Any]:
        what, allowed = FIELDS.get(name, (f"{name}, as in the sandbox's ephemeris", []))
        numeric = np.issubdtype(self.ephemeris[name].dtype, np.number)
        return _schema_field(name, what, "double" if numeric else "string", allowed)

    def _ephemeris_stats(self, place: int | None) -> dict[str, Any]:
        epochs = self.ephemeris["epoch"].values[[] if place is None else self.present[place]]
        return {"ephemeris_count": len(epochs), **_first_and_last("ephemeris", epochs, epochs)}


@functools.cache
def bundled_day() -> xr.Dataset:
    """Return the bundled ephemeris with its demonstration; do not change it, it is shared."""
    return with_demonstration(load_sample_ephemeris())


def _first_and_last(what: str, starts: Any, ends: Any) -> dict[str, str | None]:
    bounds = (starts.min(), ends.max()) if len(starts) else (None, None)
    first, last = (None if bound is None else np.datetime_as_string(np.datetime64(bound), "s") for bound in bounds)
    return {f"earliest_{what}_loaded": first, f"latest_{what}_loaded": last}


def _product_stats(products: pd.DataFrame | None) -> dict[str, Any]:
    none = np.array([], "M8[us]")
    starts, ends = (none if products is None else products[name].to_numpy() for name in ("start", "end"))
    return {"data_product_count": len(starts), **_first_and_last("data_product", starts, ends)}


def _product_fields(products: pd.DataFrame) -> list[dict[str, Any]]:
    values: dict[str, Any] = {}
    for text in products["metadata"]:
        values |= json.loads(text)
    return [
        _schema_field(
            name,
            f"{name}, as in the sandbox's data products",
            "double" if isinstance(value, int | float) and not isinstance(value, bool) else "string",
            [],
        )
        for name, value in sorted(values.items())
    ]


def _schema_field(name: str, what: str, data_type: str, allowed: list[str]) -> dict[str, Any]:
    return {
        "field_name": name,
        "description": what,
        "data_type": data_type,
        "allowed_values": allowed,
        "searchable": True,
        "additional_description": "",
    }
