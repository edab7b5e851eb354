"""Both stand-ins, the hub between them, and the ledger of what really happened, for one history."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

from msgspec import structs

from connectors import jira, zendesk
from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.jira.sandbox.model import Issue
from connectors.jira.sandbox.workflow import BY_ID
from connectors.jira.settings import JiraSettings
from connectors.sandbox.wire import Request, Response
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from connectors.zendesk.settings import ZendeskSettings
from sync.daemon.build import Configured
from sync.model import Json
from sync.simulation import crew
from sync.simulation.between import Between, Crashed
from sync.simulation.circumstances import Oddities, mappings, variant_of
from sync.simulation.contract.desk import DeskRemote
from sync.simulation.contract.door import Door
from sync.simulation.contract.site import SiteRemote
from sync.simulation.crew import Crew
from sync.simulation.cursors import Cursors
from sync.simulation.faults import RARE, Profile, is_write
from sync.simulation.ledger import HUB, USER, Event, Hidden, Ledger, Made, Shape, What, is_tracker
from sync.simulation.virtual import SeededRng, VirtualClock
from sync.simulation.world import World

_ZENDESK_SECRET = "zendesk-signing-secret"  # noqa: S105  stand-ins guard nothing
_JIRA_SECRET = "jira-webhook-secret"  # noqa: S105
_HOOKS = ("created", "status_changed", "tags_changed", "merged", "custom_field_changed", "soft_deleted")
_NOWHERE = Path()
"""No file is written: the database is in memory."""
DESK, SITE = "http://127.0.0.1:8101", "http://127.0.0.1:8102"


class Depth(StrEnum):
    """How much of the way to the systems is real."""

    WIRE = "wire"
    """The connectors with their clients, and the stand-ins' wire."""
    CONTRACT = "contract"
    """The connectors' contract straight on the stand-ins' models."""


class Stage:
    """One world with its ledger. chance: drawn on by faults only. act: a user's edit, for races.

    hurried: every write meets an edit of the ticket that it is about, in its very second. down: the connection whose
    system cannot be reached ("": none). Its people work on, behind its walls.
    """

    def __init__(
        self,
        seed: int,
        profile: Profile,
        act: Callable[[str], None],
        workflow: str,
        depth: Depth = Depth.WIRE,
    ) -> None:
        self.clock = VirtualClock()
        self.profile = profile
        self.chance = random.Random(seed * 7 + 1)  # noqa: S311  repeatable on purpose
        self.ledger = Ledger(now=self.clock.epoch)
        self.armed = False
        self.down = ""
        self.hurried = False
        self.calls = 0
        self.commits = 0
        self.crashes: dict[str, int] = {}
        self.races = 0
        self._raced: int | None = None
        self._digest = hashlib.sha256()
        self.trace: list[str] | None = None
        self._act = act
        # Else not at wire level: the regression cases there would be other histories.
        is_interleaved = depth is Depth.CONTRACT or profile.name == RARE
        self.crew = Crew(self.chance) if is_interleaved and crew.is_there() else None
        self.late: list[str] = []
        self.cursors: Cursors | None = None
        self._sent: dict[str, int] = {}
        self._chances = SeededRng(seed * 3 + 1), SeededRng(seed * 3 + 2)
        self.desk: ZendeskSandbox = build_zendesk(self.clock.epoch, self._chances[0])
        self.site: JiraSandbox = build_jira(self.clock.epoch, self._chances[1], settings={"workflow": workflow})
        self.oddities = Oddities(self.desk, self.site, profile.odd)
        hub = self.site.site.user("hub")
        assert hub is not None  # every stand-in has it
        self._hub_user = hub.id
        if profile.hooks_on:
            self._register_hooks()
        self.world = World(
            folder=_NOWHERE,
            clock=self.clock,
            rng=SeededRng(seed * 3),
            stand_ins={
                "support": Between(self.desk, self._on_the_wire, self._after, lambda: self.down == "support"),
                "tracker": Between(self.site, self._on_the_wire, self._after, lambda: self.down == "tracker"),
            },
            configured=self._through_models() if depth is Depth.CONTRACT else _configured(),
            mappings=mappings(variant_of(profile.odd), routes=profile.routes),
            crash=self._at_commit,
            tidy_every=900.0,
            in_memory=True,
            crew=self.crew,
        )
        if depth is Depth.CONTRACT:
            self.cursors = Cursors(self.desk, self.site, self.world.ask)

    def _through_models(self) -> tuple[Configured, ...]:
        """The connections at contract level: everything of the connectors but the way to their systems."""
        desk, site = _configured()
        doors = {
            name: Door(
                faults=lambda stand_in=stand_in: stand_in.control.faults,  # type: ignore[misc]
                time=self.clock.epoch,
                wall=lambda: self.clock.now().timestamp(),
                before=self._before,
                after=self._after,
                is_down=lambda name=name: self.down == name,  # type: ignore[misc]
                sends=self._sends,
            )
            for name, stand_in in (("support", self.desk), ("tracker", self.site))
        }
        to_desk = DeskRemote(self.desk, doors["support"], DESK)
        to_site = SiteRemote(self.site, doors["tracker"], SITE, ["OPS"])
        return (
            replace(desk, connector=structs.replace(desk.connector, connect=lambda *_: to_desk)),
            replace(site, connector=structs.replace(site.connector, connect=lambda *_: to_site)),
        )

    def _sends(self, path: str) -> Callable[[], None]:
        """A write to this path is on its way. The returned call is for its arrival."""
        self._sent[path] = mine = self._sent.get(path, 0) + 1

        def arrives() -> None:
            if self._sent[path] != mine:
                self.late.append(f"H9 late-write: {path} was written after a newer write to it had been sent")

        return arrives

    # --- what happens around calls and commits -------------------------------------------------------------------

    def gather(self) -> None:
        """Take in what is judged at rest only: notes, remote links."""
        model, site = self.desk.model, self.site.site
        self.ledger.notes.clear()
        for ticket_id, entry in model.entries.items():
            for comment in model.comments(entry):
                found = _NOTE.search(str(comment["body"])) if comment["author_id"] == model.hub.id else None
                issue = site.peek(found[1]) if found else None
                if issue is not None:
                    named = (f"Z{ticket_id}", f"T{issue.id}")
                    self.ledger.notes[named] = self.ledger.notes.get(named, 0) + 1
        self.ledger.own_links = {
            f"T{issue_id}": [
                link.object["url"] for link in issue.remote_links if str(link.global_id).startswith("hypercare")
            ]
            for issue_id, issue in site.issues.items()
        }
        self.ledger.links = {
            f"T{issue_id}": [
                "Z" + found[1]
                for link in issue.remote_links
                if (found := _TICKET.search(str(link.object.get("url", ""))))
            ]
            for issue_id, issue in site.issues.items()
        }

    def begin(self, at: str) -> None:
        """Let chance start anew from a named place, so that what was left out before changes nothing from here on."""
        self.chance.seed(at)
        for number, each in enumerate(self._chances):
            each.begin(f"{at} {number}")

    def _before(self, request: Request) -> None:
        if self.crew is not None:
            self.crew.give_way()
        self._raced = None  # of a write that was refused: the next one has seen it
        self.clock.advance(0.05)
        self.calls += 1
        self.note(f"{request.method} {request.path} {_print(request.body)}")
        if not self.armed:
            return
        if is_write(request) and (self.hurried or self.chance.random() < self.profile.race):
            self.races += 1
            self._raced = len(self.ledger.events)
            self._act(_target(request.path))
        self._maybe_crash(self.profile.crash_call, "before call")

    def _on_the_wire(self, request: Request) -> None:
        """The same at wire level, where a write is known by its address alone."""
        arrives = self._sends(request.path) if is_write(request) and _target(request.path) else None
        self._before(request)
        if arrives is not None:
            arrives()

    def _after(self, request: Request, response: Response) -> None:
        self.note(f"{response.status} {response.cut or ''} {_print(response.body)}")
        if is_write(request):
            self.watch(HUB)
            self._find_hidden()
        if self.crew is not None:
            self.crew.give_way()
        if self.armed:
            self._maybe_crash(self.profile.crash_call, "after call")

    def _at_commit(self, where: str) -> None:
        self.commits += 1
        if self.cursors is not None and where == "after commit":
            self.cursors.look()
        if self.armed:
            self._maybe_crash(self.profile.crash_commit, where)

    def _maybe_crash(self, rate: float, where: str) -> None:
        if rate and self.chance.random() < rate:
            self.crashes[where] = self.crashes.get(where, 0) + 1
            self.note(f"crash {where}")
            raise Crashed(where)

    def _find_hidden(self) -> None:
        """Whether the write just made replaced a status that its user had set after the hub could read it."""
        if self._raced is None:
            return
        recent = [event for event in self.ledger.events[self._raced :] if event.what is What.STATUS]
        self._raced = None
        for event in recent:
            after = next((e for e in recent if e.by == HUB and e.record == event.record and e.no > event.no), None)
            if event.by == USER and after is not None and after.old == event.new and not self._came_back(after):
                self.ledger.hidden.append(Hidden(record=event.record, lost=event.new, by=after.new))

    def _came_back(self, write: Event) -> bool:
        """Whether its users only went away and came back since the hub last wrote to the record: that is no change.

        Nor is it, on a ticket, when they did so within one second: all that has one version there.
        """
        own: list[Event] = []
        for event in reversed(self.ledger.events[: write.no]):
            if event.record == write.record and event.what is What.STATUS:
                if event.by == HUB:
                    break
                own.append(event)
        soon = [] if is_tracker(write.record) else [event for event in own if int(event.at) == int(write.at)]
        return any(each[-1].old == write.old for each in (own, soon) if each)

    # --- the truth -----------------------------------------------------------------------------------------------

    def watch(self, by: str = USER) -> None:
        """Take in what has changed on both sides since the last look."""
        for ticket_id, entry in self.desk.model.entries.items():
            ticket = entry.ticket
            shape = Shape(
                status=ticket.status,
                tags=frozenset(tag.casefold() for tag in ticket.tags),
                gone=entry.is_deleted,
                merged_into="" if entry.merged_into is None else f"Z{entry.merged_into}",
            )
            self._see(f"Z{ticket_id}", shape, by)
        for issue_id, issue in self.site.site.issues.items():
            if f"T{issue_id}" not in self.ledger.shapes and issue.creator == self._hub_user:
                self.ledger.made[f"T{issue_id}"] = _made(issue)
            tags = frozenset(label.casefold() for label in issue.labels)
            self._see(f"T{issue_id}", Shape(status=BY_ID[issue.status].name, tags=tags), by)
        for issue_id in self.site.site.deleted:
            known = self.ledger.shapes.get(f"T{issue_id}")
            if known is not None and not known.gone:
                self._see(f"T{issue_id}", Shape(status=known.status, tags=known.tags, gone=True), by)

    def _see(self, record: str, shape: Shape, by: str) -> None:
        if self.ledger.shapes.get(record) == shape:
            return
        for event in self.ledger.see(record, shape, by):
            self.note(f"{event.by} {event.record} {event.what} {event.old}>{event.new}")

    def note(self, line: str) -> None:
        """Add a line to the trace."""
        line = f"{self.clock.epoch():.2f} {line}"
        self._digest.update(line.encode())
        if self.trace is not None:
            self.trace.append(line)

    @property
    def digest(self) -> str:
        """The trace so far, as one value."""
        return self._digest.hexdigest()[:16]

    # --- faults --------------------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Let things go wrong from now on."""
        self.armed = True
        senders = self.profile.senders()
        self.desk.change_settings(senders["zendesk"])
        self.site.change_settings(senders["jira"])
        for rule in self.profile.rules(kind="zendesk"):
            self.desk.control.faults.add(rule)
        for rule in self.profile.rules(kind="jira"):
            self.site.control.faults.add(rule)
        self.oddities.bring_about(self.chance)

    def heal(self) -> None:
        """Let everything work again."""
        self.armed = False
        self.fired()
        self.oddities.lift()
        self.desk.control.faults.clear()
        self.site.control.faults.clear()
        calm = Profile(name="calm").senders()
        self.desk.change_settings(calm["zendesk"])
        self.site.change_settings(calm["jira"])

    def fired(self) -> Mapping[str, int]:
        """How often each kind of fault was injected."""
        found: dict[str, int] = dict(getattr(self, "_fired", {}))
        for stand_in in (self.desk, self.site):
            for row in stand_in.control.faults.listing():
                if row["fired"]:
                    name = str(row["kind"]) + ("_applied" if row["applied"] else "")
                    found[name] = found.get(name, 0) + int(row["fired"])
        self._fired = found
        return found

    def hub_writes(self) -> int:
        """Changes that the hub's own accounts have made so far, on both sides."""
        desk = int(self.desk.model.writes.get(self.desk.model.hub.id, 0))
        return desk + sum(count for name, count in self.site.site.writes.items() if name.startswith("hub "))

    def _register_hooks(self) -> None:
        self.desk.act(
            {
                "act": "webhook",
                "endpoint": "http://127.0.0.1/hooks/support",
                "secret": _ZENDESK_SECRET,
                "subscriptions": [f"zen:event-type:ticket.{name}" for name in _HOOKS],
            }
        )
        self.site.act({"act": "webhook", "url": "http://127.0.0.1/hooks/tracker", "secret": _JIRA_SECRET})


@lru_cache(maxsize=16)
def _print(body: bytes) -> str:
    """A few digits that tell bodies apart. At contract level they are all empty."""
    return hashlib.sha256(body).hexdigest()[:12]


_NOTE = re.compile(r"worked on as ([A-Z]+-\d+)")


def _made(issue: Issue) -> Made:
    named = _TICKET.search(str(issue.description))
    marker = next((str(value.get("marker")) for value in issue.properties.values() if isinstance(value, dict)), "")
    return Made(marker=marker, source=f"Z{named[1]}" if named else "")


_TICKET, _ISSUE = re.compile(r"/tickets/(\d+)"), re.compile(r"/issue/(\d+)")


def _target(path: str) -> str:
    """The record that a write is about, as the ledger names it, or ""."""
    for letter, pattern in (("Z", _TICKET), ("T", _ISSUE)):
        if found := pattern.search(path):
            return letter + found[1]
    return ""


@cache
def _configured() -> tuple[Configured, ...]:
    desk: dict[str, Json] = {
        "subdomain": "acme",
        "base_url": DESK,
        "client_id": "hypercare",
        "client_secret": "sandbox-client-secret",
    }
    site: dict[str, Json] = {
        "url": SITE,
        "projects": ["OPS"],
        "webhook_secret": _JIRA_SECRET,
        "auth": {"kind": "cloud_token", "email": "hub@example.com", "api_token": "hub-token"},
    }
    return (
        Configured(
            name="support",
            connector=zendesk.CONNECTOR,
            settings=ZendeskSettings.model_validate(desk),
            webhook_secrets=(_ZENDESK_SECRET,),
        ),
        Configured(
            name="tracker",
            connector=jira.CONNECTOR,
            settings=JiraSettings.model_validate(site),
            webhook_secrets=(_JIRA_SECRET,),
        ),
    )
