"""Badges are Open Badges 3.0 and name nobody in clear."""

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest

from lms_core.domain.certification.badge import (
    Achievement,
    BadgeIssuer,
    StatusEntry,
    badge,
)
from lms_core.errors import InvalidValue

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
HOST = "https://learn.example.org"


def _badge(**changes: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "id_": f"{HOST}/badges/1",
        "number": "C-2026-147",
        "issuer": BadgeIssuer(id=f"{HOST}/issuer", name="Open School", url=HOST),
        "achievement": Achievement(
            id=f"{HOST}/courses/adaptive-streaming",
            name="Adaptive Streaming",
            description="Ladders, segments and players.",
            criteria="All lessons and 60 % in the final quiz.",
        ),
        "email": "zoe@example.org",
        "salt": "pepper",
        "status": StatusEntry(url=f"{HOST}/status/1", index=94567),
        "verification_url": f"{HOST}/verify/7Q4M",
        "issued_at": AT,
    }
    return badge(**{**arguments, **changes})


def test_a_badge_is_an_open_badge() -> None:
    document = _badge()

    assert document["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ]
    assert document["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert document["name"] == "Adaptive Streaming"
    assert document["issuer"]["type"] == ["Profile"]
    assert document["issuer"]["id"] == f"{HOST}/issuer"
    assert document["credentialSubject"]["type"] == ["AchievementSubject"]
    assert document["credentialSubject"]["achievement"] == {
        "id": f"{HOST}/courses/adaptive-streaming",
        "type": ["Achievement"],
        "achievementType": "Course",
        "name": "Adaptive Streaming",
        "description": "Ladders, segments and players.",
        "criteria": {"narrative": "All lessons and 60 % in the final quiz."},
    }


def test_a_badge_says_where_to_ask_whether_it_was_revoked() -> None:
    assert _badge()["credentialStatus"] == {
        "id": f"{HOST}/status/1#94567",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": f"{HOST}/status/1",
    }


def test_the_evidence_is_the_page_that_verifies_the_certificate() -> None:
    assert _badge()["evidence"] == [
        {
            "id": f"{HOST}/verify/7Q4M",
            "type": ["Evidence"],
            "name": "Certificate C-2026-147",
        }
    ]


def test_who_knows_the_address_can_recognise_the_badge() -> None:
    (identifier,) = _badge()["credentialSubject"]["identifier"]

    digest = sha256(b"zoe@example.org" + identifier["salt"].encode()).hexdigest()
    assert identifier["hashed"] is True
    assert identifier["identityType"] == "emailAddress"
    assert identifier["identityHash"] == f"sha256${digest}"


def test_a_stranger_reads_no_address_and_links_no_badges() -> None:
    one, two = _badge(salt="a"), _badge(salt="b")

    assert "zoe@" not in json.dumps(one)
    assert "id" not in one["credentialSubject"]
    assert (
        one["credentialSubject"]["identifier"][0]["identityHash"]
        != two["credentialSubject"]["identifier"][0]["identityHash"]
    )


def test_the_time_of_issue_is_in_utc() -> None:
    there = AT.astimezone(timezone(timedelta(hours=9)))

    assert _badge(issued_at=there)["validFrom"] == "2026-11-21T09:30:00Z"


@pytest.mark.parametrize(
    "changes",
    [
        {"email": ""},
        {"salt": ""},
        {"issued_at": AT.replace(tzinfo=None)},
        {"status": StatusEntry(url=f"{HOST}/status/1", index=-1)},
        {"status": StatusEntry(url=f"{HOST}/status/1", index=True)},
    ],
)
def test_what_makes_no_badge_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        _badge(**changes)
