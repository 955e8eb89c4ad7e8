"""Places on courses: free, bulk, scarce, given up."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest

from lms_core.application.enroll_learner import EnrollLearner
from lms_core.application.enroll_learners import EnrollLearners
from lms_core.application.withdraw_learner import WithdrawLearner
from lms_core.domain.access.policy import NOBODY
from lms_core.domain.money import Money
from lms_core.errors import InvalidDocument, LmsError, NotFound, Refused


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def test_enrolling_again_returns_the_same_place(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada = world.person("ada")

    first = world.use(EnrollLearner)(ada, world.COURSE)
    again = world.use(EnrollLearner)(ada, world.COURSE)

    assert first.lets_in
    assert again.id == first.id


def test_the_last_seat_goes_once(world: Any, content: Callable[..., Any]) -> None:
    world.publish(content(seats=1))
    people = [world.person(f"learner-{n}") for n in range(8)]
    ready, answers = Barrier(len(people)), []

    def try_to_enroll(actor: Any) -> None:
        ready.wait()
        try:
            answers.append(world.use(EnrollLearner)(actor, world.COURSE).lets_in)
        except Refused as refused:
            answers.append(refused.reasons[0].code)

    threads = [Thread(target=try_to_enroll, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, answers)) == ["True", *["course-is-full"] * 7]
    assert sum(world.place(actor) is not None for actor in people) == 1


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"prices": (Money(4900, "EUR"),)}, "payment-required"),
        ({"seats": 0}, "course-is-full"),
    ],
)
def test_a_refused_enrollment_changes_nothing(
    world: Any, content: Callable[..., Any], settings: Any, code: str
) -> None:
    world.publish(content(**settings))
    ada = world.person("ada")
    before = world.events()

    with pytest.raises(Refused) as refused:
        world.use(EnrollLearner)(ada, world.COURSE)

    assert codes(refused) == [code]
    assert world.place(ada) is None
    assert world.events() == before


def test_nobody_enrolls_without_an_account_or_on_what_is_not_there(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())

    with pytest.raises(Refused) as refused:
        world.use(EnrollLearner)(NOBODY, world.COURSE)
    with pytest.raises(NotFound):
        world.use(EnrollLearner)(world.person("ada"), "nothing-there")

    assert codes(refused) == ["sign-in-required"]


def test_an_admin_does_not_enroll_in_the_name_of_others(
    world: Any, content: Callable[..., Any]
) -> None:
    teacher = world.publish(content())
    ada = world.person("ada")

    with pytest.raises(Refused) as refused:
        world.use(EnrollLearners)(ada, world.COURSE, [teacher.user])

    assert codes(refused) == ["not-permitted"]


def test_a_place_given_up_frees_its_seat_and_can_be_taken_again(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content(seats=1))
    ada, bob = world.learner("ada"), world.person("bob")

    ended = world.use(WithdrawLearner)(ada, ada.user, world.COURSE)
    again = world.use(WithdrawLearner)(ada, ada.user, world.COURSE)
    taken = world.use(EnrollLearner)(bob, world.COURSE)

    assert not ended.lets_in
    assert again.status == ended.status
    assert taken.lets_in


def test_nobody_gives_up_the_place_of_another(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada, bob = world.learner("ada"), world.person("bob")

    with pytest.raises(Refused):
        world.use(WithdrawLearner)(bob, ada.user, world.COURSE)

    assert world.place(ada).lets_in


def test_several_learners_come_in_together_or_not_at_all(
    world: Any, content: Callable[..., Any]
) -> None:
    teacher = world.publish(content(seats=2))
    people = [world.person(f"learner-{n}") for n in range(3)]
    ids = [each.user for each in people]

    with pytest.raises(Refused) as refused:
        world.use(EnrollLearners)(teacher, world.COURSE, ids)
    assert codes(refused) == ["course-is-full"]
    assert [world.place(each) for each in people] == [None] * 3

    places = world.use(EnrollLearners)(teacher, world.COURSE, ids, beyond_seats=True)
    assert [place.learner for place in places] == ids
    with world.start(read_only=True) as work:
        row = work.audit.page().items[0]
    assert (row.actor, row.details["beyond_seats"]) == (teacher.user, "yes")


@pytest.mark.parametrize("named", [[], ["nobody"], ["ada", "ada"], ["ada"] * 201])
def test_whom_a_teacher_adds_must_be_known_and_named_once(
    world: Any, content: Callable[..., Any], named: list[str]
) -> None:
    teacher = world.publish(content())
    ada = world.person("ada")

    with pytest.raises(InvalidDocument):
        world.use(EnrollLearners)(teacher, world.COURSE, named)

    assert world.place(ada) is None


def test_a_teacher_adds_learners_only_to_her_own_course(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    other = world.publish(content(), "another")
    ada = world.person("ada")

    with pytest.raises(LmsError):
        world.use(EnrollLearners)(other, world.COURSE, [ada.user])

    assert world.place(ada) is None


def test_access_for_days_ends_after_them(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content(days=30))

    place = world.place(world.learner())

    assert place.expires_at == world.clock.now() + timedelta(days=30)
