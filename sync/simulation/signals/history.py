"""One seeded history with a Sentry and a gateway: acts, faults, rests, and what must be so after each rest."""

from __future__ import annotations

import hashlib
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import columns
from sync.simulation.signals.expected import Expected, Signal
from sync.simulation.signals.place import Place
from sync.simulation.world import NeverQuiet
from sync.store.tables import records

STEPS = 12
SIGNATURE = "signature"
AGE = 2 * 3600.0
"""Seconds of silence in which errors resolve themselves here."""

QUIET = 5 * 3600.0
ENOUGH = 20
"""Seconds without a failing call, and good calls meanwhile, after which the gateway's rule resolves a signature."""

FAULTS = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.IGNORE_WRITE,
    FaultKind.UNAVAILABLE,
    FaultKind.RATE_LIMITED,
    FaultKind.SERVER_ERROR,
    FaultKind.TRUNCATED,
    FaultKind.HTML,
)
_OPEN_TICKET = ("new", "open", "pending", "hold")


@dataclass(kw_only=True)
class Outcome:
    """What became of one history. met: each act and each fault, how often."""

    seed: int
    digest: str = ""
    violations: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


class History:
    """One history. `run` plays it to its end and judges it."""

    def __init__(self, seed: int, folder: Path, *, steps: int = STEPS) -> None:
        self.rng = random.Random(seed)  # noqa: S311  repeatable on purpose
        self.outcome = Outcome(seed=seed)
        self.steps = steps
        hooks = self.rng.random() < 0.6
        switches: dict[str, Any] = {
            "age_resolution": self.rng.choice(("told", "silent")),
            "index_lag": self.rng.choice((0, 0, 60)),
            "edition": self.rng.choice(("saas", "self_hosted")),
        }
        self.place = Place(folder, seed, hooks=hooks, switches=switches)
        self.expected = Expected()
        self.errors: list[str] = []
        self.rows: list[str] = []
        self.archived_writes: dict[str, int] = {}
        self.aged = False
        self.failed_at, self.good_since, self.sure = 0.0, 0, False
        self.has_been_quiet = False
        # Whether the model does not say who counts: a deletion that is not confirmed yet may count as open.
        self.unsure = False
        self.key, self.number = "", 0
        self._titles = 0

    def run(self) -> Outcome:
        """Play and judge."""
        try:
            self._set_up()
            for step in range(self.steps):
                if not self._step(step):
                    break
            self._judge_end()
        except NeverQuiet as error:
            self._wrong(f"H2: {error}")
        finally:
            self.place.close()
        trace = "\n".join((*self.outcome.trace, *self.outcome.violations))
        self.outcome.digest = hashlib.sha256(trace.encode()).hexdigest()[:16]
        return self.outcome

    def _set_up(self) -> None:
        place = self.place
        self.number = int(place.desk.act({"act": "create"})["ticket"])
        self.key = str(place.site.act({"act": "create", "summary": "Checkout fails"})["key"])
        first = [self._new_error() for _ in range(self.rng.choice((1, 1, 2, 3)))]
        place.world.start()
        self._rest()
        place.link(self.key, f"support:{self.number}")
        for each in first:
            self._join(each)
        self._rest()

    def _new_error(self) -> str:
        self._titles += 1
        title = f"TypeError: {self._titles}"
        return self.place.event(title=title, fingerprint=title, environment=self.rng.choice(("production", "staging")))

    def _join(self, error: str) -> None:
        self.place.link(self.key, f"errors:{error}")
        self.errors.append(error)
        self.expected.signals[error] = Signal(done=self.place.shown(error)["status"] == "resolved")

    # --- one step -------------------------------------------------------------------------------------------------

    def _step(self, step: int) -> bool:
        """One act, faults around it, a rest; False when something was wrong."""
        acts = self._possible()
        name = self.rng.choice(sorted(acts))
        faults = self._fault()
        acts[name]()
        self.outcome.met[name] += 1
        dropped = self.place.drop_hooks() if self.rng.random() < 0.3 else 0
        self.outcome.met["hooks dropped"] += dropped
        if self.rng.random() < 0.1:
            self.place.restart()
            self.outcome.met["restart"] += 1
        self._rest()
        self.place.org.control.faults.clear()  # what met no call does not wait for the next act
        if self._differences():
            # A write that failed is tried again after a while, and what is in doubt is looked at again later still.
            self.place.world.wait(2400, step=300)
            self.outcome.met["rested longer"] += 1
        self.outcome.trace.append(f"{step} {name} {faults} -> {self._shows()}")
        if met := self._asks():
            # Three writes of one value in an hour that changed nothing are a fight, and what fails too often is parked:
            # a person is asked, and nothing more is to be expected.
            self.outcome.met[met] += 1
            return False
        for wrong in self._differences():
            self._wrong(f"step {step}, after {name}{faults}: {wrong}")
        return not self.outcome.violations

    def _asks(self) -> str:
        """What a person has been asked by now; "" for nothing. A record that is not there any more asks nobody here."""
        told = self.place.world.told
        reasons = [str(each["reason"]) for each in told("parked") if each["reason"] != "record_unreachable"]
        return "held as a fight" if told("field_held") else f"parked {reasons[0]}" if reasons else ""

    def _possible(self) -> dict[str, Callable[[], None]]:
        expected, rng = self.expected, self.rng
        live = [each for each in self.errors if not expected.signals[each].archived]
        open_, done = (
            [each for each in live if not expected.signals[each].done],
            [each for each in live if expected.signals[each].done],
        )
        signature = expected.signals.get(SIGNATURE)
        acts: dict[str, Callable[[], None]] = {
            "issue reopened" if expected.tracker else "issue done": self._tracker,
            "lines repeated": lambda: self.place.repeat(self.rows[-20:]),
            "log rotated": self.place.rotate,
            "good calls": lambda: self._calls(good=30, bad=0),
        }
        if expected.ticket == expected.tracker:
            acts["ticket reopened" if expected.ticket else "ticket solved"] = self._ticket
        if open_ and not self.unsure:
            acts["error resolved"] = lambda: self._resolve(rng.choice(open_))
        if open_:
            acts["error seen"] = lambda: self._see(rng.choice(open_))
            if not expected.tracker:
                acts["error archived"] = lambda: self._archive(rng.choice(open_))
        if done:
            acts["error regressed"] = lambda: self._see(rng.choice(done))
        if len(live) > 1:
            acts["errors merged"] = lambda: self._merge(*rng.sample(live, 2))
            acts["error deleted"] = lambda: self._delete(rng.choice(live))
        if len(self.errors) < 4 and not expected.tracker:
            acts["error joined"] = lambda: self._join(self._late_error())
        if open_ and not self.aged:
            acts["errors resolved by age"] = self._age
        if signature is None and not expected.tracker:
            acts["calls fail"] = self._bad_release
        elif signature is not None and not self.aged:
            acts["silence"] = self._silence
            acts["late lines"] = self._late
            if signature.done:
                acts["calls fail again"] = self._regress_calls
            else:
                acts["quiet with traffic"] = self._quiet
        return acts

    def _fault(self) -> str:
        if self.rng.random() >= 0.4:
            return ""
        kind = self.rng.choice(FAULTS)
        operation = self.rng.choice(("issue.update", "issue.update", "issues.list", "issue.get", "*"))
        self.place.org.control.faults.add(
            FaultRule(kind=kind, operation=operation, count=self.rng.choice((1, 2)), seconds=1.0, status=502)
        )
        self.outcome.met[f"fault {kind}"] += 1
        return f" under {kind} of {operation}"

    def _rest(self) -> None:
        """Long enough for lags, retries, pending merges and confirmed absences."""
        self.place.world.wait(420, step=105)

    # --- acts -----------------------------------------------------------------------------------------------------

    def _tracker(self) -> None:
        if self.expected.tracker:
            self.place.site.act({"act": "transition", "issue": self.key, "to": "To Do"})
            self._reopened()
            self.expected.tracker_reopened()
            return
        if self.place.issue(self.key)["status"] == "To Do":
            self.place.site.act({"act": "transition", "issue": self.key, "to": "In Progress"})
        self.place.site.act({"act": "transition", "issue": self.key, "to": "Done"})
        self.expected.tracker_done()

    def _ticket(self) -> None:
        done = self.expected.ticket
        self.place.desk.act({"act": "status", "ticket": self.number, "status": "open" if done else "solved"})
        if done:
            self.expected.ticket_reopened()
        else:
            self.expected.ticket_done()

    def _resolve(self, error: str) -> None:
        self.place.error("resolve", issue=error)
        self.expected.resolved(error)

    def _see(self, error: str) -> None:
        self.place.event(issue=error)
        if self.expected.signals[error].done:
            self.expected.regressed(error)

    def _archive(self, error: str) -> None:
        self.place.error("archive", issue=error)
        self.expected.archived(error)
        self.archived_writes[error] = self._hub_writes(error)

    def _merge(self, one: str, other: str) -> None:
        parent = str(self.place.error("merge", issues=[one, other])["parent"])
        gone = other if parent == one else one
        self.errors.remove(gone)
        self.expected.gone(gone)

    def _delete(self, error: str) -> None:
        self.place.error("delete", issue=error)
        self.unsure = True
        self.errors.remove(error)
        self.expected.gone(error)

    def _late_error(self) -> str:
        error = self._new_error()
        self._rest()
        return error

    def _age(self) -> None:
        self.aged = True
        self.place.error("project", slug="backend", resolve_age=1)
        self.place.world.wait(AGE, step=1200)
        self.place.error("project", slug="backend", resolve_age=0)
        for error in self.errors:
            if not self.expected.signals[error].archived and not self.expected.signals[error].done:
                self.expected.by_itself(error)

    def _calls(self, *, good: int, bad: int, ago: float = 0.0) -> None:
        self.rows += self.place.traffic(good=good, bad=bad, ago=ago)
        if bad and not ago:
            self.has_been_quiet = False
            self.failed_at, self.good_since, self.sure = self.place.clock.epoch(), 0, True
        else:
            self.good_since += good

    def _reopened(self) -> None:
        """The hub opens the signature again: its quiet time begins anew, and what counts for it is not said here."""
        if SIGNATURE in self.expected.signals and self.expected.signals[SIGNATURE].done:
            self.sure = False

    def _goes_quiet(self) -> bool | None:
        """Whether an open signature must have gone quiet by now; None where that is about to be."""
        quiet = self.place.clock.epoch() - self.failed_at
        if quiet < QUIET or self.good_since < ENOUGH:
            return False
        return True if self.has_been_quiet and self.sure else None

    def _bad_release(self) -> None:
        """Calls fail, a signature crosses its threshold, a person links it."""
        self._calls(good=20, bad=12)
        self._rest()
        found = self._signature()
        if found is None:
            self._wrong("failing calls made no signature")
            return
        self.place.link(self.key, f"gateway:{found[0]}")
        self.expected.signals[SIGNATURE] = Signal()

    def _late(self) -> None:
        """Lines of calls from when it failed last come only now: they are of before its resolve."""
        self._calls(good=0, bad=6, ago=self.place.clock.epoch() - self.failed_at)

    def _regress_calls(self) -> None:
        self.place.world.clock.advance(120)
        self._calls(good=20, bad=12)
        self.expected.regressed(SIGNATURE)

    def _silence(self) -> None:
        """Nothing at all comes for longer than the quiet time: the gateway may be down."""
        self.place.world.wait(QUIET + 3600, step=3600)

    def _quiet(self) -> None:
        """Good calls only, for longer than the quiet time."""
        self.has_been_quiet = True
        for _ in range(4):
            self._calls(good=ENOUGH, bad=0)
            self.place.world.wait(QUIET / 3, step=QUIET / 6)

    # --- judging --------------------------------------------------------------------------------------------------

    def _shows(self) -> str:
        states = {each: self.place.shown(each)["status"] for each in self.errors}
        found = self._signature()
        status = self.place.issue(self.key)["status"]
        return f"{status}, {self.place.ticket(self.number)}, {states}, {found and found[1]}"

    def _differences(self) -> list[str]:
        expected, wrong = self.expected, []
        tracker = self.place.issue(self.key)["status"]
        if (tracker == "Done") != expected.tracker:
            wrong.append(f"H1: the issue shows {tracker}, done should be {expected.tracker}")
        ticket = self.place.ticket(self.number)
        if (ticket not in _OPEN_TICKET) != expected.ticket:
            wrong.append(f"H1: the ticket shows {ticket}, done should be {expected.ticket}")
        for error in self.errors:
            signal, shown = expected.signals[error], self.place.shown(error)["status"]
            right = "ignored" if signal.archived else "resolved" if signal.done else "unresolved"
            if shown != right:
                wrong.append(f"H1: error {error} shows {shown} instead of {right}")
        if SIGNATURE in expected.signals:
            found, signal = self._signature(), expected.signals[SIGNATURE]
            quiet = not signal.done and self._goes_quiet()
            if quiet or (quiet is None and found is not None and found[1] == "resolved"):
                expected.by_itself(SIGNATURE)
            if found is None or (found[1] == "resolved") != signal.done:
                wrong.append(f"H1: the signature shows {found and found[1]}, done should be {signal.done}")
        return wrong

    def _judge_end(self) -> None:
        """What the systems' own histories must not hold, and that no line of the log counts twice or is lost."""
        for error in self.errors:
            kinds = [
                row["kind"] for row in self.place.shown(error)["activity"] if row["kind"].startswith(("set_", "un"))
            ]
            twice = any(one == two == "set_resolved" for one, two in pairwise(kinds))
            if twice:
                self._wrong(f"H7: error {error} was resolved while it was resolved: {kinds}")
            if error in self.archived_writes and self._hub_writes(error) != self.archived_writes[error]:
                self._wrong(f"error {error} was written while it was archived")
        before = dict(self.place.org.state()["writes"])
        self.place.world.wait(900, step=300)
        if dict(self.place.org.state()["writes"]) != before:
            self._wrong("H2: it goes on writing to Sentry at rest")
        labels = self.place.issue(self.key)["labels"]
        if len({label.casefold() for label in labels}) != len(labels):
            self._wrong(f"L16: labels twice: {labels}")

    def _hub_writes(self, error: str) -> int:
        rows = self.place.shown(error)["activity"]
        return sum(1 for row in rows if row["by"] not in ("system", "") and "hypercare" in row["by"])

    def _signature(self) -> tuple[str, str] | None:
        """Id and status of the signature that is a record, as the hub has it."""
        of = self.place.world.hub.named("gateway").id
        with self.place.world.store.read() as conn:
            rows = conn.execute(select(records.c.remote_id, records.c.body).where(records.c.connection_id == of)).all()
        if not rows:
            return None
        if len(rows) > 1:
            self._wrong(f"one route with one fault made {len(rows)} signatures")
        return str(rows[0].remote_id), str(columns.snapshot(rows[0].body).fields["status"])

    def _wrong(self, what: str) -> None:
        self.outcome.violations.append(what)


def play(seed: int, *, steps: int = STEPS) -> Outcome:
    """One history; what nobody expected is a violation, too."""
    with tempfile.TemporaryDirectory(prefix="hypercare-signals-") as folder:
        try:
            return History(seed, Path(folder), steps=steps).run()
        except Exception as error:  # noqa: BLE001  an unhandled error in any worker is what the run looks for
            return Outcome(seed=seed, violations=[f"unhandled {type(error).__name__}: {error}"])
