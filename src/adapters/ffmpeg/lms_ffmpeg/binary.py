"""Find the ffmpeg program."""

import os
import subprocess
from pathlib import Path

from lms_core.errors import ConfigurationError

_REMEDY = (
    "pip install 'lms-core[ffmpeg]', or name another build of ffmpeg"
    " in IMAGEIO_FFMPEG_EXE"
)


def find_ffmpeg() -> Path:
    """Return the ffmpeg program to run.

    Raises:
        ConfigurationError: there is none; the message says how to get one.
    """
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - its absence has a remedy to name

        found = Path(imageio_ffmpeg.get_ffmpeg_exe()).absolute()
    except (ImportError, RuntimeError) as exc:
        raise ConfigurationError(f"ffmpeg is missing: {_REMEDY}") from exc
    if not os.access(found, os.X_OK):
        raise ConfigurationError(f"{found} cannot be run: {_REMEDY}")
    return found


def version() -> str:
    """Return what the program calls its version, as in ``n9.0.2``.

    Raises:
        ConfigurationError: it is missing or does not run.
    """
    found = find_ffmpeg()
    try:
        told = subprocess.run(  # noqa: S603 - our own program, fixed arguments
            [str(found), "-hide_banner", "-version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=30,
        ).stdout
        return told.split()[2]
    except (OSError, subprocess.SubprocessError, IndexError) as exc:
        raise ConfigurationError(f"{found} does not run: {_REMEDY}") from exc
