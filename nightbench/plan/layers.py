"""What changes a tier's plan, layer upon layer, and the name by which a user knows what stands in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from nightbench.errors import ConfigurationError
from nightbench.plan.agreement import fields_of
from nightbench.plan.changes import TierChanges, combined
from nightbench.plan.database import DatabasePlan
from nightbench.plan.fields import NoValueError, Path, dotted, problem_of
from nightbench.plan.words import Suite, Tier

_LEFT_OUT = len(("SUITE", "FIELD"))
"""Of a path, where None is what is left out; deeper it is a value."""

NameOf = Callable[[Path], str]
"""What the user calls the field at a path from the suite on: a flag, a variable, a line of a file."""


class Layer(NamedTuple):
    """Changes of one source.

    Attributes:
        changes: What it sets.
        name_of: How the user knows a field of it.
    """

    changes: TierChanges
    name_of: NameOf

    def sets(self, path: Path) -> bool:
        """Whether the field at `path`, which begins with the suite, is set here."""
        here: Any = self.changes
        for depth, part in enumerate(path):
            if isinstance(here, BaseModel):
                if part not in here.model_fields_set:
                    return False
                here = getattr(here, str(part))
                if here is None and depth < _LEFT_OUT:
                    return False
            elif isinstance(here, Mapping):
                if part not in here:
                    return False
                here = here[part]
            elif isinstance(here, tuple) and isinstance(part, int):
                if part >= len(here):
                    return False
                here = here[part]
        return True


def together(layers: Sequence[Layer]) -> TierChanges:
    """All changes as one, the later ones on top."""
    return reduce(combined, (layer.changes for layer in layers), TierChanges())


def name_in(layers: Sequence[Layer], path: Path) -> str | None:
    """The name of a field where it was set last; None where the tier's own value counts."""
    return next((layer.name_of(path) for layer in reversed(layers) if layer.sets(path)), None)


def name_of_target(layers: Sequence[Layer], suite: Suite, metric: str) -> str | None:
    """The name of the target of a metric where it was set last, since targets are merged metric by metric."""
    for layer in reversed(layers):
        for index, target in enumerate(getattr(layer.changes, suite).targets or ()):
            if target.metric == metric:
                return layer.name_of((suite, "targets", index))
    return None


def as_it_was_set(error: ConfigurationError, layers: Sequence[Layer], suite: Suite) -> ConfigurationError:
    """`error` of a field of a workload with the name by which the user knows it, or the closest around it.

    Of another setting, and where the workload was set by none of `layers`, it is the same.
    """
    path = [int(index) if index else name for name, index in _PART.findall(error.setting)]
    if path[:1] != ["workload"]:
        return error
    for length in range(len(path), 0, -1):
        if (name := name_in(layers, (suite, *path[:length]))) is not None:
            return ConfigurationError(name, error.value, error.problem, error.way_out)
    return error


_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def no_plan(error: ValidationError, layers: Sequence[Layer], tier: Tier) -> ConfigurationError:
    """Why what `layers` change in `tier` makes no plan: it names each field that is a part of it where it was set."""
    suite: Suite = "database" if error.title == DatabasePlan.__name__ else "websocket"
    first = error.errors(include_url=False)[0]
    fields = fields_of(first)
    names = {field: name_in(layers, (suite, *field)) for field in fields}
    where = dict.fromkeys(name for name in names.values() if name is not None)
    by_default = [
        dotted(field)
        for field, name in names.items()
        if name is None and _has_value(first["input"], field[len(first["loc"]) :])
    ]
    way_out = f"{', '.join(by_default)} as in tier {tier}" if by_default and where else ""
    return NoValueError(" and ".join(where) or f"{suite}.{dotted(fields[0])}", problem_of(first), way_out)


def _has_value(whole: Any, path: Path) -> bool:
    return isinstance(whole, Mapping) and len(path) > 0 and whole.get(str(path[0])) is not None
