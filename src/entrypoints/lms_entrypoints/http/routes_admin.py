"""What operators look at: health, and queues with their dead letters."""

from fastapi import APIRouter

from lms_core.domain.access.policy import Action, decide
from lms_core.errors import NotFound
from lms_core.ports.message_queue import MessageQueue
from lms_entrypoints.bootstrap import QUEUES, Platform
from lms_entrypoints.http.auth import Caller, CallerDep, PlatformDep
from lms_entrypoints.http.routing import LmsRoute
from lms_entrypoints.http.schemas import (
    Count,
    DeadLetterAnswer,
    Health,
    IdsBody,
    QueueAnswer,
)

router = APIRouter(prefix="/api/v1", route_class=LmsRoute, tags=["operations"])

MOST_SHOWN = 200


@router.get("/health")
def health(platform: PlatformDep) -> Health:
    """Tell whether the platform and its database answer."""
    with platform.start(read_only=True) as work:
        work.outbox.pending(1)
    return Health(status="ok")


def queue_named(platform: Platform, caller: Caller, name: str) -> MessageQueue:
    """Return the queue, for those who may manage queues."""
    decide(caller.actor, Action.MANAGE_QUEUES, at=platform.clock.now()).require()
    if name not in QUEUES:
        raise NotFound(f"no queue {name:.40}", resource=name[:40])
    return platform.events_queue if name == "events" else platform.transcode_queue


@router.get("/admin/queues")
def list_queues(platform: PlatformDep, caller: CallerDep) -> list[QueueAnswer]:
    """Tell how full each queue is."""
    found = [(name, queue_named(platform, caller, name).depth()) for name in QUEUES]
    return [
        QueueAnswer(name=name, ready=depth.ready, leased=depth.leased, dead=depth.dead)
        for name, depth in found
    ]


@router.get("/admin/queues/{name}/dead-letters")
def list_dead_letters(
    name: str, platform: PlatformDep, caller: CallerDep
) -> list[DeadLetterAnswer]:
    """List what was given up, the oldest first."""
    letters = []
    for letter in queue_named(platform, caller, name).dead_letters():
        letters.append(
            DeadLetterAnswer(
                id=letter.id,
                reason=letter.reason,
                deliveries=letter.deliveries,
                died_at=letter.died_at.isoformat().replace("+00:00", "Z"),
                body=letter.message.body[:2000],
            )
        )
        if len(letters) == MOST_SHOWN:
            break
    return letters


@router.post("/admin/queues/{name}/redrive")
def redrive(
    name: str, body: IdsBody, platform: PlatformDep, caller: CallerDep
) -> Count:
    """Put dead letters back into the queue."""
    return Count(count=queue_named(platform, caller, name).redrive(body.ids))
