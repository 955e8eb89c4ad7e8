"""Captions as browsers want them."""

import re

from lms_core.domain.ids import ObjectKey
from lms_core.ports.transcoder import CaptionSource, CaptionTrack
from lms_ffmpeg._faults import MediaFault
from lms_ffmpeg._process import Runner

MAX_BYTES = 8 * 1024 * 1024
_SECONDS = 30
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,7}")
_CUE = re.compile(
    r"^(?:\d+:)?\d\d:\d\d\.\d{3} --> (?:\d+:)?\d\d:\d\d\.\d{3}", re.MULTILINE
)
_SRT_CUE = re.compile(r"^\d+:\d\d:\d\d[,.]\d{1,3} --> ", re.MULTILINE)


def convert_captions(
    runner: Runner, caption: CaptionSource, data: bytes, taken: set[str]
) -> CaptionTrack:
    """Write *data*, WebVTT or SubRip, below ``out/captions``, and say where.

    Raises:
        MediaFault: it is neither, holds no cue, or its language is no tag.
    """
    text = _text(caption.key, data)
    if not _LANGUAGE.fullmatch(caption.language):
        raise _bad(caption.key, "the language is not a BCP 47 tag")
    is_vtt = re.match(r"WEBVTT(?:[ \t\n]|$)", text) is not None
    if not is_vtt and not _SRT_CUE.search(text):
        raise _bad(caption.key, "neither WebVTT nor SubRip")
    name = caption.language
    if name.lower() in taken:
        name += f"-{len(taken) + 1}"
    taken.add(name.lower())
    (runner.folder / "captions").write_text(text, encoding="utf-8")
    path = f"captions/{name}.vtt"
    (runner.folder / "out" / "captions").mkdir(parents=True, exist_ok=True)
    made = runner.run(
        *("-v", "error", "-y", "-protocol_whitelist", "file"),
        *("-f", "webvtt" if is_vtt else "srt", "-i", "captions"),
        *("-c:s", "copy" if is_vtt else "webvtt", "-f", "webvtt", f"out/{path}"),
        seconds=_SECONDS,
    )
    written = runner.folder / "out" / path
    if made.status != 0 or not _CUE.search(written.read_text(encoding="utf-8")):
        raise _bad(caption.key, "no cue in it")
    return CaptionTrack(path=path, language=caption.language, label=caption.label)


def _text(key: ObjectKey, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise _bad(key, "not UTF-8") from exc
    if "\0" in text:
        raise _bad(key, "not text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _bad(key: ObjectKey, why: str) -> MediaFault:
    return MediaFault("unreadable-media", object=str(key), why=why)
