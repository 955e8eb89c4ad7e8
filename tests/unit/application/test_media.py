"""Lectures: uploaded in parts, resumed, replaced, transcoded, retried."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve

from lms_core.application.author_course import (
    CreateCourse,
    EditCourse,
    PublishCourse,
    ReadDraft,
)
from lms_core.application.open_lesson import OpenLesson
from lms_core.application.sweep import Sweep
from lms_core.application.transcode_media import (
    RetryMedia,
    TranscodeFailed,
    TranscodeMedia,
)
from lms_core.application.upload_media import (
    AttachCaptions,
    CompleteUpload,
    StartUpload,
    UploadPart,
    read_upload_id,
)
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Video
from lms_core.domain.ids import LessonId, MediaId
from lms_core.domain.media.asset import MediaStatus
from lms_core.domain.people.user import Role, RoleGrant
from lms_core.domain.percent import Percent
from lms_core.errors import (
    AlreadyExists,
    InvalidDocument,
    InvalidValue,
    NotFound,
    Refused,
    Rejected,
)
from lms_core.ports.object_store import PART_BYTES
from lms_core.ports.transcoder import TranscodeState, TranscodeStatus

GOOD = b"video:640x360:10000"
CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n"
BAD = b"this is no lecture at all"


def with_lecture(media: MediaId | None = None) -> CourseContent:
    lesson = Lesson(key="lecture", title="Lecture", content=Video(media=media))
    return CourseContent(
        title="Streaming", modules=(Module(key="m", title="M", lessons=(lesson,)),)
    )


@pytest.fixture
def teacher(world: Any) -> Any:
    """Return the teacher of a draft with a lecture to be uploaded."""
    author = world.person("tess", RoleGrant(Role.INSTRUCTOR))
    world.use(CreateCourse)(author, world.COURSE, with_lecture())
    return world.actor("tess")


def begin(world: Any, teacher: Any, data: bytes, name: str = "a.mp4") -> Any:
    return world.use(StartUpload)(
        teacher,
        world.LECTURE,
        filename=name,
        size_bytes=len(data),
        content_type="video/mp4",
    )


def upload(world: Any, teacher: Any, data: bytes, name: str = "a.mp4") -> Any:
    state = begin(world, teacher, data, name)
    for number in range(1, state.part_count + 1):
        part = data[(number - 1) * PART_BYTES : number * PART_BYTES]
        world.use(UploadPart)(teacher, state.media.id, number, part)
    return world.use(CompleteUpload)(teacher, state.media.id)


def draft_of(world: Any, teacher: Any) -> Any:
    return world.use(ReadDraft)(teacher, world.COURSE)


def test_an_uploaded_lecture_becomes_a_stream_that_the_draft_shows(
    world: Any, teacher: Any
) -> None:
    asset = upload(world, teacher, GOOD)
    assert asset.status is MediaStatus.QUEUED

    world.drain()
    [ready] = world.transcode()

    assert ready.status is MediaStatus.READY
    assert ready.stream.duration_ms == 10_000
    assert draft_of(world, teacher).media[asset.id].stream == ready.stream


def test_an_upload_that_broke_off_goes_on_where_it_stopped(
    world: Any, teacher: Any
) -> None:
    data = GOOD + bytes(PART_BYTES)
    first = begin(world, teacher, data)
    world.use(UploadPart)(teacher, first.media.id, 1, data[:PART_BYTES])

    again = begin(world, teacher, data)

    assert again.media.id == first.media.id
    assert again.media.generation == 1
    assert (again.done, again.part_count) == ((1,), 2)


def test_an_upload_that_the_store_gave_up_begins_anew(world: Any, teacher: Any) -> None:
    first = begin(world, teacher, GOOD)
    world.objects._uploads.clear()

    again = begin(world, teacher, GOOD)
    world.use(UploadPart)(teacher, again.media.id, 1, GOOD)

    assert again.done == ()
    assert again.media.id == first.media.id
    done = world.use(CompleteUpload)(teacher, again.media.id)
    assert done.status is MediaStatus.QUEUED


def test_an_upload_needs_every_part(world: Any, teacher: Any) -> None:
    data = GOOD + bytes(PART_BYTES)
    state = begin(world, teacher, data)
    world.use(UploadPart)(teacher, state.media.id, 1, data[:PART_BYTES])

    with pytest.raises(Rejected):
        world.use(CompleteUpload)(teacher, state.media.id)

    assert draft_of(world, teacher).media[state.media.id].status == "uploading"


def test_parts_come_in_any_order_and_twice(world: Any, teacher: Any) -> None:
    data = bytes(PART_BYTES) + GOOD
    state = begin(world, teacher, data)
    put = world.use(UploadPart)

    for number in (2, 1, 2):
        part = data[(number - 1) * PART_BYTES : number * PART_BYTES]
        put(teacher, state.media.id, number, part)
    asset = world.use(CompleteUpload)(teacher, state.media.id)
    again = world.use(CompleteUpload)(teacher, state.media.id)

    assert world.objects.info(asset.source).size_bytes == len(data)
    assert again.status == asset.status


@pytest.mark.parametrize(("number", "data"), [(0, GOOD), (2, GOOD), (1, GOOD + b"x")])
def test_a_part_that_does_not_fit_is_refused(
    world: Any, teacher: Any, number: int, data: bytes
) -> None:
    state = begin(world, teacher, GOOD)

    with pytest.raises(InvalidValue):
        world.use(UploadPart)(teacher, state.media.id, number, data)


def test_a_replaced_lecture_is_seen_until_the_next_is_ready(
    world: Any, teacher: Any
) -> None:
    before = upload(world, teacher, GOOD)
    world.drain()
    [ready] = world.transcode()

    after = upload(world, teacher, b"video:640x360:20000", "b.mp4")

    assert after.id == before.id
    assert (after.generation, after.stream) == (2, ready.stream)
    world.drain()
    [replaced] = world.transcode()
    assert replaced.stream.duration_ms == 20_000
    assert replaced.stream.prefix != ready.stream.prefix


def test_what_had_arrived_of_a_replaced_upload_is_dropped(
    world: Any, teacher: Any
) -> None:
    first = begin(world, teacher, GOOD)

    begin(world, teacher, GOOD + b"!", "b.mp4")

    kept = [each.id for each in world.objects._uploads]
    assert first.media.upload_id not in kept
    assert len(kept) == 1


def test_a_part_of_the_file_before_does_not_get_into_the_one_after(
    world: Any, teacher: Any
) -> None:
    first = begin(world, teacher, GOOD)
    other = GOOD[::-1]
    begin(world, teacher, other, "b.mp4")

    media, generation = read_upload_id(first.id)
    with pytest.raises(NotFound) as part:
        world.use(UploadPart)(teacher, media, 1, GOOD, generation=generation)
    with pytest.raises(NotFound) as end:
        world.use(CompleteUpload)(teacher, media, generation=generation)
    with pytest.raises(NotFound):
        world.use(UploadPart).state(teacher, media, generation=generation)

    assert part.value.code == end.value.code == "upload-gone"
    assert world.use(UploadPart).state(teacher, media).done == ()


@pytest.mark.parametrize("text", ["", "-", "-1", "lecture", "lecture-0", "lecture-x"])
def test_what_names_no_upload_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        read_upload_id(text)


def test_a_file_chosen_while_another_is_put_together_waits_for_its_bytes(
    world: Any, teacher: Any
) -> None:
    state = begin(world, teacher, GOOD)
    world.use(UploadPart)(teacher, state.media.id, 1, GOOD)
    complete = world.use(CompleteUpload)

    @define
    class Overtaken:
        """A store that is slow enough for the author to choose another file."""

        store: Any

        def complete_upload(self, *arguments: Any) -> Any:
            done = self.store.complete_upload(*arguments)
            begin(world, teacher, GOOD + b"!", "b.mp4")
            return done

        def __getattr__(self, name: str) -> Any:
            return getattr(self.store, name)

    with pytest.raises(NotFound):
        evolve(complete, objects=Overtaken(world.objects))(teacher, state.media.id)

    with world.start(read_only=True) as work:
        asset = work.media.get(state.media.id)
    assert (asset.generation, asset.status) == (2, MediaStatus.UPLOADING)


def test_a_lecture_of_another_course_is_not_shown(world: Any, teacher: Any) -> None:
    lecture = upload(world, teacher, GOOD)
    thief = world.person("thea", RoleGrant(Role.INSTRUCTOR))

    with pytest.raises(InvalidDocument):
        world.use(CreateCourse)(thief, "another", with_lecture(lecture.id))
    world.use(CreateCourse)(thief, "another", with_lecture())
    with pytest.raises(InvalidDocument):
        world.use(EditCourse)(
            world.actor("thea"), "another", with_lecture(lecture.id), version=0
        )


def test_only_who_teaches_the_course_uploads(world: Any, teacher: Any) -> None:
    state = begin(world, teacher, GOOD)
    stranger = world.person("sid", RoleGrant(Role.INSTRUCTOR))

    with pytest.raises(Refused):
        begin(world, stranger, GOOD)
    with pytest.raises(NotFound):
        world.use(UploadPart)(stranger, state.media.id, 1, GOOD)
    with pytest.raises(NotFound):
        world.use(CompleteUpload)(stranger, state.media.id)
    with pytest.raises(NotFound):
        world.use(AttachCaptions)(
            stranger, state.media.id, language="en", label="English", data=CAPTIONS
        )


@pytest.mark.parametrize(
    "change",
    [
        {"filename": ""},
        {"filename": "a\r\nb"},
        {"size_bytes": 0},
        {"size_bytes": 10**12},
        {"content_type": "image/svg+xml"},
    ],
)
def test_files_that_are_no_lectures_are_refused(
    world: Any, teacher: Any, change: dict[str, Any]
) -> None:
    said = {"filename": "a.mp4", "size_bytes": 9, "content_type": "video/mp4", **change}

    with pytest.raises(InvalidValue):
        world.use(StartUpload)(teacher, world.LECTURE, **said)
    with pytest.raises(NotFound):
        world.use(StartUpload)(
            teacher,
            LessonId(world.COURSE, "no"),
            filename="a.mp4",
            size_bytes=9,
            content_type="video/mp4",
        )


def test_a_file_that_is_no_video_fails_for_good_and_its_author_is_told_once(
    world: Any, teacher: Any
) -> None:
    asset = upload(world, teacher, BAD)
    world.drain()

    with pytest.raises(TranscodeFailed) as failed:
        world.transcode()
    world.drain()
    world.drain()

    assert failed.value.permanent
    assert draft_of(world, teacher).media[asset.id].failure == "unreadable-media"
    about = [mail.subject for mail in world.mailer.sent.values()]
    assert len([each for each in about if "Streaming" in each or "a.mp4" in each]) == 1


def test_a_redriven_message_tries_again_after_a_failure(
    world: Any, teacher: Any
) -> None:
    asset = upload(world, teacher, BAD)
    with pytest.raises(TranscodeFailed):
        world.use(TranscodeMedia)(asset.id, 1, pause=lambda: True)

    world.objects.put(asset.source, GOOD)
    again = world.use(TranscodeMedia)(asset.id, 1, pause=lambda: True)

    assert again.status is MediaStatus.READY


def test_asking_for_another_try_queues_it(world: Any, teacher: Any) -> None:
    asset = upload(world, teacher, BAD)
    with pytest.raises(TranscodeFailed):
        world.use(TranscodeMedia)(asset.id, 1, pause=lambda: True)
    world.objects.put(asset.source, GOOD)

    world.use(RetryMedia)(teacher, asset.id)
    world.drain()

    assert world.transcode()[0].status is MediaStatus.READY


def test_only_who_teaches_the_course_asks_for_another_try(
    world: Any, teacher: Any
) -> None:
    asset = upload(world, teacher, BAD)
    stranger = world.person("sid", RoleGrant(Role.INSTRUCTOR))

    with pytest.raises(NotFound):
        world.use(RetryMedia)(stranger, asset.id)


def test_news_of_an_older_generation_change_nothing(world: Any, teacher: Any) -> None:
    upload(world, teacher, GOOD)
    second = upload(world, teacher, GOOD + b"0", "b.mp4")

    late = world.use(TranscodeMedia)(second.id, 1, pause=lambda: True)

    assert (late.generation, late.status) == (2, MediaStatus.QUEUED)


def test_a_worker_that_stops_leaves_the_job_to_the_next(
    world: Any, teacher: Any
) -> None:
    asset = upload(world, teacher, GOOD)
    running = StillRunning(world.transcoder)
    transcode = TranscodeMedia(
        start=world.start, clock=world.clock, ids=world.ids, transcoder=running
    )

    left = transcode(asset.id, 1, pause=lambda: False)
    assert left.status is MediaStatus.QUEUED
    assert draft_of(world, teacher).media[asset.id].status is MediaStatus.TRANSCODING

    running.is_done = True
    assert transcode(asset.id, 1, pause=lambda: False).status is MediaStatus.READY


class StillRunning:
    """A transcoder that takes its time."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.is_done = inner, False

    def submit(self, request: Any) -> None:
        self.inner.submit(request)

    def status(self, job: str) -> Any:
        done = self.inner.status(job)
        if self.is_done:
            return done
        return TranscodeStatus(state=TranscodeState.RUNNING, progress=Percent.of(1, 2))

    def cancel(self, job: str) -> None:
        self.inner.cancel(job)


def test_a_lecture_that_nobody_works_on_is_asked_for_again_once_in_a_while(
    world: Any, teacher: Any
) -> None:
    upload(world, teacher, GOOD)
    world.drain()
    [lost] = world.transcode_queue.receive()
    world.transcode_queue.acknowledge([lost])
    assert world.use(Sweep)().media == 0

    world.clock.advance(timedelta(hours=3))

    assert world.use(Sweep)().media == 1
    assert world.use(Sweep)().media == 0
    world.drain()
    assert world.transcode()[0].status is MediaStatus.READY


def test_captions_become_a_track(world: Any, teacher: Any) -> None:
    state = begin(world, teacher, GOOD)
    world.use(AttachCaptions)(
        teacher,
        state.media.id,
        language="en",
        label="English",
        data=CAPTIONS,
    )
    world.use(UploadPart)(teacher, state.media.id, 1, GOOD)
    world.use(CompleteUpload)(teacher, state.media.id)
    world.drain()

    [ready] = world.transcode()

    assert [track.language for track in ready.stream.captions] == ["en"]


def test_a_course_without_its_lecture_is_not_published(
    world: Any, teacher: Any
) -> None:
    with pytest.raises(InvalidDocument, match="no video yet"):
        world.use(PublishCourse)(teacher, world.COURSE)


def test_publishing_unchanged_does_nothing_and_versions_agree(
    world: Any, teacher: Any
) -> None:
    upload(world, teacher, GOOD)

    first = world.use(PublishCourse)(teacher, world.COURSE)
    again = world.use(PublishCourse)(teacher, world.COURSE)

    assert (again.publication.number, again.version) == (1, first.version)
    assert draft_of(world, teacher).course.version == first.version


def test_two_authors_do_not_overwrite_one_another(world: Any, teacher: Any) -> None:
    edit, version = world.use(EditCourse), draft_of(world, teacher).course.version
    edited = edit(teacher, world.COURSE, with_lecture(), version=version)

    with pytest.raises(Refused, match="course-has-changed"):
        edit(teacher, world.COURSE, with_lecture(), version=version)
    with pytest.raises(AlreadyExists):
        world.use(CreateCourse)(teacher, world.COURSE, with_lecture())

    assert edited.version == version + 1


def test_a_draft_is_for_its_authors_and_learners_see_nothing_of_it(
    world: Any, teacher: Any
) -> None:
    ada = world.person("ada")

    with pytest.raises(NotFound):
        world.use(ReadDraft)(ada, world.COURSE)
    with pytest.raises(NotFound):
        world.use(OpenLesson)(ada, world.LECTURE)
    with pytest.raises(Refused):
        world.use(CreateCourse)(ada, "mine", with_lecture())
    assert [c.id for c in world.use(ReadDraft).taught(teacher).items] == [world.COURSE]
