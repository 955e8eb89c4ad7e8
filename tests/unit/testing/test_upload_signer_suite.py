"""The suite of UploadSigner tells broken signers from good ones."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lms_core.ports.url_signer import SignedRequest
from lms_core.testing.upload_signer import UploadSignerConformance

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUITE = UploadSignerConformance()
SIGNED = SignedRequest(
    method="PUT",
    url="https://m.test/uploads/x",
    headers={"Content-Type": "video/mp4"},
    expires_at=NOW,
)


def everything(request: SignedRequest, data: bytes, *, at: datetime) -> bool:
    del request, data, at
    return True


def test_a_store_that_takes_everything_is_found_out() -> None:
    clauses: tuple[Callable[[], None], ...] = (
        lambda: SUITE.test_the_upload_asked_for_is_taken(SIGNED, everything, NOW),
        lambda: SUITE.test_an_upload_ends_at_its_expiry(SIGNED, everything),
        lambda: SUITE.test_another_size_is_refused(SIGNED, everything, NOW),
        lambda: SUITE.test_another_type_is_refused(SIGNED, everything, NOW),
        lambda: SUITE.test_another_key_is_refused(SIGNED, everything, NOW),
    )
    for clause in clauses:
        with pytest.raises(AssertionError):
            clause()
