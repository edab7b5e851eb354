"""A day of work while both systems answer with rubbish now and then: nothing breaks, and in the end all sides agree.

Only rubbish that cannot be taken for an answer is sent: a remote that lies well decides what its records are.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.sandbox.wire import OutgoingHook, Request, Response
from sync.engine import contact, create, deliver, inbox, poll, refresh, settle
from sync.engine.hub import EngineSettings
from tests.hostile.corpus import RAW
from tests.support.launch import ROUTES, Launch, launch

_BROKEN = (
    "empty",
    "blank",
    "null",
    "bare value",
    "cut",
    "trailing",
    "random",
    "html",
    "bom",
    "utf-16",
    "utf-32",
)
_HURTFUL = ("nan", "infinity", "deep lists", "deep objects", "unclosed", "percent encoded", "gzip, unsaid")
RUBBISH: tuple[str, ...] = (*_BROKEN, *_HURTFUL)
STATUSES = (204, 300, 304, 307, 408, 425, 429, 500, 502, 503, 504, 599)


class Babbling:
    """A stand-in whose answers are rubbish at a rate; what it was told to do, it does."""

    def __init__(self, inner: Any, rng: random.Random) -> None:
        self.inner = inner
        self.rate = 0.0
        self.said = 0
        self._rng = rng

    def handle(self, request: Request) -> Response:
        good: Response = self.inner.handle(request)
        if self._rng.random() >= self.rate:
            return good
        self.said += 1
        if self._rng.random() < 0.3:
            return Response(status=self._rng.choice(STATUSES), body=good.body, headers=good.headers)
        spoilt = RAW[self._rng.choice(RUBBISH)](self._rng, good.body)
        if spoilt == good.body:
            spoilt = b""
        return Response(status=good.status, body=spoilt, headers=good.headers)

    def due_hooks(self, now: float) -> list[OutgoingHook]:
        due: list[OutgoingHook] = self.inner.due_hooks(now)
        return due

    def hook_answered(self, hook: OutgoingHook, status: int | None, now: float) -> None:
        self.inner.hook_answered(hook, status, now)


def play(folder: Path, seed: int, *, rounds: int = 12, rate: float = 0.3) -> list[str]:
    """One day; what is wrong at its end, one line each. Raises whatever left a worker."""
    rng = random.Random(seed)
    day = launch(folder, routes=ROUTES, seed=seed, settings=EngineSettings())
    pairs = [day.linked_pair(status="open") for _ in range(2)]
    babbling = {name: Babbling(side.inner, random.Random(seed * 2 + n)) for n, (name, side) in enumerate(_sides(day))}
    day.world.stand_ins = babbling
    day.world.restart()
    for each in babbling.values():
        each.rate = rate
    wanted: dict[int, set[str]] = {ticket: set() for ticket, _ in pairs}
    statuses = {ticket: "open" for ticket, _ in pairs}
    routed = 0
    for number in range(rounds):
        ticket, issue = rng.choice(pairs)
        choice = rng.random()
        if choice < 0.4:
            wanted[ticket].add(f"t{number}")
            day.tag(ticket, add=(f"t{number}",))
        elif choice < 0.7:
            wanted[ticket].add(f"l{number}")
            day.label(issue, add=f"l{number}")
        elif choice < 0.9:
            statuses[ticket] = "open" if statuses[ticket] == "solved" else "solved"
            day.agent(ticket, statuses[ticket])
        else:
            day.ticket(tags=["outage"], status="open")
            routed += 1
        _work(day, rng)
    for each in babbling.values():
        each.rate = 0.0
    for seconds in (120, 400, 1000, 2000, 4000):
        day.world.wait(seconds, step=100)
    wrong = list(_wrong(day, pairs, wanted, statuses, routed))
    if not sum(each.said for each in babbling.values()):
        wrong.append("no rubbish was said")
    day.world.close()
    return wrong


def _sides(day: Launch) -> list[tuple[str, Any]]:
    return sorted(day.at_write.items())


def _work(day: Launch, rng: random.Random) -> None:
    """Some workers, as they come."""
    day.world.clock.advance(rng.choice((1.0, 10.0, 70.0)))
    hub = day.world.hub
    for _ in range(rng.choice((2, 5))):
        day.world.deliver_hooks()
        inbox.read_inbox(hub)
        for name in ("support", "tracker"):
            connected = hub.named(name)
            for doing in (contact.greet, create.create, deliver.deliver, refresh.refresh, poll.poll):
                doing(hub, connected)
        settle.settle(hub)


def _wrong(
    day: Launch, pairs: list[tuple[int, str]], wanted: dict[int, set[str]], statuses: dict[int, str], routed: int
) -> Iterator[str]:
    for ticket, issue in pairs:
        shown, done = day.ticket_now(ticket), day.issue_now(issue)
        missing = {tag for tag in wanted[ticket] if tag not in done["labels"]}
        missing |= {tag for tag in wanted[ticket] if tag.startswith("l") and tag not in shown["tags"]}
        if missing:
            yield f"{issue}: tags {sorted(missing)} did not arrive"
        if (done["status"] == "Done") is not (statuses[ticket] == "solved") or shown["status"] != statuses[ticket]:
            yield f"{issue} shows {done['status']}, ticket {ticket} {shown['status']}, wanted {statuses[ticket]}"
    made = len(day.issues()) - len(pairs)
    if made != routed:
        yield f"{made} issues were created for {routed} routed tickets"
    for ticket, _ in pairs:
        if len(day.notes_on(ticket)) > 1:
            yield f"ticket {ticket} has {len(day.notes_on(ticket))} notes of one link"
