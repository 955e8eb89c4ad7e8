"""Certificates: issued once, true to their day, revocable for good."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from lms_core.application.issue_certificate import (
    IssueCertificate,
    ReadCertificate,
    RevokeCertificate,
    VerifyCertificate,
)
from lms_core.application.print_certificate import PrintCertificate
from lms_core.application.reactions.send_mails import SendMails
from lms_core.application.record_progress import ProgressReport, RecordProgress
from lms_core.application.take_quiz import StartAttempt, SubmitAttempt
from lms_core.application.update_user import UpdateUser
from lms_core.application.view_gradebook import OverrideGrade
from lms_core.domain.events import Envelope
from lms_core.domain.grading.policy import Category, GradingPolicy
from lms_core.domain.ids import EventId
from lms_core.domain.people.user import Role, RoleGrant
from lms_core.domain.percent import Percent
from lms_core.domain.score import Score
from lms_core.errors import InvalidValue, NotFound, Refused

RIGHT = {"q1": ["a"], "q2": ["a"]}


def finish(world: Any, actor: Any, answers: Any = None) -> None:
    world.use(RecordProgress)(actor, world.INTRO, ProgressReport(read=True))
    attempt = world.use(StartAttempt)(actor, world.QUIZ)
    world.use(SubmitAttempt)(actor, attempt.id, answers or RIGHT, revision=1)


def certificates(world: Any, actor: Any) -> tuple[Any, ...]:
    found = world.use(ReadCertificate).of_learner(actor, actor.user).items
    return tuple(found)


@pytest.fixture
def finished(world: Any, content: Callable[..., Any]) -> Any:
    """Return a platform where ada has finished the course."""
    world.publish(content())
    ada = world.learner()
    finish(world, ada)
    world.drain()
    return world


def test_finishing_everything_earns_one_certificate(finished: Any) -> None:
    ada = finished.actor("ada")

    [certificate] = certificates(finished, ada)

    assert certificate.learner_name == "Ada"
    assert certificate.grade == 1
    assert finished.place(ada).completed_at is not None


def test_duplicate_events_and_parallel_workers_issue_it_once(finished: Any) -> None:
    ada = finished.actor("ada")
    place, barrier, found = finished.place(ada), Barrier(4), []

    def work() -> None:
        barrier.wait()
        found.append(finished.use(IssueCertificate)(place.id).number)

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert found == [1] * 4
    assert len(certificates(finished, ada)) == 1


def test_nothing_is_issued_before_the_course_is_done(
    world: Any, content: Callable[..., Any]
) -> None:
    world.publish(content())
    ada = world.learner()

    assert world.use(IssueCertificate)(world.place(ada).id) is None
    with pytest.raises(NotFound):
        world.use(IssueCertificate)("no-such-place")


def test_a_certificate_keeps_the_name_of_its_day(finished: Any) -> None:
    ada = finished.actor("ada")

    finished.use(UpdateUser)(ada, ada.user, name="Ada Lovelace")

    [certificate] = certificates(finished, ada)
    assert certificate.learner_name == "Ada"


def test_anybody_verifies_by_code_and_nobody_by_guessing(finished: Any) -> None:
    [certificate] = certificates(finished, finished.actor("ada"))
    verify = finished.use(VerifyCertificate)

    assert verify(certificate.code) == certificate
    for code in ("", "x", certificate.code[:-1], certificate.code + "1", "é" * 30):
        with pytest.raises(NotFound):
            verify(code)


def test_a_revoked_certificate_says_so_and_is_printed_no_more(finished: Any) -> None:
    [certificate] = certificates(finished, finished.actor("ada"))
    admin = finished.person("root", RoleGrant(Role.ADMIN))
    revoke = finished.use(RevokeCertificate)

    first = revoke(admin, certificate.id, "issued by mistake")
    again = revoke(admin, certificate.id, "another reason")

    assert again.revocation_reason == first.revocation_reason == "issued by mistake"
    assert finished.use(VerifyCertificate)(certificate.code).is_revoked
    with pytest.raises(Refused, match="certificate-revoked"):
        finished.use(PrintCertificate).pdf(again)


def test_only_who_may_revokes_and_with_a_reason(finished: Any) -> None:
    ada = finished.actor("ada")
    [certificate] = certificates(finished, ada)
    admin = finished.person("root", RoleGrant(Role.ADMIN))

    with pytest.raises(Refused):
        finished.use(RevokeCertificate)(ada, certificate.id, "mine")
    with pytest.raises(InvalidValue):
        finished.use(RevokeCertificate)(admin, certificate.id, "  ")

    assert not finished.use(VerifyCertificate)(certificate.code).is_revoked


def test_the_certificates_of_others_do_not_exist(finished: Any) -> None:
    [certificate] = certificates(finished, finished.actor("ada"))
    bob = finished.learner("bob")

    with pytest.raises(NotFound):
        finished.use(ReadCertificate)(bob, certificate.id)
    with pytest.raises(Refused):
        finished.use(ReadCertificate).of_learner(bob, "ada")


def test_a_revoked_certificate_is_not_mailed(finished: Any) -> None:
    [certificate] = certificates(finished, finished.actor("ada"))
    admin = finished.person("root", RoleGrant(Role.ADMIN))
    finished.use(RevokeCertificate)(admin, certificate.id, "mistake")
    sent = len(finished.mailer.sent)
    issued = certificate.issue()[1][0]

    finished.use(SendMails)(Envelope(id=EventId("late"), event=issued))

    assert len(finished.mailer.sent) == sent


@pytest.fixture
def strict(world: Any, content: Callable[..., Any]) -> Any:
    """Return a course that asks for more than its quiz does."""
    root = Category(
        key="course",
        title="Course",
        categories=(Category(key="quizzes", title="Quizzes"),),
    )
    policy = GradingPolicy(root=root, pass_mark=Percent.of(9, 10))
    world.publish(content(grading=policy))
    return world


def test_too_low_a_grade_earns_none_and_a_better_one_does_after_all(
    strict: Any,
) -> None:
    ada = strict.learner()
    finish(strict, ada, {"q1": ["a"], "q2": ["b"]})
    strict.drain()
    assert strict.place(ada).completed_at is not None
    assert certificates(strict, ada) == ()

    attempt = strict.use(StartAttempt)(ada, strict.QUIZ)
    strict.use(SubmitAttempt)(ada, attempt.id, RIGHT, revision=1)
    strict.drain()

    assert len(certificates(strict, ada)) == 1


def test_a_grade_lowered_later_takes_nothing_back(strict: Any) -> None:
    ada = strict.learner()
    finish(strict, ada)
    strict.drain()
    teacher = strict.actor("teacher-of-streaming")

    strict.use(OverrideGrade)(teacher, ada.user, strict.QUIZ, score=Score.of(0, 2))
    strict.drain()

    [certificate] = certificates(strict, ada)
    assert not certificate.is_revoked
    assert strict.place(ada).grade == 0
