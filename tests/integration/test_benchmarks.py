"""The benchmarks run, tell what they saw, and say clearly why they could not."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(
    path.stem for path in (ROOT / "benchmarks").glob("[!_]*.py") if path.stem != "row"
)
FIELDS = ["benchmark", "case", "value", "unit", "floor", "ratio", "goal", "met"]
Run = Callable[..., subprocess.CompletedProcess[str]]

_FAKE = """
from benchmarks.row import BadWorkload, Row, limited

def run(workload, rounds):
    if workload is not None:
        raise BadWorkload(f"{workload}: it is of no use")
    return [
        Row(benchmark="fake", case="a rate", value=50.0, unit="1/s",
            floor=100.0, ratio=2.0, goal=1.5, met=False),
        limited(benchmark="fake", case="a limit", value=15.0, unit="ms", limit=60.0),
        Row(benchmark="fake", case="rounds", value=rounds, unit=""),
    ]
"""


@pytest.fixture
def fake(tmp_path: Path) -> Run:
    """Return the runner with two tiny benchmarks; one of them crashes."""
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    for name in ("__main__.py", "row.py"):
        (folder / name).write_text((ROOT / "benchmarks" / name).read_text("utf-8"))
    (folder / "fake.py").write_text(_FAKE)
    crash = "def run(workload, rounds):\n    raise RuntimeError('it fell over')\n"
    (folder / "crash.py").write_text(crash)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "benchmarks", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_json_has_every_field_of_every_row_and_nothing_else(fake: Run) -> None:
    done = fake("fake", "--json", "--rounds", "3")

    rows = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [list(row) for row in rows] == [FIELDS] * 3
    assert rows[0]["met"] is False
    assert (rows[1]["ratio"], rows[1]["goal"], rows[1]["met"]) == (0.25, 1.0, True)
    assert (rows[2]["value"], rows[2]["floor"], rows[2]["met"]) == (3, None, None)


def test_the_table_shows_each_figure_and_where_its_goal_is(fake: Run) -> None:
    done = fake("fake")

    heading, rate, limit, rounds = done.stdout.splitlines()
    assert done.returncode == 0
    for name in ("name", "case", "value", "unit", "floor", "ratio", "goal", "met"):
        assert name in heading
    shown = ["fake", "a", "rate", "50", "1/s", "100", "2", "1.5", "NO"]
    assert rate.split()[:9] == shown
    assert "██████████|███·······" in rate
    assert "yes" in limit
    assert "██········|··········" in limit
    assert "|" not in rounds


def test_a_crash_is_told_and_the_others_still_run(fake: Run) -> None:
    done = fake("--json")

    assert done.returncode == 1
    assert "it fell over" in done.stderr
    assert "crashed: crash" in done.stderr
    assert {row["benchmark"] for row in json.loads(done.stdout)} == {"fake"}


def test_an_unknown_name_is_answered_with_those_there_are(fake: Run) -> None:
    done = fake("fke")

    assert (done.returncode, done.stdout) == (2, "")
    assert "no benchmark 'fke'; try crash, fake" in done.stderr


def test_a_workload_that_is_no_use_is_said_in_a_line(fake: Run, tmp_path: Path) -> None:
    file = tmp_path / "workload.json"
    file.write_text("{}")

    useless = fake("fake", "--workload", str(file))
    absent = fake("fake", "--workload", str(tmp_path / "absent.json"))

    assert (useless.returncode, absent.returncode) == (2, 2)
    assert "it is of no use" in useless.stderr
    assert "does not exist" in absent.stderr
    assert "Traceback" not in useless.stderr + absent.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_can_be_run_by_its_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))

    module = import_module(f"benchmarks.{name}")

    assert callable(module.run)
    assert module.__doc__


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"bytes": 0}', '{"bytes": true}', '{"bytes": "1"}']
)
def test_an_upload_is_told_its_size_or_says_how(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    file = tmp_path / "workload.json"
    file.write_text(text)
    bad = import_module("benchmarks.row").BadWorkload

    with pytest.raises(bad, match=r"workload\.json"):
        import_module("benchmarks.upload").run(file, 1)


def test_what_is_no_film_is_not_transcoded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    file = tmp_path / "workload.json"
    file.write_text("{}")
    bad = import_module("benchmarks.row").BadWorkload

    with pytest.raises(bad, match="no file with picture and sound"):
        import_module("benchmarks.transcode").run(file, 1)


def test_a_server_grows_no_further_than_it_may_however_many_parts_come_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    workload = tmp_path / "workload.json"
    workload.write_text(json.dumps({"bytes": 100_000_000}))

    rows = import_module("benchmarks.upload").run(workload, 1)

    growth = [row for row in rows if row.unit == "MiB"]
    assert len(growth) == 3
    assert [row.case for row in growth if not row.met] == []
