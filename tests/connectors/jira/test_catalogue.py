"""What a Jira site is found to have: statuses with category and place, fields, choices, create screens."""

from __future__ import annotations

from typing import Any

import pytest

from connectors import jira
from connectors.contract import Catalogue, FieldKind, Ports
from connectors.jira.sandbox import build
from connectors.jira.settings import JiraSettings
from connectors.sandbox.server import serve
from sync.ports import RealClock, RealRng

CLOUD = {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"}
SERVER = {"kind": "personal_token", "token": "hub-pat"}


def read(
    deployment: str = "Cloud", projects: tuple[str, ...] = ("OPS",), more: tuple[str, ...] = (), **switches: Any
) -> tuple[Catalogue, int]:
    """The catalogue of a stand-in, over a real socket, and the calls that it took. more: projects beside the usual."""
    clock = RealClock()
    site = build(lambda: clock.now().timestamp(), RealRng(), deployment=deployment, settings=switches)
    for key in more:
        site.act({"act": "project", "key": key, "name": key})
    with serve(site) as running:
        settings = JiraSettings.model_validate(
            {"url": running.url, "projects": projects, "auth": CLOUD if deployment == "Cloud" else SERVER}
        )
        ports = Ports(clock=clock, rng=RealRng(), meter=lambda reading: None)
        remote: Any = jira.CONNECTOR.connect(settings, ports)
        try:
            found = remote.catalogue()
        finally:
            remote.close()
        return found, sum(site.requests.values())


@pytest.mark.parametrize("deployment", ["Cloud", "Server"])
def test_statuses_fields_and_screens_are_listed(deployment: str) -> None:
    found, _ = read(deployment)
    status = found.field("status")
    assert status is not None
    assert [(one.name, one.category) for one in status.values][:2] == [
        ("To Do", "new"),
        ("In Progress", "indeterminate"),
    ]
    assert {one.places for one in status.values} == {()}  # every workflow has them all
    custom = found.field("customfield_10051")
    assert custom is not None
    assert (custom.label, custom.kind, custom.custom, custom.read) == ("Customer impact", FieldKind.TEXT, True, False)
    assert {one.place for one in found.screens} >= {"OPS/Bug", "OPS/Story"}
    screen = next(one for one in found.screens if one.place == "OPS/Bug")
    assert set(screen.required) == {"project", "issuetype", "summary"}
    assert "labels" in screen.fields
    assert found.unread == ()
    assert not found.more_screens


def test_a_required_field_without_a_default_is_told() -> None:
    found, _ = read(create_demands=["customfield_10051", "priority"])
    screen = next(one for one in found.screens if one.place == "OPS/Bug")
    assert "customfield_10051" in screen.required
    assert "priority" not in screen.required  # it has a default


def test_at_most_forty_create_screens_are_asked_for() -> None:
    found, _ = read(projects=("OPS", "WEB"))
    assert len(found.screens) == 10
    more = tuple(f"P{number}" for number in range(8))
    found, calls = read(projects=("OPS", *more), more=more)
    assert len(found.screens) == 40
    assert found.more_screens
    assert calls < 70


def test_a_project_that_is_not_there_is_told_and_the_rest_is_read() -> None:
    found, _ = read(projects=("OPS", "GONE"))
    assert any("project GONE" in one for one in found.unread)
    assert found.field("status") is not None
    assert {one.place.partition("/")[0] for one in found.screens} == {"OPS"}
