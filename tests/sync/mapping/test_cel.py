"""Expressions: what they are given, what they say, and that a record never breaks a route."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from sync.mapping.cel.checking import VARIABLES, check
from sync.mapping.cel.constants import is_never_true
from sync.mapping.cel.expression import VALUES, _library, expression
from sync.mapping.cel.syntax import Unreadable, read
from sync.model import Dimension, Fact, Feedback, Person, Severity, Status, Tag, Urgency
from tests.sync.mapping.records import ticket, zendesk

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def view(**given: object) -> Feedback:
    known = {
        "status": Status.WAITING,
        "facts": frozenset({Fact.REOPENED}),
        "severity": Severity.HIGH,
        "urgency": Urgency.LOW,
        "title": "Cannot log in",
        "tags": (Tag(key="launch", text="Launch"), Tag(key="area-login", text="area-login", dimension=Dimension.AREA)),
        "reporter": Person(id="7", name="Ada Reed", email="ada@example.com"),
        "occurrences": 12,
        "affected_users": 3,
        "last_seen_at": AT + timedelta(hours=2),
    }
    from msgspec import structs

    return structs.replace(zendesk().feedback(ticket()), **{**known, **given})


TRUE = [
    "status == 'waiting' && severity in ['high', 'critical'] && urgency != 'immediate'",
    "connection == 'support'",
    "'reopened' in facts && !('archived' in facts)",
    "type == 'bug' && category == 'bug' && source_class == 'direct_contact'",
    "title.startsWith('Cannot') && title.endsWith('in') && title.contains('log') && title.matches(r'log\\s+in')",
    "body.size() > 0 && size(title) == 13",
    "reporter == 'Ada Reed' && reporter_email.endsWith('@example.com') && owner == 'Sam Poe' && owner_email != ''",
    "occurrences * 2 >= 24 && occurrences / 5 == 2 && occurrences % 5 == 2 && affected_users - 1 == 2 && -1 < 0",
    "updated - created > duration('1h30m') && created >= timestamp('2026-03-01T00:00:00Z')",
    "created.getHours() == 9 && created.getFullYear() == 2026",
    "tags == ['area-login', 'launch'] && 'launch' in tags && area == ['area-login'] && size(component) == 0",
    "tags.exists(t, t.startsWith('area-')) && tags.all(t, t != 'spam') && tags.exists_one(t, t == 'launch')",
    "tags.filter(t, t.contains('log')).size() == 1 && 'launch!' in tags.map(t, t + '!')",
    "(occurrences > 100 ? severity == 'low' : severity == 'high') // a comment",
    "1.5 + 0.5 == 2.0 && \"it's\" != 'it\\'s!'",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_is_true_of_a_record_is_found_true(text: str) -> None:
    assert expression(text).holds(view(), "support", AT)
    assert not expression(f"!({text.partition('//')[0]})").holds(view(), "support", AT)


def test_every_field_is_there_and_never_null() -> None:
    bare = view(
        status=None,
        severity=None,
        urgency=None,
        reporter=None,
        owner=None,
        tags=(),
        facts=frozenset(),
        last_seen_at=None,
    )
    empty = {name: read(bare, "support", AT) for name, read in VALUES.items()}
    assert VALUES.keys() == VARIABLES.keys()
    assert None not in empty.values()
    assert [empty[name] for name in ("status", "severity", "urgency", "reporter", "owner_email")] == [""] * 5
    assert expression("status == '' && size(tags) == 0 && updated == created").holds(bare, "support", AT)


def test_the_names_in_the_schema_are_those_there_are() -> None:
    from sync.mapping.schema import Condition

    told = Condition.model_fields["cel"].description
    assert told is not None
    names = told.partition("Names: ")[2].partition(". Needs")[0].split(", ")
    assert set(names) == set(VARIABLES)


def test_a_record_on_which_it_cannot_be_worked_out_does_not_fit() -> None:
    too_large = expression("affected_users * 9000000000000000000 > 1")
    assert not too_large.holds(view(), "support", AT)
    assert too_large.holds(view(affected_users=1), "support", AT)


def test_tags_and_texts_are_cut_to_a_size_that_holds_nobody_up() -> None:
    many = tuple(Tag(key=f"t{n:04}", text="t") for n in range(5_000))
    huge = view(tags=many, title="x" * 90_000, body="y" * 90_000)
    assert expression("size(tags) == 100 && size(title) == 1000 && size(body) == 32000").holds(huge, "support", AT)


def test_the_fields_it_uses_are_known() -> None:
    assert check(read("tags.exists(t, t == reporter_email) && occurrences > 2")) == {
        "tags",
        "reporter_email",
        "occurrences",
    }


def test_two_spellings_of_one_expression_have_one_shape() -> None:
    assert read("a == 'x'  &&  (b)").shape() == read('a=="x"&&b').shape()
    assert read("a == 1").shape() != read("a == 1.0").shape()
    assert read("a == 1").shape() != read("a == true").shape()


def test_a_known_connection_is_one_of_a_few_words() -> None:
    with pytest.raises(Unreadable, match="`suport` is never its value") as refused:
        check(read("connection == 'suport'"), ["support", "eng"])
    assert refused.value.hint == "did you mean `support`?"
    assert check(read("connection == 'suport'")) == {"connection"}


@pytest.mark.parametrize(
    "text",
    [
        "false",
        "status == 'new' && status != 'new'",
        "!(severity in ['low', 'medium', 'high', 'critical', ''])",
        "(type == 'bug' ? severity == 'x1' : false) && occurrences > 3".replace("severity == 'x1'", "1 == 2"),
        "title == 'x' && 2 in [1, 3]",
        "1 == 2 || 'a' == 'b'",
    ],
)
def test_what_is_never_true_is_found_out(text: str) -> None:
    assert is_never_true(read(text))
    with pytest.raises(Unreadable, match="is never true"):
        expression(text)


@pytest.mark.parametrize(
    "text", ["true", "title == ''", "occurrences > 5 && occurrences < 3", "status == 'new' || title == 'x'"]
)
def test_what_may_be_true_is_let_in(text: str) -> None:
    assert not is_never_true(read(text))


def test_without_the_extra_a_file_with_an_expression_is_refused_and_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _library.cache_clear()
    monkeypatch.setitem(sys.modules, "cel", None)
    try:
        with pytest.raises(Unreadable) as refused:
            expression("title == 'x'")
    finally:
        _library.cache_clear()
    assert refused.value.message == "expressions need the extra `cel`, which is not installed"
    assert "hypercare-hub[cel]" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(" * 50 + "true" + ")" * 50, "nested deeper"),
        ("!" * 60 + "true", "too many signs"),
        (" || ".join(["title == 'x'"] * 60), "operators stand in a row"),
        ("title == '" + "x" * 2_000 + "'", "at most 1,000"),
    ],
)
def test_what_would_cost_too_much_is_refused(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read(text)
