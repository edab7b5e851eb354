"""Which routes can ever be reached, decided exactly over everything that a record may be.

A condition is one restriction of each field. A route is reached by what fits it and fits no route before it; to fit
none of them, each must fail in one of its fields. All such ways are looked through until one is free of contradiction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from msgspec import Struct, structs

from sync.mapping.globs import common
from sync.mapping.routes import Between, Route, TagMatch, TextMatch
from sync.mapping.samples import is_reached
from sync.model import Category, Dimension, FeedbackType, Severity, SourceClass, Status, Urgency

STEPS = 20_000
"""How many combinations are looked at for one route. Beyond them a route counts as reached."""

_FOREVER = float("inf")
_WORDS: Mapping[str, frozenset[Any]] = {
    "status": frozenset([*Status, None]),
    "type": frozenset(FeedbackType),
    "category": frozenset(Category),
    "source_class": frozenset(SourceClass),
    "severity": frozenset([*Severity, None]),
    "urgency": frozenset([*Urgency, None]),
}
_OF = {
    "status": "statuses",
    "type": "types",
    "category": "categories",
    "source_class": "source_classes",
    "severity": "severities",
    "urgency": "urgencies",
}
Span: TypeAlias = tuple[float, float]
"""From, inclusive, to, exclusive."""
_COUNTS: Mapping[str, tuple[Span, ...]] = {"occurrences": ((0, _FOREVER),), "affected_users": ((0, _FOREVER),)}


class _Words(Struct, frozen=True):
    """The field's value is one of these."""

    field: str
    words: frozenset[Any]


class _Connection(Struct, frozen=True):
    """The connection is one of these (None: any), and none of those."""

    field = "connection"
    among: frozenset[str] | None
    without: frozenset[str] = frozenset()


class _Spans(Struct, frozen=True):
    """The number lies in one of these spans."""

    field: str
    spans: tuple[Span, ...]


class _Text(Struct, frozen=True):
    """The text has one of each of these, and none of those."""

    field: str
    has: tuple[tuple[str, ...], ...] = ()
    lacks: tuple[str, ...] = ()


class _Tags(Struct, frozen=True):
    """For each of `has` a tag fits, and none fits any of `lacks`. Each is (dimension or None, patterns)."""

    field: str
    has: tuple[tuple[Dimension | None, tuple[str, ...]], ...] = ()
    lacks: tuple[tuple[Dimension | None, tuple[str, ...]], ...] = ()


_Restriction: TypeAlias = _Words | _Connection | _Spans | _Text | _Tags


class _Region(Struct, frozen=True):
    """Records that keep a set of restrictions; there is at least one such record."""

    words: Mapping[str, frozenset[Any]]
    connection: _Connection
    spans: Mapping[str, tuple[Span, ...]]
    texts: Mapping[str, _Text]
    tags: _Tags

    def also(self, more: _Restriction) -> _Region | None:
        """The records that keep this as well; None: there are none."""
        match more:
            case _Words(field, words):
                left = self.words.get(field, _WORDS[field]) & words
                return structs.replace(self, words={**self.words, field: left}) if left else None
            case _Connection():
                known = self.connection.among
                among = known if more.among is None else more.among if known is None else known & more.among
                both = _Connection(among, self.connection.without | more.without)
                if both.among is not None and not both.among - both.without:
                    return None
                return structs.replace(self, connection=both)
            case _Spans(field, spans):
                left_spans = tuple(_meet(self.spans.get(field, spans), spans))
                return structs.replace(self, spans={**self.spans, field: left_spans}) if left_spans else None
            case _Text(field):
                known_text = self.texts.get(field, _Text(field))
                text = _Text(field, known_text.has + more.has, known_text.lacks + more.lacks)
                return structs.replace(self, texts={**self.texts, field: text}) if _can_say(text) else None
            case _Tags():
                tags = _Tags("tags", self.tags.has + more.has, self.tags.lacks + more.lacks)
                return structs.replace(self, tags=tags) if _can_be_tagged(tags) else None


class Impossible(Struct, frozen=True):
    """No record can fit a route. field: the first part of its condition that leaves none."""

    field: str


class Covered(Struct, frozen=True):
    """Every record that a route fits is taken before. by: the positions of the routes that take them."""

    by: tuple[int, ...]


def unreached(routes: Sequence[Route], connections: Iterable[str] | None = None) -> dict[int, Impossible | Covered]:
    """The routes that no record can reach, by their position. connections: the names there are, where known.

    What an expression says is not looked into: a route that has one covers nothing, and may be covered.
    """
    known = frozenset(connections) if connections is not None else None
    found: dict[int, Impossible | Covered] = {}
    for n, route in enumerate(routes):
        region: _Region | None = _Region(
            {}, _Connection(known, frozenset({route.target.connection})), _COUNTS, {}, _Tags("tags")
        )
        for restriction in _restrictions(route):
            assert region is not None
            region = region.also(restriction)
            if region is None:
                found[n] = Impossible(restriction.field)
                break
        if region is None:
            continue
        before = [m for m in range(n) if m not in found and routes[m].when.expression is None]
        if is_reached(
            structs.replace(route, when=structs.replace(route.when, expression=None)),
            [routes[m] for m in before],
            known,
        ):
            continue
        alone = next((m for m in before if _Search([routes[m]]).covers(region)), None)
        if alone is not None:
            found[n] = Covered((alone,))
        elif len(before) > 1:
            near = [m for m in before if _Search.meets(region, routes[m])]
            if len(near) > 1 and _Search([routes[m] for m in near]).covers(region):
                found[n] = Covered(tuple(near))
    return found


class _Search:
    """Looks for a record of a region that none of some routes fits."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self._steps = 0

    def covers(self, region: _Region) -> bool:
        """There is none."""
        return not self._escapes(region, self._routes)

    @staticmethod
    def meets(region: _Region, route: Route) -> bool:
        """Some record of the region fits the route."""
        left: _Region | None = region.also(_Connection(None, frozenset({route.target.connection})))
        for restriction in _restrictions(route):
            if left is None:
                return False
            left = left.also(restriction)
        return left is not None

    def _escapes(self, region: _Region, routes: Sequence[Route]) -> bool:
        self._steps += 1
        if self._steps > STEPS:
            return True
        left = [route for route in routes if self.meets(region, route)]
        if not left:
            return True
        # The route with the fewest ways to fail decides most.
        ways = {n: list(_failures(route)) for n, route in enumerate(left)}
        first = min(ways, key=lambda n: len(ways[n]))
        rest = [route for n, route in enumerate(left) if n != first]
        for way in ways[first]:
            inside = region.also(way)
            if inside is not None and self._escapes(inside, rest):
                return True
        return False


# --- a route's condition, and all the ways to fail it ----------------------------------------------------------------


def _restrictions(route: Route) -> Iterator[_Restriction]:
    when = route.when
    if when.connections is not None:
        yield _Connection(when.connections)
    for field, name in _OF.items():
        words = getattr(when, name)
        if words is not None:
            yield _Words(field, words)
    for field, span in _spans(route):
        yield _Spans(field, (span,))
    for field, text in (("title", when.title), ("body", when.body)):
        if text is not None:
            yield _Text(field, (text.contains,) if text.contains else (), text.lacks)
    for field, dimension, match in _tag_matches(route):
        has = [(dimension, one.patterns) for one in (match.any, *match.all) if one is not None]
        yield _Tags(field, tuple(has), ((dimension, match.none.patterns),) if match.none is not None else ())


def _failures(route: Route) -> Iterator[_Restriction]:
    """Each way for a record not to fit the route."""
    when, target = route.when, route.target.connection
    if when.connections is not None:
        yield _Connection(None, when.connections - {target})
    else:
        yield _Connection(frozenset({target}))
    for field, name in _OF.items():
        words = getattr(when, name)
        if words is not None:
            yield _Words(field, _WORDS[field] - words)
    for field, (low, high) in _spans(route):
        yield _Spans(field, tuple(span for span in ((-_FOREVER, low), (high, _FOREVER)) if span[0] < span[1]))
    for field, text in (("title", when.title), ("body", when.body)):
        yield from _text_failures(field, text)
    for _, dimension, match in _tag_matches(route):
        for one in (match.any, *match.all):
            if one is not None:
                yield _Tags("tags", (), ((dimension, one.patterns),))
        if match.none is not None:
            yield _Tags("tags", ((dimension, match.none.patterns),))


def _text_failures(field: str, text: TextMatch | None) -> Iterator[_Restriction]:
    if text is not None and text.contains:
        yield _Text(field, (), text.contains)
    if text is not None and text.lacks:
        yield _Text(field, (text.lacks,))


def _spans(route: Route) -> Iterator[tuple[str, Span]]:
    when = route.when
    for field, between in (("occurrences", when.occurrences), ("affected_users", when.affected_users)):
        if between is not None:
            yield field, _span(between)
    if when.after is not None or when.before is not None:
        yield "created", (_seconds(when.after, -_FOREVER), _seconds(when.before, _FOREVER))


def _span(between: Between) -> Span:
    low = between.at_least if between.at_least is not None else -_FOREVER
    return low, between.at_most + 1 if between.at_most is not None else _FOREVER


def _seconds(moment: datetime | None, otherwise: float) -> float:
    return moment.timestamp() if moment is not None else otherwise


def _tag_matches(route: Route) -> Iterator[tuple[str, Dimension | None, TagMatch]]:
    if route.when.tags is not None:
        yield "tags", None, route.when.tags
    for dimension, match in route.when.dimensions:
        yield "dimensions", dimension, match


# --- contradictions --------------------------------------------------------------------------------------------------


def _meet(some: Iterable[Span], others: Sequence[Span]) -> Iterator[Span]:
    for low, high in some:
        for other_low, other_high in others:
            if max(low, other_low) < min(high, other_high):
                yield max(low, other_low), min(high, other_high)


def _can_say(text: _Text) -> bool:
    """Some text has one of each and none of the others.

    Parts can always be put next to each other with a character between them that is in none, so each counts for itself.
    """
    return all(any(not any(lack in part for lack in text.lacks) for part in parts) for parts in text.has)


def _can_be_tagged(tags: _Tags) -> bool:
    """Some set of tags has one for each and none of the others. A tag has one dimension, or none."""
    asked = list(dict.fromkeys(tags.has))
    enough = len(asked) + 1
    choices: list[tuple[Dimension, tuple[str, ...]]] = []
    for dimension, patterns in asked:
        without = [one for scope, more in tags.lacks if scope in (None, dimension) for one in more]
        fitting = common(patterns, tuple(without), enough if dimension is not None else 1)
        if not fitting:
            return False
        if dimension is not None and len(fitting) < enough:  # with as many to choose from, nothing stands in the way
            choices.append((dimension, fitting))
    return _assign(choices, {})


def _assign(choices: Sequence[tuple[Dimension, tuple[str, ...]]], taken: Mapping[str, Dimension]) -> bool:
    """A tag can be chosen for each so that none is in two dimensions."""
    if not choices:
        return True
    dimension, fitting = choices[0]
    return any(
        _assign(choices[1:], {**taken, key: dimension}) for key in fitting if taken.get(key, dimension) is dimension
    )
