"""Certificates and grades set by hand."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen
from sqlalchemy import Connection, select, update

from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.grading.override import Override
from lms_core.domain.ids import CertificateId, CourseId, EnrollmentId, LessonId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.ports.unit_of_work import Certificates, Overrides
from lms_sql import tables
from lms_sql._kept import Kept, Kind, insert_if_absent, read_page
from lms_sql._values import micros

_T = tables.certificates
_O = tables.overrides
_N = tables.counters


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "id": certificate.id,
        "enrollment_id": certificate.enrollment,
        "user_id": certificate.learner,
        "course_id": certificate.course,
        "number": certificate.number,
        "code": certificate.code,
        "status_index": certificate.status_index,
        "issued_at": micros(certificate.issued_at),
        "revoked": certificate.is_revoked,
    }


def _override(override: Override) -> dict[str, Any]:
    return {
        "course_id": override.lesson.course,
        "user_id": override.learner,
        "lesson": override.lesson.key,
    }


CERTIFICATES = Kind(Certificate, _T, _certificate)
OVERRIDES = Kind(Override, _O, _override)


@frozen
class SqlCertificates:
    """`Certificates` in a table; a locked counter keeps numbers without gaps."""

    _connection: Connection

    @property
    def _kept(self) -> Kept[Certificate]:
        return Kept(self._connection, CERTIFICATES)

    def next_number(self) -> int:
        first = insert_if_absent(self._connection, _N)
        self._connection.execute(first, {"name": "certificates", "value": 0})
        counted = update(_N).where(_N.c.name == "certificates")
        counted = counted.values(value=_N.c.value + 1)
        return int(self._connection.execute(counted.returning(_N.c.value)).scalar_one())

    def get(self, certificate: CertificateId) -> Certificate:
        return self._kept.get(id=certificate)

    def find_code(self, code: str) -> Certificate | None:
        return self._kept.first(CERTIFICATES.rows.where(_T.c.code == code))

    def find_enrollment(self, enrollment: EnrollmentId) -> Certificate | None:
        query = CERTIFICATES.rows.where(_T.c.enrollment_id == enrollment)
        return self._kept.first(query)

    def add(self, certificate: Certificate) -> None:
        self._kept.add(certificate)

    def save(self, certificate: Certificate) -> None:
        self._kept.save(certificate)

    def of_learner(
        self, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Certificate]:
        query = CERTIFICATES.rows.where(_T.c.user_id == learner)
        order = [_T.c.issued_at, _T.c.id]
        return read_page(self._kept, query, order, page, latest_first=True)

    def revoked_indexes(self) -> Iterator[int]:
        query = select(_T.c.status_index).where(_T.c.revoked)
        yield from self._connection.execute(query.order_by(_T.c.status_index)).scalars()


@frozen
class SqlOverrides:
    """`Overrides` in a table."""

    _connection: Connection

    @property
    def _kept(self) -> Kept[Override]:
        return Kept(self._connection, OVERRIDES)

    def find(self, learner: UserId, lesson: LessonId) -> Override | None:
        return self._kept.find(
            course_id=lesson.course, user_id=learner, lesson=lesson.key
        )

    def put(self, override: Override) -> None:
        self._kept.put(override)

    def of_course(
        self, course: CourseId, learners: Sequence[UserId]
    ) -> tuple[Override, ...]:
        query = OVERRIDES.rows.where(
            _O.c.course_id == course, _O.c.user_id.in_(set(learners))
        )
        return self._kept.all(query.order_by(_O.c.user_id, _O.c.lesson))


if TYPE_CHECKING:
    _certificates_conform: type[Certificates] = SqlCertificates
    _overrides_conform: type[Overrides] = SqlOverrides
