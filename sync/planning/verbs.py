"""Every command that a daemon carries out: the engine's, and those of plans and of shadow mode."""

from __future__ import annotations

from sync.engine import commands
from sync.planning import execute, shadowing

MORE = {"apply": execute.apply, "apply_stop": execute.stop, "shadow": shadowing.shadow}
"""Beside the engine's own."""

VERBS = {**commands.VERBS, **MORE}
