"""One signed certificate: rendered by typst, sealed with P-256."""

import gc
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.row import Row

from lms_documents.development import make_development_identity
from lms_documents.pades import PyhankoPdfSealer
from lms_documents.pdf import TypstPdfRenderer

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
GOAL_MS = 45.0
MANY = 200
GROWTH_MIB = 16.0


def run(workload: Path | None, rounds: int) -> list[Row]:
    """Measure CPU time a certificate, warm, and what many in a row leave behind.

    There is no floor: the goal is a time, so that *ratio* is value over goal.
    """
    del workload  # certificates need no data of their own
    renderer = TypstPdfRenderer.with_fonts()
    identity = make_development_identity(at=AT)
    sealer = PyhankoPdfSealer.load(identity.key, identity.certificates)

    def render(number: int) -> bytes:
        return renderer.render(
            "certificate-1",
            {
                "learner": f"Zoë Beispiel-Müller {number}",
                "course": "Adaptive Streaming from First Principles",
                "issuer": "Open School of Engineering",
                "number": f"C-2026-{number:06}",
                "issued_on": "2026-11-21",
                "grade": "94 %",
                "verification_url": f"https://learn.example.org/verify/{number:016X}",
            },
        )

    def sealed(number: int) -> bytes:
        pdf = render(number)
        done = sealer.seal(pdf, reason="Issued", at=AT)
        assert done.startswith(pdf)
        assert len(done) > len(pdf)
        return done

    for number in range(20):  # fonts, fields and caches come into being
        sealed(number)
    rounds = max(rounds, 5)
    whole = _cpu_ms(sealed, rounds)
    rows = [
        Row(
            benchmark="certificate",
            case="render and seal, CPU",
            value=whole,
            unit="ms",
            ratio=whole / GOAL_MS,
            goal=1.0,
            met=whole <= GOAL_MS,
        ),
        Row(
            benchmark="certificate",
            case="render, CPU",
            value=_cpu_ms(render, rounds),
            unit="ms",
        ),
    ]
    gc.collect()
    before = _peak_mib()
    for number in range(MANY):
        sealed(1_000_000 + number)
    grown = _peak_mib() - before
    return [
        *rows,
        Row(
            benchmark="certificate",
            case=f"growth of peak memory over {MANY}",
            value=grown,
            unit="MiB",
            ratio=grown / GROWTH_MIB,
            goal=1.0,
            met=grown <= GROWTH_MIB,
        ),
    ]


def _cpu_ms(make: Callable[[int], bytes], rounds: int) -> float:
    times = []
    for number in range(rounds * 5):
        start = time.process_time()
        make(100_000 + number)
        times.append((time.process_time() - start) * 1000)
    return median(times)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    for row in run(None, 5):
        print(row)
