"""Who is who across systems, and what of a person stands on a record that is created."""

from __future__ import annotations

import pytest

from sync.mapping.compiled import Mapping
from sync.mapping.load import MappingErrors, load
from sync.mapping.routes import Route, Target, When
from sync.model import LinkView, Person
from tests.sync.mapping.records import ticket, zendesk

JIRA = (
    "system: jira\nkind: issue\nfields:\n  title: {field: summary}\n  reporter: {field: reporter, direction: out}\n"
    "  owner: {field: assignee, direction: out FALLBACK}\n"
)
PEOPLE = """
people:
  - name: Ada
    emails: [ada@example.com]
    ids: {jira: acc-ada, support: "7"}
  - name: Sam
    ids: {zendesk: "9", eng: acc-sam, jira: acc-other}
"""
TO = Route(name="r", when=When(), target=Target(connection="eng", fields={}))
FROM = LinkView(system="zendesk", connection="support", kind="ticket", id="1", key="1", url="https://x.example/1")


def jira(fallback: str = "", people: str = PEOPLE) -> Mapping:
    text = JIRA.replace("FALLBACK", f", fallback: {fallback}" if fallback else "")
    return load({"jira.yaml": text, "people.yaml": people}).mappings["jira"]


def named(identity: str) -> dict[str, str]:
    return {"id": identity, "name": "", "email": ""}


def test_people_are_known_by_address_and_by_their_id_on_the_connection_or_system() -> None:
    draft = jira().draft(zendesk().feedback(ticket()), TO, "m", FROM)
    assert (draft.fields["reporter"], draft.fields["assignee"]) == (named("acc-ada"), named("acc-sam"))


def test_the_id_on_a_connection_comes_before_that_of_its_system() -> None:
    other = Route(name="r", when=When(), target=Target(connection="eng2", fields={}))
    assert jira().draft(zendesk().feedback(ticket()), other, "m", FROM).fields["assignee"] == named("acc-other")


def test_an_address_is_compared_without_its_letters_case() -> None:
    view = zendesk().feedback(ticket(requester={"id": "8", "name": "A", "email": "ADA@Example.com"}))
    assert jira().draft(view, TO, "m", FROM).fields["reporter"] == named("acc-ada")


def test_who_is_not_known_goes_by_name_and_address_and_nobody_by_nothing() -> None:
    view = zendesk().feedback(ticket(requester={"id": "8", "name": "Kim", "email": "kim@example.com"}, assignee=None))
    fields = jira().draft(view, TO, "m", FROM).fields
    assert fields["reporter"] == {"id": "", "name": "Kim", "email": "kim@example.com"}
    assert "assignee" not in fields


def test_the_fallback_stands_in_and_nobody_is_cleared() -> None:
    for assignee in (None, {"id": "77", "name": "Zoe", "email": ""}):
        view = zendesk().feedback(ticket(assignee=assignee))
        assert jira("acc-triage").draft(view, TO, "m", FROM).fields["assignee"] == named("acc-triage")
    known = zendesk().feedback(ticket())
    assert jira("acc-triage").draft(known, TO, "m", FROM).fields["assignee"] == named("acc-sam")


def test_an_id_of_another_system_is_never_sent() -> None:
    view = zendesk().feedback(ticket(assignee={"id": "9", "name": "Sam", "email": ""}))
    assert jira(people="people: []").draft(view, TO, "m", FROM).fields["assignee"]["id"] == ""
    assert jira().people.id_there(Person(id="9"), ("other", "sentry"), ("eng", "jira")) == ""
    assert jira().people.id_there(Person(id="9"), ("other", "zendesk"), ("x", "sentry")) == ""


def test_names_are_checked_where_the_connections_are_known() -> None:
    texts = {"jira.yaml": JIRA.replace("FALLBACK", ""), "people.yaml": PEOPLE.replace("support:", "suport:")}
    with pytest.raises(MappingErrors) as refused:
        load(texts, {"support": "zendesk", "eng": "jira"})
    assert str(refused.value) == (
        "people.yaml:5:26: people[0].ids.suport: there is no system or connection `suport`; did you mean `support`?"
    )
