"""The Zendesk API over HTTP: which path asks what of the rules, who may, how lists are cut into pages.

The endpoints themselves are listed in `routes`. Page addresses are built from the Host that was called.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from connectors.sandbox.wire import Request, Response
from connectors.zendesk.sandbox import faults, search
from connectors.zendesk.sandbox.faults import JSON_HEADERS, Refusal
from connectors.zendesk.sandbox.model import ACCEPTED, Origin, is_true
from connectors.zendesk.sandbox.routes import ROUTES, Call, Route
from connectors.zendesk.sandbox.tickets import CustomStatus, Ticket, User, no_source, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from connectors.zendesk.sandbox.access import Access
    from connectors.zendesk.sandbox.budgets import Reading, Windows
    from connectors.zendesk.sandbox.model import Job, Model
    from connectors.zendesk.sandbox.tickets import Entry
    from connectors.zendesk.sandbox.webhooks import Hook, Webhooks
    from sync.model import Json

GRANT = "oauth.grant"
"""The one call that is answered before anybody is known."""
KEYS_KEPT = 20_000
EXPORT_WORDS = "incremental export API requests"


class Wire:
    """Answers requests by the account's rules."""

    def __init__(self, model: Model, access: Access, windows: Windows, hooks: Webhooks) -> None:
        self._model = model
        self._access = access
        self._windows = windows
        self._hooks = hooks
        self._stale = False
        self._idempotent: dict[str, tuple[bytes, float, Response]] = {}
        self._counted = 0
        self._routes: dict[str, list[Route]] = {}
        for route in ROUTES:
            self._routes.setdefault(route.method, []).append(route)
        self._handlers: dict[str, Callable[[Call], Response]] = {
            route.name: getattr(self, "_" + route.name.replace(".", "_")) for route in ROUTES if route.name != GRANT
        }

    # --- the way of a request ----------------------------------------------------------------------------------------

    def route(self, request: Request) -> tuple[Route, dict[str, str]] | None:
        """The endpoint a request is for, with the parts of its path."""
        method = "GET" if request.method == "HEAD" else request.method
        for route in self._routes.get(method, ()):
            match = route.pattern.fullmatch(request.path)
            if match is not None:
                return route, match.groupdict()
        return None

    def caller(self, request: Request) -> str:
        """The e-mail address of who calls, "" where that is not known."""
        try:
            caller = self._access.caller(request, self._model.switches, self._model.by_email, self._model.now())
        except Refusal:
            return ""
        return caller.email if caller else ""

    def answer(self, request: Request, *, stale: bool = False) -> Response:
        """Apply and answer one request; stale: tickets are shown as before their latest change."""
        self._model.advance()
        self._stale = stale
        try:
            return self._answered(request)
        except Refusal as refusal:
            return refusal.response()
        finally:
            self._stale = False

    def ignored(self, request: Request) -> Response:
        """Answer a write with the record as it is, without doing it."""
        routed = self.route(request)
        if routed is None:
            return faults.no_endpoint().response()
        route, args = routed
        number = args.get("id", "")
        entry = self._model.entries.get(int(number)) if number.isdigit() else None
        if entry is None or entry.is_deleted:
            return _json({})
        if route.name.startswith("tags."):
            return _json({"tags": entry.ticket.tags})
        return _json({"ticket": entry.ticket, "audit": None})

    def _answered(self, request: Request) -> Response:
        routed = self.route(request)
        headers = self._common_headers()
        if routed is None:
            raise faults.no_endpoint()
        route, args = routed
        now = self._model.now()
        if route.name == GRANT:
            return _json(self._access.grant(request, self._model.switches, now), headers=headers)
        caller = self._access.caller(request, self._model.switches, self._model.by_email, now)
        if caller is None:
            if route.name == "users.me":
                return _json({"user": {"id": None, "name": "Anonymous user", "email": "invalid@example.com"}})
            raise faults.unauthenticated()
        user = self._model.by_email[caller.email]
        self._spend_account(headers)
        if not caller.may(route.resource, route.act):
            raise faults.missing_scope(route.act if not route.resource else f"{route.resource}:{route.act}")
        if user.role == "end-user" and not route.name.startswith("users.me"):
            raise faults.forbidden()
        if route.admin and user.role != "admin":
            raise faults.forbidden()
        call = Call(request=request, user=user, caller=caller, args=args, headers=headers)
        try:
            return self._handlers[route.name](call)
        except Refusal as refusal:
            refusal.headers = {**headers, **refusal.headers}
            raise

    def _common_headers(self) -> dict[str, str]:
        self._counted += 1
        return {"x-zendesk-api-version": "v2", "x-request-id": f"sandbox-{self._counted:08x}"}

    # --- limits ------------------------------------------------------------------------------------------------------

    def _spend_account(self, headers: dict[str, str]) -> None:
        switches = self._model.switches
        if not switches.limits:
            return
        reading = self._take("account", "", switches.account_per_minute, 60)
        headers["x-rate-limit"] = headers["ratelimit-limit"] = str(reading.limit)
        headers["x-rate-limit-remaining"] = headers["ratelimit-remaining"] = str(reading.remaining)
        headers["ratelimit-reset"] = str(reading.resets)
        if not reading.allowed:
            refusal = faults.rate_limited("API requests", reading.resets, plain=switches.plain_text_429)
            refusal.headers.update(headers)
            raise refusal

    def _take(self, name: str, key: str, limit: int, seconds: float) -> Reading:
        return self._windows.take(name, key, limit, self._model.scaled(seconds), self._model.now())

    def _spend(self, call: Call, name: str, key: str, limit: int, seconds: float, words: str = "API requests") -> None:
        """Take one call from an endpoint's budget and show it in a header of the recorded form (C)."""
        if not self._model.switches.limits:
            return
        reading = self._take(name, key, limit, seconds)
        shown = f"total={reading.limit}; remaining={reading.remaining}; resets={reading.resets}"
        call.headers[f"zendesk-ratelimit-{name}"] = shown
        if not reading.allowed:
            raise faults.rate_limited(words, reading.resets, plain=self._model.switches.plain_text_429)

    def _spend_update(self, call: Call) -> None:
        switches = self._model.switches
        self._spend(call, "tickets-update", "", switches.updates_per_minute, 60)
        key = f"{call.user.id}/{call.args['id']}"
        self._spend(call, "per-ticket-updates", key, switches.ticket_updates_per_10_minutes, 600)

    # --- answers -----------------------------------------------------------------------------------------------------

    def _shown(self, entry: Entry) -> Ticket:
        return entry.previous if self._stale and entry.previous is not None else entry.ticket

    def _ok(self, call: Call, value: Json, status: int = 200) -> Response:
        return _json(value, status, call.headers)

    def _origin(self, call: Call) -> Origin:
        client = call.request.headers.get("user-agent", "")
        is_hub = call.user.id == self._model.hub.id
        return Origin(author_id=call.user.id, via=no_source("api"), client=client, is_hub=is_hub)

    def _page(self, call: Call, key: str, rows: Sequence[Any], most: int = 100) -> Response:
        """A list in pages: by cursor when `page[size]` or `page[after]` is asked for, else by number (D)."""
        if call.request.arg("page[size]") or call.request.arg("page[after]") or call.request.arg("page[before]"):
            return self._ok(call, self._cursor_page(call, key, rows, most))
        number, size = max(1, call.integer("page", 1)), call.integer("per_page", most)
        size = min(max(1, size), most)
        if number > 100 or number * size > 10_000:
            raise faults.pagination_depth()
        start = (number - 1) * size
        following = self._address(call, {"page": str(number + 1)}) if start + size < len(rows) else None
        earlier = self._address(call, {"page": str(number - 1)}) if number > 1 else None
        told = {key: rows[start : start + size], "next_page": following, "previous_page": earlier, "count": len(rows)}
        return self._ok(call, told)

    def _cursor_page(self, call: Call, key: str, rows: Sequence[Any], most: int) -> dict[str, Any]:
        size = min(max(1, call.integer("page[size]", most)), most)
        ids = [_id_of(row) for row in rows]
        start = 0
        if after := call.request.arg("page[after]"):
            start = _place(ids, _uncursor(after)) + 1
        elif before := call.request.arg("page[before]"):
            start = max(0, _place(ids, _uncursor(before)) - size)
        page = rows[start : start + size]
        more = start + size < len(rows)
        first = _cursor(ids[start]) if page else None
        last = _cursor(ids[start + len(page) - 1]) if page else None
        return {
            key: page,
            "meta": {"has_more": more, "after_cursor": last, "before_cursor": first},
            "links": {
                "prev": self._address(call, {"page[before]": first}, drop="page[after]") if first else None,
                "next": self._address(call, {"page[after]": last}, drop="page[before]") if last else None,
            },
        }

    def _address(self, call: Call, changes: Mapping[str, str], drop: str = "") -> str:
        """The absolute address of a neighbouring page, on the host that was called."""
        query = {name: values[0] for name, values in call.request.query.items() if values and name != drop}
        query.update(changes)
        return f"{call.request.base}{call.request.path}?{urlencode(query, quote_via=quote)}"

    # --- the change feed ---------------------------------------------------------------------------------------------

    def _export_cursor(self, call: Call) -> Response:
        model, request = self._model, call.request
        switches = model.switches
        self._spend(call, "incremental-exports", "", switches.export_per_minute, 60, EXPORT_WORDS)
        most = switches.export_page_limit
        size = min(max(1, call.integer("per_page", most)), most)
        replayed: list[Entry] = []
        if given := request.arg("cursor"):
            place = _export_place(given)
            rows, at_end = model.exported(place, size, inclusive=False)
            again = model.exported_at(place) if switches.export_replays and at_end and len(rows) < size else None
            replayed = [again] if again is not None else []
        elif request.arg("start_time"):
            start = call.integer("start_time", 0)
            if start > model.now() - model.scaled(switches.export_hides):
                raise faults.start_time_too_recent()
            place = (start, -1)
            rows, at_end = model.exported(place, size, inclusive=True)
        else:
            raise faults.parameter_missing("start_time")
        rows = replayed + rows
        if rows:
            place = (rows[-1].generated, rows[-1].ticket.id)
        cursor = base64.b64encode(f"{place[0]}.0||{max(0, place[1])}|".encode()).decode()
        shown = rows
        if request.arg("exclude_deleted") == "true":
            shown = [row for row in rows if not row.is_deleted]
        keep = {name: values[0] for name, values in request.query.items() if name in {"per_page", "include"}}
        address = f"{request.base}{request.path}?{urlencode({'cursor': cursor, **keep}, quote_via=quote)}"
        tail = {
            "after_url": address,
            "before_url": None,
            "after_cursor": cursor,
            "before_cursor": None,
            "end_of_stream": at_end,
            **self._side_loads(request.arg("include"), shown),
        }
        body = b'{"tickets":[' + self._export_rows(shown) + b"]," + msgspec.json.encode(tail)[1:]
        return Response(status=200, body=body, headers={**JSON_HEADERS, **call.headers})

    def _export_rows(self, entries: Sequence[Entry]) -> bytes:
        """Tickets as exports show them: `generated_timestamp` behind, `deleted` as a status."""
        encode = msgspec.json.Encoder().encode
        rows: list[bytes] = []
        extra = self._extra()
        for entry in entries:
            ticket = self._shown(entry)
            if entry.is_deleted:
                ticket = msgspec.structs.replace(ticket, status="deleted")
            rows.append(encode(ticket)[:-1] + extra + b',"generated_timestamp":%d}' % entry.generated)
        return b",".join(rows)

    def _extra(self) -> bytes:
        """Keys that the switches add to every ticket."""
        extra = self._model.switches.extra_ticket_keys
        return b"," + msgspec.json.encode(extra)[1:-1] if extra else b""

    def _side_loads(self, include: str, entries: Sequence[Entry]) -> dict[str, Json]:
        """Side-loads are lists beside the tickets (D)."""
        wanted = {part for part in include.split(",") if part}
        told: dict[str, Json] = {}
        if "users" in wanted:
            people = {i for e in entries for i in (e.ticket.requester_id, e.ticket.assignee_id) if i is not None}
            told["users"] = [self._user(self._model.users[i]) for i in sorted(people) if i in self._model.users]
        if "groups" in wanted:
            told["groups"] = [self._group()]
        if "organizations" in wanted:
            told["organizations"] = [self._organization()]
        for empty in ("metric_sets", "slas"):
            if empty in wanted:
                told[empty] = []
        return told

    def _export_time(self, call: Call) -> Response:
        """The time-based export: repeats rows, and never ends when more than a page shares a second (3)."""
        model = self._model
        self._spend(call, "incremental-exports", "", model.switches.export_per_minute, 60, EXPORT_WORDS)
        start = call.integer("start_time", 0)
        if start > model.now() - model.scaled(model.switches.export_hides):
            raise faults.start_time_too_recent()
        size = min(max(1, call.integer("per_page", 1000)), 1000)
        rows, at_end = model.exported((start, -1), size, inclusive=True)
        last = rows[-1].generated if rows else start
        tail = {
            "count": len(rows),
            "end_of_stream": at_end,
            "end_time": last,
            "next_page": f"{call.request.base}{call.request.path}?start_time={last}",
        }
        body = b'{"tickets":[' + self._export_rows(rows) + b"]," + msgspec.json.encode(tail)[1:]
        return Response(status=200, body=body, headers={**JSON_HEADERS, **call.headers})

    def _export_sample(self, call: Call) -> Response:
        self._spend(call, "incremental-samples", "", 10, 1200, EXPORT_WORDS)
        rows, _ = self._model.exported((call.integer("start_time", 0), -1), 50, inclusive=True)
        body = b'{"tickets":[' + self._export_rows(rows) + b'],"end_of_stream":true}'
        return Response(status=200, body=body, headers={**JSON_HEADERS, **call.headers})

    def _export_events(self, call: Call) -> Response:
        model = self._model
        self._spend(call, "incremental-exports", "", model.switches.export_per_minute, 60, EXPORT_WORDS)
        start = call.integer("start_time", 0)
        with_comments = "comment_events" in call.request.arg("include")
        edge = stamp(model.now() - model.scaled(model.switches.export_hides))
        audits = sorted(
            (a for e in model.touched() for a in model.audits(e) if stamp(start) <= a["created_at"] < edge),
            key=lambda audit: (audit["created_at"], audit["id"]),
        )[:1000]
        told = [
            {
                "id": audit["id"],
                "ticket_id": audit["ticket_id"],
                "timestamp": audit["created_at"],
                "created_at": audit["created_at"],
                "updater_id": audit["author_id"],
                "via": audit["via"]["channel"],
                "via_reference_id": None,
                "system": audit["metadata"]["system"],
                "event_type": "Audit",
                "child_events": [
                    {"event_type": event["type"], **event}
                    for event in audit["events"]
                    if with_comments or event["type"] != "Comment"
                ],
            }
            for audit in audits
        ]
        return self._ok(call, {"ticket_events": told, "count": len(told), "end_of_stream": True, "next_page": None})

    # --- tickets -----------------------------------------------------------------------------------------------------

    def _tickets_show(self, call: Call) -> Response:
        return self._ticket(call, self._shown(self._model.entry(call.number())))

    def _ticket(self, call: Call, ticket: Ticket, audit: Json = None, status: int = 200) -> Response:
        encoded = msgspec.json.encode(ticket)[:-1] + self._extra() + b"}"
        told: dict[str, Json] = {"ticket": msgspec.Raw(encoded)}
        if call.request.method != "GET":
            told["audit"] = audit
        return self._ok(call, told, status)

    def _tickets_show_many(self, call: Call) -> Response:
        if call.request.arg("external_ids"):
            wanted = call.request.arg("external_ids").split(",")
            entries = [entry for each in wanted for entry in self._model.with_external_id(each)]
        else:
            known = self._model.entries
            asked = dict.fromkeys(call.ids())
            entries = [known[i] for i in asked if i in known and not known[i].is_deleted and not known[i].is_forbidden]
        if self._model.switches.stale_show_many:
            self._stale = True
        shown = [self._shown(entry) for entry in entries]
        side = self._side_loads(call.request.arg("include"), entries)
        told = {"tickets": shown, "next_page": None, "previous_page": None, "count": len(shown), **side}
        return self._ok(call, told)

    def _tickets_list(self, call: Call) -> Response:
        self._spend(call, "tickets-index", "", 1_000_000, 60)
        if external := call.request.arg("external_id"):
            entries: Sequence[Entry] = self._model.with_external_id(external)
        else:
            entries = list(self._model.visible())
        return self._page(call, "tickets", [self._shown(entry) for entry in entries])

    def _tickets_create(self, call: Call) -> Response:
        key = call.request.headers.get("idempotency-key", "")
        if key and self._model.switches.idempotency:
            if len(key) > 255:
                raise faults.bad_parameter("Idempotency-Key is longer than 255 characters")
            known = self._idempotent.get(key)
            if known is not None and self._model.now() - known[1] < self._model.switches.idempotency_lives:
                if known[0] != call.request.body:
                    raise faults.idempotency_mismatch()
                return msgspec.structs.replace(
                    known[2], headers={**known[2].headers, **call.headers, "x-idempotency-lookup": "hit"}
                )
        wanted = self._accepted(call, call.body("ticket"), "create")
        entry, audit = self._model.create(wanted, self._origin(call))
        call.headers["location"] = entry.ticket.url
        if key and self._model.switches.idempotency:
            call.headers["x-idempotency-lookup"] = "miss"
        response = self._ticket(call, entry.ticket, audit, 201)
        if key:
            self._idempotent[key] = (call.request.body, self._model.now(), response)
            if len(self._idempotent) > KEYS_KEPT:
                self._idempotent.pop(next(iter(self._idempotent)))
        return response

    def _tickets_update(self, call: Call) -> Response:
        entry = self._model.entry(call.number())
        self._spend_update(call)
        wanted = self._accepted(call, call.body("ticket"), "update")
        ticket, audit = self._model.update(entry, wanted, self._origin(call))
        return self._ticket(call, ticket, audit)

    def _accepted(self, call: Call, wanted: dict[str, Any], action: str) -> dict[str, Any]:
        """The keys that count; the others are ignored, and a header says so (C)."""
        unknown = sorted(set(wanted) - ACCEPTED)
        if unknown:
            keys = ", ".join(f'"ticket.{name}"' for name in unknown)
            inner = f':controller=>"tickets", :action=>"{action}", :unpermitted_keys=>[{keys}], :invalid_values=>[]'
            call.headers["x-zendesk-api-warn"] = "{:allowed_parameters=>{" + inner + "}}"
        return {name: value for name, value in wanted.items() if name in ACCEPTED}

    def _tickets_delete(self, call: Call) -> Response:
        self._spend(call, "tickets-delete", "", self._model.switches.deletes_per_minute, 60)
        self._model.delete(self._model.entry(call.number()), self._origin(call))
        return Response(status=204, headers=call.headers)

    def _tickets_create_many(self, call: Call) -> Response:
        wanted = call.body("").get("tickets")
        if not isinstance(wanted, list):
            raise faults.parameter_missing("tickets")
        if len(wanted) > 100:
            raise faults.too_many_values()
        origin = self._origin(call)

        def work() -> Json:
            results: list[Json] = []
            for place, each in enumerate(wanted):
                try:
                    entry, _ = self._model.create(each if isinstance(each, dict) else {}, origin)
                except Refusal as refusal:
                    results.append({"index": place, "error": refusal.body["error"], "details": str(refusal.body)})
                else:
                    number = entry.ticket.id
                    results.append({"index": place, "id": number, "account_id": self._model.switches.account_id})
            return results

        return self._job(call, self._model.start_job(len(wanted), work))

    def _tickets_update_many(self, call: Call) -> Response:
        body = call.body("")
        if isinstance(body.get("tickets"), list):
            rows = [each for each in body["tickets"] if isinstance(each, dict)]
            changes = [(_number(each.get("id")), each) for each in rows]
        else:
            change = call.body("ticket")
            changes = [(number, change) for number in call.ids()]
        if len(changes) > 100:
            raise faults.too_many_values()
        origin = self._origin(call)

        def work() -> Json:
            """Each item by itself: one that fails does not stop the others (D/G)."""
            results: list[Json] = []
            for place, (number, wanted) in enumerate(changes):
                try:
                    self._model.update(self._model.entry(number), wanted, origin)
                except Refusal as refusal:
                    error = refusal.body.get("error", "Failed")
                    told = {"error": error if isinstance(error, str) else "Forbidden", "success": False}
                    details = refusal.body.get("description", "")
                    results.append({"index": place, "id": number, **told, "status": "Failed", "details": details})
                else:
                    results.append({"id": number, "action": "update", "status": "Updated", "success": True})
            return results

        return self._job(call, self._model.start_job(len(changes), work))

    def _tickets_destroy_many(self, call: Call) -> Response:
        ids = call.ids()
        origin = self._origin(call)

        def work() -> Json:
            results: list[Json] = []
            for number in ids:
                try:
                    self._model.delete(self._model.entry(number), origin)
                except Refusal:
                    results.append({"id": number, "action": "delete", "status": "Failed", "success": False})
                else:
                    results.append({"id": number, "action": "delete", "status": "Deleted", "success": True})
            return results

        return self._job(call, self._model.start_job(len(ids), work))

    def _tickets_merge(self, call: Call) -> Response:
        target = self._model.entry(call.number())
        body = call.body("")
        ids = body.get("ids")
        if not isinstance(ids, list) or not ids:
            raise faults.parameter_missing("ids")
        sources = [self._model.entry(_number(each)) for each in ids]
        origin = self._origin(call)
        if any(each.ticket.id == target.ticket.id or each.ticket.status == "closed" for each in sources):
            raise faults.Refusal(422, {"error": "SourceInvalid", "description": "A source cannot be merged"})

        def work() -> Json:
            try:
                self._model.merge(target, sources, body, origin)
            except Refusal as refusal:
                return [{"success": False, "error": refusal.body["error"], "details": refusal.body["description"]}]
            return {"success": True}

        return self._job(call, self._model.start_job(None, work))

    def _job(self, call: Call, job: Job) -> Response:
        return self._ok(call, {"job_status": self._model.shown_job(job)})

    def _jobs_show(self, call: Call) -> Response:
        job = self._model.jobs.get(call.args["job"].removesuffix(".json"))
        if job is None:
            raise faults.not_found()
        return self._job(call, job)

    def _jobs_list(self, call: Call) -> Response:
        return self._page(call, "job_statuses", [self._model.shown_job(job) for job in self._model.jobs.values()])

    def _audits_list(self, call: Call) -> Response:
        return self._page(call, "audits", self._model.audits(self._model.entry(call.number())))

    def _audits_show(self, call: Call) -> Response:
        for audit in self._model.audits(self._model.entry(call.number())):
            if str(audit["id"]) == call.args["audit"].removesuffix(".json"):
                return self._ok(call, {"audit": audit})
        raise faults.not_found()

    def _audits_all(self, call: Call) -> Response:
        audits = [audit for entry in self._model.touched() for audit in self._model.audits(entry)]
        return self._page(call, "audits", sorted(audits, key=lambda audit: audit["id"]))

    def _comments_list(self, call: Call) -> Response:
        rows = self._model.comments(self._model.entry(call.number()))
        if call.request.arg("sort", call.request.arg("sort_order")) in {"-created_at", "desc"}:
            rows = rows[::-1]
        return self._page(call, "comments", rows)

    def _tags_list(self, call: Call) -> Response:
        return self._ok(call, {"tags": self._shown(self._model.entry(call.number())).tags})

    def _tags_add(self, call: Call) -> Response:
        return self._change_tags(call, "add", 200)

    def _tags_set(self, call: Call) -> Response:
        return self._change_tags(call, "set", 201)

    def _tags_remove(self, call: Call) -> Response:
        return self._change_tags(call, "remove", 200)

    def _change_tags(self, call: Call, how: str, status: int) -> Response:
        entry = self._model.entry(call.number())
        self._spend_update(call)
        body = call.body("")
        if is_true(body.get("safe_update")):
            stamped = str(body.get("updated_stamp") or "")
            if stamped[:19] < entry.ticket.updated_at[:19]:
                raise faults.update_conflict()
        tags = body.get("tags") or []
        if not isinstance(tags, (str, list)):
            raise faults.bad_parameter("tags must be a list")
        tags = self._model.change_tags(entry, how, tags, self._origin(call))
        return self._ok(call, {"tags": tags}, status)

    def _tickets_incidents(self, call: Call) -> Response:
        number = self._model.entry(call.number()).ticket.id
        return self._page(call, "tickets", [e.ticket for e in self._model.visible() if e.ticket.problem_id == number])

    def _tickets_problems(self, call: Call) -> Response:
        return self._page(call, "tickets", [e.ticket for e in self._model.visible() if e.ticket.type == "problem"])

    def _tickets_related(self, call: Call) -> Response:
        ticket = self._model.entry(call.number()).ticket
        issues = [row["issue_id"] for row in self._model.links.values() if row["ticket_id"] == str(ticket.id)]
        source = ticket.via["source"]["from"].get("ticket_id")
        told = {
            "topic_id": None,
            "jira_issue_ids": issues,
            "followup_source_ids": [str(source)] if source else [],
            "from_archive": False,
            "incidents": sum(e.ticket.problem_id == ticket.id for e in self._model.visible()),
        }
        return self._ok(call, {"ticket_related": told})

    def _deleted_list(self, call: Call) -> Response:
        self._spend(call, "deleted-tickets", "", self._model.switches.deleted_list_per_minute, 60)
        rows = [
            {
                "id": entry.ticket.id,
                "subject": entry.ticket.subject,
                "description": entry.ticket.description,
                "actor": {"id": entry.deleted_by, "name": self._name(entry.deleted_by)},
                "deleted_at": stamp(entry.deleted_at),
                "previous_state": entry.ticket.status,
            }
            for entry in self._model.touched()
            if entry.is_deleted and not entry.is_erased
        ]
        return self._page(call, "deleted_tickets", rows)

    def _deleted_restore(self, call: Call) -> Response:
        self._model.restore(call.number(), self._origin(call))
        return self._ok(call, {})

    def _deleted_erase(self, call: Call) -> Response:
        number, origin = call.number(), self._origin(call)
        entry = self._model.entries.get(number)
        if entry is None or not entry.is_deleted or entry.is_erased:
            raise faults.not_found()

        def work() -> Json:
            self._model.erase(number, origin)
            return {"success": True}

        return self._job(call, self._model.start_job(None, work))

    # --- search ------------------------------------------------------------------------------------------------------

    def _search_list(self, call: Call) -> Response:
        tickets = self._searched(call)
        number, size = max(1, call.integer("page", 1)), min(max(1, call.integer("per_page", 100)), 100)
        cap = self._model.switches.search_cap
        if (number - 1) * size >= cap:
            raise faults.search_limit()
        start = (number - 1) * size
        rows = tickets[start : min(start + size, cap)]
        more = start + size < min(len(tickets), cap)
        told = {
            "results": [self._result(ticket) for ticket in rows],
            "facets": None,
            "next_page": self._address(call, {"page": str(number + 1)}) if more else None,
            "previous_page": self._address(call, {"page": str(number - 1)}) if number > 1 else None,
            "count": len(tickets),
        }
        return self._ok(call, told)

    def _search_count(self, call: Call) -> Response:
        return self._ok(call, {"count": len(self._searched(call))})

    def _search_export(self, call: Call) -> Response:
        self._spend(call, "search-export", "", self._model.switches.search_export_per_minute, 60)
        if not call.request.arg("filter[type]"):
            raise faults.parameter_missing("filter[type]")
        rows = [self._result(ticket) for ticket in self._searched(call)]
        told = self._cursor_page(call, "results", rows, 1000)
        return self._ok(call, {**told, "facets": None})

    def _searched(self, call: Call) -> list[Ticket]:
        query = call.request.arg("query")
        if not query:
            raise faults.parameter_missing("query")
        tickets = search.found(self._model, query, self._model.now())
        ordered = re.search(r"order_by:(\w+)", query)
        by = call.request.arg("sort_by") or (ordered[1] if ordered else "")
        if by in {"created_at", "updated_at", "status", "priority"}:
            down = call.request.arg("sort_order", "desc") == "desc" and "sort:asc" not in query
            tickets.sort(key=lambda ticket: str(getattr(ticket, by)), reverse=down)
        return tickets

    def _result(self, ticket: Ticket) -> Json:
        told = msgspec.to_builtins(ticket)
        return {**told, "result_type": "ticket"}

    # --- people, fields, statuses, the account -----------------------------------------------------------------------

    def _user(self, user: User) -> Json:
        return user.shown(self._model.base, self._model.born)

    def _name(self, user_id: int) -> str:
        user = self._model.users.get(user_id)
        return user.name if user else "System"

    def _users_me(self, call: Call) -> Response:
        return self._ok(call, {"user": self._user(call.user)})

    def _users_show(self, call: Call) -> Response:
        user = self._model.users.get(call.number())
        if user is None:
            raise faults.not_found()
        return self._ok(call, {"user": self._user(user)})

    def _users_show_many(self, call: Call) -> Response:
        users = [self._user(self._model.users[i]) for i in call.ids() if i in self._model.users]
        return self._ok(call, {"users": users, "next_page": None, "previous_page": None, "count": len(users)})

    def _users_search(self, call: Call) -> Response:
        wanted = call.request.arg("query").lower().removeprefix("email:").strip('"')
        users = [u for u in self._model.users.values() if wanted in {u.email, u.name.lower()}]
        return self._page(call, "users", [self._user(user) for user in users])

    def _users_list(self, call: Call) -> Response:
        return self._page(call, "users", [self._user(user) for user in self._model.users.values()])

    def _statuses_list(self, call: Call) -> Response:
        rows = list(self._model.statuses.values()) if self._model.switches.custom_statuses else []
        categories = {part for part in call.request.arg("status_categories").split(",") if part}
        for name in ("active", "default"):
            if (asked := call.request.arg(name)) in {"true", "false"}:
                rows = [row for row in rows if getattr(row, name) == (asked == "true")]
        shown = [self._status(row) for row in rows if not categories or row.status_category in categories]
        return self._ok(call, {"custom_statuses": shown})

    def _status(self, status: CustomStatus) -> Json:
        return status.shown(self._model.base, self._model.born)

    def _statuses_show(self, call: Call) -> Response:
        status = self._model.statuses.get(call.number())
        if status is None:
            raise faults.not_found()
        return self._ok(call, {"custom_status": self._status(status)})

    def _statuses_create(self, call: Call) -> Response:
        wanted = call.body("custom_status")
        status = CustomStatus(
            id=self._model.new_id(),
            status_category=str(wanted.get("status_category") or "open"),
            agent_label=str(wanted.get("agent_label") or ""),
        )
        self._model.statuses[status.id] = status
        return self._ok(call, {"custom_status": self._status(status)}, 201)

    def _fields_list(self, call: Call) -> Response:
        rows = [field.shown(self._model.base, self._model.born) for field in self._model.fields.values()]
        return self._page(call, "ticket_fields", rows)

    def _fields_show(self, call: Call) -> Response:
        field = self._model.fields.get(call.number())
        if field is None:
            raise faults.not_found()
        return self._ok(call, {"ticket_field": field.shown(self._model.base, self._model.born)})

    def _group(self) -> Json:
        number = self._model.switches.group_id
        return {"id": number, "name": "Support", "url": f"{self._model.base}/api/v2/groups/{number}.json"}

    def _organization(self) -> Json:
        number = self._model.switches.organization_id
        return {"id": number, "name": "Example", "url": f"{self._model.base}/api/v2/organizations/{number}.json"}

    def _groups_list(self, call: Call) -> Response:
        return self._page(call, "groups", [self._group()])

    def _groups_show(self, call: Call) -> Response:
        return self._ok(call, {"group": self._group()})

    def _organizations_show(self, call: Call) -> Response:
        return self._ok(call, {"organization": self._organization()})

    def _organizations_list(self, call: Call) -> Response:
        return self._page(call, "organizations", [self._organization()])

    def _organizations_show_many(self, call: Call) -> Response:
        return self._ok(call, {"organizations": [self._organization()], "count": 1})

    def _brands_list(self, call: Call) -> Response:
        number = self._model.switches.brand_id
        brand = {"id": number, "name": "Example", "subdomain": self._model.switches.subdomain, "default": True}
        return self._page(call, "brands", [brand])

    def _ratings_list(self, call: Call) -> Response:
        return self._page(call, "satisfaction_ratings", [])

    def _account_settings(self, call: Call) -> Response:
        switches = self._model.switches
        told = {
            "active_features": {"custom_statuses_enabled": switches.custom_statuses, "ticket_tagging": True},
            "tickets": {"tagging": True, "custom_statuses_enabled": switches.custom_statuses},
            "api": {"accepted_api_agreement": True, "api_token_access": switches.api_tokens},
            "brands": {"default_brand_id": switches.brand_id},
        }
        return self._ok(call, {"settings": told})

    def _account_show(self, call: Call) -> Response:
        switches = self._model.switches
        account = {"id": switches.account_id, "subdomain": switches.subdomain, "name": switches.subdomain}
        return self._ok(call, {"account": account})

    def _oauth_current(self, call: Call) -> Response:
        token = call.request.headers.get("authorization", "").partition(" ")[2].strip()
        told = self._access.scopes_of(token)
        if told is None:
            raise faults.not_found()
        return self._ok(call, {"token": {**told, "user_id": call.user.id}})

    # --- links of the official app -----------------------------------------------------------------------------------

    def _app(self) -> None:
        if not self._model.switches.jira_app:
            raise faults.no_endpoint()

    def _links_list(self, call: Call) -> Response:
        """By id, 1000 a page, `since_id` exclusive; `total` counts what matches behind it (D; zenpy needs that)."""
        self._app()
        since = call.integer("since_id", 0)
        rows = [row for key, row in sorted(self._model.links.items()) if key > since]
        for name in ("ticket_id", "issue_id"):
            if asked := call.request.arg(name):
                rows = [row for row in rows if row[name] == asked]
        return self._ok(call, {"links": rows[:1000], "total": len(rows)})

    def _links_create(self, call: Call) -> Response:
        self._app()
        wanted = call.body("link")
        for name in ("ticket_id", "issue_id", "issue_key"):
            if wanted.get(name) in (None, ""):
                raise faults.parameter_missing(name)
        row = self._model.link(str(wanted["ticket_id"]), str(wanted["issue_id"]), str(wanted["issue_key"]))
        return self._ok(call, {"link": row}, 201)

    def _links_show(self, call: Call) -> Response:
        self._app()
        row = self._model.links.get(call.number())
        if row is None:
            raise faults.not_found()
        return self._ok(call, {"link": row})

    def _links_delete(self, call: Call) -> Response:
        self._app()
        self._model.unlink(call.number())
        return Response(status=204, headers=call.headers)

    # --- webhooks ----------------------------------------------------------------------------------------------------

    def _hook(self, call: Call) -> Hook:
        return self._hooks.get(call.args["hook"])

    def _webhooks_list(self, call: Call) -> Response:
        rows = [hook.shown for hook in self._hooks.hooks.values()]
        if part := call.request.arg("filter[name_contains]"):
            rows = [row for row in rows if part in row["name"]]
        size = call.integer("page[size]", 100)
        start = 0
        if after := call.request.arg("page[after]"):
            start = _place([row["id"] for row in rows], _uncursor(after)) + 1
        page = rows[start : start + size]
        more = start + size < len(rows)
        meta: dict[str, Json] = {"has_more": more}
        links: dict[str, Json] = {}
        if more:
            meta["after_cursor"] = _cursor(page[-1]["id"])
            links["next"] = self._address(call, {"page[after]": meta["after_cursor"]})
        return self._ok(call, {"meta": meta, "links": links, "webhooks": page})

    def _webhooks_create(self, call: Call) -> Response:
        hook = self._hooks.create(call.body("webhook"), call.user.id)
        return self._ok(call, {"webhook": hook.shown}, 201)

    def _webhooks_show(self, call: Call) -> Response:
        return self._ok(call, {"webhook": self._hook(call).shown})

    def _webhooks_replace(self, call: Call) -> Response:
        self._hooks.change(self._hook(call), call.body("webhook"), call.user.id, whole=True)
        return Response(status=204, headers=call.headers)

    def _webhooks_patch(self, call: Call) -> Response:
        self._hooks.change(self._hook(call), call.body("webhook"), call.user.id, whole=False)
        return Response(status=204, headers=call.headers)

    def _webhooks_delete(self, call: Call) -> Response:
        self._hooks.remove(call.args["hook"])
        return Response(status=204, headers=call.headers)

    def _webhooks_secret(self, call: Call) -> Response:
        return self._ok(call, {"signing_secret": {"secret": self._hook(call).secret, "algorithm": "SHA256"}})

    def _webhooks_new_secret(self, call: Call) -> Response:
        self._hooks.reset_secret(self._hook(call))
        return self._ok(call, {"signing_secret": {"secret": self._hook(call).secret, "algorithm": "SHA256"}}, 201)

    def _webhooks_test(self, call: Call) -> Response:
        """The call is made at once; the answer shown is not its answer, which the vendor would wait for (G)."""
        if number := call.request.arg("webhook_id"):
            self._hooks.test(self._hooks.get(number))
        return self._ok(call, {"response": {"headers": [], "status_code": 200, "payload": ""}})

    def _webhooks_invocations(self, call: Call) -> Response:
        hook = self._hook(call)
        rows = [self._hooks.shown_invocation(i) for i in self._hooks.invocations.values() if i.webhook_id == hook.id]
        told = self._cursor_page(call, "invocations", rows[::-1], 100)
        return self._ok(call, told)

    def _webhooks_attempts(self, call: Call) -> Response:
        self._hook(call)
        invocation = self._hooks.invocations.get(call.args["invocation"])
        if invocation is None:
            raise faults.not_found()
        return self._ok(call, {"attempts": self._hooks.shown_attempts(invocation)})


def _json(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status=status, body=msgspec.json.encode(value), headers={**JSON_HEADERS, **(headers or {})})


def _id_of(row: Any) -> Any:
    return row["id"] if isinstance(row, dict) else row.id


def _cursor(row_id: Any) -> str:
    return base64.b64encode(str(row_id).encode()).decode()


def _uncursor(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        told = {"code": "InvalidPaginationParameter", "title": "Invalid cursor", "detail": "page[after] is not valid"}
        raise Refusal(400, {"errors": [told]}) from None


def _place(ids: Sequence[Any], wanted: str) -> int:
    """Where a row stands in a list; for one that has gone, just before the list."""
    return next((place for place, each in enumerate(ids) if str(each) == wanted), -1)


def _number(value: Json) -> int:
    """An id of a body; 0, which nothing has, for what is none."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _export_place(cursor: str) -> tuple[int, int]:
    """A place of the export from its cursor, `<generated>.0||<id>|` in base64 (C). Raises Refusal (400)."""
    try:
        text = base64.b64decode(cursor, validate=True).decode()
        generated, _, number = text.rstrip("|").partition("||")
        return int(float(generated)), int(number or 0)
    except (binascii.Error, UnicodeDecodeError, ValueError, OverflowError):
        raise faults.invalid_cursor() from None
