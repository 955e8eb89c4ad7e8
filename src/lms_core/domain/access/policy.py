"""The one function that decides who may do what.

API, portal, workers and handlers all ask `decide`. Permissions are rows of a
table; a row says which role may do an action, and on what: on what is its own,
on the courses it was given for, or on anything, for roles given everywhere.
Nothing that is not in the table is allowed.
"""

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from lms_core.domain.access.conditions import Condition, judge
from lms_core.domain.access.facts import Facts
from lms_core.domain.decision import Decision
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_core.errors import Reason, Refused


class Action(StrEnum):
    """What somebody may want to do."""

    READ_USER = "users.read"
    UPDATE_USER = "users.update"
    LIST_USERS = "users.list"
    GRANT_ROLE = "roles.grant"
    CREATE_COURSE = "courses.create"
    EDIT_COURSE = "courses.edit"
    PUBLISH_COURSE = "courses.publish"
    PREVIEW_COURSE = "courses.preview"
    UPLOAD_MEDIA = "media.upload"
    ENROLL = "enrollments.enroll"
    WITHDRAW = "enrollments.withdraw"
    MANAGE_ENROLLMENTS = "enrollments.manage"
    OPEN_LESSON = "lessons.open"
    RECORD_PROGRESS = "progress.record"
    READ_PROGRESS = "progress.read"
    START_ATTEMPT = "attempts.start"
    ANSWER_ATTEMPT = "attempts.answer"
    READ_ATTEMPT = "attempts.read"
    READ_GRADE = "grades.read"
    READ_GRADEBOOK = "gradebook.read"
    OVERRIDE_GRADE = "grades.override"
    BUY = "orders.buy"
    READ_ORDER = "orders.read"
    REFUND_ORDER = "orders.refund"
    READ_CERTIFICATE = "certificates.read"
    REVOKE_CERTIFICATE = "certificates.revoke"
    MANAGE_QUEUES = "queues.manage"
    READ_REPORTS = "reports.read"


class Scope(StrEnum):
    """On what a permission holds."""

    OWN = "own"
    COURSE = "course"
    ANY = "any"


_STUDENT = (
    Action.READ_USER,
    Action.UPDATE_USER,
    Action.ENROLL,
    Action.WITHDRAW,
    Action.OPEN_LESSON,
    Action.RECORD_PROGRESS,
    Action.READ_PROGRESS,
    Action.START_ATTEMPT,
    Action.ANSWER_ATTEMPT,
    Action.READ_ATTEMPT,
    Action.READ_GRADE,
    Action.BUY,
    Action.READ_ORDER,
    Action.READ_CERTIFICATE,
)
_INSTRUCTOR = (
    Action.EDIT_COURSE,
    Action.PUBLISH_COURSE,
    Action.PREVIEW_COURSE,
    Action.UPLOAD_MEDIA,
    Action.MANAGE_ENROLLMENTS,
    Action.READ_PROGRESS,
    Action.READ_ATTEMPT,
    Action.READ_GRADE,
    Action.READ_GRADEBOOK,
    Action.OVERRIDE_GRADE,
    Action.READ_CERTIFICATE,
)
_NEVER_FOR_OTHERS = (
    # An admin may not learn, answer or buy in somebody else's name.
    Action.RECORD_PROGRESS,
    Action.START_ATTEMPT,
    Action.ANSWER_ATTEMPT,
    Action.BUY,
    Action.ENROLL,
)

PERMISSIONS: frozenset[tuple[Role, Action, Scope]] = frozenset(
    [
        *((Role.STUDENT, action, Scope.OWN) for action in _STUDENT),
        *((Role.INSTRUCTOR, action, Scope.COURSE) for action in _INSTRUCTOR),
        (Role.INSTRUCTOR, Action.CREATE_COURSE, Scope.ANY),
        *(
            (Role.ADMIN, action, Scope.ANY)
            for action in Action
            if action not in _NEVER_FOR_OTHERS
        ),
    ]
)


@frozen(kw_only=True)
class Actor:
    """Who asks; *user* is `None` for somebody not signed in."""

    user: UserId | None = None
    grants: tuple[RoleGrant, ...] = ()
    suspended: bool = False

    @classmethod
    def of(cls, user: User) -> "Actor":
        """Return *user* as an actor, with the roles given at this moment."""
        return cls(user=user.id, grants=user.grants, suspended=user.suspended)

    def roles_on(self, course: CourseId) -> frozenset[str]:
        """Return the roles that access conditions of *course* may ask for.

        An instructor of the platform teaches no course by that alone.
        """
        given = {
            grant.role.value
            for grant in self.grants
            if grant.course == course
            or (grant.course is None and grant.role is not Role.INSTRUCTOR)
        }
        return frozenset(given | ({Role.STUDENT.value} if self.user else set()))


def signed_in(actor: Actor) -> UserId:
    """Return who the actor is, or refuse somebody not signed in."""
    if actor.user is None:
        raise Refused("sign-in-required")
    return actor.user


NOBODY = Actor()
"""Somebody not signed in."""


@frozen(kw_only=True)
class Resource:
    """What is asked for: whose it is, on which course, behind which condition."""

    owner: UserId | None = None
    course: CourseId | None = None
    condition: Condition | None = None
    facts: Facts | None = None


NOTHING = Resource()
"""For actions that concern no resource in particular."""


def decide(
    actor: Actor, action: Action, resource: Resource = NOTHING, *, at: datetime
) -> Decision:
    """Decide whether *actor* may do *action* to *resource*, and why not.

    Whoever may preview the course passes its conditions; nobody else does
    without meeting them.
    """
    if actor.user is None:
        return Decision((Reason("sign-in-required"),))
    if actor.suspended:
        return Decision((Reason("account-suspended"),))
    if not _is_permitted(actor, action, resource):
        return Decision((Reason("not-permitted", {"action": action}),))
    if resource.condition is None or _is_permitted(
        actor, Action.PREVIEW_COURSE, resource
    ):
        return Decision()
    return judge(resource.condition, resource.facts or Facts(), at)


def _is_permitted(actor: Actor, action: Action, resource: Resource) -> bool:
    if (
        (Role.STUDENT, action, Scope.OWN) in PERMISSIONS
        and resource.owner is not None
        and resource.owner == actor.user
    ):
        return True
    for grant in actor.grants:
        if (grant.role, action, Scope.ANY) in PERMISSIONS and grant.course is None:
            return True
        if (grant.role, action, Scope.COURSE) in PERMISSIONS and (
            grant.course is not None and grant.course == resource.course
        ):
            return True
    return False
