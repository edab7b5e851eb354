"""One request on its way through the stand-in, and the plain forms of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct

from connectors.jira.sandbox.faults import JSON_TYPE, Refused
from connectors.jira.sandbox.model import Issue, User
from connectors.jira.sandbox.reading import body_of, names_of
from connectors.jira.sandbox.shapes import Reader
from connectors.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.jira.sandbox.wire import JiraSandbox

Json: TypeAlias = Any


class Call(Struct, frozen=True, kw_only=True):
    """One request of a known user on a known route. named: the parts of the path. version: 2 or 3."""

    request: Request
    user: User
    version: str
    named: Mapping[str, str]
    reader: Reader
    stale: bool

    def body(self) -> dict[str, Json]:
        """The request's JSON object."""
        return body_of(self.request.body)

    def arg(self, name: str, default: str = "") -> str:
        """A query argument."""
        return self.request.arg(name, default)

    def names(self, name: str) -> list[str]:
        """A query argument that holds names: repeated, or parted by commas."""
        return names_of(list(self.request.query.get(name, [])))

    def number(self, name: str, default: int) -> int:
        """A query argument that is a count. Raises Refused(400)."""
        text = self.request.arg(name)
        return count_of(text, default) if text else default


def answer_json(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body."""
    kind = {"content-type": JSON_TYPE}
    return Response(status=status, body=msgspec.json.encode(value), headers={**kind, **headers} if headers else kind)


def answer_empty(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status=status)


def count_of(value: Json, default: int) -> int:
    """A count sent as a number or as text. Raises Refused(400)."""
    if value is None:
        return default
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise Refused(400, f"'{value}' is not a number.") from error
    return max(0, number)


def is_visible(sandbox: JiraSandbox, call: Call, issue: Issue) -> bool:
    """Whether the caller may see an issue at all."""
    return not call.user.denied or sandbox.site.may(call.user, "BROWSE_PROJECTS", issue.project)
