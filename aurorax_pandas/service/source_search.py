"""What the searches for records of data sources share: these are named, or the search was run before."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from aurorax_pandas import times
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.query.query import is_given
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.job import Search

_Result = TypeVar("_Result")


class SourceSearch(Search[_Result]):
    """
    One search for records of data sources.

    Parameters
    ----------
    asked : mapping of str to object
        The caller's arguments: ``start``, ``end`` and what names data sources.
    connection : Connection
        The service, and how it is asked.
    request_id : str, optional
        A search that was run before, in place of all that.

    Raises
    ------
    AuroraxInputError
        If there is not either of the two, or an argument is not valid.
    """

    #: What may be given, in words.
    asks_for: ClassVar[str]

    def __init__(self, asked: Mapping[str, Any], connection: Connection, request_id: str | None = None) -> None:
        if any(map(is_given, asked.values())) == (request_id is not None):
            raise AuroraxInputError(f"give either start, end and {self.asks_for}, or request_id=")
        payload: dict[str, Any] = {}
        if request_id is None:
            named = dict(asked)
            first, last = times.window(named.pop("start"), named.pop("end"))
            payload = {"start": first, "end": last, **self._wanted(named, check=connection.check_names)}
        super().__init__(payload, connection, request_id)

    @classmethod
    def prepared(cls, connection: Connection, **asked: Any) -> Self:
        """Return a search that goes by a connection."""
        search = cls.__new__(cls)
        SourceSearch.__init__(search, asked, connection)
        return search

    @abstractmethod
    def _wanted(self, named: dict[str, Any], *, check: bool) -> dict[str, Any]:
        """Return what is sent beside the window; `check` is whether names are looked up."""

    def _read_query(self, found: dict[str, Any]) -> dict[str, Any]:
        return found
