"""Tonight against earlier nights, as it is read: in 80 columns, the worst first, nothing left out in silence."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from builders import database_measurement, verdict_of, websocket_measurement
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import WORSE, changed, line, steady
from rich.cells import cell_len
from rich.console import Console

from nightbench.report.layout import Page, change
from nightbench.report.next_steps import Origin, print_next_steps
from nightbench.report.overview import print_overview
from nightbench.report.verdict_lines import in_one_sentence, print_verdict
from nightbench.verdict import Change, ChangePoint, LeftOut, Line, Verdict

UNITS = {metric.name: metric.unit for metric in websocket_measurement().metrics}


def page(encoding="utf-8"):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    return Page(Console(file=file, width=80, force_terminal=False)), raw


def told(verdict, units=UNITS, *, encoding="utf-8"):
    target, raw = page(encoding)
    print_verdict(target, verdict, units)
    return raw.getvalue().decode(encoding)


def words(text):
    return " ".join(text.split())


def test_what_is_worse_comes_first():
    text = told(WORSE)
    places = [
        text.index(heading)
        for heading in (
            "2 regressions",
            "1 suspect",
            "1 noisy",
            "1 missing",
            "1 muted",
            "1 steady",
            "1 provisional",
        )
    ]
    assert places == sorted(places)


def test_a_line_has_all_that_it_was_judged_by():
    text = words(told(Verdict(lines=(line("message.response_time.p95", "regression", layer=3),))))
    assert "message.response_time.p95 41.20 ms 35.10 ms +17.4 % +12.1 to +23.0" in text
    assert "sustained, 20 nights, adjusted p 0.00041, noise 3.1 %, detectable 8.2 %" in text


@pytest.mark.parametrize(("layer", "said"), [(2, "tonight"), (3, "sustained"), (4, "by its history")])
def test_a_regression_says_which_layer_found_it(layer, said):
    assert f" {said}, 20 nights" in told(Verdict(lines=(line("a.b", "regression", layer=layer),)))


def test_a_suite_that_was_not_compared_says_so():
    assert "not compared" in told(None)


def test_what_has_no_value_is_a_dash_and_no_silence():
    missing = line(
        "message.throughput", "missing", value=None, effect=None, low=None, high=None, p_adjusted=None
    )
    assert "1 missing tonight message.throughput – 35.10 1/s –" in words(
        told(Verdict(lines=(missing, steady("a.b"))))
    )


def test_steady_lines_are_told_by_quantity_with_what_would_have_shown():
    lines = (
        steady("a.time.p50", 0.01, nights=18, detectable=0.05),
        steady("a.time.p95", -0.02, detectable=0.12),
        steady("a.throughput", 0.0),
    )
    text = words(told(Verdict(lines=lines)))
    assert "3 steady over 18 to 20 nights; changes from 5.0 to 12.0 % on would have shown" in text
    assert "a.time p50 +1.0 % p95 −2.0 %" in text
    assert "a throughput +0.0 %" in text


def test_what_does_not_gate_says_why():
    noisy = line("message.response_time.p99", "too noisy", noise=0.14, gates=False)
    informing = [line(f"pool.{name}", "informs", gates=False) for name in ("size", "opened")]
    text = words(told(Verdict(lines=(noisy, *informing))))
    assert "P99 of message.response_time does not gate: its own noise is 14.0 % from night to night" in text
    assert "2 more inform and do not gate" in text


def test_metrics_without_a_baseline_are_named_by_the_reason_unless_all_have_the_same():
    few, zero = "3 nights so far; 5 make a baseline", "it was zero in every earlier night"
    lines = [line(name, "no baseline", why=few) for name in ("a.b", "c.d")]
    note = "no baseline yet: 3 comparable nights, 5 make one; targets only"
    new = Verdict(lines=tuple(lines), notes=(note,))
    assert words(told(new)) == f"Compared with earlier nights - {note}"
    mixed = Verdict(lines=(*lines, line("e.f", "no baseline", why=zero), steady("g.h")))
    assert f"no baseline ({few}): a.b, c.d" in words(told(mixed))
    assert f"no baseline ({zero}): e.f" in words(told(mixed))


def test_where_all_is_missing_the_names_suffice():
    why = "tonight's measurement is not valid"
    lines = [line(name, "missing", why=why, value=None, effect=None) for name in ("a.b", "c.d")]
    told_of = words(told(Verdict(lines=(*lines, line("e.f", "informs", gates=False)))))
    assert told_of == (
        f"Compared with earlier nights missing tonight ({why}): a.b, c.d 1 more inform and do not gate"
    )


def test_nights_that_were_left_out_say_why():
    left_out = (LeftOut("websocket", "full", 4, "another plan"), LeftOut("websocket", "full", 1, "flagged"))
    assert "left out of the baseline: 4 nights (another plan), 1 night (flagged)" in told(
        Verdict(left_out=left_out)
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([changed("a.b", 0.12)], "since 20261117T031500Z-nightly-000000, 7 nights ago: a.b +12.0 %"),
        ([changed("a.b", 0.12), changed("c.d", 0.2)], "c.d +20.0 %, with a.b +12.0 %"),
        ([changed(name, 0.1) for name in "abcde"], "a +10.0 %, with 4 other metrics"),
        ([changed("a.b", -0.5), changed("c.d", 0.1)], "c.d +10.0 %, with a.b −50.0 %"),
        ([changed("a.b", 0.1, age=0)], "since tonight: a.b"),
        ([changed("a.b", 0.1, age=1)], "since 20261123T031500Z-nightly-000000, last night: a.b"),
        ([replace(changed("a.b", 0.1), night="build 4711")], "since build 4711, 7 nights ago"),
    ],
)
def test_a_lasting_change_is_a_sentence(changes, said):
    assert said in words(told(Verdict(changes=tuple(changes))))


def test_of_many_lasting_changes_the_latest_are_told_and_the_others_counted():
    changes = tuple(changed(f"metric{age}", 0.1, age=age, group=age) for age in range(8))
    text = told(Verdict(changes=changes))
    assert text.index("metric0") < text.index("metric4")
    assert "metric5" not in text
    assert "and 3 earlier changes" in text


def test_the_overview_names_what_got_worse_by_its_size():
    lines = [line(f"a.b{size}", "regression", effect=size / 100) for size in (12, 40, 11, 20)]
    target, raw = page()
    print_overview(
        target, [verdict_of(database_measurement(), Verdict(lines=(*lines, line("c.d", "suspect"))))]
    )
    text = words(raw.getvalue().decode())
    assert "full database ✗ 4 regressions" in text
    assert "worse: a.b40 +40.0 %, a.b20 +20.0 %, a.b12 +12.0 % and 1 more suspect: c.d +17.4 %" in text


@pytest.mark.parametrize(
    ("suspects", "said"),
    [(0, "✓ targets met 34.91 ms"), (1, "✓ targets met, 1 suspect "), (2, "met, 2 suspects ")],
)
def test_suspects_stand_in_the_headline(suspects, said):
    target, raw = page()
    lines = tuple(line(f"a.b{number}", "suspect") for number in range(suspects))
    print_overview(target, [verdict_of(websocket_measurement(), Verdict(lines=lines))])
    assert said in words(raw.getvalue().decode())


def test_what_is_muted_is_counted_and_named_in_the_overview():
    muted = [line(f"a.b{number}", "muted") for number in range(2)]
    for lines, said in (
        (muted, "✓ targets met, 2 muted "),
        ([*muted, line("c.d", "regression")], "✗ regression, 2 muted "),
    ):
        target, raw = page()
        print_overview(target, [verdict_of(websocket_measurement(), Verdict(lines=tuple(lines)))])
        text = words(raw.getvalue().decode())
        assert said in text
        assert "muted: a.b0 +17.4 %, a.b1 +17.4 %" in text


def test_a_regression_in_one_sentence():
    assert in_one_sentence(line("message.response_time.p95", "regression"), UNITS) == (
        "message.response_time.p95 got worse: 41.20 ms against 35.10 ms, +17.4 % (+12.1 to +23.0)"
    )


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (0.1738, "+17.4 %"),
        (-0.1, "−10.0 %"),
        (0.0, "+0.0 %"),
        (-0.0001, "+0.0 %"),
        (12.3456, "+1,235 %"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_change_has_a_sign_and_the_digits_that_it_deserves(effect, said):
    assert change(effect) == said


names = st.text(max_size=90)
shares = st.none() | st.floats(-1, 1e6)
odd_lines = st.builds(
    Line,
    suite=st.just("websocket"),
    tier=st.just("full"),
    metric=names,
    state=st.sampled_from(
        ["steady", "regression", "missing", "too noisy", "provisional", "no baseline", "muted"]
    ),
    higher_is_worse=st.booleans(),
    gates=st.booleans(),
    floor=st.just(0.05),
    value=st.none() | st.floats(),
    baseline=st.none() | st.floats(),
    nights=st.integers(0, 10**6),
    effect=shares,
    low=shares,
    high=shares,
    p_adjusted=st.none() | st.floats(0, 1),
    noise=st.none() | st.floats(0, 1e6),
    detectable=st.none() | st.floats(0, 1e6),
    why=names,
)
odd_changes = st.builds(
    Change,
    suite=st.just("websocket"),
    tier=st.just("full"),
    metric=names,
    night=names,
    age=st.integers(0, 80),
    point=st.builds(ChangePoint, st.just(1), st.floats(-1, 1e6), st.floats(0, 1), st.booleans()),
    group=st.integers(0, 3),
)


@settings(max_examples=30)
@given(
    st.builds(
        Verdict,
        lines=st.lists(odd_lines, max_size=6).map(tuple),
        changes=st.lists(odd_changes, max_size=4).map(tuple),
        notes=st.lists(names, max_size=2).map(tuple),
    ),
    st.sampled_from(["utf-8", "ascii"]),
)
def test_whatever_was_judged_fits_into_80_columns(verdict, encoding):
    text = told(verdict, encoding=encoding)
    target, raw = page(encoding)
    print_overview(target, [verdict_of(MEASURED, verdict)])
    print_next_steps(target, verdict_of(MEASURED, verdict), Origin())
    text += raw.getvalue().decode(encoding)
    # a word that is longer than a line stays whole where it is a part of a command
    lines = [each for each in text.split("\n") if not each.startswith("    nightbench") and each[:8].strip()]
    assert max(map(cell_len, lines)) <= 80


MEASURED = websocket_measurement(windows=())
