"""What is known of one learner on one course: the facts that decisions rest on."""

from collections.abc import Mapping
from fractions import Fraction

from attrs import evolve, frozen

from lms_core.domain.access.conditions import (
    AllOf,
    AnyOf,
    Condition,
    CourseDone,
    DateWindow,
    Drip,
    EarlierLessons,
    Enrolled,
    HasRole,
    LessonDone,
    Not,
    ScoreAtLeast,
)
from lms_core.domain.access.facts import Facts
from lms_core.domain.access.policy import Actor, Resource
from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.assessment.quiz import Quiz, counting_share
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, QuizContent
from lms_core.domain.catalog.course import Publication
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.grading.gradebook import CourseGrade, GradeItem, grade_course
from lms_core.domain.grading.override import Override
from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.progress.course_progress import (
    CourseProgress,
    Weighted,
    course_progress,
)
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.domain.score import Score
from lms_core.errors import NotFound
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.unit_of_work import UnitOfWork


def current_publication(work: UnitOfWork, course: CourseId) -> Publication:
    """Return what learners see of *course*, or raise `NotFound`."""
    number = work.courses.published_number(course)
    if number is None:
        raise NotFound(f"no course {course}", resource=course)
    return work.courses.publication(course, number)


def find_lesson(content: CourseContent, lesson: LessonId) -> tuple[Module, Lesson]:
    """Return the lesson and its module, or raise `NotFound`."""
    found = content.find(lesson.key)
    if found is None:
        raise NotFound(f"no lesson {lesson}", resource=str(lesson))
    return found


def quiz_of(lesson: Lesson) -> Quiz | None:
    """Return the quiz that *lesson* consists of, if it is one."""
    return lesson.content.quiz if isinstance(lesson.content, QuizContent) else None


def grade_items(content: CourseContent) -> tuple[GradeItem, ...]:
    """Return the lessons that the gradebook grades."""
    items = []
    for lesson in content.lessons():
        quiz = quiz_of(lesson)
        if quiz is not None and lesson.category is not None:
            items.append(
                GradeItem(
                    key=lesson.key,
                    title=lesson.title,
                    category=lesson.category,
                    possible=quiz.possible,
                )
            )
    return tuple(items)


def computed_scores(
    content: CourseContent, attempts: Mapping[str, tuple[Attempt, ...]]
) -> dict[str, Score]:
    """Combine final attempts by each quiz's rule; quizzes never tried are absent."""
    scores: dict[str, Score] = {}
    if not attempts:
        return scores
    for lesson in content.lessons():
        quiz = quiz_of(lesson)
        if quiz is None:
            continue
        shares = [
            attempt.share
            for attempt in attempts.get(lesson.key, ())
            if attempt.share is not None
        ]
        share = counting_share(shares, quiz.combine)
        if share is not None:
            scores[lesson.key] = Score(share * quiz.possible, quiz.possible)
    return scores


@frozen(kw_only=True)
class Standing:
    """Where one learner stands on one course."""

    learner: UserId
    course: CourseId
    publication: Publication
    enrollment: Enrollment | None
    progress: Mapping[str, LessonProgress]
    attempts: Mapping[str, tuple[Attempt, ...]]
    overrides: Mapping[str, Override]
    facts: Facts

    @property
    def content(self) -> CourseContent:
        """What learners see of the course."""
        return self.publication.content

    def resource(self, module: Module, lesson: Lesson) -> Resource:
        """Return *lesson* as what the policy decides about."""
        return Resource(
            owner=self.learner,
            course=self.course,
            condition=self.content.condition_for(module, lesson),
            facts=evolve(self.facts, earlier=self.content.earlier(lesson.key)),
        )

    @property
    def scores(self) -> dict[str, Score | None]:
        """The scores that count: set by hand, else computed."""
        scores: dict[str, Score | None] = dict(
            computed_scores(self.content, self.attempts)
        )
        for key, override in self.overrides.items():
            if not override.is_withdrawn:
                scores[key] = override.score
        return scores

    @property
    def excused(self) -> frozenset[str]:
        """Work that is left out of the grade."""
        return frozenset(key for key, each in self.overrides.items() if each.excused)

    def grade(self) -> CourseGrade:
        """Compute the course grade, explained."""
        return grade_course(
            self.content.grading,
            grade_items(self.content),
            self.scores,
            excused=self.excused,
        )

    def course_progress(self) -> CourseProgress:
        """Weigh the required lessons."""
        required = (
            Weighted(key=lesson.key)
            for lesson in self.content.lessons()
            if lesson.required and lesson.key not in self.excused
        )
        return course_progress(required, self.facts.completed)


# Conditions of other kinds, those that others add included, may ask for anything.
_Kinds = frozenset[type[Condition]]
_ABOUT_PLACE: _Kinds = frozenset({AllOf, AnyOf, DateWindow, Drip, Enrolled, Not})
_ABOUT_LESSONS: _Kinds = frozenset({EarlierLessons, LessonDone})
_ABOUT_ROLES: _Kinds = frozenset({HasRole})
_ABOUT_COURSES: _Kinds = frozenset({CourseDone})
_ABOUT_SCORES: _Kinds = frozenset({ScoreAtLeast})
_KNOWN = _ABOUT_PLACE | _ABOUT_LESSONS | _ABOUT_ROLES | _ABOUT_COURSES | _ABOUT_SCORES


def _parts(condition: Condition) -> list[Condition]:
    """Return every condition of a tree."""
    found = [condition]
    for child in condition.children():
        found += _parts(child)
    return found


def standing_of(
    work: UnitOfWork,
    progress: ProgressStore,
    learner: UserId,
    course: CourseId,
    *,
    only_for: LessonId | None = None,
) -> Standing:
    """Load where *learner* stands on *course*.

    With *only_for*, what neither the condition nor the completion of that lesson
    asks for is not loaded: a player's heartbeat comes often.

    Raises:
        NotFound: the course is not there, or not published.
    """
    publication = current_publication(work, course)
    enrollment = work.enrollments.find(learner, course)
    needs_scores = needs_courses = needs_roles = needs_others = True
    if only_for is not None:
        module, lesson = find_lesson(publication.content, only_for)
        asked = _parts(publication.content.condition_for(module, lesson))
        kinds = {type(each) for each in asked}
        needs_others = not kinds <= _KNOWN - _ABOUT_LESSONS
        needs_roles = not kinds <= _KNOWN - _ABOUT_ROLES
        needs_courses = not kinds <= _KNOWN - _ABOUT_COURSES
        needs_scores = (
            quiz_of(lesson) is not None or not kinds <= _KNOWN - _ABOUT_SCORES
        )
    touched = (
        (progress.get(learner, only_for),)
        if only_for is not None and not needs_others
        else progress.of_learner(learner, course)
    )
    known = {each.lesson.key: each for each in touched}
    attempts: dict[str, tuple[Attempt, ...]] = {}
    overrides: dict[str, Override] = {}
    if needs_scores:
        for attempt in work.attempts.of_course(course, [learner]):
            key = attempt.lesson.key
            attempts[key] = (*attempts.get(key, ()), attempt)
        overrides = {
            each.lesson.key: each
            for each in work.overrides.of_course(course, [learner])
        }
    standing = Standing(
        learner=learner,
        course=course,
        publication=publication,
        enrollment=enrollment,
        progress=known,
        attempts=attempts,
        overrides=overrides,
        facts=Facts(),
    )
    shares: dict[str, Fraction] = {
        key: score.earned / score.possible
        for key, score in standing.scores.items()
        if score is not None and score.possible
    }
    let_in = enrollment is not None and enrollment.lets_in
    facts = Facts(
        enrolled_at=enrollment.activated_at if enrollment and let_in else None,
        completed=frozenset(
            key for key, each in known.items() if each.completed_at is not None
        ),
        scores=shares,
        completed_courses=work.enrollments.completed_courses(learner)
        if needs_courses
        else frozenset(),
        roles=Actor.of(work.users.get(learner)).roles_on(course)
        if needs_roles
        else frozenset(),
    )
    return evolve(standing, facts=facts)
