"""Orbit mean-elements messages (OMM) in their four forms, CSV, JSON, XML and KVN, as plain fields by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pandas as pd

from aurorax_pandas.checks import shown
from aurorax_pandas.exceptions import AuroraxInputError, AuroraxMissingExtraError

_JSON: Final = re.compile(r"\[\s*[\]{]|\{")
_KVN: Final = re.compile(r"^\s*(CCSDS_OMM_VERS|EPOCH|MEAN_MOTION)\s*=", re.MULTILINE | re.IGNORECASE)
_UNIT: Final = re.compile(r"\s*\[[^\]]*\]\s*$")

Fields = dict[str, Any]


def form_of_omm(text: str) -> Callable[[str], list[Fields]] | None:
    """Return what reads the form of OMM that a text is in, None where it is in none."""
    if _JSON.match(text):
        return _read_omm_json
    if text.startswith("<"):
        return _read_xml
    if _KVN.search(text):
        return _read_kvn
    header = {name.strip(' "').upper() for name in text.partition("\n")[0].split(",")}
    return _read_csv if {"EPOCH", "MEAN_MOTION"} <= header else None


def _is_nothing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def named_fields(values: Iterable[tuple[Any, Any]]) -> Fields:
    """Return fields by their names in capitals, without what is missing."""
    return {
        str(name).strip().upper(): value.strip() if isinstance(value, str) else value
        for name, value in values
        if not (name is None or _is_nothing(value))
    }


def _read_omm_json(text: str) -> list[Fields]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AuroraxInputError(f"elements: the text is not valid JSON: {error}") from None
    found = parsed if isinstance(parsed, list) else [parsed]
    for each in found:
        if not isinstance(each, Mapping):
            raise AuroraxInputError(f"elements: {shown(each)} stands in the JSON where an element set should")
    return [named_fields(each.items()) for each in found]


def _read_csv(text: str) -> list[Fields]:
    try:
        return [named_fields(row.items()) for row in csv.DictReader(io.StringIO(text, newline=""))]
    except csv.Error as error:
        raise AuroraxInputError(f"elements: the text is not valid CSV: {error}") from None


def _read_kvn(text: str) -> list[Fields]:
    messages: list[Fields] = [{}]
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        key = name.strip().upper()
        if not sign or key.startswith("COMMENT"):
            continue
        # no name stands twice in one message
        if key in messages[-1]:
            messages.append({})
        messages[-1][key] = _UNIT.sub("", value)
    return [named_fields(each.items()) for each in messages]


def _read_xml(text: str) -> list[Fields]:
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import ParseError, fromstring
    except ImportError as error:
        raise AuroraxMissingExtraError.of("reading elements in XML", "defusedxml", "orbit") from error
    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise AuroraxInputError(
            f"elements: the XML declares a document type or entities, no OMM does: {error}"
        ) from None
    except (ParseError, ValueError) as error:
        raise AuroraxInputError(f"elements: the text is not valid XML: {error}") from None
    segments = [each for each in root.iter() if _local_name(each) == "segment"]
    return [
        named_fields((_local_name(each), each.text) for each in segment.iter() if not len(each)) for segment in segments
    ]


def _local_name(element: Any) -> str:
    # the schema of messages can be the default namespace
    return str(element.tag).rpartition("}")[2]
