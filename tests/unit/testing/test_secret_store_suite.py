"""The suite of SecretStore tells broken stores from good ones."""

import pytest
from attrs import define, field

from lms_core.testing.secret_store import SecretStoreConformance

SUITE = SecretStoreConformance()


@define
class Broken:
    """Remembers for ever, shows what it knows and takes any name."""

    secrets: dict[str, str] = field(factory=dict)
    remembered: dict[str, str] = field(factory=dict)

    def get(self, name: str) -> str:
        return self.remembered.setdefault(name, self.secrets.get(name, ""))

    def refresh(self, name: str) -> str:
        return self.get(name)


def test_a_broken_store_is_found_out() -> None:
    def check(number: int) -> None:
        store = Broken()
        plant = store.secrets.__setitem__
        (
            lambda: SUITE.test_a_secret_is_found_by_its_name(store, plant),
            lambda: SUITE.test_a_refresh_sees_the_new_value(store, plant),
            lambda: SUITE.test_a_missing_secret_is_named(store),
            lambda: SUITE.test_an_empty_secret_is_none(store, plant),
            lambda: SUITE.test_other_names_are_refused(store, "../x"),
            lambda: SUITE.test_the_store_does_not_print_its_secrets(store, plant),
        )[number]()

    for number in range(6):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            check(number)
