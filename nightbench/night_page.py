"""A night as a page of markdown, for whoever looks at its run in the UI of a Prefect server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from nightbench.alert_rows import alert_rows
from nightbench.outcome import NightOutcome, headline, night_text, places_of
from nightbench.report.charts.metric_nights import MetricNights
from nightbench.report.markdown import block, code, details, image, inline, items, link, page, said
from nightbench.report.suite_page import overview_table, suite_section
from nightbench.report.summary import told_of
from nightbench.scrub import one_line
from nightbench.settings import Settings
from nightbench.wording import amount

MOST_CHARTS = 6
"""Together they take as long as two that are drawn one by one; a night has six suites."""
MOST_CHART_BYTES = 384 * 1024
MOST_SECONDS = 20.0
"""That the drawing may take; on a quiet machine it is one and a half."""
MOST_TEXT = 128 * 1024
"""Characters of the whole summary."""
_MOST_ITEMS = 50


def night_page(
    outcome: NightOutcome,
    settings: Settings,
    *,
    histories: Sequence[MetricNights] = (),
    links: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The headline, why it is so, each suite with its targets, comparison and charts, the alerts, and where to read more.

    It draws in a child process, which blocks for a second or two, and never raises for what cannot be drawn. All text
    in it is scrubbed, and whatever stands in it of others is no markup.

    Args:
        outcome: The night.
        settings: Where it ran.
        histories: What is drawn, the most important first.
        links: Where to read more, by name.
    """
    pictures, problem = _pictures(histories)
    reasons = outcome.shortcomings
    more = len(reasons) - _MOST_ITEMS
    return page(
        f"# {said(headline(outcome))}",
        f"Night {code(outcome.night_id)} of environment {code(settings.environment)}{_release(outcome)}",
        overview_table(outcome.verdicts) or "Nothing was measured.",
        "## Why" if reasons else "",
        items(said(reason) for reason in reasons[:_MOST_ITEMS]),
        f"{more} more in the whole summary below" if more > 0 else "",
        "## Suites" if outcome.verdicts else "",
        *(
            suite_section(verdict, pictures.get((verdict.measurement.tier, verdict.measurement.suite), ()))
            for verdict in sorted(outcome.verdicts, key=lambda each: each.state == "met")
        ),
        said(problem) if problem else "",
        "## Alerts",
        items(_alerts(outcome)),
        "## Where to read more",
        items(_places(outcome, settings, links)),
        details("The whole summary", block(_shortened(night_text(outcome, settings)))),
    )


def _release(outcome: NightOutcome) -> str:
    return "" if outcome.release is None else f", {inline(f'release {outcome.release}')}"


def _pictures(histories: Sequence[MetricNights]) -> tuple[dict[tuple[str, str], list[str]], str]:
    """The charts of each suite, as markdown, and why there are fewer than there might be."""
    if not histories:
        return {}, ""
    # as heavy as what it draws with
    from nightbench.report.charts.drawing import UndrawnError  # noqa: PLC0415
    from nightbench.report.charts.pictures import pictures  # noqa: PLC0415
    from nightbench.report.charts.spec import spec_of  # noqa: PLC0415

    wanted = histories[:MOST_CHARTS]
    try:
        drawn = pictures(map(spec_of, wanted), most_bytes=MOST_CHART_BYTES, patience=MOST_SECONDS)
    except UndrawnError as error:
        return {}, str(error)
    except Exception as error:  # noqa: BLE001  # whatever it is, the page is told without them
        return {}, one_line(f"the charts could not be drawn: {type(error).__name__}: {error}")
    found: dict[tuple[str, str], list[str]] = {}
    for history, picture in zip(wanted, drawn, strict=True):
        if picture is not None:
            label = f"{history.metric} of the last {amount(len(history.last().nights), 'night')}"
            found.setdefault((history.tier, history.suite), []).append(image(label, picture))
    return found, ""


def _alerts(outcome: NightOutcome) -> Iterator[str]:
    """What became of them, then each that was told."""
    if outcome.delivery is None:
        yield "the night ended before they were posted"
        return
    yield said(told_of(outcome.delivery) or "none")
    yield from (said(text) for text in (*outcome.delivery.reasons, *outcome.delivery.recovered)[:_MOST_ITEMS])
    for row in alert_rows(outcome.alerts, outcome.delivery)[:_MOST_ITEMS]:
        reason = f" ({row['reason']})" if row["reason"] else ""
        yield said(f"{row['title']}: {row['state'] or row['decision']}{reason}")


def _places(outcome: NightOutcome, settings: Settings, links: Mapping[str, str]) -> Iterator[str]:
    pages = {**links, **({"report": settings.alerts.report_url} if settings.alerts.report_url else {})}
    yield from (link(name, address) for name, address in pages.items() if name != "summary")
    yield from (f"{label}: {code(str(place))}" for label, place in places_of(outcome, settings).items())


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}\n…"
