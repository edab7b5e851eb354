"""Jira's JSON and the model's values, made short for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from connectors.contract import WebhookRequest
from connectors.jira.settings import JiraSettings
from sync.model import LinkView

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def issue(
    number: int = 10001, key: str = "SHOP-1", *, updated: str = "2026-01-02T03:04:05.678+0000", **fields: Any
) -> Any:
    return {
        "id": str(number),
        "key": key,
        "self": f"https://jira.example.com/rest/api/2/issue/{number}",
        "fields": {
            "status": {"id": "3", "name": "In Progress", "statusCategory": {"id": 4, "key": "indeterminate"}},
            "labels": ["checkout", "ios"],
            "resolution": None,
            "summary": "Checkout fails",
            "description": "It *fails*",
            "priority": {"id": "2", "name": "High"},
            "issuetype": {"id": "10004", "name": "Bug"},
            "project": {"id": "10000", "key": "SHOP", "name": "Shop"},
            "reporter": {"accountId": "abc:1", "displayName": "Ada", "emailAddress": "ada@example.com"},
            "assignee": None,
            "components": [{"name": "Web"}],
            "environment": None,
            "fixVersions": [{"name": "1.2"}],
            "created": "2026-01-01T00:00:00.000+0000",
            "updated": updated,
            **fields,
        },
    }


def settings(**changes: Any) -> JiraSettings:
    written: dict[str, Any] = {
        "url": "https://example.atlassian.net",
        "auth": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "t0ken"},
        "projects": ["SHOP", "APP"],
        **changes,
    }
    return JiraSettings.model_validate(written)


def ticket(number: str = "5158", **changes: Any) -> LinkView:
    values: dict[str, Any] = {
        "system": "zendesk",
        "connection": "support",
        "kind": "ticket",
        "id": number,
        "key": f"#{number}",
        "url": f"https://acme.zendesk.com/agent/tickets/{number}",
        "title": "I cannot pay",
        **changes,
    }
    return LinkView(**values)


def signed(body: Any, secret: str = "s3cret", **headers: str) -> WebhookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return WebhookRequest(headers={"x-hub-signature": signature, **headers}, body=raw)


def token(claims: Any, secret: str = "s3cret", header: Any = None) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{part(header or {'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}"
    made = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"
