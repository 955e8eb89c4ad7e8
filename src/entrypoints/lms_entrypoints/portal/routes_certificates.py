"""Certificates for their holders, and their verification by strangers."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from lms_core.application.certify_badge import CertifyBadge
from lms_core.application.issue_certificate import (
    LONGEST_CODE,
    ReadCertificate,
    VerifyCertificate,
)
from lms_core.application.print_certificate import PrintCertificate
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.ids import CertificateId
from lms_core.domain.paging import PageRequest
from lms_core.errors import NotFound
from lms_entrypoints.http.auth import guard_costly, guard_guessing
from lms_entrypoints.http.routing import json_response
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.routes_catalogue import After, pager
from lms_entrypoints.portal.visits import Visit, VisitDep

router = APIRouter(include_in_schema=False)


@router.get("/certificates")
def mine(visit: VisitDep, after: After = None) -> Response:
    """List the visitor's certificates."""
    page = visit.platform.use(ReadCertificate).of_learner(
        visit.actor, visit.require().user, PageRequest(after=after or None)
    )
    view = views.Certificates(
        rows=tuple(
            views.CertificateRow(
                id=each.id,
                number=each.display_number,
                course_title=each.course_title,
                issued_at=each.issued_at,
                revoked=each.is_revoked,
            )
            for each in page.items
        ),
        pager=pager(links.certificates(), {}, after, page.next),
    )
    return visit.show(view)


def _certificate(visit: Visit, certificate_id: str) -> Certificate:
    visit.require()
    return visit.platform.use(ReadCertificate)(
        visit.actor, CertificateId(certificate_id)
    )


@router.get("/certificates/{certificate_id}")
def certificate(certificate_id: str, visit: VisitDep) -> Response:
    """Show a certificate to its holder."""
    found = _certificate(visit, certificate_id)
    view = views.CertificatePage(
        id=found.id,
        number=found.display_number,
        learner_name=found.learner_name,
        course_title=found.course_title,
        issued_at=found.issued_at,
        code=found.code,
        verify_url=visit.platform.settings.base_url + links.verify(found.code),
        grade=found.grade,
        # It is printed on demand, so it is there as soon as the certificate is.
        pdf_ready=True,
        revoked_at=found.revoked_at,
        revocation_reason=found.revocation_reason,
    )
    return visit.show(view)


@router.get("/certificates/{certificate_id}/certificate.pdf")
def pdf(certificate_id: str, visit: VisitDep) -> Response:
    """Return the signed PDF of a certificate."""
    found = _certificate(visit, certificate_id)
    guard_costly(visit.request, visit.caller)
    name = f"certificate-{found.display_number}.pdf"
    response = Response(
        visit.platform.use(PrintCertificate).pdf(found),
        media_type="application/pdf",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
    return visit.with_cookies(response)


@router.get("/certificates/{certificate_id}/credential.json")
def credential(certificate_id: str, visit: VisitDep) -> Response:
    """Return the Open Badges credential of a certificate."""
    found = _certificate(visit, certificate_id)
    document = visit.platform.use(CertifyBadge)(found)
    name = f"credential-{found.display_number}.json"
    response = json_response(document)
    response.headers["content-disposition"] = f'attachment; filename="{name}"'
    return visit.with_cookies(response)


@router.get("/verify")
def ask(
    visit: VisitDep, code: Annotated[str, Query(max_length=LONGEST_CODE * 4)] = ""
) -> Response:
    """Ask for a code, or tell what is known of one."""
    if not code.strip():
        return visit.show(views.Verification(state="ask"))
    return _verify(visit, code.strip())


@router.get("/verify/{code}")
def verify(code: str, visit: VisitDep) -> Response:
    """Tell a stranger whether a certificate is genuine."""
    return _verify(visit, code)


def _verify(visit: Visit, code: str) -> Response:
    guard_guessing(visit.request)
    platform = visit.platform
    now, issuer = platform.clock.now(), platform.issuer_name
    try:
        found = platform.use(VerifyCertificate)(code)
    except NotFound:
        unknown = views.Verification(
            state="unknown", code=code[:LONGEST_CODE], checked_at=now, issuer=issuer
        )
        return visit.show(unknown, status=404)
    view = views.Verification(
        state="revoked" if found.is_revoked else "valid",
        code=found.code,
        checked_at=now,
        issuer=issuer,
        number=found.display_number,
        learner_name=found.learner_name,
        course_title=found.course_title,
        issued_at=found.issued_at,
        revoked_at=found.revoked_at,
        revocation_reason=found.revocation_reason,
    )
    return visit.show(view)
