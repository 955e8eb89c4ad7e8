"""Accounts over HTTP."""

import re
from datetime import timedelta
from typing import Any

import pytest

PASSWORD = "correct horse battery"
ADA = {"email": "ada@mail.example", "name": "Ada", "password": PASSWORD}


def sign_in(api: Any, **change: str) -> Any:
    said = {"email": ADA["email"], "password": PASSWORD, **change}
    return api("POST", "/auth/token", json=said)


def test_an_account_is_opened_signed_in_to_and_left(api: Any) -> None:
    opened = api("POST", "/auth/register", json=ADA)
    tokens = sign_in(api).json()
    headers = {"authorization": f"Bearer {tokens['access_token']}"}
    me = api("GET", "/users/me", headers=headers)
    left = api("POST", "/auth/logout", headers=headers)
    after = api("GET", "/users/me", headers=headers)

    assert (opened.status_code, me.status_code, left.status_code) == (201, 200, 204)
    assert me.json() == {**opened.json(), "roles": []}
    assert (after.status_code, after.json()["code"]) == (401, "session-ended")
    assert after.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "more",
    [{"role": "admin"}, {"roles": ["admin"]}, {"is_staff": True}, {"id": "root"}],
)
def test_nobody_registers_with_more_than_an_account_has(api: Any, more: Any) -> None:
    answer = api("POST", "/auth/register", json={**ADA, **more})

    assert answer.status_code == 422
    assert answer.json()["faults"][0]["code"] == "unknown-field"
    assert sign_in(api).status_code == 401


def test_an_address_is_taken_in_every_spelling(api: Any) -> None:
    api("POST", "/auth/register", json=ADA)

    again = api("POST", "/auth/register", json={**ADA, "email": " ADA@Mail.example"})

    assert (again.status_code, again.json()["code"]) == (409, "email-taken")


def test_a_wrong_password_and_an_unknown_address_read_the_same(api: Any) -> None:
    api("POST", "/auth/register", json=ADA)

    wrong = sign_in(api, password="not the password")
    unknown = sign_in(api, email="eve@mail.example")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_refresh_tokens_rotate_and_a_stolen_one_ends_the_session(api: Any) -> None:
    api("POST", "/auth/register", json=ADA)
    first = sign_in(api).json()["refresh_token"]

    second = api("POST", "/auth/refresh", json={"refresh_token": first}).json()
    api.clock.advance(timedelta(minutes=1))
    stolen = api("POST", "/auth/refresh", json={"refresh_token": first})
    ended = api(
        "POST", "/auth/refresh", json={"refresh_token": second["refresh_token"]}
    )

    assert (stolen.status_code, stolen.json()["code"]) == (401, "token-reused")
    assert ended.status_code == 401


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(api: Any) -> None:
    api("POST", "/auth/register", json=ADA)
    tokens = sign_in(api).json()

    as_refresh = api(
        "POST", "/auth/refresh", json={"refresh_token": tokens["access_token"]}
    )
    as_access = api(
        "GET",
        "/users/me",
        headers={"authorization": f"Bearer {tokens['refresh_token']}"},
    )

    assert as_refresh.status_code == as_access.status_code == 401


def test_signing_out_everywhere_ends_other_devices_too(api: Any) -> None:
    ada = api.person("ada")
    other = api.sign_in("ada")

    api("POST", "/auth/logout", ada, json={"everywhere": True})

    assert api("GET", "/users/me", other).status_code == 401


def test_accounts_are_changed_by_their_owners_field_by_field(api: Any) -> None:
    ada, eve = api.person("ada"), api.person("eve")

    changed = api("PATCH", "/users/me", ada, json={"name": "Ada Lovelace"})
    same = api("PATCH", "/users/ada", ada, json={"language": "pt-BR"})

    assert changed.json()["name"] == "Ada Lovelace"
    assert (same.json()["name"], same.json()["language"]) == ("Ada Lovelace", "pt-BR")
    for path in ("/users/ada", "/users/nobody"):
        refused = api("PATCH", path, eve, json={"name": "Eve"})
        unseen = api("GET", path, eve)
        assert refused.status_code == unseen.status_code == 404
    assert api("GET", "/users/ada").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"email": "new@mail.example"},
        {"roles": []},
        {"suspended": False},
        {"name": 7},
        {"name": "two\nlines"},
        {"name": "\u202egnirts"},
        {"language": "../../etc"},
        [],
        None,
    ],
)
def test_what_an_account_does_not_let_one_change_is_refused(
    api: Any, body: Any
) -> None:
    ada = api.person("ada")
    before = api("GET", "/users/me", ada).json()

    answer = api("PATCH", "/users/me", ada, json=body)

    assert answer.status_code == 422
    assert api("GET", "/users/me", ada).json() == before


def test_a_password_is_regained_by_mail_and_nothing_tells_who_has_an_account(
    api: Any,
) -> None:
    api("POST", "/auth/register", json=ADA)
    before = sign_in(api).json()

    known = api("POST", "/auth/password-reset", json={"email": "Ada@mail.example "})
    unknown = api(
        "POST",
        "/auth/password-reset",
        json={"email": "eve@mail.example"},
        headers={"host": "evil.invalid"},
    )
    api.drain()
    [mail] = [mail for mail in api.mails() if "token=" in mail]
    token = re.findall(r"token=(\S+)", mail)[0]
    confirm = {"token": token, "password": "another good one"}
    done = api("POST", "/auth/password-reset/confirm", json=confirm)
    again = api("POST", "/auth/password-reset/confirm", json=confirm)

    assert known.status_code == unknown.status_code == 202
    assert known.content == unknown.content
    assert "To: ada@mail.example" in mail
    assert "http://127.0.0.1:8000/reset-password?token=" in mail
    assert (done.status_code, again.status_code) == (204, 400)
    headers = {"authorization": f"Bearer {before['access_token']}"}
    assert api("GET", "/users/me", headers=headers).status_code == 401
    assert sign_in(api).status_code == 401
    assert sign_in(api, password="another good one").status_code == 200


def test_guessing_is_slowed_down_whatever_the_spelling(api: Any) -> None:
    api.without_refill()
    spellings = ("eve@mail.example", "EVE@mail.example", " eve@mail.example")

    answers = [sign_in(api, email=spellings[n % 3]) for n in range(11)]

    assert [a.status_code for a in answers[:10]] == [401] * 10
    assert answers[10].status_code == 429
    assert int(answers[10].headers["retry-after"]) >= 1


def test_a_forged_address_does_not_make_one_somebody_else(api: Any) -> None:
    api.without_refill()
    answers = [
        api(
            "GET",
            f"/verify/guess-{n}",
            headers={"x-forwarded-for": f"203.0.113.{n}", "x-real-ip": f"10.0.0.{n}"},
        ).status_code
        for n in range(31)
    ]

    assert answers == [404] * 30 + [429]


def test_a_suspended_account_is_let_in_nowhere(api: Any) -> None:
    ada = api.person("ada")
    api.suspend(ada)

    by_token = api("GET", "/users/me", ada)
    by_cookie = api("GET", "/users/me", headers={"cookie": f"lms_session={ada.cookie}"})

    assert (by_token.status_code, by_token.json()["code"]) == (403, "account-suspended")
    assert by_cookie.status_code == 403


def test_only_admins_let_somebody_teach(api: Any) -> None:
    teacher, ada, root = api.course(), api.person("ada"), api.admin()
    body = {"user_id": "ada", "role": "instructor"}

    for who in (ada, teacher):
        assert (
            api("POST", "/courses/streaming/roles", who, json=body).status_code == 403
        )
    given = api("POST", "/courses/streaming/roles", root, json=body)
    too_much = api(
        "POST", "/courses/streaming/roles", root, json={**body, "role": "admin"}
    )

    assert given.json()["roles"] == [{"role": "instructor", "course": "streaming"}]
    assert too_much.status_code == 422
    assert api("GET", "/courses/streaming/draft", ada).status_code == 200
