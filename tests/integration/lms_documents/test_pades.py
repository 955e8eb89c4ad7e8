"""PyHanko keeps the contract of PdfSealer; its validator is the judge."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from asn1crypto import pem, x509
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from lms_core.errors import ConfigurationError, NotFound
from lms_core.ports.sealing import PdfSealer
from lms_core.registry import Wiring
from lms_core.testing.pdf_sealer import AT, PdfSealerConformance, Seal
from lms_documents.development import (
    Identity,
    make_development_identity,
    make_development_key,
)
from lms_documents.pades import PyhankoPdfSealer, open_pdf_sealer
from lms_documents.pdf import TypstPdfRenderer

CERTIFICATE = {
    "learner": "Zoë",
    "course": "Adaptive Streaming",
    "issuer": "Open School",
    "number": "C-1",
    "issued_on": "2026-11-21",
    "verification_url": "https://learn.example.org/verify/7Q4M",
}


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return TypstPdfRenderer.with_fonts().render("certificate-1", CERTIFICATE)


@pytest.fixture
def sealer(identity: Identity) -> PdfSealer:
    return PyhankoPdfSealer.load(identity.key, identity.certificates)


@pytest.fixture
def check(identity: Identity) -> Iterator[Callable[[bytes], Seal | None]]:
    # The validator reports broken files with a traceback; here they are expected.
    logging.disable(logging.CRITICAL)
    yield lambda sealed: _seal(sealed, identity.root)
    logging.disable(logging.NOTSET)


class TestPyhankoPdfSealer(PdfSealerConformance):
    pass


def test_the_authority_vouches_for_the_seal(
    sealer: PdfSealer, pdf: bytes, identity: Identity
) -> None:
    status = _status(sealer.seal(pdf, reason="Issued", at=AT), identity.root)

    assert status.bottom_line
    assert status.signer_reported_dt == AT
    assert status.pkcs7_signature_mechanism == "sha256_ecdsa"
    assert status.md_algorithm == "sha256"


def test_another_authority_does_not(sealer: PdfSealer, pdf: bytes) -> None:
    other = make_development_identity(at=AT)

    status = _status(sealer.seal(pdf, reason="Issued", at=AT), other.root)

    assert status.intact
    assert not status.trusted


def test_the_original_is_kept_byte_for_byte(sealer: PdfSealer, pdf: bytes) -> None:
    sealed = sealer.seal(pdf, reason="Issued", at=AT)

    assert sealed.startswith(pdf)
    assert len(sealed) < len(pdf) + 40_000


def test_the_seal_is_a_baseline_signature_of_pades(
    sealer: PdfSealer, pdf: bytes
) -> None:
    sealed = sealer.seal(pdf, reason="Issued", at=AT)

    signature = PdfFileReader(BytesIO(sealed)).embedded_signatures[0]
    attributes = {it["type"].native for it in signature.signer_info["signed_attrs"]}
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert "signing_certificate_v2" in attributes
    # PAdES gives the time in the dictionary, not in the signed attributes.
    assert "signing_time" not in attributes


def test_the_clock_of_the_system_leaves_no_trace(sealer: PdfSealer, pdf: bytes) -> None:
    added = sealer.seal(pdf, reason="Issued", at=AT)[len(pdf) :]

    assert b"20261121093000Z" in added
    assert b"ModDate" not in added
    assert b"/Metadata" not in added.replace(b"/Metadata ", b"", 1)


def test_appending_to_a_sealed_file_shows(
    sealer: PdfSealer, pdf: bytes, identity: Identity
) -> None:
    longer = sealer.seal(pdf, reason="Issued", at=AT) + b"\n% more\n"

    status = _status(longer, identity.root)

    assert status.coverage is not None
    assert "ENTIRE_FILE" not in status.coverage.name


def test_a_key_and_certificate_that_do_not_belong_are_refused(
    identity: Identity,
) -> None:
    other = make_development_identity(at=AT)

    for key, certificates in (
        (other.key, identity.certificates),
        (make_development_key(), identity.certificates),
        ("", identity.certificates),
        (identity.key, ""),
        (identity.key, identity.key),
    ):
        with pytest.raises(ConfigurationError) as refused:
            PyhankoPdfSealer.load(key, certificates)
        assert not key or key not in str(refused.value)


def test_keys_stay_out_of_reprs(identity: Identity, sealer: PdfSealer) -> None:
    secret = identity.key.splitlines()[1]

    assert secret not in repr(identity)
    assert secret not in repr(sealer)


def test_a_development_identity_lasts_as_long_as_asked() -> None:
    identity = make_development_identity(at=AT, days=2)

    _, _, der = pem.unarmor(identity.root.encode())
    validity = x509.Certificate.load(der)["tbs_certificate"]["validity"]
    assert validity["not_after"].native == AT + timedelta(days=2)


def test_the_url_refers_to_secrets(wiring: Wiring, pdf: bytes) -> None:
    url = "pades://?key=secret://seal/key&certificate=secret://seal/chain"

    sealed = open_pdf_sealer(url, wiring).seal(pdf, reason="Issued", at=AT)

    assert sealed.startswith(pdf)
    with pytest.raises(NotFound):
        open_pdf_sealer(url.replace("chain", "none"), wiring)
    for wrong in (
        "pades://",
        "pades://?key=secret://seal/key",
        f"{url}&password=x",
        url.replace("secret://seal/key", "MIGHAgEAMBMG"),
    ):
        with pytest.raises(ConfigurationError):
            open_pdf_sealer(wrong, wiring)


def _status(sealed: bytes, root: str) -> Any:
    _, _, der = pem.unarmor(root.encode())
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(der)],
        allow_fetching=False,
        moment=AT + timedelta(days=1),
    )
    signature = PdfFileReader(BytesIO(sealed)).embedded_signatures[0]
    return validate_pdf_signature(signature, context)


def _seal(sealed: bytes, root: str) -> Seal | None:
    try:
        found = PdfFileReader(BytesIO(sealed)).embedded_signatures
        if not found:
            return None
        status = _status(sealed, root)
    except (PdfError, ValueError):
        return None
    at = status.signer_reported_dt
    assert isinstance(at, datetime)
    return Seal(
        intact=status.bottom_line,
        certifies=found[0].docmdp_level is not None,
        reason=str(found[0].sig_object["/Reason"]),
        at=at,
    )
