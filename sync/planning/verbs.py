"""Every command that a daemon carries out: the engine's, those of plans and of shadow mode, and those by hand."""

from __future__ import annotations

from sync.engine import by_hand, commands
from sync.planning import execute, shadowing

MORE = {"apply": execute.apply, "apply_stop": execute.stop, "shadow": shadowing.shadow, "by_hand": by_hand.by_hand}
"""Beside the engine's own."""

VERBS = {**commands.VERBS, **MORE}
