"""A sample of every page in each of its states."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from attrs import evolve
from markupsafe import Markup

from lms_core.domain.money import Money
from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.domain.score import Score
from lms_core.errors import Reason
from lms_entrypoints.portal import views as v
from lms_entrypoints.portal.words import explain, explain_code

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
NAMES = {"segments": "Why video is cut into segments", "check": "Check yourself"}
COURSE = v.Crumb(id="adaptive-streaming", title="Adaptive streaming from first byte")
HALF = Percent.of(62, 100)

LEARNER = v.Person(id="u-1", name="Ada Learner")
INSTRUCTOR = v.Person(id="u-2", name="Imre Instructor", teaches=True)
ADMIN = v.Person(id="u-3", name="Ana Admin", teaches=True, is_admin=True)


def shell(path: str, person: v.Person | None = None, *notices: v.Notice) -> v.Shell:
    return v.Shell(
        site_name="Lectern",
        csrf_token="a-token",
        path=path,
        person=person,
        notices=notices,
    )


def html(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - a constant of this file


def card(
    id_: str, title: str, summary: str, price: Money | None = None, **more: Any
) -> v.CourseCard:
    base = v.CourseCard(
        id=id_, title=title, summary=summary, language="en", lessons=12, price=price
    )
    return evolve(base, **more)


CATALOGUE = v.Catalogue(
    cards=(
        card(
            "adaptive-streaming",
            COURSE.title,
            "How a lecture is cut, encoded and delivered so that it plays everywhere, "
            "on any connection, and resumes where you left it.",
            Money(4900, "EUR"),
            minutes=260,
            enrolled=True,
        ),
        card(
            "statistics",
            "Statistics you can check",
            "Averages, spread and doubt, with exact arithmetic.",
            minutes=540,
        ),
        card(
            "typography",
            "Typografie für Bildschirme",
            "Lesbarkeit, Raster, Schrift: was auf kleinen Geräten trägt.",
            Money(12900, "EUR"),
            language="de",
            minutes=185,
        ),
        card(
            "sql",
            "SQL without fear",
            "From the first SELECT to window functions.",
            Money(500, "JPY"),
            lessons=1,
        ),
        card("databases-in-depth", "Databases in depth", "", Money(19900, "USD")),
    ),
    languages=("de", "en"),
    pager=v.Pager(next_href="/courses?after=x", note="Courses 1 to 5"),
)

PUBLIC_OUTLINE = (
    v.OutlineModule(
        title="Foundations",
        lessons=(
            v.OutlineLesson(
                title="Why video is cut into segments", kind="text", minutes=10
            ),
            v.OutlineLesson(
                title="A ladder of renditions", kind="video", minutes=25, required=False
            ),
            v.OutlineLesson(title="Check yourself", kind="quiz", minutes=15),
        ),
    ),
    v.OutlineModule(
        title="Delivery",
        lessons=(v.OutlineLesson(title="Signed addresses", kind="video", minutes=30),),
    ),
)

COURSE_PAGE = v.CoursePage(
    id=COURSE.id,
    title=COURSE.title,
    summary="How a lecture is cut, encoded and delivered so that it plays everywhere.",
    description=html(
        "<p>You build a <strong>small player</strong> and the pipeline behind it.</p>"
        "<h2>For whom</h2><ul><li>Developers who ship video</li>"
        "<li>Teachers who want to know what happens to their lectures</li></ul>"
    ),
    language="en",
    offer="buy",
    instructor="Imre Instructor",
    modules=PUBLIC_OUTLINE,
    lessons=4,
    minutes=80,
    price=Money(4900, "EUR"),
    seats_left=3,
    access_days=365,
    certificate=True,
)

WHERE = v.Where(
    course=COURSE,
    key="segments",
    title="Why video is cut into segments",
    module="Foundations",
    previous=v.Step(key="welcome", title="Welcome"),
    next=v.Step(key="ladder", title="A ladder of renditions"),
)

OUTLINE = v.Outline(
    course=COURSE,
    progress=HALF,
    done=3,
    required=5,
    next_lesson="ladder",
    next_title="A ladder of renditions",
    grade=Fraction(837, 1000),
    expires_at=NOW + timedelta(days=200),
    modules=(
        v.ModuleRows(
            title="Foundations",
            lessons=(
                v.LessonRow(
                    key="segments",
                    title="Why video is cut into segments",
                    kind="text",
                    state="done",
                    minutes=10,
                ),
                v.LessonRow(
                    key="ladder",
                    title="A ladder of renditions",
                    kind="video",
                    state="started",
                    minutes=25,
                    progress=Percent.of(40, 100),
                ),
                v.LessonRow(
                    key="check",
                    title="Check yourself",
                    kind="quiz",
                    state="done",
                    share=Fraction(9, 10),
                ),
                v.LessonRow(
                    key="extra",
                    title="Further reading",
                    kind="text",
                    state="open",
                    required=False,
                ),
            ),
        ),
        v.ModuleRows(
            title="Delivery",
            lessons=(
                v.LessonRow(
                    key="signed",
                    title="Signed addresses",
                    kind="video",
                    state="locked",
                    minutes=30,
                    why=(
                        explain(
                            Reason("lesson-unfinished", {"lesson": "segments"}),
                            names=NAMES,
                            course=COURSE.id,
                        ),
                        explain(
                            Reason(
                                "score-too-low", {"lesson": "check", "percent": "80"}
                            ),
                            names=NAMES,
                            course=COURSE.id,
                        ),
                        explain(Reason("not-open-yet", {}, NOW + timedelta(days=3))),
                    ),
                ),
                v.LessonRow(
                    key="exam",
                    title="Final quiz",
                    kind="quiz",
                    state="locked",
                    why=(explain(Reason("not-open-yet", {}, NOW + timedelta(days=9))),),
                    opens_at=NOW + timedelta(days=9),
                ),
            ),
        ),
    ),
)

VIDEO = v.VideoLesson(
    where=evolve(WHERE, key="ladder", title="A ladder of renditions"),
    lesson_id="adaptive-streaming.ladder",
    asset_id="m-1",
    duration_ms=1_510_000,
    playlist_url="/media/m-1/1/main.m3u8?sig=x",
    progressive_url="/media/m-1/1/video.mp4?sig=x",
    poster_url="/media/m-1/1/poster.jpg?sig=x",
    thumbnails_url="/media/m-1/1/thumbs.vtt?sig=x",
    now=NOW,
    expires_at=NOW + timedelta(hours=1),
    needed=Percent.of(95, 100),
    captions=(v.Caption(url="/media/m-1/1/en.vtt", language="en", label="English"),),
    watched=((0, 420_000), (610_000, 800_000)),
    share=Percent.of(40, 100),
    position_ms=800_000,
    body=html("<p>Slides and the table of bit rates are below.</p>"),
)

ATTEMPT_ROWS = (
    v.AttemptRow(
        id="a-1",
        number=1,
        status="submitted",
        started_at=NOW - timedelta(days=2),
        score=Score.of(5, 10),
    ),
    v.AttemptRow(
        id="a-2",
        number=2,
        status="expired",
        started_at=NOW - timedelta(days=1),
        score=Score.of(Fraction(17, 2), 10),
        passed=True,
    ),
    v.AttemptRow(id="a-3", number=3, status="in-progress", started_at=NOW),
)

QUIZ_INTRO = v.QuizIntro(
    where=evolve(WHERE, key="check", title="Check yourself"),
    questions=4,
    possible=Fraction(10),
    pass_mark=Percent.of(80, 100),
    time_limit_s=1200,
    max_attempts=3,
    combine="best",
    show_answers="after-pass",
    instructions=html("<p>Paper and pencil are allowed.</p>"),
)

QUIZ_ATTEMPT = v.QuizAttempt(
    where=QUIZ_INTRO.where,
    attempt_id="a-3",
    number=3,
    started_at=NOW,
    now=NOW + timedelta(minutes=2),
    due_at=NOW + timedelta(minutes=20),
    questions=(
        v.QuestionForm(
            key="q1",
            prompt=html("<p>How long is a segment, usually?</p>"),
            points=Fraction(2),
            input="one",
            options=(
                v.Choice(key="a", text=html("About 40 ms")),
                v.Choice(key="b", text=html("4 to 6 seconds")),
                v.Choice(key="c", text=html("A <em>whole</em> hour")),
            ),
            answer=("b",),
        ),
        v.QuestionForm(
            key="q2",
            prompt=html("<p>Which of these change with the rendition?</p>"),
            points=Fraction(3),
            input="many",
            options=(
                v.Choice(key="a", text=html("Bit rate")),
                v.Choice(key="b", text=html("Duration")),
                v.Choice(key="c", text=html("Picture size")),
            ),
        ),
        v.QuestionForm(
            key="q3",
            prompt=html("<p>How much data is one minute at 2.8 Mbit/s?</p>"),
            points=Fraction(4),
            input="number",
            unit="MB",
            answer=("21",),
        ),
        v.QuestionForm(
            key="q4",
            prompt=html("<p>What is the file that lists the segments called?</p>"),
            points=Fraction(1),
            input="text",
        ),
    ),
)

RESULT = v.QuizResult(
    where=QUIZ_INTRO.where,
    number=2,
    score=Score.of(Fraction(17, 2), 10),
    pass_mark=Percent.of(80, 100),
    passed=True,
    expired=False,
    submitted_at=NOW,
    show_answers="after-pass",
    answers_shown=True,
    may_retry=True,
    counting=Fraction(17, 20),
    questions=(
        v.QuestionResult(
            prompt=html("<p>How long is a segment, usually?</p>"),
            answer=("4 to 6 seconds",),
            outcome="correct",
            earned=Fraction(2),
            possible=Fraction(2),
            correct=("4 to 6 seconds",),
            explanation=html("<p>Shorter ones cost requests, longer ones delay.</p>"),
        ),
        v.QuestionResult(
            prompt=html("<p>Which of these change with the rendition?</p>"),
            answer=("Bit rate",),
            outcome="partly-correct",
            earned=Fraction(3, 2),
            possible=Fraction(3),
            correct=("Bit rate", "Picture size"),
        ),
        v.QuestionResult(
            prompt=html("<p>How much data is one minute at 2.8 Mbit/s?</p>"),
            answer=("twenty-one",),
            outcome="incorrect",
            earned=Fraction(0),
            possible=Fraction(4),
            why=explain_code("not-a-number"),
            correct=("21",),
        ),
        v.QuestionResult(
            prompt=html("<p>What is the file that lists the segments called?</p>"),
            answer=(),
            outcome="unanswered",
            earned=Fraction(0),
            possible=Fraction(1),
        ),
    ),
)

GROUPS = (
    v.GradeGroup(
        title="Quizzes",
        share=Fraction(837, 1000),
        weight=Fraction(2, 5),
        rule="The mean of the scores; the lowest is dropped.",
        items=(
            v.GradeRow(
                key="check",
                title="Check yourself",
                status="counted",
                weight=Fraction(1, 5),
                score=Score.of(9, 10),
            ),
            v.GradeRow(
                key="mid",
                title="Halfway",
                status="counted",
                weight=Fraction(1, 5),
                score=Score.of(Fraction(31, 4), 10),
                overridden=True,
                comment="Question 3 was unclear: full marks for it.",
            ),
            v.GradeRow(
                key="warm",
                title="Warm-up",
                status="dropped",
                weight=Fraction(0),
                score=Score.of(2, 10),
            ),
        ),
    ),
    v.GradeGroup(
        title="Projects",
        share=Fraction(0),
        weight=Fraction(3, 5),
        rule="Points earned of points possible; missing work counts as zero.",
        items=(
            v.GradeRow(
                key="pipeline",
                title="Build a pipeline",
                status="missing",
                weight=Fraction(3, 5),
            ),
            v.GradeRow(key="talk", title="Talk", status="excused", weight=Fraction(0)),
        ),
        groups=(
            v.GradeGroup(
                title="Peer reviews",
                share=None,
                weight=Fraction(0),
                rule="The mean of the scores.",
                items=(
                    v.GradeRow(
                        key="peer",
                        title="First review",
                        status="ignored",
                        weight=Fraction(0),
                    ),
                ),
            ),
        ),
    ),
)

CERTIFICATE = v.CertificatePage(
    id="c-1",
    number="2026-000042",
    learner_name="Ada Learner",
    course_title=COURSE.title,
    issued_at=NOW,
    code="k7Qm2vXw9RtB4sLp",
    verify_url="https://learn.example.org/verify/k7Qm2vXw9RtB4sLp",
    grade=Fraction(917, 1000),
    pdf_ready=True,
)

VALID = v.Verification(
    state="valid",
    code="k7Qm2vXw9RtB4sLp",
    checked_at=NOW,
    issuer="Lectern",
    number="2026-000042",
    learner_name="Ada Learner",
    course_title=COURSE.title,
    issued_at=NOW - timedelta(days=40),
)

FAILED_MEDIA = v.MediaState(
    status="failed",
    filename="lecture-3-audio-only.mp4",
    size_bytes=48_200_000,
    why=explain_code("no-video-stream"),
    older_shown=True,
)

OVERVIEW = v.AuthorOverview(
    course=COURSE,
    published_number=3,
    published_at=NOW - timedelta(days=12),
    has_changes=True,
    learners=128,
    refresh_s=5,
    modules=(
        v.AuthorModule(
            title="Foundations",
            lessons=(
                v.AuthorLesson(
                    key="segments",
                    title="Why video is cut into segments",
                    kind="text",
                    required=True,
                ),
                v.AuthorLesson(
                    key="ladder",
                    title="A ladder of renditions",
                    kind="video",
                    required=True,
                    media=v.MediaState(
                        status="ready",
                        filename="ladder.mov",
                        size_bytes=1_840_000_000,
                        duration_ms=1_510_000,
                        renditions=("1080p", "720p", "480p", "360p"),
                        captions=("English", "Deutsch"),
                    ),
                ),
                v.AuthorLesson(
                    key="check",
                    title="Check yourself",
                    kind="quiz",
                    required=True,
                    questions=4,
                    access=("After “Why video is cut into segments”",),
                ),
            ),
        ),
        v.AuthorModule(
            title="Delivery",
            lessons=(
                v.AuthorLesson(
                    key="signed",
                    title="Signed addresses",
                    kind="video",
                    required=True,
                    media=v.MediaState(
                        status="transcoding",
                        filename="signed.mp4",
                        size_bytes=912_000_000,
                        progress=Percent.of(43, 100),
                    ),
                ),
                v.AuthorLesson(
                    key="cdn",
                    title="Caches",
                    kind="video",
                    required=True,
                    media=v.MediaState(
                        status="queued", filename="caches.mp4", size_bytes=350_000_000
                    ),
                ),
                v.AuthorLesson(
                    key="up",
                    title="Keys",
                    kind="video",
                    required=False,
                    media=v.MediaState(
                        status="uploading",
                        filename="keys.mkv",
                        size_bytes=350_000_000,
                        progress=Percent.of(12, 100),
                    ),
                ),
                v.AuthorLesson(
                    key="audio",
                    title="Sound",
                    kind="video",
                    required=True,
                    media=FAILED_MEDIA,
                ),
                v.AuthorLesson(
                    key="none",
                    title="Live",
                    kind="video",
                    required=True,
                    media=v.MediaState(status="missing"),
                ),
            ),
        ),
    ),
    faults=(
        v.FaultRow(
            place="modules[1].lessons[4].content.media",
            message="has no video yet",
            code="video-is-missing",
        ),
    ),
)

COLUMNS = tuple(
    v.GradebookColumn(key=f"i{n}", title=title, possible=Fraction(10))
    for n, title in enumerate(
        ["Check yourself", "Halfway", "Warm-up", "Build a pipeline", "Talk", "Final"]
    )
)


def learner_row(number: int, name: str) -> v.GradebookRow:
    statuses = ("counted", "counted", "dropped", "missing", "excused", "ignored")
    return v.GradebookRow(
        user_id=f"u-{number}",
        name=name,
        progress=Percent.of(number % 5, 5),
        share=Fraction(900 - 31 * number, 1000),
        letter="B",
        cells=tuple(
            v.GradebookCell(
                status=status,
                score=Score.of(Fraction(20 - number - at, 2), 10) if at < 3 else None,
                overridden=at == 1,
            )
            for at, status in enumerate(statuses)
        ),
    )


GRADEBOOK = v.Gradebook(
    course=COURSE,
    columns=COLUMNS,
    rows=tuple(
        learner_row(number, name)
        for number, name in enumerate(
            [
                "Ada Learner",
                "Bartholomäus von Hohenstaufen-Lichtenberg",
                "Chen Wei",
                "Dunja Petrović",
                "李小龙",
            ]
        )
    ),
    learners=128,
    pager=v.Pager(next_href="/teach/x?after=u-5", note="Learners 1 to 5 of 128"),
)

LEARNER_DETAIL = v.LearnerDetail(
    course=COURSE,
    user_id="u-1",
    name="Ada Learner",
    email="ada@example.org",
    status="active",
    enrolled_at=NOW - timedelta(days=30),
    last_seen_at=NOW,
    progress=HALF,
    share=Fraction(335, 1000),
    letter="D",
    groups=GROUPS,
)

QUEUES = v.Queues(
    seen_at=NOW,
    queues=(
        v.QueueRow(
            name="transcode",
            ready=3,
            leased=1,
            dead=2,
            letters=(
                v.DeadLetterRow(
                    id="01HZX3Q7",
                    summary="Lecture “Sound” of adaptive-streaming",
                    why=explain_code("no-video-stream"),
                    deliveries=1,
                    died_at=NOW,
                ),
                v.DeadLetterRow(
                    id="01HZX3Q8",
                    summary="Lecture “Caches” of adaptive-streaming",
                    why=explain_code("max-deliveries"),
                    deliveries=5,
                    died_at=NOW,
                ),
            ),
        ),
        v.QueueRow(name="notifications", ready=0, leased=0, dead=0),
    ),
)

SIGN_UP_ERRORS = (
    v.FieldError(field="email", message="Write the address as name@host."),
    v.FieldError(field="password", message="Use at least 12 characters."),
)


def _order(status: str, **more: Any) -> v.OrderPage:
    base = v.OrderPage(
        id="o-7f3a",
        course=COURSE,
        amount=Money(4900, "EUR"),
        status=status,
        placed_at=NOW,
    )
    return evolve(base, **more)


def _error(status: int, *codes: str, **more: Any) -> v.ErrorPage:
    base = v.ErrorPage(
        status=status,
        why=tuple(explain_code(code) for code in codes),
        request_id="req-01HZX",
    )
    return evolve(base, **more)


Sample = tuple[v.View, v.Shell]

SAMPLES: dict[str, Sample] = {
    "catalogue": (CATALOGUE, shell("/courses", LEARNER)),
    "catalogue-nothing-found": (
        evolve(
            CATALOGUE,
            cards=(),
            query="underwater basketry",
            price="free",
            pager=v.NO_PAGER,
        ),
        shell("/courses"),
    ),
    "catalogue-empty": (v.Catalogue(cards=()), shell("/courses")),
    "course-buy": (COURSE_PAGE, shell("/courses/adaptive-streaming", LEARNER)),
    "course-sign-in": (
        evolve(COURSE_PAGE, offer="sign-in", price=None, seats_left=None),
        shell("/courses/adaptive-streaming"),
    ),
    "course-enroll": (
        evolve(COURSE_PAGE, offer="enroll", price=None, access_days=None),
        shell("/courses/adaptive-streaming", LEARNER),
    ),
    "course-continue": (
        evolve(COURSE_PAGE, offer="continue"),
        shell("/courses/adaptive-streaming", LEARNER),
    ),
    "course-pay": (
        evolve(COURSE_PAGE, offer="pay", order_id="o-7f3a"),
        shell("/courses/adaptive-streaming", LEARNER),
    ),
    "course-closed": (
        evolve(
            COURSE_PAGE,
            offer="closed",
            seats_left=0,
            why=(
                explain(
                    Reason("enrollment-has-not-opened", {}, NOW + timedelta(days=2))
                ),
                explain_code("course-is-full"),
            ),
        ),
        shell("/courses/adaptive-streaming", LEARNER),
    ),
    "sign-up": (v.SignUp(then="/courses/sql"), shell("/sign-up")),
    "sign-up-errors": (
        v.SignUp(name="Ada", email="ada", errors=SIGN_UP_ERRORS),
        shell("/sign-up"),
    ),
    "sign-in": (
        v.SignIn(),
        shell("/sign-in", None, v.Notice(text="Sign in to go on.", tone="info")),
    ),
    "sign-in-errors": (
        v.SignIn(
            email="ada@example.org",
            errors=(
                v.FieldError(field="", message="Address or password is not right."),
            ),
        ),
        shell("/sign-in"),
    ),
    "forgot-password": (v.ForgotPassword(), shell("/forgot-password")),
    "forgot-password-sent": (
        v.ForgotPassword(sent=True),
        shell("/forgot-password"),
    ),
    "reset-password": (
        v.ResetPassword(
            token="u-1.a-secret",
            shortest_password=10,
            errors=(v.FieldError(field="password", message="Password: is too easy."),),
        ),
        shell("/reset-password"),
    ),
    "sign-out": (v.SignOut(), shell("/sign-out", LEARNER)),
    "sign-out-done": (v.SignOut(done=True), shell("/sign-out")),
    "checkout": (
        v.Checkout(
            course=COURSE,
            summary=COURSE_PAGE.summary,
            prices=(Money(4900, "EUR"),),
            buyer_email="ada@example.org",
            access_days=365,
            sandbox=True,
            idempotency_key="k-1",
        ),
        shell("/courses/adaptive-streaming/checkout", LEARNER),
    ),
    "checkout-currencies": (
        v.Checkout(
            course=COURSE,
            summary=COURSE_PAGE.summary,
            prices=(Money(4900, "EUR"), Money(5400, "USD")),
            buyer_email="ada@example.org",
            idempotency_key="k-1",
            errors=(v.FieldError(field="currency", message="Choose a currency."),),
        ),
        shell("/courses/adaptive-streaming/checkout", LEARNER),
    ),
    "order-pending": (
        _order("pending", refresh_s=4, pay_again_href="https://pay.example.org/c/1"),
        shell("/orders/o-7f3a", LEARNER),
    ),
    "order-paid": (
        _order("paid", paid_at=NOW),
        shell("/orders/o-7f3a", LEARNER),
    ),
    "order-failed": (
        _order("failed", pay_again_href="/courses/adaptive-streaming/checkout"),
        shell("/orders/o-7f3a", LEARNER),
    ),
    "order-refunded": (
        _order("refunded", paid_at=NOW, refunded=Money(4900, "EUR")),
        shell("/orders/o-7f3a", LEARNER),
    ),
    "my-courses": (
        v.MyCourses(
            courses=(
                v.MyCourse(
                    id=COURSE.id,
                    title=COURSE.title,
                    status="active",
                    progress=HALF,
                    next_lesson="ladder",
                    next_title="A ladder of renditions",
                    grade=Fraction(837, 1000),
                    expires_at=NOW + timedelta(days=200),
                ),
                v.MyCourse(
                    id="sql",
                    title="SQL without fear",
                    status="active",
                    progress=NONE,
                    next_lesson="select",
                    next_title="The first SELECT",
                ),
                v.MyCourse(
                    id="statistics",
                    title="Statistics you can check",
                    status="completed",
                    progress=ALL,
                    grade=Fraction(917, 1000),
                    certificate_id="c-1",
                ),
                v.MyCourse(
                    id="typography",
                    title="Typografie für Bildschirme",
                    status="pending",
                    progress=NONE,
                    order_id="o-7f3a",
                ),
            )
        ),
        shell("/learn", LEARNER, v.Notice(text="You are enrolled.", tone="good")),
    ),
    "my-courses-empty": (v.MyCourses(courses=()), shell("/learn", LEARNER)),
    "outline": (OUTLINE, shell("/learn/adaptive-streaming", LEARNER)),
    "outline-preview": (
        evolve(OUTLINE, preview=True, certificate_id="c-1"),
        shell("/learn/adaptive-streaming", INSTRUCTOR),
    ),
    "lesson-locked": (
        v.LessonLocked(
            where=WHERE,
            why=OUTLINE.modules[1].lessons[0].why,
            opens_at=None,
        ),
        shell("/learn/adaptive-streaming/signed", LEARNER),
    ),
    "lesson-locked-date": (
        v.LessonLocked(
            where=evolve(WHERE, next=None, previous=None),
            why=OUTLINE.modules[1].lessons[1].why,
            opens_at=NOW + timedelta(days=9),
        ),
        shell("/learn/adaptive-streaming/exam", LEARNER),
    ),
    "lesson-text": (
        v.TextLesson(
            where=WHERE,
            minutes=10,
            body=html(
                "<p>A player never loads a lecture as one file. It reads a "
                "<em>playlist</em> and then one <strong>segment</strong> after the "
                "other, so that it can change the quality in between.</p>"
                "<h2>What a playlist says</h2><pre><code>#EXTM3U\n#EXT-X-VERSION:7\n"
                "#EXTINF:6.000,\nsegment-0001-with-a-rather-long-name-that-does-not-"
                "fit-a-phone.m4s\n</code></pre><blockquote><p>Quality changes at the "
                "border of a segment, nowhere else.</p></blockquote><ul><li>Short "
                "segments start fast.</li><li>Long ones compress better.</li></ul>"
            ),
        ),
        shell("/learn/adaptive-streaming/segments", LEARNER),
    ),
    "lesson-text-done": (
        v.TextLesson(where=evolve(WHERE, done=True), body=html("<p>Short.</p>")),
        shell("/learn/adaptive-streaming/segments", LEARNER),
    ),
    "lesson-video": (VIDEO, shell("/learn/adaptive-streaming/ladder", LEARNER)),
    "lesson-video-bare": (
        evolve(
            VIDEO,
            captions=(),
            progressive_url=None,
            thumbnails_url=None,
            hls_script="/static/vendor/hls.min.js",
            watched=(),
            share=NONE,
            body=html(""),
            where=evolve(VIDEO.where, done=True),
        ),
        shell("/learn/adaptive-streaming/ladder", LEARNER),
    ),
    "lesson-video-pending": (
        v.VideoPending(where=WHERE, status="transcoding"),
        shell("/learn/adaptive-streaming/signed", LEARNER),
    ),
    "lesson-video-failed": (
        v.VideoPending(where=WHERE, status="failed"),
        shell("/learn/adaptive-streaming/signed", LEARNER),
    ),
    "quiz-intro": (QUIZ_INTRO, shell("/learn/adaptive-streaming/check", LEARNER)),
    "quiz-intro-attempts": (
        evolve(
            QUIZ_INTRO,
            attempts=ATTEMPT_ROWS,
            open_attempt="a-3",
            counting=Fraction(17, 20),
        ),
        shell("/learn/adaptive-streaming/check", LEARNER),
    ),
    "quiz-intro-used-up": (
        evolve(
            QUIZ_INTRO,
            attempts=ATTEMPT_ROWS[:2],
            time_limit_s=None,
            max_attempts=2,
            why=(explain(Reason("no-attempts-left", {"max_attempts": 2})),),
        ),
        shell("/learn/adaptive-streaming/check", LEARNER),
    ),
    "quiz-attempt": (QUIZ_ATTEMPT, shell("/attempts/a-3", LEARNER)),
    "quiz-attempt-errors": (
        evolve(
            QUIZ_ATTEMPT,
            due_at=None,
            errors=(
                v.FieldError(field="answer.q3", message="Question 3: write a number."),
                v.FieldError(
                    field="answer.q1", message="Question 1: choose one option."
                ),
            ),
        ),
        shell("/attempts/a-3", LEARNER),
    ),
    "quiz-result-passed": (RESULT, shell("/attempts/a-2/result", LEARNER)),
    "quiz-result-failed": (
        evolve(
            RESULT,
            passed=False,
            expired=True,
            answers_shown=False,
            may_retry=False,
            counting=None,
            score=Score.of(2, 10),
            questions=tuple(
                evolve(each, correct=(), explanation=html(""))
                for each in RESULT.questions
            ),
        ),
        shell("/attempts/a-1/result", LEARNER),
    ),
    "quiz-result-held-back": (
        evolve(
            RESULT,
            answers_shown=False,
            show_answers="after-last-attempt",
            questions=tuple(
                evolve(
                    each,
                    outcome=None,
                    earned=None,
                    correct=(),
                    explanation=html(""),
                    why=None,
                )
                for each in RESULT.questions
            ),
        ),
        shell("/attempts/a-2/result", LEARNER),
    ),
    "grades": (
        v.Grades(
            course=COURSE,
            share=Fraction(335, 1000),
            letter="D",
            pass_mark=Percent.of(60, 100),
            progress=HALF,
            groups=GROUPS,
        ),
        shell("/grades/adaptive-streaming", LEARNER),
    ),
    "grades-none": (
        v.Grades(
            course=COURSE,
            share=None,
            letter=None,
            pass_mark=None,
            progress=NONE,
            groups=(),
        ),
        shell("/grades/adaptive-streaming", LEARNER),
    ),
    "certificate": (CERTIFICATE, shell("/certificates/c-1", LEARNER)),
    "certificate-pending": (
        evolve(CERTIFICATE, pdf_ready=False, grade=None),
        shell("/certificates/c-1", LEARNER),
    ),
    "certificate-revoked": (
        evolve(
            CERTIFICATE, revoked_at=NOW, revocation_reason="Issued to the wrong person."
        ),
        shell("/certificates/c-1", LEARNER),
    ),
    "certificates": (
        v.Certificates(
            rows=(
                v.CertificateRow(
                    id="c-1",
                    number="2026-000042",
                    course_title=COURSE.title,
                    issued_at=NOW,
                ),
                v.CertificateRow(
                    id="c-2",
                    number="2026-000007",
                    course_title="SQL without fear",
                    issued_at=NOW,
                    revoked=True,
                ),
            )
        ),
        shell("/certificates", LEARNER),
    ),
    "certificates-none": (v.Certificates(rows=()), shell("/certificates", LEARNER)),
    "verify-ask": (v.Verification(state="ask"), shell("/verify")),
    "verify-valid": (VALID, shell("/verify/k7Qm2vXw9RtB4sLp")),
    "verify-revoked": (
        evolve(
            VALID,
            state="revoked",
            revoked_at=NOW,
            revocation_reason="Issued to the wrong person.",
        ),
        shell("/verify/k7Qm2vXw9RtB4sLp"),
    ),
    "verify-unknown": (
        v.Verification(state="unknown", code="nobody-knows", checked_at=NOW),
        shell("/verify/nobody-knows"),
    ),
    "author-courses": (
        v.AuthorCourses(
            courses=(
                v.AuthorCourse(
                    id=COURSE.id,
                    title=COURSE.title,
                    lessons=8,
                    learners=128,
                    published_number=3,
                    has_changes=True,
                    media_waiting=3,
                    media_failed=1,
                ),
                v.AuthorCourse(
                    id="sql",
                    title="SQL without fear",
                    lessons=1,
                    learners=0,
                    published_number=None,
                    has_changes=True,
                ),
            )
        ),
        shell("/teach", INSTRUCTOR),
    ),
    "author-new": (v.NewCourse(), shell("/teach/new", INSTRUCTOR)),
    "author-new-errors": (
        v.NewCourse(
            id="Not A Key",
            title="Sound",
            errors=(v.FieldError(field="id", message="Use a-z, 0-9 and dashes."),),
        ),
        shell("/teach/new", INSTRUCTOR),
    ),
    "author-courses-empty": (
        v.AuthorCourses(courses=()),
        shell("/teach", INSTRUCTOR),
    ),
    "author-course": (OVERVIEW, shell("/teach/adaptive-streaming", INSTRUCTOR)),
    "author-course-draft": (
        evolve(
            OVERVIEW,
            published_number=None,
            published_at=None,
            faults=(),
            refresh_s=None,
            modules=OVERVIEW.modules[:1],
        ),
        shell("/teach/adaptive-streaming", INSTRUCTOR),
    ),
    "author-import": (
        v.ImportPage(largest_bytes=500_000_000),
        shell("/teach/import", INSTRUCTOR),
    ),
    "author-import-faults": (
        v.ImportPage(
            largest_bytes=500_000_000,
            filename="adaptive-streaming.zip",
            faults=(
                v.FaultRow(
                    place="course.yaml:14", message="price: must be a whole number"
                ),
                v.FaultRow(
                    place="02-delivery/03-a-lesson-with-quite-a-long-name.md:1",
                    message="waits for “exam”, which waits for it",
                ),
                v.FaultRow(
                    place="quizzes/check.yaml:31",
                    message="questions[2].correct names no option: 'd'",
                ),
            ),
            more_faults=4,
        ),
        shell("/teach/import", INSTRUCTOR),
    ),
    "author-import-done": (
        v.ImportPage(largest_bytes=500_000_000, imported=COURSE),
        shell("/teach/import", INSTRUCTOR),
    ),
    "author-upload": (
        v.UploadPage(
            course=COURSE,
            lesson_key="none",
            lesson_title="Live",
            accept="video/*,.mkv",
            largest_bytes=20_000_000_000,
        ),
        shell("/teach/adaptive-streaming/lessons/none/upload", INSTRUCTOR),
    ),
    "author-upload-replace": (
        v.UploadPage(
            course=COURSE,
            lesson_key="audio",
            lesson_title="Sound",
            accept="video/*,.mkv",
            largest_bytes=20_000_000_000,
            replaces=FAILED_MEDIA,
        ),
        shell("/teach/adaptive-streaming/lessons/audio/upload", INSTRUCTOR),
    ),
    "gradebook": (GRADEBOOK, shell("/teach/adaptive-streaming", INSTRUCTOR)),
    "gradebook-empty": (
        evolve(GRADEBOOK, rows=(), query="zzz", pager=v.NO_PAGER),
        shell("/teach/adaptive-streaming", INSTRUCTOR),
    ),
    "learner": (
        LEARNER_DETAIL,
        shell("/teach/adaptive-streaming/gradebook/u-1", INSTRUCTOR),
    ),
    "learner-override": (
        evolve(
            LEARNER_DETAIL,
            form=v.OverrideForm(lesson="mid", earned="eleven", comment="Unclear."),
            form_title="Halfway",
            form_possible=Fraction(10),
            errors=(v.FieldError(field="earned", message="Write a number."),),
        ),
        shell("/teach/adaptive-streaming/gradebook/u-1", INSTRUCTOR),
    ),
    "users": (
        v.Users(
            rows=(
                v.UserRow(
                    id="u-3",
                    name="Ana Admin",
                    email="ana@example.org",
                    registered_at=NOW,
                    roles=("Admin",),
                ),
                v.UserRow(
                    id="u-2",
                    name="Imre Instructor",
                    email="imre.instructor@department-of-media.example.edu",
                    registered_at=NOW,
                    roles=("Instructor", "Instructor of adaptive-streaming"),
                ),
                v.UserRow(
                    id="u-1",
                    name="Ada Learner",
                    email="ada@example.org",
                    registered_at=NOW,
                    suspended=True,
                ),
            ),
            pager=v.Pager(next_href="/admin/users?after=u-1"),
        ),
        shell("/admin/users", ADMIN),
    ),
    "users-none": (v.Users(rows=(), query="zzz"), shell("/admin/users", ADMIN)),
    "queues": (QUEUES, shell("/admin/queues", ADMIN)),
    "error-403": (
        _error(403, "not-permitted", "sign-in-required"),
        shell("/teach/adaptive-streaming"),
    ),
    "error-404": (_error(404), shell("/nowhere", LEARNER)),
    "error-429": (_error(429, retry_after_s=30), shell("/sign-in")),
    "error-503": (
        _error(503, "unavailable", retry_after_s=90),
        shell("/learn", LEARNER),
    ),
}


@pytest.fixture(params=SAMPLES, ids=str)
def sample(request: pytest.FixtureRequest) -> Sample:
    """Return each page in turn, in each of its states."""
    return SAMPLES[request.param]


@pytest.fixture
def samples() -> dict[str, Sample]:
    """Return all pages by name."""
    return SAMPLES
