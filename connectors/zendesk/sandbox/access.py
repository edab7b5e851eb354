"""Who calls: API tokens (Basic), OAuth bearer tokens, and the token endpoint with its rotating pairs.

Shapes of the token endpoint: D; wording of its errors: G (RFC 6749).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from connectors.zendesk.sandbox import faults
from connectors.zendesk.sandbox.faults import JSON_HEADERS, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import Request
    from connectors.zendesk.sandbox.switches import Switches
    from sync.model import Json

ALL_SCOPES = "read write"
CODE_LIVES = 120.0


class Caller(Struct, frozen=True, kw_only=True):
    """Whose call it is, and what the credentials allow. scopes: `read`, `write`, `tickets:read`, ..."""

    email: str
    scopes: frozenset[str]

    def may(self, resource: str, act: str) -> bool:
        """Whether the scopes cover `read` or `write` of a resource. A resource of "" needs the global scope (D)."""
        return act in self.scopes or (bool(resource) and f"{resource}:{act}" in self.scopes)


class _Pair(Struct, frozen=True, kw_only=True):
    access: str
    refresh: str
    email: str
    scope: str
    access_until: float
    refresh_until: float


class Access:
    """The account's credentials. Every user signs in with `{email}/token` and the account's API token."""

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._by_access: dict[str, _Pair] = {}
        self._by_refresh: dict[str, _Pair] = {}
        self._codes: dict[str, tuple[str, float]] = {}
        self.granted = 0

    def caller(self, request: Request, switches: Switches, emails: Mapping[str, object], now: float) -> Caller | None:
        """Who calls; None without an Authorization header. Raises Refusal (401) for credentials that are not good."""
        header = request.headers.get("authorization", "")
        if not header:
            return None
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            pair = self._by_access.get(value.strip())
            if pair is None or now >= pair.access_until:
                raise faults.expired_token()
            return Caller(email=pair.email, scopes=frozenset(pair.scope.split()))
        if scheme.lower() == "basic" and switches.api_tokens:
            try:
                name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise faults.unauthenticated() from None
            email = name.removesuffix("/token").lower()
            good = hmac.compare_digest(secret.encode(), switches.api_token.encode())
            if name.endswith("/token") and good and email in emails:
                return Caller(email=email, scopes=frozenset(ALL_SCOPES.split()))
        raise faults.unauthenticated()

    def issue_code(self, email: str, now: float) -> str:
        """An authorisation code, as after a person's consent; it lives 120 s (D)."""
        code = self._rng.token()
        self._codes[code] = (email, now + CODE_LIVES)
        return code

    def revoke_all(self) -> None:
        """Every token dies, as when an administrator deletes them."""
        self._by_access.clear()
        self._by_refresh.clear()

    def scopes_of(self, token: str) -> Json:
        """What `GET /oauth/tokens/current` tells of a bearer token (G)."""
        pair = self._by_access.get(token)
        if pair is None:
            return None
        return {"id": 1, "scopes": pair.scope.split(), "expires_at": None, "refresh_token": None}

    def grant(self, request: Request, switches: Switches, now: float) -> Json:
        """`POST /oauth/tokens` (D): client_credentials, refresh_token, authorization_code. Raises Refusal."""
        asked = _parameters(request)
        good_id = hmac.compare_digest(asked.get("client_id", "").encode(), switches.client_id.encode())
        good_secret = hmac.compare_digest(asked.get("client_secret", "").encode(), switches.client_secret.encode())
        if not (good_id and good_secret):
            raise _oauth_error(401, "invalid_client", "Client authentication failed due to unknown client.")
        match asked.get("grant_type", ""):
            case "client_credentials":
                email, scope = switches.email, asked.get("scope") or switches.oauth_scopes
            case "refresh_token":
                old = self._by_refresh.get(asked.get("refresh_token", ""))
                if old is None or now >= old.refresh_until:
                    raise _oauth_error(400, "invalid_grant", "The refresh token is invalid, expired or was used.")
                del self._by_refresh[old.refresh]  # both halves of the old pair die (D)
                self._by_access.pop(old.access, None)
                email, scope = old.email, asked.get("scope") or old.scope
            case "authorization_code":
                email, until = self._codes.pop(asked.get("code", ""), ("", 0.0))
                if now >= until:
                    raise _oauth_error(400, "invalid_grant", "The authorization code is invalid or expired.")
                scope = asked.get("scope") or switches.oauth_scopes
            case other:
                raise _oauth_error(400, "unsupported_grant_type", f"The grant type {other!r} is not supported.")
        if not _within(scope, switches.oauth_scopes):
            raise _oauth_error(400, "invalid_scope", f"The scope {scope!r} is not allowed for this client.")
        return self._issue(email, scope, asked, switches, now)

    def _issue(self, email: str, scope: str, asked: Mapping[str, str], switches: Switches, now: float) -> Json:
        lives = _seconds(asked.get("expires_in"), switches.access_token_lives)
        refresh_lives = _seconds(asked.get("refresh_token_expires_in"), switches.refresh_token_lives)
        pair = _Pair(
            access=self._rng.token(),
            refresh=self._rng.token(),
            email=email.lower(),
            scope=scope,
            access_until=now + lives,
            refresh_until=now + refresh_lives,
        )
        self._by_access[pair.access] = pair
        self._by_refresh[pair.refresh] = pair
        self.granted += 1
        return {
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "token_type": "bearer",
            "scope": scope,
            "expires_in": int(lives),
            "refresh_token_expires_in": int(refresh_lives),
        }


def _parameters(request: Request) -> dict[str, str]:
    """The body, JSON (D) or a form (G: other OAuth clients send one)."""
    if "json" in request.headers.get("content-type", "application/json"):
        try:
            body = msgspec.json.decode(request.body)
        except msgspec.DecodeError:
            raise faults.bad_json() from None
        return {name: str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    return {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}


def _within(scope: str, allowed: str) -> bool:
    most = set(allowed.split())
    return all(part in most or part.rpartition(":")[2] in most for part in scope.split())


def _seconds(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _oauth_error(status: int, error: str, words: str) -> Refusal:
    return Refusal(status, {"error": error, "error_description": words}, JSON_HEADERS)
