"""All files together: what they become, and what is wrong between them."""

from __future__ import annotations

import pytest

from sync.core.state import Detail, Reopen, Resolve, RoleRules, Rules
from sync.core.traces import Answer, TraceKind
from sync.mapping.load import MappingErrors, listed, load
from sync.model import Role, Status
from tests.sync.mapping.records import AT, shipped_texts, ticket

PLAIN = "system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n"
OWN = PLAIN.replace("subject", "raw_subject") + "connections: [support-eu]\n"


def test_no_files_are_no_mappings_and_the_default_rules() -> None:
    loaded = load({})
    assert (dict(loaded.mappings), loaded.routes) == ({}, ())
    assert loaded.rules.of(Role.HELPDESK) == RoleRules()


def test_the_rules_file_sets_every_knob() -> None:
    text = (
        "groups:\n  signal: {resolve: never, reopen: never, reopen_reaches: [tracker, helpdesk], detail: sole,\n"
        "    siblings: true, automatic_resolve: true}\nreopen_as: in_progress\n"
        "proposals: {request_id: accept, trace_id: 'off'}\n"
    )
    assert load({"rules.yaml": text}).rules == Rules(
        roles={
            Role.HELPDESK: RoleRules(),
            Role.SIGNAL: RoleRules(
                resolve=Resolve.NEVER,
                reopen=Reopen.NEVER,
                reopen_reaches=frozenset({Role.TRACKER, Role.HELPDESK}),
                detail=Detail.SOLE,
                siblings=True,
                automatic_resolve=True,
            ),
        },
        reopen_as=Status.IN_PROGRESS,
        proposals={TraceKind.REQUEST: Answer.ACCEPT, TraceKind.TRACE: Answer.OFF},
    )


def test_a_connection_s_own_mapping_comes_before_its_system_s() -> None:
    loaded = load({"zendesk.yaml": PLAIN, "eu.yaml": OWN})
    snap = ticket(raw_subject="raw")
    assert loaded.for_connection("support", "zendesk").feedback(snap).title == "Cannot log in"
    assert loaded.for_connection("support-eu", "zendesk").feedback(snap).title == "raw"


def test_a_connection_without_a_mapping_is_named() -> None:
    with pytest.raises(KeyError, match="no mapping for the connection `support`: no file names it"):
        load({"eu.yaml": OWN}).for_connection("support", "zendesk")
    with pytest.raises(KeyError, match="is for all of `system: jira`"):
        load({"zendesk.yaml": PLAIN}).for_connection("engineering", "jira")


def test_files_may_lie_in_a_folder_and_end_in_yml() -> None:
    loaded = load(
        {"mappings/routes.yml": "routes:\n  - {name: a, create: {connection: eng}}\n", "mappings/z.yml": PLAIN}
    )
    assert [route.name for route in loaded.routes] == ["a"]
    assert set(loaded.mappings) == {"zendesk"}


def test_names_of_connections_are_checked_where_they_are_known() -> None:
    texts = {
        "routes.yaml": "routes:\n  - {name: a, when: {connection: [suport]}, create: {connection: enginering}}\n",
        "eu.yaml": OWN,
        "us.yaml": PLAIN + "connections: [engineering]\n",
    }
    with pytest.raises(MappingErrors) as refused:
        load(texts, {"support": "zendesk", "engineering": "jira"})
    assert listed(refused.value.problems).splitlines() == [
        "eu.yaml:5:15: connections[0]: there is no connection `support-eu`; did you mean `support`?",
        "routes.yaml:2:35: routes[0].when.connection[0]: there is no connection `suport`; did you mean `support`?",
        (
            "routes.yaml:2:66: routes[0].create.connection: there is no connection `enginering`; "
            "did you mean `engineering`?"
        ),
        "us.yaml:5:15: connections[0]: the connection `engineering` is on jira, and this mapping is for zendesk",
    ]


def test_a_name_without_a_near_one_gets_the_list() -> None:
    route = {"routes.yaml": "routes:\n  - {name: a, create: {connection: zzz}}\n"}
    with pytest.raises(MappingErrors, match="there is no connection `zzz`; known are engineering, support"):
        load(route, {"support": "zendesk", "engineering": "jira"})
    with pytest.raises(MappingErrors, match="there is no connection `zzz`; add it to the settings"):
        load(route, {})


def test_fields_that_routes_look_at_are_watched() -> None:
    when = "{severity: [critical], dimensions: {component: {any: [x]}}}"
    text = f"routes:\n  - {{name: a, when: {when}, create: {{connection: eng}}}}\n"
    with_route, without = load({**shipped_texts(), "routes.yaml": text}), load(shipped_texts())
    urgent, normal = ticket(), ticket(priority="normal")
    assert without.mappings["zendesk"].watched(urgent) == without.mappings["zendesk"].watched(normal)
    assert with_route.mappings["zendesk"].watched(urgent) != with_route.mappings["zendesk"].watched(normal)
    assert "components" in with_route.mappings["jira"].watched_fields


def test_the_fingerprint_changes_with_any_file_and_not_with_comments() -> None:
    texts = shipped_texts()
    before = load(texts).fingerprint
    assert load({**texts, "rules.yaml": texts["rules.yaml"] + "# a comment\n"}).fingerprint == before
    assert load({**texts, "rules.yaml": "reopen_as: in_progress\n"}).fingerprint != before
    assert load({**texts, "routes.yaml": "routes:\n  - {name: a, create: {connection: eng}}\n"}).fingerprint != before
    assert (
        load({**texts, "zendesk.yaml": texts["zendesk.yaml"].replace("keep: [pending]", "keep: []")}).fingerprint
        != before
    )


def test_free_values_keep_numbers_and_truth_and_quoted_text() -> None:
    text = (
        "routes:\n  - name: a\n    create:\n      connection: eng\n"
        '      fields: {a: 3, b: 1.5, c: true, d: null, e: "3", f: 012, g: [x, {h: false}], i: 2026-03-01, j: nan}\n'
    )
    assert load({"routes.yaml": text}).routes[0].target.fields == {
        "a": 3, "b": 1.5, "c": True, "d": None, "e": "3", "f": "012", "g": ["x", {"h": False}], "i": "2026-03-01",
        "j": "nan",
    }  # fmt: skip


def test_a_loaded_route_matches_what_its_mapping_reads() -> None:
    loaded = load(
        {
            **shipped_texts(),
            "routes.yaml": "routes:\n  - {name: a, when: {status: [in_progress]}, create: {connection: e}}\n",
        }
    )
    assert loaded.routes[0].matches(loaded.mappings["zendesk"].feedback(ticket()), "support", AT)


LOSSY = (
    "system: zendesk\nkind: ticket\nNAMES\nfields:\n  status:\n    field: status\n"
    "    values: {new: new, open: in_progress, solved: resolved}\n    write: {in_progress: open, resolved: solved}\n"
)


def test_only_mappings_that_can_meet_are_judged_together() -> None:
    one = LOSSY.replace("NAMES\n", "")
    assert load({"z.yaml": one}).mappings
    assert load({"z.yaml": one}, {"support": "zendesk"}).mappings
    with pytest.raises(MappingErrors, match="writing new to Zendesk gives `open`"):
        load({"z.yaml": one}, {"support": "zendesk", "support-eu": "zendesk"})
    with pytest.raises(MappingErrors, match="writing new to Zendesk gives `open`"):
        load({"z.yaml": one, "jira.yaml": "system: jira\nstock: true\n"}, {"support": "zendesk", "dev": "jira"})
    # Nobody is on Jira: the file is there for later.
    assert load({"z.yaml": one, "jira.yaml": "system: jira\nstock: true\n"}, {"support": "zendesk"}).mappings


def test_a_mapping_of_one_connection_meets_that_of_the_others() -> None:
    own = LOSSY.replace("NAMES", "connections: [support-eu]")
    texts = {"z.yaml": "system: zendesk\nstock: true\n", "eu.yaml": own}
    with pytest.raises(MappingErrors, match=r"eu.yaml:8:5: .* writing new to Zendesk \(support-eu\) gives `open`"):
        load(texts, {"support": "zendesk", "support-eu": "zendesk"})


def test_a_system_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(MappingErrors) as refused:
        load({"jira.yaml": PLAIN.replace("zendesk", "jria")}, {"engineering": "jira"})
    assert listed(refused.value.problems) == ("jira.yaml:1:9: system: there is no system `jria`; did you mean `jira`?")
