"""Use case: make the documents of a certificate, from the same data each time."""

from attrs import frozen

from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.ids import CertificateId
from lms_core.errors import Refused
from lms_core.ports.renderer import PdfRenderer
from lms_core.ports.sealing import PdfSealer
from lms_core.ports.unit_of_work import StartWork


@frozen(kw_only=True)
class PrintCertificate:
    """Print and sign a certificate on demand: nothing is kept that could differ."""

    start: StartWork
    pdf_renderer: PdfRenderer
    pdf_sealer: PdfSealer
    issuer_name: str
    portal_url: str

    def load(self, certificate: CertificateId) -> Certificate:
        """Return the certificate, or raise `NotFound`."""
        with self.start(read_only=True) as work:
            return work.certificates.get(certificate)

    def pdf(self, certificate: Certificate) -> bytes:
        """Return the signed PDF.

        Raises:
            Refused: the certificate was revoked (``certificate-revoked``).
        """
        if certificate.is_revoked:
            raise Refused("certificate-revoked")
        grade = certificate.grade
        printed = self.pdf_renderer.render(
            certificate.template,
            {
                "learner": certificate.learner_name,
                "course": certificate.course_title,
                "issuer": self.issuer_name,
                "number": certificate.display_number,
                "issued_on": certificate.issued_at.date().isoformat(),
                "verification_url": f"{self.portal_url}/verify/{certificate.code}",
                **({} if grade is None else {"grade": f"{int(grade * 100)} %"}),
            },
        )
        return self.pdf_sealer.seal(
            printed,
            reason=f"Certificate {certificate.display_number}",
            at=certificate.issued_at,
        )
