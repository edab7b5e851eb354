"""`hypercare mappings check --online`: every mapping against the live system of its connection."""

from __future__ import annotations

from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import wrap

from msgspec import Struct

from config.load import Loaded as Configuration
from config.mappings import read_texts
from connectors.contract import Finding, Level
from connectors.errors import RemoteError
from sync.cli.asking import asked
from sync.cli.show import is_looked_at, styled
from sync.learning.agreement import Against, disagreements
from sync.learning.live import Seen, look
from sync.learning.mismatch import Mismatch
from sync.learning.sheet import counted
from sync.mapping.load import Loaded
from sync.mapping.routes import Route
from sync.mapping.trace import Rule, Source, source_for, sources
from sync.ports import RealClock

RECORDS = 50
"""Records that are looked at for the steps of their workflows."""


class Held(Struct, frozen=True, kw_only=True):
    """One connection's mapping, held against its system. failed: why that could not be done, empty where it was."""

    connection: str
    account: str = ""
    records: int = 0
    unread: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    failed: str = ""

    @property
    def ok(self) -> bool:
        """Nothing in it is an error."""
        levels = [one.level for one in self.findings] + [one.level for one in self.mismatches]
        return not self.failed and Level.ERROR not in levels


def every(configured: Configuration, loaded: Loaded, *, records: int = RECORDS) -> tuple[Held, ...]:
    """Every configured connection, one after the other."""
    files = sources(read_texts(configured.mappings_dir))
    return tuple(one(configured, loaded, files, name, records=records) for name in configured.connections)


def one(configured: Configuration, loaded: Loaded, files: Sequence[Source], name: str, *, records: int) -> Held:
    """One connection."""
    try:
        with asked(configured, name) as live:
            seen = look(live.remote, live.room, RealClock().now(), records=records)
    except RemoteError as error:
        return Held(connection=name, failed=error.message)
    return held(loaded, files, name, configured.systems[name], seen)


def held(loaded: Loaded, files: Sequence[Source], name: str, system: str, seen: Seen) -> Held:
    """A mapping against what was seen."""
    mapping = loaded.for_connection(name, system)
    against = Against(
        connection=name,
        catalogue=seen.catalogue,
        source=source_for(files, name, system),
        routes=routes_to(loaded, files, name),
        sample=seen.sample,
        workflows=seen.capabilities.workflows,
    )
    return Held(
        connection=name,
        account=seen.capabilities.account,
        records=len(seen.sample.snapshots),
        unread=seen.catalogue.unread,
        findings=tuple(one for one in seen.capabilities.findings if one.level is not Level.INFO),
        mismatches=disagreements(mapping, against),
    )


def routes_to(loaded: Loaded, files: Sequence[Source], name: str) -> tuple[tuple[Route, Rule | None], ...]:
    """The routes that create on a connection, each with its place."""
    found = []
    for number, route in enumerate(loaded.routes):
        if route.target.connection == name:
            rules = (source.rule("routes", number) for source in files)
            found.append((route, next((rule for rule in rules if rule is not None), None)))
    return tuple(found)


def page(every_held: Sequence[Held]) -> None:
    """What was found, by connection."""
    for one_held in every_held:
        account = f" ({one_held.account})" if one_held.account else ""
        styled((f"{one_held.connection}{account}", "bold"))
        if one_held.failed:
            _told("error", _STYLES[Level.ERROR], one_held.failed)
            continue
        lines = [(one.level, f"{one.what}" + (f"; {one.do}" if one.do else "")) for one in one_held.findings]
        lines += [(one.level, str(one)) for one in one_held.mismatches]
        for level, text in lines:
            _told(level.value, _STYLES[level], text)
        for text in one_held.unread:
            _told("not asked", "yellow", text)
        if not any(level is not Level.INFO for level, _ in lines):
            looked = counted(one_held.records, "record")
            styled(("  well", "green"), (f": mapping and system agree, {looked} looked at", ""))


def _told(word: str, style: str, text: str) -> None:
    """One finding, folded to the terminal; for a program each stays one line."""
    width = max(get_terminal_size().columns, 60) if is_looked_at() else 10_000
    first, *rest = wrap(text, width - 4 - len(word)) or [""]
    styled((f"  {word}: ", style), (first, ""))
    for line in rest:
        styled((f"    {line}", ""))


_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow", Level.INFO: "dim"}
