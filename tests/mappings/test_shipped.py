"""The shipped files: they load, keep the laws, and say what a stock Zendesk and a stock Jira project need."""

from __future__ import annotations

from importlib.resources import files

import pytest

from sync.core.laws import violations
from sync.core.lens import put
from sync.core.state import Rules
from sync.mapping import jsonschema
from sync.mapping.load import load
from sync.model import Direction, Role, Status
from tests.sync.mapping.records import jira, shipped, shipped_texts, zendesk


def test_the_shipped_files_load_and_activate_no_route() -> None:
    assert {"zendesk", "jira", "sentry", "gateway"} <= set(shipped().mappings)
    assert shipped().routes == ()


def test_the_shipped_rules_are_the_design_s_defaults() -> None:
    assert shipped().rules.reopen_as is Rules().reopen_as
    for role in (Role.HELPDESK, Role.SIGNAL):
        assert shipped().rules.of(role) == Rules().of(role)


def test_the_shipped_statuses_keep_the_mapping_laws() -> None:
    for mapping in shipped().mappings.values():
        assert violations(mapping.status) == (), mapping.system


@pytest.mark.parametrize("status", list(Status))
def test_a_ticket_is_never_closed_and_never_set_to_pending(status: Status) -> None:
    for raw in zendesk().status.values:
        assert put(zendesk().status, status, raw) not in {"closed", "pending"} - {raw}


@pytest.mark.parametrize(
    ("status", "raw", "shows"),
    [
        (Status.NEW, "open", "open"),
        (Status.NEW, "new", "new"),
        (Status.NEW, "solved", "open"),
        (Status.IN_PROGRESS, "new", "open"),
        (Status.WAITING, "open", "hold"),
        (Status.WAITING, "pending", "pending"),
        (Status.IN_PROGRESS, "pending", "pending"),
        (Status.RESOLVED, "pending", "solved"),
        (Status.CLOSED, "open", "solved"),
        (Status.RESOLVED, "closed", "closed"),
        (Status.IN_PROGRESS, "closed", "closed"),
    ],
)
def test_a_ticket_is_made_to_show_what_the_group_rules_say(status: Status, raw: str, shows: str) -> None:
    assert put(zendesk().status, status, raw) == shows


def test_status_tags_and_links_go_both_ways() -> None:
    for own in (zendesk(), jira()):
        assert (own.status_direction, own.tag_direction, own.links_direction) == (Direction.BOTH,) * 3
    assert (zendesk().links_show, jira().links_show) == ("note", "remote_link")
    assert (zendesk().status_field, zendesk().tags_field) == ("status", "tags")
    assert (jira().status_field, jira().tags_field) == ("status", "labels")


def test_the_commented_route_of_the_shipped_file_works_when_it_is_taken_in() -> None:
    text = shipped_texts()["routes.yaml"]
    head, _, example = text.partition("# An example.")
    taken_in = [line.removeprefix("# ").removeprefix("#") for line in example.splitlines()[2:]]
    assert taken_in[0].lstrip().startswith("- name:")
    loaded = load({**shipped_texts(), "routes.yaml": head.replace("routes: []", "routes:") + "\n".join(taken_in)})
    assert loaded.routes[0].target.fields == {"project": "SUP", "issuetype": "Bug"}


@pytest.mark.parametrize("name", jsonschema.FILES)
def test_the_editors_schema_is_fresh(name: str) -> None:
    """To write it anew: python -m tests.mappings.refresh."""
    assert files("mappings").joinpath(name).read_text(encoding="utf-8") == jsonschema.text(jsonschema.FILES[name])


def test_every_shipped_file_names_its_editor_schema() -> None:
    for name, text in shipped_texts().items():
        schema = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        own = name in ("routes.yaml", "rules.yaml")
        assert schema == (f"{name[:-5]}.schema.json" if own else "mapping.schema.json")
        assert files("mappings").joinpath(schema).is_file()
