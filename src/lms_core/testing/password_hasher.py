"""The contract of `PasswordHasher`, one test a clause."""

from lms_core.ports.identity import PasswordHasher
from lms_core.testing.suite import ConformanceSuite

PASSWORD = "correct horse battery staple"  # noqa: S105  an example of one


class PasswordHasherConformance(ConformanceSuite):
    """Subclass this and supply `hasher`, and `older`: one with other parameters."""

    def test_the_right_password_is_recognised(self, hasher: PasswordHasher) -> None:
        """And a wrong one is not, however close."""
        hashed = hasher.hash(PASSWORD)

        assert hasher.verify(PASSWORD, hashed)
        for wrong in ("", PASSWORD[:-1], f"{PASSWORD} ", PASSWORD.upper(), hashed):
            assert not hasher.verify(wrong, hashed)

    def test_every_character_counts(self, hasher: PasswordHasher) -> None:
        """Nothing is cut: not after 72 bytes, not after a zero byte."""
        for base in ("x" * 72, "x" * 1000, "a\0", "Größe\U0001f600"):
            hashed = hasher.hash(f"{base}1")

            assert hasher.verify(f"{base}1", hashed)
            assert not hasher.verify(f"{base}2", hashed)
            assert not hasher.verify(base, hashed)

    def test_hashes_are_salted(self, hasher: PasswordHasher) -> None:
        """Two people with one password have two hashes, and it is in neither."""
        one, two = hasher.hash(PASSWORD), hasher.hash(PASSWORD)

        assert one != two
        assert PASSWORD not in one

    def test_nobody_has_no_password(self, hasher: PasswordHasher) -> None:
        """Without an account the answer is no, for any password."""
        for password in (PASSWORD, "", "nobody", "\ud800"):
            assert not hasher.verify(password, None)

    def test_old_hashes_still_work_and_are_outdated(
        self, hasher: PasswordHasher, older: PasswordHasher
    ) -> None:
        """Parameters can be changed without locking anybody out."""
        old = older.hash(PASSWORD)

        assert hasher.verify(PASSWORD, old)
        assert hasher.is_outdated(old)
        assert not hasher.is_outdated(hasher.hash(PASSWORD))
