"""What `reconcile` is given and what it gives back.

Words: a record *speaks* when its own user changed it; the item *tells* an ear; a record *hears* what its ear was told.
An *ear* is a role, or `mirror` for records whose status only follows (direction `out` or `enforce`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct, field

from sync.core.reasons import ConflictKind, ParkReason
from sync.core.traces import Answer, TraceKind
from sync.model import Direction, Fact, Role, Side, Status


class Ear(StrEnum):
    """Who is told of the item's status."""

    TRACKER = "tracker"
    HELPDESK = "helpdesk"
    SIGNAL = "signal"
    MIRROR = "mirror"


class Resolve(StrEnum):
    """When a group of tickets or signals resolves its item."""

    ALL = "all"
    ANY = "any"
    NEVER = "never"


class Reopen(StrEnum):
    """When a group of tickets or signals reopens its item."""

    ANY = "any"
    NEVER = "never"


class Detail(StrEnum):
    """Whose details (new, in progress, waiting) travel: the tracker's, or also a lone ticket's."""

    TRACKER = "tracker"
    SOLE = "sole"


class OnConflict(StrEnum):
    """Whose value of a field holds that two records were set to between two looks."""

    PRECEDENCE = "precedence"
    OWNER = "owner"
    LATEST = "latest"
    HOLD = "hold"


# --- rules (from the mapping and rules files) -------------------------------------------------------------------


class StatusRules(Struct, frozen=True, kw_only=True):
    """One connection's statuses, compiled from its mapping.

    values: raw -> canonical. write: canonical -> the raw value to write. accept: raw values that rest as they are
    under a canonical value although they read as another one. keep: raw values kept under every open value.
    archived: raw values without a side. frozen: raw values that the remote never lets go (Zendesk `closed`).
    """

    values: Mapping[str, Status]
    write: Mapping[Status, str]
    accept: Mapping[Status, frozenset[str]] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()
    archived: frozenset[str] = frozenset()
    frozen: frozenset[str] = frozenset()


class RoleRules(Struct, frozen=True, kw_only=True):
    """How one role's group behaves; the defaults are the design's."""

    resolve: Resolve = Resolve.ALL
    reopen: Reopen = Reopen.ANY
    reopen_reaches: frozenset[Role] = frozenset({Role.TRACKER})
    detail: Detail = Detail.TRACKER
    siblings: bool = False
    automatic_resolve: bool = False


_DEFAULT = RoleRules()


class FieldRule(Struct, frozen=True, kw_only=True):
    """How one field with a single value is kept in step. order: of `precedence`. owner: of `owner`, whose value holds.

    latest goes by the order in which the hub saw the changes: clocks of different systems choose nothing.
    """

    conflict: OnConflict = OnConflict.PRECEDENCE
    order: tuple[Role, ...] = (Role.TRACKER, Role.HELPDESK, Role.SIGNAL)
    owner: Role | None = None


class ValueRules(Struct, frozen=True, kw_only=True):
    """One connection's values of such a field. read: raw (case folded too) -> canonical. write: the other way."""

    read: Mapping[str, str]
    write: Mapping[str, str]
    direction: Direction = Direction.BOTH


class Rules(Struct, frozen=True, kw_only=True):
    """The rules of groups. A role that is not named has the defaults.

    proposals: what becomes of records that share an id of a call; a person is asked where nothing is said.
    """

    roles: Mapping[Role, RoleRules] = field(default_factory=dict)
    reopen_as: Status = Status.NEW
    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    proposals: Mapping[TraceKind, Answer] = field(default_factory=dict)

    def of(self, role: Role) -> RoleRules:
        """The rules of one role."""
        return self.roles.get(role) or _DEFAULT

    def answer(self, kind: TraceKind) -> Answer:
        """What becomes of two records that share an id of this kind."""
        return self.proposals.get(kind, Answer.PROPOSE)


# --- state -----------------------------------------------------------------------------------------------------


class Line(Struct, frozen=True):
    """The last crossing told to an ear: the value `said` had then, and the side crossed to."""

    said: int
    side: Side


class ItemValue(Struct, frozen=True, kw_only=True):
    """The item's value of one field. said: how often it was changed by somebody.

    link, role, seen: whose change it was last, and the number of the reading that showed it.
    """

    value: str | None = None
    said: int = 0
    link: int | None = None
    role: Role | None = None
    seen: int = 0


class ItemState(Struct, frozen=True, kw_only=True):
    """The merged fields of one item.

    status: None until a first member gives it a value. said, line: per ear. tags: folded key -> roles whose users
    brought it. waiting: roles whose group would resolve but has a member that was not read.
    """

    status: Status | None = None
    facts: frozenset[Fact] = frozenset()
    said: Mapping[Ear, int] = field(default_factory=dict)
    line: Mapping[Ear, Line] = field(default_factory=dict)
    tags: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    waiting: frozenset[Role] = frozenset()
    values: Mapping[str, ItemValue] = field(default_factory=dict)


class StatusBase(Struct, frozen=True, kw_only=True):
    """A link's base for status. raw: the raw half. heard: the canonical half, the last `said` taken in.

    side: the side it last stood on (archived is transparent). aside: its own user moved it against the item.
    parked: (`said`, raw) for which no legal path was found; tried again when either changes.
    mirror: `heard` counts what mirrors were told; when that changes, it starts from what was said by then.
    """

    raw: str
    heard: int
    side: Side | None
    aside: bool = False
    parked: tuple[int, str] | None = None
    park_reason: ParkReason | None = None
    mirror: bool = False


class ValueBase(Struct, frozen=True, kw_only=True):
    """A link's base for a field with one value. raw: the raw half. heard: the last `said` of that field taken in."""

    raw: str
    heard: int = 0


class TagBase(Struct, frozen=True, kw_only=True):
    """A link's base for tags. keys: the raw half, folded. had: the canonical half, item tags it has taken in.

    waived: those of `had` that only an edit of the mapping let pass: never told, and not written but by a plan.
    owed: those it is to show and has not taken in yet, so that an edit of the mapping waives none of them.
    """

    keys: frozenset[str] = frozenset()
    had: frozenset[str] = frozenset()
    waived: frozenset[str] = frozenset()
    owed: frozenset[str] = frozenset()


class Intent(Struct, frozen=True, kw_only=True):
    """A write that was sent and whose outcome is not known. Keys are folded; `version` is the remote's before it.

    status: the raw value this hop asked for. final: the hop reaches what was wanted. said: what the plan had said.
    """

    version: str
    status: str | None = None
    final: bool = True
    said: int = 0
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    set: Mapping[str, str] = field(default_factory=dict)
    set_said: Mapping[str, int] = field(default_factory=dict)


class Shown(Struct, frozen=True, kw_only=True):
    """What one record shows, through its mapping. status: None when the raw value is archived or not in the mapping."""

    raw: str
    status: Status | None
    archived: bool = False
    frozen: bool = False
    tags: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)


class Member(Struct, frozen=True, kw_only=True):
    """One linked record, as `reconcile` sees it.

    link: the link's id, used for nothing but identity and stable order. shown: the newest snapshot; None when the
    record was never read. fresh: it was read in this pass, so it may speak and may be written.
    base_*: None before the first agreement (a join). in_doubt: an intent is open and its outcome unknown.
    accepts: of all tag keys that the item has or any member shows, those that pass this record's tag filter. held:
    fields nobody may write now.
    graph: legal workflow steps, raw -> raw values reachable in one step; None where any value may be written; a raw
    value that is missing as a key has unknown steps. automatic: who made its present crossing to done: True the
    remote itself, False a person, None not yet asked. created_by_route: the hub made it, and its first tags;
    carried: the folded keys of those, where they are known.
    follow_up: its user opened it to go on from a member that is closed for good; its joining counts as that reopen.
    values, value_bases: of the fields with one value that the rules keep in step. seen: the number of its last reading.
    """

    link: int
    role: Role
    rules: StatusRules
    shown: Shown | None
    fresh: bool = True
    status_direction: Direction = Direction.BOTH
    tag_direction: Direction = Direction.BOTH
    status_base: StatusBase | None = None
    tag_base: TagBase | None = None
    in_doubt: Intent | None = None
    accepts: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    graph: Mapping[str, tuple[str, ...]] | None = None
    automatic: bool | None = None
    created_by_route: bool = False
    carried: frozenset[str] = frozenset()
    follow_up: bool = False
    values: Mapping[str, ValueRules] = field(default_factory=dict)
    value_bases: Mapping[str, ValueBase] = field(default_factory=dict)
    seen: int = 0


# --- outcome ---------------------------------------------------------------------------------------------------


class Want(Struct, frozen=True, kw_only=True):
    """What one record should be made to show. status: the raw value of the next hop; final: it is the wanted one.

    target: the raw value that the hops lead to. said: what the item had said to this ear when it was decided.
    set: raw values by canonical field; set_said: what the item had said of each.
    """

    status: str | None = None
    target: str | None = None
    final: bool = True
    said: int = 0
    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    set: Mapping[str, str] = field(default_factory=dict)
    set_said: Mapping[str, int] = field(default_factory=dict)


class Conflict(Struct, frozen=True, kw_only=True):
    """Two sides disagreed and a rule settled it. Both values are named; `link` is the side that did not prevail."""

    kind: ConflictKind
    field: str
    link: int
    kept: str
    lost: str
    other: int | None = None


class Change(Struct, frozen=True, kw_only=True):
    """One change of the item, for the journal. link: the record that brought it; rule: why, by name."""

    field: str
    old: str | None
    new: str | None
    link: int | None
    rule: str


class Park(Struct, frozen=True, kw_only=True):
    """One field of one record that cannot be written until a person acts or something changes."""

    reason: ParkReason
    field: str
    wanted: str
    shown: str


class MemberPlan(Struct, frozen=True, kw_only=True):
    """The new base of one link, and what to write to it, if anything.

    why, why_tags: the rule (`sync.core.why.Why`) that left the record's status, or its tags, as they are or wrote them.
    """

    link: int
    status_base: StatusBase | None
    tag_base: TagBase | None
    want: Want | None = None
    value_bases: Mapping[str, ValueBase] = field(default_factory=dict)
    park: Park | None = None
    why: str = ""
    why_tags: str = ""


class Plan(Struct, frozen=True, kw_only=True):
    """All that must happen to one item. No `want` in any member: settled.

    ask: links whose change history must tell who resolved them before this plan may be used; call again with
    `automatic` set; used all the same, it is right as far as it goes, and those links have not moved. read: links that
    must be read afresh before a group can resolve, or before the next step of their workflow can be chosen.
    """

    item: ItemState
    members: tuple[MemberPlan, ...]
    conflicts: tuple[Conflict, ...] = ()
    changes: tuple[Change, ...] = ()
    ask: tuple[int, ...] = ()
    read: tuple[int, ...] = ()
