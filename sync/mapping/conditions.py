"""`routes.yaml`: checked across its keys and routes, then made into matchers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sync.mapping import schema
from sync.mapping.findings import Problems, fingerprint, read_sentence
from sync.mapping.patterns import TagFilter
from sync.mapping.routes import Between, Route, TagMatch, Target, TextMatch, When
from sync.mapping.words import CREATE_NAMES
from sync.mapping.yaml import nearest
from sync.model import Severity, Urgency

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
                title=read_sentence(entry.title, CREATE_NAMES, problems, (*at, "title")) if entry.title else None,
                body=read_sentence(entry.body, CREATE_NAMES, problems, (*at, "body")) if entry.body else None,
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
