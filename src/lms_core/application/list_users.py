"""Use case: list everybody who has an account."""

from attrs import frozen

from lms_core.domain.access.policy import Action, Actor, decide
from lms_core.domain.paging import FIRST, MOST_ITEMS, Page, PageRequest
from lms_core.domain.people.user import User
from lms_core.ports.system import Clock
from lms_core.ports.unit_of_work import StartWork

MOST_SEARCHED = 20_000
"""Accounts that one search looks at."""


@frozen(kw_only=True)
class ListUsers:
    """List accounts, to those who may see them."""

    start: StartWork
    clock: Clock

    def __call__(self, actor: Actor, page: PageRequest = FIRST) -> Page[User]:
        """Return a page of users, by address.

        Raises:
            Refused: the actor may not list users.
        """
        decide(actor, Action.LIST_USERS, at=self.clock.now()).require()
        with self.start(read_only=True) as work:
            return work.users.page(page)

    def matching(self, actor: Actor, text: str, *, limit: int = 50) -> tuple[User, ...]:
        """Return up to *limit* users whose name or address contains *text*.

        Of a very large platform, only the first `MOST_SEARCHED` accounts by
        address are looked at.

        Raises:
            Refused: the actor may not list users.
        """
        wanted = text.casefold().strip()
        found: list[User] = []
        after: str | None = None
        for _ in range(MOST_SEARCHED // MOST_ITEMS):
            page = self(actor, PageRequest(MOST_ITEMS, after))
            found += (
                user
                for user in page.items
                if wanted in user.name.casefold() or wanted in user.email
            )
            after = page.next
            if after is None or len(found) >= limit:
                break
        return tuple(found[:limit])
