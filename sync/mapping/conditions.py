"""`routes.yaml`: checked across its keys and routes, then made into matchers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sync.mapping import schema
from sync.mapping.cel.expression import Expression, expression
from sync.mapping.cel.syntax import Unreadable
from sync.mapping.findings import Problems, fingerprint, read_sentence
from sync.mapping.patterns import TagFilter
from sync.mapping.reach import Impossible, unreached
from sync.mapping.routes import Act, Between, Route, TagMatch, Target, TextMatch, When
from sync.mapping.words import CREATE_NAMES
from sync.mapping.yaml import nearest
from sync.model import Dimension, Severity, Urgency

_SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
_URGENCIES = (Urgency.LOW, Urgency.MEDIUM, Urgency.HIGH, Urgency.IMMEDIATE)


def routes(file: schema.RoutesFile, problems: Problems, connections: Iterable[str] | None = None) -> tuple[Route, ...]:
    """Compile the routes. connections: the names there are, when they are known."""
    names: dict[str, int] = {}
    found = []
    known = None if connections is None else sorted(connections)
    for n, entry in enumerate(file.routes):
        at = ("routes", n)
        if entry.name in names:
            line = problems.line(("routes", names[entry.name]))
            problems.add(
                (*at, "name"),
                f"`{entry.name}` is the name of another route as well (line {line})",
                "give each its own: `explain` names them",
            )
        names.setdefault(entry.name, n)
        act, target = _target(entry, problems, at)
        if known is not None:
            for way, name in [
                ((act.value, "connection"), target.connection),
                *((("when", "connection", m), name) for m, name in enumerate(entry.when.connection)),
            ]:
                if name and name not in known:
                    problems.add(
                        (*at, *way),
                        f"there is no connection `{name}`",
                        nearest(name, known)
                        or (f"known are {', '.join(known)}" if known else "add it to the settings"),
                    )
        if entry.when.connection == [target.connection]:
            problems.add(
                (*at, act.value, "connection"),
                "is where the records come from",
                "name the connection on which the counterpart is",
            )
        found.append(
            Route(
                name=entry.name,
                when=_when(entry.when, problems, (*at, "when"), known),
                target=target,
                title=read_sentence(entry.title, CREATE_NAMES, problems, (*at, "title")) if entry.title else None,
                body=read_sentence(entry.body, CREATE_NAMES, problems, (*at, "body")) if entry.body else None,
                act=act,
            )
        )
    _reached(file, found, problems, known)
    return tuple(found)


def _reached(file: schema.RoutesFile, routes: Sequence[Route], problems: Problems, known: Sequence[str] | None) -> None:
    """Routes that no record can reach, with the routes that take all of theirs."""
    # A condition or an expression that could not be read says nothing about what its route takes.
    sound = [
        n
        for n, entry in enumerate(file.routes)
        if (not entry.when.cel or routes[n].when.expression is not None) and not problems.lacks(("routes", n))
    ]
    for position, why in unreached([routes[n] for n in sound], known).items():
        n = sound[position]
        if isinstance(why, Impossible):
            if why.field in _CONTRADICTION:  # of the others, what is wrong is told at their ends and names
                problems.add(("routes", n, "when", why.field), *_CONTRADICTION[why.field], key=True)
            continue
        by = [sound[m] for m in why.by]
        named = " and ".join(f"`{file.routes[m].name}` (line {problems.line(('routes', m))})" for m in by)
        if len(by) == 1 and file.routes[by[0]].when == schema.Condition():
            message, hint = f"is never reached: {named} before it takes every record", "give that route a condition"
            problems.add(("routes", n), message, f"put it before that route, or {hint}")
        elif len(by) == 1 and _said(file, routes, by[0]) == _said(file, routes, n):
            message = f"is never reached: {named} before it has the same condition"
            problems.add(("routes", n, "when"), message, "the first route that fits is taken", key=True)
        else:
            takes = "takes" if len(by) == 1 else "take"
            message = f"is never reached: {named} before it {takes} every record that it fits"
            problems.add(("routes", n, "when"), message, "put it before, or narrow what takes its records", key=True)
    said: dict[object, int] = {}
    for n in sound:
        other = said.setdefault(_said(file, routes, n), n)
        if other != n and file.routes[n].when.cel:
            name, line = file.routes[other].name, problems.line(("routes", other))
            message = f"is never reached: `{name}` (line {line}) before it has the same condition"
            problems.add(("routes", n, "when"), message, "the first route that fits is taken", key=True)


_CONTRADICTION = {
    **dict.fromkeys(
        ("title", "body"),
        ("no text has one of `contains` and none of `lacks`", "take out of `lacks` what the words contain"),
    ),
    **dict.fromkeys(
        ("tags", "dimensions"),
        ("no record has such tags: one that must be there must not, or would be in two dimensions", "take one out"),
    ),
}


def _said(file: schema.RoutesFile, routes: Sequence[Route], n: int) -> object:
    """What a condition says: equal for two that say the same, however their expressions are spaced."""
    written = routes[n].when.expression
    structured = file.routes[n].when.model_dump(mode="json", exclude={"cel"})
    return fingerprint(structured), written.shape if written is not None else None


def _target(entry: schema.RouteEntry, problems: Problems, at: tuple[str | int, ...]) -> tuple[Act, Target]:
    """What the route does, and where: exactly one of its three acts must be there."""
    acts = [act for act in Act if getattr(entry, act.value) is not None]
    if not acts:
        problems.add(at, "does nothing", "add `create:`, `propose:` or `attach:` with the connection")
        return Act.CREATE, Target(connection="")
    for act in acts[1:]:
        problems.add(
            (*at, act.value), f"cannot stand beside `{acts[0]}`", "a route does one thing: make two of it", key=True
        )
    target = entry.create or entry.propose
    if acts[0] is not Act.ATTACH and target is not None:
        return acts[0], Target(
            connection=target.connection, fields=dict(target.fields), required=tuple(target.required)
        )
    assert entry.attach is not None  # the only act that is left
    for name in ("title", "body"):
        if getattr(entry, name):
            problems.add((*at, name), "is for what is created, and `attach` creates nothing", "take it out", key=True)
    return Act.ATTACH, Target(connection=entry.attach.connection, record=entry.attach.record)


def routed(routes: Iterable[Route], file: schema.RoutesFile) -> tuple[str, ...]:
    """The canonical fields that conditions look at."""
    structured = {name for entry in file.routes for name in entry.when.model_fields_set}
    written = {name for route in routes if route.when.expression for name in route.when.expression.fields}
    named = {name.removesuffix("_email") for name in structured | written}
    if named & set(Dimension):
        named.add("dimensions")
    return tuple(sorted(named - {"connection", "created", "updated", "cel", "facts", *Dimension}))


def _when(
    when: schema.Condition, problems: Problems, at: tuple[str | int, ...], connections: Sequence[str] | None
) -> When:
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
        expression=_expression(when.cel, problems, (*at, "cel"), connections) if when.cel else None,
    )


def _expression(
    text: str, problems: Problems, at: tuple[str | int, ...], connections: Sequence[str] | None
) -> Expression | None:
    try:
        return expression(text, connections)
    except Unreadable as error:
        where = f"character {error.at}: " if error.at else ""
        problems.add(at, where + error.message, error.hint)
        return None


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
