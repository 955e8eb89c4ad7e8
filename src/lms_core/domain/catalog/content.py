"""What a course teaches: a document that is drafted, checked and published."""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property

from attrs import frozen

from lms_core.domain.access.conditions import OPEN, AllOf, Condition, Enrolled
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.documents import open_set, variant, variant_name
from lms_core.domain.enrollment.enrollment import EnrollmentRules
from lms_core.domain.grading.policy import GradingPolicy
from lms_core.domain.ids import MediaId
from lms_core.domain.ids import key as checked_key
from lms_core.domain.money import Money
from lms_core.domain.percent import Percent
from lms_core.domain.progress.completion import (
    CompletionRule,
    Passed,
    Submitted,
    Viewed,
    Watched,
)
from lms_core.errors import Fault, InvalidValue

LONGEST_TITLE = 200
LONGEST_TEXT = 500_000
MOST_MODULES = 200
MOST_LESSONS = 2_000
MOST_CONDITIONS = 100
"""In one tree: deciding takes time by its square where many dates are involved."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}")


def is_language(text: str) -> bool:
    """Tell whether *text* has the form of a language, such as ``pt-BR``."""
    return _LANGUAGE.fullmatch(text) is not None


def _check_title(title: str) -> None:
    if not title.strip() or len(title) > LONGEST_TITLE or not title.isprintable():
        raise InvalidValue(
            f"must be one line of 1 to {LONGEST_TITLE} characters", place="title"
        )


def _check_length(text: str, most: int, place: str) -> None:
    if len(text) > most:
        raise InvalidValue(f"must have at most {most} characters", place=place)


@open_set
@frozen(kw_only=True)
class LessonContent:
    """What a lesson consists of; each type also says when it is finished."""

    @property
    def kind(self) -> str:
        """The name of the type, as in documents."""
        return variant_name(self)

    def completion(self) -> CompletionRule:
        """Return the rule by which the lesson is finished."""
        raise TypeError(f"{type(self).__name__} does not say when it is finished")


@variant("text")
@frozen(kw_only=True)
class Text(LessonContent):
    """Something to read, in Markdown."""

    markdown: str

    def __attrs_post_init__(self) -> None:
        _check_length(self.markdown, LONGEST_TEXT, "markdown")

    def completion(self) -> CompletionRule:
        """Finished when the learner says it was read."""
        return Viewed()


@variant("video")
@frozen(kw_only=True)
class Video(LessonContent):
    """A lecture to watch; *media* is `None` until one was uploaded."""

    media: MediaId | None = None
    markdown: str = ""
    coverage: Percent = Percent(Fraction(95, 100))

    def __attrs_post_init__(self) -> None:
        _check_length(self.markdown, LONGEST_TEXT, "markdown")
        if not self.coverage.of_one:
            raise InvalidValue("must be more than nothing", place="coverage")

    def completion(self) -> CompletionRule:
        """Finished when enough of it was watched."""
        return Watched(share=self.coverage)


@variant("quiz")
@frozen(kw_only=True)
class QuizContent(LessonContent):
    """Questions to answer; *must_pass* says whether handing in is enough."""

    quiz: Quiz
    must_pass: bool = True

    def completion(self) -> CompletionRule:
        """Finished when passed, or when handed in."""
        return Passed() if self.must_pass else Submitted()


@frozen(kw_only=True)
class Lesson:
    """One step of a course.

    *key* never changes once learners may have progress in it. *category* names
    the grading category that its score belongs to. *minutes* is an estimate for
    learners, and the lesson's weight in progress where the course weighs.
    """

    key: str
    title: str
    content: LessonContent
    access: Condition = OPEN
    required: bool = True
    category: str | None = None
    minutes: int | None = None

    def __attrs_post_init__(self) -> None:
        checked_key(self.key, place="key")
        _check_title(self.title)
        if self.minutes is not None and not 1 <= self.minutes <= 10_000:  # noqa: PLR2004
            raise InvalidValue("must be 1 to 10000", place="minutes")


@frozen(kw_only=True)
class Module:
    """A part of a course; its condition holds for every lesson in it."""

    key: str
    title: str
    lessons: tuple[Lesson, ...] = ()
    access: Condition = OPEN

    def __attrs_post_init__(self) -> None:
        checked_key(self.key, place="key")
        _check_title(self.title)


@frozen(kw_only=True)
class CourseContent:
    """Everything an author decides about a course.

    *prices* are one for each currency; none means free. *summary* is one
    paragraph of plain text, *description* Markdown.
    """

    title: str
    summary: str = ""
    description: str = ""
    language: str = "en"
    prices: tuple[Money, ...] = ()
    enrollment: EnrollmentRules = EnrollmentRules()
    modules: tuple[Module, ...] = ()
    grading: GradingPolicy = GradingPolicy()
    certificate: bool = True
    version: int = 1

    def __attrs_post_init__(self) -> None:
        _check_title(self.title)
        if self.version != 1:
            raise InvalidValue(f"is not known: {self.version}", place="version")
        _check_length(self.summary, 1000, "summary")
        _check_length(self.description, LONGEST_TEXT, "description")
        if not is_language(self.language):
            raise InvalidValue(
                "must be a language such as en or pt-BR", place="language"
            )
        currencies = [price.currency for price in self.prices]
        if len(set(currencies)) < len(currencies):
            raise InvalidValue("must be one for each currency", place="prices")
        if any(price.minor < 0 for price in self.prices):
            raise InvalidValue("must not be negative", place="prices")

    @property
    def is_free(self) -> bool:
        """Whether nothing is to be paid in any currency."""
        return not any(price.minor for price in self.prices)

    def lessons(self) -> Iterator[Lesson]:
        """Yield every lesson in order."""
        for module in self.modules:
            yield from module.lessons

    @cached_property
    def _by_key(self) -> dict[str, tuple[Module, Lesson]]:
        """Where each lesson is; of a key used twice, the first place."""
        found: dict[str, tuple[Module, Lesson]] = {}
        for module in self.modules:
            for lesson in module.lessons:
                found.setdefault(lesson.key, (module, lesson))
        return found

    def find(self, key: str) -> tuple[Module, Lesson] | None:
        """Return the lesson with *key* and its module."""
        return self._by_key.get(key)

    def condition_for(self, module: Module, lesson: Lesson) -> Condition:
        """Return everything that must hold before *lesson* opens."""
        return AllOf(of=(Enrolled(), module.access, lesson.access))

    @cached_property
    def _required(self) -> tuple[tuple[str, ...], dict[str, int]]:
        """Every required lesson in order, and how many come before each lesson."""
        required: list[str] = []
        before: dict[str, int] = {}
        for lesson in self.lessons():
            before.setdefault(lesson.key, len(required))
            if lesson.required:
                required.append(lesson.key)
        return tuple(required), before

    def earlier(self, key: str) -> tuple[str, ...]:
        """Return the required lessons before the one with *key*."""
        required, before = self._required
        return required[: before.get(key)]

    def media(self) -> frozenset[MediaId]:
        """Return the lectures that the course shows."""
        return frozenset(
            lesson.content.media
            for lesson in self.lessons()
            if isinstance(lesson.content, Video) and lesson.content.media is not None
        )


def content_faults(content: CourseContent) -> tuple[Fault, ...]:
    """Return what is wrong across the parts of *content*, with places.

    Each part has checked itself; this finds keys used twice, references to what
    is not there, lessons that can never open because they wait for one that waits
    for them, and limits of the whole.
    """
    faults: list[Fault] = []
    if len(content.modules) > MOST_MODULES:
        faults.append(Fault("modules", f"must be at most {MOST_MODULES}"))
    categories = {category.key for category in content.grading.root.all()}
    seen: dict[str, str] = {}
    modules: set[str] = set()
    for m, module in enumerate(content.modules):
        place = f"modules[{m}]"
        if module.key in modules:
            message = f"is taken by an earlier module: {module.key!r}"
            faults.append(Fault(f"{place}.key", message, "duplicate-key"))
        modules.add(module.key)
        for n, lesson in enumerate(module.lessons):
            here = f"{place}.lessons[{n}]"
            if lesson.key in seen:
                message = f"is taken by {seen[lesson.key]}: {lesson.key!r}"
                faults.append(Fault(f"{here}.key", message, "duplicate-key"))
            seen.setdefault(lesson.key, here)
            if lesson.category is not None and lesson.category not in categories:
                message = f"names no grading category: {lesson.category!r}"
                faults.append(Fault(f"{here}.category", message, "unknown-category"))
    if len(seen) > MOST_LESSONS:
        faults.append(Fault("modules", f"must have at most {MOST_LESSONS} lessons"))
    faults += _access_faults(content, set(seen))
    return tuple(faults)


def _access_faults(content: CourseContent, known: set[str]) -> Iterator[Fault]:
    closed = _never_open(content, known)
    for m, module in enumerate(content.modules):
        yield from _condition_faults(module.access, f"modules[{m}].access", known)
        for n, lesson in enumerate(module.lessons):
            place = f"modules[{m}].lessons[{n}].access"
            yield from _condition_faults(lesson.access, place, known)
            if (m, n) in closed:
                message = f"lesson {lesson.key!r} can never open: it waits for itself"
                yield Fault(place, message, "circular-access")


def _condition_faults(
    condition: Condition, place: str, known: set[str]
) -> Iterator[Fault]:
    if condition.size() > MOST_CONDITIONS:
        yield Fault(place, f"must be at most {MOST_CONDITIONS} conditions")
    for missing in sorted(set(condition.lessons()) - known):
        message = f"names no lesson of the course: {missing!r}"
        yield Fault(place, message, "unknown-lesson")


def _never_open(content: CourseContent, known: set[str]) -> set[tuple[int, int]]:
    """Return the positions of lessons that no learner can open.

    Whatever can be opened is opened and finished, again and again until nothing
    new opens. A lesson that is named but missing is reported as such, so it holds
    nothing up here.
    """
    waiting = {
        (m, n): (module.access, lesson)
        for m, module in enumerate(content.modules)
        for n, lesson in enumerate(module.lessons)
    }
    named = {key for each in content.modules for key in each.access.lessons()}
    named |= {key for each in content.lessons() for key in each.access.lessons()}
    reachable = named - known
    while True:
        opened = []
        earlier = True
        for position, (access, lesson) in waiting.items():
            if access.may_hold(reachable, earlier=earlier) and lesson.access.may_hold(
                reachable, earlier=earlier
            ):
                reachable.add(lesson.key)
                opened.append(position)
            elif lesson.required:
                earlier = False
        if not opened:
            return set(waiting)
        for position in opened:
            del waiting[position]
