"""Use case: show a learner a course with what is open, and why the rest is not."""

from attrs import frozen

from lms_core.application._learning import Standing, standing_of
from lms_core.domain.access.policy import Action, Actor, decide, signed_in
from lms_core.domain.catalog.content import Lesson, Module
from lms_core.domain.decision import Decision
from lms_core.domain.ids import CourseId
from lms_core.domain.progress.course_progress import CourseProgress
from lms_core.ports.progress_store import ProgressStore
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class OutlinedLesson:
    """A lesson in an outline: its name, never its content."""

    key: str
    title: str
    kind: str
    required: bool
    minutes: int | None
    completed: bool
    access: Decision


@frozen(kw_only=True)
class OutlinedModule:
    """A module in an outline."""

    key: str
    title: str
    lessons: tuple[OutlinedLesson, ...]


@frozen(kw_only=True)
class Outline:
    """A course as one learner finds it."""

    standing: Standing
    modules: tuple[OutlinedModule, ...]
    progress: CourseProgress

    @property
    def next_lesson(self) -> OutlinedLesson | None:
        """The first open lesson that is not finished yet."""
        for module in self.modules:
            for lesson in module.lessons:
                if lesson.access and not lesson.completed:
                    return lesson
        return None


@frozen(kw_only=True)
class OutlineCourse:
    """Show a course with a decision for each lesson."""

    start: StartWork
    progress: ProgressStore
    clock: Clock

    def __call__(self, actor: Actor, course: CourseId) -> Outline:
        """Return the outline for the actor.

        Raises:
            NotFound: there is no such course, or it is not published.
            Refused: nobody is signed in.
        """
        learner = signed_in(actor)
        with self.start(read_only=True) as work:
            standing = standing_of(work, self.progress, learner, course)
        return Outline(
            standing=standing,
            modules=tuple(
                OutlinedModule(
                    key=module.key,
                    title=module.title,
                    lessons=tuple(
                        self._lesson(actor, standing, module, lesson)
                        for lesson in module.lessons
                    ),
                )
                for module in standing.content.modules
            ),
            progress=standing.course_progress(),
        )

    def _lesson(
        self, actor: Actor, standing: Standing, module: Module, lesson: Lesson
    ) -> OutlinedLesson:
        resource = standing.resource(module, lesson)
        return OutlinedLesson(
            key=lesson.key,
            title=lesson.title,
            kind=lesson.content.kind,
            required=lesson.required,
            minutes=lesson.minutes,
            completed=lesson.key in standing.facts.completed,
            access=decide(actor, Action.OPEN_LESSON, resource, at=self.clock.now()),
        )
