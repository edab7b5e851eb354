from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from connectors.jira.calls import explanation, login_denied, readings, scope_of
from tests.connectors.jira.made import NOW


def answer(status: int = 200, body: Any = b"", method: str = "GET", **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response.request = requests.Request(method, "https://jira.example.com/rest/api/2/issue/1").prepare()
    return response


@pytest.mark.parametrize(
    ("body", "words", "field"),
    [
        ({"errorMessages": ["No."], "errors": {}}, "No.", ""),
        ({"errorMessages": [], "errors": {"resolution": "is required"}}, "resolution: is required", "resolution"),
        ({"message": "Client must be authenticated", "status-code": 401}, "Client must be authenticated", ""),
        ({"errorMessage": "Down"}, "Down", ""),
        ({"errorMessages": "text"}, "", ""),
        (b"plain words", "plain words", ""),
        ([1, 2], "[1, 2]", ""),
        (b"<!doctype html><title>Log in</title>", "an HTML page", ""),
        (b"", "", ""),
    ],
)
def test_jiras_own_words_are_found_in_every_form(body: Any, words: str, field: str) -> None:
    assert explanation(answer(400, body)) == (words, field)


def test_jiras_words_are_one_short_line_without_credentials() -> None:
    words, _ = explanation(answer(400, {"errorMessages": ["bad\r\n\x1b[31mtoken=s3cret " + "x" * 1000]}))
    assert "\n" not in words
    assert "\x1b" not in words
    assert "s3cret" not in words
    assert len(words) <= 301


@pytest.mark.parametrize(
    ("reason", "method", "record", "scope"),
    [
        ("jira-per-issue-on-write", "PUT", "10001", "record:10001"),
        ("jira-per-issue-on-write", "PUT", "", "account"),
        ("jira-burst-based", "PUT", "10001", "edit"),
        ("jira-burst-based", "GET", "", "account"),
        ("jira-quota-global-based", "PUT", "10001", "account"),
        ("jira-quota-tenant-based", "GET", "", "account"),
        ("jira-cost-based", "GET", "", "account"),
        ("", "PUT", "10001", "account"),
        ("something new", "GET", "", "account"),
    ],
)
def test_a_rate_limit_is_about_the_budget_that_jira_names(reason: str, method: str, record: str, scope: str) -> None:
    assert scope_of(answer(429, method=method, RateLimit_Reason=reason), record) == scope


def test_the_bucket_of_data_center_becomes_a_rate() -> None:
    found = readings(
        answer(
            X_RateLimit_Limit="600",
            X_RateLimit_Remaining="12",
            X_RateLimit_FillRate="50",
            X_RateLimit_Interval_Seconds="10",
        ),
        NOW,
    )
    assert [(one.budget, one.limit, one.remaining, one.resets_in) for one in found] == [("account", 5, 12, 10.0)]


def test_cloud_is_believed_only_when_it_says_that_little_is_left() -> None:
    plenty: dict[str, Any] = {"X_RateLimit_Limit": "65000", "X_RateLimit_Remaining": "900"}
    assert readings(answer(**plenty), NOW) == ()
    (near,) = readings(answer(**plenty, X_RateLimit_NearLimit="true", X_RateLimit_Reset="2026-01-02T03:05:05Z"), NOW)
    assert (near.limit, near.remaining, near.resets_in) == (None, 900, 60.0)


@pytest.mark.parametrize("value", ["", "many", "-1", "nan", "1e400"])
def test_a_garbled_number_says_nothing(value: str) -> None:
    assert readings(answer(X_RateLimit_Remaining=value, X_RateLimit_NearLimit="true"), NOW) == ()


def test_an_answer_to_a_stranger_is_known_by_its_header() -> None:
    assert "stranger" in login_denied(answer(200, X_Seraph_LoginReason="AUTHENTICATED_FAILED"))
    assert "CAPTCHA" in login_denied(answer(403, X_Seraph_LoginReason="AUTHENTICATION_DENIED"))
    assert login_denied(answer(200, X_Seraph_LoginReason="OK")) == ""
    assert login_denied(answer(200)) == ""
