"""The settings of a Jira connection, as people write them."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,254}")
_LOOPBACK = re.compile(r"localhost|::1|127(\.\d{1,3}){3}")


class _Written(BaseModel):
    """What all parts share: unknown keys are errors, values do not change later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CloudToken(_Written):
    """Jira Cloud with a classic API token: HTTP Basic with the account's e-mail address."""

    kind: Literal["cloud_token"] = Field(description="Classic API token of a Cloud account.")
    email: str = Field(
        min_length=3, description="E-mail address of the account that owns the token.", examples=["hub@example.com"]
    )
    api_token: SecretStr = Field(
        min_length=1,
        description="API token, made at id.atlassian.com under Security. It lives for a year at most.",
        examples=["ATATT3xFfGF0…"],
    )


class CloudBearer(_Written):
    """Jira Cloud through api.atlassian.com: a scoped API token or an OAuth 2.0 access token, sent as a bearer."""

    kind: Literal["cloud_bearer"] = Field(description="Scoped API token or OAuth access token of a Cloud account.")
    cloud_id: str = Field(
        pattern=r"^[A-Za-z0-9-]{8,64}$",
        description="The site's cloud id, as https://YOUR-SITE.atlassian.net/_edge/tenant_info shows it.",
        examples=["1324a887-45db-1bf4-1e99-ef0ff456d421"],
    )
    token: SecretStr = Field(min_length=1, description="The token.", examples=["ATATT3xFfGF0…"])
    api_url: str = Field(
        default="https://api.atlassian.com",
        description="Where the API of scoped tokens is served; only a stand-in has another address.",
        examples=["https://api.atlassian.com"],
    )


class PersonalToken(_Written):
    """Jira Data Center with a personal access token."""

    kind: Literal["personal_token"] = Field(description="Personal access token of a Data Center account.")
    token: SecretStr = Field(
        min_length=1, description="Token made under Profile, Personal Access Tokens.", examples=["NjQ1MDM4…"]
    )


class Password(_Written):
    """Jira Data Center with user name and password."""

    kind: Literal["password"] = Field(description="User name and password of a Data Center account.")
    username: str = Field(min_length=1, description="The account's user name.", examples=["hypercare"])
    password: SecretStr = Field(min_length=1, description="The account's password.", examples=["…"])


Auth = Annotated[CloudToken | CloudBearer | PersonalToken | Password, Field(discriminator="kind")]


class JiraSettings(_Written):
    """One connection to one Jira site. Every secret `x` may be given as `x_file: path` instead."""

    url: str = Field(
        description="The site's address as people open it, with its context path if it has one.",
        examples=["https://example.atlassian.net", "https://jira.example.com/jira"],
    )
    allow_http: bool = Field(
        default=False, description="Allow plain http to a host other than this machine.", examples=[False]
    )
    deployment: Literal["auto", "cloud", "data_center"] = Field(
        default="auto",
        description="Which Jira it is. `auto` asks the site itself.",
        examples=["auto", "cloud", "data_center"],
    )
    auth: Auth = Field(
        description="How the hub signs in.",
        examples=[{"kind": "cloud_token", "email": "hub@example.com", "api_token": "…"}],
    )
    projects: tuple[str, ...] = Field(
        min_length=1,
        max_length=200,
        description="Keys of the projects to keep in step. Issues of other projects are neither read nor linked.",
        examples=[["SHOP", "APP"]],
    )
    webhook_secret: SecretStr | tuple[SecretStr, ...] = Field(
        default=(),
        description="Secret of the webhook, or several while one replaces another. Without one, calls are refused.",
        examples=["a long random text"],
    )
    notify_users: bool = Field(
        default=True,
        description="Let Jira mail its users about label and field edits. `false` needs administrator rights in Jira.",
        examples=[True],
    )
    marker_property: str = Field(
        default="hypercare.create",
        pattern=r"^[A-Za-z0-9._-]{1,255}$",
        description="Key of the issue property that marks an issue which the hub created. Never change it later.",
        examples=["hypercare.create"],
    )
    page_size: int = Field(
        default=100, ge=1, le=1000, description="Issues asked for in one page of the change feed.", examples=[100]
    )
    index_lag_seconds: float = Field(
        default=300.0,
        ge=0,
        le=3600,
        description="How long Jira's search may lag behind. The change feed is read again for as long.",
        examples=[300],
    )
    extra_fields: tuple[str, ...] = Field(
        default=(), description="More fields to read, by id, for use in a mapping.", examples=[["customfield_10010"]]
    )
    hides_issues: bool = Field(
        default=False,
        description="Set it where issue security may hide single issues from the hub: then an issue that cannot be "
        "found is never taken for a deleted one.",
        examples=[False],
    )
    connect_seconds: float = Field(
        default=3.05, gt=0, le=60, description="How long to wait for a connection.", examples=[3.05]
    )
    read_seconds: float = Field(
        default=20.0, gt=0, le=300, description="How long to wait for the next part of an answer.", examples=[20]
    )

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        return _address(value)

    @field_validator("projects")
    @classmethod
    def _project_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for key in value:
            if not _PROJECT_KEY.fullmatch(key):
                raise ValueError(
                    f"{key!r} is not a project key: capital letters, digits and underscores, as in an issue key before "
                    "the dash"
                )
        return tuple(dict.fromkeys(value))

    @field_validator("extra_fields")
    @classmethod
    def _field_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", name):
                raise ValueError(f"{name!r} is not a field id such as customfield_10010")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> JiraSettings:
        addresses = [self.url]
        if isinstance(self.auth, CloudBearer):
            addresses.append(_address(self.auth.api_url))
        for address in addresses:
            parts = urlsplit(address)
            if parts.scheme == "http" and not self.allow_http and not _LOOPBACK.fullmatch(parts.hostname or ""):
                raise ValueError(
                    f"{address}: plain http sends the credentials readable to all in between; use https, or set "
                    "allow_http: true"
                )
        if self.deployment == "data_center" and isinstance(self.auth, CloudToken | CloudBearer):
            raise ValueError(f"auth kind {self.auth.kind!r} is for Cloud: Data Center takes personal_token or password")
        if self.deployment == "cloud" and isinstance(self.auth, PersonalToken | Password):
            raise ValueError(
                f"auth kind {self.auth.kind!r} is for Data Center: Cloud takes cloud_token or cloud_bearer"
            )
        return self

    @property
    def api_url(self) -> str:
        """The address under which `/rest/...` is served, without a slash at its end."""
        if isinstance(self.auth, CloudBearer):
            return f"{_address(self.auth.api_url)}/ex/jira/{self.auth.cloud_id}"
        return self.url

    @property
    def known_deployment(self) -> Literal["cloud", "data_center"] | None:
        """The deployment as far as the settings alone tell: set, or given away by the address or the way to sign in."""
        if self.deployment != "auto":
            return self.deployment
        host = (urlsplit(self.url).hostname or "").lower()
        if isinstance(self.auth, CloudBearer) or host.endswith((".atlassian.net", ".jira.com")):
            return "cloud"
        return None

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets that a webhook call may be signed with."""
        given = self.webhook_secret
        secrets = (given,) if isinstance(given, SecretStr) else given
        return tuple(secret.get_secret_value() for secret in secrets if secret.get_secret_value())


def _address(value: str) -> str:
    """An http(s) address without credentials, query and fragment, host in lower case, no slash at its end."""
    try:
        parts = urlsplit(value.strip())
        port = parts.port
    except ValueError:
        raise ValueError(f"{value!r} is not an address such as https://example.atlassian.net") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{value!r} is not an address such as https://example.atlassian.net")
    if parts.username or parts.password:
        raise ValueError("the address must not carry a user name or password: they belong under auth")
    if parts.query or parts.fragment:
        raise ValueError(f"{value!r}: leave out everything from the first ? or #")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
