"""What a name that no mapping names may mean: by its category where the system has one, else by its words.

A guess by words is never certain, and says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from msgspec import Struct

from sync.learning.words import DIMENSION_WORDS, SEVERITY_WORDS, STATUS_WORDS, TYPE_WORDS
from sync.model import Category, Dimension, FeedbackType, Severity, Status, Urgency


class Guess(Struct, frozen=True, kw_only=True):
    """A meaning. unsure: why it should be looked at; empty where it is certain."""

    meaning: str
    unsure: str = ""


_CATEGORY_MEANS: Mapping[str, Status] = {
    # Jira's status categories [Atlassian REST v3, "Status categories"], Zendesk's [Zendesk, "Custom ticket statuses"].
    "new": Status.NEW, "undefined": Status.NEW, "indeterminate": Status.IN_PROGRESS, "done": Status.RESOLVED,
    "open": Status.IN_PROGRESS, "pending": Status.WAITING, "hold": Status.WAITING, "solved": Status.RESOLVED,
    "unresolved": Status.IN_PROGRESS, "resolved": Status.RESOLVED, "closed": Status.RESOLVED,
}  # fmt: skip

_PRECISE = frozenset({"open", "pending", "hold", "solved"})
"""Categories that say as much as a status does: a name within one adds nothing."""


def plain(text: str) -> str:
    """A name without case, accents and dashes, for looking words up."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\s_\-/.]+", " ", "".join(c for c in decomposed if not unicodedata.combining(c))).strip()


def status(name: str, category: str, known: Mapping[str, Status]) -> Guess:
    """What a status means. known: the meanings that the shipped mapping gives, by name."""
    of_category = _CATEGORY_MEANS.get(category)
    named = {plain(one): meaning for one, meaning in known.items()}.get(plain(name))
    if named is not None:
        if of_category is None or named.side is of_category.side:
            return Guess(meaning=named)
        return Guess(meaning=of_category, unsure=f"its category says {of_category}, its name {named}")
    said = next((meaning for meaning, words in STATUS_WORDS if words.search(plain(name))), None)
    if of_category is None:
        if said is None:
            return Guess(meaning=Status.NEW, unsure="neither its name nor a category says what it means")
        return Guess(meaning=said, unsure="guessed by its name alone")
    if said in (None, of_category):
        return Guess(meaning=of_category)
    if category in _PRECISE:
        perhaps = said is Status.WAITING and of_category is Status.IN_PROGRESS
        return Guess(meaning=of_category, unsure="by its name perhaps waiting" if perhaps else "")
    if said.side is not of_category.side:
        return Guess(meaning=of_category, unsure=f"its category says {of_category}, its name perhaps {said}")
    if of_category is Status.NEW and said is Status.IN_PROGRESS:
        return Guess(meaning=of_category)  # the category is the better witness of whether work has begun
    return Guess(meaning=said, unsure=f"its category is {category}; by its name it is {said}")


_CATEGORY_OF: Mapping[FeedbackType, Category] = {
    FeedbackType.BUG: Category.BUG, FeedbackType.SECURITY: Category.SECURITY,
    FeedbackType.PERFORMANCE: Category.PERFORMANCE, FeedbackType.INTEGRATION: Category.BUG,
    FeedbackType.USABILITY: Category.USABILITY, FeedbackType.FEATURE: Category.ENHANCEMENT,
    FeedbackType.POSITIVE: Category.QUESTION,
}  # fmt: skip


def kind(name: str, known: Mapping[str, str]) -> Guess:
    """Which type of feedback a kind of record is. known: the meanings that the shipped mapping gives."""
    named = {plain(one): meaning for one, meaning in known.items()}.get(plain(name))
    if named is not None:
        return Guess(meaning=named)
    said = next((meaning for meaning, words in TYPE_WORDS if words.search(plain(name))), None)
    if said is None:
        return Guess(meaning=FeedbackType.FEATURE, unsure="its name says nothing known")
    return Guess(meaning=said, unsure="guessed by its name")


def category(name: str, type_: str, known: Mapping[str, str]) -> Guess:
    """How a kind of record is filed. type_: the type of feedback it was taken for."""
    named = {plain(one): meaning for one, meaning in known.items()}.get(plain(name))
    return Guess(meaning=named if named is not None else _CATEGORY_OF[FeedbackType(type_)])


_SCALE = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
_URGENCY_OF: Mapping[Severity, Urgency] = {
    Severity.CRITICAL: Urgency.IMMEDIATE, Severity.HIGH: Urgency.HIGH, Severity.MEDIUM: Urgency.MEDIUM,
    Severity.LOW: Urgency.LOW,
}  # fmt: skip


def severities(names: Sequence[str], known: Mapping[str, str]) -> dict[str, Guess]:
    """How bad each priority is: by name, by its words, else by its place in the system's own order."""
    named = {plain(one): meaning for one, meaning in known.items()}
    highest_first = _is_highest_first([named[plain(one)] for one in names if plain(one) in named])
    found: dict[str, Guess] = {}
    for at, name in enumerate(names):
        meaning = named.get(plain(name))
        if meaning is not None:
            found[name] = Guess(meaning=meaning)
            continue
        said = next((one for one, words in SEVERITY_WORDS if words.search(plain(name))), None)
        if said is not None:
            found[name] = Guess(meaning=said, unsure="guessed by its name")
            continue
        place = at if highest_first else len(names) - 1 - at
        step = round(place * (len(_SCALE) - 1) / max(1, len(names) - 1))
        found[name] = Guess(meaning=_SCALE[step], unsure="guessed by its place in the list")
    return found


def _is_highest_first(named: Sequence[str]) -> bool:
    """Which way a list of priorities goes, by those whose meaning is known."""
    places = [_SCALE.index(Severity(one)) for one in named]
    return len(places) < 2 or places[0] <= places[-1]


def urgency(severity: str) -> Urgency:
    """How soon what is this bad is due."""
    return _URGENCY_OF[Severity(severity)]


def dimension(label: str) -> Dimension | None:
    """Which dimension a field of that label may hold."""
    return next((one for one, words in DIMENSION_WORDS if words.search(plain(label))), None)


def is_sub_task(name: str) -> bool:
    """Whether a kind of record is a part of another: nothing is created as one."""
    return re.search(r"sub.?task|unteraufgabe|sous tache|subtarea|deeltaak", plain(name)) is not None


_AGAIN = re.compile(r"re.?open|wieder.?(er)?.?(offen|offnet|geoffnet)|rouvert|reabiert|reabert|riapert|heropend")


def is_reopened(name: str) -> bool:
    """Whether a status says that a record was opened again."""
    return (
        re.search(r"re.?open|wieder.?(offen|geoffnet)|rouvert|reabiert|reabert|riapert|heropend", plain(name))
        is not None
    )
