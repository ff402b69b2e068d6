"""The service's ephemeris records, with all that they may lack or say twice."""

import numpy as np
import pytest

import aurorax_pandas as ap

SOURCE = {"identifier": 3, "program": "swarm", "platform": "swarma", "instrument_type": "footprint", "source_type": "leo",
          "display_name": "Swarm A"}  # fmt: skip


def record(epoch, lat=1.0, **changes):
    place = {"lat": lat, "lon": 2.0}
    return {"data_source": SOURCE, "epoch": epoch, "location_geo": place, "nbtrace": None, "sbtrace": None} | changes


def test_of_rows_of_one_epoch_each_column_takes_the_first_value_that_is_there():
    rows = [record("2020-01-01T00:00:00", None), record("2020-01-01T00:00:00", 5.0), record("2020-01-01T00:00:00", 6.0)]
    assert ap.as_ephemeris(rows)["geo_lat"].values.tolist() == [[5.0]]


@pytest.mark.parametrize(
    ("epochs", "minutes"),
    [
        (["2020-01-01T00:00:00", "2020-01-01T00:03:00"], [0, 1, 2, 3]),
        (["2020-01-01T00:00:00", "2020-01-01T00:01:30"], [0, 0.5, 1, 1.5]),
        (["2020-01-01T00:00:00"], [0]),
        # what is no part of a minute is taken as it stands
        (["2020-01-01T00:00:00", "2020-01-01T00:00:00.700"], [0, 0.7 / 60]),
    ],
)
def test_gaps_are_filled_by_minutes_or_parts_of_one(epochs, minutes):
    made = ap.as_ephemeris([record(epoch) for epoch in epochs])
    since = (made["epoch"].values - np.datetime64("2020-01-01")) / np.timedelta64(1, "m")
    np.testing.assert_allclose(since, minutes)
    assert np.isfinite(made["geo_lat"].values).sum() == len(epochs)


def test_metadata_become_variables_unless_they_are_lists_or_have_the_name_of_a_location():
    rows = [
        record("2020-01-01T00:00:00", metadata={"region": "cusp", "geo_lat": 99, "list": [1]}),
        record("2020-01-01T00:01:00"),
    ]
    made = ap.as_ephemeris(rows)
    assert made["region"].values.tolist()[0][0] == "cusp"
    assert made["geo_lat"].values.tolist() == [[1.0, 1.0]]
    assert "list" not in made


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([record("soon")], "epoch of an ephemeris record cannot be read"),
        ([record("2020-01-01T00:00:00", 99.0)], "records cannot be used: .*geo_lat has values outside"),
        ([record("2020-01-01T00:00:00"), record("2100-01-01T00:00:00")], "would take .* to be regular.*shorter window"),
        ([record("2020-01-01T00:00:00") | {"metadata": {"kp": float("nan")}}], "cannot be read as the service's"),
    ],
)
def test_records_that_cannot_be_used_are_the_services_fault(rows, says):
    with pytest.raises(ap.AuroraxDataError, match=says):
        ap.as_ephemeris(rows)
