"""One row per pair event, and the labels of pairs."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from nested_pandas import NestedDtype

from aurorax_pandas.checks import as_list, check_frame, listed, one_name, shown, whole_text
from aurorax_pandas.exceptions import AuroraxDataWarning, AuroraxInputError, callers_level
from aurorax_pandas.frame import model
from aurorax_pandas.frame.columns import columns_of_kind, in_model_dtypes, kind_by_names
from aurorax_pandas.frame.dataframe import typed
from aurorax_pandas.sources import CONJUNCTION_TYPES, site_codes

PairBy = Literal["pair", "site"]

SEPARATOR: Final = " & "
#: Columns of an events frame that say who met whom.
SIDE_COLUMNS: Final = tuple(name for name in model.EVENT_FIELDS if name.startswith(("e1_", "e2_")))
#: So many columns of a frame stand in a message, and so many letters of a name.
_SHOWN_COLUMNS: Final = 12
_LONGEST_NAME: Final = 100


@typed
def explode_events(df: pd.DataFrame, columns: str | Sequence[Any] | None = None) -> pd.DataFrame:
    """
    Return one row per pair event, flat and typed.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions; any selection of them, in any order, with any index.
    columns : str or sequence of labels, optional
        Which columns of the conjunctions travel to their events. By default all that the service does not send: your own
        and those of verbs such as `closest_approach`; ``()`` for none. Of the service's only ``farthest_epoch`` can be
        named, for an event has columns of its own called ``conjunction_type``, ``start``, ``end``, ``min_distance``,
        ``max_distance`` and ``closest_epoch``.

    Returns
    -------
    pandas.DataFrame
        ``conjunction`` (row position of the parent), ``conjunction_label`` (its index label),
        ``conjunction_type``, ``e1_identifier`` … ``e1_display_name``, ``e2_…``, ``pair`` (both display names, the
        ground source first, then in alphabetical order), ``start``, ``end``, ``min_distance`` [km],
        ``max_distance`` [km], ``closest_epoch``: the parent's, where it must be this event's, else NaT. In the
        order of the parents. After these the columns that travel, each value on every event of its conjunction: what
        it says of the whole conjunction need not hold for each of several pairs, so call `closest_approach` and its
        like on the events. ``attrs`` are kept. A column of yours that is called as one of these stays with the parents,
        to be joined by ``conjunction_label``.

    Raises
    ------
    AuroraxInputError
        If the frame has no nested column ``events``, or a column that is to travel is not there or cannot.

    Warns
    -----
    AuroraxDataWarning
        If columns of `closest_approach` travel from conjunctions of several pairs, of which they describe one.

    Examples
    --------
    >>> import aurorax_pandas
    >>> df = aurorax_pandas.load_sample_conjunctions()
    >>> df.aurorax.explode_events().loc[0, "pair"]
    'THEMIS-ASI TALO & Swarm A'
    >>> df.assign(kp=2.0).aurorax.explode_events()["kp"].iloc[0]
    np.float64(2.0)
    """
    df = require(df, "explode_events", "events", "conjunction_type", "min_distance", "closest_epoch")
    places = _travelling(df, columns)
    flat = model.flatten(df["events"])
    labels = df.index.to_flat_index() if isinstance(df.index, pd.MultiIndex) else df.index
    made: dict[str, Any] = {
        "conjunction": flat.row,
        "conjunction_label": labels.take(flat.row),
        "conjunction_type": _types(df, flat),
    }
    for name in model.EVENT_FIELDS:
        if name not in made:
            made[name] = flat.column(name).array
    made["closest_epoch"] = _closest_epochs(df, flat, made)
    made["pair"] = pair_labels(flat.fields)
    events = pd.DataFrame({name: made[name] for name in model.EVENT_COLUMNS}, copy=False)
    if places:
        if "approach_distance" in df.columns[places] and (several := int((flat.lengths > 1).sum())):
            warnings.warn(
                f"the closest approach of {several} conjunctions is that of one of their pairs, and stands with each of their "
                "events now; explode the events first, then ask for closest_approach",
                AuroraxDataWarning,
                stacklevel=callers_level(),
            )
        own = df.iloc[:, places].take(flat.row).reset_index(drop=True)
        events = pd.concat([events, own], axis=1)
    events.attrs = copy.deepcopy(df.attrs)
    return events


def _travelling(df: pd.DataFrame, columns: Any) -> list[int]:
    """Return the positions of the columns that travel to the events."""
    if columns is None:
        kept = {*model.CONJUNCTION_COLUMNS, *model.EVENT_COLUMNS}
        return [place for place, name in enumerate(df.columns) if name not in kept]
    wanted = as_list(columns)
    own = {*model.EVENT_COLUMNS, "events", "data_sources"}
    for name in wanted:
        if one_name("columns", name) not in df.columns:
            raise AuroraxInputError(
                f"columns: {shown(name)} is no column; the frame has {', '.join(map(str, df.columns))}"
            )
        if name in own:
            raise AuroraxInputError(f"columns: an event has {name!r} of its own; leave it out, or rename yours")
    return [place for place, name in enumerate(df.columns) if name in wanted]


def as_events(df: pd.DataFrame, verb: str, *columns: str) -> pd.DataFrame:
    """Return the events of a conjunctions frame; a frame of events passes, typed, if it has the columns needed."""
    if is_events(df):
        if "pair" in columns and "pair" not in df.columns:
            # both sources tell which pair it is
            df = df.assign(pair=label_events(require(df, verb, *SIDE_COLUMNS)))
        return require(df, verb, *columns)
    return explode_events(require(df, verb, "events"))


def is_events(df: pd.DataFrame) -> bool:
    """Tell whether this is a frame of `explode_events`."""
    held = set(df.columns) if isinstance(df, pd.DataFrame) else set()
    return "e1_identifier" in held and not {"events", "median_distance"} & held


def require(df: pd.DataFrame, verb: str, *columns: str) -> pd.DataFrame:
    """
    Return a frame as a verb can read it, or raise: the one place at which verbs convert what they meet.

    Parameters
    ----------
    df : pandas.DataFrame
        Conjunctions, events or a pair summary, as pandas or another tool may have left them.
    verb : str
        Who asks, for an error.
    *columns : str
        The columns that it reads.

    Returns
    -------
    pandas.DataFrame
        The frame, its flat columns in the dtypes of the data model: times of other units or with a zone as naive UTC,
        text of any kind, numbers of any width. A frame that is typed is returned itself.

    Raises
    ------
    AuroraxInputError
        If a column is missing, or cannot be converted.
    """
    check_frame(df, verb)
    if df.columns.dtype == object:
        # labels that are all text are never cut: pandas keeps them as text
        for label in df.columns:
            if isinstance(label, str):
                whole_text(f"{verb}: the name of a column", label)
    missing = [name for name in columns if name not in df.columns]
    if missing:
        named = ", ".join(
            name if isinstance(name, str) and len(name) <= _LONGEST_NAME else shown(name) for name in missing
        )
        raise AuroraxInputError(f"{verb} needs the column(s) {named}; {_cure(df)}")
    if not df.columns.is_unique and (twice := set(columns) & set(df.columns[df.columns.duplicated()])):
        raise AuroraxInputError(
            f"{verb}: the column {min(twice)!r} is there twice; drop or rename one, and as_conjunctions takes the frame"
        )
    typed_frame, wrong = in_model_dtypes(df, columns_of_kind(df))
    for name in columns:
        dtype = typed_frame[name].dtype
        if name in wrong:
            raise AuroraxInputError(
                f"{verb} needs the column {name}, which cannot be read ({wrong[name]}); mend it, or make the frame by "
                "as_conjunctions"
            )
        if name in ("events", "data_sources") and dtype != model.CONJUNCTION_COLUMNS[name]:
            held = "other nested cells" if isinstance(dtype, NestedDtype) else "cells of another tool"
            raise AuroraxInputError(
                f"{verb} needs the column {name} typed, it holds {held}; use as_conjunctions(df) first"
            )
    return typed_frame


def sides_of(events: pd.DataFrame, field: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """
    Return a field of the first and of the second source of each event.

    Raises
    ------
    AuroraxInputError
        If the frame lacks one of the two columns.
    """
    lacking = [name for name in (f"e1_{field}", f"e2_{field}") if name not in events.columns]
    if lacking:
        raise AuroraxInputError(
            f"the events lack the column(s) {', '.join(lacking)}, which tell their sources; {_cure(events)}"
        )
    return events[f"e1_{field}"], events[f"e2_{field}"]


def of_one_side(events: pd.DataFrame, on_first: npt.NDArray[np.bool_], field: str) -> pd.Series[Any]:
    """Return a field of the first source of each event where that is the one wanted, else of the second."""
    first, second = sides_of(events, field)
    return first.where(on_first, second)


def refuse_foreign_cells(df: pd.DataFrame, verb: str) -> None:
    """Raise where nested columns hold the cells of another tool, with the one way to make them ours."""
    for name in ("data_sources", "events"):
        held = df[name] if name in df.columns and df.columns.is_unique else None
        if held is not None and (held.dtype == object or isinstance(held.dtype, pd.ArrowDtype)):
            raise AuroraxInputError(
                f"{verb} needs the column {name} typed, it holds cells of another tool; use as_conjunctions(df) first"
            )


def _cure(df: pd.DataFrame) -> str:
    kind = kind_by_names(set(df.columns))
    if kind != "conjunctions":
        named = {"events": "events", "pair_summary": "pair summaries", "passes": "passes"}[kind]
        return f"this is a frame of {named}: give the conjunctions behind it (as_conjunctions makes them of other tools' data)"
    if df.columns.nlevels > 1:
        return "the frame has columns of several levels; choose one level, and as_conjunctions takes the frame"
    if {"source_count", "source1_identifier"} <= {*df.columns}:
        return "this is a file of to_csv as others read it; load_conjunctions gives all that is in it"
    if any(isinstance(dtype, NestedDtype) for dtype in df.dtypes):
        # a typed frame of which a column was dropped or renamed
        return f"the frame has {listed(list(df.columns))}; rename back, or call this before columns are dropped"
    first = [str(name) for name in df.columns[:_SHOWN_COLUMNS]]
    more = ", …" if len(df.columns) > _SHOWN_COLUMNS else ""
    return f"the frame has {', '.join(first)}{more}; as_conjunctions makes a typed frame of what holds conjunctions"


def _types(df: pd.DataFrame, flat: model.Flat) -> pd.Categorical:
    parents = model.category_codes(df["conjunction_type"], model.CONJUNCTION_TYPE)[flat.row]
    own = model.compute.index_in(flat.fields["conjunction_type"], pa.array(CONJUNCTION_TYPES)).fill_null(-1).to_numpy()
    return pd.Categorical.from_codes(np.where(own < 0, parents, own), dtype=model.CONJUNCTION_TYPE)


def _closest_epochs(df: pd.DataFrame, flat: model.Flat, columns: dict[str, Any]) -> npt.NDArray[np.datetime64]:
    epochs = df["closest_epoch"].to_numpy()[flat.row]
    alone = flat.lengths[flat.row] == 1
    equal = df["min_distance"].to_numpy()[flat.row] == columns["min_distance"].to_numpy()
    inside = (columns["start"].to_numpy() <= epochs) & (epochs <= columns["end"].to_numpy())
    epochs[~((alone | equal) & inside)] = np.datetime64("NaT", "us")
    return epochs


def label_events(events: pd.DataFrame, by: PairBy = "pair") -> pd.Categorical:
    """Label the pair of each event in a frame, its ground sources by their display name or by their site."""
    fields = {name: model.pandas_to_arrow(events[name], model.EVENT_FIELDS[name]) for name in SIDE_COLUMNS}
    return pair_labels(fields, by)


def pair_labels(fields: dict[str, pa.Array], by: PairBy = "pair") -> pd.Categorical:
    """
    Label the pair of each event, whichever of its sources comes first.

    Parameters
    ----------
    fields : dict of str to pyarrow.Array
        ``e1_identifier`` … ``e2_display_name``, one value per event.
    by : {"pair", "site"}, default "pair"
        Whether a ground source is named by its display name or by its site.
    """
    number: dict[str, int] = {}
    sides = []
    for side in ("e1", "e2"):
        source = {name: fields[f"{side}_{name}"] for name in model.SOURCE_FIELDS}
        names = model.compute.dictionary_encode(source_names(source, by))
        codes = np.array([number.setdefault(name, len(number)) for name in names.dictionary.to_pylist()], np.int64)
        ground = model.compute.equal(source["source_type"], "ground").fill_null(False).to_numpy(zero_copy_only=False)
        # a source is its name and whether it is on the ground: one integer, and a pair is one integer of two
        sides.append(codes[names.indices.to_numpy()] * 2 + ground)
    known = list(number)
    codes, distinct = pd.factorize(sides[0] * (2 * len(known)) + sides[1])
    labels = [_pair_label([divmod(int(code), 2) for code in divmod(pair, 2 * len(known))], known) for pair in distinct]
    categories = sorted(set(labels))
    rank = {label: position for position, label in enumerate(categories)}
    recode = np.array([rank[label] for label in labels], np.int64)
    return pd.Categorical.from_codes(recode[codes], categories=pd.Index(categories, dtype="str"))


def _pair_label(sources: list[tuple[int, int]], names: list[str]) -> str:
    return SEPARATOR.join(name for _, name in sorted((not on_ground, names[name]) for name, on_ground in sources))


def first_in_label(fields: dict[str, pa.Array], by: PairBy) -> npt.NDArray[np.bool_]:
    """Tell of each event whether its first source also comes first in the label of its pair."""
    keys = []
    for side in ("e1", "e2"):
        source = {name: fields[f"{side}_{name}"] for name in model.SOURCE_FIELDS}
        ground = model.compute.equal(source["source_type"], "ground").fill_null(False).to_numpy(zero_copy_only=False)
        keys.append((ground, source_names(source, by).to_numpy(zero_copy_only=False)))
    (ground, name), (other_ground, other_name) = keys
    return np.asarray(np.where(ground == other_ground, name <= other_name, ground), bool)


def source_names(source: dict[str, pa.Array], by: PairBy = "pair") -> pa.Array:
    """Name sources: by display name, else program and platform, else identifier; or ground sources by site."""
    names = source["display_name"]
    if names.null_count:
        identified = model.compute.binary_join_element_wise("source", source["identifier"].cast(pa.string()), " ")
        described = model.compute.binary_join_element_wise(source["program"], source["platform"], " ")
        names = model.compute.coalesce(names, described, identified, pa.scalar("unknown source"))
    if by == "site":
        sites = model.compute.coalesce(source_sites(source), source["platform"])
        names = model.compute.if_else(
            model.compute.equal(source["source_type"], "ground").fill_null(False),
            model.compute.coalesce(sites, names),
            names,
        )
    return names


def source_sites(source: dict[str, pa.Array]) -> pa.Array:
    """Return the four-letter site code of each ground source, null where there is none."""
    known = site_codes()
    codes = pa.array(known.values(), pa.string()).take(
        model.compute.index_in(source["platform"], pa.array(known.keys(), pa.string()))
    )
    return model.compute.if_else(
        model.compute.equal(source["source_type"], "ground").fill_null(False), codes, pa.scalar(None, pa.string())
    )
