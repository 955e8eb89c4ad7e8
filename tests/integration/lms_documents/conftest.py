"""What the tests of this package share."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from attrs import define, field

from lms_core.errors import NotFound
from lms_core.registry import Wiring
from lms_documents.development import (
    Identity,
    make_development_identity,
    make_development_key,
)

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


class Still:
    def now(self) -> datetime:
        return NOW


@define
class Names:
    _numbers: Iterator[int] = field(factory=count)

    def new(self) -> str:
        return f"name-{next(self._numbers)}"

    token = new


@define
class Secrets:
    _values: dict[str, str] = field(repr=False)

    def get(self, name: str) -> str:
        if name not in self._values:
            raise NotFound("no such secret", resource=name)
        return self._values[name]

    refresh = get


@pytest.fixture(scope="session")
def identity() -> Identity:
    return make_development_identity(at=NOW)


@pytest.fixture(scope="session")
def credential_key() -> str:
    return make_development_key()


@pytest.fixture(scope="session")
def wiring(identity: Identity, credential_key: str) -> Wiring:
    return Wiring(
        clock=Still(),
        ids=Names(),
        tokens=Names(),
        secrets=Secrets(
            {
                "seal/key": identity.key,
                "seal/chain": identity.certificates,
                "credentials/key": credential_key,
            }
        ),
    )
