"""Places of many events, each made once, are those of each event alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import aurorax_pandas as ap
from aurorax_pandas import geometry
from aurorax_pandas.ephemeris.tracks import Tracks, distinct_rows


@pytest.fixture(scope="module")
def tracks():
    ephemeris = ap.load_sample_ephemeris()
    table = pd.DataFrame({
        name: ephemeris[name].values for name in ("identifier", "platform", "source_type", "display_name")
    })  # fmt: skip
    # one that the ephemeris lacks, and each several times
    elsewhere = pd.DataFrame(
        {"identifier": [None], "platform": ["x"], "source_type": ["not_applicable"], "display_name": ["(60.0, -110.5)"]}
    )
    sources = pd.concat([table, table, elsewhere.astype({"identifier": "Int64"})], ignore_index=True)
    return Tracks(ephemeris, sources)


ASKED = st.lists(st.tuples(st.integers(0, 32), st.integers(0, 1439)), max_size=60)


@settings(max_examples=60)
@given(asked=ASKED, kind=st.sampled_from(["nbtrace", "sbtrace", "geographic"]), geodetic=st.booleans())
def test_places_made_once_are_those_made_one_by_one(tracks, asked, kind, geodetic):
    source, at = np.array(asked, np.int64).reshape(-1, 2).T
    expected = geometry.unit_vectors(*tracks.geodetic(kind, source, at))
    np.testing.assert_array_equal(tracks.geodetic_vectors(kind, source, at), expected)
    expected = geometry.unit_vectors(*tracks.compared(kind, source, at, geodetic=geodetic))
    np.testing.assert_array_equal(tracks.compared_vectors(kind, source, at, geodetic=geodetic), expected)


@settings(max_examples=60)
@given(asked=ASKED, length=st.integers(0, 30), kind=st.sampled_from(["nbtrace", "sbtrace", "geographic"]))
def test_a_range_is_complete_where_the_ephemeris_has_each_of_its_epochs(tracks, asked, length, kind):
    source, first = np.array(asked, np.int64).reshape(-1, 2).T
    stop = np.minimum(first + length, 1440)
    found = tracks.complete(kind, source, first, stop)
    held = tracks.rows(source) >= 0
    for one, begin, end, complete, has in zip(source, first, stop, found, held, strict=True):
        at = np.arange(begin, end)
        own = ~np.isnan(tracks.compared(kind, np.full(len(at), one), at)[0])
        assert complete == (has and own.all())


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([1.0, 2.0, np.nan])), max_size=20))
def test_distinct_rows_are_numbered_as_they_appear(rows):
    texts, numbers = (pd.Series([row[part] for row in rows], dtype=kind) for part, kind in ((0, "str"), (1, float)))
    codes, first = distinct_rows(texts, numbers)
    seen: dict[tuple, int] = {}
    expected = [
        seen.setdefault((text, str(number)), len(seen)) for text, number in zip(texts.fillna(""), numbers, strict=True)
    ]
    assert codes.tolist() == expected
    assert first.tolist() == [expected.index(number) for number in range(len(seen))]
