"""What xarray did to an ephemeris is told with the call that undoes it, and that call does."""

import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas import as_ephemeris

EPHEMERIS = ap.load_sample_ephemeris().isel(epoch=slice(0, 5))


def told(ds):
    with pytest.raises(ap.AuroraxInputError, match=r"^ephemeris: ") as caught:
        ap.check_ephemeris(ds)
    assert len(str(caught.value)) < 600
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        (lambda ds: ds.swap_dims(source="display_name"), "ds.swap_dims({'display_name': 'source'})"),
        (lambda ds: ds.rename(source="craft"), "ds.swap_dims({'craft': 'source'})"),
        (lambda ds: ds.rename(epoch="time"), "ds.rename({'time': 'epoch'})"),
        (lambda ds: ds.assign_coords(t=("epoch", range(5))).swap_dims(epoch="t"), "ds.swap_dims({'t': 'epoch'})"),
        (lambda ds: ds.set_index(source="display_name"), "ds.rename(source='display_name').swap_dims(display_name='source')"),
        (lambda ds: ds.set_index(source="identifier"), "ds.rename(source='identifier').swap_dims(identifier='source')"),
        (lambda ds: ds.stack(z=("source", "epoch")), "as_ephemeris(ds.reset_index('z').drop_vars('source', errors='ignore').to_dataframe())"),
        (lambda ds: ds.stack(z=("source", "epoch")).unstack("z"), "as_ephemeris(ds.to_dataframe().reset_index().drop(columns='source'))"),
        (lambda ds: ds.reset_coords("identifier"), "ds.set_coords('identifier')"),
        (lambda ds: ds.expand_dims("run"), "ds.isel({'run': 0}, drop=True)"),
        (lambda ds: ds.assign_coords(epoch=ds.indexes["epoch"].tz_localize("Asia/Tokyo").tz_convert("UTC")), "ds.assign_coords(epoch=ds.indexes['epoch'].tz_convert(None))"),
    ],
)  # fmt: skip
def test_the_cure_is_named_and_cures(change, cure):
    ds = change(EPHEMERIS)
    assert cure in told(ds)
    mended = ap.check_ephemeris(eval(cure, {"ds": ds, "as_ephemeris": as_ephemeris}))
    for name in EPHEMERIS.data_vars:
        place = mended[name].transpose("source", "epoch").values
        assert pd.DataFrame(place).equals(pd.DataFrame(EPHEMERIS[name].values)) or "Tokyo" in str(change)


def test_one_source_or_epoch_is_chosen_by_a_list():
    assert "ds.isel(source=[0])" in told(EPHEMERIS.isel(source=0))
    assert "ds.isel(epoch=[0])" in told(EPHEMERIS.isel(epoch=0))
    assert "ds.assign_coords(program=('source', [...]))" in told(EPHEMERIS.drop_vars("program"))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_epochs_of_a_zone_are_instants(zone):
    ds = EPHEMERIS.assign_coords(epoch=EPHEMERIS.indexes["epoch"].tz_localize("UTC").tz_convert(zone))
    assert as_ephemeris(ds)["epoch"].equals(EPHEMERIS["epoch"])
    assert "has a time zone" in told(ds)
    df = ap.load_sample_conjunctions()
    for verb in (ap.closest_approach, ap.tracks, ap.overflights, ap.magnetic):
        with pytest.raises(ap.AuroraxInputError, match="time zone"):
            verb(df, ds)


def test_a_table_with_epochs_in_its_index_is_told():
    with pytest.raises(ap.AuroraxInputError, match=r"df\.reset_index\('epoch'\)"):
        as_ephemeris(EPHEMERIS.to_dataframe())
    assert as_ephemeris(EPHEMERIS.to_dataframe().reset_index("epoch")).sizes == EPHEMERIS.sizes
    with pytest.raises(ap.AuroraxInputError, match="DataArray; give an xarray Dataset"):
        as_ephemeris(EPHEMERIS["geo_lat"])
