"""A launch day whose mappings somebody edits: plans are made and applied as the command line and the daemon do."""

from __future__ import annotations

from sync.daemon import build as assembly
from sync.mapping.load import load
from sync.planning import stored
from sync.planning.build import build
from sync.planning.row import Plan
from tests.support.launch import Launch
from tests.sync.mapping.records import shipped_texts

CONNECTIONS = {"support": "zendesk", "tracker": "jira"}


def edited(file: str, old: str, new: str, routes: str = "routes: []\n") -> dict[str, str]:
    """The shipped files with one place of one file edited."""
    texts = {**shipped_texts(), "routes.yaml": routes}
    assert old in texts[file], f"{file} does not have {old!r}"
    return {**texts, file: texts[file].replace(old, new, 1)}


def planned(day: Launch, texts: dict[str, str]) -> Plan:
    """What edited files would do; the day goes on with the old ones."""
    mappings = load(texts, CONNECTIONS)
    world = day.world
    hub = assembly.offline(world.store, world.configured, mappings, world.clock, world.rng)
    with world.store.read() as conn:
        plan = build(conn, hub, "mappings")
    return world.store.step(lambda conn: stored.store(conn, plan, "a test"))


def in_force(day: Launch, texts: dict[str, str]) -> None:
    """The daemon is started again with the edited files."""
    day.world.mappings = load(texts, CONNECTIONS)
    day.world.restart()
    day.world.quiet()


def progress(day: Launch, plan: Plan) -> stored.Progress:
    assert plan.id is not None
    with day.world.store.read() as conn:
        return stored.progress(conn, plan.id)
