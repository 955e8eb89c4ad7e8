"""Values for property tests.

One block a topic; every strategy yields what its value type accepts, extremes
included.
"""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lms_core.domain.access.conditions import (
    OPEN,
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
from lms_core.domain.assessment.answers import Answer
from lms_core.domain.assessment.questions import (
    Accepted,
    Credit,
    MultipleChoice,
    Numeric,
    Option,
    Question,
    ShortAnswer,
    SingleChoice,
    TrueFalse,
)
from lms_core.domain.assessment.quiz import Combine, Quiz, ShowAnswers
from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    LessonContent,
    Module,
    QuizContent,
    Text,
    Video,
)
from lms_core.domain.commerce.order import Order, Transaction, TransactionKind
from lms_core.domain.enrollment.enrollment import EnrollmentRules
from lms_core.domain.grading.aggregation import Mean, Points, WeightedMean
from lms_core.domain.grading.policy import Category, GradingPolicy, Letter, Missing
from lms_core.domain.ids import CourseId, LessonId, MediaId, ObjectKey, OrderId, UserId
from lms_core.domain.money import Money
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_core.domain.percent import NONE, Percent
from lms_core.domain.progress.intervals import Intervals
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.domain.score import Score

# Object keys ------------------------------------------------------------------

_PARTS = st.one_of(
    st.sampled_from(["a", "a-b", "a.b", "A", "b", "é", "e\u0301", "\U0001f600", "~"]),
    st.text("ab-.~Z\uffee\U00010000", min_size=1, max_size=3),
    st.integers(76, 84).map(lambda n: "x" * n),
    st.just("ü" * 130),
).filter(lambda part: part not in {".", ".."})


def object_keys() -> SearchStrategy[ObjectKey]:
    """Object keys that collide with, nest in and sort close to one another."""
    return st.lists(_PARTS, min_size=1, max_size=3).map("/".join).map(ObjectKey)


# Money ------------------------------------------------------------------------


def money(currency: str = "EUR") -> SearchStrategy[Money]:
    """Amounts of *currency*, negative and large ones included."""
    return st.integers(-(10**12), 10**12).map(lambda minor: Money(minor, currency))


# Orders -----------------------------------------------------------------------

_PLACED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_PRICE = 5000


def transactions(currency: str = "EUR") -> SearchStrategy[Transaction]:
    """Facts about a price of 50.00, with amounts around it and few instants."""
    return st.builds(
        Transaction,
        reference=st.sampled_from(["a", "b", "c"]),
        kind=st.sampled_from(TransactionKind),
        amount=st.sampled_from([0, 1, 2000, 3000, 4999, _PRICE, 5001, 10**9]).map(
            lambda minor: Money(minor, currency)
        ),
        at=st.integers(0, 3).map(lambda days: _PLACED_AT + timedelta(days=days)),
    )


def ledgers(currency: str = "EUR") -> SearchStrategy[list[Transaction]]:
    """Facts that do not contradict one another, in no order."""
    return st.lists(
        transactions(currency),
        max_size=8,
        unique_by=lambda entry: (entry.kind, entry.reference),
    )


def orders(currency: str = "EUR") -> SearchStrategy[Order]:
    """Fresh orders, free ones included."""
    return st.sampled_from([0, 1, _PRICE]).map(
        lambda minor: Order.place(
            OrderId("order-1"),
            UserId("user-1"),
            CourseId("baking"),
            Money(minor, currency),
            at=_PLACED_AT,
        )[0]
    )


# People -----------------------------------------------------------------------

_START = datetime(2026, 3, 1, tzinfo=UTC)


def instants() -> SearchStrategy[datetime]:
    """Near times, so that some meet exactly, and any other."""
    near = st.integers(-3, 10).map(lambda days: _START + timedelta(days=days))
    nudged = st.tuples(near, st.sampled_from([-1, 1])).map(
        lambda pair: pair[0] + timedelta(microseconds=pair[1])
    )
    anywhere = st.datetimes(
        datetime(1990, 1, 1),  # noqa: DTZ001 - the zone is given apart
        datetime(2090, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    )
    return near | nudged | anywhere


def keys() -> SearchStrategy[str]:
    """Keys of courses, lessons and the like: few, so that they collide."""
    return st.sampled_from(["a", "b", "c", "0", "a-b", "x" * 64])


def texts(most: int = 12) -> SearchStrategy[str]:
    """One line with something to see, in any script."""
    hard = ["a", "É", "e\u0301", "ß", "İ", "*", "\\", "<b>", "null", "1", "\U0001f600"]
    return st.one_of(
        st.sampled_from(hard),
        st.text(
            st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=most
        ),
    )


def users() -> SearchStrategy[User]:
    """People with any roles, for a course or everywhere, suspended or not."""
    grants = st.builds(
        RoleGrant,
        st.sampled_from(Role),
        st.none() | keys().map(CourseId),
    )
    return st.builds(
        User,
        id=st.sampled_from(["ann", "bob", "cyd"]).map(UserId),
        email=st.sampled_from(["ann@example.org", "ü@bücher.example"]),
        name=texts(),
        registered_at=instants(),
        grants=st.lists(grants, max_size=3, unique=True).map(tuple),
        suspended=st.booleans(),
    )


# Numbers ----------------------------------------------------------------------


def percents() -> SearchStrategy[Percent]:
    """Shares, with none, all, whole percents and awkward ratios."""
    usual = st.sampled_from([0, 100, 50, 95, 1, 99]).map(lambda n: Percent.of(n, 100))
    return usual | st.fractions(0, 1, max_denominator=1000).map(Percent)


def scores() -> SearchStrategy[Score]:
    """Scores, extra credit and work for which nothing is possible included."""
    few = st.sampled_from([Fraction(0), Fraction(1), Fraction(10)])
    number = few | st.fractions(0, 20, max_denominator=12)
    return st.builds(Score, number, number)


# Progress ---------------------------------------------------------------------


def ranges(longest_ms: int = 60) -> SearchStrategy[tuple[int, int]]:
    """Ranges of milliseconds, empty and touching ones included."""
    edge = st.integers(0, longest_ms)
    return st.tuples(edge, edge).map(lambda pair: (min(pair), max(pair)))


def intervals(longest_ms: int = 60) -> SearchStrategy[Intervals]:
    """Small sets of ranges, for comparing with a set of milliseconds."""
    return st.lists(ranges(longest_ms), max_size=8).map(
        lambda found: Intervals.of(*found)
    )


def progress() -> SearchStrategy[LessonProgress]:
    """One learner's reports on one lesson, with ties in every field."""
    when = st.none() | st.sampled_from(
        [_START, _START + timedelta(seconds=1), _START.astimezone(_ELSEWHERE)]
    )
    return st.builds(
        LessonProgress,
        learner=st.just(UserId("ann")),
        lesson=st.just(LessonId(CourseId("baking"), "dough")),
        epoch=st.integers(0, 2),
        watched=intervals(),
        position_ms=st.integers(0, 3),
        read_at=when,
        seen_at=when,
        completed_at=when,
    )


_ELSEWHERE = timezone(timedelta(hours=5, minutes=45))

# Access -----------------------------------------------------------------------


def _windows() -> SearchStrategy[DateWindow]:
    ends = st.lists(instants(), min_size=2, max_size=2, unique=True).map(sorted)
    return st.builds(
        lambda ends, which: DateWindow(
            opens_at=ends[0] if which != "closes" else None,
            closes_at=ends[1] if which != "opens" else None,
        ),
        ends,
        st.sampled_from(["opens", "closes", "both"]),
    )


def conditions(depth: int = 8) -> SearchStrategy[Condition]:
    """Trees of every kind of condition, of at most *depth* leaves."""
    leaves = st.one_of(
        st.just(Enrolled()),
        st.builds(HasRole, role=st.sampled_from(Role).map(str)),
        st.builds(LessonDone, lesson=keys()),
        st.just(EarlierLessons()),
        st.builds(ScoreAtLeast, lesson=keys(), share=percents()),
        st.builds(CourseDone, course=keys().map(CourseId)),
        _windows(),
        st.builds(Drip, days=st.integers(0, 3)),
    )
    return st.recursive(
        leaves,
        lambda below: st.one_of(
            st.builds(AllOf, of=st.lists(below, max_size=3).map(tuple)),
            st.builds(AnyOf, of=st.lists(below, max_size=3).map(tuple)),
            st.builds(Not, of=below),
        ),
        max_leaves=depth,
    )


def facts() -> SearchStrategy[Facts]:
    """Anything that may be known of a learner, nothing included."""
    return st.builds(
        Facts,
        enrolled_at=st.none() | instants(),
        completed=st.frozensets(keys(), max_size=4),
        scores=st.dictionaries(keys(), percents().map(lambda each: each.of_one)),
        earlier=st.lists(keys(), max_size=3, unique=True).map(tuple),
        completed_courses=st.frozensets(keys().map(CourseId), max_size=2),
        roles=st.frozensets(st.sampled_from(Role).map(str), max_size=2),
    )


# Quizzes ----------------------------------------------------------------------

_POINTS = st.sampled_from([Fraction(1), Fraction(0), Fraction(5, 2), Fraction(1, 3)])
_CHOICES = st.lists(keys(), min_size=2, max_size=6, unique=True)


def _options(chosen: list[str]) -> tuple[Option, ...]:
    return tuple(Option(key=key, text=key.upper()) for key in chosen)


@st.composite
def questions(draw: st.DrawFn, key: str | None = None) -> Question:
    """Questions of every type."""
    key = draw(keys()) if key is None else key
    prompt, points = draw(texts()), draw(_POINTS)
    explanation = draw(st.none() | texts())
    common = {"prompt": prompt, "points": points, "explanation": explanation}
    kind = draw(st.sampled_from(["true", "one", "many", "number", "text"]))
    if kind == "true":
        return TrueFalse(key=key, correct=draw(st.booleans()), **common)  # type: ignore[arg-type]
    if kind == "number":
        return Numeric(
            key=key,
            value=draw(st.fractions(-1000, 1000, max_denominator=100)),
            tolerance=draw(st.fractions(0, 2, max_denominator=8)),
            relative=draw(st.none() | percents()),
            unit=draw(st.sampled_from([None, "m", "m²", "%", "µm"])),
            **common,  # type: ignore[arg-type]
        )
    if kind == "text":
        accepted = st.builds(Accepted, text=texts(), share=percents())
        return ShortAnswer(
            key=key,
            accepted=tuple(draw(st.lists(accepted, min_size=1, max_size=3))),
            case_matters=draw(st.booleans()),
            accents_matter=draw(st.booleans()),
            **common,  # type: ignore[arg-type]
        )
    chosen = draw(_CHOICES)
    if kind == "one":
        return SingleChoice(
            key=key,
            options=_options(chosen),
            correct=draw(st.sampled_from(chosen)),
            **common,  # type: ignore[arg-type]
        )
    right = draw(st.lists(st.sampled_from(chosen), min_size=1, unique=True))
    return MultipleChoice(
        key=key,
        options=_options(chosen),
        correct=tuple(right),
        credit=draw(st.sampled_from(Credit)),
        **common,  # type: ignore[arg-type]
    )


@st.composite
def quizzes(draw: st.DrawFn) -> Quiz:
    """Quizzes under any rules, those without a point to earn included."""
    chosen = draw(st.lists(keys(), min_size=1, max_size=4, unique=True))
    asked = tuple(draw(questions(key)) for key in chosen)
    worth = any(question.points for question in asked)
    return Quiz(
        questions=asked,
        instructions=draw(st.just("") | texts()),
        pass_mark=draw(percents()) if worth else NONE,
        time_limit_s=draw(st.none() | st.sampled_from([1, 60, 3600])),
        grace_s=draw(st.sampled_from([0, 30])),
        max_attempts=draw(st.none() | st.integers(1, 3)),
        combine=draw(st.sampled_from(Combine)),
        shuffle_questions=draw(st.booleans()),
        shuffle_options=draw(st.booleans()),
        show_answers=draw(st.sampled_from(ShowAnswers)),
    )


def answers(question: Question | None = None) -> SearchStrategy[Answer]:
    """Answers: right ones of *question* where it is given, wrong ones and nonsense."""
    part = st.one_of(
        keys(),
        texts(),
        st.sampled_from(
            ["", " ", "true", "false", "1", "-3,5", "1/3", "1e99", "1e-99"]
        ),
    )
    anything = st.lists(part, max_size=3).map(tuple)
    if question is None:
        return anything
    shown = [option.key for option in question.shown().options]
    choices = (
        st.lists(st.sampled_from(shown), unique=True).map(tuple) if shown else anything
    )
    return st.just(question.solution().correct) | choices | anything


# Grading ----------------------------------------------------------------------


def _categories(key: str, below: tuple[Category, ...]) -> SearchStrategy[Category]:
    return st.builds(
        Category,
        key=st.just(key),
        title=texts(),
        weight=st.sampled_from(
            [Fraction(1), Fraction(0), Fraction(40), Fraction(1, 3)]
        ),
        aggregation=st.sampled_from([Mean(), WeightedMean(), Points()]),
        drop_lowest=st.integers(0, 3),
        never_drop=st.frozensets(keys(), max_size=2),
        missing=st.sampled_from(Missing),
        categories=st.just(below),
    )


@st.composite
def policies(draw: st.DrawFn) -> GradingPolicy:
    """Grading policies: up to three levels of categories, letters, a pass mark."""
    leaves = [
        draw(_categories(f"leaf-{n}", ())) for n in range(draw(st.integers(0, 3)))
    ]
    cut = draw(st.integers(0, len(leaves)))
    middle = draw(_categories("middle", tuple(leaves[:cut])))
    below = (middle, *leaves[cut:]) if cut else tuple(leaves)
    bounds = draw(st.lists(percents(), max_size=3, unique=True))
    return GradingPolicy(
        root=draw(_categories("course", below)),
        letters=tuple(
            Letter(letter=f"L{n}", from_share=bound)
            for n, bound in enumerate(sorted(bounds, reverse=True))
        ),
        pass_mark=draw(st.none() | percents()),
    )


# Courses ----------------------------------------------------------------------


@st.composite
def course_contents(draw: st.DrawFn) -> CourseContent:
    """Courses whose parts fit together, with lessons of every type."""
    grading = draw(policies())
    categories = [category.key for category in grading.root.all()]
    modules = []
    for m in range(draw(st.integers(0, 2))):
        lessons = [
            Lesson(
                key=f"lesson-{m}-{n}",
                title=draw(texts()),
                content=draw(_lesson_contents()),
                access=draw(st.just(OPEN) | _windows() | st.just(Enrolled())),
                required=draw(st.booleans()),
                category=draw(st.none() | st.sampled_from(categories)),
                minutes=draw(st.none() | st.integers(1, 90)),
            )
            for n in range(draw(st.integers(0, 3)))
        ]
        access = draw(st.just(OPEN) | st.builds(Drip, days=st.integers(0, 9)))
        key = f"module-{m}"
        modules.append(
            Module(key=key, title=draw(texts()), lessons=tuple(lessons), access=access)
        )
    return CourseContent(
        title=draw(texts()),
        summary=draw(st.just("") | texts()),
        language=draw(st.sampled_from(["en", "pt-BR"])),
        prices=draw(st.sampled_from([(), (Money(4900, "EUR"), Money(0, "JPY"))])),
        enrollment=EnrollmentRules(
            seats=draw(st.none() | st.integers(0, 3)),
            days=draw(st.none() | st.integers(1, 365)),
        ),
        modules=tuple(modules),
        grading=grading,
        certificate=draw(st.booleans()),
    )


def _lesson_contents() -> SearchStrategy[LessonContent]:
    return st.one_of(
        st.builds(Text, markdown=st.just("") | texts()),
        st.builds(
            Video,
            media=st.none() | st.just(MediaId("media-1")),
            coverage=percents().filter(lambda share: share.of_one > 0),
        ),
        st.builds(QuizContent, quiz=quizzes(), must_pass=st.booleans()),
    )
