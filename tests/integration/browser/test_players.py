"""The lecture plays by each of the three means: natively, by hls.js, and as a file."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HLS_JS = "hls.js@1.7"
LESSON = "/learn/adaptive-streaming/the-idea-in-forty-seconds"
WITHOUT_NATIVE_HLS = """
    const canPlayType = HTMLMediaElement.prototype.canPlayType;
    HTMLMediaElement.prototype.canPlayType = function (type) {
        return type.includes("mpegurl") ? "" : canPlayType.call(this, type);
    };
"""


@pytest.fixture
def hls_js(site: Any, tmp_path: Path) -> Iterator[None]:
    """Install hls.js on the site, as the documentation says."""
    npm = shutil.which("npm")
    if npm is None:
        if os.environ.get("LMS_REQUIRE_ALL"):
            pytest.fail("npm is missing: apt-get install npm")
        pytest.skip("npm is missing")
    subprocess.run(  # noqa: S603 - a fixed command of the test
        [
            *(npm, "install", "--prefix", str(tmp_path), "--ignore-scripts"),
            *("--no-audit", "--no-fund", "--silent", HLS_JS),
        ],
        check=True,
    )
    script = site.vendor / "hls.min.js"
    shutil.copyfile(tmp_path / "node_modules/hls.js/dist/hls.min.js", script)
    yield
    script.unlink()


def played(page: Page) -> str:
    """Play until pictures were decoded; return the address that they came from."""
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function(
        """() => {
            const video = document.querySelector("video");
            const { totalVideoFrames } = video.getVideoPlaybackQuality();
            return video.currentTime > 1 && totalVideoFrames > 0;
        }"""
    )
    address: str = page.evaluate("document.querySelector('video').currentSrc")
    return address


def test_a_browser_that_knows_hls_plays_the_stream(visit: Callable[..., Any]) -> None:
    ada = visit()
    ada.sign_in("author")

    ada.go(LESSON)

    assert played(ada.page).endswith("/master.m3u8")


def test_a_browser_without_hls_plays_the_file(visit: Callable[..., Any]) -> None:
    ada = visit(WITHOUT_NATIVE_HLS)
    # Nobody has installed hls.js, and the browser says so.
    ada.expected.append("/static/vendor/hls.min.js")
    ada.sign_in("author")

    ada.go(LESSON)

    assert played(ada.page).endswith("/progressive.mp4")


@pytest.mark.usefixtures("hls_js")
def test_hls_js_plays_the_stream_where_it_is_installed(
    visit: Callable[..., Any],
) -> None:
    ada = visit(WITHOUT_NATIVE_HLS)
    ada.sign_in("author")

    ada.go(LESSON)

    assert played(ada.page).startswith("blob:")
