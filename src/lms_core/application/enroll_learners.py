"""Use case: put several learners on a course, as who teaches it."""

from collections.abc import Sequence

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._learning import current_publication
from lms_core.application.enroll_learner import take_place
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.audit import AuditRow
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.ids import CourseId, UserId
from lms_core.errors import Fault, InvalidDocument
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork

MOST_LEARNERS = 200


@frozen(kw_only=True)
class EnrollLearners:
    """Give learners places on a course, all of them or none; nobody pays."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        course: CourseId,
        learners: Sequence[UserId],
        *,
        beyond_seats: bool = False,
    ) -> tuple[Enrollment, ...]:
        """Return the places in the order of *learners*; who is in stays as is.

        The dates of enrollment are for learners who come by themselves. Seats
        hold here as well, unless *beyond_seats* says otherwise, which is audited.

        Raises:
            Refused: the actor does not teach the course, there are not enough
                seats (``course-is-full``), or a place is suspended.
            NotFound: there is no such course, or it is not published.
            InvalidDocument: somebody is unknown, named twice, or they are too
                many at once.
        """
        now = self.clock.now()
        resource = Resource(course=course)
        decide(actor, Action.MANAGE_ENROLLMENTS, resource, at=now).require()
        if not 1 <= len(learners) <= MOST_LEARNERS:
            raise InvalidDocument(Fault("user_ids", f"must be 1 to {MOST_LEARNERS}"))
        with self.start() as work:
            rules = current_publication(work, course).content.enrollment
            known = work.users.several(learners)
            faults = [
                Fault(f"user_ids[{n}]", "names nobody, or somebody twice")
                for n, learner in enumerate(learners)
                if learner not in known or learner in learners[:n]
            ]
            if faults:
                raise InvalidDocument(*faults)
            if beyond_seats:
                rules = evolve(rules, seats=None)
            places = tuple(
                take_place(
                    work,
                    self.ids,
                    learner=learner,
                    course=course,
                    rules=rules,
                    order=None,
                    at=now,
                )
                for learner in learners
            )
            work.audit.append(
                AuditRow(
                    id=self.ids.new(),
                    at=now,
                    actor=actor.user,
                    action=Action.MANAGE_ENROLLMENTS,
                    subject=course,
                    details={
                        "learners": str(len(learners)),
                        "beyond_seats": "yes" if beyond_seats else "no",
                    },
                )
            )
            work.commit()
        return places
