"""The page of all settings."""

from __future__ import annotations

from config import reference
from config.catalogue import common, of_system
from config.settings import CONNECTION_MODELS
from connectors.registry import CONNECTORS
from tests.config.refresh import PAGE


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == reference.text(), "run: python -m tests.config.refresh"


def test_every_setting_is_described() -> None:
    settings = [*common(), *(setting for system in CONNECTION_MODELS for setting in of_system(system))]
    assert [setting.way for setting in settings if not setting.description] == []


def test_every_registered_connector_can_be_configured_and_goes_by_its_own_name() -> None:
    assert {"gateway", "jira", "sentry", "zendesk"} <= set(CONNECTORS)
    assert [connector.name for connector in CONNECTORS.values()] == list(CONNECTORS)
    assert set(CONNECTION_MODELS) == set(CONNECTORS)
