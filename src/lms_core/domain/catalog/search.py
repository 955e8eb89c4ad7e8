"""What searching for a course compares."""

import unicodedata

from lms_core.domain.catalog.content import CourseContent


def folded(text: str) -> str:
    """Return *text* without the differences that a search ignores.

    >>> folded("  Die  STRASSE ")
    'die strasse'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def searchable(content: CourseContent) -> str:
    """Return what is searched: title and summary."""
    return f"{folded(content.title)}\n{folded(content.summary)}"


def words(text: str) -> tuple[str, ...]:
    """Return what must all occur for a course to be found by *text*."""
    return tuple(dict.fromkeys(folded(text).split()))
