"""Small values: exact, bounded, and in one form."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.decision import Decision
from lms_core.domain.ids import (
    CertificateId,
    CourseId,
    EnrollmentId,
    LessonId,
    ObjectKey,
    UserId,
    course_id,
)
from lms_core.domain.instants import utc
from lms_core.domain.money import Money
from lms_core.domain.paging import PageRequest
from lms_core.domain.percent import Percent
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue, Refused
from lms_core.testing.strategies import money, object_keys, percents, scores

AT = datetime(2026, 3, 1, tzinfo=UTC)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any)


@given(money(), WEIGHTS)
@example(Money(-1, "EUR"), [1, 1])
def test_shares_add_up_and_none_is_a_unit_off(amount: Money, by: list[int]) -> None:
    shares = amount.split(*by)

    assert sum(share.minor for share in shares) == amount.minor
    for share, weight in zip(shares, by, strict=True):
        assert abs(share.minor * sum(by) - amount.minor * weight) < sum(by)
        assert weight or not share.minor


@pytest.mark.parametrize("by", [(), (0,), (1, -1), (2, -1), (0.5, 0.5), (True,)])
def test_money_is_shared_by_whole_weights(by: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValue):
        Money(10, "EUR").split(*by)


@pytest.mark.parametrize(
    ("minor", "currency"),
    [(1.0, "EUR"), (True, "EUR"), (2**53, "EUR"), (1, "eur"), (1, "EUR\n"), (1, None),
     (1, "ÉUR"), (None, "EUR")],
)  # fmt: skip
def test_what_is_no_money_is_refused(minor: object, currency: object) -> None:
    with pytest.raises(InvalidValue):
        Money(minor, currency)  # type: ignore[arg-type]


@given(percents())
def test_a_hundred_percent_is_shown_only_when_nothing_is_missing(
    share: Percent,
) -> None:
    assert (share.floor() == 100) == (share.of_one == 1)
    assert 0 <= share.of_one * 100 - share.floor() < 1


@pytest.mark.parametrize("junk", [0.5, 1, Fraction(-1, 9), Fraction(10, 9), None])
def test_what_is_no_share_is_refused(junk: object) -> None:
    with pytest.raises(InvalidValue):
        Percent(junk)  # type: ignore[arg-type]


@given(scores())
def test_the_share_of_a_score_is_cut_to_the_whole(score: Score) -> None:
    if not score.possible:
        assert score.percent is None
    else:
        expected = min(Fraction(1), score.earned / score.possible)
        assert score.percent == Percent(expected)


@pytest.mark.parametrize("junk", [(-1, 1), (1, -1), (0.5, 1), (1, 1.0), (True, 1)])
def test_what_is_no_score_is_refused(junk: tuple[int, int]) -> None:
    with pytest.raises(InvalidValue):
        Score.of(*junk)


@pytest.mark.parametrize("text", ["a", "0", "a-b", "a--b", "x" * 64])
def test_keys_are_what_they_were(text: str) -> None:
    assert course_id(text) == text
    assert LessonId.parse(f"{text}.b") == LessonId(CourseId(text), "b")
    assert str(LessonId.parse(f"a.{text}")) == f"a.{text}"


@pytest.mark.parametrize(
    "junk", ["", "-a", "a-", "A", "a b", "a\n", "é", "x" * 65, "a.b", "\u0663", None, 7]
)
def test_what_is_no_key_is_refused(junk: str) -> None:
    with pytest.raises(InvalidValue):
        course_id(junk)
    with pytest.raises(InvalidValue):
        LessonId(CourseId("a"), junk)


@pytest.mark.parametrize("junk", ["", "a", ".", "a.", ".a", "a.b.c"])
def test_what_is_no_lesson_is_refused(junk: str) -> None:
    with pytest.raises(InvalidValue):
        LessonId.parse(junk)


@given(object_keys())
def test_an_object_key_is_what_it_was_and_nests(key: ObjectKey) -> None:
    assert ObjectKey(str(key)) == key
    if len(str(key).encode()) < 990:
        assert str(key / "a") == f"{key}/a"


@pytest.mark.parametrize(
    "junk",
    ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a\\b", "a\nb", "a\0", "\ud800",
     "\u202e", "x" * 1001, "ü" * 501, None, b"a"],
    ids=lambda junk: ascii(junk)[:12],
)  # fmt: skip
def test_what_no_provider_takes_is_no_object_key(junk: str) -> None:
    with pytest.raises(InvalidValue):
        ObjectKey(junk)


def test_times_have_a_zone_and_are_kept_in_utc() -> None:
    elsewhere = timezone(timedelta(hours=2))

    assert utc(datetime(2026, 3, 1, 2, tzinfo=elsewhere)) == AT
    with pytest.raises(InvalidValue):
        utc(AT.replace(tzinfo=None))


@pytest.mark.parametrize("fields", [(0,), (201,), (True,), (1, ""), (1, "x" * 501)])
def test_a_page_has_bounds(fields: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValue):
        PageRequest(*fields)  # type: ignore[arg-type]


def test_a_decision_objects_to_everything_that_holds() -> None:
    no = Decision.unless(too_late=True, too_early=False, is_full=True)

    with pytest.raises(Refused) as caught:
        no.require()

    assert [reason.code for reason in caught.value.reasons] == ["too-late", "is-full"]
    Decision().require()


CERTIFICATE = Certificate(
    id=CertificateId("c"),
    enrollment=EnrollmentId("e"),
    learner=UserId("ann"),
    learner_name="Ann",
    course=CourseId("baking"),
    course_title="Baking",
    number=7,
    code="code",
    status_index=3,
    issued_at=AT,
)


def test_a_certificate_is_issued_as_it_stands() -> None:
    same, events = CERTIFICATE.issue()

    assert same == CERTIFICATE
    assert len(events) == 1
    assert CERTIFICATE.display_number == "2026-000007"
    assert evolve(CERTIFICATE, number=1_234_567).display_number == "2026-1234567"


def test_the_first_reason_of_a_revocation_stays() -> None:
    revoked, events = CERTIFICATE.revoke("copied", at=AT)

    assert (revoked.is_revoked, revoked.revocation_reason) == (True, "copied")
    assert len(events) == 1
    assert revoked.revoke("other", at=AT + timedelta(days=1)) == (revoked, ())


@pytest.mark.parametrize("reason", ["", " ", "x" * 501])
def test_a_revocation_needs_a_reason(reason: str) -> None:
    with pytest.raises(InvalidValue):
        CERTIFICATE.revoke(reason, at=AT)


@pytest.mark.parametrize("key", ["new", "import"])
def test_a_course_is_not_named_like_an_address(key: str) -> None:
    with pytest.raises(InvalidValue, match="reserved"):
        course_id(key)
