"""The client of APIPark, against the stand-in over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.errors import (
    AuthRejected,
    Forbidden,
    RecordMissing,
    Unavailable,
    UnexpectedAnswer,
    WriteRejected,
)
from connectors.gateway.apipark import ApiPark
from connectors.gateway.interfaces import ApiParkAccess
from tests.connectors.gateway.stand_in import Gateway, gateway


@pytest.fixture
def site() -> Iterator[Gateway]:
    with gateway() as made:
        yield made


def test_services_apis_and_consumers_are_read(site: Gateway) -> None:
    park = site.apipark()
    assert park.version().startswith("v1")
    assert ("assistant", "Assistant") in park.services()
    assert ("web-shop", "Web shop") in park.consumers()
    assert [(one.id, one.path, one.methods) for one in park.apis("checkout", "rest")] == [
        ("pay", "/checkout/pay", ("POST",)),
        ("cart", "/checkout/cart", ("GET",)),
    ]
    assert [one.id for one in park.apis("assistant", "ai")] == ["chat"]
    found = park.service("assistant")
    assert (found.kind, found.approval_type, found.provider, found.tags) == ("ai", "manual", "openai", ())
    with pytest.raises(RecordMissing, match="not found"):
        park.service("nowhere")


def test_one_session_serves_many_calls(site: Gateway) -> None:
    park = site.apipark()
    for _each in range(5):
        park.services()
    assert site.requests()["login"] == 1


def test_an_ended_session_is_renewed_once_and_the_call_goes_on(site: Gateway) -> None:
    park = site.apipark()
    park.services()
    site.clock.passes(73 * 3600)
    assert park.service("checkout").id == "checkout"
    assert site.requests()["login"] == 2


def test_a_write_in_an_ended_session_is_made_once(site: Gateway) -> None:
    park = site.apipark()
    checkout = park.service("checkout")
    site.act("expire")
    park.put_tags(checkout, ["shop", "fb:open-1"])
    assert site.service("checkout")["tags"] == ["shop", "fb:open-1"]
    assert site.state()["writes"] == {"service.update": 1}


def test_a_changed_password_says_what_to_correct_and_shows_no_secret(site: Gateway) -> None:
    park = site.apipark()
    park.services()
    site.act("password", password="other")
    site.act("expire")
    with pytest.raises(AuthRejected, match="refuses the account hub") as caught:
        park.services()
    assert "Correct `name` and `password`" in caught.value.message
    assert "hub-password" not in caught.value.message
    assert site.requests()["login"] == 2


def test_a_session_that_is_refused_at_once_is_not_renewed_for_ever(site: Gateway) -> None:
    park = site.apipark()
    site.fault(kind="unauthorised", operation="services")
    with pytest.raises(AuthRejected, match="refuses it at once"):
        park.services()
    assert site.requests()["login"] == 2
    assert site.requests()["services"] == 2


def test_an_account_that_may_not_change_services_is_told_so(site: Gateway) -> None:
    park = site.apipark(name="viewer", password="viewer-password")
    found = park.service("accounts")
    with pytest.raises(Forbidden, match="lacks the permission"):
        park.put_tags(found, ["x"])


@pytest.mark.parametrize("service", ["checkout", "accounts", "assistant"])
def test_a_change_of_tags_loses_nothing_else(site: Gateway, service: str) -> None:
    before = site.service(service)
    park = site.apipark()
    park.put_tags(park.service(service), ["fb:open-2"])
    after = site.service(service)
    assert after["tags"] == ["fb:open-2"]
    different = {name for name in before if before[name] != after[name]}
    assert different <= {"tags", "updated"}


def test_an_edit_while_the_data_plane_is_away_is_in_doubt(site: Gateway) -> None:
    park = site.apipark()
    accounts = park.service("accounts")
    site.switch(data_plane_up=False)
    with pytest.raises(Unavailable, match="cannot reach its data plane") as caught:
        park.put_tags(accounts, ["x"])
    assert caught.value.applied


def test_a_refused_edit_carries_apiparks_own_words(site: Gateway) -> None:
    park = site.apipark()
    checkout = park.service("checkout")
    site.act("service", service="checkout", kind="ai")
    with pytest.raises(WriteRejected, match="provider not found"):
        park.put_tags(checkout, ["x"])


def test_the_log_is_read_in_seconds_and_its_local_times_are_understood(site: Gateway) -> None:
    ids = site.called("pay", "error", times=3)
    called_at = site.clock.now()
    site.clock.passes(20)
    rows, total = site.apipark().logs("checkout", "rest", called_at - timedelta(minutes=1), site.clock.now())
    assert (total, {row.id for row in rows}) == (3, set(ids))
    assert {(row.api, row.status) for row in rows} == {("pay", 500)}
    assert all(abs(row.at - called_at) < timedelta(seconds=2) for row in rows)
    page, total = site.apipark().logs("checkout", "rest", called_at, site.clock.now(), page=2, size=2)
    assert (len(page), total) == (1, 3)


def test_the_detail_of_a_call_is_found_whichever_kind_it_is(site: Gateway) -> None:
    (pay,) = site.called("pay", "error", code="card_declined")
    (chat,) = site.called("chat")
    site.clock.passes(20)
    park = site.apipark()
    assert "card_declined" in park.find("checkout", pay).response
    detail = park.find("assistant", chat)
    assert (detail.row.provider, detail.row.model) == ("openai", "gpt-4o-mini")
    with pytest.raises(RecordMissing):
        park.find("checkout", "none")


def test_totals_count_what_the_log_lost(site: Gateway) -> None:
    site.called("pay", times=150)
    site.called("pay", "error", times=5)
    start = site.clock.now() - timedelta(minutes=1)
    site.clock.passes(60)
    park = site.apipark()
    totals = park.totals(start, site.clock.now())
    assert (totals.total, totals.success, totals.status_5xx) == (155, 150, 5)
    assert park.totals(start, site.clock.now(), services=["accounts"]).total == 0
    assert park.totals(start, site.clock.now(), apis=["pay"]).total == 155
    _rows, logged = park.logs("checkout", "rest", start, site.clock.now())
    assert logged < 155


def test_a_read_that_finds_it_unavailable_is_tried_again_and_a_write_is_not(site: Gateway) -> None:
    park = site.apipark()
    found = park.service("accounts")
    site.fault(kind="server_error", operation="services", count=2)
    assert park.services()
    site.fault(kind="server_error", operation="service.update", count=1)
    with pytest.raises(Unavailable) as caught:
        park.put_tags(found, ["x"])
    assert caught.value.applied
    assert site.requests()["service.update"] == 1


def test_a_login_that_is_unavailable_leaves_no_write_in_doubt(site: Gateway) -> None:
    park = site.apipark()
    found = park.service("accounts")
    site.act("expire")
    site.fault(kind="drop_before", operation="login")
    with pytest.raises(Unavailable) as caught:
        park.put_tags(found, ["x"])
    assert not caught.value.applied


def test_a_login_that_is_unavailable_may_be_tried_again(site: Gateway) -> None:
    site.fault(kind="server_error", operation="login", status=503, count=2)
    assert site.apipark().services()


@pytest.mark.parametrize("kind", ["html", "empty", "null", "truncated"])
def test_what_is_no_envelope_is_not_understood(site: Gateway, kind: str) -> None:
    park = site.apipark()
    park.services()
    site.fault(kind=kind, operation="services")
    with pytest.raises(UnexpectedAnswer):
        park.services()


@pytest.mark.parametrize(
    "body",
    [
        '{"data":{"services":[]}}',
        '{"code":0,"data":{}}',
        '{"code":0,"data":{"services":{}}}',
        '{"code":0}',
        '{"code":-1,"msg":"odd"}',
    ],
)
def test_an_envelope_without_its_content_is_not_an_empty_list(site: Gateway, body: str) -> None:
    park = site.apipark()
    park.services()
    site.fault(kind="given", operation="services", status=200, body=body)
    with pytest.raises(UnexpectedAnswer):
        park.services()


def test_a_time_that_is_none_is_not_understood(site: Gateway) -> None:
    body = '{"code":0,"data":{"logs":[{"id":"1","status":200,"log_time":"yesterday"}],"total":1}}'
    site.fault(kind="given", operation="logs", status=200, body=body)
    with pytest.raises(UnexpectedAnswer, match="yesterday"):
        site.apipark().logs("checkout", "rest", site.clock.now(), site.clock.now())


@pytest.mark.parametrize("status", [400, 404])
def test_another_server_at_the_address_is_no_wrong_password_for_ever(site: Gateway, status: int) -> None:
    site.fault(kind="given", operation="login", status=status, body="nothing here")
    with pytest.raises(AuthRejected, match="nothing here"):
        site.apipark().services()


def test_a_dead_address_is_unavailable(site: Gateway) -> None:
    access = ApiParkAccess.model_validate({"url": "http://127.0.0.1:9", "name": "a", "password": "b"})
    park = ApiPark(access, site.ports)
    with pytest.raises(Unavailable, match="cannot be reached"):
        park.services()
    park.close()
