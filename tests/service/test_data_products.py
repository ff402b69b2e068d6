import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import sandbox
from aurorax_pandas.service.data_products_of import _shared_time

GILL = {
    "identifier": 46, "program": "themis-asi", "platform": "gillam", "instrument_type": "panchromatic ASI",
    "source_type": "ground", "display_name": "THEMIS-ASI GILL",
}  # fmt: skip
ATHA = {**GILL, "identifier": 44, "platform": "athabasca", "display_name": "THEMIS-ASI ATHA"}


def product(source, kind, start, end, **metadata):
    url = f"https://example.org/{source['platform']}/{kind}/{start}"
    return {**source, "data_product_type": kind, "start": start, "end": end, "url": url, "metadata": metadata}


@pytest.fixture(scope="module")
def made():
    return pd.DataFrame(
        [
            product(GILL, "keogram", "2020-01-01T00:00:00", "2020-01-01T23:59:59", cadence="daily"),
            product(GILL, "keogram", "2020-01-01T05:00:00", "2020-01-01T05:59:59", cadence="hourly", number=5),
            product(GILL, "movie", "2020-01-01T00:00:00", "2020-01-01T00:59:59"),
            product(GILL, "data_availability", "2020-01-01T00:00:00", "2020-01-01T23:59:59"),
            product(ATHA, "montage", "2020-01-01T00:00:00", "2020-01-01T11:59:59"),
            product(ATHA, "summary_plot", "2020-01-02T00:00:00", "2020-01-02T23:59:59"),
        ]
    )


@pytest.fixture(scope="module")
def served(made):
    box = sandbox.serve(data_products=made)
    with box:
        yield box


def test_reader_gives_a_typed_frame_with_addresses(served, made):
    df = ap.read_aurorax_data_products("2020-01-01", "2020-01-02", programs="themis-asi", api_url=served.url)
    assert len(df) == len(made)
    assert ap.validate(df, ap.DataProductSchema) is ap.validate(df) is df
    assert set(df["url"]) == set(made["url"])
    assert df["data_product_type"].tolist() == [
        "montage", "keogram", "movie", "data_availability", "keogram", "summary_plot",
    ]  # fmt: skip
    assert [str(dtype) for dtype in df.dtypes[["start", "end", "url", "data_product_type"]]] == [
        "datetime64[us]", "datetime64[us]", "str", "category",
    ]  # fmt: skip
    hourly = df[df["start"] == pd.Timestamp("2020-01-01T05:00")]
    assert json.loads(hourly["metadata"].item()) == {"cadence": "hourly", "number": 5}
    assert ap.get_provenance(df.attrs)["query"]["data_product_type_filters"] == []


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({"platforms": "GILL", "types": "keogram"}, ["keogram", "keogram"]),
        ({"platforms": "gillam", "types": ["movie", "montage"]}, ["movie"]),
        ({"types": "summary_plot"}, []),
        ({"programs": "themis-asi", "metadata_filters": {"cadence": "hourly"}}, ["keogram"]),
        ({"programs": "themis-asi", "metadata_filters": ap.MetadataFilter([{"key": "number", "operator": ">=", "values": 4}])}, ["keogram"]),
        ({"programs": "themis-asi", "metadata_filters": {"cadence": "yearly"}}, []),
        ({"programs": ["rego", "themis-asi"], "platforms": "gillam", "types": "movie"}, ["movie"]),
        ({"programs": "rego"}, []),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*adds nothing:aurorax_pandas.AuroraxDataWarning")
def test_what_is_asked_for_is_found(served, asked, kinds):
    df = ap.read_aurorax_data_products("2020-01-01", "2020-01-01", api_url=served.url, **asked)
    assert df["data_product_type"].tolist() == kinds
    assert df.dtypes["start"] == "datetime64[us]"


def test_a_record_has_the_services_keys_alone(served):
    search = ap.DataProductSearch("2020-01-01", "2020-01-01", platforms="gillam", types="movie", api_url=served.url)
    with search:
        search.run()
        answer = search._transport.call("GET", search._path("/data"), deadline=search._deadline(10))
    (record,) = json.loads(answer.body)["result"]
    assert list(record) == ["data_source", "data_product_type", "start", "end", "url", "metadata"]
    assert record["metadata"] == {}


def test_empty_filters_are_sent_as_such(served):
    with ap.DataProductSearch("2020-01-01", "2020-01-01", types="movie", api_url=served.url) as search:
        search.execute()
    sent = next(request.body for request in reversed(served.requests) if request.path.endswith("data_products/search"))
    assert sent == {
        "data_sources": {
            "programs": [], "platforms": [], "instrument_types": [], "data_product_metadata_filters": {},
        },
        "start": "2020-01-01T00:00:00", "end": "2020-01-01T23:59:59", "data_product_type_filters": ["movie"],
    }  # fmt: skip


def test_a_search_is_read_again_by_its_id(served):
    with ap.DataProductSearch("2020-01-01", "2020-01-01", platforms="gillam", api_url=served.url) as search:
        df = search.run()
    again = ap.read_aurorax_data_products(request_id=search.request_id, api_url=served.url)
    pd.testing.assert_frame_equal(df, again, check_like=False)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "names of data sources or types"),
        ({"start": "2020-01-01", "end": "2020-01-01"}, "give programs="),
        ({"start": "2020-01-01", "end": "2020-01-01", "types": "keograms"}, "did you mean 'keogram'"),
        ({"start": "2020-01-01", "end": "2020-01-01", "programs": "themis-asl"}, "did you mean 'themis-asi'"),
        ({"start": "2020-01-02", "end": "2020-01-01", "programs": "rego"}, "2020-01-02"),
        ({"start": "2020-01-01", "end": "2020-01-01", "programs": "rego", "request_id": "x"}, "request_id="),
    ],
)
def test_what_can_find_nothing_is_refused(served, asked, says):
    with pytest.raises(ap.AuroraxInputError, match=says):
        ap.read_aurorax_data_products(api_url=served.url, **asked)


def test_each_event_has_the_products_of_its_station(served, sample):
    shown = sample.aurorax.data_products(api_url=served.url)
    events = sample.aurorax.explode_events()
    table = ap.read_aurorax_data_products("2020-01-01", "2020-01-02", programs="themis-asi", api_url=served.url)
    expected = [
        (number, row["url"])
        for number, event in enumerate(events.to_dict("records"))
        for row in table.to_dict("records")
        if row["data_product_type"] != "data_availability"
        and row["identifier"] in (event["e1_identifier"], event["e2_identifier"])
        and row["start"] <= event["end"]
        and row["end"] >= event["start"]
    ]
    assert list(zip(shown["event"], shown["url"], strict=True)) == expected
    assert (events["pair"].astype("str")[shown["event"]].to_numpy() == shown["pair"].astype("str")).all()
    assert set(shown["data_product_type"]) == {"keogram", "movie", "montage"}
    assert ap.validate(shown) is shown
    pd.testing.assert_frame_equal(events.aurorax.data_products(api_url=served.url), shown)


def test_a_frame_takes_as_few_searches_as_it_can(made, sample):
    events = sample.aurorax.explode_events()
    later = events.assign(**{name: events[name] + pd.Timedelta("7D") for name in ("start", "end", "closest_epoch")})
    for df, count in ((sample, 1), (events, 1), (pd.concat([events, later]), 2)):
        box = sandbox.serve(data_products=made)
        with box as url:
            ap.read_data_products_of(df, api_url=url)
        assert sum(request.path.endswith("/search") for request in box.requests) == count


def test_kinds_can_be_chosen(served, sample):
    gill = sample.aurorax.select_sources(site="GILL").aurorax.closest(1)
    found = gill.aurorax.data_products("data_availability", api_url=served.url)
    assert found["data_product_type"].tolist() == ["data_availability"]
    with pytest.raises(ap.AuroraxInputError, match="did you mean 'keogram'"):
        gill.aurorax.data_products("keogramm", api_url=served.url)
    with pytest.raises(ap.AuroraxInputError, match="types is empty"):
        gill.aurorax.data_products((), api_url=served.url)


def test_a_frame_without_stations_is_refused(served, sample):
    for nobody in (sample.iloc[:0], ap.find_conjunctions(
        ap.load_sample_ephemeris(), "2020-01-01", "2020-01-01T06:00", 800, conjunction_types="geographic",
        space=[{"platforms": "swarma"}, {"platforms": "swarmc"}],
    )):  # fmt: skip
        with pytest.raises(ap.AuroraxInputError, match="no event of the frame has a ground source"):
            nobody.aurorax.data_products(api_url=served.url)


def test_rows_without_a_span_and_events_without_sources_are_refused(served, sample):
    events = sample.aurorax.explode_events()
    missing, swapped = events.copy(), events.copy()
    missing.loc[3, "end"] = pd.NaT
    swapped.loc[3, "start"] = swapped.loc[3, "end"] + pd.Timedelta(minutes=1)
    for broken in (missing, swapped):
        with pytest.raises(ap.AuroraxInputError, match=r"1 of \d+ rows have no start or end"):
            broken.aurorax.data_products(api_url=served.url)
    with pytest.raises(ap.AuroraxInputError, match="1 of 49 rows have no start or end"):
        sample.assign(start=sample["start"].where(sample.index != 3)).aurorax.ephemeris(api_url=served.url)
    with pytest.raises(ap.AuroraxInputError, match=r"needs the column.* e2_program"):
        events.drop(columns="e2_program").aurorax.data_products(api_url=served.url)


def test_a_failing_search_is_told(made, sample):
    with (
        sandbox.serve(data_products=made, faults={"search": ["fail"]}) as url,
        pytest.raises(ap.AuroraxSearchError, match="was told to"),
    ):
        sample.aurorax.data_products(api_url=url)


_SPANS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 60), st.integers(0, 40)), max_size=12)


@given(_SPANS, _SPANS)
def test_shared_time_is_found_as_by_looking_at_every_two(events, products):
    products = sorted(products, key=lambda one: one[1])
    identifiers = np.array([one[0] for one in events], np.int64)
    begin = np.array([one[1] for one in events], "M8[us]")
    end = begin + np.array([one[2] for one in events], "m8[us]")
    starts = np.array([one[1] for one in products], "M8[us]")
    frame = pd.DataFrame({
        "identifier": np.array([one[0] for one in products], np.int64), "start": starts,
        "end": starts + np.array([one[2] for one in products], "m8[us]"),
    })  # fmt: skip
    found = list(zip(*(each.tolist() for each in _shared_time(identifiers, begin, end, frame)), strict=True))
    assert found == sorted(found, key=lambda pair: pair[0])
    assert sorted(found) == [
        (one, other)
        for one in range(len(events))
        for other in range(len(products))
        if identifiers[one] == frame["identifier"][other]
        and frame["start"][other] <= pd.Timestamp(end[one])
        and frame["end"][other] >= pd.Timestamp(begin[one])
    ]
