"""Charts of one form: Altair makes one of them, with holes, and each says its own words and numbers in their place.

Altair takes a hundredth of a second for each layer, and a report of a year has a hundred charts of eight.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from altair.utils.schemapi import debug_mode

_MOST_FORMS = 256

Spec = dict[str, Any]
Form = TypeVar("Form", bound=Hashable)


def hole(name: str) -> Any:
    """What stands in a form for what a chart says under `name`; of a list it is the only member."""
    return f"⟪{name}⟫"


def filled(chart: Callable[[Form], Spec], form: Form, said: Mapping[str, Any]) -> Spec:
    """The chart of a form, made by Altair for the first one of it alone.

    Args:
        chart: Makes it, with holes, as Vega-Lite without data.
        form: What makes two charts differ in more than their words and numbers.
        said: What stands in the place of each hole, free of secrets; of a list that is one hole, the whole list.
    """
    found: Spec = _put_into(_blank(chart, form), {hole(name): value for name, value in said.items()})
    return found


@lru_cache(_MOST_FORMS)
def _blank(chart: Callable[[Any], Spec], form: Hashable) -> Spec:
    with debug_mode(False):  # a hole is a text wherever it stands
        return chart(form)


def _put_into(node: Any, said: Mapping[str, Any]) -> Any:
    """A copy of a form with what is said in the place of its holes."""
    match node:
        case str():
            return said.get(node, node)
        case [str() as only] if only in said:
            return said[only]
        case list():
            return [_put_into(each, said) for each in node]
        case dict():
            return {name: _put_into(each, said) for name, each in node.items()}
        case _:
            return node
