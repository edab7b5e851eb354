"""What tells two failures of one route and code apart: the error's own words, without what varies from call to call."""

from __future__ import annotations

import re

import msgspec

from connectors.gateway.scrub import REMOVED, scrub
from sync.model import Json

LONGEST = 120
"""Characters of a discriminator."""

_READ = 512
"""Characters of a message that are looked at: the rest would be cut off anyway."""

_LONGEST_PATH = 200

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>]+", re.IGNORECASE)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_QUOTED = re.compile(r"""\"[^\"]{0,400}\"|`[^`]{0,400}`|(?<!\w)'[^']{0,400}'(?!\w)""")
# In this order: a time stamp looks like numbers, a UUID like hexadecimal digits.
_NUMBERS = re.compile(
    r"""
      \b\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d:?\d\d)?)?
    | \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
    | \b(?:0x)?[0-9a-f]{8,}\b
    | \d+(?:[.,:]\d+)*
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNSEEN = re.compile(
    r"[\x00-\x20\x7f-\xa0\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]+"
)
_STARS = re.compile(r"\*(?:[\s,;:.]*\*)+")
_CODE = re.compile(r"[a-zA-Z][a-zA-Z_.-]{0,60}\d{0,5}")
_RELEASE = re.compile(r"v\d{1,3}(?:\.\d{1,3})?", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_MARKUP = re.compile(r"<title[^>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_CUT_JSON = re.compile(
    r'"(?:code|type|message|error|title|detail|error_description)"\s{0,4}:\s{0,4}"((?:[^"\\]|\\.){1,400})',
    re.IGNORECASE,
)
_PLACES = (
    ("error", "code"),
    ("error", "type"),
    ("code",),
    ("error", "message"),
    ("message",),
    ("msg",),
    ("title",),
    ("detail",),
    ("error",),
    ("error_description",),
)


def seen(text: str, most: int) -> str:
    """The text in one line of at most so many characters, without control, direction and other unseen characters."""
    return _UNSEEN.sub(" ", text[: most * 2]).strip()[:most]


def _bare(text: str, mark: str) -> str:
    """The text with everything that varies from call to call as a mark."""
    if "://" in text:
        text = _ADDRESS.sub(mark, text)
    if "@" in text:
        text = _MAIL.sub(mark, text)
    if '"' in text or "'" in text or "`" in text:
        text = _QUOTED.sub(mark, text)
    return _NUMBERS.sub(mark, text)


def normalised(text: str) -> str:
    """The words of a message with everything that varies as `*`; "" when no word is left."""
    # Scrubbed first: a discriminator stands in titles, so nothing secret may be left of a word that was cut off.
    words = scrub(seen(text, _READ), _READ).replace(REMOVED, "*").lower()
    bare = _bare(words, "*")
    if "**" in bare or "* *" in bare or "*," in bare or "*:" in bare:
        bare = _STARS.sub("*", bare)
    bare = bare[:LONGEST].strip(" .,;:")
    return bare if _LETTER.search(bare) else ""


def discriminator(body: str, error: str = "") -> str:
    """The discriminator of a failed call. body: the answer's, maybe cut off; error: what the gateway itself says.

    The first of `error.code`, `error.type`, `code`, `error.message`, `message`, `title`, `detail` that has a word left
    when normalised (a code such as `ORA-00942` keeps its number); of plain text the text; of a page its title. Empty
    when there is nothing of the kind.
    """
    return _of_body(body.strip()) or (normalised(error) if error else "")


def _of_body(body: str) -> str:
    if not body or "\x00" in body[:_READ]:
        return ""
    if body[0] in "{[":
        try:
            found = msgspec.json.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            cut = _CUT_JSON.search(body[:4096])
            return normalised(cut.group(1)) if cut else ""
        return _of_json(found[0] if isinstance(found, list) and found else found)
    if body[0] == "<":
        title = _MARKUP.search(body[:4096])
        return normalised(title.group(1)) if title else ""
    return normalised(body)


def _of_json(found: Json) -> str:
    if not isinstance(found, dict):
        return ""
    errors = found.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict) and "error" not in found:
        found = {**found, "error": errors[0]}
    for place in _PLACES:
        value: Json = found
        for part in place:
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str):
            if place[-1] in ("code", "type") and _CODE.fullmatch(value):
                return value.lower()
            if words := normalised(value):
                return words
    return ""


def normalised_path(path: str) -> str:
    """A path without its query, with what varies in its segments as `{id}`: the route of a call that names none."""
    bare = seen(path.partition("?")[0].partition("#")[0], 2 * _LONGEST_PATH)
    if "://" in bare:
        bare = "/" + bare.partition("://")[2].partition("/")[2]
    parts = (part if _RELEASE.fullmatch(part) else _bare(part, "{id}") for part in bare.split("/"))
    return "/".join(parts)[:_LONGEST_PATH]
