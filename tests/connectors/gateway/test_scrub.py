"""Nothing secret and nobody's address survives; what helps does."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.gateway.scrub import REMOVED, cut, scrub

SECRETS = [
    "Authorization: Bearer abc.def.ghi",
    '{"authorization":"Basic dXNlcjpodW50ZXIy"}',
    "password=hunter2hunter2",
    '{"api_key": "k-123"}',
    '{"headers":"{\\"cookie\\":\\"sid=s3cr3t\\"}"}',
    "x-api-key: abcdef",
    "token=abc&x=1",
    '{"clientSecret":"zzz"}',
    "set-cookie: a=b",
]
KEPT_OUT = ["abc.def.ghi", "dXNlcjpodW50ZXIy", "hunter2hunter2", "k-123", "s3cr3t", "abcdef", "abc", "zzz", "a=b"]


@pytest.mark.parametrize(("text", "secret"), list(zip(SECRETS, KEPT_OUT, strict=True)))
def test_what_a_secret_name_stands_before_is_removed(text: str, secret: str) -> None:
    assert secret not in scrub(text, 2_048)
    assert REMOVED in scrub(text, 2_048)


@pytest.mark.parametrize(
    "text",
    [
        "bearer abcdef123456",
        "eyJhbGciOi.eyJzdWIiOi.sig-nature",
        "sk-abcdefghijklmnopqrst",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrst",
        "https://user:hunter2@example.org/",
        "someone@example.org",
        "some.one+tag%40example.co.uk",
        "+49 170 1234567",
        "(030) 123-45678",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFy",
        "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
        "jane\\u0040example.org",
    ],
)
def test_secrets_and_addresses_are_known_by_their_looks(text: str) -> None:
    shown = scrub(f"before {text} after", 2_048)
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert REMOVED in shown
    for part in ("hunter2", "example.org", "1234567", "1111", "abcdef", "IOSFODNN"):
        assert part not in shown or (part == "example.org" and "://" in text)


@pytest.mark.parametrize(
    "text",
    [
        "dial tcp 10.0.0.3:8080: connection refused",
        "order 4711 not found",
        "at 2026-11-25T12:00:00Z",
        "id 3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "upstream said 502 after 30000 ms",
        '{"error":{"code":"E_SALDO"}}',
    ],
)
def test_what_helps_to_find_the_fault_stays(text: str) -> None:
    assert scrub(text, 2_048) == text


@given(
    name=st.sampled_from(
        ["password", "Authorization", "api_key", "x-auth-token", "refreshToken", "Cookie", "client_secret", "email"]
    ),
    secret=st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="\"\\'&;,}]<>"),
        min_size=6,
        max_size=40,
    ),
    before=st.text(max_size=20),
)
def test_no_value_of_a_secret_name_survives_in_json(name: str, secret: str, before: str) -> None:
    body = json.dumps({"a": before, "nested": {name: f"!{secret}!"}})
    assert f"!{secret}!" not in scrub(body, 65_536)


@given(st.text(max_size=300), st.integers(0, 200))
def test_it_fits_and_is_never_cut_within_a_character(text: str, most: int) -> None:
    found = cut(text, most)
    assert len(found.encode()) <= most
    assert text.encode("utf-8", "replace").decode().startswith(found)


def test_a_secret_at_the_end_of_what_is_kept_does_not_show_its_beginning() -> None:
    assert "hunter" not in scrub("x" * 90 + " password=hunter2hunter2", 108)


@pytest.mark.parametrize(
    "hostile",
    ["a" * 60_000, "1" * 60_000, "1 " * 30_000, "a-" * 30_000, '"token":"' * 8_000, "@." * 30_000, "=" * 60_000],
)
def test_hostile_text_costs_no_time(hostile: str) -> None:
    began = time.perf_counter()
    scrub(hostile, 2_048)
    assert time.perf_counter() - began < 1.0
