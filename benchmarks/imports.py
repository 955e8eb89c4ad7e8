"""What a cold start costs: importing the core, and asking ``lms`` for help.

Every figure is the median of interpreters of their own. Bare Python takes its turn
in each round, because a busy machine slows all of them alike. Modules are compiled,
as they are wherever something was installed and has run once.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.row import Row, limited

LEAST_RUNS = 9
IMPORT_MS = 60.0
HELP_MS = 250.0

# The test kit is left out: it is for tests, and needs their libraries.
_WHOLE = """
import sys
from importlib import import_module
from pathlib import Path
import lms_core
root = Path(lms_core.__file__).parent
for path in sorted(root.rglob("*.py")):
    parts = path.relative_to(root).with_suffix("").parts
    if parts[0] != "testing" and parts[-1] != "__init__":
        import_module(".".join(("lms_core", *parts)))
"""
_FOREIGN = f"""
import sys
before = set(sys.modules)
{_WHOLE}
ours = {{"lms_core", "attr", "attrs"}} | sys.stdlib_module_names
print(*sorted({{n.partition(".")[0] for n in set(sys.modules) - before}} - ours))
"""
# What the command's script does, wherever the script is.
_HELP = "import sys; sys.argv = ['lms', '--help']"
_HELP += "; from lms_entrypoints.cli import main; main()"
_PROGRAMS = {
    "bare": "pass",
    "import lms_core": "import lms_core",
    "whole": _WHOLE,
    "help": _HELP,
}


def run(workload: Path | None, rounds: int) -> list[Row]:
    """Measure time on the clock, and look at what was imported."""
    del workload  # imports need no data of their own
    times: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
    processor: list[float] = []
    with tempfile.TemporaryDirectory() as compiled:
        for program in _PROGRAMS.values():
            _ms(program, compiled)  # the first run compiles
        for _ in range(max(rounds, LEAST_RUNS)):
            for name, program in _PROGRAMS.items():
                times[name].append(_ms(program, compiled))
            before = _processor_ms()
            _python(_HELP, compiled)
            processor.append(_processor_ms() - before)
        foreign = _python(_FOREIGN, compiled).split()

    def over_bare(name: str) -> float:
        pairs = zip(times[name], times["bare"], strict=True)
        return median(ours - bare for ours, bare in pairs)

    return [
        limited(
            benchmark="imports",
            case="import lms_core, over bare Python",
            value=over_bare("import lms_core"),
            unit="ms",
            limit=IMPORT_MS,
        ),
        Row(
            benchmark="imports",
            case="import every module of lms_core, over bare Python",
            value=over_bare("whole"),
            unit="ms",
        ),
        Row(
            benchmark="imports",
            case=_case_of(foreign),
            value=len(foreign),
            unit="packages",
            ratio=float(len(foreign)),
            goal=0.0,
            met=not foreign,
        ),
        limited(
            benchmark="imports",
            case="lms --help",
            value=median(times["help"]),
            unit="ms",
            limit=HELP_MS,
        ),
        Row(
            benchmark="imports",
            case="lms --help, processor time",
            value=median(processor),
            unit="ms",
        ),
        Row(
            benchmark="imports",
            case="bare Python",
            value=median(times["bare"]),
            unit="ms",
        ),
    ]


def _case_of(foreign: list[str]) -> str:
    named = f": {' '.join(foreign)}" if foreign else ""
    return f"SDKs and frameworks that lms_core imports{named}"


def _ms(program: str, compiled: str) -> float:
    start = perf_counter()
    _python(program, compiled)
    return (perf_counter() - start) * 1000


def _processor_ms() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1000


def _python(program: str, compiled: str) -> str:
    environment = dict(os.environ) | {"PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout


if __name__ == "__main__":
    for row in run(None, LEAST_RUNS):
        print(row)
