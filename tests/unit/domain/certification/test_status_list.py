"""Status lists are what W3C's Bitstring Status List v1.0 asks for."""

import gzip
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.certification.status_list import (
    FEWEST_ENTRIES,
    BitstringStatusList,
)
from lms_core.errors import InvalidValue

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
INDEXES = st.sets(st.integers(0, FEWEST_ENTRIES - 1), max_size=20)


def _revoking(indexes: set[int]) -> BitstringStatusList:
    found = BitstringStatusList.empty()
    for index in indexes:
        found = found.with_revoked(index)
    return found


@given(INDEXES)
def test_another_reader_finds_exactly_the_revoked_bits(indexes: set[int]) -> None:
    text = _revoking(indexes).encoded()

    bits = gzip.decompress(urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
    found = {
        n * 8 + bit
        for n, byte in enumerate(bits)
        if byte
        for bit in range(8)
        if byte >> (7 - bit) & 1
    }
    assert text[0] == "u"
    assert "=" not in text
    assert len(bits) * 8 == 131_072
    assert found == indexes


@given(INDEXES)
def test_decoding_undoes_encoding(indexes: set[int]) -> None:
    listed = _revoking(indexes)

    assert BitstringStatusList.decoded(listed.encoded()) == listed
    assert all(listed.is_revoked(index) for index in indexes)


def test_the_first_entry_is_the_leftmost_bit() -> None:
    assert BitstringStatusList.empty().with_revoked(0).bits[0] == 0b1000_0000


def test_the_text_holds_no_time() -> None:
    text = BitstringStatusList.empty().encoded()

    packed = urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    assert packed[:3] == b"\x1f\x8b\x08"
    assert packed[4:8] == b"\0\0\0\0"
    assert text == BitstringStatusList.empty().encoded()


def test_revoking_twice_is_revoking_once_and_changes_no_other_list() -> None:
    empty = BitstringStatusList.empty()

    once = empty.with_revoked(7)

    assert once.with_revoked(7) == once
    assert not empty.is_revoked(7)


@pytest.mark.parametrize("index", [-1, FEWEST_ENTRIES, True, 1.0, "1"])
def test_only_entries_have_an_index(index: Any) -> None:
    with pytest.raises(InvalidValue):
        BitstringStatusList.empty().with_revoked(index)
    with pytest.raises(InvalidValue):
        BitstringStatusList.empty().is_revoked(index)


@pytest.mark.parametrize("entries", [0, -8, 8, FEWEST_ENTRIES - 8, FEWEST_ENTRIES + 1])
def test_a_list_that_gives_its_readers_away_is_refused(entries: int) -> None:
    with pytest.raises(InvalidValue):
        BitstringStatusList.empty(entries)


def test_a_longer_list_has_more_entries() -> None:
    longer = BitstringStatusList.empty(FEWEST_ENTRIES * 2)

    assert longer.with_revoked(FEWEST_ENTRIES).is_revoked(FEWEST_ENTRIES)


def test_what_is_no_list_is_refused() -> None:
    whole = BitstringStatusList.empty().encoded()
    short = "u" + urlsafe_b64encode(gzip.compress(bytes(8))).decode().rstrip("=")
    bomb = "u" + urlsafe_b64encode(gzip.compress(bytes(1 << 25))).decode().rstrip("=")

    for text in ("", "u", "z" + whole[1:], whole[1:], whole[:-9], "uä", short, bomb):
        with pytest.raises(InvalidValue):
            BitstringStatusList.decoded(text)


def test_the_credential_says_what_it_lists_and_how_long_it_may_be_kept() -> None:
    listed = BitstringStatusList.empty().with_revoked(94567)

    document = listed.credential(
        url="https://learn.example.org/status/1",
        issuer="https://learn.example.org/issuer",
        valid_from=AT,
        valid_for=timedelta(hours=1),
    )

    assert document == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "https://learn.example.org/status/1",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "https://learn.example.org/issuer",
        "validFrom": "2026-11-21T09:30:00Z",
        "validUntil": "2026-11-21T10:30:00Z",
        "credentialSubject": {
            "id": "https://learn.example.org/status/1#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": listed.encoded(),
        },
    }
