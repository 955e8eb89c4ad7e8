"""The ``lms`` command.

Whatever is heavy is imported by the command that needs it, so that help and
mistakes are answered at once.
"""

import errno
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from lms_core.errors import (
    ConfigurationError,
    InvalidDocument,
    LmsError,
    Refused,
    Unavailable,
)

if TYPE_CHECKING:
    from lms_core.ports.message_queue import MessageQueue
    from lms_entrypoints.bootstrap import Platform
    from lms_entrypoints.import_course import Report

FAILED = 1
UNAVAILABLE = 69
CONFIGURATION = 78
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MOST_FAULTS = 20

_EXITS = """\b
Exit codes:
  0   done
  1   refused, or a check failed
  2   wrong usage
  69  something needed does not answer, or has no room
  78  wrong configuration

Settings are read from LMS_* variables and lms.toml; see `lms doctor`."""


class Commands(click.Group):
    """Turns errors into one line with a way out, and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as exc:  # whatever it is, a traceback helps no operator
            if ctx.params.get("debug") or _is_closed_pipe(exc):
                raise
            _stop(*_message(exc))


def _is_closed_pipe(exc: Exception) -> bool:
    """Tell whether whoever read our output has gone, which click takes care of."""
    return isinstance(exc, OSError) and exc.errno == errno.EPIPE


def _message(exc: Exception) -> tuple[str, int]:
    """Return what to say about *exc*, and the exit code."""
    if isinstance(exc, LmsError):
        return told(exc), exit_code(exc)
    if isinstance(exc, OSError):
        if exc.errno in _FULL:
            full = "the disk is full; make room, or set LMS_DATA to another"
            return full, UNAVAILABLE
        where = f"{exc.filename}: " if exc.filename else ""
        return f"{where}{exc.strerror or exc}", FAILED
    kind = type(exc).__name__
    return f"internal error ({kind}); `lms --debug …` shows where", FAILED


def exit_code(exc: LmsError) -> int:
    """Return the exit code that *exc* stands for."""
    if isinstance(exc, ConfigurationError):
        return CONFIGURATION
    return UNAVAILABLE if isinstance(exc, Unavailable) else FAILED


def told(exc: LmsError) -> str:
    """Return *exc* for people: a line, or one for each fault of a document."""
    if isinstance(exc, InvalidDocument):
        lines = [str(fault) for fault in exc.faults[:_MOST_FAULTS]]
        more = len(exc.faults) - len(lines)
        return "\n".join(lines + ([f"and {more} more"] if more else []))
    if isinstance(exc, Refused):
        return "refused: " + ", ".join(reason.code for reason in exc.reasons)
    if exc.code == "database-locked":
        return (
            f"{exc}; another program holds it: stop that one, or try again in a moment"
        )
    if exc.code == "storage-full":
        return f"{exc}; make room, or set LMS_DATA to a folder on another disk"
    return str(exc) or exc.code


def _stop(message: str, code: int) -> None:
    click.echo(f"lms: {message}", err=True)
    sys.exit(code)


@click.group(cls=Commands, epilog=_EXITS, context_settings={"max_content_width": 88})
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.option("--json-logs", is_flag=True, help="Log as JSON, one object a line.")
@click.version_option(package_name="lms-core", prog_name="lms")
@click.pass_context
def main(ctx: click.Context, *, debug: bool, json_logs: bool) -> None:
    """Run a learning platform: courses, lectures, quizzes, grades, certificates.

    Start with `lms demo`.
    """
    ctx.obj = {"debug": debug, "json_logs": json_logs}


def _platform(**changes: Any) -> "Platform":
    """Wire the platform by its settings; *changes* come from options."""
    from lms_entrypoints.bootstrap import Platform  # noqa: PLC0415 - heavy
    from lms_entrypoints.settings import load_settings  # noqa: PLC0415 - heavy

    settings = load_settings()
    given = {name: value for name, value in changes.items() if value is not None}
    return Platform(settings.model_copy(update=given))


def _logging(*, quiet: bool = False, stream: TextIO | None = None) -> None:
    import logging  # noqa: PLC0415 - heavy

    from lms_entrypoints.logs import start_logging  # noqa: PLC0415 - heavy

    options = click.get_current_context().find_root().obj or {}
    start_logging(
        as_json=options.get("json_logs", False),
        level=logging.WARNING if quiet else logging.INFO,
        stream=stream,
    )


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def _progress() -> "Iterator[Report]":
    """Show how far files are: a bar on terminals, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _name, _done, _whole: None
        return
    from rich.console import Console  # noqa: PLC0415 - heavy
    from rich.progress import Progress, TaskID  # noqa: PLC0415 - heavy

    with Progress(console=Console(stderr=True), transient=True) as bars:
        known: dict[str, TaskID] = {}

        def report(name: str, done: int, whole: int) -> None:
            # What is before a colon names the bar, whatever comes after it.
            key = name.partition(":")[0]
            if key not in known:
                known[key] = bars.add_task(name, total=whole)
            bars.update(known[key], completed=done, description=name)

        yield report


_HOST = click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen."
)
_PORT = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Which port to listen at; 0 takes a free one.  [default: 8000]",
)
_DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder.  [default: lms-data]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@main.command()
@click.option("--check", is_flag=True, help="Go through the whole journey, and tell.")
@_DATA
@_PORT
@_HOST
@_JSON
def demo(
    *, check: bool, data: Path | None, port: int | None, host: str, as_json: bool
) -> None:
    """Make a platform to look at, and serve it; run it again to go on.

    The first time it makes a data folder, secrets, accounts, two courses and a
    lecture, which is transcoded here. With --check it starts a fresh one in a
    temporary folder, goes through the whole journey over HTTP as author,
    learner, instructor and stranger, prints what was seen, and stops at the
    first step that fails.
    """
    if check:
        _check(data, port, host, as_json=as_json)
        return
    _logging(quiet=True)
    from threading import Event  # noqa: PLC0415 - heavy

    from lms_entrypoints.demo import (  # noqa: PLC0415 - heavy
        prepare_demo,
        wait_for_lectures,
    )
    from lms_entrypoints.serving import (  # noqa: PLC0415 - heavy
        serving,
    )
    from lms_entrypoints.worker import stopped_by_signals  # noqa: PLC0415 - heavy

    taken, platform = _taken(host, port, data)
    stopping = Event()
    with _progress() as report:
        accounts = prepare_demo(
            platform, say=lambda text: click.echo(text, err=True), report=report
        )
    with (
        stopped_by_signals(stopping),
        serving(platform, taken, with_worker=True) as server,
    ):
        click.echo(f"\n  {platform.settings.base_url}\n")
        for account in accounts:
            click.echo(f"  {account.part:<11}{account.email:<26}{account.password}")
        click.echo(
            "\n  Pay with the card 4242 4242 4242 4242. Mails are in "
            f"{platform.data / 'outbox'}.\n  Stop with Ctrl-C.\n"
        )
        with _progress() as report:
            lectures = wait_for_lectures(platform, stopping, report)
        for asset in lectures:
            click.echo(f"  {asset.filename}: {asset.failure or asset.status}")
        while not stopping.wait(1):
            if not server.is_alive():
                raise Unavailable("the server has ended; the log says why")


def _taken(host: str, port: int | None, data: Path | None) -> Any:
    """Take the port first: the platform's address follows from it."""
    from lms_entrypoints.serving import (  # noqa: PLC0415 - heavy
        address_of,
        is_loopback,
        listen,
    )
    from lms_entrypoints.settings import load_settings  # noqa: PLC0415 - heavy

    settings = load_settings()
    chosen = "base_url" in settings.model_fields_set
    if not is_loopback(host) and not chosen:
        raise ConfigurationError(
            f"with --host {host} others can connect; set LMS_BASE_URL to the address "
            "that they use"
        )
    taken = listen(host, 8000 if port is None else port)
    base = None if chosen else address_of(taken)
    return taken, _platform(data=data, base_url=base)


def _check(data: Path | None, port: int | None, host: str, *, as_json: bool) -> None:
    import tempfile  # noqa: PLC0415 - heavy
    from io import StringIO  # noqa: PLC0415 - beside its use

    # Some steps go wrong on purpose: what is logged matters if one fails.
    logged = StringIO()
    _logging(quiet=True, stream=logged)
    from lms_entrypoints.check import (  # noqa: PLC0415 - heavy
        Outcome,
        run_check,
    )
    from lms_entrypoints.demo import prepare_demo  # noqa: PLC0415 - heavy
    from lms_entrypoints.serving import serving  # noqa: PLC0415 - heavy

    def show(outcome: Outcome) -> None:
        if not as_json:
            mark = "ok  " if outcome.works else "FAIL"
            click.echo(
                f"{mark}  {outcome.seconds:6.2f} s  {outcome.step:<46} {outcome.seen}"
            )

    with tempfile.TemporaryDirectory(prefix="lms-check-") as scratch:
        folder = data or Path(scratch) / "data"
        taken, platform = _taken(host, 0 if port is None else port, folder)
        accounts = prepare_demo(platform, lecture=False)
        with serving(platform, taken, with_worker=True):
            outcomes = run_check(platform, accounts, show)
    if as_json:
        _print_json(
            [
                {
                    "step": each.step,
                    "works": each.works,
                    "seen": each.seen,
                    "seconds": round(each.seconds, 3),
                }
                for each in outcomes
            ]
        )
    failed = [each for each in outcomes if not each.works]
    if failed:
        click.echo(logged.getvalue(), err=True, nl=False)
        _stop(f"the check failed at: {failed[0].step}", FAILED)
    total = sum(each.seconds for each in outcomes)
    if not as_json:
        click.echo(f"All {len(outcomes)} steps work, in {total:.1f} s.")


@main.command()
@_HOST
@_PORT
@click.option(
    "--no-worker", is_flag=True, help="Leave background work to `lms worker`."
)
def serve(*, host: str, port: int | None, no_worker: bool) -> None:
    """Serve API and portal, with a worker beside them."""
    _logging()
    from lms_entrypoints.preparing import require_migrated  # noqa: PLC0415 - heavy
    from lms_entrypoints.serving import serve_until_stopped  # noqa: PLC0415 - heavy

    taken, platform = _taken(host, port, None)
    require_migrated(platform)
    serve_until_stopped(platform, taken, with_worker=not no_worker)


@main.command()
def worker() -> None:
    """Do background work: events, lectures, webhooks, deadlines."""
    _logging()
    from lms_entrypoints.preparing import require_migrated  # noqa: PLC0415 - heavy
    from lms_entrypoints.worker import Worker  # noqa: PLC0415 - heavy

    platform = _platform()
    require_migrated(platform)
    Worker(platform).run()


@main.command()
def migrate() -> None:
    """Make the data folder, missing secrets and tables; change nothing else.

    Safe to run before every start, and by several at once.
    """
    from lms_entrypoints import preparing  # noqa: PLC0415 - heavy

    platform = _platform()
    preparing.make_folder(platform)
    for name in preparing.make_secrets(platform):
        click.echo(f"made the secret {name}")
    click.echo(f"the database is at {preparing.migrate(platform)}")


@main.command()
@_JSON
def doctor(*, as_json: bool) -> None:
    """Ask every part whether it works, and say how to fix what does not."""
    _logging(quiet=True)
    from attrs import asdict  # noqa: PLC0415 - heavy

    from lms_entrypoints.doctor import examine  # noqa: PLC0415 - heavy

    findings = examine(_platform())
    if as_json:
        _print_json([asdict(each) for each in findings])
    else:
        for each in findings:
            mark = "ok  " if each.works else "FAIL"
            click.echo(f"{mark} {each.part:<15}{each.milliseconds:>6} ms  {each.seen}")
            if each.adapter:
                extra = f"  [{', '.join(each.capabilities)}]" * bool(each.capabilities)
                click.echo(f"     {'':<15}{'':>9}  {each.adapter}{extra}")
            if each.remedy:
                click.echo(f"     {'':<15}{'':>9}  -> {each.remedy}")
    if not all(each.works for each in findings):
        sys.exit(FAILED)


@main.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "email", required=True, help="Whose course it is to be.")
@click.option("--publish", is_flag=True, help="Let learners see it.")
@_JSON
def import_(*, source: Path, email: str, publish: bool, as_json: bool) -> None:
    """Import the course in a folder, or in a .zip or .tar.gz.

    A course that is there is brought up to date. Nothing is stored unless
    everything is in order.
    """
    from attrs import asdict  # noqa: PLC0415 - heavy

    from lms_core.domain.access.policy import Actor  # noqa: PLC0415 - heavy
    from lms_entrypoints.accounts import find_account  # noqa: PLC0415 - heavy
    from lms_entrypoints.import_course import (  # noqa: PLC0415 - heavy
        import_course,
        opened_course,
    )

    platform = _migrated()
    actor = Actor.of(find_account(platform, email))
    with opened_course(source) as folder, _progress() as report:
        done = import_course(platform, actor, folder, publish=publish, report=report)
    if as_json:
        _print_json(asdict(done))
        return
    what = "created" if done.created else "edited" if done.edited else "unchanged"
    click.echo(f"{done.course}: {what}{', published' * done.published}")
    for lesson in done.uploaded:
        click.echo(f"  {lesson}: uploaded; a worker transcodes it")


@main.command()
@click.argument("course")
@click.argument("folder", type=click.Path(path_type=Path))
@_JSON
def export(*, course: str, folder: Path, as_json: bool) -> None:
    """Write a course, with its lectures, to a new folder."""
    from attrs import asdict  # noqa: PLC0415 - heavy

    from lms_core.domain.ids import course_id  # noqa: PLC0415 - heavy
    from lms_entrypoints.accounts import OPERATOR  # noqa: PLC0415 - heavy
    from lms_entrypoints.export_course import export_course  # noqa: PLC0415 - heavy

    done = export_course(_migrated(), OPERATOR, course_id(course), folder)
    if as_json:
        _print_json(asdict(done))
        return
    click.echo(f"{course}: written to {folder}, {len(done.lectures)} lectures")
    for lesson in done.without_file:
        click.echo(f"  {lesson}: has no file")


def _migrated() -> "Platform":
    from lms_entrypoints.preparing import require_migrated  # noqa: PLC0415 - heavy

    platform = _platform()
    require_migrated(platform)
    return platform


@main.group()
def user() -> None:
    """Manage accounts and roles."""


@user.command("add")
@click.argument("email")
@click.option("--name", required=True, help="The name, as on certificates.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option(
    "--role",
    type=click.Choice(["instructor", "admin"]),
    help="What else than a learner; an instructor may create courses.",
)
def user_add(*, email: str, name: str, password_stdin: bool, role: str | None) -> None:
    """Open an account."""
    from lms_core.domain.people.user import Role  # noqa: PLC0415 - heavy
    from lms_entrypoints.accounts import add_account, grant  # noqa: PLC0415 - heavy

    platform = _migrated()
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    made = add_account(platform, email=email, name=name, password=password)
    if role is not None:
        grant(platform, made.email, Role(role))
    click.echo(f"{made.email}: {made.id}")


@user.command("list")
@_JSON
def user_list(*, as_json: bool) -> None:
    """List accounts by address."""
    from lms_entrypoints.accounts import all_accounts  # noqa: PLC0415 - heavy

    people = [
        {
            "email": each.email,
            "name": each.name,
            "id": each.id,
            "roles": [
                f"{g.role} of {g.course}" if g.course else str(g.role)
                for g in each.grants
            ],
            "suspended": each.suspended,
        }
        for each in all_accounts(_migrated())
    ]
    if as_json:
        _print_json(people)
        return
    for person in people:
        roles = ", ".join(person["roles"]) or "student"  # type: ignore[arg-type]  # texts
        click.echo(f"{person['email']:<36} {person['name']:<28} {roles}")


@user.command("grant")
@click.argument("email")
@click.argument("role", type=click.Choice(["instructor", "admin"]))
@click.option("--course", help="For this course alone.")
def user_grant(*, email: str, role: str, course: str | None) -> None:
    """Give a role, on one course or everywhere."""
    from lms_core.domain.ids import course_id  # noqa: PLC0415 - heavy
    from lms_core.domain.people.user import Role  # noqa: PLC0415 - heavy
    from lms_entrypoints.accounts import grant  # noqa: PLC0415 - heavy

    if role == "admin" and course is not None:
        raise click.UsageError("no course has admins; leave --course out")
    known = grant(_migrated(), email, Role(role), course_id(course) if course else None)
    click.echo(f"{known.email}: {role}{f' of {course}' if course else ''}")


@main.group()
def queue() -> None:
    """See what waits, and what was given up and why."""


_QUEUE = click.argument("name", type=click.Choice(["events", "transcode"]))
_IDS = click.argument("ids", nargs=-1)


@queue.command("list")
@_JSON
def queue_list(*, as_json: bool) -> None:
    """Tell how full each queue is, and what was given up."""
    from lms_entrypoints.bootstrap import QUEUES  # noqa: PLC0415 - heavy

    platform = _migrated()
    found = []
    for name in QUEUES:
        opened = platform.queue(name)
        depth = opened.depth()
        found.append(
            {
                "name": name,
                "ready": depth.ready,
                "leased": depth.leased,
                "dead": depth.dead,
                "dead_letters": [
                    {"id": each.id, "reason": each.reason, "died_at": each.died_at}
                    for each in opened.dead_letters()
                ],
            }
        )
    if as_json:
        _print_json(found)
        return
    for each in found:
        click.echo(
            f"{each['name']:<11}{each['ready']:>7} ready{each['leased']:>7} leased"
            f"{each['dead']:>7} dead"
        )
        for letter in each["dead_letters"]:  # type: ignore[attr-defined]  # a list
            click.echo(f"  {letter['id']:<10} {letter['reason']}")


@queue.command("show")
@_QUEUE
@click.argument("id_", metavar="ID")
@_JSON
def queue_show(*, name: str, id_: str, as_json: bool) -> None:
    """Show a dead letter."""
    from lms_core.errors import NotFound  # noqa: PLC0415 - beside its use

    for letter in _migrated().queue(name).dead_letters():
        if letter.id == id_:
            break
    else:
        raise NotFound(f"no dead letter {id_} in {name}; see `lms queue list`")
    about = {
        "id": letter.id,
        "reason": letter.reason,
        "deliveries": letter.deliveries,
        "died_at": letter.died_at,
        "attributes": dict(letter.message.attributes),
        "body": letter.message.body,
    }
    if as_json:
        _print_json(about)
        return
    for key, value in about.items():
        click.echo(f"{key}: {value}")


@queue.command("redrive")
@_QUEUE
@_IDS
@click.option("--all", "everything", is_flag=True, help="All that was given up.")
@_JSON
def queue_redrive(
    *, name: str, ids: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Put dead letters back, to be tried again."""
    _on_dead_letters(
        name, ids, lambda q, some: q.redrive(some), everything, as_json, "put back"
    )


@queue.command("purge")
@_QUEUE
@_IDS
@click.option("--all", "everything", is_flag=True, help="All that was given up.")
@_JSON
def queue_purge(
    *, name: str, ids: tuple[str, ...], everything: bool, as_json: bool
) -> None:
    """Delete dead letters for good."""
    _on_dead_letters(
        name, ids, lambda q, some: q.purge_dead(some), everything, as_json, "deleted"
    )


def _on_dead_letters(  # noqa: PLR0917 - two commands share it
    name: str,
    ids: tuple[str, ...],
    act: "Callable[[MessageQueue, tuple[str, ...] | None], int]",
    everything: bool,  # noqa: FBT001 - as the option gives it
    as_json: bool,  # noqa: FBT001 - as the option gives it
    verb: str,
) -> None:
    if everything == bool(ids):
        raise click.UsageError("name dead letters, or give --all")
    count = act(_migrated().queue(name), None if everything else ids)
    if as_json:
        _print_json({"count": count})
    else:
        click.echo(f"{count} {verb}")


if __name__ == "__main__":
    main()
