"""The verdict on a demo: do the systems agree, and was anything doubled? From their own state, over HTTP.

It shares nothing with the hub (no engine, core, store, mapping or connector; import-linter holds it to that), so a
wrong belief of the hub about itself cannot make it pass. What agreeing means is written out here for this one day:

- one cluster of tickets, one issue: its links lead to each ticket once, and each ticket names it;
- statuses: `AGREEING`, and the side (open or done) that people left the cluster on;
- tags: what an engineer put on the issue is on every ticket, what is on a ticket or an error of it is on the issue, and
  nothing else;
- errors of a cluster: each shows the issue as its one link, the issue leads to each once, and they are on its side;
- services of a cluster, whose calls fail: the gateway shows that and the issue's key while it is open, nothing of ours
  when it is done, and what else stands there is untouched;
- a ticket that nobody asked the hub to follow has no issue, no note, no tag of anybody else;
- nothing twice: issues (by the hub's mark, and by cluster), links, notes.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.demo.control import Control

Json = Any

AGREEING: Mapping[str, frozenset[str]] = {
    "To Do": frozenset({"new", "open"}),
    "In Progress": frozenset({"open"}),
    "In Review": frozenset({"open"}),
    "Blocked": frozenset({"hold"}),
    "Done": frozenset({"solved", "closed"}),
}
"""An issue's status, and what its tickets may show beside it."""

DONE = frozenset({"Done"})
_TICKET = re.compile(r"/agent/tickets/(\d+)")
_ERROR = re.compile(r"/organizations/[\w-]+/issues/(\d+)")
_OURS = "fb:"
_POLL = 0.2


@dataclass(kw_only=True)
class Cluster:
    """Tickets of one problem, as the people of the day left them.

    tags: by ticket, what its own people put on it. labels: what engineers put on the issue. errors: by Sentry issue,
    the tags that its events bring. services: those of the gateway whose calls fail, with the tags that this brings.
    is_done: where the people left it.
    """

    name: str
    tags: dict[str, set[str]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    errors: dict[str, set[str]] = field(default_factory=dict)
    services: dict[str, set[str]] = field(default_factory=dict)
    is_done: bool = False

    @property
    def of_machines(self) -> list[set[str]]:
        """The tags that errors and failing calls bring; they reach everything."""
        return [*self.errors.values(), *self.services.values()]


@dataclass(kw_only=True)
class Expected:
    """What the people of the day did. others: tickets that nobody asked the hub to follow, with their tags.

    settled: the gateway's services as its administrators made them.
    """

    hub_desk: str
    hub_tracker: str
    hub_errors: str
    marker: str
    clusters: list[Cluster] = field(default_factory=list)
    settled: dict[str, Json] = field(default_factory=dict)
    others: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The state of each system, as its own control face tells it."""

    desk: Json
    tracker: Json
    errors: Json
    gateway: Json

    def written(self, expected: Expected) -> dict[str, int]:
        """How many writes the hub has made to each so far. Only the hub writes to the gateway."""
        return {
            "zendesk": writes_of(self.desk, expected.hub_desk),
            "jira": writes_of(self.tracker, expected.hub_tracker),
            "sentry": writes_of(self.errors, expected.hub_errors),
            "gateway": sum(self.gateway["writes"].values()),
        }


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """differences: where the sides disagree, in words; empty means converged. doubled: what is there too often."""

    differences: tuple[str, ...]
    doubled: tuple[str, ...]
    is_quiet: bool = True

    @property
    def converged(self) -> bool:
        """All sides agree."""
        return not self.differences

    @property
    def duplicates_created(self) -> int:
        """How many records, links and notes there are too many."""
        return len(self.doubled)


def judge(shown: Shown, expected: Expected) -> Verdict:
    """Compare the states. Pure."""
    tickets = {str(each["id"]): each for each in shown.desk["records"]}
    faults = {str(each["id"]): each for each in shown.errors["issues"]}
    services = {str(each["id"]): each for each in shown.gateway["services"]}
    issues = list(shown.tracker["issues"])
    differences: list[str] = []
    doubled = _doubled_marks(issues, expected)
    of_cluster: set[str] = set()
    for cluster in expected.clusters:
        found = [issue for issue in issues if set(ticket_numbers(issue)) & cluster.tags.keys()]
        of_cluster |= {issue["key"] for issue in found}
        if not found:
            differences.append(f"{cluster.name}: no issue shows any of its tickets ({_names(cluster.tags)})")
            continue
        doubled += [f"{each['key']}: a second issue for {cluster.name}" for each in found[1:]]
        differences += _compared(cluster, found[0], tickets, expected)
        differences += _errors_compared(cluster, found[0], faults)
        differences += _services_compared(cluster, found[0], services, expected)
    for issue in issues:
        if issue["creator"] == expected.hub_tracker and issue["key"] not in of_cluster:
            doubled.append(f"{issue['key']}: created by the hub and linked to no ticket")
        for number, times in Counter(ticket_numbers(issue)).items():
            doubled += [f"{issue['key']}: the link to ticket {number} once more"] * (times - 1)
        for number, times in Counter(error_numbers(issue)).items():
            doubled += [f"{issue['key']}: the link to error {number} once more"] * (times - 1)
    for number, ticket in tickets.items():
        notes = Counter(each["body"] for each in ticket["comments"] if each["author"] == expected.hub_desk)
        for times in notes.values():
            doubled += [f"ticket {number}: the same note once more"] * (times - 1)
    for number, tags in expected.others.items():
        differences += _left_alone(number, tickets.get(number), tags, expected)
    return Verdict(differences=tuple(differences), doubled=tuple(dict.fromkeys(doubled)))


def _doubled_marks(issues: Iterable[Json], expected: Expected) -> list[str]:
    marks: dict[str, list[str]] = {}
    for issue in issues:
        if expected.marker in issue["properties"]:
            marks.setdefault(repr(issue["properties"][expected.marker]), []).append(issue["key"])
    return [f"{key}: carries the same mark as {keys[0]}" for keys in marks.values() for key in keys[1:]]


def _compared(cluster: Cluster, issue: Json, tickets: Mapping[str, Json], expected: Expected) -> Iterable[str]:
    key, status = issue["key"], issue["status"]
    if (status in DONE) is not cluster.is_done:
        yield f"{key} is {status}, but its people left it {'done' if cluster.is_done else 'open'}"
    labels = _folded(issue["labels"])
    yield from _sets(key, labels, cluster.labels.union(*cluster.tags.values(), *cluster.of_machines))
    linked = set(ticket_numbers(issue))
    for number, own in cluster.tags.items():
        ticket = tickets.get(number)
        if ticket is None:
            yield f"ticket {number} is not there any more"
            continue
        if ticket["status"] not in AGREEING.get(status, ()):
            yield f"{key} is {status}, ticket {number} is {ticket['status']}"
        yield from _sets(f"ticket {number}", _folded(ticket["tags"]), own.union(cluster.labels, *cluster.of_machines))
        if number not in linked:
            yield f"{key} does not show ticket {number} among its links"
        if not _names_issue(ticket, issue, expected):
            yield f"ticket {number} does not show {key}"
    for number in sorted(linked - cluster.tags.keys()):
        yield f"{key} shows ticket {number}, which nobody linked"


def _errors_compared(cluster: Cluster, issue: Json, faults: Mapping[str, Json]) -> Iterable[str]:
    key, shown = issue["key"], error_numbers(issue)
    for number in cluster.errors:
        fault = faults.get(number)
        if fault is None:
            yield f"error {number} is not there any more"
            continue
        if (fault["status"] == "resolved") is not (issue["status"] in DONE):
            yield f"{key} is {issue['status']}, error {fault['key']} is {fault['status']}"
        if number not in shown:
            yield f"{key} does not show error {fault['key']} among its links"
        if not any(str(link["url"]).endswith(f"/browse/{key}") for link in fault["links"]):
            yield f"error {fault['key']} does not show {key}"
    for number in sorted(set(shown) - cluster.errors.keys()):
        yield f"{key} shows error {number}, which nobody linked"


def _services_compared(
    cluster: Cluster, issue: Json, services: Mapping[str, Json], expected: Expected
) -> Iterable[str]:
    for name in sorted(cluster.services):
        service, before = services[name], expected.settled[name]
        ours = {tag for tag in service["tags"] if tag.startswith(_OURS)}
        if cluster.is_done and ours:
            yield f"the gateway shows {_names(ours)} on {name}, but its people left the cluster done"
        if not cluster.is_done and not {f"{_OURS}open-1", f"{_OURS}jira-{issue['key']}"} <= ours:
            yield f"the gateway does not show on {name} that calls fail and {issue['key']} is open"
        if [tag for tag in service["tags"] if tag not in ours] != before["tags"]:
            shown = _names(service["tags"]) or "no tag"
            yield f"the gateway shows {shown} on {name}; its own were {_names(before['tags'])}"
        if service["approval_type"] != before["approval_type"]:
            yield f"{name} asks for {service['approval_type']} approval; it was {before['approval_type']}"


def _sets(name: str, shown: set[str], wanted: set[str]) -> Iterable[str]:
    if missing := wanted - shown:
        yield f"{name} lacks the tag {_names(missing)}"
    if extra := shown - wanted:
        yield f"{name} has the tag {_names(extra)}, which nobody put there"


def _left_alone(number: str, ticket: Json | None, tags: set[str], expected: Expected) -> Iterable[str]:
    if ticket is None:
        yield f"ticket {number} is not there any more"
        return
    yield from _sets(f"ticket {number}", _folded(ticket["tags"]), tags)
    if any(audit["author"] == expected.hub_desk for audit in ticket["history"]):
        yield f"ticket {number} was written to by the hub, which nobody asked for"


def ticket_numbers(issue: Json) -> list[str]:
    """The tickets that an issue links to."""
    return [found[1] for link in issue["remote_links"] if (found := _TICKET.search(str(link["object"].get("url", ""))))]


def error_numbers(issue: Json) -> list[str]:
    """The Sentry issues that an issue links to."""
    return [found[1] for link in issue["remote_links"] if (found := _ERROR.search(str(link["object"].get("url", ""))))]


def _names_issue(ticket: Json, issue: Json, expected: Expected) -> bool:
    """By a link of the official app, or by a note of the hub."""
    if any(str(link["issue_id"]) == issue["id"] for link in ticket["links"]):
        return True
    named = re.compile(rf"(?<![\w-]){re.escape(issue['key'])}(?!\w)")
    return any(
        not each["public"] and each["author"] == expected.hub_desk and named.search(each["body"])
        for each in ticket["comments"]
    )


def _folded(tags: Iterable[str]) -> set[str]:
    return {tag.casefold() for tag in tags}


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


# --- waiting until all are quiet --------------------------------------------------------------------------------


def writes_of(state: Json, hub: str) -> int:
    """How many writes the hub has made there so far. Zendesk counts by person, the others by person and operation."""
    return sum(count for name, count in state["writes"].items() if name.split(" ")[0] == hub)


def look(desk: Control, tracker: Control, errors: Control, gateway: Control) -> Shown:
    """What each system shows now. Raises ControlError when a stand-in does not answer."""
    return Shown(desk=desk.state(), tracker=tracker.state(), errors=errors.state(), gateway=gateway.state())


def reach(seen: Callable[[], Shown], expected: Expected, *, deadline: float, quiet: float) -> Verdict:
    """Wait until all sides agree and the hub has written nothing for `quiet` seconds, at most `deadline` seconds.

    Raises ControlError when a stand-in does not answer.
    """
    end = time.monotonic() + deadline
    last: dict[str, int] | None = None
    since = time.monotonic()
    while True:
        shown = seen()
        written = shown.written(expected)
        now = time.monotonic()
        if written != last:
            last, since = written, now
        verdict = judge(shown, expected)
        is_quiet = now - since >= quiet
        if is_quiet and verdict.converged:
            return verdict
        if now >= end:
            return Verdict(differences=verdict.differences, doubled=verdict.doubled, is_quiet=is_quiet)
        time.sleep(_POLL)
