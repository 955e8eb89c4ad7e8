"""The suite of PasswordHasher tells broken hashers from good ones."""

from collections.abc import Callable

import pytest

from lms_core.testing.password_hasher import PasswordHasherConformance

SUITE = PasswordHasherConformance()


class Plain:
    """Keeps the first 72 characters as they are, and lets nobody in as anybody."""

    def hash(self, password: str) -> str:
        return password[:72]

    def verify(self, password: str, hashed: str | None) -> bool:
        return hashed is None or password[:72] == hashed

    def is_outdated(self, hashed: str) -> bool:
        return not hashed


def test_a_broken_hasher_is_found_out() -> None:
    hasher = Plain()
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SUITE.test_every_character_counts(hasher),
        lambda: SUITE.test_hashes_are_salted(hasher),
        lambda: SUITE.test_nobody_has_no_password(hasher),
        lambda: SUITE.test_old_hashes_still_work_and_are_outdated(hasher, hasher),
        lambda: SUITE.test_the_right_password_is_recognised(hasher),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()
