"""Write a course folder."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lms_core.domain.access.conditions import OPEN
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Video
from lms_core.domain.documents import dump
from lms_core.domain.ids import CourseId
from lms_core.errors import InvalidValue
from lms_entrypoints.course_folder._conditions import write_condition
from lms_entrypoints.course_folder._course_file import write_course
from lms_entrypoints.course_folder._lessons import write_lesson
from lms_entrypoints.course_folder._markdown_files import stands_alone
from lms_entrypoints.course_folder._media import LANGUAGE
from lms_entrypoints.course_folder._yaml_out import to_yaml
from lms_entrypoints.course_folder.folder import CaptionSource, MediaSource
from lms_entrypoints.course_folder.reader import (
    COURSE_FILE,
    DESCRIPTION_FILE,
    MODULE_FILE,
)

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}")
_OURS = {".md", ".yaml"}


def write_course_folder(
    course: CourseId,
    content: CourseContent,
    root: Path,
    media: Mapping[str, MediaSource] | None = None,
) -> None:
    """Write *content* to the folder *root*, which must be empty or not exist.

    `read_course_folder` gives the same content back, without media ids; writing
    that again gives the same bytes. *media* holds the lectures by the keys of
    their lessons; their bytes pass through in pieces.

    Raises:
        InvalidValue: the folder holds something, or captions name no language.
    """
    root.mkdir(parents=True, exist_ok=True)
    if any(root.iterdir()):
        raise InvalidValue(f"is not empty: {root}")
    fields = write_course(course, content)
    if content.description and not stands_alone(content.description):
        fields["description"] = content.description
    elif content.description:
        _write(root / DESCRIPTION_FILE, f"{content.description}\n")
    _write(root / COURSE_FILE, to_yaml(fields))
    digits = _digits(len(content.modules))
    for number, module in enumerate(content.modules, 1):
        folder = root / f"{number:0{digits}}-{module.key}"
        folder.mkdir()
        _write_module(module, folder, media or {})


def _digits(count: int) -> int:
    return max(2, len(str(count)))


def _write_module(
    module: Module, folder: Path, media: Mapping[str, MediaSource]
) -> None:
    fields: dict[str, Any] = dump(module, compact=True)
    del fields["key"]
    fields.pop("lessons", None)
    if module.access != OPEN:
        fields["access"] = write_condition(module.access)
    _write(folder / MODULE_FILE, to_yaml(fields))
    digits = _digits(len(module.lessons))
    for number, lesson in enumerate(module.lessons, 1):
        stem = f"{number:0{digits}}-{lesson.key}"
        files = _write_media(lesson, folder, stem, media)
        name, text = write_lesson(lesson, stem, files)
        _write(folder / name, text)


def _write_media(
    lesson: Lesson, folder: Path, stem: str, media: Mapping[str, MediaSource]
) -> dict[str, Any]:
    source = media.get(lesson.key)
    if source is None or type(lesson.content) is not Video:
        return {}
    name = f"{stem}{_ending(source.filename, '.mp4')}"
    _stream(folder / name, source.chunks())
    if not source.captions:
        return {"file": name}
    captions = [_write_caption(each, folder, stem) for each in source.captions]
    return {"file": name, "captions": captions}


def _write_caption(caption: CaptionSource, folder: Path, stem: str) -> dict[str, str]:
    ending = ".srt" if caption.filename.lower().endswith(".srt") else ".vtt"
    if not LANGUAGE.fullmatch(caption.language):
        raise InvalidValue(f"not a language tag: {caption.language!r:.40}")
    name = f"{stem}.{caption.language}{ending}"
    _stream(folder / name, caption.chunks())
    return {"file": name, "language": caption.language, "label": caption.label}


def _ending(filename: str, otherwise: str) -> str:
    """Return the ending of a name that a stranger chose, where it is harmless."""
    found = _ENDING.fullmatch(filename[max(filename.rfind("."), 0) :])
    if found is None or found[0].lower() in _OURS:
        return otherwise
    return found[0].lower()


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        file.write(text)


def _stream(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
