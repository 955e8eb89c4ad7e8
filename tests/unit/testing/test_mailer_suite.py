"""The suites of Mailer and SmsSender tell broken senders from good ones."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from lms_core.testing.mailer import MailerConformance
from lms_core.testing.sms_sender import SmsSenderConformance

SUITE, SMS = MailerConformance(), SmsSenderConformance()


class Broken:
    """Loses attachments, cuts text, and sends once at most or every time."""

    def __init__(self, *, every_time: bool) -> None:
        self.sent: list[Any] = []
        self.every_time = every_time

    def send(self, message: Any, *, idempotency_key: str) -> None:
        del idempotency_key
        cut = evolve(message, text=message.text[:20])
        if hasattr(message, "attachments"):
            cut = evolve(cut, attachments=(), subject=message.subject.split("=?")[0])
        if self.every_time or not self.sent:
            self.sent.append(cut)


def test_broken_senders_are_found_out() -> None:
    once, always = Broken(every_time=False), Broken(every_time=True)
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SUITE.test_a_mail_arrives_as_it_was_written(always, lambda: once.sent),
        lambda: SUITE.test_attachments_arrive_byte_for_byte(
            always, lambda: always.sent[-1:]
        ),
        lambda: SUITE.test_long_and_odd_text_arrives(always, lambda: always.sent[-1:]),
        lambda: SUITE.test_encoded_words_in_a_subject_are_text(
            always, lambda: always.sent[-1:], "a=?utf-8?q?x?="
        ),
        lambda: SUITE.test_one_key_sends_once_where_the_provider_can_tell(
            always, lambda: always.sent
        ),
        lambda: SUITE.test_other_keys_are_other_mails(once, lambda: once.sent),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()


def test_broken_sms_senders_are_found_out() -> None:
    once, always = Broken(every_time=False), Broken(every_time=True)
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SMS.test_a_message_arrives_as_it_was_written(
            always, lambda: always.sent
        ),
        lambda: SMS.test_one_key_sends_once_where_the_provider_can_tell(
            always, lambda: always.sent
        ),
        lambda: SMS.test_other_keys_are_other_messages(once, lambda: once.sent),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()
