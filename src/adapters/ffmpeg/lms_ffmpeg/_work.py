"""One job from the source to the published stream, in a folder of its own."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from attrs import frozen

from lms_core.domain.ids import ObjectKey
from lms_core.domain.media.rendition import Rendition, choose_ladder
from lms_core.domain.percent import Percent
from lms_core.ports.object_store import ObjectStore
from lms_core.ports.transcoder import CaptionTrack, TranscodeRequest, TranscodeResult
from lms_ffmpeg import _captions
from lms_ffmpeg._faults import MediaFault, unreadable
from lms_ffmpeg._ladder import Sprite, companion_arguments, encode_arguments
from lms_ffmpeg._playlist import Stream, write_multivariant, write_thumbnail_track
from lms_ffmpeg._probe import Source, probe
from lms_ffmpeg._process import Runner

_MASTER = "master.m3u8"
_DOWNLOADED, _ENCODED, _UPLOADED = (
    Fraction(4, 100),
    Fraction(92, 100),
    Fraction(99, 100),
)
_CHUNK = 1024 * 1024
_MISSING_MS, _MISSING_PERCENT = 1000, 2
_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".vtt": "text/vtt; charset=utf-8",
}


@frozen(kw_only=True)
class Work:
    """What one job does; *report* is told how far it is, often."""

    request: TranscodeRequest
    objects: ObjectStore
    runner: Runner
    preset: str
    report: Callable[[Percent], None]

    def make(self) -> TranscodeResult:
        """Make everything below the folder ``out`` and describe it.

        Raises:
            MediaFault: the source cannot be made into a whole stream.
            Stopped: the runner was stopped.
        """
        out = self.runner.folder / "out"
        out.mkdir()
        self._download()
        source = probe(self.runner)
        captions = self._convert_captions()
        ladder = choose_ladder(source.width, source.height)
        self._encode(source, ladder)
        names = [rung.name for rung in ladder] + ["audio"] * source.has_audio
        streams = {name: Stream.read(out / name / "index.m3u8") for name in names}
        _require_whole(source, streams)
        video_seconds = streams[ladder[0].name].seconds
        sprite = Sprite.of(video_seconds, ladder[-1])
        self.runner.run(
            *companion_arguments(source, ladder, sprite),
            seconds=self.runner.limits.work_seconds(source.duration_ms),
        ).require()
        write_multivariant(out, ladder, streams)
        write_thumbnail_track(out, sprite, video_seconds)
        return TranscodeResult(
            duration_ms=source.duration_ms,
            playlist=_MASTER,
            progressive="progressive.mp4",
            poster="poster.jpg",
            thumbnails="thumbnails.vtt",
            captions=captions,
            renditions=ladder,
        )

    def publish(self) -> None:
        """Upload what was made; playlists come after what they name."""
        out = self.runner.folder / "out"
        files = [path for path in out.rglob("*") if path.is_file()]
        files.sort(
            key=lambda path: (path.name == _MASTER, path.suffix == ".m3u8", path)
        )
        total = sum(path.stat().st_size for path in files)
        sent = 0
        for path in files:
            name = path.relative_to(out)
            content_type = _TYPES[path.suffix]
            if name.parts[0] == "audio" and path.suffix == ".mp4":
                content_type = "audio/mp4"
            self.objects.put(
                ObjectKey(f"{self.request.destination}/{name.as_posix()}"),
                _chunks(path),
                content_type=content_type,
            )
            sent += path.stat().st_size
            self._reached(_ENCODED, _UPLOADED, Fraction(sent, total))

    def _download(self) -> None:
        most = self.runner.limits.max_bytes
        size = self.objects.info(self.request.source).size_bytes
        if size > most:
            raise MediaFault("media-too-large", bytes=size)
        if size == 0:
            raise unreadable("the file is empty")
        got = 0
        path = self.runner.folder / "source"
        with self.objects.open(self.request.source) as reader, path.open("wb") as file:
            for chunk in reader:
                file.write(chunk)
                got += len(chunk)
                self._reached(Fraction(0), _DOWNLOADED, Fraction(min(got, size), size))

    def _convert_captions(self) -> tuple[CaptionTrack, ...]:
        taken: set[str] = set()
        tracks: list[CaptionTrack] = []
        for caption in self.request.captions:
            if self.objects.info(caption.key).size_bytes > _captions.MAX_BYTES:
                raise MediaFault("media-too-large", object=str(caption.key))
            with self.objects.open(caption.key) as reader:
                data = b"".join(reader)
            tracks.append(_captions.convert_captions(self.runner, caption, data, taken))
        return tuple(tracks)

    def _encode(self, source: Source, ladder: tuple[Rendition, ...]) -> None:
        limits = self.runner.limits

        def read_progress(line: str) -> None:
            name, _, value = line.partition("=")
            if name == "out_time_us" and value.isdigit():
                part = Fraction(int(value), source.duration_ms * 1000)
                self._reached(_DOWNLOADED, _ENCODED, min(part, Fraction(1)))

        self.runner.run(
            *encode_arguments(
                source, ladder, preset=self.preset, max_seconds=limits.max_seconds
            ),
            seconds=limits.work_seconds(source.duration_ms),
            on_line=read_progress,
        ).require()

    def _reached(self, start: Fraction, end: Fraction, part: Fraction) -> None:
        self.runner.check()
        self.report(Percent(start + (end - start) * part))


def _require_whole(source: Source, streams: dict[str, Stream]) -> None:
    # ffmpeg ends well when a source ends early; a learner would miss the rest.
    reached = round(1000 * max(stream.seconds for stream in streams.values()))
    missing = source.duration_ms - reached
    if missing > max(_MISSING_MS, source.duration_ms * _MISSING_PERCENT // 100):
        raise unreadable(f"it ends after {reached} of {source.duration_ms} ms")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
