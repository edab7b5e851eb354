"""The stage of a benchmark: both stand-ins in this process on one core, the daemon as a process on the other.

What the daemon did is read from the stand-ins' own state and, for what only it knows, from its database by plain SQL.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import WrongResult
from benchmarks.watch import Watched
from config.init import contents
from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.jira.sandbox.workflow import BY_ID
from connectors.sandbox.server import RunningSandbox, serve
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from sync.ports import RealRng

CORES = sorted(os.sched_getaffinity(0))
DAEMON_CORE, LOAD_CORE = CORES[0], CORES[-1]
"""The daemon has one core; load and stand-ins have another one, if there is one."""

ZENDESK_SECRET, JIRA_SECRET = "zendesk-signing-secret", "jira-webhook-secret"
EVENTS = ("created", "status_changed", "tags_changed")
SETTINGS = """
data_dir: ../var
mappings_dir: ../mappings
web: {{host: 127.0.0.1, port: 0}}
engine:
  sweep_hours: {sweep_hours}
  import_days: {import_days}
  fight_writes: 1000
  brake_writes: {{at_least: 1000000}}
connections:
  support:
    system: zendesk
    subdomain: sandbox
    base_url: {desk}
    client_id: hypercare
    client_secret: sandbox-client-secret
    webhook_secret: {zendesk_secret}
    poll_seconds: {poll_seconds}
  dev:
    system: jira
    url: {site}
    projects: [OPS]
    auth: {{kind: cloud_token, email: hub@example.com, api_token: hub-token}}
    webhook_secret: {jira_secret}
    poll_seconds: {poll_seconds}
"""


def pin_load() -> None:
    """Bind this process to the core of the load. Threads switch often, so that stand-ins answer at once."""
    os.sched_setaffinity(0, {LOAD_CORE})
    sys.setswitchinterval(0.0005)


class Daemon:
    """A running daemon. Its log is read by a thread, so that it never waits for us."""

    def __init__(self, settings: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child", str(settings), str(DAEMON_CORE)],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = str(self.event("listening")["url"])
        self.event("started")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.lines.append({"event": "not json", "text": line.rstrip(), "level": "error"})

    def event(self, name: str) -> dict[str, Any]:
        """The first log line of that event. Raises WrongResult when the daemon ends or says nothing for long."""

        def look() -> dict[str, Any] | None:
            if self.process.poll() is not None:
                raise WrongResult(f"the daemon ended: {self.lines[-5:]}")
            return next((line for line in self.lines if line.get("event") == name), None)

        found: dict[str, Any] = until(look, 30, f"the daemon's event {name}")
        return found

    def problems(self) -> list[dict[str, Any]]:
        """What it logged as wrong."""
        return [line for line in self.lines if line.get("level") not in ("info", "debug")]

    def cpu_seconds(self) -> float:
        """Processor time it has used so far."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """The most memory it has had resident, in MB (10**6 bytes)."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)


def until(look: Callable[[], Any], seconds: float, what: str, every: float = 0.02) -> Any:
    """What `look` gives as soon as it gives something. Raises WrongResult after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise WrongResult(f"{what} did not come within {seconds:g} s")
        time.sleep(every)
    return found


@dataclass
class Stage:
    """Both systems, the daemon when it runs, its folder."""

    folder: Path
    desk: Watched
    site: Watched
    desk_server: RunningSandbox
    site_server: RunningSandbox
    daemon: Daemon | None = None
    hooks: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Path:
        """The daemon's settings file."""
        return self.folder / "config" / "hypercare.yaml"

    @property
    def database(self) -> Path:
        """Its database."""
        return self.folder / "var" / "hypercare.db"

    def configure(
        self,
        *,
        poll_seconds: float = 30.0,
        sweep_hours: float = 8760.0,
        import_days: int = 90,
        change: Callable[[str], str] = lambda text: text,
    ) -> None:
        """Write settings and the shipped mappings. change: given a mapping file's text, the text to use."""
        for path, text in contents(self.folder).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(change(text), "utf-8")
        self.settings.write_text(
            SETTINGS.format(
                desk=self.desk_server.url,
                site=self.site_server.url,
                zendesk_secret=ZENDESK_SECRET,
                jira_secret=JIRA_SECRET,
                poll_seconds=poll_seconds,
                sweep_hours=sweep_hours,
                import_days=import_days,
            ),
            "utf-8",
        )

    def start(self) -> Daemon:
        """Start the daemon and tell both systems where it is."""
        self.daemon = Daemon(self.settings)
        if self.hooks:
            self.point_hooks(self.daemon.url)
        return self.daemon

    def started(self) -> Daemon:
        """The running daemon."""
        assert self.daemon is not None
        return self.daemon

    def stop(self) -> None:
        """End the daemon in order."""
        if self.daemon is not None:
            self.daemon.end()
            self.daemon = None

    def point_hooks(self, url: str) -> None:
        """Let both systems call this address."""
        subscriptions = [f"zen:event-type:ticket.{name}" for name in EVENTS]
        self.zendesk(act="webhook", endpoint=f"{url}/hooks/support", secret=ZENDESK_SECRET, subscriptions=subscriptions)
        self.jira(act="webhook", url=f"{url}/hooks/dev", secret=JIRA_SECRET)

    def unhook(self) -> None:
        """Let neither system call anybody."""
        with self.desk_server.lock, self.site_server.lock:
            assert isinstance(self.desk.inner, ZendeskSandbox)
            assert isinstance(self.site.inner, JiraSandbox)
            for hook in list(self.desk.inner.hooks.hooks):
                self.desk.inner.hooks.remove(hook)
            self.site.inner.sender.hooks.clear()

    # --- what people do ------------------------------------------------------------------------------------------

    def zendesk(self, **act: Any) -> Any:
        """What a person does in Zendesk."""
        with self.desk_server.lock:
            return self.desk.inner.act(act)

    def jira(self, **act: Any) -> Any:
        """What a person does in Jira."""
        with self.site_server.lock:
            return self.site.inner.act(act)

    def tickets(self) -> dict[str, dict[str, Any]]:
        """Every ticket that is no mere filling, by id, as it is."""
        with self.desk_server.lock:
            return {str(each["id"]): each for each in self.desk.inner.state()["records"]}

    def issues(self) -> dict[str, dict[str, Any]]:
        """Every issue by key, as it is."""
        with self.site_server.lock:
            return {str(each["key"]): each for each in self.site.inner.state()["issues"]}

    def ticket_done(self, pair: Pair) -> bool:
        """Whether the pair's ticket is done at this moment."""
        with self.desk_server.lock:
            assert isinstance(self.desk.inner, ZendeskSandbox)
            return self.desk.inner.model.entries[int(pair.ticket)].ticket.status in ("solved", "closed")

    def issue_done(self, pair: Pair) -> bool:
        """Whether the pair's issue is done at this moment."""
        with self.site_server.lock:
            assert isinstance(self.site.inner, JiraSandbox)
            issue = self.site.inner.site.peek(pair.key)
            return issue is not None and BY_ID[issue.status].category == "done"

    # --- what the daemon knows -----------------------------------------------------------------------------------

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the daemon's database."""
        conn = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)
        try:
            return conn.execute(statement, values).fetchall()
        finally:
            conn.close()

    def command(self, verb: str, *many: Mapping[str, Any]) -> None:
        """Ask the running daemon for the same with each of several arguments, and wait for good answers."""
        conn = sqlite3.connect(self.database, timeout=10)
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        try:
            with conn:
                conn.executemany(
                    "insert into commands (at, verb, args) values (?, ?, ?)",
                    [(at, verb, json.dumps(args).encode()) for args in many],
                )
        finally:
            conn.close()
        until(lambda: not self.ask("select 1 from commands where done_at is null limit 1"), 900, f"{verb}'s answer")
        bad = [
            answer["message"]
            for (body,) in self.ask("select answer from commands where verb = ?", verb)
            if not (answer := json.loads(body))["ok"]
        ]
        if bad:
            raise WrongResult(f"{verb}: {bad[:3]}")

    def busy(self) -> bool:
        """Something is left to do: hints, reads, dirty items or deliveries."""
        return bool(
            self.ask(
                "select 1 where exists (select 1 from inbox where done_at is null)"
                " or exists (select 1 from refreshes where why <> 'sweep')"
                " or exists (select 1 from items where gen > done_gen)"
                " or exists (select 1 from deliveries where state in ('waiting', 'sending', 'in_doubt'))"
            )
        )

    def rest(self, seconds: float = 60.0, still: float = 0.4) -> None:
        """Wait until nothing has been left to do, and nobody has called, for a while."""
        since = time.monotonic()
        seen = -1

        def look() -> bool:
            nonlocal since, seen
            now = len(self.desk.calls) + len(self.site.calls) + sum((self.desk.answered + self.site.answered).values())
            if now != seen or self.busy():
                seen, since = now, time.monotonic()
            return time.monotonic() - since > still

        until(look, seconds, "rest", 0.05)

    def sound(self) -> None:
        """Raise WrongResult for what must not be after a legitimate load: holds, parked fields, conflicts, errors."""
        for table, open_rows in (
            ("holds", "released_at is null"),
            ("parked", "ended_at is null"),
            ("conflicts", "1 = 1"),
            ("deliveries", "state in ('in_doubt', 'parked')"),
        ):
            found = self.ask(f"select * from {table} where {open_rows} limit 3")
            if found:
                raise WrongResult(f"{table}: {found}")
        if self.daemon is not None and (problems := self.daemon.problems()):
            raise WrongResult(f"the daemon's log: {problems[:3]}")

    # --- pairs ---------------------------------------------------------------------------------------------------

    def pairs(self, count: int) -> list[Pair]:
        """Make so many tickets and issues, linked one to one, live and at rest."""
        made = []
        for number in range(count):
            ticket = str(self.zendesk(act="create", subject=f"Checkout fails {number}", status="open")["ticket"])
            issue = self.jira(act="create", summary=f"Checkout fails {number}")
            self.jira(act="transition", issue=issue["key"], to="In Progress")
            made.append(Pair(ticket=ticket, key=str(issue["key"]), id=""))
        keys = self.issues()
        made = [Pair(ticket=one.ticket, key=one.key, id=str(keys[one.key]["id"])) for one in made]
        wanted = {one.ticket for one in made} | {one.id for one in made}
        until(lambda: wanted <= {row[0] for row in self.ask("select remote_id from records")}, 60, "the new records")
        self.command("start", {"connection": "support"}, {"connection": "dev"})
        self.command("link", *({"one": f"support:{one.ticket}", "two": one.key} for one in made))
        self.rest(300)
        return made

    def close(self) -> None:
        """End everything."""
        self.stop()
        self.desk_server.close()
        self.site_server.close()


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A ticket and the issue it is linked to. id: the issue's."""

    ticket: str
    key: str
    id: str


@contextmanager
def stage(
    folder: Path, *, zendesk: Mapping[str, Any] | None = None, jira: Mapping[str, Any] | None = None, **more: Any
) -> Generator[Stage]:
    """Both stand-ins, served, without limits of their own; the daemon is not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    desk = Watched(build_zendesk(time.time, RealRng(), settings={"limits": False, **(zendesk or {})}))
    site = Watched(
        build_jira(time.time, RealRng(), settings={"rate_limits": False, "workflow": "global", **(jira or {})})
    )
    made = Stage(folder, desk, site, serve(desk), serve(site), **more)
    try:
        yield made
    finally:
        made.close()


__all__ = ["Daemon", "Pair", "Stage", "pin_load", "stage", "until"]
