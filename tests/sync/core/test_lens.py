"""Reading and writing a status with the shown value at hand."""

from __future__ import annotations

import pytest

from sync.core.lens import agrees, get, put
from sync.core.state import StatusRules
from sync.model import Status
from tests.sync.core.world import HELPDESK, SIGNAL, TRACKER


@pytest.mark.parametrize(
    ("status", "raw", "becomes"),
    [
        (Status.NEW, "new", "new"),
        (Status.NEW, "open", "open"),
        (Status.NEW, "hold", "open"),
        (Status.NEW, "solved", "open"),
        (Status.IN_PROGRESS, "new", "open"),
        (Status.IN_PROGRESS, "pending", "pending"),
        (Status.WAITING, "open", "hold"),
        (Status.WAITING, "pending", "pending"),
        (Status.RESOLVED, "pending", "solved"),
        (Status.CLOSED, "open", "solved"),
        (Status.CLOSED, "solved", "solved"),
        (Status.NEW, "closed", "closed"),
        (Status.RESOLVED, "no such value", "solved"),
    ],
)
def test_a_ticket_shows(status: Status, raw: str, becomes: str) -> None:
    assert put(HELPDESK, status, raw) == becomes
    assert agrees(HELPDESK, status, raw) is (raw == becomes)


@pytest.mark.parametrize(
    ("status", "raw", "becomes"),
    [
        (Status.IN_PROGRESS, "unresolved", "unresolved"),
        (Status.WAITING, "resolved", "unresolved"),
        (Status.CLOSED, "unresolved", "resolved"),
        (Status.RESOLVED, "ignored", "ignored"),
    ],
)
def test_a_missing_value_is_stood_in_for_by_the_nearest_of_its_side(status: Status, raw: str, becomes: str) -> None:
    assert put(SIGNAL, status, raw) == becomes


def test_a_stand_in_is_not_written_over_another_name_of_it() -> None:
    rules = StatusRules(values={"todo": Status.NEW, "backlog": Status.NEW}, write={Status.NEW: "todo"})
    assert put(rules, Status.WAITING, "backlog") == "backlog"


def test_nothing_is_written_where_no_value_of_that_side_can_be() -> None:
    rules = StatusRules(values={"on": Status.NEW}, write={Status.NEW: "on"})
    assert put(rules, Status.RESOLVED, "on") == "on"


def test_a_value_the_table_lacks_is_read_as_the_snapshot_says() -> None:
    assert put(TRACKER, Status.RESOLVED, "Shipped", Status.CLOSED) == "Shipped"
    assert put(TRACKER, Status.RESOLVED, "Shipped") == "done"


def test_archived_and_unknown_values_read_as_nothing() -> None:
    assert get(SIGNAL, "ignored") is None
    assert get(SIGNAL, "no such value") is None
    assert get(SIGNAL, "resolved") is Status.RESOLVED
