"""Who goes through the platform, and what they have found so far."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import httpx
from attrs import define, field

from lms_entrypoints.demo import Account

PATIENCE_S = 60.0
_LOOK_EVERY_S = 0.1
_ANSWER_WITHIN_S = 30.0

_BYTES = "application/octet-stream"

T = TypeVar("T")


class CheckFailed(Exception):
    """What was seen is not what should be."""


def fail(seen: object) -> NoReturn:
    """End the check with what was *seen*."""
    raise CheckFailed(str(seen))


def expect(seen: object, wanted: object, what: str) -> None:
    """Go on only if *seen* is what is *wanted*."""
    if seen != wanted:
        fail(f"{what} is {seen!r:.200}, not {wanted!r:.200}")


def eventually(
    what: str, look: Callable[[], T | None], *, within_s: float = PATIENCE_S
) -> T:
    """Look again and again until there is something; return it."""
    ends = time.monotonic() + within_s
    while (found := look()) is None:
        if time.monotonic() > ends:
            fail(f"{what}: nothing after {within_s:.0f} s")
        time.sleep(_LOOK_EVERY_S)
    return found


@define
class Person:
    """Somebody with a browser of her own, signed in or not."""

    http: httpx.Client
    name: str = "a stranger"
    id: str = ""

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        status: int = 200,
        raw: bytes | None = None,
    ) -> httpx.Response:
        """Send a request to the API, and return the answer if it has *status*."""
        sent: dict[str, Any] = {}
        if raw is not None:
            sent = {"content": raw, "headers": {"content-type": _BYTES}}
        elif body is not None:
            sent = {"json": body}
        url = path if path.startswith(("/", "http")) else f"/api/v1/{path}"
        answer = self.http.request(method, url, **sent)
        if answer.status_code != status:
            fail(
                f"{method} {url.partition('?')[0]:.100} for {self.name} answers "
                f"{answer.status_code}, not {status}: {answer.text:.300}"
            )
        return answer

    def get(self, path: str) -> Any:
        """Return a document."""
        return self.ask("GET", path).json()

    def refused(
        self, method: str, path: str, body: object = None, *, status: int
    ) -> dict[str, Any]:
        """Return the problem that a request ends in, which must have *status*."""
        document = self.ask(method, path, body, status=status).json()
        if not isinstance(document, dict) or "code" not in document:
            fail(f"{path} is refused without a code: {document!r:.200}")
        return document


@define(kw_only=True)
class Journey:
    """The platform that is looked at, the people, and what they know by now."""

    base: str
    data: Path
    scratch: Path
    accounts: dict[str, Account]
    stranger: Person
    people: dict[str, Person] = field(factory=dict)
    learner_email: str = ""
    learner_password: str = field(default="", repr=False)
    course: str = ""
    video: str = ""
    lecture: Path = field(factory=Path)
    media: str = ""
    upload: dict[str, Any] = field(factory=dict)
    order: dict[str, Any] = field(factory=dict)
    playback: dict[str, Any] = field(factory=dict)
    segment: str = ""
    certificate: dict[str, Any] = field(factory=dict)
    solutions: dict[str, list[str]] = field(factory=dict)

    def open(self, email: str, password: str, name: str) -> Person:
        """Sign somebody in, on a device of her own."""
        http = httpx.Client(base_url=self.base, timeout=_ANSWER_WITHIN_S)
        person = Person(http, name)
        tokens = person.ask(
            "POST", "auth/token", {"email": email, "password": password}
        ).json()
        http.headers["authorization"] = f"Bearer {tokens['access_token']}"
        person.id = person.get("users/me")["id"]
        return person

    def as_(self, part: str) -> Person:
        """Return who has that part in the demo, signed in."""
        if part not in self.people:
            account = self.accounts[part]
            self.people[part] = self.open(account.email, account.password, part)
        return self.people[part]

    @property
    def learner(self) -> Person:
        """The learner who registered on the way."""
        return self.people["new learner"]

    def outline(self) -> list[dict[str, Any]]:
        """Return the lessons as the learner finds them, each with its module's key."""
        found = self.learner.get(f"courses/{self.course}/lessons")
        return [
            {**lesson, "module": module["key"]}
            for module in found["modules"]
            for lesson in module["lessons"]
        ]

    def close(self) -> None:
        """Close every browser."""
        for person in (self.stranger, *self.people.values()):
            person.http.close()
