"""What `check` finds out about a connection beside its credentials: the user's role, the token's scopes, the feeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from connectors.contract import Finding, Level
from connectors.errors import Forbidden, RateLimited, RecordMissing, UnexpectedAnswer
from connectors.zendesk import records
from connectors.zendesk.calls import Calls
from sync.model import Json


def of_role(user: Mapping[str, Json]) -> Iterator[Finding]:
    """Whether the user may see tickets, all of them."""
    role = str(user.get("role") or "")
    if role not in {"admin", "agent"}:
        yield Finding(
            level=Level.ERROR,
            what=f"user {user.get('email') or user.get('id')} has the role {role or 'none'} and sees no tickets",
            do="sign in as an admin",
        )
    restriction = user.get("ticket_restriction")
    if role == "agent" and restriction:
        yield Finding(
            level=Level.WARNING,
            what=f"the user sees only some tickets (ticket restriction: {restriction})",
            do="give it access to all tickets, or expect the others to be unreachable",
        )


def of_scopes(calls: Calls) -> Iterator[Finding]:
    """Whether the token may read audits and write; with an API token, that its days are counted."""
    if not calls.by_oauth:
        yield Finding(
            level=Level.WARNING,
            what="API tokens stop working on 30 April 2027",
            do="make a confidential OAuth client and use auth: client_credentials",
        )
        return
    try:
        token = calls.get("/api/v2/oauth/tokens/current.json").get("token")
    except (Forbidden, RecordMissing, UnexpectedAnswer):
        return  # the scopes are not shown; what they lack shows at the first read or write
    named = token.get("scopes") if isinstance(token, dict) else None
    scopes = {str(scope) for scope in named} if isinstance(named, list) else set()
    if scopes and "read" not in scopes:
        yield Finding(
            level=Level.ERROR,
            what=f"the token's scopes ({' '.join(sorted(scopes))}) lack `read`, which ticket audits need "
            "(`tickets:read` is not enough)",
            do="set scope: read write, and allow both for the OAuth client",
        )
    if scopes and not scopes & {"write", "tickets:write"}:
        yield Finding(
            level=Level.ERROR,
            what=f"the token's scopes ({' '.join(sorted(scopes))}) lack `write`: nothing can be written",
            do="set scope: read write, and allow both for the OAuth client",
        )


def of_feed(calls: Calls, now: datetime) -> Iterator[Finding]:
    """The export, and the audits of the first ticket it shows."""
    start = int((now - timedelta(days=30)).timestamp())
    params = {"start_time": str(start), "per_page": "1"}
    try:
        body = calls.read("/api/v2/incremental/tickets/cursor.json", params, records.decode_page)
    except Forbidden as error:
        yield Finding(
            level=Level.ERROR,
            what=f"the incremental export is refused: {error.message}",
            do="sign in as an admin: Zendesk gives the export to nobody else",
        )
        return
    except RateLimited:
        yield Finding(level=Level.INFO, what="the export's budget is used up just now, so it was not tried")
        return
    for ticket in body.tickets[:1]:
        if ticket.status == "deleted":
            continue
        try:
            calls.get(f"/api/v2/tickets/{ticket.id}/audits.json", {"page[size]": "1"})
        except Forbidden as error:
            yield Finding(
                level=Level.ERROR,
                what=f"ticket audits are refused: {error.message}",
                do="give the token the global scope `read`: without audits a lost answer cannot be settled",
            )
        except RecordMissing:
            continue
