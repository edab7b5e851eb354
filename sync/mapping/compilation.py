"""From what an administrator wrote to what the engine asks: checks across keys, then tables.

Each function reports what is wrong through `Problems` and always returns something usable, so that one mistake does not
hide the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from enum import StrEnum
from typing import Any

from sync.core.laws import violations
from sync.core.state import RoleRules, Rules, StatusRules
from sync.core.tags import fold
from sync.mapping import compiled, schema
from sync.mapping.compiled import CREATE_NAMES, NOTE_NAMES, CategoryTable, PlainField, Step, TagTables, Values
from sync.mapping.patterns import PatternWrong, ReferencePattern, TagFilter, reference_pattern
from sync.mapping.routes import Between, Route, TagMatch, Target, TextMatch, When
from sync.mapping.texts import Sentence, sentence
from sync.mapping.yaml import Document, Problem, nearest
from sync.model import Direction, Role, Severity, Side, Status, Urgency


class Problems:
    """Collects what is wrong in one file."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[Problem] = []

    def add(self, loc: Sequence[str | int], message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem at this place."""
        self.found.append(self._document.problem(loc, message, hint, key=key))


# --- mapping files ---------------------------------------------------------------------------------------------------


def mapping(file: schema.MappingFile, problems: Problems, routed: Iterable[str] = ()) -> compiled.Mapping:
    """Compile one mapping file. routed: canonical fields that routes look at; their changes are watched."""
    fields = file.fields
    status = fields.status
    tags = fields.tags
    rules = _status(status, problems) if status is not None else StatusRules(values={}, write={})
    tables = _tags(tags, problems) if tags is not None else TagTables(include=TagFilter(()), exclude=TagFilter(()))
    patterns = _patterns(fields.links, problems)
    _views(fields, problems)
    links = fields.links
    link_fields = tuple(dict.fromkeys(([links.field] if links.field else []) + links.read))
    return compiled.Mapping(
        system=file.system,
        kind=file.kind,
        connections=tuple(file.connections),
        markup=file.markup,
        status_field=status.field if status is not None else "",
        status_direction=status.direction if status is not None else Direction.OFF,
        status=rules,
        status_default=status.default if status is not None else None,
        status_category=CategoryTable(field=status.by_category.field, values=dict(status.by_category.values))
        if status is not None and status.by_category is not None
        else None,
        facts=_facts(status) if status is not None else {},
        tags_field=tags.field if tags is not None else "",
        tag_direction=tags.direction if tags is not None else Direction.OFF,
        tag_tables=tables,
        links_show=links.show.value,
        links_field=links.field,
        links_direction=links.direction,
        link_fields=link_fields,
        link_patterns=patterns,
        note_sentence=_sentence(links.note, NOTE_NAMES, problems, ("fields", "links", "note")),
        title=_plain(fields.title, fields.title.default),
        body=_plain(fields.body, fields.body.default),
        severity=_values(fields.severity, fields.severity.write),
        urgency=_values(fields.urgency, fields.urgency.write),
        type=_values(fields.type, fields.type.write),
        category=_values(fields.category, fields.category.write),
        source_class=_values(fields.source_class, {}),
        reporter=_plain(fields.reporter),
        owner=_plain(fields.owner),
        occurrences=_plain(fields.occurrences),
        affected_users=_plain(fields.affected_users),
        dimension_fields=tuple((dimension, _plain(field)) for dimension, field in sorted(fields.dimensions.items())),
        transitions={name: _step(step, always=name != "*") for name, step in file.transitions.items()},
        create_fields=dict(file.create.fields),
        create_title=_sentence(file.create.title, CREATE_NAMES, problems, ("create", "title")),
        create_body=_sentence(file.create.body, CREATE_NAMES, problems, ("create", "body")),
        meaning_fields=tuple(
            dict.fromkeys(
                _source(field)
                for field in (fields.severity, fields.urgency, fields.type, fields.category, fields.source_class)
                if _source(field)
            )
        ),
        watched_fields=tuple(dict.fromkeys((*link_fields, *_routed_fields(fields, routed)))),
        fingerprint=fingerprint(
            [
                file.system,
                file.kind,
                status.model_dump(mode="json") if status is not None else None,
                tags.model_dump(mode="json", exclude={"dimensions"}) if tags is not None else None,
                links.model_dump(mode="json", exclude={"note"}),
            ]
        ),
        _folded_status={raw.casefold(): raw for raw in rules.values},
    )


def fingerprint(content: Any) -> str:
    """A stable digest (hexadecimal, 32 characters) of plain data; the order of a mapping's keys does not matter."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _status(status: schema.StatusField, problems: Problems) -> StatusRules:
    at = ("fields", "status")
    raws = {**dict.fromkeys(status.values), **dict.fromkeys(status.archived)}
    if not raws and status.by_category is None and status.default is None and status.direction is not Direction.OFF:
        problems.add(
            (*at, "values"), "is missing", "say what each status of the system means, for example `open: in_progress`"
        )
    spelled: dict[str, str] = {}
    for raw in status.values:
        other = spelled.setdefault(raw.casefold(), raw)
        if other != raw:
            problems.add(
                (*at, "values", raw),
                f"differs from `{other}` in its letters' case only",
                "keep one of the two",
                key=True,
            )
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("write", meaning), raw) for meaning, raw in status.write.items()
    ]
    for name, by_meaning in (("accept", status.accept), ("facts", status.facts)):
        named += [((name, key, n), raw) for key, listed in by_meaning.items() for n, raw in enumerate(listed)]
    for name, listed in (("keep", status.keep), ("frozen", status.frozen)):
        named += [((name, n), raw) for n, raw in enumerate(listed)]
    for way, raw in named:
        if raw not in raws:
            problems.add(
                (*at, *way), f"`{raw}` is not among the statuses in `values`", nearest(raw, raws) or "add it there"
            )
    for n, raw in enumerate(status.archived):
        if raw in status.values:
            problems.add(
                (*at, "archived", n),
                f"`{raw}` has a meaning in `values` as well",
                "an archived status has none: take it out there",
            )
    for meaning, raw in status.write.items():
        if raw in status.frozen:
            problems.add(
                (*at, "write", meaning),
                f"`{raw}` is frozen: writing it could not be undone",
                "write another status of the same side",
            )
        if raw in status.archived:
            problems.add((*at, "write", meaning), f"`{raw}` is archived: it is never written", "write another status")
    for n, raw in enumerate(status.keep):
        if (meaning_of := status.values.get(raw)) is not None and meaning_of.side is Side.DONE:
            problems.add((*at, "keep", n), f"`{raw}` is a done status, and those are kept anyway", "take it out")
    rules = StatusRules(
        values=dict(status.values),
        write=dict(status.write),
        accept={meaning: frozenset(listed) for meaning, listed in status.accept.items()},
        keep=frozenset(status.keep),
        archived=frozenset(status.archived),
        frozen=frozenset(status.frozen),
    )
    if status.direction not in (Direction.IN, Direction.OFF):
        if not status.write:
            problems.add(
                (*at, "write"), "is missing", "say which status to write for each meaning, or set `direction: in`"
            )
        for side, word in ((Side.ACTIVE, "open"), (Side.DONE, "done")):
            if status.write and not any(meaning.side is side for meaning in status.write):
                first = "in_progress" if side is Side.ACTIVE else "resolved"
                problems.add(
                    (*at, "write"),
                    f"has no {word} status: a record could never follow its item there",
                    f"add `{first}:`",
                    key=True,
                )
        if status.write and not problems.found:
            _laws(rules, problems)
    return rules


def _laws(rules: StatusRules, problems: Problems) -> None:
    """The mapping laws, over every value the file names; for each meaning the first counterexample is told."""
    told: dict[tuple[str, ...], str] = {}
    broken = violations(rules)
    for violation in broken:
        meaning = violation.status
        if violation.raw in rules.accept.get(meaning, frozenset()):
            told.setdefault(("accept", meaning), violation.message)
        elif meaning in rules.write:
            told.setdefault(("write", meaning), violation.message)
    if broken and not told:
        told["write",] = broken[0].message
    for way, message in told.items():
        problems.add(("fields", "status", *way), message)


def _facts(status: schema.StatusField) -> dict[str, frozenset[Any]]:
    facts: dict[str, frozenset[Any]] = {}
    for fact, raws in status.facts.items():
        for raw in raws:
            facts[raw] = facts.get(raw, frozenset()) | {fact}
    return facts


def _tags(tags: schema.TagsField, problems: Problems) -> TagTables:
    at = ("fields", "tags")
    back: dict[str, str] = {}
    for here, there in tags.rename.items():
        key = fold(there)
        if key in back:
            problems.add(
                (*at, "rename", here),
                f"`{there}` is already the name of `{back[key]}`",
                "two tags cannot become one: it could not be told which to write",
            )
        back.setdefault(key, here)
    for name in ("include", "exclude"):
        for n, pattern in enumerate(getattr(tags, name)):
            if not fold(pattern):
                problems.add((*at, name, n), f"`{pattern}` is no tag", "take it out")
    if not tags.include:
        problems.add((*at, "include"), "is empty: no tag would travel", "write `*` for all, or `direction: off`")
    return TagTables(
        include=TagFilter(tags.include),
        exclude=TagFilter(tags.exclude),
        exclude_field_values=tags.exclude_field_values,
        prefix=tags.prefix,
        renamed={fold(here): there for here, there in tags.rename.items()},
        back=back,
        lower_case=tags.lower_case,
        refuse_characters=tags.refuse_characters,
        dimensions=tuple((dimension, TagFilter(patterns)) for dimension, patterns in sorted(tags.dimensions.items())),
    )


def _patterns(links: schema.LinksField, problems: Problems) -> tuple[ReferencePattern, ...]:
    at = ("fields", "links")
    if links.show is schema.Show.FIELD and not links.field:
        problems.add((*at, "field"), "is missing", "`show: field` needs the name of the field to write to")
    if links.direction is Direction.ENFORCE:
        problems.add((*at, "direction"), "links have no `enforce`", "use `both`, `in`, `out` or `off`")
    found = []
    for n, text in enumerate(links.patterns):
        try:
            found.append(reference_pattern(text))
        except PatternWrong as error:
            problems.add((*at, "patterns", n), f"`{text}` {error}")
    return tuple(found)


_VIEWS = (
    "title", "body", "severity", "urgency", "type", "category", "source_class", "reporter", "owner", "occurrences",
    "affected_users",
)  # fmt: skip


def _views(fields: schema.Fields, problems: Problems) -> None:
    for name in _VIEWS:
        view = getattr(fields, name)
        if view.direction is Direction.ENFORCE:
            problems.add(
                ("fields", name, "direction"),
                "`enforce` is for status and tags only",
                "use `both`, `in`, `out` or `off`",
            )
        values = getattr(view, "values", {})
        if values and not view.field:
            problems.add(
                ("fields", name, "field"), "is missing", "`values` needs the remote field whose values they are"
            )
        known = {raw.casefold() for raw in values}
        for meaning, raw in getattr(view, "write", {}).items():
            if view.direction is Direction.IN:
                problems.add(
                    ("fields", name, "write"),
                    "nothing is written with `direction: in`",
                    "take it out, or set `direction: both`",
                    key=True,
                )
                break
            if values and raw.casefold() not in known:
                problems.add(
                    ("fields", name, "write", meaning),
                    f"`{raw}` is not among `values`",
                    nearest(raw, values) or "add it there",
                )
            elif values and (read := _read(values, raw)) != meaning:
                problems.add(
                    ("fields", name, "write", meaning),
                    f"`{raw}` is read back as {read}",
                    "write a value that means the same as what it stands for",
                )


def _read(values: MappingOf[str, StrEnum], raw: str) -> StrEnum | None:
    return next((meaning for known, meaning in values.items() if known.casefold() == raw.casefold()), None)


def _plain(field: schema.ViewField, default: str = "") -> PlainField:
    return PlainField(source=_source(field), target=_target(field), default=default, split=field.split)


def _values(field: Any, write: MappingOf[Any, str]) -> Values:
    read: dict[str, str] = {raw.casefold(): meaning for raw, meaning in field.values.items()}
    read.update(field.values)
    return Values(
        source=_source(field),
        target=_target(field) if write else "",
        read=read,
        write=dict(write),
        default=field.default,
        split=field.split,
    )


def _source(field: schema.ViewField) -> str:
    return field.field if field.direction in (Direction.BOTH, Direction.IN) else ""


def _target(field: schema.ViewField) -> str:
    return field.field if field.direction in (Direction.BOTH, Direction.OUT) else ""


def _step(step: schema.Transition, *, always: bool) -> Step:
    required: dict[str, Any] = {} if always else dict(step.fields)
    if step.resolution:
        required["resolution"] = {"name": step.resolution}
    return Step(always=dict(step.fields) if always else {}, required=required, avoid=step.avoid)


def _sentence(text: str, names: Sequence[str], problems: Problems, loc: Sequence[str | int]) -> Sentence:
    read = sentence(text)
    for name in dict.fromkeys(read.names):
        if name not in names:
            problems.add(
                loc,
                f"knows no ${name}",
                nearest(name, names).replace("`", "`$", 1) or f"known are {', '.join(f'${n}' for n in names)}",
            )
    return read


def _routed_fields(fields: schema.Fields, routed: Iterable[str]) -> list[str]:
    found = []
    for name in routed:
        part = getattr(fields, name, None)
        if name == "dimensions":
            found += [field.field for field in fields.dimensions.values() if field.field]
        elif part is not None and name not in ("status", "tags") and part.field:
            found.append(part.field)
    return found


# --- routes ----------------------------------------------------------------------------------------------------------

_SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_URGENCIES = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH, Urgency.IMMEDIATE)


def routes(file: schema.RoutesFile, problems: Problems, connections: Iterable[str] | None = None) -> tuple[Route, ...]:
    """Compile the routes. connections: the names there are, when they are known."""
    names: dict[str, int] = {}
    unconditional: str | None = None
    conditions: dict[str, str] = {}
    found = []
    known = None if connections is None else sorted(connections)
    for n, entry in enumerate(file.routes):
        at = ("routes", n)
        if entry.name in names:
            problems.add(
                (*at, "name"),
                f"`{entry.name}` is the name of another route as well",
                "give each its own: `explain` names them",
            )
        names.setdefault(entry.name, n)
        if entry.expression:
            problems.add((*at, "expression"), "expressions cannot be used yet", "say it with `when`")
        if unconditional is not None:
            problems.add(
                at,
                f"is never reached: `{unconditional}` before it takes every record",
                "put it before that route, or give that route a condition",
            )
        said = fingerprint(entry.when.model_dump(mode="json"))
        if said in conditions and unconditional is None:
            problems.add(
                (*at, "when"),
                f"is never reached: `{conditions[said]}` before it has the same condition",
                "the first route that fits is taken",
                key=True,
            )
        conditions.setdefault(said, entry.name)
        if entry.when == schema.Condition():
            unconditional = unconditional or entry.name
        if known is not None:
            for way, name in [
                (("create", "connection"), entry.create.connection),
                *((("when", "connection", m), name) for m, name in enumerate(entry.when.connection)),
            ]:
                if name not in known:
                    problems.add(
                        (*at, *way),
                        f"there is no connection `{name}`",
                        nearest(name, known)
                        or (f"known are {', '.join(known)}" if known else "add it to the settings"),
                    )
        if entry.when.connection == [entry.create.connection]:
            problems.add(
                (*at, "create", "connection"),
                "is where the records come from",
                "name the connection on which the counterpart is created",
            )
        found.append(
            Route(
                name=entry.name,
                when=_when(entry.when, problems, (*at, "when")),
                target=Target(connection=entry.create.connection, fields=dict(entry.create.fields)),
                title=_sentence(entry.title, CREATE_NAMES, problems, (*at, "title")) if entry.title else None,
                body=_sentence(entry.body, CREATE_NAMES, problems, (*at, "body")) if entry.body else None,
            )
        )
    return tuple(found)


def routed(file: schema.RoutesFile) -> tuple[str, ...]:
    """The canonical fields that conditions look at."""
    return tuple(
        sorted({name for entry in file.routes for name in entry.when.model_fields_set} - {"connection", "created"})
    )


def _when(when: schema.Condition, problems: Problems, at: tuple[str | int, ...]) -> When:
    for name, low, high in (
        ("severity", *_ends(when.severity, _SEVERITIES)),
        ("urgency", *_ends(when.urgency, _URGENCIES)),
        ("occurrences", *_ends(when.occurrences, ())),
        ("affected_users", *_ends(when.affected_users, ())),
    ):
        if low is not None and high is not None and low > high:
            ranged: Any = getattr(when, name)
            message = f"nothing is at least {ranged.at_least} and at most {ranged.at_most}"
            problems.add((*at, name), message, "change the ends over")
    created = when.created
    for name in ("after", "before"):
        moment = getattr(created, name) if created is not None else None
        if moment is not None and moment.tzinfo is None:
            problems.add((*at, "created", name), "has no time zone", "add one, for example `Z` for UTC")
            created = None
    if (
        created is not None
        and created.after is not None
        and created.before is not None
        and created.after >= created.before
    ):
        problems.add((*at, "created"), "no time is after the one and before the other", "change the ends over")
    return When(
        connections=frozenset(when.connection) if when.connection else None,
        statuses=frozenset(when.status) if when.status else None,
        types=frozenset(when.type) if when.type else None,
        categories=frozenset(when.category) if when.category else None,
        source_classes=frozenset(when.source_class) if when.source_class else None,
        severities=_within(when.severity, _SEVERITIES),
        urgencies=_within(when.urgency, _URGENCIES),
        tags=_tag_match(when.tags) if when.tags is not None else None,
        dimensions=tuple((dimension, _tag_match(tags)) for dimension, tags in sorted(when.dimensions.items())),
        title=_text_match(when.title) if when.title is not None else None,
        body=_text_match(when.body) if when.body is not None else None,
        occurrences=_between(when.occurrences),
        affected_users=_between(when.affected_users),
        after=created.after if created is not None else None,
        before=created.before if created is not None else None,
    )


def _ends(ranged: Any, order: Sequence[Any]) -> tuple[int | None, int | None]:
    """Both ends of a range as numbers; None where it is open or no range."""
    if ranged is None or isinstance(ranged, list):
        return None, None
    ends = [order.index(end) if end in order else end for end in (ranged.at_least, ranged.at_most)]
    return ends[0], ends[1]


def _within(wanted: Any, order: Sequence[Any]) -> frozenset[Any] | None:
    if isinstance(wanted, list):
        return frozenset(wanted) if wanted else None
    low = order.index(wanted.at_least) if wanted.at_least is not None else 0
    high = order.index(wanted.at_most) if wanted.at_most is not None else len(order) - 1
    return frozenset(order[low : high + 1])


def _tag_match(tags: schema.TagCondition) -> TagMatch:
    return TagMatch(
        any=TagFilter(tags.any) if tags.any else None,
        all=tuple(TagFilter([pattern]) for pattern in tags.all),
        none=TagFilter(tags.none) if tags.none else None,
    )


def _text_match(text: schema.TextCondition) -> TextMatch:
    return TextMatch(
        contains=tuple(part.casefold() for part in text.contains), lacks=tuple(part.casefold() for part in text.lacks)
    )


def _between(count: schema.CountCondition | None) -> Between | None:
    return Between(at_least=count.at_least, at_most=count.at_most) if count is not None else None


# --- rules -----------------------------------------------------------------------------------------------------------


def rules(file: schema.RulesFile, problems: Problems) -> Rules:
    """Compile the group rules."""
    if file.reopen_as.side is Side.DONE:
        problems.add(
            ("reopen_as",),
            f"`{file.reopen_as}` is a done status",
            "an item that is opened again is new, in_progress or waiting",
        )
    return Rules(
        roles={
            role: RoleRules(
                resolve=group.resolve,
                reopen=group.reopen,
                reopen_reaches=frozenset(group.reopen_reaches),
                detail=group.detail,
                siblings=group.siblings,
                automatic_resolve=group.automatic_resolve,
            )
            for role, group in ((Role.HELPDESK, file.groups.helpdesk), (Role.SIGNAL, file.groups.signal))
        },
        reopen_as=file.reopen_as if file.reopen_as.side is Side.ACTIVE else Status.NEW,
    )
