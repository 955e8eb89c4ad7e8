"""Progress: merged, idempotent, and told about once."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from lms_core.application.enroll_learner import EnrollLearner
from lms_core.application.open_lesson import GrantPlayback, MayStillWatch, OpenLesson
from lms_core.application.outline_course import OutlineCourse
from lms_core.application.place_order import PlaceOrder
from lms_core.application.read_progress import ListEnrollments, ReadProgress
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.withdraw_learner import WithdrawLearner
from lms_core.domain.events import LessonCompleted
from lms_core.domain.money import Money
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import InvalidValue, NotFound, Refused, Unavailable
from lms_local.memory.progress_store import MemoryProgressStore


def completions(world: Any) -> list[Any]:
    found = (envelope.event for envelope in world.events())
    return [event for event in found if isinstance(event, LessonCompleted)]


@pytest.fixture
def watching(world: Any, content: Callable[..., Any]) -> Any:
    """Return a platform with a lecture of ten seconds."""
    lecture = world.lecture(10_000)
    world.publish(content(video=lecture.id))
    return world


def watched(*ranges: tuple[int, int], at: int = 0) -> ProgressReport:
    return ProgressReport(watched=ranges, position_ms=at)


REPORTS = (watched((0, 4000), at=4000), watched((3000, 8000)), watched((7500, 10_000)))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_reports_in_any_order_and_twice_finish_the_lecture_once(
    watching: Any, order: tuple[int, ...]
) -> None:
    ada = watching.learner()
    record = watching.use(RecordProgress)

    for n in order:
        record(ada, watching.LECTURE, REPORTS[n])
        last = record(ada, watching.LECTURE, REPORTS[n])

    assert last.watched.edges == (0, 10_000)
    assert last.completed_at is not None
    assert len(completions(watching)) == 1


def test_what_lies_beyond_the_end_does_not_count(watching: Any) -> None:
    ada = watching.learner()

    after = watching.use(RecordProgress)(
        ada, watching.LECTURE, watched((9_000, 3_600_000), at=3_600_000)
    )

    assert after.watched.edges == (9_000, 10_000)
    assert after.position_ms == 10_000
    assert after.completed_at is None


def test_skipping_to_the_end_is_not_watching(watching: Any) -> None:
    after = watching.use(RecordProgress)(
        watching.learner(), watching.LECTURE, watched((9_900, 10_000), at=10_000)
    )

    assert after.completed_at is None


def test_a_text_is_finished_when_it_was_read(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada = world.learner()

    opened = world.use(RecordProgress)(ada, world.INTRO, watched((0, 5000)))
    read = world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))

    assert opened.watched.edges == ()
    assert opened.completed_at is None
    assert read.completed_at == world.clock.now()


class BreaksOff(MemoryProgressStore):
    """A store that is cut off before it can note a completion."""

    def record(self, updates: Sequence[LessonProgress]) -> tuple[LessonProgress, ...]:
        if any(update.completed_at for update in updates):
            raise Unavailable("power cut")
        return super().record(updates)


def test_a_crash_between_event_and_progress_is_made_good_by_the_reaction(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada = world.learner()
    world.progress = BreaksOff()
    with pytest.raises(Unavailable):
        world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))

    world.progress = MemoryProgressStore()
    world.drain()

    assert world.progress.get(ada.user, world.INTRO).completed_at is not None


def test_a_report_of_an_older_epoch_changes_nothing_and_of_a_later_is_refused(
    watching: Any,
) -> None:
    ada = watching.learner()
    record = watching.use(RecordProgress)
    before = record(ada, watching.LECTURE, watched((0, 4000)))
    watching.progress.record([before.restart()])

    late = record(ada, watching.LECTURE, ProgressReport(watched=((0, 9000),), epoch=0))
    with pytest.raises(Refused, match="epoch-unknown"):
        record(ada, watching.LECTURE, ProgressReport(epoch=7))

    assert (late.epoch, late.watched.edges) == (1, ())


@pytest.mark.parametrize("ranges", [((5, 1),), ((-1, 5),), ((0, 10**9),)])
def test_a_report_that_makes_no_sense_is_refused_whole(
    watching: Any, ranges: Any
) -> None:
    ada = watching.learner()

    with pytest.raises(InvalidValue):
        watching.use(RecordProgress)(ada, watching.LECTURE, watched((0, 5), *ranges))

    assert watching.progress.of_learner(ada.user, watching.COURSE) == ()


def test_strangers_and_who_has_left_record_nothing(watching: Any) -> None:
    ada, bob = watching.learner("ada"), watching.person("bob")
    watching.use(WithdrawLearner)(ada, ada.user, watching.COURSE)

    for actor in (ada, bob):
        with pytest.raises(Refused, match="not-enrolled"):
            watching.use(RecordProgress)(actor, watching.LECTURE, watched((0, 5)))
    with pytest.raises(NotFound):
        watching.use(RecordProgress)(
            ada, watching.LECTURE.parse("streaming.no"), REPORTS[0]
        )


def test_what_was_learned_before_leaving_is_there_after_coming_back(
    watching: Any,
) -> None:
    ada = watching.learner()
    watching.use(RecordProgress)(ada, watching.LECTURE, watched((0, 4000)))
    watching.use(WithdrawLearner)(ada, ada.user, watching.COURSE)

    watching.use(EnrollLearner)(ada, watching.COURSE)
    opened = watching.use(OpenLesson)(ada, watching.LECTURE)

    assert opened.progress.watched.edges == (0, 4000)


def test_a_locked_lesson_says_what_is_missing(watching: Any) -> None:
    ada = watching.learner()

    outline = watching.use(OutlineCourse)(ada, watching.COURSE)
    [intro, lecture, quiz] = outline.modules[0].lessons
    with pytest.raises(Refused) as refused:
        watching.use(OpenLesson)(ada, watching.QUIZ)

    assert intro.access
    assert lecture.access
    assert [reason.code for reason in quiz.access.objections] == [
        reason.code for reason in refused.value.reasons
    ]
    assert outline.next_lesson.key == "intro"


def test_links_are_given_only_to_who_may_open_a_lesson_that_shows_it(
    watching: Any,
) -> None:
    ada, bob = watching.learner("ada"), watching.person("bob")
    with watching.start(read_only=True) as work:
        media = work.courses.get(watching.COURSE).draft.media()
    [lecture] = media

    granted = watching.use(GrantPlayback)(ada, lecture)
    with pytest.raises(Refused, match="not-enrolled"):
        watching.use(GrantPlayback)(bob, lecture)

    assert granted.expires_at == watching.clock.now() + timedelta(hours=4)
    prefix = granted.stream.prefix
    assert watching.use(MayStillWatch)(ada.user, prefix)
    assert not watching.use(MayStillWatch)(bob.user, prefix)
    watching.use(WithdrawLearner)(ada, ada.user, watching.COURSE)
    assert not watching.use(MayStillWatch)(ada.user, prefix)


def test_progress_is_shown_to_its_learner_and_her_teacher(
    world: Any, content: Callable[..., Any]
) -> None:
    teacher = world.publish(content())
    ada, bob = world.learner("ada"), world.learner("bob")
    world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))

    for actor in (ada, teacher):
        shown = world.use(ReadProgress)(actor, ada.user, world.COURSE)
        assert shown.progress.finished == ("intro",)
        assert shown.progress.share.floor() == 50
    with pytest.raises(Refused):
        world.use(ReadProgress)(bob, ada.user, world.COURSE)
    with pytest.raises(Refused):
        world.use(ListEnrollments)(bob, ada.user)
    [listed] = world.use(ListEnrollments)(ada, ada.user).items
    assert listed.title == "Streaming"


def test_an_order_is_no_place(world: Any, content: Callable[..., Any]) -> None:
    world.publish(content(prices=(Money(100, "EUR"),)))
    ada = world.person("ada")
    world.use(PlaceOrder)(ada, world.COURSE, "EUR")

    with pytest.raises(Refused, match="not-enrolled"):
        world.use(OpenLesson)(ada, world.INTRO)
