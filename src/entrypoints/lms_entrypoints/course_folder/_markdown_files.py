"""Markdown files, with or without fields before the text."""

from lms_entrypoints.course_folder._yaml_out import to_yaml

_FENCE = "---\n"


def split(text: str) -> tuple[str | None, str]:
    """Return the YAML before the text, `None` where there is none, and the text.

    One empty line after the fields and the last line end belong to the file,
    not to the text.
    """
    fields = None
    if text.startswith(_FENCE):
        # A fence in front lets one that follows at once be found too.
        head, fence, rest = text[len(_FENCE) - 1 :].partition(f"\n{_FENCE}")
        if not fence and text.endswith("\n---"):
            head, fence, rest = text[len(_FENCE) - 1 : -len("\n---")], _FENCE, ""
        if fence:
            fields, text = head[1:], rest.removeprefix("\n")
    return fields, text.removesuffix("\n")


def joined(fields: dict[str, object], text: str) -> str:
    """Return a file from which `split` gets the same back."""
    head = f"{_FENCE}{to_yaml(fields)}{_FENCE}"
    return f"{head}\n{text}\n" if text else head


def stands_alone(text: str) -> bool:
    """Tell whether *text* survives in a file of its own.

    Reading makes plain line ends of Windows', and takes a byte order mark away.
    """
    return "\r" not in text and not text.startswith("\ufeff")
