"""Clocks, ids and tokens: the machine's, and those for tests."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest

from lms_core.ports.system import Clock, IdSource, TokenSource
from lms_core.testing.system import (
    ClockConformance,
    IdSourceConformance,
    TokenSourceConformance,
)
from lms_local.memory.system import CountingIds, CountingTokens, FixedClock
from lms_local.system import RandomTokens, SystemClock, Uuid7Ids


class TestSystemClock(ClockConformance):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestFixedClock(ClockConformance):
    @pytest.fixture
    def clock(self) -> Clock:
        return FixedClock()


class TestUuid7Ids(IdSourceConformance):
    @pytest.fixture
    def new_source(self) -> Callable[[], IdSource]:
        return Uuid7Ids


class TestUuid7IdsWithinOneMillisecond(IdSourceConformance):
    @pytest.fixture
    def new_source(self) -> Callable[[], IdSource]:
        return lambda: Uuid7Ids(FixedClock())


class TestCountingIds(IdSourceConformance):
    deviations: ClassVar = {
        "test_two_sources_never_agree": "it counts, so that tests can foretell ids",
    }

    @pytest.fixture
    def new_source(self) -> Callable[[], IdSource]:
        return CountingIds


class TestRandomTokens(TokenSourceConformance):
    @pytest.fixture
    def new_source(self) -> Callable[[], TokenSource]:
        return RandomTokens


class TestCountingTokens(TokenSourceConformance):
    deviations: ClassVar = {
        "test_tokens_cannot_be_guessed": "it counts, so that tests can foretell them",
    }

    @pytest.fixture
    def new_source(self) -> Callable[[], TokenSource]:
        return CountingTokens


def test_the_system_clock_is_between_two_looks_at_the_machine() -> None:
    before = datetime.now(UTC)  # noqa: TID251  the machine's own word
    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)  # noqa: TID251  likewise


def test_an_id_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    id_ = UUID(Uuid7Ids(FixedClock(at)).new())

    assert (id_.version, id_.variant) == (7, "specified in RFC 4122")
    assert id_.int >> 80 == int(at.timestamp() * 1000)


def test_ids_stay_in_order_when_the_clock_goes_back() -> None:
    clock = FixedClock()
    ids = Uuid7Ids(clock)
    made = []
    for _ in range(100):
        made.append(ids.new())
        clock.advance(timedelta(hours=-1))

    assert made == sorted(set(made))


def test_two_halves_of_a_forked_process_part_ways() -> None:
    ids = Uuid7Ids(FixedClock())
    ids.new()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, "\n".join(ids.new() for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as pipe:
        theirs = set(pipe.read().split())

    assert len(theirs) == 50
    assert not theirs & {ids.new() for _ in range(50)}


def test_a_fixed_clock_moves_only_when_told() -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    before = clock.now()

    assert clock.now() == before
    assert clock.advance(timedelta(hours=1)) == before + timedelta(hours=1)
    clock.set(before)
    assert clock.now() == before
