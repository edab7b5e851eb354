"""Checklist line 1: `.json` optional, Basic and Bearer, the 401 and 403 shapes, `/oauth/tokens` with rotation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.zendesk.sandbox.site import AGENT, CUSTOMER, HUB, Site

CLIENT = {"client_id": "hypercare", "client_secret": "sandbox-client-secret"}


def grant(site: Site, **asked: Any) -> Any:
    response = site.call("POST", "/oauth/tokens", {**CLIENT, **asked}, auth=None)
    return response.status_code, response.json()


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def me(site: Site, token: str) -> int:
    return site.call("GET", "/api/v2/users/me", auth=None, headers=bearer(token)).status_code


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_line_1_the_json_suffix_is_optional(site: Site, suffix: str) -> None:
    number = site.ticket()
    for path in (f"tickets/{number}", f"tickets/{number}/audits", "users/me", "custom_statuses", "search"):
        assert site.call("GET", f"/api/v2/{path}{suffix}", params={"query": "type:ticket"}).status_code == 200


def test_line_1_an_api_token_is_basic_with_slash_token(site: Site) -> None:
    assert site.get("/api/v2/users/me.json")["user"]["email"] == "hub@example.com"
    assert site.get("/api/v2/users/me.json", auth=AGENT)["user"]["role"] == "agent"


@pytest.mark.parametrize(
    "credentials",
    [
        ("hub@example.com", "sandbox-api-token"),
        ("hub@example.com/token", "wrong"),
        ("nobody@example.com/token", "sandbox-api-token"),
    ],
)
def test_line_1_wrong_credentials_are_401_with_a_text_error(site: Site, credentials: tuple[str, str]) -> None:
    response = site.call("GET", "/api/v2/tickets.json", auth=credentials)
    assert (response.status_code, response.json()) == (401, {"error": "Couldn't authenticate you"})


def test_line_1_without_credentials_reads_are_401_and_me_is_anonymous(site: Site) -> None:
    assert site.call("GET", "/api/v2/tickets.json", auth=None).status_code == 401
    assert site.get("/api/v2/users/me.json", auth=None)["user"]["id"] is None


def test_line_1_api_tokens_can_be_switched_off_for_the_account(site: Site) -> None:
    site.switch(api_tokens=False)
    assert site.call("GET", "/api/v2/users/me.json").status_code == 401


def test_line_1_a_403_has_an_object_for_error(site: Site) -> None:
    response = site.call("GET", "/api/v2/incremental/tickets/cursor.json?start_time=0", auth=AGENT)
    assert response.status_code == 403
    assert response.json()["error"]["title"] == "Forbidden"
    assert site.call("GET", "/api/v2/tickets.json", auth=CUSTOMER).status_code == 403


def test_line_1_client_credentials_give_a_token_that_works_until_it_expires(site: Site) -> None:
    status, pair = grant(site, grant_type="client_credentials", scope="read write", expires_in=600)
    assert status == 200
    assert set(pair) == {
        "access_token", "refresh_token", "token_type", "scope", "expires_in", "refresh_token_expires_in"
    }  # fmt: skip
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 600)
    assert me(site, pair["access_token"]) == 200
    site.now += 600
    assert me(site, pair["access_token"]) == 401


def test_line_1_refreshing_kills_both_tokens_of_the_old_pair(site: Site) -> None:
    old = grant(site, grant_type="client_credentials")[1]
    status, new = grant(site, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert status == 200
    assert (me(site, old["access_token"]), me(site, new["access_token"])) == (401, 200)
    status, error = grant(site, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert (status, error["error"]) == (400, "invalid_grant")


def test_line_1_an_authorisation_code_works_once_and_for_120_seconds(site: Site) -> None:
    code = site.act("authorisation_code")["code"]
    assert grant(site, grant_type="authorization_code", code=code)[0] == 200
    assert grant(site, grant_type="authorization_code", code=code)[1]["error"] == "invalid_grant"
    late = site.act("authorisation_code")["code"]
    site.now += 120
    assert grant(site, grant_type="authorization_code", code=late)[0] == 400


def test_line_1_a_wrong_client_secret_is_invalid_client(site: Site) -> None:
    status, error = grant(site, grant_type="client_credentials", client_secret="wrong")
    assert (status, error["error"]) == (401, "invalid_client")


def test_line_1_the_token_endpoint_also_takes_a_form(site: Site) -> None:
    body = {**CLIENT, "grant_type": "client_credentials"}
    assert site.session.post(site.url + "/oauth/tokens", data=body, timeout=5).status_code == 200


def test_a1_audits_need_the_global_read_scope(site: Site) -> None:
    number = site.ticket()
    token = grant(site, grant_type="client_credentials", scope="tickets:read")[1]["access_token"]
    headers = bearer(token)
    assert site.call("GET", f"/api/v2/tickets/{number}", auth=None, headers=headers).status_code == 200
    refused = site.call("GET", f"/api/v2/tickets/{number}/audits", auth=None, headers=headers)
    assert (refused.status_code, refused.json()["error"]) == (403, "Forbidden")
    body = {"ticket": {"status": "open"}}
    assert site.call("PUT", f"/api/v2/tickets/{number}", body, auth=None, headers=headers).status_code == 403


def test_a1_a_scope_beyond_the_clients_own_is_refused(site: Site) -> None:
    site.switch(oauth_scopes="read")
    assert grant(site, grant_type="client_credentials", scope="read write")[1]["error"] == "invalid_scope"
    assert grant(site, grant_type="client_credentials")[1]["scope"] == "read"


def test_a1_an_administrator_can_revoke_every_token(site: Site) -> None:
    token = grant(site, grant_type="client_credentials")[1]["access_token"]
    site.act("revoke_tokens")
    response = site.call("GET", "/api/v2/users/me", auth=None, headers=bearer(token))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_token")


def test_a6_an_unknown_path_is_an_invalid_endpoint(site: Site) -> None:
    response = site.call("GET", "/api/v2/nonsense.json", auth=HUB)
    assert (response.status_code, response.json()["error"]) == (404, "InvalidEndpoint")


def test_a6_a_body_that_is_no_json_is_refused(site: Site) -> None:
    number = site.ticket()
    response = site.session.put(f"{site.url}/api/v2/tickets/{number}", data=b"{", auth=HUB, timeout=5)
    assert response.status_code == 422
