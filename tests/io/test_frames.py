"""Which frames are kept as what they are, and which pandas itself keeps."""

import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.testing import assert_conjunctions_equal

SUFFIXES = {"parquet": "parquet", "csv": "csv", "json": "json", "netcdf": "nc"}


def round_trip(df, name, folder):
    path = folder / f"a.{SUFFIXES[name]}"
    getattr(df.aurorax, f"to_{name}")(path)
    return ap.load_conjunctions(path)


PASSES = {
    "plain": lambda df: df.aurorax.passes(),
    "with hemispheres": lambda df: df.aurorax.passes(ephemeris=ap.load_sample_ephemeris()),
    "some, backwards": lambda df: df.aurorax.passes().iloc[::-3],
    "none": lambda df: df.aurorax.passes().iloc[:0],
    "with columns of mine": lambda df: df.aurorax.passes().assign(kp=1.5, note="a"),
    "without parents": lambda df: df.aurorax.passes().assign(parents=[[]] * 22),
    "of a formation": lambda df: df.aurorax.passes(formation={"A+C": ["Swarm A", "Swarm C"]}),
}


@pytest.mark.parametrize("name", SUFFIXES)
@pytest.mark.parametrize("passes", PASSES)
def test_passes_come_back_with_stations_and_parents(sample, tmp_path, name, passes):
    df = PASSES[passes](sample)
    before = df.copy(deep=True)
    back = round_trip(df, name, tmp_path)
    assert_conjunctions_equal(back, df)
    assert back["parents"].tolist() == df["parents"].tolist()
    assert_conjunctions_equal(df, before)
    ap.validate(back)


def test_passes_are_a_dataset_that_can_be_chosen_from(sample):
    df = sample.aurorax.passes()
    ds = df.aurorax.to_xarray()
    assert dict(ds.sizes) == {"pass": 22, "station": 49, "parent": 49}
    chosen = ds.isel({"pass": [3, 1]}).aurorax.to_dataframe()
    assert_conjunctions_equal(chosen, df.iloc[[3, 1]])


def test_passes_are_read_by_other_tools(sample, tmp_path):
    df = sample.aurorax.passes()
    round_trip(df, "csv", tmp_path)
    rows = pd.read_csv(tmp_path / "a.csv", comment="#")
    assert (
        rows.groupby("pass")["station_name"].size().tolist()
        == df["stations"].nest["station"].groupby(level=0).size().tolist()
    )
    assert rows.loc[0, "parents"] == "0 2 5 6 7"
    round_trip(df, "parquet", tmp_path)
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "a.parquet"
    counted = duckdb.sql(f"select sum(len(stations)), sum(len(parents)) from '{path}'").fetchall()
    assert counted == [(49, 49)]
    polars = pytest.importorskip("polars")
    assert polars.read_parquet(path)["parents"].to_list() == df["parents"].tolist()


def test_parents_that_are_no_lists_are_refused_by_name(sample, tmp_path):
    df = sample.aurorax.passes().assign(parents="0 1")
    with pytest.raises((ap.AuroraxInputError, ap.AuroraxSchemaError), match="parents"):
        df.aurorax.to_parquet(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SUFFIXES)
def test_what_closest_approach_adds_is_kept(sample, tmp_path, name):
    df = sample.aurorax.closest_approach(ap.load_sample_ephemeris())
    back = round_trip(df, name, tmp_path)
    assert_conjunctions_equal(back, df)
    added = [column for column in df if column not in sample]
    assert back[added].dtypes.equals(df[added].dtypes)
    assert len(added) == 6


FLAT = {
    "revisits": lambda df: df.aurorax.revisits(),
    "daily_counts": lambda df: df.aurorax.daily_counts(),
    "image_windows": lambda df: df.aurorax.image_windows(),
    "spacecraft_windows": lambda df: df.aurorax.spacecraft_windows(),
}


@pytest.mark.parametrize("frame", FLAT)
def test_flat_frames_need_nothing_of_ours(sample, tmp_path, frame):
    df = FLAT[frame](sample)
    df.to_parquet(tmp_path / "a.parquet")
    back = pd.read_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(back, df, check_freq=False)
    assert back.attrs == df.attrs
    # nothing offers a check that would refuse them
    assert not hasattr(df, "aurorax")
    for name in SUFFIXES:
        with pytest.raises(ap.AuroraxInputError, match="kept by pandas itself"):
            getattr(ap, f"to_{name}")(df, tmp_path / f"b.{SUFFIXES[name]}")
