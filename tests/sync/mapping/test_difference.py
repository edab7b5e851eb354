"""What changes between two versions of the files is said in words, once, and nothing else is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.mapping.difference import Difference, differences
from tests.sync.mapping.records import shipped_texts


def edited(name: str, old: str, new: str) -> tuple[Difference, ...]:
    """What one edit of a shipped file is said to change."""
    texts = shipped_texts()
    assert texts[name].count(old) == 1, f"{old!r} stands {texts[name].count(old)} times in {name}"
    return differences(texts, {**texts, name: texts[name].replace(old, new)})


@pytest.mark.parametrize(
    ("name", "old", "new", "path", "words"),
    [
        (
            "jira.yaml", "In Review: in_progress", "In Review: waiting", "fields.status.values.In Review",
            "status `In Review` means waiting instead of in_progress",
        ),
        (
            "jira.yaml", "In Review: in_progress", "", "fields.status.values.In Review",
            "status `In Review` is not named any more; it meant in_progress",
        ),
        (
            "jira.yaml", "      In Review: in_progress", "      In Review: in_progress\n      Zu tun: new",
            "fields.status.values.Zu tun", "status `Zu tun` means new; it was not named before",
        ),
        (
            "jira.yaml", "waiting: Blocked  ", "waiting: On Hold  ", "fields.status.write.waiting",
            "`On Hold` is written for status waiting instead of `Blocked`",
        ),
        (
            "zendesk.yaml", "    keep: [pending]  ", "    keep: []  ", "fields.status.keep",
            "`pending` is no longer kept",
        ),
        (
            "zendesk.yaml", '      - "hub*"  ', '      - "hab*"  ', "fields.tags.exclude",
            "tags like `hab*` stay here now; tags like `hub*` may travel now",
        ),
        (
            "rules.yaml", "siblings: false            # true", "siblings: true  # true", "groups.helpdesk.siblings",
            "tickets tell one another of their tags (`siblings: true` instead of `false`)",
        ),
        ("rules.yaml", "reopen_as: new", "reopen_as: waiting", "reopen_as",
         "an item that is opened again is waiting instead of new"),
        (
            "zendesk.yaml", "This is being worked on as $key: $title", "See $key", "fields.links.note",
            "the internal note reads `See $key $url` instead of `This is being worked on as $key: $title $url`",
        ),
        (
            "jira.yaml", "    field: summary", "    field: customfield_1", "fields.title.field",
            "title is the field `customfield_1` instead of `summary`",
        ),
    ],
)  # fmt: skip
def test_an_edit_is_said_in_words(name: str, old: str, new: str, path: str, words: str) -> None:
    old = old.replace("waiting: Blocked  ", "waiting: Blocked\n").replace("waiting: On Hold  ", "waiting: On Hold\n")
    new = new.replace("waiting: On Hold  ", "waiting: On Hold\n")
    assert [(one.path, one.words) for one in edited(name, old, new)] == [(path, words)]


def test_comments_order_of_keys_and_written_defaults_change_nothing() -> None:
    old = {
        "z.yaml": "system: zendesk\nkind: ticket\nfields:\n  title: {field: subject}\n  body: {field: description}\n"
    }
    new = {
        "other.yaml": "# mine\nkind: ticket\nsystem: zendesk\nfields:\n  body: {field: description, direction: both}\n"
        "  title: {field: subject}\n"
    }
    assert differences(old, new) == ()


def test_five_lines_on_the_shipped_ground_differ_from_the_shipped_file_in_what_they_say() -> None:
    texts = shipped_texts()
    short = "system: jira\nstock: true\nfields:\n  status: {values: {Go: new, To Do: new, Done: resolved}}\n"
    found = differences({"jira.yaml": texts["jira.yaml"]}, {"jira.yaml": short})
    assert {one.group for one in found} == {"status"}
    assert "status `Go` means new; it was not named before" in [one.words for one in found]
    assert "status `In Review` is not named any more; it meant in_progress" in [one.words for one in found]
    assert differences({"jira.yaml": "system: jira\nstock: true\n"}, {"jira.yaml": texts["jira.yaml"]}) == ()


ROUTES = """\
routes:
  - name: low ones
    when: {severity: [low]}
    create: {connection: tracker, fields: {project: OPS}}
  - name: launch
    when: {tags: {any: [launch]}}
    create: {connection: tracker, fields: {project: OPS}}
"""


def routes(text: str) -> list[str]:
    return [one.words for one in differences({"routes.yaml": ROUTES}, {"routes.yaml": text})]


def test_routes_are_told_apart_by_name() -> None:
    assert routes(ROUTES.replace("[low]", "[low, medium]")) == [
        "the route `low ones` asks for severity `low`, `medium` instead of `low`"
    ]
    assert routes(ROUTES.replace("when: {severity: [low]}", "when: {type: [bug]}")) == [
        "the route `low ones` is only for type `bug`",
        "the route `low ones` does not ask for severity any more; it was `low`",
    ]
    assert routes("routes: []\n") == [
        "the route `low ones` is gone: nothing is created by it",
        "the route `launch` is gone: nothing is created by it",
    ]
    assert routes(ROUTES + "  - {name: third, when: {type: [bug]}, create: {connection: tracker}}\n") == [
        "the route `third` is new: records on `tracker`"
    ]


def test_another_order_of_the_routes_is_a_difference() -> None:
    first, second = ROUTES.removeprefix("routes:\n").split("  - name: launch")
    assert routes(f"routes:\n  - name: launch{second}{first}") == [
        "the routes are tried in another order: `launch`, `low ones`"
    ]


def test_a_mapping_that_comes_or_goes_is_one_difference() -> None:
    texts = shipped_texts()
    without: Mapping[str, str] = {name: text for name, text in texts.items() if name != "sentry.yaml"}
    assert [(one.about, one.words) for one in differences(texts, without)] == [("sentry", "the mapping is gone")]
    assert [(one.about, one.words) for one in differences(without, texts)] == [("sentry", "the mapping is new")]


STATUSES = ["new", "open", "pending", "hold", "solved"]
MEANINGS = ["new", "in_progress", "waiting", "resolved"]


@given(
    old=st.dictionaries(st.sampled_from(STATUSES), st.sampled_from(MEANINGS), min_size=1),
    new=st.dictionaries(st.sampled_from(STATUSES), st.sampled_from(MEANINGS), min_size=1),
)
def test_each_value_that_differs_is_told_once_and_no_other(old: dict[str, str], new: dict[str, str]) -> None:
    def text(values: dict[str, str]) -> str:
        table = ", ".join(f"{raw}: {meaning}" for raw, meaning in values.items())
        return (
            "system: zendesk\nkind: ticket\nfields:\n  status:\n    field: status\n    direction: in\n"
            f"    values: {{{table}}}\n"
        )

    found = differences({"z.yaml": text(old)}, {"z.yaml": text(new)})
    changed = {raw for raw in (*old, *new) if old.get(raw) != new.get(raw)}
    assert sorted(one.path for one in found) == sorted(f"fields.status.values.{raw}" for raw in changed)
    assert {(one.old, one.new) for one in found} == {(old.get(raw), new.get(raw)) for raw in changed}
