"""What a flow run loads when its form says so: an address, or a subject that is registered as a block.

A block keeps its secrets: the parameters of a run hold its id, and a run's process reads it when the run begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from prefect.blocks.core import Block
from pydantic import Field, GetJsonSchemaHandler, SecretStr
from pydantic_core import CoreSchema

from nightbench import settings as settings_module
from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.form import JsonSchema, LeftOut
from nightbench.plan.asked import WEBSOCKET_URL, Asked, shown
from nightbench.subject_asked import RegisteredSubject, with_subject, with_url


class NightbenchSubject(Block):
    """A backend to load: its addresses and secrets, under a name that is chosen in the form of a deployment."""

    _block_type_name = "nightbench subject"
    _block_type_slug = "nightbench-subject"
    _description = (
        "A backend that nightbench loads: WebSocket, token, PostgreSQL and the name for its results."
    )

    environment: str = Field(
        min_length=1,
        max_length=64,
        title="Environment",
        json_schema_extra={"position": 0},
        description="names this subject in results and alerts; another subject needs another name",
    )
    websocket_url: Annotated[
        Annotated[str, Field(max_length=2048, pattern=WEBSOCKET_URL)] | None, LeftOut()
    ] = Field(
        None,
        title="WebSocket URL",
        json_schema_extra={"position": 1},
        description="ws:// or wss://, without user, password, query and fragment; the embedded reference without any",
    )
    token: Annotated[SecretStr | None, LeftOut()] = Field(
        None,
        title="Token",
        json_schema_extra={"position": 2},
        description="the bearer token of the WebSocket",
    )
    database_dsn: Annotated[SecretStr | None, LeftOut()] = Field(
        None,
        title="Database DSN",
        json_schema_extra={"position": 3},
        description="postgresql://role:password@host:5432/database; the embedded reference without any",
    )

    def registered(self) -> RegisteredSubject:
        """The same without Prefect."""
        return RegisteredSubject(self.environment, self.websocket_url, self.token, self.database_dsn)


class _ByReference:
    """Marks a parameter that is a block which is registered: the server refuses what has fields, and stores none."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        field = handler(core)
        field["propertyNames"] = {"const": "$ref"}
        return field


AskedSubject = Annotated[
    NightbenchSubject | None,
    shown(
        "Subject",
        "a registered backend with its secrets, instead of the one that the worker's settings name",
    ),
    LeftOut(),
    _ByReference(),
]


@contextmanager
def subject_of(url: str | None, subject: NightbenchSubject | None, asked: Asked = Asked()) -> Iterator[None]:  # noqa: B008  # it never changes
    """Have the settings inside the block those of the worker, overlaid with what the form says.

    Raises:
        ConfigurationError: when the subject is none that is registered, an address is none, or the worker's
            settings cannot be used.
    """
    settings = settings_module.current()
    if subject is not None:
        _check_registered(subject)
        settings = with_subject(settings, subject.registered())
    if url is not None:
        settings = with_url(settings, url)
    if asked.at_first:
        settings = settings.asked_by(asked.name_of)
    with settings_module.use(settings):
        yield


def _check_registered(subject: NightbenchSubject) -> None:
    """Refuse one whose fields were parameters, which Prefect stores and shows.

    Raises:
        ConfigurationError: when it is none that was read from its block.
    """
    if subject._block_document_id is None:  # noqa: SLF001  # of our own kind
        raise ConfigurationError(
            "parameter subject",
            NOT_GIVEN,
            "is no registered subject, and Prefect stores what stands in parameters: its secrets, if any, are known now",
            "change them, register it as a block `nightbench subject`, and choose that one",
        )
