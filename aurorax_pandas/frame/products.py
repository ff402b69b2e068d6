"""The service's records of data products as a typed frame, and the way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.answers import NamedSource, read_times, write_times
from aurorax_pandas.frame.columns import UNREADABLE, first_line, times_of
from aurorax_pandas.frame.validation import check_kind

#: The kinds of data products that the service has; it may send others.
DATA_PRODUCT_TYPES: Final = ("keogram", "montage", "movie", "summary_plot", "data_availability")

RESPONSE_FORMAT: Final[dict[str, Any]] = {
    "data_source": dict.fromkeys(model.SOURCE_FIELDS, True),
    **dict.fromkeys(("data_product_type", "start", "end", "url", "metadata"), True),
}


class _Product(msgspec.Struct, gc=False):
    data_source: NamedSource
    data_product_type: str
    start: str
    end: str
    url: str
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


_decode_product = msgspec.json.Decoder(_Product).decode


def products_from_items(items: Sequence[msgspec.Raw]) -> pd.DataFrame:
    """
    Make a frame of the service's records of data products.

    Parameters
    ----------
    items : sequence of msgspec.Raw
        The records, undecoded; see `answers.split_records`.

    Returns
    -------
    pandas.DataFrame
        The frame of `read_aurorax_data_products`.

    Raises
    ------
    AuroraxDataError
        If a record cannot be read; the message names it, counted from 0.
    """
    products = []
    for number, item in enumerate(items):
        try:
            product = _decode_product(item)
            if bytes(product.metadata)[:1] not in (b"{", b"n"):
                raise msgspec.DecodeError("its metadata is no object")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise AuroraxDataError(f"data product {number} of {len(items)} cannot be used: {error}") from None
        products.append(product)
    columns: dict[str, Any] = {
        name: [getattr(product.data_source, name) for product in products] for name in model.SOURCE_FIELDS
    }
    columns |= {name: [getattr(product, name) for product in products] for name in ("data_product_type", "url")}
    metadata = [bytes(product.metadata).decode() for product in products]
    columns["metadata"] = ["{}" if text == "null" else text for text in metadata]
    try:
        columns |= {name: read_times([getattr(product, name) for product in products]) for name in ("start", "end")}
    except ValueError as error:
        raise AuroraxDataError(f"a time of a data product cannot be read: {error}") from None
    return _as_products(pd.DataFrame(columns))


def _as_products(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns their order and dtypes, and rows theirs."""
    sent = frame["data_product_type"].dropna().astype("str").unique().tolist()
    kinds = pd.CategoricalDtype([*DATA_PRODUCT_TYPES, *sorted(set(sent).difference(DATA_PRODUCT_TYPES))])
    dtypes = {**model.DATA_PRODUCT_COLUMNS, "data_product_type": kinds}
    typed = frame[list(dtypes)].astype(dtypes)
    return typed.sort_values(["start", "identifier", "data_product_type", "end", "url"], ignore_index=True)


def empty_products() -> pd.DataFrame:
    """Return a frame of data products without rows."""
    return products_from_items([])


def as_products(frame: object) -> pd.DataFrame:
    """
    Return a frame of data products, typed, from one whose metadata may be dicts and whose dtypes may be others.

    Times are cut to whole seconds, as the service has them.

    Raises
    ------
    AuroraxInputError
        If a column is missing, a value of it cannot be read, or a row has no URL or no span of time.
    """
    if not isinstance(frame, pd.DataFrame):
        raise AuroraxInputError(f"data_products is a {type(frame).__name__}; give a frame of data products")
    missing = [name for name in model.DATA_PRODUCT_COLUMNS if name not in frame and name != "metadata"]
    if missing:
        raise AuroraxInputError(f"data_products: the column {missing[0]!r} is missing")
    frame = frame.copy(deep=False)
    frame.attrs = {}
    given = frame["metadata"].tolist() if "metadata" in frame else [None] * len(frame)
    frame["metadata"] = [_metadata_text(one) for one in given]
    try:
        for name in ("start", "end"):
            frame[name] = times_of(frame[name]).astype("M8[s]")
        made = _as_products(frame)
    except UNREADABLE as error:
        raise AuroraxInputError(f"data_products cannot be read: {first_line(error)}") from None
    return check_kind(made, "data_products")


def _metadata_text(given: Any) -> str:
    if isinstance(given, dict):
        try:
            return json.dumps(given, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise AuroraxInputError(f"data_products: metadata cannot be written as JSON: {error}") from None
    if given is None or given != given:
        return "{}"
    try:
        if isinstance(json.loads(given), dict):
            return str(given)
    except (TypeError, ValueError, RecursionError):
        pass
    raise AuroraxInputError(f"data_products: metadata {given!r} is no JSON object; give a dict, or its JSON text")


def records_from_products(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return data products as the service's records."""
    table = frame[list(model.SOURCE_FIELDS)].astype(object)
    sources = table.where(table.notna(), None).to_dict("records")
    starts, ends = (write_times(frame[name].to_numpy()) for name in ("start", "end"))
    kinds, urls, metadata = (frame[name].astype(object) for name in ("data_product_type", "url", "metadata"))
    rows = zip(sources, kinds, starts, ends, urls, metadata, strict=True)
    return [
        {
            "data_source": source,
            "data_product_type": kind,
            "start": start,
            "end": end,
            "url": url,
            "metadata": json.loads(text),
        }
        for source, kind, start, end, url, text in rows
    ]


def overlapping(frame: pd.DataFrame, start: Any, end: Any) -> pd.Series[Any]:
    """Tell which data products share some time with a span, ends included."""
    return (frame["start"] <= np.datetime64(end)) & (frame["end"] >= np.datetime64(start))
