"""A write to one of Sentry's issues moves that one: called without ids, the list would change every issue there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.sentry.organisation import Organisation, organisation, read, status, write


@pytest.fixture
def sentry() -> Iterator[Organisation]:
    with organisation() as made:
        yield made


@pytest.mark.parametrize("raw", ["resolved", "archived_forever"])
def test_a_write_moves_one_issue_and_never_calls_the_list(sentry: Organisation, raw: str) -> None:
    remote = sentry.connect()
    first, second = sentry.event(title="TypeError: one"), sentry.event(title="TypeError: two")
    write(remote, read(remote, first), status(raw))
    assert sentry.issue(first)["status"] != "unresolved"
    assert sentry.issue(second)["status"] == "unresolved"
    assert sentry.calls("issues.update") == sentry.calls("project.issues.update") == 0
