"""Where it runs: addresses, secrets and folders, from flags, environment, ``nightbench.toml``, defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from nightbench.errors import ConfigurationError
from nightbench.frozen import Frozen
from nightbench.plan import TIER_NAMES, Tier, TierChanges, TierPlan, combined
from nightbench.plan.fields import names_beside, problem_of, shown
from nightbench.scrub import REDACTED, scrub, scrub_address, without_query
from nightbench.spelling import did_you_mean
from nightbench.tiers import TIERS, shortened

FILE = "nightbench.toml"
PREFIX = "NIGHTBENCH_"
DEBUG = PREFIX + "DEBUG"
"""When set, unexpected errors come with their traceback; no setting, since settings may be what fails."""

_POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
_DEPTH = len(("plan", "TIER", "SUITE", "FIELD"))
"""Of the variables; what stands deeper, as one of several targets, is a part of the value."""
_ENCODE = "a password with special characters must be percent-encoded"


class PlanSettings(Frozen):
    """The ``[plan.TIER.SUITE]`` tables of the settings file: what to change in each tier."""

    quick: TierChanges = TierChanges()
    baseline: TierChanges = TierChanges()
    full: TierChanges = TierChanges()
    stress: TierChanges = TierChanges()

    def of(self, tier: Tier) -> TierChanges:
        """The changes of one tier."""
        changes: TierChanges = getattr(self, tier)
        return changes

    def with_file(self, changes: TierChanges) -> Self:
        """These, with those of a plan file on top in each tier."""
        return self.model_copy(update={tier: combined(self.of(tier), changes) for tier in TIER_NAMES})


class Settings(BaseSettings):
    """Everything that is not part of the plan. Each field is also ``NIGHTBENCH_<FIELD>``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file=FILE,
        extra="forbid",
        frozen=True,
    )

    websocket_url: str | None = Field(
        None, repr=False, description="the chat WebSocket, ws:// or wss://"
    )  # its query may hold a ticket
    database_dsn: SecretStr | None = Field(
        None, description="the PostgreSQL, postgresql://role@host/database"
    )
    token: SecretStr | None = Field(None, description="the bearer token of the WebSocket")
    results: Path = Field(Path("results"), description="folder of the Parquet dataset")
    outbox: Path | None = Field(
        None, description="folder of alerts not yet delivered; RESULTS/outbox unless set"
    )
    cache: Path = Field(
        Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "nightbench",
        description="folder of what can be made again: embedded PostgreSQL, Prefect's database",
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="where alerts are posted; kept in the outbox unless set"
    )
    environment: str = Field(
        "local", min_length=1, max_length=64, description="names this subject in results and alerts"
    )
    plan: PlanSettings = PlanSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic-settings calls by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("websocket_url")
    @classmethod
    def _is_websocket(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = _split(value)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            msg = "not a WebSocket URL; it starts with ws:// or wss:// and names a host"
            raise ValueError(msg)
        if parts.port == 0:
            msg = "port 0 cannot be connected to"
            raise ValueError(msg)
        try:
            parse_uri(value)
            parts.hostname.encode("idna")
        except InvalidURI as error:
            msg = f"not a URL that a WebSocket client takes: {error.msg}"
            raise ValueError(msg) from None
        except UnicodeError:
            msg = "a part of its host is empty or too long, or it holds what is no text"
            raise ValueError(msg) from None
        return value

    @field_validator("database_dsn")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        parts = _split(value.get_secret_value())
        if parts.scheme not in _POSTGRESQL_SCHEMES:
            msg = "not a PostgreSQL DSN; it looks like postgresql://role:password@host:5432/database"
            raise ValueError(msg)
        query = "" if parts.path else parts.query  # host:port?query@host may be role:password@host
        if "@" in parts.path + parts.fragment + query:
            msg = f"an @ stands after its host; {_ENCODE}"
            raise ValueError(msg)
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _is_sentry(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        parts = _split(value.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.username or not parts.path.strip("/"):
            msg = "not a Sentry DSN; it looks like https://key@host/project"
            raise ValueError(msg)
        return value

    @field_validator("results", "outbox", "cache")
    @classmethod
    def _expanded(cls, value: Path | None) -> Path | None:
        try:
            return None if value is None else value.expanduser()
        except RuntimeError:
            msg = "there is no such home folder"
            raise ValueError(msg) from None

    @property
    def outbox_folder(self) -> Path:
        """Where alerts wait."""
        return self.outbox or self.results / "outbox"

    def with_plan_file(self, changes: TierChanges) -> Self:
        """These settings with the `changes` of a plan file, which win over the settings file and environment."""
        return self.model_copy(update={"plan": self.plan.with_file(changes)})

    def tier(self, tier: Tier, changes: TierChanges | None = None, *, quick: bool = False) -> TierPlan:
        """The plan of `tier`: the tier, then files and environment, then ``--quick``, then `changes`.

        Explicit `changes` come last: who asks for ``--quick --duration 20`` gets 20 s.

        Raises:
            ConfigurationError: when the changes together make no valid plan.
        """
        wanted = changes or TierChanges()
        try:
            plan = TIERS[tier].changed(self.plan.of(tier)).changed(wanted)
            return shortened(plan).changed(wanted) if quick else plan
        except ValidationError as error:
            raise configuration_error(error) from None


_current: ContextVar[Settings | None] = ContextVar("nightbench_settings", default=None)


def load(flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings; `flags` win over the environment, which wins over ``nightbench.toml``.

    Raises:
        ConfigurationError: for the first thing that is wrong, naming it and its value.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    _reject_unknown_variables()
    if Path(FILE).exists() and not Path(FILE).is_file():
        raise ConfigurationError("settings file", FILE, "is not a file")
    try:
        return Settings(**given)
    except ValidationError as error:
        raise configuration_error(error, flags=given) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("settings file", FILE, f"is not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("settings file", FILE, f"cannot be read: {error}") from None
    except SettingsError as error:
        raise ConfigurationError("environment", PREFIX + "…", scrub(str(error))) from None


def current() -> Settings:
    """The settings of the running command or flow: those in `use`, or freshly loaded ones."""
    return _current.get() or load()


@contextmanager
def use(settings: Settings) -> Iterator[Settings]:
    """Make `settings` the current ones inside the block."""
    token = _current.set(settings)
    try:
        yield settings
    finally:
        _current.reset(token)


def configuration_error(
    error: ValidationError, *, flags: Mapping[str, Any] | None = None
) -> ConfigurationError:
    """Turn the first problem of a pydantic error into one line that names the setting and its value."""
    first = error.errors(include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    setting = _setting_name(path, flags or {})
    if first["type"] == "extra_forbidden":  # its value may be a secret under a misspelled name
        return ConfigurationError(
            setting,
            REDACTED,
            "no such setting",
            did_you_mean(str(first["loc"][-1]), names_beside(Settings, first["loc"])),
        )
    return ConfigurationError(setting, _shown(first["loc"], first["input"]), problem_of(first))


def _shown(path: Sequence[str | int], value: object) -> str:
    match path[:1]:
        case ("websocket_url",):
            return without_query(scrub_address(value)) if isinstance(value, str) else REDACTED
        case ("database_dsn",):
            return scrub_address(value) if isinstance(value, str) else REDACTED
        case _:
            return shown(path, value)


def _split(address: str) -> SplitResult:
    """The parts of a URL. Python's own errors repeat pieces of it, which may be those of a password."""
    try:
        parts = urlsplit(address)
    except ValueError:
        msg = f"its host cannot be read; {_ENCODE}"
        raise ValueError(msg) from None
    try:
        _ = parts.port
    except ValueError:
        msg = f"its port is not a number up to 65535; {_ENCODE}"
        raise ValueError(msg) from None
    return parts


def _setting_name(path: list[str], flags: Mapping[str, Any]) -> str:
    if path and path[0] in flags:
        return "--" + {"websocket_url": "url", "database_dsn": "dsn"}.get(path[0], path[0]).replace("_", "-")
    if not path:
        return "plan"  # fields that do not agree
    variable = PREFIX + "__".join(path[:_DEPTH]).upper()
    return variable if variable in os.environ else ".".join(path)


def _reject_unknown_variables() -> None:
    """Refuse what the user may take for a setting; pydantic-settings passes it over, or reads it in any case."""
    known = {DEBUG, *(PREFIX + name.upper() for name in Settings.model_fields)}
    for variable in os.environ:
        name = variable.upper()
        if not name.startswith(PREFIX):
            continue
        right = name in known or name.startswith(f"{PREFIX}PLAN__")
        if not right or variable != name:
            way_out = did_you_mean(name, [name] if right else sorted(known))
            raise ConfigurationError(variable, REDACTED, "no such setting", way_out)
