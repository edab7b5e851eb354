"""What a run of histories found: figures per level and profile, and each failure with the command that replays it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct, field

from sync.model import Json
from sync.simulation import coverage
from sync.simulation.history import Outcome
from sync.simulation.laws import JUDGED, UNCHECKED

ALONE: Mapping[str, str] = {
    "H9": "no late write: workers are interleaved only where greenlet is installed (it comes with the development "
    "dependencies)",
    "H15": "single flight: two decide at the same time only where greenlet is installed",
}
"""What is not checked besides, where no worker gave way to another."""

CONTRACT_ONLY = ("faults: clock jump", "premises: H11")
"""What is met at contract level alone."""

APART: Mapping[str, tuple[str, ...]] = {"rare": ("H15", "H24", "H26"), "orders": ("H14",)}
"""The laws that are put to the test in histories of a kind of their own."""

ALONE_UNMET = tuple(f"premises: {law}" for law in ALONE)


COUNTED = ("edits", "faults", "conflicts", "parks", "holds", "circumstances", "premises")
"""What is counted by kind."""


class Failure(Struct, frozen=True, kw_only=True):
    """One history that ended wrong. profile: what it was played with. asked: what the run was given (`mixed` draws)."""

    seed: int
    profile: str
    violations: tuple[str, ...]
    asked: str = "mixed"
    mode: str = "safety"
    level: str = "wire"

    @property
    def replay(self) -> str:
        """The command that plays it again."""
        asked = "" if self.asked == "mixed" else f" --profile {self.asked}"
        mode = "" if self.mode == "safety" else f" --mode {self.mode}"
        level = "" if self.level == "wire" else f" --level {self.level}"
        return f"hypercare simulate --replay {self.seed}{asked}{mode}{level}"


class Figures(Struct, kw_only=True):
    """Sums over the histories of one profile. with_*: how many histories had at least one."""

    histories: int = 0
    steps: int = 0
    calls: int = 0
    writes: int = 0
    most_turns: int = 0
    edits: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, int] = field(default_factory=dict)
    parks: dict[str, int] = field(default_factory=dict)
    holds: dict[str, int] = field(default_factory=dict)
    circumstances: dict[str, int] = field(default_factory=dict)
    premises: dict[str, int] = field(default_factory=dict)
    with_conflicts: int = 0
    with_parks: int = 0
    with_holds: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one history."""
        self.histories += 1
        self.steps += outcome.steps
        self.calls += outcome.calls
        self.writes += outcome.writes
        self.most_turns = max(self.most_turns, outcome.turns)
        for name in COUNTED:
            setattr(self, name, dict(sorted((Counter(getattr(self, name)) + Counter(getattr(outcome, name))).items())))
        self.with_conflicts += bool(outcome.conflicts)
        self.with_parks += bool(outcome.parks)
        self.with_holds += bool(outcome.holds)


class Level(Struct, kw_only=True):
    """How many histories ran at one level, how many ended wrong, and how fast: histories a second of one process.

    busy: seconds of processor time, where one process did it all (0.0: not known). On a machine that others use as
    well it tells what a core of its own would do.
    """

    histories: int
    seconds: float
    processes: int = 1
    violations: int = 0
    busy: float = 0.0

    @property
    def per_second(self) -> float:
        """Histories a second of one process."""
        return self.histories / self.seconds if self.seconds else 0.0

    @property
    def per_core(self) -> float:
        """Histories a second of processor time, 0.0 where that is not known."""
        return self.histories / self.busy if self.busy else 0.0


class Report(Struct, kw_only=True):
    """The outcome of a run. digest: one value for all traces, the same for the same seeds.

    asked: the profile that was asked for. mode: `safety` or `liveness`. signals: what the histories with a Sentry and a
    gateway met, and how often.
    """

    seed: int
    histories: int
    digest: str
    levels: dict[str, Level]
    profiles: dict[str, Figures]
    signals: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    asked: str = "mixed"
    mode: str = "safety"

    @property
    def unreached(self) -> list[str]:
        """What the run should have met and did not, as `parks: no_path`."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in coverage.EXPECTED}
        for figures in self.profiles.values():
            for name, found in counts.items():
                found.update(getattr(figures, name))
        missing = coverage.unreached(counts)
        excused = () if self.is_interleaved else ALONE_UNMET
        excused = excused if "contract" in self.levels else (*excused, *CONTRACT_ONLY)
        apart = {f"premises: {law}" for law in self._apart}
        return [each for each in missing if each not in excused and each not in apart]

    @property
    def _apart(self) -> dict[str, str]:
        """The laws that need histories of a kind that was not played, and why they were not checked."""
        missing = [kind for kind in APART if kind not in self.levels]
        return {law: f"no histories of this kind were played (--{kind} N)" for kind in missing for law in APART[kind]}

    @property
    def is_interleaved(self) -> bool:
        """Whether workers came between one another."""
        return any(figures.premises.get("H9") for figures in self.profiles.values())

    @property
    def unchecked(self) -> dict[str, str]:
        """The laws that this run did not check, and why."""
        alone = {} if self.is_interleaved else ALONE
        return dict(sorted({**UNCHECKED, **alone, **self._apart}.items()))

    @property
    def judged(self) -> dict[str, str]:
        """The laws that this run checked, and what judged each."""
        return {law: how for law, how in JUDGED.items() if law not in self.unchecked}

    @property
    def is_enough(self) -> bool:
        """Whether the run was so large that it had to meet everything."""
        return self.histories >= coverage.ENOUGH and self.asked == "mixed" and self.mode == "safety"

    @property
    def is_good(self) -> bool:
        """No history ended wrong, and a large run met everything."""
        return not self.failures and not (self.is_enough and self.unreached)

    @property
    def violations(self) -> int:
        """How many histories ended wrong."""
        return len(self.failures)

    def as_json(self) -> Json:
        """The report as plain values."""
        plain = msgspec.to_builtins(self)
        plain["violations"] = self.violations
        plain["unchecked"] = self.unchecked
        plain["judged"] = self.judged
        plain["interleaved"] = self.is_interleaved
        plain["unreached"] = self.unreached
        plain["beyond"] = {name: dict(why) for name, why in coverage.BEYOND.items()}
        plain["good"] = self.is_good
        for name, level in self.levels.items():
            plain["levels"][name]["per_second"] = round(level.per_second, 2)
            plain["levels"][name]["per_core"] = round(level.per_core, 2)
        for failure, told in zip(self.failures, plain["failures"], strict=True):
            told["replay"] = failure.replay
        return plain

    def as_text(self) -> str:
        """The report for people."""
        return "\n".join(_lines(self))


def _lines(report: Report) -> Iterable[str]:
    wrong = f"{report.violations} ended wrong; digest {report.digest}"
    yield f"{report.histories} histories from seed {report.seed}, {wrong}"
    for name, level in sorted(report.levels.items()):
        core = f", {level.per_core:.2f}/s of processor time" if level.busy else ""
        yield (
            f"  level {name}: {level.histories} histories, {level.violations} ended wrong, "
            f"{level.per_second:.2f}/s a process{core}"
        )
    for name, figures in sorted(report.profiles.items()):
        yield (
            f"  profile {name}: {figures.histories} histories, {figures.steps} steps, "
            f"{sum(figures.edits.values())} edits, {sum(figures.faults.values())} faults, "
            f"{figures.calls} calls, {figures.writes} writes"
        )
        for kind in COUNTED:
            found: dict[str, int] = getattr(figures, kind)
            if found:
                yield f"    {kind}: " + ", ".join(f"{key} {count}" for key, count in found.items())
        yield (
            f"    histories with a conflict {figures.with_conflicts}, a park {figures.with_parks}, "
            f"a hold {figures.with_holds}"
        )
    if report.signals:
        yield "  with a Sentry and a gateway: " + ", ".join(f"{key} {count}" for key, count in report.signals.items())
    for failure in report.failures:
        yield f"  WRONG seed {failure.seed} ({failure.profile}, {failure.level}): replay with `{failure.replay}`"
        for line in failure.violations:
            yield f"    {line}"
    if report.unreached and report.histories:
        verdict = (
            "WRONG: never met" if report.is_enough else f"never met (a run of {coverage.ENOUGH} mixed ones has to)"
        )
        yield f"  {verdict}: " + "; ".join(report.unreached)
    for kind, names in coverage.BEYOND.items():
        yield f"  beyond these actors, {kind}: " + "; ".join(f"{name} ({why})" for name, why in names.items())
    yield "  checked: " + ", ".join(report.judged)
    yield "  not checked here: " + "; ".join(f"{law} ({why})" for law, why in report.unchecked.items())
