"""What users write, README's lines among it: type checkers must take all of it and know what comes out."""

from typing import assert_type

import pandas as pd
import xarray as xr
from matplotlib.axes import Axes

import aurorax_pandas as ap
from aurorax_pandas import AuroraxDataFrame, sandbox
from aurorax_pandas.testing import assert_conjunctions_equal

with sandbox.serve() as url:
    df = ap.read_aurorax_conjunctions(
        "2020-01-01",
        "2020-01-01T06:59:59",
        500,
        ground=[{"programs": ["themis-asi"]}],
        space=[{"programs": ["swarm"]}],
        api_url=url,
    )
assert_type(df, AuroraxDataFrame)
assert_type(df.query("min_distance < 200").aurorax.closest(1, by="pair"), AuroraxDataFrame)
assert_type(df.query("min_distance < 200").aurorax.closest(1, by="pair").aurorax.plot.timeline(), Axes)
assert_type(df.aurorax.plot.timeline(by="pair", color="min_distance"), Axes)
assert_type(df.aurorax.plot(), Axes)
assert_type(df.aurorax.closest(1).aurorax.within(300).aurorax.explode_events(), AuroraxDataFrame)
assert_type(df[df["min_distance"] < 200].aurorax.closest(1), AuroraxDataFrame)
assert_type(df.loc[df["min_distance"] < 200].aurorax.closest(1), AuroraxDataFrame)
assert_type(df.iloc[:3].aurorax.deduplicate(), AuroraxDataFrame)
assert_type(df.head(3).aurorax.pair_summary(), AuroraxDataFrame)
assert_type(df.assign(kp=1.0).sort_values("kp").aurorax.closest(1), AuroraxDataFrame)
assert_type(df.reset_index(drop=True).copy().drop(columns="kp").aurorax.closest(1), AuroraxDataFrame)
assert_type(df.nsmallest(3, "min_distance").aurorax.select_sources(site="GILL"), AuroraxDataFrame)
assert_type(df.merge(df).aurorax.closest(1), AuroraxDataFrame)
assert_type(df.sample(3).pipe(ap.closest, 3).aurorax.closest(1), AuroraxDataFrame)
assert_type(df.aurorax.to_xarray(), xr.Dataset)
assert_type(ap.load_conjunctions("swarm.parquet"), AuroraxDataFrame)
assert_type(ap.find_conjunctions(ap.load_sample_ephemeris(), distance=500), AuroraxDataFrame)
df.aurorax.to_csv("swarm.csv", overwrite=True)
gained, lost, changed = df.aurorax.compare(df)
assert_type(df.aurorax.citation().table, pd.DataFrame)
assert_type(ap.citation(ap.load_sample_ephemeris()).bibtex, str)
total: float = float(df.aurorax.minutes().sum())
pairs = pd.concat([df, df]).aurorax.groupby_pair()["min_distance"].describe()
ds = df.aurorax.to_xarray()
assert_type(ap.AuroraxDatasetAccessor(ds).closest(1), xr.Dataset)
assert_type(ap.AuroraxDatasetAccessor(ds).to_dataframe(), AuroraxDataFrame)


def mine(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


mine(df)
assert_conjunctions_equal(df, df)
version: str = ap.__version__
error: type[Exception] = ap.exceptions.AuroraxError
products = ap.read_aurorax_data_products("2020-01-01", "2020-01-01", programs="themis-asi", types=["keogram"])
assert_type(products, pd.DataFrame)
assert_type(df.aurorax.data_products("movie", timeout="1min"), pd.DataFrame)
