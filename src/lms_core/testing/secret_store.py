"""The contract of `SecretStore`, one test a clause."""

from collections.abc import Callable

import pytest

from lms_core.errors import InvalidValue, NotFound
from lms_core.ports.secret_store import SecretStore
from lms_core.testing.suite import ConformanceSuite

NAME = "stripe/api-key"


class SecretStoreConformance(ConformanceSuite):
    """Subclass this and supply fixtures named `store` and `plant`.

    `plant(name, value)` puts a secret where the store looks for it.
    """

    def test_a_secret_is_found_by_its_name(
        self, store: SecretStore, plant: Callable[[str, str], None]
    ) -> None:
        """The value comes back as it is, spaces and all."""
        for value in ("sk_test_1", " a b ", "größe=1;&x", "two\nlines"):
            plant(NAME, value)
            assert store.refresh(NAME) == value
            assert store.get(NAME) == value

    def test_secrets_are_apart(
        self, store: SecretStore, plant: Callable[[str, str], None]
    ) -> None:
        """A name that continues another is another name."""
        for name in ("media", "db/main/key", "db/main/key2", "v1.2_x"):
            plant(name, f"of {name}")
        for name in ("media", "db/main/key", "db/main/key2", "v1.2_x"):
            assert store.get(name) == f"of {name}"

    def test_a_refresh_sees_the_new_value(
        self, store: SecretStore, plant: Callable[[str, str], None]
    ) -> None:
        """A rotated secret is read anew, and stays read."""
        plant(NAME, "old")
        assert store.get(NAME) == "old"
        plant(NAME, "new")

        assert store.refresh(NAME) == "new"
        assert store.get(NAME) == "new"

    def test_a_missing_secret_is_named(self, store: SecretStore) -> None:
        """The message says what was looked for."""
        for read in (store.get, store.refresh):
            with pytest.raises(NotFound, match=NAME) as missing:
                read(NAME)
            assert len(str(missing.value)) > len(NAME)

    def test_an_empty_secret_is_none(
        self, store: SecretStore, plant: Callable[[str, str], None]
    ) -> None:
        """A variable set to nothing is a mistake, not a secret."""
        plant(NAME, "")
        with pytest.raises(NotFound, match=NAME):
            store.get(NAME)

    @pytest.mark.parametrize(
        "name", ["", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "ä", "a\n"]
    )
    def test_other_names_are_refused(self, store: SecretStore, name: str) -> None:
        """A name has parts of letters, digits, dot, dash and underscore."""
        for read in (store.get, store.refresh):
            with pytest.raises(InvalidValue):
                read(name)

    def test_the_store_does_not_print_its_secrets(
        self, store: SecretStore, plant: Callable[[str, str], None]
    ) -> None:
        """A store that ends up in a log shows no value."""
        plant(NAME, "hush-hush-value")
        store.get(NAME)

        assert "hush-hush-value" not in repr(store)
