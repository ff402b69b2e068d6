import numpy as np
import xarray as xr

import aurorax_pandas
from aurorax_pandas import geometry
from aurorax_pandas.analysis.sun_and_moon import sun_position

DARK = -12


def test_cameras_of_the_bundled_day_operate_where_the_sun_is_down_and_not_elsewhere():
    sample = aurorax_pandas.load_sample_ephemeris()
    cameras = sample.isel(source=(sample["source_type"] == "ground").values)
    sun = sun_position(cameras["epoch"].values.astype("M8[us]"))
    lat, lon = (cameras[f"geo_{part}"].max("epoch").values[:, None] for part in ("lat", "lon"))
    elevation = geometry.horizontal(lat, lon, sun[:, None, :])[1]
    operates = np.isfinite(cameras["geo_lat"].values)
    assert (elevation[operates] <= DARK).all()
    after = cameras["epoch"].values > np.datetime64("2020-01-01T06:59")
    assert operates[:, after].tolist() == (elevation[:, after] <= DARK).tolist()


def test_attributes_count_what_rests_on_assumed_operation():
    sample = aurorax_pandas.load_sample_ephemeris()
    operates = sample["geo_lat"].sel(source=sample["source_type"].values == "ground").notnull()
    assumed = int(operates.sel(epoch=slice("2020-01-01T07:00", None)).sum())
    assert f"on which {assumed} of {int(operates.sum())} rows of cameras rest" in sample.attrs["operation"]
    assert sample.attrs["operation_assumed_after"] == "2020-01-01T06:59:00"


def test_the_sample_is_kept_by_xarrays_own_means(tmp_path):
    sample = aurorax_pandas.load_sample_ephemeris()
    sample.to_netcdf(tmp_path / "day.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "day.nc", engine="h5netcdf") as back:
        assert aurorax_pandas.check_ephemeris(back) is back
        xr.testing.assert_equal(back["nbtrace_lat"], sample["nbtrace_lat"])
        assert back.attrs["operation_assumed_after"] == sample.attrs["operation_assumed_after"]
