"""A connection that hands compiled statements straight to sqlite3.

SQLAlchemy goes on building and compiling the statements, once each. What it does around every single execution (a
context, events, parameter dictionaries, a cursor result with its own metadata) costs several times what SQLite needs
for one of our statements; here a statement is kept as its text, the places of its values and the processors of its
columns. Whatever is not plain (options, defaults computed here, other ways of returning keys) goes the usual way.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import Connection, Engine, LargeBinary, TextClause
from sqlalchemy.engine import row as sqlalchemy_row
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import (
    DBAPIError,
    InvalidRequestError,
    MultipleResultsFound,
    NoResultFound,
    ResourceClosedError,
    StatementError,
)

from sync.store.tables import Moment

_NOT_YET: Any = object()
_KEPT: dict[Any, Any] = {}
_MOST_KEPT = 4_000
"""Statements kept by what they say; beyond that all are forgotten."""

_NOTHING: Mapping[str, Any] = {}
_WAYS = "_ways_straight_to_sqlite"
"""What a statement itself keeps. SQLAlchemy drops it from a statement that is made of this one, as its own notes."""

_Value = Callable[[Any], Any]
Row: Any = sqlalchemy_row.Row


# One step stores one time in many places, and reads it back in others.
_MOMENT = Moment()
_ANY: Any = None
_MOMENT_IN: _Value = lru_cache(maxsize=256)(lambda value: _MOMENT.process_bind_param(value, _ANY))
_MOMENT_OUT: _Value = lru_cache(maxsize=1024)(lambda value: _MOMENT.process_result_value(value, _ANY))


class _Place(NamedTuple):
    """Where one value of a statement comes from.

    key: its name among the given parameters. at: its place among the values in the statement itself, -1 for none.
    default: what it is without either. process: makes of it what SQLite takes.
    """

    key: str
    at: int
    default: Any
    process: _Value | None
    required: bool


class _Prepared(NamedTuple):
    """A statement as SQLite takes it. many: the names of the places that hold a list, with what stands for each."""

    sql: str
    places: tuple[_Place, ...]
    lists: tuple[str, ...]
    metadata: SimpleResultMetaData | None
    processors: Any
    at_once: bool
    compiled: Any


class _Way(NamedTuple):
    """A statement that is executed again and again, with parameters of the same names each time.

    gather: makes its values of the parameters; None where some of them are lists. given: the values in the statement.
    """

    prepared: _Prepared
    gather: Callable[[Mapping[str, Any]], Sequence[Any]] | None
    given: Sequence[Any]


def through(engine: Engine, begin: str) -> Engine:
    """The engine, with connections of this kind. begin: the statement with which their transactions begin."""
    kind = type("Direct", (Direct,), {"begins_with": begin})
    engine._connection_cls = kind  # noqa: SLF001  there is no public way, and the version is pinned
    return engine


class Direct(Connection):
    """A SQLAlchemy connection whose plain statements take the short way, and its BEGIN and COMMIT with them."""

    begins_with: ClassVar[str] = "BEGIN"

    def _begin_impl(self, transaction: Any) -> None:
        if self._has_events or self.engine._has_events:  # noqa: SLF001  as SQLAlchemy's, without its log
            self.dispatch.begin(self)
        self._at_once(self.begins_with)

    def _commit_impl(self) -> None:
        if self._has_events or self.engine._has_events:  # noqa: SLF001  likewise
            self.dispatch.commit(self)
        if self.driver.in_transaction:  # else SQLite rolled back by itself: see `sync.store.group`
            self._at_once("COMMIT")

    @property
    def driver(self) -> sqlite3.Connection:
        """The driver's own connection."""
        found: Any = (self._dbapi_connection or self.connection).dbapi_connection
        assert isinstance(found, sqlite3.Connection)
        return found

    def _at_once(self, sql: str) -> None:
        try:
            self.driver.execute(sql)
        except sqlite3.Error as error:
            raise _wrapped(self, sql, (), error) from error

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        """As SQLAlchemy's, for everything that a step does. Raises DBAPIError and StatementError as it does."""
        driver = self._standing()
        if driver is None or execution_options is not None:
            return super().execute(statement, parameters, execution_options=execution_options)
        listed = isinstance(parameters, (list, tuple))
        many = listed and len(parameters) > 1
        first = (parameters[0] if parameters else _NOTHING) if listed else parameters or _NOTHING
        ways = getattr(statement, "__dict__", _NOTHING).get(_WAYS)
        names = (tuple(first), many)
        way = None if ways is None else ways.get(names)
        if way is None:
            way = _way(self, statement, first, is_many=many)
            if way is None or (listed and not parameters):
                return super().execute(statement, parameters)
            if ways is None:
                statement._set_memoized_attribute(_WAYS, {})  # noqa: SLF001  as its cache key is kept
            else:
                # Asked a second time: it is one that was built to be kept.
                way = ways[names] = way._replace(gather=_gathering(way.prepared, way.given, first))
        prepared, gather, given = way
        sql = prepared.sql
        values: Any = ()
        try:
            if gather is None and prepared.lists:
                sql, values = _spread(prepared, given, first)
            elif gather is None:
                each = parameters if many else (first,)
                values = [_values(prepared, given, one) for one in each]
                values = values if many else values[0]
            else:
                values = list(map(gather, parameters)) if many else gather(first)
        except _Unusual:
            return super().execute(statement, parameters)
        except InvalidRequestError:
            raise
        except KeyError as error:
            raise InvalidRequestError(f"A value is required for bind parameter {error}") from error
        except Exception as error:
            raise StatementError(str(error), sql, first, error) from error
        try:
            cursor = driver.executemany(sql, values) if many else driver.execute(sql, values)
        except sqlite3.Error as error:
            raise _wrapped(self, sql, values, error) from error
        return Rows(cursor, prepared, self, sql, values)

    def _standing(self) -> sqlite3.Connection | None:
        """The driver's connection, while a transaction that SQLAlchemy knows of stands on it."""
        fairy = self._dbapi_connection
        root = self._transaction
        if fairy is None or root is None or not root.is_active:
            return None
        nested = self._nested_transaction
        if nested is not None and not nested.is_active:
            return None
        driver: Any = fairy.dbapi_connection  # typed as less than it is
        if not isinstance(driver, sqlite3.Connection) or not driver.in_transaction:
            return None
        return driver


class _Unusual(Exception):
    """A list of values that is empty or no list."""


def _way(conn: Connection, statement: Any, first: Mapping[str, Any], *, is_many: bool) -> _Way | None:
    """How a statement is executed, of what was found out about one that says the same; None for the usual way."""
    try:
        if statement._execution_options:  # noqa: SLF001  read only: part of every statement
            return None
        cached = statement._generate_cache_key()  # noqa: SLF001  what SQLAlchemy itself keeps it by
    except AttributeError:
        return None
    if cached is None:
        return None
    names = tuple(sorted(first))
    key = (cached.key, names, is_many)
    # Several threads come by here: what another one forgets or adds meanwhile only costs time.
    prepared = _KEPT.get(key, _NOT_YET)
    if prepared is _NOT_YET:
        prepared = _prepare(conn, statement, cached, names, is_many=is_many)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = prepared
    return None if prepared is None else _Way(prepared, None, cached.bindparams)


def _prepare(conn: Connection, statement: Any, cached: Any, names: Sequence[str], *, is_many: bool) -> _Prepared | None:
    """Compile a statement and take it apart; None when it is better executed the usual way."""
    dialect = conn.dialect
    is_text = isinstance(statement, TextClause)
    if not (statement.is_select or statement.is_dml or is_text):
        return None
    compiled = statement._compiler(  # noqa: SLF001  as `_compile_w_cache` does it
        dialect, cache_key=cached, column_keys=list(names), for_executemany=is_many
    )
    plain = (
        compiled.positional
        and not compiled.insert_prefetch
        and not compiled.update_prefetch
        and not compiled.literal_execute_params
        and not compiled.escaped_bind_names
        and not compiled.implicit_returning
        and not (is_many and compiled.effective_returning)
    )
    if not plain:
        return None
    match = compiled._cache_key_bind_match  # noqa: SLF001
    if match is None or compiled.positiontup is None:
        return None
    matches = match[0]
    at = {bind: place for place, own in enumerate(cached.bindparams) for bind in matches[own]}
    processors = compiled._bind_processors  # noqa: SLF001
    places = []
    lists = []
    for name in compiled.positiontup:
        bind = compiled.binds[name]
        if bind.callable is not None or bind.type._is_tuple_type:  # noqa: SLF001
            return None
        if bind in compiled.post_compile_params:
            lists.append(name)
        process: Any = processors.get(name)
        if isinstance(bind.type, Moment):
            process = _MOMENT_IN
        elif isinstance(bind.type, LargeBinary):
            process = None  # the driver takes bytes as they are, and gives them so
        places.append(_Place(bind.key, at.get(bind, -1), bind.value, process, bind.required))
    if lists and (is_many or any(f"[POSTCOMPILE_{name}~~" in compiled.string for name in lists)):
        return None
    named = tuple(name if name in lists else "" for name in compiled.positiontup) if lists else ()
    columns = compiled._result_columns  # noqa: SLF001
    metadata, of_columns = None, None
    if columns and not is_text:
        metadata = SimpleResultMetaData([entry.keyname for entry in columns])
        made = tuple(_of_column(entry.type, dialect) for entry in columns)
        of_columns = made if any(made) else None
    return _Prepared(
        sql=compiled.string,
        places=tuple(places),
        lists=named,
        metadata=metadata,
        processors=of_columns,
        at_once=bool(statement.is_dml and metadata is not None),
        compiled=compiled if getattr(compiled, "isinsert", False) else None,
    )


def _of_column(kind: Any, dialect: Any) -> Any:
    if isinstance(kind, Moment):
        return _MOMENT_OUT
    return None if isinstance(kind, LargeBinary) else kind._cached_result_processor(dialect, None)  # noqa: SLF001


def _gathering(
    prepared: _Prepared, given: Sequence[Any], named: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], Sequence[Any]] | None:
    """What `_values` does, for one statement and parameters of these names; None where only that can do it."""
    if prepared.lists or any(place.required and place.key not in named for place in prepared.places):
        return None
    own = [given[place.at].value if place.at >= 0 else place.default for place in prepared.places]
    asked = [(at, place.key) for at, place in enumerate(prepared.places) if place.key in named]
    processed = [(at, place.process) for at, place in enumerate(prepared.places) if place.process is not None]
    if not asked:
        values = _values(prepared, given, named)
        return lambda _named: values
    taken = _taking([key for _, key in asked])
    places = [at for at, _ in asked]
    is_all = len(places) == len(own)
    if is_all and not processed:
        return taken

    def gather(named: Mapping[str, Any]) -> Sequence[Any]:
        if is_all:
            values = list(taken(named))
        else:
            values = own.copy()
            for at, value in zip(places, taken(named), strict=True):
                values[at] = value
        for at, process in processed:
            values[at] = process(values[at])
        return values

    return gather


def _taking(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    only = names[0]
    return lambda named: (named[only],)


def _values(prepared: _Prepared, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
    values = []
    for key, at, default, process, required in prepared.places:
        if key in named:
            value = named[key]
        elif required:
            raise InvalidRequestError(f"A value is required for bind parameter {key!r}")
        else:
            value = given[at].value if at >= 0 else default
        values.append(value if process is None else process(value))
    return tuple(values)


def _spread(prepared: _Prepared, given: Sequence[Any], named: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The text and the values of a statement some of whose values are lists."""
    values: list[Any] = []
    done: dict[str, int] = {}
    for (key, at, default, process, required), list_name in zip(prepared.places, prepared.lists, strict=True):
        if key in named:
            value = named[key]
        elif required:
            raise InvalidRequestError(f"A value is required for bind parameter {key!r}")
        else:
            value = given[at].value if at >= 0 else default
        if not list_name:
            values.append(value if process is None else process(value))
            continue
        if not value or isinstance(value, (str, bytes)) or list_name in done:
            raise _Unusual
        each = list(value)
        done[list_name] = len(each)
        values.extend(each if process is None else map(process, each))
    return _written_out(prepared.sql, tuple(done.items())), values


@lru_cache(maxsize=1_000)
def _written_out(sql: str, lists: tuple[tuple[str, int], ...]) -> str:
    """The text with so many places for each list."""
    for name, count in lists:
        sql = sql.replace(f"__[POSTCOMPILE_{name}]", ", ".join("?" * count))
    return sql


def _wrapped(conn: Connection, sql: str, values: Any, error: sqlite3.Error) -> BaseException:
    return DBAPIError.instance(
        sql, values, error, sqlite3.Error, hide_parameters=conn.engine.hide_parameters, dialect=conn.dialect
    )


class Rows:
    """What a statement gave, with the methods of a SQLAlchemy result. Others are found on a real one."""

    __slots__ = ("_conn", "_cursor", "_kept", "_metadata", "_prepared", "_sql", "_values", "rowcount")

    def __init__(self, cursor: sqlite3.Cursor, prepared: _Prepared, conn: Connection, sql: str, values: Any) -> None:
        self._cursor = cursor
        self._prepared = prepared
        self._conn = conn
        self._sql = sql
        self._values = values
        self._metadata = prepared.metadata
        self._kept: list[Any] | None = None
        if self._metadata is None and cursor.description:
            self._metadata = SimpleResultMetaData([column[0] for column in cursor.description])
        if prepared.at_once:
            # A write whose rows are still to be fetched would keep its SAVEPOINT from being released.
            kept: list[Any] = self._fetched(cursor.fetchall)
            self._kept, self.rowcount = kept, len(kept)
        else:
            self.rowcount = cursor.rowcount

    @property
    def returns_rows(self) -> bool:
        """Whether it is a question at all."""
        return self._metadata is not None

    @property
    def lastrowid(self) -> int | None:
        """The row that an insert made."""
        return self._cursor.lastrowid

    @property
    def inserted_primary_key(self) -> Any:
        """The key of the row that an insert of one row made."""
        compiled = self._prepared.compiled
        if compiled is None:
            raise InvalidRequestError("Statement is not an insert() expression construct.")
        named = dict(zip(compiled.positiontup, self._values, strict=True))
        return compiled._inserted_primary_key_from_lastrowid_getter(self._cursor.lastrowid, named)  # noqa: SLF001

    def close(self) -> None:
        """Let go of what was not fetched."""
        self._cursor.close()

    def all(self) -> list[Any]:
        """Every row that is left."""
        rows = self._raw()
        if not rows and self._metadata is not None:
            return rows
        metadata = self._asked()
        keys, processors = metadata._key_to_index, self._prepared.processors  # noqa: SLF001
        return [Row(metadata, processors, keys, row) for row in rows]

    def __iter__(self) -> Iterator[Any]:
        metadata = self._asked()
        keys, processors = metadata._key_to_index, self._prepared.processors  # noqa: SLF001
        source = self._cursor if self._kept is None else iter(self._raw())
        try:
            for row in source:
                yield Row(metadata, processors, keys, row)
        except sqlite3.Error as error:
            raise _wrapped(self._conn, self._sql, self._values, error) from error

    def first(self) -> Any:
        """The first row, or None; the rest is let go."""
        row = self._one_row()
        self._cursor.close()
        self._kept = []
        return row

    def fetchone(self) -> Any:
        """The next row, or None."""
        return self._one_row()

    def one(self) -> Any:
        """The only row. Raises NoResultFound, MultipleResultsFound."""
        row = self.one_or_none()
        if row is None:
            raise NoResultFound("No row was found when one was required")
        return row

    def one_or_none(self) -> Any:
        """The only row, or None. Raises MultipleResultsFound."""
        row = self._one_row()
        if row is not None and self._one_row() is not None:
            raise MultipleResultsFound("Multiple rows were found when exactly one was required")
        self._cursor.close()
        return row

    def scalar(self) -> Any:
        """The first value of the first row, or None."""
        row = self.first()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """The first value of the only row. Raises NoResultFound, MultipleResultsFound."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """The first value of the only row, or None. Raises MultipleResultsFound."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalars(self, index: Any = 0) -> Any:
        """The values of one column."""
        if index != 0:
            return self._usual().scalars(index)
        processors = self._prepared.processors
        process = None if processors is None else processors[0]
        self._asked()
        rows = self._raw()
        return Scalars([row[0] for row in rows] if process is None else [process(row[0]) for row in rows])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._usual(), name)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _usual(self) -> IteratorResult[Any]:
        """The same as a result of SQLAlchemy's, for what is seldom asked."""
        metadata, processors = self._asked(), self._prepared.processors
        keys = metadata._key_to_index  # noqa: SLF001
        rows: list[Any] = [tuple(Row(metadata, processors, keys, row)) for row in self._raw()]
        return IteratorResult(metadata, iter(rows))

    def _asked(self) -> SimpleResultMetaData:
        if self._metadata is None:
            raise ResourceClosedError("This result object does not return rows. It has been closed automatically.")
        return self._metadata

    def _one_row(self) -> Any:
        metadata = self._metadata or self._asked()
        if self._kept is None:
            try:
                row = self._cursor.fetchone()
            except sqlite3.Error as error:
                raise _wrapped(self._conn, self._sql, self._values, error) from error
        else:
            row = self._kept.pop(0) if self._kept else None
        if row is None:
            return None
        return Row(metadata, self._prepared.processors, metadata._key_to_index, row)  # noqa: SLF001

    def _raw(self) -> list[Any]:
        if self._kept is None:
            found: list[Any] = self._fetched(self._cursor.fetchall)
            return found
        rows, self._kept = self._kept, []
        return rows

    def _fetched(self, fetch: Callable[[], Any]) -> Any:
        try:
            return fetch()
        except sqlite3.Error as error:
            raise _wrapped(self._conn, self._sql, self._values, error) from error


class Scalars:
    """The values of one column, with the methods of a SQLAlchemy result of scalars."""

    __slots__ = ("_values",)

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def __iter__(self) -> Iterator[Any]:
        values, self._values = self._values, []
        return iter(values)

    def all(self) -> list[Any]:
        """Every value that is left."""
        values, self._values = self._values, []
        return values

    def first(self) -> Any:
        """The first value, or None."""
        return self._values[0] if self._values else None

    def one(self) -> Any:
        """The only value. Raises NoResultFound, MultipleResultsFound."""
        if not self._values:
            raise NoResultFound("No row was found when one was required")
        return self.one_or_none()

    def one_or_none(self) -> Any:
        """The only value, or None. Raises MultipleResultsFound."""
        if len(self._values) > 1:
            raise MultipleResultsFound("Multiple rows were found when exactly one was required")
        return self.first()
