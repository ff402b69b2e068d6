"""Searches that can match nothing are refused before they are submitted; those that can are not."""

import copy
import dataclasses
import pickle
import warnings

import numpy as np
import pytest

import aurorax_pandas as ap
from aurorax_pandas.service import catalogue

REGION = {
    "field_name": "nbtrace_region", "data_type": "string",
    "allowed_values": ["north polar cap", "north cusp", "north auroral oval", "north mid-latitude"],
}  # fmt: skip
STATE = {"field_name": "state", "data_type": "string", "allowed_values": ["definitive", "predicted"]}
RADIAL = {"field_name": "radial_distance", "data_type": "double", "allowed_values": []}
FLAG = {"field_name": "in_sunlight", "data_type": "boolean", "allowed_values": None}
LAUNCH = {"field_name": "epoch_of_elements", "data_type": "datetime", "allowed_values": None}
CLOUD = {"field_name": "cloud_ml", "data_type": "string", "allowed_values": ["cloudy", "not cloudy"]}
SURE = {"field_name": "cloud_ml_confidence", "data_type": "integer", "allowed_values": None}
NOTE = {"field_name": "note", "data_type": "string", "allowed_values": None}


def source(identifier, program, platform, instrument_type, source_type, *schema):
    return {
        "identifier": identifier, "program": program, "platform": platform, "instrument_type": instrument_type,
        "source_type": source_type, "display_name": f"{program} {platform}",
        "ephemeris_metadata_schema": list(schema),
    }  # fmt: skip


SOURCES = [
    source(3, "swarm", "swarma", "footprint", "leo", REGION, STATE, RADIAL, FLAG, LAUNCH),
    source(29, "swarm", "swarmb", "footprint", "leo", REGION, STATE, RADIAL),
    source(33, "themis", "themisa", "footprint", "heo", REGION, STATE, NOTE),
    source(46, "themis-asi", "gillam", "panchromatic ASI", "ground", CLOUD, SURE),
    source(44, "themis-asi", "athabasca", "panchromatic ASI", "ground", CLOUD, SURE),
    source(90, "rego", "gillam", "redline ASI", "ground"),
    source(200, "events", "toshi", "substorm onset", "event_list"),
    source(300, "mystery", "mystery1", "footprint", "meo", REGION),
]
GROUND, SPACE = {"programs": ["themis-asi"]}, {"programs": ["swarm"]}


def space(**metadata):
    return {"space": SPACE | {"metadata_filters": metadata}}


def ground(**metadata):
    return {"ground": GROUND | {"metadata_filters": metadata}}


def any_of(*expressions):
    return {"space": SPACE | {"metadata_filters": {"logical_operator": "OR", "expressions": list(expressions)}}}


def condition(key, values, operator="="):
    return {"key": key, "values": values, "operator": operator}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    catalogue.forget_data_sources()


@pytest.fixture
def service(server):
    server.on("GET", "/api/v1/data_sources", server.Reply(200, SOURCES))
    return server


def submit(service, change, **options):
    search = {"start": "2020-01-01", "end": "2020-01-02", "distance": 500, "ground": GROUND, "space": SPACE} | change
    with ap.ConjunctionSearch(api_url=service.url, **search, **options) as made:
        made.execute()


CANNOT_MATCH = {
    "program misspelt": ({"ground": {"programs": "themis-ais"}}, "did you mean 'themis-asi'?"),
    "program in capitals": ({"space": {"programs": "SWARM"}}, "did you mean 'swarm'?"),
    "platform misspelt": ({"ground": {"platforms": "gilam"}}, "did you mean 'gillam'?"),
    "instrument misspelt": ({"ground": {"instrument_types": "redline ASIs"}}, "did you mean 'redline ASI'?"),
    "spacecraft on the ground": ({"ground": {"programs": "swarm"}}, "write space={'programs': ['swarm']}"),
    "camera in space": ({"space": {"programs": "themis-asi"}}, "write ground={'programs': ['themis-asi']}"),
    "event list in space": ({"space": {"platforms": "toshi"}}, "write events={'platforms': ['toshi']}"),
    "platform of another program": (
        {"space": SPACE | {"platforms": "themisa"}},
        "no source with program 'swarm' and platform 'themisa'; with program 'swarm' there are platforms: swarma, swarmb",
    ),
    "instrument of another program": (
        {"ground": {"programs": "rego", "instrument_types": "panchromatic ASI"}},
        "with program 'rego' there are instrument_types: redline ASI",
    ),
    "platform as program": ({"ground": {"programs": "gillam"}}, "write ground={'platforms': ['gillam']}"),
    "program as platform": ({"space": {"platforms": "swarm"}}, "write space={'programs': ['swarm']}"),
    "display name as platform": ({"space": {"platforms": "Swarm A"}}, "no platform 'Swarm A'; did you mean 'swarma'?"),
    "display name of a camera": ({"ground": {"platforms": "THEMIS-ASI GILL"}}, "did you mean 'gillam'?"),
    "code of a site in small letters": ({"ground": {"platforms": "atha"}}, "did you mean 'athabasca'?"),
    "code of a site as program": ({"ground": {"programs": "GILL"}}, "write ground={'platforms': ['gillam']}"),
    "none of several": ({"space": {"platforms": ["swarm-a", "swarm-b"]}}, "did you mean 'swarma'?"),
    "event list that is none": ({"events": {"platforms": "tosh"}}, "did you mean 'toshi'?"),
    "key misspelt": (space(nbtrace_regoin="north cusp"), "did you mean 'nbtrace_region'?"),
    "key of others": (ground(nbtrace_region="north cusp"), "theirs are cloud_ml, cloud_ml_confidence"),
    "key of a source that is left out": (
        {"space": {"platforms": "swarmb", "metadata_filters": {"in_sunlight": True}}},
        "is of swarm, not of the sources of this block: theirs are nbtrace_region, radial_distance, state",
    ),
    "key where there is none": (
        {"ground": {"programs": "rego", "metadata_filters": {"cloud_ml": "cloudy"}}},
        "they have none",
    ),
    "value misspelt": (space(nbtrace_region="north polar ca"), "did you mean 'north polar cap'?"),
    "value in capitals": (space(nbtrace_region="North Cusp"), "did you mean 'north cusp'?"),
    "none of several values": (space(nbtrace_region=["north", "pole"]), "did you mean 'north cusp'?"),
    "text for a number": (space(radial_distance="far"), "is of type double, and 'far' is none"),
    "NaN for a number": (space(radial_distance="nan"), "is of type double, and 'nan' is none"),
    "text for a flag": (
        {"space": {"platforms": "swarma", "metadata_filters": {"in_sunlight": "maybe"}}},
        "is of type boolean",
    ),
    "text for an instant": (
        {"space": {"platforms": "swarma", "metadata_filters": {"epoch_of_elements": (">", "soon")}}},
        "is of type datetime, and 'soon' is none",
    ),
    "between the wrong way round": (space(radial_distance=("between", 7000, 6800)), "give the lower one first"),
    "two values at once": (
        {"space": SPACE | {"metadata_filters": [condition("state", "definitive"), condition("state", "predicted")]}},
        "no source of this block can meet all conditions on 'state'",
    ),
    "above and below": (space(radial_distance={">": 7000, "<": 6800}), "all conditions on 'radial_distance'"),
    "keys that never go together": (
        {"space": {"platforms": ["swarma", "themisa"], "metadata_filters": {"in_sunlight": True, "note": "x"}}},
        "all conditions on 'in_sunlight', 'note'",
    ),
    "none of several conditions": (
        any_of(condition("nbtrace_region", "x"), condition("radial_distance", "far")),
        "metadata field 'nbtrace_region' is never 'x'",
    ),
}


@pytest.mark.parametrize("case", CANNOT_MATCH)
def test_a_search_that_can_match_nothing_is_refused_before_it_is_submitted(service, case):
    change, fix = CANNOT_MATCH[case]
    with pytest.raises(ap.AuroraxInputError) as caught:
        submit(service, change)
    assert fix in str(caught.value)
    assert "check_names=False" in str(caught.value)
    assert service.count("POST", service.SEARCH) == 0
    submit(service, change, check_names=False)
    assert service.count("POST", service.SEARCH) == 1


CAN_MATCH = {
    "programs": {},
    "several programs": {"ground": {"programs": ["themis-asi", "rego"]}},
    "site by its code": {"ground": {"platforms": "GILL"}},
    "platform and program": {"space": SPACE | {"platforms": "swarmb"}},
    "instrument of two programs": {"space": {"programs": ["swarm", "themis"], "instrument_types": "footprint"}},
    "two platforms": {"space": {"platforms": ["swarma", "themisa"]}},
    "every spacecraft": {"space": {}},
    "event list": {"events": {"platforms": "toshi"}},
    "any event list": {"events": {}},
    "type that is new": {"space": {"programs": "mystery"}},
    "places of one's own": {"ground": (), "custom_locations": {"locations": [(51.05, -114.07)]}},
    "hemisphere": {"space": SPACE | {"hemisphere": "southern"}},
    "value": space(nbtrace_region="north polar cap"),
    "several values": space(nbtrace_region=["north polar cap", "north cusp"]),
    "not a value": space(state=("!=", "predicted")),
    "number as text": space(radial_distance=("<=", "6.8e3")),
    "number equal": space(radial_distance=6812),
    "between": space(radial_distance=("between", 6800, 7000)),
    "above and below": space(radial_distance={">": 6800, "<": 6801}),
    "at a bound": space(radial_distance={">=": 6800, "<=": 6800}),
    "conditions on two keys": ground(cloud_ml="not cloudy", cloud_ml_confidence=(">=", 95)),
    "key of one of the sources": {"space": SPACE | {"metadata_filters": {"in_sunlight": True}}},
    "instant": {
        "space": {"platforms": "swarma", "metadata_filters": {"epoch_of_elements": (">", "2019-12-01T00:00Z")}}
    },
    "free text": {"space": {"programs": "themis", "metadata_filters": {"note": "anything at all"}}},
    "texts in order": {"space": {"programs": "themis", "metadata_filters": {"note": ("between", "a", "b")}}},
    "one of several conditions": any_of(condition("state", "definitive"), condition("radial_distance", 7000, ">")),
}


@pytest.mark.parametrize("case", CAN_MATCH)
def test_a_search_that_can_match_is_submitted_without_a_word(service, case):
    submit(service, CAN_MATCH[case])
    assert service.count("POST", service.SEARCH) == 1


ADDS_NOTHING = {
    "name": ({"ground": {"programs": ["themis-asi", "regoo"]}}, "no program 'regoo'; did you mean 'rego'"),
    "name of another kind": ({"ground": {"programs": ["themis-asi", "swarm"]}}, "write space="),
    "platform of another program": ({"space": SPACE | {"platforms": ["swarma", "themisa"]}}, "'themisa' adds nothing"),
    "value": (space(nbtrace_region=["north cusp", "north cups"]), "is never 'north cups'; did you mean 'north cusp'"),
    "value that is excluded": (space(nbtrace_region=("!=", "north cups")), "is never 'north cups'"),
    "condition": (any_of(condition("state", "definitive"), condition("stat", "x")), "no metadata field 'stat'"),
}


@pytest.mark.parametrize("case", ADDS_NOTHING)
def test_what_adds_nothing_beside_others_is_a_warning(service, case):
    change, says = ADDS_NOTHING[case]
    with pytest.warns(ap.AuroraxDataWarning, match=says) as caught:
        submit(service, change)
    assert len(caught) == 1
    assert service.count("POST", service.SEARCH) == 1


def test_the_windows_of_a_search_are_looked_up_once(service):
    service.on("GET", service.REQUEST, service.DONE)
    with pytest.warns(ap.AuroraxDataWarning, match="regoo") as caught:
        ap.read_aurorax_conjunctions(
            "2020-01-01", "2020-01-02", 500, ground={"programs": ["themis-asi", "regoo"]}, space=SPACE, chunk="6h",
            api_url=service.url,
        )  # fmt: skip
    assert len(caught) == 1
    assert service.count("POST", service.SEARCH) == 8


def test_an_ephemeris_search_is_looked_up_too(service):
    with pytest.raises(ap.AuroraxInputError, match=r"write platforms=\['gillam'\].*check_names=False"):
        ap.read_aurorax_ephemeris("2020-01-01", "2020-01-01", programs="gillam", api_url=service.url)
    with pytest.raises(ap.AuroraxInputError, match="platforms: the service has no platform 'swarm-a'; did you mean"):
        ap.read_aurorax_ephemeris("2020-01-01", "2020-01-01", platforms="swarm-a", api_url=service.url)
    with pytest.raises(ap.AuroraxInputError, match="did you mean 'north cusp'"):
        ap.read_aurorax_ephemeris(
            "2020-01-01", "2020-01-01", programs="swarm", metadata_filters={"nbtrace_region": "North Cusp"},
            api_url=service.url,
        )  # fmt: skip
    assert [asked.method for asked in service.asked] == ["GET"]


def test_sources_whose_fields_are_not_listed_may_have_any(service):
    service.on(
        "GET",
        "/api/v1/data_sources",
        service.Reply(200, [SOURCES[0] | {"ephemeris_metadata_schema": None}, *SOURCES[1:]]),
    )
    submit(service, space(cloud_ml="whatever"))
    with pytest.raises(ap.AuroraxInputError, match="no metadata field 'cloudml'"):
        submit(service, space(cloudml="whatever"))


def test_names_of_the_service_do_not_reach_a_terminal_raw(service):
    service.on("GET", "/api/v1/data_sources", service.Reply(200, [SOURCES[3], source(1, "a\x1b[31m", "b", "c", "leo")]))
    with pytest.raises(ap.AuroraxInputError) as caught:
        submit(service, {"space": {"programs": "nothing like it"}})
    assert str(caught.value).isprintable()


# ---- what to write ------------------------------------------------------------------------------------------------

WRITE = {
    "bare program": ({"ground": "themis-asi"}, "write ground={'programs': ['themis-asi']}"),
    "bare platform": ({"space": "swarma"}, "write space={'platforms': ['swarma']}"),
    "bare site": ({"ground": "GILL"}, "write ground={'platforms': ['gillam']}"),
    "bare site in small letters": (
        {"ground": ["gill", "fsmi"]},
        "write ground={'platforms': ['gillam', 'fort smith']}",
    ),
    "bare display name": ({"space": "Swarm A"}, "write space={'platforms': ['swarma']}"),
    "word of everyday": ({"ground": {"sites": ["GILL"]}}, "write {'platforms': ['GILL']}"),
    "word of everyday in space": ({"space": {"spacecraft": "swarma"}}, "write {'platforms': 'swarma'}"),
    "bare names": ({"ground": ["themis-asi", "rego"]}, "write ground={'programs': ['themis-asi', 'rego']}"),
    "bare spacecraft on the ground": ({"ground": "swarm"}, "write space={'programs': ['swarm']}"),
    "bare unknown": ({"ground": "mine"}, "write ground={'programs': ['mine']}"),
    "singular key": ({"ground": {"program": "themis-asi"}}, "write {'programs': 'themis-asi'}"),
    "places": (
        {"custom_locations": [(51.05, -114.07)]},
        "write custom_locations={'locations': [(51.05, -114.07)]}",
    ),
    "place": ({"custom_locations": (51.05, -114.07)}, "write custom_locations={'locations': [(51.05, -114.07)]}"),
    "place by name": (
        {"custom_locations": {"lat": 51.05, "lon": -114.07}},
        "write custom_locations={'locations': [{'lat': 51.05, 'lon': -114.07}]}",
    ),
    "places with names": (
        {"custom_locations": {"Calgary": (51.05, -114.07), "Gillam": (56.4, -94.6)}},
        "write custom_locations={'locations': [(51.05, -114.07), (56.4, -94.6)]}",
    ),
    "singular type": ({"conjunction_type": "nbtrace"}, "write conjunction_types='nbtrace'"),
    "distances": ({"max_distances": 500}, "write distance=500"),
    "keyword misspelt": ({"grond": GROUND}, "did you mean 'ground'?"),
    "operator in a value": (space(radial_distance=">=6800"), "write {'radial_distance': ('>=', 6800)}"),
    "operator in a text": (space(state="!= predicted"), "write {'state': ('!=', 'predicted')}"),
    "operators in values": (space(radial_distance=[">6800", "<7000"]), "write {'radial_distance': ('>', 6800)}"),
    "condition that is none": ({"space": SPACE | {"metadata_filters": "state"}}, "write {'name of a field': 'value'}"),
}


@pytest.mark.parametrize("case", WRITE)
@pytest.mark.parametrize("call", [ap.read_aurorax_conjunctions, ap.ConjunctionSearch, ap.find_conjunctions])
def test_the_message_shows_the_line_to_write(case, call):
    change, line = WRITE[case]
    arguments = {"start": "2020-01-01", "end": "2020-01-01", "distance": 5, "ground": GROUND, "space": SPACE} | change
    if call is ap.find_conjunctions:
        arguments["ephemeris"] = ap.load_sample_ephemeris()
    with pytest.raises(ap.AuroraxInputError) as caught:
        call(**arguments)
    assert line in str(caught.value)


@pytest.mark.parametrize("call", [ap.ConjunctionSearch, ap.read_aurorax_conjunctions, ap.EphemerisSearch])
def test_the_client_of_pyaurorax_is_to_be_left_out(call):
    client = type("PyAuroraX", (), {})()
    with pytest.raises(ap.AuroraxInputError, match="needs no client object; leave it out, and give its address"):
        call(client, "2020-01-01", "2020-01-02")


def test_the_call_of_pyaurorax_is_met_with_the_line_to_write():
    with pytest.raises(ap.AuroraxInputError, match=r"start, end, distance by position.*ground=\.\.\., space=\.\.\."):
        ap.read_aurorax_conjunctions("2020-01-01", "2020-01-01", 500, [GROUND], [SPACE])
    with pytest.raises(ap.AuroraxInputError, match="write query="):
        ap.read_aurorax_conjunctions({"start": "2020-01-01"})
    with pytest.raises(ap.AuroraxInputError, match=r"write programs='swarm'"):
        ap.read_aurorax_ephemeris("2020-01-01", "2020-01-01", program="swarm")
    with pytest.raises(ap.AuroraxInputError, match=r"write programs=\['swarm'\]"):
        ap.EphemerisSearch("2020-01-01", "2020-01-01", program=["swarm"])
    for name in ("program", "programs"):
        with pytest.raises(ap.AuroraxInputError, match=r"choose rows of the frame: \.query\(\"program == 'swarm'\"\)"):
            ap.read_aurorax_data_sources(**{name: "swarm"})
    with pytest.raises(ap.AuroraxInputError, match="takes nothing by position"):
        ap.ConjunctionSearch("2020-01-01", "2020-01-01", 500, ground=GROUND, space=SPACE).wait(60)


MEANT = {
    "tuple": ({"kp": (">=", 3)}, [(">=", ["3"])]),
    "list": ({"kp": [">=", 3]}, [(">=", ["3"])]),
    "between": ({"kp": ("between", 1, 3)}, [("between", ["1", "3"])]),
    "between a pair": ({"kp": ("between", [1, 3])}, [("between", ["1", "3"])]),
    "in": ({"kp": ("not in", "a", "b")}, [("not in", ["a", "b"])]),
    "by operator": ({"kp": {">=": 1, "<": 3}}, [(">=", ["1"]), ("<", ["3"])]),
    "triple": (("kp", ">=", 3), [(">=", ["3"])]),
    "triples": ([("kp", ">=", 3), ("kp", "<", 5)], [(">=", ["3"]), ("<", ["5"])]),
    "several values": ({"kp": ["a", "b"]}, [("in", ["a", "b"])]),
}


@pytest.mark.parametrize("case", MEANT)
def test_an_operator_beside_its_value_is_read_as_meant(case):
    given, meant = MEANT[case]
    sent = ap.SpaceCriteriaBlock("swarm", metadata_filters=given).to_query()["ephemeris_metadata_filters"]
    assert [(one["operator"], one["values"]) for one in sent["expressions"]] == meant


def test_a_text_that_begins_with_an_operator_can_be_asked_for():
    made = ap.MetadataFilterExpression("note", [">= 5 kHz"], "in")
    assert made.values == (">= 5 kHz",)
    with pytest.raises(ap.AuroraxInputError, match="'in'"):
        ap.MetadataFilterExpression("note", ">= 5 kHz")


@pytest.mark.parametrize("given", [{"programs": []}, {"programs": [], "platforms": ()}])
@pytest.mark.parametrize("whole", [True, False])
def test_lists_of_names_that_are_empty_are_said_to_mean_every_source(given, whole):
    search = {"start": "2020-01-01", "end": "2020-01-02", "space": [SPACE], "ground": [given]}
    arguments = {"query": search | {"max_distances": {}}} if whole else search | {"distance": 5}
    with pytest.warns(ap.AuroraxDataWarning, match="every data source on the ground") as caught:
        made = ap.ConjunctionSearch(**arguments)
    assert made.query["ground"] == [{}]
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_block_that_is_empty_on_purpose_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = ap.ConjunctionSearch("2020-01-01", "2020-01-02", 5, ground={}, space=SPACE | {"platforms": []})
    assert made.query["ground"] == [{}]


@pytest.mark.parametrize(
    ("argument", "block"),
    [
        ("ground", ap.GroundCriteriaBlock(programs=[])),
        ("ground", ap.GroundCriteriaBlock(())),
        ("space", ap.SpaceCriteriaBlock(platforms=np.array([], object))),
        ("events", ap.EventsCriteriaBlock(instrument_types=[])),
    ],
)
def test_a_block_of_empty_lists_says_so_as_a_dict_does(argument, block):
    blocks = {"ground": {"programs": "rego"}, "space": {"programs": "swarm"}} | {argument: block}
    with pytest.warns(
        ap.AuroraxDataWarning, match=rf"{argument}: .*: \[\]}} names nothing, which means every"
    ) as caught:
        ap.ConjunctionSearch("2020-01-01", "2020-01-02", 5, **blocks)
    assert len(caught) == 1


@pytest.mark.parametrize("block", [ap.GroundCriteriaBlock(), ap.GroundCriteriaBlock([], "gillam")])
@pytest.mark.parametrize(
    "way", [lambda one: one, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)), dataclasses.replace]
)
def test_a_block_without_lists_or_with_one_name_is_no_warning(block, way):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ap.ConjunctionSearch("2020-01-01", "2020-01-02", 5, ground=way(block), space={"programs": "swarm"})
    assert way(block) == block
    assert hash(way(block)) == hash(block)
