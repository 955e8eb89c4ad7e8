"""Use case: give a learner a lesson that is open to her."""

from datetime import datetime, timedelta

from attrs import frozen

from lms_core.application._learning import Standing, find_lesson, standing_of
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.catalog.content import Lesson, Module, Video
from lms_core.domain.ids import CourseId, LessonId, MediaId, ObjectKey, UserId
from lms_core.domain.media.asset import MediaAsset, Stream
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import NotFound, Refused
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork, UnitOfWork
from lms_core.ports.url_signer import SignedPrefix, UrlSigner

PLAYBACK_LIFETIME = timedelta(hours=4)
"""How long signed media links work; players ask anew before they end."""


@frozen(kw_only=True)
class OpenedLesson:
    """A lesson that may be shown; *media* is its lecture, ready or not."""

    module: Module
    lesson: Lesson
    progress: LessonProgress
    standing: Standing
    media: MediaAsset | None


@frozen(kw_only=True)
class OpenLesson:
    """Give a learner a lesson, if the policy lets her in."""

    start: StartWork
    progress: ProgressStore
    clock: Clock

    def __call__(self, actor: Actor, lesson: LessonId) -> OpenedLesson:
        """Return the lesson.

        Raises:
            NotFound: there is no such lesson.
            Refused: it is not open to the actor; with every reason.
        """
        learner = signed_in(actor)
        with self.start(read_only=True) as work:
            standing = standing_of(work, self.progress, learner, lesson.course)
            module, found = find_lesson(standing.content, lesson)
            resource = standing.resource(module, found)
            decide(actor, Action.OPEN_LESSON, resource, at=self.clock.now()).require()
            return OpenedLesson(
                module=module,
                lesson=found,
                progress=standing.progress.get(
                    found.key, LessonProgress(learner=learner, lesson=lesson)
                ),
                standing=standing,
                media=lecture_of(work, found),
            )


def lecture_of(work: UnitOfWork, lesson: Lesson) -> MediaAsset | None:
    """Return the lecture that *lesson* shows, if it has one."""
    content = lesson.content
    if not isinstance(content, Video) or content.media is None:
        return None
    return work.media.several([content.media]).get(content.media)


@frozen(kw_only=True)
class Playback:
    """Signed access to a lecture's stream."""

    stream: Stream
    access: SignedPrefix

    @property
    def expires_at(self) -> datetime:
        """When the links stop working."""
        return self.access.expires_at


@frozen(kw_only=True)
class GrantPlayback:
    """Give a learner signed links to a lecture, if its lesson is open to her."""

    start: StartWork
    progress: ProgressStore
    clock: Clock
    signer: UrlSigner

    def __call__(self, actor: Actor, media: MediaId) -> Playback:
        """Return links for the latest stream of *media*.

        Raises:
            NotFound: there is no such lecture, or no published lesson shows it.
            Refused: no lesson that shows it is open to the actor, or there is
                no stream yet (``media-not-ready``).
        """
        learner = signed_in(actor)
        now = self.clock.now()
        with self.start(read_only=True) as work:
            asset = work.media.get(media)
            standing = standing_of(work, self.progress, learner, asset.course)
        shown = [
            (module, lesson)
            for module in standing.content.modules
            for lesson in module.lessons
            if isinstance(lesson.content, Video) and lesson.content.media == media
        ]
        decisions = [
            decide(actor, Action.OPEN_LESSON, standing.resource(module, lesson), at=now)
            for module, lesson in shown
        ]
        if not decisions:
            raise NotFound(f"no lesson shows {media}", resource=media)
        if not any(decisions):
            decisions[0].require()
        return sign_stream(self.signer, asset, learner, now)


@frozen(kw_only=True)
class MayStillWatch:
    """Tell whether somebody who was given a link still has a place on the course.

    Links outlive the moment at which they were given; a refund, an end of access
    or a suspension must not.
    """

    start: StartWork
    clock: Clock

    def __call__(self, viewer: UserId, prefix: ObjectKey) -> bool:
        """Return whether *viewer* may read below *prefix* of a stream."""
        course = CourseId(str(prefix).split("/")[1])
        with self.start(read_only=True) as work:
            user = work.users.several([viewer]).get(viewer)
            place = work.enrollments.find(viewer, course)
        if user is None or user.suspended:
            return False
        if place is not None and place.lets_in:
            return True
        resource = Resource(course=course)
        now = self.clock.now()
        return bool(decide(Actor.of(user), Action.PREVIEW_COURSE, resource, at=now))


def sign_stream(
    signer: UrlSigner, asset: MediaAsset, viewer: UserId, at: datetime
) -> Playback:
    """Sign the stream of *asset*, or refuse while there is none."""
    if asset.stream is None:
        raise Refused("media-not-ready")
    access = signer.sign_prefix(
        asset.stream.prefix, viewer=viewer, expires_at=at + PLAYBACK_LIFETIME
    )
    return Playback(stream=asset.stream, access=access)
