"""What a feed has to say for the log, kept until its turn ends: the connector has no log of its own."""

from __future__ import annotations

from collections.abc import Mapping

from sync.model import Json

Note = tuple[str, Mapping[str, Json]]


class Notes:
    """Events with their facts, in order."""

    def __init__(self) -> None:
        self._kept: list[Note] = []

    def tell(self, event: str, /, **facts: Json) -> None:
        """Keep an event."""
        self._kept.append((event, facts))

    def taken(self) -> list[Note]:
        """All that was kept since this was last asked."""
        taken, self._kept = self._kept, []
        return taken
