"""List object files in the order of their keys, one folder in memory at a time."""

import os
from collections.abc import Iterator
from pathlib import Path

from lms_core.domain.ids import ObjectKey
from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.object_store import ObjectInfo
from lms_local._errors import translated
from lms_local._folders import opened
from lms_local._key_names import is_object, text_of
from lms_local._object_files import describe, open_file

_Entry = tuple[bytes, str]  # what the key is so far, and the name that says so


def listed(root: Path, prefix: str, after: ObjectKey | None) -> Iterator[ObjectInfo]:
    """Yield the objects below *root* whose keys start with *prefix*.

    UTF-8 keeps the order of code points, so everything is compared as bytes. A
    folder stands for its name and a slash; no other name in the same folder
    starts with that, so folders are never interleaved.
    """
    wanted = prefix.encode("utf-8", "surrogatepass")
    behind = str(after).encode() if after else None
    trail: list[str] = []
    levels = [_entries(root, trail, b"", wanted, behind)]
    while levels:
        if not levels[-1]:
            levels.pop()
            if trail:
                trail.pop()
            continue
        text, name = levels[-1].pop()
        if not is_object(name):
            trail.append(name)
            levels.append(_entries(root, trail, text, wanted, behind))
        elif (found := _found(root, trail, text, name)) is not None:
            yield found


def _entries(
    root: Path, trail: list[str], so_far: bytes, wanted: bytes, behind: bytes | None
) -> list[_Entry]:
    """Return what is worth a visit in one folder, last first."""
    with translated("list", so_far.decode(errors="replace")):
        try:
            with opened(root, trail) as folder:
                names = os.listdir(folder)  # noqa: PTH208  a path would follow links
        except (FileNotFoundError, NotADirectoryError):
            return []  # deleted meanwhile, or never ours
    entries = [
        (so_far + text, name) for name in names if (text := text_of(name)) is not None
    ]
    return sorted(
        (
            (text, name)
            for text, name in entries
            if _may_match(text, wanted, behind, whole=is_object(name))
        ),
        reverse=True,
    )


def _may_match(
    text: bytes, wanted: bytes, behind: bytes | None, *, whole: bool
) -> bool:
    if not text.startswith(wanted) and (whole or not wanted.startswith(text)):
        return False
    if behind is None or text > behind:
        return True
    return not whole and behind.startswith(text)


def _found(root: Path, trail: list[str], text: bytes, name: str) -> ObjectInfo | None:
    try:
        key = ObjectKey(text.decode())
        with (
            translated("list", key),
            opened(root, trail) as folder,
            open_file(name, folder) as file,
        ):
            return describe(file.fileno(), key)
    except (NotFound, InvalidValue, UnicodeDecodeError):
        return None  # deleted meanwhile, or never ours
