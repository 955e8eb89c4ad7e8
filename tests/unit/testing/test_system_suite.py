"""The suites of ids and tokens tell broken sources from good ones."""

import random
from collections.abc import Callable

import pytest

from lms_core.testing.system import IdSourceConformance, TokenSourceConformance

IDS, TOKENS = IdSourceConformance(), TokenSourceConformance()


class Same:
    def new(self) -> str:
        return "SAME"

    def token(self) -> str:
        return "short"


class Unordered:
    def __init__(self) -> None:
        self.random = random.Random(1)  # noqa: S311  predictable is the point

    def new(self) -> str:
        return f"{self.random.getrandbits(64):020}"

    def token(self) -> str:
        return f"{self.random.getrandbits(128):040}"


def test_broken_sources_are_found_out() -> None:
    clauses: tuple[Callable[[], None], ...] = (
        lambda: IDS.test_an_id_is_short_and_plain(Same),
        lambda: IDS.test_later_ids_sort_after_earlier_ones(Unordered),
        lambda: IDS.test_threads_share_a_source(Same),
        lambda: IDS.test_two_sources_never_agree(Unordered),
        lambda: TOKENS.test_a_token_is_long_and_safe_in_a_url(Same),
        lambda: TOKENS.test_threads_share_a_source(Same),
        lambda: TOKENS.test_tokens_cannot_be_guessed(Unordered),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()
