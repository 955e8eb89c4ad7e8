"""A place on a course: every transition from every state."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import settings

from lms_core.domain.enrollment.enrollment import (
    Enrollment,
    EnrollmentRules,
    EnrollmentStatus,
    may_enroll,
)
from lms_core.domain.ids import CourseId, EnrollmentId, UserId
from lms_core.errors import InvalidValue, Refused
from lms_core.testing.machines import EnrollmentMachine

AT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PENDING, _ = Enrollment.open(
    EnrollmentId("e"), UserId("ann"), CourseId("baking"), at=AT
)
ACTIVE, _ = PENDING.activate(expires_at=AT + DAY, at=AT)
COMPLETED, _ = ACTIVE.complete(unfinished=0, grade=Fraction(1), at=AT)

TestEveryOrder = EnrollmentMachine.TestCase
TestEveryOrder.settings = settings(max_examples=100, stateful_step_count=20)

STATES = {
    "pending": PENDING,
    "active": ACTIVE,
    "completed": COMPLETED,
    "suspended": ACTIVE.suspend(at=AT)[0],
    "suspended unpaid": PENDING.suspend(at=AT)[0],
    "suspended graduate": COMPLETED.suspend(at=AT)[0],
    "withdrawn": ACTIVE.withdraw(at=AT)[0],
    "expired": ACTIVE.expire(at=AT + DAY)[0],
    "refunded": COMPLETED.refund(at=AT)[0],
}
ACTS = {
    "activate": lambda place: place.activate(at=AT + DAY),
    "suspend": lambda place: place.suspend(at=AT + DAY),
    "reinstate": lambda place: place.reinstate(at=AT + DAY),
    "withdraw": lambda place: place.withdraw(at=AT + DAY),
    "refund": lambda place: place.refund(at=AT + DAY),
    "expire": lambda place: place.expire(at=AT + DAY),
    "complete": lambda place: place.complete(unfinished=0, grade=None, at=AT + DAY),
}
# What becomes of each state: "=" stays as it is, "!" is refused.
TABLE = """
                    activate suspend   reinstate withdraw  refund   expire  complete
pending             active   suspended =         withdrawn refunded =       !
active              =        suspended =         withdrawn refunded expired completed
completed           =        suspended =         !         refunded =       =
suspended           !        =         active    withdrawn refunded expired !
suspended-unpaid    !        =         pending   withdrawn refunded =       !
suspended-graduate  !        =         completed !         refunded =       !
withdrawn           !        !         =         =         =        =       !
expired             !        !         =         !         =        =       !
refunded            !        !         =         !         =        =       !
"""


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:])
def test_every_act_in_every_state(row: str) -> None:
    name, *expected = row.split()
    place = STATES[name.replace("-", " ")]

    found = []
    for act in ACTS.values():
        try:
            after, events = act(place)  # type: ignore[no-untyped-call]
        except Refused:
            found.append("!")
        else:
            found.append("=" if after is place else after.status.value)
            assert not events if after is place else events or name.endswith("unpaid")

    assert found == expected


def test_access_ends_exactly_when_it_expires() -> None:
    just_before = AT + DAY - timedelta(microseconds=1)

    assert ACTIVE.expire(at=just_before) == (ACTIVE, ())
    assert ACTIVE.expire(at=AT + DAY)[0].status is EnrollmentStatus.EXPIRED


def test_a_suspension_costs_no_time() -> None:
    again, _ = STATES["suspended"].reinstate(at=AT + 5 * DAY)

    assert again == ACTIVE


def test_completing_says_everything_that_is_missing() -> None:
    with pytest.raises(Refused) as caught:
        PENDING.complete(unfinished=1, grade=None, at=AT)

    assert [reason.code for reason in caught.value.reasons] == [
        "enrollment-is-not-active",
        "lessons-are-unfinished",
    ]


@pytest.mark.parametrize(
    ("rules", "taken", "codes", "opens_at"),
    [
        (EnrollmentRules(), 10**6, [], None),
        (EnrollmentRules(seats=1), 0, [], None),
        (EnrollmentRules(seats=1), 1, ["course-is-full"], None),
        (EnrollmentRules(opens_at=AT), 0, [], None),
        (
            EnrollmentRules(opens_at=AT + DAY),
            0,
            ["enrollment-has-not-opened"],
            AT + DAY,
        ),
        (
            EnrollmentRules(opens_at=AT + DAY, seats=0),
            0,
            ["enrollment-has-not-opened", "course-is-full"],
            None,
        ),
        (EnrollmentRules(closes_at=AT), 0, ["enrollment-has-closed"], None),
    ],
)
def test_a_course_takes_learners_by_its_rules(
    rules: EnrollmentRules, taken: int, codes: list[str], opens_at: datetime | None
) -> None:
    found = may_enroll(rules, published=True, taken=taken, at=AT)

    assert [reason.code for reason in found.objections] == codes
    assert found.opens_at == opens_at


def test_nobody_enrolls_on_a_draft() -> None:
    assert not may_enroll(EnrollmentRules(), published=False, taken=0, at=AT)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EnrollmentRules(opens_at=AT, closes_at=AT),
        lambda: EnrollmentRules(seats=-1),
        lambda: EnrollmentRules(days=0),
        lambda: EnrollmentRules(days=10**9),
    ],
)
def test_rules_that_contradict_themselves_are_refused(make: object) -> None:
    with pytest.raises(InvalidValue):
        make()  # type: ignore[operator]


def test_what_is_remembered_for_lists_changes_nothing_else() -> None:
    after = ACTIVE.record_progress(ACTIVE.progress, Fraction(1, 2))

    assert after == evolve(ACTIVE, grade=Fraction(1, 2))
