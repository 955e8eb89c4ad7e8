"""Use cases: certificates, issued, shown, verified and revoked."""

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application._learning import current_publication
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.audit import AuditRow
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.ids import CertificateId, EnrollmentId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.errors import AlreadyExists, Conflict, NotFound
from lms_core.ports.system import Clock, IdSource, TokenSource
from lms_core.ports.unit_of_work import StartWork

LONGEST_CODE = 64


@frozen(kw_only=True)
class IssueCertificate:
    """Issue the certificate that a completed enrollment earns, once."""

    start: StartWork
    clock: Clock
    ids: IdSource
    tokens: TokenSource

    @again_on_conflict
    def __call__(self, enrollment: EnrollmentId) -> Certificate | None:
        """Return the certificate; asking again returns the same.

        `None` where the enrollment is not completed, or the course gives none.
        It is valid from now on, before any document is made of it.

        Raises:
            NotFound: there is no such enrollment.
        """
        with self.start() as work:
            place = work.enrollments.get(enrollment)
            known = work.certificates.find_enrollment(enrollment)
            if known is not None:
                return known
            content = current_publication(work, place.course).content
            if place.completed_at is None or not content.certificate:
                return None
            mark = content.grading.pass_mark
            if mark is not None and (place.grade is None or place.grade < mark.of_one):
                return None
            number = work.certificates.next_number()
            certificate, events = Certificate(
                id=CertificateId(self.ids.new()),
                enrollment=enrollment,
                learner=place.learner,
                learner_name=work.users.get(place.learner).name,
                course=place.course,
                course_title=content.title,
                number=number,
                code=self.tokens.token(),
                status_index=number - 1,
                issued_at=self.clock.now(),
                grade=place.grade,
            ).issue()
            try:
                work.certificates.add(certificate)
            except AlreadyExists as exc:
                raise Conflict("it was issued meanwhile") from exc
            work.outbox.extend(sealed(events, self.ids))
            work.commit()
        return certificate


@frozen(kw_only=True)
class VerifyCertificate:
    """Tell a stranger whether a certificate is genuine; open to everybody."""

    start: StartWork

    def __call__(self, code: str) -> Certificate:
        """Return the certificate with that code, revoked or not.

        Raises:
            NotFound: there is none.
        """
        if not 1 <= len(code) <= LONGEST_CODE or not code.isascii():
            raise NotFound("no such certificate")
        with self.start(read_only=True) as work:
            found = work.certificates.find_code(code)
        if found is None:
            raise NotFound("no such certificate")
        return found


@frozen(kw_only=True)
class ReadCertificate:
    """Show a certificate to its owner, her instructor or an admin."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, certificate: CertificateId) -> Certificate:
        """Return the certificate; others' do not exist. Raises `NotFound`."""
        with self.start(read_only=True) as work:
            found = work.certificates.get(certificate)
        resource = Resource(owner=found.learner, course=found.course)
        if not decide(actor, Action.READ_CERTIFICATE, resource, at=self.clock.now()):
            raise NotFound(f"no certificate {certificate}", resource=certificate)
        return found

    def of_learner(
        self, actor: Actor, learner: UserId, page: PageRequest = FIRST
    ) -> Page[Certificate]:
        """Return a learner's certificates, the latest first.

        Raises:
            Refused: the actor may not see them.
        """
        resource = Resource(owner=learner)
        decide(actor, Action.READ_CERTIFICATE, resource, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            return work.certificates.of_learner(learner, page)


@frozen(kw_only=True)
class RevokeCertificate:
    """Withdraw a certificate for a stated reason."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(
        self, actor: Actor, certificate: CertificateId, reason: str
    ) -> Certificate:
        """Return the revoked certificate; the first reason stays.

        Raises:
            Refused: the actor may not revoke.
            NotFound: there is no such certificate.
            InvalidValue: the reason is empty or too long.
        """
        now = self.clock.now()
        with self.start() as work:
            before = work.certificates.get(certificate)
            resource = Resource(owner=before.learner, course=before.course)
            decide(actor, Action.REVOKE_CERTIFICATE, resource, at=now).require()
            after, events = before.revoke(reason, at=now)
            if events:
                work.certificates.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.audit.append(
                    AuditRow(
                        id=self.ids.new(),
                        at=now,
                        actor=actor.user,
                        action=Action.REVOKE_CERTIFICATE,
                        subject=certificate,
                        details={"reason": reason},
                    )
                )
                work.commit()
        return after
