"""What a flow run loads when its form says so: an address, or a subject that is registered as a block.

A block keeps its secrets: the parameters of a run hold its id, and a run's process reads it when the run begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from prefect.settings import PREFECT_UI_URL
from pydantic import Field, GetJsonSchemaHandler, HttpUrl, SecretStr, model_validator
from pydantic_core import CoreSchema

from nightbench import settings as settings_module
from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.form import JsonSchema, LeftOut
from nightbench.plan.asked import LONGEST_URL, WEBSOCKET_URL, Asked, shown
from nightbench.subject_asked import (
    LONGEST_ENVIRONMENT,
    RegisteredSubject,
    with_release,
    with_subject,
    with_url,
)


def _logo() -> HttpUrl | None:
    """A picture that the server itself has: the UI shows a broken one where there is none, and Prefect takes no data."""
    parts = urlsplit(PREFECT_UI_URL.value() or "")
    return HttpUrl(f"{parts.scheme}://{parts.netloc}/ico/favicon-32x32.png") if parts.netloc else None


class NightbenchSubject(Block):
    """A backend to load: its addresses and secrets, under a name that is chosen in the form of a deployment."""

    _block_type_name = "nightbench subject"
    _block_type_slug = "nightbench-subject"
    _logo_url = _logo()
    _description = (
        "A backend that nightbench loads: WebSocket, token, PostgreSQL and the name for its results."
    )

    # bounds are the schema's alone: of a block that the model refuses, Prefect says no more than that it could not
    # be read; `subject_of` names the field
    environment: str = Field(
        title="Environment",
        json_schema_extra={"position": 0, "minLength": 1, "maxLength": LONGEST_ENVIRONMENT},
        description="names this subject in results and alerts; another subject needs another name",
    )
    websocket_url: Annotated[str | None, LeftOut()] = Field(
        None,
        title="WebSocket URL",
        json_schema_extra={"position": 1, "maxLength": LONGEST_URL, "pattern": WEBSOCKET_URL},
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

    @model_validator(mode="before")
    @classmethod
    def _may_lack_its_name(cls, data: Any) -> Any:
        """The form makes a block without what the schema requires, too."""
        return {**data, "environment": data.get("environment") or ""} if isinstance(data, dict) else data

    def registered(self) -> RegisteredSubject:
        """The same without Prefect."""
        return RegisteredSubject(
            self.environment,
            self.websocket_url or None,  # a form that was emptied again has an empty text
            self.token,
            self.database_dsn,
            f"the block {self._block_type_slug}/{self._block_document_name or ''}".rstrip("/"),
        )


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
def subject_of(
    url: str | None,
    subject: NightbenchSubject | None,
    asked: Asked = Asked(),  # noqa: B008  # it never changes
    *,
    release: str | None = None,
) -> Iterator[None]:
    """Have the settings inside the block those of the worker, overlaid with what the form says.

    Raises:
        ConfigurationError: when the subject is none that is registered, an address or a release is none, or the
            worker's settings cannot be used.
    """
    settings = settings_module.current()
    if subject is not None:
        _check_registered(subject)
        settings = with_subject(settings, subject.registered())
    if url is not None:
        settings = with_url(settings, url)
    if release is not None:
        settings = with_release(settings, release)
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
