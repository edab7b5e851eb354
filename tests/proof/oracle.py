"""The verdict: do both systems show what people did, everything once? From the stand-ins' own state and histories.

It shares nothing with the hub. What agreeing means is written out here, for the stock mappings and group rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.proof.people import ISSUE, Case, Kind

Json = Any

HUB_DESK, HUB_SITE = "hub@example.com", "hub"
MARKER = "hypercare.create"
AGREEING: Mapping[str, frozenset[str]] = {
    "To Do": frozenset({"new", "open"}),
    "In Progress": frozenset({"open"}),
    "In Review": frozenset({"open"}),
    "Blocked": frozenset({"hold"}),
    "Done": frozenset({"solved"}),
    "Won't Do": frozenset({"solved"}),
}
"""An issue's status, and what a ticket that heard of it shows. Nobody here sets `pending` on such a ticket."""
FINISHED = frozenset({"Done", "Won't Do"})
HOPS = 3
"""The longest way through the stock workflow that a resolve takes while its steps are still being learned."""
_TICKET = re.compile(r"/agent/tickets/(\d+)")


@dataclass
class Verdict:
    """differences: something people did is not shown, or something nobody did is. doubled: applied more than once.

    writes: what the hub wrote, by kind, as the systems' histories have it.
    """

    differences: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled."""
        return not self.differences and not self.doubled

    def told(self, most: int = 10) -> str:
        """What is wrong, in lines."""
        return "\n".join([*self.differences[:most], *self.doubled[:most]])


def judge(desk: Json, site: Json, cases: Sequence[Case], bystanders: Mapping[int, set[str]]) -> Verdict:
    """Compare both states with what people did. Pure."""
    verdict = Verdict()
    tickets = {int(each["id"]): each for each in desk["records"]}
    issues: dict[str, Json] = {each["key"]: each for each in site["issues"]}
    made = [each for each in issues.values() if each["creator"] == HUB_SITE]
    marks = Counter(repr(each["properties"].get(MARKER)) for each in made)
    verdict.doubled += [f"{times} issues carry the mark {mark}" for mark, times in marks.items() if times > 1]
    by_subject: dict[str, list[Json]] = {}
    for each in made:
        by_subject.setdefault(each["summary"], []).append(each)
    verdict.writes["issues"] = len(made)
    if len(made) > len(cases):
        verdict.doubled.append(f"{len(made)} issues were created for {len(cases)} tickets")
    for case in cases:
        found = by_subject.get(case.subject, [])
        if not found:
            verdict.differences.append(f"{case.subject}: ticket {case.tickets[0]} has no issue")
            continue
        verdict.doubled += [f"{case.subject}: {each['key']} beside {found[0]['key']}" for each in found[1:]]
        _judge_case(case, found[0], [tickets[number] for number in case.tickets], verdict)
    for number, tags in bystanders.items():
        ticket = tickets[number]
        if set(ticket["tags"]) != tags or any(audit["author"] == HUB_DESK for audit in ticket["history"]):
            verdict.differences.append(f"ticket {number} was written to by the hub, which nobody asked for")
    return verdict


def _judge_case(case: Case, issue: Json, tickets: Sequence[Json], verdict: Verdict) -> None:
    where, living = f"{case.subject} ({case.kind})", {name for name, tag in case.tags.items() if not tag.is_removed}
    wrong = verdict.differences
    wrong += _sets(f"{where} {issue['key']}", set(issue["labels"]), living)
    links = Counter(
        int(found[1]) for link in issue["remote_links"] if (found := _TICKET.search(str(link["object"].get("url"))))
    )
    verdict.doubled += [f"{issue['key']}: {n} links to ticket {number}" for number, n in links.items() if n > 1]
    if set(links) != set(case.tickets):
        wrong.append(f"{where} {issue['key']} links to {sorted(links)}, not to {case.tickets}")
    for number, ticket in zip(case.tickets, tickets, strict=True):
        own = {name for name in living if case.tags[name].home in (ISSUE, number)}
        wrong += _sets(f"{where} ticket {number}", set(ticket["tags"]), own)
        notes = [each for each in ticket["comments"] if each["author"] == HUB_DESK]
        verdict.writes["notes"] += len(notes)
        by_app = any(str(link["issue_id"]) == issue["id"] for link in ticket["links"])
        if not by_app and not any(issue["key"] in each["body"] for each in notes):
            wrong.append(f"{where} ticket {number} does not show {issue['key']}")
        if len(notes) > 1:
            verdict.doubled.append(f"ticket {number}: {len(notes)} notes by the hub")
    wrong += _statuses(case, issue, tickets)
    _applied(case, issue, tickets, verdict)


def _sets(where: str, shown: set[str], wanted: set[str]) -> Iterable[str]:
    if missing := wanted - shown:
        yield f"{where} lacks {', '.join(sorted(missing))}"
    if extra := shown - wanted:
        yield f"{where} has {', '.join(sorted(extra))}, which were removed or are of no concern to it"


def _statuses(case: Case, issue: Json, tickets: Sequence[Json]) -> Iterable[str]:
    status, where = issue["status"], f"{case.subject} ({case.kind})"
    if case.kind is Kind.AGENTS:
        shown = tickets[0]["status"]
        if case.status is not None and shown != case.status:
            yield f"{where}: ticket {tickets[0]['id']} is {shown}, its agent left it {case.status}"
        if (status in FINISHED) is not (shown == "solved"):
            yield f"{where}: {issue['key']} is {status}, ticket {tickets[0]['id']} is {shown}"
        return
    if case.status is not None and status != case.status:
        yield f"{where}: {issue['key']} is {status}, its engineer left it {case.status}"
    for ticket in tickets:
        if int(ticket["id"]) in case.told and ticket["status"] not in AGREEING[status]:
            yield f"{where}: {issue['key']} is {status}, ticket {ticket['id']} is {ticket['status']}"


def _applied(case: Case, issue: Json, tickets: Sequence[Json], verdict: Verdict) -> None:
    """At most one applied write per change and target, counted in the systems' own histories."""
    for ticket in tickets:
        added: Counter[str] = Counter()
        turned = 0
        for audit in ticket["history"]:
            for edit in audit["edits"] if audit["author"] == HUB_DESK else ():
                if edit["field"] == "tags":
                    added += _delta(set(edit["old"] or ()), set(edit["new"] or ()))
                elif edit["field"] == "status":
                    turned += 1
        _count(f"ticket {ticket['id']}", added, turned, case.turns if case.kind is not Kind.AGENTS else 0, verdict)
    added = Counter()
    turned = 0
    for entry in issue["changelog"]:
        for item in entry["items"] if entry["by"] == HUB_SITE else ():
            if item["field"] == "labels":
                added += _delta(set((item["old"] or "").split()), set((item["new"] or "").split()))
            elif item["field"] == "status":
                turned += 1
    _count(issue["key"], added, turned, HOPS * case.turns if case.kind is Kind.AGENTS else 0, verdict)


def _delta(old: set[str], new: set[str]) -> Counter[str]:
    return Counter([f"+{name}" for name in new - old] + [f"-{name}" for name in old - new])


def _count(where: str, tags: Counter[str], turned: int, most: int, verdict: Verdict) -> None:
    verdict.writes["tags"] += tags.total()
    verdict.writes["statuses"] += turned
    verdict.doubled += [f"{where}: {name} was written {times} times" for name, times in tags.items() if times > 1]
    if turned > most:
        verdict.doubled.append(f"{where}: the hub turned its status {turned} times; people gave cause for {most}")
