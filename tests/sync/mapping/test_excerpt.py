"""The line that a problem is about, marked."""

from __future__ import annotations

import pytest

from sync.mapping.excerpt import excerpt
from sync.mapping.yaml import Problem


def shown(text: str, line: int, column: int, width: int = 80) -> str:
    found = excerpt(text, Problem("f.yaml", line, column, "", "is wrong"), width)
    return "" if found is None else "\n".join(found)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: 1\nstatus: opn\n", (2, 9), "    2 | status: opn\n      |         ^^^"),
        ("a: {x: resolvd, y: new}\n", (1, 8), "    1 | a: {x: resolvd, y: new}\n      |        ^^^^^^^"),
        ("a: [in progress]\n", (1, 5), "    1 | a: [in progress]\n      |     ^^^^^^^^^^^"),
        ("exlude: [a]\n", (1, 1), "    1 | exlude: [a]\n      | ^^^^^^"),
        ("a: 'it, is'\n", (1, 4), "    1 | a: 'it, is'\n      |    ^^^^^^^^"),
        ("Zu prüfen: nwe # later\n", (1, 12), "    1 | Zu prüfen: nwe # later\n      |            ^^^"),
        ("処理中: nwe\n", (1, 6), "    1 | 処理中: nwe\n      |         ^^^"),
        ("\ta: b\n", (1, 1), "    1 |  a: b\n      | ^"),
        ("a:\n", (1, 9), "    1 | a:\n      |   ^"),
    ],
)
def test_the_line_is_shown_and_the_word_marked(text: str, place: tuple[int, int], said: str) -> None:
    assert shown(text, *place) == said


@pytest.mark.parametrize("column", [1, 60, 150, 290])
def test_a_long_line_is_shown_around_the_place(column: int) -> None:
    text = "".join(f"w{n:03}, " for n in range(50))
    line, mark = shown(text, 1, column, 60).split("\n")
    assert len(line) <= 60
    assert len(mark) <= 60
    assert line[mark.index("^")] == text[column - 1]


def test_a_line_that_there_is_not_is_not_shown() -> None:
    assert shown("a: 1\n", 7, 1) == ""
    assert shown("", 1, 1) == ""
