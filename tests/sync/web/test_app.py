"""Health, metrics and the listening address."""

from __future__ import annotations

import json

import pytest

from sync.web.app import ConnectionHealth, Health
from sync.web.metrics import Gauge, Metrics
from sync.web.server import CannotListen, WebFace
from sync.web.settings import WebSettings
from tests.sync.web.face import DecidedStore, running

WELL = Health(
    ok=True,
    store="writable",
    workers={"settle": "waiting"},
    connections={"support": ConnectionHealth(state="down", mode="live", detail="no answer since 09:12")},
)


def test_health_shows_store_workers_and_connections() -> None:
    with running(DecidedStore(), health=lambda: WELL) as face:
        status, text, headers = face.call("GET", "/health")
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert json.loads(text) == {
        "status": "ok",
        "store": "writable",
        "workers": {"settle": "waiting"},
        "connections": {"support": {"state": "down", "mode": "live", "detail": "no answer since 09:12"}},
    }


def test_an_unwell_daemon_answers_503() -> None:
    with running(DecidedStore(), health=lambda: Health(ok=False, store="no answer")) as face:
        status, text, _ = face.call("GET", "/health")
    assert (status, json.loads(text)["status"]) == (503, "failing")


def test_outside_a_proxy_learns_only_whether_the_daemon_is_well() -> None:
    with running(DecidedStore(), health=lambda: WELL) as face:
        outside = {"x-forwarded-for": "203.0.113.5"}
        assert json.loads(face.call("GET", "/health", headers=outside)[1]) == {"status": "ok"}
        assert face.call("GET", "/metrics", headers=outside)[0] == 404


def test_metrics_count_calls_by_their_answer() -> None:
    with running(DecidedStore()) as face:
        face.hook(call_id="1")
        face.hook(call_id="2")
        face.call("POST", "/hooks/support", b"{}")
        status, text, headers = face.call("GET", "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert 'hypercare_webhooks_total{answer="202",connection="support"} 2.0' in text
    assert 'hypercare_webhooks_total{answer="401",connection="support"} 1.0' in text
    assert "hypercare_webhook_ack_seconds_count 2.0" in text
    assert "process_resident_memory_bytes" in text


def test_figures_of_the_present_are_read_at_each_scrape() -> None:
    metrics = Metrics()
    waiting = 3
    metrics.add(lambda: [Gauge(name="deliveries_waiting", about="open", value=waiting, labels={"connection": "dev"})])
    assert b'hypercare_deliveries_waiting{connection="dev"} 3.0' in metrics.text()
    waiting = 4
    assert b'hypercare_deliveries_waiting{connection="dev"} 4.0' in metrics.text()


def test_two_sets_of_metrics_know_nothing_of_each_other() -> None:
    one, other = Metrics(), Metrics()
    one.count_event("delivered", "dev")
    assert b'event="delivered"' not in other.text()


def test_an_unknown_page_is_not_found() -> None:
    with running(DecidedStore()) as face:
        assert face.call("GET", "/")[0] == 404


def test_a_taken_port_is_told_before_anything_starts() -> None:
    first = WebFace(WebSettings(port=0))
    port = first.address[1]
    with pytest.raises(CannotListen) as told:
        WebFace(WebSettings(port=port))
    assert str(told.value).startswith(f"cannot listen on 127.0.0.1:{port}: Address already in use; another program")
    assert first.join(0)


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(CannotListen, match=r"set `web\.host` to one it has"):
        WebFace(WebSettings(host="192.0.2.1", port=0))


def test_after_the_stop_the_port_is_free() -> None:
    with running(DecidedStore()) as face:
        address = face.web.address
        assert face.web.url == f"http://127.0.0.1:{address[1]}"
        assert face.web.alive()
    again = WebFace(WebSettings(port=address[1]))
    assert again.join(0)
