"""Words in pictures: drawn as they are, measured, and shortened where there is no room for all of them."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from typing import Final

from aurorax_pandas.frame import model

_LABELS: Final = {
    "min_distance": "Minimum distance",
    "max_distance": "Maximum distance",
    "approach_distance": "Closest approach",
    "approach_elevation": "Elevation at closest approach",
    "footprint_uncertainty": "Uncertainty of the footprint",
    "minutes": "Duration",
}
_UNITS: Final = model.UNITS | {
    "approach_distance": "km",
    "approach_elevation": "degrees",
    "footprint_uncertainty": "km",
}
#: Which part of the most telling word's worth a word tells at most that may be left out.
_LITTLE: Final = 0.3
_DOTS: Final = "…"
#: No letter of ASCII is wider, nor are the dots, in parts of the size of letters.
_WIDEST: Final = 1.25
#: How much of what is left of a shortened label is its beginning, in the order in which that is tried.
_HEADS: Final = (0.5, 0.25, 0.75, 0.0, 1.0)


def text_of(value: object) -> str | None:
    """Return a value as text, None where it has no words."""
    try:
        return str(value)
    except Exception:
        # what others define may fail in any way
        return None


def column_label(name: object) -> str:
    """Return the words for a column, with its unit, as matplotlib draws them."""
    words, unit = _words_and_unit(str(name))
    return literal(words) + unit


def column_words(name: object) -> str:
    """Return the words for a column, with its unit."""
    return "".join(_words_and_unit(str(name)))


def _words_and_unit(name: str) -> tuple[str, str]:
    unit = f" [{_UNITS[name]}]" if name in _UNITS else ""
    return _LABELS.get(name, name.replace("_", " ").strip().capitalize() or name), unit


def literal(text: str) -> str:
    """Return a text that matplotlib draws as it is: no mathematics between dollars, no line breaks."""
    shown = "".join(
        letter.encode("unicode_escape").decode("ascii") if unicodedata.category(letter) == "Cc" else letter
        for letter in text
    )
    return shown.replace("$", r"\$")


@functools.lru_cache(4096)
def text_width(text: str, size: float) -> float:
    """Return how wide a text is [points] in letters of a size [points]."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    with warnings.catch_warnings():
        # of letters that a font lacks matplotlib tells when it draws them
        warnings.simplefilter("ignore")
        width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), False)
    return float(width)


def _fits(text: str, room: float, size: float) -> bool:
    """Tell whether a text is no wider than the room there is [points]; to measure each of many lanes takes long."""
    plain = text.removeprefix(_DOTS).isascii()
    return (plain and _WIDEST * size * len(text) <= room) or text_width(text, size) <= room


def wrapped(text: str, room: float, size: float) -> str:
    """Return words of our own in as many lines as they need to be no wider than the room there is [points]."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def fitted(labels: Sequence[str], room: float, size: float) -> list[str]:
    """
    Return labels as they are to be drawn, each no wider than the room there is; they stay distinct.

    Parameters
    ----------
    labels : sequence of str
        The labels, all distinct.
    room : float
        Width that there is [points].
    size : float
        Size of the letters [points].
    """
    plain = [literal(label) for label in labels]
    wide = [number for number, label in enumerate(plain) if not _fits(label, room, size)]
    for beginning in _shared_beginnings(labels) if wide else ():
        alike = [_DOTS + literal(label.removeprefix(beginning)) for label in labels]
        if all(_fits(label, room, size) for label in alike):
            return alike
    told = _telling(labels)
    taken = set(itertools.compress(plain, [number not in set(wide) for number in range(len(plain))]))
    for number in wide:
        tries = itertools.chain(
            _without_words(labels[number], told, room, size),
            (_cut(labels[number], room, size, head) for head in _HEADS),
        )
        found = next((each for each in tries if each not in taken), None)
        turn = itertools.count(2)
        while found is None:
            ending = f"{_DOTS}{next(turn)}"
            shorter = _cut(labels[number], room - text_width(ending, size), size, 1.0).removesuffix(_DOTS) + ending
            found = None if shorter in taken else shorter
        taken.add(found)
        plain[number] = found
    return plain


def _shared_beginnings(labels: Sequence[str]) -> list[str]:
    """Return the words that all labels begin with, one more in each."""
    if len(labels) < 2:
        return []
    # what the first and the last in order begin with, all others do
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(min(labels), max(labels), strict=False))
    shared = "".join(letter for letter, _ in pairs)
    return [shared[: number + 1] for number, letter in enumerate(shared) if letter == " " and shared[:number].strip()]


def _telling(labels: Sequence[str]) -> dict[str, float]:
    """Return how much each word tells of which label it is in: less, the more labels have it."""
    found = collections.Counter(word for label in labels for word in set(label.split()))
    return {word: math.log(len(labels) / count) for word, count in found.items()}


def _without_words(label: str, told: dict[str, float], room: float, size: float) -> Iterator[str]:
    """Yield a label without the words that tell least, if there is room for those that tell most."""
    words = label.split()
    kept = [True] * len(words)
    most = max((told[word] for word in words), default=0.0)
    for number in sorted(range(len(words)), key=lambda at: (round(told[words[at]], 6), at)):
        if told[words[number]] > _LITTLE * most or sum(kept) == 1:
            return
        kept[number] = False
        groups = itertools.groupby(zip(kept, words, strict=True), key=lambda pair: pair[0])
        parts = [literal(" ".join(word for _, word in group)) if shown else _DOTS for shown, group in groups]
        shorter = "".join(parts)
        # dots in the middle tell that words are left out, where there is no room for those before them
        for shown in (shorter, shorter.removeprefix(_DOTS) if shorter.count(_DOTS) > 1 else shorter):
            if text_width(shown, size) <= room:
                yield shown
                return


def _cut(label: str, room: float, size: float, head: float) -> str:
    """Return a label with its middle left out, as long as there is room for."""
    low, high = 2, len(label) - 1
    while low < high:
        letters = (low + high + 1) // 2
        low, high = (
            (letters, high) if text_width(_without_middle(label, letters, head), size) <= room else (low, letters - 1)
        )
    return _without_middle(label, low, head)


def _without_middle(label: str, letters: int, head: float) -> str:
    first = round(letters * head)
    last = letters - first
    return literal(label[:first].rstrip()) + _DOTS + literal(label[len(label) - last :].lstrip() if last else "")
