"""Pushed bodies, whatever form they have."""

from __future__ import annotations

import pytest

from connectors.errors import WebhookRejected
from connectors.gateway.webhook import as_lines


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"a": 1}', b'{"a": 1}\n'),
        (b'[{"a": 1}, {"b": 2}]', b'{"a": 1}\n{"b": 2}\n'),
        (b'{"a": 1}\n{"b": 2}\n', b'{"a": 1}\n{"b": 2}\n'),
        (b'{\n  "a": 1\n}', b'{   "a": 1 }\n'),
        (b'[\n {"a":\n 1}]', b'{"a":  1}\n'),
        (b"  \n ", b""),
    ],
)
def test_a_body_is_an_object_an_array_or_an_object_a_line(body: bytes, lines: bytes) -> None:
    assert as_lines(body) == lines


@pytest.mark.parametrize("body", [b"2026-01-02\tGET\t200", b"<html>", b"[1, 2", b"\xff\xfe"])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookRejected, match="JSON") as refused:
        as_lines(body)
    assert refused.value.status == 400
