"""The contract of `PdfSealer`, one test a clause."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import frozen

from lms_core.errors import InvalidValue
from lms_core.ports.sealing import PdfSealer
from lms_core.testing.suite import ConformanceSuite

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@frozen(kw_only=True)
class Seal:
    """What an independent reader says about the seal of a file."""

    intact: bool
    certifies: bool
    reason: str
    at: datetime


class PdfSealerConformance(ConformanceSuite):
    """Subclass this and supply the fixtures `sealer`, `pdf` and `check`.

    *pdf* is a file to seal, *check* another program's opinion of a file: its
    seal, or `None` where it finds none that it can read.
    """

    def test_a_seal_is_intact(
        self, sealer: PdfSealer, pdf: bytes, check: Callable[[bytes], Seal | None]
    ) -> None:
        """A sealed file is certified, and says why and when."""
        sealed = sealer.seal(pdf, reason="Issued", at=AT)

        assert check(sealed) == Seal(
            intact=True, certifies=True, reason="Issued", at=AT
        )

    def test_the_time_is_the_one_given(
        self, sealer: PdfSealer, pdf: bytes, check: Callable[[bytes], Seal | None]
    ) -> None:
        """The time of the seal is *at*, wherever that was said."""
        there = AT.astimezone(timezone(timedelta(hours=5, minutes=45)))

        seal = check(sealer.seal(pdf, reason="Issued", at=there))

        assert seal is not None
        assert seal.at == AT

    def test_a_time_without_a_zone_is_refused(
        self, sealer: PdfSealer, pdf: bytes
    ) -> None:
        """A time that means something else in each place seals nothing."""
        with pytest.raises(InvalidValue):
            sealer.seal(pdf, reason="Issued", at=AT.replace(tzinfo=None))

    def test_an_unsealed_file_has_no_seal(
        self, pdf: bytes, check: Callable[[bytes], Seal | None]
    ) -> None:
        """The reader that these clauses lean on can tell the difference."""
        assert check(pdf) is None

    def test_any_change_shows(
        self, sealer: PdfSealer, pdf: bytes, check: Callable[[bytes], Seal | None]
    ) -> None:
        """A changed byte anywhere in the original breaks the seal."""
        sealed = sealer.seal(pdf, reason="Issued", at=AT)

        for place in (9, len(pdf) // 3, len(pdf) // 2, len(pdf) - 8):
            changed = bytearray(sealed)
            changed[place] ^= 1
            seal = check(bytes(changed))
            assert seal is None or not seal.intact

    def test_a_seal_does_not_move_to_another_file(
        self, sealer: PdfSealer, pdf: bytes, check: Callable[[bytes], Seal | None]
    ) -> None:
        """What was appended to one file certifies no other one."""
        sealed = sealer.seal(pdf, reason="Issued", at=AT)
        changed = pdf[:-8] + bytes([pdf[-8] ^ 1]) + pdf[-7:]

        seal = check(sealed.replace(pdf, changed))

        assert seal is None or not seal.intact

    def test_what_is_no_pdf_is_refused(self, sealer: PdfSealer, pdf: bytes) -> None:
        """Other bytes, and half a file, are `InvalidValue`."""
        for junk in (b"", b"hello", b"%PDF-1.7\n", pdf[: len(pdf) // 2]):
            with pytest.raises(InvalidValue):
                sealer.seal(junk, reason="Issued", at=AT)
