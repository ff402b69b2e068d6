import datetime
import json
import pickle

import pandas as pd
import pytest

import aurorax_pandas as ap
from aurorax_pandas.frame.provenance import make_provenance


def test_provenance_is_a_small_dict_of_json_values(sample):
    found = sample.attrs["aurorax"]
    assert json.loads(json.dumps(found)) == found
    assert set(found) == {
        "schema_version",
        "request_ids",
        "query",
        "api_url",
        "retrieved_at",
        "package_version",
        "sample",
    }
    assert isinstance(found["request_ids"], list)
    assert found["package_version"] == ap.__version__


def test_retrieval_time_is_now_in_utc():
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    text = make_provenance()["retrieved_at"]
    assert text.endswith("Z")
    assert before <= datetime.datetime.fromisoformat(text) <= datetime.datetime.now(datetime.UTC)


def test_request_ids_are_a_list_of_their_own():
    given = ["a"]
    made = make_provenance(request_ids=given)
    given.append("b")
    assert made["request_ids"] == ["a"]


@pytest.mark.parametrize(
    "step",
    [
        lambda df: df.query("min_distance < 200"),
        lambda df: df.sort_values("min_distance"),
        lambda df: df.assign(kp=1),
        lambda df: df.aurorax.explode_events(),
        lambda df: df.aurorax.pair_summary(),
        lambda df: df.aurorax.closest(1, by="pair"),
        lambda df: df.aurorax.deduplicate(),
        lambda df: pickle.loads(pickle.dumps(df)),
    ],
)
def test_provenance_stays_along_a_chain(sample, step):
    assert step(sample).aurorax.provenance == sample.aurorax.provenance


def test_attrs_of_a_result_are_its_own(sample):
    for result in (sample.aurorax.explode_events(), sample.aurorax.pair_summary(), sample.aurorax.closest()):
        result.attrs["aurorax"]["request_ids"].append("other")
        result.attrs["mine"] = 1
    assert len(sample.aurorax.provenance["request_ids"]) == 1
    assert set(sample.attrs) == {"aurorax"}


def test_changing_what_was_given_out_does_not_change_the_frame(sample):
    sample.aurorax.provenance["request_ids"].clear()
    assert len(sample.aurorax.provenance["request_ids"]) == 1


@pytest.mark.parametrize("attrs", [{}, {"aurorax": None}, {"aurorax": "text"}, {"other": 1}])
def test_a_frame_without_provenance_has_an_empty_one(sample, attrs):
    sample.attrs = attrs
    assert sample.aurorax.provenance == {}
    assert ap.get_provenance(attrs) == {}


def test_provenance_lost_in_a_merge_is_empty(sample):
    merged = sample.merge(pd.DataFrame({"start": sample["start"].unique(), "kp": 1}), on="start")
    assert len(merged.aurorax.explode_events()) == 49


def test_dataset_carries_the_provenance_as_text(sample):
    block = json.loads(sample.aurorax.to_xarray().attrs["aurorax"])
    assert {key: block[key] for key in sample.aurorax.provenance} == sample.aurorax.provenance
    sample.attrs.clear()
    assert json.loads(sample.aurorax.to_xarray().attrs["aurorax"])["query"] is None


def test_swarmaurora_url_of_one_search(sample):
    (request_id,) = sample.aurorax.provenance["request_ids"]
    assert sample.aurorax.swarmaurora_url().endswith(f"aurorax_request_id={request_id}")


def test_swarmaurora_url_needs_exactly_one_search(sample):
    sample.attrs["aurorax"]["request_ids"] = ["first-id", "second-id"]
    with pytest.raises(ap.AuroraxInputError, match="first-id, second-id"):
        sample.aurorax.swarmaurora_url()
    sample.attrs.clear()
    with pytest.raises(ap.AuroraxInputError, match="no search"):
        sample.aurorax.swarmaurora_url()


def test_a_query_without_an_end_has_no_window(sample):
    df = sample.copy(deep=False)
    for query in ({"start": "2019-12-31"}, {"end": "2020-01-03"}, {"start": None, "end": "2020-01-03"}):
        df.attrs["aurorax"] = {"query": query}
        assert df.aurorax.daily_counts().index.tolist() == [pd.Timestamp("2020-01-01")]


@pytest.mark.parametrize(
    "part",
    [{"query": "x"}, {"query": [{}, 5]}, {"query": {"max_distances": "far"}}, {"request_ids": ["a", 3]}, {"request_ids": "a"},
     {"windows": [{}, "x"]}, {"windows": {}}, {"step": 60}, {"step": ["60s", 5]}],
    ids=str,
)  # fmt: skip
def test_parts_of_another_kind_are_somebody_elses(sample, part):
    df = sample.copy(deep=False)
    df.attrs = {"aurorax": part}
    with pytest.raises(ap.AuroraxInputError, match=f"{next(iter(part))!r} is .*unknown origin"):
        df.aurorax.minutes()


@pytest.mark.parametrize(
    "part", [{"step": ["60s", None]}, {"query": []}, {"request_ids": []}, {"windows": [{}]}], ids=str
)
def test_parts_of_several_searches_are_ours(sample, part):
    df = sample.copy(deep=False)
    df.attrs = {"aurorax": part}
    assert df.aurorax.provenance == part
