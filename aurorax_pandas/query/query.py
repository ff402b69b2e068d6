"""The query of a search: made of arguments, read from elsewhere, and said in words."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, TypedDict, Unpack

from aurorax_pandas.checks import as_list, as_number, invalid, known_name, reason_of, refuse_farther, shown, suggestion
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.options import names_search
from aurorax_pandas.query.blocks import (
    CustomLocationsBlocks,
    CustomLocationsCriteriaBlock,
    EventsBlocks,
    EventsCriteriaBlock,
    GroundBlocks,
    GroundCriteriaBlock,
    SpaceBlocks,
    SpaceCriteriaBlock,
)
from aurorax_pandas.query.filters import from_mapping
from aurorax_pandas.query.forms import refuse_bare, tell_of_every_source
from aurorax_pandas.sources import CONJUNCTION_TYPES, DEFAULT_TYPES
from aurorax_pandas.times import window

MAX_BLOCKS: Final = 10


def _flag(argument: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise invalid(argument, value, "True, False or None")


def _kilometres(pair: str, value: Any) -> int | float | None:
    if value is None:
        return None
    distance = as_number(value)
    if not (math.isfinite(distance) and distance >= 0):
        raise AuroraxInputError(
            f"distance of {pair}: {shown(value)} is not a distance; give 0 or more [km], or None for no limit"
        )
    return int(distance) if distance.is_integer() else distance


def block_names(ground: int, space: int, events: int, custom_locations: int) -> list[str]:
    """Return the names of the blocks as they stand in distance pairs: ``ground1``, ``space1``, …, ``adhoc1``."""
    counts = {"ground": ground, "space": space, "events": events, "adhoc": custom_locations}
    return [f"{name}{number + 1}" for name, count in counts.items() for number in range(count)]


def _max_distances(distance: Any, names: list[str]) -> dict[str, int | float | None]:
    pairs = [f"{first}-{second}" for first, second in itertools.combinations(names, 2)]
    if distance is None:
        raise AuroraxInputError("distance is missing; give a number [km], or a dict of pairs where None means no limit")
    if not isinstance(distance, Mapping):
        return dict.fromkeys(pairs, _kilometres("every pair", distance))
    by_pair: dict[str, Any] = {}
    for key, value in distance.items():
        text = key if isinstance(key, str) else shown(key)
        first, dash, second = text.replace("custom_locations", "adhoc").replace(" ", "").partition("-")
        pair = next((name for name in (f"{first}-{second}", f"{second}-{first}") if dash and name in pairs), None)
        if pair is None:
            raise AuroraxInputError(f"distance: no pair {shown(key)} in this search; {suggestion(key, pairs)}")
        if pair in by_pair:
            raise AuroraxInputError(f"distance: the pair {pair!r} is given twice")
        by_pair[pair] = _kilometres(pair, value)
    return {pair: by_pair.get(pair) for pair in pairs}


class HoldsQuery(Protocol):
    """A search, ours or of PyAuroraX: what it sends is its ``query``."""

    @property
    def query(self) -> Any:
        """The query as it is sent."""
        ...


#: What `query=` takes.
QueryLike = Mapping[str, Any] | str | Path | HoldsQuery


class QueryArguments(TypedDict, total=False):
    """What a search asks for beside its window and its distances, as in `Query.from_arguments`."""

    ground: GroundBlocks
    space: SpaceBlocks
    events: EventsBlocks
    custom_locations: CustomLocationsBlocks
    conjunction_types: str | Sequence[str] | None
    subminute_precision: bool | None
    query: QueryLike | None


@dataclass(frozen=True)
class Query:
    """
    What a search asks for, checked: the one form in which it goes to the service or to an engine.

    Parameters
    ----------
    start, end : str
        The window, inclusive, in whole seconds, UTC.
    ground, space, events, custom_locations : tuple of criteria blocks
        Who takes part.
    max_distances : dict
        The largest distance [km] of every pair of blocks, None for no limit.
    conjunction_types : tuple of {"nbtrace", "sbtrace", "geographic"}
        Which locations are compared.
    subminute_precision : bool, optional
        Whether epochs every 30 s are searched; None for the service's own choice.
    """

    start: str
    end: str
    ground: tuple[GroundCriteriaBlock, ...]
    space: tuple[SpaceCriteriaBlock, ...]
    events: tuple[EventsCriteriaBlock, ...]
    custom_locations: tuple[CustomLocationsCriteriaBlock, ...]
    max_distances: Mapping[str, float | None]
    conjunction_types: tuple[str, ...]
    subminute_precision: bool | None

    @classmethod
    def from_arguments(
        cls,
        start: Any = None,
        end: Any = None,
        distance: float | Mapping[str, float | None] | None = None,
        *,
        ground: GroundBlocks = (),
        space: SpaceBlocks = (),
        events: EventsBlocks = (),
        custom_locations: CustomLocationsBlocks = (),
        conjunction_types: str | Sequence[str] | None = None,
        subminute_precision: bool | None = None,
        query: QueryLike | None = None,
    ) -> Query:
        """
        Return the query of what a caller gave: window, distance and blocks, or a whole query.

        The arguments are those of `aurorax_pandas.read_aurorax_conjunctions`.

        Raises
        ------
        AuroraxInputError
            If not exactly one of these is given, or an argument cannot be sent; the message names it, its value and
            the fix.

        Warns
        -----
        AuroraxDataWarning
            If a block has lists of names that are all empty: it asks for every source.
        """
        blocks: dict[str, Any] = {
            "ground": ground,
            "space": space,
            "events": events,
            "custom_locations": custom_locations,
        }
        options = {"conjunction_types": conjunction_types, "subminute_precision": subminute_precision}
        if isinstance(start, Mapping) and end is None:
            raise AuroraxInputError("start= is a whole query; write query=... in its place")
        if isinstance(start, str) and end is None and names_search(start):
            raise AuroraxInputError(f"start={shown(start)} names a search; write request_id={shown(start)}")
        check_one_way({"start": start, "end": end, "distance": distance, **blocks, **options}, query=query)
        if query is not None:
            given = _read_query(query)
            made, blocks = cls.parse(given), {name: given.get(name) for name in blocks}
        else:
            made = cls._of_parts(start, end, distance, **blocks, **options)
        # the service takes any number, and so do queries that it tells
        for pair, kilometres in made.max_distances.items():
            if kilometres is not None:
                refuse_farther(f"distance of {pair}", kilometres)
        for argument, block in blocks.items():
            tell_of_every_source(argument, block)
        return made

    @classmethod
    def _of_parts(
        cls,
        start: Any,
        end: Any,
        distance: Any,
        *,
        ground: Any,
        space: Any,
        events: Any,
        custom_locations: Any,
        conjunction_types: Any,
        subminute_precision: Any,
    ) -> Query:
        first, last = window(start, end)
        blocks = {"ground": ground, "space": space, "events": events, "custom_locations": custom_locations}
        for argument, given in blocks.items():
            refuse_bare(argument, given)
        grounds = tuple(from_mapping("ground", block, GroundCriteriaBlock) for block in as_list(ground))
        spaces = tuple(from_mapping("space", block, SpaceCriteriaBlock) for block in as_list(space))
        lists = tuple(from_mapping("events", block, EventsCriteriaBlock) for block in as_list(events))
        places = tuple(
            from_mapping("custom_locations", block, CustomLocationsCriteriaBlock) for block in as_list(custom_locations)
        )
        counts = [len(grounds), len(spaces), len(lists), len(places)]
        count = sum(counts)
        if not 2 <= count <= MAX_BLOCKS:
            raise AuroraxInputError(
                f"{count} criteria block(s) given; a conjunction needs 2 to {MAX_BLOCKS} "
                "in ground=, space=, events= and custom_locations= together"
            )
        wanted = DEFAULT_TYPES if conjunction_types is None else as_list(conjunction_types)
        types = dict.fromkeys(known_name("conjunction_types", name, CONJUNCTION_TYPES) for name in wanted)
        if not types:
            raise AuroraxInputError(f"conjunction_types is empty; give some of {', '.join(CONJUNCTION_TYPES)}")
        distances = _max_distances(distance, block_names(*counts))
        precision = _flag("subminute_precision", subminute_precision)
        return cls(first, last, grounds, spaces, lists, places, distances, tuple(types), precision)

    @classmethod
    def unless_read(
        cls,
        request_id: object,
        start: Any,
        end: Any,
        distance: float | Mapping[str, float | None] | None,
        **arguments: Unpack[QueryArguments],
    ) -> Query | None:
        """Return the query of the arguments, or None where there is a `request_id` in their place."""
        if request_id is None:
            return cls.from_arguments(start, end, distance, **arguments)
        parts = {name: value for name, value in arguments.items() if name != "query"}
        check_one_way(
            {"start": start, "end": end, "distance": distance, **parts},
            query=arguments.get("query"),
            request_id=request_id,
        )
        return None

    @classmethod
    def parse(cls, query: QueryLike) -> Query:
        """
        Return a query that was written elsewhere (the web page, another client), checked.

        Parameters
        ----------
        query : dict, str, pathlib.Path or search
            The query, its JSON text, the path of a file that holds it, or a search that sends it. A ``request_id`` in it is left out, so
            that a new search runs.

        Raises
        ------
        AuroraxInputError
            If it cannot be read or sent.
        """
        given = _read_query(query)
        for key in given:
            if key == "schema_version":
                raise AuroraxInputError("query= is a whole provenance; write query=df.aurorax.provenance['query']")
            if key not in _QUERY_KEYS:
                raise AuroraxInputError(f"query: unknown key {shown(key)}; {suggestion(key, _QUERY_KEYS)}")
        for key in ("start", "end", "max_distances"):
            if given.get(key) is None:
                raise AuroraxInputError(f"query: {key!r} is missing")
        subminute = _flag("subminute_precision", given.get("subminute_precision"))
        seconds = given.get("epoch_search_precision")
        if seconds is not None and as_number(seconds) not in (30, 60):
            raise AuroraxInputError(
                f"query: epoch_search_precision={shown(seconds)} is not valid; it is 60 or 30 seconds"
            )
        if seconds is not None and as_number(seconds) == 30:
            if subminute is False:
                raise AuroraxInputError(
                    "query: epoch_search_precision=30 and subminute_precision=False contradict each other; leave one out"
                )
            subminute = True
        distances = given["max_distances"]
        if isinstance(distances, Mapping):
            # the service reads a pair of ground blocks that is left out as 0
            pairs = itertools.combinations(block_names(len(as_list(given.get("ground"))), 0, 0, 0), 2)
            named = {key.replace(" ", "") for key in distances if isinstance(key, str)}
            left_out = [(one, other) for one, other in pairs if not {f"{one}-{other}", f"{other}-{one}"} & named]
            distances = dict(distances) | {f"{one}-{other}": 0 for one, other in left_out}
        types = given.get("conjunction_types")
        return cls._of_parts(
            given["start"],
            given["end"],
            distances,
            ground=given.get("ground") or (),
            space=given.get("space") or (),
            events=given.get("events") or (),
            custom_locations=given.get("adhoc") or (),
            # the service reads an empty list as its default
            conjunction_types=types if as_list(types) else None,
            subminute_precision=subminute,
        )

    @property
    def payload(self) -> dict[str, Any]:
        """
        The query as it is sent and kept: JSON values alone.

        Keys are ``start``, ``end``, ``ground``, ``space``, ``events``, ``adhoc``, ``conjunction_types``,
        ``max_distances`` and, where asked for, ``subminute_precision``.
        """
        made: dict[str, Any] = {
            "start": self.start,
            "end": self.end,
            "ground": [block.to_query() for block in self.ground],
            "space": [block.to_query() for block in self.space],
            "events": [block.to_query() for block in self.events],
            "adhoc": [block.to_query() for block in self.custom_locations],
            "conjunction_types": list(self.conjunction_types),
            "max_distances": dict(self.max_distances),
        }
        if self.subminute_precision is not None:
            made["subminute_precision"] = self.subminute_precision
        return made

    def of_window(self, start: str, end: str) -> Query:
        """Return the query of another window, in whole seconds, UTC."""
        return replace(self, start=start, end=end)


def check_one_way(parts: Mapping[str, Any], *, query: QueryLike | None = None, request_id: object = None) -> None:
    """Raise where a search is not named in exactly one way: by its parts, by a whole query, or by a `request_id`."""
    # types are given even where there are none of them
    given = [
        name for name, value in parts.items() if is_given(value) or (name == "conjunction_types" and value is not None)
    ]
    whole = [name for name, value in (("query", query), ("request_id", request_id)) if value is not None]
    if len(whole) + bool(given) != 1:
        raise AuroraxInputError(
            "give exactly one of: start, end, distance and criteria blocks; query=; request_id= "
            f"(given: {', '.join([*given, *whole]) or 'none'})"
        )


def is_given(value: object) -> bool:
    """Tell whether an argument holds something: neither None nor an empty sequence or mapping."""
    return value is not None and not (isinstance(value, Sequence | Mapping) and len(value) == 0)


_QUERY_KEYS: Final = (
    "start", "end", "ground", "space", "events", "adhoc", "conjunction_types", "max_distances",
    "subminute_precision", "epoch_search_precision", "request_id",
)  # fmt: skip


def _read_query(query: Any) -> Mapping[str, Any]:
    # a search, ours or of PyAuroraX, holds the query that it sends
    held = query if isinstance(query, Mapping) else getattr(query, "query", None)
    if isinstance(held, Mapping):
        return held
    if not isinstance(query, str | Path):
        raise AuroraxInputError(
            f"query={shown(query)} is not a query; give a dict, its JSON text, the path of a file or a search"
        )
    text = str(query).removeprefix("\ufeff")
    if isinstance(query, Path) or not text.lstrip().startswith("{"):
        try:
            # some editors put a mark before the text
            text = Path(query).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            raise AuroraxInputError(
                f"query={shown(str(query))} is neither JSON text nor a file that can be read: {reason_of(error)}"
            ) from None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AuroraxInputError(f"query is not valid JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise AuroraxInputError(f"query holds a JSON {type(parsed).__name__}; a query is an object")
    return parsed


def describe_query(query: Mapping[str, Any]) -> str:
    """
    Say a query in the service's words, without asking it.

    Parameters
    ----------
    query : dict
        A query as it is sent, such as `Query.payload`.

    Returns
    -------
    str
        A sentence: types, criteria blocks, window (UTC) and distances [km].
    """
    groups = [query[name] for name in ("ground", "space", "events", "adhoc")]
    names = block_names(*map(len, groups))
    blocks = [f"{name}=({_describe_block(block)})" for name, block in zip(names, itertools.chain(*groups), strict=True)]
    distances = [
        f"{pair}={'no limit' if distance is None else f'{distance} km'}"
        for pair, distance in query["max_distances"].items()
    ]
    return (
        f"Find conjunctions of type ({', '.join(query['conjunction_types'])}) with epoch precision of "
        f"{30 if query.get('subminute_precision') else 60} seconds between data sources of {' AND '.join(blocks)} "
        f"WHERE epochs are between {query['start']} AND {query['end']} UTC "
        f"HAVING max distances between location points of {', '.join(distances)}."
    )


def _describe_block(block: Mapping[str, Any]) -> str:
    fields = (("program", "programs"), ("platform", "platforms"), ("instrument_type", "instrument_types"))
    parts = [
        f"{word} in ({', '.join(block[name])})"
        for word, name in (*fields, ("hemisphere", "hemisphere"))
        if block.get(name)
    ]
    filters = block.get("ephemeris_metadata_filters")
    if filters:
        conditions = [f"{one['key']} {one['operator']} ({', '.join(one['values'])})" for one in filters["expressions"]]
        joint = f" {filters['logical_operator']} "
        parts.append(f"metadata ({joint.join(conditions)})")
    if "locations" in block:
        parts.append(", ".join(f"({place['lat']}, {place['lon']})" for place in block["locations"]))
    return " AND ".join(parts) or "any"
