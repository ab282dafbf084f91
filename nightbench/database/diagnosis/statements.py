"""The slowest statements of a workload, and what is wrong with a plan whatever its scans. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nightbench.database.diagnosis.expressions import masked
from nightbench.database.diagnosis.figures import LoadFigures
from nightbench.database.diagnosis.indexes import LARGE_ROWS
from nightbench.database.diagnosis.plans import CapturedPlan, PlanNode
from nightbench.database.diagnosis.scans import MOST_KEPT
from nightbench.database.finding import Finding, SlowStatement
from nightbench.plan import DatabasePlan

MOST_SLOWEST = 3
"""By either measure, by share of all time and by P95."""
ITS_OWN_SHARE = 0.5
"""The part of its P95 under load that a statement takes alone too, past which it is slow by itself."""
WORTH_SHARE = 0.1
"""The part of the time of all statements from which what is wrong with one of them is worth a word."""

_INDEXED = frozenset({"Index Scan", "Index Only Scan", "Bitmap Heap Scan"})


def slowest_first(load: LoadFigures) -> list[str]:
    """The names of all statements that ran, those that took most of the time first."""
    return sorted(load.statements, key=lambda name: -load.statements[name].total_ms)


def slowest(plans: Sequence[CapturedPlan], load: LoadFigures) -> tuple[SlowStatement, ...]:
    """The slowest statements by share of all time and by P95, with their plans."""
    by_share = slowest_first(load)
    by_p95 = sorted(load.statements, key=lambda name: -(load.statements[name].p95_ms or 0.0))
    names = dict.fromkeys([*by_share[:MOST_SLOWEST], *by_p95[:MOST_SLOWEST]])
    by_name = {plan.statement: plan for plan in plans}
    return tuple(
        SlowStatement(
            name=name,
            share=round(load.share(name), 4),
            p95_ms=load.statements[name].p95_ms,
            alone_ms=round(by_name[name].milliseconds, 3),
            hot=by_name[name].hot_in_words,
            plan=by_name[name].shortened(),
        )
        for name in names
        if name in by_name
    )


def statement_findings(
    plans: Sequence[CapturedPlan], load: LoadFigures, plan: DatabasePlan, *, explained: frozenset[str]
) -> Iterator[Finding]:
    """What is wrong with single statements, at most one finding each.

    Args:
        plans: Captured after the load.
        load: The load's own figures.
        plan: Whose targets say what is slow.
        explained: Statements about which another finding says what to do.
    """
    for captured in plans:
        if captured.statement not in explained and (found := _finding(captured, load, plan)):
            yield found


def _finding(captured: CapturedPlan, load: LoadFigures, plan: DatabasePlan) -> Finding | None:
    name, figures = captured.statement, load.statements.get(captured.statement)
    if figures is None:
        return None
    evidence = {
        "share": round(load.share(name), 4),
        "p95_ms": figures.p95_ms,
        "alone_ms": round(captured.milliseconds, 3),
        "hot": captured.hot_in_words,
    }
    p95 = figures.p95_ms or 0.0
    if p95 > (limit := _limit(plan, name)) and captured.milliseconds > ITS_OWN_SHARE * p95:
        return Finding(
            "slow_statement",
            name,
            f"{name} took {p95:.3g} ms at P95 and {captured.milliseconds:.3g} ms alone, over the {limit:g} ms of "
            f"its target; most of it in {captured.hot_in_words}",
            "see its plan: its hot node is where to begin",
            evidence,
        )
    if load.share(name) < WORTH_SHARE:
        return None
    for node in captured.top.walk():
        if node.spilled:
            return Finding(
                "slow_statement",
                name,
                f"{name} did not fit into its memory: {node.spilled} to temporary files",
                "raise work_mem for it, read fewer rows, or give it an index in the order that it sorts by",
                evidence,
            )
        if _wasteful(node):
            return Finding(
                "slow_statement",
                name,
                f"{name} found {node.kept + node.removed:,.0f} rows of {node.relation} by "
                f"{node.raw.get('Index Name', 'its indexes')} and threw all but {node.kept:,.0f} away",
                f"an index that begins with what it asks for: its condition is {masked(node.condition)}",
                evidence,
            )
    return None


def _wasteful(node: PlanNode) -> bool:
    read = node.kept + node.removed
    return node.kind in _INDEXED and node.removed >= LARGE_ROWS and node.kept <= MOST_KEPT * read


def _limit(plan: DatabasePlan, name: str) -> float:
    """The strictest promise about the times of a statement at P95, ms."""
    about = {f"query[{name}].execute_time.p95", f"query[{name}].response_time.p95", "query.response_time.p95"}
    limits = [each.most for each in plan.promises if each.metric in about]
    return min((limit for limit in limits if limit is not None), default=float("inf"))
