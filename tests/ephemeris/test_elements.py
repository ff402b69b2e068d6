"""Element sets as people have them: every form gives the same satellite, and what is not for SGP4 is refused by name."""

import csv
import io
import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas.ephemeris.elements import catalogue_number, read_elements

pytest.importorskip("sgp4")

LINES = [
    "1 39452U 13067B   20003.12464490  .00000864  00000-0  17790-4 0  9991",
    "2 39452  87.3638 191.1461 0002404  77.9900 282.1627 15.44245183343550",
]
#: The same set, epoch to the microsecond.
OMM = {
    "OBJECT_NAME": "SWARM A",
    "OBJECT_ID": "2013-067B",
    "EPOCH": "2020-01-03T02:59:29.319360",
    "MEAN_MOTION": "15.44245183",
    "ECCENTRICITY": ".0002404",
    "INCLINATION": "87.3638",
    "RA_OF_ASC_NODE": "191.1461",
    "ARG_OF_PERICENTER": "77.9900",
    "MEAN_ANOMALY": "282.1627",
    "EPHEMERIS_TYPE": "0",
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": "39452",
    "ELEMENT_SET_NO": "999",
    "REV_AT_EPOCH": "34355",
    "BSTAR": ".1779e-4",
    "MEAN_MOTION_DOT": ".00000864",
    "MEAN_MOTION_DDOT": "0",
}
#: Five places of catalogue number in both lines.
NUMBER = slice(2, 7)
START, END = "2020-01-03", "2020-01-03T02:00"
NUMBERS = {name for name in OMM if name not in ("OBJECT_NAME", "OBJECT_ID", "EPOCH", "CLASSIFICATION_TYPE")}


def signed(line):
    total = sum(int(one) if one.isdigit() else one == "-" for one in line[:68])
    return line[:68] + str(total % 10)


def numbered(number, lines=LINES):
    return [signed(line[:2] + number + line[7:]) for line in lines]


def as_csv(*sets):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(sets[0]))
    writer.writeheader()
    writer.writerows(sets)
    return text.getvalue()


def as_json(*sets):
    return json.dumps([{k: float(v) if k in NUMBERS else v for k, v in one.items()} for one in sets])


def as_xml(*sets, namespace=' xmlns="urn:ccsds:schema:ndmxml"'):
    bodies = "".join(
        "<omm id='CCSDS_OMM_VERS' version='2.0'><header><CREATION_DATE/></header><body><segment><metadata>"
        + "".join(f"<{name}>{value}</{name}>" for name, value in one.items())
        + "</metadata></segment></body></omm>"
        for one in sets
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ndm{namespace}>{bodies}</ndm>'


def as_kvn(*sets):
    units = {"MEAN_MOTION": " [rev/day]", "INCLINATION": " [deg]"}
    return "\n\n".join(
        "\n".join(
            ["CCSDS_OMM_VERS = 2.0", "COMMENT an = in a comment"]
            + [f"{name:<20}= {value}{units.get(name, '')}" for name, value in one.items()]
        )
        for one in sets
    )


FORMS = {"csv": as_csv, "json": as_json, "xml": as_xml, "kvn": as_kvn}


def orbit(elements, **options):
    return ap.footprints_from_elements(elements, START, END, "10min", external=None, **options)


@pytest.fixture(scope="module")
def from_lines():
    return orbit(LINES)


@pytest.mark.parametrize("form", FORMS)
def test_omm_in_four_forms_is_the_orbit_of_its_lines(form, from_lines, tmp_path):
    text = FORMS[form](OMM)
    path = tmp_path / f"swarm.{form}"
    path.write_text("\ufeff" + text, encoding="utf-8")
    for elements in (text, path, str(path)):
        assert orbit(elements).equals(from_lines)


def test_omm_as_dicts_and_as_a_frame_is_the_same(from_lines):
    frame = pd.read_csv(io.StringIO(as_csv(OMM)))
    assert frame["NORAD_CAT_ID"].dtype == "int64"
    for elements in (OMM, [OMM], frame, json.loads(as_json(OMM))[0]):
        assert orbit(elements).equals(from_lines)


def test_positions_are_bit_by_bit_those_of_the_lines_over_30_days():
    (one,), (other,) = read_elements(OMM), read_elements(LINES)
    days = np.arange(0, 30, 0.37)
    whole, part = 2458851.5 + days // 1, days % 1
    np.testing.assert_array_equal(one.orbit.sgp4_array(whole, part)[1], other.orbit.sgp4_array(whole, part)[1])
    assert (one.number, one.designator, one.instant, one.launch_year) == (39452, "2013-067B", other.instant, 2013)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_many_sets_is_many_satellites(form):
    other = OMM | {"NORAD_CAT_ID": "123456789", "OBJECT_NAME": "NEW", "OBJECT_ID": "2019-001A"}
    assert [one.number for one in read_elements(FORMS[form](OMM, other))] == [39452, 123456789]


@pytest.mark.parametrize(
    ("epoch", "instant"),
    [
        ("2020-01-03T02:59:29", "2020-01-03T02:59:29"),
        ("2020-01-03T02:59:29.3Z", "2020-01-03T02:59:29.3"),
        ("2020-003T02:59:29.319360", "2020-01-03T02:59:29.319360"),
        ("2020-366T00:00:00Z", "2020-12-31"),
        ("2020-01-03 04:59:29+02:00", "2020-01-03T02:59:29"),
    ],
)
def test_epochs_of_any_spelling(epoch, instant):
    assert read_elements(OMM | {"EPOCH": epoch})[0].instant == np.datetime64(instant, "us")


OPTIONAL = [
    "OBJECT_NAME",
    "OBJECT_ID",
    "EPHEMERIS_TYPE",
    "CLASSIFICATION_TYPE",
    "NORAD_CAT_ID",
    "ELEMENT_SET_NO",
    "REV_AT_EPOCH",
    "MEAN_MOTION_DOT",
    "MEAN_MOTION_DDOT",
]


@pytest.mark.parametrize("key", OPTIONAL)
@pytest.mark.parametrize("value", ["absent", None, "", float("nan")])
def test_what_is_optional_may_be_missing(key, value):
    fields = {name: given for name, given in OMM.items() if name != key} | ({} if value == "absent" else {key: value})
    assert read_elements(fields)[0].instant == read_elements(OMM)[0].instant


def test_drag_that_is_missing_is_said():
    with pytest.warns(ap.AuroraxDataWarning, match="SWARM A have no BSTAR") as caught:
        read_elements({name: value for name, value in OMM.items() if name != "BSTAR"})
    assert [each.filename for each in caught] == [__file__]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"EPHEMERIS_TYPE": 4}, r"type 4 \(SGP4-XP\), not for SGP4"),
        ({"EPHEMERIS_TYPE": "1"}, "type 1, not for SGP4"),
        ({"MEAN_ELEMENT_THEORY": "DSST"}, "MEAN_ELEMENT_THEORY of SWARM A is 'DSST'"),
        ({"MEAN_ELEMENT_THEORY": "SGP4-XP"}, "MEAN_ELEMENT_THEORY of SWARM A is 'SGP4-XP'"),
        ({"REF_FRAME": "GCRF"}, "REF_FRAME of SWARM A is 'GCRF'"),
        ({"TIME_SYSTEM": "TAI"}, "TIME_SYSTEM of SWARM A is 'TAI'"),
        ({"CENTER_NAME": "MOON"}, "CENTER_NAME of SWARM A is 'MOON'"),
        ({"EPOCH": None}, "EPOCH of SWARM A is missing"),
        ({"EPOCH": "soon"}, "EPOCH of SWARM A='soon'"),
        ({"EPOCH": "2020-367T00:00"}, "is no day of 2020"),
        ({"EPOCH": 20003.1}, "EPOCH of SWARM A=20003.1 is a number"),
        ({"MEAN_MOTION": None}, "MEAN_MOTION of SWARM A is missing"),
        ({"MEAN_ANOMALY": "x"}, "MEAN_ANOMALY of SWARM A is 'x', which is no number"),
        ({"ECCENTRICITY": "1.2"}, "of no orbit"),
        ({"MEAN_MOTION": "-1"}, "of no orbit"),
        ({"NORAD_CAT_ID": "1234567890"}, "NORAD_CAT_ID of SWARM A: '1234567890' is no catalogue number"),
        ({"NORAD_CAT_ID": None, "OBJECT_NAME": None, "OBJECT_ID": None}, "no NORAD_CAT_ID, OBJECT_ID or OBJECT_NAME"),
    ],
)
def test_what_is_not_for_sgp4_or_no_number_is_refused_by_name(change, says):
    with pytest.raises(ap.AuroraxInputError, match=says):
        read_elements(OMM | change)


@pytest.mark.parametrize("kind", ["4", "1"])
def test_lines_of_another_theory_are_refused_too(kind):
    lines = [signed(LINES[0][:62] + kind + LINES[0][63:]), LINES[1]]
    with pytest.raises(ap.AuroraxInputError, match=f"NORAD 39452 are of ephemeris type {kind}"):
        read_elements(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[{"EPOCH": ', "not valid JSON"),
        ("[1]", "neither the text of element sets nor a file"),
        ("[{}, 1]", "1 stands in the JSON"),
        ("<ndm><omm>", "not valid XML"),
        ("<html>\n</html>", "there are no element sets"),
        ("A headline\nand another one", "there are no element sets"),
        ("EPOCH,MEAN_MOTION\n", "there are no element sets"),
    ],
)
def test_texts_that_hold_no_set_are_refused(text, says):
    with pytest.raises(ap.AuroraxInputError, match=says):
        read_elements(text)


def test_bombs_in_xml_are_refused_before_they_grow():
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "a"><!ENTITY b "&a;&a;">]>\n<ndm>&b;</ndm>'
    with pytest.raises(ap.AuroraxInputError, match="document type or entities"):
        read_elements(bomb)
    with pytest.raises(ap.AuroraxInputError, match="document type or entities"):
        read_elements('<!DOCTYPE x SYSTEM "file:///etc/passwd">\n<ndm/>')


def test_xml_without_a_namespace_and_a_single_message():
    assert len(read_elements(as_xml(OMM, namespace=""))) == 1


BULLETIN = """\
HR AMSAT ORBITAL ELEMENTS IN NASA FORMAT
BID: ORBS-003.N

DECODE 2-LINE ELSETS WITH THE FOLLOWING KEY:
1 AAAAAU 00  0  0 BBBBB.BBBBBBBB  .CCCCCCCC  00000-0  00000-0 0  DDDZ
2 AAAAA EEE.EEEE FFF.FFFF GGGGGGG HHH.HHHH III.IIII JJ.JJJJJJJJKKKKKZ
KEY: A-CATALOGNUM B-EPOCHTIME C-DECAY D-ELSETNUM E-INCLINATION F-RAAN

TO ALL RADIO AMATEURS BT

{name}
{lines}
/EX
"""


@pytest.mark.parametrize(
    "elements",
    [
        LINES,
        [LINES],
        [tuple(LINES)],
        [["0 SWARM A", *LINES]],
        "\n".join(LINES),
        "\r\n".join(["SWARM A", *LINES, ""]),
        "\n".join(f"      {line}   " for line in LINES),
        "\n".join(["# of 2020", "SWARM A", "# between", *LINES, "# end"]),
        BULLETIN.format(name="SWARM A", lines="\n".join(LINES)),
        "\n\n".join(LINES),
    ],
)
def test_lines_in_any_dress(elements, from_lines):
    assert orbit(elements).equals(from_lines)


def test_a_headline_is_no_name_and_a_name_line_is():
    text = "Elements of Friday\n\n" + "\n".join(numbered("88001"))
    assert orbit(text)["display_name"].item() == "NORAD 88001"
    assert orbit("0 MY CUBE\n" + "\n".join(numbered("88001")))["display_name"].item() == "MY CUBE"


def test_a_line_with_a_slip_is_an_error_and_never_a_name():
    slip = LINES[0][:5] + "z" + LINES[0][6:]
    with pytest.raises(ap.AuroraxInputError):
        read_elements([slip, LINES[1]])


@pytest.mark.parametrize(("length", "error"), [(59, False), (60, True), (75, True), (76, False)])
def test_a_row_of_digits_as_long_as_a_line_is_a_line_with_a_slip(length, error):
    row = "1 ".ljust(length, "9")
    if error:
        with pytest.raises(ap.AuroraxInputError, match="elements"):
            read_elements([row, *LINES])
    else:
        assert len(read_elements([row, *LINES])) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [("    5", 5), ("00005", 5), ("A0000", 100000), ("E8493", 148493), ("Z9999", 339999), ("999999999", 999999999)],
)
def test_catalogue_numbers_of_any_length(text, number):
    assert catalogue_number(text) == number


@given(st.integers(100_000, 339_999))
def test_a_number_with_a_letter_is_the_number_without(number):
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    assert catalogue_number(f"{letters[number // 10_000 - 10]}{number % 10_000:04d}") == number


@pytest.mark.parametrize("number", [339_999, 340_000, 999_999, 123_456_789])
def test_satellites_of_long_numbers_have_orbits(number, from_lines):
    found = orbit(OMM | {"NORAD_CAT_ID": number, "OBJECT_NAME": "NEW"})
    assert found["display_name"].item() == "NEW"
    np.testing.assert_array_equal(found["geo_lat"], from_lines["geo_lat"])


def test_a_number_with_a_letter_is_one_satellite_with_that_in_digits():
    lines = numbered("E8493")
    found = orbit([OMM | {"NORAD_CAT_ID": 148493, "EPOCH": "2020-01-02T00:00:00"}, lines])
    assert dict(found.sizes)["source"] == 1


def test_of_two_sets_of_one_instant_the_later_number_counts():
    other = OMM | {"ELEMENT_SET_NO": "1000", "INCLINATION": "80"}
    for elements in ([OMM, other], [other, OMM]):
        assert float(orbit(elements)["geo_lat"].max()) < 81


# ---- which satellite of the service it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "name", "source"),
    [
        (28054, "DMSP 5D-3 F16 (USA 172)", "DMSP-16"),
        (26463, "CLUSTER II-FM5 (RUMBA)", "Cluster-1"),
        (39265, "CASSIOPE", "ePOP"),
        (25544, "ISS (ZARYA)", "ISS"),
        (25544, "", "ISS"),
        (39451, "OBJECT A", "Swarm B"),
        (30580, "THEMIS A", "THEMIS-A"),
        (41896, "ARASE (ERG)", "Arase"),
        (23051, "GOES 8", "GOES-08"),
    ],
)
def test_the_number_decides_and_the_name_where_the_service_has_none(number, name, source):
    assert orbit(OMM | {"NORAD_CAT_ID": number, "OBJECT_NAME": name})["display_name"].item() == source


def test_a_name_of_the_service_on_another_number_is_another_satellite():
    found = orbit(OMM | {"NORAD_CAT_ID": 49044, "OBJECT_NAME": "ISS (NAUKA)"})
    assert [found[name].item() for name in ("identifier", "platform", "display_name")] == [
        -1,
        "iss (nauka)",
        "ISS (NAUKA)",
    ]


def test_two_satellites_of_one_name_differ_in_their_platform():
    sets = [OMM | {"NORAD_CAT_ID": number, "OBJECT_NAME": "OBJECT A"} for number in (60001, 60002)]
    sets[1]["RA_OF_ASC_NODE"] = "20"
    found = orbit(sets)
    assert found["display_name"].values.tolist() == ["OBJECT A", "OBJECT A"]
    assert found["platform"].values.tolist() == ["object a 60001", "object a 60002"]
    place = found.isel(source=1, epoch=3)
    here = {"Here": (float(place["geo_lat"]), float(place["geo_lon"]))}
    both = ap.find_conjunctions(
        found,
        distance=30_000,
        custom_locations={"locations": list(here.values())},
        space={"programs": "custom"},
        conjunction_types="geographic",
    )
    assert len(both) == 2
    near = both.aurorax.closest_approach(found).sort_values("min_distance")
    assert near["approach_distance"].iloc[0] < 40 < 150 < near["approach_distance"].iloc[1]


# ---- no orbit that the elements do not allow -------------------------------------------------------------------------


def falling():
    """A set of a satellite that SGP4 lets decay after about 40 days."""
    return OMM | {"MEAN_MOTION": "15.88", "BSTAR": "1.1e-3", "NORAD_CAT_ID": 88001, "OBJECT_NAME": "LEAF"}


def at(days, elements=None, **options):
    start = pd.Timestamp(OMM["EPOCH"]) + pd.Timedelta(days, "D")
    return ap.footprints_from_elements(
        elements or falling(), start, start + pd.Timedelta("20min"), external=None, **options
    )


def test_an_orbit_that_has_not_decayed_is_an_ephemeris():
    found = at(20)
    assert 6400 < float(found["radial_distance"].min()) < float(found["radial_distance"].max()) < 6800
    assert float(found["geo_alt"].min()) > 80


@pytest.mark.parametrize("days", [60, 120, 600, 3000])
def test_a_decayed_orbit_is_an_error_that_names_satellite_epoch_and_radius(days):
    with pytest.raises(ap.AuroraxInputError, match=r"those of LEAF .* put it \d+ km .* at 2020-\d\d.*decayed"):
        at(days, max_age=None)


def test_long_before_the_elements_there_is_a_warning_or_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises((ap.AuroraxInputError, ap.AuroraxDataWarning)):
            at(-60)


@given(st.floats(0.5, 3000))
def test_once_decayed_it_stays_decayed(days):
    try:
        found = at(days, max_age=None)
    except ap.AuroraxInputError:
        assert days > 30
    else:
        assert days < 60
        assert float(found["radial_distance"].min()) > 6450


def test_honest_drag_is_no_decay():
    slow = OMM | {"MEAN_MOTION": "15.6", "BSTAR": "6e-4"}
    before, after = (at(days, slow, max_age=None)["radial_distance"].mean() for days in (0, 118))
    assert 20 < float(before - after) < 160


def test_high_orbits_may_change_as_the_moon_and_the_sun_pull():
    high = OMM | {"MEAN_MOTION": "0.4419", "ECCENTRICITY": "0.6", "INCLINATION": "90", "BSTAR": "0", "NORAD_CAT_ID": 9}
    assert float(at(200, high, max_age=None)["radial_distance"].max()) > 10_000


def test_before_the_launch_there_was_none():
    with pytest.raises(
        ap.AuroraxInputError, match=r"2012-12-31.* is before the launch of Swarm A in 2013 \(2013-067B\)"
    ):
        ap.footprints_from_elements(OMM, "2012-12-31T23:00", "2013-01-02", "1D", max_age=None)


@pytest.mark.parametrize("designator", ["", "UNKNOWN", "2030-000A"])
def test_a_blank_designator_says_nothing_of_a_launch(designator):
    assert read_elements(OMM | {"OBJECT_ID": designator})[0].launch_year is None


# ---- age -------------------------------------------------------------------------------------------------------------


def test_old_elements_are_said_once_for_each_satellite():
    sets = [OMM, OMM | {"NORAD_CAT_ID": 39451}]
    with pytest.warns(ap.AuroraxDataWarning) as caught:
        at(40, sets)
    assert len(caught) == 2
    assert "21 of 21 epochs of Swarm A are more than 30 days" in str(caught[0].message)
    assert "at most 40.0 days" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_a_maximum_of_ones_own_and_none():
    assert at(40, OMM, max_age=None)["elements_age"].max() == pytest.approx(40.01, abs=0.01)
    with pytest.warns(ap.AuroraxDataWarning, match="10 of 21 epochs"):
        at(0, OMM, max_age="10min")
    with pytest.raises(ap.AuroraxInputError, match="max_age=30"):
        at(0, OMM, max_age=30)


def test_age_and_field_travel_with_what_is_found(from_lines):
    cameras = ap.stations(from_lines["epoch"], locations={"Pole": (89.0, 0.0)})
    import xarray as xr

    both = xr.concat(
        [
            orbit(
                LINES,
            ),
            cameras,
        ],
        dim="source",
    )
    both.attrs["kp"] = 3.0
    df = ap.find_conjunctions(both, distance=20_000, ground={"platforms": "Pole"}, space={"programs": "swarm"})
    origin = df.aurorax.provenance
    assert origin["elements_age"] == pytest.approx(0.125, abs=0.001)
    assert origin["field"] == from_lines.attrs["field"]
    assert (origin["step"], origin["kp"]) == ("600s", 3.0)
