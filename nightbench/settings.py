"""Where it runs: addresses, secrets and folders, from flags, environment, ``nightbench.toml``, defaults."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from nightbench import addresses
from nightbench.alert_settings import AlertSettings
from nightbench.allowed import Place
from nightbench.errors import ConfigurationError
from nightbench.plan import Layer, NameOf, Tier, TierChanges, TierPlan
from nightbench.plan.fields import Path as FieldPath
from nightbench.plan.fields import dotted
from nightbench.plan.layers import no_plan, together
from nightbench.plan_settings import PlanSettings
from nightbench.release import Command, Release
from nightbench.run_settings import RunSettings
from nightbench.scrub import learn, scrub
from nightbench.setting_errors import setting_error
from nightbench.tiers import TIERS, shortened
from nightbench.variables import FILE, PREFIX, place_of, reject_unknown
from nightbench.verdict_settings import VerdictSettings


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
    database_allowed: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="databases that load tests may write to, host:port/database, separated by commas"
    )
    token: SecretStr | None = Field(None, description="the bearer token of the WebSocket")
    results: Annotated[Path | str, BeforeValidator(addresses.results_of)] = Field(
        Path("results"), description="folder of the Parquet dataset, or an object store: s3://bucket/prefix"
    )
    backup: Annotated[Path | str | None, BeforeValidator(addresses.results_of)] = Field(
        None,
        description="second folder or object store, to which `nightbench history backup` copies the results",
    )
    outbox: Path | None = Field(None, description="folder of alerts that wait; RESULTS/outbox unless set")
    cache: Path = Field(
        Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "nightbench",
        description="folder of what can be made again: embedded PostgreSQL, Prefect's database",
    )
    sentry_dsn: SecretStr | None = Field(
        None, description="where alerts are posted; kept in the outbox unless set"
    )
    reference_sentry_dsn: SecretStr | None = Field(
        None, description="where the embedded reference backend is watched; nowhere unless set"
    )
    environment: str = Field(
        "local", min_length=1, max_length=64, description="names this subject in results and alerts"
    )
    release: Release | None = Field(None, description="version or deploy of the subject, such as v2.4.1")
    release_command: Command = Field(
        (), repr=False, description="a program whose first line is the release, run once a night"
    )
    plan: PlanSettings = PlanSettings()
    verdict: VerdictSettings = VerdictSettings()
    alerts: AlertSettings = AlertSettings()
    run: RunSettings = RunSettings()

    _plan_file: Layer | None = PrivateAttr(None)
    # of a factory, since pydantic makes a method of a function
    _name_asked: NameOf = PrivateAttr(default_factory=lambda: _name_of_parameter)
    _elsewhere: Mapping[str, str] = PrivateAttr(default_factory=dict)

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
        if value is not None:
            addresses.check_websocket(value)
        return value

    @field_validator("database_dsn")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            addresses.check_postgresql(value.get_secret_value())
        return value

    @field_validator("database_allowed", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(entry.strip() for entry in value.split(",") if entry.strip())
        return value

    @field_validator("database_allowed")
    @classmethod
    def _are_places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            Place.parse(entry)
        return value

    @field_validator("sentry_dsn", "reference_sentry_dsn")
    @classmethod
    def _is_sentry(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            addresses.check_sentry(value.get_secret_value())
        return value

    @field_validator("outbox", "cache")
    @classmethod
    def _expanded(cls, value: Path | None) -> Path | None:
        return None if value is None else addresses.expanded(value)

    @property
    def results_folder(self) -> Path | None:
        """The folder of the dataset; None when it lies in an object store."""
        return self.results if isinstance(self.results, Path) else None

    @property
    def outbox_folder(self) -> Path:
        """Where alerts wait."""
        return self.outbox or (self.results_folder or self.cache) / "outbox"

    def with_plan_file(self, layer: Layer) -> Self:
        """These settings with those of a plan file, which win over the settings file and environment."""
        settings = self.model_copy()
        settings._plan_file = layer  # noqa: SLF001  # of our own kind
        return settings

    def asked_by(self, name_of: NameOf) -> Self:
        """These settings where whoever asks for changes of a plan knows them by other names than a flow's parameters."""
        settings = self.model_copy()
        settings._name_asked = name_of  # noqa: SLF001  # of our own kind
        return settings

    def set_elsewhere(self, names: Mapping[str, str]) -> Self:
        """These settings where some were set in another place than usual: how it is known, by what errors call them."""
        settings = self.model_copy()
        settings._elsewhere = {**self._elsewhere, **names}  # noqa: SLF001  # of our own kind
        return settings

    def as_set(self, error: ConfigurationError) -> ConfigurationError:
        """`error` of a setting with the name by which it is known where it was set."""
        name = self._elsewhere.get(error.setting)
        return error if name is None else ConfigurationError(name, error.value, error.problem, error.way_out)

    def layers(self, tier: Tier, changes: TierChanges | None = None) -> tuple[Layer, ...]:
        """What changes `tier`: files and environment, then the plan file, then the `changes` that are asked for."""
        own = Layer(self.plan.of(tier), partial(_name_of_plan_setting, tier))
        asked = Layer(changes or TierChanges(), self._name_asked)
        return (own, asked) if self._plan_file is None else (own, self._plan_file, asked)

    def tier(self, tier: Tier, changes: TierChanges | None = None, *, quick: bool = False) -> TierPlan:
        """The plan of `tier`: the tier, then its `layers`; ``--quick`` comes before what is asked for.

        Who asks for ``--quick --duration 20`` gets 20 s.

        Raises:
            ConfigurationError: when the changes together make no valid plan; it names each field that is a part
                of it where it was set.
        """
        layers = self.layers(tier, changes)
        try:
            plan = TIERS[tier].changed(together(layers))
            return shortened(plan).changed(layers[-1].changes) if quick else plan
        except ValidationError as error:
            raise no_plan(error, layers, tier) from None


_current: ContextVar[Settings | None] = ContextVar("nightbench_settings", default=None)


def load(flags: Mapping[str, Any] | None = None, *, unset: Sequence[str] = ()) -> Settings:
    """Read the settings; `flags` win over the environment, which wins over ``nightbench.toml``.

    Those named in `unset` are left at None, whatever is said of them.

    Raises:
        ConfigurationError: for the first thing that is wrong, naming it and its value.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    reject_unknown(_fields())
    if Path(FILE).exists() and not Path(FILE).is_file():
        raise ConfigurationError("settings file", FILE, "is not a file")
    try:
        return learn(Settings(**given, **dict.fromkeys(unset)))
    except ValidationError as error:
        raise setting_error(error, Settings, flags=given) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("settings file", FILE, f"is not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("settings file", FILE, f"cannot be read: {error}") from None
    except SettingsError as error:
        raise ConfigurationError("environment", PREFIX + "…", scrub(str(error))) from None
    except RecursionError:
        raise ConfigurationError("settings", f"{PREFIX}… or {FILE}", "is too deep") from None


def current() -> Settings:
    """The settings of the running command or flow: those in `use`, or freshly loaded ones."""
    return _current.get() or load()


@contextmanager
def use(settings: Settings) -> Iterator[Settings]:
    """Make `settings` the current ones inside the block."""
    token = _current.set(learn(settings))  # its secrets are nowhere to be shown from now on
    try:
        yield settings
    finally:
        _current.reset(token)


def _name_of_parameter(path: FieldPath) -> str:
    return f"parameter {dotted(path)}"


def _name_of_plan_setting(tier: Tier, path: FieldPath) -> str:
    return place_of(("plan", tier, *path))


def _fields() -> Iterator[FieldPath]:
    """Every setting that a variable has; those inside of a plan have their own advice."""
    yield from ((name,) for name in Settings.model_fields)
    yield from (("verdict", name) for name in VerdictSettings.model_fields)
    yield from (("alerts", name) for name in AlertSettings.model_fields)
    yield from (("run", name) for name in RunSettings.model_fields)
