"""Use case: give somebody a role."""

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.domain.access.policy import Action, Actor, Resource, decide
from lms_core.domain.audit import AuditRow
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.people.user import Role, User
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class GrantRole:
    """Give somebody a role, on one course or everywhere."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(
        self, actor: Actor, user: UserId, role: Role, course: CourseId | None = None
    ) -> User:
        """Return the user with the role; giving it twice changes nothing.

        Raises:
            Refused: the actor may not give roles (``not-permitted``).
            NotFound: there is no such user, or no such course.
        """
        now = self.clock.now()
        decide(actor, Action.GRANT_ROLE, Resource(course=course), at=now).require()
        with self.start() as work:
            if course is not None:
                work.courses.get(course)
            before = work.users.get(user)
            after, events = before.grant(role, course, at=now)
            if events:
                work.users.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.audit.append(
                    AuditRow(
                        id=self.ids.new(),
                        at=now,
                        actor=actor.user,
                        action=Action.GRANT_ROLE,
                        subject=user,
                        details={"role": role, "course": course or ""},
                    )
                )
                work.commit()
        return after
