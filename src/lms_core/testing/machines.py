"""Stateful tests: an adapter and a model of it see the same random operations."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lms_core.domain.assessment.answers import Answer
from lms_core.domain.assessment.attempt import Attempt
from lms_core.domain.assessment.questions import Accepted, ShortAnswer
from lms_core.domain.assessment.quiz import Quiz
from lms_core.domain.enrollment.enrollment import CURRENT, Enrollment, EnrollmentStatus
from lms_core.domain.events import (
    EnrollmentActivated,
    EnrollmentCompleted,
    EnrollmentEnded,
    EnrollmentOpened,
    Event,
)
from lms_core.domain.ids import (
    AttemptId,
    CourseId,
    EnrollmentId,
    LessonId,
    ObjectKey,
    UserId,
)
from lms_core.errors import AlreadyExists, Conflict, NotFound, Refused
from lms_core.ports.object_store import ObjectStore
from lms_core.testing.strategies import object_keys

_DATA = st.binary(max_size=4)


class ObjectStoreMachine(RuleBasedStateMachine):
    """Compares a store with a dictionary; a subclass says how to make one."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.new_store()
        self.model: dict[str, bytes] = {}

    def new_store(self) -> ObjectStore:
        """Return an empty store."""
        raise TypeError(f"{type(self).__name__} must define new_store")

    @rule(key=object_keys(), data=_DATA, if_absent=st.booleans())
    def put(self, key: ObjectKey, data: bytes, *, if_absent: bool) -> None:
        """Write, perhaps only where nothing is."""
        try:
            self.store.put(key, data, if_absent=if_absent)
        except AlreadyExists:
            assert if_absent
            assert str(key) in self.model
        else:
            assert not (if_absent and str(key) in self.model)
            self.model[str(key)] = data

    @rule(key=object_keys(), data=_DATA, stale=st.booleans())
    def replace(self, key: ObjectKey, data: bytes, *, stale: bool) -> None:
        """Write where an etag is right, or wrong."""
        try:
            etag = self.store.info(key).etag
        except NotFound:
            etag = "nothing-there"
        expected = f"{etag}-stale" if stale else etag
        try:
            self.store.put(key, data, if_match=expected)
        except Conflict:
            assert stale or str(key) not in self.model
        else:
            assert not stale
            assert str(key) in self.model
            self.model[str(key)] = data

    @rule(key=object_keys(), data=_DATA.filter(bool))
    def upload(self, key: ObjectKey, data: bytes) -> None:
        """Write in one part."""
        upload = self.store.start_upload(key)
        self.store.complete_upload(upload, [self.store.put_part(upload, 1, data)])
        self.model[str(key)] = data

    @rule(key=object_keys())
    def delete(self, key: ObjectKey) -> None:
        """Remove, whether there or not."""
        self.store.delete(key)
        self.model.pop(str(key), None)

    @rule(key=object_keys())
    def read(self, key: ObjectKey) -> None:
        """Read, whether there or not."""
        try:
            with self.store.open(key) as reader:
                found = b"".join(reader)
        except NotFound:
            assert str(key) not in self.model
        else:
            assert found == self.model[str(key)]

    @rule(prefix=object_keys(), cut=st.integers(0, 3), after=object_keys())
    def list_some(self, prefix: ObjectKey, cut: int, after: ObjectKey) -> None:
        """List below a prefix, behind a key."""
        text = str(prefix)[:cut]
        found = [str(info.key) for info in self.store.list(text, after=after)]
        expected = [
            key for key in self.model if key.startswith(text) and key > str(after)
        ]
        assert found == sorted(expected)

    @invariant()
    def all_keys_in_order(self) -> None:
        """Every key is listed, once, in order, with its size."""
        found = [(str(info.key), info.size_bytes) for info in self.store.list()]
        assert found == [(key, len(self.model[key])) for key in sorted(self.model)]


_START = datetime(2026, 3, 1, tzinfo=UTC)
_ANN, _BAKING = UserId("ann"), CourseId("baking")


class EnrollmentMachine(RuleBasedStateMachine):
    """Does anything to a place in any state and order, as time goes by."""

    def __init__(self) -> None:
        super().__init__()
        self.now = _START
        id_ = EnrollmentId("place-1")
        opened = Enrollment.open(id_, _ANN, _BAKING, at=self.now)
        self.place, events = opened
        assert [type(event) for event in events] == [EnrollmentOpened]
        self.finished_at: datetime | None = None

    def take(self, step: tuple[Enrollment, tuple[Event, ...]]) -> None:
        """Follow a step, checking that its news fit the change."""
        before, (self.place, events) = self.place, step
        changed = before.status is not self.place.status
        assert changed >= bool(events)
        for event in events:
            assert event.at == self.now
            if isinstance(event, EnrollmentEnded):
                assert event.status == self.place.status
                assert not self.place.lets_in
            else:
                assert isinstance(event, EnrollmentActivated | EnrollmentCompleted)
                assert self.place.lets_in
        assert bool(events) or before.lets_in is self.place.lets_in

    @rule(hours=st.integers(0, 30))
    def wait(self, hours: int) -> None:
        """Let time go by."""
        self.now += timedelta(hours=hours)

    @rule(days=st.none() | st.integers(1, 2))
    def activate(self, days: int | None) -> None:
        """Enroll or pay, perhaps again."""
        ends = None if days is None else self.now + timedelta(days=days)
        before = self.place
        try:
            self.take(self.place.activate(expires_at=ends, at=self.now))
        except Refused:
            suspended = before.status is EnrollmentStatus.SUSPENDED
            assert suspended or before.status not in CURRENT
        else:
            assert self.place.lets_in
            assert before.lets_in or before.status is EnrollmentStatus.PENDING

    @rule()
    def suspend(self) -> None:
        """Lock out."""
        try:
            self.take(self.place.suspend(at=self.now))
        except Refused:
            assert self.place.status not in CURRENT
        else:
            assert self.place.status is EnrollmentStatus.SUSPENDED

    @rule()
    def reinstate(self) -> None:
        """Lift a suspension."""
        was = self.place
        self.take(self.place.reinstate(at=self.now))
        if was.status is not EnrollmentStatus.SUSPENDED:
            assert self.place is was
        else:
            assert self.place.lets_in is (was.activated_at is not None)

    @rule()
    def withdraw(self) -> None:
        """Give the place up."""
        try:
            self.take(self.place.withdraw(at=self.now))
        except Refused:
            assert self.finished_at or self.place.status not in CURRENT
        else:
            assert self.place.status is EnrollmentStatus.WITHDRAWN

    @rule()
    def refund(self) -> None:
        """Take the money back."""
        held = self.place.status in CURRENT
        self.take(self.place.refund(at=self.now))
        assert not held or self.place.status is EnrollmentStatus.REFUNDED

    @rule()
    def expire(self) -> None:
        """Look whether the time is over."""
        was = self.place
        self.take(self.place.expire(at=self.now))
        if self.place is not was:
            assert was.expires_at is not None
            assert was.expires_at <= self.now
            assert self.finished_at is None

    @rule(unfinished=st.integers(0, 1))
    def complete(self, unfinished: int) -> None:
        """Finish the course, or try to."""
        was = self.place
        try:
            self.take(
                was.complete(unfinished=unfinished, grade=Fraction(1), at=self.now)
            )
        except Refused:
            assert unfinished or was.status is not EnrollmentStatus.ACTIVE
        else:
            self.finished_at = self.finished_at or self.now
            assert self.place.status is EnrollmentStatus.COMPLETED

    @invariant()
    def the_first_times_stay(self) -> None:
        """Completion is remembered, and whoever completed is in unless locked out."""
        assert self.place.completed_at == self.finished_at
        if self.finished_at:
            assert self.place.status in {
                EnrollmentStatus.COMPLETED,
                EnrollmentStatus.SUSPENDED,
                EnrollmentStatus.REFUNDED,
            }
        assert not self.place.lets_in or self.place.activated_at is not None


_QUIZ = Quiz(
    questions=tuple(
        ShortAnswer(key=key, prompt="?", accepted=(Accepted(text="yes"),))
        for key in ("a", "b")
    ),
    time_limit_s=60,
    grace_s=5,
)


class AttemptMachine(RuleBasedStateMachine):
    """Saves from several devices, hands in, and lets time run out."""

    def __init__(self) -> None:
        super().__init__()
        self.now = _START
        lesson = LessonId(_BAKING, "test")
        self.attempt, _ = Attempt.start(
            AttemptId("try-1"), _ANN, lesson, _QUIZ, number=1, seed="s", at=self.now
        )
        self.kept: dict[str, tuple[int, Answer]] = {}

    @property
    def over(self) -> bool:
        """Whether limit and grace have passed."""
        return self.now >= _START + timedelta(seconds=65)

    @rule(seconds=st.sampled_from([1, 30, 59, 60, 64, 65]))
    def wait(self, seconds: int) -> None:
        """Let time go by."""
        self.now = max(self.now, _START + timedelta(seconds=seconds))

    @rule(
        question=st.sampled_from(["a", "b"]),
        text=st.sampled_from(["yes", "no", ""]),
        revision=st.integers(0, 3),
    )
    def save(self, question: str, text: str, revision: int) -> None:
        """Save, in any order of revisions."""
        try:
            after = self.attempt.save(
                {question: [text]}, revision=revision, at=self.now
            )
        except Refused:
            assert self.over or self.attempt.is_final
        else:
            assert not self.over
            assert not self.attempt.is_final
            new = (revision, (text,))
            self.kept[question] = max(self.kept.get(question, new), new)
            self.attempt = after

    @rule()
    def submit(self) -> None:
        """Hand in, perhaps again, perhaps late."""
        was = self.attempt
        self.attempt, events = was.submit(at=self.now)
        assert len(events) == (not was.is_final)
        assert self.attempt.is_final
        assert not was.is_final or self.attempt is was

    @invariant()
    def what_was_saved_in_time_counts(self) -> None:
        """Answers are those of the highest revisions, and so is the score."""
        saved = {k: (s.revision, s.answer) for k, s in self.attempt.answers.items()}
        assert saved == self.kept
        score = self.attempt.score
        if score is not None:
            right = sum(answer == ("yes",) for _, answer in self.kept.values())
            assert score.earned == right

    @precondition(lambda self: self.attempt.is_final)
    @invariant()
    def nothing_was_handed_in_after_the_end(self) -> None:
        """Date a late hand-in at the end."""
        assert self.attempt.submitted_at is not None
        assert self.attempt.submitted_at <= _START + timedelta(seconds=65)
