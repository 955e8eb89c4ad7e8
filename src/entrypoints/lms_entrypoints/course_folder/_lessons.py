"""Lessons as files: which kind a name means, and what is in it."""

import re
from typing import Any

from attrs import frozen

from lms_core.domain.catalog.content import (
    Lesson,
    LessonContent,
    QuizContent,
    Text,
    Video,
)
from lms_core.domain.documents import dump
from lms_core.errors import Fault
from lms_entrypoints.course_folder._conditions import read_condition, write_condition
from lms_entrypoints.course_folder._files import Files
from lms_entrypoints.course_folder._markdown_files import joined, split, stands_alone
from lms_entrypoints.course_folder._nodes import Node, Spot
from lms_entrypoints.course_folder._quizzes import read_quiz, write_quiz
from lms_entrypoints.course_folder._yaml_out import to_yaml

LESSON_NAME = re.compile(
    r"[0-9]{1,6}-(?P<slug>.+?)"
    r"(?P<kind>\.md|\.video\.yaml|\.quiz\.yaml|\.lesson\.yaml)"
)
_COMMON = ("key", "title", "access", "required", "category", "minutes")
_MEDIA = ("file", "captions")


@frozen(kw_only=True)
class LessonDraft:
    """A lesson's document, and the media fields that are not part of it."""

    document: Node
    media: dict[str, Node]

    @property
    def key(self) -> str | None:
        """The key, where it is text."""
        return self.document.fields["key"].text


def read_lesson(files: Files, path: str) -> LessonDraft | None:
    """Read the lesson file at *path*; `None` where faults were noted instead."""
    named = LESSON_NAME.fullmatch(path.rpartition("/")[2])
    if named is None:
        raise ValueError(f"no name of a lesson file: {path}")
    kind = named["kind"]
    node = _read_text(files, path) if kind == ".md" else files.yaml(path)
    if node is None:
        return None
    fields = node.fields
    common = {name: fields.pop(name) for name in _COMMON if name in fields}
    top = Node(None, Spot(path))
    common.setdefault("key", top.holding(named["slug"]))
    if "access" in common:
        common["access"] = read_condition(common["access"], files.faults)
    media = {}
    if kind == ".video.yaml":
        media = {name: fields.pop(name) for name in _MEDIA if name in fields}
    content = _read_content(kind, fields, node, files.faults)
    return LessonDraft(
        document=node.holding({**common, "content": content}), media=media
    )


def _read_text(files: Files, path: str) -> Node | None:
    text = files.text(path)
    if text is None:
        return None
    head, body = split(text)
    top = Node({}, Spot(path, 1))
    node = top if head is None else files.parsed(head, path, first_line=2)
    if node is None:
        return None
    fields = node.fields
    if "markdown" not in fields:
        fields["markdown"] = top.holding(body)
    elif body.strip():
        message = "must stand either here or below the fields"
        files.faults.append(fields["markdown"].spot.fault(message))
    return node.holding(fields)


def _read_content(
    kind: str, fields: dict[str, Node], node: Node, faults: list[Fault]
) -> Node:
    if kind == ".lesson.yaml":
        content = fields.pop("content", None)
        faults.extend(
            each.spot.fault("is not a field of a lesson", "unknown-field")
            for each in fields.values()
        )
        return content or node.holding({})
    if kind == ".md":
        return node.holding({"type": node.holding("text"), **fields})
    if kind == ".video.yaml":
        if "notes" in fields:
            fields["markdown"] = fields.pop("notes")
        if "media" in fields:
            message = "is not a field of a lesson; name a file"
            faults.append(fields.pop("media").spot.fault(message, "unknown-field"))
        return node.holding({"type": node.holding("video"), **fields})
    document = {"type": node.holding("quiz")}
    if "must_pass" in fields:
        document["must_pass"] = fields.pop("must_pass")
    document["quiz"] = read_quiz(fields, node, faults)
    return node.holding(document)


def write_lesson(lesson: Lesson, stem: str, media: dict[str, Any]) -> tuple[str, str]:
    """Return the name and the text of the file that *lesson* becomes.

    *stem* is its number and key, *media* the fields that name its files.
    """
    fields: dict[str, Any] = dump(lesson, compact=True)
    del fields["key"], fields["content"]
    if "access" in fields:
        # Who may see a lesson belongs above a long text or quiz.
        fields["access"] = write_condition(lesson.access)
    content: LessonContent = lesson.content
    if type(content) is Text:
        if stands_alone(content.markdown):
            return f"{stem}.md", joined(fields, content.markdown)
        return f"{stem}.md", joined({**fields, "markdown": content.markdown}, "")
    if type(content) is Video:
        document = dump(content, compact=True)
        notes = {"notes": document["markdown"]} if "markdown" in document else {}
        coverage = {k: document[k] for k in ("coverage",) if k in document}
        return f"{stem}.video.yaml", to_yaml({**fields, **media, **coverage, **notes})
    if type(content) is QuizContent:
        must = {} if content.must_pass else {"must_pass": False}
        return f"{stem}.quiz.yaml", to_yaml(
            {**fields, **must, **write_quiz(content.quiz)}
        )
    return f"{stem}.lesson.yaml", to_yaml(
        {**fields, "content": dump(content, compact=True)}
    )
