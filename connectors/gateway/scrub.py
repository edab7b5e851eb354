"""Takes out of a text what must not be stored: secrets, and what names a person. Pure."""

from __future__ import annotations

import re

REMOVED = "[removed]"

_HIDDEN = (
    r"(?:[\w-]{0,40}(?:authorization|token|secret|passwd|password|pwd|cookie|session|signature|credential|api[_-]?key|"
    r"access[_-]?key|private[_-]?key|client[_-]?key|bearer|otp|pin[_-]?code|cvv|cvc|ssn|iban)s?[\w-]{0,20})"
)
_PERSONAL = (
    r"(?:e?mail|phone|mobile|msisdn|tel|full[_-]?name|first[_-]?name|last[_-]?name|surname|address|birth[\w-]{0,10})"
)

# A name and its value, as JSON (also escaped within a text), as a header, as a form or a query.
_NAMED = re.compile(
    rf"""(?P<name>(?<![\w-])(?:{_HIDDEN}|{_PERSONAL})\\{{0,3}}["']?\s{{0,3}}[:=]\s{{0,3}})(?P<value>
        (?P<quote>\\{{0,3}}["'])(?:(?!(?P=quote)).){{0,4096}}(?:(?P=quote)|$)
      | (?:(?:bearer|basic|digest|token|apikey|negotiate)\s+)?[^\s&;,"'}}\]<>\\]{{1,4096}}
    )""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_NAMES = (
    *("auth", "token", "secret", "passwd", "password", "pwd", "cookie", "session", "signature", "credential", "key"),
    *("bearer", "otp", "pin", "cvv", "cvc", "ssn", "iban"),
    *("mail", "phone", "mobile", "msisdn", "tel", "name", "address", "birth"),
)
"""One of these is in every text that `_NAMED` finds something in."""

_SCHEMES = re.compile(r"(?<![\w-])(?:bearer|basic|digest)\s+[\w.~+/=:-]{6,}", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^\s/@:\"']{0,128}:[^\s/@\"']{1,256}@")
_MAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_LONG = re.compile(r"[\w+/=.-]{15}")
_KEYS = re.compile(
    r"""
      (?<![\w-])eyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?
    | (?<![\w-])(?:[srpa]k|api|key|tok|glpat|gh[posu]|github_pat|xox[abprs]|sntr(?:ys|yu))[_-][\w-]{12,}
    | (?<![\w-])(?:hf|dapi|shp\w{2})[_-][\w-]{12,}
    | (?<![\w-])(?:AKIA|ASIA|AIza)[\w-]{12,}
    | -----BEGIN[ ][A-Z ]{3,40}-----.{0,8192}?(?:-----END[ ][A-Z ]{3,40}-----|$)
    | (?<![\w-])[A-Za-z0-9+/_]{40,}={0,2}(?![\w-])
    """,
    re.VERBOSE | re.DOTALL,
)
_SEVEN_DIGITS = re.compile(r"(?:\d[ ()./-]{0,2}){7}")
_CALLED = re.compile(r"(?<![\w.-])(?:\+|00)?(?:\(?\d{1,4}\)?[ ./-]?){2,6}\d{2,4}(?![\w-])")
_DIGITS = re.compile(r"\d")
_DATE_OR_ADDRESS = re.compile(r"\d{4}-\d\d-\d\d|\d{1,3}(?:\.\d{1,3}){3}\Z")
_ESCAPED = re.compile(r"\\u00(40|2[bB])")


def scrub(text: str, most: int) -> str:
    """The text without secrets, addresses, telephone and card numbers; at most so many bytes of UTF-8.

    What follows a name such as `authorization`, `token`, `password`, `email` goes whole; long random texts and anything
    with seven or more digits that could be called or charged go as well. Rather too much than too little.
    """
    # Twice as much is looked at as is kept, so that a secret that is cut in two is still known by its beginning.
    return cut(_without(text[: most * 2]), most)


def _without(text: str) -> str:
    # Each pattern is slow and most texts hold nothing of its kind, so something quicker asks first.
    if "\\u00" in text:
        text = _ESCAPED.sub(lambda found: "@" if found.group(1) == "40" else "+", text)
    lower = text.lower()
    if (":" in text or "=" in text) and any(name in lower for name in _NAMES):
        text = _NAMED.sub(_without_value, text)
    if "bearer" in lower or "basic" in lower or "digest" in lower:
        text = _SCHEMES.sub(REMOVED, text)
    if "@" in text or "%40" in text:
        text = _MAIL.sub(REMOVED, _LOGIN.sub(REMOVED, text))
    if "-----BEGIN" in text or _LONG.search(text):
        text = _KEYS.sub(REMOVED, text)
    if _SEVEN_DIGITS.search(text):
        text = _CALLED.sub(_without_number, text)
    return text


def _without_value(found: re.Match[str]) -> str:
    quote = found.group("quote") or ""
    return f"{found.group('name')}{quote}{REMOVED}{quote}"


def _without_number(found: re.Match[str]) -> str:
    text = found.group()
    return text if len(_DIGITS.findall(text)) < 7 or _DATE_OR_ADDRESS.match(text) else REMOVED


def cut(text: str, most: int) -> str:
    """The text in at most so many bytes of UTF-8, never within a character."""
    raw = text.encode("utf-8", "replace")
    return raw[:most].decode("utf-8", "ignore")
