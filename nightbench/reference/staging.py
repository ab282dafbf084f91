"""How the reference backend behaves: its delays, and the faults that a test or a demonstration stages."""

from __future__ import annotations

import math
import random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from nightbench.plan import Seconds

Distribution = Literal["fixed", "uniform", "exponential", "lognormal", "bimodal"]

Share = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0, le=600_000)]


class Staging(BaseModel):
    """Delays and faults, drawn from one seed. The default is a healthy backend with a plausible delay."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    delay: Annotated[Distribution, Field(description="distribution of the delay before a reply begins")] = (
        "lognormal"
    )
    delay_ms: Annotated[Milliseconds, Field(description="its median (bimodal: of the quick replies)")] = 15.0
    delay_spread: Annotated[
        float,
        Field(
            ge=0,
            le=100,
            description="lognormal: sigma of the logarithm; uniform: half width as a share of the median; "
            "bimodal: how many times longer the one in ten slow replies take",
        ),
    ] = 0.3
    chunks: Annotated[int, Field(ge=0, le=1000, description="parts of a reply before its last message")] = 4
    error_rate: Annotated[Share, Field(description="share of messages answered with an error")] = 0.0
    refuse_rate: Annotated[Share, Field(description="share of handshakes refused with HTTP 503")] = 0.0
    most_connections: Annotated[
        int,
        Field(ge=0, description="connections open at once, above which handshakes are refused; 0 for any"),
    ] = 0
    stall_at: Annotated[
        Seconds, Field(description="when a stall begins, in seconds after the first connection")
    ] = 0.0
    stall_for: Annotated[Seconds, Field(description="how long no reply goes out; 0 for no stall")] = 0.0
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="of every draw")] = 1


SLOW_SHARE = 0.1
"""How many of a bimodal backend's replies are slow."""


def draw_delay(staging: Staging, generator: random.Random) -> float:
    """One delay in seconds, from the distribution that `staging` names."""
    median = staging.delay_ms / 1000
    match staging.delay:
        case "uniform":
            return max(0.0, median * (1 + staging.delay_spread * generator.uniform(-1, 1)))
        case "exponential":
            return generator.expovariate(math.log(2) / median) if median else 0.0
        case "lognormal":
            return median * math.exp(staging.delay_spread * generator.gauss(0, 1))
        case "bimodal":
            return median * (staging.delay_spread if generator.random() < SLOW_SHARE else 1)
    return median


class Fate:
    """Decides, draw by draw, what happens to each handshake and message of one server.

    Each kind of decision has a generator of its own, so that staging one fault does not change another.
    """

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._delays, self._errors, self._refusals = (
            random.Random(f"{staging.seed}-{kind}")  # noqa: S311  # a stage, not a secret
            for kind in ("delay", "error", "refusal")
        )
        self._first_connection: float | None = None

    def refuses_connection(self, now: float, *, beside: int = 0) -> bool:
        """Whether this handshake is refused; `now` in seconds of any steady clock, `beside` the connections there are."""
        refused = self._refusals.random() < self._staging.refuse_rate
        refused = refused or 0 < self._staging.most_connections <= beside
        if not refused and self._first_connection is None:
            self._first_connection = now
        return refused

    def fails(self) -> bool:
        """Whether this message is answered with an error."""
        return self._errors.random() < self._staging.error_rate

    def delay(self) -> float:
        """Seconds until this reply begins, stalls left out."""
        return draw_delay(self._staging, self._delays)

    def stalled_for(self, now: float) -> float:
        """Seconds for which a reply due at `now` is still held back; 0 outside the stall."""
        if not self._staging.stall_for or self._first_connection is None:
            return 0.0
        begin = self._first_connection + self._staging.stall_at
        end = begin + self._staging.stall_for
        return end - now if begin <= now < end else 0.0
