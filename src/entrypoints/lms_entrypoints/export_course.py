"""Write a course as a folder that can be imported again."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import frozen

from lms_core.application.author_course import ReadDraft
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.content import Video
from lms_core.domain.ids import CourseId, ObjectKey
from lms_core.domain.media.asset import MediaAsset
from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.object_store import ObjectStore
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.course_folder.folder import CaptionSource, MediaSource
from lms_entrypoints.course_folder.writer import write_course_folder


@frozen(kw_only=True)
class Exported:
    """What was written; *without_file* are video lessons whose file is not kept."""

    course: CourseId
    lectures: tuple[str, ...]
    without_file: tuple[str, ...]


def export_course(
    platform: Platform, actor: Actor, course: CourseId, root: Path
) -> Exported:
    """Write the draft of *course*, with its lectures as they were uploaded, to *root*.

    The folder appears whole or not at all.

    Raises:
        NotFound: there is no such course that the actor may edit.
        InvalidValue: *root* holds something.
    """
    found = platform.use(ReadDraft)(actor, course)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise InvalidValue(f"{root} is there already; name a new or empty folder")
    media: dict[str, MediaSource] = {}
    without = []
    for lesson in found.course.draft.lessons():
        if not isinstance(lesson.content, Video):
            continue
        shown = lesson.content.media
        asset = found.media.get(shown) if shown else None
        source = _source(platform.objects, asset) if asset else None
        if source is None:
            without.append(lesson.key)
        else:
            media[lesson.key] = source
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".lms-export-", dir=root.parent) as scratch:
        whole = Path(scratch) / "course"
        write_course_folder(course, found.course.draft, whole, media)
        if root.exists():
            root.rmdir()
        shutil.move(whole, root)
    return Exported(course=course, lectures=tuple(media), without_file=tuple(without))


def _source(objects: ObjectStore, asset: MediaAsset) -> MediaSource | None:
    """Return the newest source that has arrived; one may be under way."""
    for generation in range(asset.generation, 0, -1):
        name = str(asset.source).rpartition("/")[0]
        key = ObjectKey(f"{name}/{generation}")
        try:
            objects.info(key)
        except NotFound:
            continue
        return MediaSource(
            filename=asset.filename,
            chunks=partial(_chunks, objects, key),
            captions=tuple(
                CaptionSource(
                    filename=_caption_name(objects, file.key),
                    language=file.language,
                    label=file.label,
                    chunks=partial(_chunks, objects, file.key),
                )
                for file in asset.captions
            ),
        )
    return None


def _chunks(objects: ObjectStore, key: ObjectKey) -> Iterator[bytes]:
    with objects.open(key) as reader:
        yield from reader


def _caption_name(objects: ObjectStore, key: ObjectKey) -> str:
    """Tell WebVTT from SubRip by what every WebVTT file begins with."""
    with objects.open(key) as reader:
        start = next(iter(reader), b"").removeprefix(b"\xef\xbb\xbf")
    return "captions.vtt" if start.startswith(b"WEBVTT") else "captions.srt"
