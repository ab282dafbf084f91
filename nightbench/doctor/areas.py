"""What is looked at, area by area."""

from typing import Literal, get_args

Area = Literal["subject", "host", "results", "prefect", "alerts"]
AREAS: tuple[Area, ...] = get_args(Area)
