"""The status field of a mapping file: checked across its keys and by the mapping laws, then made into rules."""

from __future__ import annotations

from typing import Any

from sync.core.laws import violations
from sync.core.state import StatusRules
from sync.mapping import schema
from sync.mapping.findings import Problems
from sync.mapping.yaml import nearest
from sync.model import Direction, Side


def status_rules(status: schema.StatusField, problems: Problems) -> StatusRules:
    """Compile the status field."""
    at = ("fields", "status")
    raws = {**dict.fromkeys(status.values), **dict.fromkeys(status.archived)}
    if not raws and status.by_category is None and status.default is None and status.direction is not Direction.OFF:
        problems.add(
            (*at, "values"), "is missing", "say what each status of the system means, for example `open: in_progress`"
        )
    spelled: dict[str, str] = {}
    for raw in status.values:
        other = spelled.setdefault(raw.casefold(), raw)
        if other != raw:
            problems.add(
                (*at, "values", raw),
                f"differs from `{other}` in its letters' case only",
                "keep one of the two",
                key=True,
            )
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("write", meaning), raw) for meaning, raw in status.write.items()
    ]
    for name, by_meaning in (("accept", status.accept), ("facts", status.facts)):
        named += [((name, key, n), raw) for key, listed in by_meaning.items() for n, raw in enumerate(listed)]
    for name, listed in (("keep", status.keep), ("frozen", status.frozen)):
        named += [((name, n), raw) for n, raw in enumerate(listed)]
    for way, raw in named:
        if raw not in raws:
            problems.add(
                (*at, *way), f"`{raw}` is not among the statuses in `values`", nearest(raw, raws) or "add it there"
            )
    for n, raw in enumerate(status.archived):
        if raw in status.values:
            problems.add(
                (*at, "archived", n),
                f"`{raw}` has a meaning in `values` as well",
                "an archived status has none: take it out there",
            )
    for meaning, raw in status.write.items():
        if raw in status.frozen:
            problems.add(
                (*at, "write", meaning),
                f"`{raw}` is frozen: writing it could not be undone",
                "write another status of the same side",
            )
        if raw in status.archived:
            problems.add((*at, "write", meaning), f"`{raw}` is archived: it is never written", "write another status")
    for n, raw in enumerate(status.keep):
        if (meaning_of := status.values.get(raw)) is not None and meaning_of.side is Side.DONE:
            problems.add((*at, "keep", n), f"`{raw}` is a done status, and those are kept anyway", "take it out")
    rules = StatusRules(
        values=dict(status.values),
        write=dict(status.write),
        accept={meaning: frozenset(listed) for meaning, listed in status.accept.items()},
        keep=frozenset(status.keep),
        archived=frozenset(status.archived),
        frozen=frozenset(status.frozen),
    )
    if status.direction not in (Direction.IN, Direction.OFF):
        if not status.write:
            problems.add(
                (*at, "write"), "is missing", "say which status to write for each meaning, or set `direction: in`"
            )
        for side, word in ((Side.ACTIVE, "open"), (Side.DONE, "done")):
            if status.write and not any(meaning.side is side for meaning in status.write):
                first = "in_progress" if side is Side.ACTIVE else "resolved"
                problems.add(
                    (*at, "write"),
                    f"has no {word} status: a record could never follow its item there",
                    f"add `{first}:`",
                    key=True,
                )
        if status.write and not problems.found:
            _laws(rules, problems)
    return rules


def _laws(rules: StatusRules, problems: Problems) -> None:
    """The mapping laws, over every value the file names; for each meaning the first counterexample is told."""
    told: dict[tuple[str, ...], str] = {}
    broken = violations(rules)
    for violation in broken:
        meaning = violation.status
        if violation.raw in rules.accept.get(meaning, frozenset()):
            told.setdefault(("accept", meaning), violation.message)
        elif meaning in rules.write:
            told.setdefault(("write", meaning), violation.message)
    if broken and not told:
        told["write",] = broken[0].message
    for way, message in told.items():
        problems.add(("fields", "status", *way), message)


def facts_of(status: schema.StatusField) -> dict[str, frozenset[Any]]:
    """Raw status -> what it says beside its meaning."""
    facts: dict[str, frozenset[Any]] = {}
    for fact, raws in status.facts.items():
        for raw in raws:
            facts[raw] = facts.get(raw, frozenset()) | {fact}
    return facts
