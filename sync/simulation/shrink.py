"""Makes a failing history small: leaves out steps and faults as long as it still ends wrong by the same law."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from sync.simulation import faults, main
from sync.simulation.history import Mode, Outcome, play
from sync.simulation.stage import Depth

PLAYS = 200
"""Histories that are played at most: some minutes."""


class Smallest(Struct, frozen=True, kw_only=True):
    """The smallest history that was found. only: its steps. at_rest: fields of its profile that are switched off."""

    seed: int
    profile: str
    mode: str
    steps: int
    only: tuple[int, ...]
    at_rest: tuple[str, ...]
    violations: tuple[str, ...]
    plays: int
    level: str = "wire"

    def as_test(self) -> str:
        """A test for tests/sync/simulation/regressions, as it stands."""
        mode = "" if self.mode == Mode.SAFETY else f", mode=Mode.{self.mode.upper()}"
        names = "Mode, play" if mode else "play"
        depth = "" if self.level == Depth.WIRE else f", depth=Depth.{self.level.upper()}"
        more = "from sync.simulation.stage import Depth\n" if depth else ""
        law = law_of(self.violations[0]).lower().replace(" ", "_").replace("-", "_")
        found = "\n".join(f"    # {line[:110]}" for line in self.violations)
        return (
            f'"""Found by the history {self.profile} {self.seed}: say here what was wrong."""\n\n'
            "from __future__ import annotations\n\n"
            f"from sync.simulation.history import {names}\n{more}\n\n"
            f"def test_{law}_of_seed_{self.seed}() -> None:\n{found}\n"
            f'    outcome = play({self.seed}, "{self.profile}"{mode}{depth}, only={_written(self.only)}, '
            f"at_rest={_written(self.at_rest)})\n"
            "    assert outcome.violations == []\n"
        )


def _written(values: Sequence[int | str]) -> str:
    """A tuple as the formatter writes it."""
    inside = ", ".join(f'"{each}"' if isinstance(each, str) else str(each) for each in values)
    return f"({inside},)" if len(values) == 1 else f"({inside})"


def law_of(violation: str) -> str:
    """The law that a violation names: what stands before its colon."""
    return violation.split(":", 1)[0]


Tried = Callable[[Sequence[int], Sequence[str]], Sequence[str]]
"""Plays a history with these steps and these fields of its profile at rest; gives what went wrong."""


def shrink(
    seed: int,
    *,
    profile: str = "mixed",
    mode: str = Mode.SAFETY,
    level: str = Depth.WIRE,
    steps: int = main.STEPS,
    plays: int = PLAYS,
) -> Smallest | None:
    """The smallest history of a seed that still breaks a law which the whole one breaks. None: it ends as it should."""

    def tried(only: Sequence[int], at_rest: Sequence[str]) -> Sequence[str]:
        return _play(seed, profile, Mode(mode), Depth(level), only, at_rest).violations

    first = tried(range(steps), ())
    if not first:
        return None
    search = Search(tried, {law_of(each) for each in first}, plays)
    only, at_rest = search.smallest(tuple(range(steps)), faults.active(faults.drawn(seed, profile)))
    return Smallest(
        seed=seed,
        profile=profile,
        mode=str(mode),
        level=str(level),
        steps=steps,
        only=only,
        at_rest=at_rest,
        violations=tuple(search.last or first),
        plays=search.played,
    )


class Search:
    """Delta debugging over steps and faults. laws: any one of them must still be broken. last: what it ended with."""

    def __init__(self, tried: Tried, laws: set[str], plays: int) -> None:
        self._tried = tried
        self._laws = laws
        self._plays = plays
        self.played = 0
        self.last: Sequence[str] = ()

    def smallest(self, steps: tuple[int, ...], names: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The steps that are needed, and the fields of the profile that are not."""
        at_rest = self._calmed((), names, steps)
        steps = self._fewer(steps, at_rest)
        # With fewer steps, more faults may have lost their part.
        return steps, self._calmed(at_rest, names, steps)

    def _fails(self, steps: Sequence[int], at_rest: Sequence[str]) -> bool:
        if self.played >= self._plays:
            return False
        self.played += 1
        found = [each for each in self._tried(steps, at_rest) if law_of(each) in self._laws]
        if found:
            self.last = found
        return bool(found)

    def _calmed(self, at_rest: tuple[str, ...], names: Sequence[str], steps: Sequence[int]) -> tuple[str, ...]:
        for name in names:
            if name not in at_rest and self._fails(steps, (*at_rest, name)):
                at_rest = (*at_rest, name)
        return at_rest

    def _fewer(self, steps: tuple[int, ...], at_rest: Sequence[str]) -> tuple[int, ...]:
        """Leave out ever smaller pieces, until no single step can go."""
        size = max(1, len(steps) // 2)
        while steps:
            start, before = 0, len(steps)
            while start < len(steps):
                rest = steps[:start] + steps[start + size :]
                if self._fails(rest, at_rest):
                    steps = rest
                else:
                    start += size
            if size == 1 and len(steps) == before:
                return steps
            size = max(1, size // 2)
        return steps


def _play(seed: int, profile: str, mode: Mode, depth: Depth, only: Sequence[int], at_rest: Sequence[str]) -> Outcome:
    try:
        return play(seed, profile, mode=mode, only=only, at_rest=at_rest, depth=depth)
    except Exception as error:  # noqa: BLE001  an unhandled error is what a history may be shrunk for
        return Outcome(seed=seed, profile=profile, violations=[f"unhandled {type(error).__name__}: {error}"])
