"""Every endpoint of the stand-in: its path, operation, scope, and where its shape comes from.

D documentation, C recorded, S specification, 3 third party, G guess. `.json` may stand at the end of any path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from connectors.zendesk.sandbox import faults

if TYPE_CHECKING:
    from connectors.sandbox.wire import Request
    from connectors.zendesk.sandbox.access import Caller
    from connectors.zendesk.sandbox.tickets import User


class Call(Struct, kw_only=True):
    """One request on its way through a handler. args: the path's parts. headers: to put on the answer."""

    request: Request
    user: User
    caller: Caller
    args: dict[str, str]
    headers: dict[str, str]

    def number(self, name: str = "id") -> int:
        """An id out of the path."""
        return int(self.args[name])

    def body(self, key: str) -> dict[str, Any]:
        """The object under one key of the JSON body. Raises Refusal."""
        try:
            decoded = msgspec.json.decode(self.request.body or b"{}")
        except msgspec.DecodeError:
            raise faults.bad_json() from None
        inner = decoded.get(key) if key and isinstance(decoded, dict) else decoded
        if not isinstance(inner, dict):
            raise faults.parameter_missing(key or "body")
        return inner

    def integer(self, name: str, default: int) -> int:
        """A whole number of the query. Raises Refusal (400)."""
        text = self.request.arg(name)
        try:
            return int(text) if text else default
        except ValueError:
            raise faults.bad_parameter(f"{name} must be a number, not {text!r}") from None

    def ids(self, name: str = "ids") -> list[int]:
        """Ids of the query, at most 100 (C)."""
        texts = [part for part in self.request.arg(name).split(",") if part.strip()]
        if not texts:
            raise faults.parameter_missing(name)
        if len(texts) > 100:
            raise faults.too_many_values()
        return [int(part) for part in texts if part.strip().isdigit()]


class Route(Struct, frozen=True, kw_only=True):
    """One endpoint. name: its operation. resource, act: the scope it needs. admin: only for administrators.

    source: where its shape comes from. anyone: answered without credentials.
    """

    method: str
    pattern: re.Pattern[str]
    name: str
    resource: str
    act: str
    source: str
    admin: bool = False
    anyone: bool = False


def _route(line: str) -> Route:
    """A route from a line of the table: METHOD PATH name resource source [flags]."""
    method, path, name, resource, source, *flags = line.split()
    pattern = re.sub(r"\{(\w+)\}", lambda m: f"(?P<{m[1]}>{r'[0-9]+' if m[1] == 'id' else r'[^/]+'})", path)
    return Route(
        method=method,
        pattern=re.compile(f"{pattern}(?:\\.json)?/?"),
        name=name,
        resource="" if resource == "-" else resource,
        act="read" if method == "GET" else "write",
        source=source,
        admin="admin" in flags,
        anyone="anyone" in flags,
    )


# The hot paths first. Columns: method, path, operation, scope's resource ("-": the global scope only), source, flags.
ROUTES = tuple(
    _route(line)
    for line in """
GET    /api/v2/incremental/tickets/cursor          export.cursor       tickets   C/D admin
PUT    /api/v2/tickets/{id}                        tickets.update      tickets   C/D
GET    /api/v2/tickets/show_many                   tickets.show_many   tickets   C
GET    /api/v2/tickets/{id}/audits                 audits.list         -         C
GET    /api/v2/tickets/{id}                        tickets.show        tickets   C
GET    /api/v2/tickets/{id}/comments               comments.list       tickets   C
GET    /api/v2/tickets/{id}/audits/{audit}         audits.show         -         D
GET    /api/v2/tickets/{id}/tags                   tags.list           tickets   D
PUT    /api/v2/tickets/{id}/tags                   tags.add            tickets   D
POST   /api/v2/tickets/{id}/tags                   tags.set            tickets   D
DELETE /api/v2/tickets/{id}/tags                   tags.remove         tickets   D
POST   /api/v2/tickets/{id}/merge                  tickets.merge       tickets   C/D
GET    /api/v2/tickets/{id}/incidents              tickets.incidents   tickets   D
GET    /api/v2/tickets/{id}/related                tickets.related     tickets   S
GET    /api/v2/tickets                             tickets.list        tickets   C
POST   /api/v2/tickets                             tickets.create      tickets   C/D
POST   /api/v2/tickets/create_many                 tickets.create_many tickets   C
PUT    /api/v2/tickets/update_many                 tickets.update_many tickets   C/D
DELETE /api/v2/tickets/destroy_many                tickets.destroy_many tickets  C
DELETE /api/v2/tickets/{id}                        tickets.delete      tickets   C
GET    /api/v2/problems                            tickets.problems    tickets   D
GET    /api/v2/deleted_tickets                     deleted.list        tickets   D
PUT    /api/v2/deleted_tickets/{id}/restore        deleted.restore     tickets   C
DELETE /api/v2/deleted_tickets/{id}                deleted.erase       tickets   C
GET    /api/v2/incremental/tickets                 export.time         tickets   D/3 admin
GET    /api/v2/incremental/tickets/sample          export.sample       tickets   D admin
GET    /api/v2/incremental/ticket_events           export.events       tickets   D admin
GET    /api/v2/ticket_audits                       audits.all          -         C
GET    /api/v2/job_statuses/{job}                  jobs.show           -         C
GET    /api/v2/job_statuses                        jobs.list           -         G
GET    /api/v2/search/count                        search.count        -         D
GET    /api/v2/search/export                       search.export       -         C/D
GET    /api/v2/search                              search.list         -         D
GET    /api/v2/custom_statuses                     statuses.list       ticket_statuses C/D
GET    /api/v2/custom_statuses/{id}                statuses.show       ticket_statuses C
POST   /api/v2/custom_statuses                     statuses.create     ticket_statuses C admin
GET    /api/v2/ticket_fields                       fields.list         ticket_fields D
GET    /api/v2/ticket_fields/{id}                  fields.show         ticket_fields D
GET    /api/v2/users/me                            users.me            users     C anyone
GET    /api/v2/users/show_many                     users.show_many     users     C
GET    /api/v2/users/search                        users.search        users     D
GET    /api/v2/users/{id}                          users.show          users     C
GET    /api/v2/users                               users.list          users     C
GET    /api/v2/groups                              groups.list         groups    G
GET    /api/v2/groups/{id}                         groups.show         groups    G
GET    /api/v2/organizations/{id}                  organizations.show  organizations G
GET    /api/v2/organizations/show_many             organizations.show_many organizations G
GET    /api/v2/organizations                       organizations.list  organizations G
GET    /api/v2/brands                              brands.list         brands    G
GET    /api/v2/satisfaction_ratings                ratings.list        satisfaction_ratings D admin
GET    /api/v2/account/settings                    account.settings    -         G
GET    /api/v2/account                             account.show        -         G
GET    /api/v2/oauth/tokens/current                oauth.current       -         G
GET    /api/v2/webhooks                            webhooks.list       webhooks  C admin
POST   /api/v2/webhooks                            webhooks.create     webhooks  C admin
POST   /api/v2/webhooks/test                       webhooks.test       webhooks  C/G admin
GET    /api/v2/webhooks/{hook}                     webhooks.show       webhooks  C admin
PUT    /api/v2/webhooks/{hook}                     webhooks.replace    webhooks  C admin
PATCH  /api/v2/webhooks/{hook}                     webhooks.patch      webhooks  C admin
DELETE /api/v2/webhooks/{hook}                     webhooks.delete     webhooks  C admin
GET    /api/v2/webhooks/{hook}/signing_secret      webhooks.secret     webhooks  C admin
POST   /api/v2/webhooks/{hook}/signing_secret      webhooks.new_secret webhooks  C admin
GET    /api/v2/webhooks/{hook}/invocations         webhooks.invocations webhooks C admin
GET    /api/v2/webhooks/{hook}/invocations/{invocation}/attempts webhooks.attempts webhooks C admin
GET    /api/(?:v2|services)/jira/links             links.list          -         C/D
POST   /api/(?:v2|services)/jira/links             links.create        -         C
GET    /api/(?:v2|services)/jira/links/{id}        links.show          -         D
DELETE /api/(?:v2|services)/jira/links/{id}        links.delete        -         D
POST   /oauth/tokens                               oauth.grant         -         D anyone
""".strip().splitlines()
)
