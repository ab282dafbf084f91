"""What Prefect's own models would pass over in a file: keys that they do not know, at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, RootModel


def unknown_keys(given: object, taken: object, place: str = "") -> Iterator[str]:
    """The places in `given` that the model `taken`, which was made of it, knows nothing of."""
    if isinstance(taken, RootModel):
        return
    if isinstance(taken, BaseModel) and isinstance(given, Mapping):
        fields = _fields(taken)
        for key, value in given.items():
            here = f"{place}.{key}".lstrip(".")
            if key not in fields:
                yield here
            else:
                yield from unknown_keys(value, getattr(taken, fields[key]), here)
    elif isinstance(given, list) and isinstance(taken, list | tuple):
        for number, (value, model) in enumerate(zip(given, taken, strict=True)):
            yield from unknown_keys(value, model, f"{place}.{number}".lstrip("."))


def _fields(model: BaseModel) -> dict[Any, str]:
    fields = type(model).model_fields
    aliases = {field.alias: name for name, field in fields.items() if field.alias}
    return {**{name: name for name in fields}, **aliases}
