"""Go through the whole platform over HTTP, as the people do whom it is for.

The steps stand in the order in which they happen; each says what it has seen.
"""

import email
import email.policy
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
from attrs import frozen

from lms_core.domain.documents import dump
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.checking import strangers
from lms_entrypoints.checking.journey import (
    CheckFailed,
    Journey,
    Person,
    eventually,
    expect,
    fail,
)
from lms_entrypoints.course_folder.folder import CourseFolder
from lms_entrypoints.demo import Account, sample_folder
from lms_entrypoints.sample_courses import LEARNING, STREAMING
from lms_entrypoints.sample_lecture import make_sample_lecture

_CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}
_TRANSCODED_WITHIN_S = 900
_PADDING = 9 * 1024 * 1024
_BROKEN = "broken-lecture"


@frozen(kw_only=True)
class Outcome:
    """How a step went."""

    step: str
    works: bool
    seen: str
    seconds: float


def run_check(
    platform: Platform,
    accounts: tuple[Account, ...],
    show: Callable[[Outcome], None] = lambda _outcome: None,
) -> tuple[Outcome, ...]:
    """Take every step, up to the first that fails; *show* is told of each."""
    outcomes: list[Outcome] = []
    base = platform.settings.base_url
    with tempfile.TemporaryDirectory(prefix="lms-journey-") as scratch:
        journey = Journey(
            base=base,
            data=platform.data,
            scratch=Path(scratch),
            accounts={account.part: account for account in accounts},
            stranger=Person(httpx.Client(base_url=base, timeout=30)),
        )
        try:
            for step, take in _STEPS:
                outcomes.append(_taken(step, take, journey))
                show(outcomes[-1])
                if not outcomes[-1].works:
                    break
        finally:
            journey.close()
    return tuple(outcomes)


def _taken(step: str, take: Callable[[Journey], str], journey: Journey) -> Outcome:
    began = perf_counter()
    try:
        seen, works = take(journey), True
    except CheckFailed as exc:
        seen, works = str(exc), False
    except Exception as exc:  # noqa: BLE001 - any answer but the expected is a failure
        seen, works = f"{type(exc).__name__}: {exc}", False
    return Outcome(step=step, works=works, seen=seen, seconds=perf_counter() - began)


# The author


def _answers(journey: Journey) -> str:
    status = journey.stranger.get("health")["status"]
    expect(status, "ok", "the status")
    document = journey.stranger.get("openapi.json")
    return f"OpenAPI {document['openapi']}, {len(document['paths'])} paths"


def _brings_a_course(journey: Journey) -> str:
    author = journey.as_("author")
    with sample_folder(STREAMING) as folder:
        [media] = folder.media
        journey.lecture = _kept(folder, journey.scratch)
        captions = media.captions[0].path.read_bytes()
        (journey.scratch / "captions.vtt").write_bytes(captions)
    taught = {each["id"] for each in author.get("teach/courses")["items"]}
    journey.course = STREAMING
    while journey.course in taught:
        journey.course += "-again"
    journey.video = f"{journey.course}.{media.lesson}"
    content = dump(folder.content, compact=True)
    body = {"id": journey.course, "content": content}
    made = author.ask("POST", "courses", body, status=201).json()
    expect(made["published"], None, "the publication of a draft")
    unready = author.refused("POST", f"courses/{journey.course}/publish", status=422)
    codes = {fault["code"] for fault in unready["faults"]}
    expect(codes, {"video-is-missing"}, "what is missing")
    lessons = sum(1 for _ in folder.content.lessons())
    return f"{lessons} lessons as a draft; without its video it is not published"


def _kept(folder: CourseFolder, scratch: Path) -> Path:
    """Return a copy of the lecture, padded so that it takes more than one part."""
    kept = scratch / "lecture.mp4"
    box = (8 + _PADDING).to_bytes(4) + b"free" + bytes(_PADDING)
    kept.write_bytes(folder.media[0].path.read_bytes() + box)
    return kept


def _begins_an_upload(journey: Journey) -> str:
    author = journey.as_("author")
    upload = _start(author, journey.course, journey.video, journey.lecture)
    _send(author, upload, journey.lecture, 1)
    # The connection breaks here; somebody who may not has no business with it.
    stranger = journey.stranger.refused(
        "GET", f"uploads/{upload['upload_id']}", status=404
    )
    journey.upload = author.get(f"uploads/{upload['upload_id']}")
    expect(journey.upload["parts"], [1], "the parts that have arrived")
    return (
        f"part 1 of {upload['part_count']} has arrived; for others it does not exist"
        f" ({stranger['code']})"
    )


def _resumes_the_upload(journey: Journey) -> str:
    author = journey.as_("author")
    again = _start(author, journey.course, journey.video, journey.lecture)
    expect(again, journey.upload, "the upload that is resumed")
    journey.media = again["media_id"]
    early = author.refused("POST", f"uploads/{again['upload_id']}/complete", status=422)
    missing = [n for n in range(1, again["part_count"] + 1) if n not in again["parts"]]
    for number in missing:
        _send(author, again, journey.lecture, number)
    author.ask(
        "PUT",
        f"media/{journey.media}/captions/en?label=English",
        raw=(journey.scratch / "captions.vtt").read_bytes(),
    )
    done = author.ask("POST", f"uploads/{again['upload_id']}/complete").json()
    if done["status"] not in {"queued", "transcoding"}:
        fail(f"the lecture is {done['status']}")
    return (
        f"sent only part {', '.join(map(str, missing))}; too early was refused"
        f" ({early['code']}); {done['size_bytes'] / 1e6:.1f} MB are {done['status']}"
    )


def _start(author: Person, course: str, lesson: str, file: Path) -> dict[str, Any]:
    body = {
        "course": course,
        "lesson": lesson.partition(".")[2],
        "filename": file.name,
        "size_bytes": file.stat().st_size,
        "content_type": "video/mp4",
    }
    answer: dict[str, Any] = author.ask("POST", "uploads", body).json()
    return answer


def _send(author: Person, upload: dict[str, Any], file: Path, number: int) -> None:
    size: int = upload["part_bytes"]
    data = file.read_bytes()[(number - 1) * size : number * size]
    path = f"uploads/{upload['upload_id']}/parts/{number}"
    kept = author.ask("PUT", path, raw=data).json()
    expect(kept["size_bytes"], len(data), f"the size of part {number}")


def _watches_transcoding(journey: Journey) -> str:
    author = journey.as_("author")
    seen: list[int] = []

    def ready() -> dict[str, Any] | None:
        media = _lecture(author, journey.course, journey.media)
        if media["status"] == "failed":
            fail(f"the lecture has failed: {media['failure']}")
        if media["status"] == "transcoding" and media["percent"] not in seen:
            seen.append(media["percent"])
        return media if media["status"] == "ready" else None

    media = eventually("the stream", ready, within_s=_TRANSCODED_WITHIN_S)
    if not seen or seen != sorted(seen):
        fail(f"progress went {seen}")
    shown = ", ".join(f"{each} %" for each in seen[:6])
    return f"{shown} … ready: {media['duration_ms'] / 1000:.1f} s of video"


def _lecture(author: Person, course: str, media: str) -> dict[str, Any]:
    found = author.get(f"courses/{course}/draft")["media"]
    return next(each for each in found if each["id"] == media)


def _publishes(journey: Journey) -> str:
    author, course = journey.as_("author"), journey.course
    number = author.ask("POST", f"courses/{course}/publish").json()["published"]
    expect(number, 1, "the number of the publication")
    teacher = journey.as_("instructor")
    body = {"user_id": teacher.id, "role": "instructor"}
    author.refused("POST", f"courses/{course}/roles", body, status=403)
    journey.as_("admin").ask("POST", f"courses/{course}/roles", body)
    return "version 1; the admin, and not the author, makes somebody instructor"


# The learner


def _registers(journey: Journey) -> str:
    suffix = len(journey.course)
    journey.learner_email = f"mira.{journey.media[:13]}.{suffix}@demo.example"
    journey.learner_password = "violet-otter-ladder"  # noqa: S105 - of a demo
    body = {
        "email": journey.learner_email,
        "name": "Mira Möller",
        "password": "short",
    }
    weak = journey.stranger.refused("POST", "auth/register", body, status=422)
    body["password"] = journey.learner_password
    journey.stranger.ask("POST", "auth/register", body, status=201)
    journey.stranger.refused("POST", "auth/register", body, status=409)
    wrong = {"email": journey.learner_email, "password": "not-her-password"}
    journey.stranger.refused("POST", "auth/token", wrong, status=401)
    journey.people["new learner"] = journey.open(
        journey.learner_email, journey.learner_password, "the learner"
    )
    return f"an account and a session; a short password is refused ({weak['code']})"


def _browses(journey: Journey) -> str:
    found = journey.learner.get("courses?text=adaptive%20streaming")["items"]
    card = next(each for each in found if each["id"] == journey.course)
    shown = journey.learner.get(f"courses/{journey.course}")
    expect(shown["prices"], card["prices"], "the price")
    [price] = card["prices"]
    modules = len(shown["modules"])
    return f"“{card['title']}”, {modules} modules, {price['minor']} {price['currency']}"


def _is_locked_out(journey: Journey) -> str:
    locked = journey.learner.refused("GET", f"lessons/{journey.video}", status=403)
    reasons = [reason["code"] for reason in locked["reasons"]]
    if not reasons:
        fail("the refusal gives no reason")
    playback = f"media/{journey.media}/playback"
    journey.learner.refused("POST", playback, status=403)
    unpaid = journey.learner.refused(
        "POST", f"enrollments/{journey.course}", status=402
    )
    nobody = journey.stranger.refused("GET", f"lessons/{journey.video}", status=401)
    return f"{', '.join(reasons)}; {unpaid['code']}; a stranger: {nobody['code']}"


def _takes_the_free_course(journey: Journey) -> str:
    place = journey.learner.ask("POST", f"enrollments/{LEARNING}").json()
    expect(place["status"], "active", "the place")
    again = journey.learner.ask("POST", f"enrollments/{LEARNING}").json()
    expect(again["id"], place["id"], "the place when asked twice")
    return "active at once; asking twice gives the same place"


def _orders(journey: Journey) -> str:
    body = {"course_id": journey.course, "currency": "EUR"}
    journey.order = journey.learner.ask("POST", "payments/checkout", body).json()
    again = journey.learner.ask("POST", "payments/checkout", body).json()
    expect(again["id"], journey.order["id"], "the order when asked twice")
    amount = journey.order["amount"]
    return f"{journey.order['status']}, {amount['minor']} {amount['currency']}"


def _pays(journey: Journey) -> str:
    page = journey.order["checkout_url"]
    form = {"name": "Mira Möller", **_CARD}
    with httpx.Client(timeout=30) as browser:
        shown = browser.get(page)
        expect(shown.status_code, 200, "the checkout page")
        declined = browser.post(
            page, data={**form, "number": "4000 0000 0000 0002"}
        ).text
        if "declined" not in declined:
            fail("a declined card is not told")
        paid = browser.post(page, data=form)
    expect(paid.status_code, 303, "the answer to the form")
    back = paid.headers["location"]
    expect(back.startswith(f"{journey.base}/orders/"), True, "the way back")  # noqa: FBT003 - a value
    return "a bad card is declined, a good one leads back to the order"


def _is_let_in(journey: Journey) -> str:
    def paid() -> dict[str, Any] | None:
        order: dict[str, Any] = journey.learner.get(f"payments/{journey.order['id']}")
        return order if order["status"] == "paid" else None

    order = eventually("the webhook", paid)
    expect(order["paid"], order["amount"], "what was paid")
    forged = httpx.post(
        f"{journey.base}/api/v1/payments/webhook",
        json={"type": "payment", "order": order["id"]},
        timeout=30,
    )
    expect(forged.status_code, 400, "the answer to a forged webhook")
    place = _place(journey)
    expect(place["status"], "active", "the place")
    return "the signed webhook made the place active; a forged one is refused"


def _place(journey: Journey) -> dict[str, Any]:
    places = journey.learner.get("users/me/progress")["items"]
    return next(each for each in places if each["course_id"] == journey.course)


def _gets_a_receipt(journey: Journey) -> str:
    mail = eventually("the receipt", lambda: _mail(journey, "29.00 EUR"))
    return f"“{mail['subject']}” to {mail['to']}"


def _mail(journey: Journey, *words: str) -> dict[str, str] | None:
    """Return the learner's mail in the outbox that holds all *words*."""
    for path in (journey.data / "outbox").glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = mail.get_body(("plain",))
        text = f"{mail['subject']}\n{body.get_content() if body else ''}"
        if mail["to"] == journey.learner_email and all(word in text for word in words):
            names = [part.get_filename() or "" for part in mail.iter_attachments()]
            return {
                "subject": mail["subject"],
                "to": mail["to"],
                "attached": ", ".join(names),
            }
    return None


# Watching


def _gets_links(journey: Journey) -> str:
    lesson = journey.learner.get(f"lessons/{journey.video}")
    expect(lesson["media_status"], "ready", "the lecture")
    path = f"media/{lesson['media_id']}/playback"
    journey.playback = journey.learner.ask("POST", path).json()
    expect(len(journey.playback["captions"]), 1, "the number of captions")
    return f"good until {journey.playback['expires_at']}, captions in English"


def _streams(journey: Journey) -> str:
    """Fetch as players do: without signing in, by the links alone."""
    url = journey.playback["playlist_url"]
    names = _entries(journey, url)
    variant = httpx.URL(url).join(names[0])
    segments = _entries(journey, str(variant))
    journey.segment = str(variant.join(segments[0]))
    whole = httpx.get(journey.segment, timeout=30)
    expect(whole.status_code, 200, "the answer to a segment")
    part = httpx.get(journey.segment, headers={"range": "bytes=10-109"}, timeout=30)
    expect(part.status_code, 206, "the answer to a range")
    expect(part.content, whole.content[10:110], "the range")
    for extra in (
        journey.playback["poster_url"],
        journey.playback["captions"][0]["url"],
        journey.playback["thumbnails_url"],
    ):
        expect(httpx.get(extra, timeout=30).status_code, 200, f"the answer to {extra}")
    return (
        f"{len(names)} renditions, {len(segments)} segments, ranges, poster, captions"
    )


def _entries(journey: Journey, url: str) -> list[str]:
    answer = httpx.get(url, timeout=30)
    expect(answer.status_code, 200, "the answer to a playlist")
    lines = answer.text.splitlines()
    expect(lines[0], "#EXTM3U", "the first line of a playlist")
    names = [line for line in lines if line and not line.startswith("#")]
    if not names:
        fail(f"the playlist {url.removeprefix(journey.base):.80} is empty")
    return names


def _tampers(journey: Journey) -> str:
    token = journey.segment.split("/media/", 1)[1].partition("/")[0]
    changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    forged = httpx.get(journey.segment.replace(token, changed), timeout=30)
    expect(forged.status_code, 403, "the answer to a changed signature")
    elsewhere = journey.segment.replace("/media/" + journey.course, "/media/other")
    if elsewhere == journey.segment:
        fail("the link does not name the course")
    moved = httpx.get(elsewhere, timeout=30)
    expect(moved.status_code, 403, "the answer to another prefix")
    passed_on = journey.as_("instructor").http.get(journey.segment)
    expect(passed_on.status_code, 403, "the answer to somebody else")
    codes = [each.json()["code"] for each in (forged, moved, passed_on)]
    return "refused: " + ", ".join(codes)


def _watches_on_two_devices(journey: Journey) -> str:
    duration = journey.playback["duration_ms"]
    middle = duration // 2
    phone = journey.open(journey.learner_email, journey.learner_password, "the phone")
    journey.people["phone"] = phone
    path = f"progress/{journey.video}"
    first = {"watched": [[0, middle]], "position_ms": middle}
    last = {"watched": [[middle - 2000, duration]], "position_ms": duration}
    half = journey.learner.ask("PUT", path, first).json()
    expect(half["completed_at"], None, "the completion after one half")
    resumed = phone.get(f"lessons/{journey.video}")["progress"]["position_ms"]
    expect(resumed, middle, "where the other device resumes")
    whole = phone.ask("PUT", path, last).json()
    repeated = journey.learner.ask("PUT", path, first).json()
    expect(repeated["watched"], [[0, duration]], "what both watched")
    if whole["completed_at"] is None:
        fail("the lesson is not completed")
    return f"resumed at {middle / 1000:.0f} s, merged to one range, completed"


# Quiz


def _next_module_opens(journey: Journey) -> str:
    lessons = journey.outline()
    first = lessons[0]["module"]
    second = next(each["module"] for each in lessons if each["module"] != first)
    _open(journey, second)
    done = _read_texts(journey)
    last = journey.outline()[-1]
    expect(last["access"]["allowed"], False, "the access to the last module")  # noqa: FBT003 - a value
    reasons = [reason["code"] for reason in last["access"]["reasons"]]
    return (
        f"“{second}” is open, {done} texts read; the last waits: {', '.join(reasons)}"
    )


def _open(journey: Journey, module: str) -> None:
    """Wait until every lesson of *module* is open."""

    def allowed() -> bool | None:
        lessons = [each for each in journey.outline() if each["module"] == module]
        return all(each["access"]["allowed"] for each in lessons) or None

    eventually(f"the module {module}", allowed)


def _read_texts(journey: Journey) -> int:
    """Read every text that is open and not read yet; return how many."""
    todo = [
        each["id"]
        for each in journey.outline()
        if each["type"] == "text"
        and each["access"]["allowed"]
        and not each["completed"]
    ]
    for lesson in todo:
        if not journey.learner.get(f"lessons/{lesson}")["html"]:
            fail(f"{lesson} is empty")
        done = journey.learner.ask("PUT", f"progress/{lesson}", {"read": True}).json()
        if done["completed_at"] is None:
            fail(f"{lesson} was read and is not completed")
    return len(todo)


def _fails_the_quiz(journey: Journey) -> str:
    quiz = _quiz(journey)
    attempt = journey.learner.ask("POST", f"quizzes/{quiz}/attempts").json()
    if any(each["correct"] is not None for each in attempt["questions"]):
        fail("a running attempt shows what is right")
    answers = {each["key"]: _wrong(each) for each in attempt["questions"]}
    path = f"attempts/{attempt['id']}"
    saved = journey.learner.ask(
        "PUT", f"{path}/answers", {"answers": answers, "revision": 1}
    ).json()
    expect(set(saved["revisions"].values()), {1}, "the revisions saved")
    over = journey.learner.ask("POST", f"{path}/submit").json()
    expect(over["passed"], False, "whether it is passed")  # noqa: FBT003 - a value
    journey.solutions = {each["key"]: each["correct"] for each in over["questions"]}
    last = journey.outline()[-1]["id"]
    locked = journey.learner.refused("GET", f"lessons/{last}", status=403)
    reason = locked["reasons"][0]["code"]
    return f"{over['score']['percent']} %, not passed; the next module: {reason}"


def _quiz(journey: Journey) -> str:
    found = [each["id"] for each in journey.outline() if each["type"] == "quiz"]
    return str(found[0])


def _wrong(question: dict[str, Any]) -> list[str]:
    if question["options"]:
        return []
    return ["0"] if question["type"] == "numeric" else ["no idea"]


def _passes_the_quiz(journey: Journey) -> str:
    quiz = _quiz(journey)
    attempt = journey.learner.ask("POST", f"quizzes/{quiz}/attempts").json()
    expect(attempt["number"], 2, "the number of the attempt")
    answers = {
        each["key"]: [text.strip("*") for text in journey.solutions[each["key"]]]
        if each["options"]
        else [journey.solutions[each["key"]][0].strip("*")]
        for each in attempt["questions"]
    }
    body = {"answers": answers, "revision": 1}
    path = f"attempts/{attempt['id']}/submit"
    over = journey.learner.ask("POST", path, body).json()
    expect(over["passed"], True, "whether it is passed")  # noqa: FBT003 - a value
    _open(journey, journey.outline()[-1]["module"])
    return f"{over['score']['percent']} %, passed; the last module is open"


def _completes(journey: Journey) -> str:
    _read_texts(journey)

    def completed() -> dict[str, Any] | None:
        place = _place(journey)
        return place if place["status"] == "completed" else None

    place = eventually("the completion of the course", completed)
    expect(place["percent"], 100, "the progress in percent")
    return f"100 %, grade {place['grade_percent']} %"


# The certificate


def _is_certified(journey: Journey) -> str:
    def issued() -> dict[str, Any] | None:
        found = journey.learner.get("users/me/certificates")["items"]
        mine = [each for each in found if each["course_id"] == journey.course]
        return mine[0] if mine else None

    journey.certificate = eventually("the certificate", issued)
    number = journey.certificate["number"]
    mail = eventually("its mail", lambda: _mail(journey, number))
    expect(mail["attached"], f"certificate-{number}.pdf", "what is attached")
    return f"number {number}, mailed with its PDF"


def _seal_holds(journey: Journey) -> str:
    pdf = journey.learner.ask("GET", journey.certificate["pdf_url"]).content
    chain = (journey.data / "secrets/certificates/pdf-certificate").read_text()
    if not strangers.seal_is_valid(pdf, chain):
        fail("the signature of the PDF is not valid")
    forged = pdf.replace(b"/Title", b"/Titel", 1)
    spot = len(pdf) // 3
    forged = pdf[:spot] + bytes([pdf[spot] ^ 1]) + pdf[spot + 1 :]
    try:
        accepted = strangers.seal_is_valid(forged, chain)
    except Exception:  # noqa: BLE001 - a reader may also refuse what was changed
        accepted = False
    expect(accepted, False, "whether a changed PDF is accepted")  # noqa: FBT003 - a value
    journey.as_("author").refused(
        "GET", f"certificates/{journey.certificate['id']}x", status=404
    )
    return f"{len(pdf) // 1024} KiB, valid for a stranger; one bit changed is noticed"


def _credential_holds(journey: Journey) -> str:
    credential = journey.stranger.get(journey.certificate["credential_url"])
    issuer = journey.stranger.get(
        credential["proof"]["verificationMethod"].partition("#")[0]
    )
    if not strangers.proof_is_valid(credential, issuer):
        fail("the proof of the credential is not valid")
    credential["credentialSubject"]["achievement"]["name"] = "Rocket science"
    if strangers.proof_is_valid(credential, issuer):
        fail("a changed credential is accepted")
    expect(_revoked(journey), False, "what the status list says")  # noqa: FBT003 - a value
    return f"{credential['proof']['cryptosuite']}, not on the list of the revoked"


def _revoked(journey: Journey) -> bool:
    credential = journey.stranger.get(journey.certificate["credential_url"])
    entry = credential["credentialStatus"]
    status_list = journey.stranger.get(entry["statusListCredential"])
    issuer = journey.stranger.get(f"{journey.base}/issuer")
    if not strangers.proof_is_valid(status_list, issuer):
        fail("the proof of the status list is not valid")
    return strangers.is_revoked(status_list, int(entry["statusListIndex"]))


def _stranger_verifies(journey: Journey) -> str:
    told = _verification(journey)
    expect(told["valid"], True, "whether it is valid")  # noqa: FBT003 - a value
    expect(told["learner_name"], "Mira Möller", "the name")
    page = journey.stranger.ask("GET", journey.certificate["verify_url"]).text
    for word in (journey.certificate["number"], "Mira Möller"):
        if word not in page:
            fail(f"the page does not say {word}")
    if journey.learner_email in page:
        fail("the page gives the address away")
    return f"{told['number']}, {told['learner_name']}; the page says so too"


def _verification(journey: Journey) -> dict[str, Any]:
    code = journey.certificate["verify_url"].rpartition("/")[2]
    answer: dict[str, Any] = journey.stranger.get(f"verify/{code}")
    return answer


# The instructor and the admin


def _gradebook(journey: Journey) -> str:
    path = f"courses/{journey.course}/gradebook"
    book = journey.as_("instructor").get(path)
    row = next(row for row in book["rows"] if row["email"] == journey.learner_email)
    journey.learner.refused("GET", path, status=403)
    quiz = _quiz(journey).partition(".")[2]
    score = row["scores"][quiz]
    if Fraction(score["earned"]) <= 0:
        fail(f"the score is {score}")
    return (
        f"{row['name']}: {row['grade_percent']} % ({row['letter']}), "
        f"quiz {score['earned']} of {score['possible']}; closed to learners"
    )


def _revokes(journey: Journey) -> str:
    path = f"certificates/{journey.certificate['id']}/revoke"
    body = {"reason": "Issued by mistake."}
    journey.as_("instructor").refused("POST", path, body, status=403)
    journey.as_("admin").ask("POST", path, body)
    told = _verification(journey)
    expect(told["valid"], False, "whether it is valid")  # noqa: FBT003 - a value
    expect(told["revocation_reason"], body["reason"], "the reason")
    expect(_revoked(journey), True, "what the status list says")  # noqa: FBT003 - a value
    page = journey.stranger.ask("GET", journey.certificate["verify_url"]).text
    if "revoked" not in page.lower():
        fail("the page does not say that it was revoked")
    return f"revoked ({told['revocation_reason']}): page, API and status list say so"


def _broken_lecture(journey: Journey) -> str:
    author = journey.as_("author")
    good = journey.scratch / "short.mp4"
    make_sample_lecture(good, seconds=6)
    whole = good.read_bytes()
    broken = journey.scratch / "broken.mp4"
    # An MP4 whose index says more than the file holds, as a broken copy does.
    broken.write_bytes(whole[: len(whole) // 20])
    course, lesson = _draft_for_a_video(author)
    media = _uploaded(author, course, lesson, broken)
    failed = eventually(
        "the failure",
        lambda: _if_status(author, course, media, "failed"),
        within_s=_TRANSCODED_WITHIN_S,
    )
    letters = eventually(
        "the dead letter",
        lambda: (
            [
                each
                for each in journey.as_("admin").get(
                    "admin/queues/transcode/dead-letters"
                )
                if media in each["body"]
            ]
            or None
        ),
    )
    replaced = _uploaded(author, course, lesson, good)
    expect(replaced, media, "the lecture that is replaced")
    eventually(
        "the stream",
        lambda: _if_status(author, course, media, "ready"),
        within_s=_TRANSCODED_WITHIN_S,
    )
    return (
        f"failed: {failed['failure']}; dead letter {letters[0]['id']}:"
        f" {letters[0]['reason']}; replaced, it is ready"
    )


def _draft_for_a_video(author: Person) -> tuple[str, str]:
    taught = {each["id"] for each in author.get("teach/courses")["items"]}
    course = _BROKEN
    while course in taught:
        course += "-again"
    lesson = {"key": "lecture", "title": "Lecture", "content": {"type": "video"}}
    module = {"key": "only", "title": "Only", "lessons": [lesson]}
    content = {"title": "A lecture that breaks", "modules": [module]}
    author.ask("POST", "courses", {"id": course, "content": content}, status=201)
    return course, f"{course}.lecture"


def _uploaded(author: Person, course: str, lesson: str, file: Path) -> str:
    upload = _start(author, course, lesson, file)
    for number in range(1, upload["part_count"] + 1):
        _send(author, upload, file, number)
    author.ask("POST", f"uploads/{upload['upload_id']}/complete")
    return str(upload["media_id"])


def _if_status(
    author: Person, course: str, media: str, status: str
) -> dict[str, Any] | None:
    found = _lecture(author, course, media)
    if found["status"] != status and found["status"] in {"ready", "failed"}:
        fail(f"the lecture is {found['status']} ({found['failure']}), not {status}")
    return found if found["status"] == status else None


_STEPS: tuple[tuple[str, Callable[[Journey], str]], ...] = (
    ("The platform answers", _answers),
    ("An author brings a course", _brings_a_course),
    ("Her upload breaks off", _begins_an_upload),
    ("She resumes it, and adds captions", _resumes_the_upload),
    ("Transcoding shows its progress", _watches_transcoding),
    ("The course is published", _publishes),
    ("A learner registers", _registers),
    ("She browses the catalogue", _browses),
    ("Lessons are closed to her, with reasons", _is_locked_out),
    ("She takes a free course", _takes_the_free_course),
    ("She orders the other one", _orders),
    ("She pays on the gateway's page", _pays),
    ("The webhook lets her in", _is_let_in),
    ("A receipt is mailed", _gets_a_receipt),
    ("She gets signed links to the lecture", _gets_links),
    ("The lecture streams", _streams),
    ("Changed links are refused", _tampers),
    ("She watches on two devices", _watches_on_two_devices),
    ("The next module opens", _next_module_opens),
    ("She fails the quiz", _fails_the_quiz),
    ("She passes at the second attempt", _passes_the_quiz),
    ("The course completes", _completes),
    ("A certificate is issued", _is_certified),
    ("Its seal holds", _seal_holds),
    ("Its credential holds", _credential_holds),
    ("A stranger verifies it", _stranger_verifies),
    ("The instructor sees the gradebook", _gradebook),
    ("The certificate is revoked", _revokes),
    ("A broken lecture is told, and replaced", _broken_lecture),
)
