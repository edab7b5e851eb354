"""The clients of Apinto's and Kong's admin interfaces, against the stand-in over real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.errors import RecordMissing, Unavailable, UnexpectedAnswer, WriteRejected
from tests.connectors.gateway.stand_in import Gateway, gateway


@pytest.fixture
def site() -> Iterator[Gateway]:
    with gateway() as made:
        yield made


def test_a_hash_that_does_not_exist_is_empty(site: Gateway) -> None:
    apinto = site.apinto()
    assert apinto.hash("feedback:pay") == {}
    apinto.drop_field("feedback:pay", "tags")
    assert site.state()["writes"] == {}


def test_a_field_is_set_read_and_removed(site: Gateway) -> None:
    apinto = site.apinto()
    apinto.put_field("feedback:pay", "tags", "fb:open-1 fb:jira-OPS-1")
    apinto.put_field("feedback:pay", "other", "x")
    assert apinto.hash("feedback:pay") == {"tags": "fb:open-1 fb:jira-OPS-1", "other": "x"}
    apinto.drop_field("feedback:pay", "tags")
    assert apinto.hash("feedback:pay") == {"other": "x"}


def test_a_route_whose_id_is_a_path_stays_one_name(site: Gateway) -> None:
    apinto = site.apinto()
    with pytest.raises(RecordMissing):
        apinto.router("GET /a/{id}?x=1#y")
    assert site.requests() == {"unknown": 1}


def test_labels_are_replaced_whole(site: Gateway) -> None:
    apinto = site.apinto()
    router = apinto.router("pay")
    assert router.labels == {"provider": "checkout", "api_kind": "rest"}
    apinto.put_labels("pay", {**router.labels, "feedback": "fb:open-1"})
    assert apinto.router("pay").labels["feedback"] == "fb:open-1"
    with pytest.raises(RecordMissing):
        apinto.router("nowhere")


def test_an_output_is_installed_and_seen(site: Gateway) -> None:
    apinto = site.apinto()
    assert apinto.outputs() == ()
    config = {"driver": "http_output", "scopes": ["access_log"], "type": "json", "url": "http://127.0.0.1:1/feeds/x"}
    apinto.put_output("hypercare", config)
    assert apinto.outputs() == ("hypercare",)
    assert apinto.output("hypercare")["url"] == "http://127.0.0.1:1/feeds/x"
    with pytest.raises(RecordMissing):
        apinto.output("none")


def test_plain_text_errors_are_told(site: Gateway) -> None:
    with pytest.raises(Unavailable, match="driver not found"):
        site.apinto().put_output("x", {})


@pytest.mark.parametrize("body", ["[]", '{"labels":[1]}', "not found"])
def test_a_router_of_another_shape_is_not_understood(site: Gateway, body: str) -> None:
    site.fault(kind="given", operation="apinto.worker", status=200, body=body)
    with pytest.raises(UnexpectedAnswer):
        site.apinto().router("pay")


def test_outputs_of_another_shape_are_not_understood(site: Gateway) -> None:
    site.fault(kind="given", operation="apinto.list", status=200, body="{}")
    with pytest.raises(UnexpectedAnswer):
        site.apinto().outputs()


def test_kongs_tags_are_read_and_replaced(site: Gateway) -> None:
    kong = site.kong(token="t")
    assert kong.service("checkout").tags == ("shop",)
    kong.put_tags("checkout", ["shop", "fb:open-1"])
    assert kong.service("checkout-id").tags == ("fb:open-1", "shop")
    with pytest.raises(RecordMissing, match="Not found"):
        kong.service("nowhere")


def test_a_kong_without_a_database_is_known(site: Gateway) -> None:
    kong = site.kong()
    assert not kong.is_read_only()
    site.switch(kong_read_only=True)
    assert kong.is_read_only()
    with pytest.raises(WriteRejected, match="without a database"):
        kong.put_tags("checkout", [])


def test_a_refused_tag_carries_kongs_words(site: Gateway) -> None:
    with pytest.raises(WriteRejected, match="invalid tag"):
        site.kong().put_tags("checkout", ["a/b"])


def test_tags_of_another_shape_are_not_understood(site: Gateway) -> None:
    site.fault(kind="given", operation="kong.entity", status=200, body='{"tags":"shop"}')
    with pytest.raises(UnexpectedAnswer):
        site.kong().service("checkout")


def test_a_read_is_tried_again_and_a_write_is_not(site: Gateway) -> None:
    site.fault(kind="server_error", method="read", count=2)
    assert site.kong().service("checkout").name == "checkout"
    site.fault(kind="server_error", method="write", count=1)
    with pytest.raises(Unavailable):
        site.apinto().put_field("k", "f", "v")
    assert site.requests()["apinto.hash"] == 1
