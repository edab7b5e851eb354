"""The small part of Zendesk's search language that the stand-in understands (D for the operators, G for the index).

Terms are joined by AND: `type:ticket`, `status<solved`, `tags:a`, `-tags:b`, `external_id:x`, `created>2026-01-01`,
`updated>=...`, `requester:mail`, `assignee:none`, `priority:high`, `custom_field_360002:ABC-1`, words of the text.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from connectors.zendesk.sandbox.tickets import PRIORITIES, STATUSES

if TYPE_CHECKING:
    from connectors.zendesk.sandbox.model import Model
    from connectors.zendesk.sandbox.tickets import Entry, Ticket

TERM = re.compile(r"^(-?)([a-z_]+[a-z_0-9]*)(:|<=|>=|<|>)(.*)$")


def found(model: Model, query: str, now: float) -> list[Ticket]:
    """The tickets that match, as the index knows them: changes of the last `search_lag` seconds are not in it yet."""
    terms = _terms(query)
    if any(name == "type" and value != "ticket" for _, name, _, value in terms):
        return []
    edge = now - model.scaled(model.switches.search_lag)
    hits: list[Ticket] = []
    for entry in model.visible():
        ticket = _indexed(entry, edge)
        if ticket is not None and all(_fits(model, ticket, term) for term in terms):
            hits.append(ticket)
    return hits


def _indexed(entry: Entry, edge: float) -> Ticket | None:
    return entry.ticket if entry.changed_at <= edge else entry.previous


def _terms(query: str) -> list[tuple[bool, str, str, str]]:
    try:
        words = shlex.split(query.replace("'", " "))
    except ValueError:
        words = query.split()
    terms: list[tuple[bool, str, str, str]] = []
    for word in words:
        match = TERM.match(word)
        if match is None:
            terms.append((word.startswith("-"), "", ":", word.lstrip("-").lower()))
        else:
            sign, name, operator, value = match.groups()
            terms.append((sign == "-", name, operator, value))
    return terms


def _fits(model: Model, ticket: Ticket, term: tuple[bool, str, str, str]) -> bool:
    negated, name, operator, value = term
    return _holds(model, ticket, name, operator, value) != negated


def _holds(model: Model, ticket: Ticket, name: str, operator: str, value: str) -> bool:
    match name:
        case "type" | "order_by" | "sort":
            return True
        case "ticket_type":
            return ticket.type == value
        case "status":
            return _ranked(STATUSES, ticket.status, operator, value)
        case "priority":
            return ticket.priority is not None and _ranked(PRIORITIES, ticket.priority, operator, value)
        case "tags":
            return not ticket.tags if value == "none" else value.lower() in ticket.tags
        case "external_id":
            return ticket.external_id == value
        case "created" | "updated":
            return _ordered(ticket.created_at if name == "created" else ticket.updated_at, operator, value)
        case "requester" | "assignee" | "submitter":
            person: int | None = getattr(ticket, f"{name}_id")
            if value == "none":
                return person is None
            user = model.users.get(person) if person is not None else None
            return user is not None and value.lower() in {str(user.id), user.email, user.name.lower()}
        case "subject":
            return value.lower() in ticket.subject.lower()
        case "":
            return value in ticket.subject.lower() or value in ticket.description.lower() or value == str(ticket.id)
        case _ if name.startswith("custom_field_") and name[13:].isdigit():
            held = ticket.value_of(int(name[13:]))
            return value in held if isinstance(held, list) else str(held) == value
        case _:
            return False


def _ranked(ranks: tuple[str, ...], held: str, operator: str, value: str) -> bool:
    if value not in ranks or held not in ranks:
        return False
    return _compared(ranks.index(held) - ranks.index(value), operator)


def _ordered(held: str, operator: str, value: str) -> bool:
    """Times compare as text once both are cut to the same length."""
    cut = held[: len(value.rstrip("Z"))]
    wanted = value.rstrip("Z")
    return _compared((cut > wanted) - (cut < wanted), operator)


def _compared(order: int, operator: str) -> bool:
    match operator:
        case "<":
            return order < 0
        case ">":
            return order > 0
        case "<=":
            return order <= 0
        case ">=":
            return order >= 0
        case _:
            return order == 0
