"""The step of an ephemeris travels into what is found in it, and minutes are counted by it."""

import pandas as pd
import pytest

import aurorax_pandas as ap


def found_every(step):
    ephemeris = ap.load_sample_ephemeris().isel(epoch=slice(None, None, step))
    return ap.find_conjunctions(ephemeris, distance=500, ground={"programs": "themis-asi"}, space={"programs": "swarm"})


def test_minutes_of_a_coarse_ephemeris_are_counted_by_its_step():
    fine, coarse = found_every(1), found_every(2)
    assert (fine.aurorax.provenance["step"], coarse.aurorax.provenance["step"]) == ("60s", "120s")
    every = fine.aurorax.minutes().sum()
    assert coarse.aurorax.minutes().sum() == pytest.approx(every, rel=0.05)
    assert coarse.aurorax.minutes("1min").sum() < 0.6 * every
    assert coarse.aurorax.pair_summary()["minutes"].sum() == coarse.aurorax.minutes().sum()
    assert coarse.aurorax.passes()["minutes"].sum() == coarse.aurorax.passes(step="2min")["minutes"].sum()
    assert len(ap.stitch(coarse)) == len(coarse)


def test_halves_of_minutes_are_the_step_of_a_search_between_them():
    ephemeris = ap.load_sample_ephemeris().isel(epoch=slice(0, 60))
    df = ap.find_conjunctions(
        ephemeris,
        distance=500,
        ground={"programs": "themis-asi"},
        space={"programs": "swarm"},
        subminute_precision=True,
    )
    assert df.aurorax.provenance["step"] == "30s"


@pytest.mark.parametrize("asked", [{"subminute_precision": True}, {"epoch_search_precision": 30}])
def test_halves_of_minutes_are_the_step_of_a_query_of_the_service_that_asked_for_them(sample, asked):
    lasting = (sample["end"] - sample["start"]).sum() / pd.Timedelta("1min")
    query = sample.attrs["aurorax"]["query"]
    sample.attrs["aurorax"]["query"] = query | asked
    assert sample.aurorax.minutes().sum() == lasting + len(sample) / 2
    assert sample.aurorax.pair_summary()["minutes"].sum() == lasting + len(sample) / 2
    sample.attrs["aurorax"]["query"] = [query, query | asked]
    with pytest.raises(ap.AuroraxInputError, match="every 30 s and from others every minute; give step="):
        sample.aurorax.minutes()
    assert sample.aurorax.minutes("1min").sum() == lasting + len(sample)


def test_frames_of_two_steps_in_one_ask_for_a_step(sample):
    sample.attrs["aurorax"] = sample.attrs["aurorax"] | {"step": ["60s", "120s"]}
    for verb in ("minutes", "pair_summary", "passes"):
        with pytest.raises(ap.AuroraxInputError, match=r"different steps \(60s, 120s\); give step="):
            getattr(sample.aurorax, verb)()
        getattr(sample.aurorax, verb)(step="1min")
    with pytest.raises(ap.AuroraxInputError, match="give step="):
        ap.stitch(sample)
    sample.attrs["aurorax"]["step"] = ["120s", "120s"]
    assert sample.aurorax.minutes().min() == 2
