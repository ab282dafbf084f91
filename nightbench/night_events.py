"""What a night tells whoever has hung something on its events: one for each suite and tier, and one for the night."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from nightbench.history.record import clean, clean_own, clean_text
from nightbench.outcome import NightOutcome, headline
from nightbench.report.overview import MAIN
from nightbench.report.promises import is_certain, units_of
from nightbench.verdict.judgement import Line
from nightbench.verdict.verdict import State, SuiteVerdict

PREFIX = "nightbench.verdict."
NAMES: Mapping[State, str] = MappingProxyType(
    {
        "met": f"{PREFIX}met",
        "missed": f"{PREFIX}target_missed",
        "regression": f"{PREFIX}regression",
        "invalid": f"{PREFIX}invalid",
    }
)
"""How an event is called, by what came of what it is about."""

MOST_ITEMS = 50
"""Of each list in an event."""
_OF_A_LINE = ("metric", "value", "baseline", "effect", "low", "high", "nights", "layer", "since", "why")


@dataclass(frozen=True)
class VerdictEvent:
    """One event, free of secrets.

    Attributes:
        id: The same whenever the same night tells it again.
        name: One of `NAMES`.
        resource: What it is about: ``prefect.resource.id`` is ``nightbench.suite.ENVIRONMENT.TIER.SUITE`` or
            ``nightbench.night.ENVIRONMENT.FLOW``, night after night; beside it the parts by name.
        payload: The numbers behind it, JSON-like; ``title`` and ``text`` are ready to be sent.
    """

    id: UUID
    name: str
    resource: Mapping[str, str]
    payload: Mapping[str, Any]


def events_of(
    outcome: NightOutcome,
    *,
    environment: str,
    flow: str,
    links: Mapping[str, str] = MappingProxyType({}),
) -> tuple[VerdictEvent, ...]:
    """The events of a night: of each suite that was measured, then of all.

    Args:
        outcome: The night.
        environment: In which it ran.
        flow: That the user began.
        links: Where to read more, by name.
    """
    where = clean_text(environment)
    suites = (_of_suite(verdict, outcome, where, links) for verdict in outcome.verdicts)
    return (*suites, _of_night(outcome, where, flow, links))


def _of_suite(
    verdict: SuiteVerdict, outcome: NightOutcome, environment: str, links: Mapping[str, str]
) -> VerdictEvent:
    run = verdict.measurement
    name = f"{run.tier} {run.suite}"
    alone = NightOutcome(outcome.night_id, verdicts=(verdict,))
    reasons = alone.shortcomings or verdict.block_notes
    return _event(
        verdict.state,
        (outcome.night_id, run.tier, run.suite),
        {
            "prefect.resource.id": f"nightbench.suite.{environment}.{run.tier}.{run.suite}",
            "prefect.resource.name": f"{name} in {environment}",
            "nightbench.environment": environment,
            "nightbench.tier": run.tier,
            "nightbench.suite": run.suite,
        },
        {
            "tier": run.tier,
            "suite": run.suite,
            "run_id": run.run_id,
            "started_at": run.started_at.isoformat(),
            "leaked": verdict.leaked,
            "targets": list(_targets(verdict)),
            "metrics": _main(verdict),
            "regressions": _lines(verdict.regressions, verdict),
            "suspects": _lines(() if verdict.judged is None else verdict.judged.suspects, verdict),
            **_told(f"{name}: {headline(alone)}", outcome, environment, reasons, links),
        },
    )


def _of_night(outcome: NightOutcome, environment: str, flow: str, links: Mapping[str, str]) -> VerdictEvent:
    delivery = outcome.delivery
    told = ("delivered", "undelivered", "rejected", "dropped")
    return _event(
        outcome.state,
        (outcome.night_id, flow),
        {
            "prefect.resource.id": f"nightbench.night.{environment}.{flow}",
            "prefect.resource.name": f"{flow} in {environment}",
            "nightbench.environment": environment,
            "nightbench.flow": flow,
        },
        {
            "flow": flow,
            "suites": {
                f"{each.measurement.tier} {each.measurement.suite}": each.state for each in outcome.verdicts
            },
            "alerts": None if delivery is None else {name: getattr(delivery, name) for name in told},
            **_told(f"{flow}: {headline(outcome)}", outcome, environment, outcome.shortcomings, links),
        },
    )


def _event(
    state: State, parts: Iterable[str], resource: Mapping[str, str], payload: Mapping[str, Any]
) -> VerdictEvent:
    return VerdictEvent(
        id=uuid5(NAMESPACE_URL, f"nightbench:{'/'.join(parts)}"),
        name=NAMES[state],
        resource=resource,
        payload={**clean({"state": state, **payload}), "release": clean_own(payload["release"])},
    )


def _told(
    title: str,
    outcome: NightOutcome,
    environment: str,
    reasons: Sequence[str],
    links: Mapping[str, str],
) -> dict[str, Any]:
    """What every event has."""
    return {
        "night_id": outcome.night_id,
        "environment": environment,
        "release": outcome.release,
        "title": title,
        "text": "\n".join(reasons[:MOST_ITEMS]),
        "reasons": list(reasons[:MOST_ITEMS]),
        "links": dict(links),
    }


def _targets(verdict: SuiteVerdict) -> Iterator[dict[str, Any]]:
    """What was missed comes first."""
    units = units_of(verdict)
    for target in sorted(verdict.targets, key=lambda each: each.met)[:MOST_ITEMS]:
        yield {
            **asdict(target),
            "target": str(target),
            "unit": units.get(target.metric, ""),
            "judged": is_certain(verdict, target),
        }


def _main(verdict: SuiteVerdict) -> dict[str, float | None]:
    main = MAIN[verdict.measurement.suite]
    names = (f"{main}.response_time.p95", f"{main}.success_rate", f"{main}.throughput")
    return {name: verdict.value(name) for name in names}


def _lines(lines: Iterable[Line], verdict: SuiteVerdict) -> list[dict[str, Any]]:
    """Effects are relative and signed as the value moved."""
    units = units_of(verdict)
    return [
        {
            **{name: getattr(line, name) for name in _OF_A_LINE},
            "p": line.p_adjusted if line.p_adjusted is not None else line.p,
            "unit": units.get(line.metric, ""),
        }
        for line in list(lines)[:MOST_ITEMS]
    ]
