"""What an administrator or a vendor may have set up so that something is parked, held or overruled, for one history.

Each is brought about in the stand-ins by the switch that `sync.core.reasons` names, and lifted when all is to heal.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

from connectors.jira.sandbox import JiraSandbox
from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.zendesk.sandbox import ZendeskSandbox
from sync.mapping.load import Loaded, load

_ROUTES = """
routes:
  - name: outage
    when:
      tags: {any: [outage]}
      connection: [support]
    create:
      connection: tracker
      fields: {project: OPS}
"""


class Circumstance(StrEnum):
    """One of them. Those of a mapping hold from the first start on."""

    SCREEN_FIELD = "screen_field"
    """Done steps demand a resolution, and the mapping gives none."""
    UNNAMED_STATUS = "unnamed_status"
    """The mapping does not know the status In Review."""
    MIRROR = "mirror"
    """The tickets' status only follows: what their users set is put back."""
    DEMANDING_DESK = "demanding_desk"
    """No ticket is solved without a field that nobody fills in."""
    DEAF_DESK = "deaf_desk"
    """Nearly every write to a ticket is answered well and dropped."""
    NO_CREATES = "no_creates"
    """The hub may not create issues."""
    HIDDEN_TICKET = "hidden_ticket"
    """One ticket may not be seen by the hub."""
    GARBLED_TICKET = "garbled_ticket"
    """Reads of one ticket are answered with rubbish."""
    REVOKED_TOKEN = "revoked_token"  # noqa: S105  the name of a circumstance
    """The tracker refuses the hub's credentials."""


MAPPED = (Circumstance.SCREEN_FIELD, Circumstance.UNNAMED_STATUS, Circumstance.MIRROR)
"""Those that a mapping brings about. A history has at most one of them."""

REMAPPED = "remapped"
"""The shipped mappings after an edit that means nothing for the records at hand: another fingerprint, no more."""

_EDITS: Mapping[str, tuple[str, str, str]] = {
    "": ("", "", ""),
    REMAPPED: ("zendesk.yaml", '      - "hypercare*"\n', '      - "hypercare*"\n      - "unused-*"\n'),
    Circumstance.SCREEN_FIELD: (
        "jira.yaml",
        "    resolution: Done           # sent where the step's screen requires a resolution\n",
        "    {}\n",
    ),
    Circumstance.UNNAMED_STATUS: ("jira.yaml", "      In Review: in_progress\n", ""),
    Circumstance.MIRROR: ("zendesk.yaml", "    direction: both\n", "    direction: enforce\n"),
}


@cache
def mappings(variant: str, *, routes: bool) -> Loaded:
    """The shipped mappings with one edit ("": as shipped), and with a route or none."""
    texts = {
        part.name: part.read_text(encoding="utf-8")
        for part in files("mappings").iterdir()
        if part.name.endswith(".yaml")
    }
    name, old, new = _EDITS[variant]
    if name:
        if old not in texts[name]:
            raise LookupError(f"{name} has no {old!r} any more: correct the edit of {variant!r} in the simulation")
        texts[name] = texts[name].replace(old, new, 1)
    return load(
        {**texts, "routes.yaml": _ROUTES if routes else "routes: []\n"}, {"support": "zendesk", "tracker": "jira"}
    )


def variant_of(odd: tuple[Circumstance, ...]) -> str:
    """The edit of the mappings that these circumstances need."""
    return next((each for each in odd if each in MAPPED), "")


class Oddities:
    """The circumstances of one history, brought about and lifted. fired: how often each rule of theirs has answered."""

    def __init__(self, desk: ZendeskSandbox, site: JiraSandbox, odd: tuple[Circumstance, ...]) -> None:
        self._desk = desk
        self._site = site
        self._odd = odd
        self._tokens: list[str] = []
        self._hidden: list[int] = []

    def bring_about(self, rng: random.Random) -> None:
        """Let them begin. Those of a mapping are there already."""
        begin: Mapping[Circumstance, Callable[[random.Random], None]] = {
            Circumstance.SCREEN_FIELD: lambda _: self._site.change_settings({"resolution_required": True}),
            Circumstance.UNNAMED_STATUS: lambda _: self._site.change_settings(
                {"unknown_categories": {"In Review": "reviewing"}}
            ),
            Circumstance.DEMANDING_DESK: lambda _: self._desk.change_settings({"required_to_solve": [360001]}),
            Circumstance.DEAF_DESK: lambda _: self._desk.control.faults.add(
                FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update", rate=0.95)
            ),
            Circumstance.NO_CREATES: lambda _: self._creates(allowed=False),
            Circumstance.HIDDEN_TICKET: self._hide,
            Circumstance.GARBLED_TICKET: self._garble,
            Circumstance.REVOKED_TOKEN: lambda _: self._revoke(),
        }
        for each in self._odd:
            if each in begin:
                begin[each](rng)

    def lift(self) -> None:
        """Let them end; the fault rules are cleared with all others."""
        if Circumstance.SCREEN_FIELD in self._odd:
            self._site.change_settings({"resolution_required": False})
        if Circumstance.UNNAMED_STATUS in self._odd:
            self._site.change_settings({"unknown_categories": {}})
        if Circumstance.DEMANDING_DESK in self._odd:
            self._desk.change_settings({"required_to_solve": []})
        if Circumstance.NO_CREATES in self._odd:
            self._creates(allowed=True)
        for ticket in self._hidden:
            if not self._desk.model.entries[ticket].is_deleted:
                self._desk.act({"act": "allow", "ticket": ticket})
        if self._tokens:
            self._site.act({"act": "token", "by": "hub", "tokens": self._tokens})

    def _creates(self, *, allowed: bool) -> None:
        asked = {"act": "permission", "by": "hub", "project": "OPS", "permission": "CREATE_ISSUES", "allowed": allowed}
        self._site.act(asked)

    def _hide(self, rng: random.Random) -> None:
        there = [number for number, entry in self._desk.model.entries.items() if not entry.is_deleted]
        self._hidden.append(rng.choice(sorted(there)))
        self._desk.act({"act": "forbid", "ticket": self._hidden[-1]})

    def _garble(self, rng: random.Random) -> None:
        ticket = rng.choice(sorted(self._desk.model.entries))
        for path in (f"/tickets/{ticket}(\\.json)?$", "/tickets/show_many"):
            self._desk.control.faults.add(FaultRule(kind=FaultKind.NULL, path=path, method="read", rate=0.95))

    def _revoke(self) -> None:
        hub = self._site.site.user("hub")
        assert hub is not None  # every stand-in has it
        self._tokens = list(hub.tokens)
        self._site.act({"act": "token", "by": "hub", "tokens": []})
