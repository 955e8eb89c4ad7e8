import json
import os
import subprocess
import sys
from pathlib import Path


def test_the_whole_journey_works_in_a_fresh_demo(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LMS_")}

    run = subprocess.run(
        [sys.executable, "-m", "lms_entrypoints.cli", "demo", "--check", "--json"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=tmp_path,
        env=kept,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    outcomes = json.loads(run.stdout)
    assert len(outcomes) == 29
    assert all(each["works"] and each["seen"] for each in outcomes)
