"""What users of the WebSocket suite bring along: what they say, what a reply is, who they are."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    SecretStr,
    field_serializer,
    model_validator,
)

from nightbench.form import also_as_text, as_part
from nightbench.frozen import Frozen
from nightbench.plan.agreement import disagreement
from nightbench.scrub import REDACTED

PathText = Annotated[
    str, Field(min_length=1, max_length=1000, pattern=r"^[^\s.\[\]]+(\.[^\s.\[\]]+|\[\d+\])*$")
]
"""Where a value stands in a JSON message, such as ``payload.items[0].id``."""

FileName = Annotated[str, Field(min_length=1, max_length=4096)]

NO_CONDITION = "none"
"""How a condition is left out where there is no null."""

_LONGEST_CONDITION = 4096
_DEEPEST_VALUE = 32
"""Tables and lists inside of each other that a condition compares with; a message is compared all the way down."""

_CONDITION = re.compile(r"\s*(?P<path>[^\s=!]+)\s*(?:(?P<op>==|!=)\s*(?P<value>.+?)|(?P<exists>exists))\s*")


def _is_flat_enough(value: JsonValue) -> JsonValue:
    level: list[Any] = [value]
    for _ in range(_DEEPEST_VALUE + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    if level:
        msg = f"its value is deeper than {_DEEPEST_VALUE} tables and lists"
        raise ValueError(msg)
    return value


class Condition(Frozen, json_schema_extra=also_as_text("==|!=|exists", "type == done")):
    """What must hold of a JSON message: ``type == done``, ``status != 0`` or ``error exists``.

    What a message does not have is neither equal nor unequal to anything, and null does not exist.
    """

    path: PathText
    op: Literal["==", "!=", "exists"]
    value: Annotated[JsonValue, AfterValidator(_is_flat_enough)] = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        if len(text) > _LONGEST_CONDITION:
            msg = f"is longer than {_LONGEST_CONDITION:,} characters"
            raise ValueError(msg)
        found = _CONDITION.fullmatch(text)
        if found is None:
            msg = "not PATH == VALUE, PATH != VALUE or PATH exists, as in 'type == done'"
            raise ValueError(msg)
        if found["exists"]:
            return {"path": found["path"], "op": "exists"}
        return {"path": found["path"], "op": found["op"], "value": _value_of(found["value"])}

    def __str__(self) -> str:
        if self.op == "exists":
            return f"{self.path} exists"
        return f"{self.path} {self.op} {json.dumps(self.value)}"


def _value_of(text: str) -> Any:
    """A JSON value, or the bare word that it is."""
    try:
        return json.loads(text)
    except RecursionError:
        msg = f"its value is deeper than {_DEEPEST_VALUE} tables and lists"
        raise ValueError(msg) from None
    except ValueError:
        return text


def _or_none(value: Any) -> Any:
    return None if value == NO_CONDITION else value  # TOML and flags have no null


OptionalCondition = Annotated[Condition | None, BeforeValidator(_or_none)]


class ReplyRules(Frozen, json_schema_extra=as_part):
    """Which messages of the subject are the reply to which message of a user, and when it is whole."""

    match: Annotated[
        Literal["id", "order", "predicate"],
        Field(
            title="Match by",
            description="id: the reply carries the message's id; order: replies come in the order of the "
            "messages; predicate: a Python function tells",
        ),
    ] = "id"
    id_path: Annotated[
        PathText, Field(title="Path of the id", description="where the id stands in a reply, as payload.id")
    ] = "id"
    predicate: Annotated[
        str | None,
        Field(
            pattern=r"^[\w.]+:\w+$",
            title="Predicate",
            description="MODULE:FUNCTION, called with the id of a message under way and a reply; "
            "true when the reply belongs to it",
        ),
    ] = None
    done: Annotated[
        OptionalCondition,
        Field(
            title="Done when",
            description="holds of the last message of a reply, as 'type == done'; every message is a whole "
            "reply when none",
        ),
    ] = Condition(path="type", op="==", value="done")
    error: Annotated[
        OptionalCondition,
        Field(title="Failed when", description="holds of a message which says that the subject failed"),
    ] = Condition(path="type", op="==", value="error")
    expect: Annotated[
        OptionalCondition,
        Field(
            title="Right when", description="must hold of the last message of a reply, or it is a wrong one"
        ),
    ] = None
    format: Annotated[
        Literal["json", "raw"],
        Field(
            title="Format",
            description="json, or raw: text or bytes that nobody looks into; needs match: order",
        ),
    ] = "json"

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.match == "predicate") != (self.predicate is not None):
            raise disagreement("match: predicate and a predicate go together", ["match"], ["predicate"])
        others = [name for name in ("done", "error", "expect") if getattr(self, name) is not None]
        if self.match != "order":
            others.insert(0, "match")
        if self.format == "raw" and others:
            problem = "format: raw needs match: order, and none for done, error and expect"
            raise disagreement(problem, ["format"], *([name] for name in others))
        return self


class MessageKind(Frozen):
    """One kind of message that users send; placeholders such as ``${id}`` are filled in each time.

    ``${id}``, ``${user}``, ``${sequence}``, ``${run}``, ``${token}``, ``${env:VARIABLE}`` and each column of
    the data file as ``${column}``; ``$$`` is a dollar sign. In a body they stand in strings, and values are
    escaped; in a text they are filled in as they are.
    """

    name: Annotated[
        str,
        Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", title="Name", description="as it stands in metrics"),
    ]
    weight: Annotated[
        float, Field(gt=0, le=1_000_000, title="Weight", description="how often, beside the other kinds")
    ] = 1.0
    body: Annotated[
        JsonValue, Field(title="Body", description="the message as a JSON structure, with placeholders")
    ] = None
    text: Annotated[
        str | None,
        Field(max_length=1_048_576, title="Text", description="the message as text, with placeholders"),
    ] = None
    binary: Annotated[
        str | None,
        Field(max_length=1_398_104, title="Binary", description="the message as bytes, in base64"),
    ] = None
    binary_file: Annotated[
        FileName | None, Field(title="Binary file", description="the file that holds the message's bytes")
    ] = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        given = [
            name for name in ("body", "text", "binary", "binary_file") if getattr(self, name) is not None
        ]
        if len(given) != 1:
            msg = (
                f"a message is one of body, text, binary and binary_file, not {' and '.join(given) or 'none'}"
            )
            raise ValueError(msg)
        return self


class TokenSource(Frozen):
    """Where each user's bearer token comes from; one of three."""

    file: Annotated[
        FileName | None,
        Field(title="File", description="a token a line; fewer than users are used again from the first"),
    ] = None
    template: Annotated[
        SecretStr | None,
        Field(title="Template", description="text with ${user}, columns of the data file or ${env:VARIABLE}"),
    ] = None
    command: Annotated[
        tuple[str, ...],
        Field(
            title="Command",
            description="run once before the load, with NIGHTBENCH_USERS set; prints a token a line",
        ),
    ] = ()

    @field_serializer("command", when_used="json")
    def _only_the_program(self, command: tuple[str, ...]) -> list[str]:
        """As it is stored: the arguments may be secrets."""
        return [*command[:1], *(REDACTED for _ in command[1:])]

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in ("file", "template", "command") if getattr(self, name)]
        if len(given) != 1:
            msg = f"tokens come from one of file, template and command, not {' and '.join(given) or 'none'}"
            raise ValueError(msg)
        return self


def _is_server_name(name: str) -> str:
    try:
        length = len(name.encode("idna"))
        is_one = length <= 253 and not name.startswith(".") and _NO_NAME.search(name) is None
    except UnicodeError:
        is_one = False
    if not is_one:
        msg = "is no host name: it is longer than 253, or a part of it empty, longer than 63 or with what no name has"
        raise ValueError(msg)
    return name


_NO_NAME = re.compile(r"[\s\x00-\x20\x7f/@\[\]?#\\]")


class TlsOptions(Frozen, json_schema_extra=as_part):
    """How wss:// connections are made; the system's authorities and host names are checked unless set."""

    ca_file: Annotated[
        FileName | None, Field(title="CA file", description="PEM file of the authorities to trust")
    ] = None
    certificate_file: Annotated[
        FileName | None, Field(title="Client certificate", description="PEM file to show to the server")
    ] = None
    key_file: Annotated[
        FileName | None, Field(title="Client key", description="PEM file of its key, when it is another one")
    ] = None
    server_name: Annotated[
        Annotated[str, AfterValidator(_is_server_name)] | None,
        Field(
            min_length=1,
            max_length=253,
            title="Server name",
            description="expected in the certificate, when not the URL's host",
        ),
    ] = None
    verify: Annotated[
        bool, Field(title="Verify", description="false trusts any certificate: for test systems only")
    ] = True

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.key_file is not None and self.certificate_file is None:
            problem = "a key without its certificate: set tls.certificate_file too"
            raise disagreement(problem, ["key_file"], ["certificate_file"])
        return self


class RatePoint(Frozen):
    """One corner of a rate profile; between two of them the rate changes evenly."""

    at: Annotated[
        float, Field(ge=0, le=86_400, title="At (s)", description="seconds since the measure phase began")
    ]
    rate: Annotated[
        float, Field(ge=0, le=1_000_000, title="Rate (messages/s)", description="of all users together")
    ]
