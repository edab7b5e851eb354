"""The gateway's own interfaces that the hub may use: what an administrator sets for APIPark, Apinto and Kong.

All are optional: signatures come from the access log alone. They serve drill-down, comparing totals, and write-back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.http import address_parts, is_loopback


class WriteBack(StrEnum):
    """Where the hub shows a service's open signatures on the gateway. The gateway has no state to write but tags."""

    OFF = "off"
    APIPARK = "apipark"
    """As tags of the service in APIPark."""
    APINTO_HASH = "apinto_hash"
    """As a replicated text in Apinto, by route: survives every release, and is seen in no screen."""
    APINTO_LABELS = "apinto_labels"
    """The same, and as a label of the route, which later log lines can show; the next release of APIPark removes it."""
    KONG = "kong"
    """As tags of the service in Kong."""


class Interface(BaseModel):
    """One management interface: its address."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    url: str = Field(
        description="The address of the interface, without a path.", examples=["https://apipark.example.com"]
    )
    allow_http: bool = Field(
        default=False,
        description="Allow plain http to a host other than this machine. What is sent then travels unprotected.",
        examples=[False],
    )

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = address_parts(value)
        if parts is None:
            raise ValueError("write it as https://host:port")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("only scheme, host, port and path: credentials have settings of their own")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _protected(self) -> Self:
        if self.url.startswith("http://") and not self.allow_http and not is_loopback(self.url):
            raise ValueError("url: plain http only to this machine; use https, or set allow_http: true")
        return self


class ApiParkAccess(Interface):
    """An account of APIPark. An API key does not do: it opens neither logs nor services."""

    name: str = Field(
        min_length=1,
        max_length=200,
        description="The account's name. Give it the least it needs: to see services and logs; to change services only "
        "where `write_back` is `apipark`.",
        examples=["hypercare"],
    )
    password: SecretStr = Field(min_length=1, description="The account's password.", examples=["…"])
    time_zone: str = Field(
        default="UTC",
        description="The time zone of APIPark's server: its times are local and do not say where.",
        examples=["Asia/Shanghai"],
    )

    @field_validator("time_zone")
    @classmethod
    def _a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("not a time zone; write it as Europe/Berlin, Asia/Shanghai or UTC") from None
        return value


class ApintoAccess(Interface):
    """Apinto's admin interface (port 9400). It knows no authentication: keep it on a private network."""


class KongAccess(Interface):
    """Kong's admin interface (port 8001)."""

    token: SecretStr | None = Field(
        default=None, description="The token of an administrator, where the interface asks for one.", examples=["…"]
    )
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = Field(
        default="Kong-Admin-Token", description="The header that carries the token.", examples=["Kong-Admin-Token"]
    )
