"""Which routes are reached: the answer equals that of trying every record of a small world."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from itertools import combinations, product

import pytest

from sync.mapping.globs import common, within
from sync.mapping.load import MappingErrors, load
from sync.mapping.patterns import TagFilter
from sync.mapping.reach import Covered, Impossible, unreached
from sync.mapping.routes import Between, Route, TagMatch, Target, TextMatch, When
from sync.model import Category, Dimension, Feedback, FeedbackType, SourceClass, Status, Tag

AT = datetime(2026, 3, 1, tzinfo=UTC)
KEYS = ("a", "ab", "b", "bc", "c", "zz")
TITLES = ("", "x", "y", "xy", "x~y", "y~xy", "x~xy", "x~y~xy")
STATUSES = (None, *Status)
CONNECTIONS = ("support", "eng")


def tag_sets() -> list[tuple[Tag, ...]]:
    """Up to three tags; some in one of two dimensions."""
    found: list[tuple[Tag, ...]] = []
    for size in range(4):
        for keys in combinations(KEYS, size):
            for dimensions in product((None, Dimension.AREA, Dimension.COMPONENT), repeat=size):
                found.append(
                    tuple(Tag(key=key, text=key, dimension=one) for key, one in zip(keys, dimensions, strict=True))
                )
    return found


TAGS = tag_sets()


def view(status: Status | None, title: str, count: int, tags: tuple[Tag, ...]) -> Feedback:
    return Feedback(
        source_class=SourceClass.DIRECT_CONTACT,
        type=FeedbackType.BUG,
        category=Category.BUG,
        title=title,
        body="",
        status=status,
        occurrences=count,
        tags=tags,
    )


def chosen(rng: random.Random, *, tags: bool) -> Route:
    """A route about a few things; about tags or about a title and a number, so that every record can be tried."""

    def some(values: tuple[str, ...]) -> list[str]:
        return rng.sample(values, rng.randint(1, 2))

    patterns = ("a", "ab", "a*", "b*", "?", "[bc]", "*b", "zz", "*")
    when = When(
        connections=frozenset(some(CONNECTIONS)) if rng.random() < 0.2 else None,
        statuses=frozenset(rng.sample(list(Status), rng.randint(1, 4))) if rng.random() < 0.3 else None,
    )
    if tags:

        def match() -> TagMatch:
            return TagMatch(
                any=TagFilter(some(patterns)) if rng.random() < 0.6 else None,
                all=(TagFilter(some(patterns)),) if rng.random() < 0.2 else (),
                none=TagFilter(some(patterns)) if rng.random() < 0.4 else None,
            )

        dimension = rng.choice((Dimension.AREA, Dimension.COMPONENT))
        when = When(
            connections=when.connections,
            statuses=when.statuses,
            tags=match() if rng.random() < 0.7 else None,
            dimensions=((dimension, match()),) if rng.random() < 0.3 else (),
        )
    else:
        low = rng.choice((None, 0, 1, 2, 3))
        parts = ("x", "y", "xy")
        when = When(
            connections=when.connections,
            statuses=when.statuses,
            title=TextMatch(
                contains=tuple(some(parts)) if rng.random() < 0.7 else (),
                lacks=tuple(some(parts)) if rng.random() < 0.4 else (),
            )
            if rng.random() < 0.7
            else None,
            occurrences=Between(at_least=low, at_most=rng.choice((None, 1, 2, 3))) if rng.random() < 0.5 else None,
        )
    return Route(name="r", when=when, target=Target(connection=rng.choice(CONNECTIONS)))


def reached(routes: list[Route], *, tags: bool) -> set[int]:
    """The routes that some record of the world reaches."""
    found = set()
    worlds = product(STATUSES, ("",), (1,), TAGS) if tags else product(STATUSES, TITLES, range(6), ((),))
    for status, title, count, some in worlds:
        record = view(status, title, count, some)
        for place in CONNECTIONS:
            first = next((n for n, route in enumerate(routes) if route.matches(record, place, AT)), None)
            if first is not None:
                found.add(first)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_what_is_reached_is_what_some_record_of_a_small_world_reaches(seed: int) -> None:
    rng = random.Random(seed)
    tags = seed % 3 == 0  # the world of tags is the larger one
    for _ in range(1 if tags else 8):
        routes = [chosen(rng, tags=tags) for _ in range(rng.randint(2, 5))]
        assert set(range(len(routes))) - set(unreached(routes, CONNECTIONS)) == reached(routes, tags=tags)


def test_a_pattern_and_what_two_others_leave_of_it() -> None:
    assert common(("a?",), ("a[a-z]",)) == ("a?",)  # a question mark may stand in a tag
    assert common(("launch-*",), ("*-2",)) == ("launch-",)
    assert common(("launch",), ("l*",)) == ()
    assert within("area-login", "area-*")
    assert not within("area-*", "area-login")
    assert set(common(("[ab]",), (), 5)) == {"a", "b"}


def test_an_answer_is_a_tag_that_the_filters_take_alike() -> None:
    rng = random.Random(5)
    letters = "ab*?[]!-c"
    for _ in range(2_000):
        inside = tuple("".join(rng.choice(letters) for _ in range(rng.randint(1, 5))) for _ in range(2))
        outside = tuple("".join(rng.choice(letters) for _ in range(rng.randint(1, 5))) for _ in range(2))
        for found in common(inside, outside, 3):
            assert found in TagFilter(inside)
            assert found not in TagFilter(outside)
        if not common(inside, outside):
            short = ("".join(each) for size in (1, 2, 3) for each in product("abcx-", repeat=size))
            assert not [text for text in short if text in TagFilter(inside) and text not in TagFilter(outside)]


def test_one_pattern_is_within_another_exactly_when_nothing_of_it_is_outside() -> None:
    rng = random.Random(6)
    letters = "ab*?[]!-"
    for _ in range(4_000):
        one, other = ("".join(rng.choice(letters) for _ in range(rng.randint(1, 4))) for _ in range(2))
        assert within(one, other) == (not common((one,), (other,))), (one, other)


def test_both_places_are_named_and_which_routes_take_the_records() -> None:
    routes = [
        Route(name=str(n), when=When(occurrences=one), target=Target(connection="eng"))
        for n, one in enumerate((Between(at_least=3), Between(at_most=2), Between(at_least=1, at_most=1)))
    ]
    assert unreached(routes) == {2: Covered((1,))}
    assert unreached([*routes[:2], Route(name="x", when=When(), target=Target(connection="eng"))]) == {
        2: Covered((0, 1))
    }
    nothing = When(title=TextMatch(contains=("timeout",), lacks=("time",)))
    assert unreached([Route(name="y", when=nothing, target=Target(connection="eng"))]) == {0: Impossible("title")}


def test_what_an_expression_takes_is_not_guessed() -> None:
    text = "routes:\n  - {name: a, when: FIRST, create: &}\n  - {name: b, when: SECOND, create: &}\n"
    text = text.replace("&", "{connection: eng}")
    new, more = "{status: [new]}", "{status: [new], cel: 'occurrences > 2'}"
    for first, second in (("{cel: 'occurrences > 0'}", new), (more, new)):
        loaded = load({"routes.yaml": text.replace("FIRST", first).replace("SECOND", second)})
        assert [route.name for route in loaded.routes] == ["a", "b"]
    with pytest.raises(MappingErrors, match=r"`a` \(line 2\) before it takes every record that it fits"):
        load({"routes.yaml": text.replace("FIRST", new).replace("SECOND", more)})
