"""What the engine asks of a connector.

One method call makes at most one request that *changes* anything, and none is ever repeated inside: the engine owns
paging, budgets, verification and retries. Reads may be retried inside by `connectors.retry`, for at most 5 s in all.
Every error that leaves a connector is one of `connectors.errors`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from msgspec import Struct, field

from sync.model import (
    Absent,
    Changes,
    CreateIntent,
    Draft,
    Duplicated,
    Expect,
    HistoryRow,
    Json,
    Missing,
    NotYetCertain,
    RecordRef,
    Role,
    Snapshot,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T")


class Clock(Protocol):
    """Time, injected. `now` is aware UTC wall time; `monotonic` seconds for intervals; `sleep` seconds, at most 5."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Rng(Protocol):
    """Chance, injected. `random` in [0, 1); `token` an unguessable hexadecimal text."""

    def random(self) -> float: ...
    def token(self) -> str: ...


class TokenStore(Protocol):
    """Where a rotating token pair is kept. `save` returns only when the pair is durable; `refreshing` is exclusive."""

    def load(self) -> dict[str, Json] | None: ...
    def save(self, pair: dict[str, Json]) -> None: ...
    def refreshing(self) -> AbstractContextManager[None]: ...


class Budget(Struct, frozen=True, kw_only=True):
    """A published limit: `limit` calls per `seconds`. `per_record`: counted for each record apart."""

    name: str
    limit: int
    seconds: float
    per_record: bool = False


class BudgetReading(Struct, frozen=True, kw_only=True):
    """What a response's headers said about a budget. resets_in: seconds until it is full again."""

    budget: str
    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None
    record: str = ""


class Act(StrEnum):
    """The kinds of call, as budgets see them."""

    PAGE = "page"
    FETCH = "fetch"
    HISTORY = "history"
    WRITE = "write"
    CREATE = "create"
    LOOKUP = "lookup"
    CHECK = "check"


class Level(StrEnum):
    """How much a finding matters: `error` stops the connection, `warning` limits it, `info` only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing `check` has to say: what, and what to do next."""

    level: Level
    what: str
    do: str = ""


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a connection can do; these flags decide, never the system's name.

    account: the account's own identity (Zendesk subdomain, Jira base URL or cloud id).
    me: our own user's id there. time_zone: of that user, where search depends on it.
    workflows: a status is reached by workflow steps. conditional_write: the API itself refuses writes on old versions.
    coarse_versions: edits that follow each other closely have one version; the history from a version on has them all.
    links_via: where a link is shown ("" when the connection cannot show one).
    """

    account: str
    me: str = ""
    version: str = ""
    time_zone: str = "UTC"
    writes_status: bool = True
    writes_tags: bool = True
    writes_links: bool = True
    links_via: str = ""
    history: bool = True
    conditional_write: bool = False
    coarse_versions: bool = False
    workflows: bool = False
    creates: bool = True
    webhooks: str = "by hand"
    findings: tuple[Finding, ...] = ()


class Page(Struct, frozen=True, kw_only=True):
    """The answer to one request of the change feed.

    cursor: safe to save in the transaction that stores these records. more: ask again at once.
    missing: records that the feed itself reports as gone. total: records to come, where the remote tells.
    linked: records to which the remote says that a link was made, and when, although they themselves show no change;
    they are read anew with their links.
    """

    snapshots: tuple[Snapshot, ...]
    cursor: str
    more: bool
    missing: Mapping[str, Missing] = field(default_factory=dict)
    total: int | None = None
    linked: Mapping[str, datetime] = field(default_factory=dict)


class Remote(Protocol):
    """One open connection to one remote account, used by one thread at a time."""

    def check(self) -> Capabilities:
        """Prove the credentials and scopes by reads. Raises AuthRejected, Unavailable, UnexpectedAnswer."""
        ...

    def page(self, cursor: str | None, since: datetime) -> Page:
        """One request of the change feed; `since` is used where there is no cursor yet."""
        ...

    def fetch(self, keys: Sequence[str], *, whole: bool | None = None) -> Mapping[str, Snapshot | Missing]:
        """Read records directly, in bulk, by id or key. Every asked key is in the answer. Snapshots are `direct`.

        whole: with what costs further calls for each record (its links, its workflow steps); None: when a single
        record is asked for.
        """
        ...

    def history(self, ref: RecordRef, since: str) -> Sequence[HistoryRow]:
        """The record's own change history after version `since`, oldest first."""
        ...

    def steps(self, snapshot: Snapshot, changes: Changes) -> tuple[Changes, ...]:
        """Pure. Split `changes` into the writes it takes, one changing request each, in order."""
        ...

    def write(self, ref: RecordRef, changes: Changes, expect: Expect) -> Snapshot | None:
        """Make one step's write. None: the answer does not show the record. Raises as `connectors.errors`."""
        ...

    def probe(self, draft: Draft) -> dict[str, Json]:
        """What must be known before `draft` is created, so that a lost answer can be settled. May read."""
        ...

    def create(self, draft: Draft, marker: str) -> RecordRef:
        """Create one record that carries `marker`. Never repeated blindly."""
        ...

    def find_created(self, intent: CreateIntent) -> RecordRef | Absent | NotYetCertain | Duplicated:
        """Look for the record of a create whose answer was lost."""
        ...

    def values(self) -> Mapping[str, Sequence[str]]:
        """The values the live system has for the fields a mapping names (statuses, priorities, fields), by field."""
        ...

    def close(self) -> None: ...


class FieldKind(StrEnum):
    """What a field of a live system holds."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    PERSON = "person"
    TIME = "time"
    OTHER = "other"


class LiveValue(Struct, frozen=True, kw_only=True):
    """One value that a field may have. name: as a mapping names it; label: as people see it, where that differs.

    category: the coarser kind, where the remote has one (of a status). places: where it occurs, if not everywhere
    (`OPS/Bug`: a project and an issue type). default: the one its category falls back to.
    """

    name: str
    label: str = ""
    category: str = ""
    places: tuple[str, ...] = ()
    default: bool = False


class LiveField(Struct, frozen=True, kw_only=True):
    """One field of a live system. name: as a mapping names it; label: as people see it.

    values: all that it may have, in the system's own order; empty where it takes anything. custom: somebody made it.
    read: this connection's snapshots carry it. tag: of a checkbox, the tag that comes and goes with it.
    """

    name: str
    label: str = ""
    kind: FieldKind = FieldKind.OTHER
    values: tuple[LiveValue, ...] = ()
    custom: bool = False
    read: bool = True
    tag: str = ""


class CreateScreen(Struct, frozen=True, kw_only=True):
    """What a new record of one kind takes. place: `OPS/Bug`. required: demanded, and without a default of its own."""

    place: str
    fields: tuple[str, ...]
    required: tuple[str, ...] = ()


class Catalogue(Struct, frozen=True, kw_only=True):
    """What a live system has: its fields with their values, and what it takes for a new record.

    fields: complete, unless `unread` says what could not be asked, and why. more_screens: there are more create screens
    than were read, since each costs a call.
    """

    fields: tuple[LiveField, ...]
    screens: tuple[CreateScreen, ...] = ()
    more_screens: bool = False
    unread: tuple[str, ...] = ()

    def field(self, name: str) -> LiveField | None:
        """The field of that name, as a mapping names it."""
        return next((one for one in self.fields if one.name == name), None)


@runtime_checkable
class Catalogued(Protocol):
    """Offered by connections that can say what their system has. Reads only, a handful of them."""

    def catalogue(self) -> Catalogue:
        """Fields, values, categories and create screens, as they are now."""
        ...


class WebhookRequest(Struct, frozen=True, kw_only=True):
    """A received call. headers: lower-case names. body: the raw bytes, within the size limit."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)


class Hint(Struct, frozen=True, kw_only=True):
    """A record that may have changed.

    version: the version the call spoke of, if it names one comparably. coarse: two edits may share that version. shows:
    raw values of merged fields that the call shows, as texts by the mapping's names; used only to tell that a call says
    nothing that was not read already, never to change anything.
    """

    kind: str
    id: str
    version: str = ""
    coarse: bool = False
    shows: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Webhook(Protocol):
    """Offered by connectors that receive calls. Pure: no network, no clock."""

    def verify(self, request: WebhookRequest, secrets: Sequence[str], now: datetime) -> str:
        """The call's delivery id, for deduplication. Raises WebhookRejected unless signature and time are good."""
        ...

    def keys(self, request: WebhookRequest) -> tuple[Hint, ...]:
        """The records to read anew. Raises WebhookRejected(status=400) for a body that names none."""
        ...


class Keep(Protocol):
    """The hub's own database, for a connector whose records have no other home; `sync.store.contract.Store` is one."""

    def step(self, fn: Callable[[Any], T]) -> T:
        """Run a function of a connection: all of it or nothing, durable on return. Raises StoreUnavailable."""
        ...

    def read(self) -> AbstractContextManager[Any]:
        """A connection that only reads."""
        ...


class Home(Struct, frozen=True, kw_only=True):
    """Where a connector keeps records that the hub itself owns. folder: for files of its own; None: there is none."""

    connection_id: int
    store: Keep
    folder: Path | None = None


class Turn(Struct, frozen=True, kw_only=True):
    """What one turn of a feed did. more: there is more to read at once. changed: the change feed has something new.

    events: names and facts for the log, of what happened once.
    """

    more: bool = False
    changed: bool = False
    events: tuple[tuple[str, Mapping[str, Json]], ...] = ()


class Intake(Protocol):
    """Takes what is pushed to a connection (`POST /feeds/{connection}`) and keeps it until the feed reads it.

    Called by one thread at a time, beside the feed's own.
    """

    def admit(self, request: WebhookRequest, sender: str) -> None:
        """Believe a call from an address, before its body is read. Raises WebhookRejected."""
        ...

    def keep(self, body: bytes) -> None:
        """Keep a body. Raises WebhookRejected(status=400) for one that is no log, IntakeFull where there is no room."""
        ...


class Feed(Protocol):
    """What a connector reads by itself into the hub's database, beside the change feed; used by one worker.

    `figures` are counts since the start and sizes of now, by name; asked from any thread.
    """

    @property
    def intake(self) -> Intake | None: ...
    def turn(self) -> Turn: ...
    def figures(self) -> Mapping[str, float]: ...
    def close(self) -> None: ...


class Annotator(Protocol):
    """Shows on the remote what the hub knows of records that the hub itself owns; used by one worker.

    A turn makes at most one changing request. It raises AuthRejected; other failures of the remote it waits out itself.
    """

    def turn(self) -> Turn: ...
    def close(self) -> None: ...


class Ports(Struct, frozen=True, kw_only=True):
    """What a connector is given instead of reaching for it. meter: is told every budget reading.

    shared: what all clients of one connection know together, one for each thread; plain values, each written whole.
    home: where it may keep records of the hub's own; None where no database is open (`check`).
    """

    clock: Clock
    rng: Rng
    meter: Callable[[BudgetReading], None]
    tokens: TokenStore | None = None
    transport: Any = None
    shared: dict[str, Json] = field(default_factory=dict)
    home: Home | None = None


class Connector(Struct, frozen=True, kw_only=True):
    """The code for one kind of system.

    settings: the pydantic model of its part of the configuration. connect: opens a connection without any call.
    personal: raw field names that can identify a person. own_links: shows links itself, so no note is written.
    feed: opens what the daemon reads for it beside the change feed; None: nothing. annotator: opens what shows the
    hub's own records on the remote; None, or gives None: nothing is shown. by_hand: does what a person asks to a record
    whose home is the hub, inside a step of the store: (its connection, our connection's id, reference, deed, arguments,
    now) -> what was done, in words; raises ValueError with why not.
    """

    name: str
    role: Role
    kind: str
    settings: type[BaseModel]
    connect: Callable[[Any, Ports], Remote]
    webhook: Webhook | None
    budgets: Callable[[Any], tuple[Budget, ...]]
    draws: Callable[[Act], tuple[str, ...]]
    parse_reference: Callable[[Any, str], str | None]
    personal: tuple[str, ...] = ()
    own_links: bool = False
    feed: Callable[[Any, Ports], Feed] | None = None
    annotator: Callable[[Any, Ports], Annotator | None] | None = None
    by_hand: Callable[[Any, int, str, str, Mapping[str, Json], datetime], str] | None = None
