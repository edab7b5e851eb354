"""What answers say beside their content."""

from __future__ import annotations

import pytest

from connectors.sentry import answers

NEXT = '<https://s/api/0/x/?cursor=1:0:1>; rel="previous"; results="false"; cursor="1:0:1", '


@pytest.mark.parametrize(
    ("header", "cursor"),
    [
        (NEXT + '<https://s/api/0/x/?cursor=1:100:0>; rel="next"; results="true"; cursor="1:100:0"', "1:100:0"),
        (NEXT + '<https://s/api/0/x/?cursor=1:100:0>; rel="next"; results="false"; cursor="1:100:0"', ""),
        ('{\'<https://s/x/?a=1,2&cursor=cD0yMDI2>; rel="next"; results="true"; cursor="cD0yMDI2"\'}', "cD0yMDI2"),
        ('{\'<https://s/x/?cursor=cD0y>; rel="next"; results="true"\'}', "cD0y"),
        ('<https://s/x/>; rel="next"; results="true"', ""),
        ("nonsense", ""),
        ("", ""),
        ('<https://[broken>; rel="next"; results="true"', ""),
    ],
)
def test_the_next_page_is_found_in_every_form_of_the_header(header: str, cursor: str) -> None:
    assert answers.next_cursor(header) == cursor


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"detail": "Invalid token"}', ("Invalid token", "")),
        (b'{"detail": {"code": "sso-required", "message": "Sign in"}}', ("Sign in", "")),
        (b'{"statusDetails": {"inRelease": ["Unable to find"]}}', ("statusDetails: Unable to find", "statusDetails")),
        (b'{"assignedTo": ["Unknown actor input"]}', ("assignedTo: Unknown actor input", "assignedTo")),
        (b"<html>Bad gateway</html>", ("Bad gateway", "")),
        (b"[]", ("[]", "")),
        (b"", ("", "")),
    ],
)
def test_errors_are_put_into_words(body: bytes, said: tuple[str, str]) -> None:
    assert answers.words(body) == said


@pytest.mark.parametrize(
    ("method", "path", "budget"),
    [
        ("GET", "/organizations/acme/issues/", "list"),
        ("GET", "/organizations/acme/issues/7/", "issue"),
        ("PUT", "/organizations/acme/issues/7/", "write"),
        ("GET", "/issues/7/", "issue"),
        ("GET", "/organizations/acme/issues/7/tags/", "other"),
        ("POST", "/sentry-app-installations/u/external-issues/", "other"),
    ],
)
def test_a_call_draws_on_the_budget_of_its_endpoint(method: str, path: str, budget: str) -> None:
    assert answers.budget_of(method, path) == budget


def test_a_server_without_headers_sets_no_limit() -> None:
    assert answers.reading({}, "GET", "/issues/7/", 0.0) is None


@pytest.mark.parametrize(("reset", "seconds"), [("1005", 5.0), ("900", 1.0), ("9999999999", 86_400.0), ("soon", None)])
def test_the_end_of_a_window_is_between_a_second_and_a_day_away(reset: str, seconds: float | None) -> None:
    headers = {"x-sentry-rate-limit-remaining": "0", "x-sentry-rate-limit-reset": reset}
    reading = answers.reading(headers, "GET", "/issues/7/", 1000.0)
    assert reading is not None
    assert (reading.remaining, reading.resets_in) == (0, seconds)
