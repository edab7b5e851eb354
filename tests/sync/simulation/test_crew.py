"""Workers of one process come between one another where they call a port, and nowhere else."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, insert, select

from sync.simulation.between import Crashed
from sync.simulation.contract.door import Door
from sync.simulation.crew import Crew, Switching
from sync.simulation.faults import Profile
from sync.simulation.history import play
from sync.simulation.stage import Depth, Stage
from sync.store.memory import MemoryStore
from sync.store.tables import meta
from tests.sync.store.clocks import RunningClock


def works(crew: Crew, said: list[str]) -> list[Callable[[], None]]:
    def work(name: str) -> None:
        for part in "123":
            said.append(name + part)
            crew.give_way()

    return [lambda name=name: work(name) for name in "ab"]  # type: ignore[misc]


def order(seed: int) -> str:
    said: list[str] = []
    crew = Crew(random.Random(seed))
    crew.run(works(crew, said))
    return " ".join(said)


def test_the_seed_decides_who_goes_on_and_each_keeps_its_own_order() -> None:
    found = {order(seed) for seed in range(40)}
    assert len(found) > 5
    assert order(3) == order(3)
    for each in found:
        assert [word for word in each.split() if word[0] == "a"] == ["a1", "a2", "a3"]


def test_a_process_that_dies_drops_all_its_workers_where_they_stand() -> None:
    said: list[str] = []
    crew = Crew(random.Random(1))
    store = MemoryStore(clock=RunningClock(datetime(2026, 3, 1, tzinfo=UTC)))
    through = Switching(store, crew)

    def put(conn: Connection) -> None:
        conn.execute(insert(meta).values(key="late", value="v"))

    def lingers() -> None:
        try:
            while True:
                crew.give_way()
        finally:
            said.append("dropped")
            through.step(put)

    def dies() -> None:
        crew.give_way()
        raise Crashed("here")

    with pytest.raises(Crashed):
        crew.run([lingers, dies])
    assert said == ["dropped"]
    with store.read() as conn:
        assert conn.execute(select(meta.c.key)).all() == []
    crew.run(works(crew, said))
    assert len(said) == 7


def test_a_step_is_never_divided() -> None:
    crew = Crew(random.Random(2))
    store = Switching(MemoryStore(clock=RunningClock(datetime(2026, 3, 1, tzinfo=UTC))), crew)
    inside: list[str] = []

    def work(name: str) -> None:
        def step(_conn: Connection) -> None:
            inside.append(name)
            crew_size = len(inside)
            assert inside[-1] == name
            assert crew_size == len(inside)

        for _ in range(3):
            store.step(step)

    crew.run([lambda: work("a"), lambda: work("b")])
    assert sorted(inside) == ["a", "a", "a", "b", "b", "b"]
    assert inside not in (["a"] * 3 + ["b"] * 3, ["b"] * 3 + ["a"] * 3)


def test_an_older_write_that_arrives_after_a_newer_one_is_seen() -> None:
    stage = Stage(1, Profile(name="calm"), lambda _record: None, "stock", Depth.CONTRACT)
    crew = stage.crew
    assert crew is not None
    door = Door(
        faults=lambda: stage.desk.control.faults,
        time=stage.clock.epoch,
        wall=stage.clock.epoch,
        before=lambda _request: crew.give_way(),
        after=lambda _request, _response: None,
        is_down=lambda: False,
        sends=stage._sends,
    )

    def write() -> None:
        door.write("tickets.update", "/tickets/1", lambda: None, lambda: None)

    for _ in range(20):
        crew.run([write, write])
    assert {each.split(":")[0] for each in stage.late} == {"H9 late-write"}
    stage.world.close()


def test_histories_at_contract_level_are_interleaved_and_repeat() -> None:
    one = play(7, "swarm", steps=25, depth=Depth.CONTRACT)
    assert one.violations == []
    assert one.premises["H9"] > 50
    assert play(7, "swarm", steps=25, depth=Depth.CONTRACT).digest == one.digest
