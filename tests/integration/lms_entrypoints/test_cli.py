import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from lms_core.ports.message_queue import Message
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.cli import main
from lms_entrypoints.doctor import shown_url
from lms_entrypoints.sample_courses import LEARNING, STREAMING, copy_sample_course

Lms = Callable[..., "subprocess.CompletedProcess[str]"]
HEAVY = ("fastapi", "sqlalchemy", "pydantic", "typst", "rich", "cryptography", "httpx")


def one_line(run: "subprocess.CompletedProcess[str]") -> str:
    """Return the only line on the error output: no traceback, and a way out."""
    [line] = run.stderr.splitlines()
    assert line.startswith("lms: ")
    return line


# Help and mistakes


def test_help_names_every_command_and_every_exit_code() -> None:
    shown = CliRunner().invoke(main, ["--help"])

    assert shown.exit_code == 0
    for word in ("demo", "serve", "worker", "doctor", "migrate", "import", "export"):
        assert f"  {word} " in shown.output
    for code in ("0 ", "1 ", "2 ", "69 ", "78 "):
        assert f"\n    {code}" in shown.output


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from lms_entrypoints.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    run = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "wrong",
    [
        ["dance"],
        ["serve", "--port", "65536"],
        ["queue", "purge", "events"],
        ["queue", "redrive", "events", "1", "--all"],
        ["queue", "show", "dreams", "1"],
        ["user", "grant", "ada@example.org", "admin", "--course", "short"],
        ["import", "folder"],
    ],
)
def test_wrong_usage_exits_with_2(wrong: list[str]) -> None:
    assert CliRunner().invoke(main, wrong).exit_code == 2


def test_a_misspelt_setting_is_named_with_the_nearest_there_is(lms: Lms) -> None:
    run = lms("doctor", LMS_MAILR="outbox://x")

    assert run.returncode == 78
    assert "did you mean LMS_MAILER?" in one_line(run)


# Preparing


def test_migrate_makes_what_is_missing_once_and_for_its_owner_alone(
    lms: Lms, tmp_path: Path
) -> None:
    data = tmp_path / "new" / "data"

    first = lms("migrate", LMS_DATA=str(data))
    secrets = {path: path.read_bytes() for path in (data / "secrets").rglob("*-key")}
    again = lms("migrate", LMS_DATA=str(data))

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "made the secret" in first.stdout
    assert "made the secret" not in again.stdout
    files = [path for path in (data / "secrets").rglob("*") if path.is_file()]
    assert len(files) == 6
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert secrets
    assert all(path.read_bytes() == old for path, old in secrets.items())


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["worker"]])
def test_without_a_database_nothing_starts_and_none_is_made(
    lms: Lms, tmp_path: Path, command: list[str]
) -> None:
    run = lms(*command, LMS_DATA=str(tmp_path / "none"))

    assert run.returncode == 78
    assert "run `lms migrate`" in one_line(run)
    assert not (tmp_path / "none").exists()


def test_a_database_of_another_version_is_refused(lms: Lms, data: Path) -> None:
    with closing(sqlite3.connect(data / "lms.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
        database.commit()

    run = lms("serve", "--port", "0")

    assert run.returncode == 78
    assert "run `lms migrate`" in one_line(run)


# Doctor


def test_the_doctor_finds_everything_well_and_tells_no_secret(
    lms: Lms, data: Path
) -> None:
    run = lms("doctor", "--json")

    findings = json.loads(run.stdout)
    assert len(findings) == 17
    assert [each for each in findings if not each["works"]] == []
    assert run.returncode == 0
    [transcoder] = [each for each in findings if each["part"] == "transcoder"]
    assert transcoder["seen"].startswith("ffmpeg ")
    for path in (data / "secrets").rglob("*"):
        if path.is_file():
            assert path.read_text().strip() not in run.stdout


def test_the_doctor_says_what_to_do_about_what_fails(lms: Lms, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()

    run = lms("doctor", "--json", LMS_DATA=str(tmp_path / "bare"))

    assert run.returncode == 1
    broken = {
        each["part"]: each for each in json.loads(run.stdout) if not each["works"]
    }
    assert {"secrets", "database", "tokens"} <= broken.keys()
    assert all(each["remedy"] for each in broken.values())
    assert "lms migrate" in broken["database"]["remedy"]


def test_the_doctor_says_how_to_get_a_missing_ffmpeg(lms: Lms) -> None:
    run = lms("doctor", IMAGEIO_FFMPEG_EXE="/no/such/ffmpeg")

    assert run.returncode == 1
    assert "FAIL transcoder" in run.stdout
    assert "pip install 'lms-core[ffmpeg]'" in run.stdout


def test_shown_urls_hold_no_credentials() -> None:
    url = "postgresql://lms@db/lms?sslmode=require&password=secret%3A%2F%2Fdb%2Fkey"

    assert shown_url(url) == "postgresql://db/lms?sslmode=require"


# What may go wrong outside


def test_a_missing_ffmpeg_stops_the_worker_at_its_start(lms: Lms) -> None:
    run = lms("worker", IMAGEIO_FFMPEG_EXE="/no/such/ffmpeg")

    assert run.returncode == 78
    assert "pip install 'lms-core[ffmpeg]'" in one_line(run)


def test_a_locked_database_is_named(lms: Lms, data: Path) -> None:
    with closing(sqlite3.connect(data / "lms.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")

        run = lms(
            *("user", "add", "bob@example.org", "--name", "Bob", "--password-stdin"),
            given="violet-otter-ladder\n",
        )

    assert run.returncode == 69
    assert "locked" in one_line(run)
    assert "try again" in run.stderr


def test_a_full_disk_is_named_and_the_import_goes_on_when_there_is_room(
    lms: Lms, tmp_path: Path
) -> None:
    folder = tmp_path / "course"
    copy_sample_course(STREAMING, folder)
    (folder / "01-why-it-exists/lecture.mp4").write_bytes(os.urandom(9_000_000))

    # No file may grow beyond 4 MiB: the lecture's first part has 8.
    run = lms("import", str(folder), "--as", "ada@example.org", before="ulimit -f 4096")

    assert run.returncode == 69, run.stderr
    assert "make room" in one_line(run)
    assert lms("import", str(folder), "--as", "ada@example.org").returncode == 0


def test_a_taken_port_is_named(lms: Lms) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        run = lms("serve", "--port", str(port))

    assert run.returncode == 69
    assert f"port {port} is taken" in one_line(run)


def test_others_are_let_in_only_by_an_address_that_was_chosen(lms: Lms) -> None:
    run = lms("serve", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - refused

    assert run.returncode == 78
    assert "LMS_BASE_URL" in one_line(run)


def test_a_fault_of_ours_is_one_line_unless_asked_for_more(
    lms: Lms, data: Path
) -> None:
    with closing(sqlite3.connect(data / "lms.db")) as database:
        database.execute("UPDATE users SET document = 'not a document'")
        database.commit()

    plain, asked = lms("user", "list"), lms("--debug", "user", "list")

    assert (plain.returncode, asked.returncode) == (1, 1)
    one_line(plain)
    assert "Traceback" in asked.stderr


# Courses and people


def test_a_course_goes_in_and_out(lms: Lms, tmp_path: Path) -> None:
    folder, target = tmp_path / "course", tmp_path / "out"
    copy_sample_course(LEARNING, folder)

    done = lms("import", str(folder), "--as", "ada@example.org", "--publish", "--json")
    out = lms("export", LEARNING, str(target))
    again = lms("import", str(target), "--as", "ada@example.org", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["published"] is True
    assert out.returncode == 0, out.stderr
    assert json.loads(again.stdout)["edited"] is False


def test_a_faulty_course_is_told_with_every_fault_and_its_line(
    lms: Lms, tmp_path: Path
) -> None:
    folder = tmp_path / "course"
    copy_sample_course(LEARNING, folder)
    (folder / "course.yaml").write_text("key: UPPER\ntitel: x\nprice: many\n")

    run = lms("import", str(folder), "--as", "ada@example.org")

    assert run.returncode == 1
    for place in ("course.yaml:1", "course.yaml:2", "course.yaml:3"):
        assert place in run.stderr
    assert "Traceback" not in run.stderr


def test_an_author_who_is_not_there_is_named(lms: Lms, tmp_path: Path) -> None:
    run = lms("import", str(tmp_path), "--as", "nobody@example.org")

    assert run.returncode == 1
    assert "lms user list" in one_line(run)


def test_accounts_are_added_given_roles_and_listed(lms: Lms) -> None:
    added = lms(
        *("user", "add", "Bob@Example.org", "--name", "Bob", "--password-stdin"),
        given="violet-otter-ladder\n",
    )
    lms("user", "grant", "bob@example.org", "instructor")

    listed = json.loads(lms("user", "list", "--json").stdout)

    assert added.returncode == 0, added.stderr
    [bob] = [each for each in listed if each["email"] == "bob@example.org"]
    assert bob["roles"] == ["instructor"]


def test_a_weak_password_is_refused_and_not_repeated(lms: Lms) -> None:
    run = lms(
        *("user", "add", "bob@example.org", "--name", "Bob", "--password-stdin"),
        given="hunter2\n",
    )

    assert run.returncode == 1
    assert "10 to 256 characters" in one_line(run)
    assert "hunter2" not in run.stdout + run.stderr


# Queues


@pytest.fixture
def letter(platform: Platform) -> str:
    """Return the id of a dead letter."""
    queue = platform.transcode_queue
    queue.send([Message(body="{}")])
    [delivery] = queue.receive()
    queue.bury(delivery, reason="unreadable-media")
    [found] = queue.dead_letters()
    return found.id


def test_dead_letters_are_listed_shown_put_back_and_purged(
    lms: Lms, platform: Platform, letter: str
) -> None:
    listed = json.loads(lms("queue", "list", "--json").stdout)
    shown = json.loads(lms("queue", "show", "transcode", letter, "--json").stdout)
    back = lms("queue", "redrive", "transcode", letter)

    assert listed[1]["dead"] == 1
    assert listed[1]["dead_letters"][0]["reason"] == "unreadable-media"
    assert (shown["reason"], shown["body"]) == ("unreadable-media", "{}")
    assert back.stdout == "1 put back\n"
    assert platform.transcode_queue.depth().ready == 1


def test_purged_letters_are_gone(lms: Lms, platform: Platform, letter: str) -> None:
    run = lms("queue", "purge", "transcode", "--all", "--json")

    assert json.loads(run.stdout) == {"count": 1}
    assert platform.transcode_queue.depth().dead == 0
    assert lms("queue", "show", "transcode", letter).returncode == 1


# Serving


@pytest.fixture
def served(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve as a process of its own; return its address."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "lms_entrypoints.cli", "--json-logs"),
            *("serve", "--port", "0"),
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        told: dict[str, Any] = json.loads(line)
        if told["message"] == "serving":
            address = told["at"]
            break
    yield address, process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stderr.close()


def test_serve_answers_and_stops_cleanly_when_told(
    served: tuple[str, "subprocess.Popen[str]"],
) -> None:
    address, process = served
    with httpx.Client(base_url=address) as browser:
        health = browser.get("/api/v1/health")
        forged = browser.get("/api/v1/health", headers={"x-forwarded-for": "6.6.6.6"})

        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)

    assert health.json() == {"status": "ok"}
    assert "server" not in health.headers
    assert forged.status_code == 200
    assert code == 0
