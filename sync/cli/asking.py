"""A connection for a command that asks a live system: opened, kept within its published budgets, closed."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from config.load import Loaded as Configuration
from connectors.contract import Act, BudgetReading, Connector, Ports, Remote
from connectors.errors import RateLimited
from sync.cli.ending import Ended
from sync.cli.show import warn
from sync.daemon.tokens import TokenFile
from sync.engine.budgets import Budgets
from sync.ports import RealClock, RealRng

_PATIENCE = 60.0
"""Seconds that a command waits for room in a budget; what takes longer is a person's to begin again."""

_ONE = 1
"""The only connection of its budgets."""


class Asked:
    """One open connection. `room(act)` before each call: waits for room in its budgets, as the daemon would.

    A daemon beside it counts its own calls; of ours it learns by the headers of its next answer.
    """

    def __init__(self, remote: Remote, connector: Connector, budgets: Budgets) -> None:
        self.remote = remote
        self._connector = connector
        self._budgets = budgets
        self._clock = RealClock()

    def room(self, act: Act) -> None:
        """Wait until a call of this kind may go out. Raises RateLimited when that takes over a minute."""
        waited, names = 0.0, self._connector.draws(act)
        while wait := self._budgets.take(_ONE, names):
            if waited + wait > _PATIENCE:
                raise RateLimited(f"the rate budget is used up: try again in {wait:.0f} s", retry_after=wait)
            if not waited and wait > 1.0:
                warn(f"waiting {wait:.0f} s: the rate budget is used up for now")
            pause = min(wait, 5.0)
            self._clock.sleep(pause)
            waited += pause


@contextmanager
def asked(configured: Configuration, name: str) -> Generator[Asked]:
    """Open one configured connection. Raises Ended when there is none of that name; the calls raise RemoteError."""
    if name not in configured.connections:
        raise Ended(f"there is no connection `{name}`; known are {', '.join(configured.connections) or 'none'}")
    connector, settings = configured.connector(name), configured.connections[name]
    clock = RealClock()
    budgets = Budgets(clock)
    budgets.declare(_ONE, connector.budgets(settings))

    def meter(reading: BudgetReading) -> None:
        budgets.observe(_ONE, reading)

    ports = Ports(clock=clock, rng=RealRng(), meter=meter, tokens=TokenFile(configured.data_dir, name))
    remote = connector.connect(settings, ports)
    try:
        yield Asked(remote, connector, budgets)
    finally:
        remote.close()
