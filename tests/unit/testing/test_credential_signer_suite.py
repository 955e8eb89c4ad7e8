"""The suite of CredentialSigner notices what is broken."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from lms_core.ports.sealing import CredentialSigner, Json
from lms_core.testing.credential_signer import CredentialSignerConformance
from lms_documents.credentials import EddsaCredentialSigner
from lms_documents.development import make_development_key

KEY = make_development_key()
SUITE = CredentialSignerConformance()


class Sound(EddsaCredentialSigner):
    """The signer that the broken ones differ from."""


class BelievesAnything(Sound):
    def verify(self, credential: Json) -> bool:
        return "proof" in credential


class BelievesNothing(Sound):
    def verify(self, credential: Json) -> bool:
        assert credential is not None
        return False


class SignsTwice(Sound):
    def sign(self, credential: Json, *, at: datetime) -> dict[str, object]:
        rest = {name: it for name, it in credential.items() if name != "proof"}
        return super().sign(rest, at=at)


class WritesLocalTime(Sound):
    def sign(self, credential: Json, *, at: datetime) -> dict[str, object]:
        return super().sign(credential, at=at.astimezone().replace(year=2020))


class RoundsFloats(Sound):
    def sign(self, credential: Json, *, at: datetime) -> dict[str, object]:
        rest: Any = {k: v for k, v in credential.items() if k != "extra"}
        return super().sign(rest, at=at)


class PublishesNothing(Sound):
    def key_document(self) -> dict[str, object]:
        return {**super().key_document(), "assertionMethod": []}


@pytest.mark.parametrize(
    ("broken", "clause"),
    [
        (BelievesNothing, SUITE.test_a_signature_verifies),
        (BelievesAnything, SUITE.test_any_change_shows),
        (BelievesAnything, SUITE.test_nonsense_does_not_verify),
        (SignsTwice, SUITE.test_a_second_proof_is_refused),
        (WritesLocalTime, SUITE.test_the_proof_says_how_to_check_it),
        (RoundsFloats, SUITE.test_what_json_cannot_carry_is_refused),
        (PublishesNothing, SUITE.test_the_key_is_published),
    ],
)
def test_a_broken_signer_is_noticed(
    broken: type[Sound], clause: Callable[[CredentialSigner], None]
) -> None:
    clause(Sound.load(KEY, "https://learn.example.org/issuer"))

    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        clause(broken.load(KEY, "https://learn.example.org/issuer"))
