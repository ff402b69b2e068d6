"""The searches that the service knows: for conjunctions and for ephemeris."""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, Unpack

import msgspec
import pandas as pd

from aurorax_pandas.ephemeris import records as ephemeris_records
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError, AuroraxStateError
from aurorax_pandas.frame import model, provenance
from aurorax_pandas.frame.records import check_on_bad_records, conjunctions_from_items
from aurorax_pandas.options import hidden, service_in_force
from aurorax_pandas.query.blocks import DataSourceBlock
from aurorax_pandas.query.filters import MetadataFilter
from aurorax_pandas.query.query import Query, QueryArguments, describe_query
from aurorax_pandas.service import catalogue
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Deadline, Timeout
from aurorax_pandas.service.download import ReadOptions
from aurorax_pandas.service.job import Search
from aurorax_pandas.service.source_search import SourceSearch
from aurorax_pandas.signatures import CALLS_OF_OTHERS, meeting, service_parameters, showing

if TYPE_CHECKING:
    import xarray as xr

_SOURCE_FORMAT: Final = dict.fromkeys(model.SOURCE_FIELDS, True)
#: The fields that a conjunctions frame holds; asking for these alone spares most of the bytes.
RESPONSE_FORMAT: Final[dict[str, Any]] = {
    **dict.fromkeys(model.CONJUNCTION_COLUMNS, True),
    "data_sources": _SOURCE_FORMAT,
    "events": {
        "e1_source": _SOURCE_FORMAT,
        "e2_source": _SOURCE_FORMAT,
        **dict.fromkeys(("conjunction_type", "start", "end", "min_distance", "max_distance"), True),
    },
}


#: What PyAuroraX's searches take beside these, with what to write.
MET: Final = {
    "verbose": "wait(progress=True) shows how it goes",
    "return_immediately": "execute() submits the search and returns",
}


@service_parameters
class ConjunctionSearch(Search[pd.DataFrame]):
    """
    One conjunction search on the service, step by step.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window of the search, inclusive, UTC; an aware value is converted. A text that names a whole day, month or
        year as `end` means its last second.
    distance : float or dict
        Largest distance [km] for every pair of criteria blocks, or a dict of pairs (``"ground1-space1"``), where
        None and a missing pair mean no limit.
    ground, space, events, custom_locations : criteria block, dict, or sequence of them
        Who takes part; 2 to 10 blocks in all.
    conjunction_types : sequence of {"nbtrace", "sbtrace", "geographic"}, optional
        Which locations are compared; by default ``"nbtrace"``. A finished query has its own.
    subminute_precision : bool, optional
        Whether epochs every 30 s are searched.
    query : dict, str or pathlib.Path, optional
        A finished query in place of all the above: a dict, its JSON text, or a file.
    check_names : bool, default True
        Whether programs, platforms, instrument types and metadata keys are looked up among the service's data sources
        before the search is submitted.

    Attributes
    ----------
    query : dict
        What is, or was, sent; empty for a `request_id` whose status has not been read.
    request_id, request_url : str
        Identifier and address on the service; empty before `execute`.
    executed, completed : bool
        Whether it has been submitted; whether its result can be downloaded.
    status : dict
        The service's status document as last read.
    logs : list of dict
        The service's log lines in it.
    data : pandas.DataFrame or None
        The result, once downloaded.

    Raises
    ------
    AuroraxInputError
        If the search is not named in exactly one way (its parts, `query` or `request_id`), or a part is not valid;
        nothing is sent then.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url:
    ...     s = aurorax_pandas.ConjunctionSearch(
    ...         "2020-01-01", "2020-01-01T06:59:59", 500,
    ...         ground=[{"programs": ["themis-asi"]}], space=[{"programs": ["swarm"]}], api_url=url)
    ...     s.execute()
    ...     s.wait()
    ...     len(s.get_data())
    49
    """

    path: ClassVar[str] = "conjunctions"
    reader: ClassVar[str] = "read_aurorax_conjunctions"
    response_format: ClassVar[dict[str, Any]] = RESPONSE_FORMAT
    read_options: ClassVar[frozenset[str]] = frozenset({"on_bad_records"})

    @meeting(**MET, response_format="the frame has all fields; choose its columns", **CALLS_OF_OTHERS)
    @showing(Query.from_arguments)
    def __init__(
        self,
        start: Any = None,
        end: Any = None,
        distance: float | Mapping[str, float | None] | None = None,
        *,
        request_id: str | None = None,
        api_url: str | None = None,
        api_key: str | None = None,
        poll_interval: float = 1.0,
        check_names: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        **arguments: Unpack[QueryArguments],
    ) -> None:
        api_key = hidden(api_key)
        query = Query.unless_read(request_id, start, end, distance, **arguments)
        connection = Connection(service_in_force(api_url, api_key), poll_interval, check_names, clock, sleep)
        super().__init__({} if query is None else query.payload, connection, request_id)

    @classmethod
    def prepared(cls, query: Query | None, connection: Connection, request_id: str | None = None) -> Self:
        """Return a search of a query, or of a `request_id` in place of one, that goes by a connection."""
        search = cls.__new__(cls)
        Search.__init__(search, {} if query is None else query.payload, connection, request_id)
        return search

    def _check(self, deadline: Deadline) -> None:
        if self._connection.check_names:
            catalogue.check_names(self.query, self._transport, deadline)

    def _check_options(self, **options: Unpack[ReadOptions]) -> None:
        super()._check_options(**options)
        check_on_bad_records(options.get("on_bad_records", "raise"))

    def _read_query(self, found: dict[str, Any]) -> dict[str, Any]:
        return Query.parse(found).payload

    def _decode(self, items: list[msgspec.Raw], **options: Unpack[ReadOptions]) -> pd.DataFrame:
        frame = conjunctions_from_items(items, on_bad_records=options.get("on_bad_records", "raise"))
        frame.attrs[provenance.KEY] = provenance.make_provenance(
            request_ids=[self.request_id], query=copy.deepcopy(self.query), api_url=self._transport.api_url
        )
        return frame

    @property
    def distances(self) -> pd.DataFrame:
        """Largest distance of every two criteria blocks [km], as a symmetric matrix; infinite where there is no limit."""
        if self.executed and not self.status and not self.query:
            raise AuroraxStateError(
                "distances needs the query of the search; call update_status() first", request_id=self.request_id
            )
        with self._reading_query():
            pairs = {tuple(pair.split("-")): limit for pair, limit in self.query["max_distances"].items()}
            names = list(dict.fromkeys(name for pair in pairs for name in pair))
            matrix = pd.DataFrame(math.nan, index=names, columns=names)
            for (one, other), limit in pairs.items():
                matrix.loc[one, other] = matrix.loc[other, one] = math.inf if limit is None else limit
        return matrix

    @contextlib.contextmanager
    def _reading_query(self) -> Iterator[None]:
        """Make one error of ours of whatever a foreign query, or none, breaks."""
        try:
            yield
        except (AttributeError, LookupError, TypeError, ValueError):
            what = "is not of the form that this library knows" if self.query else "is not there"
            raise AuroraxDataError(
                f"the query of search {self.request_id} {what}; see .query and .status", request_id=self.request_id
            ) from None

    def describe(self, *, offline: bool = False, timeout: Timeout = 60) -> str:
        """
        Say the query in the service's words.

        Parameters
        ----------
        offline : bool, default False
            Whether to make the sentence here; by default the service is asked.
        timeout : float, str or pandas.Timedelta, default 60
            Seconds, or a span of time, after which to give up; None for no limit.

        Returns
        -------
        str
            A sentence: types, criteria blocks, window and distances [km].
        """
        if not self.query:
            self._need("describe")
            self.update_status(timeout=timeout)
        if offline:
            with self._reading_query():
                return describe_query(self.query)
        if not self.query:
            raise AuroraxDataError(
                f"the service holds no query of search {self.request_id}; there is nothing to describe",
                request_id=self.request_id,
            )
        answer = self._transport.call(
            "POST",
            "/api/v1/utils/describe/query/conjunction",
            payload=self.query,
            deadline=self._deadline(timeout),
        )
        try:
            sentences = self._transport.mask(msgspec.json.decode(answer.body, type=str | list[str]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AuroraxDataError(f"the service's description is no text: {error}") from None
        return sentences if isinstance(sentences, str) else "\n".join(sentences)


@service_parameters
class EphemerisSearch(SourceSearch["xr.Dataset"]):
    """
    One ephemeris search on the service, step by step; its verbs are those of `ConjunctionSearch`.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window of the search, inclusive, UTC.
    programs, platforms, instrument_types : str or sequence of str
        Names of data sources.

    Raises
    ------
    AuroraxInputError
        If there is not either a window with names or a `request_id`, or one of these is not valid; nothing is sent
        then.

    Examples
    --------
    >>> import aurorax_pandas
    >>> from aurorax_pandas import sandbox
    >>> with sandbox.serve() as url:
    ...     s = aurorax_pandas.EphemerisSearch("2020-01-01", "2020-01-01T00:09", programs="swarm", api_url=url)
    ...     dict(s.run().sizes)
    {'source': 3, 'epoch': 10}
    """

    path: ClassVar[str] = "ephemeris"
    reader: ClassVar[str] = "read_aurorax_ephemeris"
    asks_for: ClassVar[str] = "names of data sources"
    response_format: ClassVar[dict[str, Any]] = ephemeris_records.RESPONSE_FORMAT

    @meeting(**MET, response_format="the Dataset has all variables; choose among them")
    def __init__(
        self,
        start: Any = None,
        end: Any = None,
        *,
        programs: str | Sequence[str] = (),
        platforms: str | Sequence[str] = (),
        instrument_types: str | Sequence[str] = (),
        metadata_filters: MetadataFilter | Mapping[str, Any] | None = None,
        request_id: str | None = None,
        api_url: str | None = None,
        api_key: str | None = None,
        poll_interval: float = 1.0,
        check_names: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        api_key = hidden(api_key)
        asked = {
            "start": start, "end": end, "programs": programs, "platforms": platforms,
            "instrument_types": instrument_types, "metadata_filters": metadata_filters,
        }  # fmt: skip
        connection = Connection(service_in_force(api_url, api_key), poll_interval, check_names, clock, sleep)
        super().__init__(asked, connection, request_id)

    def _wanted(self, named: dict[str, Any], *, check: bool) -> dict[str, Any]:  # noqa: ARG002
        block = DataSourceBlock(**named).to_query()
        if not block:
            raise AuroraxInputError("give programs=, platforms=, instrument_types= or metadata_filters=")
        return {"data_sources": block}

    def _check(self, deadline: Deadline) -> None:
        if self._connection.check_names:
            catalogue.check_names({"data_sources": [self.query["data_sources"]]}, self._transport, deadline)

    def _decode(self, items: list[msgspec.Raw], **_: Unpack[ReadOptions]) -> xr.Dataset:
        dataset = ephemeris_records.ephemeris_from_items(items)
        dataset.attrs[provenance.KEY] = provenance.to_text(
            provenance.make_provenance(request_ids=[self.request_id], query=self.query, api_url=self._transport.api_url)
        )
        return dataset
