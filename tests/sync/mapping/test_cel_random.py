"""Random expressions: what is let in can be evaluated of every record, and nothing but a refusal comes of the rest."""

from __future__ import annotations

import random

from sync.mapping.cel.checking import VARIABLES, check
from sync.mapping.cel.constants import is_never_true
from sync.mapping.cel.expression import VALUES, _library, expression
from sync.mapping.cel.syntax import Unreadable, read
from sync.model import Feedback
from tests.sync.mapping.test_cel import AT, view

PATTERNS = ('r"^a.*"', '"(x|y)+"', '""')
SHOWN = ('"launch"', '"x"')


def a_bool(rng: random.Random, depth: int, names: tuple[str, ...] = ()) -> str:
    """A well-typed condition. names: tags bound by a comprehension around it."""
    if depth > 0 and rng.random() < 0.6:
        one, other = a_bool(rng, depth - 1, names), a_bool(rng, depth - 1, names)
        made = (f"({one} && {other})", f"({one} || {other})", f"!({one})", f"({one} ? {other} : {one})")
        return rng.choice(made)
    worded = rng.choice([name for name, type_ in VARIABLES.items() if type_.name == "word"])
    words = [repr(word) for word in VARIABLES[worded].words]
    text, keys = a_text(rng, names), rng.choice(("tags", "area", "component", "release"))
    simple = [
        f"{worded} {rng.choice(('==', '!='))} {rng.choice(words)}",
        f"{worded} in [{', '.join(rng.sample(words, 2))}]",
        f"{a_number(rng)} {rng.choice(('<', '<=', '>', '>=', '==', '!='))} {a_number(rng)}",
        f"{text}.{rng.choice(('contains', 'startsWith', 'endsWith'))}({a_text(rng, names)})",
        f"{text}.matches({rng.choice(PATTERNS)})",
        f"{rng.choice((*SHOWN, *names))} in {keys}",
        f"updated - created {rng.choice(('<', '>='))} duration('36h')",
        f"created {rng.choice(('<', '>='))} timestamp('2026-03-01T00:00:00Z')",
        rng.choice(("true", "'reopened' in facts")),
    ]
    if not names:
        inner = a_bool(rng, 1, ("t",))
        simple += [
            f"{keys}.{rng.choice(('exists', 'all', 'exists_one'))}(t, {inner})",
            f"{keys}.filter(t, {inner}) != tags",
        ]
    return rng.choice(simple)


def a_text(rng: random.Random, names: tuple[str, ...]) -> str:
    return rng.choice(("title", "body", "reporter", "owner_email", "'log'", '"\\n\\""', "(title + '!')", *names))


def a_number(rng: random.Random) -> str:
    return rng.choice(
        (
            "occurrences",
            "affected_users",
            "size(tags)",
            "title.size()",
            "3",
            "-1",
            "occurrences / 2 + 1",
            "created.getHours()",
        )
    )


def test_what_is_let_in_can_be_compiled_and_evaluated_of_every_record() -> None:
    rng = random.Random(3)
    records = [view(), view(tags=(), title="", body="", reporter=None, owner=None, status=None, severity=None)]
    library = _library()
    let_in = 0
    for _ in range(1_500):
        text = a_bool(rng, 3)
        if len(text) > 900:
            continue
        check(read(text))
        try:
            asked = expression(text)
        except Unreadable:
            assert is_never_true(read(text)), text
            continue
        let_in += 1
        for record in records:
            assert asked.holds(record, "support", AT) in (True, False)
            given = {name: _value(name, record) for name in asked.fields}
            assert library.evaluate(text, given) is asked.holds(record, "support", AT), text
    assert let_in > 1_000


def _value(name: str, record: Feedback) -> object:
    return VALUES[name](record, "support", AT)


def test_what_is_found_never_true_is_false_of_records() -> None:
    rng = random.Random(4)
    library = _library()
    found = 0
    for _ in range(3_000):
        text = f"({a_bool(rng, 1)}) && status == 'new' && status in ['waiting', 'closed']"
        try:
            expression(text)
        except Unreadable as never:
            found += "is never true" in never.message
            names = check(read(text))
            assert library.evaluate(text, {name: _value(name, view()) for name in names}) is False
    assert found == 3_000


def test_any_text_is_read_or_refused_with_its_place() -> None:
    rng = random.Random(5)
    pieces = [
        *VARIABLES, "t", "has", "size", "timestamp", "(", ")", "[", "]", "{", "}", ".", ",", "?", ":", "&&", "||", "!",
        "==", "<", "in", "+", "-", "/", "%", "'a'", '"b"', "r'\\d'", "1", "0", "2.5", "1e9", "true", "null", "'", "\\",
        " ", "exists", "all", "matches", "\n", "é", "// x", "9" * 30, "duration('1h')", "\x00",
    ]  # fmt: skip
    accepted, refused = 0, []
    for _ in range(8_000):
        text = "".join(rng.choice(pieces) + rng.choice(("", " ")) for _ in range(rng.randint(1, 9)))
        try:
            check(read(text))
            accepted += 1
        except Unreadable as error:
            refused.append((error.at, len(text), error.message))
    assert all(0 <= at <= size + 1 and message for at, size, message in refused)
    assert accepted >= 1
