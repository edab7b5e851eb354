"""People at work in both systems, by a seed: they know nothing of the hub, and of each other only what they see."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from connectors.sandbox.control import Mistaken
from sync.simulation.ledger import USER, What
from sync.simulation.stage import DESK, Stage

_TICKET_STATUSES = ("open", "pending", "hold", "solved", "solved", "open")
_SHARED = ("launch", "area-login", "Mobile")
"""Tags that several people use; all others have a name of their own, so that their fate can be judged exactly."""


class People:
    """Agents, engineers and customers. edits: how many of each kind took place. routed: tickets a route asks for."""

    def __init__(self, rng: random.Random, *, membership: bool, routes: bool) -> None:
        self._rng = rng
        self._membership = membership
        self._routes = routes
        self._named = 0
        self._only = ""
        self.routed: list[int] = []
        self.edits: Counter[str] = Counter()
        self.stage: Stage

    # --- what is there ---------------------------------------------------------------------------------------------

    def _tickets(self) -> list[int]:
        if self._only.startswith("Z"):
            return [int(self._only[1:])]
        return [
            number
            for number, entry in self.stage.desk.model.entries.items()
            if not entry.is_deleted and entry.ticket.status != "closed"
        ]

    def _issues(self) -> list[str]:
        if self._only.startswith("T"):
            return [self._only[1:]]
        return [str(number) for number in self.stage.site.site.issues]

    # --- acting ----------------------------------------------------------------------------------------------------

    def act(self) -> None:
        """Somebody does something."""
        work: list[tuple[float, str, Callable[[], None]]] = [
            (5, "zendesk status", self._ticket_status),
            (5, "jira status", self._issue_status),
            (3, "zendesk tag", self._ticket_tag),
            (3, "jira label", self._issue_label),
            (2, "zendesk untag", self._ticket_untag),
            (2, "jira unlabel", self._issue_unlabel),
            (1.5, "customer reply", self._reply),
            (0.7, "zendesk comment", self._comment),
            (0.8, "zendesk bulk", self._bulk),
            (0.7, "clash of statuses", self._clash_of_statuses),
            (0.7, "clash of tags", self._clash_of_tags),
            (0.5, "toggle", self._toggle),
            (0.4, "zendesk close", self._close),
        ]
        if self._membership:
            work += [
                (0.7, "jira link", self._link),
                (0.4, "jira unlink", self._unlink),
                (0.4, "zendesk merge", self._merge),
                (0.3, "zendesk delete", self._delete),
                (0.3, "jira move", self._move),
                (0.1, "jira delete", self._delete_issue),
            ]
        work.append((2.0 if self._routes else 0.4, "zendesk new", self.new_ticket))
        total = sum(weight for weight, _, _ in work)
        point = self._rng.random() * total
        for weight, name, doing in work:
            point -= weight
            if point < 0:
                self._do(name, doing)
                return

    def race(self, record: str) -> None:
        """Somebody is quicker than the hub, mostly on the very record that it is about to write."""
        if self.stage.hurried and record.startswith("Z"):
            self._only = record
            try:
                self._do("zendesk status", self._ticket_status)
            finally:
                self._only = ""
            return
        if not record or self._rng.random() < 0.2:
            self.act()
            return
        on_ticket = [
            ("zendesk status", self._ticket_status),
            ("zendesk tag", self._ticket_tag),
            ("zendesk untag", self._ticket_untag),
            ("customer reply", self._reply),
            ("zendesk close", self._close),
        ]
        on_issue = [
            ("jira status", self._issue_status),
            ("jira label", self._issue_label),
            ("jira unlabel", self._issue_unlabel),
        ]
        self._only = record
        try:
            self._do(*self._rng.choice(on_ticket if record.startswith("Z") else on_issue))
        finally:
            self._only = ""

    def _do(self, name: str, doing: Callable[[], None]) -> None:
        try:
            doing()
        except (Mistaken, IndexError):
            return  # the system, or the circumstances, did not allow it
        finally:
            self.stage.watch(USER)
        self.edits[name] += 1
        self.stage.note(f"did {name}")

    def _name(self) -> str:
        if self._rng.random() < 0.15:
            return self._rng.choice(_SHARED)
        self._named += 1
        return f"tag{self._named}"

    # --- on both sides at once -------------------------------------------------------------------------------------

    def _pair(self) -> tuple[int, str]:
        """A ticket, and an issue that shows it."""
        tickets = self._tickets()
        pairs = [
            (ticket, str(number))
            for number, issue in self.stage.site.site.issues.items()
            for ticket in tickets
            if any(str(link.object.get("url", "")).endswith(f"/tickets/{ticket}") for link in issue.remote_links)
        ]
        return self._rng.choice(pairs)

    def _clash_of_statuses(self) -> None:
        """A ticket is opened again, or solved, while its issue is put on the other side by an administrator."""
        ticket, issue = self._pair()
        opens = self.stage.desk.model.entries[ticket].ticket.status == "solved"
        self.stage.desk.act({"act": "status", "ticket": ticket, "status": "open" if opens else "solved"})
        self.stage.watch(USER)
        to = "Done" if opens else "In Progress"
        self.stage.site.act({"act": "transition", "issue": issue, "to": to, "force": True})

    def _clash_of_tags(self) -> None:
        """A label is taken off an issue while somebody puts it on a ticket of it."""
        ticket, issue = self._pair()
        labels = self.stage.site.site.issues[int(issue)].labels
        has = {tag.casefold() for tag in self.stage.desk.model.entries[ticket].ticket.tags}
        label = self._rng.choice(sorted(each for each in labels if each.casefold() not in has))
        self.stage.site.act({"act": "remove_label", "issue": issue, "label": label})
        self.stage.watch(USER)
        self.stage.desk.act({"act": "tag", "ticket": ticket, "add": [label.casefold()]})

    def hurry(self) -> None:
        """Within one second an agent tags a ticket and an engineer moves its issue: no version tells what came next."""
        self._do("hurry", self._hurry)

    def _hurry(self) -> None:
        ticket, issue = self._pair()
        self.stage.desk.act({"act": "tag", "ticket": ticket, "add": [self._name()]})
        self.stage.watch(USER)
        stands = self.stage.desk.model.entries[ticket].ticket.status
        to = "In Progress" if stands == "solved" else "Done"
        self.stage.site.act({"act": "transition", "issue": issue, "to": to, "force": True})

    def feud_over(self) -> tuple[int, str] | None:
        """A ticket and its issue of which an automation and the engineers hold different views, if there is a pair."""
        try:
            return self._pair()
        except IndexError:
            return None

    def insist(self, issue: str) -> None:
        """Engineers finish the issue."""
        done = {"act": "transition", "issue": issue, "to": "Done", "force": True}
        self._do("jira status", lambda: self.stage.site.act(done) and None)

    def object(self, ticket: int) -> None:
        """A rule of the desk opens the ticket again."""
        opened = {"act": "status", "ticket": ticket, "status": "open", "as": "automation"}
        self._do("zendesk automation", lambda: self.stage.desk.act(opened) and None)

    # --- in Zendesk ------------------------------------------------------------------------------------------------

    def new_ticket(self) -> None:
        """A customer writes."""
        tags = [self._name()] if self._rng.random() < 0.3 else []
        if self._routes and self._rng.random() < 0.5:
            tags.append("outage")
        body = {"act": "create", "tags": tags, "status": self._rng.choice(("new", "open"))}
        ticket = int(self.stage.desk.act(body)["ticket"])
        if "outage" in tags:
            self.routed.append(ticket)
        self.stage.watch(USER)

    def _ticket_status(self) -> None:
        ticket = self._rng.choice(self._tickets())
        self.stage.desk.act({"act": "status", "ticket": ticket, "status": self._rng.choice(_TICKET_STATUSES)})

    def _ticket_tag(self) -> None:
        ticket = self._rng.choice(self._tickets())
        self.stage.desk.act({"act": "tag", "ticket": ticket, "add": [self._name()]})

    def _ticket_untag(self) -> None:
        ticket = self._rng.choice([n for n in self._tickets() if self.stage.desk.model.entries[n].ticket.tags])
        tag = self._rng.choice(sorted(self.stage.desk.model.entries[ticket].ticket.tags))
        self.stage.desk.act({"act": "tag", "ticket": ticket, "remove": [tag]})

    def _reply(self) -> None:
        ticket = self._rng.choice(self._tickets())
        self.stage.desk.act({"act": "comment", "ticket": ticket, "body": "Still broken", "as": "customer@example.com"})

    def _comment(self) -> None:
        ticket = self._rng.choice(self._tickets())
        self.stage.desk.act({"act": "comment", "ticket": ticket, "body": "Looking", "public": False})

    def _bulk(self) -> None:
        status = self._rng.choice(("solved", "solved", "open", ""))
        tag = self._name()
        for ticket in self._tickets():
            if status:
                self.stage.desk.act({"act": "status", "ticket": ticket, "status": status})
            else:
                self.stage.desk.act({"act": "tag", "ticket": ticket, "add": [tag]})

    def solve_all(self) -> None:
        """The launch is over for the desk: every ticket is solved."""
        self._do("zendesk bulk", self._solve_all)

    def label_all(self) -> None:
        """Every issue gets a label, which its tickets are to show."""
        for number in self._issues():
            self._only = f"T{number}"
            try:
                self._do("jira label", self._issue_label)
            finally:
                self._only = ""

    def _solve_all(self) -> None:
        for ticket in self._tickets():
            self.stage.desk.act({"act": "status", "ticket": ticket, "status": "solved"})

    def _toggle(self) -> None:
        """There and back again, within one poll."""
        ticket = self._rng.choice(self._tickets())
        was = self.stage.desk.model.entries[ticket].ticket.status
        other = "solved" if was in ("open", "hold", "pending") else "open"
        if was == "new":
            return
        self.stage.desk.act({"act": "status", "ticket": ticket, "status": other})
        self.stage.watch(USER)
        self.stage.desk.act({"act": "status", "ticket": ticket, "status": was})

    def _close(self) -> None:
        solved = [n for n in self._tickets() if self.stage.desk.model.entries[n].ticket.status == "solved"]
        self.stage.desk.act({"act": "close", "ticket": self._rng.choice(solved)})

    def _merge(self) -> None:
        one, other = self._rng.sample(self._tickets(), 2) if len(self._tickets()) > 1 else (0, 0)
        if one:
            self.stage.desk.act({"act": "merge", "ticket": one, "from": [other]})

    def _delete(self) -> None:
        self.stage.desk.act({"act": "delete", "ticket": self._rng.choice(self._tickets())})

    # --- in Jira ---------------------------------------------------------------------------------------------------

    def _issue_status(self) -> None:
        number = self._rng.choice(self._issues())
        site = self.stage.site.site
        issue, user = site.issues[int(number)], site.user("engineer")
        assert user is not None
        steps = site.steps(issue, user)
        ending = [step for step in steps if step.to in ("Done", "Won't Do")]
        step = self._rng.choice(ending if ending and self._rng.random() < 0.3 else steps)
        self.stage.site.act({"act": "transition", "issue": number, "to": step.to})

    def _issue_label(self) -> None:
        name = self._name()
        label = name.upper() if self._rng.random() < 0.2 else name
        self.stage.site.act({"act": "add_label", "issue": self._rng.choice(self._issues()), "label": label})

    def _issue_unlabel(self) -> None:
        site = self.stage.site.site
        number = self._rng.choice([n for n in self._issues() if site.issues[int(n)].labels])
        label = self._rng.choice(sorted(site.issues[int(number)].labels))
        # Who takes a label away takes every spelling of it away.
        for each in site.issues[int(number)].labels:
            if each.casefold() == label.casefold():
                self.stage.site.act({"act": "remove_label", "issue": number, "label": each})

    def _link(self) -> None:
        """An engineer links a ticket by its address."""
        ticket, issue = self._rng.choice(self._tickets()), self._rng.choice(self._issues())
        url = f"{DESK}/agent/tickets/{ticket}"
        links = self.stage.site.site.issues[int(issue)].remote_links
        if all(link.object.get("url") != url for link in links):
            self.stage.site.act({"act": "remote_link", "issue": issue, "url": url, "globalId": url})

    def _unlink(self) -> None:
        site = self.stage.site.site
        issue = self._rng.choice([n for n in self._issues() if site.issues[int(n)].remote_links])
        link = self._rng.choice(site.issues[int(issue)].remote_links)
        self.stage.site.act({"act": "remove_remote_link", "issue": issue, "id": link.id})
        self.stage.ledger.note(f"T{issue}", What.LEFT, USER, new=str(link.object.get("url", "")))

    def _move(self) -> None:
        issue = self._rng.choice(self._issues())
        home = self.stage.site.site.issues[int(issue)].project
        self.stage.site.act({"act": "move", "issue": issue, "project": "WEB" if home == "OPS" else "OPS"})

    def _delete_issue(self) -> None:
        self.stage.site.act({"act": "delete", "issue": self._rng.choice(self._issues())})
