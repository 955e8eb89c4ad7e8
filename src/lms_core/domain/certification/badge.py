"""A certificate as an Open Badges 3.0 credential, ready to be signed."""

from datetime import datetime
from hashlib import sha256

from attrs import frozen

from lms_core.domain.certification.status_list import timestamp
from lms_core.errors import InvalidValue

_CONTEXTS = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
_SCHEMA = (
    "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/"
    "ob_v3p0_achievementcredential_schema.json"
)


@frozen(kw_only=True)
class BadgeIssuer:
    """Who issues: *id* is the URL whose keys sign, *url* is for people."""

    id: str
    name: str
    url: str


@frozen(kw_only=True)
class Achievement:
    """What was achieved; *id* is a URL and *criteria* says what it took."""

    id: str
    name: str
    description: str
    criteria: str


@frozen(kw_only=True)
class StatusEntry:
    """Where to see whether it was revoked: a bit in the list at *url*."""

    url: str
    index: int


def badge(
    *,
    id_: str,
    number: str,
    issuer: BadgeIssuer,
    achievement: Achievement,
    email: str,
    salt: str,
    status: StatusEntry,
    verification_url: str,
    issued_at: datetime,
) -> dict[str, object]:
    """Return the document that a `CredentialSigner` signs.

    A badge is public: anybody with its address reads it. It therefore names its
    learner by a salted hash of *email* alone. Whoever knows the address can
    check that the badge is theirs; a stranger reads neither name nor address,
    and as every badge has its own *salt*, two of them do not show that they
    belong to one person.

    Raises:
        InvalidValue: *email* or *salt* is empty, the index of the status is
            negative, or *issued_at* has no time zone.
    """
    if not email or not salt:
        raise InvalidValue("a badge needs an address and a salt to hide it")
    if type(status.index) is not int or status.index < 0:
        raise InvalidValue(f"not an index of a status list: {status.index!r}")
    return {
        "@context": list(_CONTEXTS),
        "id": id_,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": achievement.name,
        "issuer": {
            "id": issuer.id,
            "type": ["Profile"],
            "name": issuer.name,
            "url": issuer.url,
        },
        "validFrom": timestamp(issued_at),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": True,
                    "identityHash": identity_hash(email, salt),
                    "identityType": "emailAddress",
                    "salt": salt,
                }
            ],
            "achievement": {
                "id": achievement.id,
                "type": ["Achievement"],
                "achievementType": "Course",
                "name": achievement.name,
                "description": achievement.description,
                "criteria": {"narrative": achievement.criteria},
            },
        },
        "evidence": [
            {
                "id": verification_url,
                "type": ["Evidence"],
                "name": f"Certificate {number}",
            }
        ],
        "credentialStatus": {
            "id": f"{status.url}#{status.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": str(status.index),
            "statusListCredential": status.url,
        },
        "credentialSchema": [{"id": _SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def identity_hash(email: str, salt: str) -> str:
    """Return the hash by which a badge names its learner.

    >>> identity_hash("zoe@example.org", "abc")[:15]
    'sha256$52df7c7e'
    """
    return f"sha256${sha256(f'{email}{salt}'.encode()).hexdigest()}"
