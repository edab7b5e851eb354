"""The verdict of the proofs finds what it is there to find."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.proof.oracle import judge
from tests.proof.people import ISSUE, Case, Kind, Tag

MARK = {"hypercare.create": {"marker": "c1"}}


def desk() -> dict[str, Any]:
    return {
        "records": [
            {
                "id": "1",
                "status": "solved",
                "tags": ["launch-bug", "x1", "x2"],
                "links": [],
                "comments": [{"author": "hub@example.com", "body": "This is being worked on as OPS-1"}],
                "history": [
                    {
                        "author": "hub@example.com",
                        "edits": [
                            {"field": "tags", "old": ["launch-bug", "x1", "x3"], "new": ["launch-bug", "x1", "x2"]},
                            {"field": "status", "old": "open", "new": "solved"},
                        ],
                    }
                ],
            },
            {"id": "2", "status": "new", "tags": ["calm"], "links": [], "comments": [], "history": []},
        ]
    }


def site() -> dict[str, Any]:
    return {
        "issues": [
            {
                "id": "100",
                "key": "OPS-1",
                "creator": "hub",
                "summary": "Case 1",
                "status": "Done",
                "labels": ["launch-bug", "x1", "x2"],
                "properties": MARK,
                "remote_links": [{"object": {"url": "http://desk/agent/tickets/1"}}],
                "changelog": [
                    {"by": "hub", "items": [{"field": "labels", "old": "launch-bug", "new": "launch-bug x1"}]},
                    {"by": "engineer", "items": [{"field": "status", "old": "To Do", "new": "Done"}]},
                ],
            }
        ]
    }


def cases() -> list[Case]:
    tags = {"launch-bug": Tag(1), "x1": Tag(1), "x2": Tag(ISSUE), "x3": Tag(ISSUE, is_removed=True)}
    return [Case("Case 1", Kind.ENGINEERS, [1], tags, key="OPS-1", linked={1}, told={1}, status="Done", turns=1)]


def test_what_people_did_shown_once_is_good() -> None:
    verdict = judge(desk(), site(), cases(), {2: {"calm"}})
    assert verdict.is_good, verdict.told()
    assert verdict.writes == {"issues": 1, "notes": 1, "tags": 3, "statuses": 1}


Break = Callable[[dict[str, Any], dict[str, Any]], Any]
LOST: dict[str, tuple[Break, str]] = {
    "a tag is lost": (lambda d, s: d["records"][0]["tags"].remove("x2"), "ticket 1 lacks x2"),
    "a tag came back": (lambda d, s: s["issues"][0]["labels"].append("x3"), "OPS-1 has x3"),
    "a status was not told": (lambda d, s: d["records"][0].update(status="open"), "ticket 1 is open"),
    "the issue was moved by the hub": (lambda d, s: s["issues"][0].update(status="To Do"), "left it Done"),
    "the issue shows no link": (lambda d, s: s["issues"][0]["remote_links"].clear(), "links to []"),
    "the ticket shows no link": (lambda d, s: d["records"][0]["comments"].clear(), "does not show OPS-1"),
    "there is no issue": (lambda d, s: s["issues"].clear(), "has no issue"),
    "a bystander was written to": (lambda d, s: d["records"][1]["tags"].append("x1"), "which nobody asked for"),
}
DOUBLED: dict[str, tuple[Break, str]] = {
    "two issues": (lambda d, s: s["issues"].append({**copy.deepcopy(s["issues"][0]), "key": "OPS-2"}), "OPS-2"),
    "two links": (lambda d, s: s["issues"][0]["remote_links"].append(s["issues"][0]["remote_links"][0]), "2 links"),
    "two notes": (lambda d, s: d["records"][0]["comments"].append(d["records"][0]["comments"][0]), "2 notes"),
    "one tag written twice": (
        lambda d, s: s["issues"][0]["changelog"].append(s["issues"][0]["changelog"][0]),
        "+x1 was written 2 times",
    ),
    "one status written twice": (
        lambda d, s: d["records"][0]["history"].append({"author": "hub@example.com", "edits": [{"field": "status"}]}),
        "turned its status 2 times",
    ),
    "the hub turned what its people turn": (
        lambda d, s: s["issues"][0]["changelog"][1].update(by="hub"),
        "people gave cause for 0",
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_or_wrong_is_found(name: str) -> None:
    spoil, words = LOST[name]
    left, right = desk(), site()
    spoil(left, right)
    assert any(words in each for each in judge(left, right, cases(), {2: {"calm"}}).differences), name


@pytest.mark.parametrize("name", DOUBLED)
def test_what_is_doubled_is_found(name: str) -> None:
    spoil, words = DOUBLED[name]
    left, right = desk(), site()
    spoil(left, right)
    assert any(words in each for each in judge(left, right, cases(), {2: {"calm"}}).doubled), name
