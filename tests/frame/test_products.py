import json

import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.frame.answers import split_records
from aurorax_pandas.frame.products import (
    as_products,
    empty_products,
    overlapping,
    products_from_items,
    records_from_products,
)

RECORD = {
    "data_source": {
        "identifier": 46, "program": "themis-asi", "platform": "gillam", "instrument_type": "panchromatic ASI",
        "source_type": "ground", "display_name": "THEMIS-ASI GILL",
    },
    "data_product_type": "keogram", "start": "2020-01-01T00:00:00", "end": "2020-01-01T00:59:59",
    "url": "https://example.org/a.png", "metadata": {"wavelength": [558, "nm"], "exact": 0.1},
}  # fmt: skip


def items(*records):
    return split_records(json.dumps({"result": list(records)}).encode())


def test_records_come_back_as_they_were():
    made = products_from_items(items(RECORD))
    assert records_from_products(made) == [RECORD]
    assert made["start"].item() == pd.Timestamp("2020-01-01")
    pd.testing.assert_frame_equal(as_products(made), made)
    half = made.assign(end=made["end"] + pd.Timedelta("0.5s"))
    pd.testing.assert_frame_equal(as_products(half), made)


@pytest.mark.parametrize(
    "change",
    [
        {"start": "2020-01-01T00:00:00.25Z"}, {"metadata": None}, {"metadata": {}}, {"owner": "new field"},
        {"data_product_type": "hologram"}, {"data_source": {"identifier": 7}},
    ],
)  # fmt: skip
def test_records_of_other_years_are_read(change):
    made = products_from_items(items({**RECORD, **change}))
    assert ap.validate(made) is made
    assert json.loads(made["metadata"].item()) == (
        change["metadata"] or {} if "metadata" in change else RECORD["metadata"]
    )


@pytest.mark.parametrize("change", [{"url": None}, {"start": "now"}, {"metadata": [1]}, {"data_source": None}])
def test_a_damaged_record_is_told(change):
    with pytest.raises(ap.AuroraxDataError, match="data product"):
        products_from_items(items(RECORD, {**RECORD, **change}))


def test_no_records_are_an_empty_frame():
    assert empty_products().empty
    assert ap.validate(empty_products(), ap.DataProductSchema).dtypes["url"] == "str"


def test_rows_keep_their_rules():
    made = products_from_items(items(RECORD))
    for broken, says in (
        (made.assign(end=made["start"] - pd.Timedelta("1s")), "end is before start"),
        (made.assign(url=pd.Series([None], dtype="str")), "value is missing"),
        (made.drop(columns="program"), "'program' is not there"),
    ):
        with pytest.raises(ap.AuroraxSchemaError, match=says):
            ap.validate(broken)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda df: df.drop(columns="url"), "'url' is missing"),
        (lambda df: df.assign(metadata="[1]"), "no JSON object"),
        (lambda df: df.assign(metadata=[{"a": {1}}]), "cannot be written as JSON"),
        (lambda df: df.assign(start="yesterdaze"), "cannot be read"),
        (lambda df: df.assign(start=20200101), "20200101 is no time; give times, UTC"),
        (lambda df: df["url"], "is a Series"),
    ],
)
def test_what_are_no_data_products_is_refused(spoil, says):
    with pytest.raises(ap.AuroraxInputError, match=says):
        ap.sandbox.serve(data_products=spoil(products_from_items(items(RECORD))))


def test_schema_comes_back_equal_from_yaml():
    made = products_from_items(items(RECORD))
    back = ap.DataProductSchema.from_yaml(ap.DataProductSchema.to_yaml())
    assert back == ap.DataProductSchema.to_schema()
    back.validate(made)


@pytest.mark.parametrize(
    ("given", "kept"), [(None, "{}"), (float("nan"), "{}"), ('{"a": 1}', '{"a": 1}'), ({"a": 1}, '{"a": 1}')]
)
def test_metadata_may_be_missing_text_or_a_dict(given, kept):
    df = products_from_items(items(RECORD))
    assert as_products(df.assign(metadata=pd.Series([given], dtype=object)))["metadata"].tolist() == [kept]


@pytest.mark.parametrize("given", ["{", 7, [1]])
def test_metadata_of_another_kind_are_refused(given):
    df = products_from_items(items(RECORD)).assign(metadata=pd.Series([given], dtype=object))
    with pytest.raises(ap.AuroraxInputError, match="is no JSON object; give a dict"):
        as_products(df)


@pytest.mark.parametrize(
    ("start", "end", "shared"),
    [("2020-01-01T00:59:59", "2020-01-02", True), ("2019-12-31", "2020-01-01", True),
     ("2020-01-01T01:00:00", "2020-01-02", False), ("2019-12-31", "2019-12-31T23:59:59", False)],
)  # fmt: skip
def test_spans_overlap_with_their_ends(start, end, shared):
    assert overlapping(products_from_items(items(RECORD)), start, end).tolist() == [shared]
