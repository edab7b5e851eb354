"""What tag patterns have in common, decided exactly: a tag that fits some of them and none of the others.

Patterns are walked side by side, character by character, over the characters that they tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import translate
from functools import lru_cache

from msgspec import Struct

from sync.core.tags import fold

STATES = 20_000
"""How many places of the walk are looked at. Patterns that people write need a few dozen."""
_FRESH = "abcdefghijklmnopqrstuvwxyz0123456789-_~"


class _Token(Struct, frozen=True):
    """One character of a pattern. text: as written; star: any number of any character; fits: of a class."""

    text: str
    star: bool = False
    fits: re.Pattern[str] | None = None

    def takes(self, character: str) -> bool:
        if self.star or self.text == "?":
            return True
        return self.fits.match(character) is not None if self.fits is not None else self.text == character


@lru_cache(maxsize=2_000)
def _tokens(pattern: str) -> tuple[_Token, ...]:
    """The pattern's characters, read as `fnmatch` reads them."""
    found: list[_Token] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            if not (found and found[-1].star):
                found.append(_Token("*", star=True))
        elif character == "[" and (end := _closing(pattern, at)) > 0:
            text = pattern[at - 1 : end + 1]
            found.append(_Token(text, fits=re.compile(translate(text))))
            at = end + 1
        else:
            found.append(_Token(character))
    return tuple(found)


def _closing(pattern: str, at: int) -> int:
    """Where the class ends that begins before `at`; -1 where it does not."""
    start = at + 1 if pattern[at : at + 1] == "!" else at
    return pattern.find("]", start + 1 if pattern[start : start + 1] == "]" else start)


_State = frozenset[tuple[int, int]]


class _Walk:
    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [_tokens(pattern) for pattern in patterns]

    def start(self) -> _State:
        return self._closed({(n, 0) for n in range(len(self._patterns))})

    def step(self, state: _State, character: str) -> _State:
        moved = set()
        for n, at in state:
            tokens = self._patterns[n]
            if at < len(tokens) and tokens[at].takes(character):
                moved.add((n, at if tokens[at].star else at + 1))
        return self._closed(moved)

    def ends(self, state: _State) -> bool:
        return any(at == len(self._patterns[n]) for n, at in state)

    def _closed(self, state: set[tuple[int, int]]) -> _State:
        """With what is reached by a star that takes nothing."""
        found = set(state)
        for n, at in state:
            tokens, after = self._patterns[n], at
            while after < len(tokens) and tokens[after].star:
                after += 1
                found.add((n, after))
        return frozenset(found)

    def characters(self) -> Iterator[str]:
        for tokens in self._patterns:
            for token in tokens:
                yield from token.text


@lru_cache(maxsize=10_000)
def common(inside: tuple[str, ...], outside: tuple[str, ...] = (), limit: int = 1) -> tuple[str, ...]:
    """Up to `limit` tags that fit a pattern of `inside` and none of `outside`, the shortest first.

    Empty: there is no such tag. Patterns are folded, as `TagFilter` keeps them.
    """
    taken, left = _Walk(inside), _Walk(outside)
    alphabet = _alphabet([*taken.characters(), *left.characters()])
    queue: list[tuple[str, _State, _State]] = [("", taken.start(), left.start())]
    seen: dict[tuple[_State, _State], int] = {}
    found: list[str] = []
    for text, mine, theirs in queue:
        if text and taken.ends(mine) and not left.ends(theirs):
            found.append(text)
            if len(found) == limit:
                break
        for character in alphabet:
            then = taken.step(mine, character), left.step(theirs, character)
            # Each place is walked through as often as tags are wanted: so many different ways lead through it.
            if then[0] and seen.get(then, 0) < limit:
                seen[then] = seen.get(then, 0) + 1
                queue.append((text + character, *then))
        if len(queue) > STATES:
            return tuple(found or "?")
    return tuple(found)


def _alphabet(named: Iterable[str]) -> list[str]:
    """The characters that the patterns tell apart, and a few that they do not name. Only what a folded tag can have."""
    names = dict.fromkeys(named)
    between = {
        chr(code)
        for low in names
        for high in names
        if low < high and ord(high) - ord(low) <= 128
        for code in (ord(low) + 1, ord(high) - 1)
    }
    fresh = [character for character in _FRESH if character not in names and character not in between][:3]
    return [each for each in dict.fromkeys([*names, *sorted(between), *fresh]) if each and fold(each) == each]


def within(pattern: str, other: str) -> bool:
    """Every tag that fits the pattern fits the other one. Quick where a look at how both begin is enough."""
    mine, theirs = _beginning(pattern), _beginning(other)
    if mine == pattern:
        return pattern == other or (theirs != other and pattern.startswith(theirs) and not common((pattern,), (other,)))
    if pattern[len(mine)] in "*?" and not mine.startswith(theirs):
        return False  # it may go on with anything
    if theirs == other:
        return not common((pattern,), (other,))
    if other == theirs + "*":
        return mine.startswith(theirs)
    return not common((pattern,), (other,))


def _beginning(pattern: str) -> str:
    """The part before the first character that is no plain one."""
    return pattern[: next((at for at, character in enumerate(pattern) if character in "*?["), len(pattern))]
