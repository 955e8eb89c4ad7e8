"""Transcoding in memory: placeholders instead of pictures."""

from typing import TYPE_CHECKING

from attrs import define, field

from lms_core.domain.ids import ObjectKey
from lms_core.domain.media.rendition import choose_ladder
from lms_core.domain.percent import ALL
from lms_core.errors import InvalidValue, NotFound, PortError, Reason
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.transcoder import (
    CaptionTrack,
    Transcoder,
    TranscodeRequest,
    TranscodeResult,
    TranscodeState,
    TranscodeStatus,
)

_VIDEO = b"video:"
_PLAYLIST = "application/vnd.apple.mpegurl"


@define
class MemoryTranscoder:
    """A `Transcoder` whose lectures are text: ``video:1280x720:2000``.

    That is the size in pixels and the duration in milliseconds; anything else is
    unreadable. A job is over when `submit` returns. What it publishes has the names
    and types of a stream and cannot be played.
    """

    objects: ObjectStore
    _jobs: dict[str, TranscodeStatus] = field(factory=dict)

    def submit(self, request: TranscodeRequest) -> None:
        known = self._jobs.get(request.job)
        if known is None or known.state is not TranscodeState.DONE:
            self._jobs[request.job] = self._work(request)

    def status(self, job: str) -> TranscodeStatus:
        if job not in self._jobs:
            raise NotFound("no such job", resource=job)
        return self._jobs[job]

    def cancel(self, job: str) -> None:
        """Do nothing: no job is ever found running."""

    def _work(self, request: TranscodeRequest) -> TranscodeStatus:
        try:
            width, height, duration_ms = _read_source(self._get(request.source))
            captions = [self._get(caption.key) for caption in request.captions]
        except InvalidValue:
            return _failed("unreadable-media", permanent=True)
        except PortError as exc:
            return _failed("transcoder-failed", permanent=not exc.retryable)
        tracks: list[CaptionTrack] = []
        for caption, data in zip(request.captions, captions, strict=True):
            path = f"captions/{len(tracks)}.vtt"
            self._put(request, path, _webvtt(data), "text/vtt")
            track = CaptionTrack(
                path=path, language=caption.language, label=caption.label
            )
            tracks.append(track)
        result = TranscodeResult(
            duration_ms=duration_ms,
            playlist="master.m3u8",
            progressive="progressive.mp4",
            poster="poster.jpg",
            thumbnails=None,
            captions=tuple(tracks),
            renditions=choose_ladder(width, height),
        )
        self._publish(request, result)
        return TranscodeStatus(state=TranscodeState.DONE, progress=ALL, result=result)

    def _publish(self, request: TranscodeRequest, result: TranscodeResult) -> None:
        lines = ["#EXTM3U"]
        for rung in result.renditions:
            media = (
                f"#EXTM3U\n#EXTINF:{result.duration_ms / 1000},\nseg.m4s\n"
                "#EXT-X-ENDLIST\n"
            )
            self._put(request, f"{rung.name}/seg.m4s", "frames", "video/iso.segment")
            self._put(request, f"{rung.name}/index.m3u8", media, _PLAYLIST)
            size = f"RESOLUTION={rung.width}x{rung.height}"
            lines.append(f"#EXT-X-STREAM-INF:{size},BANDWIDTH={rung.max_kbps}000")
            lines.append(f"{rung.name}/index.m3u8")
        self._put(request, "poster.jpg", "picture", "image/jpeg")
        self._put(request, "progressive.mp4", "frames", "video/mp4")
        self._put(request, result.playlist, "\n".join([*lines, ""]), _PLAYLIST)

    def _get(self, key: ObjectKey) -> bytes:
        with self.objects.open(key) as reader:
            return b"".join(reader)

    def _put(
        self, request: TranscodeRequest, path: str, text: str, content_type: str
    ) -> None:
        key = ObjectKey(f"{request.destination}/{path}")
        self.objects.put(key, text.encode(), content_type=content_type)


def _read_source(data: bytes) -> tuple[int, int, int]:
    try:
        size, duration = data.removeprefix(_VIDEO).decode("ascii").split(":")
        width, height = map(int, size.split("x"))
        if not data.startswith(_VIDEO) or min(width, height, int(duration)) < 1:
            raise InvalidValue("not a lecture")
        return width, height, int(duration)
    except ValueError as exc:
        raise InvalidValue("not a lecture") from exc


def _webvtt(data: bytes) -> str:
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    if text.startswith("WEBVTT"):
        return text
    return f"WEBVTT\n\n{text.replace(',', '.')}"


def _failed(code: str, *, permanent: bool) -> TranscodeStatus:
    return TranscodeStatus(
        state=TranscodeState.FAILED, failure=Reason(code), permanent=permanent
    )


if TYPE_CHECKING:
    _conforms: type[Transcoder] = MemoryTranscoder
