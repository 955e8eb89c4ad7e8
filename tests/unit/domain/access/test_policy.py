"""Who may do what: the whole table, and nothing beside it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.access.conditions import Condition, Enrolled, HasRole, Not, judge
from lms_core.domain.access.facts import Facts
from lms_core.domain.access.policy import (
    NOBODY,
    NOTHING,
    PERMISSIONS,
    Action,
    Actor,
    Resource,
    decide,
)
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_core.testing.strategies import conditions, facts, instants, users

AT = datetime(2026, 3, 1, tzinfo=UTC)
ANN, BOB = UserId("ann"), UserId("bob")
BAKING, SEWING = CourseId("baking"), CourseId("sewing")

ACTORS = {
    "student": Actor(user=ANN),
    "teacher": Actor(user=ANN, grants=(RoleGrant(Role.INSTRUCTOR, BAKING),)),
    "instructor": Actor(user=ANN, grants=(RoleGrant(Role.INSTRUCTOR),)),
    "admin": Actor(user=ANN, grants=(RoleGrant(Role.ADMIN),)),
    "course admin": Actor(user=ANN, grants=(RoleGrant(Role.ADMIN, BAKING),)),
}
RESOURCES = {
    "o": Resource(owner=ANN, course=SEWING),  # one's own, on another's course
    "t": Resource(owner=BOB, course=BAKING),  # another's, on the course one teaches
    "x": Resource(owner=BOB, course=SEWING),  # another's, elsewhere
    "n": NOTHING,
}

# Which of the four resources each actor may do the action to.
GOLDEN = {
    #                      student teacher instructor admin course admin
    "users.read": ("o", "o", "o", "otxn", "o"),
    "users.update": ("o", "o", "o", "otxn", "o"),
    "users.list": ("", "", "", "otxn", ""),
    "roles.grant": ("", "", "", "otxn", ""),
    "courses.create": ("", "", "otxn", "otxn", ""),
    "courses.edit": ("", "t", "", "otxn", ""),
    "courses.publish": ("", "t", "", "otxn", ""),
    "courses.preview": ("", "t", "", "otxn", ""),
    "media.upload": ("", "t", "", "otxn", ""),
    "enrollments.enroll": ("o", "o", "o", "o", "o"),
    "enrollments.withdraw": ("o", "o", "o", "otxn", "o"),
    "enrollments.manage": ("", "t", "", "otxn", ""),
    "lessons.open": ("o", "o", "o", "otxn", "o"),
    "progress.record": ("o", "o", "o", "o", "o"),
    "progress.read": ("o", "ot", "o", "otxn", "o"),
    "attempts.start": ("o", "o", "o", "o", "o"),
    "attempts.answer": ("o", "o", "o", "o", "o"),
    "attempts.read": ("o", "ot", "o", "otxn", "o"),
    "grades.read": ("o", "ot", "o", "otxn", "o"),
    "gradebook.read": ("", "t", "", "otxn", ""),
    "grades.override": ("", "t", "", "otxn", ""),
    "orders.buy": ("o", "o", "o", "o", "o"),
    "orders.read": ("o", "o", "o", "otxn", "o"),
    "orders.refund": ("", "", "", "otxn", ""),
    "certificates.read": ("o", "ot", "o", "otxn", "o"),
    "certificates.revoke": ("", "", "", "otxn", ""),
    "queues.manage": ("", "", "", "otxn", ""),
    "reports.read": ("", "", "", "otxn", ""),
}


@pytest.mark.parametrize("action", Action)
def test_the_table_allows_exactly_this(action: Action) -> None:
    found = tuple(
        "".join(
            name
            for name, resource in RESOURCES.items()
            if decide(actor, action, resource, at=AT)
        )
        for actor in ACTORS.values()
    )

    assert found == GOLDEN[action]


def test_the_golden_table_is_complete() -> None:
    assert set(GOLDEN) == {action.value for action in Action}
    assert {action for _, action, _ in PERMISSIONS} == set(Action)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("resource", RESOURCES.values())
def test_nobody_and_the_suspended_may_do_nothing(
    action: Action, resource: Resource
) -> None:
    admin = Actor(user=ANN, grants=(RoleGrant(Role.ADMIN),), suspended=True)

    for actor, code in [(NOBODY, "sign-in-required"), (admin, "account-suspended")]:
        refused = decide(actor, action, resource, at=AT)
        assert [reason.code for reason in refused.objections] == [code]


@given(users(), conditions(), facts(), instants(), st.sampled_from([BAKING, SEWING]))
def test_only_previewers_pass_a_condition_without_meeting_it(
    user: User, condition: Condition, known: Facts, at: datetime, course: CourseId
) -> None:
    actor = Actor.of(user)
    lesson = Resource(owner=user.id, course=course, condition=condition, facts=known)

    decision = decide(actor, Action.OPEN_LESSON, lesson, at=at)

    previews = decide(actor, Action.PREVIEW_COURSE, Resource(course=course), at=at)
    if user.suspended:
        assert not decision
    elif previews:
        assert decision
    else:
        assert decision == judge(condition, known, at)


def test_without_facts_a_condition_asks_of_somebody_unknown() -> None:
    lesson = Resource(owner=ANN, course=BAKING, condition=Enrolled())

    assert not decide(Actor(user=ANN), Action.OPEN_LESSON, lesson, at=AT)


@pytest.mark.parametrize(
    ("grants", "roles"),
    [
        ((), {"student"}),
        ((RoleGrant(Role.INSTRUCTOR),), {"student"}),
        ((RoleGrant(Role.INSTRUCTOR, BAKING),), {"student", "instructor"}),
        ((RoleGrant(Role.INSTRUCTOR, SEWING),), {"student"}),
        ((RoleGrant(Role.ADMIN),), {"student", "admin"}),
    ],
)
def test_conditions_see_the_roles_of_the_course(
    grants: tuple[RoleGrant, ...], roles: set[str]
) -> None:
    found = Actor(user=ANN, grants=grants).roles_on(BAKING)

    assert found == roles
    no_teachers = Not(of=HasRole(role="instructor"))
    assert bool(judge(no_teachers, Facts(roles=found), AT)) == (
        "instructor" not in roles
    )


def test_somebody_not_signed_in_has_no_role() -> None:
    assert NOBODY.roles_on(BAKING) == frozenset()
