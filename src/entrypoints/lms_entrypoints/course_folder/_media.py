"""The files that a video lesson names."""

import re
from pathlib import PurePosixPath

from lms_core.domain.media.asset import MOST_CAPTIONS
from lms_entrypoints.course_folder._files import Files
from lms_entrypoints.course_folder._nodes import Node
from lms_entrypoints.course_folder.folder import CaptionPath, MediaFile
from lms_entrypoints.course_folder.names import Flaw, path_flaw

LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,7}")
_CAPTIONS = {".vtt", ".srt"}


def read_media(
    files: Files, folder: str, lesson: str, fields: dict[str, Node]
) -> MediaFile | None:
    """Return what to upload for *lesson*; faults are noted, with their lines."""
    captions = _read_captions(files, folder, fields.get("captions"))
    source = fields.get("file")
    if source is None or source.value is None:
        if captions:
            spot = fields["captions"].spot
            files.faults.append(spot.fault("need a file that they belong to"))
        return None
    path = _read_path(files, folder, source)
    if path is None:
        return None
    return MediaFile(lesson=lesson, path=files.root / path, captions=captions)


def _read_path(files: Files, folder: str, node: Node) -> str | None:
    if not node.text:
        files.faults.append(node.spot.fault("must be the name of a file"))
        return None
    if (flaw := path_flaw(node.text)) is not None:
        outside = " that stays in the folder" if flaw is Flaw.ESCAPE else ""
        message = f"is not a safe name{outside}: {node.text!r:.80}"
        files.faults.append(node.spot.fault(message, "unsafe-path"))
        return None
    path = str(PurePosixPath(folder, node.text))
    if path not in files.found:
        message = f"names no file beside the lesson: {node.text!r:.80}"
        files.faults.append(node.spot.fault(message, "missing-file"))
        return None
    files.used.add(path)
    if not files.found[path]:
        files.faults.append(node.spot.fault("names an empty file", "empty-file"))
        return None
    return path


def _read_captions(
    files: Files, folder: str, node: Node | None
) -> tuple[CaptionPath, ...]:
    if node is None:
        return ()
    if not isinstance(node.value, tuple) or len(node.value) > MOST_CAPTIONS:
        message = f"must be a list of at most {MOST_CAPTIONS}"
        files.faults.append(node.spot.fault(message))
        return ()
    captions: list[CaptionPath] = []
    for entry in node.value:
        caption = _read_caption(files, folder, entry)
        if caption is None:
            continue
        if caption.language.lower() in {each.language.lower() for each in captions}:
            message = f"there are captions in {caption.language} already"
            files.faults.append(entry.spot.fault(message))
        captions.append(caption)
    return tuple(captions)


def _read_caption(files: Files, folder: str, node: Node) -> CaptionPath | None:
    before = len(files.faults)
    fields = node.fields
    for name in ("file", "language", "label"):
        if name not in fields:
            message = f"{name} is missing"
            files.faults.append(node.spot.fault(message, "missing-field"))
    for name in fields.keys() - {"file", "language", "label"}:
        spot = fields[name].spot
        files.faults.append(spot.fault("is not a field of captions", "unknown-field"))
    path = _read_path(files, folder, fields["file"]) if "file" in fields else None
    if path is not None:
        if PurePosixPath(path).suffix.lower() not in _CAPTIONS:
            message = "must be WebVTT or SubRip: .vtt or .srt"
            files.faults.append(fields["file"].spot.fault(message))
        files.text(path)
    language = fields.get("language", node)
    if language is not node and not LANGUAGE.fullmatch(language.text or ""):
        message = "must be a language tag like en or pt-BR"
        files.faults.append(language.spot.fault(message))
    label = fields.get("label", node)
    if label is not node and not (label.text and label.text.isprintable()):
        files.faults.append(label.spot.fault("must be one line of text"))
    if len(files.faults) > before or path is None:
        return None
    return CaptionPath(
        path=files.root / path, language=language.text or "", label=label.text or ""
    )
