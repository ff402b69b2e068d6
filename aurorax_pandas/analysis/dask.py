"""The verbs on Dask frames: lazily, by the functions for pandas."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from aurorax_pandas.analysis import counts, pairs, selection
from aurorax_pandas.analysis.grouping import GroupBy, holds_values, keys_of
from aurorax_pandas.checks import as_list
from aurorax_pandas.exceptions import AuroraxInputError
from aurorax_pandas.frame import events, model
from aurorax_pandas.frame.concat import each_once, merged_attrs, read_of
from aurorax_pandas.frame.events import PairBy, require
from aurorax_pandas.frame.provenance import get_provenance, step_of
from aurorax_pandas.frame.stitch import stitch as stitch_rows

if TYPE_CHECKING:
    import dask.dataframe as dd

    from aurorax_pandas.times import Span

_ORDER: Final = "_aurorax_order"
_KEY: Final = "_aurorax_key"
_ROW: Final = "_aurorax_row"
_FRAME: Final = "_aurorax_frame"
#: What the summary of a pair reads, and what makes a frame one of events.
_SUMMED: Final = ("e1_identifier", "conjunction_type", "pair", "start", "end", "min_distance", "closest_epoch")
#: What tells whether two rows are one conjunction, and which of them stays.
_COMPARED: Final = ("data_sources", "conjunction_type", "start", "end", "min_distance")
#: Rows of a partition are numbered from this times the number of the partition.
_ROWS: Final = 2**40


def register_nested_dtype() -> None:
    """Tell Dask how a nested column without and with rows looks."""
    from dask.dataframe.extensions import make_array_nonempty
    from nested_pandas import NestedDtype

    @make_array_nonempty.register(NestedDtype)  # type: ignore[untyped-decorator]
    def _(dtype: NestedDtype) -> Any:
        fields = model.flatten(pd.Series([], dtype=dtype)).fields
        return model.nested_array(
            {name: pa.nulls(2, field.type) for name, field in fields.items()}, np.array([0, 1, 2])
        )


def map_rows(ddf: dd.DataFrame, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Apply a verb to each partition; one that looks at each row by itself gives the same for any partitions."""
    # the verb checks its arguments here, before anything is computed
    meta = verb(ddf._meta, *args, **kwargs)  # noqa: SLF001
    return ddf.map_partitions(verb, *args, **kwargs, meta=meta)


def select_sources(ddf: dd.DataFrame, /, *, how: str = "any", **wanted: Any) -> dd.DataFrame:
    """Keep the conjunctions of some data sources; a partition alone cannot tell which names the whole frame has."""
    rows: dd.DataFrame = map_rows(ddf, selection.rows_of_sources, *selection.wanted_values(how, **wanted))
    return rows


# its arguments and what it says are those of the verb on pandas' frames
functools.update_wrapper(select_sources, selection.select_sources)


def explode_events(ddf: dd.DataFrame, columns: str | Sequence[Any] | None = None) -> dd.DataFrame:
    """Return one row per pair event, as `aurorax_pandas.explode_events`; the categories of ``pair`` come when computed."""
    from dask.delayed import delayed

    meta = _open_pairs(events.explode_events(ddf._meta, columns))  # noqa: SLF001
    made = []
    before: Any = (0, 0)
    for part in ddf.to_delayed():
        made.append(delayed(_explode)(part, before, columns))
        before = delayed(_count)(before, part)
    return _from_parts(made, meta)


def _count(before: tuple[int, int], df: pd.DataFrame) -> tuple[int, int]:
    return before[0] + len(df), before[1] + int(model.flatten(df["events"]).lengths.sum())


def _explode(df: pd.DataFrame, before: tuple[int, int], columns: Any) -> pd.DataFrame:
    exploded = events.explode_events(df, columns)
    exploded["conjunction"] += before[0]
    exploded.index += before[1]
    return exploded


def _from_parts(parts: list[Any], meta: pd.DataFrame) -> dd.DataFrame:
    import dask.dataframe as dd
    from dask import config

    # Dask would give texts another dtype
    with config.set({"dataframe.convert-string": False}):
        frame: dd.DataFrame = dd.from_delayed(parts, meta=meta, verify_meta=False)
    return frame


def _open_pairs(meta: pd.DataFrame) -> pd.DataFrame:
    from dask.dataframe.utils import clear_known_categories

    cleared: pd.DataFrame = clear_known_categories(meta, cols=["pair"])
    return cleared


def groupby_pair(ddf: dd.DataFrame, by: PairBy = "pair") -> Any:
    """
    Group the events by pair of data sources, as `aurorax_pandas.groupby_pair`; a grouping of Dask.

    Cameras of one site can see the same in several partitions, so with ``by="site"`` the events are shuffled by pair.
    """
    exploded = ddf if events.is_events(ddf._meta) else explode_events(ddf)  # noqa: SLF001
    if by != "pair":
        verb = partial(pairs.pair_events, by=by)
        meta = _open_pairs(verb(exploded._meta))  # noqa: SLF001
        keyed = _numbered(exploded, partial(_events_by_pair, by=by, needed=list(exploded.columns)))
        exploded = _shuffled(keyed).map_partitions(_in_order, verb, meta=meta)
    return exploded.groupby("pair", observed=True)


def pair_summary(
    ddf: dd.DataFrame, by: PairBy = "pair", step: Span | None = None, *, sources: bool = False
) -> dd.DataFrame:
    """
    Sum up each pair of data sources, as `aurorax_pandas.pair_summary`.

    The median and the union of minutes need all events of a pair at once: the events are shuffled by pair.
    """
    verb = partial(pairs.pair_summary, by=by, step=_step_of(ddf, step), sources=sources)
    meta = verb(ddf._meta)  # noqa: SLF001
    needed = [*_SUMMED, *events.SIDE_COLUMNS] if sources else None
    keyed = _numbered(ddf, partial(_events_by_pair, by=by, needed=needed))
    summed = _shuffled(keyed).map_partitions(_in_order, verb, meta=meta)
    summary: dd.DataFrame = summed.repartition(npartitions=1).map_partitions(_by_label, meta=meta)
    return summary


def minutes(ddf: dd.DataFrame, step: Span | None = None) -> dd.Series:
    """Count the minutes in conjunction of each row, as `aurorax_pandas.minutes`."""
    return map_rows(ddf, counts.minutes, _step_of(ddf, step))


def _step_of(ddf: dd.DataFrame, step: Span | None) -> pd.Timedelta | None:
    """Return the step of all partitions, which may lose their provenance on the way; None where their rows have to tell it."""
    meta = ddf._meta  # noqa: SLF001
    return step_of(meta, step) if step is not None or get_provenance(meta.attrs) else None


def _by_label(df: pd.DataFrame) -> pd.DataFrame:
    return df.sort_index()


def closest(ddf: dd.DataFrame, n: int = 1, by: GroupBy | None = None) -> dd.DataFrame:
    """
    Keep the conjunctions of least distance, as `aurorax_pandas.closest`.

    The closest of each partition are found first, and of these the closest, as one partition. Cameras of one site can
    stand in several partitions, so with ``by="site"`` the events are shuffled by pair.
    """
    from dask.base import is_dask_collection

    keys = [] if by is None else keys_of(ddf._meta, by)  # noqa: SLF001
    if any(holds_values(key) or is_dask_collection(key) for key in keys) or ("site" in keys and len(keys) > 1):
        shown = repr(by) if isinstance(by, str | list | tuple) else f"a {type(by).__name__}"
        raise AuroraxInputError(
            f"by={shown} needs all rows at once; on a Dask frame give names, or the frame of its .compute()"
        )
    verb = partial(selection.closest, n=n, by=by)
    meta = verb(ddf._meta)  # noqa: SLF001
    if keys == ["site"]:
        return _closest_by_site(ddf, verb, meta)
    kept: dd.DataFrame = ddf.map_partitions(verb, meta=meta).repartition(npartitions=1).map_partitions(verb, meta=meta)
    return kept


def _closest_by_site(ddf: dd.DataFrame, verb: Callable[..., pd.DataFrame], meta: pd.DataFrame) -> dd.DataFrame:
    from dask.delayed import delayed

    keyed = _numbered(ddf, partial(_events_by_pair, by="site"))
    chosen = _shuffled(keyed).map_partitions(_rows_of_closest, verb, meta=pd.Series([], dtype="int64"))
    rows = delayed(pd.concat)(chosen.to_delayed())
    taken = [delayed(_take)(part, number, rows) for number, part in enumerate(ddf.to_delayed())]
    return _from_parts(taken, meta)


def _rows_of_closest(df: pd.DataFrame, verb: Callable[..., pd.DataFrame]) -> pd.Series[int]:
    return verb(df.iloc[np.argsort(df[_ORDER].to_numpy())])[_ROW]


def _take(df: pd.DataFrame, number: int, rows: pd.Series[int]) -> pd.DataFrame:
    here = np.unique(rows.to_numpy()) - number * _ROWS
    taken = df.iloc[here[(here >= 0) & (here < _ROWS)]]
    return taken.assign(pair=events.label_events(taken, "site")) if events.is_events(df) else taken


def deduplicate(ddf: dd.DataFrame, by: Literal["source", "site"] = "source") -> dd.DataFrame:
    """
    Keep each conjunction once, as `aurorax_pandas.deduplicate`.

    What is compared is shuffled by the sources; the rows themselves stay in their partitions, and in their order.
    """
    from dask.delayed import delayed

    verb = partial(selection.deduplicate, by=by)
    meta = verb(ddf._meta)  # noqa: SLF001
    keyed = _numbered(ddf, partial(_rows_by_sources, by=by, needed=_COMPARED))
    repeated = _shuffled(keyed).map_partitions(_rows_left_out, verb, meta=pd.Series([], dtype="int64"))
    rows = delayed(pd.concat)(repeated.to_delayed())
    kept = [delayed(_without)(part, number, rows) for number, part in enumerate(ddf.to_delayed())]
    return _from_parts(kept, meta)


def _rows_left_out(df: pd.DataFrame, verb: Callable[..., pd.DataFrame]) -> pd.Series[int]:
    ordered = df.iloc[np.argsort(df[_ORDER].to_numpy())]
    return pd.Series(np.setdiff1d(ordered[_ORDER].to_numpy(), verb(ordered)[_ORDER].to_numpy()), dtype="int64")


def _without(df: pd.DataFrame, number: int, rows: pd.Series[int]) -> pd.DataFrame:
    here = rows.to_numpy() - number * _ROWS
    return df.iloc[np.setdiff1d(np.arange(len(df)), here)]


def stitch(ddf: dd.DataFrame, step: Span | None = None) -> dd.DataFrame:
    """Join conjunctions that a cut in time has split, as `aurorax_pandas.stitch`; the rows are shuffled by their sources."""
    meta = require(ddf._meta, "stitch", *model.CONJUNCTION_COLUMNS)  # noqa: SLF001
    verb = partial(stitch_rows, step=_step_of(ddf, step))
    meta = verb(meta)
    keyed = _numbered(ddf, partial(_rows_by_sources, by="source"))
    joined: dd.DataFrame = _shuffled(keyed).map_partitions(_in_order, verb, meta=meta)
    return joined


def concat(ddf: dd.DataFrame, others: Sequence[dd.DataFrame]) -> dd.DataFrame:
    """Put several Dask frames together, as `aurorax_pandas.concat`; the rows are shuffled by their sources."""
    import dask.dataframe as dd

    frames = [ddf, *([others] if isinstance(others, dd.DataFrame) else as_list(others))]
    for frame in frames:
        if not isinstance(frame, dd.DataFrame):
            raise AuroraxInputError(f"others holds a {type(frame).__name__}; give a list of Dask frames")
        if _FRAME in frame.columns:
            raise AuroraxInputError(f"the column {_FRAME!r} is needed to tell frames apart; rename yours")
    metas = [frame._meta for frame in frames]  # noqa: SLF001
    reads = [read_of(meta.attrs) for meta in metas]
    attrs = merged_attrs([meta.attrs for meta in metas])
    tagged = dd.concat([map_rows(frame, _tagged, number) for number, frame in enumerate(frames)])
    verb = partial(_each_once, reads=reads, attrs=attrs)
    keyed = _numbered(tagged, partial(_rows_by_sources, by="source"))
    meta = verb(tagged._meta)  # noqa: SLF001
    whole: dd.DataFrame = _shuffled(keyed).map_partitions(_in_order, verb, meta=meta)
    return whole


def _tagged(df: pd.DataFrame, number: int) -> pd.DataFrame:
    tagged = require(df, "concat", *model.CONJUNCTION_COLUMNS).assign(**{_FRAME: number})
    # attrs that differ would be dropped, and their merger is known
    tagged.attrs = {}
    return tagged


def _each_once(df: pd.DataFrame, reads: Sequence[Any], attrs: dict[Any, Any]) -> pd.DataFrame:
    whole = each_once(df.drop(columns=_FRAME), df[_FRAME].to_numpy(np.int64), reads)
    whole.attrs = attrs
    return whole


def _numbered(ddf: dd.DataFrame, make: Callable[[pd.DataFrame, int], pd.DataFrame]) -> dd.DataFrame:
    from dask.delayed import delayed

    taken = [name for name in (_ORDER, _KEY, _ROW) if name in ddf.columns]
    if taken:
        raise AuroraxInputError(f"the column {taken[0]!r} is needed to put rows in order; rename yours")
    made = [delayed(make)(part, number) for number, part in enumerate(ddf.to_delayed())]
    meta = make(ddf._meta, 0)  # noqa: SLF001
    return _from_parts(made, _open_pairs(meta) if events.is_events(meta) else meta)


def _shuffled(ddf: dd.DataFrame) -> dd.DataFrame:
    # the other ways of Dask pass through Arrow, which does not give nested columns back
    frame: dd.DataFrame = ddf.shuffle(_KEY, shuffle_method="tasks")
    return frame


def _in_order(df: pd.DataFrame, verb: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    # ties go to the earlier row, and a shuffle forgets which that was
    ordered = df.iloc[np.argsort(df[_ORDER].to_numpy())]
    return verb(ordered.drop(columns=[_ORDER, _KEY, _ROW], errors="ignore"))


def _events_by_pair(df: pd.DataFrame, number: int, by: PairBy, needed: Sequence[str] | None = None) -> pd.DataFrame:
    exploded = events.as_events(df, "pair_summary")
    order = np.arange(len(exploded)) + number * _ROWS
    parent = order if events.is_events(df) else exploded["conjunction"].to_numpy() + number * _ROWS
    labels = events.label_events(exploded, "site") if by == "site" else exploded["pair"].array
    if needed is None:
        sources = [name for name in exploded.columns if by == "site" and name.startswith(("e1_", "e2_"))]
        needed = [*_SUMMED, *sources]
    return exploded[list(dict.fromkeys(needed))].assign(
        **{_ORDER: order, _ROW: parent, _KEY: _hashes(labels.categories)[labels.codes]}
    )


def _rows_by_sources(
    df: pd.DataFrame, number: int, by: Literal["source", "site"], needed: Sequence[str] | None = None
) -> pd.DataFrame:
    flat = model.flatten(df["data_sources"])
    names = pd.Series(events.source_names(flat.fields, "site" if by == "site" else "pair").to_pylist(), dtype="str")
    entries = pd.DataFrame({"row": flat.row, "hash": _hashes(names)}).drop_duplicates()
    # a sum does not depend on the order of the sources, and wraps
    key = entries.groupby("row")["hash"].sum().reindex(range(len(df)), fill_value=0).to_numpy()
    told = df if needed is None else df[list(needed)]
    return told.assign(**{_ORDER: np.arange(len(df)) + number * _ROWS, _KEY: key})


def _hashes(texts: Any) -> Any:
    return pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False).view(np.int64)
