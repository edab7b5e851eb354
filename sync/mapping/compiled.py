"""One system's mapping as the engine asks it: no YAML, no models, tables made beforehand.

Built by `sync.mapping.compilation`. All answers depend on the arguments alone; what is remembered inside only saves
working it out again, and is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import structs

from sync.core.state import Shown, StatusRules, ValueRules
from sync.core.tags import fold
from sync.mapping.patterns import ReferencePattern, references_in
from sync.mapping.people import People
from sync.mapping.raw import count_of, field_values, person_of, text_of
from sync.mapping.tables import CategoryTable, Meanings, PlainField, Step, TagTables, Values
from sync.mapping.texts import Markup, Sentence, clean, cut, one_line
from sync.mapping.words import words_of_link, words_of_view
from sync.model import (
    Category,
    Dimension,
    Direction,
    Draft,
    Fact,
    Feedback,
    FeedbackType,
    Json,
    LinkShown,
    LinkVia,
    LinkView,
    Move,
    Person,
    Severity,
    Snapshot,
    SourceClass,
    Status,
    Tag,
    Urgency,
)

if TYPE_CHECKING:
    from sync.mapping.routes import Route

TITLE_LIMIT = 150
"""Characters of a title that is created. Zendesk takes 150 in its lists, Jira 255."""
BODY_LIMIT = 32_000
"""Characters of a body or note that is written. Jira refuses a text field of more than 32,767."""
TAG_LIMIT = 255
"""Characters of a tag: the limit of Jira labels."""
_REMEMBERED = 20_000
_UNKNOWN = Tag(key="", text="")
_NOTHING: MappingOf[str, str] = {}
_NO_FACTS: frozenset[Fact] = frozenset()
_BY_KEY = attrgetter("key")


@dataclass(frozen=True, kw_only=True, eq=False)
class Mapping:
    """What one system's records mean, and how the hub's words are said there.

    status: the rules for the statuses that the mapping names. `rules_for` has also those known only by category.
    links_show: `remote_link`, `field`, `note`, `app` or `none`; links_field: the field written to for `field`.
    fingerprint: changes exactly when something changes that bases depend on. value_rules, value_fields: of the fields
    with one value that `rules.yaml` keeps in step: how they read, and the remote field of each.
    """

    system: str
    kind: str
    connections: tuple[str, ...]
    markup: Markup
    status_field: str
    status_direction: Direction
    status: StatusRules
    status_default: Status | None
    collapses: bool
    status_category: CategoryTable | None
    facts: MappingOf[str, frozenset[Fact]]
    tags_field: str
    tag_direction: Direction
    tag_tables: TagTables
    links_show: str
    links_field: str
    links_direction: Direction
    link_fields: tuple[str, ...]
    link_patterns: tuple[ReferencePattern, ...]
    note_sentence: Sentence
    title: PlainField
    body: PlainField
    severity: Values
    urgency: Values
    type: Values
    category: Values
    source_class: Values
    reporter: PlainField
    owner: PlainField
    occurrences: PlainField
    affected_users: PlainField
    dimension_fields: tuple[tuple[Dimension, PlainField], ...]
    transitions: MappingOf[str, Step]
    create_fields: MappingOf[str, Json]
    create_required: tuple[str, ...]
    create_public: bool
    create_title: Sentence
    create_body: Sentence
    watched_fields: tuple[str, ...]
    fingerprint: str
    meaning_fields: tuple[str, ...]
    people: People
    value_rules: MappingOf[str, ValueRules]
    value_fields: MappingOf[str, str]
    _folded_status: MappingOf[str, str] = field(repr=False)
    _tags: dict[str, Tag | None] = field(default_factory=dict, repr=False)
    _accepted: dict[str, bool] = field(default_factory=dict, repr=False)
    _meanings: dict[tuple[str, ...], Meanings] = field(default_factory=dict, repr=False)
    _rules: dict[tuple[tuple[str, Status], ...], StatusRules] = field(default_factory=dict, repr=False)

    # --- reading --------------------------------------------------------------------------------------------------

    def shown(self, snap: Snapshot) -> Shown:
        """What the record shows of the merged fields. Tags are folded keys, before the tag filter."""
        raw = text_of(snap.fields.get(self.status_field)) if self.status_field else ""
        archived = raw in self.status.archived
        return Shown(
            raw=raw,
            status=None if archived else self._meaning(raw, snap.fields),
            archived=archived,
            frozen=snap.frozen or raw in self.status.frozen,
            tags=frozenset([tag.key for tag in self._tags_of(snap)]),
            values={name: _value_shown(name, snap.fields.get(field)) for name, field in self.value_fields.items()}
            if self.value_fields
            else _NOTHING,
        )

    def rules_for(self, snap: Snapshot, moves: Iterable[Move] = ()) -> StatusRules:
        """The status rules with the statuses added that are known by category (or in other letters) only.

        moves: all known steps of the record's workflow; their `category` says what their targets mean. `reconcile` and
        the path over the workflow need these rules, not `status`, or a renamed status would have no side.
        """
        found: dict[str, Status] = {}
        raw = text_of(snap.fields.get(self.status_field)) if self.status_field else ""
        if raw and raw not in self.status.values and raw not in self.status.archived:
            meaning = self._meaning(raw, snap.fields)
            if meaning is not None:
                found[raw] = meaning
        for move in moves:
            if move.to not in self.status.values and move.to not in found:
                meaning = self._named(move.to, move.category)
                if meaning is not None:
                    found[move.to] = meaning
        if not found:
            return self.status
        key = tuple(sorted(found.items()))
        rules = self._rules.get(key)
        if rules is None:
            rules = structs.replace(self.status, values={**found, **self.status.values})
            _remember(self._rules, key, rules)
        return rules

    def _meaning(self, raw: str, fields: MappingOf[str, Json]) -> Status | None:
        meaning = self.status.values.get(raw)
        if meaning is None and raw:
            category = self.status_category
            meaning = self._named(raw, text_of(fields.get(category.field)) if category is not None else "")
        return meaning

    def _named(self, raw: str, category: str) -> Status | None:
        known = self._folded_status.get(raw.casefold())
        if known is not None:
            return self.status.values.get(known)
        meaning = self.status_category.values.get(category) if self.status_category is not None else None
        return meaning if meaning is not None else self.status_default

    def tag_texts(self, snap: Snapshot) -> dict[str, str]:
        """Folded key -> the tag's text as the other systems are to see it (prefix taken off, renamed)."""
        return {tag.key: tag.text for tag in self._tags_of(snap)}

    def raw_tags(self, snap: Snapshot) -> dict[str, tuple[str, ...]]:
        """Folded key -> the texts that stand on the record for it: what must be named there to remove it."""
        found: dict[str, tuple[str, ...]] = {}
        for raw in self._raw_tags(snap):
            tag = self._tag(raw)
            if tag is not None:
                found[tag.key] = (*found.get(tag.key, ()), raw)
        return found

    def tag_keys(self, raws: Iterable[str]) -> frozenset[str]:
        """The folded keys of tags as they stand in the remote's own history, read as `shown` reads them."""
        return frozenset([tag.key for raw in raws if (tag := self._tag(raw)) is not None])

    def _raw_tags(self, snap: Snapshot) -> list[str]:
        raws = snap.fields.get(self.tags_field) if self.tags_field else None
        if not raws:
            return []
        if isinstance(raws, str):
            raws = raws.split()
        if self.tag_tables.exclude_field_values:
            owned = field_values(snap.fields)
            return [raw for raw in raws if raw not in owned] if owned else list(raws)
        return list(raws)

    def _tags_of(self, snap: Snapshot) -> list[Tag]:
        known = self._tags
        found = []
        for raw in self._raw_tags(snap):
            tag = known.get(raw, _UNKNOWN)
            if tag is _UNKNOWN:
                tag = self._tag(raw)
            if tag is not None:
                found.append(tag)
        return found

    def _tag(self, raw: str) -> Tag | None:
        known = self._tags.get(raw, _UNKNOWN)
        if known is not _UNKNOWN:
            return known
        tables = self.tag_tables
        folded = fold(raw)
        text = tables.renamed.get(folded)
        if text is None:
            start = fold(tables.prefix) if tables.prefix else ""
            if folded.startswith(start) and len(folded) > len(start):
                text = raw.strip()[len(tables.prefix) :] if start else raw.strip()
        key = fold(text) if text is not None else ""
        tag = Tag(key=key, text=text or key, dimension=self._dimension(key)) if key else None
        _remember(self._tags, raw, tag)
        return tag

    def _dimension(self, key: str) -> Dimension | None:
        return next((dimension for dimension, patterns in self.tag_tables.dimensions if key in patterns), None)

    def watched(self, snap: Snapshot) -> str:
        """A digest (hexadecimal, 32 characters) of what makes an item dirty when it changes.

        The raw status, the tags that travel, the links shown, whether it is frozen, and the fields that routes look at.
        Not the text, counts or times.
        """
        fields = snap.fields
        accepts = self.accepts
        parts = [
            text_of(fields.get(self.status_field)) if self.status_field else "",
            "frozen" if snap.frozen else "",
            " ".join(sorted([tag.key for tag in self._tags_of(snap) if accepts(tag.key)])),
        ]
        for name in self.watched_fields:
            value = fields.get(name)
            parts.append(value if isinstance(value, str) else repr(value) if value is not None else "")
        if snap.links:
            parts.extend(sorted([f"{link.via} {link.target}" for link in snap.links]))
        return blake2b("\x00".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def references(self, snap: Snapshot) -> Iterator[tuple[LinkShown, str]]:
        """Every reference that the record shows: how it stands there, and the key, id or address it holds."""
        if self.links_direction in (Direction.OUT, Direction.OFF):
            return
        for link in snap.links or ():
            yield link, link.target
        for name in self.link_fields:
            value = snap.fields.get(name)
            if value:
                for text in references_in(value, self.link_patterns):
                    yield LinkShown(target=text, via=LinkVia.FIELD, handle=name), text

    def unmapped(self, snap: Snapshot) -> dict[str, str]:
        """Canonical field -> the remote value without a meaning. Reported on the item, never guessed."""
        fields = snap.fields
        found: dict[str, str] = {}
        if self.status_field:
            raw = text_of(fields.get(self.status_field))
            if raw not in self.status.archived and self._meaning(raw, fields) is None:
                found["status"] = raw
        found.update(self._meanings_of(fields).strange)
        return found

    def feedback(self, snap: Snapshot) -> Feedback:
        """The record through its mapping. Its links and those of its item are the engine's to add."""
        fields = snap.fields
        raw = text_of(fields.get(self.status_field)) if self.status_field else ""
        archived = raw in self.status.archived
        status = self._meaning(raw, fields) if not archived else None
        facts = self.facts.get(raw, _NO_FACTS) if self.facts else _NO_FACTS
        meanings = self._meanings_of(fields)
        unmapped = meanings.strange
        if status is None and self.status_field and not archived:
            unmapped = {"status": raw, **unmapped}
        tags = self._tags_of(snap)
        if self.dimension_fields:
            tags = tags + self._dimension_tags(fields)
        if len(tags) > 1:
            tags = sorted({tag.key: tag for tag in tags}.values(), key=_BY_KEY)
        return Feedback(
            source_class=meanings.source_class,
            type=meanings.type,
            category=meanings.category,
            title=self.title.of(fields),
            body=self.body.of(fields),
            status=status,
            facts=facts if not archived else facts | {Fact.ARCHIVED},
            severity=meanings.severity,
            urgency=meanings.urgency,
            tags=tuple(tags),
            reporter=person_of(fields.get(self.reporter.source)) if self.reporter.source else None,
            owner=person_of(fields.get(self.owner.source)) if self.owner.source else None,
            occurrences=count_of(fields.get(self.occurrences.source)) if self.occurrences.source else 1,
            affected_users=count_of(fields.get(self.affected_users.source)) if self.affected_users.source else 1,
            first_seen_at=snap.created_at,
            last_seen_at=snap.updated_at,
            unmapped=unmapped,
        )

    def _meanings_of(self, fields: MappingOf[str, Json]) -> Meanings:
        """Few combinations of such values occur, so each is looked up once."""
        raws = tuple([text_of(fields.get(name)) for name in self.meaning_fields])
        known = self._meanings.get(raws)
        if known is None:
            known = self._work_out(dict(zip(self.meaning_fields, raws, strict=True)))
            _remember(self._meanings, raws, known)
        return known

    def _work_out(self, raws: MappingOf[str, str]) -> Meanings:
        strange: dict[str, str] = {}
        found: dict[str, str | None] = {}
        for name, values in (
            ("severity", self.severity),
            ("urgency", self.urgency),
            ("type", self.type),
            ("category", self.category),
            ("source_class", self.source_class),
        ):
            found[name], odd = values.of(raws.get(values.source, ""))
            if odd:
                strange[name] = odd
        return Meanings(
            severity=Severity(found["severity"]) if found["severity"] else None,
            urgency=Urgency(found["urgency"]) if found["urgency"] else None,
            type=FeedbackType(found["type"] or FeedbackType.BUG),
            category=Category(found["category"] or Category.QUESTION),
            source_class=SourceClass(found["source_class"] or SourceClass.DIRECT_CONTACT),
            strange=strange or _NOTHING,
        )

    def _dimension_tags(self, fields: MappingOf[str, Json]) -> list[Tag]:
        found = []
        for dimension, plain in self.dimension_fields:
            texts = plain.values(fields.get(plain.source))
            found += [Tag(key=fold(text), text=text, dimension=dimension) for text in texts]
        return found

    # --- writing --------------------------------------------------------------------------------------------------

    def accepts(self, key: str) -> bool:
        """A tag with this folded key travels to and from this system, and can be held there."""
        known = self._accepted.get(key)
        if known is None:
            tables = self.tag_tables
            known = (
                bool(key)
                and key in tables.include
                and key not in tables.exclude
                and not any(character in tables.refuse_characters for character in key)
                and len(spelled := self.spell(key, key)) <= TAG_LIMIT
                and (tag := self._tag(spelled)) is not None
                and tag.key == key
            )
            _remember(self._accepted, key, known)
        return known

    def spell(self, key: str, text: str) -> str:
        """A tag in this system's spelling: no spaces, renamed and prefixed as the mapping says."""
        tables = self.tag_tables
        spelled = tables.back.get(key)
        if spelled is None:
            spelled = tables.prefix + "_".join(clean(text).split())
        return spelled.lower() if tables.lower_case else spelled

    def note(self, link: LinkView) -> str:
        """The internal note that tells of a link."""
        return cut(self.note_sentence.fill(words_of_link(link), self.markup), BODY_LIMIT)

    def draft(self, view: Feedback, route: Route, marker: str, source: LinkView | None = None) -> Draft:
        """The record to be created here for an item.

        view: the item, or the record that the route fits. source: how that record is shown on the new one.
        Fields: those of this mapping's `create`, then the route's, then title, body and what has a direction.
        """
        words = words_of_view(view, route.name, marker, source)
        fields: dict[str, Json] = {**self.create_fields, **route.target.fields}
        if self.title.target:
            title = (route.title or self.create_title).fill_line(words, TITLE_LIMIT)
            fields[self.title.target] = title or one_line(self.title.default, TITLE_LIMIT) or "-"
        if self.body.target:
            fields[self.body.target] = cut((route.body or self.create_body).fill(words, self.markup), BODY_LIMIT)
        for values, meaning in (
            (self.severity, view.severity),
            (self.urgency, view.urgency),
            (self.type, view.type),
            (self.category, view.category),
        ):
            if values.target and values.target not in fields and meaning is not None and meaning in values.write:
                fields[values.target] = values.write[meaning]
        for plain, person in ((self.reporter, view.reporter), (self.owner, view.owner)):
            if plain.target and plain.target not in fields:
                known = self._person(person, plain.fallback, route, source)
                if known is not None:
                    fields[plain.target] = known
        tags: tuple[str, ...] = ()
        if self.tag_direction not in (Direction.IN, Direction.OFF):
            tags = tuple(self.spell(tag.key, tag.text) for tag in view.tags if self.accepts(tag.key))
        links = (source,) if source is not None and self.links_show in ("remote_link", "app") else ()
        return Draft(kind=self.kind, fields=fields, tags=tags, links=links, public=self.create_public)

    def lacks(self, draft: Draft, route: Route) -> tuple[str, ...]:
        """The required remote fields that a draft has no value for, in the order of the files."""
        empty: tuple[Json, ...] = (None, "", [], {})
        required = dict.fromkeys((*self.create_required, *route.target.required))
        return tuple(name for name in required if draft.fields.get(name) in empty)

    def _person(
        self, person: Person | None, fallback: str, route: Route, source: LinkView | None
    ) -> dict[str, Json] | None:
        """Somebody as this system is to know them: by the id that `people.yaml` names, else by name and address."""
        known = ""
        if person is not None and source is not None:
            here, there = (source.connection, source.system), (route.target.connection, self.system)
            known = self.people.id_there(person, here, there)
        if known or fallback:
            return {"id": known or fallback, "name": "", "email": ""}
        if person is None:
            return None
        return {"id": "", "name": one_line(person.name, TITLE_LIMIT), "email": person.email}

    def transition_fields(self, move: Move) -> dict[str, Json] | None:
        """The screen fields to send with a step; None when one is required for which the mapping has no value."""
        if self.missing_fields(move):
            return None
        step, every = self._steps(move)
        fields = {name: value for name, value in {**every.required, **step.required}.items() if name in move.required}
        return {**fields, **step.always}

    def missing_fields(self, move: Move) -> tuple[str, ...]:
        """The remote fields that a step requires and for which the mapping has no value, in the screen's order."""
        step, every = self._steps(move)
        return tuple(
            name
            for name in move.required
            if name not in step.always and name not in step.required and name not in every.required
        )

    def avoids(self, raw: str) -> bool:
        """A record is never walked into or through this status."""
        step = self.transitions.get(raw)
        return step is not None and step.avoid

    def forbids(self, shown: str, move: Move) -> bool:
        """A record that shows this is never taken that step: it leads where records never go, or not from here."""
        step = self.transitions.get(move.to)
        return step is not None and (step.avoid or shown in step.never_from)

    def _steps(self, move: Move) -> tuple[Step, Step]:
        nothing = Step()
        return self.transitions.get(move.to, nothing), self.transitions.get("*", nothing)


def _remember(memory: dict, key: object, value: object) -> None:  # type: ignore[type-arg]  # any of the three
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value


def _value_shown(name: str, value: Json) -> str:
    """A merged field's raw value as text: of an owner the id."""
    if name == "owner":
        person = person_of(value)
        return person.id if person is not None else ""
    return text_of(value)
