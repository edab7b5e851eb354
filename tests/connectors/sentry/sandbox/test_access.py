"""Checklist: paths, tokens, scopes, errors and rate limits."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import pytest

from connectors.sentry.sandbox import build, connection_settings
from tests.connectors.sentry.sandbox.site import ENGINEER, ORG, ORGANISATION_TOKEN, Chance, Site

Make = Callable[..., Site]


def test_every_path_ends_with_a_slash(site: Site) -> None:
    issue = site.issue()
    answer = site.call("PUT", f"issues/{issue}", {"status": "resolved"})
    assert (answer.status_code, answer.headers["location"]) == (301, f"{ORG}/issues/{issue}/")
    assert site.record(issue)["status"] == "unresolved"


def test_a_call_without_or_with_a_wrong_token_is_refused(site: Site) -> None:
    for auth, words in (
        (None, "Authentication credentials were not provided."),
        ("Bearer nonsense", "Invalid token"),
        ("Basic !!", "Invalid token"),
    ):
        answer = site.call("GET", "issues/", auth=auth)
        assert (answer.status_code, answer.json()) == (401, {"detail": words})


def test_the_legacy_key_is_the_user_of_a_basic_login(site: Site) -> None:
    key = "Basic " + b64encode(b"legacy-key:").decode()
    assert site.call("GET", "issues/", auth=key).status_code == 200


def test_a_token_without_the_scope_is_forbidden(site: Site) -> None:
    issue = site.issue()
    site.act("token", scopes=["event:read"])
    assert site.get("issues/")
    for method, path in (
        ("PUT", f"issues/{issue}/"),
        ("DELETE", f"issues/{issue}/"),
        ("GET", "projects/"),
        ("GET", "members/"),
        ("GET", "releases/"),
        ("GET", "sentry-app-installations/"),
    ):
        answer = site.call(method, path)
        assert answer.status_code == 403, path
        assert answer.json() == {"detail": "You do not have permission to perform this action."}
    site.act("token", scopes=["event:write"])
    assert site.get(f"issues/{issue}/")["id"] == issue  # any of read, write and admin lets a read in


@pytest.mark.parametrize("edition", ["saas", "glitchtip"])
def test_the_index_tells_who_asks_and_with_which_scopes(make: Make, edition: str) -> None:
    site = make(edition=edition)
    site.act("token", scopes=["event:read"])
    told = site.get("/api/0/")
    assert (told["user"]["id"], told["auth"]) == ("1", {"scopes": ["event:read"]})
    nobody = site.call("GET", "/api/0/", auth=None)
    assert nobody.json() == {"version": "0", "auth": None, "user": None}


def test_an_organisation_token_writes_no_issue(site: Site) -> None:
    issue = site.issue()
    answer = site.call("PUT", f"issues/{issue}/", {"status": "resolved"}, auth=ORGANISATION_TOKEN)
    assert answer.status_code == 403
    assert site.record(issue)["status"] == "unresolved"


def test_a_revoked_token_is_refused(site: Site) -> None:
    site.act("token", tokens=["fresh"])
    assert site.call("GET", "issues/").status_code == 401
    assert site.call("GET", "issues/", auth="Bearer fresh").status_code == 200


def test_what_is_not_there_is_a_404(site: Site) -> None:
    for path in ("issues/77/", "issues/BACKEND-ZZ/", "dreams/", "/api/0/organizations/other/issues/"):
        answer = site.call("GET", path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "The requested resource does not exist"})


def test_the_form_without_the_organisation_is_served_until_it_is_gone(site: Site) -> None:
    issue = site.issue()
    assert site.get(f"/api/0/issues/{issue}/")["id"] == issue
    site.switch(unscoped_gone=True)
    assert site.call("GET", f"/api/0/issues/{issue}/").status_code == 410
    assert site.get(f"issues/{issue}/")["id"] == issue


def test_bodies_that_are_no_object_are_refused(site: Site) -> None:
    issue = site.issue()
    for body in ("[]", "{", '"x"'):
        headers = {"authorization": "Bearer hub-token"}
        assert site.client.put(f"{ORG}/issues/{issue}/", content=body, headers=headers).status_code == 400


# --- rate limits -----------------------------------------------------------------------------------------------------


def test_a_window_is_counted_by_caller_and_endpoint(make: Make) -> None:
    site = make(rate_limits=None)
    issue = site.issue()
    answers = [site.call("GET", f"issues/{issue}/") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    first, last = answers[0].headers, answers[5]
    assert {name: first[f"x-sentry-rate-limit-{name}"] for name in ("limit", "remaining", "reset")} == {
        "limit": "5",
        "remaining": "4",
        "reset": str(int(site.now) + 1),
    }
    assert first["x-sentry-rate-limit-concurrentlimit"] == "25"
    assert last.json() == {
        "detail": "You are attempting to use this endpoint too frequently. Limit is 5 requests in 1 seconds"
    }
    assert "retry-after" not in last.headers
    assert last.headers["x-sentry-rate-limit-remaining"] == "0"
    # Another caller, another endpoint, another method and another second have windows of their own.
    assert site.call("GET", f"issues/{issue}/", auth=ENGINEER).status_code == 200
    assert site.call("GET", "issues/").status_code == 200
    assert site.put(issue, priority="low").status_code == 200
    site.now += 1
    assert site.call("GET", f"issues/{issue}/").status_code == 200


def test_an_apps_tokens_share_the_organisations_window(make: Make) -> None:
    site = make(rate_limits=None)
    site.act("token", tokens=["a", "b"])
    answers = [site.call("GET", "issues/", auth=f"Bearer {'ab'[place % 2]}").status_code for place in range(21)]
    assert answers == [200] * 20 + [429]


def test_too_many_at_once_are_refused_in_other_words(make: Make) -> None:
    site = make(rate_limits=None, concurrent_refusals=1)
    answer = site.call("GET", "issues/")
    assert answer.status_code == 429
    assert "Concurrency limit is 25" in answer.json()["detail"]
    assert answer.headers["x-sentry-rate-limit-concurrentremaining"] == "0"
    assert site.call("GET", "issues/").status_code == 200


def test_a_limit_may_be_set_by_operation(make: Make) -> None:
    site = make(rate_limits=True, limits={"projects": (1, 10)})
    assert [site.call("GET", "projects/").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("edition", ["self_hosted", "glitchtip"])
def test_other_editions_limit_nothing_and_send_no_headers(make: Make, edition: str) -> None:
    site = make(edition=edition, rate_limits=None)
    answers = [site.call("GET", "issues/") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert not [name for name in answers[0].headers if name.startswith("x-sentry-rate")]


def test_the_settings_of_a_connection_lead_in(site: Site) -> None:
    told = connection_settings(site.sandbox, site.url)
    url = f"{told['base_url']}/api/0/organizations/{told['organization']}/"
    assert site.client.get(url, headers={"authorization": f"Bearer {told['token']}"}).json()["slug"] == "acme"


@pytest.mark.parametrize(("edition", "flavour"), [("saas", None), ("self_hosted", None), ("glitchtip", "glitchtip")])
def test_the_settings_of_a_connection_name_the_flavour(make: Make, edition: str, flavour: str | None) -> None:
    site = make(edition=edition)
    assert connection_settings(site.sandbox, site.url).get("flavour") == flavour


def test_a_switch_that_does_not_exist_is_refused() -> None:
    for wrong in ({"editon": "saas"}, {"edition": "cloud"}, {"time_factor": 0}, {"reopen_substatus": "new"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            build(lambda: 0.0, Chance(), settings=wrong)
