"""What an administrator sets for a Zendesk connection."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.http import address_parts, is_loopback

Text = Annotated[str, Field(min_length=1, max_length=255)]


class ZendeskSettings(BaseModel):
    """One Zendesk account, and how we sign in to it.

    `auth` says which credentials are used; the others may not be set, so that a left-over secret is never believed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    subdomain: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")] = Field(
        description="The account's subdomain: the `acme` in https://acme.zendesk.com. It is the account's identity, "
        "also where `base_url` names another address.",
        examples=["acme"],
    )
    base_url: str | None = Field(
        default=None,
        description="The account's address where it is not https://SUBDOMAIN.zendesk.com: a host-mapped account, or a "
        "stand-in on this machine.",
        examples=["http://127.0.0.1:8101"],
    )
    allow_http: bool = Field(
        default=False,
        description="Allow plain http to a host other than this machine. Credentials then travel unprotected.",
        examples=[False],
    )
    auth: Literal["client_credentials", "refresh_token", "api_token"] = Field(
        default="client_credentials",
        description="How to sign in. `client_credentials`: a confidential OAuth client, with `client_id` and "
        "`client_secret` (recommended). `refresh_token`: an OAuth authorisation, with `client_id`, `client_secret` and "
        "the first `refresh_token`. `api_token`: `email` and `token`; Zendesk switches these off on 30 April 2027.",
        examples=["client_credentials"],
    )
    client_id: Text | None = Field(
        default=None,
        description="The OAuth client's unique identifier (Admin Centre, APIs, OAuth clients).",
        examples=["hypercare"],
    )
    client_secret: SecretStr | None = Field(default=None, description="The OAuth client's secret.", examples=["2f1c…"])
    refresh_token: SecretStr | None = Field(
        default=None,
        description="The first refresh token. Each use replaces it; the newest pair is kept in the data folder, and "
        "this one is used again only if that pair is lost or this setting has changed.",
        examples=["9ab0…"],
    )
    scope: Text = Field(
        default="read write",
        description="The OAuth scopes to ask for. Ticket audits need the global `read`; `tickets:read` is not enough.",
        examples=["read write"],
    )
    email: Text | None = Field(
        default=None, description="The agent to whom the API token belongs.", examples=["hypercare@acme.com"]
    )
    token: SecretStr | None = Field(default=None, description="The API token.", examples=["6wiI…"])
    webhook_secret: SecretStr | tuple[SecretStr, ...] | None = Field(
        default=None,
        description="The signing secret of the webhook that Zendesk calls us with, or several while one is replaced.",
        examples=["dXNlIHlvdXIgb3du"],
    )
    page_size: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1000, description="Tickets per page of the export. Zendesk allows 1000 at most.", examples=[1000]
    )
    jira_app: bool | Literal["auto"] = Field(
        default="auto",
        description="Whether links made with Zendesk's own `Jira for Zendesk` app are followed and written. `auto`: "
        "when the account has such links.",
        examples=["auto"],
    )

    @field_validator("subdomain", mode="before")
    @classmethod
    def _only_the_subdomain(cls, value: object) -> object:
        """An address is what people paste: take the subdomain out of it."""
        if isinstance(value, str) and "." in value:
            host = urlsplit(value if "//" in value else f"//{value}").hostname or value
            return host.removesuffix(".zendesk.com")
        return value.lower() if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = address_parts(value)
        if parts is None:
            raise ValueError("write it as https://host, for example https://support.acme.com")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("only scheme, host and port: credentials have settings of their own")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (
            self.base_url
            and self.base_url.startswith("http://")
            and not self.allow_http
            and not is_loopback(self.base_url)
        ):
            raise ValueError("base_url: plain http only to this machine; use https, or set allow_http: true")
        needed = {
            "client_credentials": ("client_id", "client_secret"),
            "refresh_token": ("client_id", "client_secret", "refresh_token"),
            "api_token": ("email", "token"),
        }[self.auth]
        missing = [name for name in needed if not _filled(getattr(self, name))]
        if missing:
            secret = next((name for name in missing if name not in ("client_id", "email")), "")
            elsewhere = f" or as {secret}_file" if secret else ""
            raise ValueError(f"auth {self.auth} needs {' and '.join(missing)}: set it here{elsewhere}")
        known = ("client_id", "client_secret", "refresh_token", "email", "token")
        idle = [name for name in known if name not in needed and getattr(self, name) is not None]
        if idle:
            raise ValueError(f"auth {self.auth} does not use {' and '.join(idle)}: remove it, or choose another auth")
        return self

    @property
    def url(self) -> str:
        """The account's address, without a slash at its end."""
        return self.base_url or f"https://{self.subdomain}.zendesk.com"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The secrets a webhook call may be signed with; empty when webhooks are not set up."""
        if self.webhook_secret is None:
            return ()
        several = self.webhook_secret if isinstance(self.webhook_secret, tuple) else (self.webhook_secret,)
        return tuple(secret.get_secret_value() for secret in several if secret.get_secret_value())


def _filled(value: str | SecretStr | None) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)
