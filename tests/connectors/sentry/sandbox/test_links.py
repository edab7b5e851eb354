"""Checklist: external issues, integration links, releases and deploys, apps."""

from __future__ import annotations

from typing import Any

import httpx

from tests.connectors.sentry.sandbox.site import ENGINEER, Site


def installation(site: Site) -> str:
    return str(site.get("sentry-app-installations/")[0]["uuid"])


def external(site: Site, issue: str, identifier: str = "OPS-1", auth: str = "Bearer hub-token") -> httpx.Response:
    body = {
        "issueId": int(issue),
        "webUrl": f"https://jira.example/{identifier}",
        "project": "A & B",
        "identifier": identifier,
    }
    path = f"/api/0/sentry-app-installations/{installation(site)}/external-issues/"
    return site.call("POST", path, body, auth=auth)


def test_an_app_has_one_link_on_an_issue(site: Site) -> None:
    issue = site.issue()
    made = external(site, issue)
    assert made.status_code == 200
    assert made.json() == {
        "id": made.json()["id"],
        "issueId": issue,
        "serviceType": "hypercare",
        "displayName": "A &amp; B#OPS-1",
        "webUrl": "https://jira.example/OPS-1",
    }
    assert site.get(f"issues/{issue}/external-issues/") == [made.json()]
    assert external(site, issue, "OPS-2").status_code == 500
    assert [link["url"] for link in site.record(issue)["links"]] == ["https://jira.example/OPS-1"]
    site.switch(second_link="replaces")
    assert external(site, issue, "OPS-2").json()["id"] == made.json()["id"]
    assert [link["url"] for link in site.record(issue)["links"]] == ["https://jira.example/OPS-2"]


def test_a_link_is_taken_away_by_its_app_alone(site: Site) -> None:
    issue = site.issue()
    link = external(site, issue).json()["id"]
    path = f"/api/0/sentry-app-installations/{installation(site)}/external-issues/{link}/"
    site.act("token", scopes=["event:write", "org:read"])
    assert site.call("DELETE", path).status_code == 403  # needs event:admin
    site.act("token", scopes=["event:admin", "org:read"])
    assert site.call("DELETE", path).status_code == 204
    assert site.call("DELETE", path).status_code == 404
    assert site.record(issue)["links"] == []


def test_only_the_apps_own_token_links(site: Site) -> None:
    issue = site.issue()
    assert external(site, issue, auth=ENGINEER).status_code == 403
    site.act("webhook", url="https://other.example", app="other")
    assert external(site, issue, auth="Bearer other-token").status_code == 403
    assert external(site, "123").status_code == 404
    path = f"/api/0/sentry-app-installations/{installation(site)}/external-issues/"
    assert site.call("POST", path, {"issueId": issue}).json() == {"webUrl": ["This field is required."]}


def test_links_and_unlinks_leave_no_trace_in_activity_or_webhooks(site: Site) -> None:
    issue = site.issue()
    site.hooked()
    external(site, issue)
    site.act("unlink", issue=issue)
    assert site.kinds(issue) == ["first_seen"]
    assert site.told() == []


def test_an_integration_links_and_makes_issues_of_the_tracker(site: Site) -> None:
    issue = site.issue()
    path = f"issues/{issue}/integrations/1/"
    assert "linkIssueConfig" in site.get(path, action="link")
    assert site.call("GET", path).status_code == 400
    made = site.call("PUT", path, {"externalIssue": "OPS-1"})
    assert (made.status_code, made.json()["key"]) == (201, "OPS-1")
    assert site.call("PUT", path, {"externalIssue": "OPS-1"}).status_code == 400
    assert site.call("POST", path, {"title": "It fails", "description": "x"}).status_code == 201
    shown = site.get(f"issues/{issue}/integrations/")[0]["externalIssues"]
    assert len(shown) == 2
    assert site.call("DELETE", path, params={"externalIssue": shown[0]["id"]}).status_code == 204
    assert site.call("DELETE", path, params={"externalIssue": "1"}).status_code == 404
    site.switch(integrations=False)
    assert site.get(f"issues/{issue}/integrations/") == []


def test_the_apps_address_and_resources_can_be_read(site: Site) -> None:
    site.hooked(resources=["issue", "comment"])
    told = site.get("/api/0/sentry-apps/hypercare/")
    assert (told["webhookUrl"], told["events"]) == ("https://hub.example/hooks/sentry", ["issue", "comment"])
    assert [one["slug"] for one in site.get("sentry-apps/")] == ["hypercare"]
    (row,) = site.get("sentry-app-installations/")
    assert (row["app"]["slug"], row["status"]) == ("hypercare", "installed")
    site.act("install", installed=False)
    assert site.call("GET", "projects/").status_code == 401
    assert site.state()["apps"][0]["url"]


def test_service_hooks_are_a_feature_that_is_not_there(site: Site) -> None:
    body = {"url": "https://hub.example", "events": ["event.alert"]}
    assert site.call("POST", "/api/0/projects/acme/backend/hooks/", body).status_code == 403


# --- releases --------------------------------------------------------------------------------------------------------


def test_releases_and_deploys_are_told_and_read(site: Site) -> None:
    version = "shop@1.0+a/b"
    quoted = "shop%401.0%2Ba%2Fb"
    made = site.call("POST", "releases/", {"version": version, "projects": ["backend"], "commits": [{"id": "abc"}]})
    assert (made.status_code, made.json()["version"], made.json()["dateReleased"]) == (201, version, None)
    assert site.call("POST", "releases/", {"version": version, "projects": ["frontend"]}).status_code == 208
    deploy = site.call("POST", f"releases/{quoted}/deploys/", {"environment": "production"})
    assert (deploy.status_code, deploy.json()["dateFinished"]) == (201, "2026-09-21T14:13:20Z")
    assert [one["environment"] for one in site.get(f"releases/{quoted}/deploys/")] == ["production"]
    assert [one["id"] for one in site.get(f"releases/{quoted}/commits/")] == ["abc"]
    shown: Any = site.get(f"releases/{quoted}/")
    assert [project["slug"] for project in shown["projects"]] == ["backend", "frontend"]
    assert (shown["deployCount"], shown["commitCount"], shown["lastDeploy"]["environment"]) == (1, 1, "production")
    edited = site.call("PUT", f"releases/{quoted}/", {"dateReleased": "2026-09-21T15:00:00Z"})
    assert edited.json()["dateReleased"] == "2026-09-21T15:00:00Z"
    assert site.call("GET", "releases/none/").status_code == 404


def test_releases_are_listed_newest_first_by_project_environment_and_query(site: Site) -> None:
    for number in range(3):
        site.now += 1
        site.act("release", version=f"backend@{number}", project=["backend", "frontend"][number % 2])
    site.act("deploy", version="backend@2", environment="staging")
    listed = [one["version"] for one in site.get("releases/")]
    assert listed == ["backend@2", "backend@1", "backend@0"]
    assert [one["version"] for one in site.get("releases/", project="1")] == ["backend@2", "backend@0"]
    assert [one["version"] for one in site.get("releases/", environment="staging")] == ["backend@2"]
    assert [one["version"] for one in site.get("releases/", query="@1")] == ["backend@1"]
    answer = site.call("GET", "releases/", params={"per_page": "2"})
    assert 'rel="next"; results="true"; cursor="0:2:0"' in answer.headers["link"]
    assert site.call("POST", "releases/", {"version": "x", "projects": ["none"]}).status_code == 400


def test_an_event_makes_its_release_known(site: Site) -> None:
    site.issue(release="backend@7")
    shown = site.get("releases/backend%407/")
    assert shown["newGroups"] == 1
    assert shown["firstEvent"] == shown["lastEvent"]
