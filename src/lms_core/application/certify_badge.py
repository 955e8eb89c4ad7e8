"""Use cases: a certificate as a credential, and the list of revoked ones."""

from datetime import timedelta
from hashlib import sha256

from attrs import frozen

from lms_core.domain.certification.badge import (
    Achievement,
    BadgeIssuer,
    StatusEntry,
    badge,
)
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.certification.status_list import (
    FEWEST_ENTRIES,
    BitstringStatusList,
)
from lms_core.errors import NotFound
from lms_core.ports.sealing import CredentialSigner
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork

MOST_LISTS = 1000
LIST_LASTS = timedelta(minutes=15)
"""How long a verifier may rely on its copy of a status list."""


@frozen(kw_only=True)
class CertifyBadge:
    """Make the Open Badges 3.0 credential of a certificate, on demand."""

    start: StartWork
    credential_signer: CredentialSigner
    issuer_name: str
    portal_url: str

    def __call__(self, certificate: Certificate) -> dict[str, object]:
        """Return the signed credential; a revoked one says so by its status."""
        with self.start(read_only=True) as work:
            learner = work.users.get(certificate.learner)
            number = work.courses.published_number(certificate.course)
            content = (
                work.courses.publication(certificate.course, number).content
                if number is not None
                else None
            )
        place, index = divmod(certificate.status_index, FEWEST_ENTRIES)
        course_url = f"{self.portal_url}/courses/{certificate.course}"
        document = badge(
            id_=f"{self.portal_url}/credentials/{certificate.code}",
            number=certificate.display_number,
            issuer=self._issuer(),
            achievement=Achievement(
                id=course_url,
                name=certificate.course_title,
                description=(content.summary if content else "")
                or certificate.course_title,
                criteria="Every required lesson was finished, and every quiz passed.",
            ),
            email=learner.email,
            salt=sha256(f"salt/{certificate.code}".encode()).hexdigest()[:32],
            status=StatusEntry(url=self._list_url(place), index=index),
            verification_url=f"{self.portal_url}/verify/{certificate.code}",
            issued_at=certificate.issued_at,
        )
        return self.credential_signer.sign(document, at=certificate.issued_at)

    def _issuer(self) -> BadgeIssuer:
        return BadgeIssuer(
            id=f"{self.portal_url}/issuer", name=self.issuer_name, url=self.portal_url
        )

    def _list_url(self, place: int) -> str:
        return f"{self.portal_url}/status-lists/{place}"


@frozen(kw_only=True)
class PublishStatusList:
    """Sign the list that says which certificates were revoked; open to everybody."""

    start: StartWork
    clock: Clock
    credential_signer: CredentialSigner
    portal_url: str

    def __call__(self, place: int) -> dict[str, object]:
        """Return list number *place*, from zero, signed now.

        Raises:
            NotFound: there can be no such list.
        """
        if not 0 <= place < MOST_LISTS:
            raise NotFound(f"no status list {place}", resource=str(place))
        first = place * FEWEST_ENTRIES
        status = BitstringStatusList.empty()
        with self.start(read_only=True) as work:
            for index in work.certificates.revoked_indexes():
                if first <= index < first + FEWEST_ENTRIES:
                    status = status.with_revoked(index - first)
        now = self.clock.now()
        document = status.credential(
            url=f"{self.portal_url}/status-lists/{place}",
            issuer=f"{self.portal_url}/issuer",
            valid_from=now,
            valid_for=LIST_LASTS,
        )
        return self.credential_signer.sign(document, at=now)
