"""Criteria blocks: what a search asks of the data sources, checked and as it is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import pandas as pd

from aurorax_pandas.checks import as_list, as_number, known_name, names, shown
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.query.filters import MetadataFilter, MetadataFilterExpression, read_filter, set_field
from aurorax_pandas.query.filters import from_mapping as from_mapping
from aurorax_pandas.signatures import meeting_misspelt
from aurorax_pandas.sources import NAMED_BY, platform_named

HEMISPHERES: Final = ("northern", "southern")


class _NotGiven(tuple[str, ...]):
    """An empty tuple that tells a field which was left out from one that was given, but holds nothing."""

    __slots__ = ()

    def __reduce__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = _NotGiven()


@dataclass(frozen=True)
class DataSourceBlock:
    """What blocks of data sources share: names, ORed inside a field, ANDed across fields."""

    argument: ClassVar[str] = "data_sources"

    programs: Sequence[str] = NOT_GIVEN
    platforms: Sequence[str] = NOT_GIVEN
    instrument_types: Sequence[str] = NOT_GIVEN
    metadata_filters: (
        MetadataFilter | MetadataFilterExpression | Mapping[str, Any] | Sequence[MetadataFilterExpression] | None
    ) = None

    def __post_init__(self) -> None:
        for name in NAMED_BY:
            if getattr(self, name) is not NOT_GIVEN:
                set_field(self, name, names(name, getattr(self, name)))
        if self.platforms:
            # the service knows sites by their names alone
            set_field(self, "platforms", tuple(dict.fromkeys(map(platform_named, self.platforms))))
        set_field(self, "metadata_filters", read_filter(self.metadata_filters))

    def to_query(self) -> dict[str, Any]:
        """Return the block as the service takes it, without what is empty."""
        query: dict[str, Any] = {name: list(getattr(self, name)) for name in NAMED_BY if getattr(self, name)}
        if isinstance(self.metadata_filters, MetadataFilter):
            query["ephemeris_metadata_filters"] = self.metadata_filters.to_query()
        return query


@meeting_misspelt
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
        cap"}``, ``{"radial_distance": (">=", 6800)}``, or a filter with operators of its own.

    Examples
    --------
    >>> import aurorax_pandas
    >>> aurorax_pandas.GroundCriteriaBlock(programs=["themis-asi", "rego"]).to_query()
    {'programs': ['themis-asi', 'rego']}
    """

    argument: ClassVar[str] = "ground"


@meeting_misspelt
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
        cap"}``, ``{"radial_distance": (">=", 6800)}``, or a filter with operators of its own.
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
        set_field(self, "hemisphere", hemispheres)

    def to_query(self) -> dict[str, Any]:
        """Return the block as the service takes it, without what is empty."""
        query = super().to_query()
        if self.hemisphere:
            query["hemisphere"] = list(self.hemisphere)
        return query


@meeting_misspelt
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
            raise AuroraxInputError(
                f"programs: {shown(list(self.programs))} in an events block; its program is 'events'"
            )
        set_field(self, "programs", ("events",))


@meeting_misspelt
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
        set_field(self, "locations", tuple(read_location(place) for place in given))

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
        raise AuroraxInputError(f"locations: {shown(place)} is not (latitude, longitude) or {{'lat': …, 'lon': …}}")
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise AuroraxInputError(
            f"locations: ({lat}, {lon}) is off the map; latitude is −90 to 90, longitude −180 to 180 [degrees]"
        )
    return lat, lon


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
