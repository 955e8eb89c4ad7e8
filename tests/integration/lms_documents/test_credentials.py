"""Ed25519 credentials keep the contract of CredentialSigner, and W3C's vector."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from lms_core.errors import ConfigurationError, InvalidValue
from lms_core.ports.sealing import CredentialSigner
from lms_core.registry import Wiring
from lms_core.testing.credential_signer import (
    AT,
    CREDENTIAL,
    CredentialSignerConformance,
)
from lms_documents._base58 import decoded, encoded
from lms_documents.credentials import EddsaCredentialSigner, open_credential_signer
from lms_documents.development import Identity, make_development_key

CONTROLLER = "https://learn.example.org/issuer"

# From "Data Integrity EdDSA Cryptosuites v1.0", appendix B.
W3C_SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
W3C_PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
W3C_CONTROLLER = "https://vc.example/issuers/5678"
W3C_CREDENTIAL: dict[str, object] = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/examples/v2",
    ],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {
        "id": "did:example:abcdefgh",
        "alumniOf": "The School of Examples",
    },
}
W3C_PROOF = (
    "z63t83Y53KfzJ5ZosfKTnqfMcKB2dmTrfjSaQjeNNjAD5srBowQfmWqeRb8rRjmeEuCBEsddF9Ls"
    "VogtuTsijJKh4"
)


@pytest.fixture
def signer(credential_key: str) -> CredentialSigner:
    return EddsaCredentialSigner.load(credential_key, CONTROLLER)


class TestEddsaCredentialSigner(CredentialSignerConformance):
    @pytest.fixture
    def stranger(self) -> CredentialSigner:
        return EddsaCredentialSigner.load(
            make_development_key(), "https://evil.invalid/issuer"
        )


def test_the_proof_equals_the_one_that_w3c_published() -> None:
    seed = decoded(W3C_SECRET[1:])
    assert seed is not None
    key = Ed25519PrivateKey.from_private_bytes(seed[2:]).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    signer = EddsaCredentialSigner.load(key.decode(), W3C_CONTROLLER)
    at = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)

    proof: Any = signer.sign(W3C_CREDENTIAL, at=at)["proof"]

    assert signer.public_key == W3C_PUBLIC
    assert proof["proofValue"] == W3C_PROOF


def test_somebody_else_can_check_it_from_the_key_document(
    signer: CredentialSigner,
) -> None:
    signed = json.loads(json.dumps(signer.sign(CREDENTIAL, at=AT)))
    changed = deepcopy(signed)
    changed["credentialSubject"]["score"] = 100

    _check(signed, signer.key_document())
    with pytest.raises(InvalidSignature):
        _check(changed, signer.key_document())


def test_a_retired_key_still_vouches_for_what_it_signed(
    credential_key: str, signer: CredentialSigner
) -> None:
    old = EddsaCredentialSigner.load(make_development_key(), CONTROLLER)
    signed = old.sign(CREDENTIAL, at=AT)

    rotated = EddsaCredentialSigner.load(credential_key, CONTROLLER, (old.public_key,))

    assert rotated.verify(signed)
    assert not signer.verify(signed)
    assert rotated.verification_method == signer.verification_method
    _check(signed, rotated.key_document())


def test_a_credential_without_a_context_is_signed_without_one(
    signer: CredentialSigner,
) -> None:
    signed: Any = signer.sign({"id": "urn:x"}, at=AT)

    assert "@context" not in signed["proof"]
    assert signer.verify(signed)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8")),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(2**53) + 1, 2**53 - 1)
            | st.text(st.characters(codec="utf-8")),
            lambda inner: st.lists(inner) | st.dictionaries(st.text("añ🎓"), inner),
        ),
    ).filter(lambda document: "proof" not in document)
)
def test_whatever_json_carries_is_signed_and_verifies(
    document: dict[str, object],
) -> None:
    signer = EddsaCredentialSigner.load(KEY, CONTROLLER)

    signed = signer.sign(document, at=AT)

    assert signer.verify(json.loads(json.dumps(signed)))
    assert not signer.verify({**signed, "added\0": 1})


@given(st.binary(max_size=100))
def test_base_58_is_reversible(data: bytes) -> None:
    assert decoded(encoded(data)) == data


def test_base_58_has_no_digits_that_look_alike() -> None:
    for text in ("0", "O", "I", "l", "ä", " 1", "1" * 257):
        assert decoded(text) is None


def test_the_place_of_a_bad_value_is_named(signer: CredentialSigner) -> None:
    with pytest.raises(InvalidValue, match=r"subject\.scores\[1\]"):
        signer.sign({"subject": {"scores": [1, 0.5]}}, at=AT)


def test_other_keys_are_refused(identity: Identity, credential_key: str) -> None:
    for key in (identity.key, "", "z6Mk", identity.root):
        with pytest.raises(ConfigurationError) as refused:
            EddsaCredentialSigner.load(key, CONTROLLER)
        assert not key or key not in str(refused.value)
    for retired in ("", "z6Mk", W3C_SECRET, W3C_PUBLIC[:-1]):
        with pytest.raises(ConfigurationError):
            EddsaCredentialSigner.load(credential_key, CONTROLLER, (retired,))


def test_the_url_refers_to_a_secret(wiring: Wiring) -> None:
    url = (
        "eddsa://?key=secret://credentials/key"
        "&controller=https%3A%2F%2Flearn.example.org%2Fissuer"
    )

    signer = open_credential_signer(f"{url}&retired={W3C_PUBLIC}", wiring)

    assert signer.verification_method.startswith(f"{CONTROLLER}#z6Mk")
    assert f"{CONTROLLER}#{W3C_PUBLIC}" in str(signer.key_document())
    assert "PRIVATE" not in repr(signer)
    for wrong in ("eddsa://", f"{url}&kid=1", url.partition("&")[0]):
        with pytest.raises(ConfigurationError):
            open_credential_signer(wrong, wiring)


KEY = make_development_key()
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def _check(signed: dict[str, Any], keys: dict[str, Any]) -> None:
    """Check a proof with nothing but the standard library and a public key.

    The suite's documents hold neither floats nor names outside of ASCII, for
    which sorted, compact JSON is what RFC 8785 asks for.
    """
    document = dict(signed)
    options = dict(document.pop("proof"))
    signature = _bytes(options.pop("proofValue"))
    assert options["verificationMethod"] in keys["assertionMethod"]
    (method,) = [
        it
        for it in keys["verificationMethod"]
        if it["id"] == options["verificationMethod"]
    ]
    hashed = b"".join(
        sha256(
            json.dumps(
                part, ensure_ascii=False, sort_keys=True, separators=(",", ":")
            ).encode()
        ).digest()
        for part in (options, document)
    )
    key = Ed25519PublicKey.from_public_bytes(_bytes(method["publicKeyMultibase"])[2:])
    key.verify(signature, hashed)


def _bytes(multibase: str) -> bytes:
    assert multibase[0] == "z"
    number = 0
    for digit in multibase[1:]:
        number = number * 58 + _ALPHABET.index(digit)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
