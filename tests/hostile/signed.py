"""Calls that are signed as they should be and whose bodies are spoilt: refused, or stored and read without harm."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from connectors.contract import Hint, WebhookRequest
from connectors.errors import WebhookRejected
from sync.engine import columns, inbox
from tests.hostile.calls import (
    NOW,
    SECRETS,
    jira_body,
    jira_hmac,
    sentry_body,
    sentry_call,
    zendesk_body,
    zendesk_call,
)
from tests.hostile.corpus import Answer, spoil
from tests.hostile.receiver import CONNECTORS, verify

TRIGGER = b'{"ticket_id": "35436", "updated_at": "2026-03-02T08:59:00Z", "ticket": {"id": 35436}}'
LINKED = (
    b'{"timestamp": 1772442000000, "webhookEvent": "issuelink_created", "issueLink": {"id": 1, "sourceIssueId": 2}}'
)


COMMENT = (
    b'{"action": "created", "data": {"issue_id": 6000000001, "comment_id": 1, "comment": "x"}, "installation": {}}'
)
ALERT = (
    b'{"action": "triggered", "data": {"event": {"issue_id": "6000000001", "groupID": null}, "triggered_rule": "x"}}'
)


LIMIT = 2**20
"""Bytes of a body; the receiver refuses more before anybody looks at it."""


@dataclass
class SignedTally:
    """What a run saw. named: records that were named by spoilt bodies all the same."""

    cases: int = 0
    refused: int = 0
    stored: int = 0
    named: int = 0
    wrong: list[str] = field(default_factory=list)


def play(seed: int, tally: SignedTally) -> None:
    """One call: as the web face takes it, and then as the inbox is read."""
    rng = random.Random(seed)
    system = rng.choice(("zendesk", "jira", "sentry"))
    if system == "zendesk":
        good = zendesk_body(rng) if rng.random() < 0.7 else TRIGGER
    elif system == "jira":
        good = jira_body(rng, NOW) if rng.random() < 0.7 else LINKED
    else:
        good = rng.choice((sentry_body(rng), COMMENT, ALERT))
    body = spoil(rng, Answer(200, {}, good)).body
    call = {"zendesk": zendesk_call, "jira": jira_hmac, "sentry": sentry_call}[system](rng, body=body)
    if system == "sentry":
        resource = rng.choice(
            ("issue", "comment", "error", "event_alert", "installation", "metric_alert", "", "x" * 300)
        )
        call = call._replace(headers={**call.headers, "sentry-hook-resource": resource})
    request = WebhookRequest(headers=call.headers, body=call.body, query=call.query)
    tally.cases += 1
    if len(body) > LIMIT:
        return
    try:
        call_id = verify(system, SECRETS, request, NOW)
        assert 0 < len(call_id) <= 191
        stored = inbox.pack(request)
        tally.stored += 1
        for hint in _read(system, stored):
            tally.named += 1
            assert hint.id.isascii()
            assert 0 < len(hint.id) <= 191
            columns.encode(hint)
    except WebhookRejected as error:
        tally.refused += 1
        if error.status not in (400, 401) or not error.message.isprintable():
            tally.wrong.append(f"seed {seed}: {error.status} {error.message[:200]!r}")
    except Exception as error:  # noqa: BLE001  whatever it is, it must not have left
        tally.wrong.append(f"seed {seed}, {system}: {type(error).__name__}: {str(error)[:200]}")


def _read(system: str, stored: bytes) -> tuple[Hint, ...]:
    """As `read_inbox` takes a stored call apart."""
    kept = columns.plain(stored)
    webhook = CONNECTORS[system].webhook
    assert webhook is not None
    return webhook.keys(WebhookRequest(headers=kept["headers"], body=kept["body"].encode(), query=kept["query"]))


def run(seeds: range, tally: SignedTally) -> SignedTally:
    """One call for each seed."""
    for seed in seeds:
        play(seed, tally)
    return tally
