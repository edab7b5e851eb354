from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.jira import settings as module
from connectors.jira.settings import JiraSettings
from tests.connectors.jira.made import settings

PAT = {"kind": "personal_token", "token": "pat"}
BEARER = {"kind": "cloud_bearer", "cloud_id": "1324a887-45db", "token": "scoped"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "example.atlassian.net"}, "is not an address"),
        ({"url": "ftp://example.com"}, "is not an address"),
        ({"url": "https://example.com:port"}, "is not an address"),
        ({"url": "https://hub:pw@example.com"}, "belong under auth"),
        ({"url": "https://example.com/?a=b"}, "leave out everything"),
        ({"url": "http://jira.example.com"}, "plain http"),
        ({"url": "http://127.0.0.1.example.com"}, "plain http"),
        ({"projects": []}, "at least 1 item"),
        ({"projects": ["shop"]}, "not a project key"),
        ({"projects": ['SHOP" OR 1=1']}, "not a project key"),
        ({"auth": {"kind": "magic"}}, "does not match any of the expected tags"),
        ({"auth": {"kind": "cloud_token", "email": "a@b.c"}}, "Field required"),
        ({"auth": PAT, "deployment": "cloud"}, "Cloud takes cloud_token or cloud_bearer"),
        ({"deployment": "data_center"}, "Data Center takes personal_token or password"),
        ({"auth": {**BEARER, "api_url": "http://api.example.com"}}, "plain http"),
        ({"auth": {**BEARER, "cloud_id": "../../evil"}}, "match pattern"),
        ({"page_size": 0}, "greater than or equal to 1"),
        ({"extra_fields": ["customfield_1,comment"]}, "is not a field id"),
        ({"unknown": 1}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        settings(**changes)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8102", "http://localhost:8102/jira/", "http://[::1]:8102"])
def test_plain_http_is_good_to_this_machine(url: str) -> None:
    assert settings(url=url).url == url.rstrip("/")


def test_plain_http_elsewhere_is_a_choice() -> None:
    assert settings(url="http://jira.example.com", allow_http=True).url == "http://jira.example.com"


def test_an_address_is_kept_in_one_spelling() -> None:
    assert settings(url="https://Example.Atlassian.NET/").url == "https://example.atlassian.net"


def test_secrets_are_never_shown() -> None:
    shown = repr(settings(webhook_secret="hook-s3cret")) + settings(webhook_secret="hook-s3cret").model_dump_json()
    assert "t0ken" not in shown
    assert "hook-s3cret" not in shown


def test_one_webhook_secret_or_several() -> None:
    assert settings().webhook_secrets == ()
    assert settings(webhook_secret="a").webhook_secrets == ("a",)
    assert settings(webhook_secret=["a", "b"]).webhook_secrets == ("a", "b")


def test_scoped_tokens_go_to_the_gateway_and_links_to_the_site() -> None:
    scoped = settings(auth=BEARER)
    assert scoped.api_url == "https://api.atlassian.com/ex/jira/1324a887-45db"
    assert scoped.url == "https://example.atlassian.net"


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, "cloud"),
        ({"url": "https://jira.example.com"}, None),
        ({"url": "https://jira.example.com", "auth": PAT}, None),
        ({"url": "https://jira.example.com", "auth": BEARER}, "cloud"),
        ({"url": "https://jira.example.com", "auth": PAT, "deployment": "data_center"}, "data_center"),
        ({"url": "https://fake-atlassian.net.example.com"}, None),
    ],
)
def test_the_deployment_is_known_where_the_settings_give_it_away(changes: dict[str, Any], known: str | None) -> None:
    assert settings(**changes).known_deployment == known


def test_every_setting_has_a_description_and_an_example() -> None:
    models: list[type[BaseModel]] = [
        JiraSettings, module.CloudToken, module.CloudBearer, module.PersonalToken, module.Password,
    ]  # fmt: skip
    lacking = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description or (name != "kind" and not field.examples)
    ]
    assert lacking == []
