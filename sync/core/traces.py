"""Ids of calls in records: what says that two records are about the same moment. Pure.

A record of machines *has* an id where it names it as one: a gateway's samples, a tag of an error. A text *mentions* an
id where something in it looks like one. Only what one record has and another has or mentions says anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import islice

from msgspec import Struct

from sync.model import Json, Role


class TraceKind(StrEnum):
    """What an id names: one call, or a trace through several services."""

    REQUEST = "request_id"
    TRACE = "trace_id"


class Answer(StrEnum):
    """What becomes of two records that share an id: a person is asked, they are joined, or nothing is said."""

    PROPOSE = "propose"
    ACCEPT = "accept"
    OFF = "off"


class Trace(Struct, frozen=True, kw_only=True):
    """One id in one record. kind: None for a mention, which does not tell."""

    digest: str
    text: str
    kind: TraceKind | None = None


HAD_AT_MOST = 20
MENTIONED_AT_MOST = 20
"""Ids taken of one record; a pasted log names hundreds, and the first ones serve."""

LOOKED_AT = 32 * 1024
"""Characters of a text that are searched."""

LONGEST = 128
SHORTEST = 8

_LISTS = (("request_ids", TraceKind.REQUEST), ("trace_ids", TraceKind.TRACE))
_TAG = re.compile(
    r"(?P<request>(?:x[_.-])?(?:request|correlation)[_.-]?id)|(?P<trace>trace(?:[_.-]?id)?)", re.IGNORECASE
)
_SHAPED = (
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9A-Za-z])"
)
_LABELLED = r"(?:request|trace|correlation)[ _.-]?id\b[\s\"'`:=(]{1,5}(?P<said>[0-9A-Za-z][0-9A-Za-z._:+/=-]{7,127})"
_MENTION = re.compile(f"{_LABELLED}|{_SHAPED}", re.IGNORECASE)
_LABELS = {
    word: tuple(f"{word}{gap}id" for gap in ("", " ", "_", "-", ".")) for word in ("request", "trace", "correlation")
}
_HEX_ONLY = bytes(code if chr(code) in "0123456789abcdef-" else 32 for code in range(256))
_SHORTEST_SHAPE = 32
_HEX = re.compile(r"[0-9a-f-]+\Z")
_WHOLE = re.compile(r"[0-9A-Za-z._:+/=-]+\Z")


def digest_of(text: str) -> str:
    """An id as it is compared: hexadecimal, 32 characters. Case and the dashes of a UUID do not count."""
    folded = text.casefold()
    if _HEX.match(folded):
        folded = folded.replace("-", "")
    return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def draw(text: str) -> int:
    """The number that an id draws. Who keeps the ids with the lowest ones keeps the same ones as everybody else."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


def of_record(role: Role, fields: Mapping[str, Json], texts: Iterable[str]) -> tuple[Trace, ...]:
    """The ids that a record has (signals only) and mentions, each once. texts: its title and body."""
    found: dict[str, Trace] = {}
    if role is Role.SIGNAL:
        for text, kind in islice(_had(fields), HAD_AT_MOST):
            found.setdefault(digest_of(text), Trace(digest=digest_of(text), text=text, kind=kind))
    had = len(found)
    for text in texts:
        if not _may_mention(text[:LOOKED_AT]):
            continue
        for match in _MENTION.finditer(text, 0, LOOKED_AT):
            if len(found) - had >= MENTIONED_AT_MOST:
                return tuple(found.values())
            said = (match["said"] or match[0]).rstrip(".:=/-")
            if is_id(said):
                found.setdefault(digest_of(said), Trace(digest=digest_of(said), text=said))
    return tuple(found.values())


def _may_mention(text: str) -> bool:
    """Quick, and wrong in one direction only: most texts name no call, and the search takes fifty times as long."""
    lowered = text.lower()
    for word, labels in _LABELS.items():
        if word in lowered and any(label in lowered for label in labels):
            return True
    pieces = lowered.encode("ascii", "replace").translate(_HEX_ONLY).split()
    return len(max(pieces, key=len, default=b"")) >= _SHORTEST_SHAPE


def _had(fields: Mapping[str, Json]) -> Iterable[tuple[str, TraceKind]]:
    for name, kind in _LISTS:
        for value in _listed(fields.get(name)):
            if is_id(value):
                yield value, kind
    for tag in _listed(fields.get("tags")):
        named = _TAG.match(tag)
        if named and tag[named.end() : named.end() + 1] in {"-", ":", "="}:
            value = tag[named.end() + 1 :]
            if is_id(value):
                yield value, TraceKind.REQUEST if named["request"] else TraceKind.TRACE


def _listed(value: Json) -> Sequence[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list | tuple) else ()


def is_id(text: str) -> bool:
    """Whether a text can name one call: long enough, of letters and digits, with a digit, and not all alike."""
    if not SHORTEST <= len(text) <= LONGEST or not _WHOLE.match(text):
        return False
    return any(c.isdigit() for c in text) and len(set(text.replace("-", ""))) > 3
