"""Courses and their publications."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen
from sqlalchemy import Connection, Select, or_, select

from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.catalog.course import Course, Publication
from lms_core.domain.catalog.search import folded, searchable, words
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.people.user import Role
from lms_core.errors import Conflict, NotFound
from lms_core.ports.unit_of_work import CourseFilter, Courses
from lms_sql import _statements as sql
from lms_sql import tables
from lms_sql._cache import Recent
from lms_sql._kept import Kept, Kind, fetch_one, insert_if_absent, page_of
from lms_sql._values import document, instant, micros, read_document
from lms_sql.repositories.people import USERS

_T = tables.courses
_P = tables.publications
_HEADS = select(_T.c.id, _T.c.version, _T.c.published_number)
_WHOLE = select(_T.c.id, _T.c.version, _T.c.published_number, _T.c.document)


def _course(course: Course) -> dict[str, Any]:
    shown = course.publication.content if course.publication else course.draft
    return {
        "id": course.id,
        "owner_id": course.owner,
        "title": folded(shown.title),
        "search": searchable(shown),
        "language": shown.language,
        "free": shown.is_free,
        "published_number": course.publication.number if course.publication else None,
    }


class _CourseKind(Kind[Course]):
    """A course whose publication lies in a table of its own."""

    def values(self, item: Course, version: int) -> dict[str, Any]:
        """Return the row of *item*."""
        return {
            **self.columns(item),
            "version": version,
            "document": document(item, "version", "publication"),
        }


COURSES = _CourseKind(Course, _T, _course)


@frozen
class CourseCache:
    """Courses and publications as they were committed; those never change."""

    courses: Recent[tuple[str, int], Course] = field(factory=lambda: Recent(500))
    publications: Recent[tuple[str, int], Publication] = field(
        factory=lambda: Recent(500)
    )


@frozen
class SqlCourses:
    """`Courses` in two tables, remembered once they were read.

    What this transaction has written is not remembered: it may be undone.
    """

    _connection: Connection
    _cache: CourseCache
    _written: set[str] = field(factory=set)

    def get(self, course: CourseId) -> Course:
        found = self.find(course)
        if found is None:
            raise NotFound(f"no course {course:.80}", resource=course)
        return found

    def find(self, course: CourseId) -> Course | None:
        head = self._connection.execute(_HEADS.where(_T.c.id == course)).first()
        return None if head is None else self._of([head])[0]

    def published_number(self, course: CourseId) -> int | None:
        row = fetch_one(self._connection, sql.PUBLISHED_NUMBER, (course,))
        return None if row is None else row[0]

    def publication(self, course: CourseId, number: int) -> Publication:
        known = self._cache.publications.get((course, number))
        if known is not None and course not in self._written:
            return known
        query = select(_P.c.number, _P.c.at, _P.c.document).where(
            _P.c.course_id == course, _P.c.number == number
        )
        row = self._connection.execute(query).first()
        if row is None:
            name = f"{course}/{number}"
            raise NotFound(f"no publication {name:.80}", resource=name)
        found = Publication(
            number=row.number,
            content=read_document(CourseContent, row.document),
            at=instant(row.at),
        )
        if course not in self._written:
            self._cache.publications.put((course, number), found)
        return found

    def add(self, course: Course) -> None:
        self._written.add(course.id)
        Kept(self._connection, COURSES).add(course)
        self._publish(course)

    def save(self, course: Course) -> None:
        self._written.add(course.id)
        before = self.published_number(course.id)
        Kept(self._connection, COURSES).save(course)
        if course.publication is not None and course.publication.number != before:
            self._publish(course)

    def _publish(self, course: Course) -> None:
        if course.publication is None:
            return
        values = {
            "course_id": course.id,
            "number": course.publication.number,
            "at": micros(course.publication.at),
            "document": document(course.publication.content),
        }
        insert = insert_if_absent(self._connection, _P)
        if self._connection.execute(insert, values).rowcount != 1:
            raise Conflict(f"the course {course.id} was published meanwhile")

    def published(
        self, wanted: CourseFilter, page: PageRequest = FIRST
    ) -> Page[Course]:
        query = _HEADS.where(_T.c.published_number.is_not(None))
        for word in words(wanted.text):
            query = query.where(_T.c.search.contains(word, autoescape=True))
        if wanted.language is not None:
            query = query.where(_T.c.language == wanted.language)
        if wanted.free is not None:
            query = query.where(_T.c.free.is_(wanted.free))
        return self._page(query, page, _T.c.title, _T.c.id)

    def taught_by(self, user: UserId, page: PageRequest = FIRST) -> Page[Course]:
        found = Kept(self._connection, USERS).find(id=user)
        grants = found.grants if found else ()
        taught = {g.course for g in grants if g.role is Role.INSTRUCTOR and g.course}
        mine = or_(_T.c.owner_id == user, _T.c.id.in_(taught))
        return self._page(_HEADS.where(mine), page, _T.c.id)

    def _page(self, query: Select[Any], page: PageRequest, *order: Any) -> Page[Course]:
        rows, cursor = page_of(self._connection, query, order, page)
        return Page(tuple(self._of(rows)), cursor)

    def _of(self, heads: Iterable[Any]) -> list[Course]:
        """Return the courses of rows that may lack the document."""
        heads = list(heads)
        found = {
            head.id: known
            for head in heads
            if head.id not in self._written
            and (known := self._cache.courses.get((head.id, head.version)))
        }
        missing = [head.id for head in heads if head.id not in found]
        if missing:
            query = _WHOLE.where(_T.c.id.in_(missing))
            for row in self._connection.execute(query):
                found[row.id] = self._read(row)
        return [found[head.id] for head in heads]

    def _read(self, row: Any) -> Course:
        number = row.published_number
        course = read_document(Course, row.document, version=row.version)
        if number is not None:
            publication = self.publication(CourseId(row.id), number)
            course = evolve(course, publication=publication)
        if row.id not in self._written:
            self._cache.courses.put((row.id, row.version), course)
        return course


if TYPE_CHECKING:
    _conforms: type[Courses] = SqlCourses
