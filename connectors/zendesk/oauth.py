"""The access token of an OAuth connection: obtained, kept until shortly before its end, renewed by one at a time.

A refresh kills both tokens of the pair it was made with. So a new pair is durable (`TokenStore.save`) before it is
used, and whoever waited for the store's `refreshing` takes the pair that the other saved instead of refreshing again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

import requests
from msgspec import Struct
from requests.auth import AuthBase

from connectors.contract import Clock, TokenStore
from connectors.errors import AuthRejected, UnexpectedAnswer
from connectors.zendesk.settings import ZendeskSettings
from sync.model import Json

EARLY = timedelta(seconds=60)
"""How long before its end a token is renewed, so that it does not end under way."""

_LONGEST_LIFE = 10 * 366 * 86_400.0
"""Seconds. A token that claims to be good for longer names no time that could be counted with."""

Exchange = Callable[[dict[str, Json]], dict[str, Json]]
"""Sends a body to /oauth/tokens and gives the decoded answer; raises `connectors.errors`."""


class _Access(Struct, frozen=True):
    token: str
    ends_at: datetime | None


class Bearer(AuthBase):
    """Puts the present access token on each request of a session.

    exchange: see `Exchange`. tokens: where pairs are kept; without one, a client-credentials token lives in memory
    only, and rotating refresh tokens are refused, since a lost pair would lock us out.
    """

    def __init__(self, settings: ZendeskSettings, clock: Clock, tokens: TokenStore | None, exchange: Exchange) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._exchange = exchange
        self._access: _Access | None = None
        self._refused = ""
        self._untried = ""  # a token that was obtained just now and has not yet opened anything

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        return request

    def token(self) -> str:
        """A token that should be good, obtained now if there is none. Raises AuthRejected, Unavailable."""
        if self._access is None or not self._is_good(self._access):
            self._access = self._renewed()
        return self._access.token

    def accepted(self) -> None:
        """The remote took the present token."""
        self._untried = ""

    def refused(self) -> bool:
        """The remote refused the present token. True when a new one may help: this one had not just been obtained."""
        if self._access is None:
            return False
        worth_another = self._access.token != self._untried
        self._refused, self._access = self._access.token, None
        return worth_another

    def _is_good(self, access: _Access) -> bool:
        return access.token != self._refused and (access.ends_at is None or access.ends_at - EARLY > self._clock.now())

    def _renewed(self) -> _Access:
        if self._tokens is None and self._settings.auth == "refresh_token":
            raise AuthRejected("a rotating refresh token needs a place to be kept, and this program gave none")
        with self._alone():
            kept = self._kept()
            access = _access_of(kept)
            if access is not None and self._is_good(access):
                return access
            return self._fresh(kept)

    def _alone(self) -> AbstractContextManager[None]:
        return self._tokens.refreshing() if self._tokens is not None else nullcontext()

    def _kept(self) -> dict[str, Json]:
        """The stored pair, unless the settings have changed since: then the administrator has authorised anew."""
        kept = self._tokens.load() if self._tokens is not None else None
        return kept if kept is not None and kept.get("settings") == self._fingerprint() else {}

    def _fresh(self, kept: dict[str, Json]) -> _Access:
        settings = self._settings
        assert settings.client_secret is not None
        body: dict[str, Json] = {
            "grant_type": settings.auth,
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "scope": settings.scope,
        }
        if settings.auth == "refresh_token":
            assert settings.refresh_token is not None
            body["refresh_token"] = kept.get("refresh_token") or settings.refresh_token.get_secret_value()
        answer = self._exchange(body)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise UnexpectedAnswer("POST /oauth/tokens answered without an access token")
        seconds = _lifetime(answer.get("expires_in"))
        ends_at = None if seconds is None else self._clock.now() + seconds
        pair: dict[str, Json] = {
            "access_token": token,
            "ends_at": ends_at.isoformat() if ends_at else None,
            "settings": self._fingerprint(),
        }
        if answer.get("refresh_token"):
            pair["refresh_token"] = answer["refresh_token"]
        if self._tokens is not None:
            self._tokens.save(pair)
        self._untried = token
        return _Access(token, ends_at)

    def _fingerprint(self) -> str:
        """Which credentials a stored pair came from, without naming them."""
        settings = self._settings
        secrets = (settings.client_secret, settings.refresh_token)
        parts = [settings.url, settings.auth, settings.client_id or "", settings.scope]
        parts += [secret.get_secret_value() for secret in secrets if secret is not None]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _lifetime(seconds: Json) -> timedelta | None:
    """How long a token is good. None where no usable time is named: then it is used until it is refused."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < _LONGEST_LIFE:
        return None
    return timedelta(seconds=seconds)


def _access_of(pair: dict[str, Json]) -> _Access | None:
    token, ends = pair.get("access_token"), pair.get("ends_at")
    if not isinstance(token, str):
        return None
    try:
        return _Access(token, datetime.fromisoformat(ends) if ends else None)
    except (TypeError, ValueError):
        return None
