"""The contract of `Mailer`, one test a clause."""

from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest
from attrs import evolve

from lms_core.ports.mailer import Attachment, Mail, Mailer
from lms_core.testing.suite import ConformanceSuite

MAIL = Mail(
    to="anna@example.test",
    subject="Your receipt № 7, größer",
    text="Grüße,\nthe school\n.\n..dots",
    html="<p>Grüße,<br>the school</p>",
)


class MailerConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `mailer` and `delivered`.

    `delivered()` returns what has gone out, in order, read back as `Mail`;
    newlines at the end of a body do not count.
    """

    tells_repeats: ClassVar[bool] = True  # an adapter whose provider cannot says so

    def test_a_mail_arrives_as_it_was_written(
        self, mailer: Mailer, delivered: Callable[[], Sequence[Mail]]
    ) -> None:
        """Address, subject and both bodies survive the journey."""
        mailer.send(MAIL, idempotency_key="receipt-1")

        assert list(delivered()) == [MAIL]

    def test_attachments_arrive_byte_for_byte(
        self, mailer: Mailer, delivered: Callable[[], Sequence[Mail]]
    ) -> None:
        """Names, types and bytes are kept, whatever the bytes are."""
        files = (
            Attachment(
                filename="Zeugnis März.pdf",
                content_type="application/pdf",
                data=bytes(range(256)) * 40,
            ),
            Attachment(filename="a.txt", content_type="text/plain", data=b"a\r\n.\nb"),
        )
        mailer.send(evolve(MAIL, attachments=files), idempotency_key="receipt-1")

        (mail,) = delivered()
        assert mail.attachments == files

    def test_long_and_odd_text_arrives(
        self, mailer: Mailer, delivered: Callable[[], Sequence[Mail]]
    ) -> None:
        """Long lines and long subjects are not cut, nor read as commands."""
        odd = evolve(
            MAIL,
            subject="é" * 200 + " Bcc: eve@example.test =?utf-8?q?x?=",
            text="x" * 3000 + "\nFrom here\n\U0001f600",
        )
        mailer.send(odd, idempotency_key="odd")

        assert list(delivered()) == [odd]

    @pytest.mark.parametrize(
        "subject",
        [
            "=?utf-8?q?x=0D=0ABcc:_eve@example.test?=",
            "Re: =?utf-8?b?eA0KQmNjOiBldmVAZXhhbXBsZS50ZXN0?= and more",
            "=?utf-8?q?" + "é" * 280,
        ],
    )
    def test_encoded_words_in_a_subject_are_text(
        self,
        mailer: Mailer,
        delivered: Callable[[], Sequence[Mail]],
        subject: str,
    ) -> None:
        """Nothing is decoded on the way out, so no subject adds a header."""
        odd = evolve(MAIL, subject=subject)
        mailer.send(odd, idempotency_key="odd")

        assert list(delivered()) == [odd]

    def test_one_key_sends_once_where_the_provider_can_tell(
        self, mailer: Mailer, delivered: Callable[[], Sequence[Mail]]
    ) -> None:
        """A repeated key adds no second mail, or the adapter says it may."""
        for _ in range(2):
            mailer.send(MAIL, idempotency_key="receipt-1")

        assert len(delivered()) == (1 if self.tells_repeats else 2)

    def test_other_keys_are_other_mails(
        self, mailer: Mailer, delivered: Callable[[], Sequence[Mail]]
    ) -> None:
        """The same mail under two keys is sent twice, however keys look."""
        keys = ["a", "A", "a/b", "a_b", "../a", "x" * 300, "x" * 301, "é", "a b", ""]
        for key in keys:
            mailer.send(MAIL, idempotency_key=key)

        assert len(delivered()) == len(keys)
