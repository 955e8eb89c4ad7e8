"""Use cases: bring a lecture into a course, in parts that can be resumed."""

import re
from collections.abc import Iterable
from enum import StrEnum

from attrs import evolve, frozen

from lms_core.application._again import again_on_conflict
from lms_core.application._events import sealed
from lms_core.domain.access.policy import Action, Actor, Resource, decide, signed_in
from lms_core.domain.catalog.content import CourseContent, Lesson, Video
from lms_core.domain.ids import LessonId, MediaId, ObjectKey
from lms_core.domain.media.asset import CaptionFile, MediaAsset, MediaStatus
from lms_core.domain.media.captions import check_captions
from lms_core.errors import InvalidValue, NotFound, Refused, Rejected
from lms_core.ports.object_store import PART_BYTES, ObjectStore, Part, Upload
from lms_core.ports.system import Clock, IdSource
from lms_core.ports.unit_of_work import StartWork, UnitOfWork

LARGEST_BYTES = 20 * 1024**3
LARGEST_CAPTIONS_BYTES = 2 * 1024**2
LONGEST_FILENAME = 200
LONGEST_FINGERPRINT = 100


class MediaType(StrEnum):
    """What may be uploaded as a lecture; what it truly is, the transcoder finds."""

    MP4 = "video/mp4"
    QUICKTIME = "video/quicktime"
    MATROSKA = "video/x-matroska"
    WEBM = "video/webm"
    MPEG_TS = "video/mp2t"
    AVI = "video/x-msvideo"


def _check(filename: str, size_bytes: int, content_type: str) -> None:
    if not 1 <= len(filename) <= LONGEST_FILENAME or not filename.isprintable():
        raise InvalidValue(
            f"must be one line of 1 to {LONGEST_FILENAME} characters", place="filename"
        )
    if not 1 <= size_bytes <= LARGEST_BYTES:
        raise InvalidValue(f"must be 1 to {LARGEST_BYTES}", place="size_bytes")
    if content_type not in list(MediaType):
        known = ", ".join(MediaType)
        raise InvalidValue(f"must be one of {known}", place="content_type")


@frozen(kw_only=True)
class UploadState:
    """How far an upload is; send every part that is not *done*, then complete."""

    media: MediaAsset
    part_bytes: int
    done: tuple[int, ...]

    @property
    def id(self) -> str:
        """Names the upload of this very file; `read_upload_id` reads it.

        A lecture that is replaced has another upload: what is still sent of the
        file before must not end up in the one that came after it.
        """
        return self.media.job

    @property
    def part_count(self) -> int:
        """How many parts the file has."""
        return -(-self.media.size_bytes // self.part_bytes)


def read_upload_id(text: str) -> tuple[MediaId, int]:
    """Return which lecture, and which generation of it, an upload is of.

    Raises:
        NotFound: there can be no such upload.
    """
    media, _, generation = text.rpartition("-")
    if not media or not re.fullmatch("[1-9][0-9]{0,8}", generation):
        raise NotFound(f"no upload {text}", resource=text)
    return MediaId(media), int(generation)


@frozen(kw_only=True)
class StartUpload:
    """Begin, or resume, the upload of a lesson's lecture."""

    start: StartWork
    clock: Clock
    ids: IdSource
    objects: ObjectStore

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        lesson: LessonId,
        *,
        filename: str,
        size_bytes: int,
        content_type: str,
        fingerprint: str = "",
    ) -> UploadState:
        """Return what to send; the same file again resumes where it stopped.

        *fingerprint* tells it from other files of its name and size: a digest,
        or the time of its last change.

        A lesson that has a lecture gets a new generation of it; learners go on
        seeing the old one until the new one is ready.

        Raises:
            Refused: the actor does not teach the course, or the lesson is no
                video (``lesson-not-a-video``).
            NotFound: there is no such lesson in the draft.
            InvalidValue: the name, size or type is not acceptable.
        """
        _check(filename, size_bytes, content_type)
        if len(fingerprint) > LONGEST_FINGERPRINT or not fingerprint.isprintable():
            raise InvalidValue(
                f"must be at most {LONGEST_FINGERPRINT} printable characters",
                place="fingerprint",
            )
        owner, now = signed_in(actor), self.clock.now()
        resource = Resource(course=lesson.course)
        decide(actor, Action.UPLOAD_MEDIA, resource, at=now).require()
        with self.start() as work:
            asset = self._asset_for(work, lesson)
            before = None
            if asset is not None and asset.upload_id is not None:
                before = _upload(asset)
            if asset is not None and before is not None:
                same = (filename, size_bytes, content_type, fingerprint)
                done = self._arrived(before) if _is_file(asset, *same) else None
                if done is not None:
                    return _state(asset, done)
            if asset is None:
                asset = MediaAsset(
                    id=MediaId(self.ids.new()),
                    course=lesson.course,
                    owner=owner,
                    filename=filename,
                    size_bytes=size_bytes,
                    content_type=content_type,
                    created_at=now,
                    fingerprint=fingerprint,
                )
                work.media.add(self._opened(asset))
                show_in_draft(work, lesson, asset.id)
            else:
                asset = asset.replace(
                    filename=filename,
                    size_bytes=size_bytes,
                    content_type=content_type,
                    fingerprint=fingerprint,
                )
                work.media.save(self._opened(asset))
            stored = work.media.get(asset.id)
            work.commit()
        if before is not None:
            # What had arrived of the file before is of no use any more.
            self.objects.abort_upload(before)
        return _state(stored, ())

    def _arrived(self, upload: Upload) -> tuple[Part, ...] | None:
        """Return the parts that are there; `None` where the store gave it up."""
        try:
            return self.objects.parts(upload)
        except NotFound:
            return None

    def _opened(self, asset: MediaAsset) -> MediaAsset:
        upload = self.objects.start_upload(
            asset.source, content_type=asset.content_type
        )
        return evolve(asset, upload_id=upload.id)

    def _asset_for(self, work: UnitOfWork, lesson: LessonId) -> MediaAsset | None:
        content = work.courses.get(lesson.course).draft
        found = content.find(lesson.key)
        if found is None:
            raise NotFound(f"no lesson {lesson}", resource=str(lesson))
        shown = found[1].content
        if not isinstance(shown, Video):
            raise Refused("lesson-not-a-video")
        if shown.media is None:
            return None
        return work.media.get(shown.media)


def _is_file(
    asset: MediaAsset,
    filename: str,
    size_bytes: int,
    content_type: str,
    fingerprint: str,
) -> bool:
    return asset.status is MediaStatus.UPLOADING and (
        asset.filename,
        asset.size_bytes,
        asset.content_type,
        asset.fingerprint,
    ) == (filename, size_bytes, content_type, fingerprint)


def _upload(asset: MediaAsset) -> Upload:
    if asset.upload_id is None:
        raise NotFound("the upload is over", resource=asset.id, code="upload-gone")
    return Upload(key=asset.source, id=asset.upload_id)


def _state(asset: MediaAsset, parts: Iterable[Part]) -> UploadState:
    return UploadState(
        media=asset,
        part_bytes=PART_BYTES,
        done=tuple(part.number for part in parts),
    )


def show_in_draft(work: UnitOfWork, lesson: LessonId, media: MediaId) -> None:
    """Let *lesson* of the draft show *media*."""
    course = work.courses.get(lesson.course)
    work.courses.save(course.edit(with_media(course.draft, lesson.key, media)))


def with_media(content: CourseContent, key: str, media: MediaId) -> CourseContent:
    """Return *content* with the video lesson *key* showing *media*."""

    def shown(lesson: Lesson) -> Lesson:
        if lesson.key != key or not isinstance(lesson.content, Video):
            return lesson
        return evolve(lesson, content=evolve(lesson.content, media=media))

    return evolve(
        content,
        modules=tuple(
            evolve(module, lessons=tuple(shown(lesson) for lesson in module.lessons))
            for module in content.modules
        ),
    )


@frozen(kw_only=True)
class UploadPart:
    """Take one part of a lecture, and tell how far its upload is.

    Without *generation*, the upload is the one that is open now.
    """

    start: StartWork
    clock: Clock
    objects: ObjectStore

    def __call__(
        self,
        actor: Actor,
        media: MediaId,
        number: int,
        data: bytes,
        *,
        generation: int | None = None,
    ) -> Part:
        """Keep the part; sending it again replaces it.

        Raises:
            NotFound: there is no such upload of the actor's courses, or it is
                over (``upload-gone``).
            InvalidValue: the number or size does not fit the file announced.
        """
        asset = self._asset(actor, media, generation)
        count = -(-asset.size_bytes // PART_BYTES)
        last = asset.size_bytes - (count - 1) * PART_BYTES
        wanted = last if number == count else PART_BYTES
        if not 1 <= number <= count:
            raise InvalidValue(f"must be 1 to {count}", place="number")
        if len(data) != wanted:
            raise InvalidValue(
                f"must have {wanted} bytes, not {len(data)}", place=f"part {number}"
            )
        return self.objects.put_part(_upload(asset), number, data)

    def state(
        self, actor: Actor, media: MediaId, *, generation: int | None = None
    ) -> UploadState:
        """Return how far the upload is. Raises `NotFound`."""
        asset = self._asset(actor, media, generation)
        if asset.status is not MediaStatus.UPLOADING:
            return _state(asset, ())
        return _state(asset, self.objects.parts(_upload(asset)))

    def _asset(
        self, actor: Actor, media: MediaId, generation: int | None
    ) -> MediaAsset:
        with self.start(read_only=True) as work:
            asset = work.media.get(media)
        may_upload(actor, asset, self.clock)
        _is_current(asset, generation)
        return asset


def _is_current(asset: MediaAsset, generation: int | None) -> None:
    """Refuse what belongs to a file that another one has replaced."""
    if generation is not None and generation != asset.generation:
        raise NotFound(
            "another file was chosen meanwhile", resource=asset.id, code="upload-gone"
        )


def may_upload(actor: Actor, asset: MediaAsset, clock: Clock) -> None:
    """Hide lectures of courses that the actor does not teach."""
    resource = Resource(course=asset.course)
    if not decide(actor, Action.UPLOAD_MEDIA, resource, at=clock.now()):
        raise NotFound(f"no lecture {asset.id}", resource=asset.id)


@frozen(kw_only=True)
class CompleteUpload:
    """Put the parts together; transcoding starts from the event."""

    start: StartWork
    clock: Clock
    ids: IdSource
    objects: ObjectStore

    @again_on_conflict
    def __call__(
        self, actor: Actor, media: MediaId, *, generation: int | None = None
    ) -> MediaAsset:
        """Return the lecture, queued; completing again returns the same.

        Raises:
            NotFound: there is no such upload of the actor's courses, or another
                file was chosen meanwhile (``upload-gone``).
            Rejected: parts are missing (``bad-parts``).
        """
        with self.start(read_only=True) as work:
            asset = work.media.get(media)
        may_upload(actor, asset, self.clock)
        _is_current(asset, generation)
        if asset.status is not MediaStatus.UPLOADING:
            return asset
        self._assemble(asset)
        with self.start() as work:
            stored = work.media.get(media)
            # Of what replaced it meanwhile, nothing has arrived.
            _is_current(stored, asset.generation)
            after, events = stored.uploaded(at=self.clock.now())
            if events:
                work.media.save(after)
                work.outbox.extend(sealed(events, self.ids))
                work.commit()
        return after

    def _assemble(self, asset: MediaAsset) -> None:
        """Make the object, unless a try before this one has."""
        upload = _upload(asset)
        try:
            parts = self.objects.parts(upload)
            if sum(part.size_bytes for part in parts) != asset.size_bytes:
                raise Rejected("parts are missing", resource=asset.id, code="bad-parts")
            self.objects.complete_upload(upload, parts)
        except NotFound:
            if self.objects.info(asset.source).size_bytes != asset.size_bytes:
                raise


@frozen(kw_only=True)
class AttachCaptions:
    """Keep a captions file beside a lecture; it takes part in the next stream."""

    start: StartWork
    clock: Clock
    objects: ObjectStore

    @again_on_conflict
    def __call__(
        self,
        actor: Actor,
        media: MediaId,
        *,
        language: str,
        label: str,
        data: bytes,
    ) -> MediaAsset:
        """Return the lecture with captions in *language*, new or replaced.

        Raises:
            NotFound: there is no such lecture of the actor's courses.
            InvalidValue: language, label or data is not acceptable.
            Refused: there are too many already.
        """
        if not language.isascii() or not 2 <= len(language) <= 35:  # noqa: PLR2004
            raise InvalidValue("must be a BCP 47 tag", place="language")
        if not language.replace("-", "").isalnum():
            raise InvalidValue("must be a BCP 47 tag", place="language")
        if not 1 <= len(label) <= 60 or not label.isprintable():  # noqa: PLR2004
            raise InvalidValue("must be one line of 1 to 60 characters", place="label")
        if not 1 <= len(data) <= LARGEST_CAPTIONS_BYTES:
            raise InvalidValue(f"must be 1 to {LARGEST_CAPTIONS_BYTES} bytes")
        check_captions(data)
        with self.start() as work:
            asset = work.media.get(media)
            may_upload(actor, asset, self.clock)
            key = ObjectKey(f"captions/{asset.course}/{asset.id}/{language.lower()}")
            kept = tuple(each for each in asset.captions if each.key != key)
            file = CaptionFile(key=key, language=language, label=label)
            after = asset.with_captions((*kept, file))
            self.objects.put(key, data, content_type="text/plain")
            if after != asset:
                work.media.save(after)
                work.commit()
        return after
