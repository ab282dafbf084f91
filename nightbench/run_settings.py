"""The ``[run]`` table of the settings: when a run begins, and where its load comes from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from nightbench import addresses
from nightbench.frozen import Frozen

DASK_SETTING = "NIGHTBENCH_RUN__DASK"
ON_THIS_MACHINE = "local"
"""As `dask`: a cluster of this machine's, made for each load test."""

_SCHEDULER = re.compile(r"(?:tcp|tls|ws|wss)://[^\s/@]+:\d+/?")


class RunSettings(Frozen):
    """What may be set of how runs share their subject and their machines."""

    wait_seconds: Annotated[float, Field(ge=0, le=604_800)] = Field(
        14_400,
        description="seconds to wait while another run loads the same subject; 0 refuses at once",
    )
    slots: Path | None = Field(
        None,
        description="folder that tells which subject is being loaded from this machine; one of this user's unless set",
    )
    late_minutes: Annotated[float, Field(ge=0, le=10_080)] = Field(
        120,
        description="minutes after its time at which a scheduled run is given up, as those of a night that was missed",
    )
    dask: str | None = Field(
        None,
        description="what runs the shards of a load test: local, a Dask cluster of this machine's, or the address "
        "of one, such as tcp://scheduler:8786; processes of this machine unless set",
    )

    @field_validator("dask")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if not value:
            return None
        if value != ON_THIS_MACHINE and not _SCHEDULER.fullmatch(value):
            msg = f"it is no address of a Dask scheduler, such as tcp://scheduler:8786, and not {ON_THIS_MACHINE}"
            raise ValueError(msg)
        return value

    @field_validator("slots")
    @classmethod
    def _expanded(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        if not (folder := addresses.expanded(value)).is_absolute():
            msg = "a relative folder is another one in each working directory; it begins with / or ~"
            raise ValueError(msg)
        return folder


def without_a_flow(run: RunSettings) -> tuple[str, ...]:
    """What to say where a suite runs without a flow, which is what a cluster belongs to."""
    if run.dask is None:
        return ()
    told = (
        f"this command loads from this machine, not from the Dask cluster of {DASK_SETTING} = {run.dask!r}: "
        "`nightbench run` and the deployments do that"
    )
    return (told,)
