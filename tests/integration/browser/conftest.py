"""A platform that is really served, and browsers that forgive nothing."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Any, Literal

import pytest
from attrs import Factory, define, frozen
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
)

from lms_core.domain.access.policy import Actor
from lms_core.domain.ids import CourseId
from lms_core.domain.media.asset import MediaStatus
from lms_core.domain.people.user import Role
from lms_entrypoints.accounts import find_account, grant
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.course_folder.reader import read_course_folder
from lms_entrypoints.demo import Account, prepare_demo, wait_for_lectures
from lms_entrypoints.import_course import import_course
from lms_entrypoints.sample_courses import LECTURE, STREAMING, copy_sample_course
from lms_entrypoints.sample_lecture import make_sample_lecture, sample_captions
from lms_entrypoints.serving import address_of, listen, serving
from lms_entrypoints.settings import Settings

PICTURES = os.environ.get("PORTAL_PICTURES", "")
"""A folder for pictures of every page that is looked at; by default none are made."""

LECTURE_S = 40 if PICTURES else 12
SIZES = ((1280, 900), (360, 800))
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
_WIDER = "document.documentElement.scrollWidth - innerWidth"


@frozen(kw_only=True)
class Site:
    """A platform under its address, and who may sign in to it."""

    platform: Platform
    url: str
    accounts: dict[str, Account]
    vendor: Path
    """Where scripts of others are looked for; there are none at first."""


@pytest.fixture(scope="session")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lecture") / "lecture.mp4"
    make_sample_lecture(path, seconds=LECTURE_S)
    return path


@pytest.fixture(scope="module")
def site(lecture: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the demo, with a lecture that is over soon, and its worker."""
    folder = tmp_path_factory.mktemp("site")
    with listen("127.0.0.1", 0) as taken:
        vendor = folder / "vendor"
        vendor.mkdir()
        settings = Settings(
            data=folder / "data", base_url=address_of(taken), hls_js=vendor
        )
        platform = Platform(settings)
        accounts = {each.part: each for each in prepare_demo(platform, lecture=False)}
        _bring_course(platform, accounts, folder / "course", lecture)
        with serving(platform, taken, with_worker=True):
            [asset] = wait_for_lectures(platform, Event())
            assert asset.status is MediaStatus.READY
            yield Site(
                platform=platform,
                url=settings.base_url,
                accounts=accounts,
                vendor=vendor,
            )
    for part in ("gateway", "transcoder"):
        vars(platform)[part].close()


def _bring_course(
    platform: Platform, accounts: dict[str, Account], folder: Path, lecture: Path
) -> None:
    copy_sample_course(STREAMING, folder)
    shutil.copyfile(lecture, folder / LECTURE)
    captions = (folder / LECTURE).with_name("lecture.en.vtt")
    captions.write_text(sample_captions(seconds=LECTURE_S))
    author = Actor.of(find_account(platform, accounts["author"].email))
    import_course(platform, author, read_course_folder(folder), publish=True)
    instructor = accounts["instructor"].email
    grant(platform, instructor, Role.INSTRUCTOR, CourseId(STREAMING))


@define(slots=False)  # Playwright notes on it which methods it calls
class Visitor:
    """Somebody with a browser of her own, whose complaints are written down."""

    site: Site
    context: BrowserContext
    page: Page
    complaints: list[str] = Factory(list)
    expected: list[str] = Factory(list)
    """Complaints that the test provokes, as regular expressions."""

    def watch(self) -> None:
        """Write down every error of a script, of the policy and of the server."""
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self._complain(str(error.error)))
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)

    def _complain(self, what: str) -> None:
        if not any(re.search(each, what) for each in self.expected):
            self.complaints.append(what)

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium calls every refusal an error; a refusal shown as a page is none.
        refusal = "status of 403" in message.text or "status of 404" in message.text
        if message.type in {"error", "warning"} and not refusal:
            self._complain(f"console: {message.text} ({message.location['url']})")

    def _failed(self, request: Request) -> None:
        # Whoever leaves a page or seeks in a lecture aborts what was being loaded.
        if request.failure not in {None, "net::ERR_ABORTED"}:
            self._complain(f"{request.failure}: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self._complain(f"{response.status}: {response.url}")

    def go(self, path: str) -> None:
        self.page.goto(path)

    def sign_in(self, part: str) -> None:
        account = self.site.accounts[part]
        self.go("/sign-in")
        self.page.get_by_label("Email address").fill(account.email)
        self.page.get_by_label("Password").fill(account.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/learn")

    def look(self, name: str) -> None:
        """Hold this page to WCAG 2.2 AA: in each theme, on a desk and on a telephone.

        Nothing may be wider than the screen.
        """
        self.page.wait_for_load_state("load")
        self.page.evaluate(_AXE)
        for width, height in SIZES:
            self.page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES:
                self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                where = f"{name}, {width} px, {theme}"
                self.complaints += [f"{where}: {each}" for each in self._faults()]
                if PICTURES:
                    path = Path(PICTURES) / f"{name}-{width}-{theme}.png"
                    self.page.screenshot(path=path, full_page=True)
            if wider := self.page.evaluate(_WIDER):
                self.complaints.append(f"{name}, {width} px: {wider} px too wide")
        self.page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
        self.page.emulate_media(color_scheme="light")

    def _faults(self) -> list[str]:
        options = json.dumps({"runOnly": _RULES, "resultTypes": ["violations"]})
        results: dict[str, Any] = self.page.evaluate(f"axe.run({options})")
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in results["violations"]
            for node in rule["nodes"]
        ]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[[], Visitor]]:
    """Open a browser of somebody's own; at the end nobody may have complaints."""
    visitors: list[Visitor] = []

    def make(script: str | None = None) -> Visitor:
        context = browser.new_context(
            base_url=site.url,
            locale="en-GB",
            viewport={"width": SIZES[0][0], "height": SIZES[0][1]},
        )
        if script is not None:
            context.add_init_script(script)
        visitor = Visitor(site, context, context.new_page())
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        visitor.context.close()
    complaints = [each for visitor in visitors for each in visitor.complaints]
    assert not complaints, "\n".join(complaints)
