"""Hostile bytes from a seed: what a broken, careless or malicious peer may send instead of what it should.

`spoil` takes a good answer and gives a bad one. Everything is drawn from the generator that is passed in, so a case is
known by its seed alone.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """A status, headers, a body; how it was spoilt."""

    status: int
    headers: dict[str, str]
    body: bytes
    kinds: tuple[str, ...] = ()


LONG = "A" * 70_000
DEEP = 20_000

VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    0.5,
    2**31,
    2**63,
    2**64 + 1,
    -(10**30),
    1e308,
    "",
    " ",
    "0",
    "null",
    "-1",
    "\x00",
    "a\x00b",
    "\r\nx-injected: 1",
    "\u202e\u200b\ufeff",
    "İıßẞﬁ",
    "e\u0301\u00e9",
    "🧑‍🚀" * 20,
    "<script>alert(1)</script>",
    "{{ticket.id}}",
    "'; DROP TABLE items; --",
    "../../etc/passwd",
    "http://169.254.169.254/latest",
    "2026-13-45T99:99:99Z",
    "9999-12-31T23:59:59+23:59",
    "0001-01-01T00:00:00-23:59",
    "2026-01-02T03:04:05",
    "2016-12-31T23:59:60Z",
    "999999999999999999999",
    "solved",
    "closed",
    "deleted",
    "Done",
    "no such status",
    LONG,
    [],
    {},
    [[]],
    [None],
    [1, "two", {"three": 3}],
    {"id": {"id": {}}},
    {"name": []},
    {"": ""},
    [[[[[[[[1]]]]]]]],
)
"""What a node of a JSON tree is replaced with."""


def _flipped(rng: random.Random, body: bytes) -> bytes:
    changed = bytearray(body or b"x")
    for _ in range(rng.choice((1, 1, 4, 30))):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _inserted(rng: random.Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice((b"\x00", b'"', b"\\", b"[", b"}", b",", b"\xff\xfe", rng.randbytes(5))) + body[at:]


def _in_a_text(rng: random.Random, body: bytes, what: bytes) -> bytes:
    """Put something behind one of the quotation marks."""
    places = [at for at, byte in enumerate(body) if byte == 0x22]
    at = rng.choice(places) + 1 if places else 0
    return body[:at] + what + body[at:]


def _in_a_value(rng: random.Random, body: bytes, what: bytes) -> bytes:
    """Put something in the place of a value: behind one of the colons."""
    places = [at for at, byte in enumerate(body) if byte == 0x3A]
    if not places:
        return what
    at = rng.choice(places) + 1
    end = at
    while end < len(body) and body[end : end + 1] not in (b",", b"}", b"]"):
        end += 1
    return body[:at] + what + body[end:]


def _doubled(rng: random.Random, body: bytes) -> bytes:
    """The first object's first key a second time, with another value."""
    start = body.find(b'{"')
    end = body.find(b'"', start + 2)
    if start < 0 or end < 0:
        return body
    return body[: start + 1] + body[start + 1 : end + 1] + b":[]," + body[start + 1 :]


RAW: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "empty": lambda rng, body: b"",
    "blank": lambda rng, body: b" \r\n\t ",
    "null": lambda rng, body: b"null",
    "bare value": lambda rng, body: rng.choice((b"true", b'"text"', b"12", b"[]", b"{}", b"[[[]]]", b"[null]")),
    "cut": lambda rng, body: body[: rng.randrange(len(body) + 1)],
    "two": lambda rng, body: body + body,
    "trailing": lambda rng, body: body + rng.choice((b"x", b"\x00", b",", b"}")),
    "flipped": _flipped,
    "inserted": _inserted,
    "random": lambda rng, body: rng.randbytes(rng.choice((1, 16, 300))),
    "html": lambda rng, body: b"<!DOCTYPE html><html><title>Sign in</title><form>token=abc</form></html>",
    "bom": lambda rng, body: b"\xef\xbb\xbf" + body,
    "utf-16": lambda rng, body: body.decode("utf-8", "replace").encode("utf-16"),
    "utf-32": lambda rng, body: body.decode("utf-8", "replace").encode("utf-32"),
    "latin-1": lambda rng, body: body.replace(b'"', b'"\xe9\xff', 5),
    "overlong": lambda rng, body: body.replace(b'"', b'"\xc0\x80', 3),
    "surrogate": lambda rng, body: _in_a_text(rng, body, rb"\ud800"),
    "surrogate pair, turned": lambda rng, body: _in_a_text(rng, body, rb"\udc00\ud800"),
    "nul escape": lambda rng, body: _in_a_text(rng, body, rb"\u0000"),
    "bad escape": lambda rng, body: _in_a_text(rng, body, rb"\x41\q"),
    "nan": lambda rng, body: _in_a_value(rng, body, b"NaN"),
    "infinity": lambda rng, body: _in_a_value(rng, body, b"-Infinity"),
    "huge number": lambda rng, body: _in_a_value(rng, body, b"1" + b"0" * 400),
    "huge exponent": lambda rng, body: _in_a_value(rng, body, b"1e99999"),
    "deep lists": lambda rng, body: b"[" * DEEP + b"]" * DEEP,
    "deep objects": lambda rng, body: b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep inside": lambda rng, body: _in_a_value(rng, body, b"[" * 400 + b"]" * 400),
    "unclosed": lambda rng, body: b"[" * 100_000,
    "doubled keys": _doubled,
    "percent encoded": lambda rng, body: body.hex("%").encode(),
    "gzip, unsaid": lambda rng, body: gzip.compress(body, mtime=0),
}

_GOOD_AND_BAD = (
    200,
    201,
    202,
    203,
    204,
    206,
    299,
    300,
    301,
    302,
    304,
    307,
    400,
    401,
    402,
    403,
    404,
    405,
    406,
    408,
    409,
)
_WORSE = (410, 411, 412, 413, 414, 415, 418, 422, 423, 425, 426, 429, 431, 451, 499, 500, 501, 502, 503, 504, 599)
STATUSES: tuple[int, ...] = (*_GOOD_AND_BAD, *_WORSE)

HEADERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("content-type", ("text/html", "text/plain; charset=utf-16", "application/xml", "", "multipart/form-data", ";;;")),
    ("content-encoding", ("gzip", "deflate", "br", "identity, gzip", "nonsense")),
    ("content-length", ("0", "-1", "99999999999", "x")),
    ("retry-after", ("0", "-5", "1e9", "999999999999", "NaN", "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "Wed, 99 Oct")),
    ("location", ("http://169.254.169.254/", "//evil.example", "javascript:1", "", "http://[::1", "\x7f")),
    ("x-rate-limit", ("x", "-1", "99999999999999999999", "²")),
    ("x-rate-limit-remaining", ("0", "x", "1e5", "²")),
    ("ratelimit-reset", ("0", "-1", "99999999999999999999999")),
    ("zendesk-ratelimit-tickets-update", ("total=1; remaining=0; resets=9", "total=;", "remaining=x", "=", "a" * 3000)),
    ("x-ratelimit-remaining", ("0", "x", "nan", "inf", "1e400", "-1")),
    ("x-ratelimit-fillrate", ("0", "-1", "nan", "inf", "1e300")),
    ("x-ratelimit-interval-seconds", ("0", "0.0000001", "nan", "1e-300")),
    ("x-ratelimit-nearlimit", ("true", "TRUE", "x")),
    ("x-ratelimit-reset", ("2026-01-01", "2026-01-01T00:00:00", "x", "9999-12-31T23:59:59Z")),
    ("ratelimit-reason", ("jira-per-issue-on-write", "jira-burst-based", "")),
    ("x-seraph-loginreason", ("AUTHENTICATION_DENIED", "AUTHENTICATED_FAILED", "OK", "\xe9")),
    ("set-cookie", ("a=b; Domain=evil.example", "a" * 9000, "=;=;=")),
    ("link", ("<http://evil.example>; rel=next", "<", ">;;;rel")),
)


def spoil(rng: random.Random, good: Answer) -> Answer:
    """A bad answer made of a good one, in one to three ways."""
    bad = good
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        draw = rng.random()
        if draw < 0.62:
            bad = _tree(rng, bad)
        elif draw < 0.84:
            name = rng.choice(tuple(RAW))
            bad = bad._replace(body=RAW[name](rng, bad.body), kinds=(*bad.kinds, name))
        elif draw < 0.92:
            bad = bad._replace(status=rng.choice(STATUSES), kinds=(*bad.kinds, "status"))
        else:
            name, values = rng.choice(HEADERS)
            bad = bad._replace(headers={**bad.headers, name: rng.choice(values)}, kinds=(*bad.kinds, name))
    return bad


def nodes(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON tree: (its parent, its key or index)."""
    open_ = [tree]
    while open_:
        node = open_.pop()
        places = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for place in places:
            yield node, place
            open_.append(node[place])


def spoil_tree(rng: random.Random, tree: Any) -> tuple[Any, str]:
    """A JSON tree with one thing wrong in it, and what."""
    tree = copy.deepcopy(tree)
    places = list(nodes(tree))
    if not places:
        return rng.choice(VALUES), "value"
    parent, place = rng.choice(places)
    way = rng.choice(
        ("value", "value", "value", "missing", "list", "object", "double", "swap", "rename", "many", "text")
    )
    if way == "value":
        parent[place] = copy.deepcopy(rng.choice(VALUES))
    elif way == "missing":
        del parent[place]
    elif way == "list":
        parent[place] = [parent[place]]
    elif way == "object":
        parent[place] = {"value": parent[place]}
    elif way == "double":
        if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[place]))
        else:
            parent[f"{place} "] = parent[place]
    elif way == "swap":
        other, there = rng.choice(places)
        if _is_there(parent, place) and _is_there(other, there):
            parent[place], other[there] = copy.deepcopy(other[there]), copy.deepcopy(parent[place])
    elif way == "rename" and isinstance(parent, dict):
        parent[rng.choice(("", "Id", "__proto__", str(place).upper()))] = parent.pop(place)
    elif way == "many":
        parent[place] = [parent[place]] * rng.choice((2, 500))
    else:
        parent[place] = json.dumps(parent[place])
    return tree, way


def _is_there(parent: Any, place: Any) -> bool:
    return place in parent if isinstance(parent, dict) else place < len(parent)


def _tree(rng: random.Random, answer: Answer) -> Answer:
    try:
        tree, way = spoil_tree(rng, json.loads(answer.body))
        return answer._replace(body=json.dumps(tree).encode(), kinds=(*answer.kinds, way))
    except (ValueError, RecursionError):  # it is spoilt too much already to be taken apart
        return answer._replace(body=RAW["flipped"](rng, answer.body), kinds=(*answer.kinds, "flipped"))
