"""What the workers ask: named statements with weights, and the parameters of each operation. Pure.

Every statement is one transaction of one tenant. Reads give the row's tenant in their first column, so
that each row can be checked to belong to the tenant that asked.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

Parameters = dict[str, Any]

CATEGORIES = ("groceries", "rent", "transport", "dining", "leisure", "health", "travel", "other")
"""Those of the reference's own expenses: what a run inserts is spread as what was there."""


@dataclass(frozen=True)
class Draw:
    """What is decided for one operation.

    Attributes:
        index: Which operation of the run it is.
        number: 64 pseudo-random bits, a function of seed and index.
        tenant: Whose transaction it is.
        tag: Marks the rows that this run writes.
        own_row: A row of `tenant` that the worker may change; only for updates.
    """

    index: int
    number: int
    tenant: UUID
    tag: str
    own_row: UUID | None = None


@dataclass(frozen=True)
class Statement:
    """One entry of the mix.

    Attributes:
        weight: Its share of the mix, in whole parts of the sum of all weights.
        kind: A read's rows are fetched and checked; an update changes a row that the worker owns.
    """

    name: str
    kind: Literal["read", "insert", "update"]
    weight: int
    sql: str
    parameters: Callable[[Draw], Parameters]


def _tenant_only(draw: Draw) -> Parameters:
    return {"tenant": draw.tenant}


def _page(draw: Draw) -> Parameters:
    return {"offset": 20 * (draw.number % 4)}


def _new_expense(draw: Draw) -> Parameters:
    return {
        "tenant": draw.tenant,
        "amount": (draw.number % 50_000 + 1) / 100,
        "category": CATEGORIES[draw.number >> 20 & 7],
        "spent_on": date(2026, 1, 1 + (draw.number >> 24) % 28),
        "tag": draw.tag,
    }


def _changed_expense(draw: Draw) -> Parameters:
    return {"id": draw.own_row, "amount": (draw.number % 50_000 + 1) / 100}


PAM_MIX: tuple[Statement, ...] = (
    Statement(
        "profile_lookup",
        "read",
        25,
        "SELECT id, email, display_name, currency, timezone FROM profiles WHERE id = %(tenant)s",
        _tenant_only,
    ),
    Statement(
        "expense_listing",
        "read",
        25,
        # no condition on the tenant: row-level security alone narrows it, as under PostgREST
        "SELECT user_id, id, amount, currency, category, description, spent_on FROM expenses "
        "ORDER BY spent_on DESC LIMIT 20 OFFSET %(offset)s",
        _page,
    ),
    Statement(
        "budget_utilization",
        "read",
        15,
        "SELECT user_id, category, month, monthly_limit, spent, utilization_percent FROM budget_utilization "
        "ORDER BY category",
        lambda _draw: {},
    ),
    Statement(
        "conversation_history",
        "read",
        15,
        "SELECT message.user_id, conversation.title, message.role, message.content, message.created_at, "
        "profile.display_name "
        "FROM conversations AS conversation "
        "JOIN messages AS message ON message.conversation_id = conversation.id "
        "JOIN profiles AS profile ON profile.id = conversation.user_id "
        "ORDER BY message.created_at DESC LIMIT 50",
        lambda _draw: {},
    ),
    Statement(
        "expense_insert",
        "insert",
        12,
        "INSERT INTO expenses (user_id, amount, category, description, spent_on, source) "
        "VALUES (%(tenant)s, %(amount)s, %(category)s, 'load test', %(spent_on)s, %(tag)s)",
        _new_expense,
    ),
    Statement(
        "expense_update",
        "update",
        8,
        "UPDATE expenses SET amount = %(amount)s, updated_at = now() WHERE id = %(id)s",
        _changed_expense,
    ),
)
"""The assistant's own mix: 80 % reads, 20 % writes."""


def mixed(seed: int, index: int) -> int:
    """64 pseudo-random bits for operation `index`: SplitMix64 (Steele, Lea, Flood 2014)."""
    z = (index * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return z ^ (z >> 31)


class Workload:
    """The statement and the draw of every operation, by its index alone.

    Within each run of as many operations as the weights add up to, every statement has exactly its weight:
    the shares of a run do not depend on luck.
    """

    def __init__(
        self, statements: Sequence[Statement], tenants: Sequence[UUID], *, seed: int, tag: str
    ) -> None:
        self.statements = tuple(statements)
        self.tag = tag
        self._tenants = tuple(tenants)
        self._seed = seed
        deck = [statement for statement in self.statements for _ in range(statement.weight)]
        random.Random(seed).shuffle(deck)  # noqa: S311  # an order, not a secret
        self._deck = tuple(deck)

    def statement(self, index: int) -> Statement:
        """Which statement operation `index` runs."""
        return self._deck[index % len(self._deck)]

    def draw(self, index: int) -> Draw:
        """What operation `index` draws: its tenant is taken evenly from all of them."""
        number = mixed(self._seed, index)
        return Draw(index, number, self._tenants[(number >> 32) % len(self._tenants)], self.tag)
