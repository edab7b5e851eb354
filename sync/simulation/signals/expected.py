"""What each side must show, by the group rules: written apart from the engine, and importing nothing of it.

One act of a person or a machine comes between two rests, so the order of seeing never decides. The rules: the
tracker's people are heard by everybody; a group is done when all of it is and a person, not a machine, made it so;
whoever reopens is heard by the tracker alone; what is archived, merged, deleted or joined moves nobody.
What is archived counts as before, until its item crosses the line: told like the others and never written, it has gone
along.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Signal:
    """An error or a signature. counts: it was a person, or the hub for one, that finished it. aside: it was finished on
    its own, against an open item, and stays so until its group is done together or it is seen again.
    """

    done: bool = False
    counts: bool = False
    archived: bool = False
    aside: bool = False


@dataclass
class Expected:
    """One item. tracker, ticket: whether they show it as done. reopens: how often the tracker had to be reopened."""

    tracker: bool = False
    ticket: bool = False
    signals: dict[str, Signal] = field(default_factory=dict)
    reopens: int = 0

    def _finish(self) -> None:
        """The whole item is done: everybody follows; what is archived counts as done from now on."""
        self.tracker = self.ticket = True
        for each in self.signals.values():
            if not each.done:
                each.done, each.counts, each.aside = True, True, False

    def tracker_done(self) -> None:
        """The tracker's people finish their issue."""
        self._finish()

    def tracker_reopened(self) -> None:
        """The tracker's people open it again: everybody hears them."""
        self.tracker = self.ticket = False
        for each in self.signals.values():
            if not each.aside:
                each.done = each.counts = False

    def ticket_done(self) -> None:
        """The agent solves the only ticket."""
        self.ticket = True
        if not self.tracker:
            self._finish()

    def ticket_reopened(self) -> None:
        """The agent opens it again."""
        self.ticket = False
        self._reopen()

    def resolved(self, name: str) -> None:
        """A person resolves an error."""
        signal = self.signals[name]
        signal.done = signal.counts = True
        if self.tracker:
            return
        signal.aside = True
        if all(each.done and each.counts for each in self.signals.values()):
            self._finish()
            for each in self.signals.values():
                each.aside = False

    def by_itself(self, name: str) -> None:
        """It was resolved by age, or went quiet: nobody asked for that, so nobody else is done."""
        signal = self.signals[name]
        signal.done, signal.counts, signal.aside = True, False, not self.tracker

    def regressed(self, name: str) -> None:
        """A finished one was seen again."""
        signal = self.signals[name]
        signal.done = signal.counts = signal.aside = False
        self._reopen()

    def archived(self, name: str) -> None:
        """Nobody wants to hear of it: it counts as before, until its item crosses, and is never written."""
        self.signals[name].archived = True

    def gone(self, name: str) -> None:
        """It was merged into another, or deleted: membership never speaks."""
        del self.signals[name]

    def _reopen(self) -> None:
        if self.tracker:
            self.tracker = False
            self.reopens += 1
