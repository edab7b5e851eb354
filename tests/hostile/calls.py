"""Forged and replayed webhook calls from a seed, of every system that signs: none of them may be believed.

Each is a genuine call with something changed that its signature covers or that makes it too old, or a call that was
never signed with our secret. Changes that leave a genuine call genuine (more headers, another letter case of a header's
name) are not among them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRETS = ("current-signing-secret-0123456789", "former-signing-secret-9876543210")
"""The two secrets that are good at once while one is being replaced."""


class Call(NamedTuple):
    """One call as it arrives: headers by lower-case name, the raw body, arguments of the address; how it was made."""

    headers: dict[str, str]
    body: bytes
    query: dict[str, str]
    kind: str


# --- genuine ---------------------------------------------------------------------------------------------------------


def zendesk_body(rng: random.Random) -> bytes:
    number = rng.randrange(1, 10**6)
    event = {
        "account_id": 1,
        "detail": {"id": str(number), "status": "OPEN", "tags": ["launch"], "updated_at": "2026-03-02T08:59:00Z"},
        "event": {"current": "open", "previous": "new"},
        "id": f"{rng.getrandbits(64):016x}",
        "subject": f"zen:ticket:{number}",
        "type": "zen:event-type:ticket.status_changed",
        "zendesk_event_version": "2022-11-06",
    }
    return json.dumps(event).encode()


def zendesk_call(
    rng: random.Random, *, at: datetime = NOW, secret: str = SECRETS[0], body: bytes | None = None
) -> Call:
    body = zendesk_body(rng) if body is None else body
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hmac.new(secret.encode(), stamp.encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "x-zendesk-webhook-signature": base64.b64encode(digest).decode(),
        "x-zendesk-webhook-signature-timestamp": stamp,
        "x-zendesk-webhook-id": "01HOOK",
        "x-zendesk-webhook-invocation-id": f"{rng.getrandbits(64):016x}",
    }
    return Call(headers, body, {}, "genuine")


def jira_body(rng: random.Random, at: datetime) -> bytes:
    number = rng.randrange(10000, 10**6)
    event = {
        "timestamp": int(at.timestamp() * 1000),
        "webhookEvent": "jira:issue_updated",
        "issue": {"id": str(number), "key": f"OPS-{number}", "fields": {"updated": "2026-03-02T08:59:00.000+0000"}},
    }
    return json.dumps(event).encode()


def jira_hmac(rng: random.Random, *, at: datetime = NOW, secret: str = SECRETS[0], body: bytes | None = None) -> Call:
    body = jira_body(rng, at) if body is None else body
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"content-type": "application/json", "x-hub-signature": signature}
    headers["x-atlassian-webhook-identifier"] = f"{rng.getrandbits(64):016x}"
    return Call(headers, body, {}, "genuine")


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(
    claims: Any, *, secret: str = SECRETS[0], header: Any = None, digest: Callable[..., Any] = hashlib.sha256
) -> str:
    signed = f"{segment({'alg': 'HS256', 'typ': 'JWT'} if header is None else header)}.{segment(claims)}"
    return f"{signed}.{segment(hmac.new(secret.encode(), signed.encode(), digest).digest())}"


def claims(at: datetime = NOW) -> dict[str, Any]:
    begun = int(at.timestamp())
    return {"iss": "app", "iat": begun, "exp": begun + 180}


def jira_jwt(rng: random.Random, *, at: datetime = NOW, secret: str = SECRETS[0]) -> Call:
    headers = {"content-type": "application/json", "authorization": f"JWT {token(claims(at), secret=secret)}"}
    headers["x-atlassian-webhook-identifier"] = f"{rng.getrandbits(64):016x}"
    return Call(headers, jira_body(rng, at), {}, "genuine")


def jira_address(rng: random.Random, *, at: datetime = NOW, secret: str = SECRETS[0]) -> Call:
    return Call({"content-type": "application/json"}, jira_body(rng, at), {"secret": secret}, "genuine")


def sentry_body(rng: random.Random) -> bytes:
    number = rng.randrange(1, 10**9)
    issue = {"id": str(number), "shortId": "SHOP-1A", "status": "resolved", "substatus": None}
    event = {"action": "resolved", "actor": {"id": 7, "type": "user"}, "data": {"issue": issue}}
    return json.dumps({**event, "installation": {"uuid": f"{rng.getrandbits(64):016x}"}}).encode()


def sentry_call(rng: random.Random, *, secret: str = SECRETS[0], body: bytes | None = None) -> Call:
    """The time is not signed, so no call is too old: a replay is the same call, and only reads an issue."""
    body = sentry_body(rng) if body is None else body
    headers = {
        "content-type": "application/json",
        "request-id": f"{rng.getrandbits(64):016x}",
        "sentry-hook-resource": "issue",
        "sentry-hook-timestamp": str(int(NOW.timestamp())),
        "sentry-hook-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
    return Call(headers, body, {}, "genuine")


GENUINE: dict[str, Callable[..., Call]] = {
    "zendesk": zendesk_call,
    "sentry": sentry_call,
    "jira hmac": jira_hmac,
    "jira jwt": jira_jwt,
    "jira address": jira_address,
}
"""Ways in which a genuine call may come."""

_PROOFS = {
    "zendesk": ("x-zendesk-webhook-signature", "x-zendesk-webhook-signature-timestamp"),
    "sentry": ("sentry-hook-signature",),
    "jira hmac": ("x-hub-signature",),
    "jira jwt": ("authorization",),
    "jira address": (),
}


_IN_HEX = {"jira hmac": "sha256=", "sentry": ""}
"""The ways whose proof is a digest in hexadecimal, and what stands before it."""


# --- forged ----------------------------------------------------------------------------------------------------------


def forge(rng: random.Random, way: str) -> Call:
    """A call of this way that must be refused."""
    choices = [_other_secret] if way == "sentry" else [_other_secret, _too_old, _too_new]
    if way == "jira address":
        choices += [_secret_in_address]
    else:
        choices += [_no_proof, _one_bit_of_the_proof, _another_proof, _cut_proof, _strange_proof]
    if way == "zendesk":
        choices += [_one_bit_of_the_body, _other_body, _other_stamp, _proof_under_other_name, _other_digest]
    if way in _IN_HEX:
        choices += [_one_bit_of_the_body, _other_body, _proof_under_other_name, _other_digest, _method]
    if way == "jira jwt":
        choices += [_algorithm, _claims, _parts]
    made = rng.choice(choices)
    call = made(rng, way)
    return call._replace(kind=made.__name__.strip("_"))


def _genuine(rng: random.Random, way: str) -> Call:
    return GENUINE[way](rng, secret=rng.choice(SECRETS))


def _other_secret(rng: random.Random, way: str) -> Call:
    wrong = ("", " ", SECRETS[0][:-1], SECRETS[0] + " ", SECRETS[0].upper(), SECRETS[0][::-1], "secret", "\x00")
    return GENUINE[way](rng, secret=rng.choice((*wrong, f"{rng.getrandbits(128):032x}")))


def _too_old(rng: random.Random, way: str) -> Call:
    """A genuine call, kept and sent again after its window."""
    window = timedelta(minutes=5) if way == "zendesk" else timedelta(minutes=100)
    return GENUINE[way](rng, at=NOW - window - timedelta(seconds=rng.choice((1, 2, 60, 3600, 86400, 10**7))))


def _too_new(rng: random.Random, way: str) -> Call:
    return GENUINE[way](rng, at=NOW + timedelta(minutes=5, seconds=rng.choice((1, 2, 600, 3600, 86400 * 30))))


def _no_proof(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    gone = rng.choice(_PROOFS[way])
    return call._replace(headers={name: value for name, value in call.headers.items() if name != gone})


def _one_bit_of_the_proof(rng: random.Random, way: str) -> Call:
    """Another character at one place of what proves the call; for a digest in base64 one that means other bits."""
    call = _genuine(rng, way)
    name = rng.choice(_PROOFS[way])
    proof = call.headers[name]
    start = 4 if way == "jira jwt" else len(_IN_HEX.get(way, ""))
    end = len(proof) - (0 if way in _IN_HEX else 2)  # the last characters of base64 carry bits that count for nothing
    at = rng.randrange(start, end)
    alphabet = (
        "0123456789abcdef" if way in _IN_HEX else "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    )
    other = rng.choice([c for c in alphabet if c != proof[at]])
    return call._replace(headers={**call.headers, name: proof[:at] + other + proof[at + 1 :]})


def _another_proof(rng: random.Random, way: str) -> Call:
    """The proof of another genuine call (for a token: of another app)."""
    if way == "jira jwt":
        return jira_jwt(rng, secret="the secret of another app")
    call, other = _genuine(rng, way), _genuine(rng, way)
    return call._replace(headers={**call.headers, _PROOFS[way][0]: other.headers[_PROOFS[way][0]]})


def _cut_proof(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    name = _PROOFS[way][0]
    proof = call.headers[name]
    return call._replace(headers={**call.headers, name: proof[: rng.randrange(len(proof) - 3)]})


def _strange_proof(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    strange = (
        "",
        "null",
        "=",
        "é",
        "ÿ" * 44,
        "0" * 64,
        "sha256=",
        "sha256=" + "0" * 64,
        "JWT ",
        "JWT ..",
        "Bearer a.b.c",
    )
    more = ("JWT " + "." * 5000, "A" * 30_000, "\udcff", "sha256=é", "\x00", "[]", "%s%s%s", "true")
    return call._replace(headers={**call.headers, _PROOFS[way][0]: rng.choice((*strange, *more))})


def _one_bit_of_the_body(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    body = bytearray(call.body)
    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    return call._replace(body=bytes(body))


def _other_body(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    encodings: tuple[Callable[[bytes], bytes], ...] = (
        lambda body: b"",
        lambda body: body + b" ",
        lambda body: b"\xef\xbb\xbf" + body,
        lambda body: body.decode().encode("utf-16"),
        lambda body: json.dumps(json.loads(body), indent=1).encode(),
        lambda body: body.replace(b"/", rb"\/").replace(b":", b" :", 1),
        lambda body: body[:-1],
        lambda body: body.upper(),
        lambda body: rng.randbytes(rng.randrange(1, 400)),
        lambda body: b"[" * 50_000,
        lambda body: body + body,
    )
    return call._replace(body=rng.choice(encodings)(call.body))


def _other_stamp(rng: random.Random, way: str) -> Call:
    """The time is signed too: a replay cannot be given a new one."""
    call = zendesk_call(rng, at=NOW - timedelta(minutes=rng.choice((1, 10, 1000))))
    stamps: tuple[str, ...] = (
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:00:00+00:00",
        "1772442000",
        "now",
        "2026-03-02T09:00:00.000Z",
    )
    stamps += ("9" * 4000, "2026-03-02", "", "2026-03-02t09:00:00z", "２０２６-03-02T09:00:00Z")
    return call._replace(headers={**call.headers, _PROOFS[way][1]: rng.choice(stamps)})


def _proof_under_other_name(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    headers = dict(call.headers)
    proof = headers.pop(_PROOFS[way][0])
    names = (
        "x-signature",
        "signature",
        "x-hub-signature-256",
        "x-zendesk-signature",
        "x_hub_signature",
        "authorization",
    )
    headers[rng.choice(names)] = proof
    return call._replace(headers=headers)


def _other_digest(rng: random.Random, way: str) -> Call:
    """Signed with our secret by another method, or over something else than what is sent."""
    call = _genuine(rng, way)
    key, digest = SECRETS[0].encode(), rng.choice((hashlib.sha1, hashlib.md5, hashlib.sha512, hashlib.sha224))
    stamp = call.headers.get("x-zendesk-webhook-signature-timestamp", "")
    if way == "zendesk":
        made = rng.choice(
            (
                hmac.new(key, stamp.encode() + call.body, digest).digest(),
                hmac.new(key, call.body, hashlib.sha256).digest(),
                hmac.new(key, call.body + stamp.encode(), hashlib.sha256).digest(),
                hashlib.sha256(key + stamp.encode() + call.body).digest(),
                hmac.new(b"", stamp.encode() + call.body, hashlib.sha256).digest(),
            )
        )
        return call._replace(headers={**call.headers, _PROOFS[way][0]: base64.b64encode(made).decode()})
    text = rng.choice(
        (
            hmac.new(key, call.body, digest).hexdigest(),
            hashlib.sha256(key + call.body).hexdigest(),
            hmac.new(key, b"", hashlib.sha256).hexdigest(),
            base64.b64encode(hmac.new(key, call.body, hashlib.sha256).digest()).decode(),
        )
    )
    return call._replace(headers={**call.headers, _PROOFS[way][0]: f"{_IN_HEX[way]}{text}"})


def _method(rng: random.Random, way: str) -> Call:
    call = _genuine(rng, way)
    digest = call.headers[_PROOFS[way][0]].removeprefix(_IN_HEX[way])
    names = ("sha1=", "sha512=", "none=", "v1=", "md5=", "=", "sha256:", "sha-256=")
    return call._replace(headers={**call.headers, _PROOFS[way][0]: rng.choice(names) + digest})


def _algorithm(rng: random.Random, way: str) -> Call:
    call = jira_jwt(rng)
    method: Any = rng.choice(
        ("none", "None", "NONE", "", None, "hs256", "HS384", "HS512", "RS256", "ES256", ["HS256"], {}, 0)
    )
    header = {"alg": method, "typ": "JWT", "kid": "../../dev/null", "jwk": {"k": ""}}
    made = rng.choice(
        (
            token(claims(), header=header),
            token(claims(), header=header, digest=hashlib.sha512),
            f"{segment(header)}.{segment(claims())}.",
            f"{segment({'alg': 'HS256'})}.{segment(claims())}.",
        )
    )
    return call._replace(headers={**call.headers, "authorization": rng.choice(("JWT ", "Bearer ")) + made})


def _claims(rng: random.Random, way: str) -> Call:
    """Signed with our secret, but over, or without an end."""
    call = jira_jwt(rng)
    now = NOW.timestamp()
    ends: tuple[Any, ...] = (now - 61, 0, -1, None, "soon", str(now + 100), True, False, [], {}, [now + 100])
    good = claims()
    bad: Any = rng.choice(
        (
            {**good, "exp": rng.choice(ends)},
            {name: value for name, value in good.items() if name != "exp"},
            {**good, "nbf": now + 61 + rng.randrange(10**6)},
            [],
            "text",
            None,
            1,
            b"not JSON",
            b"\xff",
            b"[" * 20_000,
        )
    )
    return call._replace(headers={**call.headers, "authorization": f"JWT {token(bad)}"})


def _parts(rng: random.Random, way: str) -> Call:
    call = jira_jwt(rng)
    made = token(claims())
    first, second, third = made.split(".")
    bad: tuple[str, ...] = (
        f"{first}.{second}",
        f"{made}.{third}",
        f"{second}.{first}.{third}",
        f"{first}..{third}",
        f".{second}.{third}",
    )
    bad += (
        f"{first}.{segment(claims(NOW + timedelta(days=1)))}.{third}",
        made.replace(".", ","),
        made[::-1],
        f"{made} {made}",
    )
    return call._replace(headers={**call.headers, "authorization": f"JWT {rng.choice(bad)}"})


def _secret_in_address(rng: random.Random, way: str) -> Call:
    call = jira_address(rng)
    good = SECRETS[0]
    wrong = ("", good[:-1], good + " ", good.upper(), f"{good}&secret={good}", "%00", "\udcff", "é", "A" * 30_000)
    query = rng.choice(({}, {"Secret": good}, {"token": good}, *({"secret": each} for each in wrong)))
    return call._replace(query=query)
