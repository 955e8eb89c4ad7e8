"""What follows from which event."""

import json
from collections.abc import Callable

from attrs import frozen

from lms_core.application.issue_certificate import IssueCertificate
from lms_core.application.place_order import RefundDuplicate
from lms_core.application.reactions.mail_password_reset import MailPasswordReset
from lms_core.application.reactions.send_mails import SendMails
from lms_core.application.recompute_course import RecomputeCourse
from lms_core.application.recompute_learners import RecomputeLearners
from lms_core.domain.documents import dump
from lms_core.domain.events import (
    AttemptGraded,
    CoursePublished,
    CourseRevised,
    EnrollmentActivated,
    EnrollmentCompleted,
    Envelope,
    Event,
    GradeOverridden,
    LessonCompleted,
    MediaUploaded,
    PlacePaidTwice,
)
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.ports.message_queue import Message, MessageQueue
from lms_core.ports.progress_store import ProgressStore


@frozen(kw_only=True)
class React:
    """Do everything that follows from an event; repeating is harmless.

    Each step is idempotent by itself, so a failure half-way is made good by
    doing all of it again.
    """

    recompute: RecomputeCourse
    recompute_learners: RecomputeLearners
    issue: IssueCertificate
    refund_duplicate: RefundDuplicate
    mails: SendMails
    reset_mails: MailPasswordReset
    progress: ProgressStore
    transcode_queue: MessageQueue

    def __call__(self, envelope: Envelope) -> None:
        """Do what follows from the event in *envelope*.

        Raises:
            LmsError: something could not be done now; deliver it again.
        """
        for step in self._steps(envelope.event):
            step()
        self.mails(envelope)
        self.reset_mails(envelope)

    def _steps(self, event: Event) -> tuple[Callable[[], object], ...]:
        match event:
            case MediaUploaded():
                body = transcode_message(event)
                return (lambda: self.transcode_queue.send([body]),)
            case LessonCompleted():
                done = LessonProgress(
                    learner=event.learner,
                    lesson=event.lesson,
                    epoch=event.epoch,
                    completed_at=event.at,
                )
                return (
                    lambda: self.progress.record([done]),
                    lambda: self._conclude(event.learner, event.lesson.course),
                )
            case AttemptGraded() | GradeOverridden():
                return (lambda: self._conclude(event.learner, event.lesson.course),)
            case CoursePublished():
                return (lambda: self.recompute_learners(event),)
            case EnrollmentActivated() | CourseRevised():
                return (lambda: self._conclude(event.learner, event.course),)
            case PlacePaidTwice():
                return (lambda: self.refund_duplicate(event.order),)
            case EnrollmentCompleted():
                return (lambda: self.issue(event.enrollment),)
            case _:
                return ()

    def _conclude(self, learner: UserId, course: CourseId) -> None:
        """Compute anew; a better grade may earn the certificate after all."""
        place = self.recompute(learner, course)
        if place is not None and place.completed_at is not None:
            self.issue(place.id)


def transcode_message(event: MediaUploaded) -> Message:
    """Return the work that an uploaded lecture asks for."""
    return Message(body=json.dumps(dump(event), separators=(",", ":")))
