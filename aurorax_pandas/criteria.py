"""Criteria blocks, distances and times, checked and turned into the query that a search sends."""

from __future__ import annotations

import difflib
import itertools
import json
import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

import numpy as np
import pandas as pd

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.model import CONJUNCTION_TYPES, as_list

logger = logging.getLogger("aurorax_pandas")

OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "between")
HEMISPHERES: Final = ("northern", "southern")
MAX_BLOCKS: Final = 10

_T = TypeVar("_T")


def suggestion(value: object, known: Iterable[str]) -> str:
    """Say which known name a misspelt one may mean, or else which there are."""
    names = list(known)
    folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(str(value).lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    return f"valid: {', '.join(names)}"


def _choice(argument: str, value: object, known: Sequence[str]) -> str:
    if value not in known:
        raise AuroraxInputError(f"{argument}: {value!r} is not known; {suggestion(value, known)}")
    return str(value)


def _strings(argument: str, value: object) -> tuple[str, ...]:
    strings = as_list(value)
    for text in strings:
        if not isinstance(text, str) or not text.strip():
            raise AuroraxInputError(f"{argument}: {text!r} is not a name; give text, or a list of texts")
    return tuple(str(text) for text in strings)


def _set(block: object, name: str, value: object) -> None:
    # the blocks are frozen for their users; their own __post_init__ normalises what was given
    object.__setattr__(block, name, value)


@dataclass(frozen=True)
class MetadataFilterExpression:
    """
    One condition on the metadata of ephemeris records.

    Parameters
    ----------
    key : str
        Name of the metadata field, for example ``"nbtrace_region"``.
    values : str or sequence of str
        What to compare with; exactly two values for ``between``.
    operator : str, default "="
        One of ``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``in``, ``not in``, ``between``.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.MetadataFilterExpression("nbtrace_region", "north polar cap").values
    ('north polar cap',)
    """

    key: str
    values: Sequence[str] = ()
    operator: str = "="

    def __post_init__(self) -> None:
        if not isinstance(self.key, str) or not self.key.strip():
            raise AuroraxInputError(f"key: {self.key!r} is not the name of a metadata field")
        _choice(f"operator of {self.key!r}", self.operator, OPERATORS)
        values = tuple(str(value) for value in as_list(self.values))
        _set(self, "values", values)
        wanted = {"between": 2, "in": None, "not in": None}.get(self.operator, 1)
        if not values or (wanted is not None and len(values) != wanted):
            count = "at least 1" if wanted is None else str(wanted)
            raise AuroraxInputError(
                f"values of {self.key!r}: operator {self.operator!r} takes {count} value(s), {len(values)} given"
            )

    def to_query(self) -> dict[str, Any]:
        """Give the expression as the service takes it."""
        return {"key": self.key, "operator": self.operator, "values": list(self.values)}


@dataclass(frozen=True)
class MetadataFilter:
    """
    Conditions on the metadata of ephemeris records, joined by AND or OR.

    Parameters
    ----------
    expressions : sequence of MetadataFilterExpression or dict
        The conditions.
    logical_operator : {"AND", "OR"}, default "AND"
        How they are joined.

    Examples
    --------
    >>> import aurorax_pandas
    >>> polar = aurorax_pandas.MetadataFilterExpression("nbtrace_region", "north polar cap")
    >>> aurorax_pandas.MetadataFilter([polar]).logical_operator
    'AND'
    """

    expressions: Sequence[MetadataFilterExpression | Mapping[str, Any]] = ()
    logical_operator: str = "AND"

    def __post_init__(self) -> None:
        if not isinstance(self.logical_operator, str) or self.logical_operator.upper() not in ("AND", "OR"):
            raise AuroraxInputError(f"logical_operator: {self.logical_operator!r} is not valid; give 'AND' or 'OR'")
        _set(self, "logical_operator", self.logical_operator.upper())
        expressions = tuple(
            _of_mapping("expressions", expression, MetadataFilterExpression) for expression in as_list(self.expressions)
        )
        if not expressions:
            raise AuroraxInputError("expressions: a metadata filter needs at least one expression")
        _set(self, "expressions", expressions)

    def to_query(self) -> dict[str, Any]:
        """Give the filter as the service takes it."""
        expressions = [expression.to_query() for expression in self.expressions]  # type: ignore[union-attr]
        return {"logical_operator": self.logical_operator, "expressions": expressions}


@dataclass(frozen=True)
class DataSourceBlock:
    """What blocks of data sources share: names, ORed inside a field, ANDed across fields."""

    argument: ClassVar[str] = "data_sources"

    programs: Sequence[str] = ()
    platforms: Sequence[str] = ()
    instrument_types: Sequence[str] = ()
    metadata_filters: MetadataFilter | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("programs", "platforms", "instrument_types"):
            _set(self, name, _strings(name, getattr(self, name)))
        filters = self.metadata_filters
        # web queries send filters without expressions for "no filter"
        if isinstance(filters, Mapping) and not filters.get("expressions"):
            filters = None
        if filters is not None:
            filters = _of_mapping("metadata_filters", filters, MetadataFilter)
        _set(self, "metadata_filters", filters)

    def to_query(self) -> dict[str, Any]:
        """Give the block as the service takes it, without what is empty."""
        query: dict[str, Any] = {
            name: list(getattr(self, name))
            for name in ("programs", "platforms", "instrument_types")
            if getattr(self, name)
        }
        if isinstance(self.metadata_filters, MetadataFilter):
            query["ephemeris_metadata_filters"] = self.metadata_filters.to_query()
        return query


@dataclass(frozen=True)
class GroundCriteriaBlock(DataSourceBlock):
    """
    Ground-based data sources, any of which may take part.

    Parameters
    ----------
    programs, platforms, instrument_types : str or sequence of str
        Names, for example ``"themis-asi"``, ``"gillam"``, ``"panchromatic ASI"``. A source matches that has
        one of the names in each field that is not empty.
    metadata_filters : MetadataFilter or dict, optional
        Conditions on the metadata of its ephemeris records.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.GroundCriteriaBlock(programs=["themis-asi", "rego"]).to_query()
    {'programs': ['themis-asi', 'rego']}
    """

    argument: ClassVar[str] = "ground"


@dataclass(frozen=True)
class SpaceCriteriaBlock(DataSourceBlock):
    """
    Spacecraft, any of which may take part.

    Parameters
    ----------
    programs, platforms, instrument_types : str or sequence of str
        Names, for example ``"swarm"``, ``"swarma"``, ``"footprint"``.
    metadata_filters : MetadataFilter or dict, optional
        Conditions on the metadata of its ephemeris records.
    hemisphere : str or sequence of str
        ``"northern"``, ``"southern"`` or both: where the spacecraft itself is.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.SpaceCriteriaBlock(programs="swarm", hemisphere="southern").to_query()
    {'programs': ['swarm'], 'hemisphere': ['southern']}
    """

    argument: ClassVar[str] = "space"

    hemisphere: Sequence[str] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        hemispheres = tuple(_choice("hemisphere", name, HEMISPHERES) for name in as_list(self.hemisphere))
        _set(self, "hemisphere", hemispheres)

    def to_query(self) -> dict[str, Any]:
        """Give the block as the service takes it, without what is empty."""
        query = super().to_query()
        if self.hemisphere:
            query["hemisphere"] = list(self.hemisphere)
        return query


@dataclass(frozen=True)
class EventsCriteriaBlock(DataSourceBlock):
    """
    Curated lists of events (substorm onsets, say), which take part like a data source.

    Parameters
    ----------
    programs, platforms, instrument_types : str or sequence of str
        Names of event lists; the program is always ``"events"``.
    metadata_filters : MetadataFilter or dict, optional
        Conditions on the metadata of the events.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.EventsCriteriaBlock(instrument_types="substorm onset").to_query()
    {'programs': ['events'], 'instrument_types': ['substorm onset']}
    """

    argument: ClassVar[str] = "events"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.programs not in ((), ("events",)):
            raise AuroraxInputError(f"programs: {list(self.programs)} in an events block; its program is 'events'")
        _set(self, "programs", ("events",))


@dataclass(frozen=True)
class CustomLocationsCriteriaBlock:
    """
    Places of your own, any of which may take part like a ground-based data source.

    Parameters
    ----------
    locations : sequence of (float, float) or dict
        Geodetic latitude −90 to 90 and longitude −180 to 180 [degrees], as pairs or as
        ``{"lat": …, "lon": …}``.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.CustomLocationsCriteriaBlock([(51.05, -114.07)]).to_query()
    {'locations': [{'lat': 51.05, 'lon': -114.07}]}
    """

    argument: ClassVar[str] = "custom_locations"

    locations: Sequence[tuple[float, float] | Mapping[str, float]] = ()

    def __post_init__(self) -> None:
        given = as_list(self.locations)
        # one pair alone is one place
        if len(given) == 2 and all(isinstance(value, int | float) for value in given):
            given = [tuple(given)]
        if not given:
            raise AuroraxInputError("locations: a custom locations block needs at least one (latitude, longitude)")
        _set(self, "locations", tuple(_location(place) for place in given))

    def to_query(self) -> dict[str, Any]:
        """Give the block as the service takes it."""
        return {"locations": [{"lat": lat, "lon": lon} for lat, lon in self.locations]}


def _location(place: Any) -> tuple[float, float]:
    try:
        lat, lon = (place["lat"], place["lon"]) if isinstance(place, Mapping) else place
        lat, lon = float(lat), float(lon)
    except (TypeError, ValueError, KeyError):
        raise AuroraxInputError(
            f"locations: {place!r} is not (latitude, longitude) or {{'lat': …, 'lon': …}}"
        ) from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise AuroraxInputError(
            f"locations: ({lat}, {lon}) is off the map; latitude is −90 to 90, longitude −180 to 180 [degrees]"
        )
    return lat, lon


CriteriaBlock = GroundCriteriaBlock | SpaceCriteriaBlock | EventsCriteriaBlock | CustomLocationsCriteriaBlock
#: What `ground=`, `space=`, `events=` and `custom_locations=` take: one block or several, as classes or plain dicts.
GroundBlocks = GroundCriteriaBlock | Mapping[str, Any] | Sequence[GroundCriteriaBlock | Mapping[str, Any]]
SpaceBlocks = SpaceCriteriaBlock | Mapping[str, Any] | Sequence[SpaceCriteriaBlock | Mapping[str, Any]]
EventsBlocks = EventsCriteriaBlock | Mapping[str, Any] | Sequence[EventsCriteriaBlock | Mapping[str, Any]]
CustomLocationsBlocks = (
    CustomLocationsCriteriaBlock | Mapping[str, Any] | Sequence[CustomLocationsCriteriaBlock | Mapping[str, Any]]
)

_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    MetadataFilterExpression: ("key", "operator", "values"),
    MetadataFilter: ("logical_operator", "expressions"),
    GroundCriteriaBlock: ("programs", "platforms", "instrument_types", "ephemeris_metadata_filters"),
    SpaceCriteriaBlock: ("programs", "platforms", "instrument_types", "ephemeris_metadata_filters", "hemisphere"),
    EventsCriteriaBlock: ("programs", "platforms", "instrument_types", "ephemeris_metadata_filters"),
    CustomLocationsCriteriaBlock: ("locations",),
}


def _of_mapping(argument: str, value: Any, kind: type[_T]) -> _T:
    """Give a block, filter or expression of the class wanted, from one or from a plain dict."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise AuroraxInputError(f"{argument}: {value!r} is neither a {kind.__name__} nor a dict like one")
    fields: dict[str, Any] = {}
    for key, item in value.items():
        name = "ephemeris_metadata_filters" if key == "metadata_filters" else key
        if name not in _FIELDS[kind]:
            raise AuroraxInputError(
                f"{argument}: unknown key {key!r} in {dict(value)!r}; {suggestion(key, _FIELDS[kind])}"
            )
        fields["metadata_filters" if name == "ephemeris_metadata_filters" else name] = item
    if kind is MetadataFilterExpression and "key" not in fields:
        raise AuroraxInputError(f"{argument}: 'key' is missing in {dict(value)!r}")
    return kind(**fields)


def to_utc(argument: str, value: Any, *, last: bool = False) -> pd.Timestamp:
    """
    Read an instant as naive UTC.

    Parameters
    ----------
    argument : str
        Name to use in an error.
    value : anything that `pandas.Timestamp` takes
        With a zone it is converted to UTC, without one it is UTC.
    last : bool, default False
        Whether a text that names a whole day, month or year means its last second, as in pandas' label slicing.

    Raises
    ------
    AuroraxInputError
        If the value is no instant.
    """
    try:
        if last and isinstance(value, str) and re.fullmatch(r"\D*\d+(\D+\d+){0,2}\D*", value.strip()):
            period = pd.Period(value)
            if period.freqstr[0] in "DMQYW":
                return period.end_time.floor("s").as_unit("us")
        instant = pd.Timestamp(value)
    except (ValueError, TypeError, OverflowError):
        raise AuroraxInputError(f"{argument}={value!r} is no instant that pandas.Timestamp understands") from None
    if not isinstance(instant, pd.Timestamp):
        raise AuroraxInputError(f"{argument}={value!r} is no instant; give a date and time, UTC")
    if instant.tzinfo is not None:
        instant = instant.tz_convert("UTC").tz_localize(None)
    return instant.as_unit("us")


def window(start: Any, end: Any) -> tuple[str, str]:
    """
    Check the window of a search and give it as the service takes it, in whole seconds inside what was asked for.

    Raises
    ------
    AuroraxInputError
        If an end is missing or no instant, or the start is after the end.
    """
    for argument, value in (("start", start), ("end", end)):
        if value is None:
            raise AuroraxInputError(f"{argument} is missing; give an instant, UTC")
    first, last = to_utc("start", start).ceil("s"), to_utc("end", end, last=True).floor("s")
    if first > last:
        raise AuroraxInputError(f"start={first} is after end={last}; swap them")
    return first.isoformat(timespec="seconds"), last.isoformat(timespec="seconds")


def _flag(argument: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise AuroraxInputError(f"{argument}={value!r} is not valid; give True, False or None")


def _kilometres(pair: str, value: Any) -> int | float | None:
    if value is None:
        return None
    try:
        distance = math.nan if isinstance(value, bool | np.bool_ | str) else float(value)
    except (TypeError, ValueError):
        distance = math.nan
    if not (math.isfinite(distance) and distance >= 0):
        raise AuroraxInputError(
            f"distance of {pair}: {value!r} is not a distance; give 0 or more [km], or None for no limit"
        )
    return int(distance) if distance.is_integer() else distance


def block_names(ground: int, space: int, events: int, custom_locations: int) -> list[str]:
    """Give the names of the blocks as they stand in distance pairs: ``ground1``, ``space1``, …, ``adhoc1``."""
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
        first, dash, second = str(key).replace("custom_locations", "adhoc").replace(" ", "").partition("-")
        pair = next((name for name in (f"{first}-{second}", f"{second}-{first}") if dash and name in pairs), None)
        if pair is None:
            raise AuroraxInputError(f"distance: no pair {key!r} in this search; {suggestion(key, pairs)}")
        if pair in by_pair:
            raise AuroraxInputError(f"distance: the pair {pair!r} is given twice")
        by_pair[pair] = _kilometres(pair, value)
    return {pair: by_pair.get(pair) for pair in pairs}


def build_query(
    start: Any,
    end: Any,
    distance: Any,
    *,
    ground: Any = (),
    space: Any = (),
    events: Any = (),
    custom_locations: Any = (),
    conjunction_types: Any = ("nbtrace",),
    subminute_precision: bool | None = None,
) -> dict[str, Any]:
    """
    Check the arguments of a search and make the query of them.

    Returns
    -------
    dict
        The JSON payload: ``start``, ``end``, ``ground``, ``space``, ``events``, ``adhoc``,
        ``conjunction_types``, ``max_distances`` and, where asked for, ``subminute_precision``.

    Raises
    ------
    AuroraxInputError
        If an argument cannot be sent; the message names it, its value and the fix.
    """
    first, last = window(start, end)
    kinds: list[tuple[type[CriteriaBlock], Any]] = [
        (GroundCriteriaBlock, ground),
        (SpaceCriteriaBlock, space),
        (EventsCriteriaBlock, events),
        (CustomLocationsCriteriaBlock, custom_locations),
    ]
    blocks = {
        kind.argument: [_of_mapping(kind.argument, block, kind).to_query() for block in as_list(given)]
        for kind, given in kinds
    }
    count = sum(map(len, blocks.values()))
    if not 2 <= count <= MAX_BLOCKS:
        raise AuroraxInputError(
            f"{count} criteria block(s) given; a conjunction needs 2 to {MAX_BLOCKS} "
            "in ground=, space=, events= and custom_locations= together"
        )
    types = [_choice("conjunction_types", name, CONJUNCTION_TYPES) for name in as_list(conjunction_types)]
    if not types:
        raise AuroraxInputError(f"conjunction_types is empty; give some of {', '.join(CONJUNCTION_TYPES)}")
    query: dict[str, Any] = {
        "start": first,
        "end": last,
        "ground": blocks["ground"],
        "space": blocks["space"],
        "events": blocks["events"],
        "adhoc": blocks["custom_locations"],
        "conjunction_types": list(dict.fromkeys(types)),
        "max_distances": _max_distances(distance, block_names(*map(len, blocks.values()))),
    }
    if _flag("subminute_precision", subminute_precision) is not None:
        query["subminute_precision"] = subminute_precision
    return query


_QUERY_KEYS: Final = (
    "start", "end", "ground", "space", "events", "adhoc", "conjunction_types", "max_distances",
    "subminute_precision", "epoch_search_precision", "request_id",
)  # fmt: skip


def choose_query(
    start: Any,
    end: Any,
    distance: Any,
    *,
    conjunction_types: Any = ("nbtrace",),
    subminute_precision: bool | None = None,
    query: Any = None,
    request_id: str | None = None,
    **blocks: Any,
) -> dict[str, Any]:
    """
    Make the query of what a caller gave: window, distance and blocks, or a whole query; none for a `request_id`.

    Raises
    ------
    AuroraxInputError
        If not exactly one of these is given, or it cannot be sent.
    """
    parts = {"start": start, "end": end, "distance": distance, **blocks, "subminute_precision": subminute_precision}
    given = [name for name, value in parts.items() if is_given(value)]
    if as_list(conjunction_types) != ["nbtrace"]:
        given.append("conjunction_types")
    whole = [name for name, value in (("query", query), ("request_id", request_id)) if value is not None]
    if len(whole) + bool(given) != 1:
        raise AuroraxInputError(
            "give exactly one of: start, end, distance and criteria blocks; query=; request_id= "
            f"(given: {', '.join([*given, *whole]) or 'none'})"
        )
    if whole:
        return {} if query is None else parse_query(query)
    options = {"conjunction_types": conjunction_types, "subminute_precision": subminute_precision}
    return build_query(start, end, distance, **blocks, **options)


def is_given(value: object) -> bool:
    """Tell whether an argument holds something: neither None nor an empty sequence or mapping."""
    return value is not None and not (isinstance(value, Sequence | Mapping) and len(value) == 0)


def parse_query(query: Mapping[str, Any] | str | Path) -> dict[str, Any]:
    """
    Check a query that was written elsewhere (the web page, another client) and give it in our own form.

    Parameters
    ----------
    query : dict, str or pathlib.Path
        The query, its JSON text, or the path of a file that holds it. A ``request_id`` in it is left out, so
        that a new search runs.

    Raises
    ------
    AuroraxInputError
        If it cannot be read or sent.
    """
    given = _read_query(query)
    for key in given:
        if key not in _QUERY_KEYS:
            raise AuroraxInputError(f"query: unknown key {key!r}; {suggestion(key, _QUERY_KEYS)}")
    for key in ("start", "end", "max_distances"):
        if given.get(key) is None:
            raise AuroraxInputError(f"query: {key!r} is missing")
    subminute = _flag("subminute_precision", given.get("subminute_precision"))
    seconds = given.get("epoch_search_precision")
    if seconds is not None and (isinstance(seconds, bool) or seconds not in (30, 60)):
        raise AuroraxInputError(f"query: epoch_search_precision={seconds!r} is not valid; it is 60 or 30 seconds")
    if subminute is None and seconds == 30:
        subminute = True
    return build_query(
        given["start"],
        given["end"],
        given["max_distances"],
        ground=given.get("ground") or (),
        space=given.get("space") or (),
        events=given.get("events") or (),
        custom_locations=given.get("adhoc") or (),
        # the service reads an empty list as its default
        conjunction_types=given.get("conjunction_types") or ("nbtrace",),
        subminute_precision=subminute,
    )


def _read_query(query: Mapping[str, Any] | str | Path) -> Mapping[str, Any]:
    if isinstance(query, Mapping):
        return query
    if not isinstance(query, str | Path):
        raise AuroraxInputError(f"query={query!r} is not a query; give a dict, its JSON text or the path of a file")
    text = str(query)
    if isinstance(query, Path) or not text.lstrip().startswith("{"):
        try:
            text = Path(query).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise AuroraxInputError(
                f"query={str(query)!r} is neither JSON text nor a file that can be read: {error}"
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
        A query of `build_query` or `parse_query`.

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
