"""Whether a file can be captions at all: said when it arrives, not hours later."""

import re

from lms_core.errors import InvalidValue

_HEAD = re.compile(r"WEBVTT(?:[ \t\n]|\Z)")
_TIME = r"(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_CUE = re.compile(f"^{_TIME} +--> +{_TIME}", re.MULTILINE)


def check_captions(data: bytes) -> None:
    r"""Refuse what is neither WebVTT nor SubRip with at least one cue.

    >>> check_captions(b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n")

    Raises:
        InvalidValue: naming what is wrong with it.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidValue("captions must be UTF-8; save the file as UTF-8") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise InvalidValue("captions must be text")
    if not _CUE.search(text):
        kind = "WebVTT" if _HEAD.match(text) else "neither WebVTT nor SubRip"
        raise InvalidValue(f"no cue in it ({kind}); write 00:01.000 --> 00:04.000")
