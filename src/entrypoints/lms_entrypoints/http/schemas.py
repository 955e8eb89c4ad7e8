"""What clients send and what they get: one model for each audience.

Requests are strict: unknown fields and coerced types are refused. Responses are
built field by field from what the audience may see, never by dumping a domain
value.
"""

from datetime import datetime
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from lms_core.application.browse_courses import CourseCard, CourseView
from lms_core.application.open_lesson import Playback
from lms_core.application.outline_course import Outline, OutlinedLesson
from lms_core.application.take_quiz import AttemptView, ReviewedQuestion
from lms_core.application.upload_media import UploadState
from lms_core.application.view_gradebook import GradebookRow
from lms_core.domain.catalog.course import Course
from lms_core.domain.certification.certificate import Certificate
from lms_core.domain.commerce.order import Order
from lms_core.domain.decision import Decision
from lms_core.domain.documents import dump, write_instant
from lms_core.domain.enrollment.enrollment import Enrollment
from lms_core.domain.grading.gradebook import CategoryGrade, CourseGrade
from lms_core.domain.media.asset import MediaAsset
from lms_core.domain.money import Money
from lms_core.domain.progress.lesson_progress import LessonProgress
from lms_core.domain.score import Score
from lms_entrypoints.http.problems import reason_document

Text = Annotated[str, StringConstraints(max_length=2000)]
Short = Annotated[str, StringConstraints(max_length=300)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=130)]
Millis = Annotated[int, Field(ge=0, le=24 * 3600 * 1000)]


class Request(BaseModel):
    """Base of what clients send."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """Base of what clients get."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def instant(at: datetime | None) -> str | None:
    """Return a time as clients read it."""
    return None if at is None else write_instant(at)


def percent(share: Fraction | None) -> str | None:
    """Return a share in percent with two decimals, cut and never rounded up."""
    if share is None:
        return None
    hundredths = int(share * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02}"


# People


class Register(Request):
    """An account to open; roles are never part of it."""

    email: Short
    name: Short
    password: Annotated[str, StringConstraints(max_length=256)]


class Login(Request):
    """An address and a password."""

    email: Short
    password: Annotated[str, StringConstraints(max_length=256)]


class RefreshBody(Request):
    """The refresh token of a session."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class SignOutBody(Request):
    """Whether to sign out here, or on every device."""

    everywhere: bool = False


class PasswordResetBody(Request):
    """The address of the account."""

    email: Short


class NewPasswordBody(Request):
    """The secret from the mail, and the password to have from now on."""

    token: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    password: Annotated[str, StringConstraints(max_length=256)]


class UpdateUserBody(Request):
    """What somebody may change of her account."""

    name: Short | None = None
    language: Annotated[str, StringConstraints(max_length=35)] | None = None


class Accepted(Answer):
    """It was heard; what follows is not told here."""

    status: Literal["accepted"] = "accepted"


class UserAnswer(Answer):
    """A person as she sees herself."""

    id: str
    email: str
    name: str
    language: str
    roles: list[dict[str, str | None]]


class Tokens(Answer):
    """Tokens of a session (RFC 6749, section 5.1)."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the type's name
    expires_in: int
    refresh_token: str


class RoleBody(Request):
    """A role for somebody."""

    user_id: Id
    role: Literal["instructor", "admin"]


# Catalogue


class MoneyAnswer(Answer):
    """An amount in the smallest unit of its currency."""

    minor: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> "MoneyAnswer":
        """Write *money*."""
        return cls(minor=money.minor, currency=money.currency)


class CourseCardAnswer(Answer):
    """A course in a list."""

    id: str
    title: str
    summary: str
    language: str
    prices: list[MoneyAnswer]
    lessons: int
    published_at: str

    @classmethod
    def of(cls, card: CourseCard) -> "CourseCardAnswer":
        """Write a card of the catalogue."""
        return cls(
            id=card.id,
            title=card.title,
            summary=card.summary,
            language=card.language,
            prices=[MoneyAnswer.of(price) for price in card.prices],
            lessons=card.lessons,
            published_at=write_instant(card.published_at),
        )


class CoursePage(Answer):
    """A page of courses; *next* goes into ``after``."""

    items: list[CourseCardAnswer]
    next: str | None


class DecisionAnswer(Answer):
    """Whether something is open, why not, and from when it is by itself."""

    allowed: bool
    reasons: list[dict[str, Any]]
    opens_at: str | None


class OutlineLessonAnswer(Answer):
    """A lesson in an outline; its content is behind its own address."""

    id: str
    title: str
    type: str
    required: bool
    minutes: int | None
    completed: bool | None = None
    access: DecisionAnswer | None = None
    content_url: str | None = None


class OutlineModuleAnswer(Answer):
    """A module in an outline."""

    key: str
    title: str
    lessons: list[OutlineLessonAnswer]


class CourseAnswer(Answer):
    """A published course as anybody sees it."""

    id: str
    title: str
    summary: str
    description: str
    language: str
    instructor: str
    version: int
    prices: list[MoneyAnswer]
    modules: list[OutlineModuleAnswer]
    enrollment: str | None
    may_enroll: DecisionAnswer

    @classmethod
    def of(cls, view: CourseView) -> "CourseAnswer":
        """Write the public side of a course."""
        content = view.content
        return cls(
            id=view.id,
            title=content.title,
            summary=content.summary,
            description=content.description,
            language=content.language,
            instructor=view.instructor,
            version=view.publication.number,
            prices=[MoneyAnswer.of(price) for price in content.prices],
            modules=[
                OutlineModuleAnswer(
                    key=module.key,
                    title=module.title,
                    lessons=[
                        OutlineLessonAnswer(
                            id=f"{view.id}.{lesson.key}",
                            title=lesson.title,
                            type=lesson.content.kind,
                            required=lesson.required,
                            minutes=lesson.minutes,
                        )
                        for lesson in module.lessons
                    ],
                )
                for module in content.modules
            ],
            enrollment=view.enrollment.status if view.enrollment else None,
            may_enroll=decision(view.may_enroll),
        )


def decision(found: Decision) -> DecisionAnswer:
    """Write a decision with its reasons."""
    return DecisionAnswer(
        allowed=bool(found),
        reasons=[reason_document(reason) for reason in found.objections],
        opens_at=instant(found.opens_at),
    )


class OutlineAnswer(Answer):
    """A course as one learner finds it."""

    id: str
    title: str
    percent: int
    complete: bool
    modules: list[OutlineModuleAnswer]

    @classmethod
    def of(cls, outline: Outline) -> "OutlineAnswer":
        """Write an outline with its decisions."""
        course = outline.standing.course

        def lesson(found: OutlinedLesson) -> OutlineLessonAnswer:
            id_ = f"{course}.{found.key}"
            return OutlineLessonAnswer(
                id=id_,
                title=found.title,
                type=found.kind,
                required=found.required,
                minutes=found.minutes,
                completed=found.completed,
                access=decision(found.access),
                content_url=f"/api/v1/lessons/{id_}" if found.access else None,
            )

        return cls(
            id=course,
            title=outline.standing.content.title,
            percent=outline.progress.share.floor(),
            complete=outline.progress.is_complete,
            modules=[
                OutlineModuleAnswer(
                    key=module.key,
                    title=module.title,
                    lessons=[lesson(each) for each in module.lessons],
                )
                for module in outline.modules
            ],
        )


class EnrollmentAnswer(Answer):
    """A learner's place."""

    id: str
    course_id: str
    title: str | None = None
    status: str
    opened_at: str
    activated_at: str | None
    expires_at: str | None
    completed_at: str | None
    percent: int
    grade_percent: str | None

    @classmethod
    def of(cls, place: Enrollment, title: str | None = None) -> "EnrollmentAnswer":
        """Write a place."""
        return cls(
            id=place.id,
            course_id=place.course,
            title=title,
            status=place.status,
            opened_at=write_instant(place.opened_at),
            activated_at=instant(place.activated_at),
            expires_at=instant(place.expires_at),
            completed_at=instant(place.completed_at),
            percent=place.progress.floor(),
            grade_percent=percent(place.grade),
        )


class EnrollBody(Request):
    """Learners to put on a course; *beyond_seats* lets them in when it is full."""

    user_ids: Annotated[list[Id], Field(min_length=1, max_length=200)]
    beyond_seats: bool = False


class EnrollmentsAnswer(Answer):
    """Places, in the order in which learners were named."""

    items: list[EnrollmentAnswer]


class EnrollmentPage(Answer):
    """A page of places."""

    items: list[EnrollmentAnswer]
    next: str | None


# Learning


class ProgressBody(Request):
    """What a device reports: half-open ranges of milliseconds that were played."""

    watched: Annotated[
        list[Annotated[list[Millis], Field(min_length=2, max_length=2)]],
        Field(max_length=500),
    ] = []
    position_ms: Millis | None = None
    read: bool = False
    epoch: Annotated[int, Field(ge=0, le=2**31)] | None = None


class ProgressAnswer(Answer):
    """What is known of a learner's way through a lesson."""

    lesson_id: str
    epoch: int
    watched: list[list[int]]
    position_ms: int
    completed_at: str | None

    @classmethod
    def of(cls, progress: LessonProgress) -> "ProgressAnswer":
        """Write progress."""
        return cls(
            lesson_id=str(progress.lesson),
            epoch=progress.epoch,
            watched=[[start, end] for start, end in progress.watched.ranges()],
            position_ms=progress.position_ms,
            completed_at=instant(progress.completed_at),
        )


class LessonAnswer(Answer):
    """A lesson that is open: *html* of texts and notes is safe to show."""

    id: str
    title: str
    type: str
    html: str
    media_id: str | None
    media_status: str | None
    duration_ms: int | None
    quiz: dict[str, Any] | None
    progress: ProgressAnswer


class PlaybackAnswer(Answer):
    """Signed links to a stream; ask anew before *expires_at*."""

    playlist_url: str
    progressive_url: str | None
    poster_url: str
    thumbnails_url: str | None
    captions: list[dict[str, str]]
    duration_ms: int
    expires_at: str

    @classmethod
    def of(cls, playback: Playback) -> "PlaybackAnswer":
        """Write links."""
        stream, access = playback.stream, playback.access
        return cls(
            playlist_url=access.url(stream.playlist),
            progressive_url=(
                access.url(stream.progressive) if stream.progressive else None
            ),
            poster_url=access.url(stream.poster),
            thumbnails_url=access.url(stream.thumbnails) if stream.thumbnails else None,
            captions=[
                {
                    "url": access.url(track.path),
                    "language": track.language,
                    "label": track.label,
                }
                for track in stream.captions
            ],
            duration_ms=stream.duration_ms,
            expires_at=write_instant(playback.expires_at),
        )


# Quizzes


class AnswersBody(Request):
    """Answers by question, and the revision that the device gives them."""

    answers: Annotated[
        dict[Annotated[str, StringConstraints(max_length=64)], list[str]],
        Field(max_length=500),
    ]
    revision: Annotated[int, Field(ge=0, lt=2**53)]


class SubmitBody(Request):
    """Last answers, given along with handing in."""

    answers: Annotated[
        dict[Annotated[str, StringConstraints(max_length=64)], list[str]],
        Field(max_length=500),
    ] = {}
    revision: Annotated[int, Field(ge=0, lt=2**53)] = 0


class ScoreAnswer(Answer):
    """Points, exact, and in percent for people."""

    earned: str
    possible: str
    percent: str | None

    @classmethod
    def of(cls, score: Score) -> "ScoreAnswer":
        """Write a score."""
        share = score.earned / score.possible if score.possible else None
        return cls(
            earned=str(score.earned),
            possible=str(score.possible),
            percent=percent(share),
        )


class QuestionAnswer(Answer):
    """A question as a learner sees it, with results only once they may be seen."""

    key: str
    type: str
    prompt: str
    points: str
    input: str
    options: list[dict[str, str]]
    unit: str | None
    answer: list[str]
    outcome: str | None
    earned: str | None
    correct: list[str] | None
    explanation: str | None

    @classmethod
    def of(cls, question: ReviewedQuestion) -> "QuestionAnswer":
        """Write a question with what may be seen of its result."""
        shown, mark, solution = question.shown, question.mark, question.solution
        return cls(
            key=shown.key,
            type=shown.type,
            prompt=shown.prompt,
            points=str(shown.points),
            input=shown.input,
            options=[{"key": each.key, "text": each.text} for each in shown.options],
            unit=shown.unit,
            answer=list(question.answer),
            outcome=mark.outcome if mark else None,
            earned=str(mark.earned) if mark else None,
            correct=list(solution.correct) if solution else None,
            explanation=solution.explanation if solution else None,
        )


class AttemptAnswer(Answer):
    """An attempt as its learner sees it; times are the server's."""

    id: str
    quiz_id: str
    number: int
    status: str
    started_at: str
    due_at: str | None
    closes_at: str | None
    now: str
    submitted_at: str | None
    attempts_left: int | None
    score: ScoreAnswer | None
    passed: bool | None
    questions: list[QuestionAnswer]

    @classmethod
    def of(cls, view: AttemptView, now: datetime) -> "AttemptAnswer":
        """Write an attempt."""
        attempt, score = view.attempt, view.attempt.score
        return cls(
            id=attempt.id,
            quiz_id=str(attempt.lesson),
            number=attempt.number,
            status=attempt.status,
            started_at=write_instant(attempt.started_at),
            due_at=instant(attempt.due_at),
            closes_at=instant(attempt.closes_at),
            now=write_instant(now),
            submitted_at=instant(attempt.submitted_at),
            attempts_left=view.attempts_left,
            score=ScoreAnswer.of(score) if score else None,
            passed=attempt.passed if attempt.is_final else None,
            questions=[QuestionAnswer.of(each) for each in view.questions],
        )


class SavedAnswer(Answer):
    """What autosaving came to."""

    attempt_id: str
    status: str
    revisions: dict[str, int]
    due_at: str | None
    now: str


# Grades


class CategoryAnswer(Answer):
    """A category of a grade, explained."""

    key: str
    title: str
    percent: str | None
    weight_percent: str | None
    items: list[dict[str, Any]]
    categories: list["CategoryAnswer"]

    @classmethod
    def of(cls, grade: CategoryGrade) -> "CategoryAnswer":
        """Write a category with all below it."""
        return cls(
            key=grade.key,
            title=grade.title,
            percent=percent(grade.share),
            weight_percent=percent(grade.weight),
            items=[
                {
                    "key": item.key,
                    "title": item.title,
                    "status": item.status,
                    "score": ScoreAnswer.of(item.score).model_dump()
                    if item.score
                    else None,
                    "weight_percent": percent(item.weight),
                }
                for item in grade.items
            ],
            categories=[cls.of(child) for child in grade.categories],
        )


class GradeAnswer(Answer):
    """A course grade: exact as a fraction, in percent for people, explained."""

    share: str | None
    percent: str | None
    letter: str | None
    explanation: CategoryAnswer

    @classmethod
    def of(cls, grade: CourseGrade) -> "GradeAnswer":
        """Write a grade."""
        return cls(
            share=None if grade.share is None else str(grade.share),
            percent=percent(grade.share),
            letter=grade.letter,
            explanation=CategoryAnswer.of(grade.explanation),
        )


class StandingAnswer(Answer):
    """A learner's progress and grade on one course."""

    course_id: str
    title: str
    percent: int
    complete: bool
    unfinished: list[str]
    lessons: list[ProgressAnswer]
    grade: GradeAnswer


class GradebookRowAnswer(Answer):
    """One learner in a gradebook."""

    user_id: str
    name: str
    email: str
    status: str
    percent: int
    scores: dict[str, ScoreAnswer | None]
    overridden: list[str]
    grade_percent: str | None
    letter: str | None

    @classmethod
    def of(cls, row: GradebookRow) -> "GradebookRowAnswer":
        """Write a row."""
        return cls(
            user_id=row.enrollment.learner,
            name=row.name,
            email=row.email,
            status=row.enrollment.status,
            percent=row.enrollment.progress.floor(),
            scores={
                key: ScoreAnswer.of(score) if score else None
                for key, score in row.scores.items()
            },
            overridden=sorted(
                key for key, each in row.overrides.items() if not each.is_withdrawn
            ),
            grade_percent=percent(row.grade.share),
            letter=row.grade.letter,
        )


class GradebookAnswer(Answer):
    """A page of a gradebook."""

    title: str
    items: list[dict[str, str]]
    rows: list[GradebookRowAnswer]
    next: str | None


class OverrideBody(Request):
    """A grade set by hand: points as text, exact; neither means computed again."""

    earned: Annotated[str, StringConstraints(max_length=40)] | None = None
    possible: Annotated[str, StringConstraints(max_length=40)] | None = None
    excused: bool = False
    comment: Text = ""


class OverrideAnswer(Answer):
    """What was set; *version* goes into ``If-Match``."""

    user_id: str
    lesson_id: str
    score: ScoreAnswer | None
    excused: bool
    comment: str
    version: int


# Certificates


class CertificateAnswer(Answer):
    """A certificate as its owner sees it."""

    id: str
    number: str
    course_id: str
    course_title: str
    learner_name: str
    issued_at: str
    grade_percent: str | None
    revoked_at: str | None
    verify_url: str
    pdf_url: str
    credential_url: str

    @classmethod
    def of(cls, certificate: Certificate, base_url: str) -> "CertificateAnswer":
        """Write a certificate."""
        place = f"{base_url}/api/v1/certificates/{certificate.id}"
        return cls(
            id=certificate.id,
            number=certificate.display_number,
            course_id=certificate.course,
            course_title=certificate.course_title,
            learner_name=certificate.learner_name,
            issued_at=write_instant(certificate.issued_at),
            grade_percent=percent(certificate.grade),
            revoked_at=instant(certificate.revoked_at),
            verify_url=f"{base_url}/verify/{certificate.code}",
            pdf_url=f"{place}.pdf",
            credential_url=f"{base_url}/credentials/{certificate.code}",
        )


class CertificatePage(Answer):
    """A page of certificates."""

    items: list[CertificateAnswer]
    next: str | None


class VerificationAnswer(Answer):
    """What a stranger learns of a certificate: what is printed on it, no more."""

    valid: bool
    number: str
    learner_name: str
    course_title: str
    issued_at: str
    revoked_at: str | None
    revocation_reason: str | None

    @classmethod
    def of(cls, certificate: Certificate) -> "VerificationAnswer":
        """Write the public side of a certificate."""
        return cls(
            valid=not certificate.is_revoked,
            number=certificate.display_number,
            learner_name=certificate.learner_name,
            course_title=certificate.course_title,
            issued_at=write_instant(certificate.issued_at),
            revoked_at=instant(certificate.revoked_at),
            revocation_reason=certificate.revocation_reason,
        )


class RevokeBody(Request):
    """Why a certificate is withdrawn."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]


# Commerce


class CheckoutBody(Request):
    """What to buy; the price is ours to say."""

    course_id: Id
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class OrderAnswer(Answer):
    """An order as its buyer sees it."""

    id: str
    course_id: str
    amount: MoneyAnswer
    status: str
    placed_at: str
    paid: MoneyAnswer
    refunded: MoneyAnswer
    checkout_url: str | None = None

    @classmethod
    def of(cls, order: Order, checkout_url: str | None = None) -> "OrderAnswer":
        """Write an order."""
        return cls(
            id=order.id,
            course_id=order.course,
            amount=MoneyAnswer.of(order.amount),
            status=order.status,
            placed_at=write_instant(order.placed_at),
            paid=MoneyAnswer.of(order.paid),
            refunded=MoneyAnswer.of(order.refunded),
            checkout_url=checkout_url,
        )


class RefundBody(Request):
    """How much goes back."""

    minor: Annotated[int, Field(gt=0, lt=2**53)]
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


# Authoring


class CreateCourseBody(Request):
    """A new course: its key, and its document."""

    id: Id
    content: dict[str, Any]


class EditCourseBody(Request):
    """A course's new draft."""

    content: dict[str, Any]


class DraftAnswer(Answer):
    """A course as its author sees it; *version* goes into ``If-Match``."""

    id: str
    version: int
    published: int | None
    content: dict[str, Any]
    media: list["MediaAnswer"] = []

    @classmethod
    def of(
        cls, course: Course, media: list["MediaAnswer"] | None = None
    ) -> "DraftAnswer":
        """Write a draft with its document."""
        return cls(
            id=course.id,
            version=course.version,
            published=course.publication.number if course.publication else None,
            content=dump(course.draft, compact=True),
            media=media or [],
        )


class TaughtCourse(Answer):
    """A course in an author's list."""

    id: str
    title: str
    published: int | None


class TaughtPage(Answer):
    """A page of an author's courses."""

    items: list[TaughtCourse]
    next: str | None


class MediaAnswer(Answer):
    """A lecture as its author sees it."""

    id: str
    course_id: str
    filename: str
    size_bytes: int
    status: str
    percent: int
    failure: str | None
    duration_ms: int | None
    captions: list[str]

    @classmethod
    def of(cls, asset: MediaAsset) -> "MediaAnswer":
        """Write a lecture."""
        return cls(
            id=asset.id,
            course_id=asset.course,
            filename=asset.filename,
            size_bytes=asset.size_bytes,
            status=asset.status,
            percent=asset.progress.floor(),
            failure=asset.failure,
            duration_ms=asset.stream.duration_ms if asset.stream else None,
            captions=[file.language for file in asset.captions],
        )


class UploadBody(Request):
    """A file that is about to be uploaded for a video lesson."""

    course: Id
    lesson: Id
    filename: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    fingerprint: Annotated[str, StringConstraints(max_length=100)] = ""
    size_bytes: Annotated[int, Field(gt=0, lt=2**53)]
    content_type: Annotated[str, StringConstraints(max_length=100)]


class UploadAnswer(Answer):
    """What to send: every part not in *parts*, each of *part_bytes* but the last."""

    upload_id: str
    media_id: str
    part_bytes: int
    part_count: int
    parts: list[int]

    @classmethod
    def of(cls, state: UploadState) -> "UploadAnswer":
        """Write how far an upload is."""
        return cls(
            upload_id=state.id,
            media_id=state.media.id,
            part_bytes=state.part_bytes,
            part_count=state.part_count,
            parts=list(state.done),
        )


class PartAnswer(Answer):
    """A part that was kept."""

    number: int
    size_bytes: int


class Health(Answer):
    """Whether the platform answers."""

    status: Literal["ok"]


class QueueAnswer(Answer):
    """How full a queue is."""

    name: str
    ready: int
    leased: int
    dead: int


class DeadLetterAnswer(Answer):
    """A message that was given up."""

    id: str
    reason: str
    deliveries: int
    died_at: str
    body: str


class IdsBody(Request):
    """Which dead letters; none named means all."""

    ids: Annotated[list[Id], Field(max_length=1000)] | None = None


class Count(Answer):
    """How many there were."""

    count: int
