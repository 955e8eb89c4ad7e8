"""The files of a course folder: found, bounded and read without following links."""

import os
import stat
from pathlib import Path

from attrs import Factory, define

from lms_core.errors import Fault, InvalidDocument
from lms_entrypoints.course_folder._nodes import Node, Spot
from lms_entrypoints.course_folder._yaml_in import YamlFault, read_yaml
from lms_entrypoints.course_folder.folder import MIB, FolderLimits
from lms_entrypoints.course_folder.names import is_hidden, path_flaw


@define
class Files:
    """The files below *root*, by their path from it; *faults* gathers as we read.

    Hidden files and READMEs are left out. *used* holds those that the course
    needs, so that what is left can be named.
    """

    root: Path
    limits: FolderLimits
    found: dict[str, int] = Factory(dict)
    used: set[str] = Factory(set)
    faults: list[Fault] = Factory(list)
    _text_bytes: int = 0

    @classmethod
    def scan(cls, root: Path, limits: FolderLimits) -> "Files":
        """Find every file; links, devices and unsafe names become faults.

        Raises:
            InvalidDocument: there is no such folder, or it holds too much.
        """
        if not root.is_dir():
            raise InvalidDocument(Fault(str(root), "is not a folder", "not-a-course"))
        files = cls(root, limits)
        files._walk("")
        if sum(files.found.values()) > limits.all_bytes:
            message = f"holds more than {limits.all_bytes // MIB} MiB"
            raise InvalidDocument(Fault("", message, "too-large"))
        return files

    def _walk(self, folder: str) -> None:
        with os.scandir(self.root / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_hidden(entry.name) or entry.name.lower().startswith("readme"):
                continue
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                self.fault(path, "must not be a link", "symlink")
            elif path_flaw(path) is not None:
                shown = path.encode("utf-8", "backslashreplace").decode()
                self.fault(shown, "has a name not safe everywhere", "unsafe-path")
            elif stat.S_ISDIR(mode):
                self._walk(path)
            elif stat.S_ISREG(mode):
                self.found[path] = entry.stat(follow_symlinks=False).st_size
            else:
                self.fault(path, "is neither a file nor a folder", "special-file")
            if len(self.found) > self.limits.files:
                message = f"holds more than {self.limits.files} files"
                raise InvalidDocument(Fault("", message, "too-many-files"))

    def fault(self, path: str, message: str, code: str) -> None:
        """Note what is wrong with the file at *path*."""
        self.faults.append(Fault(path, message, code))

    def children(self, folder: str) -> list[str]:
        """Return the names right below *folder*, files and folders."""
        start = f"{folder}/" if folder else ""
        names = {
            path[len(start) :].split("/")[0]
            for path in self.found
            if path.startswith(start)
        }
        return sorted(names)

    def text(self, path: str) -> str | None:
        """Return the text at *path* with plain line ends, or note why not."""
        self.used.add(path)
        self._text_bytes += self.found[path]
        if self.found[path] > self.limits.text_bytes:
            most = f"{self.limits.text_bytes / MIB:g} MiB"
            self.fault(path, f"must have at most {most}", "too-large")
            return None
        if self._text_bytes > self.limits.all_text_bytes:
            message = f"texts are more than {self.limits.all_text_bytes / MIB:g} MiB"
            raise InvalidDocument(Fault(path, message, "too-large"))
        handle = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, "rb") as file:
            data = file.read(self.limits.text_bytes + 1)
        try:
            text = data.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.faults.append(Spot(path, line).fault("is not UTF-8", "not-utf-8"))
            return None
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            self.faults.append(Spot(path, line).fault("must not hold NUL"))
            return None
        return text.replace("\r\n", "\n")

    def yaml(self, path: str) -> Node | None:
        """Return the YAML at *path*, or note why not."""
        text = self.text(path)
        return None if text is None else self.parsed(text, path)

    def parsed(self, text: str, path: str, *, first_line: int = 1) -> Node | None:
        """Return *text* as YAML of fields, or note why not."""
        try:
            node = read_yaml(text, path, first_line=first_line)
        except YamlFault as refused:
            self.faults.append(refused.fault)
            return None
        if node.value is None:
            return Node({}, node.spot)
        if not isinstance(node.value, dict):
            self.faults.append(node.spot.fault("must be fields: name: value"))
            return None
        return node
