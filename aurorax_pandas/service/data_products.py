"""The search for data products, keograms and movies for example, on the service."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Unpack

import msgspec
import pandas as pd

from aurorax_pandas.checks import known_name, names
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import products, provenance
from aurorax_pandas.options import hidden, service_in_force
from aurorax_pandas.query.blocks import GroundCriteriaBlock
from aurorax_pandas.query.filters import MetadataFilter
from aurorax_pandas.service import catalogue
from aurorax_pandas.service.connection import Connection
from aurorax_pandas.service.deadline import Deadline
from aurorax_pandas.service.download import ReadOptions
from aurorax_pandas.service.search import MET
from aurorax_pandas.service.source_search import SourceSearch
from aurorax_pandas.signatures import meeting, service_parameters
from aurorax_pandas.sources import NAMED_BY


@service_parameters
class DataProductSearch(SourceSearch[pd.DataFrame]):
    """
    One search for data products on the service, step by step; its verbs are those of `ConjunctionSearch`.

    Parameters
    ----------
    start, end : anything that `pandas.Timestamp` takes
        Window of the search, inclusive, UTC.
    programs, platforms, instrument_types : str or sequence of str
        Names of data sources.
    types : str or sequence of {"keogram", "montage", "movie", "summary_plot", "data_availability"}
        Kinds of data products; by default all.
    check_names : bool, default True
        Whether names are looked up among the service's data sources before the search is submitted, and kinds among
        those that are known.

    Raises
    ------
    AuroraxInputError
        If there is not either a window with names or kinds, or a `request_id`, or one of these is not valid; nothing
        is sent then.

    Examples
    --------
    >>> import aurorax_pandas, pandas as pd
    >>> from aurorax_pandas import sandbox
    >>> made = pd.DataFrame({
    ...     "identifier": [46], "program": ["themis-asi"], "platform": ["gillam"], "instrument_type": ["panchromatic ASI"],
    ...     "source_type": ["ground"], "display_name": ["THEMIS-ASI GILL"], "data_product_type": ["keogram"],
    ...     "start": ["2020-01-01"], "end": ["2020-01-01T23:59:59"], "url": ["https://example.org/keogram.png"]})
    >>> with sandbox.serve(data_products=made) as url:
    ...     s = aurorax_pandas.DataProductSearch("2020-01-01", "2020-01-01", programs="themis-asi", api_url=url)
    ...     s.run()["url"].tolist()
    ['https://example.org/keogram.png']
    """

    path: ClassVar[str] = "data_products"
    reader: ClassVar[str] = "read_aurorax_data_products"
    asks_for: ClassVar[str] = "names of data sources or types"
    response_format: ClassVar[dict[str, Any]] = products.RESPONSE_FORMAT

    @meeting(**MET, data_product_types="write types={value}")
    def __init__(
        self,
        start: Any = None,
        end: Any = None,
        *,
        programs: str | Sequence[str] = (),
        platforms: str | Sequence[str] = (),
        instrument_types: str | Sequence[str] = (),
        types: str | Sequence[str] = (),
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
            "instrument_types": instrument_types, "types": types, "metadata_filters": metadata_filters,
        }  # fmt: skip
        connection = Connection(service_in_force(api_url, api_key), poll_interval, check_names, clock, sleep)
        super().__init__(asked, connection, request_id)

    def _wanted(self, named: dict[str, Any], *, check: bool) -> dict[str, Any]:
        types = named.pop("types", ())
        block = GroundCriteriaBlock(**named).to_query()
        kinds = names("types", types)
        for kind in kinds if check else ():
            known_name("types", kind, products.DATA_PRODUCT_TYPES)
        if not block and not kinds:
            raise AuroraxInputError("give programs=, platforms=, instrument_types=, types= or metadata_filters=")
        return {
            "data_sources": {
                **{name: block.get(name, []) for name in NAMED_BY},
                "data_product_metadata_filters": block.get("ephemeris_metadata_filters", {}),
            },
            "data_product_type_filters": list(kinds),
        }

    def _check(self, deadline: Deadline) -> None:
        if self._connection.check_names:
            # the keys of products are listed apart from those of ephemeris, which the check knows
            named = {name: self.query["data_sources"][name] for name in NAMED_BY}
            catalogue.check_names({"data_sources": [named]}, self._transport, deadline)

    def _decode(self, items: list[msgspec.Raw], **_: Unpack[ReadOptions]) -> pd.DataFrame:
        frame = products.products_from_items(items)
        frame.attrs[provenance.KEY] = provenance.make_provenance(
            request_ids=[self.request_id], query=copy.deepcopy(self.query), api_url=self._transport.api_url
        )
        return frame
