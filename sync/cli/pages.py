"""The views as pages for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sync.cli.show import ago, lasting, say, table, told, when
from sync.views.explain import ItemView, MemberView
from sync.views.lists import ConflictView, HoldView, ParkedView
from sync.views.status import ConnectionView, StatusView


def status(page: StatusView) -> None:
    """How everything is doing."""
    say(f"daemon: {page.daemon or 'not running'}")
    say(
        f"items: {page.items}, {page.items_waiting} waiting; in doubt: {page.in_doubt}; parked: {page.parked}; "
        f"conflicts of the last 24 h: {page.conflicts_day}"
    )
    if page.plan is not None:
        say(f"plan {page.plan.id} is {page.plan.state}: {page.plan.ended:,} of {page.plan.total:,} rows are over")
    if page.wrong_files is not None:
        wrong = page.wrong_files
        say(f"mappings: the files saved {ago(wrong.at, page.at)} are wrong, and those from before are in force:")
        for problem in wrong.problems[:3]:
            say(f"  {problem}")
        if wrong.count > len(wrong.problems[:3]):
            say(f"  and {wrong.count - 3} more: `hypercare mappings check`")
    if page.proposals:
        say(f"proposals: {page.proposals}; `hypercare proposals` lists them")
    if not page.connections:
        say("no connection is known yet")
        return
    say()
    table(
        ["connection", "system", "mode", "state", "records", "linked", "last poll", "waiting", "parked", "oldest read"],
        [
            [
                one.name,
                one.system,
                one.mode,
                _state(one),
                one.records,
                one.linked,
                ago(one.polled_at, page.at) or "never",
                _waiting(one),
                one.parked,
                ago(one.oldest_unswept_at, page.at),
            ]
            for one in page.connections
        ],
    )
    for one in page.connections:
        for line in _notes(one, page.at):
            told(f"{one.name}: {line}")
    for line in page.unasked:
        say(f"not shown: {line}")


def _state(one: ConnectionView) -> str:
    if one.holds:
        return "held"
    return "down" if one.down_since is not None else "up" if one.account else "not met yet"


def _waiting(one: ConnectionView) -> str:
    parts = {"reads": one.reads, "calls": one.webhooks, **one.deliveries}
    return ", ".join(f"{count} {name}" for name, count in parts.items() if count) or "nothing"


def _notes(one: ConnectionView, now: datetime) -> list[str]:
    notes = []
    if one.mode == "observe":
        notes.append(f"only observes; `hypercare start {one.name}` lets it be written to")
    if one.mode == "shadow":
        notes.append("in shadow mode: what would be written is noted, see `hypercare shadow report`")
    if one.live_since is not None and one.mode == "live":
        notes.append(f"live since {when(one.live_since)} UTC")
    if one.down_since is not None:
        notes.append(f"down for {lasting(now - one.down_since)}: {one.down_why}")
    notes += [f"hold {hold.id} ({hold.reason}) since {when(hold.since)} UTC: {hold.detail}" for hold in one.holds]
    for drift in one.drift:
        do = f"; {drift.do}" if drift.do else ""
        notes.append(f"drift since {when(drift.since)} UTC: {drift.what}{do}")
    for budget in one.budgets:
        blocked = "" if budget.blocked_until is None else f", closed until {when(budget.blocked_until)} UTC"
        notes.append(f"budget {budget.name}: {budget.remaining} of {budget.limit} calls left{blocked}")
    past = one.import_
    if past is not None and past.finished_at is None:
        of = f" of about {past.total}" if past.total is not None else ""
        left = "" if past.seconds_left is None else f", {lasting(timedelta(seconds=past.seconds_left))} left"
        notes.append(f"import since {past.since:%Y-%m-%d}: {past.records}{of} records, {past.rate:g}/s{left}")
    return notes


# --- one item --------------------------------------------------------------------------------------------------------


def explain(page: ItemView) -> None:
    """One item, explained."""
    facts = f" ({', '.join(page.facts)})" if page.facts else ""
    rest = "at rest" if page.settled else "about to be decided again"
    say(f"{page.item}: {page.status or 'no status yet'}{facts}, {rest}")
    for name, value in page.values.items():
        say(f"{name}: {value}")
    if page.tags:
        say("tags: " + ", ".join(f"{tag.text} ({', '.join(tag.brought_by)})" for tag in page.tags))
    if page.related:
        say(f"related, not joined: {', '.join(page.related)}")
    for one in page.members:
        say()
        _member(one)
    for proposal in page.proposals:
        say()
        say(f"proposal {proposal.id}: {proposal.one.name} and {proposal.other.name}: {proposal.says}")
        say(f"  `hypercare proposals accept {proposal.id}`, or `hypercare proposals refuse {proposal.id}`")
    for parked in page.parked:
        say()
        say(f"parked {parked.id}: {parked.field} of {parked.record or 'a create'}: {parked.reason}")
        say(f"  wanted {parked.wanted!r}, shown {parked.shown!r}. {parked.detail}")
        say(f"  {parked.means} {parked.do}")
    for hold in page.holds:
        say()
        say(f"hold {hold.id}: {hold.connection} {hold.record} {hold.field}: {hold.reason}: {hold.detail}")
        say(f"  {hold.do}")
    if page.deliveries:
        say()
        table(
            ["made", "write", "to", "state", "tries", "outcome"],
            [
                [
                    when(one.made_at),
                    " ".join(one.fields) or one.kind,
                    one.record or one.connection,
                    one.state,
                    str(one.attempts),
                    one.error or one.outcome,
                ]
                for one in page.deliveries
            ],
        )
    if page.conflicts:
        say()
        conflicts(page.conflicts)
    if page.journal:
        say()
        table(
            ["when", "field", "from", "to", "record", "who", "why"],
            [
                [when(one.at), one.field, one.old or "", one.new or "", one.record, one.actor, one.means or one.rule]
                for one in page.journal
            ],
        )
    say()
    for line in page.unasked:
        say(f"not asked: {line}")


def _member(one: MemberView) -> None:
    say(f"{one.connection} {one.key}  {one.url}")
    means = f" = {one.means}" if one.means else " (its mapping does not name it)"
    by = f", set by {one.set_by}" if one.set_by else ""
    at = f" at {when(one.set_at)} UTC" if one.set_at is not None else ""
    say(f"  status: {one.shown}{means}{by}{at}")
    marks = [
        text
        for text, is_so in (
            ("aside by its own user", one.aside),
            ("a write is in doubt", one.in_doubt),
            ("a read is waiting", one.waits_for_read),
            (f"held: {', '.join(one.held)}", bool(one.held)),
            (one.presence, one.presence != "present"),
        )
        if is_so
    ]
    wants = f"to be made {one.wants}. " if one.wants else "left as it is. "
    say(f"  {wants}{one.rule}" + (f" [{'; '.join(marks)}]" if marks else ""))
    for value in one.values:
        means = f" = {value.means}" if value.means else " (its mapping does not name it)" if value.shown else ""
        to_be = f"; to be made {value.wants}" if value.wants else ""
        say(f"  {value.field}: {value.shown or 'empty'}{means}{to_be}")
    changes = [*(f"+{tag}" for tag in one.tags_to_add), *(f"-{tag}" for tag in one.tags_to_remove)]
    say(f"  tags: {', '.join(one.tags) or 'none'}" + (f"; to come: {' '.join(changes)}" if changes else ""))
    say(f"  read {when(one.read_at)} UTC, a member by: {one.made_by}")
    for line in one.evidence:
        say(f"  | {line}")


# --- listings --------------------------------------------------------------------------------------------------------


def holds(found: Sequence[HoldView]) -> None:
    """Open holds, with what to do."""
    if not found:
        say("nothing is held")
        return
    table(
        ["id", "connection", "what", "reason", "since", "count", "detail"],
        [
            [
                one.id,
                one.connection,
                f"{one.record} {one.field}".strip() or "all of it",
                one.reason,
                when(one.since),
                one.count or "",
                one.detail,
            ]
            for one in found
        ],
    )
    for one in found:
        samples = f" For example {', '.join(one.samples)}." if one.samples else ""
        say(f"{one.id}: {one.means} {one.do}{samples}")
    say("`hypercare holds resume ID` releases one")


def parked(found: Sequence[ParkedView]) -> None:
    """Parked fields, with what to do."""
    if not found:
        say("nothing is parked")
        return
    table(
        ["id", "item", "record", "field", "wanted", "shown", "reason", "since"],
        [
            [
                one.id,
                one.item,
                f"{one.connection}:{one.record}" if one.record else one.connection,
                one.field,
                one.wanted,
                one.shown,
                one.reason,
                when(one.since),
            ]
            for one in found
        ],
    )
    for one in found:
        say(f"{one.id}: {one.means} {one.do} {one.detail}".rstrip())
    say('`hypercare parked retry ID`, or `hypercare parked skip ID --why "..."`')


def conflicts(found: Sequence[ConflictView]) -> None:
    """Conflicts and how they were settled."""
    if not found:
        say("no conflict was met")
        return
    table(
        ["when", "item", "field", "kept", "lost", "of", "rule"],
        [[when(one.at), one.item, one.field, one.kept, one.lost, one.record, one.kind] for one in found],
    )
    for kind in dict.fromkeys(one.kind for one in found):
        words = next(one for one in found if one.kind == kind)
        say(f"{kind}: {words.means} {words.do}")
