"""The state of the gateway stand-in: what APIPark manages, what passes through Apinto, and what is remembered of it.

Pure given a clock and chance. Nothing here knows HTTP. Sources: V read in APIPark's or Apinto's code, G a guess.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct, field

from connectors.gateway.sandbox.settings import Settings

if TYPE_CHECKING:
    from connectors.contract import Rng
    from connectors.sandbox.wire import TimeSource

Json: TypeAlias = Any

LOG_WINDOW: Final = 60.0
"""APIPark copies its log from the last minute [V]."""

LONGEST_URL: Final = 255
"""Characters of the log table's `url`; a longer one is an insert error, and the row is missing [V]."""

TICKS_AT_ONCE: Final = 2_000
SYSTEM_CONSUMER: Final = "apipark-global"


class Service(Struct, kw_only=True):
    """A service of APIPark. kind: `rest` or `ai`. published: how often the gateway was told of it."""

    id: str
    name: str
    kind: str = "rest"
    team: str = "shop"
    description: str = ""
    tags: list[str] = field(default_factory=list)
    approval_type: str = "auto"
    service_type: str = "inner"
    catalogue: str = ""
    provider: str = ""
    created: float = 0.0
    updated: float = 0.0
    published: int = 0


class Router(Struct, kw_only=True):
    """An API of a service. labels: of Apinto's router, beside the ones a release sets. latency: usual milliseconds."""

    id: str
    name: str
    service: str
    methods: list[str]
    path: str
    description: str = ""
    is_disabled: bool = False
    provider: str = ""
    model: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    matches: str = ""
    latency: float = 40.0


class Consumer(Struct, frozen=True, kw_only=True):
    """An application that calls."""

    id: str
    name: str


class User(Struct, frozen=True, kw_only=True):
    """An account of APIPark. may_edit: has the permission to change services."""

    name: str
    password: str
    may_edit: bool = True


class Attempt(Struct, frozen=True, kw_only=True):
    """One try of an LLM call: which provider answered how (`normal`, `timeout`, `quota exhausted`, ...) [V]."""

    provider: str
    model: str
    key: str
    status: str


class Proxied(Struct, frozen=True, kw_only=True):
    """One attempt at an upstream. millis: how long it took."""

    status: int
    millis: int
    address: str


class Passed(Struct, frozen=True, kw_only=True):
    """One call that passed the gateway. at: epoch seconds, when it was accepted. millis: all in all.

    proxies: the attempts, none if it never was proxied. response_nanos: the upstream's answer time, in nanoseconds as
    Apinto says it [V].
    """

    id: str
    at: float
    service: str
    router: str
    upstream: str
    kind: str
    method: str
    path: str
    url: str
    status: int
    millis: int
    response_nanos: int
    proxies: tuple[Proxied, ...]
    consumer: str
    ip: str
    node: str
    answer: str
    content_type: str = "application/json"
    request_body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    handler: str = "proxy"
    block: str = ""
    is_blocked: bool = False
    auth: str = "success"
    attempts: tuple[Attempt, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    version: str = ""


class Gateway:
    """One APIPark with its Apinto, and a Kong beside them.

    calls: in the order of their time. rows: request ids that APIPark's own log table took. hashes, workers, kong: what
    Apinto's and Kong's admin interfaces hold.
    """

    def __init__(self, time: TimeSource, rng: Rng, settings: Settings) -> None:
        self._time = time
        self.rng = rng
        self.settings = settings
        self.users: dict[str, User] = {}
        self.sessions: dict[str, tuple[str, float]] = {}
        self.services: dict[str, Service] = {}
        self.routers: dict[str, Router] = {}
        self.consumers: dict[str, Consumer] = {}
        self.tags: dict[str, str] = {}
        self.catalogues: dict[str, str] = {"payments": "Payments"}
        self.hashes: dict[str, dict[str, str]] = {}
        self.workers: dict[str, dict[str, dict[str, Json]]] = {}
        self.calls: list[Passed] = []
        self.rows: set[str] = set()
        self.totals: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self._ticked = self.now()
        _furnish(self)

    def now(self) -> float:
        """The gateway's clock, epoch seconds."""
        return self._time() + self.settings.clock_skew

    # --- accounts ------------------------------------------------------------------------------------------------

    def login(self, name: str, password: str) -> str | None:
        """A session for an account, None for wrong credentials."""
        user = self.users.get(name)
        if user is None or user.password != password:
            return None
        token = self.rng.token()
        self.sessions[token] = (name, self.now() + self.settings.scaled(self.settings.session_hours * 3600))
        return token

    def session(self, token: str) -> User | None:
        """Whose session it is; None where there is none or it has ended."""
        name, ends = self.sessions.get(token, ("", 0.0))
        if not name or self.now() >= ends:
            self.sessions.pop(token, None)
            return None
        return self.users.get(name)

    # --- services ------------------------------------------------------------------------------------------------

    def tag_id(self, name: str) -> str:
        """The id of a tag of the catalogue; an unknown name is created [V]."""
        if name not in self.tags:
            self.tags[name] = f"tag-{len(self.tags) + 1:04d}"
        return self.tags[name]

    def routers_of(self, service: str) -> list[Router]:
        """The APIs of a service."""
        return [router for router in self.routers.values() if router.service == service]

    def release(self, service: str) -> None:
        """Publish a service anew: what Apinto's routers had beside it is overwritten [V]."""
        self.services[service].published += 1
        for router in self.routers_of(service):
            router.labels.clear()
            router.matches = ""
            router.description = ""

    def kong_tags(self, kind: str, name: str) -> list[str]:
        """The tags that Kong holds of an entity, sorted."""
        held = self.workers.get("kong-tags", {}).get(f"{kind}/{name}")
        if held is not None:
            return list(held["tags"])
        return ["shop"] if (kind, name) == ("services", "checkout") else []

    # --- calls ---------------------------------------------------------------------------------------------------

    def passed(self, call: Passed) -> None:
        """Remember a call, and count it."""
        insort(self.calls, call, key=lambda one: one.at)
        if len(self.calls) > self.settings.calls_kept:
            for gone in self.calls[: -self.settings.calls_kept]:
                self.rows.discard(gone.id)
            del self.calls[: -self.settings.calls_kept]
        self.totals[f"{call.service} {call.router} {call.status}"] += 1

    def between(self, start: float, end: float) -> list[Passed]:
        """The calls of `start <= at <= end`, oldest first."""
        low = bisect_left(self.calls, start, key=lambda one: one.at)
        high = bisect_right(self.calls, end, key=lambda one: one.at)
        return self.calls[low:high]

    def find(self, call: str) -> Passed | None:
        """One remembered call, by its request id."""
        return next((one for one in reversed(self.calls) if one.id == call), None)

    def copy_logs(self) -> None:
        """Let APIPark's log table catch up: every ten seconds at most a hundred lines of the last minute [V, G cap]."""
        settings, now = self.settings, self.now()
        step = settings.scaled(settings.log_seconds)
        if not settings.lossy_logs:
            for call in self.between(self._ticked - settings.scaled(LOG_WINDOW), now):
                self._copy(call)
            self._ticked = now
            return
        ticks = min(int((now - self._ticked) / step), TICKS_AT_ONCE)
        if ticks < 1:
            return
        first = max(self._ticked, now - ticks * step - step)
        for tick in range(1, ticks + 1):
            at = first + tick * step
            for call in self.between(at - settings.scaled(LOG_WINDOW), at)[-settings.log_cap :]:
                self._copy(call)
        self._ticked = first + ticks * step

    def _copy(self, call: Passed) -> None:
        if len(call.url) <= LONGEST_URL:
            self.rows.add(call.id)


def _furnish(gateway: Gateway) -> None:
    """A shop: two REST services, one with an LLM behind it, three applications."""
    now = gateway.now()
    for user in (
        User(name="hub", password="hub-password"),  # noqa: S106  # the stand-in's own, public
        User(name="viewer", password="viewer-password", may_edit=False),  # noqa: S106
    ):
        gateway.users[user.name] = user
    for service in (
        Service(id="checkout", name="Checkout", tags=["shop"], catalogue="payments", service_type="public"),
        Service(id="accounts", name="Accounts"),
        Service(id="assistant", name="Assistant", kind="ai", provider="openai", approval_type="manual"),
    ):
        service.created = service.updated = now
        gateway.services[service.id] = service
        for tag in service.tags:
            gateway.tag_id(tag)
    for router in (
        Router(id="pay", name="Pay", service="checkout", methods=["POST"], path="/checkout/pay", latency=120),
        Router(id="cart", name="Cart", service="checkout", methods=["GET"], path="/checkout/cart"),
        Router(id="login", name="Log in", service="accounts", methods=["POST"], path="/accounts/login"),
        Router(
            id="chat",
            name="Chat",
            service="assistant",
            methods=["POST"],
            path="/assistant/chat",
            provider="openai",
            model="gpt-4o-mini",
            latency=900,
        ),
    ):
        gateway.routers[router.id] = router
    for consumer in (
        Consumer(id="web-shop", name="Web shop"),
        Consumer(id="mobile-app", name="Mobile app"),
        Consumer(id=SYSTEM_CONSUMER, name="System Consumer"),
    ):
        gateway.consumers[consumer.id] = consumer
