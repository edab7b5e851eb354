"""Pure: an entry of the ledger as a snapshot, its history as history rows, and references to signatures.

The raw fields, by the names a mapping uses: `status`, `tags`, `title`, `description`, `severity`, `kind`, `class`,
`service`, `route`, `method`, `code`, `fault`, `provider`, `model`, `count`, `count_1h`, `count_24h`, `rate`, `rate_1h`,
`p50_ms`, `p95_ms`, `p99_ms`, `consumers`, `first_seen`, `last_seen`, `request_ids`, `tokens`, `cost`, `state_since`,
`resolved_at`, `resolved_by`, `escalated_at`.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from connectors.gateway.entries import HUB, RULE, Edit, Entry, Row
from connectors.gateway.lifecycle import State
from connectors.gateway.settings import GatewaySettings
from connectors.gateway.signature import Figures, Signature
from sync.model import FieldEdit, HistoryRow, Json, Origin, RecordRef, Snapshot, StateOwner

KIND = "signature"
KEY_LENGTH = 10
"""Hexadecimal digits of a signature's id in its key: as many as people can say and machines do not confuse."""

STATES = tuple(state.value for state in State)

_KEY = re.compile(rf"GW-([0-9a-f]{{{KEY_LENGTH}}})\Z", re.IGNORECASE)
_ID = re.compile(r"[0-9a-f]{64}\Z")


def key_of(signature_id: str) -> str:
    """What people call it: `GW-1a2b3c4d5e`."""
    return f"GW-{signature_id[:KEY_LENGTH]}"


def version_of(number: int) -> str:
    """A version as text that sorts."""
    return f"{number:020d}"


def number_of(version: str) -> int:
    """The number in a version; 0 for none."""
    return int(version) if version.isdecimal() else 0


def url_of(settings: GatewaySettings, signature_id: str) -> str:
    """Where people are led for a signature."""
    return f"{settings.console_url}#signature={signature_id}"


def snapshot(settings: GatewaySettings, row: Row) -> Snapshot:
    """The record that an entry makes. The ledger is its home, so this is a direct read."""
    entry = row.entry
    return Snapshot(
        ref=RecordRef(kind=KIND, id=row.id, key=key_of(row.id), url=url_of(settings, row.id)),
        version=version_of(row.version),
        created_at=row.opened_at,
        updated_at=row.updated_at,
        fields=_fields(entry),
        origin=Origin.DIRECT,
        links=entry.links,
        automatic=entry.state.state is State.RESOLVED and entry.state.resolved_by == "quiet",
        state_owner=StateOwner.HUB,
    )


def _fields(entry: Entry) -> dict[str, Json]:
    signature, figures, state = entry.signature, entry.figures, entry.state
    return {
        "status": state.state.value,
        "tags": sorted({*signature.tags, *entry.tags}),
        "title": signature.title,
        "description": evidence(signature, figures),
        "severity": figures.severity,
        "kind": signature.kind.value,
        "class": signature.cause,
        "service": signature.service,
        "route": signature.route,
        "method": signature.method,
        "code": signature.code,
        "fault": signature.fault.value if signature.fault else "",
        "provider": signature.provider,
        "model": signature.model,
        "count": figures.count,
        "count_1h": figures.count_1h,
        "count_24h": figures.count_24h,
        "rate": round(figures.window_rate, 4),
        "rate_1h": round(figures.rate_1h, 4),
        "p50_ms": round(figures.p50_ms, 1),
        "p95_ms": round(figures.p95_ms, 1),
        "p99_ms": round(figures.p99_ms, 1),
        "consumers": figures.consumers,
        "first_seen": figures.first_seen_at.isoformat(),
        "last_seen": figures.last_seen_at.isoformat(),
        "request_ids": [sample.request_id for sample in figures.samples if sample.request_id],
        "trace_ids": sorted({sample.trace_id for sample in figures.samples if sample.trace_id}),
        "tokens": figures.llm.total_tokens if figures.llm else 0,
        "cost": round(figures.llm.cost, 6) if figures.llm else 0,
        "state_since": state.since.isoformat(),
        "resolved_at": _time(state.resolved_at),
        "resolved_by": state.resolved_by,
        "escalated_at": _time(state.escalated_at),
    }


def _time(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def evidence(signature: Signature, figures: Figures) -> str:
    """Which calls failed, for people: route, code, rate, latency, whom it meets, and request ids to look up."""
    most = "at least " if figures.at_least else ""
    where = f"{signature.method or '*'} {signature.route} of {signature.service or 'an unnamed service'}"
    lines = [f"{where}: {signature.code} {signature.cause}"]
    if signature.discriminator:
        lines.append(f"Error: {signature.discriminator}")
    lines += [
        f"Calls: {most}{figures.count}; {figures.count_1h} in an hour, {figures.count_24h} in a day.",
        f"First seen {figures.first_seen_at:%Y-%m-%d %H:%M:%S} UTC, last {figures.last_seen_at:%Y-%m-%d %H:%M:%S} UTC.",
        f"Rate: {figures.window_rate:.1%} of the route's {figures.window_total} calls in the fullest window.",
        f"Latency: p50 {figures.p50_ms:.0f} ms, p95 {figures.p95_ms:.0f} ms, p99 {figures.p99_ms:.0f} ms.",
        f"Consumers: {figures.consumers}",
    ]
    if figures.consumers_top:
        lines[-1] += f" ({', '.join(f'{name}: {count}' for name, count in figures.consumers_top[:5])})"
    if figures.llm is not None:
        lines.append(_llm(signature, figures))
    if figures.samples:
        lines += ["", "Samples:"]
    for sample in figures.samples:
        said = f"- {sample.at:%Y-%m-%d %H:%M:%S} UTC, {sample.status}, {sample.latency_ms:.0f} ms"
        said += f", request {sample.request_id}" if sample.request_id else ""
        said += f", trace {sample.trace_id}" if sample.trace_id else ""
        lines.append(f"{said} ({sample.why})")
        if sample.attempts:
            lines.append(f"  attempts: {'; '.join(sample.attempts)}")
        if sample.body:
            lines.append(f"  {' '.join(sample.body.split())[:300]}")
    return "\n".join(lines)


_FAULTS = {
    "prompt": "the request itself",
    "model": "the model or its provider",
    "gateway": "the gateway",
}


def _llm(signature: Signature, figures: Figures) -> str:
    assert figures.llm is not None
    whose = _FAULTS.get(signature.fault.value, "") if signature.fault else ""
    said = f"LLM: {signature.provider or 'unknown provider'}/{signature.model or 'unknown model'}"
    said += f", the fault is in {whose}" if whose else ""
    said += f"; {figures.llm.total_tokens} tokens"
    said += f", cost {figures.llm.cost:.4f}" if figures.llm.cost else ""
    tried = ", ".join(f"{name} ({count})" for name, count in sorted(figures.llm.attempts.items()))
    return f"{said}; attempts: {tried}" if tried else said


def history_row(edit: Edit) -> HistoryRow:
    """A change of the ledger as the engine asks for it."""
    return HistoryRow(
        id=f"{edit.version}",
        at=edit.at,
        actor=edit.actor or edit.by,
        edits=(FieldEdit(field=edit.field, old=edit.old, new=edit.new),),
        ours=edit.by == HUB,
        op=edit.op,
        automatic=edit.by == RULE,
    )


def parse_reference(settings: GatewaySettings, text: str) -> str | None:
    """The id or key of the signature that a text names here, else None."""
    text = text.strip()
    found = _KEY.match(text)
    if found is not None:
        return f"GW-{found[1].lower()}"
    if _ID.match(text):
        return text
    if "#signature=" not in text:
        return None
    place, _, fragment = text.partition("#signature=")
    try:
        ours, theirs = urlsplit(settings.console_url), urlsplit(place)
        same = (ours.hostname, ours.port) == (theirs.hostname, theirs.port)
    except ValueError:
        return None
    same = same and ours.path.rstrip("/") == theirs.path.rstrip("/")
    return fragment if same and _ID.match(fragment) else None
