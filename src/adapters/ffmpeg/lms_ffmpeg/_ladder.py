"""The ffmpeg commands that make a stream of a source."""

from itertools import pairwise
from math import ceil

from attrs import frozen

from lms_core.domain.media.rendition import Rendition
from lms_ffmpeg._probe import Source, open_arguments

SEGMENT_SECONDS = 6
GOP_SECONDS = 2
AUDIO_KBPS = 128
_MOST_TILES = 100
_TILE_SIDE = 160
_POSTER_WITHIN_SECONDS = 60
_WITHOUT_METADATA = (
    # It may tell where a phone was when it filmed.
    *("-map_metadata", "-1", "-map_chapters", "-1"),
    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
)


def encode_arguments(
    source: Source, ladder: tuple[Rendition, ...], *, preset: str, max_seconds: int
) -> list[str]:
    """Return one pass that decodes once and makes every rendition below ``out``.

    Each rendition is scaled from the next larger one. Key frames are forced by
    time, so that a GOP lasts two seconds at any frame rate; a constant rate keeps
    them there when the source has gaps.
    """
    arguments = [
        *("-v", "error", "-y", "-max_error_rate", "0.02"),
        *("-t", str(max_seconds), *open_arguments(source.demuxer)),
        *("-filter_complex", _chain(source, ladder)),
    ]
    for number, rung in enumerate(ladder):
        arguments += ["-map", f"[v{number}]"]
        arguments += [f"-b:v:{number}", f"{rung.video_kbps}k"]
        arguments += [f"-maxrate:v:{number}", f"{rung.max_kbps}k"]
        arguments += [f"-bufsize:v:{number}", f"{rung.buffer_kbits}k"]
    group = ",agroup:aud" if source.has_audio else ""
    streams = [f"v:{n}{group},name:{rung.name}" for n, rung in enumerate(ladder)]
    if source.has_audio:
        arguments += ["-map", "0:a:0", "-c:a", "aac", "-b:a", f"{AUDIO_KBPS}k"]
        arguments += ["-ac", "2", "-af", "aresample=48000:async=1:first_pts=0"]
        streams.append(f"a:0{group},name:audio,default:yes")
    return [
        *arguments,
        *("-c:v", "libx264", "-preset", preset, "-profile:v", "high"),
        *("-fps_mode", "cfr", "-fpsmax", "60"),
        *("-g", "9999", "-sc_threshold", "0", "-forced-idr", "1"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{GOP_SECONDS})"),
        *_WITHOUT_METADATA,
        *("-f", "hls", "-hls_time", str(SEGMENT_SECONDS)),
        *("-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"),
        *("-hls_flags", "independent_segments", "-hls_fmp4_init_filename", "init.mp4"),
        *("-hls_segment_filename", "out/%v/seg_%05d.m4s"),
        *("-master_pl_name", "master.m3u8", "-var_stream_map", " ".join(streams)),
        *("-nostats", "-stats_period", "0.5", "-progress", "pipe:1"),
        "out/%v/index.m3u8",
    ]


def _chain(source: Source, ladder: tuple[Rendition, ...]) -> str:
    def scaled(rung: Rendition) -> str:
        return f"scale={rung.width}:{rung.height},setsar=1"

    first, *_ = ladder
    same_size = (first.width, first.height) == (source.width, source.height)
    steps = ["[0:V:0]format=yuv420p", "setsar=1" if same_size else scaled(first)]
    for number, (_, smaller) in enumerate(pairwise(ladder)):
        steps[-1] += f",split=2[v{number}][c{number}];[c{number}]{scaled(smaller)}"
    return f"{','.join(steps)}[v{len(ladder) - 1}]"


@frozen(kw_only=True)
class Sprite:
    """Small pictures in one image, one every *every_seconds*, row by row."""

    every_seconds: int
    count: int
    width: int
    height: int

    @classmethod
    def of(cls, seconds: float, rung: Rendition) -> "Sprite":
        """Plan at most a hundred pictures, each on a key frame."""
        frames = max(1, ceil(seconds / GOP_SECONDS))
        every = GOP_SECONDS * ceil(frames / _MOST_TILES)
        scale = _TILE_SIDE / max(rung.width, rung.height)
        return cls(
            every_seconds=every,
            count=max(1, ceil(seconds / every)),
            width=max(2, round(rung.width * scale / 2) * 2),
            height=max(2, round(rung.height * scale / 2) * 2),
        )

    @property
    def columns(self) -> int:
        """How many pictures stand side by side."""
        return min(10, self.count)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return ceil(self.count / self.columns)


def companion_arguments(
    source: Source, ladder: tuple[Rendition, ...], sprite: Sprite
) -> list[str]:
    """Return one cheap run over the finished stream.

    It copies the middle rendition and the audio into one MP4, and takes poster and
    thumbnails from key frames alone.
    """

    def stream(name: str, *options: str) -> tuple[str, ...]:
        return ("-protocol_whitelist", "file", *options, "-i", f"out/{name}/index.m3u8")

    largest, middle, smallest = ladder[0], ladder[len(ladder) // 2], ladder[-1]
    audio = stream("audio") if source.has_audio else ()
    tiles = (
        "select='isnan(prev_selected_t)"
        f"+gte(t-prev_selected_t,{sprite.every_seconds}-0.1)',"
        f"scale={sprite.width}:{sprite.height}"
    )
    return [
        *("-v", "error", "-y"),
        *stream(
            largest.name, "-skip_frame", "nokey", "-t", str(_POSTER_WITHIN_SECONDS)
        ),
        *stream(smallest.name, "-skip_frame", "nokey"),
        *stream(middle.name),
        *audio,
        *("-map", "0:v", "-vf", "thumbnail=30,scale='min(1280,iw)':-2"),
        *("-frames:v", "1", "-update", "1", "-q:v", "3", *_WITHOUT_METADATA),
        "out/poster.jpg",
        *("-map", "1:v", "-vf"),
        f"{tiles},tile={sprite.columns}x{sprite.rows}",
        *("-frames:v", "1", "-update", "1", "-q:v", "4", *_WITHOUT_METADATA),
        "out/thumbnails.jpg",
        *("-map", "2:v", *(("-map", "3:a") if audio else ()), "-c", "copy"),
        *("-movflags", "+faststart", *_WITHOUT_METADATA),
        "out/progressive.mp4",
    ]
