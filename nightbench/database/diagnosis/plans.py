"""Plans as ``EXPLAIN (ANALYZE, BUFFERS, VERBOSE, FORMAT JSON)`` gives them, read node by node. Pure.

See https://www.postgresql.org/docs/current/using-explain.html: rows, times and removed rows of a node are
means of one loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nightbench.database.diagnosis.expressions import masked
from nightbench.scrub import scrub

_TOLD = (
    *("Node Type", "Operation", "Join Type", "Relation Name", "Index Name", "Subplan Name"),
    *(
        "Index Cond",
        "Recheck Cond",
        "Filter",
        "Join Filter",
        "Hash Cond",
        "Merge Cond",
        "Sort Key",
        "Group Key",
    ),
    *("Plan Rows", "Actual Rows", "Actual Loops", "Actual Total Time"),
    *("Rows Removed by Filter", "Rows Removed by Join Filter", "Heap Fetches", "Workers Launched"),
    *("Sort Method", "Sort Space Used", "Sort Space Type", "Hash Batches"),
    *("Shared Hit Blocks", "Shared Read Blocks", "Temp Read Blocks", "Temp Written Blocks"),
)
_LONGEST = 160
_MOST_NODES = 30


@dataclass(frozen=True)
class PlanNode:
    """One node of a plan.

    Attributes:
        raw: As it came.
        above: The node that it gives its rows to, None of the topmost.
    """

    raw: Mapping[str, Any] = field(repr=False)
    above: PlanNode | None = None

    @property
    def kind(self) -> str:
        """Such as ``Seq Scan``."""
        return str(self.raw.get("Node Type", ""))

    @property
    def alias(self) -> str:
        """What its table is called in the statement."""
        return str(self.raw.get("Alias", ""))

    @property
    def table(self) -> str | None:
        """``schema.table`` that it reads or writes, None when it does neither itself."""
        name = self.raw.get("Relation Name")
        return None if name is None else f"{self.raw.get('Schema', 'public')}.{name}"

    @property
    def relation(self) -> str:
        """The name of that table alone, ``""`` without one."""
        return str(self.raw.get("Relation Name", ""))

    @property
    def condition(self) -> str:
        """Its filter, ``""`` without one."""
        return str(self.raw.get("Filter", ""))

    @property
    def loops(self) -> float:
        """How often it ran, in all processes together."""
        return self._number("Actual Loops")

    @property
    def kept(self) -> float:
        """Rows that it gave on, of all loops."""
        return self._number("Actual Rows") * self.loops

    @property
    def removed(self) -> float:
        """Rows that its filter removed, of all loops."""
        return self._number("Rows Removed by Filter") * self.loops

    @property
    def table_rows(self) -> float:
        """Rows that a sequential scan went through, once."""
        return (self.kept + self.removed) / (1 if self.raw.get("Parallel Aware") else max(self.loops, 1))

    @property
    def own_ms(self) -> float:
        """Time that it took itself, of all loops, without that of the nodes below it."""
        below = sum(node.total_ms for node in self.below)
        return max(0.0, self.total_ms - below)

    @property
    def total_ms(self) -> float:
        """Time that it took with all below it, of all loops."""
        return self._number("Actual Total Time") * self.loops

    @property
    def below(self) -> tuple[PlanNode, ...]:
        """Those that it has its rows from, sub-plans among them."""
        return tuple(PlanNode(each, self) for each in self.raw.get("Plans", ()))

    @property
    def spilled(self) -> str | None:
        """What it wrote into temporary files, None when its memory was enough."""
        if self.raw.get("Sort Space Type") == "Disk":
            return f"a sort wrote {self._number('Sort Space Used'):,.0f} KiB"
        if self._number("Hash Batches") > max(1.0, self._number("Original Hash Batches")):
            return f"a hash table was split into {self._number('Hash Batches'):.0f} parts"
        if self._number("Disk Usage"):
            return f"an aggregate wrote {self._number('Disk Usage'):,.0f} KiB"
        return None

    def walk(self) -> Iterator[PlanNode]:
        """Itself and all below it."""
        yield self
        for each in self.below:
            yield from each.walk()

    def in_words(self) -> str:
        """What it does and what came of it."""
        words = [self.kind]
        if index := self.raw.get("Index Name"):
            words.append(f"by {index}")
        if name := self.raw.get("Relation Name"):
            words.append(f"on {name}")
        said = f"{' '.join(words)}: {self.own_ms:.3g} ms, {self.kept:,.0f} rows"
        return f"{said}, {self.removed:,.0f} removed by its filter" if self.removed else said

    def _number(self, name: str) -> float:
        value = self.raw.get(name, 0)
        return float(value) if isinstance(value, int | float) else 0.0


@dataclass(frozen=True)
class CapturedPlan:
    """The plan of one statement, run after the load.

    Attributes:
        statement: Its name.
        tenant_column: The column of its rows that says which tenant they belong to, None when none does.
        tenant_index: The place of that column among its columns.
        raw: What EXPLAIN gave: the plan, planning and execution time, triggers, settings.
    """

    statement: str
    tenant_column: str | None
    tenant_index: int | None
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def top(self) -> PlanNode:
        """The node that gives the result."""
        return PlanNode(self.raw["Plan"])

    @property
    def milliseconds(self) -> float:
        """Of planning and execution, triggers among it."""
        return float(self.raw.get("Planning Time", 0)) + float(self.raw.get("Execution Time", 0))

    @property
    def hot(self) -> PlanNode:
        """The node that took longest itself."""
        return max(self.top.walk(), key=lambda node: node.own_ms)

    @property
    def hot_in_words(self) -> str:
        """The node that took longest, or a trigger or the planning when that took longer."""
        planning = float(self.raw.get("Planning Time", 0))
        if planning > self.milliseconds / 2:
            return f"planning: {planning:.3g} ms"
        triggers = self.raw.get("Triggers") or ()
        slowest = max(triggers, key=lambda each: float(each.get("Time", 0)), default=None)
        # what a BEFORE trigger takes is part of its node's time too
        if slowest is None or float(slowest.get("Time", 0)) <= self.hot.own_ms / 2:
            return masked(self.hot.in_words())
        name = slowest.get("Constraint Name") or slowest.get("Trigger Name", "")
        return f"trigger {name} on {slowest.get('Relation', '')}: {float(slowest['Time']):.3g} ms"

    def shortened(self) -> dict[str, object]:
        """What a reader asks for: no costs, no output lists, no zeros, no values of texts, few nodes."""
        nodes = iter(range(_MOST_NODES))
        return _shortened(self.raw["Plan"], nodes)


def _shortened(raw: Mapping[str, Any], nodes: Iterator[int]) -> dict[str, object]:
    short = {name: _short(raw[name]) for name in _TOLD if raw.get(name)}
    below = [_shortened(each, nodes) for each in raw.get("Plans", ()) if next(nodes, None) is not None]
    return {**short, "Plans": below} if below else short


def _short(value: object) -> object:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if not isinstance(value, str):
        return value
    text = scrub(masked(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
