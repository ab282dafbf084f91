"""Fields of a plan that do not agree: an error of the whole that knows which fields it is about."""

from __future__ import annotations

from pydantic_core import ErrorDetails, PydanticCustomError

from nightbench.plan.fields import Path

_KIND = "disagreement"


def disagreement(problem: str, *fields: Path) -> PydanticCustomError:
    """An error for a validator of a model to raise.

    Args:
        problem: What is wrong.
        fields: The paths of those that do not agree, from the model on.
    """
    return PydanticCustomError(_KIND, "{problem}", {"problem": problem, "fields": tuple(map(tuple, fields))})


def is_disagreement(error: ErrorDetails) -> bool:
    """Whether an error is about fields that do not agree, none of which need be wrong by itself."""
    return error["type"] == _KIND


def fields_of(error: ErrorDetails) -> tuple[tuple[str | int, ...], ...]:
    """The paths of what an error is about: of all that do not agree, or of the one that is wrong."""
    if not is_disagreement(error):
        return (error["loc"],)
    return tuple((*error["loc"], *field) for field in error["ctx"]["fields"])
