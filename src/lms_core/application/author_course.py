"""Use cases: create, edit, publish and list courses."""

from attrs import frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.audit import AuditRow
from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.catalog.course import Course
from lms_core.domain.ids import CourseId, MediaId, course_id
from lms_core.domain.media.asset import MediaAsset
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.people.user import Role
from lms_core.errors import Fault, InvalidDocument, NotFound, Refused
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork, UnitOfWork


@frozen(kw_only=True)
class CreateCourse:
    """Create a course as a draft; its creator teaches it."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(self, actor: Actor, course: str, content: CourseContent) -> Course:
        """Return the new course.

        Raises:
            Refused: the actor may not create courses.
            InvalidValue: the id is no key.
            InvalidDocument: the content does not fit together.
            AlreadyExists: the id is taken.
        """
        now = self.clock.now()
        owner = signed_in(actor)
        decide(actor, Action.CREATE_COURSE, at=now).require()
        with self.start() as work:
            new = Course(
                id=course_id(course), owner=owner, draft=content, created_at=now
            ).edit(content)
            refuse_foreign_media(work, new.id, content)
            work.courses.add(new)
            teacher, events = work.users.get(owner).grant(
                Role.INSTRUCTOR, new.id, at=now
            )
            if events:
                work.users.save(teacher)
                work.outbox.extend(sealed(events, self.ids))
            work.audit.append(
                AuditRow(
                    id=self.ids.new(),
                    at=now,
                    actor=owner,
                    action=Action.CREATE_COURSE,
                    subject=new.id,
                )
            )
            work.commit()
        return new


def refuse_foreign_media(
    work: UnitOfWork, course: CourseId, content: CourseContent
) -> None:
    """Refuse lectures that are not the course's own: they are others' property.

    Raises:
        InvalidDocument: a lesson shows a lecture that is not there, or is
            another course's.
    """
    known = work.media.several(content.media())
    strangers = sorted(
        media
        for media in content.media()
        if media not in known or known[media].course != course
    )
    if strangers:
        raise InvalidDocument(
            *(
                Fault(
                    "modules", f"names no lecture of this course: {media}", "no-media"
                )
                for media in strangers
            )
        )


@frozen(kw_only=True)
class EditCourse:
    """Replace a course's draft."""

    start: StartWork
    clock: Clock

    def __call__(
        self, actor: Actor, course: CourseId, content: CourseContent, *, version: int
    ) -> Course:
        """Return the course with the new draft; learners see nothing of it yet.

        *version* is that of the course which the author changed.

        Raises:
            NotFound: there is no such course that the actor may see.
            Refused: the actor does not teach it.
            InvalidDocument: the content does not fit together.
            Conflict: somebody else has edited it since.
        """
        now = self.clock.now()
        decide(actor, Action.EDIT_COURSE, Resource(course=course), at=now).require()
        with self.start() as work:
            before = work.courses.get(course)
            if before.version != version:
                raise Refused("course-has-changed")
            refuse_foreign_media(work, course, content)
            after = before.edit(content)
            work.courses.save(after)
            stored = work.courses.get(course)
            work.commit()
        return stored


@frozen(kw_only=True)
class PublishCourse:
    """Let learners see a course's draft."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(self, actor: Actor, course: CourseId) -> Course:
        """Return the published course; publishing again unchanged does nothing.

        Raises:
            Refused: the actor does not teach it.
            NotFound: there is no such course.
            InvalidDocument: the draft is not complete; with everything missing.
        """
        now = self.clock.now()
        decide(actor, Action.PUBLISH_COURSE, Resource(course=course), at=now).require()
        with self.start() as work:
            after, events = work.courses.get(course).publish(at=now)
            if events:
                work.courses.save(after)
                after = work.courses.get(course)
                work.outbox.extend(sealed(events, self.ids))
                work.audit.append(
                    AuditRow(
                        id=self.ids.new(),
                        at=now,
                        actor=actor.user,
                        action=Action.PUBLISH_COURSE,
                        subject=course,
                    )
                )
                work.commit()
        return after


@frozen(kw_only=True)
class AuthoredCourse:
    """A course as its author sees it: the draft, and its lectures by id."""

    course: Course
    media: dict[MediaId, MediaAsset]


@frozen(kw_only=True)
class ReadDraft:
    """Show courses to those who teach them."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, course: CourseId) -> AuthoredCourse:
        """Return the course with its draft.

        Raises:
            NotFound: there is none that the actor may edit.
        """
        resource = Resource(course=course)
        if not decide(actor, Action.EDIT_COURSE, resource, at=self.clock.now()):
            raise NotFound(f"no course {course}", resource=course)
        with self.start(read_only=True) as work:
            found = work.courses.get(course)
            return AuthoredCourse(
                course=found, media=work.media.several(found.draft.media())
            )

    def taught(self, actor: Actor, page: PageRequest = FIRST) -> Page[Course]:
        """Return the courses that the actor owns or instructs.

        Raises:
            Refused: nobody is signed in.
        """
        with self.start(read_only=True) as work:
            return work.courses.taught_by(signed_in(actor), page)
