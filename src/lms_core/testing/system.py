"""The contracts of `Clock`, `IdSource` and `TokenSource`, one test a clause."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from lms_core.ports.system import Clock, IdSource, TokenSource
from lms_core.testing.suite import ConformanceSuite

_THREADS, _EACH = 8, 500


def _in_threads(make: Callable[[], str]) -> list[list[str]]:
    start = Barrier(_THREADS)

    def run(_: int) -> list[str]:
        start.wait()
        return [make() for _ in range(_EACH)]

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(run, range(_THREADS)))


class ClockConformance(ConformanceSuite):
    """Subclass this and supply a fixture named `clock`."""

    def test_the_time_is_in_utc(self, clock: Clock) -> None:
        """A time without a zone would be somebody's local one."""
        assert clock.now().utcoffset() == timedelta(0)
        assert clock.now().tzname() == "UTC"


class IdSourceConformance(ConformanceSuite):
    """Subclass this and supply `new_source`, which makes sources of one kind."""

    def test_an_id_is_short_and_plain(self, new_source: Callable[[], IdSource]) -> None:
        """1 to 64 characters of ``a-z 0-9 -``."""
        source = new_source()
        for _ in range(100):
            assert re.fullmatch("[a-z0-9-]{1,64}", source.new())

    def test_later_ids_sort_after_earlier_ones(
        self, new_source: Callable[[], IdSource]
    ) -> None:
        """Thousands within a moment are in order as well."""
        source = new_source()
        ids = [source.new() for _ in range(5000)]

        assert ids == sorted(set(ids))

    def test_threads_share_a_source(self, new_source: Callable[[], IdSource]) -> None:
        """No id comes twice, and each thread sees its own in order."""
        made = _in_threads(new_source().new)

        assert len({id_ for ids in made for id_ in ids}) == _THREADS * _EACH
        assert all(ids == sorted(ids) for ids in made)

    def test_two_sources_never_agree(self, new_source: Callable[[], IdSource]) -> None:
        """Processes that know nothing of one another make no id twice."""
        one, two = new_source(), new_source()

        assert not {one.new() for _ in range(1000)} & {two.new() for _ in range(1000)}


class TokenSourceConformance(ConformanceSuite):
    """Subclass this and supply `new_source`, which makes sources of one kind."""

    def test_a_token_is_long_and_safe_in_a_url(
        self, new_source: Callable[[], TokenSource]
    ) -> None:
        """128 bits take at least 22 characters of the URL alphabet."""
        source = new_source()
        for _ in range(100):
            assert re.fullmatch("[A-Za-z0-9_-]{22,}", source.token())

    def test_threads_share_a_source(
        self, new_source: Callable[[], TokenSource]
    ) -> None:
        """No token comes twice."""
        made = _in_threads(new_source().token)

        assert len({each for tokens in made for each in tokens}) == _THREADS * _EACH

    def test_tokens_cannot_be_guessed(
        self, new_source: Callable[[], TokenSource]
    ) -> None:
        """No source repeats another, and no place in a token is predictable."""
        one, two = new_source(), new_source()
        tokens = [one.token() for _ in range(200)] + [two.token() for _ in range(200)]
        shortest = min(map(len, tokens))
        # Each of the first 22 places holds 5 bits or more; 400 draws show most.
        varied = [len({token[at] for token in tokens}) for at in range(shortest)]

        assert len(set(tokens)) == len(tokens)
        assert sum(kinds >= 16 for kinds in varied) >= 22
