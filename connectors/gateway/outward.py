"""Keeps the gateway showing what is open: reads the ledger, and brings one service or route up to date at a time.

What it wrote is not stored: after a start it looks at each target once, and again every `LOOK_AGAIN` seconds, since a
release, or somebody else's edit of the tags, takes ours away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from connectors.contract import Finding, Home, Level, Ports, Turn
from connectors.errors import AuthRejected, RateLimited, RemoteError, Unavailable
from connectors.gateway import ledger
from connectors.gateway.annotate import Evidence, Place, bring, differing, places, wanted
from connectors.gateway.apipark import ApiPark
from connectors.gateway.entries import Row
from connectors.gateway.interfaces import WriteBack
from connectors.gateway.lifecycle import State
from connectors.gateway.settings import GatewaySettings
from connectors.http import Limits
from sync.model import Json

LOOK_AGAIN = 900.0
"""Seconds after which every target is looked at again."""

FIRST_WAIT, LONGEST_WAIT = 5.0, 600.0
"""Seconds before the next try after a failure, doubling."""

PAGE = 500

LIMITS = Limits(read=10.0, total=15.0)

_KEY = re.compile(r"(?:^|/)([A-Z][A-Z0-9_]+-\d+)/?\Z")
_OPEN = frozenset({State.OPEN, State.ACKNOWLEDGED, State.REGRESSED})


def evidence_of(row: Row) -> Evidence:
    """A signature of the ledger as write-back sees it."""
    entry = row.entry
    return Evidence(
        service=entry.signature.service,
        route=entry.signature.route,
        is_open=entry.state.state in _OPEN,
        issues=tuple(sorted({found[1] for link in entry.links if (found := _KEY.search(link.target))})),
    )


class GatewayAnnotator:
    """`contract.Annotator` for one gateway: one worker's. Nothing is asked before its first turn."""

    def __init__(self, settings: GatewaySettings, ports: Ports) -> None:
        assert ports.home is not None, "the ledger is in the hub's database"
        self._home: Home = ports.home
        self._clock = ports.clock
        self._places = _places(settings, ports)
        self._version = 0
        self._known: dict[str, Evidence] = {}
        self._brought: list[dict[str, tuple[str, ...]]] = [{} for _place in self._places]
        self._looked_at = ports.clock.monotonic()
        self._failures = 0
        self._try_at = 0.0
        self._told = ""

    def turn(self) -> Turn:
        """Bring at most one target up to date. Raises AuthRejected; other failures are waited out, and told once."""
        now = self._clock.monotonic()
        if now < self._try_at:
            return Turn()
        self._read_ledger()
        if now - self._looked_at >= LOOK_AGAIN:
            self._looked_at = now
            for brought in self._brought:
                brought.clear()
        for place, brought in zip(self._places, self._brought, strict=True):
            wants = wanted(self._known.values(), by_route=place.by_route)
            for target in differing(wants, brought)[:1]:
                return self._bring(place, target, wants[target], brought)
        return Turn()

    def close(self) -> None:
        """Close the connections."""
        for place in self._places:
            place.close()

    def _read_ledger(self) -> None:
        while True:
            with self._home.store.read() as conn:
                rows = ledger.after(conn, self._home.connection_id, self._version, PAGE)
            for row in rows:
                self._known[row.id] = evidence_of(row)
                self._version = max(self._version, row.version)
            if len(rows) < PAGE:
                return

    def _bring(self, place: Place, target: str, tags: tuple[str, ...], brought: dict[str, tuple[str, ...]]) -> Turn:
        try:
            done = bring(place, target, tags)
        except AuthRejected as error:
            self._wait(error)
            raise
        except RemoteError as error:
            return Turn(events=self._wait(error))
        brought[target] = tags
        events: list[tuple[str, Mapping[str, Json]]] = []
        if self._told:
            events.append(_tell("annotations_back"))
        self._failures, self._told = 0, ""
        if done.changed:
            events.append(_tell("annotated", target=target, tags=" ".join(tags)))
        return Turn(more=True, events=tuple(events))

    def _wait(self, error: RemoteError) -> tuple[tuple[str, Mapping[str, Json]], ...]:
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures, 16))
        if isinstance(error, RateLimited | Unavailable) and error.retry_after is not None:
            wait = max(wait, error.retry_after)
        self._failures += 1
        self._try_at = self._clock.monotonic() + wait
        if error.message == self._told:
            return ()
        self._told = error.message
        return (_tell("annotations_failed", why=error.message),)


def clear(settings: GatewaySettings, ports: Ports, rows: Iterable[Row]) -> int:
    """Take our tags away from every service or route that a signature names: how many carried some.

    Raises as `connectors.errors`; what was cleared by then stays cleared.
    """
    known = [evidence_of(row) for row in rows]
    count = 0
    for place in _places(settings, ports):
        try:
            for target in sorted(wanted(known, by_route=place.by_route)):
                count += bring(place, target, ()).changed
        finally:
            place.close()
    return count


def _places(settings: GatewaySettings, ports: Ports) -> tuple[Place, ...]:
    return places(
        settings.write_back,
        ports,
        apipark=settings.apipark,
        apinto=settings.apinto,
        kong=settings.kong,
        limits=LIMITS,
    )


def _tell(event: str, **facts: Json) -> tuple[str, Mapping[str, Json]]:
    """What a turn has to say."""
    return event, facts


def prove(settings: GatewaySettings, ports: Ports) -> tuple[Finding, ...]:
    """Sign in to APIPark, where an account is set. What stands in the way is a warning: the ledger needs no APIPark.

    Raises AuthRejected where open signatures are to be shown there: somebody would wait for them.
    """
    if settings.apipark is None:
        return ()
    park = ApiPark(settings.apipark, ports, LIMITS)
    try:
        count = len(park.services())
    except AuthRejected as error:
        if settings.write_back is WriteBack.APIPARK:
            raise
        do = "correct `apipark`: until then it cannot look up calls"
        return (Finding(level=Level.WARNING, what=error.message, do=do),)
    except RemoteError as error:
        does = "show open signatures" if settings.write_back is WriteBack.APIPARK else "look up calls"
        return (
            Finding(
                level=Level.WARNING, what=f"APIPark does not answer: {error.message}", do=f"until then it cannot {does}"
            ),
        )
    finally:
        park.close()
    return (Finding(level=Level.INFO, what=f"APIPark knows the account {settings.apipark.name}: {count} services"),)
