import pandas as pd
import pytest

import aurorax_pandas
from aurorax_pandas import AuroraxInputError
from aurorax_pandas.service import between

WINDOW = ("2020-01-01", "2020-01-01T05:59:00")
CRAFT = {"programs": "swarm"}
RECORDED = {"ground": {"programs": "themis-asi"}, "space": CRAFT}


@pytest.mark.parametrize(
    ("distance", "blocks"),
    [
        (200, RECORDED),
        (700, {"space": [{"platforms": "swarma"}, {"platforms": "swarmc"}]}),
        (
            {"ground1-space1": 300, "ground1-space2": 500},
            {"ground": {"programs": "themis-asi"}, "space": [{"platforms": "swarma"}, {"platforms": "swarmc"}]},
        ),
        (300, {"custom_locations": {"locations": [(58.0, -94.0)]}, "space": CRAFT}),
        (400, {"ground": {"programs": "themis-asi"}, "space": {"programs": "swarm", "hemisphere": "northern"}}),
    ],
)  # fmt: skip
def test_the_service_is_searched_wider_and_refined(box, builders, distance, blocks):
    df = pd.read_aurorax_conjunctions(*WINDOW, distance, continuous=True, api_url=box.url, **blocks)
    expected = aurorax_pandas.find_conjunctions(
        aurorax_pandas.load_sample_ephemeris(), *WINDOW, distance, continuous=True, **blocks
    )
    assert len(df)
    builders.assert_same_spans(df, expected)
    origin = df.aurorax.provenance
    assert (origin["precision"], origin["margin"], origin["step"]) == ("continuous", 450.0, "0s")
    assert origin["query"] == expected.aurorax.provenance["query"]
    assert origin["request_ids"]
    # whole kilometres are sent as such
    sent = next(each.body["max_distances"] for each in box.requests[::-1] if each.path.endswith("conjunctions/search"))
    assert all(isinstance(limit, int | None) for limit in sent.values())


def test_windows_of_ephemeris_and_of_the_search_do_not_show(box, builders, monkeypatch, tmp_path):
    whole = pd.read_aurorax_conjunctions(*WINDOW, 300, continuous=True, api_url=box.url, **RECORDED)
    monkeypatch.setattr(between, "_WINDOW", pd.Timedelta("50min"))
    chunked = pd.read_aurorax_conjunctions(
        *WINDOW, 300, continuous=True, api_url=box.url, chunk="2h", checkpoint=tmp_path / "kept", **RECORDED
    )
    builders.assert_same_spans(chunked, whole)
    assert chunked.aurorax.provenance["precision"] == "continuous"


def test_nothing_found_is_an_empty_frame_that_says_how_it_was_searched(box):
    df = pd.read_aurorax_conjunctions(
        "2020-01-01",
        "2020-01-01T00:02",
        1,
        continuous=True,
        api_url=box.url,
        ground={"platforms": "gillam"},
        space=CRAFT,
    )
    assert df.empty
    assert df.aurorax.provenance["precision"] == "continuous"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"request_id": "8d69dfe3-b865-4507-a0b2-d44c342b5857"}, r"df\.aurorax\.refine"),
        ({"subminute_precision": True}, "leave subminute_precision out"),
        ({"distance": {"ground1-space1": None}}, "no pair of blocks has a limit"),
        ({"continuous": "yes"}, "continuous='yes' is not valid"),
        ({"engine": "local", "ephemeris": "sample"}, r"find_conjunctions\(ephemeris, continuous=True\)"),
    ],
)
def test_what_does_not_go_with_it_is_refused_with_what_to_do(closed_port_url, arguments, says):
    search = {} if "request_id" in arguments else {"start": WINDOW[0], "end": WINDOW[1], "distance": 300, **RECORDED}
    if arguments.get("ephemeris") == "sample":
        arguments = arguments | {"ephemeris": aurorax_pandas.load_sample_ephemeris()}
    else:
        search["api_url"] = closed_port_url
    with pytest.raises(AuroraxInputError, match=says):
        pd.read_aurorax_conjunctions(**{"continuous": True} | search | arguments)
