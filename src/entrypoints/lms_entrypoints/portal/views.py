"""What each page shows, and nothing else.

A view holds exactly what its template prints. Text is plain and is escaped by
the template; only `Markup` fields are printed as they stand, and whoever fills
one has sanitised it. Instants carry a zone; amounts, shares and scores are
exact, and are rounded by the template's filters.
"""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import ClassVar

from attrs import frozen
from markupsafe import Markup

from lms_core.domain.money import Money
from lms_core.domain.percent import Percent
from lms_core.domain.score import Score
from lms_entrypoints.portal.words import Explanation

NO_TEXT = Markup()


@frozen(kw_only=True)
class View:
    """Base of every page's data; *template* is the file that shows it."""

    template: ClassVar[str]


# What every page has around its content.


@frozen(kw_only=True)
class Person:
    """Somebody signed in, and which parts of the portal are theirs."""

    id: str
    name: str
    teaches: bool = False
    is_admin: bool = False


@frozen(kw_only=True)
class Notice:
    """Something said once at the top of a page; *tone* is info, good or bad."""

    text: str
    tone: str = "info"


@frozen(kw_only=True)
class Shell:
    """The frame of a page: who looks at it, and the token that its forms carry.

    *path* is that of the request; signing in leads back to it.
    """

    site_name: str
    csrf_token: str
    path: str
    person: Person | None = None
    notices: tuple[Notice, ...] = ()


@frozen(kw_only=True)
class FieldError:
    """What is wrong with one field of a form; *field* is its name."""

    field: str
    message: str


@frozen(kw_only=True)
class Pager:
    """Links to the neighbouring pages of a list, where there are any."""

    previous_href: str | None = None
    next_href: str | None = None
    note: str = ""


NO_PAGER = Pager()


@frozen(kw_only=True)
class Crumb:
    """A course that a page belongs to."""

    id: str
    title: str


# Catalogue, course, sign-up and sign-in.


@frozen(kw_only=True)
class CourseCard:
    """A course in the catalogue; *price* of `None` means free."""

    id: str
    title: str
    summary: str
    language: str
    lessons: int
    minutes: int | None = None
    price: Money | None = None
    enrolled: bool = False


@frozen(kw_only=True)
class Catalogue(View):
    """Courses to choose from; *price* is any, free or paid."""

    template: ClassVar[str] = "catalogue.html"

    cards: tuple[CourseCard, ...]
    query: str = ""
    language: str = ""
    price: str = "any"
    languages: tuple[str, ...] = ()
    pager: Pager = NO_PAGER

    @property
    def is_filtered(self) -> bool:
        """Whether the list is not the whole catalogue."""
        return bool(self.query or self.language or self.price != "any")


@frozen(kw_only=True)
class OutlineLesson:
    """A lesson in a public outline; *kind* is text, video, quiz or another."""

    title: str
    kind: str
    minutes: int | None = None
    required: bool = True


@frozen(kw_only=True)
class OutlineModule:
    """A module in a public outline."""

    title: str
    lessons: tuple[OutlineLesson, ...]


@frozen(kw_only=True)
class CoursePage(View):
    """A course before one is on it.

    *offer* says which button there is: ``enroll``, ``buy``, ``continue``,
    ``pay`` (an order waits), ``sign-in`` or ``closed``, with *why* then.
    """

    template: ClassVar[str] = "course.html"

    id: str
    title: str
    summary: str
    description: Markup
    language: str
    offer: str
    instructor: str
    modules: tuple[OutlineModule, ...]
    lessons: int
    minutes: int | None = None
    price: Money | None = None
    seats_left: int | None = None
    access_days: int | None = None
    certificate: bool = False
    order_id: str | None = None
    why: tuple[Explanation, ...] = ()


@frozen(kw_only=True)
class SignUp(View):
    """The form that opens an account; the password is never filled back in."""

    template: ClassVar[str] = "sign_up.html"

    name: str = ""
    email: str = ""
    shortest_password: int = 12
    then: str = ""
    errors: tuple[FieldError, ...] = ()


@frozen(kw_only=True)
class SignIn(View):
    """The form that signs in."""

    template: ClassVar[str] = "sign_in.html"

    email: str = ""
    then: str = ""
    errors: tuple[FieldError, ...] = ()


@frozen(kw_only=True)
class SignOut(View):
    """Asks before signing out, and says so afterwards."""

    template: ClassVar[str] = "sign_out.html"

    done: bool = False


@frozen(kw_only=True)
class ForgotPassword(View):
    """The form that asks for a link; *sent* is the same for every address."""

    template: ClassVar[str] = "forgot_password.html"

    sent: bool = False


@frozen(kw_only=True)
class ResetPassword(View):
    """The form that chooses a new password with the secret from a mail."""

    template: ClassVar[str] = "reset_password.html"

    token: str
    shortest_password: int
    errors: tuple[FieldError, ...] = ()


# Buying.


@frozen(kw_only=True)
class Checkout(View):
    """What will be bought, for how much, before the gateway's own page."""

    template: ClassVar[str] = "checkout.html"

    course: Crumb
    summary: str
    prices: tuple[Money, ...]
    buyer_email: str
    access_days: int | None = None
    sandbox: bool = False
    idempotency_key: str
    errors: tuple[FieldError, ...] = ()


@frozen(kw_only=True)
class OrderPage(View):
    """What became of an order; *status* is one of the domain's.

    *refresh_s* is set while news may come by itself.
    """

    template: ClassVar[str] = "order.html"

    id: str
    course: Crumb
    amount: Money
    status: str
    placed_at: datetime
    paid_at: datetime | None = None
    refunded: Money | None = None
    pay_again_href: str | None = None
    refresh_s: int | None = None


# Learning.


@frozen(kw_only=True)
class MyCourse:
    """A course one is on, how far, and where to go on."""

    id: str
    title: str
    status: str
    progress: Percent
    next_lesson: str | None = None
    next_title: str | None = None
    grade: Fraction | None = None
    certificate_id: str | None = None
    order_id: str | None = None
    expires_at: datetime | None = None


@frozen(kw_only=True)
class MyCourses(View):
    """The learner's courses, those to go on with first."""

    template: ClassVar[str] = "my_courses.html"

    courses: tuple[MyCourse, ...]


@frozen(kw_only=True)
class LessonRow:
    """A lesson in a learner's outline.

    *state* is done, open, started or locked; a locked one says *why*, with
    every reason, and *opens_at* where it opens by itself.
    """

    key: str
    title: str
    kind: str
    state: str
    minutes: int | None = None
    required: bool = True
    progress: Percent | None = None
    share: Fraction | None = None
    why: tuple[Explanation, ...] = ()
    opens_at: datetime | None = None


@frozen(kw_only=True)
class ModuleRows:
    """A module in a learner's outline."""

    title: str
    lessons: tuple[LessonRow, ...]


@frozen(kw_only=True)
class Outline(View):
    """A course for somebody on it; *preview* for staff, who pass every lock."""

    template: ClassVar[str] = "outline.html"

    course: Crumb
    progress: Percent
    modules: tuple[ModuleRows, ...]
    done: int
    required: int
    next_lesson: str | None = None
    next_title: str | None = None
    grade: Fraction | None = None
    certificate_id: str | None = None
    expires_at: datetime | None = None
    preview: bool = False


@frozen(kw_only=True)
class Step:
    """A lesson to go to."""

    key: str
    title: str


@frozen(kw_only=True)
class Where:
    """Where a lesson stands in its course."""

    course: Crumb
    key: str
    title: str
    module: str
    done: bool = False
    previous: Step | None = None
    next: Step | None = None


@frozen(kw_only=True)
class LessonLocked(View):
    """A lesson that is not open, with every reason."""

    template: ClassVar[str] = "lesson_locked.html"

    where: Where
    why: tuple[Explanation, ...]
    opens_at: datetime | None = None


@frozen(kw_only=True)
class TextLesson(View):
    """Something to read."""

    template: ClassVar[str] = "lesson_text.html"

    where: Where
    body: Markup
    minutes: int | None = None


@frozen(kw_only=True)
class Caption:
    """A WebVTT track at a signed address."""

    url: str
    language: str
    label: str


@frozen(kw_only=True)
class VideoLesson(View):
    """A lecture, ready to play and to go on where the learner left.

    *now* is the server's time: the device's may be wrong. Addresses are signed
    until *expires_at*. *hls_script* is the address of hls.js where it is
    installed. *watched* holds half-open ranges in ms.
    """

    template: ClassVar[str] = "lesson_video.html"

    where: Where
    lesson_id: str
    asset_id: str
    duration_ms: int
    playlist_url: str
    progressive_url: str | None
    poster_url: str
    thumbnails_url: str | None
    now: datetime
    expires_at: datetime
    needed: Percent
    captions: tuple[Caption, ...] = ()
    watched: tuple[tuple[int, int], ...] = ()
    share: Percent
    position_ms: int = 0
    epoch: int = 0
    hls_script: str | None = None
    body: Markup = NO_TEXT


@frozen(kw_only=True)
class VideoPending(View):
    """A lecture that is not ready to be watched yet."""

    template: ClassVar[str] = "lesson_video_pending.html"

    where: Where
    status: str


@frozen(kw_only=True)
class AttemptRow:
    """An earlier attempt, or the one under way."""

    id: str
    number: int
    status: str
    started_at: datetime
    score: Score | None = None
    passed: bool = False


@frozen(kw_only=True)
class QuizIntro(View):
    """The rules of a quiz, and the attempts so far."""

    template: ClassVar[str] = "quiz_intro.html"

    where: Where
    questions: int
    possible: Fraction
    pass_mark: Percent
    time_limit_s: int | None
    max_attempts: int | None
    combine: str
    show_answers: str
    instructions: Markup = NO_TEXT
    attempts: tuple[AttemptRow, ...] = ()
    open_attempt: str | None = None
    counting: Fraction | None = None
    why: tuple[Explanation, ...] = ()


@frozen(kw_only=True)
class Choice:
    """An option of a question; *text* is sanitised inline HTML."""

    key: str
    text: Markup


@frozen(kw_only=True)
class QuestionForm:
    """A question to answer; *input* is one, many, number or text."""

    key: str
    prompt: Markup
    points: Fraction
    input: str
    options: tuple[Choice, ...] = ()
    unit: str | None = None
    answer: tuple[str, ...] = ()


@frozen(kw_only=True)
class QuizAttempt(View):
    """An attempt under way; time is the server's, never the device's."""

    template: ClassVar[str] = "quiz_attempt.html"

    where: Where
    attempt_id: str
    number: int
    questions: tuple[QuestionForm, ...]
    started_at: datetime
    now: datetime
    due_at: datetime | None = None
    errors: tuple[FieldError, ...] = ()


@frozen(kw_only=True)
class QuestionResult:
    """What an answer came to.

    While the quiz keeps results back, *outcome* and *earned* are `None` and
    *correct* is empty.
    """

    prompt: Markup
    answer: tuple[str, ...]
    outcome: str | None
    earned: Fraction | None
    possible: Fraction
    why: Explanation | None = None
    correct: tuple[str, ...] = ()
    explanation: Markup = NO_TEXT


@frozen(kw_only=True)
class QuizResult(View):
    """What an attempt came to."""

    template: ClassVar[str] = "quiz_result.html"

    where: Where
    number: int
    score: Score
    pass_mark: Percent
    passed: bool
    expired: bool
    submitted_at: datetime
    questions: tuple[QuestionResult, ...]
    show_answers: str
    answers_shown: bool
    may_retry: bool
    counting: Fraction | None = None
    combine: str = "best"


# Grades and certificates.


@frozen(kw_only=True)
class GradeRow:
    """An item of a grade; *weight* is its part of the course grade."""

    key: str
    title: str
    status: str
    weight: Fraction
    score: Score | None = None
    comment: str = ""
    overridden: bool = False


@frozen(kw_only=True)
class GradeGroup:
    """A category of a grade and how it was computed, in *rule*."""

    title: str
    share: Fraction | None
    weight: Fraction
    rule: str
    items: tuple[GradeRow, ...] = ()
    groups: tuple["GradeGroup", ...] = ()


@frozen(kw_only=True)
class Grades(View):
    """A learner's grade, with what counted and what did not."""

    template: ClassVar[str] = "grades.html"

    course: Crumb
    share: Fraction | None
    letter: str | None
    pass_mark: Percent | None
    progress: Percent
    groups: tuple[GradeGroup, ...]


@frozen(kw_only=True)
class CertificatePage(View):
    """A certificate for its holder; it is valid before its PDF exists."""

    template: ClassVar[str] = "certificate.html"

    id: str
    number: str
    learner_name: str
    course_title: str
    issued_at: datetime
    code: str
    verify_url: str
    grade: Fraction | None = None
    pdf_ready: bool = False
    revoked_at: datetime | None = None
    revocation_reason: str | None = None


@frozen(kw_only=True)
class CertificateRow:
    """A certificate in its holder's list."""

    id: str
    number: str
    course_title: str
    issued_at: datetime
    revoked: bool = False


@frozen(kw_only=True)
class Certificates(View):
    """The learner's own certificates, the latest first."""

    template: ClassVar[str] = "certificates.html"

    rows: tuple[CertificateRow, ...]
    pager: Pager = NO_PAGER


@frozen(kw_only=True)
class Verification(View):
    """What a stranger may know; *state* is ask, valid, revoked or unknown."""

    template: ClassVar[str] = "verify.html"

    state: str
    code: str = ""
    checked_at: datetime | None = None
    issuer: str = ""
    number: str = ""
    learner_name: str = ""
    course_title: str = ""
    issued_at: datetime | None = None
    revoked_at: datetime | None = None
    revocation_reason: str | None = None


# Authoring.


@frozen(kw_only=True)
class AuthorCourse:
    """A course that somebody may edit."""

    id: str
    title: str
    lessons: int
    learners: int
    published_number: int | None
    has_changes: bool
    media_waiting: int = 0
    media_failed: int = 0


@frozen(kw_only=True)
class AuthorCourses(View):
    """The courses that somebody may edit."""

    template: ClassVar[str] = "author_courses.html"

    courses: tuple[AuthorCourse, ...]
    may_create: bool = True


@frozen(kw_only=True)
class NewCourse(View):
    """The form that begins an empty course; *id* is its key."""

    template: ClassVar[str] = "author_new.html"

    id: str = ""
    title: str = ""
    errors: tuple[FieldError, ...] = ()


@frozen(kw_only=True)
class MediaState:
    """A lecture's state, and why it failed."""

    status: str
    filename: str = ""
    size_bytes: int | None = None
    progress: Percent | None = None
    duration_ms: int | None = None
    renditions: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    why: Explanation | None = None
    older_shown: bool = False


@frozen(kw_only=True)
class AuthorLesson:
    """A lesson as its author sees it."""

    key: str
    title: str
    kind: str
    required: bool
    access: tuple[str, ...] = ()
    media: MediaState | None = None
    questions: int | None = None


@frozen(kw_only=True)
class AuthorModule:
    """A module as its author sees it."""

    title: str
    lessons: tuple[AuthorLesson, ...]


@frozen(kw_only=True)
class FaultRow:
    """A fault: ``file:line`` or a place in the document, and what is wrong."""

    place: str
    message: str
    code: str = ""


@frozen(kw_only=True)
class AuthorOverview(View):
    """A course as its author sees it, and what keeps it from being published."""

    template: ClassVar[str] = "author_course.html"

    course: Crumb
    modules: tuple[AuthorModule, ...]
    published_number: int | None
    published_at: datetime | None
    has_changes: bool
    learners: int
    faults: tuple[FaultRow, ...] = ()
    refresh_s: int | None = None


@frozen(kw_only=True)
class ImportPage(View):
    """The form that imports a course folder, and its report."""

    template: ClassVar[str] = "author_import.html"

    largest_bytes: int
    filename: str = ""
    faults: tuple[FaultRow, ...] = ()
    more_faults: int = 0
    imported: Crumb | None = None


@frozen(kw_only=True)
class UploadPage(View):
    """The page that uploads a lecture; *accept* is for the file field."""

    template: ClassVar[str] = "author_upload.html"

    course: Crumb
    lesson_key: str
    lesson_title: str
    accept: str
    largest_bytes: int
    replaces: MediaState | None = None
    errors: tuple[FieldError, ...] = ()


# Teaching.


@frozen(kw_only=True)
class GradebookColumn:
    """An item of the gradebook."""

    key: str
    title: str
    possible: Fraction


@frozen(kw_only=True)
class GradebookCell:
    """One learner's result in one item; *status* as in a grade."""

    status: str
    score: Score | None = None
    overridden: bool = False


@frozen(kw_only=True)
class GradebookRow:
    """One learner; *cells* are in the columns' order."""

    user_id: str
    name: str
    progress: Percent
    share: Fraction | None
    letter: str | None
    cells: tuple[GradebookCell, ...]


@frozen(kw_only=True)
class Gradebook(View):
    """Everybody's results, a page at a time."""

    template: ClassVar[str] = "gradebook.html"

    course: Crumb
    columns: tuple[GradebookColumn, ...]
    rows: tuple[GradebookRow, ...]
    learners: int
    query: str = ""
    pager: Pager = NO_PAGER


@frozen(kw_only=True)
class OverrideForm:
    """What was entered to set a grade by hand; *mode* is score, excuse or none."""

    lesson: str
    mode: str = "score"
    earned: str = ""
    comment: str = ""
    version: int = 0


@frozen(kw_only=True)
class LearnerDetail(View):
    """One learner as the instructor sees them, with the form for one item."""

    template: ClassVar[str] = "learner.html"

    course: Crumb
    user_id: str
    name: str
    email: str
    status: str
    enrolled_at: datetime
    last_seen_at: datetime | None
    progress: Percent
    share: Fraction | None
    letter: str | None
    groups: tuple[GradeGroup, ...]
    form: OverrideForm | None = None
    form_title: str = ""
    form_possible: Fraction | None = None
    errors: tuple[FieldError, ...] = ()


# Running the place.


@frozen(kw_only=True)
class UserRow:
    """A user; *roles* are as people read them."""

    id: str
    name: str
    email: str
    registered_at: datetime
    roles: tuple[str, ...] = ()
    suspended: bool = False


@frozen(kw_only=True)
class Users(View):
    """The users of the platform, a page at a time."""

    template: ClassVar[str] = "users.html"

    rows: tuple[UserRow, ...]
    query: str = ""
    pager: Pager = NO_PAGER


@frozen(kw_only=True)
class DeadLetterRow:
    """Work that was given up; *summary* says what it was about."""

    id: str
    summary: str
    why: Explanation
    deliveries: int
    died_at: datetime


@frozen(kw_only=True)
class QueueRow:
    """A queue, how much waits in it, and what was given up."""

    name: str
    ready: int
    leased: int
    dead: int
    letters: tuple[DeadLetterRow, ...] = ()


@frozen(kw_only=True)
class Queues(View):
    """Every queue."""

    template: ClassVar[str] = "queues.html"

    queues: tuple[QueueRow, ...]
    seen_at: datetime


# When it does not work.


@frozen(kw_only=True)
class ErrorPage(View):
    """Why a page is not shown: 403, 404, 409, 429, 503 and the like."""

    template: ClassVar[str] = "error.html"

    status: int
    why: tuple[Explanation, ...] = ()
    retry_after_s: int | None = None
    request_id: str = ""


ERROR_TITLES: Mapping[int, tuple[str, str]] = {
    400: (
        "That request could not be read",
        "Something in it was not as expected. Go back and try again.",
    ),
    402: ("This has to be paid for", "The course opens as soon as it is paid."),
    403: ("This is not open to you", "The page exists, but a rule keeps it closed."),
    404: (
        "There is no such page",
        "It may have moved, or the address may be mistyped.",
    ),
    405: (
        "That cannot be done here",
        "The address is right, but not for this. Go back and try again.",
    ),
    408: (
        "That took too long",
        "The connection was too slow for what was sent. Nothing is lost; try again.",
    ),
    409: (
        "Not as things stand",
        "Something has changed, or a rule keeps this from being done now.",
    ),
    412: (
        "Somebody was faster",
        "What you wanted to change has just been changed. Look at it again first.",
    ),
    413: ("That is too large", "Send a smaller file."),
    415: ("That kind of data is not taken", "Send it as the page offers it."),
    422: (
        "That could not be taken as it is",
        "Something in it is not allowed. Go back and correct it.",
    ),
    429: (
        "A little slower, please",
        "There were many requests from you in a short time. Nothing is lost.",
    ),
    500: (
        "Something broke on our side",
        "It was noted. What you had saved is safe.",
    ),
    503: (
        "We will be right back",
        "A part of the system does not answer just now. What you had saved is safe.",
    ),
}
