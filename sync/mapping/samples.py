"""A record that a route fits and, where it is easily found, that no route before it does: the proof that it is reached.

One value is chosen for each field on its own. Where that finds nothing, nothing is proved: `reach` looks further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sync.mapping.globs import common
from sync.mapping.routes import Between, Route, TextMatch
from sync.model import Category, Dimension, Feedback, FeedbackType, Severity, SourceClass, Status, Tag, Urgency

T = TypeVar("T")
_AT = datetime(2026, 1, 1, tzinfo=UTC)


_NEAR = 12
"""The routes that a record is first chosen against. Most routes far before another are about something else."""


def is_reached(route: Route, before: Sequence[Route], connections: Iterable[str] | None) -> bool:
    """True: some record fits the route and none before it. False: no such record was found at the first tries."""
    against = (before[-_NEAR:], before) if len(before) > _NEAR else (before,)
    return any(_escapes(route, some, before, connections) for some in against)


def _escapes(route: Route, before: Sequence[Route], every: Sequence[Route], connections: Iterable[str] | None) -> bool:
    """Whether a record that is chosen to fit few of the routes before fits the route and none of them all."""
    when = route.when

    def words(name: str, every: Iterable[Any]) -> Any:
        own = getattr(when, name)
        others = [getattr(other.when, name) for other in before]
        return _rarest(every if own is None else sorted(own, key=str), [one for one in others if one is not None])

    places = when.connections or connections or ["?"]
    place = _rarest(
        [name for name in sorted(places) if name != route.target.connection],
        [one.when.connections for one in before if one.when.connections is not None],
    )
    if place is None:
        return False
    created = _moment(route, before)
    tags = _tags(route, before)
    if tags is None:
        return False
    view = Feedback(
        source_class=words("source_classes", SourceClass) or SourceClass.DIRECT_CONTACT,
        type=words("types", FeedbackType) or FeedbackType.BUG,
        category=words("categories", Category) or Category.QUESTION,
        title=_text(when.title, [other.when.title for other in before]),
        body=_text(when.body, [other.when.body for other in before]),
        status=words("statuses", [None, *Status]),
        severity=words("severities", [None, *Severity]),
        urgency=words("urgencies", [None, *Urgency]),
        tags=tags,
        occurrences=_number(when.occurrences, [other.when.occurrences for other in before]),
        affected_users=_number(when.affected_users, [other.when.affected_users for other in before]),
    )
    if not route.matches(view, place, created):
        return False
    return not any(other.matches(view, place, created) for other in every)


def _fewest(candidates: Iterable[T], takes: Callable[[T], int]) -> T | None:
    return min(candidates, key=takes, default=None)


def _rarest(candidates: Iterable[T], taken: Sequence[frozenset[Any]]) -> T | None:
    """The value that the fewest of the others take."""
    return _fewest(candidates, lambda value: sum(value in one for one in taken))


def _moment(route: Route, before: Sequence[Route]) -> datetime:
    ends = [end for one in (route, *before) for end in (one.when.after, one.when.before) if end is not None]
    around = [_AT, *(end + shift for end in ends for shift in (timedelta(), timedelta(microseconds=-1)))]

    def takes(moment: datetime) -> int:
        return sum(_within(one, moment) for one in before)

    return _fewest([moment for moment in around if _within(route, moment)], takes) or _AT


def _within(route: Route, moment: datetime) -> bool:
    after, end = route.when.after, route.when.before
    return (after is None or moment >= after) and (end is None or moment < end)


def _number(own: Between | None, others: Sequence[Between | None]) -> int:
    spans = [one for one in (own, *others) if one is not None]
    ends = [
        1,
        *(at + shift for one in spans for at in (one.at_least, one.at_most) if at is not None for shift in (-1, 0, 1)),
    ]
    asked = [one for one in others if one is not None]
    fitting = [number for number in ends if number >= 0 and (own is None or own.fits(number))]
    found = _fewest(fitting, lambda number: sum(one.fits(number) for one in asked))
    return 1 if found is None else found


def _text(own: TextMatch | None, others: Sequence[TextMatch | None]) -> str:
    parts = [""] if own is None or not own.contains else [part for part in own.contains if own.fits(part)]
    asked = [one for one in others if one is not None]
    return _fewest(parts, lambda text: sum(one.fits(text) for one in asked)) or ""


def _tags(route: Route, before: Sequence[Route]) -> tuple[Tag, ...] | None:
    """A tag for each that must be there, if possible none that a route before asks for."""
    lacks = tuple(_asked(route, none=True))
    wanted = [(dimension, patterns) for dimension, patterns in _asked(route, none=False)]
    sought = tuple(
        dict.fromkeys(one for other in before for _, patterns in _asked(other, none=False) for one in patterns)
    )
    tags: dict[str, Tag] = {}
    for dimension, patterns in wanted:
        without = tuple(one for scope, more in lacks if scope in (None, dimension) for one in more)
        found = common(patterns, (*without, *sought)) or common(patterns, without)
        if not found:
            return None
        tags[found[0]] = Tag(key=found[0], text=found[0], dimension=dimension)
    return tuple(tags.values())


def _asked(route: Route, *, none: bool) -> Iterator[tuple[Dimension | None, tuple[str, ...]]]:
    """The patterns of the tags that must be there, or must not be."""
    for dimension, match in ((None, route.when.tags), *route.when.dimensions):
        if match is not None:
            for one in (match.none,) if none else (match.any, *match.all):
                if one is not None:
                    yield dimension, one.patterns
