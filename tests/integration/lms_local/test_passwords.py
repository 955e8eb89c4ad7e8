"""Both hashers of the package keep the contract."""

import pytest
from argon2 import PasswordHasher as Argon2
from argon2 import extract_parameters

from lms_core.errors import InvalidValue
from lms_core.ports.identity import PasswordHasher
from lms_core.testing.password_hasher import PasswordHasherConformance
from lms_local.memory.identity import MemoryPasswordHasher
from lms_local.passwords import Argon2PasswordHasher

CHEAP = Argon2(time_cost=1, memory_cost=8, parallelism=1)


class TestArgon2PasswordHasher(PasswordHasherConformance):
    @pytest.fixture
    def hasher(self) -> PasswordHasher:
        return Argon2PasswordHasher()

    @pytest.fixture
    def older(self) -> PasswordHasher:
        return Argon2PasswordHasher(CHEAP)


class TestMemoryPasswordHasher(PasswordHasherConformance):
    @pytest.fixture
    def hasher(self) -> PasswordHasher:
        return MemoryPasswordHasher()

    @pytest.fixture
    def older(self) -> PasswordHasher:
        return MemoryPasswordHasher("fast0")


def test_the_parameters_are_those_of_owasp() -> None:
    found = extract_parameters(Argon2PasswordHasher().hash("x"))

    assert (found.type.name, found.time_cost, found.parallelism) == ("ID", 2, 1)
    assert found.memory_cost == 19 * 1024


def test_nobody_is_checked_with_the_parameters_of_everybody() -> None:
    checked: list[str] = []

    class Watching(Argon2):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002  the library's name
            checked.append(str(hash))
            return super().verify(hash, password)

    hasher = Argon2PasswordHasher(Watching(time_cost=1, memory_cost=8, parallelism=1))
    assert not hasher.verify("nobody", None)

    assert [extract_parameters(each).memory_cost for each in checked] == [8]


@pytest.mark.parametrize("hashed", ["", "x", "$2b$12$bcrypt", "$argon2id$v=19$broken"])
def test_what_is_no_hash_matches_nothing_and_is_outdated(hashed: str) -> None:
    hasher = Argon2PasswordHasher(CHEAP)

    assert not hasher.verify("nobody", hashed)
    assert hasher.is_outdated(hashed)


def test_text_that_is_not_unicode_is_refused_without_showing_it() -> None:
    with pytest.raises(InvalidValue) as refused:
        Argon2PasswordHasher(CHEAP).hash("secret\ud800")

    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__
