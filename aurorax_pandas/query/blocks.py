"""Criteria blocks and metadata filters: what a search asks of the data sources, checked and as it is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, TypeVar

import numpy as np
import pandas as pd

from aurorax_pandas.checks import as_list, as_number, invalid, known_name, names, suggestion
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.sources import platform_named

OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", "in", "not in", "between")
HEMISPHERES: Final = ("northern", "southern")

_T = TypeVar("_T")


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
        known_name(f"operator of {self.key!r}", self.operator, OPERATORS)
        for value in as_list(self.values):
            # NaN and NaT are not equal to themselves
            if not isinstance(value, str | int | float | np.generic) or isinstance(value, bytes) or value != value:
                raise AuroraxInputError(f"values of {self.key!r}: {value!r} is neither text nor a number")
        values = tuple(str(value) for value in as_list(self.values))
        _set(self, "values", values)
        wanted = {"between": 2, "in": None, "not in": None}.get(self.operator, 1)
        if not values or (wanted is not None and len(values) != wanted):
            count = "at least 1" if wanted is None else str(wanted)
            raise AuroraxInputError(
                f"values of {self.key!r}: operator {self.operator!r} takes {count} value(s), {len(values)} given"
            )

    def to_query(self) -> dict[str, Any]:
        """Return the expression as the service takes it."""
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
            raise invalid("logical_operator", self.logical_operator, "'AND' or 'OR'")
        _set(self, "logical_operator", self.logical_operator.upper())
        expressions = tuple(
            from_mapping("expressions", expression, MetadataFilterExpression)
            for expression in as_list(self.expressions)
        )
        if not expressions:
            raise AuroraxInputError("expressions: a metadata filter needs at least one expression")
        _set(self, "expressions", expressions)

    def to_query(self) -> dict[str, Any]:
        """Return the filter as the service takes it."""
        expressions = [expression.to_query() for expression in self.expressions]  # type: ignore[union-attr]
        return {"logical_operator": self.logical_operator, "expressions": expressions}


def _filter(given: Any) -> MetadataFilter | None:
    """Return the filter that was meant, or None where there is none."""
    if type(given).__name__ == MetadataFilterExpression.__name__:
        given = [given]
    if isinstance(given, Sequence) and not isinstance(given, str):
        return MetadataFilter(as_list(given)) if given else None
    if isinstance(given, Mapping):
        keys = set(given)
        # web queries send filters without expressions for "no filter"
        if keys <= {"logical_operator", "expressions"} and not given.get("expressions"):
            return None
        if "key" in keys:
            return MetadataFilter([given])
        if not keys & {"logical_operator", "expressions"}:
            return MetadataFilter(
                [
                    MetadataFilterExpression(key, values, "in" if len(as_list(values)) > 1 else "=")
                    for key, values in given.items()
                ]
            )
    return None if given is None else from_mapping("metadata_filters", given, MetadataFilter)


@dataclass(frozen=True)
class DataSourceBlock:
    """What blocks of data sources share: names, ORed inside a field, ANDed across fields."""

    argument: ClassVar[str] = "data_sources"

    programs: Sequence[str] = ()
    platforms: Sequence[str] = ()
    instrument_types: Sequence[str] = ()
    metadata_filters: (
        MetadataFilter | MetadataFilterExpression | Mapping[str, Any] | Sequence[MetadataFilterExpression] | None
    ) = None

    def __post_init__(self) -> None:
        for name in ("programs", "platforms", "instrument_types"):
            _set(self, name, names(name, getattr(self, name)))
        # the service knows sites by their names alone
        _set(self, "platforms", tuple(dict.fromkeys(map(platform_named, self.platforms))))
        _set(self, "metadata_filters", _filter(self.metadata_filters))

    def to_query(self) -> dict[str, Any]:
        """Return the block as the service takes it, without what is empty."""
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
        Names, for example ``"themis-asi"``, ``"gillam"`` or the site's code ``"GILL"``, ``"panchromatic ASI"``. A source
        matches that has one of the names in each field that is not empty.
    metadata_filters : dict, MetadataFilter or MetadataFilterExpression (or a list of these), optional
        Conditions on the metadata of its ephemeris records, all of which must hold: ``{"nbtrace_region": "north polar
        cap"}``, or a filter with operators of its own.

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
    metadata_filters : dict, MetadataFilter or MetadataFilterExpression (or a list of these), optional
        Conditions on the metadata of its ephemeris records, all of which must hold: ``{"nbtrace_region": "north polar
        cap"}``, or a filter with operators of its own.
    hemisphere : str or sequence of str
        ``"northern"``, ``"southern"`` or both: where the spacecraft itself is.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.SpaceCriteriaBlock(programs="swarm", hemisphere="southern").to_query()
    {'programs': ['swarm'], 'hemisphere': ['southern']}
    >>> polar = aurorax_pandas.SpaceCriteriaBlock("swarm", metadata_filters={"nbtrace_region": "north polar cap"})
    >>> polar.metadata_filters.expressions[0].operator
    '='
    """

    argument: ClassVar[str] = "space"

    hemisphere: Sequence[str] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        hemispheres = tuple(known_name("hemisphere", name, HEMISPHERES) for name in as_list(self.hemisphere))
        _set(self, "hemisphere", hemispheres)

    def to_query(self) -> dict[str, Any]:
        """Return the block as the service takes it, without what is empty."""
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
    metadata_filters : dict, MetadataFilter or MetadataFilterExpression (or a list of these), optional
        Conditions on the metadata of the events, as in `GroundCriteriaBlock`.

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
        given = as_list(_by_name(self.locations))
        # one pair alone is one place; a set has no order
        if (
            len(given) == 2
            and not any(map(math.isnan, map(as_number, given)))
            and not isinstance(self.locations, set | frozenset)
        ):
            given = [tuple(given)]
        if not given:
            raise AuroraxInputError("locations: a custom locations block needs at least one (latitude, longitude)")
        _set(self, "locations", tuple(read_location(place) for place in given))

    def to_query(self) -> dict[str, Any]:
        """Return the block as the service takes it."""
        return {"locations": [{"lat": lat, "lon": lon} for lat, lon in self.locations]}


def _by_name(place: Any) -> Any:
    """Return a row of a table as a dict, since its columns may stand in any order."""
    return place.to_dict() if isinstance(place, pd.Series) and {"lat", "lon"} & set(place.index) else place


def read_location(place: Any) -> tuple[float, float]:
    """Return the latitude and longitude of a place [degrees], or raise where it is none."""
    place = _by_name(place)
    lat = lon = math.nan
    if isinstance(place, Mapping):
        if set(place) == {"lat", "lon"}:
            lat, lon = as_number(place["lat"]), as_number(place["lon"])
    elif len(pair := as_list(place)) == 2 and not isinstance(place, set | frozenset):
        lat, lon = map(as_number, pair)
    if math.isnan(lat) or math.isnan(lon):
        raise AuroraxInputError(f"locations: {place!r} is not (latitude, longitude) or {{'lat': …, 'lon': …}}")
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise AuroraxInputError(
            f"locations: ({lat}, {lon}) is off the map; latitude is −90 to 90, longitude −180 to 180 [degrees]"
        )
    return lat, lon


CriteriaBlock = GroundCriteriaBlock | SpaceCriteriaBlock | EventsCriteriaBlock | CustomLocationsCriteriaBlock


class SourcesLike(Protocol):
    """A block of data sources of another client, such as PyAuroraX; its class must be called as ours."""

    platforms: Any
    instrument_types: Any
    metadata_filters: Any


class LocationsLike(Protocol):
    """A block of locations of another client, such as PyAuroraX."""

    locations: Any


#: What `ground=`, `space=`, `events=` and `custom_locations=` take: one block or several, as classes or plain dicts.
_SourcesBlock = SourcesLike | Mapping[str, Any]
GroundBlocks = GroundCriteriaBlock | _SourcesBlock | Sequence[GroundCriteriaBlock | _SourcesBlock]
SpaceBlocks = SpaceCriteriaBlock | _SourcesBlock | Sequence[SpaceCriteriaBlock | _SourcesBlock]
EventsBlocks = EventsCriteriaBlock | _SourcesBlock | Sequence[EventsCriteriaBlock | _SourcesBlock]
_LocationsBlock = CustomLocationsCriteriaBlock | LocationsLike | Mapping[str, Any]
CustomLocationsBlocks = _LocationsBlock | Sequence[_LocationsBlock]

_FIELDS: Final[dict[type, tuple[str, ...]]] = {
    MetadataFilterExpression: ("key", "operator", "values"),
    MetadataFilter: ("logical_operator", "expressions"),
    GroundCriteriaBlock: ("programs", "platforms", "instrument_types", "ephemeris_metadata_filters"),
    SpaceCriteriaBlock: ("programs", "platforms", "instrument_types", "ephemeris_metadata_filters", "hemisphere"),
    EventsCriteriaBlock: ("programs", "platforms", "instrument_types", "ephemeris_metadata_filters"),
    CustomLocationsCriteriaBlock: ("locations",),
}


def _fields_of_block(block: Any) -> dict[str, Any]:
    """Return what a block, filter or condition of another client holds, such as one of PyAuroraX."""
    names = (
        "programs",
        "platforms",
        "instrument_types",
        "metadata_filters",
        "hemisphere",
        "locations",
        "key",
        "values",
    )
    fields = {name: getattr(block, name) for name in names if hasattr(block, name)}
    if hasattr(block, "expressions"):
        return {"expressions": block.expressions, "logical_operator": block.operator}
    return fields | ({"operator": block.operator} if hasattr(block, "operator") else {})


def from_mapping(argument: str, value: Any, kind: type[_T]) -> _T:
    """Return a block, filter or expression of the class wanted, from one or from a plain dict."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping) and any(base.__name__ == kind.__name__ for base in type(value).__mro__):
        value = _fields_of_block(value)
    if not isinstance(value, Mapping):
        raise AuroraxInputError(f"{argument}: {value!r} is neither a {kind.__name__} nor a dict like one")
    fields: dict[str, Any] = {}
    for key, item in value.items():
        name = "ephemeris_metadata_filters" if key == "metadata_filters" else key
        if name not in _FIELDS[kind]:
            raise AuroraxInputError(
                f"{argument}: unknown key {key!r} in {dict(value)!r}; {suggestion(key, _FIELDS[kind])}"
            )
        if name == "ephemeris_metadata_filters":
            name, item = "metadata_filters", _filter(item)
            before = fields.get(name)
            if before is not None and item not in (None, before):
                raise AuroraxInputError(
                    f"{argument}: metadata_filters and ephemeris_metadata_filters name one field and differ; give one"
                )
            item = item or before
        fields[name] = item
    if kind is MetadataFilterExpression and "key" not in fields:
        raise AuroraxInputError(f"{argument}: 'key' is missing in {dict(value)!r}")
    return kind(**fields)
