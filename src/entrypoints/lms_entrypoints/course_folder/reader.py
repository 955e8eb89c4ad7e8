"""Read a course folder."""

import re
from pathlib import Path
from typing import TypeVar

from attrs import Factory, define, evolve

from lms_core.domain.catalog.content import (
    CourseContent,
    Lesson,
    Module,
    Text,
    content_faults,
)
from lms_core.domain.documents import load
from lms_core.domain.ids import CourseId, course_id, key
from lms_core.errors import Fault, InvalidDocument, InvalidValue
from lms_entrypoints.course_folder._conditions import read_condition
from lms_entrypoints.course_folder._course_file import read_course
from lms_entrypoints.course_folder._files import Files
from lms_entrypoints.course_folder._lessons import LESSON_NAME, read_lesson
from lms_entrypoints.course_folder._media import read_media
from lms_entrypoints.course_folder._nodes import Node, Places, Spot
from lms_entrypoints.course_folder.folder import CourseFolder, FolderLimits, MediaFile

COURSE_FILE = "course.yaml"
MODULE_FILE = "module.yaml"
DESCRIPTION_FILE = "description.md"

_MODULE = re.compile(r"[0-9]{1,6}-.+")
_SCORM = "imsmanifest.xml"
_NO_ID = CourseId("course")
_NO_COURSE = CourseContent(title="Course")
MOST_FAULTS = 200

T = TypeVar("T")


def read_course_folder(root: Path, limits: FolderLimits | None = None) -> CourseFolder:
    """Return the course in the folder *root*.

    Raises:
        InvalidDocument: with every fault of every file, each with its line.
    """
    files = Files.scan(root, limits or FolderLimits())
    if COURSE_FILE not in files.found:
        found = f"; {_SCORM} is that of SCORM" if _SCORM in files.found else ""
        message = f"is not there, so this is not a course{found}"
        raise InvalidDocument(
            Fault(COURSE_FILE, message, "not-a-course"), *files.faults
        )
    reader = _Reader(files)
    folder = reader.folder()
    for path in sorted(files.found.keys() - files.used):
        files.fault(path, "belongs to nothing in the course", "unknown-file")
    if files.faults:
        # What a module's condition names is missed by each of its lessons.
        unique = list(dict.fromkeys(files.faults))
        ordered = sorted(unique, key=lambda fault: (fault.place, fault.line or 0))
        raise InvalidDocument(*ordered[:MOST_FAULTS])
    return folder


@define
class _Reader:
    """Reads part by part: a broken one is stood in for, so that all are read."""

    files: Files
    places: Places = Factory(lambda: Places({"": Spot(COURSE_FILE)}))
    media: list[MediaFile] = Factory(list)

    def folder(self) -> CourseFolder:
        id_, course = self._course()
        modules = [self._module(m, name) for m, name in enumerate(self._modules())]
        content = evolve(course or _NO_COURSE, modules=tuple(modules))
        for fault in content_faults(content):
            if course is not None or fault.code != "unknown-category":
                self.files.faults.append(self.places.at(fault))
        return CourseFolder(id=id_, content=content, media=tuple(self.media))

    def _load(self, cls: type[T], node: Node, place: str) -> T | None:
        data = self.places.plain(node, place)
        try:
            return load(cls, data, place=place)
        except InvalidDocument as refused:
            self.files.faults.extend(map(self.places.at, refused.faults))
            return None

    def _course(self) -> tuple[CourseId, CourseContent | None]:
        node = self.files.yaml(COURSE_FILE)
        description = None
        if DESCRIPTION_FILE in self.files.found:
            description = self.files.text(DESCRIPTION_FILE)
        if node is None:
            return _NO_ID, None
        id_ = self._id(node.fields.get("key"), node)
        document = read_course(node, self.files.faults).fields
        if description is not None:
            if "description" in document:
                spot = document["description"].spot
                message = f"must stand either here or in {DESCRIPTION_FILE}"
                self.files.faults.append(spot.fault(message))
            spot = Spot(DESCRIPTION_FILE)
            document["description"] = Node(description.removesuffix("\n"), spot)
        return id_, self._load(CourseContent, node.holding(document), "")

    def _id(self, key: Node | None, course: Node) -> CourseId:
        if key is None:
            fault = course.spot.fault("key is missing", "missing-field")
            self.files.faults.append(fault)
            return _NO_ID
        try:
            return course_id(key.raw)
        except InvalidValue as refused:
            self.files.faults.append(key.spot.fault(refused.message))
            return _NO_ID

    def _modules(self) -> list[str]:
        names = [
            name
            for name in self.files.children("")
            if _MODULE.fullmatch(name) and name not in self.files.found
        ]
        return self._in_order("", names)

    def _in_order(self, folder: str, names: list[str]) -> list[str]:
        numbered: dict[int, str] = {}
        ordered: list[tuple[int, str]] = []
        for name in names:
            number = int(name.partition("-")[0])
            if number in numbered:
                path = f"{folder}/{name}" if folder else name
                message = f"has the same number as {numbered[number]}"
                self.files.fault(path, message, "duplicate-number")
            numbered.setdefault(number, name)
            ordered.append((number, name))
        return [name for _, name in sorted(ordered)]

    def _module(self, m: int, folder: str) -> Module:
        path, place = f"{folder}/{MODULE_FILE}", f"modules[{m}]"
        slug = folder.partition("-")[2]
        module: Module | None = None
        waits: Spot | None = None
        if path in self.files.found:
            node = self.files.yaml(path)
            if node is not None:
                document = node.fields
                document.setdefault("key", Node(slug, Spot(path)))
                if "lessons" in document:
                    spot = document.pop("lessons").spot
                    message = "lessons are files like 01-welcome.md"
                    self.files.faults.append(spot.fault(message, "unknown-field"))
                if "access" in document:
                    waits = document["access"].spot
                    document["access"] = read_condition(
                        document["access"], self.files.faults
                    )
                module = self._load(Module, node.holding(document), place)
            self.files.used.add(path)
        else:
            self.files.fault(path, "is missing; it gives the title", "missing-file")
        names = [
            name
            for name in self.files.children(folder)
            if LESSON_NAME.fullmatch(name) and f"{folder}/{name}" in self.files.found
        ]
        lessons = [
            self._lesson(f"{place}.lessons[{n}]", f"{folder}/{name}", waits)
            for n, name in enumerate(self._in_order(folder, names))
        ]
        stand_in = Module(key=_key_or(slug, f"module-{m}"), title="?")
        return evolve(module or stand_in, lessons=tuple(lessons))

    def _lesson(self, place: str, path: str, waits: Spot | None) -> Lesson:
        draft = read_lesson(self.files, path)
        lesson: Lesson | None = None
        if draft is not None:
            lesson = self._load(Lesson, draft.document, place)
        slug = path.rpartition("/")[2].partition("-")[2].partition(".")[0]
        lesson = lesson or Lesson(
            key=_key_or(draft.key if draft else slug, f"lesson-{len(path)}"),
            title="?",
            content=Text(markdown=""),
        )
        self.places.spots[f"lesson {lesson.key}"] = Spot(path)
        if waits is not None and (
            draft is None or "access" not in draft.document.fields
        ):
            self.places.spots[f"{place}.access"] = waits
        if draft is not None:
            folder = path.rpartition("/")[0]
            media = read_media(self.files, folder, lesson.key, draft.media)
            self.media.extend([media] if media else [])
        return lesson


def _key_or(text: str | None, otherwise: str) -> str:
    try:
        return key(text or "")
    except InvalidValue:
        return otherwise
