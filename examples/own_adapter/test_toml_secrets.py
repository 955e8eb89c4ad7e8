"""The adapter keeps the contract: this is all it takes to prove it."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from toml_secrets import TomlSecretStore

from lms_core.ports.secret_store import SecretStore
from lms_core.testing.secret_store import SecretStoreConformance


class TestTomlSecretStore(SecretStoreConformance):
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "secrets.toml"
        path.write_text("", "utf-8")
        return path

    @pytest.fixture
    def store(self, path: Path) -> SecretStore:
        return TomlSecretStore(path)

    @pytest.fixture
    def plant(self, path: Path) -> Callable[[str, str], None]:
        def plant(name: str, value: str) -> None:
            known = tomllib.loads(path.read_text("utf-8")) | {name: value}
            lines = (f"{json.dumps(key)} = {json.dumps(known[key])}\n" for key in known)
            path.write_text("".join(lines), "utf-8")

        return plant
