"""Use cases: the gradebook of a course, and grades set by hand."""

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.application._learning import (
    computed_scores,
    current_publication,
    find_lesson,
    grade_items,
    quiz_of,
)
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.audit import AuditRow
from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.events import GradeOverridden
from lms_core.domain.grading.gradebook import CourseGrade, GradeItem, grade_course
from lms_core.domain.grading.override import Override
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import FIRST, Page, PageRequest
from lms_core.domain.people.user import User
from lms_core.domain.score import Score
from lms_core.errors import NotFound, Refused
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class GradebookRow:
    """One learner: scores by lesson key, and the grade they come to."""

    enrollment: Enrollment
    name: str
    email: str
    scores: dict[str, Score | None]
    overrides: dict[str, Override]
    grade: CourseGrade


@frozen(kw_only=True)
class Gradebook:
    """A page of a course's gradebook."""

    title: str
    items: tuple[GradeItem, ...]
    rows: Page[GradebookRow]


@frozen(kw_only=True)
class ViewGradebook:
    """Show the grades of a course's learners to who teaches it."""

    start: StartWork
    clock: Clock

    def __call__(
        self, actor: Actor, course: CourseId, page: PageRequest = FIRST
    ) -> Gradebook:
        """Return a page of learners with their scores and grades.

        Raises:
            Refused: the actor does not teach the course.
            NotFound: there is no such course.
        """
        resource = Resource(course=course)
        decide(actor, Action.READ_GRADEBOOK, resource, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            content = current_publication(work, course).content
            places = work.enrollments.of_course(course, page)
            learners = [place.learner for place in places.items]
            users = work.users.several(learners)
            attempts: dict[UserId, dict[str, tuple[Attempt, ...]]] = {}
            for attempt in work.attempts.of_course(course, learners):
                own = attempts.setdefault(attempt.learner, {})
                own[attempt.lesson.key] = (*own.get(attempt.lesson.key, ()), attempt)
            overrides: dict[UserId, dict[str, Override]] = {}
            for override in work.overrides.of_course(course, learners):
                overrides.setdefault(override.learner, {})[override.lesson.key] = (
                    override
                )
        rows = tuple(
            _row(
                content,
                place,
                users.get(place.learner),
                attempts.get(place.learner, {}),
                overrides.get(place.learner, {}),
            )
            for place in places.items
        )
        return Gradebook(
            title=content.title,
            items=grade_items(content),
            rows=Page(rows, places.next),
        )


def _row(
    content: CourseContent,
    place: Enrollment,
    user: User | None,
    attempts: dict[str, tuple[Attempt, ...]],
    overrides: dict[str, Override],
) -> GradebookRow:
    scores: dict[str, Score | None] = dict(computed_scores(content, attempts))
    for key, override in overrides.items():
        if not override.is_withdrawn:
            scores[key] = override.score
    excused = frozenset(key for key, each in overrides.items() if each.excused)
    return GradebookRow(
        enrollment=place,
        name=user.name if user else "",
        email=user.email if user else "",
        scores=scores,
        overrides=overrides,
        grade=grade_course(
            content.grading, grade_items(content), scores, excused=excused
        ),
    )


@frozen(kw_only=True)
class OverrideGrade:
    """Set a grade by hand, excuse work, or let the computed score count again."""

    start: StartWork
    clock: Clock
    ids: IdSource

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        learner: UserId,
        lesson: LessonId,
        *,
        score: Score | None,
        excused: bool = False,
        comment: str = "",
        expected_version: int | None = None,
    ) -> Override:
        """Return what was set; it is kept with who set it, and audited.

        *expected_version*, when given, must be that of what is there now.

        Raises:
            Refused: the actor does not teach the course; the learner is not on
                it (``not-enrolled``); the lesson is not graded
                (``lesson-not-graded``); the score is above what is possible
                (``score-too-high``); it has changed meanwhile
                (``grade-has-changed``).
            NotFound: there is no such lesson.
        """
        now = self.clock.now()
        by = signed_in(actor)
        resource = Resource(course=lesson.course)
        decide(actor, Action.OVERRIDE_GRADE, resource, at=now).require()
        with self.start() as work:
            content = current_publication(work, lesson.course).content
            _, found = find_lesson(content, lesson)
            quiz = quiz_of(found)
            if quiz is None or found.category is None:
                raise Refused("lesson-not-graded")
            if work.enrollments.find(learner, lesson.course) is None:
                raise Refused("not-enrolled")
            if score is not None:
                if score.earned > score.possible:
                    raise Refused("score-too-high")
                # Shown and stored on the lesson's own scale.
                score = Score(
                    score.earned / score.possible * quiz.possible, quiz.possible
                )
            before = work.overrides.find(learner, lesson)
            version = before.version if before else 0
            if expected_version is not None and expected_version != version:
                raise Refused("grade-has-changed")
            after = Override(
                learner=learner,
                lesson=lesson,
                score=score,
                excused=excused,
                comment=comment,
                by=by,
                at=now,
                version=version,
            )
            if before is not None and evolve(before, by=by, at=now) == after:
                return before
            work.overrides.put(after)
            event = GradeOverridden(learner=learner, lesson=lesson, by=by, at=now)
            work.outbox.extend(sealed([event], self.ids))
            work.audit.append(
                AuditRow(
                    id=self.ids.new(),
                    at=now,
                    actor=by,
                    action=Action.OVERRIDE_GRADE,
                    subject=f"{learner}/{lesson}",
                    details={
                        "before": _told(before),
                        "after": _told(after),
                        "comment": comment,
                    },
                )
            )
            work.commit()
        return evolve(after, version=version + 1)


@frozen(kw_only=True)
class ReadOverride:
    """Show a grade that was set by hand to who teaches the course."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, learner: UserId, lesson: LessonId) -> Override:
        """Return what was set.

        Raises:
            Refused: the actor does not teach the course.
            NotFound: nothing was ever set.
        """
        resource = Resource(course=lesson.course)
        decide(actor, Action.READ_GRADEBOOK, resource, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            found = work.overrides.find(learner, lesson)
        if found is None:
            raise NotFound(f"nothing was set in {lesson}", resource=str(lesson))
        return found


def _told(override: Override | None) -> str:
    if override is None or override.is_withdrawn:
        return "computed"
    if override.score is None:
        return "excused"
    return f"{override.score.earned} of {override.score.possible}"
