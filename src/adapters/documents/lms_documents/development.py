"""Keys for trying things out: made on the spot, trusted by nobody else."""

from datetime import datetime, timedelta

from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from lms_core.domain.instants import utc


@frozen(kw_only=True)
class Identity:
    """A signing key with its certificates, as PEM; *root* is who to trust."""

    key: str = field(repr=False)
    certificates: str
    root: str


def make_development_identity(
    *, at: datetime, name: str = "Development seal", days: int = 3650
) -> Identity:
    """Return a new key, vouched for by a new authority that nobody else trusts."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate(
        f"{name} authority",
        root_key,
        issuer=None,
        issuer_key=root_key,
        at=at,
        days=days,
    )
    leaf = _certificate(
        name, key, issuer=root.subject, issuer_key=root_key, at=at, days=days
    )
    return Identity(
        key=_pem(key),
        certificates="".join(
            it.public_bytes(Encoding.PEM).decode() for it in (leaf, root)
        ),
        root=root.public_bytes(Encoding.PEM).decode(),
    )


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    *,
    issuer: x509.Name | None,
    issuer_key: ec.EllipticCurvePrivateKey,
    at: datetime,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    root = issuer is None
    start = utc(at).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=root, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not root,
                content_commitment=not root,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=root,
                crl_sign=root,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )


def make_development_key() -> str:
    """Return a new Ed25519 key as PEM, for signing credentials."""
    return _pem(ed25519.Ed25519PrivateKey.generate())


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
