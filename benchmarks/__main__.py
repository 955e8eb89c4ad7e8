"""Run benchmarks: ``python -m benchmarks [NAME ...]``."""

import json
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import click
from attrs import asdict
from benchmarks.row import BadWorkload, Row
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Benchmark = Callable[[Path | None, int], list[Row]]
Step = Callable[[str], None]

_NOT_BENCHMARKS = {"row"}
_WIDTH = 140
_ROOM_FOR_BARS = 110
_BAR = 20
_GOAL_AT = 10
"""Where in the bar the goal stands: a bar that is full is twice the goal or more."""


def names_in(folder: Path) -> tuple[str, ...]:
    """Return the names of the benchmarks in *folder*, in alphabetical order."""
    found = (module.name for module in iter_modules([str(folder)]))
    return tuple(
        sorted(
            name
            for name in found
            if name not in _NOT_BENCHMARKS and not name.startswith("_")
        )
    )


def load(name: str) -> Benchmark:
    """Return the function that runs the benchmark called *name*."""
    run: Benchmark = import_module(f"benchmarks.{name}").run
    return run


def bar(row: Row) -> Text:
    """Draw the ratio against the goal, which is the upright line in the middle."""
    if row.ratio is None or row.goal is None:
        return Text("")
    share = row.ratio / row.goal if row.goal else 2.0 * (row.ratio > 0)
    filled = max(0, min(_BAR, round(share * _GOAL_AT)))
    picture = "█" * filled + "·" * (_BAR - filled)
    drawn = f"{picture[:_GOAL_AT]}|{picture[_GOAL_AT:]}"
    return Text(drawn, style="green" if row.met else "red")


def table_of(rows: Sequence[Row], *, width: int) -> Table:
    """Return the figures for people; bars only where *width* leaves room for them."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("case")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for heading in ("floor", "ratio", "goal"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("met", no_wrap=True)
    has_bars = width >= _ROOM_FOR_BARS
    if has_bars:
        table.add_column("0 · ratio · goal | · twice", no_wrap=True)
    for row in rows:
        met = "" if row.met is None else Text("yes" if row.met else "NO")
        figures = map(_figure, (row.floor, row.ratio, row.goal))
        cells = [row.benchmark, row.case, _figure(row.value), row.unit, *figures, met]
        table.add_row(*cells, *([bar(row)] if has_bars else []))
    return table


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@contextmanager
def _telling() -> Iterator[Step]:
    """Show which benchmark is running: on terminals, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _name: None
        return
    columns = (SpinnerColumn(), "{task.description}", TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("")

        def step(name: str) -> None:
            shown.reset(task, description=name)

        yield step


def measure(
    chosen: Sequence[str], workload: Path | None, rounds: int
) -> tuple[list[Row], list[str]]:
    """Run the benchmarks one after the other; return rows, and who crashed.

    One that crashes says why on standard error, and the others still run.

    Raises:
        BadWorkload: the workload is no use to one of them.
    """
    rows: list[Row] = []
    crashed: list[str] = []
    with _telling() as step:
        for name in chosen:
            step(name)
            try:
                rows += load(name)(workload, rounds)
            except BadWorkload as exc:
                raise BadWorkload(f"{name}: {exc}") from exc
            except Exception:  # noqa: BLE001 - it is printed, and the exit code says so
                traceback.print_exc()
                crashed.append(name)
    return rows, crashed


def _checked(
    _context: click.Context, _parameter: click.Parameter, given: Sequence[str]
) -> tuple[str, ...]:
    known = names_in(Path(__file__).parent)
    for name in given:
        if name not in known:
            raise click.BadParameter(f"no benchmark {name!r}; try {', '.join(known)}")
    return tuple(given) or known


@click.command(context_settings={"max_content_width": 88})
@click.argument("names", nargs=-1, callback=_checked, metavar="[NAME]...")
@click.option(
    "--workload",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="What to work on, for benchmarks that can take something else.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="How often to measure; figures are medians.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    *, names: tuple[str, ...], workload: Path | None, rounds: int, as_json: bool
) -> None:
    """Measure what this project costs, each figure beside its floor.

    Without a NAME, every benchmark runs. A goal that is missed is a figure like
    any other: the exit code is 1 only where a benchmark crashes, and 2 where
    the command line or the workload is wrong.
    """
    try:
        rows, crashed = measure(names, workload, rounds)
    except BadWorkload as exc:
        raise click.UsageError(str(exc)) from exc
    if as_json:
        rounded: list[dict[str, Any]] = [asdict(row) for row in rows]
        click.echo(json.dumps(rounded, ensure_ascii=False, indent=2))
    elif rows:
        # A file or a pipe has no width that a table could be cut to.
        width = None if sys.stdout.isatty() else _WIDTH
        console = Console(width=width)
        console.print(table_of(rows, width=console.width))
    if crashed:
        click.echo(f"crashed: {', '.join(crashed)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
