"""Whom to acknowledge for what is in a frame, from a bundled table of what is known."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast
from urllib.parse import urlsplit

import pandas as pd
from nested_pandas import NestedDtype

from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import model
from aurorax_pandas.frame.events import SEPARATOR, require
from aurorax_pandas.frame.provenance import SAMPLE, get_provenance
from aurorax_pandas.sources import known_sources

if TYPE_CHECKING:
    import xarray as xr

#: What stands where nobody is known to be acknowledged.
ASK: Final = "ask the provider"
_COLUMNS: Final = ("kind", "name", "provider", "acknowledge", "url", "doi", "source")
_PROGRAM_COLUMNS: Final = ("program", "e1_program", "e2_program")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_PACKAGE: Final = "aurorax-pandas"


class Citation(NamedTuple):
    """
    Whom to acknowledge.

    Parameters
    ----------
    table : pandas.DataFrame
        One row each: ``kind`` (program, service, model, sample, software), ``name``, ``provider``, ``acknowledge``
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
        Conjunctions, or what verbs make of them; or an ephemeris.

    Returns
    -------
    Citation
        ``table``, ``text`` and ``bibtex``. Printed it is its text.

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
    programs = None if isinstance(data, pd.DataFrame) else getattr(data, "coords", {}).get("program")
    if programs is not None:
        # an ephemeris tells in its attributes what a frame found in it tells in its provenance
        return _cited({str(name) for name in programs.values.ravel()}, data.attrs)
    df = require(cast("pd.DataFrame", data), "citation")
    names = _programs(df)
    if len(df) and not names:
        raise AuroraxInputError(
            "citation needs rows that name their data sources: conjunctions, events, pair summaries or passes"
        )
    return _cited(names, get_provenance(df.attrs))


def acknowledgement(df: pd.DataFrame) -> tuple[str, list[str]]:
    """Return the words that a file of a frame carries, and the DOIs of its references."""
    found = _cited(_programs(df), get_provenance(df.attrs))
    return found.text, [doi for doi in dict.fromkeys(found.table["doi"]) if doi]


def _cited(names: Iterable[str], origin: Mapping[Any, Any]) -> Citation:
    rows = [*_program_rows(names), *_origin_rows(origin)]
    table = pd.DataFrame(rows, columns=[*_COLUMNS, "reference"]).fillna("").astype("str")
    references = _references()
    keys = sorted({key for key in table["reference"] if key})
    bibtex = "\n\n".join([*(references[key] for key in keys), _own_reference(origin)])
    table = table.drop(columns="reference")
    return Citation(table, _in_words(table), f"{bibtex}\n")


def _programs(df: pd.DataFrame) -> set[str]:
    """Return the programs in a frame; a source whose program is not known stands with its own name."""
    names: set[Any] = set()
    displayed: set[Any] = set()
    told = False
    for column, values in df.items():
        if isinstance(values.dtype, NestedDtype):
            fields = model.flatten(values).fields
            parts = {name: model.compute.unique(array).to_pylist() for name, array in fields.items()
                     if name in (*_PROGRAM_COLUMNS, "station")}  # fmt: skip
            displayed.update(parts.pop("station", ()))
            names.update(*parts.values())
            told = told or bool(parts)
        elif column in _PROGRAM_COLUMNS:
            names.update(values.dropna().unique())
            told = True
    if not told:
        pairs = df["pair"] if "pair" in df.columns else df.index if df.index.name == "pair" else pd.Index([])
        displayed.update(name for pair in pairs.astype("str").unique() for name in pair.split(SEPARATOR))
        displayed.update(df["spacecraft"].dropna().unique() if "spacecraft" in df.columns else ())
        known = known_sources().drop_duplicates("display_name").set_index("display_name")["program"]
        names.update(known.get(name, name) for name in displayed if name)
    return {str(name) for name in names - {None, ""}}


def _program_rows(names: Iterable[str]) -> Iterator[dict[str, str]]:
    known = _known().query("kind == 'program'").set_index("name", drop=False)
    for name in sorted(names):
        row = known.loc[name].to_dict() if name in known.index else {"kind": "program", "name": name}
        yield row | {"acknowledge": row.get("acknowledge") or ASK}


def _origin_rows(origin: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Return rows of what else made the data: the service, models, samples, and this library."""
    known = _known().set_index("name", drop=False)
    url = str(origin.get("api_url") or "")
    if urlsplit(url).hostname in _LOOPBACK:
        yield {
            "kind": "sample",
            "name": "sandbox",
            "acknowledge": f"answered at {url}, on this machine: for demonstrations, no answer of AuroraX",
        }
    if url or origin.get("request_ids"):
        yield known.loc["AuroraX"].to_dict()
    told = [str(origin.get(name) or "") for name in ("field", "method", SAMPLE)]
    told += ["SGP4"] if origin.get("elements_age") is not None else []
    for name in known.index[known["kind"] == "model"]:
        if any(name in words for words in told):
            yield known.loc[name].to_dict()
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


def _in_words(table: pd.DataFrame) -> str:
    lines = ["Acknowledge, in the words that the links or the providers give:"]
    for row in table.to_dict("records"):
        told = f"{row['name']} ({row['provider']})" if row["provider"] else row["name"]
        links = [row["url"], f"doi:{row['doi']}" if row["doi"] else ""]
        lines.append("; ".join([f"{told}: {row['acknowledge']}", *filter(None, links)]))
    return "\n".join(lines)


@functools.cache
def _known() -> pd.DataFrame:
    """Return the bundled table, with the DOI of each reference; do not change it, it is shared."""
    with resources.files("aurorax_pandas").joinpath("data/citations.csv").open("rb") as file:
        table = pd.read_csv(file, comment="#", dtype="str", keep_default_na=False)
    dois = {key: found[1] for key, entry in _references().items() if (found := re.search(r"doi = \{(.+)\}", entry))}
    return table.assign(doi=table["reference"].map(dois).fillna(""))


@functools.cache
def _references() -> dict[str, str]:
    """Return the entries of the bundled references, by their key."""
    text = resources.files("aurorax_pandas").joinpath("data/references.bib").read_text(encoding="utf-8")
    entries = [entry.strip() for entry in re.split(r"\n(?=@)", text)]
    return {entry[entry.index("{") + 1 : entry.index(",")]: entry for entry in entries}
