"""Statements that go straight to SQLite give what SQLAlchemy's own way gives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import (
    IntegrityError,
    InvalidRequestError,
    MultipleResultsFound,
    NoResultFound,
    ResourceClosedError,
    StatementError,
)

from sync.store.direct import Direct, Rows
from sync.store.driver import writing_engine
from sync.store.errors import StoreUnavailable
from sync.store.migrate import open_store
from sync.store.tables import items, meta
from tests.sync.store.clocks import RunningClock

AT = datetime(2026, 3, 1, 12, 30, 15, 250, tzinfo=UTC)


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    path = tmp_path / "hypercare.db"
    open_store(path, clock=RunningClock(AT)).close()
    engine = writing_engine(path, 1.0)
    with engine.connect() as found, found.begin():
        yield found
    engine.dispose()


def usual(conn: Connection, statement: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
    """The same question asked SQLAlchemy's way."""
    return [tuple(row) for row in Connection.execute(conn, statement, parameters)]


def fill(conn: Connection) -> None:
    rows = [{"state": bytes([n]), "tag_texts": b"", "gen": n, "created_at": AT, "updated_at": AT} for n in range(1, 6)]
    conn.execute(insert(items), rows)


OTHER = items.alias("other")
_NAMED = select(items.c.gen, items.c.created_at).where(items.c.gen == bindparam("wanted"))
_SOME = select(items.c.id).where(items.c.id.in_(bindparam("of", expanding=True))).limit(bindparam("most"))
QUESTIONS: list[tuple[Any, Any]] = [
    (select(items).order_by(items.c.id), None),
    (select(items.c.id, items.c.created_at.label("at")).where(items.c.gen > 2), None),
    (select(items.c.id).where(items.c.id.in_([1, 4, 9])), None),
    (select(items.c.id).where(items.c.id.in_([])), None),
    (select(items.c.id).where(items.c.created_at.in_([AT, AT + timedelta(days=1)]), items.c.gen < 3), None),
    (_SOME, {"of": [1, 2, 3], "most": 2}),
    (_NAMED, {"wanted": 3}),
    (select(func.count()).select_from(items), None),
    (select(items.c.id, OTHER.c.id).join(OTHER, OTHER.c.id > items.c.id), None),
    (text("SELECT gen, id FROM items WHERE gen > :least ORDER BY gen"), {"least": 3}),
]


@pytest.mark.parametrize("at", range(len(QUESTIONS)))
def test_a_question_has_the_same_answer_either_way_and_again(conn: Connection, at: int) -> None:
    fill(conn)
    statement, parameters = QUESTIONS[at]
    expected = usual(conn, statement, parameters)
    for _ in range(2):
        assert [tuple(row) for row in conn.execute(statement, parameters)] == expected
        assert [tuple(row) for row in conn.execute(statement, parameters).all()] == expected


def test_plain_statements_take_the_short_way(conn: Connection) -> None:
    fill(conn)
    assert isinstance(conn, Direct)
    assert isinstance(conn.execute(_NAMED, {"wanted": 3}), Rows)


def test_one_statement_with_other_values_gives_other_rows(conn: Connection) -> None:
    fill(conn)
    assert [conn.execute(select(items.c.gen).where(items.c.id == n)).scalar() for n in (1, 2, 9)] == [1, 2, None]
    assert [conn.execute(_NAMED, {"wanted": n}).one().created_at for n in (1, 2)] == [AT, AT]


def test_a_list_may_be_longer_the_next_time(conn: Connection) -> None:
    fill(conn)
    for wanted in ([1], [1, 2, 3], [2]):
        found = conn.execute(select(items.c.id).where(items.c.id.in_(wanted)).order_by(items.c.id)).scalars().all()
        assert found == wanted


def test_an_insert_tells_its_key_and_an_update_how_many_rows_it_changed(conn: Connection) -> None:
    values = {"state": b"", "tag_texts": b"", "created_at": AT, "updated_at": AT}
    made = conn.execute(insert(items).values(**values)).inserted_primary_key
    assert made is not None
    assert tuple(made) == (1,)
    named = conn.execute(insert(meta).values(key="k", value="v")).inserted_primary_key
    assert named is not None
    assert tuple(named) == ("k",)
    assert conn.execute(update(items).values(gen=7)).rowcount == 1
    assert conn.execute(delete(items).where(items.c.gen == 7).returning(items.c.id)).all() == [(1,)]
    again = sqlite_insert(meta).values(key="k", value="w")
    conn.execute(again.on_conflict_do_update(index_elements=["key"], set_={"value": again.excluded.value}))
    assert conn.execute(select(meta.c.value)).scalars().all() == ["w"]


def test_too_few_and_too_many_rows_are_told(conn: Connection) -> None:
    fill(conn)
    with pytest.raises(NoResultFound):
        conn.execute(select(items).where(items.c.id == 99)).one()
    with pytest.raises(MultipleResultsFound):
        conn.execute(select(items.c.id)).scalar_one()
    assert conn.execute(select(items).where(items.c.id == 99)).one_or_none() is None
    found = conn.execute(select(items.c.gen).order_by(items.c.gen).limit(1)).mappings().all()
    assert [dict(row) for row in found] == [{"gen": 1}]
    with pytest.raises(ResourceClosedError):
        conn.execute(delete(items)).all()


def test_errors_are_those_of_sqlalchemy(conn: Connection) -> None:
    conn.execute(insert(meta).values(key="k", value="v"))
    with pytest.raises(IntegrityError, match="UNIQUE"):
        conn.execute(insert(meta).values(key="k", value="v"))
    with pytest.raises(StatementError, match="naive"):
        conn.execute(select(items.c.id).where(items.c.created_at == datetime(2026, 1, 1)))  # noqa: DTZ001  on purpose
    with pytest.raises(InvalidRequestError, match="wanted"):
        conn.execute(_NAMED)


def test_nothing_is_executed_once_the_database_has_rolled_back_by_itself(conn: Connection) -> None:
    driver: Any = conn.connection.driver_connection
    driver.execute("ROLLBACK")
    with pytest.raises(StoreUnavailable):
        conn.execute(insert(meta).values(key="k", value="v"))
    driver.execute("BEGIN")


def test_a_statement_that_is_asked_again_takes_the_values_of_each_time(conn: Connection) -> None:
    fill(conn)
    mixed = select(items.c.gen).where(items.c.gen > 1, items.c.gen < bindparam("below"), items.c.created_at == AT)
    for below in (3, 4, 6, 3):
        found = conn.execute(mixed.order_by(items.c.gen), {"below": below}).scalars().all()
        assert found == list(range(2, min(below, 6)))
    kept = mixed.order_by(items.c.gen)
    for below in (3, 4, 6, 3):
        assert conn.execute(kept, {"below": below}).scalars().all() == list(range(2, min(below, 6)))


def test_a_statement_made_of_one_that_was_asked_is_another_one(conn: Connection) -> None:
    fill(conn)
    for _ in range(3):
        assert len(conn.execute(_NAMED, {"wanted": 3}).all()) == 1
    narrower = _NAMED.where(items.c.id == bindparam("wanted") + 1)
    for _ in range(3):
        assert conn.execute(narrower, {"wanted": 3}).all() == []
        assert len(conn.execute(_NAMED, {"wanted": 3}).all()) == 1


def test_an_insert_of_other_columns_the_next_time_is_another_statement(conn: Connection) -> None:
    rows: list[dict[str, Any]] = [
        {"state": b"a", "tag_texts": b"", "created_at": AT, "updated_at": AT},
        {"state": b"b", "tag_texts": b"", "created_at": AT, "updated_at": AT, "gen": 7},
        {"gen": 8, "state": b"c", "tag_texts": b"", "created_at": AT, "updated_at": AT},
    ]
    kept = insert(items)
    for row in [*rows, *rows]:
        conn.execute(kept, row)
        conn.execute(kept, [row])
        conn.execute(kept, [row, row])
    found = conn.execute(select(items.c.state, items.c.gen).order_by(items.c.id)).all()
    assert [tuple(row) for row in found] == [
        pair for pair in ((b"a", 1), (b"b", 7), (b"c", 8), (b"a", 1), (b"b", 7), (b"c", 8)) for _ in range(4)
    ]


def test_a_value_that_is_wanted_is_missed_each_time(conn: Connection) -> None:
    fill(conn)
    for _ in range(3):
        with pytest.raises(InvalidRequestError, match="wanted"):
            conn.execute(_NAMED)
    changed = update(items).where(items.c.id == bindparam("of")).values(gen=bindparam("to"))
    for _ in range(3):
        conn.execute(changed, [{"of": 1, "to": 4}, {"of": 2, "to": 5}])
        with pytest.raises((InvalidRequestError, StatementError), match="to"):
            conn.execute(changed, [{"of": 1, "to": 4}, {"of": 2}])


def test_sqlalchemy_knows_of_each_transaction_that_begins_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "hypercare.db"
    open_store(path, clock=RunningClock(AT)).close()
    engine = writing_engine(path, 1.0)
    with engine.connect() as conn:
        driver: Any = conn.connection.driver_connection
        with conn.begin():
            assert driver.in_transaction
            conn.execute(insert(meta).values(key="k", value="v"))
        assert not driver.in_transaction
        assert not conn.in_transaction()
        lost = conn.begin()
        driver.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
        lost.commit()
        assert not conn.in_transaction()
        undone = conn.begin()
        conn.execute(delete(meta))
        undone.rollback()
        with conn.begin():
            assert conn.execute(select(meta.c.key)).scalars().all() == ["k"]
    engine.dispose()
