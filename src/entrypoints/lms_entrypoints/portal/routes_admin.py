"""Running the place: users and queues."""

import json
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, Response

from lms_core.application.grant_role import GrantRole
from lms_core.application.list_users import ListUsers
from lms_core.domain.ids import UserId
from lms_core.domain.paging import Page, PageRequest
from lms_core.domain.people.user import Role, User
from lms_core.ports.message_queue import DeadLetter
from lms_entrypoints.bootstrap import QUEUES
from lms_entrypoints.http.routes_admin import queue_named
from lms_entrypoints.portal import links, views
from lms_entrypoints.portal.routes_catalogue import After, pager
from lms_entrypoints.portal.visits import FormDep, Visit, VisitDep
from lms_entrypoints.portal.words import Explanation, explain_code, knows

router = APIRouter(include_in_schema=False)

ROWS = 50
MOST_LETTERS = 50
_TOLD = ("media", "course", "enrollment", "attempt", "order", "certificate", "user")


@router.get("/admin/users")
def users(
    visit: VisitDep,
    q: Annotated[str, Query(max_length=200)] = "",
    after: After = None,
) -> Response:
    """Show everybody, or those whose name or address matches."""
    visit.require()
    use = visit.platform.use(ListUsers)
    if q.strip():
        page = Page(use.matching(visit.actor, q, limit=ROWS))
    else:
        page = use(visit.actor, PageRequest(ROWS, after or None))
    view = views.Users(
        rows=tuple(_user(each) for each in page.items),
        query=q,
        pager=pager(links.users(), {}, after, page.next),
    )
    return visit.show(view)


def _user(user: User) -> views.UserRow:
    return views.UserRow(
        id=user.id,
        name=user.name,
        email=user.email,
        registered_at=user.registered_at,
        roles=tuple(
            f"{grant.role.capitalize()} of {grant.course}"
            if grant.course
            else grant.role.capitalize()
            for grant in user.grants
        ),
        suspended=user.suspended,
    )


@router.post("/admin/users/{user_id}/roles")
def give_role(user_id: str, visit: VisitDep, form: FormDep) -> Response:
    """Give somebody a role of the platform."""
    visit.require()
    role = Role.ADMIN if form.text("role") == Role.ADMIN else Role.INSTRUCTOR
    visit.platform.use(GrantRole)(visit.actor, UserId(user_id), role)
    return visit.go(links.users(), said="role-given")


@router.get("/admin/queues")
def queues(visit: VisitDep) -> Response:
    """Show how full each queue is, and what was given up."""
    visit.require()
    view = views.Queues(
        queues=tuple(_queue(visit, name) for name in QUEUES),
        seen_at=visit.platform.clock.now(),
    )
    return visit.show(view)


def _queue(visit: Visit, name: str) -> views.QueueRow:
    queue = queue_named(visit.platform, visit.caller, name)
    depth = queue.depth()
    return views.QueueRow(
        name=name,
        ready=depth.ready,
        leased=depth.leased,
        dead=depth.dead,
        letters=tuple(
            _letter(each) for each in islice(queue.dead_letters(), MOST_LETTERS)
        ),
    )


def _letter(letter: DeadLetter) -> views.DeadLetterRow:
    code = letter.reason
    return views.DeadLetterRow(
        id=letter.id,
        summary=_summary(letter.message.body),
        why=explain_code(code)
        if knows(code)
        else Explanation(code=code[:60], sentence=code[:300]),
        deliveries=letter.deliveries,
        died_at=letter.died_at,
    )


def _summary(body: str) -> str:
    """Return what a message is about, whoever wrote it."""
    try:
        document = json.loads(body)
    except ValueError:
        return body[:80]
    event = document.get("event", document) if isinstance(document, dict) else None
    if not isinstance(event, dict):
        return body[:80]
    name = str(event.get("name", "Lecture to process"))[:60]
    about = [f"{key} {str(event[key])[:60]}" for key in _TOLD if key in event]
    return ", ".join([name, *about])


@router.post("/admin/queues/{queue}/redrive")
def redrive_all(queue: str, visit: VisitDep, _: FormDep) -> Response:
    """Put all that was given up back into its queue."""
    visit.require()
    queue_named(visit.platform, visit.caller, queue).redrive()
    return visit.go(links.queues(), said="put-back")


@router.post("/admin/queues/{queue}/dead/{letter}/redrive")
def redrive(queue: str, letter: str, visit: VisitDep, _: FormDep) -> Response:
    """Put one message back into its queue."""
    visit.require()
    queue_named(visit.platform, visit.caller, queue).redrive([letter])
    return visit.go(links.queues(), said="put-back")
