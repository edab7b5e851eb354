"""`mappings check --online`: the mappings against stand-ins on real sockets."""

from __future__ import annotations

from pathlib import Path

from tests.sync.cli.served import Served, served

ROUTE = "routes:\n  - name: all\n    create: {connection: tracker, fields: {project: OPS, issuetype: Bug}}\n"


def found(place: Served, connection: str) -> list[tuple[str, str]]:
    """What is said of one connection, but for what is only worth knowing."""
    shown = place.run("mappings", "check", "--online", "--json").json
    (one,) = [one for one in shown["online"] if one["connection"] == connection]
    return [(each["level"], each["what"]) for each in one["mismatches"] if each["level"] != "info"]


def test_the_shipped_mappings_fit_stock_systems(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        place.mapping("routes.yaml", ROUTE)
        place.ticket()
        place.ahead += 2.0
        shown = place.run("mappings", "check", "--online")
        assert shown.code == 0, shown.out
        assert shown.out.count("well: mapping and system agree") == 2
        assert found(place, "support") == found(place, "tracker") == []


def test_a_create_screen_that_demands_more_or_has_lost_a_field_is_an_error(tmp_path: Path) -> None:
    with served(tmp_path, jira={"create_demands": ["customfield_10051"], "removed_fields": ["priority"]}) as place:
        place.mapping("routes.yaml", ROUTE)
        place.ticket()
        place.ahead += 2.0
        shown = place.run("mappings", "check", "--online")
        assert shown.code == 1
        assert found(place, "tracker") == [
            ("error", "there is no field `priority`"),
            (
                "error",
                "the route `all`: OPS/Bug demands `customfield_10051` (Customer impact), and nothing is sent for it",
            ),
            ("error", "the route `all`: `priority` is not on the create screen of OPS/Bug: a create would be refused"),
        ]
        assert "mappings/jira.yaml:" in shown.out
        assert "mappings/routes.yaml:2: routes[0]: the route `all`: OPS/Bug demands" in shown.out
        annotated = place.run("mappings", "check", "--online", "--github")
        assert annotated.code == 1
        assert "::error file=mappings/routes.yaml,line=2::tracker: " in annotated.out


def test_what_a_step_demands_is_seen_in_a_sample(tmp_path: Path) -> None:
    with served(tmp_path, jira={"resolution_required": True}) as place:
        place.issue(status="In Progress")
        text = (place.folder / "mappings" / "jira.yaml").read_text(encoding="utf-8")
        place.mapping("jira.yaml", text.replace("    resolution: Done", "    avoid: false"))
        assert found(place, "tracker") == [
            ("warning", "the step to `Done` demands `resolution` (Resolution), and the mapping has no value for it"),
            (
                "warning",
                "the step to `Won't Do` demands `resolution` (Resolution), and the mapping has no value for it",
            ),
        ]


def test_a_custom_status_that_the_mapping_does_not_name_is_a_warning(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        text = (place.folder / "mappings" / "zendesk.yaml").read_text(encoding="utf-8")
        values = "{new: new, open: in_progress, pending: waiting, on-hold: waiting, solved: resolved}"
        start, end = text.index("  status:\n"), text.index("  tags:\n")
        status = (
            f"  status:\n    field: custom_status\n    values: {values}\n    collapses: true\n"
            "    write: {in_progress: open, waiting: on-hold, resolved: solved}\n\n"
        )
        place.mapping("zendesk.yaml", text[:start] + status + text[end:])
        place.zendesk.act({"act": "custom_status", "label": "With engineering", "category": "hold"})
        assert found(place, "support") == [
            ("warning", "means nothing here: `waiting for engineering`, `fixed, not yet released`, `with engineering`"),
        ]


def test_a_missing_permission_and_a_system_that_is_down_are_told_apart(tmp_path: Path) -> None:
    with served(tmp_path) as place:
        place.jira.act({"act": "permission", "project": "OPS", "permission": "TRANSITION_ISSUES", "by": "hub"})
        shown = place.run("mappings", "check", "--online", "--json").json
        tracker = next(one for one in shown["online"] if one["connection"] == "tracker")
        assert "TRANSITION_ISSUES is missing" in "".join(one["what"] for one in tracker["findings"])
        place.point_at(zendesk="http://127.0.0.1:8101", jira="http://127.0.0.1:8102")
        down = place.run("mappings", "check", "--online")
        assert down.code == 1
        assert down.out.count("  error: ") == 2


def test_check_online_tells_of_a_mapping_that_does_not_fit(tmp_path: Path) -> None:
    with served(tmp_path, jira={"removed_fields": ["components"]}) as place:
        shown = place.run("check", "--online")
        assert shown.code == 1
        assert "error: tracker: mappings/jira.yaml:" in shown.out
        assert "there is no field `components`; name another field, or take it out" in shown.out
