"""What may be set for a Zendesk connection, and what a mistake is told."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.zendesk import CONNECTOR
from connectors.zendesk.settings import ZendeskSettings

OAUTH = {"subdomain": "acme", "client_id": "hub", "client_secret": "canary-1"}


def made(**values: Any) -> ZendeskSettings:
    return ZendeskSettings.model_validate(values)


def test_oauth_client_credentials_are_the_default() -> None:
    settings = made(**OAUTH)
    assert settings.auth == "client_credentials"
    assert settings.url == "https://acme.zendesk.com"


@pytest.mark.parametrize("pasted", ["acme", "ACME", "acme.zendesk.com", "https://acme.zendesk.com/agent", " acme "])
def test_a_pasted_address_gives_the_subdomain(pasted: str) -> None:
    assert made(**OAUTH | {"subdomain": pasted}).subdomain == "acme"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"subdomain": "acme"}, "auth client_credentials needs client_id and client_secret"),
        ({"subdomain": "acme", "auth": "api_token", "email": "a@b.c"}, "auth api_token needs token"),
        ({"subdomain": "acme", "auth": "api_token", "email": "a@b.c", "token": ""}, "auth api_token needs token"),
        (OAUTH | {"auth": "refresh_token"}, "auth refresh_token needs refresh_token"),
        (OAUTH | {"token": "left over"}, "does not use token"),
        (OAUTH | {"base_url": "http://zendesk.example.com"}, "plain http only to this machine"),
        (OAUTH | {"base_url": "zendesk.example.com"}, "write it as https://host"),
        (OAUTH | {"base_url": "https://me:pw@zendesk.example.com"}, "credentials have settings of their own"),
        (OAUTH | {"page_size": "1001"}, "less than or equal to 1000"),
        (OAUTH | {"tokne": "x"}, "Extra inputs are not permitted"),
        (OAUTH | {"auth": "password"}, "'client_credentials', 'refresh_token' or 'api_token'"),
        (OAUTH | {"subdomain": "a b"}, "should match pattern"),
    ],
)
def test_a_mistake_is_told(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        made(**values)
    assert told in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8101", "http://localhost:8101/", "http://[::1]:8101"])
def test_a_stand_in_on_this_machine_may_speak_plain_http(url: str) -> None:
    assert made(**OAUTH | {"base_url": url}).url == url.rstrip("/")


def test_texts_are_typed_as_yaml_and_environment_give_them() -> None:
    settings = made(**OAUTH | {"page_size": "50", "jira_app": "true", "allow_http": "no"})
    assert (settings.page_size, settings.jira_app, settings.allow_http) == (50, True, False)
    assert made(**OAUTH | {"jira_app": "auto"}).jira_app == "auto"


def test_one_or_several_webhook_secrets_are_taken() -> None:
    assert made(**OAUTH).webhook_secrets == ()
    assert made(**OAUTH | {"webhook_secret": "one"}).webhook_secrets == ("one",)
    assert made(**OAUTH | {"webhook_secret": ["old", "new"]}).webhook_secrets == ("old", "new")


def test_secrets_are_not_printed() -> None:
    settings = made(**OAUTH | {"webhook_secret": ["canary-2"]})
    assert "canary" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_every_setting_has_a_description_and_an_example() -> None:
    for name, field in ZendeskSettings.model_fields.items():
        assert field.description, name
        assert field.examples, name


@pytest.mark.parametrize(
    ("text", "ticket"),
    [
        ("123", "123"),
        ("#123", "123"),
        (" 123 ", "123"),
        ("https://acme.zendesk.com/agent/tickets/123", "123"),
        ("https://acme.zendesk.com/agent/#/tickets/123", None),
        ("https://acme.zendesk.com/tickets/123", "123"),
        ("https://acme.zendesk.com/api/v2/tickets/123.json", "123"),
        ("https://acme.zendesk.com/api/v2/tickets/123", "123"),
        ("https://acme.zendesk.com/requests/123", "123"),
        ("https://acme.zendesk.com/hc/en-us/requests/123", "123"),
        ("https://ACME.zendesk.com/agent/tickets/123?brand=1#note", "123"),
        ("https://other.zendesk.com/agent/tickets/123", None),
        ("https://acme.zendesk.com.evil.example/agent/tickets/123", None),
        ("ABC-12", None),
        ("", None),
        ("https://acme.zendesk.com/agent/users/123", None),
        ("http://[", None),
        ("1" * 30, None),
    ],
)
def test_a_reference_names_a_ticket_of_this_account_or_nothing(text: str, ticket: str | None) -> None:
    assert CONNECTOR.parse_reference(made(**OAUTH), text) == ticket


def test_a_host_mapped_account_is_known_by_both_addresses() -> None:
    settings = made(**OAUTH | {"base_url": "https://support.acme.com"})
    for host in ("support.acme.com", "acme.zendesk.com"):
        assert CONNECTOR.parse_reference(settings, f"https://{host}/agent/tickets/7") == "7"
