"""The status part of a suggested mapping: what each live status means, and which one is written for each meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from connectors.contract import LiveField, LiveValue
from sync.core.lens import NEAREST
from sync.learning import guesses
from sync.learning.guesses import Guess
from sync.learning.live import Sample, Seen
from sync.learning.sheet import Sheet, counted, flow, scalar, table
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.model import Fact, Side, Snapshot, Status

_ORDER = tuple(Status)


class Read(Struct, frozen=True, kw_only=True):
    """How each status reads. field: by which remote field."""

    field: str
    meanings: Mapping[str, Guess]
    values: Mapping[str, LiveValue]
    counts: Mapping[str, int]

    def of(self, meaning: Status) -> list[str]:
        """The statuses of one meaning, in the system's order."""
        return [name for name, guess in self.meanings.items() if guess.meaning == meaning]


def read(seen: Seen, known: CompiledMapping | None) -> Read | None:
    """How the live statuses read; None where the system names none. known: the shipped mapping of the system."""
    catalogue = seen.catalogue
    custom = catalogue.field("custom_status")
    field = custom if custom is not None and any(not one.default for one in custom.values) else None
    field = field or catalogue.field("status")
    if field is None or not field.values:
        return None
    named = dict(known.status.values) if known is not None else {}
    # Two names that differ in their letters' case only are read as one: the first.
    values = {one.name.casefold(): one for one in reversed(field.values)}
    live = [one for one in field.values if values[one.name.casefold()] is one]
    return Read(
        field=field.name,
        meanings={one.name: guesses.status(one.name, one.category, named) for one in live},
        values={one.name: one for one in live},
        counts=seen.sample.count(field.name),
    )


def write(sheet: Sheet, seen: Seen, known: CompiledMapping | None, found: Read) -> None:
    """The whole `status:` part."""
    field = seen.catalogue.field(found.field)
    assert field is not None  # `read` took it from there
    sheet.entry(1, "status")
    sheet.entry(2, "field", scalar(found.field), comment=_about(field, seen))
    sheet.entry(2, "values", comment="what a record shows -> what it means")
    archived = known.status.archived if known is not None else frozenset[str]()
    for name, guess in found.meanings.items():
        if name not in archived:
            sheet.entry(3, name, str(guess.meaning), comment=_evidence(found, name), unsure=guess.unsure)
    there = [name for name in found.values if name in archived]
    if there:
        sheet.entry(2, "archived", flow(there))
    _category(sheet, seen, found, known)
    targets = chosen(seen.sample, found, known)
    sides = {meaning.side for meaning in targets}
    if sides == {Side.ACTIVE, Side.DONE}:
        sheet.entry(
            2, "write", comment="what is meant -> what is written; one that is missing takes the nearest of its side"
        )
        for meaning, (name, unsure) in targets.items():
            sheet.entry(3, meaning.value, scalar(name), unsure=unsure)
        _collapses(sheet, found, {meaning: name for meaning, (name, _) in targets.items()})
        _resting(sheet, found, known, {meaning: name for meaning, (name, _) in targets.items()})
    else:
        missing = "done" if Side.DONE not in sides else "open"
        sheet.entry(2, "direction", "in", unsure=f"no {missing} status that could be written was found")
    _facts(sheet, found, known)


def _facts(sheet: Sheet, found: Read, known: CompiledMapping | None) -> None:
    """What statuses say beside their meaning: by the shipped mapping, or by their name."""
    facts: dict[Fact, list[str]] = {}
    for name in found.values:
        said = set(known.facts.get(name, ())) if known is not None else set[Fact]()
        if guesses.is_reopened(name):
            said.add(Fact.REOPENED)
        for fact in said:
            facts.setdefault(fact, []).append(name)
    if facts:
        sheet.entry(2, "facts", comment="what a status says beside its meaning")
        for fact, names in sorted(facts.items()):
            sheet.entry(3, fact.value, flow(names))


def _about(field: LiveField, seen: Seen) -> str:
    values, records = counted(len(field.values), "value"), counted(len(seen.sample.snapshots), "record")
    return f"{field.label or field.name}: {values}, {records} looked at"


def _evidence(found: Read, name: str) -> str:
    parts = []
    if found.counts:
        parts.append(counted(found.counts.get(name, 0), "record"))
    places = found.values[name].places
    if places:
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        parts.append(f"only in {shown}")
    return ", ".join(parts)


def _category(sheet: Sheet, seen: Seen, found: Read, known: CompiledMapping | None) -> None:
    """By a coarser field, what comes later can be read too."""
    if found.field == "custom_status":
        table_of = dict(known.status.values) if known is not None else {}
        coarse = "status"
    else:
        category = known.status_category if known is not None else None
        coarse, table_of = (category.field, dict(category.values)) if category is not None else ("", {})
        live = {one.category for one in found.values.values() if one.category}
        table_of |= {one: Status(guesses.status(one, one, {}).meaning) for one in sorted(live - table_of.keys())}
    if not coarse or not table_of:
        return
    if seen.catalogue.field(coarse) is None and coarse != "status":
        return
    sheet.entry(2, "by_category", comment="what a status means that is made later")
    sheet.entry(3, "field", scalar(coarse))
    sheet.entry(3, "values", table({name: meaning.value for name, meaning in table_of.items()}))


def chosen(sample: Sample, found: Read, known: CompiledMapping | None) -> dict[Status, tuple[str, str]]:
    """The status to write for each meaning, with why it should be looked at.

    The one that the shipped mapping writes where the system has it, else the default of its kind, else the one most
    records show, among those that workflows lead to.
    """
    led_to = {move.to for snap in sample.snapshots for move in snap.moves or ()}
    never = _never(known)
    targets: dict[Status, tuple[str, str]] = {}
    for meaning in _ORDER:
        names = [name for name in found.of(meaning) if not _is_any(found, name, never)]
        wanted = known.status.write.get(meaning, "") if known is not None else ""
        if known is not None and wanted and known.status.values.get(wanted) is not meaning:
            # The shipped file writes a status of another meaning on purpose (nothing goes back to Zendesk's `new`).
            names = [name for name in _same(found, wanted) if not _is_any(found, name, never)]
        names = [name for name in names if Status(found.meanings[name].meaning).side is meaning.side]
        if not names:
            continue
        exact = [name for name in names if guesses.plain(name) == guesses.plain(wanted)]
        defaults = [name for name in names if found.values[name].default]
        if exact or defaults or len(names) == 1:
            name = (exact or defaults or names)[0]
            certain = bool(exact or defaults) or not found.meanings[name].unsure
            targets[meaning] = (name, "" if certain else found.meanings[name].unsure)
            continue
        ranked = sorted(names, key=lambda one: (one not in led_to, -found.counts.get(one, 0), names.index(one)))
        others = ", ".join(f"`{one}`" for one in ranked[1:4])
        targets[meaning] = (ranked[0], f"{others} would do as well")
    return targets


def _collapses(sheet: Sheet, found: Read, targets: Mapping[Status, str]) -> None:
    """Say that some meanings become one here, where they do: without that a mapping is refused beside another one."""
    told = [
        f"{meaning} becomes {found.meanings[targets[used]].meaning}"
        for meaning in _ORDER
        if (used := next((one for one in (meaning, *NEAREST[meaning]) if one in targets), None)) is not None
        and found.meanings[targets[used]].meaning != meaning
    ]
    if told:
        sheet.entry(2, "collapses", "true", comment=f"that is meant: {', '.join(told)}")


def _never(known: CompiledMapping | None) -> frozenset[str]:
    """What is never written: frozen, archived, and what the shipped mapping keeps where people put it."""
    if known is None:
        return frozenset()
    left_alone = known.status.keep - frozenset(known.status.write.values())
    return known.status.frozen | known.status.archived | left_alone


def _is_any(found: Read, name: str, raws: frozenset[str]) -> bool:
    return name in raws or found.values[name].category in raws


def _same(found: Read, wanted: str) -> list[str]:
    """The statuses that are `wanted`, or of its category."""
    return [
        name
        for name, value in found.values.items()
        if guesses.plain(name) == guesses.plain(wanted) or value.category == wanted
    ]


def _resting(sheet: Sheet, found: Read, known: CompiledMapping | None, targets: Mapping[Status, str]) -> None:
    """`accept`, `keep` and `frozen` of the shipped file, in the live system's names."""
    if known is None:
        return
    rules = known.status
    accept = {
        meaning: [name for raw in sorted(raws) for name in _same(found, raw)] for meaning, raws in rules.accept.items()
    }
    kept: dict[Status, Sequence[str]] = {
        meaning: [name for name in names if found.meanings[name].meaning != meaning]
        for meaning, names in accept.items()
        if names
    }
    if any(kept.values()):
        sheet.entry(2, "accept", comment="may stay as it is")
        for meaning, names in kept.items():
            if names:
                sheet.entry(3, meaning.value, flow(names))
    keep = [name for raw in sorted(rules.keep) for name in _same(found, raw)]
    open_ones = [name for name in dict.fromkeys(keep) if Status(found.meanings[name].meaning).side is Side.ACTIVE]
    if open_ones:
        sheet.entry(2, "keep", flow(open_ones), comment="no other open status replaces it")
    frozen = [name for name in found.values if name in rules.frozen and name not in targets.values()]
    if frozen:
        sheet.entry(2, "frozen", flow(frozen), comment="refuses every edit: never written to again")


def steps(snapshots: Sequence[Snapshot]) -> dict[str, set[str]]:
    """The fields that the steps to each status demand, as far as the sample shows."""
    found: dict[str, set[str]] = {}
    for snap in snapshots:
        for move in snap.moves or ():
            found.setdefault(move.to, set()).update(move.required)
    return found
