"""The stock connections of a launch day: a desk and a tracker, as the stand-ins know them."""

from __future__ import annotations

from connectors import jira, zendesk
from connectors.jira.settings import JiraSettings
from connectors.zendesk.settings import ZendeskSettings
from sync.daemon.build import Configured


def desk_and_tracker() -> tuple[Configured, Configured]:
    """A Zendesk named `support` and a Jira named `tracker`, without webhooks' secrets."""
    desk = ZendeskSettings.model_validate(
        {
            "subdomain": "acme",
            "base_url": "http://127.0.0.1:8101",
            "client_id": "hypercare",
            "client_secret": "sandbox-client-secret",
        }
    )
    tracker = JiraSettings.model_validate(
        {
            "url": "http://127.0.0.1:8102",
            "projects": ["OPS"],
            "auth": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"},
        }
    )
    return (
        Configured(name="support", connector=zendesk.CONNECTOR, settings=desk),
        Configured(name="tracker", connector=jira.CONNECTOR, settings=tracker),
    )
