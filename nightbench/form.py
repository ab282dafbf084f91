"""How fields are shown where a form is made of them, as in the Prefect UI: what JSON schema says, and what it cannot.

The UI shows a choice of kinds as tabs, a field of one kind as one input, and fields in the order of ``position``.
An input that is left empty sends nothing; one whose default is null sends null, which no number may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

NULL = {"type": "null"}
AS_JSON = {"title": "As JSON"}
"""Anything, so that no choice beside it fails as a whole: what is wrong is said of the field that it is wrong in."""

JsonSchema = dict[str, Any]


def as_form(schema: JsonSchema) -> None:
    """Show a model's fields in their order, and each that may be left out as what it is otherwise."""
    _laid_out(schema, unset="None")


def as_changes(schema: JsonSchema) -> None:
    """The same for a model whose null keeps what there is."""
    _laid_out(schema, unset="As it is")


def as_part(schema: JsonSchema) -> None:
    """The same for a model of which only the fields that are given count: no default is one that was given."""
    for field in schema.get("properties", {}).values():
        field.pop("default", None)
    _laid_out(schema, unset="None")


def _laid_out(schema: JsonSchema, *, unset: str) -> None:
    if "title" in schema:
        schema["title"] = in_words(schema["title"])
    for position, field in enumerate(schema.get("properties", {}).values()):
        field["position"] = position  # the server's database keeps no order
        show_as_one(field, unset=unset)
        if field.get("type") == "boolean" and "default" not in field:
            field["enum"] = [True, False]  # a switch that is off would look like one that was set so


def in_words(name: str) -> str:
    """The name of a class as a label: ``MessageKind`` as ``Message kind``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()
    return words.replace("Web socket", "WebSocket").replace("Tls", "TLS")


def also_as_text(pattern: str, example: str) -> Callable[[JsonSchema], None]:
    """The same for a model that is also read from text, which then comes first."""

    def either(schema: JsonSchema) -> None:
        as_form(schema)
        parts = {**schema, "title": "Part by part"}
        help_ = f"such as {example}"
        text = {"type": "string", "pattern": pattern, "title": "As text", "description": help_}
        named = {name: schema[name] for name in ("title", "description")}
        schema.clear()
        schema.update(named, anyOf=[text, parts])

    return either


def show_as_one(field: JsonSchema, *, unset: str = "None") -> None:
    """Show a field that may be null as what it is otherwise; a part with fields of its own keeps the choice."""
    _show_whole_bounds(field)
    choices: Sequence[JsonSchema] = field.get("anyOf", ())
    others = [choice for choice in choices if choice != NULL]
    if len(others) == len(choices):
        return
    if len(others) == 1 and "$ref" not in others[0] and field.get("default") is None:
        del field["anyOf"]
        field.pop("default", None)
        field.update({**others[0], **field})
    elif "default" in field and field["default"] is None:
        field["anyOf"] = [{**NULL, "title": unset}, *others]  # what is first is shown first
    _show_whole_bounds(field)


def _show_whole_bounds(field: JsonSchema) -> None:
    """A whole number above 0 is one from 1: the browser knows the second alone."""
    if field.get("type") == "integer" and "exclusiveMinimum" in field:
        field["minimum"] = field.pop("exclusiveMinimum") + 1


class _WithoutDefault(JsonSchema):
    """The schema of a parameter whose default is None, which pydantic would write into it."""

    def __setitem__(self, key: str, value: Any) -> None:
        if key != "default":
            super().__setitem__(key, value)


class LeftOut:
    """Marks a flow's parameter that may be None: it is shown as what it is otherwise, and empty."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """One kind, without null and default."""
        field = handler(core)
        show_as_one(field)
        reference = next((choice for choice in field.get("anyOf", ()) if choice != NULL), None)
        return _WithoutDefault(field if reference is None else reference)


@dataclass(frozen=True)
class Tabs:
    """Marks a flow's parameter with many fields: shown when they are asked for, or given as one text.

    Attributes:
        unset: What it is called that nothing is given.
        given: The same of the fields.
        elsewhere: Fields that the form has in another place; as JSON, and by the API, they are taken here too.
    """

    unset: str
    given: str
    elsewhere: tuple[str, ...] = ()

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Three tabs: nothing, the fields, JSON."""
        whole = next(choice for choice in handler(core)["anyOf"] if choice != NULL)
        model = handler.resolve_ref_schema(whole)
        fields = {name: field for name, field in model["properties"].items() if name not in self.elsewhere}
        shown = {"type": "object", "title": self.given, "properties": fields}
        # the second says of which field it is that something is wrong, the third lets the choice be
        return {
            "anyOf": [{**NULL, "title": self.unset}, shown, AS_JSON],
            "if": {"type": "object"},
            "then": whole,
        }


@dataclass(frozen=True)
class Titled:
    """Marks a flow's parameter for which None means something: both are tabs.

    Attributes:
        given: What a value is called.
        unset: What None is called.
    """

    given: str
    unset: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        """Two tabs."""
        (given,) = [choice for choice in handler(core)["anyOf"] if choice != NULL]
        return {"anyOf": [{**given, "title": self.given}, {**NULL, "title": self.unset}]}
