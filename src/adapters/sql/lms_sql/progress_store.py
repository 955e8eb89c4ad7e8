"""Progress in a table of SQLite or PostgreSQL."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from attrs import frozen

from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.progress.intervals import EMPTY, Intervals
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import Conflict, InvalidValue
from lms_core.ports.progress_store import ProgressStore
from lms_core.registry import Wiring
from lms_sql import _statements as sql
from lms_sql._values import instant_or_none, micros_or_none
from lms_sql.engine import Database, open_database

Key = tuple[str, str, str]
State = tuple[Any, ...]
"""What the columns after the key hold: epoch, watched, and so on."""

_MOST_TRIES = 50


@frozen(eq=False)
class SqlProgressStore:
    """A `ProgressStore` in a table; use it with ``with``, or `close` it.

    A single update reads, merges, and writes if the row is still the one that
    was read; each statement is its own transaction. Several are one transaction
    that locks their rows in order.
    """

    database: Database

    def record(self, updates: Sequence[LessonProgress]) -> tuple[LessonProgress, ...]:
        if len(updates) == 1:
            return (self._record_one(updates[0]),)
        return self._record_all(updates) if updates else ()

    def _record_one(self, update: LessonProgress) -> LessonProgress:
        key, text = _key(update), self.database.sql
        with self.database.writing() as raw:
            for _ in range(_MOST_TRIES):
                row = raw.execute(text(sql.PROGRESS), key).fetchone()
                if row is None:
                    values = (*_state(update), 1, *key)
                    if raw.execute(text(sql.PROGRESS_FIRST), values).rowcount == 1:
                        return update
                    continue
                before = _read(row, update.learner, update.lesson)
                after = before.merge(update)
                if after == before:
                    return after
                values = (*_state(after), row[6] + 1, *key, row[6])
                if raw.execute(text(sql.PROGRESS_CHANGE), values).rowcount == 1:
                    return after
        raise Conflict(f"too many report progress in {update.lesson} at once")

    def _record_all(
        self, updates: Sequence[LessonProgress]
    ) -> tuple[LessonProgress, ...]:
        wanted = {_key(update): update for update in updates}
        results = []
        with self.database.writing() as raw, self.database.atomic(raw):
            known = self._locked(raw, sorted(wanted), wanted)
            changed: dict[Key, LessonProgress] = {}
            for update in updates:
                key = _key(update)
                before = known[key][0]
                after = before.merge(update)
                if after != before:
                    known[key] = after, known[key][1]
                    changed[key] = after
                results.append(after)
            if changed:
                rows = (
                    (*_state(after), known[key][1] + 1, *key, known[key][1])
                    for key, after in changed.items()
                )
                cursor = raw.cursor()
                cursor.executemany(self.database.sql(sql.PROGRESS_CHANGE), list(rows))
                cursor.close()
        return tuple(results)

    def _locked(
        self, raw: Any, keys: Sequence[Key], wanted: dict[Key, LessonProgress]
    ) -> dict[Key, tuple[LessonProgress, int]]:
        """Return what is stored under *keys*, nobody else changing it.

        Rows that are not there are made, blank: in PostgreSQL first, so that
        there is a row to lock; in SQLite the transaction has the whole file.
        """
        if not self.database.is_sqlite:
            parts = [list(part) for part in zip(*keys, strict=True)]
            raw.execute(self.database.sql(sql.PROGRESS_BLANK_MANY), parts)
            lock = self.database.sql(sql.PROGRESS_LOCK_MANY)
            rows = {row[7:10]: row for row in raw.execute(lock, parts)}
        else:
            rows = {key: raw.execute(sql.PROGRESS, key).fetchone() for key in keys}
            missing = [key for key, row in rows.items() if row is None]
            blank = (0, "", 0, None, None, None, 0)
            raw.executemany(sql.PROGRESS_FIRST, [(*blank, *key) for key in missing])
            rows |= dict.fromkeys(missing, blank)
        return {
            key: (_read(row, wanted[key].learner, wanted[key].lesson), row[6])
            for key, row in rows.items()
        }

    def get(self, learner: UserId, lesson: LessonId) -> LessonProgress:
        blank = LessonProgress(learner=learner, lesson=lesson)
        rows = self._rows(sql.PROGRESS, _key(blank))
        return _read(rows[0], learner, lesson) if rows else blank

    def of_learner(
        self, learner: UserId, course: CourseId
    ) -> tuple[LessonProgress, ...]:
        rows = self._rows(sql.PROGRESS_OF_LEARNER, (learner, course))
        return tuple(_read(row, learner, LessonId(course, row[8])) for row in rows)

    def of_course(
        self, course: CourseId, page: PageRequest = FIRST
    ) -> Page[LessonProgress]:
        after = ("", "")
        if page.after is not None:
            lesson, separator, learner = page.after.partition("/")
            if not separator or not lesson or not learner:
                raise InvalidValue("is not one of ours", place="after")
            after = (learner, lesson)
        rows = self._rows(sql.PROGRESS_OF_COURSE, (course, *after, page.limit + 1))
        items = tuple(
            _read(row, UserId(row[7]), LessonId(course, row[8]))
            for row in rows[: page.limit]
        )
        if len(rows) <= page.limit:
            return Page(items)
        return Page(items, f"{items[-1].lesson.key}/{items[-1].learner}")

    def forget(self, learner: UserId) -> None:
        with self.database.writing() as raw:
            raw.execute(self.database.sql(sql.PROGRESS_FORGET), (learner,)).close()

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self.database.raw() as raw:
            rows: list[Any] = raw.execute(
                self.database.sql(statement), values
            ).fetchall()
            return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def _key(progress: LessonProgress) -> Key:
    return progress.learner, progress.lesson.course, progress.lesson.key


def _state(progress: LessonProgress) -> State:
    return (
        progress.epoch,
        ",".join(map(str, progress.watched.edges)),
        progress.position_ms,
        micros_or_none(progress.read_at),
        micros_or_none(progress.seen_at),
        micros_or_none(progress.completed_at),
    )


def _read(row: State, learner: UserId, lesson: LessonId) -> LessonProgress:
    epoch, watched, position_ms, read_at, seen_at, completed_at = row[:6]
    edges = tuple(map(int, watched.split(","))) if watched else ()
    return LessonProgress(
        learner=learner,
        lesson=lesson,
        epoch=epoch,
        watched=Intervals(edges) if edges else EMPTY,
        position_ms=position_ms,
        read_at=instant_or_none(read_at),
        seen_at=instant_or_none(seen_at),
        completed_at=instant_or_none(completed_at),
    )


def open_progress_store(url: str, wiring: Wiring) -> SqlProgressStore:
    """Open ``sqlite:///file.db`` or ``postgresql://user@host/name``."""
    return SqlProgressStore(open_database(url, wiring))


if TYPE_CHECKING:
    _conforms: type[ProgressStore] = SqlProgressStore
