"""Both stand-ins in this process, served on loopback, and the daemon as a process between them.

What is right or wrong is read from the stand-ins' own state; the daemon's database is asked by plain SQL for what only
it knows: whether something is left to do, and whether the file is sound.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.init import contents
from connectors.jira.sandbox import JiraSandbox
from connectors.jira.sandbox import build as build_jira
from connectors.sandbox.faults import FaultKind, FaultRule
from connectors.sandbox.server import RunningSandbox, serve
from connectors.zendesk.sandbox import ZendeskSandbox
from connectors.zendesk.sandbox import build as build_zendesk
from sync.ports import RealRng
from tests.proof.aim import Aimed

TIME_FACTOR = 60
"""What the vendors' delays are divided by: Zendesk's hidden last minute is a second, Jira's index lag 33 ms."""
PORTS = range(20_000, 32_000)
"""Below the ports that systems give to callers: while the daemon is down nobody else is given its port by chance."""
ROUTED_TAG = "launch-bug"
ZENDESK_SECRET, JIRA_SECRET = "zendesk-signing-secret", "jira-webhook-secret"
EVENTS = ("created", "status_changed", "tags_changed", "comment_added")
SETTINGS = """
data_dir: ../var
mappings_dir: ../mappings
web: {{host: 127.0.0.1, port: {port}}}
engine:
  sweep_hours: 8760        # nothing may be found only because everything is read again
  links_minutes: 0
  fight_writes: 1000       # people here turn one status to and fro more often than people do
  brake_writes: {{at_least: 1000000}}
connections:
  support:
    system: zendesk
    subdomain: sandbox
    base_url: {desk}
    client_id: hypercare
    client_secret: sandbox-client-secret
    webhook_secret: {zendesk_secret}
    jira_app: true
    poll_seconds: {poll_seconds}
  tracker:
    system: jira
    url: {site}
    projects: [OPS]
    auth: {{kind: cloud_token, email: hub@example.com, api_token: hub-token}}
    webhook_secret: {jira_secret}
    index_lag_seconds: 2
    poll_seconds: {poll_seconds}
"""
ROUTES = f"""\
routes:
  - name: launch bugs
    when:
      connection: [support]
      tags: {{any: [{ROUTED_TAG}]}}
    create:
      connection: tracker
      fields: {{project: OPS, issuetype: Bug}}
"""
FAULTS: Mapping[FaultKind, Mapping[str, Any]] = {
    FaultKind.DROP_BEFORE: {},
    FaultKind.DROP_AFTER: {},
    FaultKind.CUT_BODY: {},
    FaultKind.SERVER_ERROR: {"status": 502},
    FaultKind.TRUNCATED: {},
    FaultKind.HTML: {},
    FaultKind.STALE_READ: {},
    FaultKind.DELAY: {"seconds": 0.05},
}
"""What goes wrong, in equal parts."""
STALLS: Mapping[FaultKind, Mapping[str, Any]] = {
    FaultKind.UNAVAILABLE: {"seconds": 1},
    FaultKind.RATE_LIMITED: {"seconds": 1},
}
"""What stops a whole connection for at least a second, as its systems ask: in much smaller parts."""


class Wrong(Exception):
    """The proof failed, or could not be made. The message says what, where, and what to look at."""


@dataclass
class Daemon:
    """The process. Its log goes to a file that is appended to, so that it never waits for a reader."""

    settings: Path
    log: Path
    port: int
    retention_seconds: float | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        """It is alive."""
        return self.process is not None and self.process.poll() is None

    def spawn(self) -> None:
        """Start it, and wait for nothing."""
        command = [sys.executable, "-m", "tests.proof.child", str(self.settings)]
        if self.retention_seconds is not None:
            command.append(str(self.retention_seconds))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "MALLOC_ARENA_MAX": "2"},  # as the unit and the image in deploy/ have it
            )

    def answers(self) -> bool:
        """Its web face is up."""
        try:
            return self.get("/health")[0] > 0
        except OSError:
            return False

    def start(self, seconds: float = 60.0) -> float:
        """Start it and wait until it answers: how long that took, in seconds. Raises Wrong."""
        began = time.monotonic()
        self.spawn()
        until(lambda: self.answers() or not self.runs, seconds, "the daemon's first answer")
        if not self.runs:
            raise Wrong(f"the daemon did not start; the end of its log: {self.log_lines()[-3:]}")
        return time.monotonic() - began

    def get(self, path: str, timeout: float = 5.0) -> tuple[int, bytes]:
        """What its web face answers. Raises OSError."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except http.client.HTTPException as error:
                raise OSError(str(error)) from error

    def kill(self) -> None:
        """SIGKILL: nothing in it gets to say good-bye. Does not wait for its end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)

    def wait(self, seconds: float = 30.0) -> int:
        """Wait for its end: the exit code. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM, and wait: the exit code. One that does not end in time is killed."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def log_lines(self) -> list[dict[str, Any]]:
        """What it has logged, of all its lives."""
        lines = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:  # cut off by a kill, or a traceback of the interpreter
                lines.append({"event": "not json", "text": line[:500], "level": "unknown"})
        return lines

    def alarms(self) -> list[dict[str, Any]]:
        """Defects it has logged: what only a mistake of ours can cause."""
        events = {"internal_error", "worker_failed", "worker_ended", "not json"}
        return [line for line in self.log_lines() if line.get("event") in events or line.get("level") == "critical"]


@dataclass
class Stage:
    """Both systems, the daemon, its folder."""

    folder: Path
    desk: Aimed
    site: Aimed
    desk_server: RunningSandbox
    site_server: RunningSandbox
    daemon: Daemon
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """The daemon's database."""
        return self.folder / "var" / "hypercare.db"

    @property
    def desk_rules(self) -> ZendeskSandbox:
        """Zendesk's model; hold its server's lock."""
        assert isinstance(self.desk.inner, ZendeskSandbox)
        return self.desk.inner

    @property
    def site_rules(self) -> JiraSandbox:
        """Jira's model; hold its server's lock."""
        assert isinstance(self.site.inner, JiraSandbox)
        return self.site.inner

    # --- people and the network ----------------------------------------------------------------------------------

    def zendesk(self, act: str, **given: Any) -> Any:
        """What a person does in Zendesk."""
        with self.desk_server.lock:
            return self.desk_rules.act({"act": act, **given})

    def jira(self, act: str, **given: Any) -> Any:
        """What a person does in Jira."""
        with self.site_server.lock:
            return self.site_rules.act({"act": act, **given})

    def faults(self, share: float) -> None:
        """Let this share of all calls to both systems go wrong from now on; 0: none."""
        for server, rules in ((self.desk_server, self.desk_rules), (self.site_server, self.site_rules)):
            with server.lock:
                rules.control.faults.clear()
                if not share:
                    continue
                for kind, more in STALLS.items():
                    rules.control.faults.add(FaultRule(kind=kind, rate=share / 50, **more))
                for kind, more in FAULTS.items():
                    rules.control.faults.add(FaultRule(kind=kind, rate=share / len(FAULTS), **more))

    def faults_fired(self) -> dict[str, int]:
        """How many calls went wrong since `faults`, by kind."""
        fired: dict[str, int] = {}
        for server, rules in ((self.desk_server, self.desk_rules), (self.site_server, self.site_rules)):
            with server.lock:
                for rule in rules.control.faults.listing():
                    kind = str(rule["kind"])
                    fired[kind] = fired.get(kind, 0) + int(rule["fired"])
        return fired

    def lose_hooks(self, lost: float, doubled: float) -> None:
        """Let this share of the webhook calls be lost, and this share come twice."""
        for server, rules in ((self.desk_server, self.desk_rules), (self.site_server, self.site_rules)):
            with server.lock:
                rules.change_settings({"hook_drops": lost, "hook_duplicates": doubled})

    def outage(self, side: str, *, is_down: bool) -> None:
        """Let one side (`support` or `tracker`) answer nobody, or everybody again."""
        server = self.desk_server if side == "support" else self.site_server
        faults = (self.desk_rules if side == "support" else self.site_rules).control.faults
        with server.lock:
            faults.clear()
            if is_down:
                faults.add(FaultRule(kind=FaultKind.DROP_BEFORE))

    # --- what the daemon knows -----------------------------------------------------------------------------------

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the daemon's database."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as conn:
            return conn.execute(statement, values).fetchall()

    def command(self, verb: str, *many: Mapping[str, Any]) -> None:
        """Ask the running daemon the same with each of several arguments, and wait for good answers. Raises Wrong."""
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        with closing(sqlite3.connect(self.database, timeout=10)) as conn, conn:
            conn.executemany(
                "insert into commands (at, verb, args) values (?, ?, ?)",
                [(at, verb, json.dumps(args).encode()) for args in many],
            )
        until(lambda: not self.ask("select 1 from commands where done_at is null"), 60, f"the answer to {verb}")
        told = [json.loads(body) for (body,) in self.ask("select answer from commands where verb = ?", verb)]
        if bad := [answer["message"] for answer in told if not answer["ok"]]:
            raise Wrong(f"{verb}: {bad[:3]}")

    def make_live(self) -> None:
        """Let the hub write to both sides from now on."""
        until(lambda: len(self.ask("select 1 from connections")) == 2, 30, "both connections in the database")
        self.command("start", {"connection": "support"}, {"connection": "tracker"})
        # Zendesk tells the time in whole seconds: what was created in this one counts as created before the start.
        time.sleep(1.0 - time.time() % 1.0)

    def busy(self) -> bool:
        """Something is left to do: hints, reads, dirty items or deliveries."""
        return any(self.backlog().values())

    def backlog(self) -> dict[str, int]:
        """What is left to do, by kind."""
        names = ("hints", "reads", "items", "deliveries")
        row = self.ask(
            "select (select count(*) from inbox where done_at is null),"
            " (select count(*) from refreshes),"
            " (select count(*) from items where gen > done_gen),"
            " (select count(*) from deliveries where state in ('waiting', 'sending', 'in_doubt'))"
        )[0]
        return dict(zip(names, row, strict=True))

    def writes(self) -> tuple[int, int]:
        """How many writes the hub has made in both systems so far."""
        with self.desk_server.lock:
            model = self.desk_rules.model
            desk = model.writes[model.hub.id]
        with self.site_server.lock:
            site = sum(count for name, count in self.site_rules.site.writes.items() if name.startswith("hub "))
        return desk, site

    def rest(self, seconds: float, still: float = 3.0) -> float:
        """Wait until nothing is left to do and the hub has written nothing for `still` seconds: how long it took.

        Raises Wrong after `seconds`, with what is left.
        """
        began = since = time.monotonic()
        seen = self.writes()
        while time.monotonic() - since < still:
            if self.daemon.process is not None and not self.daemon.runs:
                raise Wrong(f"the daemon ended by itself: {self.daemon.log_lines()[-3:]}")
            if time.monotonic() - began > seconds:
                raise Wrong(f"no rest within {seconds:g} s; left to do: {self.backlog()}; see {self.daemon.log}")
            if self.busy() or seen != self.writes():
                seen, since = self.writes(), time.monotonic()
            time.sleep(0.1)
        return since - began

    def flaws(self) -> list[str]:
        """What is wrong with the daemon's database now that all is quiet. A call that comes late is taken up first."""
        with suppress(Wrong):
            until(lambda: not self.busy(), 10, "rest")
        flaws = [f"integrity check: {text}" for (text,) in self.ask("pragma integrity_check") if text != "ok"]
        flaws += [f"foreign key: {row}" for row in self.ask("pragma foreign_key_check")]
        open_states = "('waiting', 'sending', 'in_doubt')"
        for table, where in (
            ("deliveries", f"state in {open_states}"),
            ("items", "gen > done_gen"),
            ("inbox", "done_at is null"),
            ("holds", "released_at is null"),
            ("parked", "ended_at is null"),
        ):
            if count := self.ask(f"select count(*) from {table} where {where}")[0][0]:
                flaws.append(f"{table}: {count} with {where}: {self.ask(f'select * from {table} where {where}')[:3]}")
        return flaws


def until(look: Callable[[], Any], seconds: float, what: str, every: float = 0.02) -> Any:
    """What `look` gives as soon as it gives something. Raises Wrong after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise Wrong(f"{what} did not come within {seconds:g} s")
        time.sleep(every)
    return found


def free_port(taken: Sequence[int] = ()) -> int:
    """A port that nobody listens on."""
    for port in random.sample(PORTS, 200):
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Wrong(f"no free port was found between {PORTS.start} and {PORTS.stop}")


@contextmanager
def stage(folder: Path, *, poll_seconds: float = 1.0, retention_seconds: float | None = None) -> Generator[Stage]:
    """Both stand-ins served, without limits of their own, the daemon configured and not yet started."""
    if (folder / "config").exists():
        raise Wrong(f"{folder} has been used already; name another folder, or remove it")
    for path, text in contents(folder).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "mappings" / "routes.yaml").write_text(ROUTES, "utf-8")
    desk = Aimed(build_zendesk(time.time, RealRng(), time_factor=TIME_FACTOR, settings={"limits": False}))
    site = Aimed(build_jira(time.time, RealRng(), time_factor=TIME_FACTOR, settings={"rate_limits": False}))
    with serve(desk) as desk_server, serve(site) as site_server:
        port = free_port((desk_server.port, site_server.port))
        settings = folder / "config" / "hypercare.yaml"
        settings.write_text(
            SETTINGS.format(
                desk=desk_server.url,
                site=site_server.url,
                port=port,
                zendesk_secret=ZENDESK_SECRET,
                jira_secret=JIRA_SECRET,
                poll_seconds=poll_seconds,
            ),
            "utf-8",
        )
        daemon = Daemon(settings, folder / "daemon.log", port, retention_seconds)
        made = Stage(folder, desk, site, desk_server, site_server, daemon)
        hooks = f"http://127.0.0.1:{port}/hooks"
        subscriptions = [f"zen:event-type:ticket.{name}" for name in EVENTS]
        made.zendesk("webhook", endpoint=f"{hooks}/support", secret=ZENDESK_SECRET, subscriptions=subscriptions)
        made.jira("webhook", url=f"{hooks}/tracker", secret=JIRA_SECRET)
        try:
            yield made
        finally:
            if daemon.runs:
                os.kill(daemon.pid, signal.SIGCONT)
            daemon.stop()
