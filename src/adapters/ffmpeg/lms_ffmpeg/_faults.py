"""Why a job ends without a result."""

from lms_core.errors import Reason

FAILED_INSIDE = "transcoder-failed"


class Stopped(Exception):
    """Somebody asked the job to end."""


class MediaFault(Exception):
    """The job cannot succeed; *permanent* says that trying again will not help."""

    def __init__(
        self, code: str, *, permanent: bool = True, **about: str | int
    ) -> None:
        super().__init__(f"{code} {about}" if about else code)
        self.reason = Reason(code, about)
        self.permanent = permanent


def unreadable(why: str) -> MediaFault:
    """Return the fault of a source that is not the media it claims to be."""
    return MediaFault("unreadable-media", why=why)
