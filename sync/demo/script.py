"""The launch day: what customers, agents and engineers do, what the network does, and one SIGKILL.

Every act goes through a stand-in's control face as a user, never as the hub. What people did is noted in `Expected` as
they do it, so that the verdict knows it even where the hub fails. A wait that ends without its effect is told, and the
day goes on: it is the verdict that decides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from sync.demo.control import ControlError
from sync.demo.daemon import Daemon
from sync.demo.place import DESK, ERRORS, GATEWAY, GRACE_SECONDS, MARKER, ORGANIZATION, ROUTED_TAG, TRACKER
from sync.demo.stand_ins import StandIns
from sync.demo.verdict import AGREEING, Cluster, Expected, ticket_numbers, writes_of

WAIT = 12.0
"""Seconds that an effect may take before the day goes on without it. It comes within 0.1 s unless calls were lost."""

WAIT_AFTER_A_MISS = 3.0
"""Seconds after that: whatever broke has most likely not healed, and a person waits."""

_APART = 0.01
"""Seconds between two moments that a log in milliseconds tells apart."""

LOST_ANSWER_SECONDS = 30
"""How long the answer is held back during which the daemon is killed; it never gets there."""


class Kind(StrEnum):
    """What a line of the narration is about."""

    SCENE = "scene"
    PEOPLE = "people"
    NETWORK = "network"
    SYSTEM = "system"
    HUB = "hub"
    MISSED = "missed"


Say = Callable[[Kind, str], None]


class Day:
    """What the scenes have in common.

    beat: seconds between two lines, so that a person can follow. patience: seconds that an effect may take.
    """

    def __init__(self, stand_ins: StandIns, daemon: Daemon, say: Say, *, beat: float, patience: float = WAIT) -> None:
        self.desk, self.tracker, self.errors = stand_ins.desk, stand_ins.tracker, stand_ins.errors
        self.gateway = stand_ins.gateway
        self.daemon = daemon
        self.say = say
        self.beat = beat
        self.patience = patience
        self.expected = Expected(hub_desk="hub@example.com", hub_tracker="hub", hub_errors="hypercare", marker=MARKER)
        self.checkout = Cluster(name="the checkout cluster")
        self.export = Cluster(name="the export cluster")
        self.issues: dict[str, str] = {}
        self.resolved_at = 0.0

    # --- telling and waiting ---------------------------------------------------------------------------------

    def tell(self, kind: Kind, text: str) -> None:
        """Narrate a line and leave time to read it."""
        self.say(kind, text)
        time.sleep(self.beat)

    def until(self, look: Callable[[], Any], missed: str) -> bool:
        """Wait for an effect. A daemon that is gone has none to come."""
        end = time.monotonic() + self.patience
        while not look():
            if time.monotonic() >= end or not self.daemon.runs:
                self.say(Kind.MISSED, f"not so far: {missed}")
                self.patience = min(self.patience, WAIT_AFTER_A_MISS)
                return False
            time.sleep(0.05)
        return True

    # --- people ----------------------------------------------------------------------------------------------

    def ticket(self, cluster: Cluster | None, subject: str, body: str, *, tags: tuple[str, ...] = ()) -> str:
        """A customer writes. Without a cluster, nobody will ask the hub to follow the ticket."""
        number = str(self.desk.act("create", subject=subject, body=body, tags=list(tags))["ticket"])
        (self.expected.others if cluster is None else cluster.tags)[number] = set(tags)
        return number

    def tag(self, cluster: Cluster, number: str, *tags: str) -> None:
        """An agent tags a ticket."""
        self.desk.act("tag", ticket=int(number), add=list(tags))
        cluster.tags[number] |= set(tags)

    def label(self, cluster: Cluster, *labels: str) -> None:
        """An engineer labels the cluster's issue; every ticket is to show it."""
        for label in labels:
            self.tracker.act("add_label", issue=self.issues[cluster.name], label=label)
        cluster.labels |= set(labels)

    def move(self, cluster: Cluster, to: str) -> None:
        """An engineer moves the cluster's issue along its workflow."""
        self.tracker.act("transition", issue=self.issues[cluster.name], to=to)
        cluster.is_done = to == "Done"

    # --- machines --------------------------------------------------------------------------------------------

    def release(self, version: str) -> None:
        """A release is made and goes out, as a pipeline tells Sentry."""
        self.errors.act("release", version=version, project="backend")
        self.errors.act("deploy", version=version, environment=PRODUCTION)

    def event(self, version: str, *, times: int = 1, request: str = "") -> str:
        """The same exception, from an application of this release, in a call. Returns its Sentry issue."""
        given = {"release": version, "environment": PRODUCTION, "times": times, "fingerprint": "payment-timeout"}
        tags = {"request_id": request} if request else {}
        return str(self.errors.act("event", title=TIMEOUT, culprit="POST /pay", tags=tags, **given)["issue"])

    def calls(self, *, times: int) -> str:
        """Calls of the payment route fail at the gateway. Returns the request id of the first."""
        made = self.gateway.act("call", route=ROUTE, kind="error", code="payment_timeout", times=times)
        return str(made["ids"][0])

    def shown_at_gateway(self) -> set[str]:
        """The hub's tags on the failing service."""
        service = next(each for each in self.gateway.state()["services"] if each["id"] == SERVICE)
        return {tag for tag in service["tags"] if tag.startswith("fb:")}

    # --- what is there ---------------------------------------------------------------------------------------

    def tickets(self) -> Mapping[str, Any]:
        """Tickets by number."""
        return {str(each["id"]): each for each in self.desk.state()["records"]}

    def issue(self, cluster: Cluster) -> Any:
        """The cluster's issue."""
        key = self.issues[cluster.name]
        return next(each for each in self.tracker.state()["issues"] if each["key"] == key)

    def new_issue(self, subject: str) -> Callable[[], bool]:
        """Look for the issue that the hub makes of a ticket."""
        return lambda: any(each["summary"] == subject for each in self.tracker.state()["issues"])

    def know_issue(self, cluster: Cluster, subject: str) -> None:
        """Remember a cluster's issue by its summary. Raises Cut when there is none: nobody could go on with it."""
        found = [each["key"] for each in self.tracker.state()["issues"] if each["summary"] == subject]
        if not found:
            raise Cut(f"there is no issue for {cluster.name}, so its engineers have nothing to work on")
        self.issues[cluster.name] = found[0]

    def error(self, cluster: Cluster) -> Any:
        """The Sentry issue of the cluster."""
        number = next(iter(cluster.errors))
        return next(each for each in self.errors.state()["issues"] if str(each["id"]) == number)

    def agree(self, cluster: Cluster, *numbers: str) -> bool:
        """Whether the cluster's tickets show what their issue shows: status, its labels, and the other way round."""
        issue, tickets = self.issue(cluster), self.tickets()
        labels = {each.casefold() for each in issue["labels"]}
        return all(
            tickets[number]["status"] in AGREEING.get(issue["status"], ())
            and cluster.labels <= set(tickets[number]["tags"]) <= labels
            for number in numbers or cluster.tags
        )


class Cut(Exception):
    """The day cannot go on. The message says why."""


# --- the scenes ----------------------------------------------------------------------------------------------------

ROUTE, SERVICE = "pay", "checkout"
BAD, FIXED = "shop@1.4.0", "shop@1.4.1"
PRODUCTION = "production"
TIMEOUT = "TimeoutError: the payment provider did not answer"
SPINS, PAID_TWICE, HANGS = "Payment page spins forever", "Charged twice for one order", "Pay button hangs on iPhone"
EMPTY = "CSV export is empty"


def a_bad_release(day: Day) -> None:
    """Machines see it first."""
    day.tell(Kind.SCENE, "Launch: a bad release goes out")
    day.expected.clusters.append(day.checkout)
    day.release(BAD)
    day.expected.settled = {each["id"]: each for each in day.gateway.state()["services"]}
    day.gateway.act("traffic", rate=20)
    day.tell(Kind.PEOPLE, f"an engineer deploys {BAD}; some twenty calls a second go through each route of the gateway")
    request = day.calls(times=1)
    time.sleep(_APART)
    day.calls(times=20)
    day.gateway.act("release", route=ROUTE, share=0.3, version=BAD, code="payment_timeout")
    day.checkout.services[SERVICE] = {f"service:{SERVICE}", "class:upstream_5xx"}
    day.checkout.errors[day.event(BAD, times=40, request=request)] = {f"environment-{PRODUCTION}"}
    day.tell(Kind.SYSTEM, f"Sentry groups 40 exceptions into {day.error(day.checkout)['key']}: {TIMEOUT}")
    if day.until(lambda: "fb:open-1" in day.shown_at_gateway(), f"failing calls are shown on the service {SERVICE}"):
        day.tell(Kind.HUB, f"it folds the failing calls of {SERVICE} into one signature, and says so on the service")


def tickets_come_in(day: Day) -> None:
    """Nothing is created by itself: no route fits yet."""
    day.tell(Kind.SCENE, "The first tickets come in")
    day.ticket(day.checkout, SPINS, "I press Pay and the page never ends.", tags=("web",))
    day.ticket(day.checkout, PAID_TWICE, "My card shows two payments.")
    day.ticket(day.checkout, HANGS, "The Pay button does nothing.", tags=("ios",))
    day.ticket(None, "Love the new dashboard", "Well done!", tags=("praise",))
    first, second, third = day.checkout.tags
    day.tell(Kind.PEOPLE, f"customers write tickets {first}, {second}, {third} about paying, and one of praise")


def an_issue_is_created(day: Day) -> None:
    """The create's answer is lost on the way: the hub finds the issue by its mark instead of making a second one."""
    day.tell(Kind.SCENE, "An issue for the cluster, while its answer gets lost")
    first, second, third = day.checkout.tags
    lost = day.tracker.fault("drop_after", "issue.create")
    day.tell(Kind.PEOPLE, f"an agent tags ticket {first} `{ROUTED_TAG}`: the route asks for an issue")
    day.tag(day.checkout, first, ROUTED_TAG, "area-checkout")
    day.until(day.new_issue(SPINS), "an issue for the ticket")
    if day.tracker.fired(lost):
        day.tell(Kind.NETWORK, "Jira makes the issue; its answer is dropped by the network")
    day.know_issue(day.checkout, SPINS)
    key = day.issues[day.checkout.name]
    if day.until(lambda: _linked(day, day.checkout, first), f"ticket {first} and {key} name each other"):
        day.tell(Kind.HUB, f"it finds {key} by the mark in it, makes no second one, and tells ticket {first}")
    issue = day.issue(day.checkout)
    day.desk.act("link", ticket=int(second), issue_id=issue["id"], issue_key=key)
    day.tag(day.checkout, second, "area-billing")
    day.tell(Kind.PEOPLE, f"an agent links ticket {second} to {key} with Zendesk's own Jira app")
    # Who joins later than a move is not moved by it: the engineers go on when they see the ticket on their issue.
    day.until(lambda: second in ticket_numbers(day.issue(day.checkout)), f"{key} shows ticket {second}")
    day.tracker.act("remote_link", issue=key, url=f"{day.desk.url}/agent/tickets/{third}", title=f"Ticket {third}")
    day.tell(Kind.PEOPLE, f"an engineer puts a link to ticket {third} on {key}")
    error = day.error(day.checkout)
    address = f"{day.errors.url}/organizations/{ORGANIZATION}/issues/{error['id']}/"
    day.tracker.act("remote_link", issue=key, url=address, title=error["key"])
    day.tell(Kind.PEOPLE, f"and one to {error['key']} in Sentry")


def work_travels(day: Day) -> None:
    """Status and tags both ways, over a network that drops and refuses calls."""
    day.tell(Kind.SCENE, "The engineer works; the network does not")
    key = day.issues[day.checkout.name]
    day.desk.fault("drop_after", "tickets.update")
    day.desk.fault("unavailable", "tickets.update", seconds=1)
    day.desk.fault("drop_before", "tickets.update")
    day.tell(Kind.NETWORK, "the next three writes to Zendesk: answer lost, 503, request lost")
    day.move(day.checkout, "In Progress")
    day.label(day.checkout, "payment-gateway")
    day.tell(Kind.PEOPLE, f"an engineer moves {key} to In Progress and labels it `payment-gateway`")
    if day.until(lambda: day.agree(day.checkout), f"three tickets open and tagged as {key} is"):
        day.tell(Kind.HUB, "all three tickets are open and tagged; the tags of the tickets are on the issue")
    error = day.error(day.checkout)["key"]
    if day.until(lambda: day.error(day.checkout)["links"], f"{error} shows {key}"):
        day.tell(Kind.HUB, f"{error} shows {key} in Sentry; the environment it happened in is a tag everywhere")
    _evidence(day, key, error)


def a_webhook_is_lost(day: Day) -> None:
    """The change feed finds what no webhook told."""
    first = next(iter(day.checkout.tags))
    day.desk.switch(hook_drops=1.0)
    day.tag(day.checkout, first, "vip")
    day.tell(Kind.PEOPLE, f"an agent tags ticket {first} `vip`, and Zendesk's webhook call gets lost")
    found = day.until(lambda: "vip" in day.issue(day.checkout)["labels"], "`vip` on the issue")
    day.desk.switch(hook_drops=0.0)
    if found:
        day.tell(Kind.HUB, f"the next poll finds it: `vip` is on {day.issues[day.checkout.name]}")


def the_daemon_is_killed(day: Day) -> None:
    """SIGKILL while a create is open and already applied; people go on working meanwhile."""
    day.tell(Kind.SCENE, "kill -9 while a delivery is open")
    day.expected.clusters.append(day.export)
    number = day.ticket(day.export, EMPTY, "The file has a header and nothing else.")
    held = day.tracker.fault("delay", "issue.create", seconds=LOST_ANSWER_SECONDS)
    day.tag(day.export, number, ROUTED_TAG)
    day.tell(Kind.PEOPLE, f"a customer writes ticket {number}, an agent tags it `{ROUTED_TAG}`")
    day.until(lambda: day.tracker.fired(held), "the create is under way")
    day.daemon.kill()
    day.tell(
        Kind.NETWORK, f"Jira has made the issue and not answered yet: SIGKILL to the daemon (pid {day.daemon.pid})"
    )
    key = day.issues[day.checkout.name]
    day.label(day.checkout, "hotfix")
    day.move(day.checkout, "In Review")
    day.tell(Kind.PEOPLE, f"nobody notices: an engineer labels {key} `hotfix` and moves it to In Review")
    day.daemon.start()
    day.tell(Kind.HUB, f"the daemon is started again (pid {day.daemon.pid})")
    day.know_issue(day.export, EMPTY)
    other = day.issues[day.export.name]
    if day.until(lambda: _linked(day, day.export), f"ticket {number} and {other} name each other"):
        day.tell(Kind.HUB, f"it asks Jira what became of its create, finds {other}, and makes no second one")
    if day.until(lambda: day.agree(day.checkout), "`hotfix` on three tickets"):
        day.tell(Kind.HUB, f"what happened to {key} meanwhile has reached its tickets")


def two_people_at_once(day: Day) -> None:
    """Both move the same item in the same moment, before the hub can see either."""
    day.tell(Kind.SCENE, "Two people change the same thing at once")
    number, key = next(iter(day.export.tags)), day.issues[day.export.name]
    day.move(day.export, "In Progress")
    day.tell(Kind.PEOPLE, f"an engineer takes {key}")
    if day.until(lambda: day.agree(day.export), f"ticket {number} open"):
        day.tell(Kind.HUB, f"ticket {number} is open")
    # So that both edits are made before the hub can see them both: Jira's calls come a minute late, a second here.
    day.tracker.switch(hook_delay=60.0)
    written = writes_of(day.tracker.state(), day.expected.hub_tracker)
    _together(
        lambda: day.desk.act("status", ticket=int(number), status="solved"),
        lambda: day.tracker.act("transition", issue=key, to="Blocked", force=True),
    )
    day.export.is_done = True
    day.tell(Kind.PEOPLE, f"an agent solves ticket {number}; at that moment an engineer moves {key} to Blocked")
    settled = day.until(
        lambda: (
            day.agree(day.export)
            and day.issue(day.export)["status"] == "Done"
            and writes_of(day.tracker.state(), day.expected.hub_tracker) > written
        ),
        f"{key} done",
    )
    day.tracker.switch(hook_delay=0.0)
    if settled:
        day.tell(Kind.HUB, f"by rule, done beats a detail: {key} is Done, and the conflict is kept with both values")


def everything_is_resolved(day: Day) -> None:
    """The tracker's people resolve, and every ticket hears it."""
    day.tell(Kind.SCENE, "The fix is out")
    key, error = day.issues[day.checkout.name], day.error(day.checkout)["key"]
    day.move(day.checkout, "Done")
    day.tell(Kind.PEOPLE, f"an engineer moves {key} to Done")
    if day.until(lambda: day.agree(day.checkout), "three tickets solved"):
        day.tell(Kind.HUB, "all three tickets are solved")
    if day.until(lambda: _resolved(day), f"{error} resolved"):
        day.tell(Kind.HUB, f"{error} is resolved in the next release: done is not out yet")
    day.event(BAD, times=3)
    day.tell(Kind.SYSTEM, f"three more exceptions, from {BAD} which is still running: Sentry leaves {error} resolved")
    day.release(FIXED)
    day.gateway.act("recover", route=ROUTE, version=FIXED)
    day.tell(Kind.PEOPLE, f"an engineer deploys {FIXED}")
    if day.until(lambda: not day.shown_at_gateway(), f"the service {SERVICE} shows nothing any more"):
        day.tell(Kind.HUB, f"the signature is resolved with it; the service {SERVICE} shows nothing of ours any more")
    day.resolved_at = time.monotonic()
    if day.until(lambda: "deployed" in day.daemon.facts(key), f"{key} known as deployed"):
        day.tell(Kind.HUB, f"now the item of {key} is `deployed`: fixed for the customer")


def a_customer_reopens(day: Day) -> None:
    """One ticket speaks for the item: the tracker hears it, its sister tickets are left in peace."""
    day.tell(Kind.SCENE, "One customer is not content")
    first, second, third = day.checkout.tags
    key = day.issues[day.checkout.name]
    day.desk.act("comment", ticket=int(second), body="It happened again.", **{"as": "customer@example.com"})
    day.checkout.is_done = False
    day.tell(Kind.PEOPLE, f"a customer answers on ticket {second}: it opens again")
    if day.until(lambda: day.issue(day.checkout)["status"] != "Done", f"{key} open again"):
        day.tell(Kind.HUB, f"{key} is open again; tickets {first} and {third} stay solved, nobody bothers them")
    day.move(day.checkout, "In Progress")
    day.move(day.checkout, "In Review")
    day.label(day.checkout, "hotfix-2")
    day.move(day.checkout, "Done")
    day.tell(Kind.PEOPLE, f"an engineer mends it: {key} goes to Done again, labelled `hotfix-2`")
    day.until(lambda: day.agree(day.checkout), f"ticket {second} solved")
    day.tag(day.checkout, second, "fix-confirmed")
    day.tell(Kind.PEOPLE, f"an agent asks, and tags ticket {second} `fix-confirmed`")
    if day.until(lambda: "fix-confirmed" in day.issue(day.checkout)["labels"], "`fix-confirmed` on the issue"):
        day.tell(Kind.HUB, f"the engineers see it on {key}")


def a_regression(day: Day) -> None:
    """What machines see again opens the item once, and bothers no customer."""
    key, error = day.issues[day.checkout.name], day.error(day.checkout)["key"]
    day.tell(Kind.SCENE, "It was not the whole fix")
    time.sleep(max(0.0, day.resolved_at + GRACE_SECONDS + 1 - time.monotonic()))
    day.calls(times=8)
    day.event(FIXED, times=5)
    day.checkout.is_done = False
    day.tell(Kind.SYSTEM, f"calls fail again, five exceptions from {FIXED}: Sentry calls {error} regressed")
    if day.until(
        lambda: day.issue(day.checkout)["status"] != "Done" and day.shown_at_gateway(),
        f"{key} and the signature open again",
    ):
        day.tell(Kind.HUB, f"{key} is open again; the solved tickets are left in peace")
    for status in ("In Progress", "In Review", "Done"):
        day.move(day.checkout, status)
    day.tell(Kind.PEOPLE, f"an engineer mends that too: {key} goes to Done")
    if day.until(lambda: _resolved(day) and not day.shown_at_gateway(), f"{error} and the signature resolved"):
        day.tell(Kind.HUB, f"{error} and the signature are resolved again")


SCENES: tuple[Callable[[Day], None], ...] = (
    a_bad_release,
    tickets_come_in,
    an_issue_is_created,
    work_travels,
    a_webhook_is_lost,
    the_daemon_is_killed,
    two_people_at_once,
    everything_is_resolved,
    a_customer_reopens,
    a_regression,
)
"""The day in order."""


def make_live(day: Day) -> None:
    """Let the hub write to every side, from this moment on."""
    for connection in (DESK, TRACKER, ERRORS, GATEWAY):
        day.daemon.make_live(connection)
    day.tell(Kind.HUB, f"the daemon (pid {day.daemon.pid}) has read every side and is live: from now on it writes")
    # Zendesk tells the time in whole seconds: what was created in this one counts as created before the start.
    time.sleep(1.0 - time.time() % 1.0)


def _linked(day: Day, cluster: Cluster, *numbers: str) -> bool:
    """Whether tickets and issue name each other: the ticket by a note, the issue by a link."""
    issue, tickets = day.issue(cluster), day.tickets()
    return all(
        any(not each["public"] and issue["key"] in each["body"] for each in tickets[number]["comments"])
        and number in ticket_numbers(issue)
        for number in numbers or cluster.tags
    )


def _evidence(day: Day, key: str, error: str) -> None:
    """The same request in Sentry and at the gateway: proposed, and accepted by a person."""

    def proposal() -> int:
        for each in day.daemon.command("proposals") or ():
            if {each["one"]["system"], each["other"]["system"]} == {"sentry", "gateway"}:
                return int(each["id"])
        return 0

    if not day.until(proposal, f"a proposal that {error} belongs to the failing calls"):
        return
    day.tell(
        Kind.HUB, f"one request id stands in {error} and in the gateway's log: it proposes that they belong together"
    )
    number = proposal()
    day.daemon.command("proposals", "accept", str(number))
    day.tell(Kind.PEOPLE, f"an engineer looks and says yes: hypercare proposals accept {number}")
    if day.until(lambda: f"fb:jira-{key}" in day.shown_at_gateway(), f"the gateway shows {key}"):
        day.tell(Kind.HUB, f"the gateway's service {SERVICE} shows {key}")


def _resolved(day: Day) -> bool:
    return bool(day.error(day.checkout)["status"] == "resolved")


def _together(*acts: Callable[[], object]) -> None:
    """Do acts at the same moment, as two people would. Raises ControlError when one failed."""
    failed: list[ControlError] = []
    gate = threading.Barrier(len(acts))

    def do(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except ControlError as error:
            failed.append(error)

    people = [threading.Thread(target=do, args=(act,)) for act in acts]
    for person in people:
        person.start()
    for person in people:
        person.join()
    if failed:
        raise failed[0]
