"""The chart of a metric: what it shows of its nights, and that it can be drawn without anything from elsewhere."""

from __future__ import annotations

import json
import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightbench.report.charts.drawing import UndrawnError, packed, png, svg
from nightbench.report.charts.metric_nights import (
    LevelChange,
    MetricNight,
    MetricNights,
    NightState,
    band,
    shown_limits,
    value_range,
)
from nightbench.report.charts.spec import data_of, spec_of

BEGIN = datetime(2026, 9, 25, 3, 15, tzinfo=UTC)


def night(number: int, value: float | None, state: NightState = "night") -> MetricNight:
    return MetricNight(f"night{number}", BEGIN + timedelta(days=number), value, state)


def history(*values: float | None, tonight: float | None = 41.2, **changes) -> MetricNights:
    nights = tuple(night(number, value) for number, value in enumerate(values))
    known = MetricNights(
        suite="websocket",
        tier="full",
        environment="production",
        metric="message.response_time.p95",
        unit="ms",
        nights=(*nights, night(len(values), tonight, "tonight")),
    )
    return replace(known, **changes)


WHOLE = history(
    *(35.0 + 0.3 * (number % 5) for number in range(30)),
    baseline=band("night10", 35.1, 0.031, 0.1738),
    target=(("<", 40.0),),
    epochs=("night5",),
    changes=(LevelChange("night28", 0.152),),
)


def test_the_title_names_the_metric_and_the_lines_below_say_what_tonight_is_held_against():
    title = spec_of(WHOLE)["title"]
    assert title["text"] == "message.response_time.p95, full websocket, production"
    assert title["subtitle"] == [
        "tonight 41.20 ms; baseline 35.10 ms (+17.4 %); 95 % of nights are in the band",
        "target < 40.00 ms",
    ]


def test_it_has_the_band_the_target_what_began_between_nights_and_tonight_as_the_last():
    data = data_of(WHOLE)
    (baseline,) = data["baseline"]
    assert (baseline["begin"], baseline["end"], baseline["centre"]) == (9.5, 30.5, 35.1)
    assert data["target"] == [{"limit": 40.0, "label": "target < 40.00 ms"}]
    assert data["marks"] == [
        {"place": 4.5, "label": "epoch"},
        {"place": 27.5, "label": "changed +15.2 %"},
    ]
    assert (data["nights"][-1]["place"], data["nights"][-1]["state"]) == (30, "tonight")


def test_the_data_are_apart_from_the_spec_which_names_them_and_fetches_nothing():
    spec = spec_of(WHOLE)
    named = {layer["data"]["name"] for layer in spec["layer"]}
    assert named == set(spec["datasets"])
    assert '"url"' not in json.dumps(spec)


@pytest.mark.parametrize(
    ("begins", "labels", "title"),
    [
        (("26T03:15", "27T03:15"), '{"0": "26 Nov", "1": "27 Nov"}', "nights of 2026 (UTC)"),
        (("27T03:15", "27T18:51"), '{"0": "03:15", "1": "18:51"}', "nights of 27 Nov 2026 (UTC)"),
        (
            ("26T03:15", "27T03:15", "27T18:51"),
            '{"0": "26 Nov", "1": ["03:15", "27 Nov"], "2": ["18:51", "27 Nov"]}',
            "nights of 2026 (UTC)",
        ),
    ],
)
def test_nights_of_one_day_are_told_apart_by_their_times(begins, labels, title):
    known = [
        replace(night(0, 35.0), started_at=datetime.fromisoformat(f"2026-11-{begin}Z")) for begin in begins
    ]
    spec = spec_of(history(nights=tuple(known)))
    axis = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")["encoding"]["x"]["axis"]
    assert axis["labelExpr"] == f"{labels}[toString(datum.value)]"
    assert axis["title"] == title


def test_of_many_nights_the_last_sixty_are_shown():
    many = history(*[35.0] * 80)
    nights = spec_of(many)["datasets"]["nights"]
    assert len(nights) == 60
    assert (nights[0]["when"], nights[-1]["when"]) == ("2026-10-16 03:15", "2026-12-14 03:15")


def test_an_invalid_night_is_hollow_and_not_linked_with_the_others():
    broken = night(2, 900.0, "invalid")
    known = history(35.0, 35.2, 0.0, 35.1)
    known = replace(known, nights=(*known.nights[:2], broken, *known.nights[3:]))
    spec = spec_of(known)
    points = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    fill = points["encoding"]["fill"]["scale"]
    assert fill["range"][fill["domain"].index("invalid")] == "#ffffff"
    (row,) = [row for row in spec["datasets"]["nights"] if row["state"] == "invalid"]
    (line,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "line"]
    assert f"'{row['state']}'" not in line["transform"][0]["filter"]
    assert value_range(known)[1] < 100  # one night that cannot be trusted does not flatten the others


@pytest.mark.parametrize(("value", "fits"), [(20.0, True), (90.0, True), (10_000.0, False), (2.0, False)])
def test_a_night_that_is_not_compared_has_room_unless_it_lies_far_away(value, fits):
    other = night(0, value, "not compared")
    low, high = value_range(replace(WHOLE, nights=(other, *WHOLE.nights[1:])))
    assert (low <= value <= high) == fits


def test_a_night_without_a_value_leaves_a_gap_and_tonight_says_so():
    data = data_of(history(35.0, None, 35.1, tonight=None))
    assert [row["place"] for row in data["nights"]] == [0, 2]
    assert data["marks"] == [{"place": 3, "label": "tonight: no value"}]


@pytest.mark.parametrize("state", ["invalid", "not compared"])
def test_a_night_whose_value_does_not_count_stands_on_the_axis_when_it_is_not_known(state):
    known = history(35.0, 35.2)
    known = replace(known, nights=(known.nights[0], night(1, None, state), known.nights[2]))
    row = data_of(known)["nights"][1]
    assert (row["value"], row["unknown"]) == (pytest.approx(value_range(known)[0], rel=1e-4), True)


def test_a_far_target_is_told_in_words_and_does_not_flatten_the_nights():
    far = history(35.0, 36.0, target=(("<", 2000.0),))
    assert not shown_limits(far)
    assert spec_of(far)["title"]["subtitle"][1] == "target < 2,000 ms, beyond the chart"


def test_the_noise_of_a_baseline_is_of_logarithms_and_without_one_there_is_no_band():
    known = band("night0", 100.0, 0.1)
    assert known.low is not None
    assert known.high is not None
    assert known.low * known.high == pytest.approx(100.0**2)
    assert known.high == pytest.approx(121.65, abs=0.01)
    assert band("night0", 100.0, None).low is None


@pytest.mark.parametrize("place", ["environment", "metric", "tier", "unit"])
def test_its_text_is_free_of_secrets(place):
    known = replace(WHOLE, **{place: "postgresql://owner:hunter2secret@db/app"})
    assert "hunter2secret" not in json.dumps(spec_of(known))


numbers = st.floats(-1e12, 1e12, allow_nan=False)


@given(
    st.lists(st.none() | numbers, max_size=8),
    st.none() | numbers,
    st.none() | st.tuples(numbers, st.none() | st.floats(0, 1e3)),
    st.lists(st.tuples(st.sampled_from(["<", ">="]), numbers), max_size=2),
)
def test_every_valid_night_and_the_baseline_is_within_the_chart(values, tonight, baseline, target):
    known = history(
        *values,
        tonight=tonight,
        target=tuple(target),
        baseline=None if baseline is None else band("night0", *baseline),
    )
    low, high = value_range(known)
    assert low < high
    inside = [each.value for each in known.nights if each.value is not None]
    inside += [] if known.baseline is None else [known.baseline.centre]
    assert all(low <= value <= high for value in inside)


def test_the_same_nights_give_the_same_spec():
    assert json.dumps(spec_of(WHOLE)) == json.dumps(spec_of(replace(WHOLE)))


def test_its_words_are_in_the_drawing():
    drawing = ET.fromstring(svg(spec_of(WHOLE)))
    words = {"".join(element.itertext()) for element in drawing.iter("{http://www.w3.org/2000/svg}text")}
    assert {"target < 40.00 ms", "epoch", "changed +15.2 %", "tonight", "ms", "25 Oct"} <= words


@pytest.mark.parametrize(
    ("spec", "patience"),
    [({"mark": "no mark"}, 30.0), ({"values": [float("nan")]}, 30.0), ({"mark": object()}, 30.0), ({}, 0.01)],
    ids=["no chart", "no number", "no data", "too slow"],
)
def test_what_cannot_be_drawn_is_told(spec, patience):
    with pytest.raises(UndrawnError, match=r"could not be drawn|not drawn within"):
        png(spec, patience=patience)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@given(st.binary(max_size=4000), st.integers(1, 500))
def test_packing_a_png_keeps_its_pixels(pixels, size):
    data = zlib.compress(pixels, 0)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    head, end = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)), chunk(b"IEND", b"")
    small = packed(head + b"".join(chunk(b"IDAT", part) for part in parts) + end)
    assert small.startswith(head)
    assert small.endswith(end)
    assert zlib.decompress(small[len(head) + 8 : -len(end) - 4]) == pixels


@pytest.mark.parametrize("image", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n\x00\x00", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_png_is_not_packed(image):
    with pytest.raises(UndrawnError, match="PNG"):
        packed(image)
