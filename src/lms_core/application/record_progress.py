"""Use case: note what a learner watched or read."""

from collections.abc import Sequence

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._learning import (
    Standing,
    find_lesson,
    quiz_of,
    standing_of,
)
from lms_core.application.open_lesson import lecture_of
from lms_core.domain.access.policy import Action, Actor, decide, signed_in
from lms_core.domain.catalog.content import Lesson
from lms_core.domain.events import Envelope, LessonCompleted
from lms_core.domain.ids import EventId, LessonId, UserId
from lms_core.domain.progress.completion import Evidence
from lms_core.domain.progress.intervals import Intervals
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import Refused
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork, UnitOfWork

Ranges = Sequence[tuple[int, int]]


@frozen(kw_only=True)
class ProgressReport:
    """What a device reports: ranges in milliseconds, half-open.

    *epoch* is the one that the device was told; `None` means the current one.
    """

    watched: Ranges = ()
    position_ms: int | None = None
    read: bool = False
    epoch: int | None = None


def completion_event(learner: UserId, lesson: LessonId, epoch: int) -> EventId:
    """Return the id of the event that a lesson was completed: the same each time."""
    return EventId(f"completed/{learner}/{lesson}/{epoch}")


def evidence_for(
    standing: Standing,
    lesson: Lesson,
    progress: LessonProgress,
    duration_ms: int | None,
) -> Evidence:
    """Gather what the completion rule of *lesson* may look at."""
    attempts = standing.attempts.get(lesson.key, ())
    score = standing.scores.get(lesson.key)
    share = score.earned / score.possible if score and score.possible else None
    quiz = quiz_of(lesson)
    # A score set by hand may pass; once passed, an attempt stays so.
    reached = quiz is not None and share is not None and share >= quiz.pass_mark.of_one
    return Evidence(
        progress=progress,
        duration_ms=duration_ms,
        share=share,
        passed=reached or any(attempt.passed for attempt in attempts),
        submitted=bool(attempts) or score is not None,
    )


def complete_lesson(
    work: UnitOfWork,
    progress: ProgressStore,
    after: LessonProgress,
    *,
    completed: LessonCompleted,
) -> LessonProgress:
    """Note that a lesson is finished: first the event, then the progress.

    In this order a crash in between is made good by whoever comes next: the
    event's reaction records the completion too, and both happen once.
    """
    id_ = completion_event(after.learner, after.lesson, after.epoch)
    work.outbox.extend([Envelope(id=id_, event=completed)])
    work.commit()
    [done] = progress.record([evolve(after, completed_at=completed.at)])
    return done


@frozen(kw_only=True)
class RecordProgress:
    """Note what a learner watched, and finish the lesson when it is enough."""

    start: StartWork
    progress: ProgressStore
    clock: Clock

    @again_on_conflict
    def __call__(
        self, actor: Actor, lesson: LessonId, report: ProgressReport
    ) -> LessonProgress:
        """Return everything known after the report; repeating one is harmless.

        What is watched beyond the end of the lecture does not count. A report
        of an older epoch is ignored, one of a later epoch refused.

        Raises:
            NotFound: there is no such lesson.
            Refused: it is not open to the actor, or the epoch is not known.
            InvalidValue: the report does not make sense.
        """
        learner, now = signed_in(actor), self.clock.now()
        watched = Intervals.of(*report.watched)
        with self.start(read_only=True) as work:
            standing = standing_of(
                work, self.progress, learner, lesson.course, only_for=lesson
            )
            module, found = find_lesson(standing.content, lesson)
            resource = standing.resource(module, found)
            decide(actor, Action.RECORD_PROGRESS, resource, at=now).require()
            asset = lecture_of(work, found)
        duration_ms = asset.stream.duration_ms if asset and asset.stream else None
        before = standing.progress.get(
            found.key, LessonProgress(learner=learner, lesson=lesson)
        )
        epoch = before.epoch if report.epoch is None else report.epoch
        if epoch > before.epoch:
            raise Refused("epoch-unknown")
        update = LessonProgress(
            learner=learner,
            lesson=lesson,
            epoch=epoch,
            watched=watched.until(duration_ms or 0),
            position_ms=min(report.position_ms or 0, duration_ms or 0),
            read_at=now if report.read else None,
            seen_at=None if report.position_ms is None else now,
        )
        [after] = self.progress.record([update])
        if after.completed_at is not None:
            return after
        evidence = evidence_for(standing, found, after, duration_ms)
        if not found.content.completion().is_met(evidence):
            return after
        event = LessonCompleted(
            learner=learner, lesson=lesson, epoch=after.epoch, at=now
        )
        with self.start() as work:
            return complete_lesson(work, self.progress, after, completed=event)
