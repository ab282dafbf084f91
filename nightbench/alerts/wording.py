"""The numbers of an alert as sentences, for whoever is woken up by it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from nightbench.target import plain
from nightbench.verdict.judgement import Line
from nightbench.verdict.targets import TargetResult

MOST_MESSAGE = 8000
"""Characters of an event's message; Sentry cuts at 8192."""
MOST = 20
"""Entries of a list that are told; of the others, how many there are."""
_LAYERS = {2: "against the baseline, tonight", 3: "sustained over nights", 4: "by its history"}


def leak(rows: float) -> str:
    """How many rows leaked."""
    return f"{plain(rows)} {'row' if rows == 1 else 'rows'} of another tenant"


def missed(target: TargetResult, unit: str | None, samples: int) -> str:
    """``5000 ms, wanted < 2000 ms; 400 samples``."""
    wanted = " and ".join(f"{op} {figure(limit, unit)}" for op, limit in target.limits())
    return f"{figure(target.value, unit)}, wanted {wanted}; {samples:,} {'sample' if samples == 1 else 'samples'}"


def regression(line: Line, unit: str | None) -> str:
    """Value against baseline, the change with its interval, and what it rests on."""
    interval = (
        "" if line.low is None or line.high is None else f" ({_change(line.low)} to {_change(line.high)})"
    )
    p = line.p_adjusted if line.p_adjusted is not None else line.p
    evidence = [
        _LAYERS.get(line.layer or 0, ""),
        f"{line.nights} {'night' if line.nights == 1 else 'nights'}",
        "" if p is None else f"p {p:.2g}",
    ]
    lines = [
        f"{figure(line.value, unit)} against {figure(line.baseline, unit)}: {_change(line.effect)}{interval}",
        ", ".join(part for part in evidence if part),
        f"since {line.since}" if line.since else "",
        line.why,
    ]
    return "\n".join(text for text in lines if text)


def listed(entries: Sequence[str], most: int = MOST) -> str:
    """A line each, the first `most` of them."""
    return _with_more([f"- {entry}" for entry in entries[:most]], len(entries))


def fitted(entries: Sequence[str], amount: int, characters: int) -> str:
    """A line each, as many of the first as fit whole, and how many more of `amount` there are."""
    lines = [f"- {entry}" for entry in entries]
    room = characters - len(f"- {amount} more")
    ends = accumulate(len(line) + 1 for line in lines)
    return _with_more([line for line, end in zip(lines, ends, strict=True) if end <= room], amount)


def _with_more(lines: Sequence[str], amount: int) -> str:
    more = amount - len(lines)
    return "\n".join([*lines, *([f"- {more} more"] if more else [])])


def figure(value: float | None, unit: str | None) -> str:
    """A value with its unit, ``1`` being none."""
    if value is None:
        return "no value"
    return f"{value:.6g}" if unit in {None, "", "1"} else f"{value:.6g} {unit}"


def _change(effect: float | None) -> str:
    return "unknown change" if effect is None else f"{effect:+.1%}".replace("%", " %")
