"""The sandbox's searches for data products, among those that it was given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from aurorax_pandas.checks import names
from aurorax_pandas.engine.matching import fills_block, keeps, refuse_unknown_names
from aurorax_pandas.frame.products import overlapping, records_from_products
from aurorax_pandas.sandbox.holdings import Holdings
from aurorax_pandas.sandbox.jobs import Job, Work


def read_types(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the kinds of data products that a query asks for; none is all."""
    return names("data_product_type_filters", body.get("data_product_type_filters"))


def products_work(held: Holdings, block: Mapping[str, Any], start: str, end: str, types: Sequence[str]) -> Work:
    """Return what searches for the records of a query of data products, checked."""
    refuse_unknown_names(held.known, block, None, "the service")

    def work(job: Job) -> list[dict[str, Any]]:
        job.log("info", "Answered from the data products that the sandbox was given")
        found = held.products
        found = found[overlapping(found, start, end) & fills_block(found, block, None)]
        found = found[found["data_product_type"].isin(list(types))] if types else found
        return records_from_products(found[_kept_products(found["metadata"], block.get("ephemeris_metadata_filters"))])

    return work


def _kept_products(metadata: pd.Series[Any], filters: Mapping[str, Any] | None) -> Any:
    """Tell which products keep the conditions on their metadata."""
    if not filters:
        return np.ones(len(metadata), bool)
    read = [json.loads(text) for text in metadata]
    held = [keeps(_values_named(read, one["key"]), one) for one in filters["expressions"]]
    return np.all(held, axis=0) if filters["logical_operator"] == "AND" else np.any(held, axis=0)


def _values_named(read: list[dict[str, Any]], name: str) -> Any:
    values = pd.Series([one.get(name) for one in read], dtype=object)
    numbers = pd.to_numeric(values, errors="coerce")
    # what holds numbers alone is compared by number
    return (numbers if numbers.notna().equals(values.notna()) else values).to_numpy()


def days_of_products(held: Holdings, days: list[str]) -> dict[int, dict[str, int]]:
    """Count the data products that begin on each day, by the identifier of their source."""
    none = dict.fromkeys(days, 0)
    begin = held.products["start"].dt.strftime("%Y-%m-%d")
    found: dict[int, dict[str, int]] = {int(identifier): dict(none) for identifier in held.products["identifier"]}
    for identifier, day in zip(held.products["identifier"], begin, strict=True):
        if day in none:
            found[int(identifier)][day] += 1
    return found
