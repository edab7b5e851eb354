"""OAuth tokens: obtained late, renewed in time, kept before they are used, and by one at a time."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from connectors.errors import AuthRejected, Unavailable
from sync.model import Changes, Snapshot
from tests.connectors.zendesk.account import Account, account, read, write


class Kept:
    """A token store in memory that remembers the order of what was done to it."""

    def __init__(self) -> None:
        self.pair: dict[str, Any] | None = None
        self.saves = 0
        self._lock = threading.Lock()
        self.held = 0

    def load(self) -> dict[str, Any] | None:
        return self.pair

    def save(self, pair: dict[str, Any]) -> None:
        assert self.held == 1, "a pair is saved while nobody else refreshes"
        self.pair, self.saves = dict(pair), self.saves + 1

    @contextmanager
    def refreshing(self) -> Generator[None]:
        with self._lock:
            self.held += 1
            try:
                yield
            finally:
                self.held -= 1


def authorised(zendesk: Account) -> str:
    """A first refresh token, as an administrator's consent gives it."""
    code = zendesk.act("authorisation_code")["code"]
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": "hypercare",
        "client_secret": "sandbox-client-secret",
        "scope": "read write",
    }
    with requests.Session() as session:
        session.trust_env = False
        return str(session.post(f"{zendesk.url}/oauth/tokens", json=body, timeout=5).json()["refresh_token"])


def test_client_credentials_open_the_account_with_one_token(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect(auth="client_credentials")
    assert zendesk.calls("oauth.grant") == 0
    for _turn in range(3):
        read(remote, ticket)
    assert zendesk.calls("oauth.grant") == 1


def test_a_token_is_renewed_before_it_ends(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect(auth="client_credentials")
    read(remote, ticket)
    zendesk.clock.passes(7200 - 30)
    zendesk.forget_calls()
    read(remote, ticket)
    assert zendesk.calls("oauth.grant") == 1
    assert zendesk.calls("tickets.show") == 1


def test_a_read_survives_tokens_that_were_revoked(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect(auth="client_credentials")
    read(remote, ticket)
    zendesk.act("revoke_tokens")
    assert isinstance(read(remote, ticket), Snapshot)


def test_a_write_with_a_revoked_token_is_not_sent_again_but_works_the_next_time(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect(auth="client_credentials")
    snap = read(remote, ticket)
    zendesk.act("revoke_tokens")
    zendesk.forget_calls()
    with pytest.raises(Unavailable) as raised:
        write(remote, snap, Changes(add_tags=("x",)))
    assert not raised.value.applied
    assert zendesk.calls("tickets.update") == 1
    assert isinstance(write(remote, snap, Changes(add_tags=("x",))), Snapshot)


def test_a_fresh_token_that_is_refused_is_a_matter_for_an_administrator(zendesk: Account) -> None:
    zendesk.create()
    remote = zendesk.connect(auth="client_credentials")
    zendesk.fault("unauthorised", path="/api/v2/")
    with pytest.raises(AuthRejected):
        remote.fetch(["1"])
    assert zendesk.calls("oauth.grant") <= 2


def test_a_wrong_client_secret_is_told_without_naming_it(zendesk: Account) -> None:
    remote = zendesk.connect(auth="client_credentials", client_secret="canary-secret")
    with pytest.raises(AuthRejected, match="client_id and client_secret") as raised:
        remote.check()
    assert "canary" not in raised.value.message


def test_an_answer_of_the_token_endpoint_is_never_shown(zendesk: Account) -> None:
    zendesk.fault("truncated", operation="oauth.grant")
    with pytest.raises(Exception, match="oauth/tokens") as raised:
        zendesk.connect(auth="client_credentials").check()
    assert "access_token" not in str(raised.value)


def test_a_rotated_pair_is_durable_before_it_is_used(zendesk: Account) -> None:
    kept = Kept()
    ticket = zendesk.create()
    remote = zendesk.connect(auth="refresh_token", refresh_token=authorised(zendesk), tokens=kept)
    read(remote, ticket)
    assert kept.saves == 1
    assert kept.pair is not None
    # After a crash the program knows the first refresh token from its settings and the newer pair from its store.
    again = zendesk.connect(auth="refresh_token", refresh_token=remote_setting(remote), tokens=kept)
    zendesk.clock.passes(7200)
    assert isinstance(read(again, ticket), Snapshot)
    assert kept.saves == 2


def remote_setting(remote: Any) -> str:
    secret = remote._settings.refresh_token
    assert secret is not None
    return str(secret.get_secret_value())


def test_several_threads_refresh_once(zendesk: Account) -> None:
    kept = Kept()
    ticket = zendesk.create()
    token = authorised(zendesk)
    remotes = [zendesk.connect(auth="refresh_token", refresh_token=token, tokens=kept) for _ in range(4)]
    read(remotes[0], ticket)
    zendesk.clock.passes(7200)
    zendesk.forget_calls()
    found: list[Any] = []
    threads = [threading.Thread(target=lambda r=remote: found.append(r.fetch([ticket])[ticket])) for remote in remotes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [type(one) for one in found] == [Snapshot] * 4
    assert zendesk.calls("oauth.grant") == 1
    assert kept.saves == 2


def test_a_used_refresh_token_asks_for_a_new_authorisation(zendesk: Account) -> None:
    ticket = zendesk.create()
    token = authorised(zendesk)
    read(zendesk.connect(auth="refresh_token", refresh_token=token, tokens=Kept()), ticket)
    with pytest.raises(AuthRejected, match="authorise again"):
        zendesk.connect(auth="refresh_token", refresh_token=token, tokens=Kept()).fetch([ticket])


def test_a_new_authorisation_in_the_settings_replaces_the_stored_pair(zendesk: Account) -> None:
    kept = Kept()
    ticket = zendesk.create()
    read(zendesk.connect(auth="refresh_token", refresh_token=authorised(zendesk), tokens=kept), ticket)
    zendesk.act("revoke_tokens")
    read(zendesk.connect(auth="refresh_token", refresh_token=authorised(zendesk), tokens=kept), ticket)
    assert kept.saves == 2


def test_a_rotating_token_without_a_place_to_keep_it_is_refused(zendesk: Account) -> None:
    remote = zendesk.connect(auth="refresh_token", refresh_token=authorised(zendesk))
    zendesk.forget_calls()
    with pytest.raises(AuthRejected, match="place to be kept"):
        remote.fetch(["1"])
    assert zendesk.calls("oauth.grant") == 0


def test_api_tokens_that_were_switched_off_are_refused() -> None:
    with account(api_tokens=False) as zendesk, pytest.raises(AuthRejected):
        zendesk.connect().check()
