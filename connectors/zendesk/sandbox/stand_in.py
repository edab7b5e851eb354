"""The whole stand-in: rules, wire and webhooks behind one `handle`, with the control face's state and acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict

from connectors.sandbox.control import ControlFace, Mistaken
from connectors.zendesk.sandbox import faults
from connectors.zendesk.sandbox.access import Access
from connectors.zendesk.sandbox.budgets import Windows
from connectors.zendesk.sandbox.faults import Refusal
from connectors.zendesk.sandbox.model import Model, Origin
from connectors.zendesk.sandbox.switches import Switches
from connectors.zendesk.sandbox.tickets import AGENT, SYSTEM_ID, CustomStatus, no_source
from connectors.zendesk.sandbox.webhooks import Webhooks
from connectors.zendesk.sandbox.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.contract import Rng
    from connectors.sandbox.wire import OutgoingHook, Request, Response, TimeSource
    from connectors.zendesk.sandbox.tickets import Entry
    from sync.model import Json


class ZendeskSandbox:
    """A stand-in of one Zendesk account; a `StandIn`. Pure given its clock and its `Rng`.

    settings: switches by name (`switches.Switches`). Without the loopback server it serves in process: `handle`.
    """

    def __init__(
        self,
        time: TimeSource,
        rng: Rng,
        *,
        subdomain: str = "sandbox",
        settings: Mapping[str, Json] | None = None,
    ) -> None:
        switches = msgspec.convert({"subdomain": subdomain, **(settings or {})}, Switches)
        self.model = Model(time, rng, switches)
        self.access = Access(rng)
        self.windows = Windows()
        self.hooks = Webhooks(self.model)
        self._wire = Wire(self.model, self.access, self.windows, self.hooks)
        self.control = ControlFace(self, time, rng)
        self._acts: dict[str, Callable[[Mapping[str, Json]], Json]] = {
            "create": self._create,
            "update": self._update,
            "status": self._status,
            "tag": self._tag,
            "comment": self._comment,
            "merge": self._merge,
            "delete": self._delete,
            "restore": self._restore,
            "erase": self._erase,
            "close": self._close,
            "link": self._link,
            "unlink": self._unlink,
            "move_issue": self._move_issue,
            "touch": self._touch,
            "forbid": self._forbid,
            "allow": self._allow,
            "custom_status": self._custom_status,
            "seed": self._seed,
            "webhook": self._webhook,
            "revoke_tokens": self._revoke_tokens,
            "authorisation_code": self._authorisation_code,
        }

    # --- StandIn -----------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer a request of the API or of the control face, and plan the webhook calls it causes."""
        response = self.control.handle(request)
        self._announce()
        return response

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        """The webhook calls that are due; also carries out what is due by time alone."""
        self.model.advance()
        self._announce()
        return self.hooks.due(now + self.model.switches.clock_skew)

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        """Take in how a webhook call ended."""
        self.hooks.answered(hook, status, now + self.model.switches.clock_skew)

    def _announce(self) -> None:
        happened, self.model.happened = self.model.happened, []
        for each in happened:
            self.hooks.announce(each)

    # --- what the control face asks ---------------------------------------------------------------------------------

    def operation(self, request: Request) -> str:
        """The name of what a request asks (`tickets.update`); "" for an unknown path."""
        routed = self._wire.route(request)
        return routed[0].name if routed else ""

    def caller(self, request: Request) -> str:
        """The e-mail address of who calls."""
        return self._wire.caller(request)

    def answer(self, request: Request, *, stale: bool = False) -> Response:
        """Apply and answer a request of the API."""
        return self._wire.answer(request, stale=stale)

    def ignored(self, request: Request) -> Response:
        """Answer a write without doing it."""
        return self._wire.ignored(request)

    def refusal(self, status: int, headers: Mapping[str, str]) -> Response:
        """The vendor's error answer for a status."""
        return faults.refusal_for(status, headers)

    def settings(self) -> Json:
        """The switches."""
        return msgspec.to_builtins(self.model.switches)

    def change_settings(self, changes: Mapping[str, Json]) -> None:
        """Change switches. Raises Mistaken for an unknown name or a value that does not fit."""
        fixed = {"email", "subdomain"} & set(changes)
        if fixed:
            raise Mistaken(f"{', '.join(sorted(fixed))} can only be set when the stand-in is made")
        self.model.switches = msgspec.convert({**self.settings(), **changes}, Switches)

    def state(self) -> Json:
        """Everything: tickets with comments, links and history, links, writes and creates by person, webhooks.

        Tickets that were seeded and never changed are only counted (`untouched`).
        """
        model = self.model
        model.advance()
        touched = model.touched()
        by_ticket: dict[str, list[Json]] = {}
        for row in model.links.values():
            by_ticket.setdefault(row["ticket_id"], []).append(row)
        return {
            "system": "zendesk",
            "now": model.now(),
            "records": [self._record(entry, by_ticket.get(str(entry.ticket.id), [])) for entry in touched],
            "untouched": len(model.entries) - len(touched),
            "links": list(model.links.values()),
            "writes": {self._name(user_id): count for user_id, count in model.writes.items()},
            "creates": {self._name(user_id): count for user_id, count in model.creates.items()},
            "users": [asdict(user) for user in model.users.values()],
            "hub": model.hub.email,
            "tokens_granted": self.access.granted,
            "hooks": self.hooks.state(),
        }

    def _record(self, entry: Entry, links: list[Json]) -> Json:
        ticket = entry.ticket
        audits = self.model.audits(entry)
        return {
            "id": str(ticket.id),
            "status": "deleted" if entry.is_deleted else ticket.status,
            "custom_status_id": ticket.custom_status_id,
            "tags": ticket.tags,
            "subject": ticket.subject,
            "description": ticket.description,
            "priority": ticket.priority,
            "type": ticket.type,
            "external_id": ticket.external_id,
            "requester": self._name(ticket.requester_id),
            "assignee": self._name(ticket.assignee_id) if ticket.assignee_id is not None else None,
            "custom_fields": {str(each["id"]): each["value"] for each in ticket.custom_fields},
            "created_at": ticket.created_at,
            "updated_at": ticket.updated_at,
            "generated": entry.generated,
            "version": len(audits),
            "deleted": entry.is_deleted,
            "forbidden": entry.is_forbidden,
            "merged_into": str(entry.merged_into) if entry.merged_into is not None else None,
            "created_by": self._name(audits[0]["author_id"]) if audits else "",
            "links": links,
            "comments": [
                {
                    "id": each["id"],
                    "author": self._name(each["author_id"]),
                    "public": each["public"],
                    "body": each["body"],
                    "created_at": each["created_at"],
                }
                for each in self.model.comments(entry)
            ],
            "history": [self._history(audit) for audit in audits],
        }

    def _history(self, audit: Mapping[str, Any]) -> Json:
        return {
            "id": audit["id"],
            "at": audit["created_at"],
            "author": self._name(audit["author_id"]),
            "client": audit["metadata"]["system"].get("client", ""),
            "custom": audit["metadata"]["custom"],
            "via": audit["via"]["channel"],
            "edits": [
                {
                    "field": event["field_name"],
                    "old": event.get("previous_value"),
                    "new": event["value"],
                    "rule": "via" in event,
                }
                for event in audit["events"]
                if event["type"] in {"Change", "Create"}
            ],
        }

    def _name(self, user_id: int) -> str:
        user = self.model.users.get(user_id)
        return user.email if user else "system"

    # --- acts -------------------------------------------------------------------------------------------------------

    def act(self, command: Mapping[str, Json]) -> Json:
        """Carry out an edit by a user or an automation. `as`: an e-mail address, or `automation`. Raises Mistaken."""
        name = command.get("act")
        act = self._acts.get(str(name))
        if act is None:
            raise Mistaken(f"act {name!r} is unknown; the acts are {', '.join(sorted(self._acts))}")
        try:
            return act(command)
        except Refusal as refusal:
            raise Mistaken(f"{name}: the system refuses: {refusal}") from refusal
        except KeyError as error:
            raise Mistaken(f"{name}: {error} is missing") from error

    def _origin(self, command: Mapping[str, Json]) -> Origin:
        name = str(command.get("as") or AGENT.email).lower()
        if name == "automation":
            source = {"from": {"id": 360_700, "title": "Automation"}, "to": {}, "rel": "automation"}
            return Origin(author_id=SYSTEM_ID, via={"channel": "rule", "source": source})
        user = self.model.by_email.get(name)
        if user is None:
            known = ", ".join(sorted(self.model.by_email))
            raise Mistaken(f"as {name!r} is nobody here; the people are {known}, and automation")
        is_hub = user.id == self.model.hub.id
        return Origin(author_id=user.id, via=no_source("web"), client="Mozilla/5.0 (sandbox)", is_hub=is_hub)

    def _entry(self, command: Mapping[str, Json]) -> Entry:
        entry = self.model.entries.get(int(command["ticket"]))
        if entry is None or entry.is_deleted:
            raise Mistaken(f"ticket {command['ticket']} does not exist or is deleted")
        return entry

    def _create(self, command: Mapping[str, Json]) -> Json:
        wanted = dict(command.get("set") or {})
        wanted.setdefault("subject", command.get("subject", "It does not work"))
        wanted.setdefault("comment", {"body": command.get("body", "Please help.")})
        for name in ("status", "tags", "priority", "type", "external_id", "custom_fields", "requester", "problem_id"):
            if name in command:
                wanted[name] = command[name]
        entry, _ = self.model.create(wanted, self._origin({"as": "customer@example.com", **command}))
        return {"ticket": entry.ticket.id}

    def _update(self, command: Mapping[str, Json]) -> Json:
        return self._changed(command, dict(command["set"]))

    def _changed(self, command: Mapping[str, Json], wanted: dict[str, Any]) -> Json:
        ticket, audit = self.model.update(self._entry(command), wanted, self._origin(command))
        return {"ticket": ticket.id, "status": ticket.status, "tags": ticket.tags, "changed": audit is not None}

    def _status(self, command: Mapping[str, Json]) -> Json:
        return self._changed(command, {"status": command["status"]})

    def _tag(self, command: Mapping[str, Json]) -> Json:
        kept = set(self._entry(command).ticket.tags) - {str(each).lower() for each in command.get("remove") or ()}
        return self._changed(command, {"tags": sorted(kept | set(command.get("add") or ()))})

    def _comment(self, command: Mapping[str, Json]) -> Json:
        """A comment; an end user's reply opens a ticket that waited or was solved, as in the system itself."""
        wanted: dict[str, Any] = {"comment": {"body": command["body"], "public": command.get("public", True)}}
        origin = self._origin(command)
        author = self.model.users.get(origin.author_id)
        waits = self._entry(command).ticket.status in {"pending", "hold", "solved"}
        if author is not None and author.role == "end-user" and waits:
            wanted["status"] = "open"
        return self._changed(command, wanted)

    def _merge(self, command: Mapping[str, Json]) -> Json:
        sources = [self._entry({"ticket": each}) for each in command["from"]]
        self.model.merge(self._entry(command), sources, {}, self._origin(command))
        return {"ticket": int(command["ticket"])}

    def _delete(self, command: Mapping[str, Json]) -> Json:
        self.model.delete(self._entry(command), self._origin(command))
        return {}

    def _restore(self, command: Mapping[str, Json]) -> Json:
        self.model.restore(int(command["ticket"]), self._origin(command))
        return {}

    def _erase(self, command: Mapping[str, Json]) -> Json:
        self.model.erase(int(command["ticket"]), self._origin(command))
        return {}

    def _close(self, command: Mapping[str, Json]) -> Json:
        return self._changed({"as": "automation", **command}, {"status": "closed"})

    def _link(self, command: Mapping[str, Json]) -> Json:
        ticket = self._entry(command).ticket
        return self.model.link(str(ticket.id), str(command["issue_id"]), str(command["issue_key"]))

    def _unlink(self, command: Mapping[str, Json]) -> Json:
        ticket = str(self._entry(command).ticket.id)
        wanted = {str(command[name]) for name in ("issue_id", "issue_key", "link") if name in command}
        gone = [
            key
            for key, row in self.model.links.items()
            if row["ticket_id"] == ticket and wanted & {row["issue_id"], row["issue_key"], str(key)}
        ]
        for key in gone:
            self.model.unlink(key)
        return {"removed": len(gone)}

    def _move_issue(self, command: Mapping[str, Json]) -> Json:
        """The issue was moved: its key changes in every link, its id stays (D)."""
        moved = [row for row in self.model.links.values() if row["issue_id"] == str(command["issue_id"])]
        for row in moved:
            row["issue_key"] = str(command["issue_key"])
        return {"changed": len(moved)}

    def _touch(self, command: Mapping[str, Json]) -> Json:
        self.model.touch(self._entry(command))
        return {}

    def _forbid(self, command: Mapping[str, Json]) -> Json:
        self._entry(command).is_forbidden = True
        return {}

    def _allow(self, command: Mapping[str, Json]) -> Json:
        self._entry(command).is_forbidden = False
        return {}

    def _custom_status(self, command: Mapping[str, Json]) -> Json:
        status = CustomStatus(
            id=self.model.new_id(), status_category=str(command["category"]), agent_label=str(command["label"])
        )
        self.model.statuses[status.id] = status
        return {"id": status.id}

    def _seed(self, command: Mapping[str, Json]) -> Json:
        self.model.seed(
            int(command["count"]),
            spread=float(command.get("spread", 7_776_000)),
            body_size=int(command.get("body_size", 600)),
            status=str(command.get("status", "")),
        )
        return {"tickets": len(self.model.entries)}

    def _webhook(self, command: Mapping[str, Json]) -> Json:
        """Register a webhook as an administrator would in the browser: the answer holds its secret."""
        wanted = {
            "name": command.get("name", "hypercare"),
            "endpoint": command["endpoint"],
            "http_method": "POST",
            "request_format": "json",
            "subscriptions": command.get("subscriptions") or ["conditional_ticket_events"],
        }
        hook = self.hooks.create(wanted, self.model.hub.id)
        if "secret" in command:
            hook.secret = str(command["secret"])
        return {"id": hook.id, "secret": hook.secret}

    def _revoke_tokens(self, command: Mapping[str, Json]) -> Json:
        self.access.revoke_all()
        return {}

    def _authorisation_code(self, command: Mapping[str, Json]) -> Json:
        return {"code": self.access.issue_code(str(command.get("as") or self.model.hub.email), self.model.now())}
