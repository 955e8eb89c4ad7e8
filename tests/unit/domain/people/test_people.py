"""People: names and addresses in one form, sessions that notice theft."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lms_core.domain.ids import CourseId, SessionId, UserId
from lms_core.domain.people.session import RETRY_GRACE, Refresh, Session
from lms_core.domain.people.user import Role, User, display_name, normal_email
from lms_core.errors import InvalidValue

AT = datetime(2026, 3, 1, tzinfo=UTC)
SESSION = Session(
    id=SessionId("s"),
    user=UserId("ann"),
    digest="d0",
    started_at=AT,
    rotated_at=AT,
    expires_at=AT + timedelta(days=30),
)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (" Ann@Example.ORG ", "ann@example.org"),
        ("\uff21nn\uff20example.org", "ann@example.org"),
        ("u\u0308@x", "\u00fc@x"),
        ("a+b.c@x-y.z", "a+b.c@x-y.z"),
    ],
)
def test_an_address_has_one_form(text: str, normal: str) -> None:
    assert normal_email(text) == normal


@given(st.text("aA@.\u0130\u00df\uff20+ -", max_size=12) | st.emails())
def test_the_form_of_an_address_is_its_own_form(text: str) -> None:
    try:
        normal = normal_email(text)
    except InvalidValue:
        return

    assert normal_email(normal) == normal
    assert normal.count("@") == 1


@pytest.mark.parametrize(
    "junk",
    ["", "ann", "@x", "a@", "a@b@c", "a b@x", "a@x..y", "a@.x", "a@x.", "a\r\n@x",
     "a\0@x", "a\u202e@x", "\ud800@x", "<a@x>", "a,b@x", "a" * 65 + "@x",
     "a@" + "x" * 300,
     "a@" + "x." * 200_000, "\ufdfa" * 100_000],
    ids=lambda junk: ascii(junk[:12]),
)  # fmt: skip
def test_what_is_no_address_is_refused(junk: str) -> None:
    with pytest.raises(InvalidValue):
        normal_email(junk)


@given(st.text(max_size=10))
@example("\U0001f469\u200d\U0001f373")
def test_a_name_shows_something_on_one_line(text: str) -> None:
    try:
        name = display_name(text)
    except InvalidValue:
        return

    assert display_name(name) == name
    assert name.splitlines() == [name]
    assert name == name.strip()


@pytest.mark.parametrize(
    "junk",
    ["", " ", "\u200b", "\u200d\u200d", "\u0301", "a\nb", "a\0", "\u202eadmin",
     "\ud800", "a" * 121],
    ids=ascii,
)  # fmt: skip
def test_a_name_that_shows_nothing_or_deceives_is_refused(junk: str) -> None:
    with pytest.raises(InvalidValue):
        display_name(junk)


def test_nobody_registers_with_a_role_and_a_role_is_given_once() -> None:
    user, events = User.register(UserId("ann"), email="Ann@x", name=" Ann ", at=AT)
    teacher, granted = user.grant(Role.INSTRUCTOR, CourseId("baking"), at=AT)

    assert (user.email, user.name, user.grants, len(events)) == ("ann@x", "Ann", (), 1)
    assert len(granted) == len(teacher.grants) == 1
    assert teacher.grant(Role.INSTRUCTOR, CourseId("baking"), at=AT) == (teacher, ())


def test_a_refresh_token_works_once() -> None:
    later = AT + timedelta(hours=1)
    first, how = SESSION.refresh("d0", "d1", at=AT)
    second, again = first.refresh("d1", "d2", at=later)

    assert how is again is Refresh.ROTATED
    assert (second.digest, second.previous, second.rotated_at) == ("d2", "d1", later)


def test_a_lost_answer_can_be_asked_for_again_within_the_grace_and_no_longer() -> None:
    first, _ = SESSION.refresh("d0", "d1", at=AT)
    nearly = AT + RETRY_GRACE - timedelta(microseconds=1)

    retried, how = first.refresh("d0", "d1b", at=nearly)

    assert (how, retried.digest) == (Refresh.ROTATED, "d1b")
    stolen, outcome = retried.refresh("d0", "d1c", at=AT + RETRY_GRACE)
    assert outcome is Refresh.STOLEN
    assert not stolen.is_live(AT)


@pytest.mark.parametrize("presented", ["d0", "unknown", ""])
def test_a_replaced_or_unknown_token_ends_the_session(presented: str) -> None:
    first, _ = SESSION.refresh("d0", "d1", at=AT)

    ended, how = first.refresh(presented, "d2", at=AT + RETRY_GRACE)

    assert how is Refresh.STOLEN
    assert ended.refresh("d1", "d3", at=AT + RETRY_GRACE) == (ended, Refresh.ENDED)


def test_a_session_ends_exactly_when_it_expires_and_keeps_its_first_end() -> None:
    ended = SESSION.end(at=AT)

    assert SESSION.is_live(SESSION.expires_at - timedelta(microseconds=1))
    assert SESSION.refresh("d0", "d1", at=SESSION.expires_at)[1] is Refresh.ENDED
    assert ended.end(at=AT + timedelta(days=1)) == ended
