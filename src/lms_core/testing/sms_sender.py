"""The contract of `SmsSender`, one test a clause."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from lms_core.ports.sms_sender import SmsSender, TextMessage
from lms_core.testing.suite import ConformanceSuite

MESSAGE = TextMessage(to="+4930123456", text="Your code: 123\nGrüße \U0001f600")


class SmsSenderConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `sender` and `delivered`.

    `delivered()` returns what has gone out, in order, as `TextMessage`.
    """

    tells_repeats: ClassVar[bool] = True  # an adapter whose provider cannot says so

    def test_a_message_arrives_as_it_was_written(
        self, sender: SmsSender, delivered: Callable[[], Sequence[TextMessage]]
    ) -> None:
        """Number and text survive the journey, up to the longest."""
        long = TextMessage(to="+1234567", text="é" * 1600)
        sender.send(MESSAGE, idempotency_key="code-1")
        sender.send(long, idempotency_key="code-2")

        assert list(delivered()) == [MESSAGE, long]

    def test_one_key_sends_once_where_the_provider_can_tell(
        self, sender: SmsSender, delivered: Callable[[], Sequence[TextMessage]]
    ) -> None:
        """A repeated key adds no second message, or the adapter says it may."""
        for _ in range(2):
            sender.send(MESSAGE, idempotency_key="code-1")

        assert len(delivered()) == (1 if self.tells_repeats else 2)

    def test_other_keys_are_other_messages(
        self, sender: SmsSender, delivered: Callable[[], Sequence[TextMessage]]
    ) -> None:
        """The same text under two keys is sent twice, however keys look."""
        keys = ["a", "A", "a/b", "a_b", "../a", "x" * 300, "x" * 301, "é", "a b", ""]
        for key in keys:
            sender.send(MESSAGE, idempotency_key=key)

        assert len(delivered()) == len(keys)
