"""What an administrator sets for a gateway connection: its logs, how to read them, and the rules of signatures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.gateway.interfaces import ApintoAccess, ApiParkAccess, KongAccess, WriteBack
from connectors.gateway.presets import PRESETS, GenericMapping, Preset, Unit, preset
from connectors.gateway.rules import FoldRules, Group
from connectors.http import address_parts, checked_networks

_DEFAULTS = FoldRules()

Share = Annotated[float, Field(ge=0, le=1)]
Route = Annotated[str, Field(min_length=1, max_length=500)]


class LineMapping(BaseModel):
    """How the lines of a gateway without a preset are read. docs: connectors/gateway/README.md names the fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "regex"] = Field(
        default="json", description="`json`: an object a line. `regex`: see `pattern`.", examples=["json"]
    )
    pattern: str = Field(
        default="",
        max_length=4000,
        description="For `regex`: the line, with a named group for each part.",
        examples=[r"(?P<ip>\S+) \[(?P<at>[^\]]+)\] (?P<code>\d+)"],
    )
    base: str = Field(
        default="",
        description="A preset whose fields count where `fields` names none.",
        examples=["nginx"],
    )
    fields: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="For each field of a call, where it stands in the line: a name, a path with dots, or several of "
        "which the first that has a value is taken.",
        examples=[{"time": "ts", "status": "response.status", "route": ["route.name", "route.id"]}],
    )
    time_unit: Literal["s", "ms", "us", "ns", "iso", "clf"] = Field(
        default="iso",
        description="How times are written: since 1970 in a unit, `iso`, or `clf` (02/Jan/2026:03:04:05 +0000).",
        examples=["ms"],
    )
    latency_unit: Unit = Field(default="ms", description="The unit of `latency`.", examples=["s"])
    upstream_latency_unit: Unit = Field(default="ms", description="The unit of `upstream_latency`.", examples=["s"])
    lists: Literal["last", "max"] = Field(
        default="last",
        description="Which status of a list of attempts counts: the last one or the largest.",
        examples=["last"],
    )

    def generic(self) -> GenericMapping:
        """As the fold takes it."""
        return GenericMapping(
            fields={name: (where,) if isinstance(where, str) else where for name, where in self.fields.items()},
            format=self.format,
            pattern=self.pattern,
            time_unit=self.time_unit,
            units={"latency": self.latency_unit, "upstream_latency": self.upstream_latency_unit},
            lists=self.lists,
            base=self.base,
        )


class SignatureRules(BaseModel):
    """When calls become a signature, and what then becomes of it. Shares are of all calls of the route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_count: int = Field(
        default=_DEFAULTS.min_count, ge=1, description="So many calls within a window open a signature.", examples=[10]
    )
    min_rate: Share = Field(
        default=_DEFAULTS.min_rate,
        description="And this share of the route's calls; failures of an upstream or a model need the count only.",
        examples=[0.01],
    )
    client_min_rate: Share = Field(
        default=_DEFAULTS.client_min_rate, description="The same for client errors (4xx).", examples=[0.2]
    )
    window_minutes: int = Field(
        default=_DEFAULTS.window_minutes, ge=1, le=60, description="How long a window is.", examples=[5]
    )
    lateness_minutes: int = Field(
        default=_DEFAULTS.lateness_minutes,
        ge=0,
        le=60,
        description="A line older than the newest one by more than this is counted and opens nothing.",
        examples=[5],
    )
    single_hit_routes: tuple[Route, ...] = Field(
        default=(),
        description="Routes (by id, or as SERVICE/ROUTE) on which one failing call is enough.",
        examples=[["payments/charge"]],
    )
    silent_routes: tuple[Route, ...] = Field(
        default=(), description="Routes that make no signatures, such as health checks.", examples=[["health"]]
    )
    quiet_minutes: int = Field(
        default=_DEFAULTS.quiet_minutes,
        ge=1,
        description="A signature without a call for so long is resolved by rule, if the route was used meanwhile.",
        examples=[60],
    )
    quiet_requests: int = Field(
        default=_DEFAULTS.quiet_requests,
        ge=1,
        description="So many other calls of the route prove that it works again.",
        examples=[100],
    )
    grace_seconds: float = Field(
        default=_DEFAULTS.grace_seconds,
        ge=0,
        le=86400,
        description="A call up to so long after the resolve (by the time in its line) reopens nothing.",
        examples=[60],
    )
    regress_hits: int = Field(
        default=_DEFAULTS.regress_hits, ge=1, description="So many calls after that reopen it.", examples=[3]
    )
    escalate_factor: float = Field(
        default=_DEFAULTS.escalate_factor,
        gt=1,
        description="An hour with more than this many times the median of the same hour of seven days escalates.",
        examples=[3],
    )
    escalate_min_count: int = Field(
        default=_DEFAULTS.escalate_min_count, ge=1, description="And at least so many calls.", examples=[100]
    )
    off: tuple[Group, ...] = Field(
        default=(), description="Classes of calls that make no signatures.", examples=[["auth"]]
    )
    client_codes: tuple[Annotated[int, Field(ge=400, le=499)], ...] = Field(
        default=tuple(sorted(_DEFAULTS.client_codes or ())),
        description="The client errors that do make signatures.",
        examples=[[404, 409, 422, 429]],
    )
    slo_ms: float | None = Field(
        default=_DEFAULTS.slo_ms,
        gt=0,
        description="A successful call slower than this is a slow one. Without it slowness makes no signature.",
        examples=[2000],
    )
    route_slo_ms: dict[Route, float] = Field(
        default_factory=dict, description="The same for single routes.", examples=[{"reports": 30000}]
    )
    slow_share: Share = Field(
        default=_DEFAULTS.slow_share,
        description="More slow calls than this share of a route's calls open a signature.",
        examples=[0.05],
    )
    critical_impact: float = Field(
        default=_DEFAULTS.critical_impact,
        ge=0,
        description="Share of failing calls times affected consumers from which a signature is critical.",
        examples=[50],
    )
    high_impact: float = Field(default=_DEFAULTS.high_impact, ge=0, description="... high.", examples=[10])
    medium_impact: float = Field(
        default=_DEFAULTS.medium_impact, ge=0, description="... medium; below it is low.", examples=[1]
    )
    max_signatures_per_route: int = Field(
        default=_DEFAULTS.max_signatures_per_route,
        ge=1,
        description="More signatures of one route fall into one called `other`.",
        examples=[50],
    )
    max_signatures: int = Field(
        default=_DEFAULTS.max_signatures, ge=1, description="Signatures in memory at most.", examples=[10000]
    )
    max_routes: int = Field(default=_DEFAULTS.max_routes, ge=1, description="Routes at most.", examples=[10000])
    dedup_ids: int = Field(
        default=_DEFAULTS.dedup_ids,
        ge=0,
        description="Request ids that are remembered, so that a line that is sent again counts once. `0`: none.",
        examples=[400000],
    )

    def fold_rules(self, *, at_least: bool) -> FoldRules:
        """As the fold takes them."""
        values = self.model_dump()
        for name in ("single_hit_routes", "silent_routes", "off", "client_codes"):
            values[name] = frozenset(values[name])
        return FoldRules(**values, at_least=at_least)


class GatewaySettings(BaseModel):
    """One API gateway: where its call logs come from, how they are read, and when calls become records."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    console_url: str = Field(
        description="Where people look at this gateway: APIPark's console, a dashboard. Signatures are linked as "
        "CONSOLE_URL#signature=ID, and it is the connection's identity.",
        examples=["https://apipark.example.com"],
    )
    preset: str = Field(
        default="apinto",
        description=f"How the lines are written: {', '.join(PRESETS)}, or `own` with `lines`.",
        examples=["apinto"],
    )
    lines: LineMapping | None = Field(
        default=None, description="For `preset: own`: where each field stands.", examples=[{"fields": {"time": "ts"}}]
    )
    log_files: tuple[Path, ...] = Field(
        default=(),
        max_length=20,
        description="Log files to follow, as absolute paths; the most reliable feed. Each line is counted once, "
        "whatever is rotated or restarted.",
        examples=[["/var/log/apinto/access.log"]],
    )
    rotated: str = Field(
        default="",
        description="A pattern for the names that a log file gets when it is put aside, in the same folder. "
        "By default its own name, a `-`, `.` or `_`, and anything.",
        examples=["access-20*.log"],
    )
    rotation_seconds: float = Field(
        default=5.0,
        ge=0,
        le=600,
        description="For how long a renamed log file is still read, until its writer opens the new one.",
        examples=[5],
    )
    begin: Literal["beginning", "end"] = Field(
        default="beginning", description="Where in a log file the very first reading begins.", examples=["end"]
    )
    longest_line_kb: int = Field(
        default=1024, ge=4, le=16384, description="Longer lines are left out and counted.", examples=[1024]
    )
    receiver_token: SecretStr | tuple[SecretStr, ...] | None = Field(
        default=None,
        description="The secret in the header of calls to `/feeds/CONNECTION`, or several while one is replaced. "
        "Without it nothing is received.",
        examples=["7d1f…"],
    )
    receiver_header: str = Field(
        default="authorization",
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="The header it stands in, alone or after `Bearer`.",
        examples=["authorization"],
    )
    receiver_sources: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks that may call; none: any that knows the token.",
        examples=[["10.0.0.0/8"]],
    )
    spool_mb: int = Field(
        default=256,
        ge=1,
        le=100_000,
        description="Room on disk for received lines that wait to be folded, in MB; calls beyond it are answered 503.",
        examples=[256],
    )
    rules: SignatureRules = Field(
        default=SignatureRules(), description="The rules of signatures.", examples=[{"min_count": 10}]
    )
    apipark: ApiParkAccess | None = Field(
        default=None,
        description="An account of APIPark: for the details of a sampled call, for comparing totals, for write-back.",
        examples=[{"url": "https://apipark.example.com", "name": "hypercare", "password": "…"}],
    )
    apinto: ApintoAccess | None = Field(
        default=None, description="Apinto's admin interface.", examples=[{"url": "http://127.0.0.1:9400"}]
    )
    kong: KongAccess | None = Field(
        default=None, description="Kong's admin interface.", examples=[{"url": "http://127.0.0.1:8001"}]
    )
    write_back: WriteBack = Field(
        default=WriteBack.OFF,
        description="Whether open signatures are shown in the gateway. `apipark`, `kong`: as tags of the service. "
        "`apinto_hash`: in Apinto's hash, by route; `apinto_labels`: there and as a label of the route.",
        examples=["off"],
    )

    @field_validator("preset")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in (*PRESETS, "own"):
            raise ValueError(f"is not one of {', '.join(PRESETS)} and own")
        return value

    @field_validator("console_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = address_parts(value)
        if parts is None or re.search(r"[\s#?]", value):
            raise ValueError("write it as https://host, without ? and #")
        if parts.username or parts.password:
            raise ValueError("without user name and password: it is only shown to people")
        return value.rstrip("/")

    @field_validator("log_files")
    @classmethod
    def _absolute(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in value:
            if not path.is_absolute():
                raise ValueError(f"`{path}` is not absolute; write it from / on")
        if len(set(value)) != len(value):
            raise ValueError("names a file twice; its lines would count twice")
        return value

    @field_validator("receiver_sources")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return checked_networks(value)

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.preset == "own") != (self.lines is not None):
            raise ValueError("preset: `own` and `lines` go together: say both, or neither")
        if not self.log_files and not self.receiver_tokens:
            raise ValueError("log_files: name at least one, or set receiver_token to receive lines")
        if any(len(token) < 16 for token in self.receiver_tokens):
            raise ValueError("receiver_token: at least 16 characters, by chance")
        needed = {WriteBack.APIPARK: "apipark", WriteBack.KONG: "kong"}.get(self.write_back, "apinto")
        if self.write_back is not WriteBack.OFF and getattr(self, needed) is None:
            raise ValueError(f"write_back: `{self.write_back.value}` needs `{needed}`")
        try:
            self.read_as()
        except ValueError as error:
            raise ValueError(f"lines: {error}") from None
        return self

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """None: what is pushed to a gateway connection comes to its feed."""
        return ()

    @property
    def receiver_tokens(self) -> tuple[str, ...]:
        """The tokens that a call may carry; empty when nothing is received."""
        if self.receiver_token is None:
            return ()
        several = self.receiver_token if isinstance(self.receiver_token, tuple) else (self.receiver_token,)
        return tuple(secret.get_secret_value() for secret in several if secret.get_secret_value())

    def read_as(self) -> Preset:
        """How lines are read. Raises ValueError."""
        return preset(self.lines.generic() if self.lines is not None else self.preset)

    def fold_rules(self) -> FoldRules:
        """The rules, and whether counts are lower bounds: what is pushed may have been dropped on the way."""
        return self.rules.fold_rules(at_least=bool(self.receiver_tokens))
