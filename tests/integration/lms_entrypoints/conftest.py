import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from lms_core.domain.access.policy import Actor
from lms_core.domain.people.user import Role
from lms_core.ports.system import Clock
from lms_entrypoints.accounts import add_account, grant
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.preparing import prepare
from lms_entrypoints.settings import Settings
from lms_local.memory.system import FixedClock
from lms_local.system import SystemClock

PASSWORD = "violet-otter-ladder"
AUTHOR = "ada@example.org"


@pytest.fixture(scope="session")
def _prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("prepared") / "data"
    platform = Platform(Settings(data=data))
    prepare(platform)
    add_account(platform, email=AUTHOR, name="Ada Author", password=PASSWORD)
    grant(platform, AUTHOR, Role.INSTRUCTOR)
    return data


@pytest.fixture
def data(_prepared: Path, tmp_path: Path) -> Path:
    """Return a data folder of its own with secrets, tables and an author."""
    return Path(shutil.copytree(_prepared, tmp_path / "data"))


@pytest.fixture
def open_platform(data: Path) -> Iterator[Callable[[Clock | None], Platform]]:
    """Open the platform in *data*, as another process would, by a given clock."""
    opened: list[Platform] = []

    def make(clock: Clock | None = None) -> Platform:
        platform = Platform(Settings(data=data), clock=clock)
        opened.append(platform)
        return platform

    yield make
    for platform in opened:
        for part in ("gateway", "transcoder"):
            if part in vars(platform):
                vars(platform)[part].close()


@pytest.fixture
def moment() -> FixedClock:
    """Return a clock that the test moves; it starts after the data was made."""
    return FixedClock(SystemClock().now() + timedelta(minutes=1))


@pytest.fixture
def platform(
    open_platform: Callable[[Clock | None], Platform], moment: FixedClock
) -> Platform:
    return open_platform(moment)


@pytest.fixture
def author(platform: Platform) -> Actor:
    with platform.start(read_only=True) as work:
        user = work.users.find_email(AUTHOR)
    assert user is not None
    return Actor.of(user)


@pytest.fixture
def environment(data: Path) -> dict[str, str]:
    """Return the environment of a command that uses *data*."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LMS_")}
    return {**kept, "LMS_DATA": str(data), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def lms(
    environment: dict[str, str], tmp_path: Path
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the command as a process of its own; *before* is a line of shell."""

    def run(
        *arguments: str, given: str = "", before: str = "", **more: str
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "lms_entrypoints.cli", *arguments]
        if before:
            command = ["bash", "-c", f'{before}; exec "$@"', "bash", *command]
        return subprocess.run(  # noqa: S603 - our own program
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env={**environment, **more},
        )

    return run
