"""What a query names, looked up among a service's data sources: what can match nothing, and what adds nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aurorax_pandas.service.conditions import ListedSource, check_filter, short_suggestion
from aurorax_pandas.sources import NAMED_BY, SOURCE_TYPES, TYPES_OF_BLOCK, platform_meant

_WORDS: Final = {"ground": "sources on the ground", "space": "spacecraft", "events": "event lists"}


class Finding(NamedTuple):
    """What is wrong with a query, and whether it can match nothing because of that."""

    lasting: bool
    message: str


def findings(query: Mapping[str, Any], sources: Sequence[ListedSource]) -> Iterator[Finding]:
    """
    Look up what the blocks of a query name.

    Parameters
    ----------
    query : mapping
        Criteria blocks by kind: ``ground``, ``space``, ``events``, ``data_sources``.
    sources : sequence
        What the service lists.

    Yields
    ------
    Finding
        One for each name, metadata key or value that no source has which its block can mean.
    """
    for kind in (*TYPES_OF_BLOCK, "data_sources"):
        for block in query.get(kind, ()):
            yield from _of_block(kind, block, sources)


def _of_block(kind: str, block: Mapping[str, Any], sources: Sequence[ListedSource]) -> Iterator[Finding]:
    types = TYPES_OF_BLOCK.get(kind)
    # a service that lists none of a kind may keep them elsewhere
    able = [source for source in sources if types is None or source.source_type in types or _is_new(source)]
    able = able or list(sources)
    wanted = {
        key: names
        for key in NAMED_BY
        # the program of event lists is always the same
        if (names := block.get(key) or ()) and not (kind == "events" and key == "programs")
    }
    for key, names in wanted.items():
        known = {getattr(source, NAMED_BY[key]) for source in able} - {None}
        missing = [name for name in names if name not in known]
        for name in missing:
            alone = len(missing) == len(names)
            beside = "" if alone else f"; {', '.join(name for name in names if name in known)} are searched for alone"
            yield Finding(alone, _what_is(kind, key, name, able, sources) + beside)
            if alone:
                return
        wanted[key] = [name for name in names if name in known]
    left = [source for source in able if _bears_all(source, wanted)]
    if not left:
        yield Finding(True, _never_together(kind, wanted, able))
        return
    for key, names in wanted.items():
        held = {getattr(source, NAMED_BY[key]) for source in left}
        for name in names:
            if name not in held:
                others = ", ".join(f"{NAMED_BY[one]} {_either_of(wanted[one])}" for one in wanted if one != key)
                yield Finding(False, f"{kind}: {NAMED_BY[key]} {name!r} adds nothing, no source has it and {others}")
    filters = block.get("ephemeris_metadata_filters")
    if filters:
        for lasting, message in check_filter(filters, left, sources):
            yield Finding(lasting, f"{kind}: {message}")


def _is_new(source: ListedSource) -> bool:
    """Tell whether a source is of a type that this library does not know."""
    return source.source_type not in SOURCE_TYPES


def _bears_all(source: ListedSource, wanted: Mapping[str, Sequence[str]]) -> bool:
    return all(getattr(source, NAMED_BY[key]) in names for key, names in wanted.items())


def _what_is(kind: str, key: str, name: str, able: Sequence[ListedSource], sources: Sequence[ListedSource]) -> str:
    """Say what a name is that no source of a block's kind has in this field, and what to write."""
    column = NAMED_BY[key]
    for other, types in TYPES_OF_BLOCK.items():
        if any(getattr(source, column) == name and source.source_type in types for source in sources):
            return f"{kind}: {column} {name!r} is of {_WORDS[other]}; write {other}={{{key!r}: [{name!r}]}}"
    # a search of sources alone has no blocks, and names the argument
    lacks = f"{key if kind == 'data_sources' else kind}: the service has no {column} {name!r}"
    meant = platform_meant(name)
    for other_key, other_column in NAMED_BY.items():
        own = meant if other_key == "platforms" and meant is not None else name
        if any(getattr(source, other_column) == own for source in able):
            if other_key == key:
                return f"{lacks}; did you mean {own!r}?"
            line = f"{other_key}=[{own!r}]" if kind == "data_sources" else f"{kind}={{{other_key!r}: [{own!r}]}}"
            return f"{lacks}, it is one of the {other_key}; write {line}"
    known = sorted({value for source in able if (value := getattr(source, column))})
    return f"{lacks}; {short_suggestion(name, known)}"


def _never_together(kind: str, wanted: Mapping[str, Sequence[str]], able: Sequence[ListedSource]) -> str:
    """Say that no source has names of all fields, and what those of the first field have in the others."""
    first, *others = wanted
    some = [source for source in able if getattr(source, NAMED_BY[first]) in wanted[first]]
    there = "; ".join(
        f"{other}: {', '.join(sorted({value for source in some if (value := getattr(source, NAMED_BY[other]))}))}"
        for other in others
    )
    both = " and ".join(f"{NAMED_BY[key]} {_either_of(names)}" for key, names in wanted.items())
    return f"{kind}: the service has no source with {both}; with {NAMED_BY[first]} {_either_of(wanted[first])} there are {there}"


def _either_of(names: Sequence[str]) -> str:
    return " or ".join(map(repr, names))
