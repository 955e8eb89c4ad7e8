"""What an installation puts on other people's import path."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        str(target),
    ]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603
    [built] = target.glob("*.whl")
    return built


def test_the_wheel_claims_only_our_names(wheel: Path) -> None:
    roots = {name.split("/")[0] for name in ZipFile(wheel).namelist()}

    assert {root for root in roots if not root.endswith(".dist-info")} == {
        "lms_core",
        "lms_documents",
        "lms_entrypoints",
        "lms_ffmpeg",
        "lms_local",
        "lms_sandbox",
        "lms_sql",
    }


@pytest.mark.parametrize(
    "name",
    [
        "lms_core/py.typed",
        "lms_documents/templates/pdf/certificate-1.typ",
        "lms_entrypoints/portal/static/portal.css",
        "lms_entrypoints/portal/static/player.js",
        "lms_entrypoints/sample_course/",
        "lms_sandbox/templates/",
        "lms_sql/migrations/versions/",
    ],
)
def test_the_wheel_brings_what_is_not_python(wheel: Path, name: str) -> None:
    assert any(found.startswith(name) for found in ZipFile(wheel).namelist())


def test_the_core_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """Only attrs is there beside it: no SDK, no framework."""
    target = tmp_path / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(target)
    program = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "import lms_core, lms_core.registry\n"
        "from lms_core.domain.money import Money\n"
        "assert lms_core.__file__.startswith(sys.argv[1]), lms_core.__file__\n"
        "print(Money(1000, 'EUR').split(1, 1, 1)[0].minor)\n"
        "banned = {'pydantic', 'sqlalchemy', 'fastapi', 'jinja2', 'cryptography'}\n"
        "assert not banned & set(sys.modules), banned & set(sys.modules)\n"
    )
    run = [sys.executable, "-c", program, str(target)]

    done = subprocess.run(run, capture_output=True, text=True, check=True)  # noqa: S603

    assert done.stdout == "334\n"
