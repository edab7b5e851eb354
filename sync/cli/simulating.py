"""`hypercare simulate`: the histories it plays, how far it is, and what it found."""

from __future__ import annotations

import sys
from typing import Any

from sync.cli.show import is_looked_at, say
from sync.cli.show import json as show_json

PROFILES = ("mixed", "calm", "hooks", "race", "lost", "crash", "swarm", "odd", "operators")
MODES = ("safety", "liveness")


def play(
    engine: Any, histories: int, seed: int, *, profile: str, pure: int, processes: int, mode: str, as_json: bool
) -> int:
    """Play many histories and report.

    0: none ended wrong, and a large run met all there is to meet; 1: else; 2: there is no such profile or mode.
    """
    if not _is_profile(profile) or not _is_mode(mode):
        return 2
    progress = _progress(histories) if is_looked_at() and not as_json else None
    report = engine.run(histories, seed, profile=profile, processes=processes, pure=pure, mode=mode, progress=progress)
    if progress is not None:
        sys.stderr.write("\n")
    if as_json:
        show_json(report.as_json())
    else:
        say(report.as_text())
    return 0 if report.is_good else 1


def show_again(engine: Any, seed: int, *, profile: str, mode: str) -> int:
    """Play one history once more and print its trace."""
    if not _is_profile(profile) or not _is_mode(mode):
        return 2
    outcome = engine.replay(seed, profile=profile, mode=mode)
    for line in outcome.trace:
        say(str(line))
    for violation in outcome.violations:
        say(f"WRONG: {violation}")
    if not outcome.violations:
        say(f"Seed {seed} ({outcome.profile}) ends as it should.")
    return 1 if outcome.violations else 0


def show_smallest(shrinking: Any, seed: int, *, profile: str, mode: str) -> int:
    """Look for the smallest history of a failing seed that still ends wrong, and print it as a regression test."""
    if not _is_profile(profile) or not _is_mode(mode):
        return 2
    found = shrinking.shrink(seed, profile=profile, mode=mode)
    if found is None:
        say(f"Seed {seed} ends as it should: there is nothing to shrink.")
        return 0
    say(found.as_test())
    return 1


def _is_mode(mode: str) -> bool:
    if mode in MODES:
        return True
    sys.stderr.write(f"--mode {mode}: there is no such mode; choose one of {', '.join(MODES)}\n")
    return False


def _is_profile(profile: str) -> bool:
    if profile in PROFILES:
        return True
    sys.stderr.write(f"--profile {profile}: there is no such profile; choose one of {', '.join(PROFILES)}\n")
    return False


def _progress(histories: int) -> Any:
    def tell(done: int, wrong: int) -> None:
        sys.stderr.write(f"\r{done} of {histories} histories, {wrong} wrong")
        sys.stderr.flush()

    return tell
