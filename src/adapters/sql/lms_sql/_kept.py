"""What all aggregates have in common: a table, key columns, a version.

`add` keeps the version that the aggregate has; each `save` counts it up by one
and takes no effect where the stored version is another.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen
from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    Update,
    bindparam,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from lms_core.domain.paging import Page, PageRequest
from lms_core.errors import AlreadyExists, Conflict, InvalidValue, NotFound
from lms_sql._errors import known
from lms_sql._values import document, read_document

A = TypeVar("A")


def insert_if_absent(connection: Connection, table: Table) -> Insert:
    """Return an insert that does nothing where a constraint says it is taken.

    The transaction stays usable, and another who is inserting the same is waited
    for.
    """
    if connection.dialect.name == "sqlite":
        statement: Insert = sqlite.insert(table).on_conflict_do_nothing()
    else:
        statement = postgresql.insert(table).on_conflict_do_nothing()
    return statement.inline().execution_options(preserve_rowcount=True)


def fetch_one(connection: Connection, statement: str, values: Sequence[Any]) -> Any:
    """Return the first row that *statement* finds in the transaction, or `None`.

    For what every request asks: SQLAlchemy would take longer than the database.
    ``?`` stands for a parameter. Errors are those of any other statement.
    """
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    try:
        cursor = raw.execute(statement, values)
        row = cursor.fetchone()
        cursor.close()
    except Exception as exc:
        if connection.dialect.is_disconnect(exc, raw, None):  # type: ignore[arg-type]
            connection.invalidate(exc)
        found = known(exc)
        if found is None:
            raise
        raise found from exc
    return row


@define(eq=False)
class Kind(Generic[A]):
    """How one kind of aggregate lies in its table."""

    cls: type[A]
    table: Table
    columns: Callable[[A], Mapping[str, Any]]
    """The values of every column but version and document."""
    remembers: int = 0
    """How many documents that were read last need not be read again.

    For what every request asks for and what is small. The row is fetched all the
    same: what is saved is turning the very same text into the same value.
    """

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key)

    @cached_property
    def rows(self) -> Select[Any]:
        """Every row, as far as `read` needs it."""
        return select(self.table.c.version, self.table.c.document)

    @cached_property
    def by_key(self) -> str:
        """The row of one primary key, for `fetch_one`."""
        wanted = " AND ".join(f"{key} = ?" for key in self.keys)
        table = self.table.name
        return f"SELECT version, document FROM {table} WHERE {wanted}"  # noqa: S608 - our names

    @cached_property
    def changed(self) -> Update:
        """The update of one row, if its version is the expected one."""
        table = self.table
        keys = (table.c[k] == bindparam(f"the_{k}") for k in self.keys)
        return update(table).where(*keys, table.c.version == bindparam("expected"))

    @cached_property
    def inserts(self) -> dict[str, Insert]:
        """The insert statement of each dialect, made when first needed."""
        return {}

    def read(self, row: Sequence[Any]) -> A:
        """Return the aggregate in *row*, which begins like those of `rows`."""
        version, text = row[:2]
        return self._from(text, version)

    @cached_property
    def _from(self) -> Callable[[str, int], A]:
        def read(text: str, version: int) -> A:
            return read_document(self.cls, text, version=version)

        return lru_cache(maxsize=self.remembers)(read)

    def values(self, item: A, version: int) -> dict[str, Any]:
        """Return the row of *item*."""
        return {
            **self.columns(item),
            "version": version,
            "document": document(item, "version"),
        }


@frozen(eq=False)
class Kept(Generic[A]):
    """The aggregates of one kind, within a transaction."""

    connection: Connection = field(repr=False)
    kind: Kind[A]

    def find(self, **key: Any) -> A | None:
        """Return the aggregate with that primary key."""
        values = [key[name] for name in self.kind.keys]
        row = fetch_one(self.connection, self.kind.by_key, values)
        return None if row is None else self.kind.read(row)

    def get(self, **key: Any) -> A:
        """Return the aggregate with that primary key, or raise `NotFound`."""
        found = self.find(**key)
        if found is None:
            name = "/".join(str(part) for part in key.values())
            raise NotFound(f"no {self._noun} {name:.80}", resource=name[:200])
        return found

    def first(self, query: Select[Any]) -> A | None:
        """Return the first aggregate that *query* finds."""
        row = self.connection.execute(query.limit(1)).first()
        return None if row is None else self.kind.read(row)

    def all(self, query: Select[Any]) -> tuple[A, ...]:
        """Return every aggregate that *query* finds."""
        return tuple(self.kind.read(row) for row in self.connection.execute(query))

    def put_new(self, item: A, version: int) -> bool:
        """Keep *item* unless a constraint says that it is taken."""
        dialect = self.connection.dialect.name
        statement = self.kind.inserts.get(dialect)
        if statement is None:
            statement = insert_if_absent(self.connection, self.kind.table)
            self.kind.inserts[dialect] = statement
        values = self.kind.values(item, version)
        return self.connection.execute(statement, values).rowcount == 1

    def add(self, item: A) -> None:
        """Keep a new *item*, or raise `AlreadyExists`."""
        if not self.put_new(item, self._version(item)):
            raise AlreadyExists(f"the {self._noun} is there already")

    def save(self, item: A) -> None:
        """Keep a changed *item*, or raise `Conflict`, or `AlreadyExists`."""
        version = self._version(item)
        values = self.kind.values(item, version + 1)
        keys = {f"the_{name}": values[name] for name in self.kind.keys}
        parameters = {**values, **keys, "expected": version}
        if self.connection.execute(self.kind.changed, parameters).rowcount != 1:
            raise Conflict(f"the {self._noun} was changed meanwhile")

    def put(self, item: A) -> None:
        """Keep *item*, new where its version is zero, or raise `Conflict`."""
        if self._version(item):
            self.save(item)
        elif not self.put_new(item, 1):
            raise Conflict(f"the {self._noun} was changed meanwhile")

    @property
    def _noun(self) -> str:
        return self.kind.cls.__name__.lower()

    def _version(self, item: A) -> int:
        version: int = item.version  # type: ignore[attr-defined]
        return version


def page_of(
    connection: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    request: PageRequest,
    *,
    latest_first: bool = False,
) -> tuple[list[Row[Any]], str | None]:
    """Return the rows of one page of *query*, and where the next one starts.

    The last column of *order* is the key of its table; a page starts behind the
    row whose key the cursor names, wherever that row would be by now.

    Raises:
        InvalidValue: the cursor names no row.
    """
    key = order[-1]
    if request.after is not None:
        anchor = select(*order).where(key == request.after)
        row = connection.execute(anchor).first()
        if row is None:
            raise InvalidValue("is not one of ours", place="after")
        place, here = tuple_(*order), tuple_(*row)
        query = query.where(place < here if latest_first else place > here)
    directed = [column.desc() if latest_first else column for column in order]
    query = query.add_columns(key.label("cursor")).order_by(*directed)
    rows = list(connection.execute(query.limit(request.limit + 1)))
    if len(rows) <= request.limit:
        return rows, None
    return rows[: request.limit], rows[request.limit - 1].cursor


def read_page(
    kept: Kept[A],
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    request: PageRequest,
    *,
    latest_first: bool = False,
) -> Page[A]:
    """Return one page of aggregates, as `page_of` returns rows."""
    rows, cursor = page_of(
        kept.connection, query, order, request, latest_first=latest_first
    )
    return Page(tuple(kept.kind.read(row) for row in rows), cursor)
