"""Policies that call a function for each row, and tables of tenants without a policy. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nightbench.database.diagnosis.catalog import Catalog, Policy, Table
from nightbench.database.diagnosis.expressions import Tokens, closing, one_line, tokens_of
from nightbench.database.diagnosis.plans import CapturedPlan
from nightbench.database.finding import Finding

_CONSTANTS = frozenset({"true", "false", "null"})


@dataclass(frozen=True)
class _Call:
    """A call in an expression: its name, where it stands, and whether a sub-select asks for it once."""

    name: str
    start: int
    end: int
    once: bool
    constant: bool


def called_functions(expression: str) -> frozenset[str]:
    """All that looks like a call in an expression, by the names that it calls them; keywords among them."""
    return frozenset(call.name for call in _calls(tokens_of(expression)))


def asked_once(expression: str, costly: Collection[str]) -> str:
    """The expression with each call of `costly` that does not depend on the row in a sub-select of its own."""
    text, end = "", 0
    for call in _calls(tokens_of(expression)):
        if call.start < end or call.once or not call.constant or call.name not in costly:
            continue
        text += f"{expression[end : call.start]}(SELECT {expression[call.start : call.end]})"
        end = call.end
    return text + expression[end:]


def policy_findings(catalog: Catalog) -> Iterator[Finding]:
    """A finding for each policy that asks for each row what it could ask once a statement."""
    for policy in catalog.policies:
        if finding := _per_row(policy, catalog):
            yield finding


def _per_row(policy: Policy, catalog: Catalog) -> Finding | None:
    clauses, functions = [], set[str]()
    for words, condition in (("USING", policy.using), ("WITH CHECK", policy.with_check)):
        if condition is None:
            continue
        better = asked_once(condition, catalog.costly)
        if better != condition:
            functions |= {
                call.name
                for call in _calls(tokens_of(condition))
                if not call.once and call.name in catalog.costly
            }
            clauses.append(f"{words} ({_without_brackets(one_line(better))})")
    if not clauses:
        return None
    table = catalog.table(policy.table_oid)
    volatile = functions & catalog.volatile
    why = "although the answer is the same for all of them"
    advice = "ask once a statement, in a sub-select"
    if volatile:
        why = f"since {_called(volatile)} is VOLATILE: its answer may differ from row to row"
        advice = f"where it does not, declare it STABLE and {advice}"
    return Finding(
        "policy_per_row",
        f"{policy.table_name}.{policy.raw_name}",
        f"the policy {policy.name} of {policy.table_name} calls {_called(functions)} for each row, {why}",
        f"{advice}: ALTER POLICY {policy.name} ON {policy.table_name} {' '.join(clauses)}",
        {
            "table": policy.table_name,
            "using": policy.using,
            "with_check": policy.with_check,
            "rows": round(table.rows) if table else None,
        },
    )


def _called(functions: Iterable[str]) -> str:
    return " and ".join(f"{each}()" for each in sorted(functions))


def unprotected_tables(
    catalog: Catalog, plans: Sequence[CapturedPlan], relations: Mapping[str, Collection[str]]
) -> Iterator[Finding]:
    """Tables whose rows say which tenant they belong to, and that no policy guards.

    The one that a statement has its tenant's column from, as far as that can be told, and those that it reads
    with a column of the same name that is not their own key.
    """
    found: dict[int, tuple[Table, str, str]] = {}
    for plan in plans:
        if plan.tenant_column is None:
            continue
        key, column = _origin(plan) or ("", plan.tenant_column)
        for other in dict.fromkeys((key, *sorted(relations.get(plan.statement, ())))):
            table = catalog.tables.get(other)
            if table is None or table.row_security or column not in table.columns:
                continue
            if other == key or not _is_own_key(catalog, table, column):
                found.setdefault(table.oid, (table, column, plan.statement))
    for table, column, statement in found.values():
        yield Finding(
            "table_without_policy",
            table.name,
            f"{table.name} has the tenant of each row in {column} and no row-level security: "
            f"{statement} is kept to its tenant by nothing but its own conditions",
            f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY, with a policy on {column}",
            {"table": table.name, "column": column, "statement": statement},
        )


def _origin(plan: CapturedPlan) -> tuple[str, str] | None:
    """Table and column of the tenant's column of a plan, when it is one of a table and nothing computed."""
    output = plan.top.raw.get("Output", ())
    if plan.tenant_index is None or plan.tenant_index >= len(output):
        return None
    match [token.text for token in tokens_of(str(output[plan.tenant_index]))]:
        case [alias, ".", column]:
            tables = {
                node.table for node in plan.top.walk() if node.alias == alias and node.table is not None
            }
            return (tables.pop(), column) if len(tables) == 1 else None
    return None


def _is_own_key(catalog: Catalog, table: Table, column: str) -> bool:
    return any(
        each.table_oid == table.oid and each.is_unique and each.key == (column,) for each in catalog.indexes
    )


def _calls(tokens: Tokens) -> Iterator[_Call]:
    """Every call of an expression, in order, outer ones before those within their arguments."""
    selects: list[bool | None] = []  # of each open bracket: None, or whether its sub-select reads no table
    for place, token in enumerate(tokens):
        if token.text == "(":
            selects.append(_sub_select(tokens, place))
        elif token.text == ")" and selects:
            selects.pop()
        elif token.kind == "name" and _text(tokens, place + 1) == "(" and _text(tokens, place - 1) != "::":
            first = place
            while _text(tokens, first - 1) == "." and first >= 2:
                first -= 2
            last = closing(tokens, place + 1)
            innermost = next((each for each in reversed(selects) if each is not None), False)
            yield _Call(
                "".join(each.text for each in tokens[first : place + 1]),
                tokens[first].start,
                tokens[last].end if last < len(tokens) else tokens[-1].end,
                once=innermost,
                constant=_is_constant(tokens[place + 2 : last]),
            )


def _sub_select(tokens: Tokens, opening: int) -> bool | None:
    """Whether the bracket holds a sub-select that reads no table; None when it holds none at all."""
    if _text(tokens, opening + 1).upper() != "SELECT":
        return None
    depth = 0
    for token in tokens[opening : closing(tokens, opening)]:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 1 and token.kind == "name" and token.text.upper() == "FROM":
            return False
    return True


def _is_constant(arguments: Tokens) -> bool:
    """Whether arguments name nothing of the row: only values, their types, and calls of such."""
    of_type = False
    for place, token in enumerate(arguments):
        if token.kind == "cast":
            of_type = True
        elif token.kind != "name":
            of_type = False
        elif not (of_type or token.text.lower() in _CONSTANTS or _text(arguments, place + 1) in ("(", ".")):
            return False
    return True


def _text(tokens: Tokens, place: int) -> str:
    return tokens[place].text if 0 <= place < len(tokens) else ""


def _without_brackets(condition: str) -> str:
    tokens = tokens_of(condition)
    whole = bool(tokens) and tokens[0].text == "(" and closing(tokens, 0) == len(tokens) - 1
    return condition[tokens[0].end : tokens[-1].start] if whole else condition
