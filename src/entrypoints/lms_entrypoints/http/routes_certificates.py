"""Certificates for their owners, and their verification by strangers."""

from fastapi import APIRouter, Request, Response

from lms_core.application.certify_badge import CertifyBadge, PublishStatusList
from lms_core.application.issue_certificate import (
    ReadCertificate,
    RevokeCertificate,
    VerifyCertificate,
)
from lms_core.application.print_certificate import PrintCertificate
from lms_core.domain.ids import CertificateId
from lms_core.domain.paging import PageRequest
from lms_entrypoints.http.auth import (
    CallerDep,
    PlatformDep,
    guard_costly,
    guard_guessing,
)
from lms_entrypoints.http.routes_catalogue import After, Limit
from lms_entrypoints.http.routes_learning import user_named
from lms_entrypoints.http.routing import LmsRoute, json_response
from lms_entrypoints.http.schemas import (
    CertificateAnswer,
    CertificatePage,
    RevokeBody,
    VerificationAnswer,
)

router = APIRouter(route_class=LmsRoute, tags=["certificates"])

_PDF = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
_VC = "application/vc"


@router.get("/api/v1/users/{user_id}/certificates")
def list_certificates(
    user_id: str,
    platform: PlatformDep,
    caller: CallerDep,
    limit: Limit = 50,
    after: After = None,
) -> CertificatePage:
    """List a learner's certificates."""
    page = platform.use(ReadCertificate).of_learner(
        caller.actor, user_named(user_id, caller), PageRequest(limit, after)
    )
    base = platform.settings.base_url
    return CertificatePage(
        items=[CertificateAnswer.of(each, base) for each in page.items], next=page.next
    )


@router.get(
    "/api/v1/certificates/{certificate_id}.pdf",
    response_class=Response,
    responses={200: {"content": _PDF}},
)
def download_certificate(
    certificate_id: str, request: Request, platform: PlatformDep, caller: CallerDep
) -> Response:
    """Return the signed PDF."""
    guard_costly(request, caller)
    found = platform.use(ReadCertificate)(caller.actor, CertificateId(certificate_id))
    name = f"certificate-{found.display_number}.pdf"
    return Response(
        platform.use(PrintCertificate).pdf(found),
        media_type="application/pdf",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get("/api/v1/certificates/{certificate_id}")
def read_certificate(
    certificate_id: str, platform: PlatformDep, caller: CallerDep
) -> CertificateAnswer:
    """Show a certificate to its owner."""
    found = platform.use(ReadCertificate)(caller.actor, CertificateId(certificate_id))
    return CertificateAnswer.of(found, platform.settings.base_url)


@router.post("/api/v1/certificates/{certificate_id}/revoke")
def revoke_certificate(
    certificate_id: str, body: RevokeBody, platform: PlatformDep, caller: CallerDep
) -> CertificateAnswer:
    """Withdraw a certificate for a stated reason."""
    revoked = platform.use(RevokeCertificate)(
        caller.actor, CertificateId(certificate_id), body.reason
    )
    return CertificateAnswer.of(revoked, platform.settings.base_url)


@router.get("/api/v1/verify/{code}")
def verify(code: str, request: Request, platform: PlatformDep) -> VerificationAnswer:
    """Tell whether a certificate is genuine; no account needed."""
    guard_guessing(request)
    return VerificationAnswer.of(platform.use(VerifyCertificate)(code))


@router.get("/credentials/{code}", response_class=Response)
def read_credential(code: str, request: Request, platform: PlatformDep) -> Response:
    """Return the Open Badges 3.0 credential of a certificate."""
    guard_guessing(request)
    certificate = platform.use(VerifyCertificate)(code)
    return _public(platform.use(CertifyBadge)(certificate), _VC)


@router.get("/status-lists/{place}", response_class=Response)
def read_status_list(place: int, platform: PlatformDep) -> Response:
    """Return the list that says which credentials were revoked."""
    return _public(platform.use(PublishStatusList)(place), _VC)


@router.get("/issuer", response_class=Response)
def read_issuer(platform: PlatformDep) -> Response:
    """Return the document with the key that checks our credentials."""
    return _public(platform.credential_signer.key_document(), "application/json")


def _public(document: dict[str, object], media_type: str) -> Response:
    """Return a document that anybody may fetch, from a page elsewhere too."""
    response = json_response(document)
    response.headers["content-type"] = media_type
    response.headers["access-control-allow-origin"] = "*"
    response.headers["cache-control"] = "public, max-age=60"
    return response
