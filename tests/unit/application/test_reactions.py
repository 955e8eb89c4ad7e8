"""What follows from events, end to end, exactly once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from lms_core.application.issue_certificate import ReadCertificate
from lms_core.application.place_order import PlaceOrder, RecordPayment
from lms_core.application.reactions.react import React
from lms_core.application.recompute_course import RecomputeCourse
from lms_core.application.recompute_learners import RecomputeLearners
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.relay_outbox import RelayOutbox, from_message, to_message
from lms_core.application.sweep import Sweep
from lms_core.application.take_quiz import StartAttempt, SubmitAttempt
from lms_core.domain.events import CoursePublished
from lms_core.domain.money import Money
from lms_core.domain.paging import MOST_ITEMS
from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.message_queue import Message
from lms_sandbox.cards import CARDS

PRICE = Money(4900, "EUR")


def learn_everything(world: Any) -> Any:
    """Buy the course, read, and pass the quiz."""
    ada = world.person("ada")
    order = world.use(PlaceOrder)(ada, world.COURSE, "EUR").order
    world.gateway.state.pay(
        order.checkout, CARDS["4242424242424242"], at=world.clock.now()
    )
    world.use(RecordPayment).from_gateway(order.id)
    world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))
    attempt = world.use(StartAttempt)(ada, world.QUIZ)
    answers = {"q1": ["a"], "q2": ["a"]}
    world.use(SubmitAttempt)(ada, attempt.id, answers, revision=1)
    return ada


@pytest.fixture
def shop(world: Any, content: Callable[..., Any]) -> Any:
    world.publish(content(prices=(PRICE,)))
    return world


def test_a_passed_quiz_ends_in_a_certificate_and_each_mail_is_sent_once(
    shop: Any,
) -> None:
    ada = learn_everything(shop)

    shop.drain()

    assert shop.place(ada).status == "completed"
    assert len(shop.use(ReadCertificate).of_learner(ada, ada.user).items) == 1
    subjects = sorted(mail.subject for mail in shop.mailer.sent.values())
    assert len(subjects) == 2  # the receipt and the certificate
    with_files = [m for m in shop.mailer.sent.values() if m.attachments]
    assert len(with_files) == 1
    assert with_files[0].attachments[0].data.startswith(b"%PDF")


def test_every_event_again_and_in_reverse_changes_nothing(shop: Any) -> None:
    ada = learn_everything(shop)
    seen = []
    relay, react = shop.use(RelayOutbox), shop.use(React)
    while relay() or shop.events_queue.depth().ready:
        for delivery in shop.events_queue.receive(limit=10):
            seen.append(from_message(delivery.message))
            react(seen[-1])
            shop.events_queue.acknowledge([delivery])
    before = (shop.place(ada), len(shop.mailer.sent))

    for envelope in reversed(seen):
        react(envelope)
    shop.drain()

    assert (shop.place(ada).status, len(shop.mailer.sent)) == (
        before[0].status,
        before[1],
    )
    assert len(shop.use(ReadCertificate).of_learner(ada, ada.user).items) == 1


def test_a_course_completes_once(shop: Any) -> None:
    ada = learn_everything(shop)
    recompute = shop.use(RecomputeCourse)

    for _ in range(3):
        recompute(ada.user, shop.COURSE)

    names = [type(each.event).__name__ for each in shop.events()]
    assert names.count("EnrollmentCompleted") == 1
    assert names.count("LessonCompleted") == 2


def test_what_was_earned_stays_when_the_course_grows(
    shop: Any, content: Callable[..., Any], question: Callable[..., Any]
) -> None:
    ada = learn_everything(shop)
    shop.drain()

    def grown(_: Any) -> Any:
        return content(prices=(PRICE,), quiz={"questions": (question("q9"),)})

    shop.republish(grown)
    shop.use(RecomputeCourse)(ada.user, shop.COURSE)

    assert shop.place(ada).status == "completed"
    assert shop.place(ada).progress.floor() == 100


def test_a_relay_that_dies_before_marking_sends_again_under_the_same_id(
    shop: Any,
) -> None:
    learn_everything(shop)
    first = shop.events()
    shop.events_queue.send([to_message(envelope) for envelope in first])

    shop.drain()

    assert len([m for m in shop.mailer.sent.values() if m.attachments]) == 1


@pytest.mark.parametrize("body", ["", "[]", "{", '{"id":"x"}', "[" * 100_000])
def test_a_message_that_is_no_event_says_so(body: str) -> None:
    with pytest.raises(InvalidValue):
        from_message(Message(body=body))


def test_an_order_that_the_gateway_does_not_know_holds_up_nothing(
    shop: Any, content: Callable[..., Any]
) -> None:
    shop.publish(content(days=1), "short")
    bob = shop.person("bob")
    lost = shop.use(PlaceOrder)(bob, shop.COURSE, "EUR").order
    with shop.start() as work:
        work.orders.save(evolve(work.orders.get(lost.id), checkout="gone"))
        work.commit()
    ada = shop.person("ada")
    order = shop.use(PlaceOrder)(ada, shop.COURSE, "EUR").order
    shop.gateway.state.pay(
        order.checkout, CARDS["4242424242424242"], at=shop.clock.now()
    )
    shop.clock.advance(timedelta(minutes=11))

    with pytest.raises(NotFound):
        shop.use(Sweep)()

    assert shop.place(ada).lets_in


def test_places_whose_time_is_over_are_closed(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content(days=1))
    ada = world.learner()
    assert world.use(Sweep)().enrollments == 0

    world.clock.advance(timedelta(days=1))

    assert world.use(Sweep)().enrollments == 1
    assert world.place(ada).status == "expired"


def test_who_has_finished_all_that_is_left_of_a_course_completes_it(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada, bob = world.learner("ada"), world.learner("bob")
    world.use(RecordProgress)(ada, world.INTRO, ProgressReport(read=True))
    world.drain()
    assert world.place(ada).status == "active"

    def without_quiz(course: Any) -> Any:
        def shown(module: Any) -> Any:
            lessons = tuple(
                lesson
                if lesson.key == world.INTRO.key
                else evolve(lesson, required=False)
                for lesson in module.lessons
            )
            return evolve(module, lessons=lessons)

        return evolve(course, modules=tuple(shown(each) for each in course.modules))

    world.republish(without_quiz)
    world.drain()

    assert world.place(ada).status == "completed"
    assert world.place(bob).status == "active"
    assert len(world.use(ReadCertificate).of_learner(ada, ada.user).items) == 1


def test_a_course_published_twice_over_asks_for_each_learner_once(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    for number in range(MOST_ITEMS + 1):
        world.learner(f"learner-{number}")
    world.drain()
    published = CoursePublished(course=world.COURSE, number=2, at=world.clock.now())

    told = [world.use(RecomputeLearners)(published) for _ in range(2)]

    assert told == [MOST_ITEMS + 1] * 2
    assert len(world.events()) == MOST_ITEMS + 1
