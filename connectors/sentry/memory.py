"""What all clients of one connection remember together while the process runs. Losing it costs calls, nothing else."""

from __future__ import annotations

from sync.model import Json

KEPT = 50_000
"""Entries of one topic; beyond that the topic is forgotten and learnt anew."""


class Memory:
    """Topics of small values in `Ports.shared`: plain values, each written whole, so that threads need no lock."""

    def __init__(self, shared: dict[str, Json]) -> None:
        self._shared = shared

    def get(self, topic: str, key: str = "") -> Json:
        """What was put there last, or None."""
        return self._shared.get(f"{topic}:{key}")

    def put(self, topic: str, key: str, value: Json) -> None:
        """Remember a value."""
        name, count = f"{topic}:{key}", f"#{topic}"
        if name not in self._shared:
            held = int(self._shared.get(count) or 0) + 1
            if held > KEPT:
                for each in [each for each in list(self._shared) if each.startswith(f"{topic}:")]:
                    self._shared.pop(each, None)
                held = 1
            self._shared[count] = held
        self._shared[name] = value

    def keys(self, topic: str) -> list[str]:
        """The keys of a topic, sorted."""
        start = f"{topic}:"
        return sorted(each[len(start) :] for each in list(self._shared) if each.startswith(start))

    def turn(self, topic: str, most: int) -> list[str]:
        """The next keys of a topic, each in its turn, at most so many."""
        keys, last = self.keys(topic), str(self._shared.get(f"#turn {topic}") or "")
        following = [key for key in keys if key > last]
        chosen = (following or keys)[:most]
        if chosen:
            self._shared[f"#turn {topic}"] = chosen[-1]
        return chosen
