"""Certifying signatures in PDF files by pyHanko (PAdES B-B)."""

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

from asn1crypto import x509 as asn1_x509
from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
)
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from lms_core.domain.instants import utc
from lms_core.errors import ConfigurationError, InvalidValue
from lms_core.ports.sealing import PdfSealer
from lms_core.registry import Wiring
from lms_documents._urls import settings_of

# The signature of a P-256 key with a short chain takes 2 to 4 KB; knowing it
# beforehand saves signing once for practice.
_BYTES_RESERVED = 16384


class _Writer(IncrementalPdfFileWriter):
    """Append the signature alone.

    pyHanko would also rewrite the file's metadata with the time of the system's
    clock; the signature has its own time, and what was there stays as it was.
    """

    def _update_meta(self) -> None:
        pass


class _LoadedKeySigner(Signer):
    """Sign with a key that stays loaded; pyHanko's own parses it every time."""

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, chain: list[x509.Certificate]
    ) -> None:
        first, *others = (
            asn1_x509.Certificate.load(it.public_bytes(Encoding.DER)) for it in chain
        )
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        registry.register_multiple(others)
        super().__init__(signing_cert=first, cert_registry=registry)
        self._key = key

    async def async_sign_raw(
        self,
        data: bytes,
        digest_algorithm: str,
        dry_run: bool = False,  # noqa: FBT001, FBT002 - pyHanko's signature
    ) -> bytes:
        if digest_algorithm != "sha256":
            raise TypeError(f"signed with sha256, not {digest_algorithm}")
        return self._key.sign(data, ec.ECDSA(hashes.SHA256()))


class _SignerAt(PdfSigner):
    """Sign as of a given instant; pyHanko takes it from the system's clock."""

    def __init__(self, signer: Signer, reason: str, at: datetime) -> None:
        super().__init__(
            PdfSignatureMetadata(
                field_name="Seal",
                reason=reason,
                md_algorithm="sha256",
                subfilter=SigSeedSubFilter.PADES,
                certify=True,
                docmdp_permissions=MDPPerm.NO_CHANGES,
            ),
            signer=signer,
        )
        self._at = at

    def init_signing_session(self, *args: Any, **kwargs: Any) -> Any:
        session = super().init_signing_session(*args, **kwargs)
        session.system_time = self._at
        return session


@frozen
class PyhankoPdfSealer:
    """A `PdfSealer` with a P-256 key and the certificates that vouch for it."""

    _signer: _LoadedKeySigner

    @classmethod
    def load(cls, key: str, certificates: str) -> Self:
        """Read a private key and its certificate, followed by its chain, as PEM.

        Raises:
            ConfigurationError: they cannot be read, are not of that kind, or the
                first certificate is for another key.
        """
        try:
            private = load_pem_private_key(key.encode(), password=None)
            chain = x509.load_pem_x509_certificates(certificates.encode())
        except (TypeError, ValueError) as exc:
            # The cause is not chained: it may quote what it could not read.
            raise ConfigurationError(
                f"the key or the certificate of the seal cannot be read "
                f"({type(exc).__name__}); both must be PEM, the key not encrypted"
            ) from None
        if (
            not isinstance(private, ec.EllipticCurvePrivateKey)
            or private.curve.name != "secp256r1"
        ):
            raise ConfigurationError("the key of the seal is not a P-256 key")
        if chain[0].public_key() != private.public_key():
            raise ConfigurationError("the seal's certificate is for another key")
        return cls(_LoadedKeySigner(private, chain))

    def seal(self, pdf: bytes, *, reason: str, at: datetime) -> bytes:
        sealed = BytesIO()
        signer = _SignerAt(self._signer, reason, utc(at, place="at"))
        try:
            writer = _Writer(BytesIO(pdf))
            signer.sign_pdf(writer, output=sealed, bytes_reserved=_BYTES_RESERVED)
        except (PdfError, ValueError) as exc:
            raise InvalidValue(f"cannot be sealed as a PDF file: {exc}") from exc
        return sealed.getvalue()


def open_pdf_sealer(url: str, wiring: Wiring) -> PyhankoPdfSealer:
    """Open ``pades://?key=secret://seal/key&certificate=secret://seal/chain``."""
    settings = settings_of(url, required=("key", "certificate"))
    return PyhankoPdfSealer.load(
        wiring.secret(settings["key"][0]), wiring.secret(settings["certificate"][0])
    )


if TYPE_CHECKING:
    _conforms: type[PdfSealer] = PyhankoPdfSealer
