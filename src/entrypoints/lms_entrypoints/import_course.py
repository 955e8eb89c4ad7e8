"""Bring a course folder into the platform."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from attrs import frozen

from lms_core.application.author_course import CreateCourse, EditCourse, PublishCourse
from lms_core.application.transcode_media import RetryMedia
from lms_core.application.upload_media import (
    LARGEST_BYTES,
    LARGEST_CAPTIONS_BYTES,
    AttachCaptions,
    CompleteUpload,
    MediaType,
    StartUpload,
    UploadPart,
    with_media,
)
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.catalog.content import CourseContent, Video
from lms_core.domain.catalog.course import Course
from lms_core.domain.ids import CourseId, LessonId, MediaId, ObjectKey
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.errors import Fault, InvalidDocument, NotFound
from lms_core.ports.object_store import PART_BYTES
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.course_folder.archives import open_course_archive
from lms_entrypoints.course_folder.folder import CaptionPath, CourseFolder, MediaFile
from lms_entrypoints.course_folder.reader import read_course_folder

Report = Callable[[str, int, int], None]
"""Told the name of a file, how many of its bytes are done, and how many it has."""

MEDIA_TYPES = {
    ".mp4": MediaType.MP4,
    ".m4v": MediaType.MP4,
    ".mov": MediaType.QUICKTIME,
    ".mkv": MediaType.MATROSKA,
    ".webm": MediaType.WEBM,
    ".ts": MediaType.MPEG_TS,
    ".m2ts": MediaType.MPEG_TS,
    ".avi": MediaType.AVI,
}
_STAND_IN = MediaId("to-be-uploaded")


def tell_nobody(_name: str, _done: int, _whole: int) -> None:
    """Report to nobody."""


@frozen(kw_only=True)
class Imported:
    """What an import did; lectures are named by the keys of their lessons."""

    course: CourseId
    created: bool
    edited: bool
    uploaded: tuple[str, ...]
    unchanged: tuple[str, ...]
    published: bool


@contextmanager
def opened_course(source: Path) -> Iterator[CourseFolder]:
    """Read the course in a folder or an archive; it lasts as long as the context.

    Raises:
        InvalidDocument: with everything that is wrong with it.
    """
    if not source.exists():
        raise NotFound(f"there is no {source}", resource=str(source))
    folder = nullcontext(source) if source.is_dir() else open_course_archive(source)
    with folder as root:
        yield read_course_folder(root)


def import_course(
    platform: Platform,
    actor: Actor,
    folder: CourseFolder,
    *,
    publish: bool = False,
    report: Report = tell_nobody,
) -> Imported:
    """Create the course that *folder* holds, or bring the one there is up to date.

    Everything is checked before anything is stored. What has not changed is
    left alone, so importing twice does nothing the second time, and one that
    was interrupted goes on where it stopped. A video lesson that names no file
    keeps the lecture it has. Lectures are transcoded afterwards, by a worker.

    Raises:
        InvalidDocument: a file is not acceptable, or, to *publish*, the course
            is not complete; with everything that is wrong.
        Refused: the actor may not do this, or somebody else is editing the
            course (``course-has-changed``).
    """
    author = signed_in(actor)
    now = platform.clock.now()
    with platform.start(read_only=True) as work:
        before = work.courses.find(folder.id)
        known = work.media.several(before.draft.media()) if before else {}
    if before is not None:
        resource = Resource(course=before.id)
        decide(actor, Action.EDIT_COURSE, resource, at=now).require()
    content = _with_lectures_of(before, folder.content)
    _check(folder, content, publish=publish)
    edited = before is not None and before.draft != content
    if before is None:
        platform.use(CreateCourse)(actor, folder.id, content)
    elif edited:
        platform.use(EditCourse)(actor, folder.id, content, version=before.version)
    with platform.start(read_only=True) as work:
        # Creating a course makes its creator an instructor of it.
        actor = Actor.of(work.users.get(author))
    upload = _Upload(platform, actor, folder.id, report)
    lectures = {key: known.get(media) for key, media in _media_of(content).items()}
    uploaded = [
        each.lesson for each in folder.media if upload(each, lectures.get(each.lesson))
    ]
    published = False
    if publish:
        number = before.publication.number if before and before.publication else 0
        after = platform.use(PublishCourse)(actor, folder.id)
        published = after.publication is not None and after.publication.number > number
    return Imported(
        course=folder.id,
        created=before is None,
        edited=edited,
        uploaded=tuple(uploaded),
        unchanged=tuple(
            each.lesson for each in folder.media if each.lesson not in uploaded
        ),
        published=published,
    )


def _media_of(content: CourseContent) -> dict[str, MediaId]:
    return {
        lesson.key: lesson.content.media
        for lesson in content.lessons()
        if isinstance(lesson.content, Video) and lesson.content.media is not None
    }


def _with_lectures_of(before: Course | None, content: CourseContent) -> CourseContent:
    """Let video lessons go on showing what they show."""
    for key, media in (_media_of(before.draft) if before else {}).items():
        content = with_media(content, key, media)
    return content


def _check(folder: CourseFolder, content: CourseContent, *, publish: bool) -> None:
    faults = [fault for each in folder.media for fault in _media_faults(each)]
    if publish:
        complete = content
        for each in folder.media:
            complete = with_media(complete, each.lesson, _STAND_IN)
        faults += _publication_faults(complete)
    if faults:
        raise InvalidDocument(*faults)


def _publication_faults(content: CourseContent) -> list[Fault]:
    faults = [
        Fault(f"lesson {lesson.key}", "has no video yet", "video-is-missing")
        for lesson in content.lessons()
        if isinstance(lesson.content, Video) and lesson.content.media is None
    ]
    if not any(content.lessons()):
        faults.append(Fault("modules", "must have a lesson", "course-is-empty"))
    return faults


def _media_faults(media: MediaFile) -> Iterator[Fault]:
    name, size = media.path.name, media.path.stat().st_size
    if media.path.suffix.lower() not in MEDIA_TYPES:
        known = ", ".join(MEDIA_TYPES)
        yield Fault(name, f"must end in one of {known}", "unknown-media-type")
    if not 1 <= size <= LARGEST_BYTES:
        yield Fault(name, f"must have 1 to {LARGEST_BYTES} bytes", "media-too-large")
    for caption in media.captions:
        if not 1 <= caption.path.stat().st_size <= LARGEST_CAPTIONS_BYTES:
            words = f"must have 1 to {LARGEST_CAPTIONS_BYTES} bytes"
            yield Fault(caption.path.name, words, "captions-too-large")


@frozen
class _Upload:
    """Uploads one lecture after the other, in parts."""

    platform: Platform
    actor: Actor
    course: CourseId
    report: Report

    def __call__(self, media: MediaFile, known: MediaAsset | None) -> bool:
        """Upload *media* unless it is there; return whether it was uploaded."""
        if known is not None and self._is_there(media, known):
            if known.status is MediaStatus.FAILED:
                # Importing the same again asks for another try.
                self.platform.use(RetryMedia)(self.actor, known.id)
            return False
        found = media.path.stat()
        size = found.st_size
        state = self.platform.use(StartUpload)(
            self.actor,
            LessonId(self.course, media.lesson),
            filename=media.path.name,
            size_bytes=size,
            content_type=MEDIA_TYPES[media.path.suffix.lower()],
            fingerprint=str(found.st_mtime_ns),
        )
        # Before the upload is complete, so that the first stream has them.
        for caption in media.captions:
            self.platform.use(AttachCaptions)(
                self.actor,
                state.media.id,
                language=caption.language,
                label=caption.label,
                data=caption.path.read_bytes(),
            )
        self._send(media.path, state.media.id, size, done=state.done)
        self.platform.use(CompleteUpload)(self.actor, state.media.id)
        return True

    def _send(
        self, path: Path, media: MediaId, size: int, *, done: tuple[int, ...]
    ) -> None:
        put = self.platform.use(UploadPart)
        with path.open("rb") as file:
            for number in range(1, -(-size // PART_BYTES) + 1):
                if number not in done:
                    file.seek((number - 1) * PART_BYTES)
                    put(self.actor, media, number, file.read(PART_BYTES))
                self.report(path.name, min(number * PART_BYTES, size), size)

    def _is_there(self, media: MediaFile, known: MediaAsset) -> bool:
        """Compare with what is stored, byte for byte, captions included."""
        if known.status is MediaStatus.UPLOADING or (
            known.size_bytes != media.path.stat().st_size
        ):
            return False
        return all(self._has_captions(known, each) for each in media.captions) and (
            self._holds(known.source, media.path)
        )

    def _has_captions(self, known: MediaAsset, caption: CaptionPath) -> bool:
        language = caption.language.lower()
        return any(
            file.language.lower() == language
            and file.label == caption.label
            and self._holds(file.key, caption.path)
            for file in known.captions
        )

    def _holds(self, key: ObjectKey, path: Path) -> bool:
        stored = hashlib.sha256()
        try:
            with self.platform.objects.open(key) as reader:
                if reader.info.size_bytes != path.stat().st_size:
                    return False
                for chunk in reader:
                    stored.update(chunk)
        except NotFound:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == stored.digest()
