"""What pandas, xarray and Dask users do on the way: afterwards each verb gives a right result, or says the cure."""

import contextlib
import io
import sqlite3
from collections.abc import Callable
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap

KP = pd.Series([0.3, 0.7, 1.0], pd.date_range("2020-01-01", periods=3, freq="3h"), name="kp")
NESTED = ("data_sources", "events")
EPHEMERIS = ap.load_sample_ephemeris()

Change = Callable[[Any], Any]


def times_of(df):
    return list(df.select_dtypes(["datetime", "datetimetz"]).columns)


def zoned(df, zone="UTC"):
    return df.assign(**{name: df[name].dt.tz_localize("UTC").dt.tz_convert(zone) for name in times_of(df)})


def as_text(df):
    return df.assign(**{name: df[name].astype("str") for name in times_of(df)})


def in_halves(df, change):
    return pd.concat([df.head(20), change(df.iloc[20:])])


def without_nested(df, change):
    """Change the flat columns alone, as those do who know that an operation does not take nested ones."""
    held = [name for name in NESTED if name in df]
    changed = change(df.drop(columns=held))
    return changed.assign(**{name: df[name].array for name in held})[list(df.columns)]


def through_pickle(df):
    file = io.BytesIO()
    df.to_pickle(file)
    return pd.read_pickle(io.BytesIO(file.getvalue()))


def through(write, read):
    def change(df):
        file = io.BytesIO()
        getattr(df, write)(file)
        return read(io.BytesIO(file.getvalue()))

    return change


def merged_by_time(df):
    return pd.merge_asof(
        df.sort_values("start", kind="stable"),
        KP.rename_axis("start").reset_index().astype({"start": "M8[us]"}),
        on="start",
    )


#: Operations after which the rows and what they say are the same as before.
KEEPING: dict[str, Change] = {
    "copy": lambda df: df.copy(),
    "copy(deep=False)": lambda df: df.copy(deep=False),
    "reset_index": lambda df: df.reset_index(),
    "a string index": lambda df: df.set_axis([f"row {n}" for n in range(len(df))]),
    "an index of times": lambda df: df.set_index("start", drop=False).rename_axis("time"),
    "an index that repeats": lambda df: df.set_axis([0] * len(df)),
    "a multi-index": lambda df: df.set_index([pd.Index(["a"] * len(df)), pd.RangeIndex(len(df))]),
    "assign": lambda df: df.assign(kp=1.0, note="x"),
    "a column called day": lambda df: df.assign(day=1),
    "eval": lambda df: df.eval("spread = max_distance - min_distance"),
    "columns in another order": lambda df: df[df.columns[::-1]],
    "a name for the columns": lambda df: df.rename_axis(columns="name"),
    "query": lambda df: df.query("min_distance >= 0"),
    "where": lambda df: df.where(df["min_distance"] >= 0),
    "mask": lambda df: df[df["min_distance"] >= 0],
    "loc": lambda df: df.loc[df.index.unique()],
    "take": lambda df: df.take(range(len(df))),
    "reindex": lambda df: df.reindex(df.index),
    "sort_index": lambda df: df.sort_index(kind="stable"),
    "sort_values": lambda df: df.sort_values("min_distance").sort_index(),
    "sample": lambda df: df.sample(frac=1, random_state=1).sort_index(),
    "nlargest": lambda df: df.nlargest(len(df), "min_distance", keep="all").sort_index(),
    "groupby head": lambda df: df.groupby("conjunction_type", observed=True).head(len(df)),
    "concat of halves": lambda df: in_halves(df, lambda rest: rest),
    "concat of rows": lambda df: pd.concat([df.iloc[[n]] for n in range(len(df))]),
    "concat with an empty frame": lambda df: pd.concat([df, df.head(0)]),
    "concat of other attrs": lambda df: in_halves(df, lambda rest: pd.DataFrame({name: rest[name] for name in rest})),
    "merge": lambda df: df.assign(k=1).merge(pd.DataFrame({"k": [1], "v": [2]}), on="k", how="left"),
    "merge on the type": lambda df: df.merge(pd.DataFrame({"conjunction_type": ["nbtrace"], "v": [2]}), how="left"),
    "join": lambda df: df.join(pd.DataFrame({"v": range(len(df))}, index=df.index)),
    "merge_asof": merged_by_time,
    "lost attrs": lambda df: pd.DataFrame({name: df[name] for name in df}),
    "tz_localize": zoned,
    "tz_convert": lambda df: zoned(df, "America/Edmonton"),
    "to_datetime(utc=True)": lambda df: df.assign(start=pd.to_datetime(df["start"], utc=True)),
    "times in ns": lambda df: df.astype(dict.fromkeys(times_of(df), "M8[ns]")),
    "times in ms and s": lambda df: df.astype({"start": "M8[ms]", "end": "M8[s]"}),
    "times as text": as_text,
    "times as objects": lambda df: df.astype(dict.fromkeys(times_of(df), object)),
    "text and times together": lambda df: in_halves(df, as_text),
    "zoned and naive together": lambda df: in_halves(df, zoned),
    "periods": lambda df: df.assign(start=df["start"].dt.to_period("min")),
    "convert_dtypes": lambda df: df.convert_dtypes(),
    "convert_dtypes(pyarrow)": lambda df: without_nested(df, lambda flat: flat.convert_dtypes(dtype_backend="pyarrow")),
    "infer_objects": lambda df: df.astype({"min_distance": object}).infer_objects(),
    "Float64": lambda df: df.astype({"min_distance": "Float64"}),
    "types as str": lambda df: df.astype({"conjunction_type": "str"}),
    "types as string": lambda df: df.astype({"conjunction_type": "string"}),
    "types as objects": lambda df: df.astype({"conjunction_type": object}),
    "categories in another order": lambda df: df.assign(
        conjunction_type=df["conjunction_type"].cat.set_categories(["geographic", "sbtrace", "nbtrace"])
    ),
    "remove_unused_categories": lambda df: df.assign(
        conjunction_type=df["conjunction_type"].cat.remove_unused_categories()
    ),
    "distances as objects": lambda df: df.astype({"min_distance": object, "max_distance": object}),
    "distances as text": lambda df: df.assign(min_distance=df["min_distance"].map(repr)),
    "pickle": through_pickle,
    "to_parquet": through("to_parquet", pd.read_parquet),
    "to_feather": through("to_feather", pd.read_feather),
    "to_dict": lambda df: pd.DataFrame(df.to_dict("series")),
    "pipe": lambda df: df.pipe(lambda one: one),
    "set_flags": lambda df: df.set_flags(allows_duplicate_labels=False),
    "round": lambda df: df.assign(min_distance=df["min_distance"].round(12)),
}


def first_of_each(df):
    return df.groupby("conjunction_type", observed=True).first()


#: Operations that leave something else behind: a result or an error of ours, and no other error.
CHANGING: dict[str, Change] = {
    "head(0)": lambda df: df.head(0),
    "one row": lambda df: df.iloc[[3]],
    "reversed": lambda df: df.iloc[::-1],
    "rows that are not there": lambda df: df.reindex([0, 1, 999]),
    "where with gaps": lambda df: df.where(df["min_distance"] < 200),
    "shift": lambda df: df.shift(1),
    "outer merge": lambda df: df.merge(pd.DataFrame({"min_distance": [1.5], "v": [1]}), on="min_distance", how="outer"),
    "groupby first": first_of_each,
    "drop events": lambda df: df.drop(columns="events", errors="ignore"),
    "drop sources": lambda df: df.drop(columns="data_sources", errors="ignore"),
    "drop distances": lambda df: df.drop(columns=["min_distance", "max_distance"]),
    "some columns": lambda df: df[["start", "end", "min_distance"]],
    "set_index(start)": lambda df: df.set_index("start"),
    "rename": lambda df: df.rename(columns={"start": "begin"}),
    "add_prefix": lambda df: df.add_prefix("x_"),
    "columns twice": lambda df: pd.concat([df, df], axis=1),
    "columns of several levels": lambda df: pd.concat({"a": df, "b": df}, axis=1),
    "describe": lambda df: df.describe(),
    "isna": lambda df: df.isna(),
    "melt": lambda df: df.melt(id_vars="start", value_vars=["min_distance", "max_distance"]),
    "pivot_table": lambda df: df.assign(day=df["start"].dt.date).pivot_table(index="day", values="min_distance"),
    "resample": lambda df: df.set_index("start")[["min_distance"]].resample("1h").min(),
    "select_dtypes": lambda df: df.select_dtypes("number"),
    "transpose": lambda df: df.T,
    "objects all over": lambda df: df.astype(object),
    "words for times": lambda df: df.assign(start="soon"),
    "numbers for times": lambda df: df.assign(start=range(len(df))),
    "words for distances": lambda df: df.assign(min_distance="near"),
    "words for types": lambda df: df.assign(conjunction_type="magnetic"),
    "lists of dicts": lambda df: df.assign(events=[[] for _ in range(len(df))]),
    "text of cells": lambda df: df.assign(events="[]", data_sources="[]"),
    "read_csv": lambda df: pd.read_csv(io.StringIO(df.to_csv())),
    "a column of dates": lambda df: df.assign(day_of=df["start"].dt.date),
    "iterrows": lambda df: pd.DataFrame([row for _, row in df.iterrows()]),
    "an empty frame": lambda df: df[[]],
    "a Series": lambda df: df["min_distance"],
    "an array": lambda df: df["min_distance"].to_numpy(),
}


def twice(df):
    return pd.concat([df, df], ignore_index=True) if isinstance(df, pd.DataFrame) else df


#: What each verb gives, in a form that can be compared whatever the index and the columns beside ours are.
VERBS: dict[str, Change] = {
    "closest": lambda df: sorted(ap.closest(df, 3)["min_distance"].astype(float)),
    "closest by pair": lambda df: sorted(ap.closest(df, by="pair")["min_distance"].astype(float)),
    "closest by pair and hour": lambda df: len(ap.closest(df, by=["pair", pd.Grouper(key="start", freq="1h")])),
    "closest by column": lambda df: sorted(ap.closest(df, by="conjunction_type")["min_distance"].astype(float)),
    "filter_closest_epoch": lambda df: len(ap.filter_closest_epoch(df, "2020-01-01T01:00", "2020-01-01T02:00")),
    "within": lambda df: len(ap.within(df, 100)),
    "select_sources": lambda df: len(ap.select_sources(df, site="GILL")),
    "overflights": lambda df: len(ap.overflights(df, EPHEMERIS)),
    "deduplicate": lambda df: len(ap.deduplicate(twice(df))),
    "deduplicate by site": lambda df: len(ap.deduplicate(df, by="site")),
    "explode_events": lambda df: sorted(ap.explode_events(df)["min_distance"]),
    "groupby_pair": lambda df: ap.groupby_pair(df).size().to_dict(),
    "pair_summary": lambda df: ap.pair_summary(df, sources=True).astype("str").to_dict(),
    "pair_summary by site": lambda df: ap.pair_summary(df, by="site").astype("str").to_dict(),
    "minutes": lambda df: float(ap.minutes(df).sum()),
    "passes": lambda df: ap.passes(df)["minutes"].tolist(),
    "revisits": lambda df: ap.revisits(df).to_dict(),
    "daily_counts": lambda df: (
        ap.daily_counts(df, by="spacecraft", freq="1h").groupby(level=0)["count"].sum().to_dict()
    ),
    "closest_approach": lambda df: sorted(ap.closest_approach(df, EPHEMERIS)["approach_distance"].round(9)),
    "image_windows": lambda df: sorted(ap.image_windows(df)["start"]),
    "overlaps": lambda df: len(ap.overlaps(df, df)),
    "compare": lambda df: [len(each) for each in ap.compare(df, df)],
    "at_window_edge": lambda df: int(ap.at_window_edge(df, "2020-01-01T00:08", "2020-01-02").sum()),
    "join_series": lambda df: float(ap.join_series(df, KP.rename("ap"))["ap"].sum()),
    "stitch": lambda df: len(ap.stitch(df)),
    "concat": lambda df: len(ap.concat([df, df])),
    "as_conjunctions": lambda df: len(ap.as_conjunctions(df)),
    "records_from_conjunctions": lambda df: sorted(str(one) for one in ap.records_from_conjunctions(df)),
    "to_arrow": lambda df: ap.to_arrow(df).num_rows,
    "to_xarray": lambda df: ap.to_xarray(ap.as_conjunctions(df)).sizes["conjunction"],
}
OF_EVENTS = [
    "closest", "closest by pair", "closest by pair and hour", "closest by column", "filter_closest_epoch", "overflights",
    "groupby_pair", "pair_summary", "pair_summary by site", "minutes", "passes", "revisits", "daily_counts",
    "closest_approach", "image_windows", "at_window_edge", "join_series",
]  # fmt: skip


#: Operations that leave rows without any value, the verbs that list what such rows break, and those that warn of an
#: event whose sources are not known; no other may.
WITH_GAPS = ("rows that are not there", "where with gaps", "shift", "outer merge")
CHECKING = ("concat", "as_conjunctions", "to_xarray")
WARNING = ("filter_closest_epoch", "overflights", "passes")


def faults(changed: Any, verbs: list[str], expected: dict[str, Any] | None = None, *, gaps: bool = False) -> list[str]:
    """
    What is neither the expected result nor, where none is, an error of ours.

    Every message is one line and shows no nested dtype. A warning is raised as an error.
    """
    found = []
    for name in verbs:
        try:
            result = VERBS[name](changed)
        except (ap.AuroraxSchemaError, ap.AuroraxDataWarning) as told:
            if not (gaps and name in (WARNING if isinstance(told, ap.AuroraxDataWarning) else CHECKING)):
                found.append(f"{name}: {told}")
        except ap.AuroraxError as error:
            if expected is not None or "\n" in str(error) or len(str(error)) > 500 or "nested<" in str(error):
                found.append(f"{name}: message {error}")
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {error}"[:300])
        else:
            if expected is not None and result != expected[name]:
                found.append(f"{name}: another result")
    return found


@pytest.fixture(scope="module")
def expected():
    df = ap.load_sample_conjunctions()
    return {name: verb(df) for name, verb in VERBS.items()}


@pytest.fixture(scope="module")
def expected_of_events():
    events = ap.load_sample_conjunctions().aurorax.explode_events()
    return {name: VERBS[name](events) for name in OF_EVENTS}


@pytest.mark.parametrize("operation", KEEPING)
def test_verbs_after_an_operation_that_keeps_the_rows(sample, operation, expected):
    changed = KEEPING[operation](sample)
    assert faults(changed, list(VERBS), expected) == []
    # all of these keep what every verb can be sure of, so that an error is no way out
    assert len(ap.closest(changed, 3)) == 3


@pytest.mark.parametrize("operation", CHANGING)
def test_verbs_after_an_operation_that_leaves_something_else(sample, operation):
    assert faults(CHANGING[operation](sample), list(VERBS), gaps=operation in WITH_GAPS) == []


def through_sql(events):
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        events.astype({"conjunction_type": "str", "pair": "str"}).to_sql("events", connection, index=False)
        return pd.read_sql("select * from events", connection)


EVENTS: dict[str, Change] = {
    **{name: change for name, change in KEEPING.items() if name != "distances as text"},
    "read_csv": lambda events: pd.read_csv(io.StringIO(events.to_csv(index=False))),
    "to_json": lambda events: pd.read_json(io.StringIO(events.to_json(orient="records", date_format="iso")), orient="records"),
    "sql": through_sql,
    "pairs as text": lambda events: events.astype({"pair": "str"}),
    "concat of other pairs": lambda events: pd.concat([ap.explode_events(ap.load_sample_conjunctions().iloc[[n]]) for n in range(49)]),
    "without pairs": lambda events: events.drop(columns="pair"),
    "identifiers as floats": lambda events: events.astype({"e1_identifier": "float64", "e2_identifier": "int64"}),
}  # fmt: skip


@pytest.mark.parametrize("operation", EVENTS)
def test_verbs_on_events_after_an_operation_that_keeps_the_rows(sample, operation, expected_of_events):
    changed = EVENTS[operation](sample.aurorax.explode_events())
    verbs = [name for name in OF_EVENTS if not (operation == "a column called day" and "daily" in name)]
    assert faults(changed, verbs, expected_of_events) == []
    assert len(ap.closest(changed, by="pair")) == 33


@pytest.mark.parametrize("operation", CHANGING)
def test_verbs_on_events_after_an_operation_that_leaves_something_else(sample, operation):
    changed = CHANGING[operation](sample.aurorax.explode_events())
    assert faults(changed, list(VERBS), gaps=operation in WITH_GAPS) == []


DATASETS: dict[str, Change] = {
    "copy": lambda ds: ds.copy(),
    "assign": lambda ds: ds.assign(kp=("conjunction", np.arange(ds.sizes["conjunction"]))),
    "assign_attrs": lambda ds: ds.assign_attrs(mine=1),
    "isel": lambda ds: ds.isel(conjunction=slice(0, 10)),
    "sel": lambda ds: ds.sel(conjunction=[3, 4]),
    "sortby": lambda ds: ds.sortby("min_distance"),
    "chunk": lambda ds: ds.chunk({"conjunction": 10}),
    "load": lambda ds: ds.load(),
    "drop_vars": lambda ds: ds.drop_vars("start"),
    "drop_attrs": lambda ds: ds.drop_attrs(),
    "rename": lambda ds: ds.rename(start="begin"),
    "isel of events": lambda ds: ds.isel(event=slice(0, 10)),
    "where": lambda ds: ds.where(ds["min_distance"] < 200, drop=True),
    "mean": lambda ds: ds[["min_distance"]].mean(),
    "one variable": lambda ds: ds[["min_distance"]],
    "to_array": lambda ds: ds["min_distance"],
    "swap_dims": lambda ds: ds.assign_coords(start=ds["start"]).swap_dims(conjunction="start"),
    "a node of a tree": lambda ds: xr.DataTree(ds),
    "concat": lambda ds: xr.concat([ds, ds], dim="conjunction", data_vars="minimal", coords="minimal", compat="override", join="override"),
}  # fmt: skip
OF_DATASETS: dict[str, Change] = {
    "closest": lambda ds: ap.AuroraxDatasetAccessor(ds).closest(2),
    "deduplicate": lambda ds: ap.AuroraxDatasetAccessor(ds).deduplicate(),
    "explode_events": lambda ds: ap.AuroraxDatasetAccessor(ds).explode_events(),
    "pair_summary": lambda ds: ap.AuroraxDatasetAccessor(ds).pair_summary(),
    "within": lambda ds: ap.AuroraxDatasetAccessor(ds).within(200),
    "join_series": lambda ds: ap.AuroraxDatasetAccessor(ds).join_series(KP.rename("ap")),
    "to_arrow": lambda ds: ap.AuroraxDatasetAccessor(ds).to_arrow(),
    "as_conjunctions": lambda ds: ap.as_conjunctions(ds),
    "concat": lambda ds: ap.concat([ds, ds]),
    "closest of the function": lambda ds: ap.closest(ds, 2),
}


#: Operations after which a Dataset holds the same conjunctions, and those that leave others of it.
SAME_DATASETS = ("copy", "assign", "assign_attrs", "chunk", "load", "swap_dims", "a node of a tree")
OTHER_DATASETS = {"isel": range(10), "sel": [3, 4], "sortby": range(49)}


def said(result):
    """What a verb of a Dataset gives, whatever its dimensions are called and its form is."""
    if hasattr(result, "num_rows"):
        return result.num_rows
    distances = np.sort(np.asarray(result["min_distance"]))
    return [] if isinstance(result, pd.DataFrame) else sorted(result.sizes.values()), distances.tolist()


@pytest.mark.parametrize("operation", DATASETS)
def test_verbs_on_a_dataset_after_an_operation_of_xarray(sample, operation):
    changed = DATASETS[operation](sample.aurorax.to_xarray())
    same = sample if operation in SAME_DATASETS else sample.iloc[[*OTHER_DATASETS.get(operation, ())]]
    expected = {
        name: said(verb(same.aurorax.to_xarray()))
        for name, verb in OF_DATASETS.items()
        if "function" not in name and len(same)
    }
    found = []
    for name, verb in OF_DATASETS.items():
        try:
            result = verb(changed)
        except ap.AuroraxError as error:
            # a function for frames says so, and what holds nothing of ours is no way to a result
            if name in expected:
                found.append(f"{name}: {error}")
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {error}"[:300])
        else:
            if name in expected and said(result) != expected[name]:
                found.append(f"{name}: another result")
    assert found == []


LAZY: dict[str, Change] = {
    "repartition": lambda ddf: ddf.repartition(npartitions=2),
    "mask": lambda ddf: ddf[ddf["min_distance"] >= 0],
    "assign": lambda ddf: ddf.assign(kp=1.0),
    "zones": lambda ddf: ddf.map_partitions(zoned),
    "nanoseconds": lambda ddf: ddf.astype({"start": "M8[ns]"}),
    "types as text": lambda ddf: ddf.astype({"conjunction_type": object}),
    "concat of halves": lambda ddf: dd.concat([ddf.partitions[:2], ddf.partitions[2:]]),
    "drop": lambda ddf: ddf.drop(columns="events"),
    "columns": lambda ddf: ddf[["start", "min_distance"]],
    "compute": lambda ddf: dd.from_pandas(ddf.compute(), npartitions=2, sort=False),
}
OF_DASK: dict[str, Change] = {
    "closest": lambda ddf: sorted(ap.AuroraxDaskAccessor(ddf).closest(3).compute()["min_distance"]),
    "closest by pair": lambda ddf: sorted(
        ap.AuroraxDaskAccessor(ddf).closest(by=["pair", "day"]).compute()["min_distance"]
    ),
    "explode_events": lambda ddf: len(ap.AuroraxDaskAccessor(ddf).explode_events().compute()),
    "pair_summary": lambda ddf: (
        ap.AuroraxDaskAccessor(ddf).pair_summary(sources=True).compute().astype("str").to_dict()
    ),
    "deduplicate": lambda ddf: len(ap.AuroraxDaskAccessor(ddf).deduplicate().compute()),
    "within": lambda ddf: len(ap.AuroraxDaskAccessor(ddf).within(200).compute()),
    "minutes": lambda ddf: float(ap.AuroraxDaskAccessor(ddf).minutes().compute().sum()),
    "join_series": lambda ddf: float(ap.AuroraxDaskAccessor(ddf).join_series(KP.rename("ap")).compute()["ap"].sum()),
    "stitch": lambda ddf: len(ap.stitch(ddf).compute()),
    "concat": lambda ddf: len(ap.concat([ddf, ddf]).compute()),
    "as_conjunctions": lambda ddf: len(ap.as_conjunctions(ddf)),
    "closest of the function": lambda ddf: len(ap.closest(ddf)),
}


@pytest.fixture
def lazy(sample):
    return dd.from_pandas(sample, npartitions=3, sort=False)


@pytest.mark.parametrize("operation", LAZY)
def test_verbs_on_a_dask_frame_after_an_operation_of_dask(lazy, operation):
    changed = LAZY[operation](lazy)
    found = []
    for name, verb in OF_DASK.items():
        try:
            result = verb(changed)
        except ap.AuroraxError as error:
            # columns that are needed are gone, or a function is for frames alone
            if operation not in ("drop", "columns") and name not in ("as_conjunctions", "closest of the function"):
                found.append(f"{name}: {error}")
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {error}"[:300])
        else:
            if result != verb(lazy):
                found.append(f"{name}: another result")
    assert found == []
