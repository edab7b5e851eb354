"""What commands work with: the settings, the database, a hub that opens no connection, the running daemon."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.load import Loaded as Configuration
from config.load import load
from sync.cli.ending import Ended

if TYPE_CHECKING:
    from sync.engine.commands import Answer
    from sync.engine.hub import Hub
    from sync.mapping.load import Loaded as Mappings
    from sync.store.contract import Store

ANSWER_SECONDS = 30.0
"""How long a daemon is given to answer: it looks for commands twice a second."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An open database. hub: over the configured connections, without any remote; None where only rows are read."""

    configuration: Configuration
    store: Store
    hub: Hub


def configuration(path: Path | None, flags: Mapping[str, str] | None = None) -> Configuration:
    """The settings. Raises SettingsErrors."""
    return load(path, flags=flags)


@contextmanager
def database(configured: Configuration) -> Generator[Store]:
    """The database, for reading beside a daemon. Raises Ended when there is none yet."""
    if not configured.database.exists():
        raise Ended(f"nothing is known yet: there is no database at {configured.database}; `hypercare run` makes it")
    from sync.ports import RealClock
    from sync.store.migrate import open_store

    store = open_store(configured.database, clock=RealClock(), inline=True, check=False)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def looking(configured: Configuration, mappings: Mappings | None = None) -> Generator[Opened]:
    """The database and a hub to look with. mappings: instead of those in the folder of the settings."""
    with database(configured) as store:
        yield Opened(configuration=configured, store=store, hub=_hub(configured, store, mappings))


@contextmanager
def alone(configured: Configuration) -> Generator[Opened]:
    """The database as the daemon would have it, for as long as the block lasts: made, locked, with its connections.

    Raises AlreadyRunning while a daemon has it.
    """
    from sync.engine import contact
    from sync.ports import RealClock, RealRng
    from sync.store.lock import end_lease, lock, take_lease, this_process
    from sync.store.migrate import open_store

    clock, owner = RealClock(), this_process(RealRng().token())
    make_data_dir(configured)
    with ExitStack() as opened:
        held = opened.enter_context(lock(configured.database, owner))
        store = open_store(configured.database, clock=clock, inline=True, held=held, check=False)
        opened.callback(store.close)
        store.step(lambda conn: take_lease(conn, owner, clock.now(), seconds=3600))
        opened.callback(lambda: store.step(lambda conn: end_lease(conn, owner)))
        for name, one in configured.connections.items():
            store.step(partial(contact.register, name=name, system=one.system, role=one.role.value, now=clock.now()))
        yield Opened(configuration=configured, store=store, hub=_hub(configured, store))


def make_data_dir(configured: Configuration) -> None:
    """Make the folder of the database, for its owner alone."""
    try:
        configured.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Ended(f"{configured.data_dir} cannot be made ({error.strerror}): correct `data_dir`") from None


def _hub(configured: Configuration, store: Store, mappings: Mappings | None = None) -> Hub:
    from config.mappings import load_mappings
    from sync.daemon import build, main
    from sync.ports import RealClock, RealRng

    known = mappings if mappings is not None else load_mappings(configured)
    return build.offline(store, main.configured(configured), known, RealClock(), RealRng())


# --- the running daemon ----------------------------------------------------------------------------------------------


def daemon_of(configured: Configuration) -> str:
    """Who works on the database of these settings on this machine; empty when nobody does."""
    from sync.store.lock import holder_of, lock_path

    try:
        handle = os.open(lock_path(configured.database), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        # Shared, and given back at once: it tells whether somebody has it, and keeps nobody from taking it for longer.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.EWOULDBLOCK:
            return holder_of(configured.database) or "another process"
        return ""
    finally:
        os.close(handle)
    return ""


def ask(configured: Configuration, verb: str, args: Mapping[str, Any]) -> Answer:
    """Have the running daemon carry out a command; without one, carry it out here. Raises Ended, AlreadyRunning."""
    if daemon_of(configured):
        return _ask_daemon(configured, verb, args)
    from sync.engine.commands import Answer, Refused
    from sync.engine.find import NotFound
    from sync.planning.verbs import VERBS

    answers: list[Answer] = []
    with alone(configured) as here:
        try:
            here.store.step(lambda conn: answers.append(VERBS[verb](conn, here.hub, args)))
        except (NotFound, Refused) as error:
            return Answer(ok=False, message=str(error))
    done = answers[0]
    return Answer(ok=done.ok, message=f"{done.message} (no daemon is running: `hypercare run` goes on)", data=done.data)


def _ask_daemon(configured: Configuration, verb: str, args: Mapping[str, Any]) -> Answer:
    import msgspec
    from sqlalchemy import Connection, insert, select

    from sync.engine.commands import Answer
    from sync.ports import RealClock
    from sync.store.tables import commands

    with database(configured) as store:

        def put(conn: Connection) -> int:
            row = {"at": RealClock().now(), "verb": verb, "args": msgspec.json.encode(args)}
            key = conn.execute(insert(commands).values(**row)).inserted_primary_key
            assert key is not None  # the table has one
            return int(key[0])

        command_id = store.step(put)
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            with store.read() as conn:
                found = conn.execute(select(commands.c.answer).where(commands.c.id == command_id)).scalar()
            if found is not None:
                return msgspec.json.decode(found, type=Answer)
            time.sleep(0.05)
    raise Ended(
        f"the daemon has not answered within {ANSWER_SECONDS:.0f} s; it will carry it out when it can: "
        "`hypercare status` shows how it is doing"
    )
