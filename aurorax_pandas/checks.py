"""What a caller gave, read and checked: lists, names out of a few, numbers in a range, counts."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Integral, Real
from types import FunctionType
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.geometry import CIRCUMFERENCE

_T = TypeVar("_T")

_MOST_SHOWN: Final = 200
_MOST_LISTED: Final = 20
_LONGEST_NAME: Final = 80
#: Words of other clients for functions that give something.
_TO_HAVE: Final = frozenset({"get", "list", "read", "load", "fetch", "download"})
_SHORTEST_WORD: Final = 4
#: Half of a character: text that was cut, or read wrongly.
_HALF: Final = re.compile("[\ud800-\udfff]")


def invalid(argument: str, value: object, wanted: str) -> AuroraxInputError:
    """Return the error that names an argument, its value and what to give instead."""
    return AuroraxInputError(f"{argument}={shown(value)} is not valid; give {wanted}")


def shown(value: object) -> str:
    """Return a value as it stands in a message: on one line, a long text cut, its type where it is long or computes."""
    if isinstance(value, str) and len(value) > _MOST_SHOWN:
        return f"{value[:_MOST_SHOWN]!r}…"
    if any(map(_computes, value if isinstance(value, list | tuple) else [value])):
        return f"<{type(value).__name__}>"
    try:
        text = repr(value)
    except Exception:
        # Python does not write out the largest of its whole numbers, and what others define may fail in any way
        text = ""
    return text if text and "\n" not in text and len(text) <= _MOST_SHOWN else f"<{type(value).__name__}>"


def reason_of(error: Exception) -> str:
    """Return why a file cannot be read, without its name, which the message has already."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0]


def cut(text: object, pieces: int = 1) -> str:
    """Return a name as it stands in a message: whole, but for a very long one."""
    whole = " ".join(str(text).split())
    most = pieces * _LONGEST_NAME
    return whole if len(whole) <= most else f"{whole[:most]}…"


def listed(names: Sequence[object], most: int = _MOST_LISTED) -> str:
    """Return names in a row, as many as can be read, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(cut, names[:most])) + more


def _computes(value: object) -> bool:
    """Tell whether this is no value, but a way to one: a function, a grouper of pandas, something of Dask."""
    return isinstance(value, pd.Grouper | FunctionType) or hasattr(type(value), "__dask_graph__")


def as_list(value: object) -> list[Any]:
    """Return a list of what was given alone or as a sequence."""
    if value is None:
        return []
    if isinstance(value, str | bytes | Mapping) or getattr(value, "ndim", 1) == 0:
        return [value]
    if isinstance(value, Sequence | np.ndarray | pd.Index | pd.Series | set | frozenset):
        return list(value)
    return [value]


def nearest_name(value: object, known: Iterable[str]) -> str | None:
    """Return which known name a misspelt one may mean, None where none is near."""
    folded = {name.lower(): name for name in known}
    close = difflib.get_close_matches(shown(value).strip("'\"").lower(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def names_with_words(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that have all words of a name, but for words that only say that something is to be had."""
    words = [word for word in name.lower().split("_") if word not in _TO_HAVE]
    if not words or min(map(len, words)) < _SHORTEST_WORD:
        return []
    return [each for each in known if all(word in each.lower() for word in words)]


def suggestion(value: object, known: Iterable[str]) -> str:
    """Return which known name a misspelt one may mean, or else which there are."""
    names = list(known)
    near = nearest_name(value, names)
    if near is not None:
        return f"did you mean {near!r}?"
    return f"valid: {listed(names)}"


def choice(argument: str, value: _T, known: Sequence[_T]) -> _T:
    """Return a value that is one of those known, or raise with these."""
    # what is no text may not be comparable
    if not (value is None or isinstance(value, str)) or value not in known:
        *others, last = map(repr, known)
        raise invalid(argument, value, f"{', '.join(others)} or {last}" if others else last)
    return value


def known_name(argument: str, value: object, known: Sequence[str]) -> str:
    """Return a name that is one of those known, or raise with the one that may be meant."""
    if not isinstance(value, str) or value not in known:
        raise AuroraxInputError(f"{argument}: {shown(value)} is not known; {suggestion(value, known)}")
    return str(value)


def names(argument: str, value: object) -> tuple[str, ...]:
    """Return the names that were given, one or several, or raise where one is no text."""
    texts = as_list(value)
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise AuroraxInputError(f"{argument}: {shown(text)} is not a name; give text, or a list of texts")
    return tuple(whole_text(argument, text) for text in texts)


def whole_text(argument: str, text: str) -> str:
    """Return a text as a plain one, or raise where it holds half of a character, which cannot be written or compared."""
    if not text.isascii() and _HALF.search(text):
        raise AuroraxInputError(
            f"{argument}: {shown(text)} holds half of a character (a surrogate), as no text of a file or a service does; "
            "give it whole"
        )
    return str(text)


def check_frame(value: object, verb: str = "this") -> None:
    """Raise where what a verb was given is no DataFrame."""
    if not isinstance(value, pd.DataFrame):
        raise AuroraxInputError(
            f"{verb} needs a DataFrame, not a {type(value).__name__}; as_conjunctions(data) makes one of what holds "
            "conjunctions"
        )


def one_name(argument: str, value: Any) -> Any:
    """Return what can be the name of one column, or raise where it is several, or nothing that names."""
    try:
        hash(value)
    except (TypeError, ValueError):
        # NumPy hashes no span of time without a unit
        raise invalid(argument, value, "one name") from None
    if value is None or value is pd.NA or _computes(value) or value != value:
        raise invalid(argument, value, "one name")
    return value


def flag(argument: str, value: object) -> bool:
    """Return whether something is wanted, or raise where that cannot be told."""
    if not (value is None or isinstance(value, int | np.bool_)):
        raise invalid(argument, value, "True or False")
    return bool(value)


def either_word(**words: object) -> tuple[str, list[str] | None]:
    """
    Return which of some words for one thing a caller used, and the names given by it; None for none.

    Parameters
    ----------
    **words : object
        What was given, by word, the usual word first: None, one name, or several.

    Raises
    ------
    AuroraxInputError
        If two words are used, or what is given is no text, nor a list of texts.
    """
    used = {word: value for word, value in words.items() if value is not None}
    if len(used) > 1:
        raise AuroraxInputError(f"{' and '.join(f'{word}=' for word in used)} mean one thing; give one of them")
    for word, value in used.items():
        given = as_list(value)
        if not given or not all(isinstance(text, str) and text.strip() for text in given):
            raise invalid(word, value, "text, or a list of texts")
        return word, [whole_text(word, text) for text in given]
    return next(iter(words)), None


def as_number(value: Any) -> float:
    """Return a number as float, infinite (by its sign) where a float cannot hold it, and NaN for what is no number."""
    if getattr(value, "ndim", None) == 0:
        value = np.asarray(value)[()]
    # NumPy counts a span of time among the integers
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, Real | Decimal):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value == abs(value) else -math.inf
    except ValueError:
        return math.nan


def checked_number(argument: str, value: object, valid: Callable[[float], bool], wanted: str) -> float:
    """
    Return a number, or raise where it is none or not a valid one.

    Parameters
    ----------
    argument : str
        Name to use in the error.
    value : object
        What was given.
    valid : callable
        Tells of a float whether it is inside the bounds; it is asked with NaN for what is no number.
    wanted : str
        What to give instead, with its unit.
    """
    found = as_number(value)
    if not valid(found):
        raise invalid(argument, value, wanted)
    return found


def refuse_farther(argument: str, kilometres: float) -> float:
    """Return a distance [km], or raise where it is more than the way around the Earth: metres were meant."""
    # round numbers above the farthest there is are a usual way to ask for all
    if math.isfinite(kilometres) and kilometres > CIRCUMFERENCE:
        raise AuroraxInputError(
            f"{argument}: {kilometres:.12g} km is farther than the way around the Earth, {CIRCUMFERENCE:.0f} km; distances are "
            f"in [km]: give {kilometres / 1000:.12g} if these are metres"
        )
    return kilometres


def whole_number(argument: str, value: object) -> int:
    """Return a whole number above 0, or raise."""
    if isinstance(value, bool | np.timedelta64) or not isinstance(value, Integral) or value < 1:
        raise invalid(argument, value, "a whole number above 0")
    return int(value)
