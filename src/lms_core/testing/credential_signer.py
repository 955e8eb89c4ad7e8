"""The contract of `CredentialSigner`, one test a clause."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from lms_core.errors import InvalidValue
from lms_core.ports.sealing import CredentialSigner
from lms_core.testing.suite import ConformanceSuite

AT = datetime(2026, 11, 21, 9, 30, 15, 999_999, tzinfo=UTC)
CREDENTIAL: dict[str, object] = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "https://learn.example.org/badges/1",
    "type": ["VerifiableCredential"],
    "issuer": {"id": "https://learn.example.org/issuer", "name": "Schule für Zoë"},
    "validFrom": "2026-11-21T09:30:15Z",
    "credentialSubject": {"score": 94, "passed": True, "note": None, "tags": ["a"]},
}


class CredentialSignerConformance(ConformanceSuite):
    """Subclass this and supply the fixtures `signer` and `stranger`.

    *stranger* signs with another key, for another controller.
    """

    def test_a_signature_verifies(self, signer: CredentialSigner) -> None:
        """What was signed verifies, also after a journey as JSON."""
        signed = signer.sign(CREDENTIAL, at=AT)

        assert signer.verify(signed)
        assert signer.verify(json.loads(json.dumps(signed, sort_keys=True)))

    def test_the_proof_says_how_to_check_it(self, signer: CredentialSigner) -> None:
        """The proof is that of eddsa-jcs-2022; the rest is as it was."""
        signed = signer.sign(CREDENTIAL, at=AT.astimezone(timezone(timedelta(hours=9))))

        proof = signed.pop("proof")
        assert signed == CREDENTIAL
        assert isinstance(proof, dict)
        assert str(proof.pop("proofValue")).startswith("z")
        assert proof == {
            "@context": CREDENTIAL["@context"],
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": "2026-11-21T09:30:15Z",
            "verificationMethod": signer.verification_method,
            "proofPurpose": "assertionMethod",
        }

    def test_the_argument_stays_as_it_was(self, signer: CredentialSigner) -> None:
        """Neither signing nor changing the result touches what was passed in."""
        given = deepcopy(CREDENTIAL)

        signed: Any = signer.sign(given, at=AT)
        signed["credentialSubject"]["score"] = 100

        assert given == CREDENTIAL

    def test_any_change_shows(self, signer: CredentialSigner) -> None:
        """No value in credential or proof can be changed, dropped or added."""
        signed = signer.sign(CREDENTIAL, at=AT)

        for changed in _changes(signed):
            assert not signer.verify(changed), changed

    def test_a_stranger_is_not_believed(
        self, signer: CredentialSigner, stranger: CredentialSigner
    ) -> None:
        """A good signature by another key is not ours, whoever it claims to be."""
        foreign: Any = stranger.sign(CREDENTIAL, at=AT)
        claimed = deepcopy(foreign)
        claimed["proof"]["verificationMethod"] = signer.verification_method

        assert stranger.verify(foreign)
        assert not signer.verify(foreign)
        assert not signer.verify(claimed)

    def test_nonsense_does_not_verify(self, signer: CredentialSigner) -> None:
        """Whatever a stranger sends gets an answer, and it is no."""
        deep: dict[str, object] = {}
        for _ in range(100_000):
            deep = {"in": deep}
        proofs: tuple[object, ...] = (None, "z", [], {}, {"proofValue": 1}, [{}], 1.5)

        assert not signer.verify({})
        assert not signer.verify({**CREDENTIAL, "proof": deep})
        assert not any(signer.verify({**CREDENTIAL, "proof": it}) for it in proofs)

    def test_a_second_proof_is_refused(self, signer: CredentialSigner) -> None:
        """A credential is signed once."""
        with pytest.raises(InvalidValue):
            signer.sign(signer.sign(CREDENTIAL, at=AT), at=AT)

    def test_what_json_cannot_carry_is_refused(self, signer: CredentialSigner) -> None:
        """Floats, huge integers, half characters and objects have no exact form."""
        for value in (0.5, 2**53, "\ud800", AT, {1: "a"}, b"bytes", {"a", "b"}):
            with pytest.raises(InvalidValue):
                signer.sign({**CREDENTIAL, "extra": [value]}, at=AT)

    def test_a_time_without_a_zone_is_refused(self, signer: CredentialSigner) -> None:
        """A time that means something else in each place signs nothing."""
        with pytest.raises(InvalidValue):
            signer.sign(CREDENTIAL, at=AT.replace(tzinfo=None))

    def test_the_key_is_published(self, signer: CredentialSigner) -> None:
        """The key document is found from the method, names it, and lets it assert."""
        document: Any = signer.key_document()

        (method,) = [
            method
            for method in document["verificationMethod"]
            if method["id"] == signer.verification_method
        ]
        assert method["id"].partition("#")[0] == document["id"]
        assert method["controller"] == document["id"]
        assert method["type"] == "Multikey"
        assert method["publicKeyMultibase"].startswith("z6Mk")
        assert method["id"] in document["assertionMethod"]
        assert "secretKeyMultibase" not in json.dumps(document)


def _changes(value: Any) -> Iterator[Any]:
    """Yield every document that differs from *value* in one place."""
    if isinstance(value, dict):
        yield {**value, "added": "x"}
        for name in value:
            yield {other: value[other] for other in value if other != name}
            for changed in _changes(value[name]):
                yield {**value, name: changed}
    elif isinstance(value, list):
        yield [*value, "added"]
        for place in range(len(value)):
            yield [*value[:place], *value[place + 1 :]]
            for changed in _changes(value[place]):
                yield [*value[:place], changed, *value[place + 1 :]]
    elif isinstance(value, bool):
        yield not value
        yield int(value)
    elif isinstance(value, int):
        yield value + 1
    else:
        yield f"{value}1"
