"""Pure: whether a pushed call is believed, and its body as lines. No gateway signs what it sends.

So a static token in a header and, where set, a list of senders are all there is. A pushed call is no hint about a
record, as a webhook is elsewhere: it carries the lines themselves, and goes to the feed.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

import msgspec

from connectors.contract import WebhookRequest
from connectors.errors import WebhookRejected

BEARER = "bearer "


def believe(
    request: WebhookRequest,
    sender: str,
    *,
    header: str,
    tokens: Sequence[bytes],
    networks: Sequence[IPv4Network | IPv6Network],
) -> None:
    """Raises WebhookRejected: 403 from an address that is not listed, 401 for a token that is not ours.

    header: lower case. networks: none stands for all.
    """
    if networks and not _is_listed(sender, networks):
        raise WebhookRejected("this address may not send logs (`receiver_sources`)", status=403)
    given = request.headers.get(header, "")
    if given[: len(BEARER)].lower() == BEARER:
        given = given[len(BEARER) :]
    said = given.strip().encode("utf-8", "replace")
    # Every token is compared, and each in constant time: how long it takes tells nothing.
    if not sum(hmac.compare_digest(said, token) for token in tokens):
        raise WebhookRejected(f"the token in the header `{header}` is not the connection's", status=401)


def _is_listed(sender: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(sender)
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)


def as_lines(body: bytes) -> bytes:
    """A pushed body as lines of one object each: an object, an array of them, or lines already.

    Raises WebhookRejected(400) for what is no JSON at all.
    """
    try:
        return _as_lines(body.strip())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WebhookRejected(
            "this is no JSON: set the output's `type` to json; an object, an array of objects, or an object a line",
            status=400,
        ) from None


def _as_lines(text: bytes) -> bytes:
    if not text:
        return b""
    if text.startswith(b"["):
        return b"".join(_one_line(each) for each in msgspec.json.decode(text, type=list[msgspec.Raw]))
    if b"\n" not in text:
        msgspec.json.decode(text, type=msgspec.Raw)
        return text + b"\n"
    try:
        return _one_line(msgspec.json.decode(text, type=msgspec.Raw))
    except msgspec.DecodeError:
        msgspec.json.decode(text.partition(b"\n")[0], type=msgspec.Raw)
        return text + b"\n"


def _one_line(value: msgspec.Raw) -> bytes:
    """A JSON value without line breaks: none can stand inside one of its texts."""
    return bytes(value).replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
