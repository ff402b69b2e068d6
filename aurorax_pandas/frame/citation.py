"""Whom to acknowledge for what is in a frame, from a bundled table of what is known."""

from __future__ import annotations

import csv
import functools
import html
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

import pandas as pd
from nested_pandas import NestedDtype

from aurorax_pandas.checks import as_list
from aurorax_pandas.exceptions import AuroraxDataError, AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import SEPARATOR, require
from aurorax_pandas.frame.provenance import KEY, SAMPLE, get_provenance, queries_of
from aurorax_pandas.sources import known_sources, site_platforms

if TYPE_CHECKING:
    import xarray as xr

#: What stands where nobody is known to be acknowledged.
ASK: Final = "ask the provider"
#: What files and Datasets call the words, as the conventions for attributes (ACDD) do.
ACKNOWLEDGEMENT: Final = "acknowledgement"
_COLUMNS: Final = ("kind", "name", "provider", "acknowledge", "url", "doi", "source")
#: The columns, or fields of a nested column, that hold programs.
_PROGRAMS: Final = {
    "data_sources": ("program",),
    "events": ("e1_program", "e2_program"),
    "data_products": ("program",),
}
#: One row of the table, by column.
_READ: Final = (
    "data_sources",
    "events",
    *dict.fromkeys(itertools.chain(*_PROGRAMS.values())),
    "pair",
    "spacecraft",
    "station",
    "stations",
)
#: The columns of a list of sources, and those of the rows that `compare` finds changed.
_LISTED: Final = {"identifier", "program", "source_type"}
_CHANGED: Final = {"conjunction", "other", "sources"}
#: What tables of verbs call a source, in a column or in a level of their index.
_NAMED: Final = ("spacecraft", "station", "site")
Row = dict[str, str]
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
#: The middle of Kp 3−, 3, 3+, with which SSCWeb traces where nothing else is asked for.
_SSCWEB_KP: Final = "3.0"
_PACKAGE: Final = "aurorax-pandas"


class Citation(NamedTuple):
    """
    Whom to acknowledge.

    Parameters
    ----------
    table : pandas.DataFrame
        One row each: ``kind`` (program, site, service, model, sample, software), ``name``, ``provider``, ``acknowledge``
        (``"ask the provider"`` where it is not known), ``url`` and ``doi``, and ``source``, where the row was read; text,
        empty where nothing is known.
    text : str
        The same in words, one line each.
    bibtex : str
        The references as BibTeX.
    """

    table: pd.DataFrame
    text: str
    bibtex: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        lines = (
            re.sub(r"(https?://\S+?)(?=[;,.]?(?:\s|$))", r'<a href="\1">\1</a>', html.escape(line))
            for line in self.text.split("\n")
        )
        return f"<p>{'<br>'.join(lines)}</p>"


def citation(data: pd.DataFrame | xr.Dataset) -> Citation:
    """
    Return whom to acknowledge for what is in a frame: the programs, the service, the models behind footprints.

    The table behind it holds facts that were found in public sources, each with its source, in words of our own. It invents
    none: where nothing was found it says ``"ask the provider"``, and the wording that a provider wants is at the link.

    Parameters
    ----------
    data : pandas.DataFrame or xarray.Dataset
        Conjunctions, or what verbs make of them, as a frame or a Dataset; or an ephemeris.

    Returns
    -------
    Citation
        ``table``, ``text`` and ``bibtex``. Printed it is its text. A site in it, from a table by site that has lost its
        query, stands for cameras that the table does not name: `citation` of the frame behind it names their programs.

    Raises
    ------
    AuroraxInputError
        If it is neither, or has rows that name no data source.

    Examples
    --------
    >>> import aurorax_pandas
    >>> found = aurorax_pandas.load_sample_conjunctions().aurorax.citation()
    >>> found.table.set_index("name").loc["swarm", ["provider", "doi"]].tolist()
    ['European Space Agency', '10.1186/BF03351933']
    >>> print(found.bibtex.splitlines()[0])
    @article{friischristensen2006,
    """
    given: Any = data
    if hasattr(given, "data_vars"):
        # a node of a tree holds a Dataset
        dataset = given.to_dataset() if hasattr(given, "to_dataset") else given
        programs = dataset.coords.get("program")
        if programs is not None and "epoch" in dataset.dims:
            return _cited({str(name) for name in programs.values.ravel()}, (), _origin_of_ephemeris(dataset.attrs))
        try:
            given = dataset.aurorax.to_dataframe()
        except (AuroraxDataError, AuroraxInputError) as error:
            raise AuroraxInputError(f"citation needs conjunctions or an ephemeris: {error}") from None
    df = require(given, "citation", *(name for name in _READ if name in getattr(given, "columns", ())))
    names, sites = _programs(df)
    if len(df) and not names and not sites:
        # counts of all rows together name no source, but know which query they count
        names = _asked(get_provenance(df.attrs))
    if len(df) and not names and not sites:
        raise AuroraxInputError(
            "citation needs rows that name their data sources, or a query that names programs: conjunctions, events, "
            "summaries, passes, image windows, tracks, a list of sources. Of overlaps, and of counts that have lost their "
            "query, cite the frames behind them; cells of other tools are made ours by as_conjunctions(data)"
        )
    return _cited(names, sites, get_provenance(df.attrs))


def acknowledgement(df: pd.DataFrame) -> tuple[str, list[str]]:
    """Return the words that a file of a frame carries, and the DOIs of its references."""
    rows = _rows_of(*_programs(df), get_provenance(df.attrs))
    return _in_words(rows), list(dict.fromkeys(row["doi"] for row in rows if row["doi"]))


def _origin_of_ephemeris(attrs: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what an ephemeris tells in its attributes, and in its provenance where it was read from a service."""
    try:
        read = json.loads(attrs.get(KEY, "{}"))
    except (TypeError, ValueError):
        read = {}
    return {**(read if isinstance(read, dict) else {}), **attrs}


def _cited(names: Iterable[str], sites: Iterable[str], origin: Mapping[Any, Any]) -> Citation:
    rows = _rows_of(names, sites, origin)
    references = _references()
    keys = sorted({row["reference"] for row in rows if row["reference"]})
    bibtex = "\n\n".join([*(references[key] for key in keys), _own_reference(origin)])
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype("str")
    return Citation(table, _in_words(rows), f"{bibtex}\n")


def _rows_of(names: Iterable[str], sites: Iterable[str], origin: Mapping[Any, Any]) -> list[Row]:
    empty = dict.fromkeys((*_COLUMNS, "reference"), "")
    return [empty | row for row in (*_program_rows(names), *_site_rows(sites), *_origin_rows(origin))]


def _programs(df: pd.DataFrame) -> tuple[set[str], set[str]]:
    """
    Return the programs in a frame, and the sites of which it does not tell the programs.

    A source whose program is not known stands among the programs with its own name.
    """
    names, sites = set(_columns_of_programs(df)), set[str]()
    if not names:
        displayed = {name for name in _displayed(df) if name}
        listed = known_sources()
        known = listed.drop_duplicates("display_name").set_index("display_name")["program"]
        asked = _asked(get_provenance(df.attrs))
        if asked and not displayed <= set(known.index):
            # a site is no program: where the query tells which were asked for, these are they
            names = asked
        else:
            sites = displayed & {*site_platforms(), *listed.loc[listed["source_type"] == "ground", "platform"]}
            names = {known.get(name, name) for name in displayed - sites}
        held = {*df.columns, *df.index.names}
        if {"program", "spacecraft"} <= held:
            # windows of images have the program of the camera
            names |= set(df["program"].dropna().astype("str"))
        elif displayed and not {"pair", "site", "stations"} & held and len({"spacecraft", "station"} & held) == 1:
            # a table of the one side rests on the other, too
            names |= asked
    return {str(name) for name in names - {None, ""}}, sites


def _columns_of_programs(df: pd.DataFrame) -> Iterator[Any]:
    """Return what stands for a program in the columns of a frame."""
    for nested in ("data_sources", "events"):
        if nested in df.columns and isinstance(df[nested].dtype, NestedDtype):
            fields = model.flatten(df[nested]).fields
            for name in _PROGRAMS[nested]:
                yield from model.compute.unique(fields[name]).to_pylist()
    flat = ("program",) if {*df.columns} >= _LISTED else _PROGRAMS.get(model.kind_of(df), ())
    for name in flat:
        if name in df.columns:
            yield from df[name].dropna().astype("str").unique()


def _displayed(df: pd.DataFrame) -> Iterator[str]:
    """Return the names of data sources in tables that verbs make."""
    told: Any
    for label in ("pair", *_NAMED, *(["sources"] if {*df.columns} >= _CHANGED else [])):
        if label in df.columns:
            told = df[label]
        elif label in df.index.names:
            told = df.index.get_level_values(label)
        else:
            continue
        for name in map(str, told.dropna().unique()):
            # a table by site has pairs of these
            yield from name.split(SEPARATOR) if label in ("pair", "site", "sources") else [name]
    if model.kind_of(df) == "passes":
        yield from model.compute.unique(model.flatten(df["stations"]).fields["station"]).to_pylist()


def _asked(origin: Mapping[str, Any]) -> set[str]:
    """Return the programs that the queries of a provenance name; none where a block of sources names none."""
    blocks = [
        block
        for query in queries_of(origin)
        for kind in ("ground", "space", "events")
        for block in query.get(kind) or ()
    ]
    programs = [as_list(block.get("programs") or ()) for block in blocks if isinstance(block, dict)]
    return {str(name) for each in programs for name in each} if all(programs) else set()


def _program_rows(names: Iterable[str]) -> Iterator[Row]:
    known = _citation_rows()
    for name in sorted(names):
        row = known.get(("program", name), {"kind": "program", "name": name})
        yield row | {"acknowledge": row.get("acknowledge") or ASK}


def _site_rows(sites: Iterable[str]) -> Iterator[Row]:
    for name in sorted(sites):
        yield {
            "kind": "site",
            "name": name,
            "acknowledge": "the providers of its cameras, whose programs are not told here: cite the frame behind this table",
        }


def _origin_rows(origin: Mapping[str, Any]) -> Iterator[Row]:
    """Return rows of what else made the data: the service, models, samples, and this library."""
    url = str(origin.get("api_url") or "")
    if urlsplit(url).hostname in _LOOPBACK:
        told = f"answered at {url}, on this machine: for demonstrations, no answer of AuroraX"
        yield {"kind": "sample", "name": "sandbox", "acknowledge": told}
    elif url or origin.get("request_ids"):
        yield _citation_rows()["service", "AuroraX"]
    words = [str(origin.get(name) or "") for name in ("field", "method", SAMPLE)]
    words += ["SGP4"] if origin.get("elements_age") is not None else []
    words += ["SSCWeb"] if str(origin.get("kp")) == _SSCWEB_KP else []
    for (kind, name), row in _citation_rows().items():
        if kind == "model" and any(name in each for each in words):
            yield row
    if origin.get(SAMPLE):
        yield {"kind": "sample", "name": "bundled data", "acknowledge": str(origin[SAMPLE])}
    yield {
        "kind": "software",
        "name": "aurorax_pandas",
        "provider": "The aurorax_pandas developers",
        "acknowledge": f"the version that was used, {_made_by(origin)}",
    }


def _made_by(origin: Mapping[str, Any]) -> str:
    return str(origin.get("package_version") or version(_PACKAGE))


def _own_reference(origin: Mapping[str, Any]) -> str:
    return (
        "@software{aurorax_pandas,\n  author = {{The aurorax\\_pandas developers}},\n  title = {aurorax\\_pandas},\n"
        f"  version = {{{_made_by(origin)}}}\n}}"
    )


def _in_words(rows: Iterable[Row]) -> str:
    lines = ["Acknowledge, in the words that the links or the providers give:"]
    for row in rows:
        told = f"{row['name']} ({row['provider']})" if row["provider"] else row["name"]
        links = [row["url"], f"doi:{row['doi']}" if row["doi"] else ""]
        lines.append("; ".join([f"{told}: {row['acknowledge']}", *filter(None, links)]))
    return "\n".join(lines)


def known_rows() -> list[Row]:
    """Return what is known of all programs, the service and models: the rows of the bundled table."""
    return [dict(row) for row in _citation_rows().values()]


@functools.cache
def _citation_rows() -> dict[tuple[str, str], Row]:
    """Return the rows of the bundled table by kind and name, with the DOI of each reference; do not change them."""
    references = _references()
    lines = resources.files("aurorax_pandas").joinpath("data/citations.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for row in rows:
        found = re.search(r"doi = \{(.+)\}", references.get(row["reference"], ""))
        row["doi"] = found[1] if found else ""
    return {(row["kind"], row["name"]): row for row in rows}


@functools.cache
def _references() -> dict[str, str]:
    """Return the entries of the bundled references, by their key."""
    text = resources.files("aurorax_pandas").joinpath("data/references.bib").read_text(encoding="utf-8")
    entries = [entry.strip() for entry in re.split(r"\n(?=@)", text)]
    return {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}
