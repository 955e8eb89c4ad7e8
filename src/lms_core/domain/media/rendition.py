"""The renditions of an adaptive stream, chosen from the size of its source."""

from attrs import evolve, frozen

from lms_core.errors import InvalidValue


@frozen(kw_only=True)
class Rendition:
    """One rung of the ladder; rates are in kbit/s, sizes in pixels."""

    name: str
    width: int
    height: int
    video_kbps: int
    max_kbps: int
    buffer_kbits: int


_HEIGHTS = (
    # height, average, peak and buffer: rates for H.264 talking-head and screen video,
    # close to Apple's HLS authoring specification; sources above 1080p are scaled down.
    (1080, 5000, 5350, 7500),
    (720, 2800, 2996, 4200),
    (480, 1400, 1498, 2100),
    (360, 800, 856, 1200),
    (240, 400, 428, 600),
)
_LOWEST_LADDER = 360


def _even(number: float) -> int:
    return max(2, round(number / 2) * 2)


def choose_ladder(width: int, height: int) -> tuple[Rendition, ...]:
    """Return the renditions for a source of this size, the largest first.

    Nothing is scaled up. Portrait sources keep their shape: a rung's size is
    that of the shorter side. A source below every rung is kept at its size with
    the lowest rate.

    >>> [rung.name for rung in choose_ladder(1280, 720)]
    ['720p', '480p', '360p']
    >>> choose_ladder(1080, 1920)[0].width
    1080

    Raises:
        InvalidValue: a side has no pixels.
    """
    if width < 1 or height < 1:
        raise InvalidValue(f"no video has the size {width}x{height}")
    short = min(width, height)
    rungs: list[Rendition] = []
    for size, average, peak, buffer in _HEIGHTS:
        if size > short or (size < _LOWEST_LADDER and rungs):
            continue
        scale = size / short
        rungs.append(
            Rendition(
                name=f"{size}p",
                width=_even(width * scale),
                height=_even(height * scale),
                video_kbps=average,
                max_kbps=peak,
                buffer_kbits=buffer,
            )
        )
    if rungs:
        return tuple(rungs)
    lowest = choose_ladder(426, 240)[0]
    return (evolve(lowest, name=f"{short}p", width=_even(width), height=_even(height)),)
