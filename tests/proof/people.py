"""The people on both sides: what they do, drawn from a seed, and what they remember of it.

Every tag has a name of its own and is never given twice, so that what must be there at the end is known exactly:
removed once, it must be gone everywhere; never removed, it must be wherever the group rules carry it. Each case has one
side whose people turn its status, so that the last word is known exactly too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.jira.sandbox.workflow import BY_ID, steps_from
from tests.proof.place import ROUTED_TAG, Stage

ISSUE = 0
"""The home of a tag that engineers brought, where tickets have their numbers."""
DONE = frozenset({"solved", "closed"})
TAGS_AT_ONCE = 12
"""So many living tags a case has at most: then one is removed before another comes."""


class Kind(StrEnum):
    """Whose people turn the status of a case, and how many tickets it may have."""

    AGENTS = "one ticket, moved by agents"
    ENGINEERS = "one ticket, its issue moved by engineers"
    GROUP = "many tickets, their issue moved by engineers"


@dataclass
class Tag:
    """A tag by its home (a ticket's number, or `ISSUE`), and whether somebody removed it."""

    home: int
    is_removed: bool = False


@dataclass
class Case:
    """One problem: the ticket that a route makes an issue of, and those that people link to that issue.

    told: the tickets that hear every move of the issue. The routed one does from the first move on; one that joined
    while it differed stands aside until a resolve takes it along (rule: a join moves nobody's status). status: the last
    word of those who turn it; None while nobody did. turns: how often they did.
    """

    subject: str
    kind: Kind
    tickets: list[int]
    tags: dict[str, Tag]
    key: str = ""
    linked: set[int] = field(default_factory=set)
    told: set[int] = field(default_factory=set)
    status: str | None = None
    turns: int = 0

    @property
    def living(self) -> list[str]:
        """Tags that nobody has removed, but for the one that the route goes by."""
        return [name for name, tag in self.tags.items() if not tag.is_removed and name != ROUTED_TAG]


class People:
    """Agents, customers and engineers. changes: how many edits they made. remote_links: of those, links on issues."""

    def __init__(self, stage: Stage, seed: int, *, most_cases: int) -> None:
        self._stage = stage
        self._rng = random.Random(seed)
        self._most = most_cases
        self._numbers = 0
        self._scanned = 0
        self._keys: dict[str, str] = {}
        self.cases: list[Case] = []
        self.bystanders: dict[int, set[str]] = {}
        self.linked_on_issues: list[Case] = []
        self.remote_links = 0
        self.changes = 0

    def step(self) -> None:
        """One edit somewhere."""
        if len(self.cases) < self._most and (len(self.cases) < 5 or self._rng.random() < 0.15):
            self.open_case()
            return
        case = self._rng.choice(self.cases)
        act = self._rng.choices(
            (self.tag, self.untag, self.label, self.unlabel, self.turn, self.join, self.comment),
            (30, 14, 26, 12, 14, 8, 1),
        )[0]
        for each in (act, self.tag, self.untag):
            if each(case):
                self.changes += 1
                return

    def open_case(self) -> None:
        """A customer writes, and an agent tags the ticket for a route; now and then one of no concern to anybody."""
        number = self._next()
        if number % 10 == 0:
            tags = {f"calm{number}"}
            self.bystanders[self._ticket(f"Thank you {number}", tags)] = tags
            return
        kind = self._rng.choice(list(Kind))
        ticket = self._ticket(f"Case {number}", {ROUTED_TAG})
        self.cases.append(Case(f"Case {number}", kind, [ticket], {ROUTED_TAG: Tag(ticket)}))
        self.changes += 1

    def _ticket(self, subject: str, tags: set[str]) -> int:
        return int(self._stage.zendesk("create", subject=subject, tags=sorted(tags))["ticket"])

    # --- edits; each says whether there was anything to edit -----------------------------------------------------

    def tag(self, case: Case) -> bool:
        """An agent tags a ticket."""
        if len(case.living) >= TAGS_AT_ONCE:
            return self.untag(case)
        ticket, name = self._rng.choice(case.tickets), self._name()
        self._stage.zendesk("tag", ticket=ticket, add=[name])
        case.tags[name] = Tag(ticket)
        return True

    def untag(self, case: Case) -> bool:
        """An agent takes a tag off the ticket that brought it; off a lone ticket also one that an engineer brought."""
        homes = {name: case.tags[name].home for name in case.living}
        # A group keeps what engineers brought as long as one of its tickets does, and another may just be joining.
        fit = [name for name, home in homes.items() if home != ISSUE or case.kind is not Kind.GROUP]
        if not fit:
            return False
        name = self._rng.choice(fit)
        ticket = homes[name] or case.tickets[0]
        with self._stage.desk_server.lock:
            if name not in self._stage.desk_rules.model.entries[ticket].ticket.tags:
                return False
            self._stage.zendesk("tag", ticket=ticket, remove=[name])
        case.tags[name].is_removed = True
        return True

    def label(self, case: Case) -> bool:
        """An engineer labels the issue."""
        if len(case.living) >= TAGS_AT_ONCE:
            return self.unlabel(case)
        if not (key := self._key(case)):
            return False
        name = self._name()
        self._stage.jira("add_label", issue=key, label=name)
        case.tags[name] = Tag(ISSUE)
        return True

    def unlabel(self, case: Case) -> bool:
        """An engineer takes a label off the issue, whoever brought it."""
        if not self._links(case):
            return False
        with self._stage.site_server.lock:
            issue = self._stage.site_rules.site.peek(case.key)
            assert issue is not None
            # What a ticket brought that is not linked for all to see yet may be added once more: a join only adds.
            shown = [
                name
                for name in case.living
                if name in issue.labels and (case.tags[name].home == ISSUE or case.tags[name].home in case.linked)
            ]
            if not shown:
                return False
            name = self._rng.choice(shown)
            self._stage.jira("remove_label", issue=case.key, label=name)
        case.tags[name].is_removed = True
        return True

    def turn(self, case: Case) -> bool:
        """Whoever turns this case's status does so."""
        if not self._links(case):
            return False
        if case.kind is Kind.AGENTS:
            with self._stage.desk_server.lock:
                now = self._stage.desk_rules.model.entries[case.tickets[0]].ticket.status
                others = [name for name in ("open", "pending", "hold", "solved", "solved") if name != now]
                case.status = "open" if now in DONE else self._rng.choice(others)
                self._stage.zendesk("status", ticket=case.tickets[0], status=case.status)
        else:
            with self._stage.site_server.lock:
                issue = self._stage.site_rules.site.peek(case.key)
                assert issue is not None
                step = self._rng.choice(steps_from("stock", BY_ID[issue.status].name, loops=False))
                case.status = step.to
                case.told |= {case.tickets[0]} | self._went_along(case, BY_ID[issue.status].category == "done")
                self._stage.jira("transition", issue=case.key, to=step.to)
        case.turns += 1
        return True

    def join(self, case: Case) -> bool:
        """One more ticket is linked: by an agent in Zendesk's own app, or by an engineer's remote link on the issue."""
        if case.kind is not Kind.GROUP or len(case.tickets) >= 4 or not self._links(case):
            return False
        name = self._name()
        ticket = self._ticket(f"{case.subject}, too", set())
        case.tickets.append(ticket)
        if self._rng.random() < 0.5:
            with self._stage.site_server.lock:
                issue = self._stage.site_rules.site.peek(case.key)
            assert issue is not None
            self._stage.zendesk("link", ticket=ticket, issue_id=str(issue.id), issue_key=case.key)
        else:
            self._stage.jira("remote_link", issue=case.key, url=f"{self._stage.desk_server.url}/agent/tickets/{ticket}")
            self.linked_on_issues.append(case)
            self.remote_links += 1
        self._stage.zendesk("tag", ticket=ticket, add=[name])
        case.tags[name] = Tag(ticket)
        return True

    def last_edits(self) -> None:
        """Each issue that an engineer has put a remote link on is labelled once more, now that no call goes wrong.

        No feed shows remote links: one is found with the next edit of its issue, and when the reading after that goes
        wrong, with the edit after it. The sweep, which would find it too, is switched off so that it hides nothing.
        """
        for case in self.linked_on_issues:
            name = self._name()
            self._stage.jira("add_label", issue=case.key, label=name)
            case.tags[name] = Tag(ISSUE)
            self.changes += 1
        self.linked_on_issues = []

    def comment(self, case: Case) -> bool:
        """An agent writes something among agents, which is nobody else's business."""
        self._stage.zendesk("comment", ticket=self._rng.choice(case.tickets), body="Looking into it.", public=False)
        return True

    # --- what they can see ---------------------------------------------------------------------------------------

    def settle_down(self) -> None:
        """Look once more which issues and links there are."""
        for case in self.cases:
            self._links(case)

    def _key(self, case: Case) -> str:
        """The case's issue, "" while there is none."""
        if not case.key:
            with self._stage.site_server.lock:
                issues = list(self._stage.site_rules.site.issues.values())
            for issue in issues[self._scanned :]:
                self._keys.setdefault(issue.summary, issue.key)
            self._scanned = len(issues)
            case.key = self._keys.get(case.subject, "")
        return case.key

    def _links(self, case: Case) -> bool:
        """Whether the routed ticket and the issue name each other for all to see; remembers every ticket that does."""
        if key := self._key(case):
            for ticket in case.tickets:
                if ticket not in case.linked and self._is_named(ticket, key) and self._names(ticket, key):
                    case.linked.add(ticket)
        return case.tickets[0] in case.linked

    def _is_named(self, ticket: int, key: str) -> bool:
        with self._stage.site_server.lock:
            issue = self._stage.site_rules.site.peek(key)
            assert issue is not None
            urls = [str(link.object.get("url", "")) for link in issue.remote_links]
        return any(url.endswith(f"/tickets/{ticket}") for url in urls)

    def _names(self, ticket: int, key: str) -> bool:
        with self._stage.desk_server.lock:
            model = self._stage.desk_rules.model
            comments = model.comments(model.entries[ticket])
            linked = any(row["ticket_id"] == str(ticket) and row["issue_key"] == key for row in model.links.values())
            return linked or any(key in each["body"] for each in comments if each["author_id"] == model.hub.id)

    def _went_along(self, case: Case, is_done: bool) -> set[int]:
        """The tickets that were solved together with their issue, as far as can be seen now."""
        with self._stage.desk_server.lock:
            entries = self._stage.desk_rules.model.entries
            return {number for number in case.linked if is_done and entries[number].ticket.status in DONE}

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _name(self) -> str:
        return f"x{self._next()}"
