"""A plan as a page: everything is in it, nothing of it runs, nothing is fetched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from sync.planning.build import summed
from sync.planning.page import ROWS, page
from sync.planning.row import FieldWrite, Left, Plan, Row, Summary

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Reader(HTMLParser):
    """The tags and the text of a page; fails where one is not closed that has to be."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "br", "td", "th", "tr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("td", "th", "tr"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def plan(rows: list[Row], **more: object) -> Plan:
    summary = Summary(records=4, items=2, oldest_at=NOW - timedelta(hours=3), newest_at=NOW, **more)  # type: ignore[arg-type]
    return Plan(
        kind="apply", made_at=NOW, mappings=EVIL, fingerprint="f", rows=tuple(rows), summary=summed(summary, rows), id=7
    )


def row(record: str = "#1", url: str = "https://acme.zendesk.com/agent/tickets/1", value: str = "hold") -> Row:
    change = FieldWrite(field="status", before="open", after=value, rule=f"because of {value}")
    return Row(kind="write", connection="support", system="zendesk", record=record, url=url, changes=(change,))


def read(made: Plan) -> Reader:
    reader = Reader()
    reader.feed(page(made, lambda at: "3 h ago" if at != NOW else "now"))
    reader.close()
    assert reader.open == []
    return reader


def test_a_page_says_what_changes_and_how_old_it_is() -> None:
    found = read(plan([row("#1"), row("#2")], left=(Left(why="they are closed for good", count=3, samples=("#9",)),)))
    for text in (
        "Plan 7",
        "between 3 h ago and now",
        "because of hold",
        "#1, #2",
        "they are closed for good",
        "apply 7",
    ):
        assert text in found.text


def test_nothing_of_a_record_becomes_markup() -> None:
    found = read(plan([row(EVIL, value=EVIL)], notes=(EVIL,), left=(Left(why=EVIL, count=1, samples=(EVIL,)),)))
    assert "script" not in found.tags
    assert "img" not in found.tags
    assert found.text.count("<script>alert(1)</script>") >= 6


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//example.com", ""])
def test_only_web_addresses_become_links(url: str) -> None:
    assert read(plan([row(url=url)])).addresses == []
    assert read(plan([row()])).addresses == ["https://acme.zendesk.com/agent/tickets/1"]


def test_a_page_fetches_nothing() -> None:
    text = page(plan([row()]), lambda at: "now")
    assert "default-src 'none'" in text
    assert "url(" not in text
    assert "@import" not in text


def test_a_large_plan_shows_its_first_rows_and_says_so() -> None:
    rows = [row(f"#{number}") for number in range(ROWS + 5)]
    found = read(plan(rows))
    assert f"The first {ROWS:,} of {ROWS + 5:,}" in found.text
    assert len(found.addresses) == ROWS


def test_an_empty_plan_says_that_nothing_would_be_written() -> None:
    assert "Nothing would be written." in read(plan([])).text
