"""Element sets of satellites as people have them: two-line elements and OMM, as text, file, lines or dicts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from aurorax_pandas.checks import as_number, reason_of, shown
from aurorax_pandas.ephemeris.omm import Fields, form_of_omm, named_fields
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.times import to_utc

#: Microseconds in a day.
DAY: Final = 86_400_000_000
#: What `read_elements` takes.
Elements = str | Path | Mapping[str, Any] | Sequence[Any] | pd.DataFrame

_LINE: Final = re.compile(r"[12] [0-9A-Z ][0-9 ]{4}[UCST ]? ")
# letters stand for 10 to 33; I and O are left out
_ALPHA: Final = {letter: 10 + at for at, letter in enumerate("ABCDEFGHJKLMNPQRSTUVWXYZ")}
# the largest catalogue number that five places, the first a letter, can hold
_LARGEST_ALPHA: Final = 339_999
_SGP4_TYPES: Final = ("", "0", "2", "3")
_KNOWN: Final = {
    "MEAN_ELEMENT_THEORY": ("SGP4", "SGP/SGP4"),
    "CENTER_NAME": ("EARTH",),
    "REF_FRAME": ("TEME",),
    "TIME_SYSTEM": ("UTC",),
}
_ORBIT: Final = ("MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "RA_OF_ASC_NODE", "ARG_OF_PERICENTER", "MEAN_ANOMALY")
_DAY_OF_YEAR: Final = re.compile(r"(\d{4})-(\d{3})(?:T(.+))?")


@dataclass(frozen=True)
class ElementSet:
    """
    One set of mean elements of a satellite.

    Attributes
    ----------
    number : int or None
        Catalogue number, of any length; None where the set has none.
    name : str
        Name in the file, empty where there is none.
    designator : str
        International designator in the file, empty where there is none.
    instant : numpy.datetime64
        Instant of the elements (UTC).
    launch_year : int or None
        Year of the launch by the designator.
    revision : int
        Number of the set, which grows as sets of a satellite are made; 0 where there is none.
    orbit : sgp4.api.Satrec
        The elements, ready for SGP4.
    """

    number: int | None
    name: str
    designator: str
    instant: np.datetime64
    launch_year: int | None
    revision: int
    orbit: Any

    @property
    def satellite(self) -> int | str:
        """What tells the satellite from others: its number, else its designator, else its name."""
        return self.designator or self.name if self.number is None else self.number


def read_elements(elements: Elements) -> list[ElementSet]:
    """
    Read element sets, checked, in the order in which they stand.

    Parameters
    ----------
    elements : str, pathlib.Path, mapping, pandas.DataFrame or sequence
        The text of element sets, or of one line the name of a file that holds it; a path; one OMM as a dict, or many
        as a frame; a list of lines, of pairs of lines, of dicts or of paths.

    Raises
    ------
    AuroraxInputError
        If a set cannot be read, or is not for SGP4; the message names it.
    """
    found = _read_sets(elements)
    if not found:
        raise AuroraxInputError(
            "elements: there are no element sets; give two-line elements, or OMM as CSV, JSON, XML or KVN"
        )
    return found


def _read_sets(elements: Any) -> list[ElementSet]:
    if isinstance(elements, Path):
        return _read_text(_text_of_file(elements))
    if isinstance(elements, str):
        text = elements.removeprefix("\ufeff").strip()
        if "\n" in text or "\r" in text or form_of_omm(text) or _is_line(text):
            return _read_text(elements)
        if "://" in text:
            raise AuroraxInputError(
                f"elements={shown(text)} is an address; give the text that is there, or a file of it"
            )
        return _read_text(_text_of_file(Path(text))) if text else []
    if isinstance(elements, Mapping):
        return [_from_fields(named_fields(elements.items()))]
    if isinstance(elements, pd.DataFrame):
        return [_from_fields(named_fields(row.items())) for row in elements.to_dict("records")]
    if isinstance(elements, Sequence) and not isinstance(elements, bytes):
        if elements and all(isinstance(one, str) for one in elements):
            return _read_text("\n".join(elements))
        if all(isinstance(one, Mapping | Path | Sequence) and not isinstance(one, str | bytes) for one in elements):
            return [each for one in elements for each in _read_sets(one)]
    raise AuroraxInputError(
        f"elements is a {type(elements).__name__} that holds no element sets; give their text, a file, lines or dicts"
    )


def _text_of_file(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise AuroraxInputError(
            f"elements={shown(str(path))} is neither the text of element sets nor a file that can be read: {reason_of(error)}"
        ) from None


def _read_text(text: str) -> list[ElementSet]:
    text = text.removeprefix("\ufeff").strip()
    read = form_of_omm(text)
    return _read_lines(text) if read is None else [_from_fields(each) for each in read(text)]


# two-line elements


def _read_lines(text: str) -> list[ElementSet]:
    found: list[ElementSet] = []
    name, first = "", ""
    for row in map(str.strip, text.splitlines()):
        if row.startswith("#"):
            continue
        if not row:
            # what stands apart is a headline
            name = name if first else ""
        elif first:
            _check_line(row, "2")
            found.append(_from_lines(name, first, row))
            name, first = "", ""
        elif _is_line(row):
            _check_line(row, "1")
            first = row
        else:
            name = re.sub(r"^0 +", "", row)
    if first:
        raise AuroraxInputError(f"elements: the second line of an element set is missing after {first!r}")
    return found


def _is_line(row: str) -> bool:
    """Tell whether a row is a line of an element set, or would be but for a slip."""
    if row[:2] not in ("1 ", "2 "):
        return False
    digits, letters = sum(map(str.isdigit, row)), sum(map(str.isalpha, row))
    return bool(_LINE.match(row)) or (60 <= len(row) <= 75 and digits > letters)


def _check_line(row: str, first: str) -> None:
    if not row.startswith(f"{first} "):
        raise AuroraxInputError(f"elements: {shown(row)} stands where line {first} of an element set should")
    if len(row) != 69 or not row.isascii():
        raise AuroraxInputError(f"elements: {shown(row)} has {len(row)} characters; a line of an element set has 69")
    total = sum(int(one) if one.isdigit() else one == "-" for one in row[:68]) % 10
    if row[68] != str(total):
        raise AuroraxInputError(f"elements: the checksum of {row!r} is {row[68]}, not {total}; copy the line again")


def _from_lines(name: str, first: str, second: str) -> ElementSet:
    from sgp4.api import Satrec

    label = name or f"NORAD {first[2:7].strip()}"
    if second[2:7].strip() != first[2:7].strip():
        raise AuroraxInputError(f"elements: {second!r} is of another satellite than {first!r}")
    _check_type(label, first[62].strip())
    try:
        number = catalogue_number(first[2:7])
        orbit = Satrec.twoline2rv(first, second)
        revision = int(first[64:68].strip() or 0)
        if not (orbit.no_kozai > 0 and 0 <= orbit.ecco < 1 and np.isfinite([orbit.inclo, orbit.argpo, orbit.mo]).all()):
            raise ValueError("its numbers are of no orbit")
    except ValueError as error:
        raise AuroraxInputError(f"elements: the element set of {label} cannot be read: {error}") from None
    instant = np.datetime64("1970-01-01", "us") + np.timedelta64(
        round((orbit.jdsatepoch - 2440587.5) * DAY) + round(orbit.jdsatepochF * DAY), "us"
    )
    designator = first[9:17].strip()
    launched = re.fullmatch(r"(\d{2})(\d{3})[A-Z]*", designator)
    # two digits of a year reach from 1957, the first launch, to 2056
    year = None if launched is None else int(launched[1]) + (1900 if int(launched[1]) > 56 else 2000)
    if launched is not None and not int(launched[2]):
        year = None
    return ElementSet(number, name, designator, instant, year, revision, orbit)


def catalogue_number(text: str) -> int:
    """Return a catalogue number, whose first of five places may be a letter: E8493 is 148493."""
    text = text.strip()
    if re.fullmatch(r"[A-HJ-NP-Z]\d{4}", text):
        return _ALPHA[text[0]] * 10_000 + int(text[1:])
    if not re.fullmatch(r"\d{1,9}", text):
        raise ValueError(f"{text!r} is no catalogue number")
    return int(text)


def _check_type(label: str, kind: str) -> None:
    if kind not in _SGP4_TYPES:
        named = " (SGP4-XP)" if kind == "4" else ""
        raise AuroraxInputError(
            f"elements: those of {label} are of ephemeris type {kind}{named}, not for SGP4; give a set of type 0"
        )


# OMM


def _from_fields(fields: Fields) -> ElementSet:
    from sgp4.api import WGS72, Satrec

    name, designator = (str(fields.get(key, "")) for key in ("OBJECT_NAME", "OBJECT_ID"))
    label = name or designator or f"NORAD {fields.get('NORAD_CAT_ID', '(no number)')}"
    for key, known in _KNOWN.items():
        if key in fields and str(fields[key]).upper() not in known:
            raise AuroraxInputError(
                f"elements: {key} of {label} is {fields[key]!r}; only sets for SGP4 in TEME and UTC can be used: "
                f"{' or '.join(known)}"
            )
    kind = _number(label, fields, "EPHEMERIS_TYPE", 0.0)
    _check_type(label, f"{kind:g}")
    number = None
    if "NORAD_CAT_ID" in fields:
        given = fields["NORAD_CAT_ID"]
        whole = as_number(given)
        try:
            number = catalogue_number(str(int(whole)) if whole.is_integer() else str(given))
        except ValueError as error:
            raise AuroraxInputError(f"elements: NORAD_CAT_ID of {label}: {error}; give its number") from None
    elif not (designator or name):
        raise AuroraxInputError("elements: an OMM has no NORAD_CAT_ID, OBJECT_ID or OBJECT_NAME; give one")
    motion, eccentricity, *angles = (_number(label, fields, key) for key in _ORBIT)
    if "BSTAR" not in fields:
        warnings.warn(
            f"the elements of {label} have no BSTAR: its orbit is computed without drag",
            AuroraxDataWarning,
            stacklevel=callers_level(),
        )
    if not (motion > 0 and 0 <= eccentricity < 1):
        raise AuroraxInputError(
            f"elements: MEAN_MOTION {motion:g} and ECCENTRICITY {eccentricity:g} of {label} are of no orbit"
        )
    instant = _instant_of_omm(label, fields)
    days = (instant - np.datetime64("1949-12-31", "us")) / np.timedelta64(1, "D")
    inclination, node, pericentre, anomaly = np.radians(angles).tolist()
    orbit = Satrec()
    orbit.sgp4init(
        WGS72,
        "i",
        # it cannot hold a longer number, and does not compute with it
        number if number is not None and number <= _LARGEST_ALPHA else 0,
        days,
        _number(label, fields, "BSTAR", 0.0),
        # SGP4 does not read the derivatives of the mean motion
        0.0,
        0.0,
        eccentricity,
        pericentre,
        inclination,
        anomaly,
        motion / 720.0 * np.pi,
        node,
    )
    launched = re.fullmatch(r"(\d{4})-?(\d{3})[A-Z]*", designator)
    return ElementSet(
        number,
        name,
        designator,
        instant,
        int(launched[1]) if launched is not None and int(launched[2]) else None,
        int(_number(label, fields, "ELEMENT_SET_NO", 0.0)),
        orbit,
    )


def _number(label: str, fields: Fields, key: str, other: float | None = None) -> float:
    if key not in fields:
        if other is None:
            raise AuroraxInputError(f"elements: {key} of {label} is missing; an OMM for SGP4 has it")
        return other
    try:
        value = float(fields[key])
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise AuroraxInputError(f"elements: {key} of {label} is {fields[key]!r}, which is no number")
    return value


def _instant_of_omm(label: str, fields: Fields) -> np.datetime64:
    if "EPOCH" not in fields:
        raise AuroraxInputError(f"elements: EPOCH of {label} is missing; an OMM for SGP4 has it")
    given = fields["EPOCH"]
    argument = f"elements: EPOCH of {label}"
    counted = _DAY_OF_YEAR.fullmatch(given) if isinstance(given, str) else None
    if counted is None:
        instant = to_utc(argument, given)
    else:
        year, day, rest = counted.groups()
        instant = to_utc(argument, f"{year}-01-01T{rest or '00:00'}") + pd.Timedelta(int(day) - 1, "D")
        if instant.year != int(year):
            raise AuroraxInputError(f"{argument}={given!r} is no day of {year}; give days from 001")
    found: np.datetime64 = instant.to_datetime64().astype("M8[us]")
    return found
