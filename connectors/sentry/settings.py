"""What an administrator sets for a Sentry connection."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.http import address_parts, is_loopback

Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
TagKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,200}$")]


class SentrySettings(BaseModel):
    """One organisation on one Sentry (SaaS or self-hosted) or GlitchTip, and how we sign in to it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    base_url: str = Field(
        default="https://sentry.io",
        description="The address of the server: `https://us.sentry.io` or `https://de.sentry.io` for SaaS, else the "
        "address of your own.",
        examples=["https://de.sentry.io", "https://sentry.example.com"],
    )
    allow_http: bool = Field(
        default=False,
        description="Allow plain http to a host other than this machine. The token then travels unprotected.",
        examples=[False],
    )
    organization: Slug = Field(
        description="The organisation's slug (or its number): the `acme` in https://acme.sentry.io.", examples=["acme"]
    )
    token: SecretStr = Field(
        min_length=1,
        description="The token of an internal integration (Settings, Developer settings). Scopes: event:read, "
        "event:write, project:read, project:releases, org:read, member:read, team:read; event:admin to remove links.",
        examples=["7d1f…"],
    )
    projects: tuple[Slug, ...] = Field(
        default=(),
        max_length=200,
        description="Slugs of the projects to keep in step; none: all that the token can see. Short ids such as "
        "`SHOP-1A` are understood in texts for the projects named here only.",
        examples=[["shop", "shop-app"]],
    )
    flavour: Literal["sentry", "glitchtip"] = Field(
        default="sentry",
        description="Which server it is. GlitchTip speaks the same interface with fewer parts: no substatus, no "
        "assignee, no priority, no change history, no links of its own.",
        examples=["sentry"],
    )
    installation: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9-]{1,64}$",
        description="The uuid of the integration's installation, by which links are shown on an issue. Found by itself "
        "where the organisation has one installation.",
        examples=["a8e5d37a-696c-4c54-adb5-b3f28d64c7de"],
    )
    webhook_secret: SecretStr | tuple[SecretStr, ...] | None = Field(
        default=None,
        description="The client secret of the internal integration, with which Sentry signs its calls, or several "
        "while one is replaced.",
        examples=["0c5a…"],
    )
    tag_keys: tuple[TagKey, ...] = Field(
        default=("environment", "release"),
        max_length=20,
        description="Which tags of an issue's events become its tags, written KEY-VALUE. None: no tags are read, "
        "which saves a call.",
        examples=[["environment", "release", "browser.name"]],
    )
    tag_values: Annotated[int, Field(ge=1, le=20)] = Field(
        default=3, description="How many values of each such tag, the most frequent ones.", examples=[3]
    )
    id_keys: tuple[TagKey, ...] = Field(
        default=("request_id", "trace", "trace_id"),
        max_length=20,
        description="Which tags of an issue's events name the call that they happened in. Tickets, issues and a "
        "gateway's failing calls that name the same one are proposed as belonging together. None: no events are read, "
        "which saves a call.",
        examples=[["request_id", "trace"]],
    )
    deploy_environment: str = Field(
        default="production",
        max_length=64,
        description="The environment in which a deploy makes a fix `deployed`. Empty: a deploy in any environment.",
        examples=["production"],
    )
    deploy_check_seconds: Annotated[float, Field(ge=1, le=86_400)] = Field(
        default=60,
        description="Seconds between two questions whether a release, in which issues are resolved, is deployed.",
        examples=[60],
    )
    feedback: bool = Field(
        default=True,
        description="Also read the issues of user feedback, which Sentry lists apart.",
        examples=[True],
    )
    page_size: Annotated[int, Field(ge=1, le=100)] = Field(
        default=100, description="Issues per page of a list. Sentry allows 100 at most.", examples=[100]
    )

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = address_parts(value)
        if parts is None:
            raise ValueError("write it as https://host, for example https://us.sentry.io")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("only scheme, host, port and path: the token has a setting of its own")
        return re.sub(r"/(api(/0)?)?$", "", value.rstrip("/"))

    @model_validator(mode="after")
    def _protected(self) -> Self:
        if self.base_url.startswith("http://") and not self.allow_http and not is_loopback(self.base_url):
            raise ValueError("base_url: plain http only to this machine; use https, or set allow_http: true")
        return self

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets a webhook call may be signed with; empty when webhooks are not set up."""
        if self.webhook_secret is None:
            return ()
        several = self.webhook_secret if isinstance(self.webhook_secret, tuple) else (self.webhook_secret,)
        return tuple(secret.get_secret_value() for secret in several if secret.get_secret_value())
