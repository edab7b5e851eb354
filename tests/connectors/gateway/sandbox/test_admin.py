"""The data planes' admin interfaces: Apinto's and Kong's."""

from __future__ import annotations

from tests.connectors.gateway.sandbox.site import Site

OUTPUT = {"name": "hub", "driver": "http_output", "scopes": ["access_log"], "type": "json", "url": "http://127.0.0.1:1"}


def test_an_output_is_made_read_changed_and_removed(site: Site) -> None:
    made = site.call("POST", "/api/output", OUTPUT)
    assert made.status_code == 200
    assert made.json()["id"] == "hub@output"
    assert made.json()["profession"] == "output"
    assert [one["name"] for one in site.call("GET", "/api/output").json()] == ["hub"]
    site.call("PATCH", "/api/output/hub", {"url": "http://127.0.0.1:2", "type": None})
    found = site.call("GET", "/api/output/hub@output").json()
    assert found["url"] == "http://127.0.0.1:2"
    assert "type" not in found
    site.call("PUT", "/api/output/hub", {"driver": "file", "dir": "/nowhere", "file": "access"})
    assert "url" not in site.call("GET", "/api/output/hub").json()
    assert site.call("DELETE", "/api/output/hub").status_code == 200
    assert site.call("GET", "/api/output").json() == []


def test_errors_are_plain_texts_under_the_content_type_of_json(site: Site) -> None:
    response = site.call("GET", "/api/output/none")
    assert (response.status_code, response.text) == (404, "none@output: not found")
    assert response.headers["content-type"] == "application/json"
    assert site.call("POST", "/api/output", {"driver": "http_output"}).text == "require name"
    assert site.call("PUT", "/api/output/x", {"driver": "http_output"}).status_code == 500
    assert site.call("PUT", "/api/output/x", {"driver": "file"}).text == "dir is null"
    assert site.call("PUT", "/api/output/x", {}).text == "driver not found"


def test_a_router_shows_the_labels_of_its_release_and_takes_more(site: Site) -> None:
    assert site.call("GET", "/api/router/pay").json()["labels"] == {"provider": "checkout", "api_kind": "rest"}
    site.call("PATCH", "/api/router/pay", {"labels": {"feedback": "fb:open-1"}, "description": "d", "matches": "m"})
    found = site.call("GET", "/api/router/pay").json()
    assert found["labels"]["feedback"] == "fb:open-1"
    assert (found["description"], found["matches"]) == ("d", "m")
    assert site.call("PATCH", "/api/router/pay", {"labels": [1]}).status_code == 500
    assert site.call("DELETE", "/api/router/pay").status_code == 500
    assert {one["name"] for one in site.call("GET", "/api/router").json()} == {"pay", "cart", "login", "chat"}


def test_a_label_shows_in_later_entries_until_the_next_release(site: Site) -> None:
    site.call("PATCH", "/api/router/pay", {"labels": {"feedback": "fb:open-1"}})
    assert site.entry({"fields": ["$feedback as f"]}, route="pay") == {"f": "fb:open-1"}
    site.act("publish", service="checkout")
    assert site.entry({"fields": ["$feedback as f"]}, route="pay") == {"f": ""}


def test_a_hash_is_a_map_of_texts_that_survives_a_release(site: Site) -> None:
    assert site.call("GET", "/hash/feedback:pay").status_code == 404
    site.call("PUT", "/hash/feedback:pay/tags", "fb:open-1")
    site.call("PUT", "/hash/feedback:pay", {"more": "x"})
    site.act("publish", service="checkout")
    assert site.call("GET", "/hash/feedback:pay").json() == {"tags": "fb:open-1", "more": "x"}
    assert site.call("GET", "/hash/feedback:pay/tags").json() == "fb:open-1"
    assert site.call("DELETE", "/hash/feedback:pay/tags").status_code == 200
    assert site.call("DELETE", "/hash/feedback:pay/tags").status_code == 404
    assert site.call("DELETE", "/hash/feedback:pay").status_code == 200
    assert site.state()["hashes"] == {}


def test_kong_replaces_an_entitys_tags_whole(site: Site) -> None:
    assert site.call("GET", "/services/checkout").json()["tags"] == ["shop"]
    patched = site.call("PATCH", "/services/checkout", {"tags": ["b", "a", "b"]})
    assert patched.json()["tags"] == ["a", "b"]
    assert site.call("GET", "/services/checkout-id").json()["tags"] == ["a", "b"]
    assert site.call("PATCH", "/services/checkout", {"tags": ["a,b"]}).status_code == 400
    assert site.call("GET", "/services/none").json() == {"message": "Not found"}


def test_kong_lists_by_tags_and_by_pages(site: Site) -> None:
    assert [one["name"] for one in site.call("GET", "/services?tags=shop").json()["data"]] == ["checkout"]
    first = site.call("GET", "/routes?size=3").json()
    assert (len(first["data"]), first["offset"], first["next"]) == (3, "3", "/routes?offset=3")
    last = site.call("GET", "/routes?size=3&offset=3").json()
    assert (len(last["data"]), last["next"]) == (1, None)
    site.switch(kong_page=2)
    assert len(site.call("GET", "/consumers").json()["data"]) == 2


def test_a_kong_without_a_database_changes_nothing(site: Site) -> None:
    site.switch(kong_read_only=True)
    response = site.call("PATCH", "/services/checkout", {"tags": []})
    assert response.status_code == 405
    assert "not using a database" in response.json()["message"]
    assert site.call("GET", "/status").json()["database"] == {"reachable": False}


def test_kongs_log_plugins_write_its_own_entries(site: Site) -> None:
    assert site.call("POST", "/plugins", {"name": "odd"}).status_code == 400
    site.call("POST", "/plugins", {"name": "http-log", "config": {"http_endpoint": "http://127.0.0.1:1/feeds/k"}})
    assert len(site.call("GET", "/plugins").json()["data"]) == 1
    site.called("pay")
    (hook,) = site.posts()
    assert hook.url == "http://127.0.0.1:1/feeds/k"
    site.answers([hook], 204)
    assert site.state()["log"]["kong-plugin-1"] == {"posted": 1, "accepted": 1}
