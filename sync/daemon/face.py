"""The web face of a hub: its connections' webhooks, and what it says of its health."""

from __future__ import annotations

from collections.abc import Callable

from sync.engine.hub import Hub, Mode
from sync.engine.inbox import pack
from sync.ports import Spawn
from sync.web.app import ConnectionHealth, Health, application
from sync.web.feeds import FeedEndpoint, Feeds
from sync.web.hooks import HookEndpoint, Hooks
from sync.web.limits import Doorkeeper
from sync.web.metrics import Metrics
from sync.web.receipts import ReceiptDesk
from sync.web.server import WebFace
from sync.web.settings import WebSettings


class HubFace:
    """The web face of one hub. Takes its port when it is made; answers once it is started. Raises CannotListen."""

    def __init__(
        self, hub: Hub, settings: WebSettings, *, health: Callable[[], Health], metrics: Metrics, spawn: Spawn
    ) -> None:
        self._hub = hub
        self._spawn = spawn
        self._web = WebFace(settings)
        self._door = Doorkeeper(settings, lambda why: hub.tell("web_overloaded", why=why))
        hooks = Hooks(
            find=self._find,
            desk=ReceiptDesk(hub.store, settings.store_seconds),
            clock=hub.clock,
            door=self._door,
            pack=pack,
            ring=hub.signals.ring,
            tell=hub.tell,
            count=metrics.count_hook,
            time_ack=metrics.time_ack,
        )
        self._endpoints: dict[int, FeedEndpoint] = {}
        feeds = Feeds(
            find=self._find_feed,
            door=self._door,
            seconds=settings.store_seconds,
            tell=hub.tell,
            count=metrics.count_feed,
        )
        self._app = application(hooks, health, metrics, feeds)

    @property
    def url(self) -> str:
        """Where it is reached on this machine."""
        return self._web.url

    def start(self, on_end: Callable[[str], None]) -> None:
        """Answer calls."""
        self._web.start(self._app, self._door, self._spawn, on_end)
        self._hub.tell("listening", url=self.url)

    def alive(self) -> bool:
        """It answers calls."""
        return self._web.alive()

    def stop(self) -> None:
        """Take no new calls."""
        self._web.stop()

    def join(self, seconds: float) -> bool:
        """Wait for its end."""
        return self._web.join(seconds)

    def _find(self, name: str) -> HookEndpoint | None:
        # A handful of connections; a tuple, because another thread may rename one.
        for connected in tuple(self._hub.connections.values()):
            if connected.name == name and connected.verify is not None:
                return HookEndpoint(connection_id=connected.id, name=name, verify=connected.verify)
        return None

    def _find_feed(self, name: str) -> FeedEndpoint | None:
        for connected in tuple(self._hub.connections.values()):
            if connected.name == name and connected.feed is not None and connected.feed.intake is not None:
                found = self._endpoints.get(connected.id)
                if found is None or found.name != name:
                    found = self._endpoints[connected.id] = FeedEndpoint(name=name, intake=connected.feed.intake)
                return found
        return None


def connections_health(hub: Hub) -> dict[str, ConnectionHealth]:
    """How each connection of a hub is doing, from memory: it costs no read."""
    shown = {}
    for connected in tuple(hub.connections.values()):
        held = ", ".join(sorted(connected.health.held))
        is_paused = connected.mode is Mode.PAUSED
        state = "paused" if is_paused else "held" if held else "down" if connected.health.reported_down else "up"
        shown[connected.name] = ConnectionHealth(state=state, mode=connected.mode.value, detail=held)
    return shown
