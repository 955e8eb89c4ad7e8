"""What a course folder holds once it was read, and what writing one takes."""

from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import frozen

from lms_core.domain.catalog.content import CourseContent
from lms_core.domain.ids import CourseId

MIB = 1024 * 1024


@frozen(kw_only=True)
class FolderLimits:
    """What a course folder may hold.

    A text may have half a million characters, four bytes each at worst, and
    YAML escapes may double that.
    """

    files: int = 5_000
    text_bytes: int = 4 * MIB
    all_text_bytes: int = 64 * MIB
    all_bytes: int = 100 * 1024 * MIB


@frozen(kw_only=True)
class ArchiveLimits:
    """What an archive may hold.

    *ratio* is how many bytes may come out for each that went in, of members
    larger than a mebibyte; texts reach twenty.
    """

    files: int = 1_000
    archive_bytes: int = 8 * 1024 * MIB
    bytes: int = 8 * 1024 * MIB
    ratio: int = 100


@frozen(kw_only=True)
class CaptionPath:
    """Captions to upload with a lecture."""

    path: Path
    language: str
    label: str


@frozen(kw_only=True)
class MediaFile:
    """A lecture to upload for the video lesson with the key *lesson*."""

    lesson: str
    path: Path
    captions: tuple[CaptionPath, ...] = ()


@frozen(kw_only=True)
class CourseFolder:
    """A course as its author keeps it.

    Video lessons in *content* have no media yet; *media* says what to upload
    for which of them, in course order.
    """

    id: CourseId
    content: CourseContent
    media: tuple[MediaFile, ...] = ()


Chunks = Callable[[], Iterable[bytes]]
"""Opens a file anew and yields its bytes in pieces."""


@frozen(kw_only=True)
class CaptionSource:
    """Captions to write beside a lecture."""

    filename: str
    language: str
    label: str
    chunks: Chunks


@frozen(kw_only=True)
class MediaSource:
    """A lecture to write; of *filename* only the ending is used."""

    filename: str
    chunks: Chunks
    captions: tuple[CaptionSource, ...] = ()
