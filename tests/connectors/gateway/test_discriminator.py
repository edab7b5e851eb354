"""What tells failures apart, and what never does."""

from __future__ import annotations

import json
import time

import pytest

from connectors.gateway.discriminator import LONGEST, discriminator, normalised, normalised_path, seen


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"error": {"code": "E_SALDO", "message": "too little"}}, "e_saldo"),
        ({"error": {"type": "invalid_request_error", "message": "x"}}, "invalid_request_error"),
        ({"code": "ORA-00942", "message": "no table"}, "ora-00942"),
        ({"code": 42, "message": "no table"}, "no table"),
        ({"code": -1, "msg": "not login"}, "not login"),
        ({"title": "Not Found", "detail": "x"}, "not found"),
        ({"detail": "no order 17"}, "no order *"),
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"errors": [{"message": "Field 'a' is missing"}]}, "field * is missing"),
        ([{"message": "first"}], "first"),
        ({"ok": False}, ""),
        ([], ""),
    ],
)
def test_the_first_field_with_words_is_taken(body: object, words: str) -> None:
    assert discriminator(json.dumps(body)) == words


@pytest.mark.parametrize(
    "varying",
    [
        "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "4711",
        "12.5",
        "deadbeef01",
        "0xdeadbeef",
        "someone@example.org",
        "https://example.org/a?b=c",
        '"a b c"',
        "`x`",
        "'x y'",
        "2026-11-25T12:00:00.123Z",
        "2026-11-25 12:00:00",
        "10.0.0.3:8080",
    ],
)
def test_what_varies_from_call_to_call_is_left_out(varying: str) -> None:
    assert normalised(f"Cannot read {varying} now") == "cannot read * now"


def test_plain_text_is_its_own_message_and_a_page_shows_its_title() -> None:
    assert discriminator("dial tcp 10.0.0.3:8080: connection refused") == "dial tcp *: connection refused"
    assert discriminator("<html><head><title>502 Bad Gateway</title>") == "* bad gateway"


def test_a_body_that_was_cut_off_still_tells_its_message() -> None:
    assert discriminator('{"request":{"a":1},"message":"no credit","trace":[{"at"') == "no credit"


@pytest.mark.parametrize("body", ["", "   ", "\x00\x01\x02", "{", "123", "[[[[", "[" * 5_000])
def test_a_body_without_words_tells_nothing(body: str) -> None:
    assert discriminator(body) == ""


def test_the_gateways_own_words_serve_where_the_body_has_none() -> None:
    assert discriminator("", "via_upstream") == "via_upstream"
    assert discriminator('{"code":"E1"}', "via_upstream") == "e1"


def test_a_secret_in_a_message_is_no_part_of_the_title() -> None:
    assert "hunter" not in discriminator("login failed: password=hunter")
    assert "abcdefghijklmnop" not in discriminator('{"message":"bad key sk-abcdefghijklmnopqrst"}')


def test_it_is_short_and_of_one_line() -> None:
    long = normalised("word\n" * 200 + "\u202eevil\x1b[31m")
    assert len(long) <= LONGEST
    assert "\n" not in long
    assert seen("a\u202e\x1b\u200bb", 10) == "a b"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/orders/4711/items/3fa85f64-5717-4562-b3fc-2c963f66afa6?expand=1", "/v1/orders/{id}/items/{id}"),
        ("/v2.1/users/someone@example.org", "/v2.1/users/{id}"),
        ("http://api.example.org/a/9#top", "/a/{id}"),
        ("/", "/"),
    ],
)
def test_the_path_of_a_call_without_a_route_is_normalised(path: str, route: str) -> None:
    assert normalised_path(path) == route


@pytest.mark.parametrize(
    "hostile", ["a" * 100_000, "'" * 100_000, "a@" * 50_000, "1." * 50_000, "://" * 30_000, '"message":"' * 9_000]
)
def test_hostile_text_costs_no_time(hostile: str) -> None:
    began = time.perf_counter()
    discriminator(hostile)
    discriminator("{" + hostile)
    normalised_path("/" + hostile)
    assert time.perf_counter() - began < 1.0
