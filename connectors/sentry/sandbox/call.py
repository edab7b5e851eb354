"""One request on its way through the stand-in, and the plain forms of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from connectors.sandbox.wire import Request, Response
from connectors.sentry.sandbox.faults import JSON_TYPE, Refused, unseen
from connectors.sentry.sandbox.model import App, Issue, Organisation, Who
from connectors.sentry.sandbox.shapes import Shower

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.sentry.sandbox.model import Project
    from connectors.sentry.sandbox.search import Slice

Json: TypeAlias = Any

PAGE_SIZE: Final = 100


class Caller(Struct, frozen=True, kw_only=True):
    """Who calls: an app by its own token, a user, an organisation's token, or nobody known.

    bucket: whose rate limit the call counts for.
    """

    who: Who
    scopes: frozenset[str]
    name: str
    bucket: str
    app: App | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One request of a known caller on a known route. named: the parts of the path."""

    request: Request
    caller: Caller
    named: Mapping[str, str]
    org: Organisation
    shower: Shower
    stale: bool

    def body(self) -> dict[str, Json]:
        """The request's JSON object. Raises Refused(400)."""
        try:
            decoded = msgspec.json.decode(self.request.body or b"{}")
        except msgspec.DecodeError as error:
            raise Refused(400, f"JSON parse error - {error}") from error
        if not isinstance(decoded, dict):
            raise Refused(400, "Invalid data. Expected a dictionary.")
        return decoded

    def arg(self, name: str, default: str = "") -> str:
        """A query argument."""
        return self.request.arg(name, default)

    def many(self, name: str) -> list[str]:
        """A query argument that may be repeated."""
        return list(self.request.query.get(name, []))

    def issue(self) -> Issue:
        """The issue the path names, as it is (or, stale, as it was). Raises Refused(404)."""
        return self.org.find(self.named["issue"], stale=self.stale and self.request.method == "GET")

    def project(self) -> Project:
        """The project the path names. Raises Refused(404)."""
        project = self.org.project(self.named["project"])
        if project is None:
            raise unseen()
        return project

    def limit(self, name: str) -> int:
        """How many rows a page has, within what the system allows. Raises Refused(400)."""
        text = self.arg(name) or self.arg("per_page") or self.arg("limit")
        if not text:
            return min(PAGE_SIZE, self.org.settings.page_cap)
        if not text.isdecimal() or not 0 < int(text) <= PAGE_SIZE:
            words = f"Invalid value for {name}. Must be between 1 and {PAGE_SIZE}."
            raise Refused(400, words)
        return min(int(text), self.org.settings.page_cap)

    def count(self, what: str) -> None:
        """Note that the caller wrote something."""
        self.org.writes[f"{self.caller.name} {what}"] += 1


def answer_json(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    kind = {"content-type": JSON_TYPE}
    return Response(status=status, body=msgspec.json.encode(value), headers={**kind, **(headers or {})})


def answer_empty(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status=status)


def links(call: Call, cut: Slice) -> dict[str, str]:
    """The Link header: both directions always, with whether there is anything [V docs]."""
    query = [(name, value) for name, values in call.request.query.items() for value in values if name != "cursor"]
    base = f"{call.request.base}{quote(call.request.path)}?"
    parts = []
    for relation, cursor, has in (("previous", cut.before, cut.has_before), ("next", cut.after, cut.has_after)):
        url = base + urlencode([*query, ("cursor", cursor)]).replace("%3A", ":")
        parts.append(f'<{url}>; rel="{relation}"; results="{"true" if has else "false"}"; cursor="{cursor}"')
    return {"link": ", ".join(parts)}
