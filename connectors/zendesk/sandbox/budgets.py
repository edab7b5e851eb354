"""Rate limits: fixed windows of calls, counted in the stand-in's own time."""

from __future__ import annotations

from math import ceil

from msgspec import Struct


class Reading(Struct, frozen=True, kw_only=True):
    """How a window stands after a call. resets: whole seconds until it is full again, at least 1."""

    allowed: bool
    limit: int
    remaining: int
    resets: int


class _Window(Struct):
    began: float
    used: int


class Windows:
    """Counts calls by budget and key. A refused call does not count."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], _Window] = {}

    def take(self, name: str, key: str, limit: int, seconds: float, now: float) -> Reading:
        """Take one call from a budget."""
        if len(self._windows) > 50_000:
            self._windows = {k: w for k, w in self._windows.items() if now - w.began < 600}
        window = self._windows.get((name, key))
        if window is None or now - window.began >= seconds or now < window.began:
            window = _Window(now, 0)
            self._windows[name, key] = window
        allowed = window.used < limit
        if allowed:
            window.used += 1
        resets = max(1, ceil(window.began + seconds - now))
        return Reading(allowed=allowed, limit=limit, remaining=max(0, limit - window.used), resets=resets)
