"""Captions."""

import pytest

from lms_core.domain.media.captions import check_captions
from lms_core.errors import InvalidValue

SRT = b"1\r\n00:00:01,000 --> 00:00:02,500\r\nHello\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n",
        b"\xef\xbb\xbfWEBVTT - x\n\n1\n01:00:00.000 --> 01:00:02.000 line:0\nHi\n",
        SRT,
        SRT.replace(b"\r\n", b"\r"),
    ],
)
def test_webvtt_and_subrip_are_captions(data: bytes) -> None:
    check_captions(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "neither"),
        (b"WEBVTT\n", "no cue"),
        (b"WEBVTT\n\n00:00 --> 00:02\nno thousandths", "no cue"),
        (SRT.decode().encode("utf-16"), "UTF-8"),
        (SRT + b"\0", "text"),
        (b"<html>00:00:01,000 -> 00:00:02,500", "neither"),
    ],
)
def test_anything_else_is_refused_and_named(data: bytes, why: str) -> None:
    with pytest.raises(InvalidValue, match=why):
        check_captions(data)
