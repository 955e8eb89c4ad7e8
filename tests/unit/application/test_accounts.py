"""Accounts: opened, signed in to, changed, and regained by mail."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from lms_core.application.authenticate import Authenticate
from lms_core.application.grant_role import GrantRole
from lms_core.application.reactions.react import React
from lms_core.application.register_user import RegisterUser
from lms_core.application.reset_password import RequestPasswordReset, ResetPassword
from lms_core.application.sign_in import RefreshSession, SignIn, SignOut
from lms_core.application.update_user import ReadUser, UpdateUser
from lms_core.domain.people.user import Role, RoleGrant
from lms_core.errors import AlreadyExists, InvalidValue, NotFound, NotPermitted, Refused

ADDRESS, PASSWORD = "ada@example.org", "correct horse battery"


@pytest.fixture
def account(world: Any) -> Any:
    return world.use(RegisterUser)(email=ADDRESS, name="Ada", password=PASSWORD)


def suspend(world: Any, user: str) -> None:
    with world.start() as work:
        work.users.save(evolve(work.users.get(user), suspended=True))
        work.commit()


@pytest.mark.parametrize("again", [ADDRESS, "ADA@example.org", " ada@EXAMPLE.org "])
def test_an_address_has_one_account_however_it_is_written(
    world: Any, account: Any, again: str
) -> None:
    with pytest.raises(AlreadyExists):
        world.use(RegisterUser)(email=again, name="Eve", password=PASSWORD)

    assert account.grants == ()


@pytest.mark.parametrize(
    "change",
    [
        {"email": "no address"},
        {"name": ""},
        {"name": "two\nlines"},
        {"password": "short"},
        {"password": "x" * 300},
        {"password": "aaaaaaaaaaaa"},
        {"password": ADDRESS},
    ],
)
def test_what_is_no_account_is_not_opened(world: Any, change: Any) -> None:
    said = {"email": ADDRESS, "name": "Ada", "password": PASSWORD, **change}

    with pytest.raises(InvalidValue):
        world.use(RegisterUser)(**said)

    assert world.events() == ()


def test_a_session_lasts_until_it_is_ended(world: Any, account: Any) -> None:
    signed_in = world.use(SignIn)(email=ADDRESS, password=PASSWORD)
    who = world.use(Authenticate)

    assert who(signed_in.access_token).user == account.id
    assert who.by_session(signed_in.refresh_token).user == account.id
    world.use(SignOut)(signed_in.session)

    for door in (who.by_session, world.use(RefreshSession)):
        with pytest.raises(NotPermitted):
            door(signed_in.refresh_token)
    with pytest.raises(NotPermitted):
        who(signed_in.access_token)


def test_signing_out_everywhere_ends_every_session(world: Any, account: Any) -> None:
    one, other = (world.use(SignIn)(email=ADDRESS, password=PASSWORD) for _ in range(2))

    world.use(SignOut)(one.session, everywhere=True)

    for signed_in in (one, other):
        with pytest.raises(NotPermitted):
            world.use(Authenticate)(signed_in.access_token)
    assert account


@pytest.mark.parametrize(
    ("email", "password"),
    [(ADDRESS, "wrong password"), ("eve@example.org", PASSWORD), ("", "")],
)
def test_nothing_tells_which_part_was_wrong(
    world: Any, account: Any, email: str, password: str
) -> None:
    with pytest.raises(NotPermitted) as refused:
        world.use(SignIn)(email=email, password=password)

    assert refused.value.code == "credentials-invalid"
    assert account


def test_no_door_opens_for_a_suspended_account(world: Any, account: Any) -> None:
    signed_in = world.use(SignIn)(email=ADDRESS, password=PASSWORD)
    suspend(world, account.id)

    with pytest.raises(NotPermitted):
        world.use(SignIn)(email=ADDRESS, password=PASSWORD)
    with pytest.raises(NotPermitted):
        world.use(Authenticate)(signed_in.access_token)
    with pytest.raises(NotPermitted):
        world.use(Authenticate).by_session(signed_in.refresh_token)
    with pytest.raises(NotPermitted):
        world.use(RefreshSession)(signed_in.refresh_token)


def test_a_stolen_refresh_token_ends_the_session(world: Any, account: Any) -> None:
    first = world.use(SignIn)(email=ADDRESS, password=PASSWORD)
    second = world.use(RefreshSession)(first.refresh_token)
    world.clock.advance(timedelta(minutes=1))

    with pytest.raises(NotPermitted) as stolen:
        world.use(RefreshSession)(first.refresh_token)
    with pytest.raises(NotPermitted):
        world.use(RefreshSession)(second.refresh_token)

    assert stolen.value.code == "token-reused"
    assert account


def test_sessions_expire(world: Any, account: Any) -> None:
    signed_in = world.use(SignIn)(email=ADDRESS, password=PASSWORD)

    world.clock.advance(timedelta(days=31))

    with pytest.raises(NotPermitted):
        world.use(Authenticate).by_session(signed_in.refresh_token)
    assert account


def test_outdated_hashes_are_made_anew(world: Any, account: Any) -> None:
    world.passwords = type(world.passwords)("fast2")

    world.use(SignIn)(email=ADDRESS, password=PASSWORD)

    with world.start(read_only=True) as work:
        assert work.credentials.find(account.id).password_hash.startswith("fast2$")


def test_accounts_are_shown_and_changed_by_their_owners(
    world: Any, account: Any
) -> None:
    ada, eve = world.actor(account.id), world.person("eve")

    changed = world.use(UpdateUser)(ada, account.id, name=" Ada L. ", language="de")

    assert (changed.name, changed.language) == ("Ada L.", "de")
    assert world.use(ReadUser)(ada, account.id) == changed
    for user in (account.id, "nobody"):
        with pytest.raises(NotFound):
            world.use(ReadUser)(eve, user)
        with pytest.raises(NotFound):
            world.use(UpdateUser)(eve, user, name="Eve")
    with pytest.raises(InvalidValue):
        world.use(UpdateUser)(ada, account.id, language="no language")


def test_an_admin_gives_roles_and_nobody_else(
    world: Any, account: Any, content: Callable[..., Any]
) -> None:
    teacher = world.publish(content())
    root = world.person("root", RoleGrant(Role.ADMIN))

    for actor in (teacher, world.actor(account.id)):
        with pytest.raises(Refused):
            world.use(GrantRole)(actor, account.id, Role.ADMIN, None)
    given = world.use(GrantRole)(root, account.id, Role.INSTRUCTOR, world.COURSE)
    world.use(GrantRole)(root, account.id, Role.INSTRUCTOR, world.COURSE)

    assert given.grants == (RoleGrant(Role.INSTRUCTOR, world.COURSE),)
    with world.start(read_only=True) as work:
        rows = [r for r in work.audit.page().items if r.action == "roles.grant"]
    assert len(rows) == 1


# A new password by mail


def mailed_tokens(world: Any) -> list[str]:
    texts = (mail.text for mail in world.mailer.sent.values())
    return [found for text in texts for found in re.findall(r"token=(\S+)", text)]


def ask(world: Any, email: str = ADDRESS) -> str:
    world.use(RequestPasswordReset)(email=email)
    world.drain()
    return mailed_tokens(world)[-1]


def test_the_link_in_the_mail_sets_a_password_once_and_ends_every_session(
    world: Any, account: Any
) -> None:
    before = world.use(SignIn)(email=ADDRESS, password=PASSWORD)
    token = ask(world, " ADA@example.org")

    world.use(ResetPassword)(token=token, password="another good one")

    with pytest.raises(NotPermitted):
        world.use(Authenticate)(before.access_token)
    with pytest.raises(NotPermitted):
        world.use(SignIn)(email=ADDRESS, password=PASSWORD)
    assert world.use(SignIn)(email=ADDRESS, password="another good one").user
    with pytest.raises(NotPermitted) as used:
        world.use(ResetPassword)(token=token, password="a third good one")
    assert used.value.code == "reset-token-invalid"
    assert account


def test_the_mail_goes_to_the_stored_address_and_to_nobody_else(
    world: Any, account: Any
) -> None:
    for email in ("eve@example.org", "not an address", "аda@example.org"):  # noqa: RUF001
        world.use(RequestPasswordReset)(email=email)
    world.drain()
    assert mailed_tokens(world) == []

    ask(world, "ADA@EXAMPLE.ORG")

    mails = [m for m in world.mailer.sent.values() if "token=" in m.text]
    assert [mail.to for mail in mails] == [account.email]


def test_the_link_works_for_half_an_hour(world: Any, account: Any) -> None:
    token = ask(world)
    world.clock.advance(timedelta(minutes=30))

    with pytest.raises(NotPermitted):
        world.use(ResetPassword)(token=token, password="another good one")
    assert account


def test_a_later_link_ends_the_one_before(world: Any, account: Any) -> None:
    first, second = ask(world), ask(world)

    with pytest.raises(NotPermitted):
        world.use(ResetPassword)(token=first, password="another good one")
    world.use(ResetPassword)(token=second, password="another good one")
    assert account


def test_a_weak_password_leaves_the_link_good(world: Any, account: Any) -> None:
    token = ask(world)

    with pytest.raises(InvalidValue):
        world.use(ResetPassword)(token=token, password="short")
    assert world.use(ResetPassword)(token=token, password="long enough now")
    assert account


def test_no_secret_is_kept_in_the_clear(world: Any, account: Any) -> None:
    secret = ask(world).partition(".")[2]

    with world.start(read_only=True) as work:
        kept = repr(work.credentials.find(account.id))
    assert secret not in kept


@pytest.mark.parametrize("token", ["", ".", "nobody.secret", "{user}.", "{user}.x"])
def test_what_is_no_link_is_refused(world: Any, account: Any, token: str) -> None:
    ask(world)

    with pytest.raises(NotPermitted):
        world.use(ResetPassword)(
            token=token.format(user=account.id), password="another good one"
        )


def test_a_suspended_account_gets_no_link(world: Any, account: Any) -> None:
    suspend(world, account.id)
    world.use(RequestPasswordReset)(email=ADDRESS)

    world.drain()

    assert mailed_tokens(world) == []


def test_the_link_is_mailed_once_however_often_the_event_comes(
    world: Any, account: Any
) -> None:
    world.use(RequestPasswordReset)(email=ADDRESS)
    [event] = [e for e in world.events() if "Reset" in type(e.event).__name__]
    world.drain()

    world.use(React)(event)

    assert len(mailed_tokens(world)) == 1
    assert account
