"""Field lines end where an independent integrator with scalar models ends them, and where a caller says."""

import numpy as np
import pandas as pd
import pytest

from aurorax_pandas.ephemeris import tracing
from aurorax_pandas.ephemeris.field import Field, dipole_axis
from aurorax_pandas.exceptions import AuroraxStateError
from aurorax_pandas.geometry import earth_fixed

WHEN = np.datetime64("2020-01-01T03:51:00", "us")


def ring(lat, count=8, radius=1.07):
    """Places around the Earth at a latitude, and an epoch for each."""
    lon = np.linspace(-180, 135, count)
    phi, theta = np.radians(lat), np.radians(lon)
    places = radius * np.stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.full(count, np.sin(phi))])
    return places, WHEN + np.arange(count) * np.timedelta64(60_000_000, "us")


class ScalarField:
    """ppigrf's main field and geopack's external one, a point at a time."""

    def __init__(self, when, level):
        ppigrf, self._t89 = pytest.importorskip("ppigrf.ppigrf"), pytest.importorskip("geopack.t89").t89
        cosine, sine = ppigrf.read_shc(ppigrf.shc_fn_igrf14)
        index = cosine.index.union([pd.Timestamp(when)])
        of_when = [part.reindex(index).interpolate(method="time").loc[pd.Timestamp(when)] for part in (cosine, sine)]
        self._g, self._h = (part.to_numpy(float) for part in of_when)
        self._keys = list(cosine.columns)
        self._n, self._m = np.array(self._keys).T
        self._legendre, self._level = ppigrf.get_legendre, level
        models = Field(np.array([when]), np.array([level]))
        self._axes, self._tilt = models._axes[:, :, 0], models.tilt[0]

    def direction(self, place):
        r = np.linalg.norm(place)
        theta, phi = np.arccos(place[2] / r), np.arctan2(place[1], place[0])
        legendre, slope = (part[0] for part in self._legendre(np.array([np.degrees(theta)]), self._keys))
        cosine, sine = np.cos(self._m * phi), np.sin(self._m * phi)
        even, odd = self._g * cosine + self._h * sine, self._m * (self._h * cosine - self._g * sine)
        fall = r ** -(self._n + 2.0)
        up = ((self._n + 1) * fall * legendre * even).sum()
        south, east = -(fall * slope * even).sum(), -(fall * legendre * odd).sum() / np.sin(theta)
        across = up * np.sin(theta) + south * np.cos(theta)
        main = [
            across * np.cos(phi) - east * np.sin(phi),
            across * np.sin(phi) + east * np.cos(phi),
            up * np.cos(theta) - south * np.sin(theta),
        ]
        external = self._t89(self._level, self._tilt, *(self._axes @ place))
        total = main + self._axes.T @ np.array(external)
        return total / np.linalg.norm(total)


@pytest.mark.parametrize(
    ("lat", "lon", "sign", "level"), [(55.0, -95.0, -1.0, 4), (-62.0, 20.0, 1.0, 2), (66.0, 150.0, -1.0, 6)]
)
def test_an_independent_integrator_with_scalar_models_ends_within_10_m(lat, lon, sign, level):
    solve_ivp = pytest.importorskip("scipy.integrate").solve_ivp
    scalar = ScalarField(WHEN, level)
    place = earth_fixed(lat, lon, 450.0) / 6371.2

    def down(_, there):
        return tracing.height_above_footprints(there[:, None], np.zeros(1, int))[0]

    down.terminal, down.direction = True, -1
    solved = solve_ivp(
        lambda _, there: sign * scalar.direction(there), (0, 100), place, method="DOP853", rtol=1e-9, atol=1e-9,
        max_step=1.0, events=down,
    )  # fmt: skip
    found = tracing.trace(place[:, None], sign, Field(np.array([WHEN]), np.array([level])))[:, 0]
    assert np.linalg.norm(found - solved.y_events[0][0]) * 6371.2 < 0.01


def test_footprints_lie_100_km_above_the_ellipsoid():
    places, epochs = ring(60.0)
    for sign in (1.0, -1.0):
        ends = tracing.trace(places, sign, Field(epochs, np.full(8, 4)))
        assert np.isfinite(ends).all()
        assert np.abs(tracing.height_above_footprints(ends, np.arange(8))).max() < 1e-3


def test_altitude_is_the_height_above_the_ellipsoid():
    lat = np.linspace(-90, 90, 19)
    points = earth_fixed(lat, 0 * lat, 130.0) / 6371.2
    np.testing.assert_allclose(tracing.height_above_footprints(points, np.arange(19)), 30.0, atol=1e-3)


def test_each_line_has_a_sign_and_a_level_of_its_own():
    places, epochs = ring(58.0)
    signs, levels = np.resize([1.0, -1.0], 8), np.resize([1, 4, 7], 8)
    together = tracing.trace(places, signs, Field(epochs, levels))
    for row in range(8):
        alone = tracing.trace(places[:, [row]], signs[row], Field(epochs[[row]], levels[[row]]))
        np.testing.assert_allclose(together[:, row], alone[:, 0], atol=1e-9)


def test_a_point_below_the_end_has_none():
    own = Field(np.array([WHEN]))
    assert np.isnan(tracing.trace(np.array([[0.3], [0.0], [0.96]]), 1.0, own)).all()


def test_lines_end_where_the_caller_says_at_any_distance():
    """From 110 km above high stations to the equator of the dipole, which no other limit cuts off."""
    epochs = np.full(6, np.datetime64("2020-01-01", "us"))
    axis = dipole_axis(epochs[:1])[:, 0]
    places = earth_fixed(np.array([40.0, 60.0, 70.0, 75.0, 78.0, 80.0]), np.full(6, -72.68), 110.0) / 6371.2
    ends = tracing.trace(places, -1.0, Field(epochs), remaining=lambda there, _: axis @ there, outermost=None)
    assert np.abs(axis @ ends).max() < 1e-6
    apex = np.linalg.norm(ends, axis=0)
    assert (np.diff(apex) > 0).all()
    assert apex[0] < 5
    assert apex[-1] > 200
    limited = tracing.trace(places, -1.0, Field(epochs), remaining=lambda there, _: axis @ there)
    assert np.isnan(limited[:, -1]).all()
    np.testing.assert_allclose(limited[:, 0], ends[:, 0])


def test_a_line_that_never_ends_is_given_up_in_silence():
    """Nothing limits it: from near the pole, into the solar wind of a model that has no magnetopause."""
    places = earth_fixed(np.array([88.0, -88.0]), np.array([0.0, 0.0]), 450.0) / 6371.2
    own = Field(np.full(2, WHEN), np.full(2, 7))
    ends = tracing.trace(places, np.array([-1.0, 1.0]), own, outermost=None)
    assert ends.shape == (3, 2)


# ---- footprints of satellites ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def satellites():
    positions = np.stack([ring(lat, 12)[0].T * 6371.2 for lat in (62.0, -70.0)])
    return positions, ring(0.0, 12)[1]


def test_blocks_do_not_show(satellites, monkeypatch):
    levels = np.resize([3, 4], 12)
    whole = tracing.trace_footprints(*satellites, levels)
    monkeypatch.setattr(tracing, "_BLOCK", 5)
    for name, values in tracing.trace_footprints(*satellites, levels).items():
        np.testing.assert_allclose(values, whole[name], atol=1e-9)


def test_processes_and_the_bar_do_not_show(satellites, monkeypatch, capsys):
    whole = tracing.trace_footprints(*satellites, None)
    monkeypatch.setattr(tracing, "_BLOCK", 12)
    shared = tracing.trace_footprints(*satellites, None, max_workers=2, progress=True)
    for name, values in shared.items():
        np.testing.assert_allclose(values, whole[name], atol=1e-9)
    assert "24/24" in capsys.readouterr().err


def test_processes_that_die_are_an_error_that_says_what_to_do(satellites, monkeypatch):
    def die(*_):
        raise tracing.concurrent.futures.process.BrokenProcessPool("gone")
        yield

    monkeypatch.setattr(tracing, "_BLOCK", 12)
    monkeypatch.setattr(tracing.concurrent.futures.ProcessPoolExecutor, "map", die)
    with pytest.raises(AuroraxStateError, match=r"max_workers=2: .*if __name__ == '__main__'"):
        tracing.trace_footprints(*satellites, None, max_workers=2)


def test_uncertainty_is_the_distance_between_two_levels(satellites):
    from aurorax_pandas.geometry import great_circle_distance

    found = tracing.trace_footprints(*satellites, np.full(12, 4), uncertainty=True)
    two, four = (tracing.trace_footprints(*satellites, np.full(12, level)) for level in (2, 4))
    for prefix in ("nbtrace", "sbtrace"):
        places = [values[f"{prefix}_{part}"] for values in (two, four) for part in ("lat", "lon")]
        apart = great_circle_distance(*places)
        assert (apart > 0).any()
        np.testing.assert_allclose(found[f"{prefix}_lat"], four[f"{prefix}_lat"], atol=1e-9)
        known = np.isfinite(apart)
        np.testing.assert_allclose(found[f"{prefix}_uncertainty"][known], apart[known], atol=1e-6)
        np.testing.assert_array_equal(np.isnan(found[f"{prefix}_uncertainty"]), np.isnan(four[f"{prefix}_lat"]))


def test_uncertainty_is_infinite_where_a_footprint_has_none_to_compare_with():
    # between the lines that return under the level 1 and those that return under the levels 2 and 4
    lat = np.linspace(58.0, 62.0, 21)
    positions = (earth_fixed(lat, np.full(21, -95.0), 450.0).T)[None]
    epochs = np.full(21, np.datetime64("2020-01-01T06:00", "us"))
    found = tracing.trace_footprints(positions, epochs, np.full(21, 1), uncertainty=True)
    four = tracing.trace_footprints(positions, epochs, np.full(21, 4))
    alone = np.isfinite(found["sbtrace_lat"]) & np.isnan(four["sbtrace_lat"])
    assert alone.any()
    assert np.isposinf(found["sbtrace_uncertainty"][alone]).all()
