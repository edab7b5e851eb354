"""APIPark's management interface as a client meets it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from connectors.gateway.sandbox.wire import ROUTES
from tests.connectors.gateway.sandbox.site import Site

Make = Callable[..., Site]


def test_every_endpoint_says_where_its_shape_comes_from() -> None:
    assert [route.name for route in ROUTES if not set(route.marks) & set("VKG")] == []


def test_a_login_gives_a_cookie_that_is_neither_http_only_nor_secure(site: Site) -> None:
    cookie = site.log_in().headers["set-cookie"]
    assert cookie.startswith("session=")
    assert "httponly" not in cookie.lower()
    assert "secure" not in cookie.lower()
    assert site.well("GET", "account/login") == {"status": "authorized"}


def test_a_wrong_password_is_a_200_that_says_no(site: Site) -> None:
    response = site.log_in(password="wrong")
    assert response.status_code == 200
    assert response.json() == {"code": -1, "success": "fail", "msg": "invalid username or password"}
    assert "set-cookie" not in response.headers
    assert site.call("GET", "account/login").json()["data"] == {"status": "anonymous"}


def test_without_a_session_a_call_is_a_401(site: Site) -> None:
    response = site.call("GET", "services")
    assert (response.status_code, response.json()) == (401, {"code": 401, "msg": "not login"})


def test_a_session_ends_after_three_days_or_by_a_logout(site: Site) -> None:
    site.log_in()
    site.now += 72 * 3600 - 1
    assert site.call("GET", "services").status_code == 200
    site.now += 1
    assert site.call("GET", "services").status_code == 401
    site.log_in()
    site.call("GET", "account/logout")
    assert site.call("GET", "services").status_code == 401


def test_sessions_may_be_ended_and_passwords_changed_from_outside(make: Make) -> None:
    site = make(session_hours=1)
    site.log_in()
    assert site.act("expire") == {"ended": 1}
    assert site.call("GET", "services").status_code == 401
    site.act("password", password="other")
    assert site.log_in().json()["code"] == -1
    assert site.log_in(password="other").json()["code"] == 0


def test_an_account_without_the_permission_gets_a_403(site: Site) -> None:
    site.log_in("viewer", "viewer-password")
    assert site.call("GET", "service/info?service=checkout").status_code == 200
    response = site.call("PUT", "service/info?service=checkout", {"tags": []})
    assert (response.status_code, response.json()["code"]) == (403, 403)


def test_an_api_key_opens_no_management(make: Make) -> None:
    site = make(api_key="sesame")
    key = {"authorization": "Bearer sesame"}
    assert site.client.post("/openapi/v1/global/mcp", headers=key).status_code == 200
    refused = site.client.post("/openapi/v1/global/mcp?apikey=wrong")
    assert (refused.status_code, refused.json()) == (403, {"code": -8, "success": "fail", "msg": "invalid token"})
    assert site.client.get("/api/v1/services", headers=key).status_code == 401


def test_a_failure_is_a_200_with_another_code(site: Site) -> None:
    assert site.fails("GET", "service/info", service="nowhere") == "record not found"


def test_services_apis_and_consumers_are_listed_under_their_names(site: Site) -> None:
    assert [one["id"] for one in site.well("GET", "services")["services"]] == ["checkout", "accounts", "assistant"]
    assert [one["id"] for one in site.well("GET", "services", keyword="assist")["services"]] == ["assistant"]
    assert site.well("GET", "simple/services")["services"][0] == {"id": "checkout", "name": "Checkout"}
    routers = site.well("GET", "service/routers", service="checkout")["routers"]
    assert [(one["id"], one["methods"], one["request_path"]) for one in routers] == [
        ("pay", ["POST"], "/checkout/pay"),
        ("cart", ["GET"], "/checkout/cart"),
    ]
    (chat,) = site.well("GET", "service/ai-routers", service="assistant")["apis"]
    assert (chat["id"], chat["provider"]) == ("chat", {"id": "openai", "name": "OpenAI"})
    assert site.well("GET", "service/router/detail", service="checkout", router="pay")["router"]["name"] == "Pay"
    assert {one["id"] for one in site.well("GET", "simple/apps")["apps"]} == {
        "web-shop",
        "mobile-app",
        "apipark-global",
    }
    assert site.well("GET", "manager/teams")["teams"][0]["id"] == "shop"
    assert site.well("GET", "cluster/nodes")["nodes"][0]["status"] == 1
    assert {one["status"] for one in site.well("GET", "ai/providers/configured")["providers"]} == {"enabled"}
    assert site.well("GET", "common/version")["version"].startswith("v1")


def test_times_are_local_and_do_not_say_where(make: Make) -> None:
    site = make(zone_hours=8, clock_skew=60)
    made = site.well("GET", "service/info", service="checkout")["service"]["create_time"]
    assert made == "2026-09-21 22:14:20"  # START is 14:13:20 UTC; the server is a minute ahead, and in Shanghai


def test_tags_are_replaced_whole_by_name_and_unknown_ones_are_made(site: Site) -> None:
    kept = {"approval_type": "auto", "catalogue": "payments"}
    site.well("PUT", "service/info", {"tags": ["shop", "fb:open-1"], **kept}, service="checkout")
    tags = site.well("GET", "service/info", service="checkout")["service"]["tags"]
    assert [one["name"] for one in tags] == ["shop", "fb:open-1"]
    assert all(one["id"] for one in tags)
    site.well("PUT", "service/info", {"tags": ["new"], **kept}, service="checkout")
    assert site.service("checkout")["tags"] == ["new"]
    assert {one["name"] for one in site.well("GET", "catalogues")["tags"]} == {"shop", "fb:open-1", "new"}


def test_an_edit_without_tags_leaves_them(site: Site) -> None:
    site.well("PUT", "service/info", {"description": "Pays", "catalogue": "payments"}, service="checkout")
    assert site.service("checkout")["tags"] == ["shop"]


def test_leaving_the_approval_type_out_makes_it_manual(make: Make) -> None:
    site = make()
    site.well("PUT", "service/info", {"tags": []}, service="accounts")
    assert site.service("accounts")["approval_type"] == "manual"
    kind = make(approval_reset=False)
    kind.well("PUT", "service/info", {"tags": []}, service="accounts")
    assert kind.service("accounts")["approval_type"] == "auto"


def test_an_ai_service_needs_its_provider_said_again(site: Site) -> None:
    assert site.fails("PUT", "service/info", {"tags": []}, service="assistant") == "provider not found"
    site.well("PUT", "service/info", {"tags": ["x"], "provider": "openai"}, service="assistant")
    assert site.service("assistant")["tags"] == ["x"]


def test_a_public_service_needs_its_catalogue_said_again(site: Site) -> None:
    told = site.fails("PUT", "service/info", {"tags": []}, service="checkout")
    assert "catalogue" in told
    assert site.service("checkout")["tags"] == ["shop"]


def test_an_edit_fails_while_the_data_plane_is_away(site: Site) -> None:
    site.switch(data_plane_up=False)
    told = site.fails("PUT", "service/info", {"tags": [], "catalogue": "payments"}, service="checkout")
    assert "connection refused" in told
    assert site.service("checkout")["tags"] == ["shop"]


def test_an_output_of_apipark_reaches_the_data_plane_once_it_is_online(site: Site) -> None:
    config = {"scopes": ["access_log"], "type": "json", "url": "http://127.0.0.1:1/feeds/x", "method": "POST"}
    body = {"id": "hub", "title": "hub", "driver": "http_output", "config": config}
    site.well("POST", "dynamic/http-access-log", body)
    site.called("pay")
    assert site.posts() == []
    site.well("PUT", "dynamic/http-access-log/online", id="hub")
    site.called("pay")
    assert len(site.posts()) == 1
    site.well("PUT", "dynamic/http-access-log/offline", id="hub")
    site.called("pay")
    assert site.posts() == []
    assert site.fails("PUT", "dynamic/http-access-log/online", id="other") == "record not found"


def test_faults_answer_in_apiparks_shape_and_ignored_writes_change_nothing(site: Site) -> None:
    site.log_in()
    site.fault(kind="unauthorised", operation="services", count=1)
    assert site.call("GET", "services").json() == {"code": 401, "msg": "not login"}
    site.fault(kind="ignore_write", operation="service.update", count=1)
    site.well("PUT", "service/info", {"tags": ["x"], "provider": "openai"}, service="assistant")
    assert site.service("assistant")["tags"] == []
    site.fault(kind="drop_after", operation="service.update", count=1)
    with pytest.raises(httpx.RemoteProtocolError):
        site.call("PUT", "service/info?service=assistant", {"tags": ["y"], "provider": "openai"})
    assert site.service("assistant")["tags"] == ["y"]


def test_what_is_not_there_is_said_by_the_face_that_was_asked(site: Site) -> None:
    assert site.call("GET", "/api/v1/nothing").text == "404 page not found"
    assert site.call("GET", "/api/nothing").text == "profession nothing not exist"
    assert site.call("GET", "/nothing").json() == {"message": "no Route matched with those values"}


def test_wrong_acts_and_switches_are_told_and_change_nothing(site: Site) -> None:
    assert "no such act" in site.mistake("dance")
    assert "no such route" in site.mistake("traffic", route="nowhere")
    assert "no such kind" in site.mistake("call", route="pay", kind="odd")
    assert "no such LLM status" in site.mistake("llm_fault", route="chat", status="odd")
    assert "from 0 to 1" in site.mistake("release", route="pay", share=2)
    assert "no such formatter" in site.mistake("output", url="http://127.0.0.1:1", formatter="odd")
    assert "needs a url" in site.mistake("output")
    assert "no such output" in site.mistake("rotate", name="odd")
    assert "no such service" in site.mistake("publish", service="odd")
    assert "set:" in site.mistake("call", route="pay", set={"odd": 1})
    response = site.call("POST", "/_sandbox/settings", {"queue_depth": 0})
    assert "must be above 0" in response.json()["error"]
    assert "no such switch" in site.call("POST", "/_sandbox/settings", {"odd": 1}).json()["error"]
