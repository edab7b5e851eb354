"""Which ids of calls a record has or mentions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.core.traces import (
    HAD_AT_MOST,
    LOOKED_AT,
    MENTIONED_AT_MOST,
    Trace,
    TraceKind,
    digest_of,
    draw,
    is_id,
    of_record,
)
from sync.model import Json, Role

UUID = "7f3c1a52-9b0e-4d6f-8a21-5c9e0b7d4412"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def mentioned(*texts: str) -> list[str]:
    return [trace.text for trace in of_record(Role.HELPDESK, {}, texts)]


def had(fields: dict[str, Json], role: Role = Role.SIGNAL) -> list[tuple[str, TraceKind | None]]:
    return [(trace.text, trace.kind) for trace in of_record(role, fields, ())]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"It says {UUID}.", UUID),
        (f"({UUID.upper()})", UUID.upper()),
        (f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        ("X-Request-Id: req_8Kd02mQz", "req_8Kd02mQz"),
        ("request id = 'JKJaXmPLvH3ESHA='", "JKJaXmPLvH3ESHA"),
        ("Correlation ID (abc-123-def)", "abc-123-def"),
        ('"trace_id": "65f1c2a9b3d4"', "65f1c2a9b3d4"),
        ("request-id:req-00000013, please help", "req-00000013"),
    ],
)
def test_an_id_in_a_text_is_found_by_its_shape_or_its_label(text: str, said: str) -> None:
    assert mentioned(text) == [said]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please call me at 4111 1111 1111 1111",
        "order 20260102030405 is late",
        "request id: short1",
        "request identification 12345678",
        "the request idea1234567890",
        f"x{TRACE}",
        f"{TRACE}0",
        "00000000-0000-0000-0000-000000000000",
        "trace id: aaaaaaaaaaaa",
        "request id: unknownvalue",
    ],
)
def test_what_only_looks_like_one_is_not_taken(text: str) -> None:
    assert mentioned(text) == []


def test_a_record_of_machines_has_the_ids_it_names_as_such() -> None:
    fields: dict[str, Json] = {"request_ids": [UUID], "trace_ids": [TRACE], "tags": ["service:shop"]}
    assert had(fields) == [(UUID, TraceKind.REQUEST), (TRACE, TraceKind.TRACE)]


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        (f"request_id-{UUID}", TraceKind.REQUEST),
        (f"x-request-id:{UUID}", TraceKind.REQUEST),
        (f"correlation.id={UUID}", TraceKind.REQUEST),
        (f"trace-{UUID}", TraceKind.TRACE),
        (f"trace_id-{UUID}", TraceKind.TRACE),
    ],
)
def test_an_errors_tag_has_an_id(tag: str, kind: TraceKind) -> None:
    assert had({"tags": [tag]}) == [(UUID, kind)]


@pytest.mark.parametrize("tag", ["environment-production", "tracery-7f3c1a52", "request_id", "request_id-", "trace-no"])
def test_another_tag_has_none(tag: str) -> None:
    assert had({"tags": [tag]}) == []


@pytest.mark.parametrize("role", [Role.HELPDESK, Role.TRACKER])
def test_people_mention_ids_and_never_have_them(role: Role) -> None:
    assert had({"tags": [f"request_id-{UUID}"], "request_ids": [UUID]}, role) == []


@pytest.mark.parametrize("fields", [{"tags": None}, {"tags": "x"}, {"request_ids": [1, None, {}]}, {"trace_ids": 7}])
def test_fields_of_another_shape_have_none(fields: dict[str, Json]) -> None:
    assert had(fields) == []


def test_an_id_that_a_record_has_is_no_mention_of_it() -> None:
    (found,) = of_record(Role.SIGNAL, {"request_ids": [UUID]}, (f"request {UUID}", UUID.upper()))
    assert found == Trace(digest=digest_of(UUID), text=UUID, kind=TraceKind.REQUEST)


def test_case_and_dashes_of_a_uuid_do_not_count_and_those_of_other_ids_do() -> None:
    assert digest_of(UUID) == digest_of(UUID.upper()) == digest_of(UUID.replace("-", ""))
    assert digest_of("req-12") != digest_of("req12")


def test_only_so_many_ids_are_taken_and_only_so_much_is_read() -> None:
    many = [f"{number:08d}-9b0e-4d6f-8a21-5c9e0b7d4412" for number in range(100)]
    assert len(mentioned(" ".join(many))) == MENTIONED_AT_MOST
    assert len(had({"request_ids": many})) == HAD_AT_MOST
    assert mentioned("x " * LOOKED_AT + UUID) == []


@given(st.text(max_size=300))
def test_no_text_upsets_it(text: str) -> None:
    for found in of_record(Role.SIGNAL, {"tags": [text], "request_ids": [text]}, (text, f"request id: {text}")):
        assert is_id(found.text)
        assert len(found.digest) == 32


def test_everybody_draws_the_same_number_for_an_id_and_few_ids_share_one() -> None:
    assert draw(TRACE) == draw(TRACE)
    assert draw("trace-1") == 62_971_111_208_204_446
    assert len({draw(f"trace-{n}") for n in range(1000)}) == 1000
    assert draw("\ud800") >= 0, "a lone surrogate is no reason to stop"
