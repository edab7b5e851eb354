"""What the ledger holds of a signature that is a record: its state, what it shows, who changed what. Values only."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from connectors.gateway.lifecycle import SignatureState
from connectors.gateway.signature import Figures, Signature
from sync.model import LinkShown

RULE, HUB, PERSON = "rule", "hub", "person"
"""Who changes a signature: the lifecycle's rules, a delivery of the hub, or somebody at the command line."""


class Entry(Struct, frozen=True, kw_only=True):
    """One signature in the ledger. figures: as last published; the change feed shows no others.

    links: what it shows of other records. tags: those that the hub owes it, beside its own.
    """

    signature: Signature
    figures: Figures
    state: SignatureState
    published_at: datetime
    links: tuple[LinkShown, ...] = ()
    tags: tuple[str, ...] = ()


class Row(Struct, frozen=True, kw_only=True):
    """An entry as it is stored. version: counts the changes of the connection's ledger."""

    id: str
    version: int
    entry: Entry
    opened_at: datetime
    updated_at: datetime


class Edit(Struct, frozen=True, kw_only=True):
    """One line of a signature's history. by: `rule`, `hub` or `person`. op: of a delivery. why: for people."""

    at: datetime
    by: str
    field: str
    old: str | None
    new: str | None
    actor: str = ""
    op: str = ""
    why: str = ""
    version: int = 0
