"""Every secret store of the package keeps the contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lms_core.errors import ConfigurationError, NotFound
from lms_core.ports.secret_store import SecretStore
from lms_core.testing.secret_store import SecretStoreConformance
from lms_local.memory.secret_store import MemorySecretStore
from lms_local.secrets import EnvironmentSecretStore, FileSecretStore

Plant = Callable[[str, str], None]


def planted(folder: Path, name: str, value: str, mode: int = 0o600) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value, encoding="utf-8")
    path.chmod(mode)
    return path


class TestEnvironmentSecretStore(SecretStoreConformance):
    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {}

    @pytest.fixture
    def store(self, environment: dict[str, str]) -> SecretStore:
        return EnvironmentSecretStore(environment)

    @pytest.fixture
    def plant(self, environment: dict[str, str]) -> Plant:
        def plant(name: str, value: str) -> None:
            plain = name.replace("/", "_").replace("-", "_").replace(".", "_")
            environment[f"LMS_SECRET_{plain.upper()}"] = value

        return plant


class TestFileSecretStore(SecretStoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> SecretStore:
        return FileSecretStore(tmp_path)

    @pytest.fixture
    def plant(self, tmp_path: Path) -> Plant:
        def plant(name: str, value: str) -> None:
            planted(tmp_path, name, value)

        return plant


class TestMemorySecretStore(SecretStoreConformance):
    @pytest.fixture
    def store(self) -> SecretStore:
        return MemorySecretStore()

    @pytest.fixture
    def plant(self, store: MemorySecretStore) -> Plant:
        return store.secrets.__setitem__


def test_the_variable_is_named_when_it_is_missing() -> None:
    with pytest.raises(NotFound, match="LMS_SECRET_STRIPE_API_KEY"):
        EnvironmentSecretStore({}).get("stripe/api-key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o777])
def test_a_file_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    path = planted(tmp_path, "key", "s3cret-value", mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}") as refused:
        FileSecretStore(tmp_path).get("key")

    assert "s3cret-value" not in str(refused.value)


def test_newlines_at_the_end_are_left_off(tmp_path: Path) -> None:
    planted(tmp_path, "key", " a\nb \r\n\n")

    assert FileSecretStore(tmp_path).get("key") == " a\nb "


def test_a_mounted_secret_is_a_link(tmp_path: Path) -> None:
    target = planted(tmp_path, "..data/key", "value")
    (tmp_path / "key").symlink_to(target)

    assert FileSecretStore(tmp_path).get("key") == "value"


def test_a_folder_is_no_secret(tmp_path: Path) -> None:
    planted(tmp_path, "a/b", "value")
    store = FileSecretStore(tmp_path)
    for name in ("a", "a/b/c"):
        with pytest.raises(NotFound):
            store.get(name)


def test_bytes_that_are_no_text_are_not_shown(tmp_path: Path) -> None:
    path = planted(tmp_path, "key", "")
    path.write_bytes(b"secret\xff")
    with pytest.raises(ConfigurationError) as refused:
        FileSecretStore(tmp_path).get("key")

    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
