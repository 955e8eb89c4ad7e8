"""The text files that tell a player what there is."""

import re
from pathlib import Path

from attrs import frozen

from lms_core.domain.media.rendition import Rendition
from lms_ffmpeg._faults import MediaFault
from lms_ffmpeg._ladder import Sprite

_SEGMENT = re.compile(r"^#EXTINF:([\d.]+),.*\n([^#\n]+)$", re.MULTILINE)
_CODECS = re.compile(r'^#EXT-X-STREAM-INF:.*CODECS="([^"]+)".*\n(.+)$', re.MULTILINE)


@frozen(kw_only=True)
class Stream:
    """A media playlist, measured: rates are in bit/s."""

    seconds: float
    peak: int
    average: int

    @classmethod
    def read(cls, playlist: Path) -> "Stream":
        """Measure the segments that *playlist* names."""
        segments = [
            (float(seconds), 8 * (playlist.parent / name).stat().st_size)
            for seconds, name in _SEGMENT.findall(playlist.read_text())
        ]
        total = sum(seconds for seconds, _ in segments)
        if not total:
            raise MediaFault("unreadable-media", why="nothing came out of it")
        return cls(
            seconds=total,
            peak=max(round(bits / seconds) for seconds, bits in segments if seconds),
            average=round(sum(bits for _, bits in segments) / total),
        )


def write_multivariant(
    out: Path, ladder: tuple[Rendition, ...], streams: dict[str, Stream]
) -> None:
    """Rewrite ``master.m3u8`` with the rates that players choose by.

    ffmpeg leaves the shared audio out of them, which makes a player ask for more
    than the line carries; what it found out about codecs stays.
    """
    master = out / "master.m3u8"
    codecs = {uri: told for told, uri in _CODECS.findall(master.read_text())}
    audio = streams.get("audio")
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if audio:
        lines.append(
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Audio",DEFAULT=YES,'
            'AUTOSELECT=YES,CHANNELS="2",URI="audio/index.m3u8"'
        )
    for rung in ladder:
        uri = f"{rung.name}/index.m3u8"
        video = streams[rung.name]
        peak = video.peak + (audio.peak if audio else 0)
        average = video.average + (audio.average if audio else 0)
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},"
            f'RESOLUTION={rung.width}x{rung.height},CODECS="{codecs[uri]}"'
            + (',AUDIO="audio"' if audio else "")
        )
        lines.append(uri)
    master.write_text("\n".join([*lines, ""]))


def write_thumbnail_track(out: Path, sprite: Sprite, seconds: float) -> None:
    """Write ``thumbnails.vtt``: which part of the image shows which seconds."""
    cues = ["WEBVTT\n"]
    for number in range(sprite.count):
        start = number * sprite.every_seconds
        end = min(seconds, start + sprite.every_seconds)
        x = number % sprite.columns * sprite.width
        y = number // sprite.columns * sprite.height
        cues.append(
            f"{_timestamp(start)} --> {_timestamp(end)}\n"
            f"thumbnails.jpg#xywh={x},{y},{sprite.width},{sprite.height}\n"
        )
    (out / "thumbnails.vtt").write_text("\n".join(cues))


def _timestamp(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
