"""Make a platform to look at: accounts, two courses and a real lecture."""

import json
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

from attrs import field, frozen

from lms_core.domain.access.policy import Actor
from lms_core.domain.ids import CourseId
from lms_core.domain.media.asset import MediaAsset, MediaStatus
from lms_core.domain.people.user import Role, normal_email
from lms_core.errors import ConfigurationError, Unavailable
from lms_entrypoints.accounts import add_account, find_account, grant
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.course_folder.folder import CourseFolder
from lms_entrypoints.course_folder.reader import read_course_folder
from lms_entrypoints.import_course import Report, import_course, tell_nobody
from lms_entrypoints.preparing import prepare, write_private
from lms_entrypoints.sample_courses import (
    LEARNING,
    LECTURE,
    STREAMING,
    copy_sample_course,
)
from lms_entrypoints.sample_lecture import make_sample_lecture

ACCOUNTS_FILE = "demo-accounts.json"
_LECTURE_WITHIN_S = 1800
_LOOK_EVERY_S = 0.5


@frozen(kw_only=True)
class Account:
    """Somebody to sign in as."""

    part: str
    email: str
    name: str
    password: str = field(repr=False)


_PEOPLE = (
    ("author", "author@demo.example", "Ada Author"),
    ("instructor", "instructor@demo.example", "Ines Instructor"),
    ("learner", "learner@demo.example", "Lena Learner"),
    ("admin", "admin@demo.example", "Adam Admin"),
)


def prepare_demo(
    platform: Platform,
    *,
    lecture: bool = True,
    say: Callable[[str], None] = lambda _text: None,
    report: Report = tell_nobody,
) -> tuple[Account, ...]:
    """Make what a demo needs, as far as it is not there; return the accounts.

    Without *lecture*, only the free course is imported. The stream of the
    lecture is made by a worker afterwards.

    Raises:
        ConfigurationError: ffmpeg is missing, or the settings do not fit.
    """
    say("Data folder, secrets and tables")
    prepare(platform)
    accounts = _accounts(platform)
    say("Sample courses")
    teach(platform, LEARNING, report)
    if lecture:
        teach(platform, STREAMING, report)
    return accounts


def teach(platform: Platform, course: str, report: Report = tell_nobody) -> None:
    """Import a sample course as the demo's author, unless it is there."""
    with platform.start(read_only=True) as work:
        known = work.courses.find(CourseId(course))
    if known is not None and known.publication is not None:
        return
    author = Actor.of(find_account(platform, _PEOPLE[0][1]))
    with sample_folder(course) as folder:
        import_course(platform, author, folder, publish=True, report=report)
    # The author brings a course, the instructor looks after its learners.
    grant(platform, _PEOPLE[1][1], Role.INSTRUCTOR, CourseId(course))


@contextmanager
def sample_folder(course: str) -> Iterator[CourseFolder]:
    """Read a sample course, with its lecture; the files last as long as the context."""
    with tempfile.TemporaryDirectory(prefix="lms-sample-") as scratch:
        root = Path(scratch) / course
        copy_sample_course(course, root)
        if course == STREAMING:
            make_sample_lecture(root / LECTURE)
        yield read_course_folder(root)


def _accounts(platform: Platform) -> tuple[Account, ...]:
    """Return the demo's accounts; their passwords are made once, and kept."""
    path = platform.data / ACCOUNTS_FILE
    kept: dict[str, str] = {}
    if path.is_file():
        try:
            kept = {str(k): str(v) for k, v in json.loads(path.read_text()).items()}
        except (ValueError, AttributeError) as exc:
            raise ConfigurationError(
                f"{path} is damaged; remove the folder and start again"
            ) from exc
    accounts = tuple(
        Account(
            part=part,
            email=email,
            name=name,
            password=kept.get(email) or secrets.token_urlsafe(9),
        )
        for part, email, name in _PEOPLE
    )
    # Kept before the accounts are made: a password that nobody knows is lost.
    write_private(path, json.dumps({each.email: each.password for each in accounts}))
    with platform.start(read_only=True) as work:
        known = {
            each.email: work.users.find_email(normal_email(each.email))
            for each in accounts
        }
    for each in accounts:
        if known[each.email] is None:
            add_account(
                platform, email=each.email, name=each.name, password=each.password
            )
    grant(platform, _PEOPLE[0][1], Role.INSTRUCTOR)
    grant(platform, _PEOPLE[3][1], Role.ADMIN)
    return accounts


def wait_for_lectures(
    platform: Platform, stopping: Event, report: Report = tell_nobody
) -> tuple[MediaAsset, ...]:
    """Wait until every lecture of the sample course is ready or has failed.

    Raises:
        Unavailable: it takes too long.
    """
    began = monotonic()
    while True:
        with platform.start(read_only=True) as work:
            found = work.media.of_course(CourseId(STREAMING)).items
        for asset in found:
            report(_told(asset), asset.progress.floor(), 100)
        ended = all(
            asset.status in {MediaStatus.READY, MediaStatus.FAILED} for asset in found
        )
        if ended or stopping.wait(_LOOK_EVERY_S):
            return found
        if monotonic() - began > _LECTURE_WITHIN_S:
            raise Unavailable("the lecture is not ready after half an hour")


def _told(asset: MediaAsset) -> str:
    return f"{asset.filename}: {asset.status}"
