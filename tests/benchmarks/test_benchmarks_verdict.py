"""A seeded piece of what the benchmark of the verdict measures whole: how rarely nothing is called worse, how surely worse is found.

The bounds leave room for so few nights; the promises themselves are the benchmark's goals.
"""

import numpy as np
import pytest

from benchmarks.simulation import Design, Night, Noise, drawn, nights
from benchmarks.verdict import (
    NIGHTLY,
    PROMISED,
    RUN,
    SHARED,
    TIER,
    Change,
    _interval,
    false_alerts,
    power,
)
from nightbench.settings import load
from nightbench.tiers import tiers_of


def test_a_night_is_a_false_alert_once_however_many_tiers_and_metrics_are_worse(monkeypatch):
    worse = {100_000: {3: {1: 2, 4: 2}}, 100_001: {3: {0: 3}, 7: {2: 2}}, 100_010: {5: {2: 4}}}

    def simulated(_noise, _design, *, count, seed):
        assert count == 20
        return (Night(number, worse.get(seed, {}).get(number, {}), suspects=True) for number in range(20))

    monkeypatch.setattr("benchmarks.verdict.nights", simulated)
    # 2 of 20 in the first history, 1 in the second
    rate, half = false_alerts(RUN, Design(tiers=2), histories=2, length=20)
    assert (rate, half) == (7.5, pytest.approx(1.96 * 2.5))


@pytest.mark.parametrize("noise", PROMISED.values(), ids=PROMISED)
def test_nothing_is_called_worse_where_nothing_changed(noise):
    rate, _ = false_alerts(noise, TIER, histories=2)  # a suspect at 20 % instead of 1 %: 5 of shared noise
    assert rate <= 1.0


@pytest.mark.parametrize(
    ("noise", "change"), [(RUN, Change(0.10, 1)), (SHARED, Change(0.10, 5)), (SHARED, Change(0.15, 1))]
)
def test_a_change_is_found_by_the_third_night(noise, change):
    first, second, third = power(noise, NIGHTLY, change, histories=30)
    assert 0.3 < first <= second <= third
    assert third >= 0.9


def test_the_nights_simulated_are_those_that_ship():
    tiers = [load().tier(tier) for tier in tiers_of("nightly")]
    assert {(tier.blocks, tier.reruns) for tier in tiers} == {(NIGHTLY.blocks, NIGHTLY.reruns)}
    assert len(tiers) == NIGHTLY.tiers


def test_the_interval_of_a_share_is_wilsons():
    assert _interval(0.96, 2500) == pytest.approx((95.16, 96.70), abs=0.01)
    assert _interval(1.0, 100) == pytest.approx((96.30, 100.0), abs=0.01)


def test_a_change_that_does_not_matter_is_not_told():
    first, _, third = power(Noise(sigma=0.005), NIGHTLY, Change(0.035, 5), histories=15)
    assert first == third == 0


def test_what_is_told_is_the_metric_that_changed():
    told = [night.worse for night in nights(RUN, TIER, count=22, seed=5, change={4: 0.3}, since=15)]
    assert [set(worse) for worse in told] == [set()] * 5 + [{4}] * 7
    assert told[5] == {4: 2}


def test_without_repetitions_a_suspect_is_no_alert_of_its_night():
    once = Design(blocks=3, reruns=0)
    found = next(nights(RUN, once, count=13, seed=5, change={4: 0.3}, since=12, first=12))
    assert (found.suspects, found.worse) == (True, {})


@pytest.mark.parametrize(
    "noise", [RUN, SHARED, Noise(shared=0.5, carried=0.3), Noise(tails=5.0, shared=0.5)], ids=str
)
def test_noise_is_what_it_is_said_to_be(noise):
    runs = np.log(drawn(noise, Design(metrics=3, blocks=2, reruns=2), 20_000, np.random.default_rng(1)) / 100)
    one, other = runs[:, 0], runs[:, 3]
    assert one.std(axis=0) == pytest.approx([0.03] * 6, rel=0.06)
    assert np.corrcoef(one[:, 0], other[:, 0])[0, 1] == pytest.approx(noise.shared, abs=0.05)
    assert np.corrcoef(one[:, 0], one[:, 1])[0, 1] == pytest.approx(
        0.5 if noise.tails is None else 0.4, abs=0.1
    )
    assert np.corrcoef(one[:, 0], one[:, 3])[0, 1] == pytest.approx(0, abs=0.05)
    night = one[:, 0] + other[:, 0]
    assert np.corrcoef(night[1:], night[:-1])[0, 1] == pytest.approx(
        noise.carried * noise.shared / (noise.shared + (1 - noise.shared) / 2) if noise.carried else 0,
        abs=0.05,
    )


def test_a_spike_is_one_of_all_metrics_of_a_run():
    runs = drawn(Noise(sigma=0.001, spikes=0.2), Design(metrics=4), 500, np.random.default_rng(1))
    high = runs.reshape(-1, 8) > 107
    assert high[:, :4].all(axis=1).mean() == high[:, 0].mean() == pytest.approx(0.2, abs=0.03)
    assert (high[:, 0] & high[:, 4]).mean() == pytest.approx(0.04, abs=0.02)


def test_the_same_seed_makes_the_same_nights():
    once, again, other = (drawn(SHARED, TIER, 3, np.random.default_rng(seed)) for seed in (8, 8, 9))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)
