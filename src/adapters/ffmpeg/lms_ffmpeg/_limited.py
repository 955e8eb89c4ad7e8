"""Become a program that cannot outlive its parent or use more than its share.

Run as a script, ``_limited.py PARENT CPU MEMORY FILE PROGRAM ...``: limits are set
in the new process and not between fork and exec, where threads make that unsafe.
"""

import ctypes
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG = 1


def _limit(what: int, most: int) -> None:
    ceiling = resource.getrlimit(what)[1]
    if ceiling != resource.RLIM_INFINITY:
        most = min(most, ceiling)
    resource.setrlimit(what, (most, most))


def main(parent: str, cpu: str, memory: str, file: str, *command: str) -> None:
    """Set the limits (seconds, bytes, bytes) and run *command* in this process."""
    # No softer limit for the processor: ffmpeg would take its signal for a wish to
    # end early, and end as if all were well.
    _limit(resource.RLIMIT_CPU, int(cpu))
    _limit(resource.RLIMIT_AS, int(memory))
    _limit(resource.RLIMIT_FSIZE, int(file))
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):
            sys.exit("the parent is gone")
    os.execv(command[0], command)  # noqa: S606 - that is what this script is for


if __name__ == "__main__":
    main(*sys.argv[1:])
