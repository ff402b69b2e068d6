"""The AuroraX API as the sandbox speaks it: which request has which answer."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from aurorax_pandas.checks import as_list
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.query.query import Query, describe_query
from aurorax_pandas.sandbox import words
from aurorax_pandas.sandbox.conjunctions import conjunction_work
from aurorax_pandas.sandbox.faults import Faults, reply_instead
from aurorax_pandas.sandbox.holdings import FORMATS, Holdings
from aurorax_pandas.sandbox.jobs import DEMONSTRATION, Job, Jobs
from aurorax_pandas.sandbox.positions import days_of_ephemeris, ephemeris_work, read_days, read_records_query
from aurorax_pandas.sandbox.products import days_of_products, products_work, read_types
from aurorax_pandas.sandbox.replies import RefusalError, Reply, failure

logger = logging.getLogger("aurorax_pandas.sandbox")

#: The fields of a record that hold a data source, or several.
_SOURCES_IN_RECORDS: Final = ("data_source", "data_sources", "e1_source", "e2_source")


class Api:
    """
    The answers of a sandbox.

    Parameters
    ----------
    held : Holdings
        What it has.
    faults : Faults
        What is to go wrong.
    jobs : Jobs
        Its searches.
    """

    def __init__(self, held: Holdings, faults: Faults, jobs: Jobs) -> None:
        self._held = held
        self._faults = faults
        self._jobs = jobs

    def answer(self, method: str, target: str, body: Any, url: str) -> tuple[Reply, Any]:
        """Answer one request at an address; the second item is what is to go wrong with the answer."""
        parts = urlsplit(target)
        allowed = [route for route in _ROUTES if re.fullmatch(route.pattern, parts.path)]
        if not allowed:
            return failure(404, "NotFound", f"there is nothing at {parts.path}"), None
        route = next((route for route in allowed if route.method == method), None)
        if route is None:
            return failure(405, "ApplicationError", f"{method} is not allowed here"), None
        fault = self._faults.take(route.step)
        instead = reply_instead(fault, target)
        if instead is not None:
            return instead, None
        match = re.fullmatch(route.pattern, parts.path)
        values = {**parse_qs(parts.query), **(match.groupdict() if match else {}), "url": url}
        try:
            reply: Reply = getattr(self, route.name)(body, values)
        except RefusalError as refusal:
            reply = refusal.reply
        except AuroraxInputError as error:
            reply = failure(400, "ApplicationError", str(error))
        if fault == "unknown_state" and isinstance(reply.body, dict):
            reply = reply._replace(body={**reply.body, "search_result": {"state": "mislaid"}})
        return reply, fault

    def _submit(self, body: Any, values: dict[str, Any]) -> Reply:
        path = values["kind"]
        chosen = body.get("request_id") if isinstance(body, dict) else None
        if path == "conjunctions":
            query = Query.parse(body)
            work = conjunction_work(self._held, query)
            job = Job(path, words.full_query(query, chosen), describe_query(query.payload), work)
        else:
            block, start, end = read_records_query(path, body)
            types = read_types(body)
            full = words.full_records_query(path, block, start, end, types, chosen)
            work = (
                ephemeris_work(self._held, block, start, end)
                if path == "ephemeris"
                else products_work(self._held, block, start, end, types)
            )
            job = Job(path, full, words.describe_records_query(path, full), work)
        if not self._jobs.add(job):
            raise RefusalError(409, "Duplicate", f"request {job.request_id} exists already")
        trouble = self._faults.take("search")
        job.start(
            fail="Search failed: the sandbox was told to" if trouble == "fail" else None, stall=trouble == "stall"
        )
        logger.info("search %s taken", job.request_id)
        return Reply(202, None, (("location", f"{values['url']}/api/v1/{path}/requests/{job.request_id}"),))

    def _job(self, values: dict[str, Any]) -> Job:
        job = self._jobs.get(values["kind"], values["request_id"])
        if job is None:
            raise RefusalError(404, "NotFound", f"request {values['request_id']} is not known")
        return job

    def _status(self, _: Any, values: dict[str, Any]) -> Reply:
        return Reply(200, self._job(values).status())

    def _cancel(self, _: Any, values: dict[str, Any]) -> Reply:
        job = self._job(values)
        if job.is_done:
            job.delete_data()
            return Reply(204)
        job.cancel()
        return Reply(200, job.status())

    def _data(self, response_format: Any, values: dict[str, Any]) -> Reply:
        body = self._job(values).body
        if body is None:
            raise RefusalError(404, "NotFound", f"request {values['request_id']} has no data")
        form = _format_of(values, "data_source_record_format", None)
        if form is None and response_format is None:
            return Reply(200, body, is_json=True)
        records = json.loads(body)["result"]
        if form is not None:
            full = {record["identifier"]: record for record in self._held.records}
            records = _reformed(records, FORMATS[form], full)
        return Reply(200, {"result": records if response_format is None else _trimmed(records, response_format)})

    def _delete_data(self, _: Any, values: dict[str, Any]) -> Reply:
        self._job(values).delete_data()
        return Reply(204)

    def _describe(self, body: Any, values: dict[str, Any]) -> Reply:
        path = values["query_kind"]
        if path == "conjunction":
            return Reply(200, describe_query(Query.parse(body).payload))
        block, start, end = read_records_query(path, body)
        full = words.full_records_query(path, block, start, end, read_types(body), None)
        return Reply(200, words.describe_records_query(path, full))

    def _list_sources(self, body: Any, values: dict[str, Any]) -> Reply:
        body = {} if body is None else body
        if not isinstance(body, dict) or not all(isinstance(names, list | str | None) for names in body.values()):
            raise RefusalError(400, "ApplicationError", "the body must be an object whose values are lists of names")
        wanted = {**values, **{name.removesuffix("s"): as_list(names) for name, names in body.items()}}
        return Reply(200, [_in_format(record, values) for record in self._held.records if _is_wanted(record, wanted)])

    def _one_source(self, _: Any, values: dict[str, Any]) -> Reply:
        identifier = int(values["identifier"])
        for record in self._held.records:
            if record["identifier"] == identifier:
                return Reply(200, _in_format(record, values))
        raise RefusalError(404, "NotFound", f"no data source record found with identifier {identifier}")

    def _ephemeris_days(self, _: Any, values: dict[str, Any]) -> Reply:
        days = read_days(*(values.get(name, [None])[0] for name in ("start", "end")))
        identifiers = self._held.table["identifier"]
        counts = {identifiers[place]: each for place, each in days_of_ephemeris(self._held, days).items()}
        return self._available(counts, "available_ephemeris", values)

    def _product_days(self, _: Any, values: dict[str, Any]) -> Reply:
        days = read_days(*(values.get(name, [None])[0] for name in ("start", "end")))
        return self._available(days_of_products(self._held, days), "available_data_products", values)

    def _available(self, counts: Mapping[int, dict[str, int]], name: str, values: dict[str, Any]) -> Reply:
        none = {"available_ephemeris": None, "available_data_products": None}
        found = [
            {"data_source": _in_format(record, values), **none, name: counts[record["identifier"]]}
            for record in self._held.records
            if record["identifier"] in counts and _is_wanted(record, values)
        ]
        return Reply(200, found)

    def _refuse(self, _: Any, __: dict[str, Any]) -> Reply:
        raise RefusalError(
            401, "NotAuthenticated", "it is for searches alone; nothing can be written or administered here"
        )

    def _root(self, _: Any, __: dict[str, Any]) -> Reply:
        return Reply(200, {"message": DEMONSTRATION})


class _Route(NamedTuple):
    method: str
    pattern: str
    name: str
    step: str


_KIND: Final = r"/api/v1/(?P<kind>conjunctions|ephemeris|data_products)"
_REQUEST: Final = _KIND + r"/requests/(?P<request_id>[^/]+)"
_SOURCE: Final = r"/api/v1/data_sources/(?P<identifier>-?[0-9]{1,18})"
_DESCRIBE: Final = r"/api/v1/utils/describe/query/(?P<query_kind>conjunction|ephemeris|data_products)"
_ADMIN: Final = r"/api/v1/utils/admin/search_requests"
_ROUTES: Final = (
    _Route("GET", "/?", "_root", "root"),
    _Route("POST", _KIND + "/search", "_submit", "submit"),
    _Route("GET", _REQUEST, "_status", "status"),
    _Route("DELETE", _REQUEST, "_cancel", "cancel"),
    _Route("GET", _REQUEST + "/data", "_data", "data"),
    _Route("POST", _REQUEST + "/data", "_data", "data"),
    _Route("DELETE", _REQUEST + "/data", "_delete_data", "cancel"),
    _Route("POST", _DESCRIBE, "_describe", "describe"),
    _Route("GET", r"/api/v1/data_sources", "_list_sources", "data_sources"),
    _Route("POST", r"/api/v1/data_sources/search", "_list_sources", "data_sources"),
    _Route("GET", _SOURCE, "_one_source", "data_sources"),
    _Route("GET", r"/api/v1/availability/ephemeris", "_ephemeris_days", "availability"),
    _Route("GET", r"/api/v1/availability/data_products", "_product_days", "availability"),
    _Route("POST", r"/api/v1/data_sources", "_refuse", "write"),
    *(_Route(method, _SOURCE, "_refuse", "write") for method in ("PUT", "PATCH", "DELETE")),
    *(_Route(method, _SOURCE + "/(ephemeris|data_products)", "_refuse", "write") for method in ("POST", "DELETE")),
    _Route("GET", _ADMIN, "_refuse", "write"),
    _Route("DELETE", _ADMIN + "/[^/]+", "_refuse", "write"),
)


def _format_of(values: Mapping[str, Any], name: str, default: str | None) -> str | None:
    given = values.get(name)
    if given and given[0] not in FORMATS:
        raise RefusalError(400, "ApplicationError", f"{name} is one of {', '.join(FORMATS)}")
    return given[0] if given else default


def _in_format(record: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a data source in the form that is asked for."""
    form = _format_of(values, "format", "basic_info") or "basic_info"
    shown = {name: record[name] for name in FORMATS[form]}
    if values.get("include_stats", [""])[0].lower() == "true":
        shown["stats"] = record["stats"]
    return shown


def _is_wanted(source: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    filters = ("program", "platform", "instrument_type", "source_type", "owner")
    return all(source[name] in wanted[name] for name in filters if wanted.get(name))


def _reformed(value: Any, fields: tuple[str, ...], full: Mapping[int, Mapping[str, Any]]) -> Any:
    """Give the data sources in records the fields of a form."""
    if isinstance(value, list):
        return [_reformed(item, fields, full) for item in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for name, item in value.items():
        if name in _SOURCES_IN_RECORDS:
            one = isinstance(item, dict)
            known = [{**full.get(source["identifier"], {}), **source} for source in ([item] if one else item)]
            sources = [{field: source[field] for field in fields if field in source} for source in known]
            made[name] = sources[0] if one else sources
        else:
            made[name] = _reformed(item, fields, full)
    return made


def _trimmed(value: Any, wanted: Any) -> Any:
    """Keep the fields that a response format names."""
    if isinstance(value, list):
        return [_trimmed(item, wanted) for item in value]
    if isinstance(value, dict) and isinstance(wanted, dict):
        return {name: _trimmed(item, wanted[name]) for name, item in value.items() if wanted.get(name)}
    return value
