"""The example says what the README says it does."""

import subprocess
import sys
from pathlib import Path


def test_the_grade_is_exact_and_explained() -> None:
    program = Path(__file__).with_name("grade_a_course.py")

    done = subprocess.run(  # noqa: S603 - our own file
        [sys.executable, str(program)], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == [
        "17/20 of one",
        "h1     dropped  0 of the grade",
        "h2     counted  2/5 of the grade",
        "final  counted  3/5 of the grade",
    ]
