"""Check certificates as somebody does who has nothing of ours but the documents."""

import gzip
from base64 import urlsafe_b64decode
from hashlib import sha256
from io import BytesIO
from typing import Any

import rfc8785
from asn1crypto import pem, x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519 = b"\xed\x01"
_PROOF_BYTES = 64


def seal_is_valid(sealed: bytes, chain: str) -> bool:
    """Tell whether a PDF is signed by who *chain* vouches for, and unchanged."""
    roots = [der for _, _, der in pem.unarmor(chain.encode(), multiple=True)]
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(roots[-1])], allow_fetching=False
    )
    signatures = PdfFileReader(BytesIO(sealed)).embedded_signatures
    if len(signatures) != 1:
        return False
    status = validate_pdf_signature(signatures[0], context)
    return bool(status.bottom_line) and status.docmdp_ok is not False


def proof_is_valid(credential: dict[str, Any], issuer: dict[str, Any]) -> bool:
    """Tell whether *credential* was signed by a key in the document of *issuer*."""
    document = dict(credential)
    options = dict(document.pop("proof"))
    proof = base58(options.pop("proofValue").removeprefix("z"))
    keys = {
        method["id"]: base58(method["publicKeyMultibase"].removeprefix("z"))
        for method in issuer["verificationMethod"]
    }
    key = keys.get(options["verificationMethod"], b"")
    if not key.startswith(_ED25519) or len(proof) != _PROOF_BYTES:
        return False
    signed = b"".join(
        sha256(rfc8785.dumps(part)).digest() for part in (options, document)
    )
    try:
        Ed25519PublicKey.from_public_bytes(key[2:]).verify(proof, signed)
    except InvalidSignature:
        return False
    return True


def is_revoked(status_list: dict[str, Any], index: int) -> bool:
    """Tell whether a status list says that entry *index* was revoked."""
    packed = status_list["credentialSubject"]["encodedList"].removeprefix("u")
    bits = gzip.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    return bool(bits[index // 8] & (0x80 >> index % 8))


def base58(text: str) -> bytes:
    """Return the bytes that *text* stands for.

    >>> base58("2NEpo7TZRRrLZSi2U")
    b'Hello World!'
    """
    number = 0
    for char in text:
        number = number * 58 + _ALPHABET.index(char)
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
