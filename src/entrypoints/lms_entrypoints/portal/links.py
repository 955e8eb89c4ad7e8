"""Where the portal's pages are: the one place that spells their addresses.

Templates and routes both ask here, so that an address changes once. Every part
is quoted; what comes back is a path on this site and never another host.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlencode


def _path(*parts: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def with_query(path: str, values: Mapping[str, str]) -> str:
    """Return *path* with those of *values* that say something."""
    said = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(said)}" if said else path


@cache
def content_version(name: str) -> str:
    """Return what changes when the file *name* below ``static/`` does."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return sha256(content).hexdigest()[:12]


def static(name: str) -> str:
    """Return the address of a file below ``static/``; it may be cached for good."""
    return f"/static/{quote(name)}?v={content_version(name)}"


def home() -> str:
    """Return the catalogue's address."""
    return "/courses"


def course(course_id: str) -> str:
    """Return the public page of a course."""
    return _path("courses", course_id)


def enroll(course_id: str) -> str:
    """Return where the form for a free place is sent."""
    return _path("courses", course_id, "enroll")


def checkout(course_id: str) -> str:
    """Return the order summary; sent to, it places the order."""
    return _path("courses", course_id, "checkout")


def order(order_id: str) -> str:
    """Return the page that tells what became of an order."""
    return _path("orders", order_id)


def sign_up(then: str = "") -> str:
    """Return the sign-up form, going on to *then* afterwards."""
    return with_query("/sign-up", {"next": then})


def sign_in(then: str = "") -> str:
    """Return the sign-in form, going on to *then* afterwards."""
    return with_query("/sign-in", {"next": then})


def sign_out() -> str:
    """Return the page that signs out when it is sent."""
    return "/sign-out"


def forgot_password() -> str:
    """Return the form that asks for a link to choose a new password."""
    return "/forgot-password"


def reset_password() -> str:
    """Return the form that chooses a new password; mails lead to it."""
    return "/reset-password"


def my_courses() -> str:
    """Return the learner's own courses."""
    return "/learn"


def outline(course_id: str) -> str:
    """Return the outline of a course for somebody on it."""
    return _path("learn", course_id)


def lesson(course_id: str, lesson_key: str) -> str:
    """Return a lesson's page."""
    return _path("learn", course_id, lesson_key)


def mark_read(course_id: str, lesson_key: str) -> str:
    """Return where the mark-as-read form is sent."""
    return _path("learn", course_id, lesson_key, "read")


def start_attempt(course_id: str, lesson_key: str) -> str:
    """Return where the form that starts an attempt is sent."""
    return _path("learn", course_id, lesson_key, "attempts")


def attempt(attempt_id: str) -> str:
    """Return an attempt's questions; sent to, it saves or hands in."""
    return _path("attempts", attempt_id)


def attempt_result(attempt_id: str) -> str:
    """Return what an attempt came to."""
    return _path("attempts", attempt_id, "result")


def grades(course_id: str) -> str:
    """Return a learner's own grades on a course."""
    return _path("grades", course_id)


def certificates() -> str:
    """Return the learner's own certificates."""
    return "/certificates"


def certificate(certificate_id: str) -> str:
    """Return a certificate for its holder."""
    return _path("certificates", certificate_id)


def certificate_pdf(certificate_id: str) -> str:
    """Return the sealed PDF of a certificate."""
    return _path("certificates", certificate_id, "certificate.pdf")


def credential(certificate_id: str) -> str:
    """Return the Open Badges credential of a certificate."""
    return _path("certificates", certificate_id, "credential.json")


def verify(code: str = "") -> str:
    """Return the public verification page, for *code* where there is one."""
    return _path("verify", code) if code else "/verify"


def author_courses() -> str:
    """Return the courses that somebody may edit."""
    return "/teach"


def author_course(course_id: str) -> str:
    """Return the author's overview of a course."""
    return _path("teach", course_id)


def publish(course_id: str) -> str:
    """Return where the publish form is sent."""
    return _path("teach", course_id, "publish")


def author_upload(course_id: str, lesson_key: str) -> str:
    """Return the page that uploads a lecture for a lesson."""
    return _path("teach", course_id, "lessons", lesson_key, "upload")


def retry_media(course_id: str, lesson_key: str) -> str:
    """Return where the form that tries a failed lecture again is sent."""
    return _path("teach", course_id, "lessons", lesson_key, "retry")


def author_new() -> str:
    """Return the form that begins an empty course."""
    return "/teach/new"


def author_import() -> str:
    """Return the page that imports a course folder."""
    return "/teach/import"


def gradebook(course_id: str) -> str:
    """Return the instructor's gradebook."""
    return _path("teach", course_id, "gradebook")


def teach_learner(course_id: str, user_id: str) -> str:
    """Return one learner as the instructor sees them."""
    return _path("teach", course_id, "gradebook", user_id)


def override(course_id: str, user_id: str, lesson_key: str) -> str:
    """Return where the form that sets a grade by hand is sent."""
    return _path("teach", course_id, "gradebook", user_id, lesson_key)


def users() -> str:
    """Return the admin's list of users."""
    return "/admin/users"


def user_roles(user_id: str) -> str:
    """Return where the form that gives a role is sent."""
    return _path("admin", "users", user_id, "roles")


def queues() -> str:
    """Return the admin's view of the queues."""
    return "/admin/queues"


def redrive(queue: str, letter: str) -> str:
    """Return where the form that puts a dead letter back is sent."""
    return _path("admin", "queues", queue, "dead", letter, "redrive")


def redrive_all(queue: str) -> str:
    """Return where the form that puts all dead letters back is sent."""
    return _path("admin", "queues", queue, "redrive")
