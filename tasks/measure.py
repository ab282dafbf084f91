"""Which step measures which suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from nightbench.blocks import Turn
from nightbench.measurement import Measurement
from nightbench.night import Night
from nightbench.plan import Suite, TierPlan
from tasks.measure_database import measure_database
from tasks.measure_websocket import measure_websocket

MEASURE: Mapping[Suite, Callable[[Night, TierPlan, Turn], Awaitable[Measurement]]] = MappingProxyType(
    {"websocket": measure_websocket, "database": measure_database}
)
"""The step of each suite."""
