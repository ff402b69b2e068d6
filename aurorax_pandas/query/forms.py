"""What to write where criteria blocks were meant and something else was given."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

from aurorax_pandas.checks import as_list, as_number, shown
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.query.blocks import NOT_GIVEN, DataSourceBlock, read_location
from aurorax_pandas.sources import NAMED_BY, SPACECRAFT, known_sources, platform_meant

_EVERY: Final = {"ground": "every data source on the ground", "space": "every spacecraft", "events": "every event list"}


def refuse_bare(argument: str, given: Any) -> None:
    """
    Raise where names or places stand in place of criteria blocks, with the line to write.

    Parameters
    ----------
    argument : {"ground", "space", "events", "custom_locations"}
        What was given.
    given : object
        As the caller gave it.

    Raises
    ------
    AuroraxInputError
        If it holds names or places alone.
    """
    items = as_list(given)
    if argument == "custom_locations":
        if isinstance(given, Mapping) and set(given) == {"lat", "lon"}:
            items = [given]
        elif isinstance(given, Mapping) and given and all(map(_is_place, given.values())):
            items = list(given.values())
        elif len(items) == 2 and all(as_number(item) == as_number(item) for item in items):
            items = [tuple(items)]
        if items and all(map(_is_place, items)):
            line = f"custom_locations={{'locations': {shown(items)}}}"
            raise AuroraxInputError(f"{argument}={shown(given)} holds places, not criteria blocks; write {line}")
    elif items and all(isinstance(item, str) for item in items):
        raise AuroraxInputError(
            f"{argument}={shown(given)} holds names, not criteria blocks; write {_line_of_names(argument, items)}"
        )


def _is_place(item: object) -> bool:
    try:
        read_location(item)
    except AuroraxInputError:
        return False
    return True


def _line_of_names(argument: str, names: list[str]) -> str:
    """Return the argument with a block of these names, each in the field that it is known in."""
    sources = known_sources()
    block: dict[str, list[str]] = {}
    found = set()
    for name in names:
        plain = platform_meant(name) or name
        folded = plain.lower()
        for key, column in NAMED_BY.items():
            hit = sources[sources[column].str.lower() == folded]
            if len(hit):
                block.setdefault(key, []).append(str(hit[column].iloc[0]))
                found |= set(hit["source_type"])
                break
        else:
            block.setdefault("programs", []).append(name)
    if found == {"ground"}:
        argument = "ground"
    elif found and found <= set(SPACECRAFT):
        argument = "space"
    return f"{argument}={shown(block)}"


def tell_of_every_source(argument: str, given: Any) -> None:
    """
    Warn where a block holds lists of names that are all empty.

    Warns
    -----
    AuroraxDataWarning
        Since such a block asks for every source, which an empty list of somebody's own selection hardly means.
    """
    for block in as_list(given) if argument in _EVERY else ():
        lists = _lists_given(block)
        if lists and not any(as_list(names) for names in lists.values()):
            warnings.warn(
                f"{argument}: {shown(lists)} names nothing, which means {_EVERY[argument]}; leave the block out, or give "
                "names",
                AuroraxDataWarning,
                stacklevel=callers_level(),
            )


def _lists_given(block: object) -> dict[str, Any]:
    """Return the lists of names that a block was given, empty ones too."""
    if isinstance(block, Mapping):
        return {key: block[key] for key in NAMED_BY if key in block}
    if not isinstance(block, DataSourceBlock):
        # the blocks of other clients do not tell what was left out
        return {}
    lists = {key: getattr(block, key) for key in NAMED_BY}
    # a block of events has its program without being given one
    return {key: list(found) for key, found in lists.items() if found is not NOT_GIVEN and found != ("events",)}
