"""What may stand in `hypercare.yaml`: every setting, with its description, example and default.

Shapes only. Where values come from is `config.load`; what a connection needs is its connector's own `settings.py`.
The reference `docs/settings.md` is made from here.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from connectors.http import checked_networks, is_loopback
from connectors.registry import CONNECTORS
from sync.model import Role

_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
NAME_LIMIT = 64


class Written(BaseModel):
    """The ground of all parts: unknown keys are errors, values do not change later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WebSection(Written):
    """The web face: webhooks, `/health` and `/metrics`."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on. Keep the default behind a reverse proxy that speaks https.",
        examples=["127.0.0.1"],
    )
    port: int = Field(
        default=8080, ge=0, le=65535, description="The port to listen on. `0` takes a free one.", examples=[8080]
    )
    public_url: str | None = Field(
        default=None,
        description="The address under which Zendesk, Jira and Sentry reach the web face from outside; webhooks are "
        "called at "
        "`PUBLIC_URL/hooks/CONNECTION`. Without it everything is found by polling.",
        examples=["https://hypercare.example.com"],
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks of reverse proxies. Their connections carry many senders and are not "
        "counted by address.",
        examples=[["127.0.0.1", "10.0.0.0/8"]],
    )

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("is not an address; write it as https://host, without user name, ? and #")
        if value.startswith("http://") and not is_loopback(value):
            raise ValueError("is plain http, on which webhook calls can be read and changed; use https")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return checked_networks(value)


class LogSection(Written):
    """The daemon's log, on standard error."""

    format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="`json`: one JSON object a line. `console`: key=value, for people. `auto`: `console` on a "
        "terminal, else `json`.",
        examples=["auto"],
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="From which level on lines are shown. `debug` shows one line a record, call and delivery.",
        examples=["info"],
    )


class MissingBrake(Written):
    """When a connection is held because too many of its linked records went missing."""

    at_least: int = Field(
        default=20, ge=0, description="This many in one hour never hold the connection.", examples=[20]
    )
    share: float = Field(
        default=0.05, ge=0, le=1, description="Nor does this share of the known linked records.", examples=[0.05]
    )


class WriteBrake(Written):
    """When a connection is held because one cause would write too many of its records."""

    at_least: int = Field(
        default=50, ge=0, description="This many in one hour never hold the connection.", examples=[50]
    )
    share: float = Field(
        default=0.10, ge=0, le=1, description="Nor does this share of the known linked records.", examples=[0.10]
    )


class EngineSection(Written):
    """The figures of the engine. The defaults suit nearly everybody."""

    poll_overlap_seconds: float = Field(
        default=120.0, ge=0, le=3600, description="How far back a poll without a cursor begins.", examples=[120]
    )
    import_days: int = Field(
        default=90, ge=0, le=36500, description="How many days back the first import begins.", examples=[90]
    )
    sweep_hours: float = Field(
        default=24.0,
        gt=0,
        le=8760,
        description="Within how many hours every linked record is read again, for what no change feed shows.",
        examples=[24],
    )
    drift_hours: float = Field(
        default=24.0,
        gt=0,
        le=8760,
        description="How often each mapping is held against its live system, beside every start and every edit: "
        "statuses that were added, fields that are gone.",
        examples=[24],
    )
    links_minutes: float = Field(
        default=15.0,
        ge=0,
        le=1440,
        description="How long a record that is read because it changed may go without a look at its links and workflow "
        "steps, which costs further calls. `0` looks with every read, so that a link made by hand is found at once.",
        examples=[15],
    )
    brake_missing: MissingBrake = Field(
        default=MissingBrake(), description="Records that go missing.", examples=[{"at_least": 20, "share": 0.05}]
    )
    brake_writes: WriteBrake = Field(
        default=WriteBrake(), description="Writes from one cause.", examples=[{"at_least": 50, "share": 0.10}]
    )
    fight_writes: int = Field(
        default=3,
        ge=1,
        le=1000,
        description="Writes of one value to one field of one record in an hour that are taken for a fight with "
        "somebody's automation.",
        examples=[3],
    )
    miss_limit: int = Field(
        default=3,
        ge=1,
        le=100,
        description="How often a write that is answered well and not shown is made before it is parked.",
        examples=[3],
    )
    webhook_days: int = Field(default=7, ge=1, description="How long bodies of webhook calls are kept.", examples=[7])
    delivery_days: int = Field(default=90, ge=1, description="How long settled deliveries are kept.", examples=[90])
    journal_days: int = Field(default=400, ge=1, description="How long the journal is kept.", examples=[400])
    raw_days: int = Field(
        default=30,
        ge=1,
        description="How long the values of records without an item are kept after they were last seen.",
        examples=[30],
    )


# --- connections -----------------------------------------------------------------------------------------------------


def _common(system: str, role: Role) -> dict[str, Any]:
    """The keys that every connection has, beside those of its connector."""
    return {
        "system": (
            Literal[system],
            Field(description="Which kind of system it is on.", examples=[system]),
        ),
        "role": (
            Role,
            Field(
                default=role,
                description="`tracker`: where the work happens. `helpdesk`: who reported it. `signal`: what machines "
                "saw.",
                examples=[role.value],
            ),
        ),
        "poll_seconds": (
            float,
            Field(
                default=30.0,
                ge=0.2,
                le=3600,
                description="How often the change feed is asked, in seconds. Webhooks are quicker.",
                examples=[30],
            ),
        ),
    }


CONNECTION_MODELS: dict[str, type[BaseModel]] = {
    name: create_model(
        f"{name.title()}Connection",
        __base__=connector.settings,
        __doc__=connector.settings.__doc__,
        **_common(name, connector.role),
    )
    for name, connector in CONNECTORS.items()
}
"""System name -> the shape of a connection on it: the connector's settings and the common keys."""


def is_connection_name(text: str) -> bool:
    """Whether `text` can be the name of a connection."""
    return len(text) <= NAME_LIMIT and _NAME.fullmatch(text) is not None


def _name(value: str) -> str:
    if not is_connection_name(value):
        raise ValueError(
            "is not a name for a connection; use small letters and digits, with single - or _ between them"
        )
    return value


class Connection(Protocol):
    """One configured connection: what all have in common. It is an instance of its connector's settings too."""

    @property
    def system(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def poll_seconds(self) -> float: ...
    @property
    def webhook_secrets(self) -> tuple[str, ...]: ...


if TYPE_CHECKING:
    AnyConnection: TypeAlias = Connection
else:
    AnyConnection = Annotated[reduce(or_, CONNECTION_MODELS.values()), Field(discriminator="system")]

ConnectionKey: TypeAlias = Annotated[str, AfterValidator(_name)]


class Settings(BaseSettings):
    """All settings of one hypercare. Paths are relative to the folder of the file that they stand in."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    connections: dict[ConnectionKey, AnyConnection] = Field(
        default_factory=dict,
        description="The accounts to keep in step, by a name of your choice.",
        examples=[{"support": {"system": "zendesk", "subdomain": "acme"}}],
    )
    data_dir: Path = Field(
        default=Path("../var"),
        description="The folder of the database, its lock and the rotating tokens. Only its owner may read it.",
        examples=["../var"],
    )
    database: Path | None = Field(
        default=None,
        description="The database, where it is not `hypercare.db` in `data_dir`. It must be on a local disk.",
        examples=["/srv/hypercare/hypercare.db"],
    )
    mappings_dir: Path = Field(
        default=Path("../mappings"), description="The folder of the mapping files.", examples=["../mappings"]
    )
    web: WebSection = Field(default=WebSection(), description="The web face.", examples=[{"port": 8080}])
    log: LogSection = Field(default=LogSection(), description="The log.", examples=[{"format": "json"}])
    engine: EngineSection = Field(
        default=EngineSection(), description="The engine's figures.", examples=[{"import_days": 90}]
    )

    layers: ClassVar[tuple[dict[str, Any], ...]] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The layers and nothing else: the environment is read by `config.load`, which can name what it read."""
        del init_settings, env_settings, dotenv_settings, file_secret_settings
        return tuple(InitSettingsSource(settings_cls, init_kwargs=layer) for layer in cls.layers)


def layered(*layers: dict[str, Any]) -> Settings:
    """The settings out of nested layers, the first of which wins. Raises ValidationError with all that is wrong."""
    chosen: type[Settings] = type("Settings", (Settings,), {"layers": layers, "__module__": __name__})
    return chosen()
