"""Accounts as an operator of the platform makes them."""

from collections.abc import Iterator

from lms_core.application.grant_role import GrantRole
from lms_core.application.register_user import RegisterUser
from lms_core.domain.access.policy import Actor
from lms_core.domain.ids import CourseId, UserId
from lms_core.domain.paging import PageRequest
from lms_core.domain.people.user import Role, RoleGrant, User, normal_email
from lms_core.errors import NotFound
from lms_entrypoints.bootstrap import Platform

OPERATOR = Actor(user=UserId("operator"), grants=(RoleGrant(Role.ADMIN),))
"""Who runs commands on the machine; the audit trail knows her by this name."""


def find_account(platform: Platform, email: str) -> User:
    """Return who has the address.

    Raises:
        NotFound: nobody has.
    """
    address = normal_email(email)
    with platform.start(read_only=True) as work:
        user = work.users.find_email(address)
    if user is None:
        raise NotFound(
            f"nobody has the address {address}; see `lms user list`", resource=address
        )
    return user


def add_account(platform: Platform, *, email: str, name: str, password: str) -> User:
    """Open an account. Raises what `RegisterUser` raises."""
    return platform.use(RegisterUser)(email=email, name=name, password=password)


def grant(
    platform: Platform, email: str, role: Role, course: CourseId | None = None
) -> User:
    """Give a role to who has the address."""
    user = find_account(platform, email)
    return platform.use(GrantRole)(OPERATOR, user.id, role, course)


def all_accounts(platform: Platform) -> Iterator[User]:
    """Yield everybody, by address."""
    after: str | None = None
    while True:
        with platform.start(read_only=True) as work:
            page = work.users.page(PageRequest(200, after))
        yield from page.items
        if page.next is None:
            return
        after = page.next
