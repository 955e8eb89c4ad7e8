"""Serve the platform over HTTP, with its worker or without."""

import errno
import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from threading import Event, Thread

import uvicorn

from lms_core.errors import ConfigurationError, Unavailable
from lms_entrypoints.bootstrap import Platform
from lms_entrypoints.http.app import create_app
from lms_entrypoints.worker import Worker, stopped_by_signals

_LARGEST_HEADERS = 16 * 1024
_MOST_CONNECTIONS = 1_000
_BACKLOG = 512
_KEEP_ALIVE_S = 15
_GRACE_S = 20
_LOOK_EVERY_S = 0.05

_log = logging.getLogger("lms.serve")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can connect to *host*."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """Take *port* of *host*; zero takes a free one.

    Raises:
        ConfigurationError: the host is none of this machine's, or the port needs
            more rights.
        Unavailable: somebody else has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as exc:
        if exc.errno == errno.EADDRINUSE:
            raise Unavailable(
                f"port {port} is taken; choose another with --port, or 0 for any"
            ) from exc
        raise ConfigurationError(
            f"cannot listen at {host}:{port}: {exc.strerror or exc}"
        ) from exc
    except OverflowError as exc:
        raise ConfigurationError(f"{port} is no port") from exc


def address_of(taken: socket.socket) -> str:
    """Return the address that a browser on this machine uses for *taken*."""
    host, port = taken.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def serving(
    platform: Platform, taken: socket.socket, *, with_worker: bool
) -> Iterator[Thread]:
    """Serve *platform* at *taken* as long as the context lasts.

    Yields the thread of the server, which ends before its time only when the
    server fails. At the end requests are finished, then what the worker holds.
    """
    config = uvicorn.Config(
        create_app(platform),
        http="h11",
        ws="none",
        h11_max_incomplete_event_size=_LARGEST_HEADERS,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        access_log=False,
        log_config=None,
        log_level="warning",
        # Who is behind proxies is decided in one place, by trusted_proxies.
        proxy_headers=False,
        server_header=False,
        date_header=True,
    )
    server = uvicorn.Server(config)
    thread = Thread(
        target=server.run, kwargs={"sockets": [taken]}, name="http", daemon=True
    )
    with ExitStack() as stack:
        if with_worker:
            stack.enter_context(Worker(platform))
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join()

        stack.callback(stop)
        while not server.started:
            if not thread.is_alive():
                raise Unavailable("the server did not start; the log says why")
            thread.join(_LOOK_EVERY_S)
        _log.info("serving", extra={"facts": {"at": address_of(taken)}})
        yield thread


def serve_until_stopped(
    platform: Platform, taken: socket.socket, *, with_worker: bool
) -> None:
    """Serve until SIGTERM or SIGINT; call it in the main thread.

    Raises:
        Unavailable: the server ended by itself.
    """
    stopping = Event()
    with (
        stopped_by_signals(stopping),
        serving(platform, taken, with_worker=with_worker) as server,
    ):
        while not stopping.wait(1):
            if not server.is_alive():
                raise Unavailable("the server has ended; the log says why")
