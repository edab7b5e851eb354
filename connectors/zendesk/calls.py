"""How requests to a Zendesk account are made: signed in, judged, put into words, reads tried again, writes never.

Knows addresses and bodies, no tickets. What sends a request (the vendor's library) is given to it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
import requests
from requests.auth import AuthBase

from connectors.contract import Ports
from connectors.errors import AuthRejected, RateLimited, RemoteError, Unavailable, UnexpectedAnswer, WriteRejected
from connectors.http import Limits, decode, retry_after, status_error, tame, wire_error
from connectors.retry import retry_read
from connectors.zendesk import answers
from connectors.zendesk.oauth import Bearer
from connectors.zendesk.settings import ZendeskSettings
from sync.model import Json

T = TypeVar("T")

Send = Callable[[str, str, dict[str, Any]], requests.Response]
"""Sends one request: method, address, and the keyword arguments of `requests`. Raises as `requests` does."""


class _Basic(AuthBase):
    """An API token, as Zendesk wants it: user `{email}/token`."""

    def __init__(self, email: str, token: str) -> None:
        self._header = "Basic " + base64.b64encode(f"{email}/token:{token}".encode()).decode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def _bare(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials: for the call that obtains them."""
    return request


class Calls:
    """The calls of one connection. session: tamed and signed in. through: makes what sends requests on that session."""

    def __init__(
        self, settings: ZendeskSettings, ports: Ports, limits: Limits, through: Callable[[requests.Session, str], Send]
    ) -> None:
        self.base = settings.url
        self._settings = settings
        self._ports = ports
        self.session = tame(
            requests.Session(),
            base_url=self.base,
            clock=ports.clock,
            judge=self._judge,
            limits=limits,
            transport=ports.transport,
        )
        self._bearer: Bearer | None = None
        if settings.auth == "api_token":
            assert settings.token is not None
            self.session.auth = _Basic(settings.email or "", settings.token.get_secret_value())
        else:
            self._bearer = Bearer(settings, ports.clock, ports.tokens, self._exchange)
            self.session.auth = self._bearer
        self._send = through(self.session, self.base)

    @property
    def by_oauth(self) -> bool:
        """Whether we sign in with OAuth tokens, which have scopes."""
        return self._bearer is not None

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Json]:
        """A read of a JSON object, with the retry policy. Raises `connectors.errors`."""
        return retry_read(
            lambda: decode(self._authorised("GET", path, params), where=_where("GET", path)),
            clock=self._ports.clock,
            rng=self._ports.rng,
        )

    def read(self, path: str, params: Mapping[str, str], read: Callable[[bytes], T]) -> T:
        """A read straight into typed values, with the retry policy. What cannot be typed is explained by `decode`."""

        def once() -> T:
            response = self._authorised("GET", path, params)
            try:
                return read(response.content)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError) as error:
                decode(response, where=_where("GET", path))  # raises for what is no JSON object at all
                raise UnexpectedAnswer(
                    f"{_where('GET', path)} answered with other content than documented: {error}",
                    status=response.status_code,
                ) from None

        return retry_read(once, clock=self._ports.clock, rng=self._ports.rng)

    def pages(self, path: str, params: Mapping[str, str], *, limit: int) -> Iterator[dict[str, Json]]:
        """The pages of a cursor list, at most `limit`, and never one twice."""
        after, seen = "", set[str]()
        for _page in range(limit):
            more = {"page[size]": "100"} | ({"page[after]": after} if after else {})
            body = self.get(path, {**params, **more})
            yield body
            after = _next_page(body)
            if not after or after in seen:
                return
            seen.add(after)

    def _authorised(self, method: str, path: str, params: Mapping[str, str] | None) -> requests.Response:
        """A read; a refused OAuth token is renewed once."""
        try:
            return self._call(method, path, params=params)
        except AuthRejected:
            if self._bearer is None or not self._bearer.refused():
                raise
            return self._call(method, path, params=params)

    def write(
        self, method: str, path: str, *, json: Json = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """The one request of a write. Never sent twice, not even after a 401: the delivery is tried again later."""
        try:
            return self._call(method, path, json=json, headers=headers)
        except AuthRejected as error:
            if self._bearer is not None and self._bearer.refused():
                raise Unavailable(f"{error.message} A new token is used at the next attempt.", status=401) from None
            raise
        except WriteRejected as error:
            raise _named(error) from None

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Json = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request. The judge has raised for every status that is no success."""
        more: dict[str, Any] = {}
        if params:
            more["params"] = params
        if json is not None:
            more["json"] = json
        if headers:
            more["headers"] = dict(headers)
        try:
            return self._send(method, self.base + path, more)
        except requests.RequestException as error:
            raise wire_error(error, where=_where(method, path), writing=method != "GET") from error

    def _exchange(self, body: dict[str, Json]) -> dict[str, Json]:
        """Obtain an access token. The answer's text is never shown: it holds secrets."""
        where = "POST /oauth/tokens"
        try:
            response = self.session.post(f"{self.base}/oauth/tokens", json=body, auth=_bare)
        except requests.RequestException as error:
            raise wire_error(error, where=where, writing=False) from None
        try:
            answer = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
            answer = None
        if not isinstance(answer, dict):
            raise UnexpectedAnswer(f"{where}: the answer is not a JSON object. Is {self.base} a Zendesk account?")
        return answer

    def _judge(self, response: requests.Response) -> None:
        """Read the budgets of an answer, and raise for every status that is no success."""
        request = response.request
        path = urlsplit(request.url or "").path
        for reading in answers.readings(response.headers, path):
            self._ports.meter(reading)
        if response.status_code < 400:
            if self._bearer is not None and path != "/oauth/tokens":
                self._bearer.accepted()
            return
        raise self._meaning(response, request.method or "GET", path)

    def _meaning(self, response: requests.Response, method: str, path: str) -> RemoteError:
        now = self._ports.clock.now().astimezone(UTC)
        where = _where(method, path)
        said = answers.words(response.content)
        if path == "/oauth/tokens":
            if response.status_code in {400, 401, 403, 422}:
                return AuthRejected(
                    f"{where} answered {response.status_code}: {said}. Check client_id and client_secret"
                    + (", and authorise again: the refresh token is no longer good." if self._rotates else "."),
                    status=response.status_code,
                )
            method = "GET"  # nothing of the account changes by it
        if response.status_code == 429:
            wait = retry_after(response.headers.get("Retry-After"), now)
            scope = answers.spent_scope(response.headers, path)
            return RateLimited(f"{where} answered 429: {said}", retry_after=wait, scope=scope)
        error = status_error(response, where=where, words=said, writing=method != "GET", now=now)
        if isinstance(error, WriteRejected):
            error.field = answers.culprit(response.content)
        return error

    @property
    def _rotates(self) -> bool:
        return self._settings.auth == "refresh_token"


def _where(method: str, path: str) -> str:
    return f"{method} {path.removesuffix('.json')}"


def _next_page(body: Mapping[str, Json]) -> str:
    """The cursor of the next page, or nothing at the end. Lists without cursors name an address instead."""
    meta = body.get("meta")
    if isinstance(meta, dict):
        return str(meta.get("after_cursor") or "") if meta.get("has_more") else ""
    links = body.get("links")
    address = links.get("next") if isinstance(links, dict) else None
    values = parse_qs(urlsplit(str(address or "")).query).get("page[after]")
    return values[0] if values else ""


def _named(error: WriteRejected) -> WriteRejected:
    """Say what to do about the refusals that people meet."""
    if error.field == "status" and "closed" in error.message.lower():
        error.message += ". A closed ticket takes no more changes; only a follow-up ticket could."
        error.args = (error.message,)
    return error
