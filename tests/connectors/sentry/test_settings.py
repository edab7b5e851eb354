"""What an administrator may write, and what the connector says of itself."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Act
from connectors.sentry import CONNECTOR
from connectors.sentry.settings import SentrySettings
from sync.model import Role


def made(**more: Any) -> SentrySettings:
    return SentrySettings.model_validate({"organization": "acme", "token": "t"} | more)


@pytest.mark.parametrize(
    "written",
    ["https://sentry.example.com", "https://sentry.example.com/", "https://sentry.example.com/api/0/"],
)
def test_an_address_is_taken_as_it_is_pasted(written: str) -> None:
    assert made(base_url=written).base_url == "https://sentry.example.com"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"base_url": "sentry.example.com"}, "https://host"),
        ({"base_url": "https://user:pass@sentry.example.com"}, "token has a setting"),
        ({"base_url": "http://sentry.example.com"}, "allow_http"),
        ({"base_url": "https://[broken"}, "https://host"),
        ({"organization": "a/b"}, "organization"),
        ({"token": ""}, "token"),
        ({"projects": ["a b"]}, "projects"),
        ({"page_size": 500}, "page_size"),
        ({"tag_keys": ["a b"]}, "tag_keys"),
        ({"flavour": "bugsnag"}, "flavour"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        made(**more)


def test_plain_http_goes_to_this_machine_and_where_it_is_allowed() -> None:
    assert made(base_url="http://127.0.0.1:9000").base_url == "http://127.0.0.1:9000"
    assert made(base_url="http://sentry.internal", allow_http=True).base_url == "http://sentry.internal"


def test_a_secret_shows_nowhere() -> None:
    settings = made(token="CANARY-token", webhook_secret=["CANARY-one", "CANARY-two"])
    assert "CANARY" not in f"{settings!r} {settings}"
    assert settings.webhook_secrets == ("CANARY-one", "CANARY-two")
    assert made().webhook_secrets == ()


def test_the_connector_is_a_signal_whose_calls_draw_on_declared_budgets() -> None:
    declared = {budget.name for budget in CONNECTOR.budgets(made())}
    assert CONNECTOR.role is Role.SIGNAL
    assert {name for act in Act for name in CONNECTOR.draws(act)} <= declared


def test_naming_the_connector_loads_no_web_library() -> None:
    code = "import sys, connectors.sentry; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
