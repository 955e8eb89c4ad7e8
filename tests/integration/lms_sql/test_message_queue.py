"""Queues in SQLite and PostgreSQL keep the contract of MessageQueue."""

from collections.abc import Iterator

import pytest

from lms_core.errors import ConfigurationError
from lms_core.ports.message_queue import MessageQueue
from lms_core.registry import Wiring
from lms_core.testing.message_queue import MessageQueueConformance
from lms_sql.message_queue import open_message_queue


def _opened(url: str, wiring: Wiring, *options: str) -> Iterator[MessageQueue]:
    mark = "&" if "?" in url else "?"
    with open_message_queue(f"{url}{mark}{'&'.join(options)}", wiring) as queue:
        yield queue


class TestSqliteQueue(MessageQueueConformance):
    @pytest.fixture
    def queue(self, sqlite: str, wiring: Wiring) -> Iterator[MessageQueue]:
        yield from _opened(sqlite, wiring, "queue=events", "max_deliveries=3")


class TestPostgresqlQueue(MessageQueueConformance):
    @pytest.fixture
    def queue(self, postgresql: str, wiring: Wiring) -> Iterator[MessageQueue]:
        yield from _opened(postgresql, wiring, "queue=events", "max_deliveries=3")


@pytest.mark.parametrize(
    "option",
    ["max_deliveries=0", "max_deliveries=x", "que=a", "queue=", "queue=a&queue=b"],
)
def test_a_wrong_option_is_refused(sqlite: str, wiring: Wiring, option: str) -> None:
    with pytest.raises(ConfigurationError):
        open_message_queue(f"{sqlite}?{option}", wiring)
