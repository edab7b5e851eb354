"""Order independence (H14): the same edits, told to the hub in one order after the other, end alike.

Nothing goes wrong here. People make a round of edits that do not speak against one another; the hub hears of them by
polls alone, by webhooks as they come, or by both in an order drawn from the seed, with calls lost and repeated and
workers that come between one another. At rest both systems and the items have to show the same, whatever the order.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from connectors.sandbox.control import Mistaken
from connectors.sandbox.wire import OutgoingHook
from sync.engine import create, deliver, inbox, poll, refresh, settle
from sync.model import Json, Side
from sync.simulation import sight
from sync.simulation.faults import Profile
from sync.simulation.history import Outcome
from sync.simulation.ledger import USER, Sight, is_tracker
from sync.simulation.meaning import HIDDEN, side
from sync.simulation.stage import Depth, Stage
from sync.simulation.world import NeverQuiet

ROUNDS = 4
"""Rounds of edits in one history, with a rest after each."""
ORDERS = 4
"""In how many orders each round is told: polls alone, calls as they come, and drawn ones."""

_TICKET_STATUSES = ("open", "pending", "hold", "solved")
_WORKFLOWS = ("stock", "global", "long")
_WORKERS = (create.create, deliver.deliver, refresh.refresh, poll.poll)


@dataclass(frozen=True)
class Edit:
    """What somebody does. system: `desk`, `site`, `hub`. asked: the act as it is taken there. after: seconds before."""

    system: str
    asked: Mapping[str, Json]
    after: float


Shown = Mapping[str, object]
"""What is to be seen at rest, by record or by the members of an item."""


def play(seed: int, *, rounds: int = ROUNDS, orders: int = ORDERS, trace: bool = False) -> Outcome:
    """Play the rounds once for each order, and compare what is to be seen after each of them with the first one.

    `Outcome.premises` counts, under H14, the rests that were compared after two edits or more.
    """
    first = _Telling(seed, 0)
    found = first.play([], rounds)
    violations, digest, compared = list(found.violations), hashlib.sha256(found.stage.digest.encode()), 0
    tellings = [found]
    for order in range(1, orders):
        if violations:
            break
        other = _Telling(seed, order)
        tellings.append(other)
        other.play(found.edits, rounds)
        violations += other.violations
        digest.update(other.stage.digest.encode())
        for number, (one, two) in enumerate(zip(found.rests, other.rests, strict=False)):
            compared += len(found.edits[number]) > 1
            if differing := list(differences(one, two)):
                violations += [
                    f"H14 order-decides: after round {number}, told as {order}: {each}" for each in differing
                ]
                break
    outcome = Outcome(
        seed=seed,
        profile="orders",
        digest=digest.hexdigest()[:16],
        violations=violations,
        steps=sum(map(len, found.edits)),
        calls=sum(each.stage.calls for each in tellings),
        edits=dict(found.kinds),
        premises={"H14": compared} if compared else {},
        writes=found.stage.hub_writes(),
        trace=[line for each in tellings for line in each.lines] if trace else None,
    )
    for each in tellings:
        each.stage.world.close()
    return outcome


def differences(one: Shown, two: Shown) -> Iterator[str]:
    """What one shows and the other does not, one line each."""
    for name in sorted(set(one) | set(two)):
        if one.get(name) != two.get(name):
            yield f"{name}: {one.get(name)}, and now {two.get(name)}"


class _Telling:
    """One world that is told of the edits in one order. rests: what was to be seen after each round."""

    def __init__(self, seed: int, order: int) -> None:
        self._seed = seed
        self._order = order
        self._chance = random.Random(seed)  # noqa: S311  repeatable on purpose
        profile = Profile(name="orders", routes=self._chance.random() < 0.5)
        workflow = self._chance.choice(_WORKFLOWS)
        self.stage = Stage(seed, profile, lambda _: None, workflow, Depth.CONTRACT)
        self.stage.trace = self.lines = [f"told as {order}"]
        self.edits: list[list[Edit]] = []
        self.rests: list[Shown] = []
        self.kinds: Counter[str] = Counter()
        self.violations: list[str] = []
        self._named = 0

    def play(self, edits: list[list[Edit]], rounds: int) -> _Telling:
        """Play all rounds: the given ones, or, when there are none, what this world's own state suggests."""
        try:
            self._set_up()
            for number in range(rounds):
                self._chance.seed(f"{self._seed} {number}")
                mine = edits[number] if edits else self._drawn()
                self.edits.append(mine)
                self._chance.seed(f"{self._seed} {number} {self._order}")
                self.stage.begin(f"{self._seed} {number} {self._order}")
                self._tell(mine)
                self.rests.append(self._shown())
        except NeverQuiet as error:
            self.violations.append(f"H2 never-quiet: {error}")
        return self

    # --- people ------------------------------------------------------------------------------------------------------

    def _set_up(self) -> None:
        stage, chance = self.stage, self._chance
        issues = [stage.site.act({"act": "create", "summary": "Checkout fails"}) for _ in range(chance.randint(1, 2))]
        tickets = [
            int(stage.desk.act({"act": "create", "status": chance.choice(("new", "open", "pending"))})["ticket"])
            for _ in range(chance.randint(2, 6))
        ]
        stage.watch(USER)
        stage.world.start()
        stage.clock.advance(90)
        stage.world.quiet()
        for place, ticket in enumerate(tickets):
            if place < len(issues) or chance.random() < 0.7:
                issue = issues[place % len(issues)]
                stage.world.command("link", one=f"support:{ticket}", two=str(issue["key"]))
        self._rest()

    def _drawn(self) -> list[Edit]:
        """A round: for each item one word about its status, and tags that only one of them speaks of."""
        found: list[Edit] = []
        homeless = set(self.stage.ledger.shapes)
        joining: list[Edit] = []
        for each in sight.sights(self.stage.world.hub):
            homeless -= {member.record for member in each.members}
            found += self._statuses(each)
            found += self._tags(each)
        waiting = sorted(record for record in homeless if not is_tracker(record))
        trackers = sorted(record for record in self.stage.ledger.shapes if is_tracker(record))
        if waiting and self._chance.random() < 0.5:
            ticket, issue = self._chance.choice(waiting), self._chance.choice(trackers)
            found = [edit for edit in found if not self._is_of(edit, issue)]
            self.kinds["link"] += 1
            key = self.stage.site.site.issues[int(issue[1:])].key
            joining.append(Edit("hub", {"one": f"support:{ticket[1:]}", "two": key}, 0.0))
        if self._chance.random() < 0.3:
            tags = ["outage"] if self.stage.profile.routes else []
            self.kinds["zendesk new"] += 1
            found.append(self._edit("desk", act="create", status="open", tags=[*tags, self._name()]))
        self._chance.shuffle(found)
        return [*joining, *found]

    def _is_of(self, edit: Edit, issue: str) -> bool:
        """Whether an edit is of the item of an issue: what a join brings depends on what the item has."""
        homes = sight.memberships(self.stage.world.hub)
        named = f"T{edit.asked['issue']}" if "issue" in edit.asked else f"Z{edit.asked.get('ticket', '')}"
        return named == issue or (named in homes and homes[named] == homes.get(issue))

    def _statuses(self, each: Sight) -> Iterator[Edit]:
        """What is said of one item in a round is said in one sense: who is heard first may not matter."""
        shapes, chance = self.stage.ledger.shapes, self._chance
        open_tickets = [
            m.record for m in each.members if not is_tracker(m.record) and shapes[m.record].status != "closed"
        ]
        trackers = [m.record for m in each.members if is_tracker(m.record)]
        theme = chance.random()
        if theme < 0.3 and open_tickets:
            yield self._set(chance.choice(open_tickets), chance.choice(_TICKET_STATUSES))
        elif theme < 0.5:
            for record in open_tickets:
                if side(record, shapes[record].status) is Side.ACTIVE:
                    yield self._set(record, "solved")
        elif theme < 0.65:
            for record in open_tickets:
                if side(record, shapes[record].status) is Side.DONE and chance.random() < 0.7:
                    yield self._set(record, "open")
        elif theme < 0.9 and trackers:
            site = self.stage.site.site
            user = site.user("engineer")
            assert user is not None  # every stand-in has one
            steps = site.steps(site.issues[int(trackers[0][1:])], user)
            if steps:
                self.kinds["jira status"] += 1
                yield self._edit("site", act="transition", issue=trackers[0][1:], to=chance.choice(steps).to)

    def _set(self, record: str, status: str) -> Edit:
        self.kinds["zendesk status"] += 1
        return self._edit("desk", act="status", ticket=int(record[1:]), status=status)

    def _tags(self, each: Sight) -> Iterator[Edit]:
        shapes, chance = self.stage.ledger.shapes, self._chance
        spoken: set[str] = set()
        able = [m.record for m in each.members if shapes[m.record].status != "closed"]
        for record in chance.sample(able, min(len(able), chance.randint(0, 3))):
            there = sorted(
                key for key in shapes[record].tags - spoken if not key.startswith(HIDDEN) and key != "outage"
            )
            if there and chance.random() < 0.4:
                key = chance.choice(there)
                spoken.add(key)
                yield self._tag(record, key, put_on=False)
            else:
                yield self._tag(record, self._name(), put_on=True)

    def _tag(self, record: str, key: str, *, put_on: bool) -> Edit:
        self.kinds["tag" if put_on else "untag"] += 1
        if is_tracker(record):
            return self._edit("site", act="add_label" if put_on else "remove_label", issue=record[1:], label=key)
        return self._edit("desk", act="tag", ticket=int(record[1:]), **{"add" if put_on else "remove": [key]})

    def _name(self) -> str:
        self._named += 1
        return f"tag{self._named}"

    def _edit(self, system: str, **asked: Json) -> Edit:
        return Edit(system, asked, self._chance.choice((0.0, 0.3, 2.0)))

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, edits: list[Edit]) -> None:
        world = self.stage.world
        world.hooks_on = self._order == 1
        for edit in edits:
            self.stage.clock.advance(edit.after)
            if edit.system == "hub":
                # When a link made elsewhere is seen is a matter of time, and who joins late has not heard what was said
                # before. So somebody links by command, and the hub comes to rest: the orders are those of what follows.
                world.command("link", **edit.asked)
                self._rest()
                continue
            try:
                (self.stage.desk if edit.system == "desk" else self.stage.site).act(dict(edit.asked))
            except Mistaken:
                self.stage.note(f"could not {edit.asked}")
            self.stage.watch(USER)
            if self._order > 1 and self._chance.random() < 0.4:
                self._work()
        if self._order == 0:
            world.deliver_hooks(lambda _: [])
        for _ in range(self._chance.randint(6, 14) if self._order > 1 else 0):
            self.stage.clock.advance(self._chance.choice((0.5, 3.0, 10.0, 31.0, 70.0)))
            self._work()
        self._rest()

    def _work(self) -> None:
        """Some workers, side by side; and some of the calls that are due, in any order."""
        world, chance = self.stage.world, self._chance
        world.deliver_hooks(self._some)
        work: list[Callable[[], object]] = [partial(inbox.read_inbox, world.hub), partial(settle.settle, world.hub)]
        work += [
            partial(doing, world.hub, world.hub.named(name)) for name in ("support", "tracker") for doing in _WORKERS
        ]
        chosen = chance.sample(work, chance.choice((1, 3, 6)))
        if self.stage.crew is not None:
            self.stage.crew.run(chosen)
            return
        for each in chosen:
            each()

    def _some(self, due: list[OutgoingHook]) -> list[OutgoingHook]:
        chance = self._chance
        found = [hook for hook in due for _ in range(chance.choice((0, 1, 1, 2)))]
        chance.shuffle(found)
        return found

    def _rest(self) -> None:
        for seconds in (70, 70, 400):
            self.stage.clock.advance(seconds)
            self.stage.world.quiet()
        if left := sight.waiting(self.stage.world.hub):
            self.violations.append(f"H2 unfinished: {'; '.join(left)}")

    def _shown(self) -> Shown:
        """Every record with its links and notes, and every item, named by its members."""
        self.stage.gather()
        ledger = self.stage.ledger
        found: dict[str, object] = {
            record: (replace(shape, tags=frozenset()), sorted(shape.tags), sorted(ledger.links.get(record, ())))
            for record, shape in ledger.shapes.items()
        }
        for (ticket, issue), count in ledger.notes.items():
            found[f"notes of {ticket} about {issue}"] = count
        for each in sight.sights(self.stage.world.hub):
            members = " ".join(sorted(member.record for member in each.members))
            found[members] = each.status, sorted(each.tags), sorted(m.record for m in each.members if m.aside)
        return found
