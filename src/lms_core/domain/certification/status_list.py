"""Which credentials are revoked: a W3C Bitstring Status List, version 1.0."""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Self

from attrs import field, frozen

from lms_core.domain.instants import utc
from lms_core.errors import InvalidValue

# Among that many, whoever fetches the list does not show whose bit is looked up.
FEWEST_ENTRIES = 131_072
_MOST_BYTES = 1 << 24
_GZIP = 31  # zlib's number for a gzip wrapper


@frozen
class BitstringStatusList:
    """One bit for each credential, by its index; a set bit says revoked.

    >>> BitstringStatusList.empty().with_revoked(94567).is_revoked(94567)
    True
    """

    bits: bytes = field(repr=False)

    def __attrs_post_init__(self) -> None:
        if type(self.bits) is not bytes or len(self) < FEWEST_ENTRIES:
            raise InvalidValue(f"a status list has {FEWEST_ENTRIES} entries or more")

    def __len__(self) -> int:
        return len(self.bits) * 8

    @classmethod
    def empty(cls, entries: int = FEWEST_ENTRIES) -> Self:
        """Return a list in which nothing is revoked."""
        if type(entries) is not int or entries % 8:
            raise InvalidValue(f"not a number of whole bytes: {entries!r} entries")
        return cls(bytes(max(entries, 0) // 8))

    def is_revoked(self, index: int) -> bool:
        """Tell whether the bit at *index* is set."""
        byte, bit = self._place(index)
        return bool(self.bits[byte] & bit)

    def with_revoked(self, index: int) -> Self:
        """Return the list with the bit at *index* set as well."""
        byte, bit = self._place(index)
        changed = bytearray(self.bits)
        changed[byte] |= bit
        return type(self)(bytes(changed))

    def encoded(self) -> str:
        """Return the list as text: gzip, base64url, multibase.

        The same bits give the same text; the gzip header holds no time.
        """
        packing = zlib.compressobj(level=9, wbits=_GZIP)
        packed = packing.compress(self.bits) + packing.flush()
        return "u" + urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def decoded(cls, text: str) -> Self:
        """Read what `encoded` returned.

        Raises:
            InvalidValue: it is anything else, or unpacks to more than 16 MiB.
        """
        body = text[1:]
        if text[:1] != "u" or not body.isascii():
            raise InvalidValue(f"not a status list: {text!r:.80}")
        unpacking = zlib.decompressobj(wbits=_GZIP)
        try:
            packed = urlsafe_b64decode(body + "=" * (-len(body) % 4))
            bits = unpacking.decompress(packed, _MOST_BYTES)
        except (ValueError, zlib.error) as exc:
            raise InvalidValue(f"not a status list: {text!r:.80}") from exc
        if not unpacking.eof or unpacking.unused_data:
            raise InvalidValue(f"not a whole status list: {text!r:.80}")
        return cls(bits)

    def credential(
        self, *, url: str, issuer: str, valid_from: datetime, valid_for: timedelta
    ) -> dict[str, object]:
        """Return the credential, to be signed, that is served at *url*.

        Whoever keeps a copy must fetch it anew after *valid_for*.
        """
        start = utc(valid_from, place="valid_from")
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "id": url,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": issuer,
            "validFrom": timestamp(start),
            "validUntil": timestamp(start + valid_for),
            "credentialSubject": {
                "id": f"{url}#list",
                "type": "BitstringStatusList",
                "statusPurpose": "revocation",
                "encodedList": self.encoded(),
            },
        }

    def _place(self, index: int) -> tuple[int, int]:
        if type(index) is not int or not 0 <= index < len(self):
            raise InvalidValue(f"not an index of this status list: {index!r}")
        # The first entry is the highest bit of the first byte.
        return index // 8, 0x80 >> index % 8


def timestamp(at: datetime) -> str:
    """Return *at* as credentials write it, to the second.

    >>> from datetime import UTC
    >>> timestamp(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
    '2026-11-21T09:30:00Z'
    """
    return utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")
