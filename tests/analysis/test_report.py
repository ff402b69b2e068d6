"""The table for a paper, and how it and pair summaries are written."""

import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import aurorax_pandas as ap
from aurorax_pandas import geometry
from aurorax_pandas.analysis.report import REPORT_COLUMNS

NASTY = {"50%_#1 & ~^\\{x}$": "a_& {b} #%$~^\\"}


@pytest.fixture(scope="module")
def ephemeris():
    return ap.load_sample_ephemeris()


@pytest.fixture(scope="module")
def table(ephemeris):
    return ap.report(ap.load_sample_conjunctions().assign(kp=2.0), ephemeris)


def test_a_report_says_what_the_verbs_say(sample, ephemeris, table):
    assert list(table.columns) == [*REPORT_COLUMNS, "kp"]
    near = sample.aurorax.closest_approach(ephemeris).aurorax.explode_events()
    added = [name for name in table if name.startswith(("approach_", "spacecraft_")) and name in near]
    pd.testing.assert_frame_equal(table[added], near[added])
    seen = near.aurorax.sky("approach_time").aurorax.magnetic(at="approach_time")
    same = ["pair", "start", "min_distance", "sun_elevation", "moon_elevation", "moon_illumination", "mlat", "mlt"]
    pd.testing.assert_frame_equal(table[same], seen[same].astype({"pair": "str"}))
    assert table["footprint_uncertainty"].isna().all()
    assert table.attrs == sample.attrs


@pytest.mark.parametrize("uncertain", [False, True])
def test_reports_of_any_rows_have_the_same_dtypes_so_that_concat_keeps_them(sample, ephemeris, uncertain):
    if uncertain:
        ephemeris = ephemeris.assign(nbtrace_uncertainty=ephemeris["nbtrace_lat"] * 0 + 7.0)
    df = sample.assign(kp=2, word="quiet")
    whole = df.aurorax.report(ephemeris)
    parts = [df.iloc[rows].aurorax.report(ephemeris) for rows in (slice(0), slice(20), slice(20, 20), slice(20, None))]
    events = df.aurorax.explode_events()
    parts.append(events.iloc[:0].aurorax.report(ephemeris))
    for part in parts:
        pd.testing.assert_series_equal(part.dtypes, whole.dtypes)
    together = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(together, whole)
    assert len(parts[0].aurorax.style().to_html()) > 0


def test_the_azimuth_is_that_of_the_track(sample, ephemeris, table):
    fine = sample.aurorax.tracks(ephemeris, "100ms")
    for event in (0, 4, 5, 30):
        track = fine.loc[event]
        (at,) = track.index.get_indexer([table.loc[event, "approach_time"]], method="nearest")
        apart = (track["azimuth"].iloc[at] - table.loc[event, "approach_azimuth"] + 180) % 360 - 180
        assert abs(apart) * np.cos(np.radians(track["elevation"].iloc[at])) < 0.3


def test_the_uncertainty_of_footprints_is_told_where_the_ephemeris_tells_it(sample, ephemeris):
    told = ephemeris.assign(nbtrace_uncertainty=ephemeris["nbtrace_lat"] * 0 + 7.0)
    assert (sample.aurorax.report(told)["footprint_uncertainty"] == 7).all()


def test_a_station_that_the_ephemeris_has_is_known(ephemeris):
    camera = ap.stations(ephemeris["epoch"], locations={"My camera": (56.376723, -94.643664)})
    both = xr.concat([ephemeris, camera], dim="source")
    search = {"start": "2020-01-01T00:11", "end": "2020-01-01T00:13", "distance": 500, "space": {"platforms": "swarma"}}
    df = ap.find_conjunctions(both, ground={"platforms": "My camera"}, **search)
    known = ap.find_conjunctions(both, ground={"platforms": "gillam"}, **search)
    said = ["approach_azimuth", "sun_elevation", "moon_elevation", "mlat", "mlt"]
    found, expected = df.aurorax.report(both), known.aurorax.report(both)
    np.testing.assert_allclose(found[said].to_numpy(float), expected[said].to_numpy(float), atol=1e-3)
    assert df.aurorax.magnetic(both)["mlt"].notna().all()
    assert len(df.aurorax.observable(-12, mlt=(12, 24), ephemeris=both)) == 1
    with pytest.warns(ap.AuroraxDataWarning, match="the place of My camera is not known"):
        df.aurorax.magnetic(both.drop_vars(["geo_lat", "geo_lon"]))


def test_a_station_that_is_not_known_is_warned_of_once(builders, ephemeris):
    mine = builders.source(9000, "My camera", "ground", "mine")
    place = (56.376723, -94.643664)
    camera = ap.stations(ephemeris["epoch"], locations={"My camera": place})
    both = ephemeris.isel(source=[0])
    df = ap.as_conjunctions([builders.record(11, 13, sources=(builders.GILL, builders.SWARM_A))])
    known = df.aurorax.report(both)
    assert known.loc[0, "approach_azimuth"] == pytest.approx(268, abs=2)
    named = ap.as_conjunctions([builders.record(11, 13, sources=(mine, builders.SWARM_A))])
    assert geometry.great_circle_distance(*place, *place) == 0
    assert camera["display_name"].item() == "My camera"
    assert named.aurorax.explode_events()["pair"].tolist() == ["My camera & Swarm A"]


def test_a_report_goes_to_csv_and_back(table, tmp_path):
    table.to_csv(tmp_path / "table.csv", index=False)
    again = pd.read_csv(tmp_path / "table.csv", parse_dates=["approach_time"])
    assert list(again.columns) == list(table.columns)
    assert again["approach_distance"].to_numpy() == pytest.approx(table["approach_distance"].to_numpy())


TABLES = {
    "report": lambda df, ephemeris: df.aurorax.report(ephemeris),
    "pair summary": lambda df, _: df.aurorax.pair_summary(),
    "pair summary by site": lambda df, _: df.aurorax.pair_summary("site"),
}


@pytest.fixture(params=list(TABLES))
def nasty(request, sample, ephemeris):
    """Return a table with a column whose name and value hold all that LaTeX takes for its own."""
    pytest.importorskip("jinja2")
    made = TABLES[request.param](sample.assign(**NASTY), ephemeris)
    return made if set(NASTY) <= set(made.columns) else made.assign(**NASTY)


def test_latex_holds_nothing_that_does_not_compile(nasty):
    text = nasty.aurorax.style().to_latex(caption="Conjunctions", hrules=True)
    body = re.search(r"\\toprule\n(.*)\\bottomrule", text, re.S).group(1)
    assert "&amp;" not in text
    assert not re.search(r"color|width|cell|#9ecae1|background", body)
    # what stays when all that is escaped is gone is text, cells and ends of rows
    rest = re.sub(r"\\text(asciitilde|asciicircum|backslash)( |\\space |\{\})", "", body)
    rest = re.sub(r"\\[&%$#_{}]", "", rest).replace("\\midrule\n", "")
    assert not re.search(r"[%$#_{}~^\\]", rest.replace("\\\\\n", "")), rest[:500]
    columns = len(re.search(r"\\begin\{tabular\}\{(\w+)\}", text).group(1))
    rows = rest.strip().split("\\\\\n")
    assert {row.count("&") for row in rows if row.strip(" \\\n")} == {columns - 1}
    assert not any(row.startswith("[") for row in rows)
    for unit in ("km", "UTC"):
        assert f"[{unit}]" in rows[0]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
def test_latex_compiles(nasty, tmp_path):
    text = nasty.aurorax.style().to_latex()
    page = "\\documentclass{article}\n\\begin{document}\n\\tiny\n" + text + "\\end{document}\n"
    (tmp_path / "table.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_html_is_rounded_and_has_units(table):
    pytest.importorskip("jinja2")
    html = table.aurorax.style().to_html()
    assert "approach_elevation [deg]" in html
    assert "THEMIS-ASI GILL &amp; Swarm C" in html
    assert "65.5" in html
    assert "linear-gradient" in html
    assert "–" in html


def test_what_is_hidden_stays_hidden_in_latex(table):
    pytest.importorskip("jinja2")
    text = table.aurorax.style().hide(["kp"], axis="columns").set_caption("Of one night").to_latex()
    assert "kp" not in text
    assert "Of one night" in text


def test_only_reports_and_summaries_have_a_style(sample):
    with pytest.raises(ap.AuroraxInputError, match="report and pair_summary"):
        sample.aurorax.style()


def test_an_empty_frame_has_an_empty_report(sample, ephemeris, table):
    pytest.importorskip("jinja2")
    empty = sample.iloc[:0].assign(kp=2.0).aurorax.report(ephemeris)
    assert empty.empty
    assert list(empty.columns) == list(table.columns)
    assert "approach\\_time [UTC]" in empty.aurorax.style().to_latex()
