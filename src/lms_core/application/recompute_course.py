"""Use case: draw the conclusions from what a learner has done."""

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application._learning import Standing, quiz_of, standing_of
from lms_core.application.record_progress import completion_event, evidence_for
from lms_core.domain.enrollment.enrollment import Enrollment, EnrollmentStatus
from lms_core.domain.events import Envelope, LessonCompleted
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork, UnitOfWork


@frozen(kw_only=True)
class RecomputeCourse:
    """Finish quiz lessons that were passed, then the course when all is done."""

    start: StartWork
    progress: ProgressStore
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(self, learner: UserId, course: CourseId) -> Enrollment | None:
        """Return the enrollment as it stands afterwards; repeating is harmless.

        Events go out in the same transaction as what follows from them. A lesson's
        completion is recorded after its event, whose reaction records it too.

        Raises:
            NotFound: there is no such course.
        """
        now = self.clock.now()
        with self.start() as work:
            standing = standing_of(work, self.progress, learner, course)
            finished = tuple(self._passed_quizzes(standing))
            for update in finished:
                event = LessonCompleted(
                    learner=learner, lesson=update.lesson, epoch=update.epoch, at=now
                )
                id_ = completion_event(learner, update.lesson, update.epoch)
                work.outbox.extend([Envelope(id=id_, event=event)])
            keys = frozenset(update.lesson.key for update in finished)
            facts = evolve(standing.facts, completed=standing.facts.completed | keys)
            place = self._conclude(work, evolve(standing, facts=facts))
            work.commit()
        if finished:
            self.progress.record(
                [evolve(update, completed_at=now) for update in finished]
            )
        return place

    def _passed_quizzes(self, standing: Standing) -> list[LessonProgress]:
        """Return the progress of quiz lessons that are now finished."""
        found = []
        for lesson in standing.content.lessons():
            if quiz_of(lesson) is None or lesson.key in standing.facts.completed:
                continue
            id_ = LessonId(standing.course, lesson.key)
            progress = standing.progress.get(
                lesson.key, LessonProgress(learner=standing.learner, lesson=id_)
            )
            evidence = evidence_for(standing, lesson, progress, None)
            if lesson.content.completion().is_met(evidence):
                found.append(progress)
        return found

    def _conclude(self, work: UnitOfWork, standing: Standing) -> Enrollment | None:
        place = standing.enrollment
        if place is None or not place.lets_in:
            return place
        progress = standing.course_progress()
        grade = standing.grade().share
        after = place.record_progress(progress.share, grade)
        if place.status is EnrollmentStatus.COMPLETED:
            # What was earned stays: content that came later takes nothing back.
            after = place.record_progress(place.progress, grade)
        elif progress.is_complete:
            after, events = after.complete(
                unfinished=0, grade=grade, at=self.clock.now()
            )
            work.outbox.extend(sealed(events, self.ids))
        if after != place:
            work.enrollments.save(after)
        return after
