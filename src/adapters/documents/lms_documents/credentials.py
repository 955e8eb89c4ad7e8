"""Verifiable credentials signed with Ed25519 (W3C Data Integrity, eddsa-jcs-2022)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Self

import rfc8785
from attrs import field, frozen
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from lms_core.domain.instants import utc
from lms_core.errors import ConfigurationError, InvalidValue
from lms_core.ports.sealing import CredentialSigner, Json
from lms_core.registry import Wiring
from lms_documents._base58 import decoded, encoded
from lms_documents._urls import settings_of

_PUBLIC_KEY = b"\xed\x01"  # the multicodec prefix of an Ed25519 public key


@frozen
class EddsaCredentialSigner:
    """A `CredentialSigner` that *controller*, a URL, vouches for.

    *retired* are public keys (Multikey) that signed before this one: they sign
    nothing any more, what they signed stays valid.
    """

    _key: Ed25519PrivateKey = field(repr=False)
    controller: str
    retired: tuple[str, ...] = ()

    @classmethod
    def load(cls, key: str, controller: str, retired: tuple[str, ...] = ()) -> Self:
        """Read an Ed25519 private key as PEM.

        Raises:
            ConfigurationError: it cannot be read or is of another kind, or a
                retired key is not an Ed25519 Multikey.
        """
        try:
            private = load_pem_private_key(key.encode(), password=None)
        except (TypeError, ValueError):
            # The cause is not chained: it may quote what it could not read.
            raise ConfigurationError(
                "the key for credentials cannot be read; it must be PEM, not encrypted"
            ) from None
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigurationError("the key for credentials is not an Ed25519 key")
        for public in retired:
            if _public_key(public) is None:
                raise ConfigurationError(f"not an Ed25519 Multikey: {public!r:.80}")
        return cls(private, controller, retired)

    @property
    def public_key(self) -> str:
        """The public key as a Multikey, which is what `retired` takes."""
        raw = self._key.public_key().public_bytes_raw()
        return "z" + encoded(_PUBLIC_KEY + raw)

    @property
    def verification_method(self) -> str:
        return f"{self.controller}#{self.public_key}"

    def sign(self, credential: Json, *, at: datetime) -> dict[str, object]:
        if "proof" in credential:
            raise InvalidValue("it has a proof already", place="proof")
        document = _copied(credential)
        created = utc(at, place="at").replace(microsecond=0, tzinfo=None)
        options: dict[str, object] = {
            "type": "DataIntegrityProof",
            "cryptosuite": "eddsa-jcs-2022",
            "created": f"{created.isoformat()}Z",
            "verificationMethod": self.verification_method,
            "proofPurpose": "assertionMethod",
        }
        if "@context" in document:
            options["@context"] = document["@context"]
        signature = self._key.sign(_hashed(document, options))
        return {
            **document,
            "proof": {**options, "proofValue": "z" + encoded(signature)},
        }

    def verify(self, credential: Json) -> bool:
        try:
            document = _copied(credential)
            options = document.pop("proof", None)
            if not isinstance(options, dict):
                return False
            signature = _multibase(options.pop("proofValue", None))
            key = self._keys().get(str(options.get("verificationMethod")))
            if (
                options.get("type") != "DataIntegrityProof"
                or options.get("cryptosuite") != "eddsa-jcs-2022"
                or options.get("proofPurpose") != "assertionMethod"
                or options.get("@context") != document.get("@context")
                or signature is None
                or key is None
            ):
                return False
            key.verify(signature, _hashed(document, options))
        except (InvalidSignature, InvalidValue, RecursionError):
            return False
        return True

    def key_document(self) -> dict[str, object]:
        methods = [
            {
                "id": f"{self.controller}#{public}",
                "type": "Multikey",
                "controller": self.controller,
                "publicKeyMultibase": public,
            }
            for public in (self.public_key, *self.retired)
        ]
        return {
            "@context": ["https://www.w3.org/ns/cid/v1"],
            "id": self.controller,
            "verificationMethod": methods,
            "assertionMethod": [method["id"] for method in methods],
        }

    def _keys(self) -> dict[str, Ed25519PublicKey | None]:
        retired = {f"{self.controller}#{it}": _public_key(it) for it in self.retired}
        return {**retired, self.verification_method: self._key.public_key()}


def _hashed(document: Json, options: Json) -> bytes:
    try:
        return b"".join(
            sha256(rfc8785.dumps(dict(part))).digest()  # type: ignore[arg-type]  # _copied
            for part in (options, document)
        )
    except rfc8785.CanonicalizationError as exc:
        raise InvalidValue(f"JSON cannot carry this: {exc}") from exc


def _copied(document: Json) -> dict[str, object]:
    return {
        _name(name): _plain(value, place=str(name)) for name, value in document.items()
    }


def _plain(value: object, place: str) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {_name(k): _plain(v, f"{place}.{k}") for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{n}]") for n, item in enumerate(value)]
    raise InvalidValue(f"a {type(value).__name__} cannot be signed", place=place)


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise InvalidValue(f"not the name of a member: {name!r:.80}")
    return name


def _multibase(text: object) -> bytes | None:
    return decoded(text[1:]) if isinstance(text, str) and text[:1] == "z" else None


def _public_key(text: str) -> Ed25519PublicKey | None:
    raw = _multibase(text)
    if raw is None or len(raw) != 34 or not raw.startswith(_PUBLIC_KEY):  # noqa: PLR2004 - two bytes and the key
        return None
    return Ed25519PublicKey.from_public_bytes(raw[2:])


def open_credential_signer(url: str, wiring: Wiring) -> EddsaCredentialSigner:
    """Open ``eddsa://?key=secret://credentials/key&controller=https%3A%2F%2Fhost%2Fissuer``.

    Public keys that signed formerly follow as ``&retired=z6Mk…``, once for each.
    """
    settings = settings_of(url, required=("key", "controller"), optional=("retired",))
    return EddsaCredentialSigner.load(
        wiring.secret(settings["key"][0]),
        settings["controller"][0],
        tuple(settings.get("retired", ())),
    )


if TYPE_CHECKING:
    _conforms: type[CredentialSigner] = EddsaCredentialSigner
