"""Use case: find learners in a gradebook by name or address."""

from attrs import evolve, frozen

from lms_core.application.view_gradebook import Gradebook, GradebookRow, ViewGradebook
from lms_core.domain.access.policy import Actor
from lms_core.domain.ids import CourseId
from lms_core.domain.paging import MOST_ITEMS, Page, PageRequest

MOST_SEARCHED = 2_000
"""Learners that one search looks at."""


@frozen(kw_only=True)
class SearchGradebook:
    """Find learners in the gradebook of a course."""

    gradebook: ViewGradebook

    def __call__(
        self, actor: Actor, course: CourseId, text: str, *, limit: int = 50
    ) -> Gradebook:
        """Return up to *limit* rows whose name or address contains *text*.

        Of a very large course, only the first `MOST_SEARCHED` learners are looked
        at.

        Raises:
            Refused: the actor does not teach the course.
            NotFound: there is no such course.
        """
        wanted = text.casefold().strip()
        book = self.gradebook(actor, course, PageRequest(MOST_ITEMS))
        found: list[GradebookRow] = []
        rows = book.rows
        for _ in range(MOST_SEARCHED // MOST_ITEMS):
            found += (
                row
                for row in rows.items
                if wanted in row.name.casefold() or wanted in row.email
            )
            if rows.next is None or len(found) >= limit:
                break
            page = PageRequest(MOST_ITEMS, rows.next)
            rows = self.gradebook(actor, course, page).rows
        return evolve(book, rows=Page(tuple(found[:limit])))
