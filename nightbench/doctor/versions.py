"""Which versions are installed, and whether they are those that nightbench asks for."""

from __future__ import annotations

import operator
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires, version

from nightbench.doctor.finding import Finding, Topic

VERSIONS = Topic("host", "versions")
SHOWN = ("nightbench", "prefect", "websockets", "psycopg")
_MEND = "make setup, or pip install --editable . in the project's folder"

_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*([^;]*)")
_SIGNS: Mapping[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_BOUND = re.compile(r"(>=|<=|==|!=|<|>)\s*([\d.]+)")


def judge_versions(python: str, installed: Mapping[str, str | None], asked: Sequence[str]) -> Finding:
    """Whether what is installed fits.

    Args:
        python: Its version.
        installed: Versions by name; None of what is missing.
        asked: Requirements as a package states them; those of extras have a marker and do not count.
    """
    wrong = []
    for requirement in asked:
        found = _REQUIREMENT.match(requirement)
        if found is None or "extra ==" in requirement:
            continue
        name, bounds = found[1], found[2].strip()
        there = installed.get(name)
        if there is None:
            wrong.append(f"{name} is not installed")
        elif not fits(there, bounds):
            wrong.append(f"{name} is {there}, which is not {bounds.replace(',', ', ')}")
    if wrong:
        return VERSIONS.failure("; ".join(wrong), _MEND)
    shown = ", ".join(f"{name} {installed[name]}" for name in SHOWN if installed.get(name))
    return VERSIONS.ok(f"Python {python}, {shown}: as nightbench asks for")


def fits(there: str, bounds: str) -> bool:
    """Whether a version keeps all of `bounds`, such as ``>=3.8.8,<3.9``; by its numbers alone."""
    return all(_keeps(_numbers(there), sign, _numbers(than)) for sign, than in _BOUND.findall(bounds))


def _keeps(there: tuple[int, ...], sign: str, than: tuple[int, ...]) -> bool:
    length = max(len(there), len(than))
    one, other = (each + (0,) * (length - len(each)) for each in (there, than))
    return _SIGNS[sign](one, other)


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def version_findings() -> Iterator[Finding]:
    """Read what is installed."""
    asked = requires("nightbench") or []
    names = [found[1] for each in asked if (found := _REQUIREMENT.match(each))]
    installed = {name: _version(name) for name in (*SHOWN, *names)}
    yield judge_versions(platform.python_version(), installed, asked)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
