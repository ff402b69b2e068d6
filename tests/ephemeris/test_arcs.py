import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aurorax_pandas import geometry
from aurorax_pandas.ephemeris import arc_parts, arcs

latitudes = st.sampled_from([-90.0, 0.0, 60.0, 89.9, 90.0]) | st.floats(-90, 90)
longitudes = st.sampled_from([-180.0, 0.0, 179.9, 180.0]) | st.floats(-180, 180)
bearings = st.floats(0, 360)
# from nothing to a sixth of the way around the world
angles = st.sampled_from([0.0, 0.06]) | st.floats(0, 1.0)


@st.composite
def motions(draw):
    """Where a place is at the beginning and at the end of a step, as unit vectors."""
    start = geometry.unit_vectors(draw(latitudes), draw(longitudes))
    away = np.cross(start, [0.3, -0.5, 0.81])
    away /= np.linalg.norm(away)
    turn, angle = np.radians(draw(bearings)), draw(angles)
    side = np.cos(turn) * away + np.sin(turn) * np.cross(start, away)
    return start, np.cos(angle) * start + np.sin(angle) * side


@st.composite
def meetings(draw, count=4):
    """Two places each, some of them together all the way or nearly so."""
    found = []
    for _ in range(count):
        one = draw(motions())
        how = draw(st.sampled_from(["any", "any", "same", "turned"]))
        other = draw(motions())
        if how == "same":
            other = one
        if how == "turned":
            # the same way, a little to the side
            other = tuple(geometry.unit_vectors(*np.add(geometry.degrees(place), [0.0, 0.5])) for place in one)
        found.append((*one, *other))
    return [np.stack(parts, axis=1) for parts in zip(*found, strict=True)]


def ways_of(ends):
    return arcs.Way.to(*ends[:2]), arcs.Way.to(*ends[2:])


def distances(ends, fraction):
    first, first_end, second, second_end = (part[:, :, None] for part in ends)
    return arcs.apart(
        geometry.interpolate(first, first_end, fraction), geometry.interpolate(second, second_end, fraction)
    )


FRACTIONS = np.linspace(0, 1, 2001)


@given(meetings())
def test_the_cosine_is_that_of_the_interpolated_places(ends):
    found = arcs.Arcs.between(*ways_of(ends))
    for fraction in (0.0, 0.3, 1.0):
        expected = np.cos(distances(ends, np.array([fraction]))[:, 0] / geometry.EARTH_RADIUS)
        np.testing.assert_allclose(found.cosine(np.full(4, fraction)), expected, atol=1e-14)
        step = 1e-5
        before, after = (found.cosine(np.full(4, fraction + each)) for each in (-step, step))
        slope, bend = found.slopes(np.full(4, fraction))
        np.testing.assert_allclose(slope, (after - before) / (2 * step), atol=1e-8)
        np.testing.assert_allclose(bend, (before - 2 * found.cosine(np.full(4, fraction)) + after) / step**2, atol=1e-4)
        assert (np.abs(slope) <= found.bound(1) + 1e-12).all()
        assert (np.abs(bend) <= found.bound(2) + 1e-12).all()


@settings(max_examples=100)
@given(meetings())
def test_no_fraction_is_nearer_than_the_least(ends):
    count = ends[0].shape[1]
    step, fraction, one, other, distance = arc_parts.least_fraction(*ways_of(ends), np.arange(count))
    assert step.tolist() == list(range(count))
    np.testing.assert_array_equal(distance, arcs.apart(one, other))
    least = distances(ends, fraction[:, None])[:, 0]
    assert ((fraction >= 0) & (fraction <= 1)).all()
    dense = distances(ends, FRACTIONS)
    assert (least <= dense.min(axis=1) + 1e-4).all()
    # nothing to choose between: the earliest
    still = np.ptp(dense, axis=1) == 0
    assert (fraction[still] == 0).all()
    # of all steps together the nearest, and of several alike the first
    nearest = arc_parts.least_fraction(*ways_of(ends), np.zeros(count, np.int64))
    first = int(np.argmin(distance))
    assert (nearest[0][0], nearest[1][0], nearest[4][0]) == (first, fraction[first], distance[first])


@settings(max_examples=100)
@given(meetings(), st.sampled_from([0.0, 55.0, 500.0, 5000.0, 21000.0]) | st.floats(0, 20000))
def test_pieces_are_where_a_dense_walk_is_within_the_distance(ends, limit):
    count = ends[0].shape[1]
    found = arc_parts.pieces_within(
        arcs.Arcs.between(*ways_of(ends)), np.full(count, limit), np.zeros(count), np.ones(count)
    )
    dense = distances(ends, FRACTIONS)
    inside = np.zeros(dense.shape, bool)
    for arc, low, high in zip(found.arc, found.low, found.high, strict=True):
        inside[arc] |= (low <= FRACTIONS) & (high >= FRACTIONS)
    clear = np.abs(dense - limit) > 1e-3
    assert (inside == (dense <= limit))[clear].all()
    for name, crossed in (("low", found.enters), ("high", found.leaves)):
        at = getattr(found, name)
        picked = [part[:, found.arc] for part in ends]
        there = distances(picked, at[:, None])[:, 0]
        assert (np.abs(there[crossed] - min(limit, np.pi * geometry.EARTH_RADIUS)) < 1e-3).all()
    # along each piece the distance only grows or only falls
    for arc, low, high in zip(found.arc, found.low, found.high, strict=True):
        walk = distances([part[:, [arc]] for part in ends], np.linspace(low, high, 50))[0]
        steps = np.diff(walk)
        assert (steps >= -1e-4).all() or (steps <= 1e-4).all()


def test_a_pass_between_two_epochs_is_found_to_the_metre():
    ends = [geometry.unit_vectors([lat], [lon]) for lat, lon in ((60, -4), (60, 4), (61, 0), (61, 0))]
    fraction = arc_parts.least_fraction(*ways_of(ends), np.array([0]))[1]
    assert fraction == pytest.approx(0.5, abs=1e-12)


def test_a_jump_is_a_step_of_more_than_a_location_can_move():
    assert arcs.longest_step(np.timedelta64(60, "s")) == 900.0
    assert arcs.longest_step(np.timedelta64(2, "m")) == 1800.0
