"""English for the codes that the rest of the program decides with.

A decision carries codes; a person reads a sentence and what to do about it.
This module is the only one that turns the first into the second.
"""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from lms_core.errors import Reason
from lms_entrypoints.portal import links

_NO_NAMES: Mapping[str, str] = {}


@frozen(kw_only=True)
class Explanation:
    """Why not, what would help, from when it passes by itself, and where to go."""

    code: str
    sentence: str
    remedy: str = ""
    opens_at: datetime | None = None
    href: str | None = None


_WORDS: Mapping[str, tuple[str, str]] = {
    # Access
    "sign-in-required": (
        "You are not signed in.",
        "Sign in, or create an account.",
    ),
    "account-suspended": (
        "This account is suspended.",
        "Write to the people who run this site; nothing you had is lost.",
    ),
    "not-permitted": (
        "Your account is not allowed to do this.",
        "If you should be, ask an admin for the role, or sign in with another account.",
    ),
    "role-required": (
        "This is for people with the role “{role}” on the course.",
        "Ask the instructor for it.",
    ),
    "not-enrolled": (
        "You are not enrolled in this course.",
        "Enroll to open its lessons.",
    ),
    "lesson-unfinished": (
        "{lesson} is not finished yet.",
        "Finish it first.",
    ),
    "score-too-low": (
        "Your score in {lesson} is below {percent} %.",
        "Reach {percent} % there; try it again if attempts are left.",
    ),
    "score-missing": (
        "{lesson} has no score yet.",
        "Take it and reach {percent} %.",
    ),
    "course-unfinished": (
        "{course} has to be completed first.",
        "Complete that course.",
    ),
    "not-open-yet": (
        "This is not open yet.",
        "There is nothing to do but wait.",
    ),
    "closed": (
        "The time for this has passed.",
        "If you need longer, ask the instructor.",
    ),
    "excluded-by-condition": (
        "This part is meant for learners in another situation than yours.",
        "You need not do it; go on with the next lesson.",
    ),
    "condition-unmet": (
        "A condition of this course is not met.",
        "Ask the instructor what is missing.",
    ),
    # Enrollment
    "course-is-not-published": (
        "This course is not published.",
        "Come back later, or look for another one in the catalogue.",
    ),
    "enrollment-has-not-opened": (
        "Enrollment has not opened yet.",
        "There is nothing to do but wait.",
    ),
    "enrollment-has-closed": (
        "Enrollment has closed.",
        "Ask the instructor whether the course will run again.",
    ),
    "course-is-full": (
        "Every seat of this course is taken.",
        "A seat opens when somebody leaves; look again later.",
    ),
    "enrollment-has-ended": (
        "Your place on this course has ended.",
        "Enroll again to go on; what you have finished is kept.",
    ),
    "enrollment-is-not-active": (
        "Your place on this course is not active.",
        "Finish the payment, or ask the instructor why it is on hold.",
    ),
    "enrollment-is-suspended": (
        "Your place on this course is on hold.",
        "Ask the instructor why; what you have finished is kept.",
    ),
    "course-is-completed": (
        "You have completed this course.",
        "There is nothing left to do; its lessons stay open to you.",
    ),
    "lessons-are-unfinished": (
        "Some required lessons are unfinished.",
        "The course outline shows which.",
    ),
    # Quizzes
    "attempt-in-progress": (
        "You have an attempt under way.",
        "Finish it before you begin another.",
    ),
    "no-attempts-left": (
        "You have used every attempt ({max_attempts}).",
        "If something went wrong, ask the instructor.",
    ),
    "attempt-is-final": (
        "This attempt has been handed in.",
        "It can be read, but not changed.",
    ),
    "time-is-over": (
        "The time for this attempt is over.",
        "What had been saved in time is handed in and counts.",
    ),
    "unknown-option": (
        "The answer names an option that the question does not have.",
        "Choose one of the options shown.",
    ),
    "not-a-number": (
        "The answer could not be read as a number.",
        "Write digits, as in 3.5, 3,5, 7/2 or 1e3.",
    ),
    # Orders
    "order-is-settled": (
        "This order has been paid already.",
        "You need not pay again; look at your courses.",
    ),
    "currency-differs": (
        "The payment is in another currency than the order.",
        "Nothing was booked; write to the people who run this site.",
    ),
    "transaction-differs": (
        "The payment service reports this payment with two amounts.",
        "An admin has to compare the records of both sides.",
    ),
    # Lectures
    "too-many-captions": (
        "There are too many caption tracks.",
        "Keep at most 20, one for each language.",
    ),
    "language-twice": (
        "Two caption tracks have the same language.",
        "Keep one for each language.",
    ),
    "unreadable-media": (
        "The file is damaged, or no video that can be read.",
        "Export it again, as MP4 or WebM, and replace it here.",
    ),
    "no-video-stream": (
        "The file has sound but no picture.",
        "Export it with its picture, and replace it here.",
    ),
    "media-too-long": (
        "The lecture is longer than can be processed.",
        "Cut it into parts, one for each lesson.",
    ),
    "media-too-large": (
        "The picture is larger than can be processed.",
        "Export it at 3840 x 2160 or smaller, and replace it here.",
    ),
    "transcoder-failed": (
        "Processing stopped because of a fault on our side.",
        "Your file is safe. Try again; if it fails again, tell an admin.",
    ),
    "max-deliveries": (
        "The work failed every time it was tried.",
        "Put it back once its cause is removed.",
    ),
    # Course documents
    "course-is-empty": (
        "The course has no lessons.",
        "Add one, then publish.",
    ),
    "video-is-missing": (
        "A video lesson has no video yet.",
        "Upload it, then publish.",
    ),
    "duplicate-key": ("Two parts have the same key.", "Give each its own."),
    "unknown-category": (
        "A lesson names a grading category that the course lacks.",
        "Correct the name, or add the category.",
    ),
    "unknown-lesson": (
        "A condition names a lesson that the course lacks.",
        "Correct the key, or add the lesson.",
    ),
    "circular-access": (
        "A lesson waits for itself, so it could never open.",
        "Take one of its conditions away.",
    ),
    "unknown-question": (
        "An answer belongs to no question of this quiz.",
        "Load the page again.",
    ),
    "unknown-type": ("A type is not known.", "Use one that the format describes."),
    "unknown-field": ("A field is not known.", "Correct its name, or take it out."),
    "missing-field": ("A field is missing.", "Add it."),
    "invalid-value": ("A value is not allowed.", "Correct it as the message says."),
    "invalid-document": ("The document has faults.", "Correct each one listed."),
    # Use cases, and the edge
    "payment-required": (
        "This course has to be paid for.",
        "Buy it, then go on here.",
    ),
    "already-enrolled": (
        "You are on this course already.",
        "Go on with it under My courses.",
    ),
    "course-is-free": (
        "This course costs nothing.",
        "Enroll without an order.",
    ),
    "currency-not-offered": (
        "The course is not sold in this currency.",
        "Choose one of those offered.",
    ),
    "enrollment-suspended": (
        "Your place on this course is on hold.",
        "Ask the instructor why.",
    ),
    "session-ended": (
        "Your session has ended.",
        "Sign in again.",
    ),
    "epoch-unknown": (
        "The progress is of another time than what we know.",
        "Load the page again.",
    ),
    "course-has-changed": (
        "Somebody else has edited this course meanwhile.",
        "Look at the course again, then repeat your change.",
    ),
    "grade-has-changed": (
        "Somebody else has set this grade meanwhile.",
        "Look at it again, then repeat your change.",
    ),
    "score-too-high": (
        "More points than there are cannot be given.",
        "Enter at most the points that are possible.",
    ),
    "lesson-not-graded": (
        "This lesson is not graded.",
        "Give it a grading category in the course first.",
    ),
    "lesson-not-a-video": (
        "This lesson shows no video.",
        "Choose a video lesson.",
    ),
    "media-not-ready": (
        "The lecture is not ready yet.",
        "Look again in a few minutes.",
    ),
    "certificate-revoked": (
        "This certificate was revoked.",
        "Ask the people who run this site why.",
    ),
    "csrf": (
        "The form did not come from this site, or is older than your signing in.",
        "Go back, load the page again and repeat it.",
    ),
    "body-too-large": (
        "More was sent than is taken here.",
        "Send less, or a smaller file.",
    ),
    "too-many-requests": (
        "Many requests came from you in a short time.",
        "Wait a little, then go on.",
    ),
    # The outside world
    "not-found": (
        "It is not there, or not for you to see.",
        "Check the address, or start from the catalogue.",
    ),
    "already-exists": ("It exists already.", "Choose another name."),
    "conflict": (
        "Somebody else changed this at the same moment.",
        "Load the page again, look at what is new, and repeat your change.",
    ),
    "rejected": (
        "The other side declined.",
        "Check what you entered; repeating it unchanged will not help.",
    ),
    "unsupported": (
        "This installation cannot do that.",
        "An admin can choose a provider that can.",
    ),
    "unavailable": (
        "A service that this needs does not answer at the moment.",
        "Try again in a minute; nothing you saved is lost.",
    ),
}

_WHEN_UNNAMED = {
    "lesson": "an earlier lesson",
    "course": "another course",
    "role": "member",
    "percent": "the required",
    "max_attempts": "all of them",
}


def knows(code: str) -> bool:
    """Tell whether there is a sentence for *code*."""
    return code in _WORDS


def explain(
    reason: Reason, *, names: Mapping[str, str] = _NO_NAMES, course: str | None = None
) -> Explanation:
    """Return what to tell a person about *reason*.

    *names* gives titles by lesson key and course id; *course* is the one the
    reason is about, for links. A code without words says honestly that it has
    none, and shows itself, so that somebody who is asked for help can look it up.

    >>> explain(Reason("lesson-unfinished", {"lesson": "intro"})).sentence
    '“intro” is not finished yet.'
    """
    sentence, remedy = _WORDS.get(
        reason.code,
        (
            f"A rule says no, and there is no description of it here: {reason.code}.",
            "Ask the instructor or an admin, and tell them this code.",
        ),
    )
    if reason.code in _WORDS:
        facts = _facts(reason, names)
        sentence, remedy = sentence.format(**facts), remedy.format(**facts)
    return Explanation(
        code=reason.code,
        sentence=sentence[:1].upper() + sentence[1:],
        remedy=remedy,
        opens_at=reason.opens_at,
        href=_where_to_go(reason, course),
    )


def explain_code(code: str) -> Explanation:
    """Return what to tell a person about a bare code."""
    return explain(Reason(code))


def _facts(reason: Reason, names: Mapping[str, str]) -> dict[str, str]:
    facts = dict(_WHEN_UNNAMED)
    for name, value in reason.about.items():
        text = str(value)
        titled = name in {"lesson", "course"}
        facts[name] = f"“{names.get(text, text)}”" if titled else text
    return facts


def _where_to_go(reason: Reason, course: str | None) -> str | None:
    about = reason.about
    if reason.code == "sign-in-required":
        return links.sign_in()
    if "lesson" in about and course:
        return links.lesson(course, str(about["lesson"]))
    if reason.code == "course-unfinished" and "course" in about:
        return links.course(str(about["course"]))
    if reason.code in {"not-enrolled", "enrollment-has-ended", "payment-required"} and (
        course
    ):
        return links.course(course)
    return None


ENROLLMENT_STATUS: Mapping[str, str] = {
    "pending": "Waiting for payment",
    "active": "Active",
    "completed": "Completed",
    "suspended": "On hold",
    "withdrawn": "Withdrawn",
    "expired": "Expired",
    "refunded": "Refunded",
}

ORDER_STATUS: Mapping[str, tuple[str, str]] = {
    "pending": (
        "Waiting for your payment",
        "The payment service has not confirmed it yet. We look again by ourselves.",
    ),
    "paid": ("Paid", "Thank you. The course is open for you."),
    "partly-refunded": (
        "Partly refunded",
        "Part of the price went back to you. The course stays open for you.",
    ),
    "refunded": (
        "Refunded",
        "The price went back to you, and your place on the course has ended.",
    ),
    "charged-back": (
        "Taken back by your bank",
        "Your bank took the payment back, so your place on the course has ended.",
    ),
    "failed": (
        "Payment failed",
        "The payment service declined. Nothing was charged; you may try again.",
    ),
    "expired": (
        "Expired",
        "The payment page was open for too long. Nothing was charged; order again.",
    ),
}

MEDIA_STATUS: Mapping[str, str] = {
    "missing": "No video yet",
    "uploading": "Uploading",
    "queued": "Queued",
    "transcoding": "Processing",
    "ready": "Ready",
    "failed": "Failed",
}

OUTCOME: Mapping[str, str] = {
    "correct": "Correct",
    "partly-correct": "Partly correct",
    "incorrect": "Incorrect",
    "unanswered": "Not answered",
    "needs-review": "Waiting for review",
}

ITEM_STATUS: Mapping[str, tuple[str, str]] = {
    "counted": ("Counted", "It is part of the grade."),
    "dropped": ("Dropped", "Left out, because the grade is better without it."),
    "excused": ("Excused", "Left out by the instructor."),
    "missing": ("Missing", "Not handed in, so it counts as zero."),
    "ignored": ("Not yet", "Not handed in, and left out until it is."),
}

COMBINE: Mapping[str, str] = {
    "best": "Your best attempt counts.",
    "last": "Your last attempt counts.",
    "first": "Your first attempt counts.",
    "mean": "The mean of your attempts counts.",
}

SHOW_ANSWERS: Mapping[str, str] = {
    "never": "Right answers are not shown.",
    "after-pass": "You see the right answers once you have passed.",
    "after-last-attempt": "You see the right answers after your last attempt.",
    "after-submit": "You see the right answers when you hand in.",
}

LANGUAGE: Mapping[str, str] = {
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
    "pt": "Português",
    "tr": "Türkçe",
    "uk": "Українська",
}
