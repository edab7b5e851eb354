"""An expression of a condition, ready to be asked about records.

The library is imported when the first file has an expression, and not before: it takes a quarter of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from sync.mapping.cel.checking import check
from sync.mapping.cel.constants import is_never_true
from sync.mapping.cel.syntax import Node, Unreadable, read
from sync.model import Dimension, Feedback, Json, Tag

TAG_LIMIT = 100
"""Tags that an expression is given, the first by key: a comprehension over more could hold a worker up."""
TITLE_LIMIT = 1_000
"""Characters of a title, a name or an address that an expression is given."""
BODY_LIMIT = 32_000
"""Characters of a text that an expression is given."""

NOT_INSTALLED = "expressions need the extra `cel`, which is not installed"
INSTALL = "install `hypercare-hub[cel]`, or say it with the other keys of `when`"


class Expression:
    """A checked expression. fields: the fields it uses. shape: equal for two texts that say the same."""

    def __init__(self, text: str, node: Node, fields: frozenset[str], program: Any) -> None:
        self.text = text
        self.fields = fields
        self.shape = node.shape()
        self._program = program

    def holds(self, view: Feedback, connection_name: str, created_at: datetime) -> bool:
        """It is true of the record. A record on which it cannot be worked out does not fit; nothing is raised."""
        try:
            given = {name: VALUES[name](view, connection_name, created_at) for name in self.fields}
            return self._program.execute(_library().Context(variables=given)) is True
        except (ValueError, TypeError, RuntimeError, ArithmeticError):
            return False


def expression(text: str, connections: Iterable[str] | None = None) -> Expression:
    """Read and check an expression. Raises Unreadable, also where the library is not installed.

    connections: the names there are, where they are known.
    """
    node = read(text)
    fields = check(node, connections)
    library = _library()
    if library is None:
        raise Unreadable(0, NOT_INSTALLED, INSTALL)
    for part in node.walk():
        if part.kind == "method" and part.word == "matches":
            _try_pattern(library, part.parts[1])
    if is_never_true(node):
        raise Unreadable(0, "is never true: no record can fit", "take the route out, or correct the expression")
    try:
        program = library.compile(text)
    except ValueError as error:  # read by us and not by the library: rare, and said in its words
        raise Unreadable(1, " ".join(str(error).split())) from None
    return Expression(text, node, fields, program)


def _try_pattern(library: Any, pattern: Node) -> None:
    try:
        library.evaluate("''.matches(p)", {"p": pattern.value})
    except (ValueError, RuntimeError):
        raise Unreadable(
            pattern.at, f"`{pattern.value}` is no regular expression", "look-around and back references are unknown"
        ) from None


@cache
def _library() -> Any:
    """The library, or None where the extra is not installed."""
    try:
        import cel
    except ImportError:
        return None
    return cel


def _keys(tags: Iterable[Tag]) -> list[str]:
    return sorted({tag.key for tag in tags})[:TAG_LIMIT]


def _in(dimension: Dimension) -> Callable[[Feedback, str, datetime], Json]:
    return lambda view, connection, created: _keys(view.tags_of(dimension))


VALUES: Mapping[str, Callable[[Feedback, str, datetime], Json]] = {
    "connection": lambda view, connection, created: connection,
    "status": lambda view, connection, created: str(view.status or ""),
    "facts": lambda view, connection, created: sorted(str(fact) for fact in view.facts),
    "type": lambda view, connection, created: str(view.type),
    "category": lambda view, connection, created: str(view.category),
    "source_class": lambda view, connection, created: str(view.source_class),
    "severity": lambda view, connection, created: str(view.severity or ""),
    "urgency": lambda view, connection, created: str(view.urgency or ""),
    "title": lambda view, connection, created: view.title[:TITLE_LIMIT],
    "body": lambda view, connection, created: view.body[:BODY_LIMIT],
    "reporter": lambda view, connection, created: view.reporter.name[:TITLE_LIMIT] if view.reporter else "",
    "reporter_email": lambda view, connection, created: view.reporter.email[:TITLE_LIMIT] if view.reporter else "",
    "owner": lambda view, connection, created: view.owner.name[:TITLE_LIMIT] if view.owner else "",
    "owner_email": lambda view, connection, created: view.owner.email[:TITLE_LIMIT] if view.owner else "",
    "occurrences": lambda view, connection, created: min(view.occurrences, 2**62),
    "affected_users": lambda view, connection, created: min(view.affected_users, 2**62),
    "created": lambda view, connection, created: created,
    "updated": lambda view, connection, created: view.last_seen_at or created,
    "tags": lambda view, connection, created: _keys(view.tags),
    **{dimension.value: _in(dimension) for dimension in Dimension},
}
"""How each name of an expression is read from a record: (view, connection, created) -> value."""
