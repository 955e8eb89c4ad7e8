"""A lecture: late and repeated news never undo what is so."""

from datetime import UTC, datetime

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lms_core.domain.ids import CourseId, MediaId, ObjectKey, UserId
from lms_core.domain.media.asset import (
    CaptionFile,
    MediaAsset,
    MediaStatus,
    Stream,
)
from lms_core.domain.media.rendition import choose_ladder
from lms_core.domain.percent import ALL, NONE, Percent
from lms_core.errors import InvalidValue, Refused

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEW = MediaAsset(
    id=MediaId("m"),
    course=CourseId("baking"),
    owner=UserId("ann"),
    filename="a.mp4",
    size_bytes=1,
    content_type="video/mp4",
    created_at=AT,
)
STREAM = Stream(
    prefix=ObjectKey("media/baking/m/1"),
    duration_ms=1000,
    playlist="main.m3u8",
    progressive=None,
    poster="poster.jpg",
    thumbnails=None,
    captions=(),
    renditions=choose_ladder(640, 360),
)
QUEUED, _ = NEW.uploaded(at=AT)
READY, _ = QUEUED.ready(1, STREAM, at=AT)
FAILED, _ = QUEUED.failed(1, "not-a-video", at=AT)


def test_an_upload_is_noted_once() -> None:
    assert QUEUED.status is MediaStatus.QUEUED
    assert QUEUED.uploaded(at=AT) == (QUEUED, ())


def test_news_before_the_upload_is_whole_changes_nothing() -> None:
    assert NEW.ready(1, STREAM, at=AT) == (NEW, ())
    assert NEW.failed(1, "x", at=AT) == (NEW, ())
    assert NEW.transcoding(1, ALL) == NEW
    assert NEW.retry(at=AT) == (NEW, ())


@pytest.mark.parametrize("generation", [0, 2])
@pytest.mark.parametrize("asset", [QUEUED, READY, FAILED])
def test_news_of_another_generation_changes_nothing(
    asset: MediaAsset, generation: int
) -> None:
    assert asset.ready(generation, STREAM, at=AT) == (asset, ())
    assert asset.failed(generation, "x", at=AT) == (asset, ())
    assert asset.transcoding(generation, ALL) == asset


def test_what_is_ready_stays_ready() -> None:
    assert READY.ready(1, STREAM, at=AT) == (READY, ())
    assert READY.failed(1, "x", at=AT) == (READY, ())
    assert READY.transcoding(1, NONE) == READY


def test_a_stream_counts_even_after_a_failure() -> None:
    after, events = FAILED.ready(1, STREAM, at=AT)

    assert (after.status, after.failure, len(events)) == (MediaStatus.READY, None, 1)


def test_a_failure_is_told_once_and_can_be_tried_again() -> None:
    again, events = FAILED.retry(at=AT)

    assert FAILED.failed(1, "other", at=AT) == (FAILED, ())
    assert (again.status, again.failure, len(events)) == (MediaStatus.QUEUED, None, 1)


@given(st.lists(st.integers(0, 10), min_size=1))
def test_the_bar_never_goes_back(shares: list[int]) -> None:
    asset = QUEUED
    for share in shares:
        asset = asset.transcoding(1, Percent.of(share, 10))

    assert asset.progress == Percent.of(max(shares), 10)


def test_learners_see_the_stream_before_until_the_next_is_ready() -> None:
    replaced = READY.replace(filename="b.mp4", size_bytes=2, content_type="video/mp4")
    queued, _ = replaced.uploaded(at=AT)
    late, _ = queued.ready(1, evolve(STREAM, duration_ms=5), at=AT)
    names = {asset.source for asset in (READY, replaced)}

    assert replaced.stream == late.stream == STREAM
    assert len(names) == 2
    assert replaced.job != READY.job
    with pytest.raises(InvalidValue):
        READY.replace(filename="b", size_bytes=0, content_type="video/mp4")


def test_captions_are_one_for_each_language() -> None:
    captions = CaptionFile(key=ObjectKey("a.vtt"), language="en", label="English")

    assert READY.with_captions((captions,)).captions == (captions,)
    with pytest.raises(Refused, match="language-twice"):
        READY.with_captions((captions, captions))


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_no_rung_is_scaled_up_or_odd(width: int, height: int) -> None:
    rungs = choose_ladder(width, height)

    assert rungs
    assert all(r.width % 2 == r.height % 2 == 0 for r in rungs)
    assert all(r.width <= width + 1 and r.height <= max(2, height + 1) for r in rungs)
    assert [r.height for r in rungs] == sorted((r.height for r in rungs), reverse=True)
