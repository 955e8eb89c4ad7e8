"""The contract of `ProgressStore`, one test a clause."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lms_core.domain.ids import CourseId, LessonId, UserId
from lms_core.domain.paging import PageRequest
from lms_core.domain.progress.intervals import Intervals
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.errors import InvalidValue, LmsError
from lms_core.ports.progress_store import ProgressStore
from lms_core.testing._races import race
from lms_core.testing.suite import ConformanceSuite

COURSE = CourseId("streaming")
ANN, BOB = UserId("ann"), UserId("bob")
AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def watched(
    *ranges: tuple[int, int],
    learner: UserId = ANN,
    lesson: str = "intro",
    epoch: int = 0,
    seconds: int = 0,
) -> LessonProgress:
    """Return a report of what was watched."""
    return LessonProgress(
        learner=learner,
        lesson=LessonId(COURSE, lesson),
        epoch=epoch,
        watched=Intervals.of(*ranges),
        position_ms=max((end for _, end in ranges), default=0),
        seen_at=AT + timedelta(seconds=seconds),
    )


class ProgressStoreConformance(ConformanceSuite):
    """Subclass this and supply a fixture named `store`: an empty store."""

    racers: ClassVar[int] = 4

    def test_an_untouched_lesson_is_blank(self, store: ProgressStore) -> None:
        """Nothing known is progress too, and is not listed."""
        lesson = LessonId(COURSE, "intro")

        assert store.get(ANN, lesson) == LessonProgress(learner=ANN, lesson=lesson)
        assert store.of_learner(ANN, COURSE) == ()

    def test_what_was_recorded_is_known(self, store: ProgressStore) -> None:
        """Every field comes back as it was, to the microsecond."""
        report = LessonProgress(
            learner=ANN,
            lesson=LessonId(COURSE, "intro"),
            epoch=2,
            watched=Intervals.of((0, 5000), (9000, 12000)),
            position_ms=12000,
            read_at=AT,
            seen_at=AT + timedelta(microseconds=1),
            completed_at=AT - timedelta(days=1),
        )

        assert store.record([report]) == (report,)
        assert store.get(ANN, report.lesson) == report

    def test_reports_are_merged(self, store: ProgressStore) -> None:
        """A later report adds to what is known and replaces none of it."""
        first, second = watched((0, 5000)), watched((4000, 9000), seconds=5)
        store.record([first])

        assert store.record([second]) == (first.merge(second),)
        assert store.get(ANN, first.lesson) == first.merge(second)

    def test_repeating_and_reordering_change_nothing(
        self, store: ProgressStore
    ) -> None:
        """A late or repeated report takes nothing away."""
        new, old = watched((4000, 9000), seconds=5), watched((0, 5000))
        store.record([new])
        store.record([old])
        store.record([new])

        assert store.get(ANN, new.lesson) == new.merge(old)

    def test_a_fresh_start_replaces_the_old(self, store: ProgressStore) -> None:
        """A higher epoch wins over a lower one, whichever comes last."""
        old, new = watched((0, 90000)), watched((0, 10), epoch=1)
        store.record([old])
        store.record([new])

        assert store.record([old]) == (new,)

    def test_a_batch_is_recorded_in_order(self, store: ProgressStore) -> None:
        """Results stand where their updates stood; one lesson may come twice."""
        one, other = watched((0, 10)), watched((0, 10), lesson="outro")
        more = watched((20, 30), seconds=1)
        results = store.record([one, other, more])

        assert [each.lesson.key for each in results] == ["intro", "outro", "intro"]
        assert results[2] == one.merge(more)
        assert store.get(ANN, one.lesson) == one.merge(more)
        assert store.get(ANN, other.lesson) == other

    def test_a_large_batch_is_recorded(self, store: ProgressStore) -> None:
        """Some rows new, some known, some unchanged: each is merged alone."""
        store.record([watched((0, 10), lesson=f"l{n}") for n in range(0, 120, 2)])
        store.record([watched((5, 20), lesson=f"l{n}") for n in range(0, 120, 3)])
        known = {each.lesson.key: each for each in store.of_learner(ANN, COURSE)}

        assert len(known) == 80
        assert known["l6"].watched == Intervals.of((0, 20))
        assert known["l3"].watched == Intervals.of((5, 20))
        assert known["l2"].watched == Intervals.of((0, 10))

    def test_recording_nothing_is_fine(self, store: ProgressStore) -> None:
        """An empty list gives an empty answer."""
        assert store.record([]) == ()

    def test_learners_and_courses_are_apart(self, store: ProgressStore) -> None:
        """Progress of one says nothing of another."""
        store.record([watched((0, 10)), watched((0, 20), learner=BOB)])

        assert [each.learner for each in store.of_learner(ANN, COURSE)] == [ANN]
        assert store.of_learner(ANN, CourseId("other")) == ()

    def test_a_learners_lessons_come_by_key(self, store: ProgressStore) -> None:
        """In code point order, whatever the order of recording."""
        store.record([watched((0, 1), lesson=key) for key in ("b", "a-1", "a", "c")])

        keys = [each.lesson.key for each in store.of_learner(ANN, COURSE)]
        assert keys == ["a", "a-1", "b", "c"]

    def test_a_course_comes_page_by_page(self, store: ProgressStore) -> None:
        """All pages together hold everybody once, by learner and lesson."""
        wanted = [(f"user-{n}", f"l{m}") for n in range(4) for m in range(3)]
        store.record(
            [watched((0, 1), learner=UserId(u), lesson=key) for u, key in wanted[::-1]]
        )
        found, after = [], None
        while True:
            page = store.of_course(COURSE, PageRequest(5, after))
            assert len(page.items) <= 5
            found += [(each.learner, each.lesson.key) for each in page.items]
            after = page.next
            if after is None:
                break

        assert found == wanted

    @pytest.mark.parametrize("cursor", ["nonsense", "/", "a/", "/b", "\U0001f600"])
    def test_a_made_up_cursor_is_refused(
        self, store: ProgressStore, cursor: str
    ) -> None:
        """A cursor is what a page gave, and nothing else."""
        with pytest.raises(InvalidValue):
            store.of_course(COURSE, PageRequest(5, cursor))

    def test_what_is_forgotten_is_gone(self, store: ProgressStore) -> None:
        """All of one learner's progress, none of another's; twice is fine."""
        store.record([watched((0, 10)), watched((0, 20), learner=BOB)])
        store.forget(ANN)
        store.forget(ANN)

        assert store.of_learner(ANN, COURSE) == ()
        assert len(store.of_learner(BOB, COURSE)) == 1

    def test_writers_at_once_lose_nothing(self, store: ProgressStore) -> None:
        """Many devices of one learner add up, heartbeat by heartbeat."""

        def device(number: int) -> None:
            for beat in range(8):
                start = (beat * self.racers + number) * 1000
                store.record([watched((start, start + 1000))])

        results = race(self.racers, device)

        assert not any(isinstance(each, LmsError) for each in results)
        known = store.get(ANN, LessonId(COURSE, "intro"))
        assert known.watched == Intervals.of((0, 8000 * self.racers))

    def test_batches_at_once_lose_nothing(self, store: ProgressStore) -> None:
        """Batches that meet in any order neither lose nor lock one another out."""

        def device(number: int) -> None:
            for beat in range(4):
                start = (beat * self.racers + number) * 1000
                keys = [f"l{n}" for n in range(6)]
                for order in (keys, keys[::-1]):
                    store.record(
                        [watched((start, start + 1000), lesson=key) for key in order]
                    )

        results = race(self.racers, device)

        assert not any(isinstance(each, LmsError) for each in results)
        whole = Intervals.of((0, 4000 * self.racers))
        known = store.of_learner(ANN, COURSE)
        assert [each.watched for each in known] == [whole] * 6


_TIMES = st.none() | st.integers(0, 3).map(lambda n: AT + timedelta(seconds=n))
_RANGES = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(
    lambda pair: (min(pair), max(pair))
)
_REPORTS = st.builds(
    LessonProgress,
    learner=st.sampled_from([ANN, BOB]),
    lesson=st.sampled_from([LessonId(COURSE, key) for key in ("a", "a-1", "b")]),
    epoch=st.integers(0, 2),
    watched=st.lists(_RANGES, max_size=3).map(lambda found: Intervals.of(*found)),
    position_ms=st.integers(0, 3),
    read_at=_TIMES,
    seen_at=_TIMES,
    completed_at=_TIMES,
)


class ProgressStoreMachine(RuleBasedStateMachine):
    """Compares a store with a dictionary; a subclass says how to make one."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.new_store()
        self.model: dict[tuple[UserId, LessonId], LessonProgress] = {}

    def new_store(self) -> ProgressStore:
        """Return an empty store."""
        raise TypeError(f"{type(self).__name__} must define new_store")

    @rule(reports=st.lists(_REPORTS, max_size=4))
    def record(self, reports: list[LessonProgress]) -> None:
        """Merge some reports, perhaps several of one lesson."""
        expected = []
        for report in reports:
            key = report.learner, report.lesson
            merged = self.model[key].merge(report) if key in self.model else report
            self.model[key] = merged
            expected.append(merged)
        assert self.store.record(reports) == tuple(expected)

    @rule(learner=st.sampled_from([ANN, BOB]))
    def forget(self, learner: UserId) -> None:
        """Erase a learner."""
        self.store.forget(learner)
        self.model = {k: v for k, v in self.model.items() if k[0] != learner}

    @invariant()
    def everything_is_known(self) -> None:
        """List what the dictionary holds, in order."""
        expected = sorted(
            self.model.values(), key=lambda each: (each.learner, each.lesson.key)
        )
        assert list(self.store.of_course(COURSE).items) == expected
