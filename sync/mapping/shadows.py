"""Rules of one mapping file that another rule of it makes idle, or that speak for the same remote field."""

from __future__ import annotations

from collections.abc import Iterator

from sync.core.tags import fold
from sync.mapping import schema
from sync.mapping.findings import Problems
from sync.mapping.globs import within
from sync.mapping.patterns import TagFilter
from sync.model import Direction, Side

Way = tuple[str | int, ...]


def check(file: schema.MappingFile, problems: Problems) -> None:
    """Report every rule that has no effect because of another one, with both places."""
    if file.fields.status is not None:
        _status(file, file.fields.status, problems)
    if file.fields.tags is not None:
        _tags(file.fields.tags, problems)
    _transitions(file, problems)
    _written(file, problems)


def _status(file: schema.MappingFile, status: schema.StatusField, problems: Problems) -> None:
    at: Way = ("fields", "status")
    for meaning, raws in status.accept.items():
        for n, raw in enumerate(raws):
            if status.values.get(raw) is meaning:
                line = problems.line((*at, "values", raw))
                message = f"`{raw}` reads as {meaning} (line {line}), so it rests under it anyway"
                problems.add((*at, "accept", meaning, n), message, "take it out")
            elif raw in status.keep and meaning.side is Side.ACTIVE:
                line = problems.line((*at, "keep", status.keep.index(raw)))
                problems.add(
                    (*at, "accept", meaning, n), f"`{raw}` is kept under every open status (line {line})", "take it out"
                )
    for meaning, raw in status.write.items():
        step = file.transitions.get(raw)
        if step is not None and step.avoid:
            line = problems.line(("transitions", raw))
            problems.add(
                (*at, "write", meaning),
                f"`{raw}` is avoided (line {line}), so no record is ever taken there",
                "write another status, or take `avoid` out",
            )


def _tags(tags: schema.TagsField, problems: Problems) -> None:
    at: Way = ("fields", "tags")
    exclude = TagFilter(tags.exclude)
    for n, pattern in enumerate(tags.include):
        by = _covering(fold(pattern), exclude)
        if by is not None:
            line = problems.line((*at, "exclude", by))
            message = f"no tag like `{pattern}` travels: `{tags.exclude[by]}` (line {line}) keeps it out"
            problems.add((*at, "include", n), message, "take one of the two out")
    for here, there in tags.rename.items():
        by = _taking(fold(there), exclude)
        if by is not None:
            line = problems.line((*at, "exclude", by))
            problems.add(
                (*at, "rename", here),
                f"`{there}` never travels: `{tags.exclude[by]}` (line {line}) keeps it out",
                "filters go by the name elsewhere: take one of the two out",
            )
    places: list[tuple[str, Way]] = []  # in the order in which dimensions are tried
    before: list[str] = []
    for dimension, patterns in sorted(tags.dimensions.items()):
        known = TagFilter(before)
        for n, pattern in enumerate(patterns):
            by = _covering(fold(pattern), known)
            if by is not None:
                line = problems.line(places[by][1])
                problems.add(
                    (*at, "dimensions", dimension, n),
                    f"every tag like `{pattern}` is `{places[by][0]}` already (line {line})",
                    "a tag has one dimension: take one of the two out",
                )
        places += [(dimension, (*at, "dimensions", dimension, n)) for n in range(len(patterns))]
        before += patterns


def _taking(key: str, patterns: TagFilter) -> int | None:
    """Which of the patterns takes a tag."""
    if key not in patterns:
        return None
    return next(n for n, pattern in enumerate(patterns.patterns) if key in TagFilter([pattern]))


def _covering(pattern: str, others: TagFilter) -> int | None:
    """Which of the others takes every tag that fits a pattern."""
    if not any(mark in pattern for mark in "*?["):
        return _taking(pattern, others)
    return next((n for n, other in enumerate(others.patterns) if within(pattern, other)), None)


def _transitions(file: schema.MappingFile, problems: Problems) -> None:
    for name, step in file.transitions.items():
        idle = [key for key in ("fields", "resolution", "never_from") if getattr(step, key)]
        if step.avoid and idle:
            way: Way = ("transitions", name, idle[0])
            line = problems.line(("transitions", name, "avoid"))
            problems.add(way, f"is never used: `{name}` is avoided (line {line})", "take one of the two out", key=True)


def _written(file: schema.MappingFile, problems: Problems) -> None:
    """A remote field is written by one rule."""
    by: dict[str, Way] = {}
    for remote, way in _targets(file.fields):
        other = by.setdefault(remote, way)
        if other != way:
            problems.add(
                (*way, "field"),
                f"`{remote}` is written by `{'.'.join(map(str, other[1:]))}` (line {problems.line(other)}) as well",
                "set `direction: in` on one of them",
            )
    for remote in file.create.fields:
        if remote in by:
            way = by[remote]
            problems.add(
                ("create", "fields", remote),
                f"`{remote}` is written by `{'.'.join(map(str, way[1:]))}` (line {problems.line(way)}) as well",
                "take it out here, or set `direction: in` there",
                key=True,
            )


def _targets(fields: schema.Fields) -> Iterator[tuple[str, Way]]:
    """Every remote field that is written, and the canonical field by which it is."""
    for name in ("status", "tags"):
        merged = getattr(fields, name)
        if merged is not None and merged.direction not in (Direction.IN, Direction.OFF):
            yield merged.field, ("fields", name)
    links = fields.links
    if links.show is schema.Show.FIELD and links.field and links.direction in (Direction.BOTH, Direction.OUT):
        yield links.field, ("fields", "links")
    for name in ("title", "body", "severity", "urgency", "type", "category", "reporter", "owner"):
        view = getattr(fields, name)
        if view.field and view.direction in (Direction.BOTH, Direction.OUT) and getattr(view, "write", True):
            yield view.field, ("fields", name)
