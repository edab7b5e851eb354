"""OAuth tokens that end and rotate while the hub runs: kept before use, refreshed by one, held when refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from connectors.contract import TokenStore
from sync.daemon.tokens import TokenFile
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import holds_now


class Died(BaseException):
    """The process ends here."""


@dataclass
class Watched(TokenFile):
    """A token file at which a test looks on: what was saved when, and a death just after a save."""

    folder: Path
    log: list[str] = field(default_factory=list)
    dies_after_save: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.folder, "support")

    def save(self, pair: dict[str, Any]) -> None:
        super().save(pair)
        self.log.append(str(pair["access_token"]))
        if self.dies_after_save:
            self.dies_after_save = False
            raise Died


def rotating(make: Make, folder: Path, **more: Any) -> tuple[Launch, Watched]:
    """A launch that signs in to Zendesk with a rotating refresh token; an access token lives two hours."""
    kept = Watched(folder)
    store: Callable[[str], TokenStore | None] = lambda name: kept if name == "support" else None  # noqa: E731
    config = {"auth": "refresh_token", "refresh_token": "authorise-first", **more}
    day: Launch = make(zendesk_config=config, tokens=store)
    # The administrator authorises once: the first pair, as the browser would bring it, replaces the setting's token.
    access = day.zendesk.access
    pair = access._issue("hub@example.com", "read write", {}, day.zendesk.model.switches, day.zendesk.model.now())
    access._by_refresh["authorise-first"] = structs.replace(
        access._by_refresh.pop(pair["refresh_token"]), refresh="authorise-first"
    )
    access.granted = 0
    return day, kept


def test_a_token_that_ends_is_renewed_and_nobody_notices(make: Make, tmp_path: Path) -> None:
    day, kept = rotating(make, tmp_path)
    ticket, issue = day.linked_pair()
    day.world.wait(3 * 7200, step=600)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert day.zendesk.state()["tokens_granted"] == len(kept.log) >= 3
    assert holds_now(day) == []


def test_a_pair_is_on_the_disk_before_it_is_used(make: Make, tmp_path: Path) -> None:
    day, kept = rotating(make, tmp_path)
    used: list[str] = []
    inner = day.at_write["support"].inner

    class Looks:
        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

        def handle(self, request: Any) -> Any:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token:
                used.append(token)
                assert token in kept.log
                assert (TokenFile(tmp_path, "support").load() or {})["access_token"] == kept.log[-1]
            return inner.handle(request)

    day.at_write["support"].inner = Looks()
    day.linked_pair()
    day.world.wait(2 * 7200, step=900)
    assert len(set(used)) >= 2


def test_a_death_between_refresh_and_use_loses_nothing(make: Make, tmp_path: Path) -> None:
    day, kept = rotating(make, tmp_path)
    ticket, issue = day.linked_pair()
    kept.dies_after_save = True
    with pytest.raises(Died):
        day.world.wait(3 * 7200, step=600)
    granted = day.zendesk.state()["tokens_granted"]
    day.world.restart()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(240)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert day.zendesk.state()["tokens_granted"] == granted  # the saved pair was used, not a second refresh
    assert holds_now(day) == []


def test_two_clients_of_one_account_refresh_once(make: Make, tmp_path: Path) -> None:
    day, kept = rotating(make, tmp_path)
    day.linked_pair()
    day.world.clock.advance(7200)
    first = day.world.hub.named("support").remote()
    first.check()
    granted = day.zendesk.state()["tokens_granted"]
    day.world.restart()  # another client, with nothing in memory
    day.world.hub.named("support").remote().check()
    assert day.zendesk.state()["tokens_granted"] == granted == len(kept.log)


def test_an_authorisation_that_was_taken_back_holds_the_connection_and_loses_nothing(
    make: Make, tmp_path: Path
) -> None:
    day, _ = rotating(make, tmp_path)
    ticket, issue = day.linked_pair()
    day.zendesk.act({"act": "revoke_tokens"})
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(600)
    assert [(each.connection, each.reason) for each in holds_now(day)] == [("support", "auth_rejected")]
    assert day.ticket_now(ticket)["status"] == "new"
    calls = sum(day.calls("support").values())
    day.world.wait(600)
    assert sum(day.calls("support").values()) - calls <= 10  # a locked door is not hammered at


def test_client_credentials_that_end_in_the_middle_of_the_day_are_obtained_anew(make: Make) -> None:
    day = make(zendesk_settings={"access_token_lives": 900.0})
    ticket, issue = day.linked_pair()
    day.world.wait(3600, step=300)
    day.tag(ticket, add=("checkout",))
    day.world.wait(90)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert day.issue_now(issue)["labels"] == ["checkout"]
    assert day.zendesk.state()["tokens_granted"] >= 4
    assert holds_now(day) == []


def test_a_token_refused_in_the_middle_of_a_write_is_replaced_and_the_write_happens_once(make: Make) -> None:
    day = make()
    ticket, issue = day.linked_pair()
    day.label(issue, add="regression")
    day.at_write["support"].acts.append({"act": "revoke_tokens"})
    day.world.wait(300)
    assert day.ticket_now(ticket)["tags"] == ["regression"]
    ours = [each for each in day.ticket_now(ticket)["history"] if each["author"] == "hub@example.com"]
    assert len([each for each in ours if any(edit["field"] == "tags" for edit in each["edits"])]) == 1
    assert holds_now(day) == []
