"""``prefect.yaml``, read strictly: Prefect itself passes over what it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from nightbench.errors import NOT_GIVEN, ConfigurationError
from nightbench.files import reason
from nightbench.scrub import scrub

_DEEPEST = 50
"""Levels of a file; what walks through it may go no deeper than Python does."""
_TOO_DEEP = f"is nested more than {_DEEPEST} levels deep"
_NOT_FILLED = re.compile(r"\{\{\s*\$")


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        msg = "is no slug: small letters, digits and single hyphens between them"
        raise ValueError(msg)
    return value


def _full_steps(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for step in value:
        if len(step) != 1:
            msg = f"a step is one function with its arguments, and this has {len(step)}"
            raise ValueError(msg)
        (arguments,) = step.values()
        if not isinstance(arguments, dict):
            msg = "the arguments of a step are a table"
            raise ValueError(msg)  # noqa: TRY004  # pydantic's way
    return value


def _cron(value: str) -> str:
    return _scheduled(value, cron=value, timezone="UTC")


def _timezone(value: str) -> str:
    if not value:
        msg = "a schedule has a time zone, such as UTC"
        raise ValueError(msg)
    return _scheduled(value, cron="0 0 * * *", timezone=value)


def _scheduled(value: str, **fields: str) -> str:
    """`value`, when Prefect's server would take it too."""
    from prefect.client.schemas.schedules import CronSchedule  # noqa: PLC0415  # takes a second: only for a schedule

    try:
        CronSchedule(**fields)
    except ValidationError as error:
        raise ValueError(_said(error)) from None
    return value


Slug = Annotated[str, AfterValidator(_slug)]
Steps = Annotated[list[dict[str, Any]], AfterValidator(_full_steps)]
Entrypoint = Annotated[str, Field(pattern=r"^[\w/.-]+\.py:[a-z_]\w*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Schedule(_Strict):
    """When a deployment runs by itself; by its slug a changed one is known again."""

    slug: Slug
    cron: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_timezone)]
    active: bool | None = None
    parameters: dict[str, Any] = {}


class ConcurrencyLimit(_Strict):
    """How many of its runs may be under way."""

    limit: Annotated[int, Field(ge=1)]
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"
    grace_period_seconds: Annotated[int, Field(ge=60)] | None = None


class WorkPool(_Strict):
    """Where it runs."""

    name: Slug
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = {}


class Deployment(_Strict):
    """One entry of ``deployments``. `triggers` are in Prefect's own form, which is as strict."""

    name: Slug
    description: Annotated[str, Field(min_length=1)]
    entrypoint: Entrypoint
    version: str | None = None
    tags: list[Slug] = []
    parameters: dict[str, Any] = {}
    enforce_parameter_schema: bool = True
    schedules: list[Schedule] = []
    paused: bool | None = None
    work_pool: WorkPool
    concurrency_limit: ConcurrencyLimit
    triggers: list[dict[str, Any]] = []
    pull: Steps | None = None

    @field_validator("schedules")
    @classmethod
    def _told_apart(cls, value: list[Schedule]) -> list[Schedule]:
        if len({each.slug for each in value}) < len(value):
            msg = "two schedules have the same slug"
            raise ValueError(msg)
        return value


class ProjectFile(_Strict):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Slug
    prefect_version: Annotated[str, Field(alias="prefect-version", pattern=r"^3\.\d+\.\d+$")]
    pull: Annotated[Steps, Field(min_length=1)]
    deployments: Annotated[list[Deployment], Field(min_length=1)]

    @field_validator("deployments")
    @classmethod
    def _named_once(cls, value: list[Deployment]) -> list[Deployment]:
        if len({each.name for each in value}) < len(value):
            msg = "two deployments have the same name"
            raise ValueError(msg)
        return value

    def only_pool(self, name: str) -> str:
        """The work pool of the deployments, which stand in a file called `name`.

        Raises:
            ConfigurationError: when they have several: one worker takes from one.
        """
        pools = sorted({each.work_pool.name for each in self.deployments})
        if len(pools) > 1:
            way_out = "use --no-worker, and prefect worker start for each"
            raise ConfigurationError(name, ", ".join(pools), "has several work pools", way_out)
        return pools[0]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read `file`.

        Raises:
            ConfigurationError: when it cannot be read, or for the first thing in it that is wrong or unknown.
        """
        return cls.parse(read_yaml(file), file.name)

    @classmethod
    def parse(cls, content: object, name: str = "prefect.yaml") -> Self:
        """What a file called `name` holds.

        Raises:
            ConfigurationError: for the first thing that is wrong or unknown.
        """
        for place, text in _texts(content):
            if _NOT_FILLED.search(text):
                problem = "a variable that is not set would be stored as it stands here"
                raise ConfigurationError(f"{name}: {place}", text, problem, "write it out")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise problem_in(name, error) from None


def read_yaml(file: Path) -> object:
    """What a YAML file holds.

    Raises:
        ConfigurationError: when it cannot be read.
    """
    try:
        content: object = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        way_out = "start in the project's folder, or name the file with --file"
        raise ConfigurationError(file.name, str(file), "is not there", way_out) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(file.name, str(file), f"cannot be read: {reason(error)}") from None
    except yaml.YAMLError as error:
        problem = f"is no YAML: {scrub(str(error).splitlines()[0])}"
        raise ConfigurationError(file.name, str(file), problem) from None
    except RecursionError:
        raise ConfigurationError(file.name, str(file), _TOO_DEEP) from None
    if _is_too_deep(content):
        raise ConfigurationError(file.name, str(file), _TOO_DEEP)
    return content


def problem_in(name: str, error: ValidationError) -> ConfigurationError:
    """The first problem of a pydantic error, in one line that names its place in the file."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return ConfigurationError(f"{name}: {place}", NOT_GIVEN, "no such key")
    return ConfigurationError(f"{name}: {place}", NOT_GIVEN, scrub(_said(error)))


def _is_too_deep(content: object) -> bool:
    """Whether it has more levels than `_DEEPEST`, as what refers to itself has."""
    level = [content]
    for _ in range(_DEEPEST):
        inner = [each for each in level if isinstance(each, dict | list)]
        members = (each.values() if isinstance(each, dict) else each for each in inner)
        level = list({id(member): member for member in chain.from_iterable(members)}.values())
    return bool(level)


def _said(error: ValidationError) -> str:
    return error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")


def _texts(content: object, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(content, str):
        yield place, content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _texts(value, f"{place}.{key}".lstrip("."))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _texts(value, f"{place}.{number}".lstrip("."))
